/* SPDX-License-Identifier: Apache-2.0 */
/* The copy's way, a run of extents at a time. For the sharing of one it is in both
 * volumes' fences at once: who is held back at one leaves the other, so that askers of
 * both cannot wait for it in a circle. */
#include "lunmgr/copy.h"

#include "lunmgr/fence.h"
#include "lunmgr/lane_priv.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/sanitize.h"

#include <assert.h>
#include <errno.h>

/* Dirty leaves that a copy lets gather, 64 GiB of copies: beyond it waits for a round, so
 * that the rounds' memory is bounded. */
#define COPY_DIRTY_LEAVES_MAX (4 * ROUND_DIRTY_LEAVES_MAX)

static void copy_next(struct copy *c);
static void copy_enter(struct copy *c);

/* ---- The end ------------------------------------------------------------------------
 */

static void copy_on_end(struct note *note)
{
    struct copy *c = container_of(note, struct copy, p.note);
    buf_put(c->lane->buffers, &c->p.run);
    c->done(c, c->p.rc);
}

static void copy_end(struct copy *c, int rc)
{
    c->p.rc = rc;
    c->p.note.run = copy_on_end;
    loop_post(c->lane->loop, &c->p.note);
}

static void copy_on_turn(struct note *note)
{
    copy_next(container_of(note, struct copy, p.note));
}

/* On with it, or the end: rc. One step a turn of the loop, so that others have theirs. */
static void copy_go_on(struct copy *c, int rc)
{
    if (rc != 0) {
        copy_end(c, rc);
        return;
    }
    c->p.note.run = copy_on_turn;
    loop_post(c->lane->loop, &c->p.note);
}

/* ---- Both fences ---------------------------------------------------------------------
 */

static void guard_leave(struct copy *c)
{
    if (c->p.guard_in)
        fence_leave(&c->from->fence, &c->p.guard);
    c->p.guard_in = false;
}

static void into_leave(struct copy *c)
{
    if (!c->p.into_in)
        return;
    fence_changed(&c->to->fence, &c->p.into);
    fence_leave(&c->to->fence, &c->p.into);
    c->p.into_in = false;
}

static void copy_leave(struct copy *c)
{
    lane_leave(c->lane, &c->p.into);
    into_leave(c);
    guard_leave(c);
}

static void guard_on_let_in(struct vio *vio)
{
    struct copy *c = container_of(vio, struct copy, p.guard);
    c->p.guard_in = true;
    copy_enter(c);
}

static void into_on_let_in(struct vio *vio)
{
    struct copy *c = container_of(vio, struct copy, p.into);
    c->p.into_in = true;
    copy_enter(c);
}

static bool guard_enter(struct copy *c)
{
    c->p.guard_in = c->p.guard_in || fence_enter(&c->from->fence, &c->p.guard);
    return c->p.guard_in;
}

static bool into_enter(struct copy *c)
{
    c->p.into_in = c->p.into_in || fence_enter(&c->to->fence, &c->p.into);
    return c->p.into_in;
}

/* ---- Moving data ---------------------------------------------------------------------
 */

static void data_on_done(struct copy_data *data, int rc)
{
    struct copy *c = container_of(data, struct copy, p.data);
    c->p.moving = false;
    c->copied_bytes += data->copied_bytes;
    copy_go_on(c, rc);
}

/* From where the copy is. */
static void data_move(struct copy *c, uint64_t length_bytes)
{
    c->p.moving = true;
    c->p.data = (struct copy_data){
        .lane = c->lane,
        .from = c->from,
        .to = c->to,
        .from_bytes = c->from_bytes + c->copied_bytes,
        .to_bytes = c->to_bytes + c->copied_bytes,
        .length_bytes = length_bytes,
        .patient = c->patient,
        .done = data_on_done,
    };
    copy_data_start(&c->p.data);
}

/* What the run could not share, one stretch after the other; then it is over. */
static void run_move(struct copy *c)
{
    uint32_t i = c->p.run_at, n = 0;
    while (i < c->p.run_count && !run_bit(&c->p.run_moved, i))
        i++;
    while (i + n < c->p.run_count && run_bit(&c->p.run_moved, i + n))
        n++;
    c->p.run_at = i + n;
    c->copied_bytes = c->p.run_bytes + (uint64_t)i * EXTENT_BYTES;
    if (n > 0)
        data_move(c, (uint64_t)n * EXTENT_BYTES);
    else
        copy_go_on(c, 0);
}

/* ---- Sharing -------------------------------------------------------------------------
 */

/* Leaves of either side that are loaded at once, since a load takes its time in going
 * round the threads. Whoever copies more than a leaf is taken to go on behind it: an
 * initiator asks for a large copy piece by piece. */
#define LEAVES_AHEAD 16

struct copy_run {
    struct share_run share;
    struct copy *copy;
    struct leaf_wait waits[2 * LEAVES_AHEAD];
    unsigned wait_count, waiting;
    int rc; /* of the loads */
};

