/* SPDX-License-Identifier: Apache-2.0 */
/* See redact.h. */
#include "web/redact.h"

#include "base/auto.h"

#include <string.h>

static const char *const secret_members[] = {"secret", "mutual_secret", "token"};

bool member_is_secret(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(secret_members); i++) {
        if (strcmp(secret_members[i], name) == 0)
            return true;
    }
    return false;
}

/* A body is at most so deep as input_parse() lets pass. */
static void redact(json_t *value)
{
    const char *name;
    void *next;
    json_t *member;
    size_t i;
    json_object_foreach_safe(value, next, name, member)
    {
        if (member_is_secret(name))
            json_object_set_new(value, name, json_string("(secret)"));
        else
            redact(member);
    }
    json_array_foreach(value, i, member)
    {
        redact(member);
    }
}

json_t *redacted(const json_t *value)
{
    json_t *copy = json_deep_copy(value);
    redact(copy);
    return copy;
}

char *redacted_text(const json_t *body, bool purge)
{
    if (json_object_size(body) == 0 && !purge)
        return NULL;
    json_t *copy = body == NULL ? json_object() : redacted(body);
    if (purge)
        json_object_set_new(copy, "purge", json_true());
    char *text = copy == NULL ? NULL : json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(copy);
    return text;
}
