/* SPDX-License-Identifier: Apache-2.0 */
/* What comes before any command, and the commands that tell: INQUIRY, REPORT LUNS, READ
 * CAPACITY, MODE SENSE and SELECT, REQUEST SENSE, the reports of what is supported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/be.h"
#include "proto/lun.h"
#include "tests/unit/target/exec_rig.h"

#include <errno.h>
#include <string.h>

static void every_known_command_ends_and_touches_no_other_memory(void **state)
{
    struct rig *r = *state;
    for (unsigned id = 0; id < CDB_ID_COUNT; id++) {
        uint8_t cdb[16] = {cdb_ops[id].opcode, cdb_ops[id].service_action};
        rig_run(r, 0, cdb, sizeof(cdb));
        assert_true(r->task.status == SAM_GOOD || r->task.status == SAM_CHECK_CONDITION);
        assert_true(r->task.data_in_bytes <= r->task.buffer_bytes);
    }
}

static void unknown_command_is_refused_by_its_code(void **state)
{
    static const uint8_t opcodes[] = {0x5c, 0x5d, 0x36, 0x8c, 0x1d, 0xff};
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(opcodes); i++) {
        RIG_RUN(r, opcodes[i], 0, 0, 0, 0, 0);
        rig_expect_sense(r, SENSE_INVALID_OPCODE);
    }
}

static void lun_without_a_unit_refuses_all_but_discovery(void **state)
{
    struct rig *r = *state;
    RIG_RUN_ON(r, 5, 0x00, 0, 0, 0, 0, 0);
    rig_expect_sense(r, SENSE_LUN_NOT_SUPPORTED);
    RIG_RUN_ON(r, 5, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_sense(r, SENSE_LUN_NOT_SUPPORTED);
    RIG_RUN_ON(r, 5, 0xff, 0, 0, 0, 0, 0);
    rig_expect_sense(r, SENSE_LUN_NOT_SUPPORTED);
    RIG_RUN_ON(r, 5, 0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0);
    rig_expect_sense(r, SENSE_LUN_NOT_SUPPORTED);

    RIG_RUN_ON(r, 5, 0x12, 0, 0, 0, 96, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in[0], 0x7f);

    RIG_RUN_ON(r, 5, 0x03, 0, 0, 0, 18, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in[2], SENSE_KEY_ILLEGAL_REQUEST);
    assert_int_equal(r->task.data_in[12], 0x25);
}

static void nexus_that_sees_nothing_still_gets_its_empty_list(void **state)
{
    struct rig *r = *state;
    nexus_set_view(r->nexus, NULL);
    RIG_RUN(r, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, 8);
    assert_int_equal(be32_load(r->task.data_in), 0);
    RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
    rig_expect_sense(r, SENSE_LUN_NOT_SUPPORTED);
}

static void attention_is_told_before_a_command_but_not_by_discovery(void **state)
{
    struct rig *r = *state;
    nexus_notice(r->nexus, r->volume, NEXUS_LU_RESET);
    RIG_RUN(r, 0x12, 0, 0, 0, 96, 0);
    rig_expect_good(r);
    RIG_RUN(r, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0);
    rig_expect_good(r);
    RIG_RUN(r, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_sense(r, SENSE_LU_RESET);
    RIG_RUN(r, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_good(r);
}

static void request_sense_tells_an_attention_as_data_once(void **state)
{
    struct rig *r = *state;
    nexus_notice(r->nexus, NULL, NEXUS_TASKS_CLEARED);
    RIG_RUN(r, 0x03, 0, 0, 0, 252, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, SENSE_FIXED_BYTES);
    assert_int_equal(r->task.data_in[2], SENSE_KEY_UNIT_ATTENTION);
    assert_int_equal(r->task.data_in[12], 0x2f);
    RIG_RUN(r, 0x03, 1, 0, 0, 252, 0); /* DESC */
    rig_expect_good(r);
    assert_int_equal(r->task.data_in[0], 0x72);
    assert_int_equal(r->task.data_in[1], SENSE_KEY_NO_SENSE);
    RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
    rig_expect_good(r);
}

