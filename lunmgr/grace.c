/* SPDX-License-Identifier: Apache-2.0 */
/* Looks that find nothing to give touch no waiter but for its time, so that many of them
 * are cheap; where a pool has space, as many go as find some, the oldest first. */
#include "lunmgr/grace.h"

#include "base/clock.h"
#include "lunmgr/extent_priv.h"
#include "lunmgr/lane_priv.h"
#include "lunmgr/lunmgr_priv.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>

static struct extent_io *waiter_of(struct grace_wait *wait)
{
    return container_of(wait, struct extent_io, wait.grace);
}

/* ---- The list -------------------------------------------------------------------- */

static void list_add(struct grace *g, struct grace_wait *wait)
{
    wait->next = NULL;
    if (g->first == NULL)
        g->first = wait;
    else
        g->last->next = wait;
    g->last = wait;
}

static struct grace_wait *list_take(struct grace *g)
{
    struct grace_wait *all = g->first;
    g->first = g->last = NULL;
    return all;
}

static void timer_set(struct lane *lane)
{
    static const struct timeval soon = {.tv_usec = GRACE_LOOK_MS * 1000};
    if (lane->grace.first != NULL)
        event_add(lane->grace.timer, &soon);
}

/* ---- Coming and going ------------------------------------------------------------ */

static bool may_wait(const struct extent_io *x)
{
    const struct vio *vio = x->vio;
    return vio->patient && !vio->p.given_up && !fence_is_up(&vio->volume->fence, vio);
}

/* The end of its command's time, which begins with its first wait. */
static int64_t grace_end_ms(struct vio *vio)
{
    if (vio->p.grace_end_ms == 0)
        vio->p.grace_end_ms =
            clock_coarse_ms() + (int64_t)vio->lane->manager->options.space_grace_ms;
    return vio->p.grace_end_ms;
}

bool grace_park(struct extent_io *x)
{
    struct vio *vio = x->vio;
    if (!may_wait(x) || clock_coarse_ms() >= grace_end_ms(vio))
        return false;
    if (x->kind == EXTENT_ATOMIC)
        extent_atomic_leave(x); /* what it has of the space that it needs */
    x->cell = NULL;             /* its leaf may be evicted meanwhile */
    bool alone = vio->lane->grace.first == NULL;
    list_add(&vio->lane->grace, &x->wait.grace);
    if (vio->p.waiting++ == 0) {
        atomic_fetch_add(&extent_pool(x)->waiting_writes, 1);
        news_space_waited_for(extent_pool(x));
    }
    vio_extent_parks(vio);
    if (alone)
        timer_set(vio->lane);
    return true;
}

static void waiter_leave(struct extent_io *x)
{
    assert(x->vio->p.waiting > 0);
    if (--x->vio->p.waiting == 0)
        atomic_fetch_sub(&extent_pool(x)->waiting_writes, 1);
}

static void waiter_fail(struct extent_io *x)
{
    waiter_leave(x);
    vio_extent_wakes(x->vio);
    extent_refuse(x);
}

/* ---- A look ---------------------------------------------------------------------- */

/* In flight: what is its top stays. */
static bool waiter_may_take(struct extent_io *x)
{
    if (!limbo_may_give(extent_pool(x)))
        return false;
    vio_extent_wakes(x->vio);
    bool left = space_is_left(extent_pool(x), extent_layer(x));
    vio_extent_parks(x->vio);
    return left;
}

static void waiter_look(struct extent_io *x, int64_t now_ms)
{
    if (now_ms >= x->vio->p.grace_end_ms) {
        waiter_fail(x);
    } else if (waiter_may_take(x)) {
        waiter_leave(x);
        extent_resume(x);
    } else {
        list_add(&x->vio->lane->grace, &x->wait.grace);
    }
}

static void grace_on_time(evutil_socket_t fd, short what, void *arg)
{
    struct lane *lane = arg;
    struct grace_wait *wait = list_take(&lane->grace);
    int64_t now_ms = clock_coarse_ms();
    (void)fd;
    (void)what;
    while (wait != NULL) {
        struct grace_wait *next = wait->next;
        waiter_look(waiter_of(wait), now_ms);
        wait = next;
    }
    timer_set(lane);
}

/* ---- Ending them ----------------------------------------------------------------- */

/* Of the command, or where that is NULL of the volume. */
static bool waits_for(const struct extent_io *x, const struct vio *vio,
                      const struct volume *volume)
{
    return vio != NULL ? x->vio == vio : x->vio->volume == volume;
}

static void grace_end(struct lane *lane, const struct vio *vio,
                      const struct volume *volume)
{
    struct grace ended = {.first = NULL};
    struct grace_wait *next;
    for (struct grace_wait *wait = list_take(&lane->grace); wait != NULL; wait = next) {
        next = wait->next;
        bool ends = waits_for(waiter_of(wait), vio, volume);
        list_add(ends ? &ended : &lane->grace, wait);
    }
    for (struct grace_wait *wait = ended.first; wait != NULL; wait = next) {
        next = wait->next;
        waiter_fail(waiter_of(wait));
    }
}

void grace_end_vio(struct vio *vio)
{
    if (vio->p.waiting > 0)
        grace_end(vio->lane, vio, NULL);
}

void grace_end_volume(struct lane *lane, const struct volume *volume)
{
    if (lane->grace.first != NULL)
        grace_end(lane, NULL, volume);
}

/* ---- A lane's -------------------------------------------------------------------- */

int grace_init(struct lane *lane, struct err *e)
{
    lane->grace = (struct grace){
        .timer = event_new(loop_base(lane->loop), -1, 0, grace_on_time, lane)};
    return lane->grace.timer == NULL ? err_oom(e) : 0;
}

void grace_fini(struct lane *lane)
{
    assert(lane->grace.first == NULL);
    if (lane->grace.timer != NULL)
        event_free(lane->grace.timer);
}
