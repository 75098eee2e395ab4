/* SPDX-License-Identifier: Apache-2.0 */
/* The disk engine where io_uring is refused: a few threads that make blocking calls. A
 * turn's I/Os are queued on the loop's thread and handed over under the mutex by the
 * loop's hook; answers come back through the loop's inbox, which wakes the loop once for
 * many. The workers touch only the queue and the I/Os that they took from it. A worker
 * whose I/O was given up is lost: another takes its place, and it ends when the kernel
 * lets it. */
#include "base/log.h"
#include "lunmgr/engine_kinds.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#define WORKER_COUNT 8 /* an engine: this many disk calls at once */

struct worker {
    struct threads_engine *engine;
    pthread_t thread;
    struct engine_io *io; /* under the mutex, as `lost` is; NULL: it has none */
    bool lost;
};

struct threads_engine {
    struct engine engine;
    struct loop *loop;
    struct loop_hook hook;
    struct engine_queue turn; /* submitted in this turn */
    unsigned turn_count;
    unsigned in_flight; /* submitted and not answered */
    struct worker *workers[WORKER_COUNT];
    unsigned worker_count;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wanted;
    struct engine_queue queue;
    unsigned idle_count; /* workers that wait */
    unsigned user_count; /* the engine, and each lost worker: the last one frees this */
    bool stopping;
};

static struct threads_engine *threads_of(struct engine *engine)
{
    return container_of(engine, struct threads_engine, engine);
}

static void threads_on_answer(struct note *note)
{
    struct engine_io *io = container_of(note, struct engine_io, note);
    if (!io->given_up)
        threads_of(io->owner)->in_flight--;
    io->done(io, io->rc);
}

static void threads_submit(struct engine *engine, struct engine_io *io)
{
    struct threads_engine *t = threads_of(engine);
    assert(loop_is_mine(t->loop));
    engine_io_begin(engine, io);
    io->note.run = threads_on_answer;
    atomic_store_explicit(&io->queued, true, memory_order_relaxed);
    engine_queue_push(&t->turn, io);
    t->turn_count++;
    t->in_flight++;
}

static bool threads_turn(struct loop_hook *hook)
{
    struct threads_engine *t = container_of(hook, struct threads_engine, hook);
    if (t->turn_count == 0)
        return false;
    pthread_mutex_lock(&t->mutex);
    engine_queue_move(&t->queue, &t->turn);
    unsigned wake_count = t->turn_count < t->idle_count ? t->turn_count : t->idle_count;
    pthread_mutex_unlock(&t->mutex);
    t->turn_count = 0;
    for (unsigned i = 0; i < wake_count; i++)
        pthread_cond_signal(&t->wanted);
    return true;
}

/* The next one; NULL: the engine stops, or the worker was lost with the last one. */
static struct engine_io *worker_take(struct worker *w)
{
    struct threads_engine *t = w->engine;
    pthread_mutex_lock(&t->mutex);
    struct engine_io *io = w->lost ? NULL : engine_queue_pop(&t->queue);
    while (io == NULL && !t->stopping && !w->lost) {
        t->idle_count++;
        pthread_cond_wait(&t->wanted, &t->mutex);
        t->idle_count--;
        io = engine_queue_pop(&t->queue);
    }
    w->io = io;
    if (io != NULL)
        atomic_store_explicit(&io->queued, false, memory_order_relaxed);
    pthread_mutex_unlock(&t->mutex);
    return io;
}

/* A lost worker's I/O is nobody's once the engine is gone. */
static void worker_answer(struct worker *w, struct engine_io *io)
{
    struct threads_engine *t = w->engine;
    pthread_mutex_lock(&t->mutex);
    w->io = NULL;
    if (!w->lost || !t->stopping)
        loop_post(t->loop, &io->note);
    pthread_mutex_unlock(&t->mutex);
}

