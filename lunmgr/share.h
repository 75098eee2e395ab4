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

struct layer;
struct pool;

/* With so many notes a round begins; who copies waits for it at twice as many. */
#define SHARE_NOTES_MAX 65536

/* One change of a run of extents, with the families of layers whose words it is about. */
struct share_note {
    struct share_change change;
    uint32_t family;
    uint32_t other; /* whose words share the extents with the first one's; 0: nobody's */
};

struct share {
    pthread_mutex_t lock;
    struct share_note *notes; /* since the last copy, in order of their making */
    _Atomic size_t count;     /* changed under the lock */
    size_t max;
};

/* Where the change of an extent's count begins or ends. */
struct share_edge {
    uint32_t device_no;
    int32_t change;
    uint64_t extent;
};

/* What one round has of them: the notes, and each extent's change once, in sorted runs.
 */
struct share_batch {
    struct share_note *notes;
    size_t note_count, note_max;
    struct share_edge *edges;
    size_t edge_max;
    struct share_change *changes;
    size_t count, max;
    struct extent_runs unnamed; /* by the commit: nobody's from then on */
};

void share_init(struct share *s);
void share_fini(struct share *s);

/* Under the gate, before other words (of family) are made to name the extents from p on
 * that some of `other` name, one each. -ENOMEM: they must not be. */
int share_add(struct pool *pool, place p, uint64_t extents, uint32_t family,
              uint32_t other) MUST_CHECK;
/* In the same step: they are not, after all. */
void share_take_back(struct pool *pool, place p, uint64_t extents, uint32_t family);
/* Under the gate, after the word was swapped: it named an extent that is nobody's from
 * now on, or less shared. Out of memory: that leaks, said in the log. */
void share_let_go(struct layer *layer, map_word w);
/* The same of a word that no layer counts as its own (space.h). */
void share_release(struct pool *pool, uint32_t family, map_word w);
bool share_has_changes(struct pool *pool);
/* Any thread: so much waits to be committed that who adds more should wait. */
bool share_is_full(const struct pool *pool);

/* A round's copy phase: the notes that have gathered; the batch's are given back or
 * committed before the next. */
void share_take(struct pool *pool, struct share_batch *batch);
/* Then its changes, outside the gate. False: out of memory. */
bool share_sum(struct share_batch *batch) MUST_CHECK;
/* That round has failed: back to the others. */
void share_give_back(struct pool *pool, struct share_batch *batch);
/* Home loop: that round is committed; frees what has no word left. */
void share_committed(struct pool *pool, struct share_batch *batch);
void share_batch_fini(struct share_batch *batch);

#endif
