/* SPDX-License-Identifier: Apache-2.0 */
/* From names and flags to JSON (see body.h). Single thread. */
#include "web/cli/body.h"

#include "web/cli/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEVICE_SIZE "size="

/* NULL: not text. */
static json_t *text_json(const char *what, const char *text, size_t length)
{
    json_t *value = json_stringn(text, length);
    if (value == NULL)
        say(OUTCOME_USAGE, "%s is not UTF-8 text", what);
    return value;
}

/* False: not an integer, or more than 63 bits. */
static bool read_integer(const char *text, size_t length, json_int_t *out)
{
    char *end;
    size_t sign = text[0] == '-' ? 1 : 0;
    if (length == sign || strspn(text + sign, "0123456789") != length - sign)
        return false;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return errno == 0;
}

/* Bytes are an integer; what has a unit, or is no size at all, is text. */
static json_t *size_json(const char *what, const char *text)
{
    json_int_t bytes;
    if (read_integer(text, strlen(text), &bytes))
        return must(json_integer(bytes));
    return text_json(what, text, strlen(text));
}

static json_t *device_json(const char *what, const char *text)
{
    const char *comma = strrchr(text, ',');
    if (comma != NULL && strchr(comma, '=') == NULL)
        comma = NULL; /* it belongs to the path */
    if (comma != NULL && strncmp(comma + 1, DEVICE_SIZE, sizeof(DEVICE_SIZE) - 1) != 0) {
        say(OUTCOME_USAGE, "%s %s: there is no option %s; accepted: PATH[,size=SIZE]",
            what, text, comma + 1);
        return NULL;
    }
    size_t length = comma == NULL ? strlen(text) : (size_t)(comma - text);
    json_t *path = text_json(what, text, length);
    if (path == NULL)
        return NULL;
    json_t *device = must(json_pack("{s:o}", "path", path));
    if (comma == NULL)
        return device;
    json_t *size = size_json(what, comma + sizeof(DEVICE_SIZE));
    if (size == NULL || json_object_set_new(device, "size", size) != 0) {
        json_decref(device);
        return NULL;
    }
    return device;
}

/* KEY=VALUE into the object of labels. */
static bool add_label(json_t *labels, const char *what, const char *text)
{
    size_t length = strcspn(text, "=");
    if (text[length] == '\0') {
        say(OUTCOME_USAGE, "%s %s is no label; accepted: KEY=VALUE, or none", what, text);
        return false;
    }
    AUTO_FREE char *key = must(strndup(text, length));
    json_t *value = text_json(what, text + length + 1, strlen(text + length + 1));
    if (value == NULL)
        return false;
    if (json_object_set_new(labels, key, value) == 0)
        return true;
    say(OUTCOME_USAGE, "%s is not UTF-8 text", what);
    return false;
}

static json_t *flag_json(const struct flag *flag, const char *what, const char *text)
{
    json_int_t number;
    switch (flag->kind) {
    case FLAG_SIZE:
        return size_json(what, text);
    case FLAG_YES:
        return must(json_boolean(strcmp(text, "true") == 0));
    case FLAG_DEVICE:
        return device_json(what, text);
    case FLAG_SECRET:
        return secret_json(what, text);
    case FLAG_INT:
    case FLAG_NUMBERS:
        if (read_integer(text, strlen(text), &number))
            return must(json_integer(number));
        say(OUTCOME_USAGE, "%s %s is not a number; accepted: %s", what, text,
            flag->value);
        return NULL;
    case FLAG_TEXT:
    case FLAG_LIST:
    case FLAG_LABEL:
        break;
    }
    return text_json(what, text, strlen(text));
}

/* The array or object that a repeatable flag fills. */
static json_t *member_of(json_t *body, const struct flag *flag)
{
    json_t *member = json_object_get(body, flag->member);
    if (member != NULL)
        return member;
    member = must(flag->kind == FLAG_LABEL ? json_object() : json_array());
    if (json_object_set_new(body, flag->member, member) != 0)
        must(NULL);
    return member;
}

/* The object that "a/b" leads into, and b; of a member without a slash, body. */
static json_t *object_of(json_t *body, const char **member)
{
    const char *slash = strchr(*member, '/');
    if (slash == NULL)
        return body;
    AUTO_FREE char *name = must(strndup(*member, (size_t)(slash - *member)));
    json_t *object = json_object_get(body, name);
    if (object == NULL) {
        object = must(json_object());
        if (json_object_set_new(body, name, object) != 0)
            must(NULL);
    }
    *member = slash + 1;
    return object;
}

static bool add_flag(json_t *body, const struct given *given)
{
    const struct flag *flag = given->flag;
    AUTO_FREE char *what = NULL;
    if (asprintf(&what, "--%s", flag->name) < 0)
        what = must(NULL);
    if (flag->kind == FLAG_NUMBERS && strcmp(given->value, "none") == 0)
        return member_of(body, flag) != NULL;
    if (flag->kind == FLAG_LABEL) {
        json_t *labels = member_of(body, flag);
        return strcmp(given->value, "none") == 0 || add_label(labels, what, given->value);
    }
    json_t *value = flag_json(flag, what, given->value);
    if (value == NULL)
        return false;
    if (!flag_is_repeatable(flag)) {
        const char *member = flag->member;
        json_t *object = object_of(body, &member);
        return json_object_set_new(object, member, value) == 0;
    }
    return json_array_append_new(member_of(body, flag), value) == 0;
}

static const char *member_filled(const struct name *name, const char *text)
{
    return name->with_slash != NULL && strchr(text, '/') != NULL ? name->with_slash
                                                                 : name->member;
}

json_t *body_make(const struct args *args, const char *const *names)
{
    const struct verb *verb = args->verb;
    json_t *body = must(json_object());
    bool good = true;
    for (size_t i = 0; good && i < VERB_NAMES_MAX && verb->names[i].placeholder != NULL;
         i++) {
        if (verb->names[i].member == NULL)
            continue;
        json_t *name = text_json(verb->names[i].placeholder, names[i], strlen(names[i]));
        good = name != NULL &&
               json_object_set_new(body, member_filled(&verb->names[i], names[i]),
                                   name) == 0;
    }
    for (size_t i = 0; good && i < args->given_count; i++) {
        if (args->given[i].flag->member != NULL)
            good = add_flag(body, &args->given[i]);
    }
    if (good)
        return body;
    json_decref(body);
    return NULL;
}
