/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of jobs: order, bounds, and how long a group waits for its last. */
#include "rig.h"

#include "db/queue.h"

#include <pthread.h>

#define AN_HOUR_US 3600000000LL

static struct job_queue queue;
static struct inbox inbox;
static struct catalog_job jobs[4];

static void on_done(struct catalog_job *job)
{
    (void)job;
}

static void nothing(void *arg)
{
    (void)arg;
}

static int setup(void **state)
{
    (void)state;
    job_queue_init(&queue);
    inbox_init(&inbox, nothing, NULL);
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
        jobs[i] = (struct catalog_job){.reply_to = &inbox, .done = on_done};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    job_queue_fini(&queue);
    return 0;
}

static void push(size_t count)
{
    for (size_t i = 0; i < count; i++)
        job_queue_push(&queue, &jobs[i]);
}

/* They are jobs[from] and those that follow. */
static void expect(struct note *first, size_t from, size_t count)
{
    for (size_t i = from; i < from + count; i++, first = first->next) {
        assert_non_null(first);
        assert_ptr_equal(job_of_note(first), &jobs[i]);
    }
    assert_null(first);
}

static void jobs_come_out_in_order_at_most_so_many(void **state)
{
    (void)state;
    struct note *first;
    push(4);
    assert_int_equal(job_queue_count(&queue), 4);
    assert_int_equal(job_queue_take(&queue, 3, QUEUE_FOREVER, &first), QUEUE_JOBS);
    expect(first, 0, 3);
    assert_int_equal(job_queue_count(&queue), 1);
    assert_int_equal(job_queue_take(&queue, 3, QUEUE_FOREVER, &first), QUEUE_JOBS);
    expect(first, 3, 1);
    assert_int_equal(job_queue_take(&queue, 3, 1, &first), QUEUE_IDLE);
    assert_null(first);
}

static void a_group_that_does_not_fill_goes_when_its_time_is_over(void **state)
{
    (void)state;
    struct note *first;
    push(2);
    assert_int_equal(job_queue_gather(&queue, 4, QUEUE_FOREVER, 3, 1000, &first),
                     QUEUE_JOBS);
    expect(first, 0, 2);
}

static void *push_all(void *arg)
{
    (void)arg;
    push(4);
    return NULL;
}

static void a_group_waits_for_its_last_and_no_longer(void **state)
{
    (void)state;
    struct note *first;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, push_all, NULL), 0);
    assert_int_equal(job_queue_gather(&queue, 4, QUEUE_FOREVER, 4, AN_HOUR_US, &first),
                     QUEUE_JOBS);
    pthread_join(thread, NULL);
    expect(first, 0, 4);
}

static void *close_it(void *arg)
{
    (void)arg;
    job_queue_close(&queue);
    return NULL;
}

static void a_closed_queue_waits_for_nobody(void **state)
{
    (void)state;
    struct note *first;
    pthread_t thread;
    push(1);
    assert_int_equal(pthread_create(&thread, NULL, close_it, NULL), 0);
    assert_int_equal(job_queue_gather(&queue, 4, QUEUE_FOREVER, 4, AN_HOUR_US, &first),
                     QUEUE_JOBS);
    pthread_join(thread, NULL);
    expect(first, 0, 1);
    assert_int_equal(job_queue_gather(&queue, 4, QUEUE_FOREVER, 4, AN_HOUR_US, &first),
                     QUEUE_CLOSED);
}

#define QUEUE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(jobs_come_out_in_order_at_most_so_many),
        QUEUE_TEST(a_group_that_does_not_fill_goes_when_its_time_is_over),
        QUEUE_TEST(a_group_waits_for_its_last_and_no_longer),
        QUEUE_TEST(a_closed_queue_waits_for_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