static void threads_put(struct threads_engine *t)
{
    pthread_mutex_lock(&t->mutex);
    bool last = --t->user_count == 0;
    pthread_mutex_unlock(&t->mutex);
    if (!last)
        return;
    pthread_cond_destroy(&t->wanted);
    pthread_mutex_destroy(&t->mutex);
    free(t);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct engine_io *io = worker_take(w);
    while (io != NULL) {
        while (!engine_io_step(io, engine_io_call(io))) {
            /* the rest of a short one, or once more */
        }
        worker_answer(w, io);
        io = worker_take(w);
    }
    if (w->lost) {
        threads_put(w->engine);
        free(w);
    }
    return NULL;
}

/* Workers take no signals: those are the control thread's. */
static int worker_start(struct threads_engine *t, struct worker **out)
{
    struct worker *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return -ENOMEM;
    w->engine = t;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&w->thread, NULL, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        free(w);
    else
        *out = w;
    return -rc;
}

/* Under the mutex: the place of the worker that has the I/O. NULL: its answer is on its
 * way. */
static struct worker **worker_of(struct threads_engine *t, const struct engine_io *io)
{
    for (unsigned i = 0; i < t->worker_count; i++) {
        if (t->workers[i]->io == io)
            return &t->workers[i];
    }
    return NULL;
}

static void worker_replace(struct threads_engine *t, struct worker **place)
{
    int rc = worker_start(t, place);
    if (rc == 0)
        return;
    *place = t->workers[--t->worker_count];
    log_warning("a disk thread is lost", "loop=%s left=%u error=\"%s\"",
                loop_name(t->loop), t->worker_count, strerror(-rc));
}

static bool threads_give_up(struct engine *engine, struct engine_io *io)
{
    struct threads_engine *t = threads_of(engine);
    t->in_flight--;
    if (engine_queue_remove(&t->turn, io)) {
        t->turn_count--;
        return false;
    }
    pthread_mutex_lock(&t->mutex);
    bool had_begun = !engine_queue_remove(&t->queue, io);
    struct worker **place = had_begun ? worker_of(t, io) : NULL;
    if (place != NULL) {
        (*place)->lost = true;
        t->user_count++;
        pthread_detach((*place)->thread);
    }
    pthread_mutex_unlock(&t->mutex);
    io->given_up = had_begun;
    if (place != NULL)
        worker_replace(t, place);
    return had_begun;
}

static void threads_destroy(struct engine *engine)
{
    struct threads_engine *t = threads_of(engine);
    assert(t->in_flight == 0);
    loop_remove_hook(t->loop, &t->hook);
    pthread_mutex_lock(&t->mutex);
    t->stopping = true;
    pthread_mutex_unlock(&t->mutex);
    pthread_cond_broadcast(&t->wanted);
    for (unsigned i = 0; i < t->worker_count; i++) {
        pthread_join(t->workers[i]->thread, NULL);
        free(t->workers[i]);
    }
    threads_put(t);
}

static int threads_start(struct threads_engine *t)
{
    int rc = 0;
    while (rc == 0 && t->worker_count < WORKER_COUNT) {
        rc = worker_start(t, &t->workers[t->worker_count]);
        if (rc == 0)
            t->worker_count++;
    }
    return rc;
}

int engine_threads_create(struct loop *loop, struct engine **out, struct err *e)
{
    static const struct engine_ops ops = {
        .name = "threads",
        .submit = threads_submit,
        .give_up = threads_give_up,
        .destroy = threads_destroy,
    };
    struct threads_engine *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return err_oom(e);
    t->engine.ops = &ops;
    t->loop = loop;
    t->hook.turn = threads_turn;
    t->user_count = 1;
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->wanted, NULL);
    loop_add_hook(loop, &t->hook);
    int rc = threads_start(t);
    if (rc != 0) {
        threads_destroy(&t->engine);
        return err_set(e, rc, NULL, "disk threads: %s", strerror(-rc));
    }
    log_info("disk engine", "loop=%s engine=threads threads=%d", loop_name(loop),
             WORKER_COUNT);
    *out = &t->engine;
    return 0;
}
