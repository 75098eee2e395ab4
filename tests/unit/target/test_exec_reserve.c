/* SPDX-License-Identifier: Apache-2.0 */
/* Commands where a reservation is: which are in conflict with which, for whom, and in
 * which order a command is told what is wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/be.h"
#include "target/nexus.h"
#include "tests/unit/target/exec_rig.h"

#include <stdio.h>
#include <string.h>

/* What is tested has three nexuses, each on a reactor of its own. */
struct three {
    struct rig *rig;
    struct nexus *nexuses[3];
};
enum who { HOLDER, REGISTERED, STRANGER };

static int setup(void **state)
{
    struct three *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    t->rig = rig_create(512);
    t->nexuses[0] = t->rig->nexus;
    for (unsigned i = 1; i < ARRAY_LEN(t->nexuses); i++) {
        static const uint16_t tags[] = {1, 7};
        const struct nexus_spec spec = {
            .initiator = "iqn.2026-01.example:host",
            .isid = {0x40, 0, 0, 1, 2, (uint8_t)(3 + i)},
            .target_name = "iqn.2026-01.example:box",
            .portal_group_tag = 1,
            .port_tags = tags,
            .port_count = 2,
            .reactor = i,
            .alua = &t->rig->alua,
        };
        assert_int_equal(nexus_create(&spec, &t->rig->view, &t->nexuses[i]), 0);
        t->rig->nexus = t->nexuses[i];
        RIG_RUN(t->rig, 0x00, 0, 0, 0, 0, 0);
        rig_expect_sense(t->rig, SENSE_POWER_ON);
    }
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct three *t = *state;
    t->rig->nexus = t->nexuses[0];
    for (unsigned i = 1; i < ARRAY_LEN(t->nexuses); i++)
        nexus_destroy(t->nexuses[i]);
    rig_destroy(t->rig);
    free(t);
    return 0;
}

static struct rig *as(struct three *t, enum who who)
{
    t->rig->nexus = t->nexuses[who];
    return t->rig;
}

static uint64_t key_of(enum who who)
{
    return 0x1000 + who;
}

/* PERSISTENT RESERVE OUT with that action; the nexus's own key, but none in a REGISTER
 * AND IGNORE. */
static struct rig *pr_out(struct three *t, enum who who, uint8_t action, uint8_t type,
                          uint64_t action_key)
{
    uint8_t list[24] = {0};
    be64_store(list, action == 6 ? 0 : key_of(who));
    be64_store(list + 8, action_key);
    struct rig *r = as(t, who);
    rig_send(r, list, sizeof(list));
    RIG_RUN(r, 0x5f, action, type, 0, 0, 0, 0, 0, 24, 0);
    return r;
}

static void enroll(struct three *t, enum who who)
{
    rig_expect_good(pr_out(t, who, 6, 0, key_of(who)));
}

static void reserve_as(struct three *t, uint8_t type)
{
    enroll(t, HOLDER);
    enroll(t, REGISTERED);
    rig_expect_good(pr_out(t, HOLDER, 1, type, 0));
}

static bool conflicts(const struct rig *r)
{
    return r->task.status == SAM_RESERVATION_CONFLICT;
}

/* ---- the tables of the standards ---- */

/* SPC-4, table 57; SBC-4, table 13; SPC-2, 5.5.1, each as it is printed. A: allowed, C:
 * conflict. Of another nexus's reservation: by RESERVE; write exclusive; exclusive
 * access; registrants' of a registered nexus; and of one that is not, write, access. */
