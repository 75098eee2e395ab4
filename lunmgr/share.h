/* SPDX-License-Identifier: Apache-2.0 */
/* Shared extents: those that more than one word names, or once did. Nobody writes one in
 * place. How many words name each, only the catalog knows; here are the changes of that
 * on their way there. The commit that takes away the last word's says so, and only then
 * the extent is freed: a crash in between leaves a leak, never two owners. Any thread,
 * its own lock. */
#ifndef LUNMGR_SHARE_H
#define LUNMGR_SHARE_H

#include "db/catalog.h"
#include "lunmgr/word.h"

#include <pthread.h>
#include <stddef.h>

struct pool;

struct share {
    pthread_mutex_t lock;
    struct share_change *changes; /* since the last copy, in order of their making */
    size_t count, max;
};

void share_init(struct share *s);
void share_fini(struct share *s);

/* Under the gate, before another word is made to name the extent. -ENOMEM: it must not
 * be. */
int share_add(struct pool *pool, place p) MUST_CHECK;
/* Under the gate, after the word was swapped: it named an extent that is nobody's from
 * now on, or less shared. Out of memory: that leaks, said in the log. */
void share_let_go(struct pool *pool, map_word w);
bool share_has_changes(struct pool *pool);

/* A round's copy phase: what has gathered, each extent once, sorted; they are the
 * caller's, in an array of *max entries that takes the place of the one handed in. */
void share_take(struct pool *pool, struct share_change **changes, size_t *count,
                size_t *max);
/* That round has failed: back to the others. */
void share_give_back(struct pool *pool, const struct share_change *changes, size_t count);
/* Home loop: that round is committed; frees what has no word left. */
void share_committed(struct pool *pool, const struct share_change *changes, size_t count);

#endif
