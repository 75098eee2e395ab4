/* SPDX-License-Identifier: Apache-2.0 */
/* The tests' own engine keeps its word: what other tests build on. */
#include "tests/lib/fake_engine.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK     4096U
#define JOB_COUNT 16

struct rig {
    struct loop *loop;
    struct fake_engine *fake;
    unsigned order[4 * JOB_COUNT]; /* of answers */
    unsigned answer_count;
};

struct job {
    struct engine_io io;
    struct rig *rig;
    struct iovec v;
    uint8_t data[2 * BLOCK];
    unsigned number;
    int rc;
};

static struct rig rig;
static struct job jobs[JOB_COUNT];

static int rig_setup(void **state)
{
    (void)state;
    memset(&rig, 0, sizeof(rig));
    memset(jobs, 0, sizeof(jobs));
    if (loop_create("fake", &rig.loop, NULL) != 0)
        return -1;
    rig.fake = fake_engine_create(rig.loop, (size_t)64 * BLOCK);
    return rig.fake == NULL ? -1 : 0;
}

static int rig_teardown(void **state)
{
    (void)state;
    engine_destroy(fake_engine_engine(rig.fake));
    loop_destroy(rig.loop);
    return 0;
}

static void job_done(struct engine_io *io, int rc)
{
    struct job *job = container_of(io, struct job, io);
    job->rc = rc;
    rig.order[rig.answer_count++] = job->number;
}

static void submit(unsigned number, enum engine_op op)
{
    struct job *job = &jobs[number];
    job->number = number;
    job->rc = 1;
    job->v = (struct iovec){.iov_base = job->data, .iov_len = sizeof(job->data)};
    job->io = (struct engine_io){.op = op,
                                 .offset_bytes = (uint64_t)number * sizeof(job->data),
                                 .length_bytes = sizeof(job->data),
                                 .iov = &job->v,
                                 .iov_count = 1,
                                 .done = job_done};
    engine_submit(fake_engine_engine(rig.fake), &job->io);
}

static void submit_all(enum engine_op op)
{
    rig.answer_count = 0;
    for (unsigned i = 0; i < JOB_COUNT; i++) {
        if (op == ENGINE_WRITE)
            memset(jobs[i].data, (int)i + 1, sizeof(jobs[i].data));
        submit(i, op);
    }
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    submit_all(ENGINE_WRITE);
    assert_int_equal(rig.answer_count, 0);
    loop_run_once(rig.loop, true);
    assert_int_equal(rig.answer_count, JOB_COUNT);
    memset(jobs[5].data, 0, sizeof(jobs[5].data));
    submit_all(ENGINE_READ);
    loop_run_once(rig.loop, true);
    for (unsigned i = 0; i < JOB_COUNT; i++) {
        assert_int_equal(jobs[i].rc, 0);
        assert_int_equal(jobs[i].data[2 * BLOCK - 1], i + 1);
    }
    submit(5, ENGINE_PUNCH);
    loop_run_once(rig.loop, true);
    assert_int_equal(fake_engine_disk(rig.fake)[10 * BLOCK], 0);
    assert_int_equal(fake_engine_disk(rig.fake)[12 * BLOCK], 7);
    assert_int_equal(fake_engine_count(rig.fake, FAKE_ALL), 2 * JOB_COUNT + 1);
}

static void nth_write_fails_half_done_and_no_other(void **state)
{
    (void)state;
    fake_engine_fail(rig.fake, FAKE_WRITE, 4, -ENOSPC, false);
    submit(15, ENGINE_SYNC); /* does not count */
    loop_run_once(rig.loop, true);
    submit_all(ENGINE_WRITE);
    assert_false(fake_engine_failed(rig.fake));
    loop_run_once(rig.loop, true);
    assert_true(fake_engine_failed(rig.fake));
    for (unsigned i = 0; i < JOB_COUNT; i++)
        assert_int_equal(jobs[i].rc, i == 3 ? -ENOSPC : 0);
    assert_int_equal(fake_engine_disk(rig.fake)[6 * BLOCK], 4);
    assert_int_equal(fake_engine_disk(rig.fake)[7 * BLOCK], 0);
}

static void sticky_failure_stays(void **state)
{
    (void)state;
    fake_engine_fail(rig.fake, FAKE_ALL, 10, -EIO, true);
    submit_all(ENGINE_READ);
    loop_run_once(rig.loop, true);
    for (unsigned i = 0; i < JOB_COUNT; i++)
        assert_int_equal(jobs[i].rc, i < 9 ? 0 : -EIO);
    fake_engine_fail(rig.fake, FAKE_ALL, 0, 0, false);
    submit_all(ENGINE_READ);
    loop_run_once(rig.loop, true);
    assert_int_equal(jobs[15].rc, 0);
}

static void held_ios_wait_until_let_go(void **state)
{
    (void)state;
    fake_engine_hold(rig.fake, FAKE_WRITE);
    submit_all(ENGINE_WRITE);
    loop_run_once(rig.loop, false);
    assert_int_equal(rig.answer_count, 0);
    assert_int_equal(fake_engine_disk(rig.fake)[0], 0);
    assert_int_equal(fake_engine_waiting(rig.fake, FAKE_WRITE), JOB_COUNT);
    assert_int_equal(fake_engine_waiting(rig.fake, FAKE_READ), 0);
    assert_true(fake_engine_let_go(rig.fake, FAKE_WRITE, 7));
    assert_false(fake_engine_let_go(rig.fake, FAKE_READ, 0));
    loop_run_once(rig.loop, true);
    assert_int_equal(rig.answer_count, 1);
    assert_int_equal(rig.order[0], 7);
    fake_engine_hold(rig.fake, 0);
    loop_run_once(rig.loop, true);
    assert_int_equal(rig.answer_count, JOB_COUNT);
}

static void shuffle_answers_all_in_the_same_other_order(void **state)
{
    (void)state;
    unsigned first[JOB_COUNT];
    fake_engine_shuffle(rig.fake, 99);
    submit_all(ENGINE_READ);
    loop_run_once(rig.loop, true);
    assert_int_equal(rig.answer_count, JOB_COUNT);
    memcpy(first, rig.order, sizeof(first));
    unsigned moved = 0;
    for (unsigned i = 0; i < JOB_COUNT; i++)
        moved += first[i] != i ? 1 : 0;
    assert_true(moved > 0);
    fake_engine_shuffle(rig.fake, 99);
    submit_all(ENGINE_READ);
    loop_run_once(rig.loop, true);
    assert_memory_equal(rig.order, first, sizeof(first));
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(what_was_written_is_read),
        WITH_RIG(nth_write_fails_half_done_and_no_other),
        WITH_RIG(sticky_failure_stays),
        WITH_RIG(held_ios_wait_until_let_go),
        WITH_RIG(shuffle_answers_all_in_the_same_other_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
