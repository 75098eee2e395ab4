/* SPDX-License-Identifier: Apache-2.0 */
/* Path templates, percent escapes and the query of lists. Everything here is a stranger's
 * text: no length is believed, no byte passed on that is not printable. Pure; any thread.
 */
#include "web/path.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

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

static bool limit_read(const char *text, unsigned *out, struct problem *problem)
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
    *out = limit;
    return true;
}

/* One name=value of length bytes. seen: which were there before. */
static bool query_item(const char *item, size_t length, bool takes_list, unsigned *seen,
                       struct list_query *out, struct problem *problem)
{
    char name[ERR_FIELD_MAX], value[WEB_AFTER_MAX];
    const char *equals = memchr(item, '=', length);
    size_t name_length = equals == NULL ? length : (size_t)(equals - item);
    if (!percent_decode(item, name_length, name, sizeof(name)))
        return query_refuse(problem, "", "limit, after", "a parameter cannot be read");
    bool is_limit = takes_list && strcmp(name, "limit") == 0;
    bool is_after = takes_list && strcmp(name, "after") == 0;
    if (!is_limit && !is_after)
        return query_refuse(problem, name, takes_list ? "limit, after" : "none",
                            "there is no such parameter");
    if (*seen & (is_limit ? 1U : 2U))
        return query_refuse(problem, name, "each once", "the parameter is there twice");
    *seen |= is_limit ? 1U : 2U;
    if (equals == NULL ||
        !percent_decode(equals + 1, length - name_length - 1, value, sizeof(value)))
        return query_refuse(problem, name, "name=value, percent-encoded",
                            "the parameter's value cannot be read");
    if (is_limit)
        return limit_read(value, &out->limit, problem);
    snprintf(out->after, sizeof(out->after), "%s", value);
    return true;
}

bool query_read(const char *query, bool takes_list, struct list_query *out,
                struct problem *problem)
{
    unsigned seen = 0;
    *out = (struct list_query){.limit = WEB_LIST_LIMIT_DEFAULT};
    if (query == NULL)
        return true;
    while (*query != '\0') {
        size_t length = strcspn(query, "&");
        if (length > 0 && !query_item(query, length, takes_list, &seen, out, problem))
            return false;
        query += length;
        if (*query == '&')
            query++;
    }
    return true;
}
