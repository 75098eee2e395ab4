/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog asks on its writer's thread, which all commits wait for: so a disk that
 * does not answer is waited for on another thread, and fails as with any other I/O. */
#include "lunmgr/stamp.h"

#include "base/log.h"
#include "lunmgr/device.h"
#include "lunmgr/lunmgr_priv.h"

#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

void stamps_init(struct lunmgr *m)
{
    pthread_mutex_init(&m->stamps.lock, NULL);
}

void stamps_fini(struct lunmgr *m)
{
    assert(m->stamps.first == NULL);
    pthread_mutex_destroy(&m->stamps.lock);
}

void stamps_add(struct lunmgr *m, struct device *d)
{
    device_get(d);
    pthread_mutex_lock(&m->stamps.lock);
    d->next_stamped = m->stamps.first;
    m->stamps.first = d;
    pthread_mutex_unlock(&m->stamps.lock);
}

void stamps_remove(struct lunmgr *m, struct device *d)
{
    pthread_mutex_lock(&m->stamps.lock);
    struct device **at = &m->stamps.first;
    while (*at != NULL && *at != d)
        at = &(*at)->next_stamped;
    bool found = *at != NULL;
    if (found)
        *at = d->next_stamped;
    pthread_mutex_unlock(&m->stamps.lock);
    if (found)
        device_put(d);
}

/* With a reference; NULL: not in use. */
static struct device *stamps_find(struct lunmgr *m, uint32_t no)
{
    pthread_mutex_lock(&m->stamps.lock);
    struct device *d = m->stamps.first;
    while (d != NULL && d->row.no != no)
        d = d->next_stamped;
    if (d != NULL)
        device_get(d);
    pthread_mutex_unlock(&m->stamps.lock);
    return d;
}

static bool stamp_can(void *arg, uint32_t device_no)
{
    struct device *d = stamps_find(arg, device_no);
    bool can = d != NULL && !atomic_load(&d->failed);
    if (d != NULL)
        device_put(d);
    return can;
}

/* ---- One stamp, on a thread of its own ----------------------------------------------
 */

struct stamp {
    atomic_int users; /* who asked, and the thread */
    struct device *device;
    uint64_t generation;
    int rc;
    struct err err;
    sem_t done;
};

static void stamp_put(struct stamp *s)
{
    if (atomic_fetch_sub(&s->users, 1) > 1)
        return;
    device_put(s->device);
    sem_destroy(&s->done);
    free(s);
}

static int stamp_work(struct stamp *s)
{
    return device_superblock_set_generation(s->device, s->generation,
                                            s->device->manager->box_id, &s->err);
}

static void *stamp_main(void *arg)
{
    struct stamp *s = arg;
    s->rc = stamp_work(s);
    sem_post(&s->done);
    stamp_put(s);
    return NULL;
}

/* timeout_ms 0: as long as it takes. */
static int stamp_wait(struct stamp *s, unsigned timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += timeout_ms / 1000;
    int rc;
    do
        rc = timeout_ms == 0 ? sem_wait(&s->done) : sem_timedwait(&s->done, &until);
    while (rc != 0 && errno == EINTR);
    return rc == 0 ? s->rc : -ETIMEDOUT;
}

/* Without a thread as long as it takes, too. */
static int stamp_run(struct stamp *s, unsigned timeout_ms)
{
    pthread_t thread;
    atomic_store(&s->users, 2);
    if (pthread_create(&thread, NULL, stamp_main, s) != 0) {
        atomic_store(&s->users, 1);
        return stamp_work(s);
    }
    pthread_detach(thread);
    return stamp_wait(s, timeout_ms);
}

static int stamp_write(void *arg, uint32_t device_no, uint64_t generation)
{
    struct lunmgr *m = arg;
    struct device *d = stamps_find(m, device_no);
    if (d == NULL)
        return -ENODEV;
    struct stamp *s = calloc(1, sizeof(*s));
    if (s == NULL)
        log_fatal("out of memory for a superblock");
    s->device = d; /* the reference is the stamp's now */
    s->generation = generation;
    sem_init(&s->done, 0, 0);
    int rc = stamp_run(s, m->options.io_timeout_ms);
    if (rc == 0)
        d->row.generation = generation;
    else
        device_fail(d, "its superblock could not be written", -rc);
    stamp_put(s);
    return rc;
}

/* ---- What the catalog is given -------------------------------------------------------
 */

static void stamp_mirror_changed(void *arg)
{
    news_mirror_changed(arg);
}

void stamps_serve(struct lunmgr *m)
{
    const struct catalog_hooks hooks = {.arg = m,
                                        .can_stamp = stamp_can,
                                        .stamp = stamp_write,
                                        .mirror_changed = stamp_mirror_changed};
    catalog_set_hooks(m->options.catalog, &hooks);
}
