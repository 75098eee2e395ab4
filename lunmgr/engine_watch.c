/* SPDX-License-Identifier: Apache-2.0 */
/* An inner engine gets an I/O of the watch's own, a call, so that one given up can
 * outlive the I/O that it was made for. Age is counted in ticks, not read off a clock: a
 * process that was stopped for a while has not made its disks late. A tick only takes
 * note; calls are judged at the end of the turn, when the answers that had come are out
 * of the way. A device that may keep a submission waiting has threads of its own, so that
 * it keeps neither the loop nor other devices. */
#include "lunmgr/engine_watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "lunmgr/device.h"
#include "lunmgr/engine_kinds.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#define TICKS_MAX      4 /* the timeout, in ticks */
#define CALLS_KEPT_MAX 256

struct call {
    struct engine_io io; /* what the inner engine has */
    struct watch *watch;
    struct engine_io *asked; /* NULL: given up */
    struct device *device;   /* with a reference when it was given up */
    struct call *next, *prev;
    uint64_t tick; /* when it was last known not to be with the kernel */
    struct buf_loan loan;
    struct iovec iov[ENGINE_IOV_MAX];
};

/* In order of submission. */
struct calls {
    struct call *first, *last;
};

struct watch {
    struct engine engine;
    struct engine_ops ops; /* under the inner one's name */
    struct engine *inner;
    struct engine *blocking; /* for devices that block; NULL: none came yet */
    struct loop *loop;
    struct buf_pool *buffers;
    struct loop_hook hook;
    struct event *ticker; /* NULL: no timeout; it rests while nothing is under way */
    struct timeval every;
    uint64_t tick;
    bool is_ticking;
    bool has_ticked;
    struct calls under_way;
    struct calls given_up;
    struct engine_queue refused; /* to be answered at the end of the turn */
    struct call *kept;
    unsigned kept_count;
};

/* What the kernel had of engines that are gone, so that it is no leak: the program
 * ends. */
static struct call *left_behind;

static struct watch *watch_of(struct engine *engine)
{
    return container_of(engine, struct watch, engine);
}

/* ---- calls ---- */

static void calls_add(struct calls *list, struct call *c)
{
    c->next = NULL;
    c->prev = list->last;
    if (list->last != NULL)
        list->last->next = c;
    else
        list->first = c;
    list->last = c;
}

static void calls_remove(struct calls *list, struct call *c)
{
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        list->first = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    else
        list->last = c->prev;
}

static struct call *call_new(struct watch *w)
{
    struct call *c = w->kept;
    if (c == NULL)
        return malloc(sizeof(*c));
    w->kept = c->next;
    w->kept_count--;
    return c;
}

static void call_free(struct watch *w, struct call *c)
{
    if (w->kept_count == CALLS_KEPT_MAX) {
        free(c);
        return;
    }
    c->next = w->kept;
    w->kept = c;
    w->kept_count++;
}

static void answer(struct engine_io *asked, int rc)
{
    asked->rc = rc;
    asked->done(asked, rc);
}

static void call_on_done(struct engine_io *io, int rc)
{
    struct call *c = container_of(io, struct call, io);
    struct watch *w = c->watch;
    struct engine_io *asked = c->asked;
    calls_remove(asked != NULL ? &w->under_way : &w->given_up, c);
    if (asked == NULL) {
        buf_unlend(w->buffers, &c->loan);
        device_put(c->device);
    }
    call_free(w, c);
    if (asked == NULL)
        return;
    if (rc != 0) {
        device_count_error(asked->device, asked->op);
        device_fail_if_gone(asked->device);
    }
    answer(asked, rc);
}

/* What lies between its first and its last byte; of a SYNC or a PUNCH nothing. */
static void call_lend(struct call *c)
{
    uintptr_t first = UINTPTR_MAX, end = 0;
    for (int i = 0; i < c->asked->iov_count; i++) {
        uintptr_t base = (uintptr_t)c->asked->iov[i].iov_base;
        size_t bytes = c->asked->iov[i].iov_len;
        first = base < first ? base : first;
        end = base + bytes > end ? base + bytes : end;
    }
    c->loan.first = (const uint8_t *)first;
    c->loan.end = (const uint8_t *)end;
    buf_lend(c->watch->buffers, &c->loan);
}

static void call_give_up(struct call *c)
{
    struct watch *w = c->watch;
    struct engine_io *asked = c->asked;
    calls_remove(&w->under_way, c);
    if (c->io.owner->ops->give_up(c->io.owner, &c->io)) {
        calls_add(&w->given_up, c);
        call_lend(c);
        device_get(c->device);
        c->asked = NULL;
    } else {
        call_free(w, c);
    }
    device_count_error(asked->device, asked->op);
    answer(asked, -ETIMEDOUT);
}

/* ---- judging ---- */

static bool call_is_late(const struct watch *w, struct call *c)
{
    if (atomic_load_explicit(&c->io.queued, memory_order_relaxed))
        c->tick = w->tick;
    return w->tick - c->tick > TICKS_MAX;
}

