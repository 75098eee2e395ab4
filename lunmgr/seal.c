/* SPDX-License-Identifier: Apache-2.0 */
/* The seal's way, step by step. */
#include "lunmgr/seal.h"

#include "base/log.h"
#include "lunmgr/guarantee.h"
#include "lunmgr/label.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/record_priv.h"
#include "lunmgr/volume_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void seal_raise(struct seal *s);

void seal_free(struct seal *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++) {
        if (!s->is_sealed)
            layer_destroy(s->parts[i].fresh);
        volume_put(s->parts[i].snapshot);
    }
    free(s);
}

/* ---- The rows: on the catalog's writer ------------------------------------------- */

struct part_ids { /* of layers */
    uint32_t sealed, fresh, parent;
};

static int seal_name(struct catalog_txn *txn, struct seal_part *part,
                     const struct part_ids *ids, struct err *e)
{
    struct box_row box;
    int rc = box_get(txn, &box, e);
    if (rc != 0)
        return rc;
    part->row.naa_serial = ++box.naa_serial;
    part->row.top_layer = ids->sealed;
    rc = box_set(txn, &box, e);
    if (rc == 0)
        rc = volume_row_add(txn, &part->row, e);
    return rc != 0 ? rc : labels_store(txn, part->row.id, labels_of(part->snapshot), e);
}

static int seal_store(struct catalog_txn *txn, const struct seal_part *part,
                      const struct part_ids *ids, struct err *e)
{
    struct layer_row layer = {
        .id = ids->fresh,
        .parent = ids->parent,
        .size_extents = atomic_load(&part->fresh->size_extents),
    };
    memcpy(layer.pool_id, part->row.pool_id, sizeof(layer.pool_id));
    struct volume_row row;
    int rc = layer_row_add(txn, &layer, e);
    if (rc == 0)
        rc = volume_row_get(txn, part->volume->id, &row, e);
    if (rc != 0)
        return rc;
    row.top_layer = ids->fresh;
    row.size_bytes = part->size_bytes;
    return volume_row_change(txn, &row, e);
}

static int seal_store_all(struct catalog_txn *txn, struct seal *s, bool named,
                          struct err *e)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < s->count; i++) {
        struct seal_part *part = &s->parts[i];
        const struct part_ids ids = {.sealed = part->sealed->id,
                                     .fresh = part->fresh->id,
                                     .parent = layer_parent(part->fresh)->id};
        rc = seal_store(txn, part, &ids, e);
        if (rc == 0 && named)
            rc = seal_name(txn, part, &ids, e);
    }
    return rc;
}

static int seal_work(struct catalog_txn *txn, struct round_rider *rider, struct err *e)
{
    struct seal *s = container_of(rider, struct seal, rider);
    if (s->is_abandoned)
        return seal_store_all(txn, s, false, e);
    int rc = record_check(txn, s->pool->manager, s->record, e);
    s->is_refused = rc == -EEXIST;
    if (s->is_refused) {
        s->err = *e;
        return s->committed == NULL ? seal_store_all(txn, s, false, e) : 0;
    }
    if (rc == 0)
        rc = seal_store_all(txn, s, true, e);
    return rc != 0 ? rc : record_store(txn, s->pool->manager, s->record, e);
}

static int part_try(struct catalog_txn *txn, struct seal_part *part, struct err *e)
{
    struct volume_row row, base;
    int rc = volume_row_get(txn, part->volume->id, &row, e);
    if (rc == 0 && part->base != NULL)
        rc = volume_row_get(txn, part->base->id, &base, e);
    if (rc != 0)
        return rc;
    part->size_bytes = part->base == NULL ? row.size_bytes : base.size_bytes;
    struct part_ids ids = {.sealed = row.top_layer,
                           .parent = part->base == NULL ? row.top_layer : base.top_layer};
    rc = layer_next_id(txn, &ids.fresh, e);
    if (rc == 0)
        rc = seal_store(txn, part, &ids, e);
    return rc != 0 ? rc : seal_name(txn, part, &ids, e);
}

int seal_try(struct catalog_txn *txn, struct seal *s, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < s->count; i++)
        rc = part_try(txn, &s->parts[i], e);
    return rc;
}

