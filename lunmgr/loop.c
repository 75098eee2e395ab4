/* SPDX-License-Identifier: Apache-2.0 */
/* A thread's event loop. The libevent base is touched by the loop's own thread alone, so
 * libevent needs no locks (no evthread); other threads reach a loop through its inbox,
 * whose wake is an eventfd on the base. The eventfd is written only while the loop may be
 * asleep: the loop raises `asleep` and then looks at the inbox once more, a poster puts
 * its note in and then looks at `asleep`, all sequentially consistent, so at least one of
 * them sees the other. Only threads that loop_start makes get the loop's name, and they
 * block all signals: those are the control thread's. */
#include "lunmgr/loop.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#define NAME_BYTES      16 /* the kernel's, with NUL */
#define HOOK_ROUNDS_MAX 64 /* then sockets are looked at again */

struct loop {
    char name[NAME_BYTES];
    struct event_base *base;
    struct event *wake_event;
    int wake_fd;
    struct inbox inbox;
    atomic_uint posters; /* threads in inbox_post() */
    struct loop_hook *hooks;
    struct loop_hook *next_hook; /* to run next: a hook may remove any, itself too */
    bool busy;                   /* hooks had work left when the turn ended */
    atomic_bool asleep;          /* may be waiting: a post has to write wake_fd */
    atomic_bool stopping;
    atomic_bool running;
    bool started; /* thread is to be joined */
    pthread_t thread;
};

/* The loop whose turn runs on this thread. */
static _Thread_local struct loop *loop_here;

static void loop_wake(void *arg)
{
    struct loop *loop = arg;
    /* Awake on its own thread, it looks at the inbox before it waits. */
    if (loop_here == loop || !atomic_load(&loop->asleep))
        return;
    uint64_t one = 1;
    ssize_t n = write(loop->wake_fd, &one, sizeof(one));
    assert(n == (ssize_t)sizeof(one) || errno == EAGAIN); /* full: it is readable */
}

/* Edge-triggered, so the eventfd's count need not be taken back. */
static void loop_on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;
    (void)fd;
    (void)what;
    atomic_store(&loop->asleep, false);
}

static struct event_base *base_new(void)
{
    struct event_config *config = event_config_new();
    if (config == NULL)
        return NULL;
    struct event_base *base = NULL;
    if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0 &&
        event_config_require_features(config, EV_FEATURE_ET) == 0)
        base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static int loop_init(struct loop *loop, struct err *e)
{
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->wake_fd < 0)
        return err_set(e, -errno, NULL, "eventfd: %s", strerror(errno));
    loop->base = base_new();
    if (loop->base == NULL)
        return err_set(e, -EMFILE, NULL, "no event base: out of memory or descriptors");
    loop->wake_event = event_new(loop->base, loop->wake_fd, EV_READ | EV_ET | EV_PERSIST,
                                 loop_on_wake, loop);
    if (loop->wake_event == NULL || event_add(loop->wake_event, NULL) != 0)
        return err_oom(e);
    return 0;
}

int loop_create(const char *name, struct loop **out, struct err *e)
{
    assert(strlen(name) < NAME_BYTES);
    struct loop *loop = calloc(1, sizeof(*loop));
    if (loop == NULL)
        return err_oom(e);
    snprintf(loop->name, sizeof(loop->name), "%s", name);
    loop->wake_fd = -1;
    inbox_init(&loop->inbox, loop_wake, loop);
    inbox_count_posters(&loop->inbox, &loop->posters);
    int rc = loop_init(loop, e);
    if (rc != 0) {
        loop_destroy(loop);
        return rc;
    }
    *out = loop;
    return 0;
}

/* Rounds of all hooks until one does nothing. True if any hook did something. */
static bool loop_run_hooks(struct loop *loop)
{
    bool any = false;
    loop->busy = false;
    for (int round = 0; round < HOOK_ROUNDS_MAX; round++) {
        bool worked = false;
        for (struct loop_hook *hook = loop->hooks; hook != NULL; hook = loop->next_hook) {
            loop->next_hook = hook->next;
            worked |= hook->turn(hook);
        }
        if (!worked)
            return any;
        any = true;
    }
    loop->busy = true;
    return any;
}

