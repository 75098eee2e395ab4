/* SPDX-License-Identifier: Apache-2.0 */
/* Cleanup by attribute for temporaries, TAKE to move ownership out of one, and the few
 * macros that every folder uses. None of them hides a return or declares a variable. */
#ifndef BASE_AUTO_H
#define BASE_AUTO_H

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_LEN(a)               (sizeof(a) / sizeof((a)[0]))
#define MUST_CHECK                 __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args)     __attribute__((format(printf, fmt, args)))
#define container_of(p, t, member) ((t *)(void *)((char *)(p)-offsetof(t, member)))

static inline void auto_free(void *p)
{
    free(*(void **)p);
}

static inline void auto_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

#define AUTO_FREE  __attribute__((cleanup(auto_free)))
#define AUTO_CLOSE __attribute__((cleanup(auto_close)))

/* The pointer's value; the pointer itself becomes NULL, so its cleanup does nothing. */
#define TAKE(p)                                                                          \
    ({                                                                                   \
        __typeof__(p) take_value_ = (p);                                                 \
        (p) = NULL;                                                                      \
        take_value_;                                                                     \
    })

#endif
