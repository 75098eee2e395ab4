/* SPDX-License-Identifier: Apache-2.0 */
/* Limits, read and told (see qos.h). */
#include "web/qos.h"

#include "base/units.h"

#include <stdio.h>
#include <string.h>

static const struct schema schema_qos = {
    "Qos", {"iops", "bytes_per_s", "burst_iops", "burst_bytes_per_s", "burst_s"}};

static uint64_t value_read(struct input *at, const struct qos_rule *rule)
{
    char accepted[96];
    uint64_t value = rule->is_bytes
                         ? input_bytes(at, rule->name, INPUT_OPTIONAL, 0, INT64_MAX, 0)
                         : input_uint(at, rule->name, INPUT_OPTIONAL, 0, INT64_MAX, 0);
    if (value == 0 || (value >= rule->low && value <= rule->high))
        return value;
    snprintf(accepted, sizeof(accepted), "0, which is no limit, or %llu to %llu",
             (unsigned long long)rule->low, (unsigned long long)rule->high);
    input_refuse(at, rule->name, accepted, "%s is out of range", rule->name);
    return 0;
}

const struct qos_change *qos_read(struct input *in, struct qos_change *room)
{
    struct input at;
    *room = (struct qos_change){.named = 0};
    const json_t *object = input_object(in, "qos");
    if (object == NULL)
        return NULL;
    input_begin(&at, object, "/qos", &schema_qos, in->problem);
    for (enum qos_member i = 0; i < QOS_MEMBERS; i++) {
        room->to.of[i] = value_read(&at, &qos_rules[i]);
        if (json_object_get(object, qos_rules[i].name) != NULL)
            room->named |= 1U << i;
    }
    return input_good(in) ? room : NULL;
}

json_t *qos_json(const struct qos *qos)
{
    json_t *out = json_object();
    for (enum qos_member i = 0; out != NULL && i < QOS_MEMBERS; i++) {
        if (json_object_set_new(out, qos_rules[i].name,
                                json_integer((json_int_t)qos->of[i])) == 0)
            continue;
        json_decref(out);
        return NULL;
    }
    return out;
}

json_t *throttled_json(const struct target_throttled *throttled)
{
    return json_pack("{s:I, s:I}", "commands", (json_int_t)throttled->commands, "ms",
                     (json_int_t)(throttled->us / 1000));
}

static bool value_is(const json_t *said, uint64_t value)
{
    uint64_t bytes;
    const char *text = json_string_value(said);
    if (text != NULL)
        return size_parse(text, &bytes) && bytes == value;
    return json_is_integer(said) && json_integer_value(said) == (json_int_t)value;
}

enum agreement qos_agrees(const struct qos *qos, const json_t *said)
{
    bool good = json_is_object(said);
    for (enum qos_member i = 0; good && i < QOS_MEMBERS; i++) {
        const json_t *value = json_object_get(said, qos_rules[i].name);
        good = value == NULL || value_is(value, qos->of[i]);
    }
    return good ? AGREEMENT_YES : AGREEMENT_NO;
}
