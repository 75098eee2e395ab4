/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are wrong as HTTP: methods that the path does not take, heads and framing
 * that two readers might understand in two ways, bodies where there should be none. */
#include "malform_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MALFORMED "/problems/malformed"

/* ---- Methods ----------------------------------------------------------------------- */

/* Whether the pattern, with something in the place of its parameters, is path. */
static bool fits(const char *pattern, const char *path)
{
    while (*pattern != '\0' && *path != '\0') {
        if (*pattern == '{') {
            pattern = strchr(pattern, '}') + 1;
            path += strcspn(path, "/");
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *pattern == *path;
}

static bool takes(const struct malform *m, const char *method)
{
    const char *as = strcmp(method, "HEAD") == 0 ? "GET" : method;
    for (size_t i = 0; i < m->world.operation_count; i++) {
        if (strcmp(m->world.operations[i].method, as) == 0 &&
            fits(m->world.operations[i].path, m->path))
            return true;
    }
    return false;
}

static void try_methods(struct malform *m)
{
    static const char *const methods[] = {"GET",   "HEAD",   "POST",   "PUT",
                                          "PATCH", "DELETE", "OPTIONS"};
    static const char *const strange[] = {"BREW",  "get",      "GETT",      "G",
                                          "TRACE", "PROPFIND", "G\xc3\x84T"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (!takes(m, methods[i]))
            malform_try(m, &(struct bad){.what = methods[i],
                                         .method = methods[i],
                                         .status = 405,
                                         .type = "/problems/method-not-allowed"});
    }
    for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
        malform_try(m, &(struct bad){.what = strange[i],
                                     .method = strange[i],
                                     .due = DUE_BARE,
                                     .status = 501});
}

/* ---- The head ---------------------------------------------------------------------- */

static void try_framing(struct malform *m)
{
    /* Whoever reads them otherwise sees another request. */
    static const char *const headers[] = {
        "Foo Bar: x\r\n",
        "Foo : x\r\n",
        ": x\r\n",
        "Host: y\r\n",
        "Content-Length: +0\r\n",
        "Content-Length: 0\r\nContent-Length: 0\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: xchunked\r\n",
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        malform_try(m, &(struct bad){.what = headers[i],
                                     .headers = headers[i],
                                     .status = 400,
                                     .type = MALFORMED,
                                     .closes = true});
    malform_try(m, &(struct bad){.what = "no Host",
                                 .host = "",
                                 .status = 400,
                                 .type = MALFORMED,
                                 .closes = true});
}

/* Refused before there is a request. */
static void try_unreadable(struct malform *m)
{
    static const struct bad heads[] = {
        {.what = "no target", .target = "", .status = 400},
        {.what = "no version", .version = "", .status = 400},
        {.what = "another protocol", .version = "FTP/1.1", .status = 400},
        {.what = "a version that is no number", .version = "HTTP/x.y", .status = 400},
        {.what = "a version of the future", .version = "HTTP/9.9", .status = 400},
        {.what = "a header without a colon", .headers = "nonsense\r\n", .status = 400},
        {.what = "a header that goes on before it began",
         .host = " x\r\n",
         .status = 400},
        {.what = "a length and chunks",
         .headers = "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
         .status = 400},
        {.what = "chunks that are not last",
         .headers = "Transfer-Encoding: chunked, gzip\r\n",
         .status = 400},
        {.what = "a length in base 16",
         .headers = "Content-Length: 0x0\r\n",
         .status = 400},
        {.what = "two lengths in one header",
         .headers = "Content-Length: 0, 0\r\n",
         .status = 400},
        {.what = "a length below nothing",
         .headers = "Content-Length: -1\r\n",
         .status = 400},
        {.what = "a length that is no number",
         .headers = "Content-Length: x\r\n",
         .status = 400},
    };
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        struct bad b = heads[i];
        b.due = DUE_BARE;
        malform_try(m, &b);
    }
    /* libevent keeps a tunnel open that it has refused, so the client must end it. */
    malform_try(m, &(struct bad){.what = "a tunnel",
                                 .method = "CONNECT",
                                 .cut = true,
                                 .due = DUE_BARE,
                                 .status = 501});
}

/* Targets that are no path of this server (RFC 9112, 3.2). %s: the good one. */
static void try_targets(struct malform *m)
{
    static const char *const formats[] = {"x%s",    "//x%s", "*%s",    "%s#x",
                                          "%s x",   "%s\tx", "%s\x01", "\x7f%s",
                                          "%s?a b", "?%s",   "http:%s"};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        char target[WORLD_PATH_MAX + 32];
        int before = (int)strcspn(formats[i], "%");
        snprintf(target, sizeof(target), "%.*s%s%s", before, formats[i], m->path,
                 formats[i] + before + 2);
        malform_try(m, &(struct bad){.what = target,
                                     .target = target,
                                     .status = 400,
                                     .type = MALFORMED,
                                     .closes = true});
    }
}

static void try_long_heads(struct malform *m)
{
    char *x = text_times("x", 20000), *lines = text_times("X-A: xxxxxxxxxxxx\r\n", 1000);
    char *header = NULL, *target = NULL;
    if (asprintf(&header, "X-A: %s\r\n", x) > 0 &&
        asprintf(&target, "%s?%s=1", m->path, x) > 0) {
        malform_try(m, &(struct bad){.what = "a header of 20,000 bytes",
                                     .headers = header,
                                     .due = DUE_BARE,
                                     .status = 400});
        malform_try(m, &(struct bad){.what = "a name of 20,000 bytes",
                                     .headers = x,
                                     .due = DUE_BARE,
                                     .status = 400});
        malform_try(m, &(struct bad){.what = "a target of 20,000 bytes",
                                     .target = target,
                                     .due = DUE_BARE,
                                     .status = 400});
    }
    malform_try(
        m, &(struct bad){
               .what = "1000 headers", .headers = lines, .due = DUE_BARE, .status = 400});
    free(header);
    free(target);
    free(x);
    free(lines);
}

/* ---- Bodies ------------------------------------------------------------------------ */

static void try_chunked(struct malform *m, const char *what, const char *body,
                        struct bad due)
{
    due.what = what;
    due.headers = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    due.body = body;
    due.body_bytes = strlen(body);
    due.framed = true;
    malform_try(m, &due);
}

static void try_chunks(struct malform *m)
{
    const struct bad problem = {.status = 400, .type = MALFORMED};
    /* A chunk whose length libevent cannot read is too long to it. */
    const struct bad too_long = {.due = DUE_BARE, .status = 413};
    const struct bad end = {.due = DUE_END, .cut = true};
    try_chunked(m, "chunks that are no JSON", "1\r\n{\r\n0\r\n\r\n", problem);
    try_chunked(m, "a chunk for each byte", "1\r\n{\r\n1\r\n\"\r\n1\r\nn\r\n0\r\n\r\n",
                problem);
    try_chunked(m, "a chunk of a length that is no number", "zz\r\n{}\r\n0\r\n\r\n",
                too_long);
    try_chunked(m, "a chunk of a length below nothing", "-2\r\n{}\r\n0\r\n\r\n",
                too_long);
    try_chunked(m, "a chunk of 2^64", "10000000000000000\r\n{}\r\n0\r\n\r\n", too_long);
    try_chunked(m, "a chunk of 2^63", "7fffffffffffffff\r\n{}\r\n0\r\n\r\n", too_long);
    try_chunked(m, "no chunk", "", end);
    try_chunked(m, "half a chunk", "5\r\n{", end);
    try_chunked(m, "no last chunk", "2\r\n{}\r\n", end);
}

static void try_cut(struct malform *m)
{
    static const struct {
        const char *what, *headers, *body;
    } cuts[] = {
        {"the end within the body",
         "Content-Type: application/json\r\nContent-Length: 9\r\n", "{"},
        {"the end before the body",
         "Content-Type: application/json\r\nContent-Length: 1000000\r\n", ""},
    };
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
        malform_try(m, &(struct bad){.what = cuts[i].what,
                                     .headers = cuts[i].headers,
                                     .body = cuts[i].body,
                                     .body_bytes = strlen(cuts[i].body),
                                     .framed = true,
                                     .cut = true,
                                     .due = DUE_END});
    malform_try(m, &(struct bad){.what = "a body of a length beyond all bounds",
                                 .headers = "Content-Type: application/json\r\n"
                                            "Content-Length: 9223372036854775807\r\n",
                                 .body = "{",
                                 .body_bytes = 1,
                                 .framed = true,
                                 .due = DUE_BARE,
                                 .status = 413});
    malform_try(m, &(struct bad){.what = "a body of a length that is too long",
                                 .headers = "Content-Type: application/json\r\n"
                                            "Content-Length: 99999999999999999999\r\n",
                                 .body = "{",
                                 .body_bytes = 1,
                                 .framed = true,
                                 .due = DUE_BARE,
                                 .status = 413});
}

/* Where there should be no body. */
static void try_unwanted(struct malform *m)
{
    static const char *const bodies[] = {"{}", "x", "\r\n", "{\"name\":\"x\"}",
                                         "GET / HTTP/1.1\r\n\r\n"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        malform_try(m, &(struct bad){.what = "a body that nobody wants",
                                     .body = bodies[i],
                                     .body_bytes = strlen(bodies[i]),
                                     .status = 400,
                                     .type = MALFORMED});
    char *body = text_times("x", MIB + 1);
    malform_try(m, &(struct bad){.what = "a body of 1 MiB that nobody wants",
                                 .body = body,
                                 .body_bytes = MIB,
                                 .status = 400,
                                 .type = MALFORMED});
    malform_try(m, &(struct bad){.what = "a body of more than 1 MiB that nobody wants",
                                 .body = body,
                                 .body_bytes = MIB + 1,
                                 .due = DUE_BARE,
                                 .status = 413});
    free(body);
}

void malform_http(struct malform *m)
{
    try_methods(m);
    try_framing(m);
    try_unreadable(m);
    try_targets(m);
    try_long_heads(m);
    malform_try(m, &(struct bad){.what = "an expectation that is not known",
                                 .headers = "Expect: x\r\n",
                                 .body = "x",
                                 .body_bytes = 1,
                                 .due = DUE_BARE,
                                 .status = 417});
    try_chunks(m);
    try_cut(m);
    if (m->body == NULL)
        try_unwanted(m);
}

/* ---- Who may ask ------------------------------------------------------------------- */

void malform_token(struct malform *m)
{
    static const char *const headers[] = {
        "",
        "Authorization:\r\n",
        "Authorization: Bearer\r\n",
        "Authorization: Bearer x\r\n",
        "Authorization: Basic eDp5\r\n",
        "Authorization: ashlar_0000000000000000000000000000000000000000000\r\n",
        "Authorization: Bearer ashlar_0000000000000000000000000000000000000000000\r\n",
        "Authorization: bearer  ashlar_0000000000000000000000000000000000000000000\r\n",
        "Authorization: Bearer ashlar_00000000000000000000000000000000000\xff\xff\r\n",
        "Cookie: token=ashlar_0000000000000000000000000000000000000000000\r\n",
        "X-Forwarded-For: 127.0.0.1\r\n",
    };
    const json_t *security = json_object_get(m->op->json, "security");
    if (security != NULL && json_array_size(security) == 0)
        return;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        malform_try(m, &(struct bad){.what = headers[i],
                                     .headers = headers[i],
                                     .tcp = true,
                                     .status = 401,
                                     .type = "/problems/unauthorized"});
}
