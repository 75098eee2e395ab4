/* SPDX-License-Identifier: Apache-2.0 */
/* Book of a write's data: immediate, unasked, asked for by R2T. */
#include "target/task_flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define KIB 1024U

static const struct params four_kib_first = {
    .first_burst_bytes = 4 * KIB,
    .max_burst_bytes = 16 * KIB,
    .max_outstanding_r2t = 2,
    .immediate_data = true,
};

static struct task write_task(uint32_t bytes)
{
    return (struct task){.itt = 7, .expected_out_bytes = bytes, .data_out_bytes = bytes};
}

static struct data_out next_out(const struct task *t, uint32_t ttt, uint32_t bytes,
                                bool final)
{
    return (struct data_out){.ttt = ttt,
                             .itt = t->itt,
                             .final = final,
                             .data_sn = t->out.data_sn,
                             .buffer_offset = t->out.at_bytes,
                             .data_bytes = bytes};
}

/* It is the next one, and is taken. */
static void take(struct task *t, const struct params *p, uint32_t ttt, uint32_t bytes,
                 bool final)
{
    struct data_out m = next_out(t, ttt, bytes, final);
    assert_true(data_is_next(t, p, &m));
    data_take(t, bytes, final);
}

static void unsolicited_data_keeps_the_rules(void **state)
{
    struct params p = four_kib_first;
    struct task t = write_task(64 * KIB);
    struct task read = {.expected_in_bytes = KIB};
    (void)state;
    assert_int_equal(data_check_command(&t, &p, 4 * KIB, true), SENSE_NONE);
    assert_int_equal(data_check_command(&t, &p, 4 * KIB + 1, true),
                     SENSE_UNEXPECTED_UNSOLICITED);
    assert_int_equal(data_check_command(&t, &p, 0, false), SENSE_NONE);
    assert_int_equal(data_check_command(&read, &p, 1, true),
                     SENSE_UNEXPECTED_UNSOLICITED);
    p.initial_r2t = true;
    assert_int_equal(data_check_command(&t, &p, 0, false), SENSE_UNEXPECTED_UNSOLICITED);
    p.immediate_data = false;
    assert_int_equal(data_check_command(&t, &p, 1, true), SENSE_UNEXPECTED_UNSOLICITED);
}

static void r2ts_ask_for_the_rest_in_bursts(void **state)
{
    const struct params *p = &four_kib_first;
    struct task t = write_task(40 * KIB);
    struct r2t r2t;
    (void)state;
    data_init(&t, 4 * KIB, true);
    data_take_immediate(&t, 4 * KIB);
    assert_true(data_next_r2t(&t, p, 100, &r2t));
    assert_int_equal(r2t.buffer_offset, 4 * KIB);
    assert_int_equal(r2t.desired_bytes, 16 * KIB);
    assert_int_equal(r2t.r2t_sn, 0);
    assert_true(data_next_r2t(&t, p, 101, &r2t));
    assert_int_equal(r2t.buffer_offset, 20 * KIB);
    assert_false(data_next_r2t(&t, p, 102, &r2t)); /* two are outstanding */
    take(&t, p, 100, 8 * KIB, false);
    take(&t, p, 100, 8 * KIB, true);
    assert_true(data_next_r2t(&t, p, 102, &r2t));
    assert_int_equal(r2t.desired_bytes, 4 * KIB);
    assert_int_equal(r2t.r2t_sn, 2);
    assert_false(data_is_whole(&t));
    take(&t, p, 101, 16 * KIB, true);
    take(&t, p, 102, 4 * KIB, true);
    assert_true(data_is_whole(&t));
    assert_false(data_next_r2t(&t, p, 103, &r2t));
}

static void no_r2t_before_the_unsolicited_data_ends(void **state)
{
    const struct params *p = &four_kib_first;
    struct task t = write_task(8 * KIB);
    struct r2t r2t;
    (void)state;
    data_init(&t, KIB, false);
    data_take_immediate(&t, KIB);
    assert_false(data_next_r2t(&t, p, 1, &r2t));
    take(&t, p, PDU_TAG_NONE, KIB, false);
    assert_false(data_next_r2t(&t, p, 1, &r2t));
    take(&t, p, PDU_TAG_NONE, KIB, true);
    assert_true(data_next_r2t(&t, p, 1, &r2t));
    assert_int_equal(r2t.buffer_offset, 3 * KIB);
    assert_int_equal(r2t.desired_bytes, 5 * KIB);
}

static void what_is_not_the_next_is_seen(void **state)
{
    const struct params *p = &four_kib_first;
    struct task t = write_task(32 * KIB);
    struct r2t r2t;
    (void)state;
    data_init(&t, 0, true);
    assert_true(data_next_r2t(&t, p, 50, &r2t));
    struct data_out good = next_out(&t, 50, 16 * KIB, true), m;
    assert_true(data_is_next(&t, p, &good));
    assert_true(data_sn_is_next(&t, &good));
    m = good;
    m.ttt = 51;
    assert_false(data_is_next(&t, p, &m));
    m = good;
    m.ttt = PDU_TAG_NONE; /* nothing comes unasked any more */
    assert_false(data_is_next(&t, p, &m));
    m = good;
    m.data_sn = 1;
    assert_false(data_sn_is_next(&t, &m));
    m = good;
    m.buffer_offset = 512;
    assert_false(data_is_next(&t, p, &m));
    m = good;
    m.data_bytes = 16 * KIB + 1;
    assert_false(data_is_next(&t, p, &m));
    m = good;
    m.final = false; /* all that was asked for, and no end */
    assert_false(data_is_next(&t, p, &m));
    m = good;
    m.data_bytes = 0xffffff; /* an offset plus this must not wrap */
    m.buffer_offset = 0xffffffff;
    assert_false(data_is_next(&t, p, &m));
}

static void more_than_the_command_takes_goes_nowhere(void **state)
{
    uint8_t memory[4 * KIB];
    struct task t = write_task(4 * KIB);
    uint32_t keep;
    (void)state;
    t.data_out_bytes = KIB; /* by its CDB */
    t.buffer = (struct buf){.base = memory, .capacity_bytes = sizeof(memory)};
    t.data_offset = 512;
    data_init(&t, 2 * KIB, true);
    assert_false(data_is_quiet(&t)); /* they are still coming */
    assert_ptr_equal(data_place(&t, 2 * KIB, &keep), memory + 512);
    assert_int_equal(keep, KIB);
    data_take_immediate(&t, 2 * KIB);
    assert_null(data_place(&t, KIB, &keep));
    assert_true(data_is_whole(&t));
}

static void a_refused_write_still_takes_what_was_announced(void **state)
{
    const struct params *p = &four_kib_first;
    struct task t = write_task(8 * KIB);
    struct r2t r2t;
    (void)state;
    data_init(&t, 0, false);
    t.out.kept_bytes = 0;
    data_take_immediate(&t, 0);
    assert_false(data_is_quiet(&t));
    take(&t, p, PDU_TAG_NONE, 4 * KIB, true);
    assert_true(data_is_quiet(&t));
    assert_false(data_next_r2t(&t, p, 1, &r2t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsolicited_data_keeps_the_rules),
        cmocka_unit_test(r2ts_ask_for_the_rest_in_bursts),
        cmocka_unit_test(no_r2t_before_the_unsolicited_data_ends),
        cmocka_unit_test(what_is_not_the_next_is_seen),
        cmocka_unit_test(more_than_the_command_takes_goes_nowhere),
        cmocka_unit_test(a_refused_write_still_takes_what_was_announced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