static const struct {
    uint8_t opcode, action;
    const char *verdicts;
    uint8_t byte, value; /* of the CDB, where that matters */
} table[] = {
    {0x00, 0, "CAAAAA", 0, 0},    {0x03, 0, "AAAAAA", 0, 0},
    {0x08, 0, "CACAAC", 0, 0},    {0x0a, 0, "CCCACC", 0, 0},
    {0x12, 0, "AAAAAA", 0, 0},    {0x15, 0, "CCCACC", 0, 0},
    {0x16, 0, "C     ", 0, 0},    {0x17, 0, "A     ", 0, 0},
    {0x1a, 0, "CACAAC", 0, 0},    {0x1b, 0, "CCCACC", 4, 0},
    {0x1b, 0, "AAAAAA", 4, 1},    {0x1e, 0, "AAAAAA", 4, 0},
    {0x1e, 0, "CCCACC", 4, 1},    {0x25, 0, "AAAAAA", 0, 0},
    {0x28, 0, "CACAAC", 0, 0},    {0x2a, 0, "CCCACC", 0, 0},
    {0x2e, 0, "CCCACC", 0, 0},    {0x2f, 0, "CACAAC", 0, 0},
    {0x34, 0, "CACAAC", 0, 0},    {0x35, 0, "CCCACC", 0, 0},
    {0x37, 0, "CACAAC", 0, 0},    {0x41, 0, "CCCACC", 0, 0},
    {0x42, 0, "CCCACC", 0, 0},    {0x48, 0x01, "CCCACC", 0, 0},
    {0x48, 0x02, "CCCACC", 0, 0}, {0x48, 0x1f, "CCCACC", 0, 0},
    {0x4d, 0, "AAAAAA", 0, 0},    {0x55, 0, "CCCACC", 0, 0},
    {0x56, 0, "C     ", 0, 0},    {0x57, 0, "A     ", 0, 0},
    {0x5a, 0, "CACAAC", 0, 0},    {0x5e, 0x00, "CAAAAA", 0, 0},
    {0x5e, 0x01, "CAAAAA", 0, 0}, {0x5e, 0x02, "CAAAAA", 0, 0},
    {0x5e, 0x03, "CAAAAA", 0, 0}, {0x5f, 0x00, "C     ", 0, 0},
    {0x5f, 0x01, "C     ", 0, 0}, {0x5f, 0x02, "C     ", 0, 0},
    {0x5f, 0x03, "C     ", 0, 0}, {0x5f, 0x04, "C     ", 0, 0},
    {0x5f, 0x05, "C     ", 0, 0}, {0x5f, 0x06, "C     ", 0, 0},
    {0x5f, 0x07, "C     ", 0, 0}, {0x83, 0x00, "CCCACC", 0, 0},
    {0x83, 0x01, "CCCACC", 0, 0}, {0x83, 0x10, "CACAAC", 0, 0},
    {0x83, 0x11, "CCCACC", 0, 0}, {0x83, 0x1c, "CCCACC", 0, 0},
    {0x84, 0x00, "CCCACC", 0, 0}, {0x84, 0x03, "CCCACC", 0, 0},
    {0x84, 0x04, "CCCACC", 0, 0}, {0x84, 0x05, "CCCACC", 0, 0},
    {0x84, 0x07, "CACAAC", 0, 0}, {0x84, 0x08, "CACAAC", 0, 0},
    {0x88, 0, "CACAAC", 0, 0},    {0x89, 0, "CCCACC", 0, 0},
    {0x8a, 0, "CCCACC", 0, 0},    {0x8b, 0, "CCCACC", 0, 0},
    {0x8e, 0, "CCCACC", 0, 0},    {0x8f, 0, "CACAAC", 0, 0},
    {0x90, 0, "CACAAC", 0, 0},    {0x91, 0, "CCCACC", 0, 0},
    {0x93, 0, "CCCACC", 0, 0},    {0x9c, 0, "CCCACC", 0, 0},
    {0x9e, 0x10, "AAAAAA", 0, 0}, {0x9e, 0x12, "CACAAC", 0, 0},
    {0xa0, 0, "AAAAAA", 0, 0},    {0xa3, 0x0a, "AAAAAA", 0, 0},
    {0xa3, 0x0c, "CACAAC", 0, 0}, {0xa3, 0x0d, "CACAAC", 0, 0},
    {0xa8, 0, "CACAAC", 0, 0},    {0xaa, 0, "CCCACC", 0, 0},
    {0xae, 0, "CCCACC", 0, 0},    {0xaf, 0, "CACAAC", 0, 0},
    {0xb7, 0, "CACAAC", 0, 0},
};

static void run_line(struct rig *r, size_t line)
{
    uint8_t cdb[16] = {table[line].opcode, table[line].action};
    cdb[table[line].byte] =
        table[line].byte == 0 ? table[line].opcode : table[line].value;
    r->expected_in_bytes = 1024;
    rig_run(r, 0, cdb, sizeof(cdb));
}

