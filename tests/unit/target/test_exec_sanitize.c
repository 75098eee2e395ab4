/* SPDX-License-Identifier: Apache-2.0 */
/* SANITIZE as an initiator sees it: its CDBs and its parameter list, what every other
 * command is told while one runs and after one that failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/target/exec_rig.h"

#include <errno.h>
#include <string.h>

static int teardown(void **state)
{
    fake_vio.sanitize_state = SANITIZE_NONE;
    return rig_teardown(state);
}

#define ERASE(r)      RIG_RUN(r, 0x48, 0x02, 0, 0, 0, 0, 0, 0, 0, 0)
#define LEAVE(r)      RIG_RUN(r, 0x48, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0)
#define CRYPTO(r)     RIG_RUN(r, 0x48, 0x03, 0, 0, 0, 0, 0, 0, 0, 0)
#define UNIT_READY(r) RIG_RUN(r, 0x00, 0, 0, 0, 0, 0)

static void overwrite(struct rig *r, const uint8_t *list, uint16_t bytes)
{
    rig_send(r, list, bytes);
    RIG_RUN(r, 0x48, 0x01, 0, 0, 0, 0, 0, (uint8_t)(bytes >> 8), (uint8_t)bytes, 0);
}

/* ---- What is asked ----------------------------------------------------------------- */

static void an_erase_is_asked_for(void **state)
{
    struct rig *r = *state;
    ERASE(r);
    rig_expect_good(r);
    assert_int_equal(fake_vio.sanitize_count, 1);
    assert_ptr_equal(fake_vio.sanitize_seen.volume, r->volume);
    assert_true(fake_vio.sanitize_seen.spec.erases);
    assert_true(fake_vio.sanitize_seen.waits);
    assert_false(fake_vio.sanitize_seen.exits);
    assert_false(fake_vio.sanitize_seen.spec.unrestricted);
    RIG_RUN(r, 0x48, 0xa2, 0, 0, 0, 0, 0, 0, 0, 0); /* IMMED, AUSE */
    rig_expect_good(r);
    assert_false(fake_vio.sanitize_seen.waits);
    assert_true(fake_vio.sanitize_seen.spec.unrestricted);
    LEAVE(r);
    rig_expect_good(r);
    assert_true(fake_vio.sanitize_seen.exits);
}

static void an_overwrite_is_asked_for(void **state)
{
    static const uint8_t list[] = {0x83, 0, 0, 3, 'a', 'b', 'c'};
    struct rig *r = *state;
    overwrite(r, list, sizeof(list));
    rig_expect_good(r);
    assert_int_equal(fake_vio.sanitize_count, 1);
    assert_false(fake_vio.sanitize_seen.spec.erases);
    assert_true(fake_vio.sanitize_seen.spec.inverts);
    assert_int_equal(fake_vio.sanitize_seen.spec.passes, 3);
    assert_int_equal(fake_vio.sanitize_seen.spec.pattern_bytes, 3);
    assert_memory_equal(fake_vio.sanitize_pattern, "abc", 3);
    assert_int_equal(r->task.transfer_bytes, sizeof(list));
}

static void a_whole_block_is_the_longest_pattern(void **state)
{
    uint8_t list[4 + 512 + 1] = {0x1f, 0, 2, 0};
    struct rig *r = *state;
    overwrite(r, list, 4 + 512);
    rig_expect_good(r);
    assert_int_equal(fake_vio.sanitize_seen.spec.passes, 31);
    assert_int_equal(fake_vio.sanitize_seen.spec.pattern_bytes, 512);
    overwrite(r, list, sizeof(list));
    rig_expect_cdb_field(r, 7);
    assert_int_equal(fake_vio.sanitize_count, 1);
}

/* ---- What is refused --------------------------------------------------------------- */

static void cdbs_that_are_wrong_name_the_field(void **state)
{
    struct rig *r = *state;
    CRYPTO(r);
    rig_expect_cdb_field(r, 1);
    assert_int_equal(r->task.sense.field_bit, 4);
    RIG_RUN(r, 0x48, 0x00, 0, 0, 0, 0, 0, 0, 0, 0);
    rig_expect_cdb_field(r, 1);
    RIG_RUN(r, 0x48, 0x42, 0, 0, 0, 0, 0, 0, 0, 0); /* ZNR */
    rig_expect_cdb_field(r, 1);
    assert_int_equal(r->task.sense.field_bit, 6);
    RIG_RUN(r, 0x48, 0x02, 0, 0, 0, 1, 0, 0, 0, 0);
    rig_expect_cdb_field(r, 5);
    RIG_RUN(r, 0x48, 0x02, 0, 0, 0, 0, 0, 0, 8, 0); /* no list goes with an erase */
    rig_expect_cdb_field(r, 8);
    for (uint8_t bytes = 0; bytes < 5; bytes++) {
        RIG_RUN(r, 0x48, 0x01, 0, 0, 0, 0, 0, 0, bytes, 0);
        rig_expect_cdb_field(r, 7);
    }
    assert_int_equal(fake_vio.sanitize_count, 0);
}

