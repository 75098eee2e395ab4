/* SPDX-License-Identifier: Apache-2.0 */
/* The writer: the one thread whose connection writes and checkpoints. It takes the jobs
 * that wait, runs each in a savepoint, commits them together, answers them, and
 * checkpoints between two transactions. */
#ifndef DB_WRITER_H
#define DB_WRITER_H

#include "db/queue.h"
#include "db/txn.h"

struct writer {
    struct catalog_txn txn; /* the writer thread's while it runs */
    struct job_queue queue;
    pthread_t thread;
    /* Checkpointing, in pages of the log. */
    int log_pages;        /* after the last commit or checkpoint */
    int checkpoint_pages; /* log_pages when the last checkpoint was tried */
    bool behind;          /* there is something to checkpoint */
    int checkpoint_rc;    /* of the last one, so that a failure is logged once */
};

/* w->txn is open, in WAL mode and migrated. */
int writer_start(struct writer *w, struct err *e) MUST_CHECK;
/* Ends the queued jobs, checkpoints all and ends the thread. Readers are closed by now.
 */
void writer_stop(struct writer *w);

#endif
