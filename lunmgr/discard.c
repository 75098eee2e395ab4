/* SPDX-License-Identifier: Apache-2.0 */
/* Some runs, a pause, some more: a few at a time, so that they are never in the way of
 * what hosts do, and far apart enough that frees of several rounds come together. */
#include "lunmgr/discard.h"

#include "base/log.h"
#include "lunmgr/extent_set.h"
#include "lunmgr/lane_priv.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

static void discard_on_pause(evutil_socket_t fd, short what, void *arg);

int discard_init(struct pool *pool, struct err *e)
{
    pool->discard.pause =
        event_new(pool->manager->home_base, -1, 0, discard_on_pause, pool);
    return pool->discard.pause == NULL ? err_oom(e) : 0;
}

void discard_fini(struct pool *pool)
{
    struct discard *d = &pool->discard;
    assert(d->under_way == 0 && d->waiting_count == 0);
    if (d->pause != NULL)
        event_free(d->pause);
}

void discard_stop(struct pool *pool)
{
    pool->discard.is_stopped = true;
}

void discard_go_on(struct pool *pool)
{
    pool->discard.is_stopped = false;
}

/* ---- Waiting --------------------------------------------------------------------- */

static void discard_pause(struct pool *pool)
{
    struct timeval soon = {.tv_usec = DISCARD_PAUSE_MS * 1000};
    event_add(pool->discard.pause, &soon);
}

static enum discard_way device_discard_way(struct device *device)
{
    struct stat st;
    if (device->discard_way == DISCARD_UNKNOWN && fstat(device->fd, &st) == 0)
        device->discard_way = S_ISBLK(st.st_mode) ? DISCARD_TRIM : DISCARD_PUNCH;
    return device->discard_way;
}

static bool discard_is_wanted(struct pool *pool, struct device *device)
{
    return !pool->discard.is_stopped && !device_is_failed(device) &&
           !lunmgr_is_closing(pool->manager) &&
           device_discard_way(device) != DISCARD_NONE;
}

bool discard_add(struct pool *pool, place p)
{
    struct discard *d = &pool->discard;
    struct device *device = pool_device(pool, p);
    if (!discard_is_wanted(pool, device))
        return false;
    if (device->discards == NULL)
        device->discards = extent_set_create(alloc_extents(device->alloc));
    if (device->discards == NULL || !extent_set_add(device->discards, place_extent(p)))
        return false;
    d->waiting_count++;
    if (!d->is_busy) {
        d->is_busy = true;
        background_begin(pool);
        discard_pause(pool);
    }
    return true;
}

/* A run of those of the device that wait: how many. */
static uint64_t device_discard_take(struct device *device, uint64_t max, uint64_t *first)
{
    uint64_t count =
        device->discards == NULL ? 0 : extent_set_take(device->discards, max, first);
    device->pool->discard.waiting_count -= (size_t)count;
    return count;
}

/* A run of those that wait; NULL: there is none. */
static struct device *discard_take(struct pool *pool, uint64_t max, uint64_t *first,
                                   uint64_t *count)
{
    for (struct device *d = NULL; (d = pool_next_device(pool, d)) != NULL;) {
        *count = device_discard_take(d, max, first);
        if (*count > 0)
            return d;
    }
    return NULL;
}

static void release_run(struct device *device, uint64_t first, uint64_t count)
{
    space_aged(device, count);
    for (uint64_t i = 0; i < count; i++)
        alloc_release(device->alloc, first + i);
}

size_t discard_take_back(struct pool *pool, size_t max)
{
    size_t n = 0;
    uint64_t first, count;
    struct device *device;
    while (n < max && (device = discard_take(pool, max - n, &first, &count)) != NULL) {
        release_run(device, first, count);
        n += (size_t)count;
    }
    return n;
}

void discard_forget(struct pool *pool, struct device *device)
{
    uint64_t first, count;
    while ((count = device_discard_take(device, UINT64_MAX, &first)) > 0) {
        release_run(device, first, count);
        limbo_discarded(pool, (size_t)count);
    }
    extent_set_destroy(TAKE(device->discards));
}

bool discard_has_device(const struct pool *pool, const struct device *device)
{
    for (unsigned i = 0; i < DISCARD_RUNS_MAX; i++)
        if (pool->discard.runs[i].count > 0 && pool->discard.runs[i].device == device)
            return true;
    return false;
}

/* ---- Under way ------------------------------------------------------------------- */

