/* SPDX-License-Identifier: Apache-2.0 */
/* Path templates, percent escapes and queries. Everything here is a stranger's
 * text: no length is believed, no byte passed on that is not printable. Pure; any thread.
 */
#include "web/path.h"

#include "base/auto.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_DIGITS_MAX  18 /* of a number of bytes */
#define BYTES_DIGITS_TEXT "18"

static size_t segment_length(const char *at)
{
    return strcspn(at, "/");
}

bool path_matches(const char *pattern, const char *path)
{
    while (*pattern == '/' && *path == '/') {
        size_t want = segment_length(++pattern);
        size_t got = segment_length(++path);
        if (pattern[0] == '{' ? got == 0
                              : want != got || memcmp(pattern, path, want) != 0)
            return false;
        pattern += want;
        path += got;
    }
    return *pattern == '\0' && *path == '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool percent_decode(const char *text, size_t length, char *out, size_t out_bytes)
{
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        int byte = (unsigned char)text[i];
        if (byte == '%') {
            if (length - i < 3)
                return false;
            int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
            if (high < 0 || low < 0)
                return false;
            byte = high * 16 + low;
            i += 2;
        }
        if (byte < 0x20 || byte > 0x7e || used + 1 >= out_bytes)
            return false;
        out[used++] = (char)byte;
    }
    out[used] = '\0';
    return true;
}

bool path_number(const char *text, uint64_t *out)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 19 || text[digits] != '\0')
        return false;
    *out = strtoull(text, NULL, 10);
    return true;
}

static bool param_read(const char *name, size_t name_length, const char *text,
                       size_t length, char out[WEB_PARAM_MAX], struct problem *problem)
{
    if (percent_decode(text, length, out, WEB_PARAM_MAX) && strchr(out, '/') == NULL)
        return true;
    problem_set(problem, PROBLEM_BAD_PARAMETER,
                "the path names something that cannot be a name or an id");
    snprintf(problem->parameter, sizeof(problem->parameter), "%.*s", (int)name_length,
             name);
    problem_accepts(problem, "1 to %d printable ASCII characters, percent-encoded",
                    WEB_PARAM_MAX - 1);
    return false;
}

bool path_params(const char *pattern, const char *path,
                 char params[WEB_PARAMS_MAX][WEB_PARAM_MAX], struct problem *problem)
{
    size_t count = 0;
    while (*pattern == '/') {
        size_t want = segment_length(++pattern);
        size_t got = segment_length(++path);
        if (pattern[0] == '{') {
            assert(count < WEB_PARAMS_MAX);
            if (!param_read(pattern + 1, want - 2, path, got, params[count++], problem))
                return false;
        }
        pattern += want;
        path += got;
    }
    return true;
}

/* ---- The query --------------------------------------------------------------------- */

static bool query_refuse(struct problem *problem, const char *name, const char *accepted,
                         const char *text)
{
    problem_set(problem, PROBLEM_BAD_PARAMETER, "%s", text);
    snprintf(problem->parameter, sizeof(problem->parameter), "%s", name);
    problem_accepts(problem, "%s", accepted);
    return false;
}

static bool limit_take(const char *text, struct query *out, struct problem *problem)
{
    unsigned limit = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && limit <= WEB_LIST_LIMIT_MAX; at++)
        limit = limit * 10 + (unsigned)(*at - '0');
    if (*text == '\0' || *at != '\0' || limit == 0 || limit > WEB_LIST_LIMIT_MAX) {
        char accepted[WEB_PROBLEM_ACCEPT_MAX];
        snprintf(accepted, sizeof(accepted), "1 to %d", WEB_LIST_LIMIT_MAX);
        return query_refuse(problem, "limit", accepted, "not such a number");
    }
    out->limit = limit;
    return true;
}

static bool text_read(const char *name, const char *text, char *out, size_t room,
                      struct problem *problem)
{
    char accepted[WEB_PROBLEM_ACCEPT_MAX];
    snprintf(accepted, sizeof(accepted), "at most %zu bytes", room - 1);
    if (strlen(text) >= room)
        return query_refuse(problem, name, accepted, "it is too long");
    snprintf(out, room, "%s", text);
    return true;
}

static bool after_take(const char *text, struct query *out, struct problem *problem)
{
    return text_read("after", text, out->after, sizeof(out->after), problem);
}

static bool filter_take(const char *text, struct query *out, struct problem *problem)
{
    return text_read("filter", text, out->filter, sizeof(out->filter), problem);
}

static bool sort_take(const char *text, struct query *out, struct problem *problem)
{
    return text_read("sort", text, out->sort, sizeof(out->sort), problem);
}

static bool fields_take(const char *text, struct query *out, struct problem *problem)
{
    return text_read("fields", text, out->fields, sizeof(out->fields), problem);
}

static bool volume_take(const char *text, struct query *out, struct problem *problem)
{
    if (text[0] == '\0' || strlen(text) >= sizeof(out->volume))
        return query_refuse(problem, "volume", "a volume's name or id",
                            "it cannot be a name or an id");
    snprintf(out->volume, sizeof(out->volume), "%s", text);
    return true;
}

