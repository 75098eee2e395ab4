/* SPDX-License-Identifier: Apache-2.0 */
/* Raising, acknowledging, releasing. A lane learns of both by a note; between its note
 * and the acknowledgements of all others nothing of the lane's may be in flight. */
#include "lunmgr/fence.h"

#include "lunmgr/lane_priv.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/volume_io.h"
#include "lunmgr/volume_priv.h"

#include <assert.h>

static void fence_on_raise(struct note *note);
static void fence_on_release(struct note *note);

void fence_init(struct fence *f, struct lunmgr *manager)
{
    *f = (struct fence){.manager = manager};
    pthread_mutex_init(&f->lock, NULL);
    for (unsigned i = 0; i < LANE_MAX; i++)
        f->lanes[i].fence = f;
}

void fence_fini(struct fence *f)
{
    assert(f->active == NULL && f->queue == NULL);
    pthread_mutex_destroy(&f->lock);
}

/* Tells every lane. At least the pools' own lane is there. */
static void fence_tell(struct fence *f, void (*run)(struct note *note))
{
    struct lane *lanes[LANE_MAX];
    unsigned count = lunmgr_lock_lanes(f->manager, lanes);
    atomic_store(&f->acks_due, count);
    for (unsigned i = 0; i < count; i++) {
        struct fence_lane *fl = &f->lanes[lanes[i]->index];
        fl->lane = lanes[i];
        fl->note.run = run;
        loop_post(lanes[i]->loop, &fl->note);
    }
    lunmgr_unlock_lanes(f->manager);
}

/* From the raise to the last lane's release the volume stays, though its asker may have
 * been answered and it may be deleted meanwhile. */
static struct volume *fence_volume(struct fence *f)
{
    return container_of(f, struct volume, fence);
}

void fence_raise(struct fence *f, struct fence_wait *wait)
{
    wait->next = NULL;
    volume_get(fence_volume(f));
    pthread_mutex_lock(&f->lock);
    bool first = f->active == NULL;
    if (first) {
        f->active = wait;
    } else {
        struct fence_wait **link = &f->queue;
        while (*link != NULL)
            link = &(*link)->next;
        *link = wait;
    }
    pthread_mutex_unlock(&f->lock);
    if (first)
        fence_tell(f, fence_on_raise);
}

void fence_release(struct fence *f)
{
    fence_tell(f, fence_on_release);
}

static bool fence_last_ack(struct fence *f)
{
    unsigned before = atomic_fetch_sub(&f->acks_due, 1);
    assert(before > 0);
    return before == 1;
}

static void fence_ack_raise(struct fence_lane *fl)
{
    fl->owes_ack = false;
    struct fence *f = fl->fence;
    if (!fence_last_ack(f))
        return;
    pthread_mutex_lock(&f->lock);
    struct fence_wait *asker = f->active;
    pthread_mutex_unlock(&f->lock);
    inbox_post(asker->inbox, &asker->note);
}

/* What it waits for has ended. */
static void fence_ack_if_due(struct fence_lane *fl)
{
    uint32_t left = fl->kind == FENCE_ALL ? fl->commands : fl->changes;
    if (fl->owes_ack && left == 0)
        fence_ack_raise(fl);
}

static void fence_on_raise(struct note *note)
{
    struct fence_lane *fl = container_of(note, struct fence_lane, note);
    struct fence *f = fl->fence;
    pthread_mutex_lock(&f->lock);
    fl->kind = f->active->kind;
    pthread_mutex_unlock(&f->lock);
    fl->held = true;
    fl->owes_ack = true;
    grace_end_volume(fl->lane, fence_volume(f));
    fence_ack_if_due(fl);
}

/* The last lane to release hands on to the next asker. */
static void fence_ack_release(struct fence *f)
{
    if (!fence_last_ack(f))
        return;
    pthread_mutex_lock(&f->lock);
    f->active = f->queue;
    if (f->queue != NULL)
        f->queue = f->queue->next;
    bool more = f->active != NULL;
    pthread_mutex_unlock(&f->lock);
    if (more)
        fence_tell(f, fence_on_raise);
    volume_put(fence_volume(f)); /* its release has ended */
}

static void fence_on_release(struct note *note)
{
    struct fence_lane *fl = container_of(note, struct fence_lane, note);
    struct vio *vio = fl->parked;
    fl->held = false;
    fl->parked = fl->parked_last = NULL;
    while (vio != NULL) {
        struct vio *next = vio->p.next;
        vio_resume(vio);
        vio = next;
    }
    fence_ack_release(fl->fence); /* last: after it the next raise may come */
}

static bool fence_holds(const struct fence_lane *fl, const struct vio *vio)
{
    return fl->held && (fl->kind == FENCE_ALL || vio->p.changes);
}

bool fence_is_up(const struct fence *f, const struct vio *vio)
{
    return fence_holds(&f->lanes[vio->lane->index], vio);
}

static void fence_park(struct fence_lane *fl, struct vio *vio)
{
    vio->p.next = NULL;
    if (fl->parked == NULL)
        fl->parked = vio;
    else
        fl->parked_last->p.next = vio;
    fl->parked_last = vio;
}

bool fence_enter(struct fence *f, struct vio *vio)
{
    struct fence_lane *fl = &f->lanes[vio->lane->index];
    if (fence_holds(fl, vio)) {
        fence_park(fl, vio);
        return false;
    }
    fl->commands++;
    fl->changes += vio->p.changes;
    return true;
}

void fence_changed(struct fence *f, struct vio *vio)
{
    struct fence_lane *fl = &f->lanes[vio->lane->index];
    assert(fl->changes > 0);
    fl->changes--;
    fence_ack_if_due(fl);
}

void fence_leave(struct fence *f, struct vio *vio)
{
    struct fence_lane *fl = &f->lanes[vio->lane->index];
    assert(fl->commands > 0);
    fl->commands--;
    fence_ack_if_due(fl);
}

bool fence_step_aside(struct fence *f, struct vio *vio)
{
    struct fence_lane *fl = &f->lanes[vio->lane->index];
    if (!fence_holds(fl, vio) || vio->p.cursor_bytes == vio->offset_bytes)
        return false;
    fence_park(fl, vio);
    fl->changes--;
    fl->commands--;
    fence_ack_if_due(fl);
    return true;
}