static void new_lun_is_announced_until_it_is_reported(void **state)
{
    struct rig *r = *state;
    struct volume *second = fake_volume_create(8U << 20, 512);
    struct unit *unit = unit_create(second);
    assert_non_null(unit);
    const struct lu added = {
        .lun = 300, .block_shift = 9, .volume = second, .unit = unit};
    const struct lu wider_lus[2] = {r->lus[0], added};
    const uint32_t luns[2] = {0, 300};
    struct view wider = {.lus = wider_lus, .luns = luns, .lu_count = 2};
    nexus_set_view(r->nexus, &wider);
    RIG_RUN(r, 0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, 8 + 16);
    assert_int_equal(be32_load(r->task.data_in), 16);
    assert_int_equal(be64_load(r->task.data_in + 16), lun_encode(300));
    RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
    rig_expect_good(r);

    nexus_set_view(r->nexus, &r->view);
    RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
    rig_expect_sense(r, SENSE_LUNS_CHANGED);
    unit_put(unit);
    volume_put(second);
}

static void inquiry_tells_who_it_is(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x12, 0, 0, 0, 255, 0);
    rig_expect_good(r);
    assert_memory_equal(r->task.data_in + 8, "ASHLAR  VIRTUAL-DISK    0.1 ", 28);
    RIG_RUN(r, 0x12, 0, 0, 0, 36, 0);
    assert_int_equal(r->task.data_in_bytes, 36);
    assert_int_equal(r->task.transfer_bytes, 36);
    RIG_RUN(r, 0x12, 0, 0x83, 0, 36, 0); /* a page without EVPD */
    rig_expect_cdb_field(r, 2);
    RIG_RUN(r, 0x12, 1, 0x80, 0, 255, 0);
    rig_expect_good(r);
    assert_memory_equal(r->task.data_in + 4, "0123456789abcdef", 16);
    RIG_RUN(r, 0x12, 1, 0x83, 4, 0, 0);
    rig_expect_good(r);
    assert_memory_equal(r->task.data_in + 8, r->volume->naa, 16);
    RIG_RUN(r, 0x12, 1, 0x88, 4, 0, 0);
    rig_expect_good(r);
    assert_int_equal(be16_load(r->task.data_in + 2), 2 * (12 + 4 + 36));
    assert_int_equal(be16_load(r->task.data_in + 4 + 2), 1);
    assert_int_equal(be16_load(r->task.data_in + 4 + 12 + 4 + 36 + 2), 7);
    RIG_RUN(r, 0x12, 1, 0xc7, 4, 0, 0);
    rig_expect_cdb_field(r, 2);
}

static void block_limits_are_what_commands_are_held_to(void **state)
{
    struct rig *r = *state;
    uint32_t block_bytes = r->volume->block_bytes;
    RIG_RUN(r, 0x12, 1, 0xb0, 0, 255, 0);
    rig_expect_good(r);
    const uint8_t *b0 = r->task.data_in;
    assert_int_equal(be32_load(b0 + 8) * block_bytes, 4U << 20);
    assert_int_equal(be32_load(b0 + 20), 1U << 20);
    assert_int_equal(be32_load(b0 + 24), 256);
    assert_int_equal(be32_load(b0 + 28) * block_bytes, EXTENT_BYTES);
    assert_int_equal(be32_load(b0 + 32), 0x80000000U);
    assert_int_equal(be64_load(b0 + 36), 1U << 20);
}

static void capacity_and_blocks_are_told(void **state)
{
    struct rig *r = *state;
    uint32_t block_bytes = r->volume->block_bytes;
    uint32_t last = (16U << 20) / block_bytes - 1;
    RIG_RUN(r, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, 8);
    assert_int_equal(be32_load(r->task.data_in), last);
    assert_int_equal(be32_load(r->task.data_in + 4), block_bytes);
    RIG_RUN(r, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, 32);
    assert_int_equal(be64_load(r->task.data_in), last);
    assert_int_equal(r->task.data_in[13], r->lus[0].physical_exponent);
    assert_int_equal(r->task.data_in[14] & 0xc0, 0xc0); /* LBPME, LBPRZ */
}