/* ---- The end --------------------------------------------------------------------- */

static void seal_leave(struct seal *s)
{
    if (s->has_turn)
        shape_leave(s->pool);
    s->has_turn = false;
}

static void seal_end(struct seal *s, int rc)
{
    s->rc = rc;
    seal_leave(s);
    s->done(s);
}

static void seal_on_undone(struct note *note)
{
    struct seal *s = container_of(note, struct seal, note);
    s->undone(s);
    seal_free(s);
}

/* Nobody knows of it: what was sealed is merged again. */
static void seal_undo(struct seal *s)
{
    struct seal **link = &s->pool->abandoned;
    while (*link != s)
        link = &(*link)->next;
    *link = s->next;
    for (size_t i = 0; i < s->count; i++) {
        s->parts[i].sealed->volume = NULL;
        layer_look(s->parts[i].sealed);
    }
    seal_leave(s);
    s->note.run = seal_on_undone;
    loop_post(s->pool->manager->options.control, &s->note);
}

static void seal_abandon(struct seal *s, int rc)
{
    s->is_abandoned = true;
    s->next = s->pool->abandoned;
    s->pool->abandoned = s;
    s->rc = rc;
    s->done(s);
}

static void seal_revert(struct seal *s);
static void seal_let_go(struct seal *s, int rc);

/* Behind the fences still. */
static void seal_take_back(struct seal *s, int rc)
{
    seal_revert(s);
    seal_let_go(s, rc);
}

/* The round has left it out. */
static void seal_refuse(struct seal *s)
{
    if (s->committed != NULL) {
        seal_take_back(s, -EEXIST);
        return;
    }
    seal_abandon(s, -EEXIST);
    seal_undo(s);
}

static void seal_on_committed(struct round_rider *rider)
{
    struct seal *s = container_of(rider, struct seal, rider);
    if (s->is_abandoned)
        seal_undo(s);
    else if (s->is_refused)
        seal_refuse(s);
    else if (s->committed != NULL)
        s->committed(s);
    else
        seal_end(s, 0);
}

/* Nothing of one of its volumes is committed any more. */
static bool seal_is_lost(const struct seal *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (round_has_lost(s->pool, volume_top(s->parts[i].volume)->family))
            return true;
    return false;
}

static bool seal_has_lost(struct round_rider *rider)
{
    return seal_is_lost(container_of(rider, struct seal, rider));
}

/* An abandoned one's rows stay on their way: nothing else may change the tree before they
 * are committed, so the turn is kept, but where nothing will be committed any more. */
static void seal_on_failed(struct round_rider *rider)
{
    struct seal *s = container_of(rider, struct seal, rider);
    s->is_refused = false; /* it is the failure that is told */
    if (s->committed != NULL) {
        round_unride(s->pool, rider);
        seal_take_back(s, -EIO);
        return;
    }
    if (pool_is_failed(s->pool) || seal_is_lost(s) || lunmgr_is_closing(s->pool->manager))
        seal_leave(s);
    if (!s->is_abandoned)
        seal_abandon(s, -EIO);
}

/* ---- Guarantees ------------------------------------------------------------------ */

/* Back from the fresh tops: that takes no room. */
static void guarantees_return(struct seal_part *parts, size_t count)
{
    uint64_t short_of;
    for (size_t i = count; i-- > 0;) {
        int rc = space_move(parts[i].fresh, volume_top(parts[i].volume), &short_of);
        assert(rc == 0);
    }
}

/* To the fresh tops, of all or of none. */
static int guarantees_move(struct seal *s, struct err *e)
{
    uint64_t short_of;
    for (size_t i = 0; i < s->count; i++) {
        struct seal_part *part = &s->parts[i];
        if (space_move(volume_top(part->volume), part->fresh, &short_of) == 0)
            continue;
        guarantees_return(s->parts, i);
        return guarantee_refuse(s->pool, NULL, short_of, e);
    }
    return 0;
}

