/* SPDX-License-Identifier: Apache-2.0 */
/* struct problem: the table of types, and how an errno of the floors below becomes one.
 * Pure; any thread. */
#include "web/problem.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define UTF8_BYTES_MAX 4 /* of one character */

/* The types are part of the API: once published they stay. */
static const struct {
    int status;
    const char *type, *title;
} kinds[PROBLEM_KINDS] = {
    [PROBLEM_NONE] = {200, "about:blank", "No problem"},
    [PROBLEM_MALFORMED] = {400, "/problems/malformed", "The request is malformed"},
    [PROBLEM_BAD_PARAMETER] = {400, "/problems/bad-parameter",
                               "A parameter of the path or query is refused"},
    [PROBLEM_UNAUTHORIZED] = {401, "/problems/unauthorized", "A valid token is needed"},
    [PROBLEM_FORBIDDEN] = {403, "/problems/forbidden", "The token does not allow it"},
    [PROBLEM_NO_SUCH_ROUTE] = {404, "/problems/no-such-route",
                               "The API has no such path"},
    [PROBLEM_NOT_FOUND] = {404, "/problems/not-found", "There is no such resource"},
    [PROBLEM_METHOD] = {405, "/problems/method-not-allowed",
                        "The path does not take this method"},
    [PROBLEM_EXISTS] = {409, "/problems/exists", "It exists already"},
    [PROBLEM_IN_USE] = {409, "/problems/in-use", "It is in use"},
    [PROBLEM_DIFFERS] = {409, "/problems/differs", "It is there, and another one"},
    [PROBLEM_UNDER_WAY] = {409, "/problems/under-way",
                           "A request with this key is under way"},
    [PROBLEM_TOLD_ONCE] = {409, "/problems/told-once", "It is told only once"},
    [PROBLEM_CHANGED] = {412, "/problems/changed", "It has changed since it was read"},
    [PROBLEM_NO_SPACE] = {409, "/problems/no-space", "There is no space for it"},
    [PROBLEM_MEDIA_TYPE] = {415, "/problems/unsupported-media-type",
                            "The body must be JSON"},
    [PROBLEM_UNKNOWN_MEMBER] = {422, "/problems/unknown-member",
                                "The request has a member that is not known"},
    [PROBLEM_MISSING_MEMBER] = {422, "/problems/missing-member",
                                "A member is missing from the request"},
    [PROBLEM_VALUE] = {422, "/problems/value-refused", "A value is refused"},
    [PROBLEM_KEY_REUSED] = {422, "/problems/key-reused",
                            "The key came with another request"},
    [PROBLEM_TOO_MANY] = {429, "/problems/too-many-failures",
                          "Too many tokens were not known"},
    [PROBLEM_STOPPING] = {503, "/problems/stopping", "The daemon cannot do it now"},
    [PROBLEM_INTERNAL] = {500, "/problems/internal", "The daemon could not do it"},
};

bool problem_set(struct problem *p, enum problem_kind kind, const char *fmt, ...)
{
    assert(kind > PROBLEM_NONE && kind < PROBLEM_KINDS);
    if (p->kind != PROBLEM_NONE)
        return false;
    *p = (struct problem){.kind = kind};
    va_list args;
    va_start(args, fmt);
    vsnprintf(p->detail, sizeof(p->detail), fmt, args);
    va_end(args);
    return true;
}

void problem_accepts(struct problem *p, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(p->accepted, sizeof(p->accepted), fmt, args);
    va_end(args);
}

static enum problem_kind kind_of_code(int code, bool names_member)
{
    switch (code) {
    case -EEXIST:
        return PROBLEM_EXISTS;
    case -EBUSY:
        return PROBLEM_IN_USE;
    case -ENOSPC:
        return PROBLEM_NO_SPACE;
    case -ENOMEM:
    case -ESHUTDOWN:
    case -ECANCELED:
        return PROBLEM_STOPPING;
    case -ENOENT:
        return names_member ? PROBLEM_VALUE : PROBLEM_NOT_FOUND;
    default:
        return names_member ? PROBLEM_VALUE : PROBLEM_INTERNAL;
    }
}

void problem_of_err(struct problem *p, const struct err *e, bool names_member)
{
    assert(e->code < 0);
    if (!problem_set(p, kind_of_code(e->code, names_member), "%s", e->text))
        return;
    if (names_member)
        snprintf(p->pointer, sizeof(p->pointer), "/%s", e->field);
}

int problem_status(enum problem_kind kind)
{
    assert(kind < PROBLEM_KINDS);
    return kinds[kind].status;
}

const char *problem_type(enum problem_kind kind)
{
    assert(kind < PROBLEM_KINDS);
    return kinds[kind].type;
}

/* INTERNAL: there is no such type. */
static enum problem_kind kind_of_type(const char *type)
{
    for (int kind = PROBLEM_NONE + 1; kind < PROBLEM_KINDS; kind++) {
        if (strcmp(kinds[kind].type, type) == 0)
            return (enum problem_kind)kind;
    }
    return PROBLEM_INTERNAL;
}

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text == NULL ? "" : text;
}

void problem_of_json(struct problem *p, const json_t *said)
{
    if (!problem_set(p, kind_of_type(text_of(said, "type")), "%s", text_of(said, "detail")))
        return;
    snprintf(p->pointer, sizeof(p->pointer), "%s", text_of(said, "pointer"));
    snprintf(p->parameter, sizeof(p->parameter), "%s", text_of(said, "parameter"));
    problem_accepts(p, "%s", text_of(said, "accepted"));
}

/* A text that was cut inside of a character loses that; one that was never UTF-8 is not
 * shown. */
static json_t *text_json(const char *text)
{
    size_t bytes = strlen(text);
    json_t *value = json_string(text);
    for (size_t cut = 1; value == NULL && cut < UTF8_BYTES_MAX && cut <= bytes; cut++)
        value = json_stringn(text, bytes - cut);
    return value != NULL ? value : json_string("(not text)");
}

static int add_text(json_t *object, const char *member, const char *text)
{
    if (text[0] == '\0')
        return 0;
    return json_object_set_new(object, member, text_json(text));
}

json_t *problem_json(const struct problem *p)
{
    json_t *out = json_pack("{s:s, s:s, s:i}", "type", kinds[p->kind].type, "title",
                            kinds[p->kind].title, "status", kinds[p->kind].status);
    if (out == NULL)
        return NULL;
    if (add_text(out, "detail", p->detail) != 0 ||
        add_text(out, "pointer", p->pointer) != 0 ||
        add_text(out, "parameter", p->parameter) != 0 ||
        add_text(out, "accepted", p->accepted) != 0) {
        json_decref(out);
        return NULL;
    }
    return out;
}