static void check_column(struct three *t, enum who who, unsigned column)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char want = table[i].verdicts[column];
        struct rig *r = as(t, who);
        if (want == ' ')
            continue;
        run_line(r, i);
        if (conflicts(r) != (want == 'C'))
            fail_msg("%02x/%02x, column %u: %s", table[i].opcode, table[i].action, column,
                     want == 'C' ? "allowed" : "a conflict");
    }
}

static void every_command_has_a_line(void **state)
{
    (void)state;
    for (size_t id = 0; id < CDB_ID_COUNT; id++) {
        bool found = false;
        for (size_t i = 0; i < ARRAY_LEN(table); i++)
            found |= table[i].opcode == cdb_ops[id].opcode &&
                     table[i].action == cdb_ops[id].service_action;
        if (!found)
            fail_msg("%s", cdb_ops[id].name);
    }
}

/* In each of them the one who has reserved may do everything. */
static void check_holder(struct three *t, enum who who)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].verdicts[1] == ' ')
            continue;
        run_line(as(t, who), i);
        assert_false(conflicts(t->rig));
    }
}

static void what_is_exclusive_is_the_holders(void **state)
{
    struct three *t = *state;
    reserve_as(t, 1);
    check_column(t, REGISTERED, 1);
    check_column(t, STRANGER, 1);
    check_holder(t, HOLDER);
    rig_expect_good(pr_out(t, HOLDER, 2, 1, 0));
    rig_expect_good(pr_out(t, HOLDER, 1, 3, 0));
    check_column(t, REGISTERED, 2);
    check_column(t, STRANGER, 2);
    check_holder(t, HOLDER);
}

static void what_is_of_registrants_is_not_the_strangers(void **state)
{
    static const struct {
        uint8_t type;
        unsigned column;
    } types[] = {{5, 4}, {6, 5}, {7, 4}, {8, 5}};
    struct three *t = *state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        enroll(t, HOLDER);
        enroll(t, REGISTERED);
        rig_expect_good(pr_out(t, HOLDER, 1, types[i].type, 0));
        check_column(t, REGISTERED, 3);
        check_column(t, STRANGER, types[i].column);
        check_holder(t, HOLDER);
        rig_expect_good(pr_out(t, HOLDER, 3, 0, 0));
    }
}