static void a_unit_has_no_defects(void **state)
{
    struct rig *r = *state;
    r->expected_in_bytes = 255;
    RIG_RUN(r, 0x37, 0, 0x1d, 0, 0, 0, 0, 0, 255, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.transfer_bytes, 4);
    assert_memory_equal(r->task.data_in, ((const uint8_t[]){0, 0x1d, 0, 0}), 4);
    RIG_RUN(r, 0xb7, 0x08, 0, 0, 0, 9, 0, 0, 0, 7, 0, 0); /* cut by the allocation */
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, 7);
    assert_memory_equal(r->task.data_in, ((const uint8_t[]){0, 0x08, 0, 0, 0, 0, 0}), 7);
    RIG_RUN(r, 0xb7, 0x1e, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0);
    rig_expect_cdb_field(r, 1);
}

static void a_resized_volume_is_told_and_served_at_its_size(void **state)
{
    struct rig *r = *state;
    uint64_t full = r->volume->size_bytes;
    r->volume->size_bytes = full / 2;
    nexus_notice(r->nexus, r->volume, NEXUS_RESIZED);
    RIG_RUN(r, 0x28, 0, 0, 0, 0x40, 0, 0, 0, 1, 0); /* the first that is gone */
    rig_expect_sense(r, SENSE_CAPACITY_CHANGED);
    RIG_RUN(r, 0x28, 0, 0, 0, 0x40, 0, 0, 0, 1, 0);
    rig_expect_sense(r, SENSE_LBA_RANGE);
    RIG_RUN(r, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    rig_expect_good(r);
    assert_int_equal(be32_load(r->task.data_in), 0x3fff);
    r->volume->size_bytes = full;
    RIG_RUN(r, 0x28, 0, 0, 0, 0x40, 0, 0, 0, 1, 0);
    rig_expect_good(r);
}

static void mode_sense_tells_the_cache_and_write_protection(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x1a, 8, 8, 0, 255, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in[2] & 0x80, 0);
    assert_int_equal(r->task.data_in[4], 0x88);
    assert_int_equal(r->task.data_in[6] & 0x04, 0x04); /* WCE */
    r->lus[0].read_only = true;
    RIG_RUN(r, 0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 255, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in[3] & 0x80, 0x80);
    RIG_RUN(r, 0x1a, 0, 0x19, 0, 255, 0);
    rig_expect_cdb_field(r, 2);
}

static void mode_select_takes_what_is_and_refuses_what_is_short(void **state)
{
    struct rig *r = *state;
    uint8_t list[4 + 20];
    RIG_RUN(r, 0x1a, 8, 8, 0, 255, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, sizeof(list));
    memcpy(list, r->task.data_in, sizeof(list));
    list[0] = 0;
    rig_send(r, list, sizeof(list));
    RIG_RUN(r, 0x15, 0x10, 0, 0, sizeof(list), 0);
    rig_expect_good(r);
    rig_send(r, list, 8);
    RIG_RUN(r, 0x15, 0x10, 0, 0, sizeof(list), 0);
    rig_expect_sense(r, SENSE_PARAM_LIST_LENGTH);
}

/* Sends the caching page with this WCE bit. save: SP. */
static void select_cache(struct rig *r, bool cache, bool save)
{
    const uint8_t list[4 + 20] = {[4] = 0x08, 0x12, cache ? 0x04 : 0};
    rig_send(r, list, sizeof(list));
    RIG_RUN(r, 0x15, save ? 0x11 : 0x10, 0, 0, sizeof(list), 0);
}

static void a_cache_that_is_switched_off_is_written_first(void **state)
{
    struct rig *r = *state;
    select_cache(r, false, false);
    rig_expect_good(r);
    assert_int_equal(fake_vio.count, 1);
    assert_int_equal(fake_vio.seen[0].op, VIO_FLUSH);
    RIG_RUN(r, 0x1a, 8, 8, 0, 255, 0);
    assert_int_equal(r->task.data_in[4 + 2], 0);
    select_cache(r, false, false); /* off as before */
    select_cache(r, true, false);
    rig_expect_good(r);
    assert_int_equal(fake_vio.count, 1);
    fake_vio.fail_nth = 1;
    fake_vio.fail_rc = -EIO;
    select_cache(r, false, false);
    rig_expect_sense(r, SENSE_WRITE_ERROR);
    select_cache(r, true, false); /* that one is over */
    rig_expect_good(r);
}

/* Each in a form that is one I/O: the last that was submitted makes it durable. */
static void expect_durable(struct rig *r)
{
    rig_expect_good(r);
    const struct fake_vio_seen *last = &fake_vio.seen[fake_vio.count - 1];
    assert_true(last->op == VIO_FLUSH || last->fua);
}

