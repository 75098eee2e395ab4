/* SPDX-License-Identifier: Apache-2.0 */
/* LOG SENSE of a unit: space and work as they are, in the units that VPD page B2h and the
 * capacity tell. What the pages look like is proto/log.h's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/be.h"
#include "tests/unit/target/exec_rig.h"

#include <pthread.h>
#include <string.h>

#define LOG_SENSE(r, page, subpage, pointer)                                             \
    RIG_RUN(r, 0x4d, 0, 0x40 | (page), subpage, 0, 0, pointer, 0, 255, 0)

static void space_is_told_in_sets_of_the_size_that_b2_tells(void **state)
{
    struct rig *r = *state;
    r->volume->used_extents = 5;
    r->volume->pool.free_extents = 0x1234;
    RIG_RUN(r, 0x12, 1, 0xb2, 0, 255, 0);
    rig_expect_good(r);
    assert_int_equal(r->volume->block_bytes << r->task.data_in[4], EXTENT_BYTES);
    LOG_SENSE(r, 0x0c, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, 28);
    assert_int_equal(be32_load(r->task.data_in + 8), 0x1234);
    assert_int_equal(r->task.data_in[12], 2); /* not dedicated */
    assert_int_equal(be32_load(r->task.data_in + 20), 5);
    assert_int_equal(r->task.data_in[24], 1); /* dedicated */
}

static void work_of_all_reactors_is_told_in_blocks(void **state)
{
    struct rig *r = *state;
    uint64_t block = r->volume->block_bytes;
    unit_count(r->unit, 0, false, &(struct unit_work){1, 3 * block, 100});
    unit_count(r->unit, 0, false, &(struct unit_work){1, 0, 10});
    unit_count(r->unit, 5, false, &(struct unit_work){1, block, 1});
    unit_count(r->unit, TARGET_REACTOR_MAX - 1, true,
               &(struct unit_work){4, 8 * block, 7});
    LOG_SENSE(r, 0x19, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, 96);
    const uint8_t *d = r->task.data_in + 8;
    assert_int_equal(be64_load(d), 3);
    assert_int_equal(be64_load(d + 8), 4);
    assert_int_equal(be64_load(d + 16), 8);
    assert_int_equal(be64_load(d + 24), 4);
    assert_int_equal(be64_load(d + 32), 111);
    assert_int_equal(be64_load(d + 40), 7);
}

static void log_sense_is_held_to_its_fields(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x4d, 0x01, 0x4c, 0, 0, 0, 0, 0, 255, 0); /* SP */
    rig_expect_cdb_field(r, 1);
    RIG_RUN(r, 0x4d, 0, 0x0c, 0, 0, 0, 0, 0, 255, 0); /* thresholds */
    rig_expect_cdb_field(r, 2);
    LOG_SENSE(r, 0x2f, 0, 0);
    rig_expect_cdb_field(r, 2);
    LOG_SENSE(r, 0x0c, 1, 0);
    rig_expect_cdb_field(r, 3);
    LOG_SENSE(r, 0x0c, 0, 3);
    rig_expect_cdb_field(r, 5);
    RIG_RUN(r, 0x4d, 0, 0x4c, 0, 0, 0, 2, 0, 8, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, 8);
    assert_int_equal(be16_load(r->task.data_in + 4), 2);
    RIG_RUN(r, 0x4d, 0, 0x4c, 0, 0, 0, 0, 0, 0, 0); /* an allocation length of 0 */
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, 0);
}

static void log_select_is_not_there(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x4c, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    rig_expect_sense(r, SENSE_INVALID_OPCODE);
}

#define ADDS 20000
struct adder {
    struct unit *unit;
    unsigned reactor;
};

static void *adder_run(void *arg)
{
    const struct adder *a = arg;
    for (unsigned i = 0; i < ADDS; i++)
        unit_count(a->unit, a->reactor, i % 2 == 0, &(struct unit_work){1, 512, 1});
    return NULL;
}

static void reactors_count_side_by_side_and_nothing_is_lost(void **state)
{
    struct rig *r = *state;
    struct adder adders[4];
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++) {
        adders[i] = (struct adder){r->unit, i};
        assert_int_equal(pthread_create(&threads[i], NULL, adder_run, &adders[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int write = 0; write < 2; write++) {
        struct unit_work sum = unit_work(r->unit, write != 0);
        assert_int_equal(sum.commands, 2 * ADDS);
        assert_int_equal(sum.bytes, 2 * ADDS * 512);
        assert_int_equal(sum.us, 2 * ADDS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_512(space_is_told_in_sets_of_the_size_that_b2_tells),
        ON_4096(space_is_told_in_sets_of_the_size_that_b2_tells),
        ON_512(work_of_all_reactors_is_told_in_blocks),
        ON_4096(work_of_all_reactors_is_told_in_blocks),
        ON_512(log_sense_is_held_to_its_fields),
        ON_512(log_select_is_not_there),
        ON_512(reactors_count_side_by_side_and_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
