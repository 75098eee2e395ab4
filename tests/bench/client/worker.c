/* SPDX-License-Identifier: Apache-2.0 */
/* epoll, level-triggered: what came is served and what follows from it is sent in the
 * same turn, so that a turn costs one wait however many commands it has. */
#include "tests/bench/client/worker.h"

#include "base/auto.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#define EVENTS_MAX  64
#define WAIT_MAX_NS INT64_C(1000000000)

static bool worker_ended(const struct worker *w)
{
    for (unsigned i = 0; i < w->count; i++)
        if (!session_ended(w->sessions[i]))
            return false;
    return true;
}

static int worker_watch(struct worker *w, int epoll, int op, unsigned i)
{
    struct epoll_event e = {.events = EPOLLIN | (w->armed[i] ? EPOLLOUT : 0U),
                            .data.u32 = i};
    return epoll_ctl(epoll, op, session_fd(w->sessions[i]), &e);
}

static void worker_serve(struct worker *w, int epoll, unsigned i, unsigned revents)
{
    struct session *s = w->sessions[i];
    if (session_ended(s))
        return;
    session_serve(s, revents);
    bool wants = !session_ended(s) && session_wants_out(s);
    if (wants == w->armed[i])
        return;
    w->armed[i] = wants;
    worker_watch(w, epoll, EPOLL_CTL_MOD, i);
}

/* Those whose commands are due. */
static void worker_pace(struct worker *w, int epoll)
{
    int64_t now = now_ns();
    for (unsigned i = 0; i < w->count; i++) {
        if (session_due_ns(w->sessions[i]) > now)
            continue;
        session_go(w->sessions[i], now);
        worker_serve(w, epoll, i, 0);
    }
}

static struct timespec worker_patience(const struct worker *w)
{
    int64_t due = INT64_MAX, now = now_ns();
    for (unsigned i = 0; w->run->o.rate != 0 && i < w->count; i++) {
        int64_t next = session_due_ns(w->sessions[i]);
        due = next < due ? next : due;
    }
    int64_t wait = due - now > WAIT_MAX_NS ? WAIT_MAX_NS : due - now;
    wait = wait < 0 ? 0 : wait;
    return (struct timespec){.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
}

static int worker_turn(struct worker *w, int epoll)
{
    struct epoll_event events[EVENTS_MAX];
    struct timespec patience = worker_patience(w);
    int n = epoll_pwait2(epoll, events, EVENTS_MAX, &patience, NULL);
    if (n < 0 && errno != EINTR)
        return -errno;
    for (int i = 0; i < n; i++)
        worker_serve(w, epoll, events[i].data.u32, events[i].events);
    if (w->run->o.rate != 0)
        worker_pace(w, epoll);
    else if (n == 0)
        for (unsigned i = 0; i < w->count; i++)
            worker_serve(w, epoll, i, 0);
    return 0;
}

static int worker_begin(struct worker *w, int epoll)
{
    for (unsigned i = 0; i < w->count; i++)
        if (worker_watch(w, epoll, EPOLL_CTL_ADD, i) != 0)
            return -errno;
    for (unsigned i = 0; i < w->count; i++) {
        session_go(w->sessions[i], now_ns());
        worker_serve(w, epoll, i, 0);
    }
    return 0;
}

void *worker_run(void *worker)
{
    struct worker *w = worker;
    AUTO_CLOSE int epoll = epoll_create1(EPOLL_CLOEXEC);
    prctl(PR_SET_TIMERSLACK, 1UL); /* a moment that is due is not late by 50 us */
    int rc = epoll < 0 ? -errno : worker_begin(w, epoll);
    while (rc == 0 && !worker_ended(w))
        rc = worker_turn(w, epoll);
    if (rc != 0)
        run_fail(w->run, "epoll", strerror(-rc));
    atomic_fetch_sub(w->live, 1);
    return NULL;
}