static struct copy_run *copy_run(struct copy *c)
{
    return (void *)c->p.run.base;
}

static void leaf_answered(struct copy *c, int rc)
{
    struct copy_run *run = copy_run(c);
    if (rc != 0)
        run->rc = rc == -ENOMEM ? -ENOMEM : -EIO;
    if (--run->waiting == 0)
        copy_go_on(c, run->rc);
}

static void copy_on_leaf(struct note *note)
{
    const struct leaf_wait *wait = container_of(note, struct leaf_wait, note);
    leaf_answered(wait->arg, wait->rc);
}

static void leaf_ask(struct copy *c, struct layer *layer, uint32_t leaf_index)
{
    struct copy_run *run = copy_run(c);
    struct leaf_wait *wait = &run->waits[run->wait_count++];
    *wait = (struct leaf_wait){
        .note.run = copy_on_leaf, .inbox = loop_inbox(c->lane->loop), .arg = c};
    run->waiting++;
    leaf_loader_ask(c->to->pool->loader, layer, leaf_index, wait);
}

/* Of one side, from where the copy is; those that are not in memory. */
static void leaves_ask(struct copy *c, struct layer *layer, const struct volume *volume,
                       uint64_t begin_bytes)
{
    bool is_large = c->length_bytes >= (uint64_t)LEAF_WORDS * EXTENT_BYTES;
    uint64_t at = begin_bytes + c->copied_bytes;
    uint64_t end = is_large ? volume_size_bytes(volume) : begin_bytes + c->length_bytes;
    uint32_t first = (uint32_t)(at / EXTENT_BYTES / LEAF_WORDS);
    uint32_t last = (uint32_t)((end - 1) / EXTENT_BYTES / LEAF_WORDS);
    for (uint32_t i = first; i <= last && i < first + LEAVES_AHEAD; i++)
        if (layer_leaf_peek(layer, i * LEAF_WORDS) == NULL)
            leaf_ask(c, layer, i);
}

/* Asked for in flight, while the layers are sure to be there. */
static void copy_wait_for_leaf(struct copy *c)
{
    struct copy_run *run = copy_run(c);
    run->wait_count = 0;
    run->waiting = 1; /* ours, until all are asked for */
    run->rc = 0;
    bool is_target = run->share.missing.layer == run->share.to_top;
    leaves_ask(c, is_target ? run->share.from_top : run->share.missing.layer, c->from,
               c->from_bytes);
    leaves_ask(c, run->share.to_top, c->to, c->to_bytes);
    copy_leave(c);
    leaf_answered(c, 0);
}

static void copy_on_released(struct note *note)
{
    copy_next(container_of(note, struct copy, p.wait.stripe.note));
}

static void copy_wait_for_release(struct copy *c)
{
    const struct share_side *held = &copy_run(c)->share.held;
    c->p.wait.stripe = (struct stripe_wait){.note.run = copy_on_released,
                                            .inbox = loop_inbox(c->lane->loop)};
    struct stripe *stripe = pool_stripe(c->to->pool, held->layer, held->index);
    if (!stripe_park(stripe, held->cell, &c->p.wait.stripe))
        loop_post(c->lane->loop, &c->p.wait.stripe.note);
    copy_leave(c);
}

static void copy_on_shared(struct share_run *run, int rc)
{
    struct copy *c = container_of(run, struct copy_run, share)->copy;
    if (rc == -EAGAIN) {
        copy_wait_for_leaf(c);
        return;
    }
    if (rc == -EBUSY) {
        copy_wait_for_release(c);
        return;
    }
    copy_leave(c);
    if (rc != 0) {
        copy_end(c, rc);
        return;
    }
    c->shared_bytes += (uint64_t)run->shared * EXTENT_BYTES;
    c->p.run_bytes = c->copied_bytes;
    c->p.run_moved = run->moved;
    c->p.run_count = run->count;
    c->p.run_at = 0;
    run_move(c);
}

/* What began before the sanitize goes no further than the run that it was at. */
static bool is_sanitized(const struct volume *v)
{
    return volume_sanitize_state(v, NULL) != SANITIZE_NONE;
}

/* Ends where a fence holds it back; goes on here when that lets it in. */
static void copy_enter(struct copy *c)
{
    if (!guard_enter(c)) {
        into_leave(c);
        return;
    }
    if (!into_enter(c)) {
        guard_leave(c);
        return;
    }
    if (is_sanitized(c->from) || is_sanitized(c->to)) {
        into_leave(c);
        guard_leave(c);
        copy_end(c, -EINPROGRESS);
        return;
    }
    lane_enter(c->lane, &c->p.into);
    struct share_run *run = &copy_run(c)->share;
    run->from_top = volume_top(c->from);
    run->to_top = volume_top(c->to);
    share_run_start(run);
}

static uint32_t least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

