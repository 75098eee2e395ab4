/* SPDX-License-Identifier: Apache-2.0 */
/* Labels and changes, read and told (see change.h). Pure; any thread. */
#include "web/change.h"

#include <stdio.h>
#include <string.h>

#define TEXT_OF(number) #number
#define TEXT(number)    TEXT_OF(number)

/* at: where the labels stand. */
static void label_read(struct input *at, const char *key, const json_t *value,
                       struct label *out)
{
    const char *text = json_string_value(value);
    if (!name_is_valid(key)) {
        input_refuse(at, key,
                     "as keys: 1 to 63 of A-Z a-z 0-9 . _ - beginning with a letter or "
                     "digit",
                     "it cannot be the key of a label");
        return;
    }
    if (text == NULL || strlen(text) >= LABEL_VALUE_MAX || text_has_control(text)) {
        input_refuse(at, key, "a string of at most 255 bytes without control characters",
                     "the value of a label is not such a string");
        return;
    }
    snprintf(out->key, sizeof(out->key), "%s", key);
    snprintf(out->value, sizeof(out->value), "%s", text);
}

bool labels_read(struct input *in, struct labels_in *out)
{
    const char *key;
    json_t *value;
    out->list = (struct label_list){.labels = out->labels};
    const json_t *object = input_object(in, "labels");
    if (object == NULL)
        return false;
    if (json_object_size(object) > LABEL_COUNT_MAX) {
        input_refuse(in, "labels", "at most " TEXT(LABEL_COUNT_MAX) " labels",
                     "there are too many labels");
        return false;
    }
    struct input at = {.object = object, .base = "/labels", .problem = in->problem};
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        label_read(&at, key, value, &out->labels[out->list.count++]);
    }
    return input_good(in);
}

void change_read(struct input *in, struct change_in *out)
{
    out->change = (struct volume_change){
        .name = input_name(in, "name", INPUT_OPTIONAL),
        .is_protected = input_flag(in, "protected", &out->is_protected),
    };
    if (labels_read(in, &out->labels))
        out->change.labels = &out->labels.list;
}