static void each_write_is_durable_when_the_cache_is_off(void **state)
{
    struct rig *r = *state;
    static const uint8_t unmap[24] = {0, 22, 0, 16, [15] = 8, [19] = 8};
    select_cache(r, false, false);
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x0a, 0, 0, 0, 1, 0); /* WRITE(6) */
    expect_durable(r);
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0); /* WRITE(10) */
    expect_durable(r);
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x41, 0, 0, 0, 0, 0, 0, 2, 0, 0); /* WRITE SAME(10), two pieces */
    expect_durable(r);
    rig_send_pattern(r, 0, 512);
    RIG_RUN(r, 0x41, 0, 0, 0, 0, 0, 0, 0, 8, 0); /* of zeros */
    expect_durable(r);
    rig_send(r, unmap, sizeof(unmap));
    RIG_RUN(r, 0x42, 0, 0, 0, 0, 0, 0, 0, sizeof(unmap), 0);
    expect_durable(r);
    unsigned before = fake_vio.count;
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x2e, 0, 0, 0, 0, 0, 0, 0, 1, 0); /* WRITE AND VERIFY(10) */
    rig_expect_good(r);
    assert_int_equal(fake_vio.count, before + 1); /* as ever */
    assert_true(fake_vio.seen[before].fua);
    RIG_RUN(r, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0); /* READ(10) */
    rig_expect_good(r);
    assert_false(fake_vio.seen[fake_vio.count - 1].fua);
    assert_int_equal(fake_vio.seen[fake_vio.count - 1].op, VIO_READ);
}

static void a_flush_that_fails_fails_the_write(void **state)
{
    struct rig *r = *state;
    select_cache(r, false, false);
    rig_send_pattern(r, 0, 512);
    fake_vio.fail_nth = 2;
    fake_vio.fail_rc = -EIO;
    RIG_RUN(r, 0x41, 0, 0, 0, 0, 0, 0, 0, 8, 0);
    rig_expect_sense(r, SENSE_WRITE_ERROR);
}

static void saved_modes_are_those_after_a_reset(void **state)
{
    struct rig *r = *state;
    select_cache(r, false, true);
    rig_expect_good(r);
    assert_int_equal(r->saves, 1);
    select_cache(r, true, false);
    RIG_RUN(r, 0x1a, 8, 8, 0, 255, 0);
    assert_int_equal(r->task.data_in[4 + 2], 0x04);
    RIG_RUN(r, 0x1a, 8, 0xc8, 0, 255, 0); /* the saved ones */
    rig_expect_good(r);
    assert_int_equal(r->task.data_in[4 + 2], 0);
    RIG_RUN(r, 0x1a, 8, 0x88, 0, 255, 0); /* the defaults */
    assert_int_equal(r->task.data_in[4 + 2], 0x04);
    nexus_notice(r->nexus, NULL, NEXUS_LU_RESET);
    RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
    rig_expect_sense(r, SENSE_LU_RESET);
    RIG_RUN(r, 0x1a, 8, 8, 0, 255, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in[4 + 2], 0);
}

static void modes_that_cannot_be_saved_change_nothing(void **state)
{
    struct rig *r = *state;
    r->save_rc = -EIO;
    select_cache(r, false, true);
    rig_expect_sense(r, SENSE_INTERNAL_FAILURE);
    RIG_RUN(r, 0x1a, 8, 8, 0, 255, 0);
    assert_int_equal(r->task.data_in[4 + 2], 0x04);
    r->save_rc = 0;
    RIG_RUN(r, 0x15, 0x11, 0, 0, 0, 0); /* without a list: what is */
    rig_expect_good(r);
    assert_int_equal(r->saves, 2);
    RIG_RUN(r, 0x15, 0x10, 0, 0, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->saves, 2);
}

static void a_second_mode_select_is_to_come_again(void **state)
{
    struct rig *r = *state;
    assert_true(unit_select_begin(r->unit)); /* of another nexus */
    select_cache(r, false, false);
    assert_int_equal(r->task.status, SAM_BUSY);
    unit_select_end(r->unit);
    const uint8_t bad[4 + 2] = {[4] = 0x02};
    rig_send(r, bad, sizeof(bad));
    RIG_RUN(r, 0x15, 0x10, 0, 0, sizeof(bad), 0);
    rig_expect_sense(r, SENSE_INVALID_PARAM_FIELD);
    select_cache(r, false, false); /* the refused one is over */
    rig_expect_good(r);
}

