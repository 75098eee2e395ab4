/* SPDX-License-Identifier: Apache-2.0 */
/* Targets that are not what their route takes: parameters of the path, of the query and
 * of the header, wrong by their schema or in how they are written. */
#include "malform_priv.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAD_PARAMETER  "/problems/bad-parameter"
#define LONG           4096
#define NAME_MAX_BYTES 64

/* Escapes and bytes that no parameter may have. */
static const char *const unreadable[] = {
    "%",     "%4",    "x%",       "%zz",    "%4g", "%g4", "%%41", "%u0041", "%00",
    "x%00y", "%01",   "%0a",      "%0d%0a", "%1f", "%7f", "%80",  "%c3%a4", "%ff",
    "\x80",  "x\xff", "\xc3\xa4", "%-1",    "%+1", "%0x", "% 1",
};
#define UNREADABLE_COUNT (sizeof(unreadable) / sizeof(unreadable[0]))

static void try_target(struct malform *m, const char *target, int status,
                       const char *type, const char *parameter)
{
    char what[160];
    snprintf(what, sizeof(what), "%.150s", target);
    malform_try(m, &(struct bad){.what = what,
                                 .target = target,
                                 .status = status,
                                 .type = type,
                                 .parameter = parameter});
}

/* ---- The path ---------------------------------------------------------------------- */

/* m->path with value in the place of the parameter that begins at offset in the pattern,
 * in the same segment. */
static char *path_with(const struct malform *m, const char *parameter, const char *value)
{
    char *out = NULL;
    const char *at = m->path;
    for (const char *p = m->op->path; p < parameter; p++) {
        if (*p == '/')
            at = strchr(at, '/') + 1;
    }
    int bytes = asprintf(&out, "%.*s%s%s", (int)(at - m->path), m->path, value,
                         at + strcspn(at, "/"));
    return bytes < 0 ? NULL : out;
}

static void try_parameter(struct malform *m, const char *parameter, const char *value,
                          const char *name)
{
    char *target = path_with(m, parameter, value);
    try_target(m, target, 400, BAD_PARAMETER, name);
    free(target);
}

static void try_segment(struct malform *m, const char *parameter)
{
    static const char *const slashes[] = {"%2f", "a%2Fb", "%2F..%2F", "web01%2fmonday"};
    static const size_t lengths[] = {64, 65, 127, 256, LONG};
    char name[NAME_MAX_BYTES];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(parameter + 1, "}"), parameter + 1);
    for (size_t i = 0; i < UNREADABLE_COUNT; i++) {
        if (strchr(unreadable[i], ' ') == NULL) /* it would end the target */
            try_parameter(m, parameter, unreadable[i], name);
    }
    for (size_t i = 0; i < sizeof(slashes) / sizeof(slashes[0]); i++)
        try_parameter(m, parameter, slashes[i], name);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char *text = text_times("x", lengths[i]);
        try_parameter(m, parameter, text, name);
        free(text);
    }
    char *text = text_times("%41", LONG);
    try_parameter(m, parameter, text, name);
    free(text);
}

void malform_path(struct malform *m)
{
    static const char *const tails[] = {"/", "//", "/x/y/z/w", "/%2e%2e/x/y/z",
                                        "/../x/y/z"};
    for (const char *at = strchr(m->op->path, '{'); at != NULL; at = strchr(at + 1, '{'))
        try_segment(m, at);
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        char target[WORLD_PATH_MAX + 64];
        snprintf(target, sizeof(target), "%s%s", m->path, tails[i]);
        try_target(m, target, 404, "/problems/no-such-route", NULL);
    }
}

/* ---- The query --------------------------------------------------------------------- */

/* name=value with the value percent-encoded, save letters and digits. */
static void encode(const char *value, char *out, size_t room)
{
    size_t at = 0;
    for (; *value != '\0' && at + 4 < room; value++) {
        if (isalnum((unsigned char)*value))
            out[at++] = *value;
        else
            at += (size_t)snprintf(out + at, room - at, "%%%02x", (unsigned char)*value);
    }
    out[at] = '\0';
}

static bool is_refused(const struct malform *m, const json_t *schema, const char *text)
{
    char why[WHY_MAX];
    json_t *value = document_value(schema, text);
    bool refused = !document_allows(m->world.document, schema, value, why);
    json_decref(value);
    return refused;
}

static const char *const texts[] = {
    "",      "0",     "-1",   "1",   "2",   "1001",  "100000", "99999999999999999999",
    "abc",   "1.5",   " 1",   "1 ",  "+1",  "1e2",   "0x10",   "true",
    "yes",   "no",    "null", "a b", "a/b", "[1]",   "{}",     ",",
    "-",     "--",    "x,,y", "=",   "a=b", "\"x\"", "'",      "*",
    "name:", ":name", "(",    "~",
};