/* Raises `asleep` if nothing speaks against waiting. */
static bool loop_falls_asleep(struct loop *loop)
{
    if (loop->busy)
        return false;
    atomic_store(&loop->asleep, true);
    if (inbox_is_empty(&loop->inbox) && !atomic_load(&loop->stopping))
        return true;
    atomic_store(&loop->asleep, false);
    return false;
}

static void loop_turn(struct loop *loop, bool wait)
{
    int flags = EVLOOP_ONCE;
    if (!wait || !loop_falls_asleep(loop))
        flags |= EVLOOP_NONBLOCK;
    int rc = event_base_loop(loop->base, flags);
    assert(rc != -1);
    atomic_store(&loop->asleep, false);
    inbox_run(&loop->inbox);
    loop_run_hooks(loop);
}

static void loop_enter(struct loop *loop)
{
    assert(loop_here == NULL);
    loop_here = loop;
    atomic_store(&loop->running, true);
}

static void loop_leave(struct loop *loop)
{
    loop_here = NULL;
    atomic_store(&loop->running, false);
}

void loop_run(struct loop *loop)
{
    loop_enter(loop);
    loop_run_hooks(loop); /* what was submitted before the loop ran */
    while (!atomic_load(&loop->stopping))
        loop_turn(loop, true);
    atomic_store(&loop->stopping, false);
    loop_leave(loop);
}

void loop_run_once(struct loop *loop, bool wait)
{
    loop_enter(loop);
    /* What was submitted between two turns may have been answered by this. */
    bool any = loop_run_hooks(loop);
    loop_turn(loop, wait && !any);
    loop_leave(loop);
}

static void *loop_main(void *arg)
{
    struct loop *loop = arg;
    pthread_setname_np(pthread_self(), loop->name);
    loop_run(loop);
    return NULL;
}

int loop_start(struct loop *loop, struct err *e)
{
    assert(!loop->started);
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    atomic_store(&loop->running, true); /* from now on it is nobody else's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&loop->thread, NULL, loop_main, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        atomic_store(&loop->running, false);
        return err_set(e, -rc, NULL, "thread %s: %s", loop->name, strerror(rc));
    }
    loop->started = true;
    return 0;
}

void loop_join(struct loop *loop)
{
    if (!loop->started)
        return;
    int rc = pthread_join(loop->thread, NULL);
    assert(rc == 0);
    loop->started = false;
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->stopping, true);
    loop_wake(loop);
}

void loop_destroy(struct loop *loop)
{
    if (loop == NULL)
        return;
    assert(!loop->started);
    assert(!atomic_load(&loop->running));
    /* Who posted the last note may not have woken us yet. */
    while (atomic_load_explicit(&loop->posters, memory_order_acquire) > 0)
        sched_yield();
    if (loop->wake_event != NULL)
        event_free(loop->wake_event);
    if (loop->base != NULL)
        event_base_free(loop->base);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    free(loop);
}

struct event_base *loop_base(struct loop *loop)
{
    assert(loop_is_mine(loop));
    return loop->base;
}

void loop_add_hook(struct loop *loop, struct loop_hook *hook)
{
    assert(loop_is_mine(loop));
    struct loop_hook **at = &loop->hooks;
    while (*at != NULL)
        at = &(*at)->next;
    hook->next = NULL;
    *at = hook;
}

void loop_remove_hook(struct loop *loop, struct loop_hook *hook)
{
    assert(loop_is_mine(loop));
    struct loop_hook **at = &loop->hooks;
    while (*at != hook) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    *at = hook->next;
    if (loop->next_hook == hook)
        loop->next_hook = hook->next;
}

struct inbox *loop_inbox(struct loop *loop)
{
    return &loop->inbox;
}

void loop_post(struct loop *loop, struct note *note)
{
    inbox_post(&loop->inbox, note);
}

bool loop_is_mine(struct loop *loop)
{
    return loop_here == loop || !atomic_load(&loop->running);
}

const char *loop_name(const struct loop *loop)
{
    return loop->name;
}
