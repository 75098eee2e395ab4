/* SPDX-License-Identifier: Apache-2.0 */
/* proto/copy_results.h: each answer byte by byte. */
#include "tests/unit/proto/unit.h"

#include "proto/copy_results.h"

static uint8_t out[1024];
static struct wire w;

static void begin(size_t room)
{
    memset(out, 0xee, sizeof(out));
    wire_init(&w, out, room);
}

static void expect(const uint8_t *want, size_t bytes)
{
    assert_int_equal(w.at, bytes);
    assert_memory_equal(out, want, bytes);
}

static void status_tells_segments_and_bytes(void **state)
{
    static const uint8_t running[] = {0, 0, 0, 8, 0x00, 0, 3, 0, 0, 0, 0x12, 0x34};
    static const uint8_t failed[] = {0, 0, 0, 8, 0x02, 0, 3, 1, 0x80, 0, 0, 0};
    struct copy_state s = {.progress = COPY_RUNNING, .segments = 3, .bytes = 0x1234};
    (void)state;
    begin(sizeof(out));
    copy_status_encode(&s, &w);
    expect(running, COPY_STATUS_BYTES);
    s.progress = COPY_FAILED;
    s.bytes = UINT64_C(0x20000000000); /* in KiB */
    begin(sizeof(out));
    copy_status_encode(&s, &w);
    expect(failed, sizeof(failed));
    s.progress = COPY_ENDED;
    begin(sizeof(out));
    copy_status_encode(&s, &w);
    assert_int_equal(out[4], 1);
    s.progress = COPY_STOPPED;
    begin(sizeof(out));
    copy_status_encode(&s, &w);
    assert_int_equal(out[4], 2);
}

static void status_of_lid4_has_the_sense(void **state)
{
    static const uint8_t behind[] = {0,    0, 0, 28, 1, 0x12, 0, 5, 0, 0, 3,
                                     0xe8, 0, 0, 0,  0, 0,    0, 0, 0, 0, 0,
                                     2,    0, 0, 1,  0, 0,    0, 0, 0, 0};
    static const uint8_t failed[] = {
        0, 0, 0, 48, 1, 0x02, 0, 6, 0xff, 0xff, 0xff, 0xfe, 2, 20, 20, 0, 0, 0, 0, 0, 0,
        0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0,
        /* COPY TARGET DEVICE NOT REACHABLE, in segment 1 */
        0x72, 0x0a, 0x0d, 0x02, 0, 0, 0, 12, 1, 10, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
    struct copy_state s = {.progress = COPY_RUNNING_BEHIND,
                           .action = 1,
                           .asked_count = 5,
                           .segments = 1,
                           .bytes = 512};
    (void)state;
    begin(sizeof(out));
    copy_status_lid4_encode(&s, &w);
    expect(behind, sizeof(behind));
    s.progress = COPY_FAILED;
    s.asked_count = 6;
    s.status = 2;
    sense_set_segment(&s.sense, SENSE_COPY_NOT_REACHABLE, 1);
    begin(sizeof(out));
    copy_status_lid4_encode(&s, &w);
    expect(failed, sizeof(failed));
    s.progress = COPY_STOPPED;
    begin(sizeof(out));
    copy_status_lid4_encode(&s, &w);
    assert_int_equal(out[5], 0x60);
    assert_int_equal(out[12], 0x40); /* TASK ABORTED, without sense */
    assert_int_equal(out[13], 0);
}

static void parameters_are_what_is_held_against_lists(void **state)
{
    static const uint8_t want[] = {0,  0, 0,    42, 1,    0, 0, 0, 0,    64,  1, 0,
                                   0,  0, 0x24, 0,  0x10, 0, 0, 0, 0,    0,   0, 0,
                                   0,  0, 0,    0,  0,    0, 0, 0, 0,    0,   0, 64,
                                   64, 9, 0,    0,  0,    0, 0, 2, 0x02, 0xe4};
    (void)state;
    begin(sizeof(out));
    copy_parameters_encode(9, &w);
    expect(want, sizeof(want));
}

static void failure_has_the_sense_of_the_command(void **state)
{
    static const uint8_t none[] = {0, 0, 0, 0};
    struct copy_state s = {.progress = COPY_FAILED, .status = 2};
    (void)state;
    begin(sizeof(out));
    copy_failure_encode(NULL, &w);
    expect(none, sizeof(none));
    sense_set_segment(&s.sense, SENSE_COPY_UNREACHABLE, 9);
    begin(sizeof(out));
    copy_failure_encode(&s, &w);
    assert_int_equal(w.at, 60 + SENSE_FIXED_BYTES);
    assert_int_equal(out[3], 56 + SENSE_FIXED_BYTES);
    assert_int_equal(out[56], 2);
    assert_int_equal(out[59], SENSE_FIXED_BYTES);
    assert_int_equal(out[60 + 2], 0x0a);
    assert_int_equal(out[60 + 11], 9);
    assert_int_equal(out[60 + 12], 0x08);
    assert_int_equal(out[60 + 13], 0x04);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_tells_segments_and_bytes),
        cmocka_unit_test(status_of_lid4_has_the_sense),
        cmocka_unit_test(parameters_are_what_is_held_against_lists),
        cmocka_unit_test(failure_has_the_sense_of_the_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