static void a_threshold_is_told_with_its_place(void **state)
{
    struct rig *r = *state;
    unit_reach(r->unit, 2);
    RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
    rig_expect_sense(r, SENSE_THRESHOLD_REACHED);
    assert_true(r->task.sense.has_info);
    assert_int_equal(r->task.sense.info, 16 + 2 * 8);
    RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
    rig_expect_good(r);
    unit_reach(r->unit, 0);
    RIG_RUN(r, 0x03, 0, 0, 0, 252, 0); /* REQUEST SENSE */
    rig_expect_good(r);
    assert_int_equal(r->task.data_in[0], 0xf0); /* VALID */
    assert_int_equal(be32_load(r->task.data_in + 3), 16);
    assert_int_equal(r->task.data_in[12], 0x38);
    assert_int_equal(r->task.data_in[13], 0x07);
}

/* Sends the control page with this D_SENSE bit and this SWP bit. */
static void select_control(struct rig *r, bool descriptor, bool protect)
{
    const uint8_t list[4 + 12] = {
        [4] = 0x0a, 0x0a, descriptor ? 0x24 : 0x20, 0x10, protect ? 0x08 : 0};
    rig_send(r, list, sizeof(list));
    RIG_RUN(r, 0x15, 0x10, 0, 0, sizeof(list), 0);
    rig_expect_good(r);
}

static void expect_full(struct rig *r, bool descriptor)
{
    rig_expect_sense(r, SENSE_NO_SPACE);
    assert_int_equal(sense_key_of(&r->task.sense), SENSE_KEY_DATA_PROTECT);
    assert_int_equal(r->task.sense_descriptor, descriptor);
}

/* SBC-4, 4.7.3.6. */
static void a_full_pool_protects_the_data_from_each_write(void **state)
{
    struct rig *r = *state;
    static const uint8_t unmap[24] = {0, 22, 0, 16, [15] = 1, [19] = 1};
    fake_vio.fail_rc = -ENOSPC;
    for (int descriptor = 0; descriptor < 2; descriptor++) {
        select_control(r, descriptor != 0, false);
        static const uint8_t cdbs[][10] = {
            {0x0a, 0, 0, 0, 1, 0},                /* WRITE(6) */
            {0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0},    /* WRITE(10) */
            {0x2a, 0x08, 0, 0, 0, 0, 0, 0, 1, 0}, /* with FUA */
            {0x2e, 0, 0, 0, 0, 0, 0, 0, 1, 0},    /* WRITE AND VERIFY(10) */
            {0x2e, 0x02, 0, 0, 0, 0, 0, 0, 1, 0}, /* with BYTCHK */
            {0x41, 0, 0, 0, 0, 0, 0, 0, 8, 0},    /* WRITE SAME(10) */
        };
        for (size_t i = 0; i < ARRAY_LEN(cdbs); i++) {
            fake_vio.fail_nth = 1;
            rig_send_pattern(r, 1, 512);
            rig_run(r, 0, cdbs[i], sizeof(cdbs[i]));
            expect_full(r, descriptor != 0);
        }
        fake_vio.fail_nth = 1;
        rig_send_pattern(r, 0, 512);
        RIG_RUN(r, 0x41, 0, 0, 0, 0, 0, 0, 0, 1, 0); /* zeros in part of a block */
        expect_full(r, descriptor != 0);
        fake_vio.fail_nth = 1;
        rig_send(r, unmap, sizeof(unmap)); /* of part of a block */
        RIG_RUN(r, 0x42, 0, 0, 0, 0, 0, 0, 0, sizeof(unmap), 0);
        expect_full(r, descriptor != 0);
    }
}