static void watch_judge(struct watch *w)
{
    for (struct call *c = w->under_way.first; c != NULL; c = c->next) {
        if (call_is_late(w, c))
            device_fail(c->device, "no answer to an I/O", ETIMEDOUT);
    }
    struct call *next;
    for (struct call *c = w->under_way.first; c != NULL; c = next) {
        next = c->next;
        if (atomic_load(&c->device->failed))
            call_give_up(c);
    }
}

static bool watch_turn(struct loop_hook *hook)
{
    struct watch *w = container_of(hook, struct watch, hook);
    struct engine_queue refused = {.first = NULL};
    bool any = w->has_ticked || w->refused.first != NULL;
    if (w->has_ticked) {
        w->has_ticked = false;
        watch_judge(w);
    }
    engine_queue_move(&refused, &w->refused);
    struct engine_io *io;
    while ((io = engine_queue_pop(&refused)) != NULL)
        answer(io, -EIO);
    return any;
}

/* Without memory for the timer the next call tries again. */
static void watch_tick_later(struct watch *w)
{
    w->is_ticking = w->ticker != NULL && event_add(w->ticker, &w->every) == 0;
}

static void watch_on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct watch *w = arg;
    (void)fd;
    (void)what;
    w->tick++;
    w->has_ticked = true;
    w->is_ticking = false;
    if (w->under_way.first != NULL)
        watch_tick_later(w);
}

/* ---- the engine ---- */

/* Without threads of its own such a device takes its chance. */
static struct engine *watch_blocking(struct watch *w)
{
    struct err e = {.code = 0};
    char reason[ERR_TEXT_MAX];
    if (w->blocking == NULL && engine_threads_create(w->loop, &w->blocking, &e) != 0) {
        log_warning("no threads for a device that blocks", "loop=%s error=%s",
                    loop_name(w->loop), log_quote(reason, sizeof(reason), e.text));
        return w->inner;
    }
    return w->blocking;
}

static void watch_submit(struct engine *engine, struct engine_io *io)
{
    struct watch *w = watch_of(engine);
    struct device *device = io->device;
    if (device != NULL && atomic_load(&device->failed)) {
        engine_queue_push(&w->refused, io);
        return;
    }
    struct call *c = device == NULL ? NULL : call_new(w);
    if (c == NULL) { /* nobody's; or no memory, which must not fail a disk */
        engine_submit(w->inner, io);
        return;
    }
    c->watch = w;
    c->asked = io;
    c->device = device;
    c->tick = w->tick;
    c->io = (struct engine_io){
        .op = io->op,
        .fd = io->fd,
        .in_memory = device->way == DEVICE_IN_MEMORY,
        .offset_bytes = io->offset_bytes,
        .length_bytes = io->length_bytes,
        .iov = c->iov,
        .iov_count = io->iov_count,
        .done = call_on_done,
    };
    for (int i = 0; i < io->iov_count; i++)
        c->iov[i] = io->iov[i];
    calls_add(&w->under_way, c);
    if (!w->is_ticking)
        watch_tick_later(w);
    engine_submit(device->way == DEVICE_BLOCKS ? watch_blocking(w) : w->inner, &c->io);
}

static void watch_leave_behind(struct watch *w)
{
    unsigned count = 0;
    while (w->given_up.first != NULL) {
        struct call *c = w->given_up.first;
        calls_remove(&w->given_up, c);
        c->next = left_behind;
        left_behind = c;
        count++;
    }
    if (count > 0)
        log_warning("I/O of a failed device stays with the kernel", "loop=%s count=%u",
                    loop_name(w->loop), count);
}

static void watch_destroy(struct engine *engine)
{
    struct watch *w = watch_of(engine);
    assert(w->under_way.first == NULL && w->refused.first == NULL);
    watch_leave_behind(w);
    engine_destroy(w->inner);
    engine_destroy(w->blocking);
    loop_remove_hook(w->loop, &w->hook);
    if (w->ticker != NULL)
        event_free(w->ticker);
    while (w->kept != NULL) {
        struct call *c = w->kept;
        w->kept = c->next;
        free(c);
    }
    free(w);
}

static int watch_make_ticker(struct watch *w, unsigned timeout_ms, struct err *e)
{
    w->every = clock_span_ms(timeout_ms / TICKS_MAX);
    w->ticker = event_new(loop_base(w->loop), -1, 0, watch_on_tick, w);
    return w->ticker == NULL ? err_oom(e) : 0;
}

int engine_watch_create(struct engine *inner, struct loop *loop, struct buf_pool *buffers,
                        unsigned timeout_ms, struct engine **out, struct err *e)
{
    struct watch *w = calloc(1, sizeof(*w));
    if (w == NULL) {
        engine_destroy(inner);
        return err_oom(e);
    }
    w->ops = (struct engine_ops){
        .name = inner->ops->name, .submit = watch_submit, .destroy = watch_destroy};
    w->engine.ops = &w->ops;
    w->inner = inner;
    w->loop = loop;
    w->buffers = buffers;
    w->hook.turn = watch_turn;
    /* After the inner one's hook, which answers. */
    loop_add_hook(loop, &w->hook);
    int rc = timeout_ms == 0 ? 0 : watch_make_ticker(w, timeout_ms, e);
    if (rc != 0) {
        watch_destroy(&w->engine);
        return rc;
    }
    *out = &w->engine;
    return 0;
}
