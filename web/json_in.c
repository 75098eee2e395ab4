/* SPDX-License-Identifier: Apache-2.0 */
/* Strict typed reads of a request's JSON (see json_in.h). jansson parses; what it does
 * not bound, the depth, is bounded before it begins. Pure; any thread. */
#include "web/json_in.h"

#include "base/units.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NAME_BYTES_MAX   63
#define UUID_BYTES       36
#define TIME_BYTES_MAX   32
#define TIME_AHEAD_S_MAX (100 * UINT64_C(365) * 86400)
#define SIZE_ACCEPTED                                                                    \
    "bytes as an integer, or a string such as \"100GiB\" (" SIZE_UNITS ")"

/* ---- The body ---------------------------------------------------------------------- */

/* Nesting of brackets outside of strings; jansson recurses as deep as the text does. */
static size_t text_depth(const char *text, size_t length)
{
    size_t depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '['))
            depth++;
        else if (!in_string && (c == '}' || c == ']') && depth > 0)
            depth--;
        if (depth > deepest)
            deepest = depth;
    }
    return deepest;
}

/* In words of our own: jansson's repeat what it stopped at, which may be a secret. */
static const char *json_fault(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_premature_end_of_input:
        return "it ends too early";
    case json_error_end_of_input_expected:
        return "something follows it";
    case json_error_invalid_utf8:
        return "not UTF-8";
    case json_error_duplicate_key:
        return "an object has a member twice";
    case json_error_numeric_overflow:
        return "a number is too big";
    case json_error_null_byte_in_key:
    case json_error_null_character:
        return "\\u0000 is not taken";
    default:
        return "bad syntax";
    }
}

json_t *input_parse(const char *text, size_t length, struct problem *problem)
{
    if (length == 0) {
        problem_set(problem, PROBLEM_MALFORMED, "the request has no body");
        problem_accepts(problem, "a JSON object");
        return NULL;
    }
    if (text_depth(text, length) > WEB_JSON_DEPTH_MAX) {
        problem_set(problem, PROBLEM_MALFORMED, "the body is nested deeper than %d",
                    WEB_JSON_DEPTH_MAX);
        return NULL;
    }
    json_error_t error;
    json_t *body = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (body == NULL) {
        problem_set(problem, PROBLEM_MALFORMED, "not JSON: line %d column %d: %s",
                    error.line, error.column, json_fault(&error));
        return NULL;
    }
    if (!json_is_object(body)) {
        problem_set(problem, PROBLEM_MALFORMED, "the body is not a JSON object");
        problem_accepts(problem, "a JSON object");
        json_decref(body);
        return NULL;
    }
    return body;
}

/* ---- Problems ---------------------------------------------------------------------- */

bool input_good(const struct input *in)
{
    return in->problem->kind == PROBLEM_NONE;
}

/* JSON pointer (RFC 6901, 3): ~ and / of a member's name are written ~0 and ~1. */
static void pointer_write(char *out, size_t out_bytes, const char *base,
                          const char *member)
{
    int base_bytes = snprintf(out, out_bytes, "%s/", base);
    assert(base_bytes > 0);
    size_t at = (size_t)base_bytes;
    for (; *member != '\0' && at + 3 < out_bytes; member++) {
        if (*member == '~' || *member == '/') {
            out[at++] = '~';
            out[at++] = *member == '~' ? '0' : '1';
        } else {
            out[at++] = *member;
        }
        out[at] = '\0';
    }
}

static void refuse(struct input *in, enum problem_kind kind, const char *member,
                   const char *accepted, const char *text)
{
    if (!problem_set(in->problem, kind, "%s", text))
        return;
    pointer_write(in->problem->pointer, sizeof(in->problem->pointer), in->base, member);
    if (accepted != NULL)
        problem_accepts(in->problem, "%s", accepted);
}

void input_refuse(struct input *in, const char *member, const char *accepted,
                  const char *fmt, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    refuse(in, PROBLEM_VALUE, member, accepted, text);
}

/* ---- Members ----------------------------------------------------------------------- */

static bool schema_has(const struct schema *schema, const char *member, size_t length)
{
    for (size_t i = 0; i < WEB_MEMBERS_MAX && schema->members[i] != NULL; i++) {
        if (strlen(schema->members[i]) == length &&
            memcmp(schema->members[i], member, length) == 0)
            return true;
    }
    return false;
}

bool schema_has_field(const struct schema *schema, const char *field)
{
    return schema_has(schema, field, strcspn(field, "/"));
}

