/* SPDX-License-Identifier: Apache-2.0 */
/* The writer: the one thread whose connection writes and checkpoints. It takes the jobs
 * that wait, runs each in a savepoint (alone it needs none), commits them together,
 * answers them, and folds and checkpoints between two transactions. */
#ifndef DB_WRITER_H
#define DB_WRITER_H

#include "db/checkpoint.h"
#include "db/fold.h"
#include "db/mirror.h"
#include "db/queue.h"
#include "db/txn.h"

struct writer {
    struct catalog_txn txn; /* the writer thread's while it runs */
    struct mirror *mirror;  /* NULL: none. Its connection is txn's */
    struct catalog_hooks hooks;
    bool raise_asked;       /* by a job of the group that is under way */
    int64_t raised_changes; /* rows that the connection had changed at the last one */
    struct job_queue queue;
    bool by_hand; /* no thread: writer_turn() */
    pthread_t thread;
    size_t expected;   /* jobs: as many as there were lately, and so may be again */
    int64_t commit_us; /* what the last commit took */
    struct checkpoint checkpoint;
    struct fold fold;
    int fold_rc; /* of its last step: it is tried again when there is nothing else to do
                  */
};

/* w->txn is open, in WAL mode, migrated, and has its overlay; by_hand and mirror are set.
 */
int writer_start(struct writer *w, struct err *e) MUST_CHECK;
/* What the thread does between two waits of at most wait_ms; what it found. */
enum queue_result writer_turn(struct writer *w, int wait_ms);
/* The work of a job that asks for what raise_devices does. */
int writer_ask_raise(struct catalog_txn *txn, struct catalog_job *job, struct err *e);
/* The same, if rows were changed since the last time. */
int writer_ask_raise_changed(struct catalog_txn *txn, struct catalog_job *job,
                             struct err *e);
/* There is something to fold, to checkpoint or to copy. */
bool writer_is_behind(const struct writer *w);
/* Ends the queued jobs, checkpoints all and ends the thread. Readers are closed by now.
 */
void writer_stop(struct writer *w);

#endif