/* What the query and the header have alike: values that the schema refuses. */
static void try_values(struct malform *m, const json_t *parameter,
                       void (*send)(struct malform *, const char *, const char *))
{
    const char *name = json_string_value(json_object_get(parameter, "name"));
    const json_t *schema =
        document_resolve(m->world.document, json_object_get(parameter, "schema"));
    const json_t *longest = json_object_get(schema, "maxLength");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (is_refused(m, schema, texts[i]))
            send(m, name, texts[i]);
    }
    if (longest != NULL) {
        char *text = text_times("x", (size_t)json_integer_value(longest) + 1);
        send(m, name, text);
        free(text);
    }
}

static void send_query(struct malform *m, const char *name, const char *value)
{
    char *target = NULL, *coded = malloc(3 * strlen(value) + 8);
    encode(value, coded, 3 * strlen(value) + 8);
    if (asprintf(&target, "%s?%s=%s", m->path, name, coded) > 0)
        try_target(m, target, 400, BAD_PARAMETER, name);
    free(coded);
    free(target);
}

/* A value that the schema allows. */
static const char *good_value(const struct malform *m, const json_t *schema)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i][0] != '\0' && !is_refused(m, schema, texts[i]))
            return texts[i];
    }
    return "x";
}

static void try_query_parameter(struct malform *m, const json_t *parameter)
{
    char *target = NULL;
    const char *name = json_string_value(json_object_get(parameter, "name"));
    const json_t *schema =
        document_resolve(m->world.document, json_object_get(parameter, "schema"));
    const char *good = good_value(m, schema);
    try_values(m, parameter, send_query);
    for (size_t i = 0; i < UNREADABLE_COUNT; i++) {
        if (strchr(unreadable[i], ' ') == NULL &&
            asprintf(&target, "%s?%s=%s", m->path, name, unreadable[i]) > 0)
            try_target(m, target, 400, BAD_PARAMETER, name);
        free(target);
        target = NULL;
    }
    char coded[64];
    encode(good, coded, sizeof(coded));
    if (asprintf(&target, "%s?%s=%s&%s=%s", m->path, name, coded, name, coded) > 0)
        try_target(m, target, 400, BAD_PARAMETER, name);
    free(target);
    if (asprintf(&target, "%s?%s", m->path, name) > 0)
        try_target(m, target, 400, BAD_PARAMETER, name);
    free(target);
    char *text = text_times("x", LONG);
    if (asprintf(&target, "%s?%s=%s", m->path, name, text) > 0)
        try_target(m, target, 400, BAD_PARAMETER, name);
    free(target);
    free(text);
}

/* Parameters that nothing has; shown as the problem names them. */
static void try_unknown(struct malform *m)
{
    static const struct {
        const char *query, *parameter;
    } unknown[] = {
        {"?nonsense=1", "nonsense"},
        {"?nonsense", "nonsense"},
        {"?nonsense=", "nonsense"},
        {"?nonsense=%zz", "nonsense"},
        {"?%6eonsense=1", "nonsense"},
        {"?Limit=1", "Limit"},
        {"?LIMIT=1", "LIMIT"},
        {"?limit[]=1", "limit[]"},
        {"?limit%20=1", "limit "},
        {"?x;y=1", "x;y"},
        {"?=1", NULL},
        {"?=", NULL},
        {"?%zz=1", NULL},
        {"?%00=1", NULL},
        {"?%ff=1", NULL},
        {"?\x80=1", NULL},
        {"?&&&x=1", "x"},
        {"?x=1#y", NULL},
        {"??", "?"},
        {"?/", "/"},
    };
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        char target[WORLD_PATH_MAX + 64];
        if (strchr(unknown[i].query, '#') != NULL)
            continue;
        snprintf(target, sizeof(target), "%s%s", m->path, unknown[i].query);
        try_target(m, target, 400, BAD_PARAMETER, unknown[i].parameter);
    }
    char *text = text_times("x", LONG), *target = NULL;
    if (asprintf(&target, "%s?%s=1", m->path, text) > 0)
        try_target(m, target, 400, BAD_PARAMETER, NULL);
    free(target);
    free(text);
}

static void send_header(struct malform *m, const char *name, const char *value)
{
    char *headers = NULL;
    if (value[0] == '\0' || isspace((unsigned char)value[0]) ||
        isspace((unsigned char)value[strlen(value) - 1]))
        return; /* what is around a header's value is not of it */
    if (asprintf(&headers, "%s: %s\r\n", name, value) > 0)
        malform_try(m, &(struct bad){.what = headers, .headers = headers, .status = 400});
    free(headers);
}

void malform_query(struct malform *m)
{
    const json_t *p;
    for (size_t i = 0; (p = operation_parameter(m->world.document, m->op, i)) != NULL;
         i++) {
        const char *in = json_string_value(json_object_get(p, "in"));
        if (strcmp(in, "query") == 0)
            try_query_parameter(m, p);
        else if (strcmp(in, "header") == 0)
            try_values(m, p, send_header);
    }
    try_unknown(m);
}
