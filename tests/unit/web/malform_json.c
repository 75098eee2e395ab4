/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies that are no JSON object, whatever the schema; bodies that are too much; bodies
 * that are not said to be JSON. */
#include "malform_priv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEEP 100000

static void try_bytes(struct malform *m, const char *what, const char *body, size_t bytes)
{
    malform_try(m, &(struct bad){.what = what,
                                 .body = body,
                                 .body_bytes = bytes,
                                 .status = 400,
                                 .type = "/problems/malformed"});
}

static void try_text(struct malform *m, const char *body)
{
    try_bytes(m, body, body, strlen(body));
}

/* The two, one after the other. */
static void try_joined(struct malform *m, const char *what, const char *a, const char *b,
                       size_t b_bytes)
{
    char *body = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&body, &bytes);
    fprintf(f, "%s", a);
    fwrite(b, 1, b_bytes, f);
    fclose(f);
    try_bytes(m, what, body, bytes);
    free(body);
}

/* ---- No JSON ----------------------------------------------------------------------- */

static void try_truncated(struct malform *m, const char *example)
{
    for (size_t i = 0; i < strlen(example); i++) {
        char what[64];
        snprintf(what, sizeof(what), "the first %zu bytes of the example", i);
        try_bytes(m, what, example, i);
    }
}

static void try_around(struct malform *m, const char *example)
{
    static const char *const after[] = {"x", "{}", ",",  "]",    "}",    "null", "0",
                                        "/", "#x", "//", "\x01", "\xff", "\"\""};
    static const char *const before[] = {"x", "\xef\xbb\xbf", ",",   "[",
                                         "{", "null",         "\x0c"};
    for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++)
        try_joined(m, "something after the object", example, after[i], strlen(after[i]));
    try_joined(m, "a NUL after the object", example, "", 1);
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
        try_joined(m, "something before the object", before[i], example, strlen(example));
}

static void try_syntax(struct malform *m)
{
    static const char *const bodies[] = {
        "[]",
        "\"x\"",
        "1",
        "null",
        "true",
        "[{}]",
        " ",
        "\r\n",
        "{,}",
        "{\"name\"}",
        "{\"name\":}",
        "{\"name\" \"x\"}",
        "{\"name\":\"x\",}",
        "{\"name\":\"x\"\"size\":1}",
        "{'name':'x'}",
        "{name:\"x\"}",
        "{\"name\":\"x\" /* why */}",
        "{\"name\":\"x\"} // why",
        "{\"name\":[1,]}",
        "{\"name\":[1 2]}",
        "{\"name\":[1}",
        "{\"name\":{]}",
        "{1:2}",
        "{\"name\":undefined}",
        "{\"name\":NaN}",
        "{\"name\":Infinity}",
        "{\"name\":-Infinity}",
        "{\"name\":True}",
        "{\"name\":nul}",
        "{\"name\":01}",
        "{\"name\":+1}",
        "{\"name\":.5}",
        "{\"name\":1.}",
        "{\"name\":-}",
        "{\"name\":1e}",
        "{\"name\":0x10}",
        "{\"name\":1_000}",
        "{\"name\":1e999}",
        "{\"name\":-1e999}",
        "{\"name\":9223372036854775808}",
        "{\"name\":-9223372036854775809}",
        "{\"name\":\"x\",\"name\":\"x\"}",
        "{\"name\":\"x\",\"name\":\"y\"}",
        "{\"name\":\"x\",\"\\u006eame\":\"y\"}",
        "{\"a\":{\"b\":1,\"b\":2}}",
        "{\"a\":[{\"b\":1,\"b\":1}]}",
        "<name>x</name>",
        "name=x&size=1",
        "\x1f\x8b\x08",
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        try_text(m, bodies[i]);
}

/* Bytes and escapes that a string must not have. */
static void try_strings(struct malform *m)
{
    static const char *const pieces[] = {
        "\x80",
        "\xff",
        "\xfe",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc3",
        "\xc3(",
        "\xe2\x82",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x9f\x98",
        "\xf4\x90\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\\u0000",
        "\\x41",
        "\\'",
        "\\u12",
        "\\u12g4",
        "\\ud800",
        "\\udc00",
        "\\ud800\\u0041",
        "\\U0001F600",
        "\\",
    };
    char body[64];
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        snprintf(body, sizeof(body), "{\"name\":\"x%sy\"}", pieces[i]);
        try_text(m, body);
        snprintf(body, sizeof(body), "{\"x%sy\":1}", pieces[i]);
        try_text(m, body);
    }
    for (char c = 0; c < 0x20; c++) {
        char control[] = "{\"name\":\"x?y\"}";
        *strchr(control, '?') = c;
        try_bytes(m, "a control character in a string", control, sizeof(control) - 1);
    }
}

/* ---- Too much ---------------------------------------------------------------------- */

static void try_deep(struct malform *m)
{
    static const struct {
        const char *open, *close;
        size_t times;
    } nests[] = {{"[", "]", 16},
                 {"[", "]", DEEP},
                 {"[", "", DEEP},
                 {"{\"a\":", "}", 16},
                 {"{\"a\":", "}", DEEP},
                 {"{\"a\":", "", DEEP},
                 {"[{\"a\":", "}]", DEEP / 2}};
    for (size_t i = 0; i < sizeof(nests) / sizeof(nests[0]); i++) {
        char *open = text_times(nests[i].open, nests[i].times);
        char *close = text_times(nests[i].close, nests[i].times), *body = NULL;
        int bytes = asprintf(&body, "{\"name\":%s1%s}", open, close);
        assert(bytes > 0);
        try_bytes(m, "a body nested too deep", body, (size_t)bytes);
        free(open);
        free(close);
        free(body);
    }
}

