/* SPDX-License-Identifier: Apache-2.0 */
/* proto/port_groups.h: REPORT TARGET PORT GROUPS byte by byte, and how its CDB is read.
 */
#include "tests/unit/proto/unit.h"

#include "proto/cdb.h"
#include "proto/port_groups.h"

static const struct port_group groups[] = {
    {.tag = 1, .access = {.state = ALUA_OPTIMIZED, .preferred = true}},
    {.tag = 0x1234, .access = {.state = ALUA_STANDBY}, .altered = true},
};

static void groups_have_a_port_each_of_the_same_number(void **state)
{
    uint8_t data[64];
    struct wire w;
    (void)state;
    wire_init(&w, data, sizeof(data));
    port_groups_encode(groups, 2, false, 60, &w);
    assert_wire_bytes(&w, 0, 0, 0, 24,                                /* length */
                      0x80, 0x8f, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1,       /* PREF */
                      0x02, 0x8f, 0x12, 0x34, 0, 2, 0, 1, 0, 0, 0x12, /* standby */
                      0x34);
}

static void extended_header_tells_the_time_of_a_transition(void **state)
{
    uint8_t data[64];
    struct wire w;
    (void)state;
    wire_init(&w, data, sizeof(data));
    port_groups_encode(groups, 1, true, 60, &w);
    assert_wire_bytes(&w, 0, 0, 0, 16, 0x10, 60, 0, 0, 0x80, 0x8f, 0, 1, 0, 0, 0, 1, 0, 0,
                      0, 1);
}

static void what_is_cut_tells_its_full_length(void **state)
{
    uint8_t data[64];
    struct wire w;
    (void)state;
    wire_init(&w, data, 6);
    port_groups_encode(groups, 2, true, 60, &w);
    assert_int_equal(wire_stored(&w), 6);
    assert_int_equal(be32_load(data), 28);
}

static void each_state_has_its_code(void **state)
{
    static const struct {
        enum alua_state state;
        uint8_t code;
        const char *name;
    } cases[] = {
        {ALUA_OPTIMIZED, 0x0, "active/optimized"},
        {ALUA_NON_OPTIMIZED, 0x1, "active/non-optimized"},
        {ALUA_STANDBY, 0x2, "standby"},
        {ALUA_UNAVAILABLE, 0x3, "unavailable"},
        {ALUA_TRANSITIONING, 0xf, "transitioning"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct port_group group = {.tag = 7, .access.state = cases[i].state};
        enum alua_state found;
        uint8_t data[64];
        struct wire w;
        wire_init(&w, data, sizeof(data));
        port_groups_encode(&group, 1, false, 0, &w);
        assert_int_equal(data[4], cases[i].code);
        assert_string_equal(alua_state_name(cases[i].state), cases[i].name);
        bool settable = cases[i].state != ALUA_TRANSITIONING;
        assert_int_equal(alua_state_of_name(cases[i].name, &found), settable);
        assert_true(!settable || found == cases[i].state);
    }
}

static void cdb_names_a_format_that_there_is(void **state)
{
    struct cdb_report_port_groups report;
    const struct cdb_op *op;
    struct sense s;
    (void)state;
    for (uint8_t format = 0; format < 8; format++) {
        const uint8_t cdb[CDB_BYTES_MAX] = {
            0xa3, (uint8_t)(format << 5 | 0x0a), 0, 0, 0, 0, 1, 2, 3, 4};
        assert_int_equal(cdb_find(cdb, &op, &s), 0);
        assert_int_equal(op->id, CDB_REPORT_PORT_GROUPS);
        int rc = cdb_report_port_groups_decode(cdb, &report, &s);
        assert_int_equal(rc, format > 1 ? -EINVAL : 0);
        if (rc == 0) {
            assert_int_equal(report.extended, format == 1);
            assert_int_equal(report.alloc_bytes, 0x01020304);
        } else {
            assert_int_equal(s.code, SENSE_INVALID_CDB_FIELD);
            assert_int_equal(s.field_byte, 1);
            assert_int_equal(s.field_bit, 7);
        }
    }
}

/* They are set by an admin alone. */
static void no_initiator_sets_them(void **state)
{
    (void)state;
    assert_null(cdb_op_of(0xa4, 0x0a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_have_a_port_each_of_the_same_number),
        cmocka_unit_test(extended_header_tells_the_time_of_a_transition),
        cmocka_unit_test(what_is_cut_tells_its_full_length),
        cmocka_unit_test(each_state_has_its_code),
        cmocka_unit_test(cdb_names_a_format_that_there_is),
        cmocka_unit_test(no_initiator_sets_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
