/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog's life: lock, open, check, migrate, threads, jobs, close. Any thread hands
 * in jobs; open and close are main's. */
#include "db/catalog.h"

#include "db/lock.h"
#include "db/migrate.h"
#include "db/overlay.h"
#include "db/reader.h"
#include "db/rows_delta.h"
#include "db/writer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct catalog {
    int lock_fd;
    char path[CATALOG_PATH_MAX];
    struct overlay *overlay;
    struct writer writer;
    struct reader_pool readers;
};

/* ---- Open and close ---------------------------------------------------------------- */

static int dir_sync(const char *dir)
{
    AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) != 0 ? -errno : 0;
}

/* A log without its database means that the database was lost, not that there was none.
 */
static int file_refuse_orphan(const char *path, struct err *e)
{
    char log_path[CATALOG_PATH_MAX + 8];
    snprintf(log_path, sizeof(log_path), "%s-wal", path);
    if (access(path, F_OK) == 0 || access(log_path, F_OK) != 0)
        return 0;
    return err_set(e, -EUCLEAN, NULL, "%s is there but %s is not", log_path, path);
}

/* The file, empty if it is new, readable by its owner alone; SQLite gives the log the
 * same mode. */
static int file_prepare(const char *dir, const char *path, struct err *e)
{
    int rc = file_refuse_orphan(path, e);
    if (rc != 0)
        return rc;
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_set(e, -errno, NULL, "cannot open %s: %s", path,
                       strerrordesc_np(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(e, -EUCLEAN, NULL, "%s is not a file", path);
    if ((st.st_mode & 077) != 0 && fchmod(fd, 0600) != 0)
        return err_set(e, -errno, NULL, "cannot make %s private: %s", path,
                       strerrordesc_np(errno));
    rc = st.st_size == 0 ? dir_sync(dir) : 0;
    return rc == 0 ? 0 : err_set(e, rc, NULL, "cannot sync the directory %s", dir);
}

static int catalog_prepare(struct catalog *c, const char *dir, struct err *e)
{
    int rc = mirror_refuse_lost(c->writer.mirror, e);
    if (rc == 0)
        rc = file_prepare(dir, c->path, e);
    if (rc == 0)
        rc = txn_open_writer(&c->writer.txn, c->path, mirror_vfs(c->writer.mirror), e);
    if (rc == 0)
        rc = migrate_check(&c->writer.txn, c->path, e);
    if (rc == 0)
        rc = txn_start_wal(&c->writer.txn, e);
    if (rc == 0)
        rc = migrate_run(&c->writer.txn, c->path, e);
    return rc;
}

static int catalog_load_deltas(struct catalog *c, struct err *e)
{
    if (overlay_create(&c->overlay) != 0)
        return err_oom(e);
    c->writer.txn.overlay = c->overlay;
    return delta_rows_load(&c->writer.txn, c->overlay, e);
}

static int catalog_make_mirror(struct catalog *c, const struct catalog_options *options,
                               struct err *e)
{
    unsigned retry_ms =
        options->mirror_retry_ms == 0 ? MIRROR_RETRY_MS : options->mirror_retry_ms;
    if (options->mirror_dir == NULL)
        return 0;
    return mirror_create(c->path, options->mirror_dir, retry_ms, &c->writer.mirror, e);
}

/* Before the first commit. */
static int catalog_fill_mirror(struct catalog *c, struct err *e)
{
    struct box_row box;
    int rc = box_get(&c->writer.txn, &box, e);
    if (rc == 0)
        rc = mirror_begin(c->writer.mirror, &box, e);
    while (rc == 0 && mirror_is_copying(c->writer.mirror))
        mirror_step(c->writer.mirror);
    return rc;
}

static int catalog_start(struct catalog *c, const struct catalog_options *options,
                         struct err *e)
{
    c->writer.by_hand = c->readers.by_hand = options->by_hand;
    int length = snprintf(c->path, sizeof(c->path), "%s/catalog.db", options->dir);
    assert(length > 0 &&
           (size_t)length < sizeof(c->path)); /* the lock's name is longer */
    int rc = catalog_make_mirror(c, options, e);
    if (rc == 0)
        rc = catalog_prepare(c, options->dir, e);
    if (rc == 0)
        rc = catalog_fill_mirror(c, e);
    if (rc == 0)
        rc = catalog_load_deltas(c, e);
    if (rc == 0)
        rc =
            reader_pool_start(&c->readers, c->path, options->reader_count, c->overlay, e);
    if (rc != 0)
        return rc;
    rc = writer_start(&c->writer, e);
    if (rc != 0)
        reader_pool_stop(&c->readers);
    return rc;
}

int catalog_open(const struct catalog_options *options, struct catalog **out,
                 struct err *e)
{
    if (options->reader_count < 1 || options->reader_count > READERS_MAX)
        return err_set(e, -EINVAL, "reader_count", "must be 1 to %d", READERS_MAX);
    struct catalog *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return err_oom(e);
    int rc = lock_take(options->dir, e);
    c->lock_fd = rc;
    if (rc >= 0)
        rc = catalog_start(c, options, e);
    if (rc == 0) {
        *out = c;
        return 0;
    }
    txn_close(&c->writer.txn);
    mirror_destroy(c->writer.mirror);
    overlay_destroy(c->overlay);
    auto_close(&c->lock_fd);
    free(c);
    return rc;
}

void catalog_close(struct catalog *c)
{
    if (c == NULL)
        return;
    reader_pool_stop(&c->readers);
    writer_stop(&c->writer);
    txn_close(&c->writer.txn);
    mirror_destroy(c->writer.mirror);
    overlay_destroy(c->overlay);
    close(c->lock_fd);
    free(c);
}

/* ---- Mirror and devices ------------------------------------------------------------ */

void catalog_mirror(struct catalog *c, struct catalog_mirror_info *out)
{
    mirror_describe(c->writer.mirror, out);
}

void catalog_set_hooks(struct catalog *c, const struct catalog_hooks *hooks)
{
    const struct catalog_hooks none = {.arg = NULL};
    c->writer.hooks = hooks == NULL ? none : *hooks;
    mirror_watch(c->writer.mirror, c->writer.hooks.mirror_changed, c->writer.hooks.arg);
}

void catalog_raise(struct catalog *c, struct catalog_job *job)
{
    job->work = writer_ask_raise;
    catalog_write(c, job);
}

void catalog_raise_changed(struct catalog *c, struct catalog_job *job)
{
    job->work = writer_ask_raise_changed;
    catalog_write(c, job);
}

/* ---- Jobs -------------------------------------------------------------------------- */

void catalog_write(struct catalog *c, struct catalog_job *job)
{
    job_queue_push(&c->writer.queue, job);
}

void catalog_read(struct catalog *c, struct catalog_job *job)
{
    job_queue_push(&c->readers.queue, job);
}

bool catalog_turn_reader(struct catalog *c)
{
    return reader_pool_turn(&c->readers);
}

bool catalog_turn_writer(struct catalog *c, bool idle)
{
    bool behind = idle && writer_is_behind(&c->writer);
    if (!behind && job_queue_count(&c->writer.queue) == 0)
        return false;
    return writer_turn(&c->writer, 0) == QUEUE_JOBS;
}

/* A caller that waits has an inbox for this one job. */
struct wait_job {
    struct catalog_job job;
    struct inbox inbox;
    sem_t posted;
    catalog_work_fn work;
    void *arg;
};

static void wait_job_wake(void *arg)
{
    sem_post(arg);
}

static int wait_job_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct wait_job *w = container_of(job, struct wait_job, job);
    return w->work(txn, w->arg, e);
}

static void wait_job_done(struct catalog_job *job)
{
    (void)job; /* the waiter looks at rc and err */
}

static int wait_job_run(struct catalog *c,
                        void (*push)(struct catalog *c, struct catalog_job *job),
                        catalog_work_fn work, void *arg, struct err *e)
{
    struct wait_job w = {.work = work, .arg = arg};
    sem_init(&w.posted, 0, 0);
    inbox_init(&w.inbox, wait_job_wake, &w.posted);
    w.job.reply_to = &w.inbox;
    w.job.work = wait_job_work;
    w.job.done = wait_job_done;
    push(c, &w.job);
    while (c->writer.by_hand && inbox_is_empty(&w.inbox)) {
        reader_pool_turn(&c->readers);
        catalog_turn_writer(c, false);
    }
    while (sem_wait(&w.posted) != 0)
        assert(errno == EINTR);
    inbox_run(&w.inbox);
    sem_destroy(&w.posted);
    if (w.job.rc != 0 && e != NULL)
        *e = w.job.err;
    return w.job.rc;
}

int catalog_write_wait(struct catalog *c, catalog_work_fn work, void *arg, struct err *e)
{
    return wait_job_run(c, catalog_write, work, arg, e);
}

int catalog_raise_wait(struct catalog *c, struct err *e)
{
    return wait_job_run(c, catalog_raise, NULL, NULL, e);
}

int catalog_raise_changed_wait(struct catalog *c, struct err *e)
{
    return wait_job_run(c, catalog_raise_changed, NULL, NULL, e);
}

int catalog_read_wait(struct catalog *c, catalog_work_fn work, void *arg, struct err *e)
{
    return wait_job_run(c, catalog_read, work, arg, e);
}
