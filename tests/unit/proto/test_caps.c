/* SPDX-License-Identifier: Apache-2.0 */
/* proto/caps.h: capacity, LUNs, opcodes and task management functions, byte by byte. */
#include "tests/unit/proto/unit.h"

#include "proto/caps.h"
#include "proto/lun.h"
#include "tests/unit/proto/lu.h"

static void capacity_is_the_last_lba(void **state)
{
    uint8_t data[64];
    struct wire w;
    (void)state;
    wire_init(&w, data, sizeof(data));
    read_capacity_10_encode(&test_lu, &w);
    assert_wire_bytes(&w, 0x01, 0x3f, 0xff, 0xff, 0, 0, 2, 0);
    wire_init(&w, data, sizeof(data));
    read_capacity_16_encode(&test_lu, &w);
    /* physical exponent 3, LBPME and LBPRZ */
    assert_wire_bytes(&w, 0, 0, 0, 0, 0x01, 0x3f, 0xff, 0xff, 0, 0, 2, 0, 0, 0x03, 0xc0,
                      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}

static void capacity_beyond_32_bits_points_to_the_long_form(void **state)
{
    uint8_t data[64];
    struct wire w;
    struct lu_ident big = test_lu;
    (void)state;
    big.blocks = ((uint64_t)1 << 32) + 1;
    wire_init(&w, data, sizeof(data));
    read_capacity_10_encode(&big, &w);
    assert_int_equal(be32_load(data), 0xffffffff);
    big.thin = false;
    wire_init(&w, data, sizeof(data));
    read_capacity_16_encode(&big, &w);
    assert_true(be64_load(data) == (uint64_t)1 << 32);
    assert_int_equal(data[14], 0);
}

static void defects_are_told_to_be_none_of_what_was_asked(void **state)
{
    uint8_t data[64];
    struct wire w;
    (void)state;
    struct cdb_defect_data cdb = {.primary = true, .grown = true, .format = 5};
    wire_init(&w, data, sizeof(data));
    defect_data_encode(&cdb, &w);
    assert_wire_bytes(&w, 0, 0x1d, 0, 0);
    cdb = (struct cdb_defect_data){.grown = true};
    wire_init(&w, data, sizeof(data));
    defect_data_encode(&cdb, &w);
    assert_wire_bytes(&w, 0, 0x08, 0, 0);
    cdb = (struct cdb_defect_data){.twelve = true, .primary = true, .format = 3};
    wire_init(&w, data, sizeof(data));
    defect_data_encode(&cdb, &w);
    assert_wire_bytes(&w, 0, 0x13, 0, 0, 0, 0, 0, 0);
}

static void luns_are_listed_and_counted_even_if_cut(void **state)
{
    static const uint32_t luns[] = {0, 7, 300};
    uint8_t data[64];
    struct wire w;
    (void)state;
    wire_init(&w, data, sizeof(data));
    report_luns_encode(luns, 3, 0, &w);
    assert_wire_bytes(&w, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0,
                      0, 0, 0, 0x41, 0x2c, 0, 0, 0, 0, 0, 0);
    wire_init(&w, data, 16);
    report_luns_encode(luns, 3, 2, &w);
    assert_int_equal(wire_stored(&w), 16);
    assert_int_equal(be32_load(data), 24);
    wire_init(&w, data, sizeof(data));
    report_luns_encode(luns, 3, 1, &w);
    assert_wire_bytes(&w, 0, 0, 0, 0, 0, 0, 0, 0);
}

static void all_opcodes_are_listed(void **state)
{
    static uint8_t data[2048];
    struct wire w;
    struct sense s;
    (void)state;
    for (int timeouts = 0; timeouts < 2; timeouts++) {
        size_t each = timeouts ? 20 : 8;
        wire_init(&w, data, sizeof(data));
        struct cdb_report_opcodes cdb = {.timeouts = timeouts != 0};
        assert_int_equal(report_opcodes_encode(&cdb, &w, &s), 0);
        assert_int_equal(wire_stored(&w), 4 + CDB_ID_COUNT * each);
        assert_int_equal(be32_load(data), CDB_ID_COUNT * each);
        const uint8_t *d = data + 4 + CDB_READ_CAPACITY_16 * each;
        const uint8_t want[] = {0x9e, 0, 0, 0x10, 0, timeouts ? 0x03 : 0x01, 0, 16};
        assert_memory_equal(d, want, sizeof(want));
        if (timeouts)
            assert_int_equal(be16_load(d + 8), 10);
        if (timeouts) /* recommended: SPC-5, 6.35.4 */
            assert_int_equal(be32_load(d + 16), cdb_ops[CDB_READ_CAPACITY_16].timeout_s);
    }
}

static size_t ask_one(uint8_t *data, enum report_opcodes_option option, uint8_t opcode,
                      uint16_t action)
{
    struct wire w;
    struct sense s;
    struct cdb_report_opcodes cdb = {
        .option = option, .opcode = opcode, .service_action = action};
    wire_init(&w, data, 64);
    if (report_opcodes_encode(&cdb, &w, &s) == 0)
        return wire_stored(&w);
    assert_int_equal(s.code, SENSE_INVALID_CDB_FIELD);
    return 0;
}

static void one_opcode_tells_its_usage(void **state)
{
    uint8_t data[64];
    (void)state;
    assert_int_equal(ask_one(data, REPORT_OPCODES_ONE, 0x28, 0), 14);
    static const uint8_t read10[] = {0,    3,    0,    10,   0x28, 0xfa, 0xff,
                                     0xff, 0xff, 0xff, 0x1f, 0xff, 0xff, 0};
    assert_memory_equal(data, read10, sizeof(read10));
    assert_int_equal(ask_one(data, REPORT_OPCODES_ONE_SA, 0x9e, 0x10), 20);
    assert_int_equal(data[4], 0x9e);
    assert_int_equal(data[5], 0x10);
}

static void opcodes_that_are_not_there_are_unsupported(void **state)
{
    uint8_t data[64];
    (void)state;
    static const struct {
        enum report_opcodes_option option;
        uint8_t opcode;
        uint16_t action;
    } cases[] = {
        {REPORT_OPCODES_ONE, 0xc0, 0},        {REPORT_OPCODES_ONE_SA, 0x9e, 0x11},
        {REPORT_OPCODES_ONE_SA, 0x9e, 0x110}, {REPORT_OPCODES_ONE_ANY, 0x28, 1},
        {REPORT_OPCODES_ONE_ANY, 0x9e, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(ask_one(data, cases[i].option, cases[i].opcode, cases[i].action),
                         4);
        assert_int_equal(data[1], 1);
    }
    assert_int_equal(ask_one(data, REPORT_OPCODES_ONE_ANY, 0x28, 0), 14);
    assert_int_equal(ask_one(data, REPORT_OPCODES_ONE_ANY, 0x9e, 0x10), 20);
}

static void opcode_asked_the_wrong_way_is_refused(void **state)
{
    uint8_t data[64];
    (void)state;
    assert_int_equal(ask_one(data, REPORT_OPCODES_ONE, 0x9e, 0), 0);
    assert_int_equal(ask_one(data, REPORT_OPCODES_ONE_SA, 0x28, 0), 0);
}

static void task_management_functions_are_told(void **state)
{
    uint8_t data[64];
    struct wire w;
    (void)state;
    wire_init(&w, data, sizeof(data));
    report_tmfs_encode(&(struct cdb_report_tmfs){.extended = false},
                       REPORT_TMF_ABORT_TASK | REPORT_TMF_QUERY_TASK_SET, &w);
    assert_wire_bytes(&w, 0x80, 0x02, 0, 0);
    wire_init(&w, data, sizeof(data));
    report_tmfs_encode(&(struct cdb_report_tmfs){.extended = true}, 0, &w);
    assert_int_equal(wire_stored(&w), 16);
    assert_int_equal(data[3], 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity_is_the_last_lba),
        cmocka_unit_test(capacity_beyond_32_bits_points_to_the_long_form),
        cmocka_unit_test(defects_are_told_to_be_none_of_what_was_asked),
        cmocka_unit_test(luns_are_listed_and_counted_even_if_cut),
        cmocka_unit_test(all_opcodes_are_listed),
        cmocka_unit_test(one_opcode_tells_its_usage),
        cmocka_unit_test(opcodes_that_are_not_there_are_unsupported),
        cmocka_unit_test(opcode_asked_the_wrong_way_is_refused),
        cmocka_unit_test(task_management_functions_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
