/* SPDX-License-Identifier: Apache-2.0 */
/* An engine before the engine, and a fdatasync before the system call. */
#include "tests/bench/sync_timer.h"

#include "base/auto.h"
#include "tests/bench/bench_rig.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SYNCS_MAX 8          /* of one engine at once */
#define SPANS_MAX (1U << 20) /* later ones are counted, not kept */

struct timed {
    _Atomic uint64_t count, longest_ns;
};

static struct timed of_devices, of_catalog;
static struct io_span spans[SPANS_MAX];
static pthread_mutex_t spans_lock = PTHREAD_MUTEX_INITIALIZER;
static size_t span_count;

static void timed_add(struct timed *t, uint64_t began_ns)
{
    struct io_span span = {.began_ns = began_ns, .ended_ns = bench_now_ns()};
    uint64_t ns = span.ended_ns - began_ns;
    uint64_t longest = atomic_load(&t->longest_ns);
    while (ns > longest && !atomic_compare_exchange_weak(&t->longest_ns, &longest, ns))
        ;
    atomic_fetch_add(&t->count, 1);
    pthread_mutex_lock(&spans_lock);
    if (span_count < SPANS_MAX)
        spans[span_count++] = span;
    pthread_mutex_unlock(&spans_lock);
}

/* SQLite's. */
int fdatasync(int fd)
{
    uint64_t began_ns = bench_now_ns();
    int rc = (int)syscall(SYS_fdatasync, fd);
    timed_add(&of_catalog, began_ns);
    return rc;
}

/* ---- The engine ------------------------------------------------------------------ */

struct timed_sync {
    struct engine_io *io; /* NULL: free */
    void (*done)(struct engine_io *io, int rc);
    uint64_t began_ns;
};

/* An engine is its thread's alone, and a thread has one. */
static _Thread_local struct timed_sync syncs[SYNCS_MAX];

struct timed_engine {
    struct engine engine;
    struct engine *real;
};

static struct timed_sync *sync_of(const struct engine_io *io)
{
    for (size_t i = 0; i < ARRAY_LEN(syncs); i++)
        if (syncs[i].io == io)
            return &syncs[i];
    bench_die("sync_timer", "too many syncs at once");
}

static void on_synced(struct engine_io *io, int rc)
{
    struct timed_sync *sync = sync_of(io);
    timed_add(&of_devices, sync->began_ns);
    io->done = sync->done;
    sync->io = NULL;
    io->done(io, rc);
}

static void timed_submit(struct engine *engine, struct engine_io *io)
{
    struct timed_engine *t = container_of(engine, struct timed_engine, engine);
    if (io->op == ENGINE_SYNC) {
        *sync_of(NULL) =
            (struct timed_sync){.io = io, .done = io->done, .began_ns = bench_now_ns()};
        io->done = on_synced;
    }
    engine_submit(t->real, io);
}

static void timed_destroy(struct engine *engine)
{
    struct timed_engine *t = container_of(engine, struct timed_engine, engine);
    engine_destroy(t->real);
    free(t);
}

static const struct engine_ops timed_ops = {
    .name = "timed", .submit = timed_submit, .destroy = timed_destroy};

int sync_timer_engine(void *arg, struct loop *loop, struct engine **out, struct err *e)
{
    struct timed_engine *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return err_oom(e);
    t->engine.ops = &timed_ops;
    int rc = engine_create(*(const enum engine_kind *)arg, loop, &t->real, e);
    if (rc != 0)
        free(t);
    else
        *out = &t->engine;
    return rc;
}

/* ---- Reading --------------------------------------------------------------------- */

void sync_timer_reset(void)
{
    struct timed *all[] = {&of_devices, &of_catalog};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        atomic_store(&all[i]->count, 0);
        atomic_store(&all[i]->longest_ns, 0);
    }
}

void sync_timer_read(struct sync_times *device, struct sync_times *catalog)
{
    *device = (struct sync_times){.count = atomic_load(&of_devices.count),
                                  .longest_ns = atomic_load(&of_devices.longest_ns)};
    *catalog = (struct sync_times){.count = atomic_load(&of_catalog.count),
                                   .longest_ns = atomic_load(&of_catalog.longest_ns)};
}

uint64_t sync_timer_longest_in(const struct io_span *span)
{
    pthread_mutex_lock(&spans_lock);
    uint64_t longest = io_span_longest_in(span, spans, span_count);
    pthread_mutex_unlock(&spans_lock);
    return longest;
}
