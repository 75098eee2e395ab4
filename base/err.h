/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong, once, where it was found: a code, the field at fault, one plain line.
 * A value, no allocation; any thread. `e` may be NULL wherever a struct err * is asked.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/auto.h"

#include <assert.h>
#include <errno.h>

#define ERR_FIELD_MAX 64
#define ERR_TEXT_MAX  768

struct err {
    int code;                  /* 0 or a negative errno */
    char field[ERR_FIELD_MAX]; /* the member, key or column at fault; "" if none */
    char text[ERR_TEXT_MAX];   /* what was wrong and what is accepted; no secrets */
};

/* Fills e. field may be NULL. */
void err_fill(struct err *e, int code, const char *field, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* Fills e and is its code, so that `return err_set(...)` reads straight. Visible to the
 * compiler, which so knows that a failure is never 0. */
#define err_set(e, code, ...)                                                            \
    ({                                                                                   \
        int err_code_ = (code);                                                          \
        assert(err_code_ < 0);                                                           \
        err_fill(e, err_code_, __VA_ARGS__);                                             \
        err_code_;                                                                       \
    })

static inline int err_oom(struct err *e)
{
    return err_set(e, -ENOMEM, NULL, "out of memory");
}

#endif
