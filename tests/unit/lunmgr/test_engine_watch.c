/* SPDX-License-Identifier: Apache-2.0 */
/* The watch over an engine: what is late fails its device and is answered, what the
 * kernel still has keeps its memory. On the fake engine and a clock moved by hand. */
#include "lunmgr/engine_watch.h"

#include "lunmgr/device.h"
#include "tests/lib/fake_engine.h"
#include "tests/lib/hand_clock.h"

#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK      4096U
#define JOBS       4
#define TIMEOUT_MS 8000
#define TICK_NS    (TIMEOUT_MS / 4 * 1000000ULL)

struct job {
    struct engine_io io;
    struct iovec v;
    struct buf buf;
    bool in_submit, ended;
    int rc;
};

struct rig {
    struct loop *loop;
    struct buf_pool *buffers;
    struct fake_engine *fake;
    struct engine *watch;
    struct device good, bad;
    struct job jobs[JOBS];
};

static struct rig rig;

static int rig_setup(void **state)
{
    (void)state;
    memset(&rig, 0, sizeof(rig));
    rig.good.pool_name = rig.bad.pool_name = "p";
    atomic_init(&rig.good.references, 1);
    atomic_init(&rig.bad.references, 1);
    hand_clock_set(1);
    if (loop_create("watched", &rig.loop, NULL) != 0)
        return -1;
    rig.buffers = buf_pool_create(1U << 20);
    rig.fake = fake_engine_create(rig.loop, (size_t)64 * BLOCK);
    if (rig.buffers == NULL || rig.fake == NULL)
        return -1;
    return engine_watch_create(fake_engine_engine(rig.fake), rig.loop, rig.buffers,
                               TIMEOUT_MS, &rig.watch, NULL);
}

static int rig_teardown(void **state)
{
    (void)state;
    engine_destroy(rig.watch);
    for (unsigned i = 0; i < JOBS; i++)
        buf_put(rig.buffers, &rig.jobs[i].buf);
    buf_pool_destroy(rig.buffers);
    loop_destroy(rig.loop);
    hand_clock_set(0);
    return 0;
}

static void on_done(struct engine_io *io, int rc)
{
    struct job *job = container_of(io, struct job, io);
    assert_false(job->in_submit);
    assert_false(job->ended);
    job->ended = true;
    job->rc = rc;
}

/* The job's own blocks of the disk, all of them `fill`. */
static struct job *submit(unsigned number, enum engine_op op, struct device *device,
                          uint8_t fill)
{
    struct job *job = &rig.jobs[number];
    if (job->buf.base == NULL)
        assert_int_equal(buf_get(rig.buffers, BLOCK, &job->buf), 0);
    if (op == ENGINE_WRITE)
        memset(job->buf.base, fill, BLOCK);
    job->v = (struct iovec){.iov_base = job->buf.base, .iov_len = BLOCK};
    job->io = (struct engine_io){.op = op,
                                 .device = device,
                                 .offset_bytes = (uint64_t)number * BLOCK,
                                 .length_bytes = BLOCK,
                                 .iov = &job->v,
                                 .iov_count = op == ENGINE_SYNC ? 0 : 1,
                                 .done = on_done};
    job->ended = false;
    job->in_submit = true;
    engine_submit(rig.watch, &job->io);
    job->in_submit = false;
    return job;
}

static void turn(void)
{
    for (int i = 0; i < 3; i++)
        loop_run_once(rig.loop, false);
}

static void ticks(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        hand_clock_advance(TICK_NS);
        turn();
    }
}

static bool has_failed(const struct device *device)
{
    return atomic_load(&device->failed);
}

static void what_is_answered_in_time_is_passed_on(void **state)
{
    (void)state;
    struct job *write = submit(0, ENGINE_WRITE, &rig.good, 0x5a);
    struct job *sync = submit(1, ENGINE_SYNC, &rig.good, 0);
    turn();
    assert_true(write->ended && write->rc == 0);
    assert_true(sync->ended && sync->rc == 0);
    memset(write->buf.base, 0, BLOCK);
    struct job *read = submit(0, ENGINE_READ, &rig.good, 0);
    turn();
    assert_true(read->ended && read->rc == 0);
    assert_int_equal(read->buf.base[BLOCK - 1], 0x5a);
    fake_engine_fail(rig.fake, FAKE_READ, 1, -EIO, false);
    read = submit(0, ENGINE_READ, &rig.good, 0);
    turn();
    assert_true(read->ended && read->rc == -EIO);
    ticks(20);
    assert_false(has_failed(&rig.good));
}

static void a_late_one_fails_its_device_alone(void **state)
{
    (void)state;
    struct job *late = submit(0, ENGINE_READ, &rig.bad, 0);
    fake_engine_hold(rig.fake, FAKE_READ);
    ticks(3);
    struct job *with_it = submit(1, ENGINE_READ, &rig.bad, 0);
    struct job *other = submit(2, ENGINE_READ, &rig.good, 0);
    ticks(1);
    assert_false(late->ended);
    assert_false(has_failed(&rig.bad));
    ticks(1);
    assert_true(has_failed(&rig.bad));
    assert_true(late->ended && late->rc == -ETIMEDOUT);
    assert_true(with_it->ended && with_it->rc == -ETIMEDOUT);
    assert_false(other->ended);
    assert_false(has_failed(&rig.good));
    fake_engine_hold(rig.fake, 0);
    turn();
    assert_true(other->ended && other->rc == 0);
}

static void a_failed_device_is_asked_no_more(void **state)
{
    (void)state;
    device_fail(&rig.bad, "a test", EIO);
    uint64_t before = fake_engine_count(rig.fake, FAKE_ALL);
    for (unsigned i = 0; i < JOBS; i++)
        submit(i, (enum engine_op)i, &rig.bad, 0x77);
    turn();
    for (unsigned i = 0; i < JOBS; i++)
        assert_true(rig.jobs[i].ended && rig.jobs[i].rc == -EIO);
    assert_int_equal(fake_engine_count(rig.fake, FAKE_ALL), before);
}

