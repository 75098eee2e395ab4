/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that wait for a db thread: any thread pushes, one or more db threads take. Short
 * critical sections under a mutex; nothing is ever dropped. Also how db threads start and
 * how a job's answer goes home. */
#ifndef DB_QUEUE_H
#define DB_QUEUE_H

#include "db/catalog.h"

#include <pthread.h>

struct job_queue {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct note *first, **last_next;
    size_t count;
    size_t wanted; /* so many wake a taker */
    bool closed;
};

#define QUEUE_FOREVER (-1)
enum queue_result { QUEUE_JOBS, QUEUE_IDLE, QUEUE_CLOSED };

void job_queue_init(struct job_queue *q);
void job_queue_fini(struct job_queue *q);
/* Any thread, until job_queue_close(). */
void job_queue_push(struct job_queue *q, struct catalog_job *job);
/* No more jobs will come; takers empty the queue, then get QUEUE_CLOSED. */
void job_queue_close(struct job_queue *q);
/* Waits until there are jobs, or up to wait_ms. *first: up to `max` jobs in order of
 * pushing, linked by note.next. */
enum queue_result job_queue_take(struct job_queue *q, size_t max, int wait_ms,
                                 struct note **first);
/* The same, and when there are jobs, gives them up to wait_us to become `wanted`. By the
 * only taker. */
enum queue_result job_queue_gather(struct job_queue *q, size_t max, int wait_ms,
                                   size_t wanted, int64_t wait_us, struct note **first);
size_t job_queue_count(struct job_queue *q);
bool job_queue_is_closed(struct job_queue *q);

static inline struct catalog_job *job_of_note(struct note *note)
{
    return container_of(note, struct catalog_job, note);
}

/* Sends the job, with rc and err set, to its done(). It is no longer ours. */
void job_answer(struct catalog_job *job);
/* Runs job->work; job->rc and job->err are set, err also where work left it empty. */
void job_work(struct catalog_job *job, struct catalog_txn *txn);

/* A thread that no signal is delivered to. */
int db_thread_start(pthread_t *thread, const char *name, void *(*main_fn)(void *),
                    void *arg, struct err *e) MUST_CHECK;

#endif