static void software_write_protect_holds_until_it_is_taken_back(void **state)
{
    struct rig *r = *state;
    select_control(r, false, true);
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_sense(r, SENSE_WRITE_PROTECTED);
    RIG_RUN(r, 0x1a, 0, 0x0a, 0, 255, 0);
    assert_int_equal(r->task.data_in[2] & 0x80, 0x80);
    select_control(r, false, false);
    rig_send_pattern(r, 1, 512);
    RIG_RUN(r, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_good(r);
}

static void sense_format_is_the_selected_one_until_a_reset(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0xff, 0, 0, 0, 0, 0);
    assert_false(r->task.sense_descriptor);
    select_control(r, true, false);
    RIG_RUN(r, 0xff, 0, 0, 0, 0, 0);
    assert_true(r->task.sense_descriptor);
    nexus_notice(r->nexus, NULL, NEXUS_TARGET_RESET);
    RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
    rig_expect_sense(r, SENSE_POWER_ON);
    assert_false(r->task.sense_descriptor);
    RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
    rig_expect_good(r);
}

static void a_replaced_medium_is_told_and_modes_stay(void **state)
{
    struct rig *r = *state;
    select_control(r, false, true);
    nexus_notice(r->nexus, r->volume, NEXUS_REPLACED);
    RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
    rig_expect_sense(r, SENSE_MEDIUM_CHANGED);
    RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
    rig_expect_good(r);
    assert_int_equal(unit_modes(r->unit) & UNIT_MODE_BITS, UNIT_WRITE_PROTECT);
}

static void each_command_reported_is_one_that_is_done(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0);
    rig_expect_good(r);
    assert_int_equal(be32_load(r->task.data_in) / 8, CDB_ID_COUNT);
    RIG_RUN(r, 0xa3, 0x0c, 0x80, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0); /* with timeouts */
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, 4 + CDB_ID_COUNT * 20);
    assert_int_equal(be32_load(r->task.data_in) / 20, CDB_ID_COUNT);
    RIG_RUN(r, 0xa3, 0x0d, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, 4);
}

static void stopping_a_unit_writes_its_cache(void **state)
{
    struct rig *r = *state;
    RIG_RUN(r, 0x1b, 0, 0, 0, 1, 0);
    rig_expect_good(r);
    assert_int_equal(fake_vio.count, 0);
    RIG_RUN(r, 0x1b, 0, 0, 0, 0, 0);
    rig_expect_good(r);
    assert_int_equal(fake_vio.count, 1);
    assert_int_equal(fake_vio.seen[0].op, VIO_FLUSH);
    RIG_RUN(r, 0x1b, 0, 0, 0, 2, 0); /* eject */
    rig_expect_cdb_field(r, 4);
    RIG_RUN(r, 0x1e, 0, 0, 0, 1, 0);
    rig_expect_good(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_512(every_known_command_ends_and_touches_no_other_memory),
        ON_512(unknown_command_is_refused_by_its_code),
        ON_512(lun_without_a_unit_refuses_all_but_discovery),
        ON_512(nexus_that_sees_nothing_still_gets_its_empty_list),
        ON_512(attention_is_told_before_a_command_but_not_by_discovery),
        ON_512(request_sense_tells_an_attention_as_data_once),
        ON_512(new_lun_is_announced_until_it_is_reported),
        ON_512(inquiry_tells_who_it_is),
        ON_512(block_limits_are_what_commands_are_held_to),
        ON_4096(block_limits_are_what_commands_are_held_to),
        ON_512(capacity_and_blocks_are_told),
        ON_512(a_unit_has_no_defects),
        ON_4096(capacity_and_blocks_are_told),
        ON_512(a_resized_volume_is_told_and_served_at_its_size),
        ON_512(a_replaced_medium_is_told_and_modes_stay),
        ON_512(mode_sense_tells_the_cache_and_write_protection),
        ON_512(mode_select_takes_what_is_and_refuses_what_is_short),
        ON_512(a_cache_that_is_switched_off_is_written_first),
        ON_512(each_write_is_durable_when_the_cache_is_off),
        ON_512(a_flush_that_fails_fails_the_write),
        ON_512(saved_modes_are_those_after_a_reset),
        ON_512(modes_that_cannot_be_saved_change_nothing),
        ON_512(a_second_mode_select_is_to_come_again),
        ON_512(a_full_pool_protects_the_data_from_each_write),
        ON_512(a_threshold_is_told_with_its_place),
        ON_512(software_write_protect_holds_until_it_is_taken_back),
        ON_512(sense_format_is_the_selected_one_until_a_reset),
        ON_512(each_command_reported_is_one_that_is_done),
        ON_512(stopping_a_unit_writes_its_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
