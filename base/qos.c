/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of limits: which values they have, which go together. */
#include "base/qos.h"

#include <stdio.h>
#include <string.h>

const struct qos_rule qos_rules[QOS_MEMBERS] = {
    [QOS_IOPS] = {"iops", 1, 10000000, false},
    [QOS_BYTES] = {"bytes_per_s", 64ULL << 10, 1ULL << 40, true},
    [QOS_BURST_IOPS] = {"burst_iops", 1, 10000000, false},
    [QOS_BURST_BYTES] = {"burst_bytes_per_s", 64ULL << 10, 1ULL << 40, true},
    [QOS_BURST_S] = {"burst_s", 1, 3600, false},
};

bool qos_is_limited(const struct qos *q)
{
    return q->of[QOS_IOPS] != 0 || q->of[QOS_BYTES] != 0;
}

bool qos_equals(const struct qos *a, const struct qos *b)
{
    return memcmp(a->of, b->of, sizeof(a->of)) == 0;
}

static const char *field_of(enum qos_member member, char field[ERR_FIELD_MAX])
{
    snprintf(field, ERR_FIELD_MAX, "qos/%s", qos_rules[member].name);
    return field;
}

static int value_check(const struct qos *q, enum qos_member member, struct err *e)
{
    const struct qos_rule *rule = &qos_rules[member];
    char field[ERR_FIELD_MAX];
    if (q->of[member] == 0 || (q->of[member] >= rule->low && q->of[member] <= rule->high))
        return 0;
    return err_set(e, -EINVAL, field_of(member, field),
                   "0, or %llu to %llu, is wanted: 0 is no limit",
                   (unsigned long long)rule->low, (unsigned long long)rule->high);
}

static int burst_check(const struct qos *q, enum qos_member burst, enum qos_member limit,
                       struct err *e)
{
    char field[ERR_FIELD_MAX];
    if (q->of[burst] == 0 || (q->of[limit] != 0 && q->of[burst] > q->of[limit]))
        return 0;
    return err_set(e, -EINVAL, field_of(burst, field),
                   "a burst is above its limit, %s, which is %llu", qos_rules[limit].name,
                   (unsigned long long)q->of[limit]);
}

static bool is_named(const struct qos_change *change, enum qos_member member)
{
    return (change->named & 1U << member) != 0;
}

/* A limit that goes takes its burst along. */
static void burst_follow(struct qos *q, const struct qos_change *change,
                         enum qos_member burst, enum qos_member limit)
{
    if (q->of[limit] == 0 && !is_named(change, burst))
        q->of[burst] = 0;
}

/* A time that was named wants a burst; one that stood goes with the last burst. */
static int time_settle(struct qos *q, const struct qos_change *change, struct err *e)
{
    char field[ERR_FIELD_MAX];
    bool bursts = q->of[QOS_BURST_IOPS] != 0 || q->of[QOS_BURST_BYTES] != 0;
    if (bursts && q->of[QOS_BURST_S] == 0)
        q->of[QOS_BURST_S] = QOS_BURST_PRESET_S;
    if (bursts || q->of[QOS_BURST_S] == 0)
        return 0;
    if (is_named(change, QOS_BURST_S))
        return err_set(e, -EINVAL, field_of(QOS_BURST_S, field),
                       "there is no burst that it could be the time of: burst_iops or "
                       "burst_bytes_per_s is wanted with it");
    q->of[QOS_BURST_S] = 0;
    return 0;
}

int qos_apply(struct qos *q, const struct qos_change *change, struct err *e)
{
    if (change == NULL)
        return 0;
    struct qos next = *q;
    int rc = 0;
    for (enum qos_member i = 0; rc == 0 && i < QOS_MEMBERS; i++) {
        if (is_named(change, i))
            next.of[i] = change->to.of[i];
        rc = value_check(&next, i, e);
    }
    burst_follow(&next, change, QOS_BURST_IOPS, QOS_IOPS);
    burst_follow(&next, change, QOS_BURST_BYTES, QOS_BYTES);
    if (rc == 0)
        rc = burst_check(&next, QOS_BURST_IOPS, QOS_IOPS, e);
    if (rc == 0)
        rc = burst_check(&next, QOS_BURST_BYTES, QOS_BYTES, e);
    if (rc == 0)
        rc = time_settle(&next, change, e);
    if (rc == 0)
        *q = next;
    return rc;
}