static bool switch_take(const char *name, const char *text, bool *out,
                        struct problem *problem)
{
    if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
        return query_refuse(problem, name, "0 or 1", "it is neither 0 nor 1");
    *out = text[0] == '1';
    return true;
}

static bool purge_take(const char *text, struct query *out, struct problem *problem)
{
    return switch_take("purge", text, &out->purge, problem);
}

static bool dry_run_take(const char *text, struct query *out, struct problem *problem)
{
    return switch_take("dry_run", text, &out->dry_run, problem);
}

static bool type_take(const char *text, struct query *out, struct problem *problem)
{
    size_t length = strlen(text);
    if (length == 0 || length >= sizeof(out->type) ||
        strspn(text, "abcdefghijklmnopqrstuvwxyz_.") != length)
        return query_refuse(problem, "type",
                            "how types begin, such as session. or volume.created",
                            "no type of events begins so");
    snprintf(out->type, sizeof(out->type), "%s", text);
    return true;
}

/* Bytes of a volume, as a JSON number has them. */
static bool bytes_take(const char *name, const char *text, uint64_t *out,
                       struct problem *problem)
{
    if (strlen(text) <= BYTES_DIGITS_MAX && path_number(text, out))
        return true;
    return query_refuse(problem, name, "bytes: at most " BYTES_DIGITS_TEXT " digits",
                        "it is no such number");
}

static bool offset_take(const char *text, struct query *out, struct problem *problem)
{
    return bytes_take("offset", text, &out->offset, problem);
}

static bool length_take(const char *text, struct query *out, struct problem *problem)
{
    return bytes_take("length", text, &out->length, problem);
}

static bool from_take(const char *text, struct query *out, struct problem *problem)
{
    if (text[0] == '\0')
        return query_refuse(problem, "from", "a snapshot's name or id",
                            "it cannot be a name or an id");
    return text_read("from", text, out->from, sizeof(out->from), problem);
}

static bool zeros_take(const char *text, struct query *out, struct problem *problem)
{
    return switch_take("zeros", text, &out->zeros, problem);
}

static const struct query_param {
    enum query_take take;
    const char *name;
    bool (*read)(const char *text, struct query *out, struct problem *problem);
} query_params[] = {
    {QUERY_LIMIT, "limit", limit_take},    {QUERY_AFTER, "after", after_take},
    {QUERY_FILTER, "filter", filter_take}, {QUERY_SORT, "sort", sort_take},
    {QUERY_FIELDS, "fields", fields_take}, {QUERY_VOLUME, "volume", volume_take},
    {QUERY_PURGE, "purge", purge_take},    {QUERY_DRY_RUN, "dry_run", dry_run_take},
    {QUERY_TYPE, "type", type_take},       {QUERY_FROM, "from", from_take},
    {QUERY_OFFSET, "offset", offset_take}, {QUERY_LENGTH, "length", length_take},
    {QUERY_ZEROS, "zeros", zeros_take},
};

void query_names(enum query_take takes, char *out, size_t out_bytes)
{
    size_t at = 0;
    snprintf(out, out_bytes, "none");
    for (size_t i = 0; i < ARRAY_LEN(query_params); i++) {
        if ((takes & query_params[i].take) == 0 || at >= out_bytes)
            continue;
        at += (size_t)snprintf(out + at, out_bytes - at, "%s%s", at == 0 ? "" : ", ",
                               query_params[i].name);
    }
}

static const struct query_param *query_param_find(enum query_take takes, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(query_params); i++) {
        if ((takes & query_params[i].take) != 0 &&
            strcmp(query_params[i].name, name) == 0)
            return &query_params[i];
    }
    return NULL;
}

/* One name=value of length bytes. seen: which were there before. */
static bool query_item(const char *item, size_t length, enum query_take takes,
                       unsigned *seen, struct query *out, struct problem *problem)
{
    char name[ERR_FIELD_MAX], value[WEB_QUERY_VALUE_MAX], names[WEB_PROBLEM_ACCEPT_MAX];
    const char *equals = memchr(item, '=', length);
    size_t name_length = equals == NULL ? length : (size_t)(equals - item);
    query_names(takes, names, sizeof(names));
    if (!percent_decode(item, name_length, name, sizeof(name)))
        return query_refuse(problem, "", names, "a parameter cannot be read");
    const struct query_param *param = query_param_find(takes, name);
    if (param == NULL)
        return query_refuse(problem, name, names, "there is no such parameter");
    if (*seen & param->take)
        return query_refuse(problem, name, "each once", "the parameter is there twice");
    *seen |= param->take;
    if (equals == NULL ||
        !percent_decode(equals + 1, length - name_length - 1, value, sizeof(value)))
        return query_refuse(problem, name, "name=value, percent-encoded",
                            "the parameter's value cannot be read");
    return param->read(value, out, problem);
}

bool query_read(const char *query, enum query_take takes, struct query *out,
                struct problem *problem)
{
    unsigned seen = 0;
    *out = (struct query){.limit = WEB_LIST_LIMIT_DEFAULT, .length = UINT64_MAX};
    if (query == NULL)
        return true;
    while (*query != '\0') {
        size_t length = strcspn(query, "&");
        if (length > 0 && !query_item(query, length, takes, &seen, out, problem))
            return false;
        query += length;
        if (*query == '&')
            query++;
    }
    return true;
}