int seal_has_room(struct seal *s, struct err *e)
{
    pthread_mutex_lock(&s->pool->look);
    int rc = guarantees_move(s, e);
    if (rc == 0)
        guarantees_return(s->parts, s->count);
    pthread_mutex_unlock(&s->pool->look);
    return rc;
}

/* ---- The step -------------------------------------------------------------------- */

static void seal_part_step(struct seal_part *part)
{
    struct volume *v = part->volume;
    struct layer *old = volume_top(v);
    struct layer *below = part->base == NULL ? old : volume_top(part->base);
    part->sealed = old;
    part->old_bytes = volume_size_bytes(v);
    part->size_bytes =
        part->base == NULL ? part->old_bytes : volume_size_bytes(part->base);
    layer_set_id(part->fresh, lunmgr_next_layer_id(v->manager), below);
    layer_link(part->fresh, below, v);
    old->volume = part->snapshot;
    volume_set_top(part->snapshot, old);
    atomic_store(&v->size_bytes, part->size_bytes);
    volume_set_top(v, part->fresh);
}

/* Nobody has read or written since. */
static void seal_revert(struct seal *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct seal_part *part = &s->parts[i];
        volume_set_top(part->volume, part->sealed);
        guarantees_return(part, 1);
        atomic_store(&part->volume->size_bytes, part->old_bytes);
        part->sealed->volume = part->volume;
        part->fresh->volume = NULL;
        layer_unlink(part->fresh);
    }
    s->is_sealed = false;
}

static void seal_step(struct seal *s)
{
    for (size_t i = 0; i < s->count; i++)
        seal_part_step(&s->parts[i]);
    s->is_sealed = true;
    s->rider = (struct round_rider){.work = seal_work,
                                    .committed = seal_on_committed,
                                    .failed = seal_on_failed,
                                    .has_lost = seal_has_lost};
    round_ride(s->pool, &s->rider);
    for (size_t i = 0; s->committed == NULL && i < s->count; i++)
        fence_release(&s->parts[i].volume->fence);
}

static void seal_let_go(struct seal *s, int rc)
{
    for (size_t i = 0; i < s->count; i++)
        fence_release(&s->parts[i].volume->fence);
    seal_end(s, rc);
}

void seal_release(struct seal *s)
{
    seal_let_go(s, 0);
}

/* ---- The fences ------------------------------------------------------------------ */

static void seal_on_raised(struct note *note)
{
    struct seal *s = container_of(note, struct seal_part, raise.note)->seal;
    s->raised++;
    if (s->raised < s->count) {
        seal_raise(s);
        return;
    }
    int rc = guarantees_move(s, &s->err);
    s->is_refused = rc != 0;
    if (rc == 0)
        seal_step(s);
    else
        seal_let_go(s, rc);
}

/* One after the other, in order of volume id: askers of several cannot block each other.
 */
static void seal_raise(struct seal *s)
{
    struct seal_part *part = &s->parts[s->raised];
    part->seal = s;
    part->raise = (struct fence_wait){.note.run = seal_on_raised,
                                      .inbox = loop_inbox(lunmgr_home(s->pool->manager)),
                                      .kind = s->fence};
    fence_raise(&part->volume->fence, &part->raise);
}

/* ---- The beginning --------------------------------------------------------------- */

static void seal_on_first_round(struct round_wait *wait)
{
    struct seal *s = container_of(wait, struct seal, round);
    int rc = wait->rc == 0 && seal_is_lost(s) ? -EIO : wait->rc;
    if (rc != 0)
        seal_end(s, rc);
    else
        seal_raise(s);
}

static void seal_on_turn(struct note *note)
{
    struct seal *s = container_of(note, struct seal, turn.note);
    s->has_turn = true;
    if (pool_is_failed(s->pool)) {
        seal_end(s, -EIO);
        return;
    }
    s->round = (struct round_wait){.inbox = loop_inbox(lunmgr_home(s->pool->manager)),
                                   .done = seal_on_first_round,
                                   .family = ROUND_ASKS};
    round_join(s->pool, &s->round);
}

void seal_start(struct seal *s)
{
    s->turn = (struct shape_wait){.note.run = seal_on_turn};
    shape_enter(s->pool, &s->turn);
}
