/* SPDX-License-Identifier: Apache-2.0 */
/* The list of changes, and what comes of them. */
#include "lunmgr/share.h"

#include "base/log.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define SHARE_MAX_MIN 64

void share_init(struct share *s)
{
    *s = (struct share){.max = 0};
    pthread_mutex_init(&s->lock, NULL);
}

void share_fini(struct share *s)
{
    free(s->notes);
    pthread_mutex_destroy(&s->lock);
}

void share_batch_fini(struct share_batch *batch)
{
    free(batch->notes);
    free(batch->edges);
    free(batch->changes);
    extent_runs_fini(&batch->unnamed);
}

/* ---- Noting ------------------------------------------------------------------------ */

/* Under the lock. */
static bool share_has_room(struct share *s)
{
    if (s->count < s->max)
        return true;
    size_t max = s->max == 0 ? SHARE_MAX_MIN : 2 * s->max;
    struct share_note *grown = realloc(s->notes, max * sizeof(*grown));
    if (grown == NULL)
        return false;
    s->notes = grown;
    s->max = max;
    return true;
}

/* Under the lock. True: it goes on where the last one ended, and is one with it. */
static bool share_joins_last(struct share *s, const struct share_note *note)
{
    if (s->count == 0)
        return false;
    struct share_note *last = &s->notes[s->count - 1];
    if (last->family != note->family || last->other != note->other ||
        last->change.change != note->change.change ||
        last->change.device_no != note->change.device_no ||
        last->change.extent + last->change.extents != note->change.extent)
        return false;
    last->change.extents += note->change.extents;
    return true;
}

static bool share_keep(struct pool *pool, const struct share_note *note)
{
    struct share *s = &pool->share;
    pthread_mutex_lock(&s->lock);
    bool kept = share_joins_last(s, note);
    if (!kept && share_has_room(s)) {
        s->notes[s->count++] = *note;
        kept = true;
    }
    bool many = s->count >= SHARE_NOTES_MAX;
    pthread_mutex_unlock(&s->lock);
    if (many)
        round_want(pool);
    return kept;
}

static struct share_change share_change_of(struct pool *pool, place p, uint64_t extents,
                                           int32_t change)
{
    return (struct share_change){.device_no = pool_device(pool, p)->row.no,
                                 .extent = place_extent(p),
                                 .extents = extents,
                                 .change = change};
}

int share_add(struct pool *pool, place p, uint64_t extents, uint32_t family,
              uint32_t other)
{
    const struct share_note note = {
        .change = share_change_of(pool, p, extents, 1), .family = family, .other = other};
    return share_keep(pool, &note) ? 0 : -ENOMEM;
}

static void share_leak(struct pool *pool)
{
    atomic_store(&pool->has_leaks, true);
    log_error("a shared extent leaks", "pool=%s reason=memory", pool->name);
}

void share_take_back(struct pool *pool, place p, uint64_t extents, uint32_t family)
{
    const struct share_note note = {.change = share_change_of(pool, p, extents, -1),
                                    .family = family};
    if (!share_keep(pool, &note))
        share_leak(pool);
}

void share_release(struct pool *pool, uint32_t family, map_word w)
{
    place p = word_place(w);
    if (p == 0)
        return;
    alloc_spare(pool_device(pool, p)->alloc, place_extent(p));
    if ((w & WORD_SHARED) == 0) {
        limbo_add(pool, p);
        return;
    }
    share_take_back(pool, p, 1, family);
}

/* What is reserved for the layer rises before what it gives back counts. */
void share_let_go(struct layer *layer, map_word w)
{
    space_unname(layer, w);
    share_release(layer->pool, layer->family, w);
}

bool share_has_changes(struct pool *pool)
{
    return atomic_load(&pool->share.count) > 0;
}

bool share_is_full(const struct pool *pool)
{
    return atomic_load(&pool->share.count) >= 2 * SHARE_NOTES_MAX;
}

/* ---- A round ----------------------------------------------------------------------- */

static int edge_order(const void *a, const void *b)
{
    const struct share_edge *x = a, *y = b;
    if (x->device_no != y->device_no)
        return x->device_no < y->device_no ? -1 : 1;
    return x->extent < y->extent ? -1 : x->extent > y->extent;
}

void share_take(struct pool *pool, struct share_batch *batch)
{
    struct share *s = &pool->share;
    pthread_mutex_lock(&s->lock);
    struct share_note *notes = s->notes;
    size_t count = s->count, max = s->max;
    s->notes = batch->notes;
    s->count = 0;
    s->max = batch->note_max;
    pthread_mutex_unlock(&s->lock);
    batch->notes = notes;
    batch->note_count = count;
    batch->note_max = max;
    batch->count = 0;
}

static bool batch_has_room(struct share_batch *batch)
{
    size_t n = 2 * batch->note_count;
    if (n > batch->edge_max) {
        struct share_edge *grown = realloc(batch->edges, n * sizeof(*grown));
        if (grown == NULL)
            return false;
        batch->edges = grown;
        batch->edge_max = n;
    }
    if (n > batch->max) {
        struct share_change *grown = realloc(batch->changes, n * sizeof(*grown));
        if (grown == NULL)
            return false;
        batch->changes = grown;
        batch->max = n;
    }
    return true;
}

static void batch_find_edges(struct share_batch *batch)
{
    for (size_t i = 0; i < batch->note_count; i++) {
        const struct share_change *c = &batch->notes[i].change;
        batch->edges[2 * i] = (struct share_edge){
            .device_no = c->device_no, .extent = c->extent, .change = c->change};
        batch->edges[2 * i + 1] = (struct share_edge){.device_no = c->device_no,
                                                      .extent = c->extent + c->extents,
                                                      .change = -c->change};
    }
    if (batch->note_count > 0)
        qsort(batch->edges, 2 * batch->note_count, sizeof(*batch->edges), edge_order);
}

/* What comes to nothing needs no change: an extent of which one word takes the place of
 * another is as shared as before. */
bool share_sum(struct share_batch *batch)
{
    int32_t change = 0;
    batch->count = 0;
    if (!batch_has_room(batch))
        return false;
    batch_find_edges(batch);
    for (size_t i = 0; i + 1 < 2 * batch->note_count; i++) {
        const struct share_edge *from = &batch->edges[i], *to = &batch->edges[i + 1];
        change += from->change;
        if (change == 0 || to->extent == from->extent)
            continue;
        assert(to->device_no == from->device_no); /* where all runs have ended it is 0 */
        batch->changes[batch->count++] = (struct share_change){
            .device_no = from->device_no,
            .extent = from->extent,
            .extents = to->extent - from->extent,
            .change = change,
        };
    }
    return true;
}

void share_give_back(struct pool *pool, struct share_batch *batch)
{
    for (size_t i = 0; i < batch->note_count; i++)
        if (!share_keep(pool, &batch->notes[i]))
            share_leak(pool);
    batch->note_count = batch->count = 0;
}

static const struct device *share_device(const struct pool *pool, uint32_t no)
{
    const struct device *found = NULL;
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        if (d->row.no == no)
            found = d;
    return found;
}

void share_committed(struct pool *pool, struct share_batch *batch)
{
    for (size_t i = 0; i < batch->unnamed.count; i++) {
        const struct extent_run *run = &batch->unnamed.runs[i];
        const struct device *d = share_device(pool, run->device_no);
        for (uint64_t n = 0; d != NULL && n < run->extents; n++)
            limbo_add(pool, place_of(d->row.slot, run->extent + n));
    }
    batch->note_count = batch->count = batch->unnamed.count = 0;
}
