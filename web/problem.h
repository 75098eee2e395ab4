/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a request, as RFC 9457 says it: a stable type, a status, one plain
 * line, the member or parameter at fault, what would be accepted. A value; the first one
 * set sticks. */
#ifndef WEB_PROBLEM_H
#define WEB_PROBLEM_H

#include "base/err.h"
#include "web/limits.h"

#include <jansson.h>
#include <stdbool.h>

enum problem_kind {
    PROBLEM_NONE,
    PROBLEM_MALFORMED,
    PROBLEM_BAD_PARAMETER,
    PROBLEM_UNAUTHORIZED,
    PROBLEM_FORBIDDEN,
    PROBLEM_NO_SUCH_ROUTE,
    PROBLEM_NOT_FOUND,
    PROBLEM_METHOD,
    PROBLEM_EXISTS,
    PROBLEM_IN_USE,
    PROBLEM_DIFFERS,
    PROBLEM_UNDER_WAY,
    PROBLEM_TOLD_ONCE,
    PROBLEM_CHANGED,
    PROBLEM_NO_SPACE,
    PROBLEM_MEDIA_TYPE,
    PROBLEM_UNKNOWN_MEMBER,
    PROBLEM_MISSING_MEMBER,
    PROBLEM_VALUE,
    PROBLEM_KEY_REUSED,
    PROBLEM_TOO_MANY,
    PROBLEM_STOPPING,
    PROBLEM_INTERNAL,
    PROBLEM_KINDS,
};

struct problem {
    enum problem_kind kind;
    char detail[ERR_TEXT_MAX];
    char pointer[WEB_PROBLEM_POINTER_MAX]; /* RFC 6901; "": none */
    char parameter[ERR_FIELD_MAX];         /* of the path or query; "": none */
    char accepted[WEB_PROBLEM_ACCEPT_MAX]; /* "": not said */
    unsigned retry_after_s;                /* 0: not said */
};

/* Sets kind and detail unless one is set already. Returns true if it was the first. */
bool problem_set(struct problem *p, enum problem_kind kind, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void problem_accepts(struct problem *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* names_member: e->field is a member of the request, or leads into one. */
void problem_of_err(struct problem *p, const struct err *e, bool names_member);

int problem_status(enum problem_kind kind);
const char *problem_type(enum problem_kind kind);
/* What problem_json made of one, set in p unless one is set already. */
void problem_of_json(struct problem *p, const json_t *said);
/* NULL: out of memory. */
json_t *problem_json(const struct problem *p);

#endif
