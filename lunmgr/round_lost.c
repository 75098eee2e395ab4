/* SPDX-License-Identifier: Apache-2.0 */
/* Families of layers that have lost writes to a device that failed, and who shares
 * extents with them: none of their changes is committed any more, the others' are. */
#include "lunmgr/round_lost.h"

#include "lunmgr/pool_priv.h"

#include <stdlib.h>

void round_note_write(struct device *device, uint32_t family, int rc)
{
    atomic_store(&device->unsynced, true);
    if (rc == 0) /* after the mark: a round that saw none is older than this number */
        writers_note(&device->writers, family, atomic_load(&device->pool->round.no));
}

static bool is_linked(const struct round *r, uint32_t family)
{
    for (size_t i = 0; i < r->linked_count; i++)
        if (r->linked[i] == family)
            return true;
    return false;
}

bool round_has_lost(const struct pool *pool, uint32_t family)
{
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        if (device_is_failed(d) && writers_has(&d->writers, family))
            return true;
    return is_linked(&pool->round, family);
}

unsigned round_failed_devices(const struct pool *pool)
{
    unsigned n = 0;
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;)
        n += device_is_failed(d);
    return n;
}

/* What it has freed in memory is used by words in the catalog. */
void round_leave_out(struct pool *pool)
{
    if (!atomic_exchange(&pool->round.has_lost, true))
        limbo_keep_again(pool);
}

/* Without those of families that have lost writes: they stay marked, in no list. */
static void leave_out_leaves(struct pool *pool)
{
    struct round *r = &pool->round;
    size_t kept = 0;
    for (size_t i = 0; i < r->leaf_count; i++)
        if (!round_has_lost(pool, r->leaves[i]->layer->family))
            r->leaves[kept++] = r->leaves[i];
    if (kept < r->leaf_count)
        round_leave_out(pool);
    r->leaf_count = kept;
}

/* False: out of memory. */
static bool link_family(struct round *r, uint32_t family)
{
    if (r->linked_count == r->linked_max) {
        size_t max = r->linked_max == 0 ? 16 : 2 * r->linked_max;
        uint32_t *grown = realloc(r->linked, max * sizeof(*grown));
        if (grown == NULL)
            return false;
        r->linked = grown;
        r->linked_max = max;
    }
    r->linked[r->linked_count++] = family;
    return true;
}

/* Who began to share an extent with a lost family, and is not committed either, goes with
 * it. False: out of memory. */
static bool link_sharers(struct pool *pool)
{
    struct round *r = &pool->round;
    bool more = true, room = true;
    while (more && room) {
        more = false;
        for (size_t i = 0; room && i < r->shares.note_count; i++) {
            const struct share_note *note = &r->shares.notes[i];
            bool mine = round_has_lost(pool, note->family);
            if (note->other == 0 || mine == round_has_lost(pool, note->other))
                continue;
            room = link_family(r, mine ? note->other : note->family);
            more = true;
        }
    }
    return room;
}

static void leave_out_shares(struct pool *pool)
{
    struct share_batch *batch = &pool->round.shares;
    size_t kept = 0;
    for (size_t i = 0; i < batch->note_count; i++)
        if (!round_has_lost(pool, batch->notes[i].family))
            batch->notes[kept++] = batch->notes[i];
    if (kept < batch->note_count)
        round_leave_out(pool);
    batch->note_count = kept;
}

bool round_copied_lost(struct pool *pool)
{
    struct round *r = &pool->round;
    for (size_t i = 0; i < r->copied_count; i++)
        if (round_has_lost(pool, r->leaves[i]->layer->family))
            return true;
    return false;
}

bool round_sort_out(struct pool *pool)
{
    bool all = link_sharers(pool);
    leave_out_leaves(pool);
    leave_out_shares(pool);
    return all;
}
