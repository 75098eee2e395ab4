/* SPDX-License-Identifier: Apache-2.0 */
/* The list of changes, and what comes of them. */
#include "lunmgr/share.h"

#include "base/log.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <stdlib.h>

#define SHARE_MAX_MIN 64

void share_init(struct share *s)
{
    *s = (struct share){.notes = NULL};
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
    free(batch->changes);
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

static bool share_keep(struct pool *pool, const struct share_note *note)
{
    struct share *s = &pool->share;
    pthread_mutex_lock(&s->lock);
    bool room = share_has_room(s);
    if (room)
        s->notes[s->count++] = *note;
    pthread_mutex_unlock(&s->lock);
    return room;
}

static struct share_change share_change_of(struct pool *pool, place p, int32_t change)
{
    return (struct share_change){.device_no = pool_device(pool, p)->row.no,
                                 .extent = place_extent(p),
                                 .change = change};
}

int share_add(struct pool *pool, place p, uint32_t family, uint32_t other)
{
    const struct share_note note = {
        .change = share_change_of(pool, p, 1), .family = family, .other = other};
    return share_keep(pool, &note) ? 0 : -ENOMEM;
}

static void share_leak(struct pool *pool)
{
    atomic_store(&pool->has_leaks, true);
    log_error("a shared extent leaks", "pool=%s reason=memory", pool->name);
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
    const struct share_note note = {.change = share_change_of(pool, p, -1),
                                    .family = family};
    if (!share_keep(pool, &note))
        share_leak(pool);
}

/* What is reserved for the layer rises before what it gives back counts. */
void share_let_go(struct layer *layer, map_word w)
{
    space_unname(layer, w);
    share_release(layer->pool, layer->family, w);
}

bool share_has_changes(struct pool *pool)
{
    pthread_mutex_lock(&pool->share.lock);
    bool any = pool->share.count > 0;
    pthread_mutex_unlock(&pool->share.lock);
    return any;
}

/* ---- A round ----------------------------------------------------------------------- */

static int share_order(const void *a, const void *b)
{
    const struct share_change *x = a, *y = b;
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
    if (batch->note_count <= batch->max)
        return true;
    struct share_change *grown =
        realloc(batch->changes, batch->note_max * sizeof(*grown));
    if (grown == NULL)
        return false;
    batch->changes = grown;
    batch->max = batch->note_max;
    return true;
}

bool share_sum(struct share_batch *batch)
{
    struct share_change *changes;
    if (!batch_has_room(batch))
        return false;
    changes = batch->changes;
    for (size_t i = 0; i < batch->note_count; i++)
        changes[i] = batch->notes[i].change;
    if (batch->note_count > 1)
        qsort(changes, batch->note_count, sizeof(*changes), share_order);
    batch->count = 0;
    for (size_t i = 0; i < batch->note_count; i++) {
        if (batch->count > 0 && share_order(&changes[batch->count - 1], &changes[i]) == 0)
            changes[batch->count - 1].change += changes[i].change;
        else
            changes[batch->count++] = changes[i];
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
    for (size_t i = 0; i < batch->count; i++) {
        const struct share_change *change = &batch->changes[i];
        const struct device *d = share_device(pool, change->device_no);
        if (change->count == 0 && d != NULL)
            limbo_add(pool, place_of(d->row.slot, change->extent));
    }
    batch->note_count = batch->count = 0;
}
