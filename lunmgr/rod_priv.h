/* SPDX-License-Identifier: Apache-2.0 */
/* Rods from inside lunmgr: all that there are, and what takes them away. Control thread,
 * unless said otherwise. */
#ifndef LUNMGR_ROD_PRIV_H
#define LUNMGR_ROD_PRIV_H

#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct event;
struct lunmgr;
struct pool;
struct rod;
struct volume;

struct rods {
    pthread_mutex_t lock; /* what follows, and the rods' own state */
    struct rod *first;
    unsigned live;
    uint64_t last_no;
    struct event *timer; /* control thread */
};

void rods_init(struct rods *rods);
int rods_start(struct lunmgr *m, struct err *e) MUST_CHECK;
/* No lane is left that uses one: all go. */
void rods_stop(struct lunmgr *m);
void rods_fini(struct rods *rods);

/* A volume or a snapshot goes for good. */
void rods_revoke(const struct volume *source);
/* A sanitize begins: those of the volume are cancelled. False: their layers are not gone
 * yet, try again. */
bool rods_let_go(const struct volume *source);
/* Nobody uses one of the pool's: 0, and they are revoked unless it is a dry run. -EBUSY.
 */
int rods_leave(struct pool *pool, bool dry, struct err *e) MUST_CHECK;
/* Looks who has expired; the timer does. */
void rods_look(struct lunmgr *m, int64_t now_ms);

#endif