static void what_is_under_way_when_a_device_fails_is_not_waited_for(void **state)
{
    (void)state;
    fake_engine_hold(rig.fake, FAKE_SYNC);
    struct job *sync = submit(0, ENGINE_SYNC, &rig.bad, 0);
    device_fail(&rig.bad, "a test", EIO);
    turn();
    assert_false(sync->ended);
    ticks(1);
    assert_true(sync->ended && sync->rc == -ETIMEDOUT);
    fake_engine_hold(rig.fake, 0);
    turn();
}

/* What the kernel has of a write stays as it was, whoever asks for memory meanwhile. */
static void its_memory_is_withheld_until_the_kernel_answers(void **state)
{
    (void)state;
    fake_engine_hold(rig.fake, FAKE_WRITE);
    struct job *late = submit(0, ENGINE_WRITE, &rig.bad, 0xaa);
    const uint8_t *lent = late->buf.base;
    ticks(5);
    assert_true(late->ended && late->rc == -ETIMEDOUT);
    assert_int_equal(rig.bad.references, 2);
    buf_put(rig.buffers, &late->buf);
    for (unsigned i = 1; i < JOBS; i++) {
        submit(i, ENGINE_WRITE, &rig.good, 0xbb);
        assert_ptr_not_equal(rig.jobs[i].buf.base, lent);
    }
    fake_engine_hold(rig.fake, 0);
    turn();
    assert_int_equal(fake_engine_disk(rig.fake)[0], 0xaa);
    assert_int_equal(fake_engine_disk(rig.fake)[BLOCK - 1], 0xaa);
    assert_int_equal(rig.bad.references, 1);
}

static void a_stopped_process_makes_no_disk_late(void **state)
{
    (void)state;
    fake_engine_hold(rig.fake, FAKE_READ);
    struct job *read = submit(0, ENGINE_READ, &rig.good, 0);
    hand_clock_advance(1000 * TICK_NS);
    turn();
    assert_false(read->ended);
    assert_false(has_failed(&rig.good));
    fake_engine_hold(rig.fake, 0);
    turn();
    assert_true(read->ended && read->rc == 0);
}

/* Timers and descriptors that the loop waits for. */
static int waits_for(void)
{
    return event_base_get_num_events(loop_base(rig.loop), EVENT_BASE_COUNT_ADDED);
}

static void it_rests_while_nothing_is_under_way(void **state)
{
    (void)state;
    int at_rest = waits_for();
    for (unsigned i = 0; i < 2; i++) {
        struct job *job = submit(0, ENGINE_READ, &rig.good, 0);
        assert_int_equal(waits_for(), at_rest + 1);
        turn();
        assert_true(job->ended);
        assert_int_equal(waits_for(), at_rest + 1);
        ticks(1);
        assert_int_equal(waits_for(), at_rest);
        ticks(20);
    }
    fake_engine_hold(rig.fake, FAKE_READ);
    struct job *late = submit(0, ENGINE_READ, &rig.bad, 0);
    ticks(4);
    assert_false(late->ended);
    ticks(1);
    assert_true(late->ended && late->rc == -ETIMEDOUT);
    ticks(1);
    assert_int_equal(waits_for(), at_rest);
    fake_engine_hold(rig.fake, 0);
    turn();
}

static void on_note(struct note *note)
{
    (void)note;
    fake_engine_hold(rig.fake, 0);
}

/* In the very turn whose tick finds it late: inboxes run after the ticks, then answers
 * come. */
static void an_answer_that_has_come_counts(void **state)
{
    (void)state;
    struct note note = {.run = on_note};
    fake_engine_hold(rig.fake, FAKE_READ);
    struct job *read = submit(0, ENGINE_READ, &rig.good, 0);
    ticks(4);
    loop_post(rig.loop, &note);
    ticks(1);
    assert_true(read->ended && read->rc == 0);
    assert_false(has_failed(&rig.good));
}

static void the_engine_is_told_of_a_device_in_memory(void **state)
{
    (void)state;
    submit(0, ENGINE_WRITE, &rig.good, 0x11);
    assert_int_equal(fake_engine_in_memory(rig.fake), 0);
    rig.good.way = DEVICE_IN_MEMORY;
    submit(1, ENGINE_WRITE, &rig.good, 0x22);
    submit(2, ENGINE_READ, &rig.good, 0);
    assert_int_equal(fake_engine_in_memory(rig.fake), 2);
    turn();
}

static void the_end_does_not_wait_for_the_kernel(void **state)
{
    (void)state;
    fake_engine_hold(rig.fake, FAKE_ALL);
    for (unsigned i = 0; i < JOBS; i++)
        submit(i, (enum engine_op)i, &rig.bad, 0x33);
    ticks(5);
    for (unsigned i = 0; i < JOBS; i++)
        assert_true(rig.jobs[i].ended);
} /* the rig is taken down */

int main(void)
{
#define ON(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        ON(what_is_answered_in_time_is_passed_on),
        ON(a_late_one_fails_its_device_alone),
        ON(a_failed_device_is_asked_no_more),
        ON(what_is_under_way_when_a_device_fails_is_not_waited_for),
        ON(its_memory_is_withheld_until_the_kernel_answers),
        ON(a_stopped_process_makes_no_disk_late),
        ON(it_rests_while_nothing_is_under_way),
        ON(an_answer_that_has_come_counts),
        ON(the_engine_is_told_of_a_device_in_memory),
        ON(the_end_does_not_wait_for_the_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
