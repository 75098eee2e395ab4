/* SPDX-License-Identifier: Apache-2.0 */
/* Who may be connected: counts the initiators' connections, in all and by address, those
 * that are logging in apart from those that have. Any thread; a lock, taken when a
 * connection comes, has logged in and goes. */
#ifndef TARGET_ADMISSION_H
#define TARGET_ADMISSION_H

#include "base/auto.h"
#include "base/cidr.h"
#include "target/limit.h"

#include <pthread.h>

#define ADMISSION_HASH 256

struct visitor;

struct admission {
    const struct limits *limits;
    pthread_mutex_t lock;
    uint64_t logins, open;
    struct visitor *visitors[ADMISSION_HASH];
};

/* limits outlives it. */
void admission_init(struct admission *a, const struct limits *limits);
/* No connection is left. */
void admission_fini(struct admission *a);

/* A connection comes, and is to log in. 0. -EMFILE: *limit would be passed. -ENOMEM. */
int admission_enter(struct admission *a, const uint8_t ip[IP_BYTES],
                    enum target_limit *limit) MUST_CHECK;
/* It has logged in. -EMFILE: as above, and it counts as before. */
int admission_open(struct admission *a, const uint8_t ip[IP_BYTES],
                   enum target_limit *limit) MUST_CHECK;
/* It goes. open: it had logged in. */
void admission_leave(struct admission *a, const uint8_t ip[IP_BYTES], bool open);

#endif
