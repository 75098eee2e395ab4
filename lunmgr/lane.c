/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes: the in-flight set and the answers of a turn. */
#include "lunmgr/lane_priv.h"

#include "lunmgr/engine_watch.h"
#include "lunmgr/lunmgr_priv.h"

#include <assert.h>
#include <event2/event.h>
#include <malloc.h>
#include <stdlib.h>

#define LANE_KEPT_BYTES      (64U << 20) /* of free buffers, under load */
#define LANE_KEPT_IDLE_BYTES (8U << 20)  /* when others were not wanted for a while */
#define LANE_TRIM_S          2

/* ---- free buffers ---- */

static void lane_keep_fewer_soon(struct lane *lane)
{
    static const struct timeval soon = {.tv_sec = LANE_TRIM_S};
    if (buf_pool_kept_bytes(lane->buffers) > LANE_KEPT_IDLE_BYTES &&
        event_pending(lane->trim, EV_TIMEOUT, NULL) == 0)
        event_add(lane->trim, &soon);
}

static void lane_on_trim(evutil_socket_t fd, short what, void *arg)
{
    struct lane *lane = arg;
    (void)fd;
    (void)what;
    size_t before = buf_pool_kept_bytes(lane->buffers);
    buf_pool_trim(lane->buffers, LANE_KEPT_IDLE_BYTES);
    if (buf_pool_kept_bytes(lane->buffers) < before)
        malloc_trim(0);
}

/* ---- the turn ---- */

/* Answers may submit more, which may finish at once: those wait for the next call. */
static bool lane_turn(struct loop_hook *hook)
{
    struct lane *lane = container_of(hook, struct lane, hook);
    struct vio *vio = lane->finished;
    bool any = vio != NULL;
    lane->finished = lane->finished_last = NULL;
    while (vio != NULL) {
        struct vio *next = vio->p.next;
        vio->done(vio, vio->p.rc);
        vio = next;
    }
    lane_keep_fewer_soon(lane);
    return any;
}

/* ---- life ---- */

static int lane_make_disk_engine(struct lane *lane, enum engine_kind kind,
                                 struct engine **out, struct err *e)
{
    const struct lunmgr_options *o = &lane->manager->options;
    if (o->make_engine != NULL)
        return o->make_engine(o->make_engine_arg, lane->loop, out, e);
    return engine_create(kind, lane->loop, out, e);
}

static int lane_make_buffers(struct lane *lane, struct err *e)
{
    lane->buffers = buf_pool_create(LANE_KEPT_BYTES);
    lane->trim = event_new(loop_base(lane->loop), -1, 0, lane_on_trim, lane);
    return lane->buffers == NULL || lane->trim == NULL ? err_oom(e) : 0;
}

static int lane_make_engine(struct lane *lane, enum engine_kind kind, struct err *e)
{
    struct engine *inner;
    int rc = lane_make_disk_engine(lane, kind, &inner, e);
    if (rc != 0)
        return rc;
    return engine_watch_create(inner, lane->loop, lane->buffers,
                               lane->manager->options.io_timeout_ms, &lane->engine, e);
}

static void lane_free(struct lane *lane)
{
    grace_fini(lane);
    loop_remove_hook(lane->loop, &lane->hook);
    engine_destroy(lane->engine);
    if (lane->trim != NULL)
        event_free(lane->trim);
    buf_pool_destroy(lane->buffers);
    free(lane);
}

int lane_create(struct lunmgr *manager, struct loop *loop, enum engine_kind kind,
                struct lane **out, struct err *e)
{
    struct lane *lane = calloc(1, sizeof(*lane));
    if (lane == NULL)
        return err_oom(e);
    lane->manager = manager;
    lane->loop = loop;
    atomic_init(&lane->oldest, LANE_IDLE);
    int rc = lane_make_buffers(lane, e);
    /* The lane's hook before the engine's: what an answer submits goes out in the same
     * turn. */
    lane->hook.turn = lane_turn;
    loop_add_hook(loop, &lane->hook);
    if (rc == 0)
        rc = lane_make_engine(lane, kind, e);
    if (rc == 0)
        rc = grace_init(lane, e);
    if (rc == 0)
        rc = lunmgr_add_lane(manager, lane, e);
    if (rc != 0) {
        lane_free(lane);
        return rc;
    }
    *out = lane;
    return 0;
}

void lane_destroy(struct lane *lane)
{
    if (lane == NULL)
        return;
    assert(lane->first == NULL && lane->finished == NULL);
    lunmgr_remove_lane(lane->manager, lane);
    /* Its loop has stopped; fences that told it before wait for its word. */
    while (inbox_run(loop_inbox(lane->loop)))
        ;
    lane_free(lane);
}

struct buf_pool *lane_buffers(struct lane *lane)
{
    return lane->buffers;
}

struct engine *lane_engine(struct lane *lane)
{
    return lane->engine;
}

struct loop *lane_loop(struct lane *lane)
{
    return lane->loop;
}

void lane_enter(struct lane *lane, struct vio *vio)
{
    vio->p.epoch = lunmgr_epoch(lane->manager);
    vio->p.next = NULL;
    vio->p.prev = lane->last;
    if (lane->last != NULL) {
        lane->last->p.next = vio;
    } else {
        lane->first = vio;
        /* Published before any word is read: seq_cst. */
        atomic_store(&lane->oldest, vio->p.epoch);
    }
    lane->last = vio;
}

void lane_leave(struct lane *lane, struct vio *vio)
{
    if (vio->p.next != NULL)
        vio->p.next->p.prev = vio->p.prev;
    else
        lane->last = vio->p.prev;
    if (vio->p.prev != NULL) {
        vio->p.prev->p.next = vio->p.next;
        return;
    }
    lane->first = vio->p.next;
    atomic_store(&lane->oldest, lane->first == NULL ? LANE_IDLE : lane->first->p.epoch);
}

void lane_finish(struct lane *lane, struct vio *vio)
{
    vio->p.next = NULL;
    if (lane->finished_last != NULL)
        lane->finished_last->p.next = vio;
    else
        lane->finished = vio;
    lane->finished_last = vio;
}