static void list_members(const struct schema *schema, char *out, size_t out_bytes)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < WEB_MEMBERS_MAX && schema->members[i] != NULL; i++) {
        int n = snprintf(out + at, out_bytes - at, "%s%s", i == 0 ? "" : ", ",
                         schema->members[i]);
        if (n < 0 || (size_t)n >= out_bytes - at)
            return;
        at += (size_t)n;
    }
}

void input_begin(struct input *in, const json_t *value, const char *base,
                 const struct schema *schema, struct problem *problem)
{
    *in = (struct input){.object = value, .problem = problem};
    snprintf(in->base, sizeof(in->base), "%s", base);
    if (!json_is_object(value)) {
        if (problem_set(problem, PROBLEM_VALUE, "not an object"))
            snprintf(problem->pointer, sizeof(problem->pointer), "%s", base);
        return;
    }
    char members[WEB_PROBLEM_ACCEPT_MAX];
    list_members(schema, members, sizeof(members));
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        if (!schema_has(schema, key, strlen(key)))
            refuse(in, PROBLEM_UNKNOWN_MEMBER, key, members, "there is no such member");
    }
}

/* NULL if it is absent, or something was refused before. */
static const json_t *member_get(struct input *in, const char *member,
                                enum input_need need)
{
    if (!input_good(in))
        return NULL;
    const json_t *value = json_object_get(in->object, member);
    if (value == NULL && need == INPUT_REQUIRED) {
        char text[ERR_TEXT_MAX];
        snprintf(text, sizeof(text), "%s is missing", member);
        refuse(in, PROBLEM_MISSING_MEMBER, member, NULL, text);
    }
    return value;
}

bool name_is_valid(const char *text)
{
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789";
    if (text[0] == '\0' || strchr(first, text[0]) == NULL)
        return false;
    size_t bytes = strlen(text);
    if (bytes > NAME_BYTES_MAX)
        return false;
    for (size_t i = 1; i < bytes; i++) {
        if (strchr(first, text[i]) == NULL && strchr("._-", text[i]) == NULL)
            return false;
    }
    return true;
}

bool text_is_uuid(const char *text)
{
    if (strlen(text) != UUID_BYTES)
        return false;
    for (size_t i = 0; i < UUID_BYTES; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : strchr("0123456789abcdefABCDEF", text[i]) == NULL)
            return false;
    }
    return true;
}

static const char *read_name(struct input *in, const char *member, enum input_need need,
                             bool is_new)
{
    static const char accepted[] =
        "1 to 63 of A-Z a-z 0-9 . _ - beginning with a letter or digit";
    const json_t *value = member_get(in, member, need);
    if (value == NULL)
        return NULL;
    const char *text = json_string_value(value);
    if (text == NULL || !name_is_valid(text)) {
        input_refuse(in, member, accepted, "%s is not a name", member);
        return NULL;
    }
    if (is_new && text_is_uuid(text)) {
        input_refuse(in, member, accepted, "%s has the form of an id, not of a name",
                     member);
        return NULL;
    }
    return text;
}

const char *input_name(struct input *in, const char *member, enum input_need need)
{
    return read_name(in, member, need, true);
}

const char *input_reference(struct input *in, const char *member, enum input_need need)
{
    return read_name(in, member, need, false);
}

static bool snapshot_key_is_valid(const char *text)
{
    char volume[NAME_BYTES_MAX + 1];
    size_t length = strcspn(text, "/");
    if (text[length] == '\0')
        return name_is_valid(text);
    if (length >= sizeof(volume))
        return false;
    snprintf(volume, sizeof(volume), "%.*s", (int)length, text);
    return name_is_valid(volume) && name_is_valid(text + length + 1);
}

const char *input_snapshot(struct input *in, const char *member, enum input_need need)
{
    const json_t *value = member_get(in, member, need);
    if (value == NULL)
        return NULL;
    const char *text = json_string_value(value);
    if (text != NULL && snapshot_key_is_valid(text))
        return text;
    input_refuse(in, member, "VOLUME/SNAPSHOT, or a snapshot's id",
                 "%s names no snapshot", member);
    return NULL;
}

bool text_has_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    }
    return false;
}