/* The next run: whole extents, of one leaf of either side. */
static void copy_share(struct copy *c)
{
    if (c->p.run.base == NULL &&
        buf_get(c->lane->buffers, sizeof(struct copy_run), &c->p.run) != 0) {
        copy_end(c, -ENOMEM);
        return;
    }
    uint32_t from = (uint32_t)((c->from_bytes + c->copied_bytes) / EXTENT_BYTES);
    uint32_t to = (uint32_t)((c->to_bytes + c->copied_bytes) / EXTENT_BYTES);
    uint32_t count = least(LEAF_WORDS - from % LEAF_WORDS, LEAF_WORDS - to % LEAF_WORDS);
    struct copy_run *run = (void *)c->p.run.base;
    run->copy = c;
    run->share.lane = c->lane;
    run->share.from_index = from;
    run->share.to_index = to;
    run->share.count = least(count, (c->length_bytes - c->copied_bytes) / EXTENT_BYTES);
    run->share.done = copy_on_shared;
    copy_enter(c);
}

static void copy_on_round(struct round_wait *wait)
{
    struct copy *c = container_of(wait, struct copy, p.wait.round);
    copy_go_on(c, wait->rc == 0 || wait->rc == -ENOMEM ? wait->rc : -EIO);
}

/* Too much waits to be committed. */
static void copy_wait_for_round(struct copy *c)
{
    c->p.wait.round = (struct round_wait){
        .inbox = loop_inbox(c->lane->loop), .family = ROUND_ASKS, .done = copy_on_round};
    round_join(c->to->pool, &c->p.wait.round);
}

static bool is_behind(const struct pool *pool)
{
    return atomic_load(&pool->round.dirty_count) >= COPY_DIRTY_LEAVES_MAX ||
           share_is_full(pool);
}

/* ---- The way -------------------------------------------------------------------------
 */

/* Both may have shrunk since. */
static bool copy_fits(const struct copy *c)
{
    return c->from_bytes + c->length_bytes <= volume_size_bytes(c->from) &&
           c->to_bytes + c->length_bytes <= volume_size_bytes(c->to);
}

/* How much of what is left cannot be shared, from here on. */
static uint64_t unshared_bytes(const struct copy *c)
{
    uint64_t left = c->length_bytes - c->copied_bytes;
    uint64_t head = (c->from_bytes + c->copied_bytes) % EXTENT_BYTES;
    if (c->from->pool != c->to->pool ||
        c->from_bytes % EXTENT_BYTES != c->to_bytes % EXTENT_BYTES)
        return left;
    if (head > 0)
        return least(left, EXTENT_BYTES - head);
    return left < EXTENT_BYTES ? left : 0;
}

static void copy_step(struct copy *c)
{
    uint64_t unshared = unshared_bytes(c);
    if (unshared > 0)
        data_move(c, unshared);
    else if (is_behind(c->to->pool))
        copy_wait_for_round(c);
    else
        copy_share(c);
}

static void copy_next(struct copy *c)
{
    if (c->p.stopping)
        copy_end(c, -ECANCELED);
    else if (c->copied_bytes == c->length_bytes)
        copy_end(c, 0);
    else if (!copy_fits(c))
        copy_end(c, -ERANGE);
    else if (c->p.run_at < c->p.run_count)
        run_move(c);
    else
        copy_step(c);
}

void copy_stop(struct copy *c)
{
    assert(loop_is_mine(c->lane->loop));
    c->p.stopping = true;
    if (c->p.moving)
        copy_data_stop(&c->p.data);
}

static void copy_side_init(struct copy *c, struct vio *vio, struct volume *volume,
                           bool changes, void (*let_in)(struct vio *vio))
{
    *vio =
        (struct vio){.lane = c->lane, .volume = volume, .op = VIO_INNER, .inner = let_in};
    vio->p.changes = changes;
}

/* Ranges of one volume: apart, or the same, of which nothing is to be copied. */
static bool copy_is_onto_itself(const struct copy *c)
{
    return c->from == c->to && c->from_bytes == c->to_bytes;
}

static bool copy_overlaps(const struct copy *c)
{
    return c->from == c->to && c->from_bytes < c->to_bytes + c->length_bytes &&
           c->to_bytes < c->from_bytes + c->length_bytes;
}

void copy_start(struct copy *c)
{
    assert(loop_is_mine(c->lane->loop));
    assert(c->from_bytes % SECTOR_BYTES == 0 && c->to_bytes % SECTOR_BYTES == 0 &&
           c->length_bytes % SECTOR_BYTES == 0);
    assert(!volume_is_snapshot(c->to));
    assert(copy_is_onto_itself(c) || !copy_overlaps(c));
    c->copied_bytes = c->shared_bytes = 0;
    c->p = (struct copy_private){.rc = 0};
    copy_side_init(c, &c->p.guard, c->from, false, guard_on_let_in);
    copy_side_init(c, &c->p.into, c->to, true, into_on_let_in);
    if (copy_is_onto_itself(c))
        c->copied_bytes = c->length_bytes;
    copy_next(c);
}