static void what_is_reserved_by_reserve_is_its_own(void **state)
{
    struct three *t = *state;
    RIG_RUN(as(t, HOLDER), 0x16, 0, 0, 0, 0, 0);
    rig_expect_good(t->rig);
    check_column(t, STRANGER, 0);
    check_column(t, REGISTERED, 0);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].opcode == 0x17 || table[i].opcode == 0x57)
            continue; /* it would be over */
        run_line(as(t, HOLDER), i);
        bool pr = table[i].opcode == 0x5e || table[i].opcode == 0x5f;
        /* SPC-2, 5.5.1: persistent reservations are in conflict, whose ever it is. What
         * is wrong with a parameter list is said before the unit is asked. */
        if (table[i].opcode == 0x5e || (pr && conflicts(t->rig)))
            assert_true(conflicts(t->rig));
        else
            assert_false(conflicts(t->rig));
    }
    RIG_RUN(as(t, HOLDER), 0x57, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    rig_expect_good(t->rig);
    RIG_RUN(as(t, STRANGER), 0x2a, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    rig_expect_good(t->rig);
}

/* ---- the order of what is told ---- */

static void a_conflict_goes_before_what_is_wrong_with_a_command(void **state)
{
    struct three *t = *state;
    reserve_as(t, 3);
    RIG_RUN(as(t, STRANGER), 0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 1, 0); /* its end */
    assert_true(conflicts(t->rig));
    RIG_RUN(as(t, STRANGER), 0x28, 1, 0, 0, 0, 0, 0, 0, 1, 0); /* a reserved bit */
    assert_true(conflicts(t->rig));
    RIG_RUN(as(t, STRANGER), 0x5c, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    rig_expect_sense(t->rig, SENSE_INVALID_OPCODE);
    RIG_RUN(as(t, STRANGER), 0x9e, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    rig_expect_cdb_field(t->rig, 1);
}

static void of_attentions_only_a_resets_goes_before_a_conflict(void **state)
{
    struct three *t = *state;
    reserve_as(t, 3);
    struct rig *r = as(t, STRANGER);
    nexus_notice(r->nexus, r->volume, NEXUS_RESERVATIONS_PREEMPTED);
    nexus_notice(r->nexus, r->volume, NEXUS_LU_RESET);
    RIG_RUN(r, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    rig_expect_sense(r, SENSE_LU_RESET);
    RIG_RUN(r, 0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0);
    assert_true(conflicts(r));
    RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
    rig_expect_sense(r, SENSE_RESERVATIONS_PREEMPTED);
    RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
    rig_expect_good(r);
}

static void a_read_only_unit_can_be_reserved(void **state)
{
    struct three *t = *state;
    t->rig->lus[0].read_only = true;
    reserve_as(t, 1);
    RIG_RUN(as(t, STRANGER), 0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    assert_true(conflicts(t->rig));
    rig_expect_good(pr_out(t, HOLDER, 3, 0, 0));
    RIG_RUN(as(t, STRANGER), 0x16, 0, 0, 0, 0, 0);
    rig_expect_good(t->rig);
}

/* ---- what comes between a command and its start ---- */

static void a_command_is_judged_again_when_it_starts(void **state)
{
    struct three *t = *state;
    struct rig *r = as(t, STRANGER);
    struct task *write = &(struct task){.nexus = r->nexus, .expected_out_bytes = 512};
    write->cdb[0] = 0x2a;
    write->cdb[8] = 1;
    assert_int_equal(exec_prepare(write), EXEC_PENDING);
    reserve_as(t, 1);
    assert_int_equal(exec_start(write), EXEC_DONE);
    assert_int_equal(write->status, SAM_RESERVATION_CONFLICT);
    assert_int_equal(fake_vio.count, 0);
}

/* ---- PERSISTENT RESERVE IN ---- */

static void it_tells_who_is_registered(void **state)
{
    struct three *t = *state;
    reserve_as(t, 5);
    struct rig *r = as(t, STRANGER);
    RIG_RUN(r, 0x5e, 0, 0, 0, 0, 0, 0, 0, 255, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, 24);
    assert_int_equal(be32_load(r->task.data_in), 2); /* generation */
    assert_int_equal(be32_load(r->task.data_in + 4), 16);
    assert_int_equal(be64_load(r->task.data_in + 8), key_of(HOLDER));
    assert_int_equal(be64_load(r->task.data_in + 16), key_of(REGISTERED));
    RIG_RUN(r, 0x5e, 1, 0, 0, 0, 0, 0, 0, 255, 0);
    assert_int_equal(r->task.data_in_bytes, 24);
    assert_int_equal(be64_load(r->task.data_in + 8), key_of(HOLDER));
    assert_int_equal(r->task.data_in[21], 5);
    RIG_RUN(r, 0x5e, 0, 0, 0, 0, 0, 0, 0, 10, 0); /* cut, with the length of all */
    assert_int_equal(r->task.data_in_bytes, 10);
    assert_int_equal(be32_load(r->task.data_in + 4), 16);
    RIG_RUN(r, 0x5e, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    rig_expect_good(r);
    assert_int_equal(r->task.data_in_bytes, 0);
}

static void a_list_of_another_length_is_refused(void **state)
{
    struct three *t = *state;
    struct rig *r = as(t, HOLDER);
    rig_send_pattern(r, 0, 23);
    RIG_RUN(r, 0x5f, 0, 0, 0, 0, 0, 0, 0, 23, 0);
    rig_expect_sense(r, SENSE_PARAM_LIST_LENGTH);
    rig_send_pattern(r, 0, 20); /* less than the CDB says */
    RIG_RUN(r, 0x5f, 0, 0, 0, 0, 0, 0, 0, 24, 0);
    rig_expect_sense(r, SENSE_PARAM_LIST_LENGTH);
}

#define ON(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON(every_command_has_a_line),
        ON(what_is_exclusive_is_the_holders),
        ON(what_is_of_registrants_is_not_the_strangers),
        ON(what_is_reserved_by_reserve_is_its_own),
        ON(a_conflict_goes_before_what_is_wrong_with_a_command),
        ON(of_attentions_only_a_resets_goes_before_a_conflict),
        ON(a_read_only_unit_can_be_reserved),
        ON(a_command_is_judged_again_when_it_starts),
        ON(it_tells_who_is_registered),
        ON(a_list_of_another_length_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