static void lists_that_are_wrong_name_the_field(void **state)
{
    static const struct {
        uint8_t list[6];
        unsigned byte;
    } cases[] = {
        {{0x00, 0, 0, 2, 1, 1}, 0}, /* no pass */
        {{0x21, 0, 0, 2, 1, 1}, 0}, /* TEST */
        {{0x01, 1, 0, 2, 1, 1}, 1}, /* reserved */
        {{0x01, 0, 0, 0, 1, 1}, 2}, /* no pattern */
        {{0x01, 0, 2, 1, 1, 1}, 2}, /* longer than a block */
    };
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        overwrite(r, cases[i].list, sizeof(cases[i].list));
        rig_expect_sense(r, SENSE_INVALID_PARAM_FIELD);
        assert_int_equal(r->task.sense.field_byte, cases[i].byte);
    }
    overwrite(r, (const uint8_t[]){1, 0, 0, 3, 1, 1}, 6); /* longer than what was sent */
    rig_expect_sense(r, SENSE_PARAM_LIST_LENGTH);
    rig_send(r, cases[0].list, 5);
    RIG_RUN(r, 0x48, 0x01, 0, 0, 0, 0, 0, 0, 6, 0); /* the initiator sends less */
    rig_expect_sense(r, SENSE_PARAM_LIST_LENGTH);
    assert_int_equal(fake_vio.sanitize_count, 0);
}

static void what_stands_in_its_way_is_told(void **state)
{
    static const struct {
        int rc;
        enum sense_code code;
    } cases[] = {
        {-EEXIST, SENSE_COMMAND_SEQUENCE},
        {-EREMOTEIO, SENSE_SANITIZE_FAILED},
        {-EIO, SENSE_WRITE_ERROR},
    };
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fake_vio.sanitize_rc = cases[i].rc;
        ERASE(r);
        rig_expect_sense(r, cases[i].code);
    }
    fake_vio.sanitize_rc = -EBUSY;
    ERASE(r);
    assert_int_equal(r->task.status, SAM_BUSY);
    fake_vio.sanitize_rc = -EPERM;
    LEAVE(r);
    rig_expect_cdb_field(r, 1);
    assert_int_equal(r->task.sense.field_bit, 4);
    RIG_RUN(r, 0x48, 0x22, 0, 0, 0, 0, 0, 0, 0, 0);
    rig_expect_cdb_field(r, 1);
    assert_int_equal(r->task.sense.field_bit, 5);
}

static void a_protected_unit_is_not_sanitized(void **state)
{
    struct rig *r = *state;
    r->lus[0].read_only = true;
    ERASE(r);
    rig_expect_sense(r, SENSE_WRITE_PROTECTED);
    overwrite(r, (const uint8_t[]){1, 0, 0, 1, 1}, 5);
    rig_expect_sense(r, SENSE_WRITE_PROTECTED);
    CRYPTO(r);
    rig_expect_cdb_field(r, 1);
    assert_int_equal(fake_vio.sanitize_count, 0);
}

static void who_waits_may_be_given_up(void **state)
{
    struct rig *r = *state;
    struct task t = {.aborted = false};
    ERASE(r);
    rig_expect_good(r);
    struct sanitize_ask *ask = &t.exec.sanitize;
    assert_false(fake_vio.sanitize_seen.is_given_up(ask));
    t.aborted = true;
    assert_true(fake_vio.sanitize_seen.is_given_up(ask));
    t.aborted = false;
    t.swap = (struct access_swap *)(void *)&t; /* the unit leaves the view */
    assert_true(fake_vio.sanitize_seen.is_given_up(ask));
    t.swap = NULL;
    t.drains[0] = (struct reserve_leg *)(void *)&t; /* a reservation has been lost */
    assert_true(fake_vio.sanitize_seen.is_given_up(ask));
}

/* ---- While one runs ---------------------------------------------------------------- */

/* A CDB of each row of the table that says nothing wrong, if it has no data. */
static void run_row(struct rig *r, const struct cdb_op *op)
{
    uint8_t cdb[CDB_BYTES_MAX] = {op->opcode, op->service_action};
    r->expected_in_bytes = 1024;
    rig_run(r, 0, cdb, op->cdb_bytes);
}

static bool is_let_through(enum cdb_id id)
{
    return id == CDB_INQUIRY || id == CDB_REPORT_LUNS || id == CDB_REPORT_OPCODES ||
           id == CDB_REPORT_TMFS || id == CDB_REQUEST_SENSE;
}