static void discard_refused(struct discard_run *run, int rc)
{
    struct device *device = run->device;
    char path[CATALOG_PATH_MAX];
    bool never = rc == -EOPNOTSUPP || rc == -ENOTTY || rc == -EINVAL || rc == -ENOSYS;
    if (never && device->discard_way != DISCARD_NONE) {
        device->discard_way = DISCARD_NONE;
        log_info("freed space stays with the pool: the device does not take it back",
                 "pool=%s path=%s errno=%d", run->pool->name,
                 log_quote(path, sizeof(path), device->row.path), -rc);
    } else if (!never && !device->discard_failed) {
        device->discard_failed = true;
        log_warning("a device failed to take freed space back",
                    "pool=%s path=%s errno=%d", run->pool->name,
                    log_quote(path, sizeof(path), device->row.path), -rc);
    }
}

/* The last of some: the next after a pause, or all is done. */
static void discard_next(struct pool *pool)
{
    struct discard *d = &pool->discard;
    if (d->under_way > 0)
        return;
    if (d->waiting_count > 0) {
        discard_pause(pool);
        return;
    }
    d->is_busy = false;
    background_end(pool);
}

static void discard_ended(struct discard_run *run, int rc)
{
    struct pool *pool = run->pool;
    size_t count = (size_t)run->count;
    if (rc != 0)
        discard_refused(run, rc);
    release_run(run->device, run->first, run->count);
    run->count = 0;
    pool->discard.under_way--;
    limbo_discarded(pool, count);
    discard_next(pool);
}

static void discard_on_punched(struct engine_io *io, int rc)
{
    discard_ended(container_of(io, struct discard_run, io), rc);
}

static void discard_on_trimmed(struct note *note)
{
    struct discard_run *run = container_of(note, struct discard_run, note);
    discard_ended(run, run->rc);
}

/* There is no asynchronous call for it: a thread makes the one that blocks. */
static void *trim_thread(void *arg)
{
    struct discard_run *run = arg;
    uint64_t range[2] = {run->first * EXTENT_BYTES, run->count * EXTENT_BYTES};
    run->rc = ioctl(run->device->fd, BLKDISCARD, range) == 0 ? 0 : -errno;
    loop_post(lunmgr_home(run->pool->manager), &run->note);
    return NULL;
}

static void discard_trim(struct discard_run *run)
{
    pthread_t thread;
    pthread_attr_t attr;
    run->note.run = discard_on_trimmed;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    int rc = pthread_create(&thread, &attr, trim_thread, run);
    pthread_attr_destroy(&attr);
    if (rc == 0)
        return; /* the run is the thread's */
    run->rc = -rc;
    loop_post(lunmgr_home(run->pool->manager), &run->note);
}

static void discard_punch(struct discard_run *run)
{
    run->io = (struct engine_io){
        .op = ENGINE_PUNCH,
        .fd = run->device->fd,
        .device = run->device,
        .offset_bytes = run->first * EXTENT_BYTES,
        .length_bytes = run->count * EXTENT_BYTES,
        .done = discard_on_punched,
    };
    engine_submit(lunmgr_home_lane(run->pool->manager)->engine, &run->io);
}

/* False: nothing waits. */
static bool discard_start(struct pool *pool, struct discard_run *run)
{
    run->pool = pool;
    run->device = discard_take(pool, DISCARD_RUN_EXTENTS_MAX, &run->first, &run->count);
    if (run->device == NULL)
        return false;
    pool->discard.under_way++;
    if (device_discard_way(run->device) == DISCARD_TRIM)
        discard_trim(run);
    else
        discard_punch(run);
    return true;
}

/* All that waits is released as it is, where there is no use in it any more. */
static void discard_give_up(struct pool *pool)
{
    size_t count = discard_take_back(pool, SIZE_MAX);
    limbo_discarded(pool, count);
}

static void discard_on_pause(evutil_socket_t fd, short what, void *arg)
{
    struct pool *pool = arg;
    struct discard *d = &pool->discard;
    (void)fd;
    (void)what;
    bool wanted = false;
    for (struct device *at = NULL; (at = pool_next_device(pool, at)) != NULL;)
        wanted = wanted || discard_is_wanted(pool, at);
    if (!wanted)
        discard_give_up(pool);
    for (unsigned i = 0; i < DISCARD_RUNS_MAX && discard_start(pool, &d->runs[i]); i++)
        ;
    discard_next(pool);
}