static void try_long(struct malform *m)
{
    char *digits = text_times("7", DEEP), *body = NULL;
    int bytes = asprintf(&body, "{\"name\":%s}", digits);
    assert(bytes > 0);
    try_bytes(m, "a number of 100,000 digits", body, (size_t)bytes);
    free(body);
    free(digits);
    digits = text_times("\"x\" ", MIB / 4);
    try_bytes(m, "a body of 1 MiB that is no JSON", digits, MIB);
    free(digits);
}

/* As much as HTTP lets through, most of it in a member that nothing has: open, pieces and
 * close, and behind them what is missing of 1 MiB. */
static void try_big_member(struct malform *m, const char *what, const char *open,
                           const char *piece, const char *close)
{
    char *pieces = text_times(piece, (MIB - 64) / strlen(piece)), *body = NULL;
    int bytes = asprintf(&body, "{\"nonsense\":%s%s%s}", open, pieces, close);
    assert(bytes > 0 && bytes <= MIB);
    char *padded = text_times(" ", MIB);
    memcpy(padded, body, (size_t)bytes);
    malform_try(m, &(struct bad){.what = what,
                                 .body = padded,
                                 .body_bytes = MIB,
                                 .status = 422,
                                 .type = "/problems/unknown-member",
                                 .pointer = "/nonsense"});
    free(padded);
    free(body);
    free(pieces);
}

static void try_big(struct malform *m)
{
    try_big_member(m, "a string of 1 MiB", "\"", "x", "\"");
    try_big_member(m, "a string of 1 MiB of escapes", "\"", "\\u0001", "\"");
    try_big_member(m, "an array of 500,000", "[", "1,", "1]");
    try_big_member(m, "an array of 1 MiB of objects", "[", "{},", "1]");
    char *body = text_times(" ", MIB + 1);
    malform_try(m, &(struct bad){.what = "a body of more than 1 MiB",
                                 .body = body,
                                 .body_bytes = MIB + 1,
                                 .due = DUE_BARE,
                                 .status = 413});
    free(body);
}

static void try_many_members(struct malform *m)
{
    char *body = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&body, &bytes);
    fprintf(f, "{\"n\":0");
    for (int i = 0; i < 50000; i++)
        fprintf(f, ",\"n%d\":0", i);
    fprintf(f, "}");
    fclose(f);
    malform_try(m, &(struct bad){.what = "50,000 members that are not known",
                                 .body = body,
                                 .body_bytes = bytes,
                                 .status = 422,
                                 .type = "/problems/unknown-member",
                                 .pointer = "/n"});
    free(body);
}

/* ---- Types ------------------------------------------------------------------------- */

static void try_types(struct malform *m, const char *example)
{
    static const char *const types[] = {
        "",
        "Content-Type:\r\n",
        "Content-Type: json\r\n",
        "Content-Type: text/plain\r\n",
        "Content-Type: text/json\r\n",
        "Content-Type: application/jsonx\r\n",
        "Content-Type: application/json-patch+json\r\n",
        "Content-Type: application/problem+json\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: multipart/form-data; boundary=x\r\n",
        "Content-Type: application /json\r\n",
        "Content-Type: application/json, text/plain\r\n",
        "Content-Type: application\r\n",
        "Content-Type: */*\r\n",
        "Content-Type: ;charset=utf-8\r\n",
        "X-Content-Type: application/json\r\n",
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        malform_try(m, &(struct bad){.what = types[i],
                                     .headers = types[i],
                                     .body = example,
                                     .body_bytes = strlen(example),
                                     .status = 415,
                                     .type = "/problems/unsupported-media-type"});
    malform_try(m, &(struct bad){.what = "two types",
                                 .headers = "Content-Type: application/json\r\n"
                                            "Content-Type: text/plain\r\n",
                                 .body = example,
                                 .body_bytes = strlen(example),
                                 .status = 400,
                                 .type = "/problems/malformed",
                                 .closes = true});
}

/* JSON under another of its names, whose body is none. */
static void try_good_types(struct malform *m)
{
    static const char *const types[] = {
        "Content-Type: application/json; charset=utf-8\r\n",
        "Content-Type: application/json;charset=\"utf-8\"\r\n",
        "content-type:APPLICATION/JSON\r\n",
        "Content-Type: application/json ;x=y\r\n",
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        malform_try(m, &(struct bad){.what = types[i],
                                     .headers = types[i],
                                     .body = "{\"name\":",
                                     .body_bytes = 8,
                                     .status = 400,
                                     .type = "/problems/malformed"});
}

void malform_json(struct malform *m)
{
    const char *example = m->body;
    malform_try(m, &(struct bad){
                       .what = "no body", .status = 400, .type = "/problems/malformed"});
    try_truncated(m, example);
    try_around(m, example);
    try_syntax(m);
    try_strings(m);
    try_deep(m);
    try_long(m);
    try_big(m);
    try_many_members(m);
    try_types(m, example);
    try_good_types(m);
}
