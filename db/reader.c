/* SPDX-License-Identifier: Apache-2.0 */
/* Each job is one read transaction, left again before the job is answered, so that no
 * reader holds the log back while it has nothing to do. */
#include "db/reader.h"

#include "db/overlay.h"

#include <assert.h>

static void reader_run_job(struct reader *r, struct catalog_job *job)
{
    job->err = (struct err){0};
    job->rc = txn_exec(&r->txn, "BEGIN", &job->err);
    if (job->rc == 0)
        job_work(job, &r->txn);
    txn_rollback(&r->txn);
    overlay_destroy(TAKE(r->txn.own_overlay));
    job_answer(job);
}

static void *reader_main(void *arg)
{
    struct reader *r = arg;
    struct note *first = NULL;
    while (job_queue_take(r->queue, 1, QUEUE_FOREVER, &first) == QUEUE_JOBS)
        reader_run_job(r, job_of_note(first));
    return NULL;
}

static int reader_start(struct reader_pool *pool, struct reader *r, const char *path,
                        struct overlay *overlay, struct err *e)
{
    r->queue = &pool->queue;
    int rc = txn_open_reader(&r->txn, path, e);
    r->txn.overlay = overlay;
    if (rc != 0 || pool->by_hand)
        return rc;
    rc = db_thread_start(&r->thread, "catalog-read", reader_main, r, e);
    if (rc != 0)
        txn_close(&r->txn);
    return rc;
}

int reader_pool_start(struct reader_pool *pool, const char *path, unsigned count,
                      struct overlay *overlay, struct err *e)
{
    assert(count >= 1 && count <= READERS_MAX);
    job_queue_init(&pool->queue);
    for (pool->count = 0; pool->count < count; pool->count++) {
        int rc = reader_start(pool, &pool->readers[pool->count], path, overlay, e);
        if (rc != 0) {
            reader_pool_stop(pool);
            return rc;
        }
    }
    return 0;
}

bool reader_pool_turn(struct reader_pool *pool)
{
    struct note *first = NULL;
    if (job_queue_take(&pool->queue, 1, 0, &first) != QUEUE_JOBS)
        return false;
    reader_run_job(&pool->readers[0], job_of_note(first));
    return true;
}

void reader_pool_stop(struct reader_pool *pool)
{
    job_queue_close(&pool->queue);
    while (pool->by_hand && reader_pool_turn(pool))
        ;
    for (unsigned i = 0; i < pool->count; i++) {
        if (!pool->by_hand)
            pthread_join(pool->readers[i].thread, NULL);
        txn_close(&pool->readers[i].txn);
    }
    pool->count = 0;
    job_queue_fini(&pool->queue);
}