const char *input_string(struct input *in, const char *member, enum input_need need,
                         size_t max_bytes)
{
    const json_t *value = member_get(in, member, need);
    if (value == NULL)
        return NULL;
    const char *text = json_string_value(value);
    if (text != NULL && text[0] != '\0' && strlen(text) <= max_bytes &&
        !text_has_control(text))
        return text;
    char accepted[WEB_PROBLEM_ACCEPT_MAX];
    snprintf(accepted, sizeof(accepted),
             "a string of 1 to %zu bytes without control characters", max_bytes);
    input_refuse(in, member, accepted, "%s is not such a string", member);
    return NULL;
}

/* ---- Numbers ----------------------------------------------------------------------- */

static bool value_uint(const json_t *value, uint64_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static bool value_bytes(const json_t *value, uint64_t *out)
{
    if (!json_is_string(value))
        return value_uint(value, out);
    const char *text = json_string_value(value);
    size_t bytes = strlen(text);
    bool has_unit = bytes > 0 && (text[bytes - 1] < '0' || text[bytes - 1] > '9');
    return has_unit && size_parse(text, out);
}

uint64_t input_bytes(struct input *in, const char *member, enum input_need need,
                     uint64_t min, uint64_t max, uint64_t fallback)
{
    const json_t *value = member_get(in, member, need);
    uint64_t bytes;
    if (value == NULL)
        return fallback;
    if (!value_bytes(value, &bytes)) {
        input_refuse(in, member, SIZE_ACCEPTED, "%s is not a size", member);
        return fallback;
    }
    if (bytes < min || bytes > max) {
        char accepted[WEB_PROBLEM_ACCEPT_MAX];
        snprintf(accepted, sizeof(accepted), "%" PRIu64 " to %" PRIu64 " bytes", min,
                 max);
        input_refuse(in, member, accepted, "%s is out of range", member);
        return fallback;
    }
    return bytes;
}

uint64_t input_uint(struct input *in, const char *member, enum input_need need,
                    uint64_t min, uint64_t max, uint64_t fallback)
{
    const json_t *value = member_get(in, member, need);
    uint64_t number;
    if (value == NULL)
        return fallback;
    if (value_uint(value, &number) && number >= min && number <= max)
        return number;
    char accepted[WEB_PROBLEM_ACCEPT_MAX];
    snprintf(accepted, sizeof(accepted), "an integer from %" PRIu64 " to %" PRIu64, min,
             max);
    input_refuse(in, member, accepted, "%s is not such an integer", member);
    return fallback;
}

/* "2026-12-31T23:59:59Z", and nothing after it. */
static bool time_parse(const char *text, int64_t *seconds)
{
    struct tm utc = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    *seconds = timegm(&utc);
    return end != NULL && *end == '\0';
}

int64_t input_time(struct input *in, const char *member)
{
    uint64_t after;
    int64_t now = time(NULL), when = 0;
    const char *text = input_string(in, member, INPUT_OPTIONAL, TIME_BYTES_MAX);
    if (text == NULL)
        return 0;
    if (duration_parse(text, &after) && after > 0 && after <= TIME_AHEAD_S_MAX)
        return now + (int64_t)after;
    if (!time_parse(text, &when) || when <= now)
        input_refuse(
            in, member,
            "a time to come such as \"2030-12-31T00:00:00Z\", or a duration from "
            "now such as \"30d\"",
            "it is no time to come");
    return when;
}

bool input_bool(struct input *in, const char *member, bool fallback)
{
    const json_t *value = member_get(in, member, INPUT_OPTIONAL);
    if (value == NULL)
        return fallback;
    if (!json_is_boolean(value))
        input_refuse(in, member, "true or false", "%s is neither true nor false", member);
    return json_is_true(value);
}

const bool *input_flag(struct input *in, const char *member, bool *room)
{
    *room = input_bool(in, member, false);
    return member_get(in, member, INPUT_OPTIONAL) == NULL ? NULL : room;
}

const json_t *input_object(struct input *in, const char *member)
{
    const json_t *value = member_get(in, member, INPUT_OPTIONAL);
    if (value == NULL || json_is_object(value))
        return value;
    input_refuse(in, member, "an object", "%s is not an object", member);
    return NULL;
}

const json_t *input_array(struct input *in, const char *member, size_t min, size_t max)
{
    const json_t *value = member_get(in, member, INPUT_REQUIRED);
    if (value == NULL)
        return NULL;
    size_t count = json_array_size(value);
    if (json_is_array(value) && count >= min && count <= max)
        return value;
    char accepted[WEB_PROBLEM_ACCEPT_MAX];
    snprintf(accepted, sizeof(accepted), "an array of %zu to %zu", min, max);
    input_refuse(in, member, accepted, "%s is not such an array", member);
    return NULL;
}
