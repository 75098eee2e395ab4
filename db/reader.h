/* SPDX-License-Identifier: Apache-2.0 */
/* Reader threads: each has a read-only connection and takes one job at a time from the
 * queue that they share. A job sees one snapshot: what was committed when it began. */
#ifndef DB_READER_H
#define DB_READER_H

#include "db/queue.h"
#include "db/txn.h"

struct reader {
    struct catalog_txn txn; /* the thread's while it runs */
    struct job_queue *queue;
    pthread_t thread;
};

struct reader_pool {
    struct job_queue queue;
    struct reader readers[READERS_MAX];
    unsigned count;
    bool by_hand; /* no threads: reader_pool_turn() */
};

/* 1 to READERS_MAX readers of the catalog at path. */
int reader_pool_start(struct reader_pool *pool, const char *path, unsigned count,
                      struct overlay *overlay, struct err *e) MUST_CHECK;
/* By hand: one job, on the first reader. False: there is none. */
bool reader_pool_turn(struct reader_pool *pool);
/* Ends the queued jobs, the threads and the connections. */
void reader_pool_stop(struct reader_pool *pool);

#endif
