/* SPDX-License-Identifier: Apache-2.0 */
/* While the clock is set by hand, a thread has done its work when it has been created, so
 * that the same seed is the same run. For programs that are linked with
 * -Wl,--wrap=pthread_create, and whose threads wait for nobody. */
#include "tests/lib/hand_clock.h"

#include <pthread.h>
#include <semaphore.h>

struct errand {
    void *(*start)(void *arg);
    void *arg;
    sem_t done;
};

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*start)(void *arg), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*start)(void *arg), void *arg);

static void *errand_run(void *arg)
{
    struct errand *errand = arg;
    void *result = errand->start(errand->arg);
    sem_post(&errand->done);
    return result;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                          void *(*start)(void *arg), void *arg)
{
    if (!hand_clock_is_set())
        return __real_pthread_create(thread, attr, start, arg);
    struct errand errand = {.start = start, .arg = arg};
    sem_init(&errand.done, 0, 0);
    int rc = __real_pthread_create(thread, attr, errand_run, &errand);
    while (rc == 0 && sem_wait(&errand.done) != 0)
        ; /* a signal */
    sem_destroy(&errand.done);
    return rc;
}
