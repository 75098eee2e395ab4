/* SPDX-License-Identifier: Apache-2.0 */
/* The copy's way, an extent at a time. For the sharing of one it is in both volumes'
 * fences at once: who is held back at one leaves the other, so that askers of both cannot
 * wait for it in a circle. */
#include "lunmgr/copy.h"

#include "lunmgr/fence.h"
#include "lunmgr/lane_priv.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/sanitize.h"

#include <assert.h>
#include <errno.h>

static void copy_next(struct copy *c);
static void copy_enter(struct copy *c);

/* ---- The end ------------------------------------------------------------------------
 */

static void copy_on_end(struct note *note)
{
    struct copy *c = container_of(note, struct copy, p.note);
    buf_put(c->lane->buffers, &c->p.buf);
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

/* The extent is copied, or it is not: rc. One a turn of the loop, so that others have
 * theirs. */
static void copy_extent_done(struct copy *c, int rc)
{
    if (rc != 0) {
        copy_end(c, rc);
        return;
    }
    c->copied_bytes += EXTENT_BYTES;
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

static void data_start(struct copy *c, enum vio_op op, void (*done)(struct vio *, int))
{
    bool reads = op == VIO_READ;
    c->p.data = (struct vio){
        .lane = c->lane,
        .volume = reads ? c->from : c->to,
        .op = op,
        .offset_bytes = (reads ? c->from_bytes : c->to_bytes) + c->copied_bytes,
        .length_bytes = EXTENT_BYTES,
        .data = c->p.buf.base,
        .done = done,
    };
    vio_submit(&c->p.data);
}

static void data_on_written(struct vio *vio, int rc)
{
    copy_extent_done(container_of(vio, struct copy, p.data), rc);
}

static void data_on_read(struct vio *vio, int rc)
{
    struct copy *c = container_of(vio, struct copy, p.data);
    if (rc != 0)
        copy_extent_done(c, rc);
    else
        data_start(c, VIO_WRITE, data_on_written);
}

static void data_move(struct copy *c)
{
    if (c->p.buf.base == NULL && buf_get(c->lane->buffers, EXTENT_BYTES, &c->p.buf) != 0)
        copy_extent_done(c, -ENOMEM);
    else
        data_start(c, VIO_READ, data_on_read);
}

/* ---- Sharing -------------------------------------------------------------------------
 */

static void copy_on_leaf(struct note *note)
{
    struct copy *c = container_of(note, struct copy, p.wait.leaf.note);
    int rc = c->p.wait.leaf.rc;
    if (rc == 0)
        copy_enter(c);
    else
        copy_extent_done(c, rc == -ENOMEM ? -ENOMEM : -EIO);
}

/* Asked for in flight, while the layer is sure to be there. */
static void copy_wait_for_leaf(struct copy *c)
{
    const struct share_side *missing = &c->p.share.missing;
    c->p.wait.leaf =
        (struct leaf_wait){.note.run = copy_on_leaf, .inbox = loop_inbox(c->lane->loop)};
    leaf_loader_ask(c->to->pool->loader, missing->layer, missing->index / LEAF_WORDS,
                    &c->p.wait.leaf);
    copy_leave(c);
}

static void copy_on_released(struct note *note)
{
    copy_enter(container_of(note, struct copy, p.wait.stripe.note));
}

static void copy_wait_for_release(struct copy *c)
{
    const struct share_side *held = &c->p.share.held;
    c->p.wait.stripe = (struct stripe_wait){.note.run = copy_on_released,
                                            .inbox = loop_inbox(c->lane->loop)};
    struct stripe *stripe = pool_stripe(c->to->pool, held->layer, held->index);
    if (!stripe_park(stripe, held->cell, &c->p.wait.stripe))
        loop_post(c->lane->loop, &c->p.wait.stripe.note);
    copy_leave(c);
}

static void copy_on_shared(struct share_word *share, int rc)
{
    struct copy *c = container_of(share, struct copy, p.share);
    if (rc == -EAGAIN) {
        copy_wait_for_leaf(c);
        return;
    }
    if (rc == -EBUSY) {
        copy_wait_for_release(c);
        return;
    }
    copy_leave(c);
    if (rc == -EXDEV) {
        data_move(c);
    } else if (rc == -ENODATA) {
        data_start(c, VIO_ZERO, data_on_written);
    } else {
        c->shared_bytes += rc == 0 ? EXTENT_BYTES : 0;
        copy_extent_done(c, rc);
    }
}

/* What began before the sanitize goes no further than the extent that it was at. */
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
    c->p.share = (struct share_word){
        .lane = c->lane,
        .from_top = volume_top(c->from),
        .to_top = volume_top(c->to),
        .from_index = (uint32_t)((c->from_bytes + c->copied_bytes) / EXTENT_BYTES),
        .to_index = (uint32_t)((c->to_bytes + c->copied_bytes) / EXTENT_BYTES),
        .done = copy_on_shared,
    };
    share_word_start(&c->p.share);
}

/* ---- The way -------------------------------------------------------------------------
 */

/* Both may have shrunk since. */
static bool copy_fits(const struct copy *c)
{
    return c->from_bytes + c->length_bytes <= volume_size_bytes(c->from) &&
           c->to_bytes + c->length_bytes <= volume_size_bytes(c->to);
}

static void copy_next(struct copy *c)
{
    if (c->copied_bytes == c->length_bytes)
        copy_end(c, 0);
    else if (!copy_fits(c))
        copy_end(c, -ERANGE);
    else
        copy_enter(c);
}

static void copy_side_init(struct copy *c, struct vio *vio, struct volume *volume,
                           bool changes, void (*let_in)(struct vio *vio))
{
    *vio =
        (struct vio){.lane = c->lane, .volume = volume, .op = VIO_INNER, .inner = let_in};
    vio->p.changes = changes;
}

void copy_start(struct copy *c)
{
    assert(loop_is_mine(c->lane->loop));
    assert(c->from_bytes % EXTENT_BYTES == 0 && c->to_bytes % EXTENT_BYTES == 0 &&
           c->length_bytes % EXTENT_BYTES == 0);
    assert(c->from->pool == c->to->pool && !volume_is_snapshot(c->to));
    c->copied_bytes = c->shared_bytes = 0;
    c->p = (struct copy_private){.rc = 0};
    copy_side_init(c, &c->p.guard, c->from, false, guard_on_let_in);
    copy_side_init(c, &c->p.into, c->to, true, into_on_let_in);
    copy_next(c);
}