static bool is_sanitize(enum cdb_id id)
{
    return id == CDB_SANITIZE_OVERWRITE || id == CDB_SANITIZE_ERASE ||
           id == CDB_SANITIZE_EXIT;
}

static void every_command_but_some_waits_for_its_end(void **state)
{
    struct rig *r = *state;
    fake_vio.sanitize_state = SANITIZE_RUNNING;
    fake_vio.sanitize_progress = 0x1234;
    for (int id = 0; id < CDB_ID_COUNT; id++) {
        run_row(r, &cdb_ops[id]);
        if (is_let_through((enum cdb_id)id)) {
            assert_int_not_equal(r->task.sense.code == SENSE_SANITIZE_IN_PROGRESS &&
                                     r->task.status == SAM_CHECK_CONDITION,
                                 1);
            continue;
        }
        rig_expect_sense(r, SENSE_SANITIZE_IN_PROGRESS);
        assert_true(r->task.sense.has_progress);
        assert_int_equal(r->task.sense.progress, 0x1234);
    }
    assert_int_equal(fake_vio.count, 0);
    assert_int_equal(fake_vio.sanitize_count, 0);
}

static void every_command_but_some_is_told_the_failure(void **state)
{
    struct rig *r = *state;
    fake_vio.sanitize_state = SANITIZE_FAILED;
    for (int id = 0; id < CDB_ID_COUNT; id++) {
        if (is_let_through((enum cdb_id)id) || is_sanitize((enum cdb_id)id))
            continue;
        run_row(r, &cdb_ops[id]);
        rig_expect_sense(r, SENSE_SANITIZE_FAILED);
    }
    assert_int_equal(fake_vio.count, 0);
    ERASE(r);
    rig_expect_good(r);
    LEAVE(r);
    rig_expect_good(r);
    assert_int_equal(fake_vio.sanitize_count, 2);
}

static void request_sense_polls_progress(void **state)
{
    struct rig *r = *state;
    struct sense told;
    fake_vio.sanitize_state = SANITIZE_RUNNING;
    fake_vio.sanitize_progress = 0x8001;
    for (uint8_t descriptor = 0; descriptor < 2; descriptor++) {
        r->expected_in_bytes = 252;
        RIG_RUN(r, 0x03, descriptor, 0, 0, 252, 0);
        rig_expect_good(r);
        assert_int_equal(sense_decode(r->task.data_in, r->task.data_in_bytes, &told), 0);
        assert_int_equal(told.code, SENSE_SANITIZE_IN_PROGRESS);
        assert_true(told.has_progress);
        assert_int_equal(told.progress, 0x8001);
    }
    fake_vio.sanitize_state = SANITIZE_FAILED;
    r->expected_in_bytes = 252;
    RIG_RUN(r, 0x03, 0, 0, 0, 252, 0);
    rig_expect_good(r);
    assert_int_equal(sense_decode(r->task.data_in, r->task.data_in_bytes, &told), 0);
    assert_int_equal(told.code, SENSE_SANITIZE_FAILED);
}

/* Prepared before it began, at the fence after. */
static void what_meets_it_at_the_disk_is_told_so(void **state)
{
    struct rig *r = *state;
    fake_vio.fail_nth = 1;
    fake_vio.fail_rc = -EINPROGRESS;
    r->expected_in_bytes = 512;
    RIG_RUN(r, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    assert_int_equal(r->task.status, SAM_BUSY); /* it has ended since */
}

static void the_other_units_do_not_notice(void **state)
{
    struct rig *r = *state;
    UNIT_READY(r);
    rig_expect_good(r);
    fake_vio.sanitize_state = SANITIZE_RUNNING;
    UNIT_READY(r);
    rig_expect_sense(r, SENSE_SANITIZE_IN_PROGRESS);
    RIG_RUN_ON(r, 7, 0x00, 0, 0, 0, 0, 0);
    rig_expect_sense(r, SENSE_LUN_NOT_SUPPORTED);
    fake_vio.sanitize_state = SANITIZE_NONE;
    UNIT_READY(r);
    rig_expect_good(r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup_512, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_erase_is_asked_for),
        TEST(an_overwrite_is_asked_for),
        TEST(a_whole_block_is_the_longest_pattern),
        TEST(cdbs_that_are_wrong_name_the_field),
        TEST(lists_that_are_wrong_name_the_field),
        TEST(what_stands_in_its_way_is_told),
        TEST(a_protected_unit_is_not_sanitized),
        TEST(who_waits_may_be_given_up),
        TEST(every_command_but_some_waits_for_its_end),
        TEST(every_command_but_some_is_told_the_failure),
        TEST(request_sense_polls_progress),
        TEST(what_meets_it_at_the_disk_is_told_so),
        TEST(the_other_units_do_not_notice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
