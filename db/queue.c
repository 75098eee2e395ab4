/* SPDX-License-Identifier: Apache-2.0 */
/* A list under a mutex. The job's own note links it, here as well as in the inbox that it
 * is answered through: it is never in both. */
#include "db/queue.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

void job_queue_init(struct job_queue *q)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&q->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&q->mutex, NULL);
    q->first = NULL;
    q->last_next = &q->first;
    q->count = 0;
    q->wanted = 1;
    q->closed = false;
}

void job_queue_fini(struct job_queue *q)
{
    assert(q->first == NULL);
    pthread_mutex_destroy(&q->mutex);
    pthread_cond_destroy(&q->changed);
}

void job_queue_push(struct job_queue *q, struct catalog_job *job)
{
    assert(job->reply_to != NULL && job->done != NULL);
    job->note.next = NULL;
    pthread_mutex_lock(&q->mutex);
    assert(!q->closed);
    *q->last_next = &job->note;
    q->last_next = &job->note.next;
    if (++q->count >= q->wanted)
        pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->mutex);
}

size_t job_queue_count(struct job_queue *q)
{
    pthread_mutex_lock(&q->mutex);
    size_t count = q->count;
    pthread_mutex_unlock(&q->mutex);
    return count;
}

bool job_queue_is_closed(struct job_queue *q)
{
    pthread_mutex_lock(&q->mutex);
    bool closed = q->closed;
    pthread_mutex_unlock(&q->mutex);
    return closed;
}

void job_queue_close(struct job_queue *q)
{
    pthread_mutex_lock(&q->mutex);
    q->closed = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->mutex);
}

static struct timespec deadline_in(int64_t wait_us)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += wait_us / 1000000;
    at.tv_nsec += (long)(wait_us % 1000000) * 1000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

/* With the mutex held, until there are so many jobs, or for so long, or until the queue
 * is closed. */
static void queue_wait(struct job_queue *q, size_t wanted, int64_t wait_us)
{
    struct timespec deadline = deadline_in(wait_us < 0 ? 0 : wait_us);
    int rc = wait_us == 0 ? ETIMEDOUT : 0; /* the clock is not asked then */
    q->wanted = wanted;
    while (q->count < wanted && !q->closed && rc != ETIMEDOUT) {
        if (wait_us < 0)
            pthread_cond_wait(&q->changed, &q->mutex);
        else
            rc = pthread_cond_timedwait(&q->changed, &q->mutex, &deadline);
    }
    q->wanted = 1;
}

static struct note *queue_cut(struct job_queue *q, size_t max)
{
    struct note *first = q->first;
    struct note *last = first;
    size_t taken = 1;
    for (; taken < max && last->next != NULL; taken++)
        last = last->next;
    q->first = last->next;
    q->count -= taken;
    if (q->first == NULL)
        q->last_next = &q->first;
    last->next = NULL;
    return first;
}

enum queue_result job_queue_gather(struct job_queue *q, size_t max, int wait_ms,
                                   size_t wanted, int64_t wait_us, struct note **first)
{
    enum queue_result result = QUEUE_JOBS;
    *first = NULL;
    pthread_mutex_lock(&q->mutex);
    queue_wait(q, 1, wait_ms < 0 ? QUEUE_FOREVER : INT64_C(1000) * wait_ms);
    if (q->count > 0) {
        queue_wait(q, wanted, wait_us);
        *first = queue_cut(q, max);
    } else {
        result = q->closed ? QUEUE_CLOSED : QUEUE_IDLE;
    }
    pthread_mutex_unlock(&q->mutex);
    return result;
}

enum queue_result job_queue_take(struct job_queue *q, size_t max, int wait_ms,
                                 struct note **first)
{
    return job_queue_gather(q, max, wait_ms, 1, 0, first);
}

static void job_run_done(struct note *note)
{
    struct catalog_job *job = job_of_note(note);
    job->done(job);
}

void job_answer(struct catalog_job *job)
{
    job->note.run = job_run_done;
    inbox_post(job->reply_to, &job->note);
}

void job_work(struct catalog_job *job, struct catalog_txn *txn)
{
    job->rc = job->work(txn, job, &job->err);
    if (job->rc >= 0 || job->err.code != 0)
        return;
    const char *text = strerrordesc_np(-job->rc);
    (void)err_set(&job->err, job->rc, NULL, "%s", text == NULL ? "unknown error" : text);
}

int db_thread_start(pthread_t *thread, const char *name, void *(*main_fn)(void *),
                    void *arg, struct err *e)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(thread, NULL, main_fn, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return err_set(e, -rc, NULL, "cannot start a catalog thread: %s",
                       strerrordesc_np(rc));
    pthread_setname_np(*thread, name);
    return 0;
}
