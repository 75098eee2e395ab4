/* SPDX-License-Identifier: Apache-2.0 */
/* proto/mode.h: what MODE SENSE tells can be selected back, only what is told changeable
 * changes, and the rest is refused with its byte. */
#include "tests/unit/proto/unit.h"

#include "proto/mode.h"
#include "tests/unit/proto/lu.h"

static const struct mode_state plain;

struct answer {
    uint8_t data[MODE_DATA_BYTES_MAX];
    struct wire w;
};

static int ask(struct answer *a, const struct cdb_mode_sense *cdb,
               const struct mode_state *state, struct sense *s)
{
    memset(a->data, 0xee, sizeof(a->data));
    wire_init(&a->w, a->data, cdb->alloc_bytes);
    return mode_sense_encode(&test_lu, state, cdb, &a->w, s);
}

static void caching_page_tells_a_write_cache(void **state)
{
    struct answer a;
    struct sense s;
    (void)state;
    assert_int_equal(
        ask(&a, &(struct cdb_mode_sense){.page = 8, .alloc_bytes = 255}, &plain, &s), 0);
    /* header, block descriptor (20971520 blocks of 512), page */
    assert_wire_bytes(&a.w, 31, 0, 0x10, 8, 0x01, 0x40, 0, 0, 0, 0, 2, 0, 0x08, 0x12,
                      0x04, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
}

static void ten_byte_form_has_a_long_descriptor_if_asked(void **state)
{
    struct answer a;
    struct sense s;
    (void)state;
    struct cdb_mode_sense cdb = {
        .ten = true, .llbaa = true, .page = 0x1c, .alloc_bytes = 256};
    assert_int_equal(ask(&a, &cdb, &plain, &s), 0);
    assert_wire_bytes(&a.w, 0, 34, 0, 0x10, 0x01, 0, 0, 16, 0, 0, 0, 0, 0x01, 0x40, 0, 0,
                      0, 0, 0, 0, 0, 0, 2, 0, 0x1c, 0x0a, 0x08, 0, 0, 0, 0, 0, 0, 0, 0,
                      0);
    cdb.dbd = true;
    assert_int_equal(ask(&a, &cdb, &plain, &s), 0);
    assert_int_equal(a.data[4], 0);
    assert_int_equal(be16_load(a.data + 6), 0);
    assert_int_equal(wire_stored(&a.w), 8 + 12);
}

static void all_pages_come_in_ascending_order(void **state)
{
    struct answer a;
    struct sense s;
    (void)state;
    struct cdb_mode_sense cdb = {.dbd = true, .page = 0x3f, .alloc_bytes = 255};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask(&a, &cdb, &plain, &s), 0);
        size_t at = 4;
        static const uint8_t codes[] = {0x01, 0x08, 0x0a, 0x1c};
        for (size_t p = 0; p < ARRAY_LEN(codes); p++) {
            assert_int_equal(a.data[at], codes[p]);
            at += 2u + a.data[at + 1];
        }
        assert_int_equal(at, wire_stored(&a.w));
        assert_int_equal(a.data[0], at - 1);
        cdb.subpage = 0xff;
    }
}

static void cut_answer_tells_its_full_length(void **state)
{
    struct answer a;
    struct sense s;
    (void)state;
    struct cdb_mode_sense cdb = {.page = 0x3f, .alloc_bytes = 4};
    assert_int_equal(ask(&a, &cdb, &plain, &s), 0);
    assert_wire_bytes(&a.w, 67, 0, 0x10, 8);
    assert_int_equal(a.data[4], 0xee);
}

static void write_protection_shows(void **state)
{
    struct answer a;
    struct sense s;
    struct mode_state swp = {.write_protect = true};
    struct lu_ident ro = test_lu;
    (void)state;
    struct cdb_mode_sense cdb = {.page = 0x0a, .dbd = true, .alloc_bytes = 255};
    assert_int_equal(ask(&a, &cdb, &swp, &s), 0);
    assert_int_equal(a.data[2], 0x90);
    assert_int_equal(a.data[4 + 4], 0x08);
    ro.read_only = true;
    wire_init(&a.w, a.data, 255);
    assert_int_equal(mode_sense_encode(&ro, &plain, &cdb, &a.w, &s), 0);
    assert_int_equal(a.data[2], 0x90);
    assert_int_equal(a.data[4 + 4], 0);
}

static void changeable_and_default_values_are_told_apart(void **state)
{
    struct answer a;
    struct sense s;
    struct mode_state set = {.descriptor_sense = true, .write_protect = true};
    (void)state;
    struct cdb_mode_sense cdb = {.page = 0x0a, .dbd = true, .alloc_bytes = 255};
    cdb.control = MODE_CURRENT;
    assert_int_equal(ask(&a, &cdb, &set, &s), 0);
    assert_int_equal(a.data[4 + 2], 0x24); /* TST 001b, D_SENSE */
    assert_int_equal(a.data[4 + 3], 0x10);
    cdb.control = MODE_DEFAULT;
    assert_int_equal(ask(&a, &cdb, &set, &s), 0);
    assert_int_equal(a.data[4 + 2], 0x20);
    cdb.control = MODE_CHANGEABLE;
    assert_int_equal(ask(&a, &cdb, &set, &s), 0);
    assert_int_equal(a.data[4 + 2], 0x04);
    assert_int_equal(a.data[4 + 3], 0);
    assert_int_equal(a.data[4 + 4], 0x08);
    cdb.control = MODE_SAVED;
    assert_int_equal(ask(&a, &cdb, &set, &s), -EINVAL);
    assert_int_equal(s.code, SENSE_SAVING_NOT_SUPPORTED);
}

static void unknown_pages_are_refused(void **state)
{
    struct answer a;
    struct sense s;
    (void)state;
    assert_int_equal(
        ask(&a, &(struct cdb_mode_sense){.page = 0x02, .alloc_bytes = 255}, &plain, &s),
        -EINVAL);
    assert_int_equal(s.field_byte, 2);
    struct cdb_mode_sense cdb = {.page = 0x0a, .subpage = 1, .alloc_bytes = 255};
    assert_int_equal(ask(&a, &cdb, &plain, &s), -EINVAL);
    assert_int_equal(s.field_byte, 3);
}

static int select_6(const uint8_t *list, size_t bytes, struct mode_state *state,
                    struct sense *s)
{
    return mode_select_decode(&test_lu, &(struct cdb_mode_select){.ten = false}, list,
                              bytes, state, s);
}

static void what_is_told_may_be_selected(void **state)
{
    struct answer a;
    struct sense s;
    struct mode_state now = {.descriptor_sense = true};
    (void)state;
    for (int ten = 0; ten < 2; ten++) {
        struct cdb_mode_sense cdb = {.ten = ten != 0, .page = 0x3f, .alloc_bytes = 255};
        assert_int_equal(ask(&a, &cdb, &now, &s), 0);
        struct cdb_mode_select sel = {.ten = ten != 0};
        assert_int_equal(
            mode_select_decode(&test_lu, &sel, a.data, wire_stored(&a.w), &now, &s), 0);
        assert_true(now.descriptor_sense && !now.write_protect);
    }
}

static const uint8_t control_list[4 + 12] = {0, 0, 0, 0, 0x0a, 0x0a, 0x20, 0x10};

static void changeable_bits_change(void **state)
{
    uint8_t list[sizeof(control_list)];
    struct mode_state now = plain;
    struct sense s;
    (void)state;
    memcpy(list, control_list, sizeof(list));
    list[4 + 2] = 0x24;
    list[4 + 4] = 0x08;
    assert_int_equal(select_6(list, sizeof(list), &now, &s), 0);
    assert_true(now.descriptor_sense && now.write_protect);
    assert_int_equal(select_6(control_list, sizeof(list), &now, &s), 0);
    assert_false(now.descriptor_sense || now.write_protect);
    assert_int_equal(select_6(NULL, 0, &now, &s), 0);
}

static void bad_lists_change_nothing_and_name_their_byte(void **state)
{
    static const struct {
        unsigned at;
        uint8_t value;
        unsigned field;
    } cases[] = {
        {4, 0x02, 4},                  /* no such page */
        {4, 0x4a, 4},                  /* subpage format */
        {5, 0x09, 5},                  /* its length */
        {4 + 2, 0x00, 6},              /* TST is not changeable */
        {4 + 3, 0x00, 7},              /* nor is this */
        {4 + 11, 0x01, 15}, {3, 5, 3}, /* block descriptor length */
    };
    struct mode_state now = {.write_protect = true};
    struct sense s;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t list[sizeof(control_list)];
        memcpy(list, control_list, sizeof(list));
        list[cases[i].at] = cases[i].value;
        assert_int_equal(select_6(list, sizeof(list), &now, &s), -EINVAL);
        assert_int_equal(s.code, SENSE_INVALID_PARAM_FIELD);
        assert_int_equal(s.field_byte, cases[i].field);
        assert_true(now.write_protect);
    }
    for (size_t bytes = 1; bytes < sizeof(control_list); bytes++) {
        if (bytes == 4)
            continue; /* a header alone selects nothing */
        assert_int_equal(select_6(control_list, bytes, &now, &s), -EINVAL);
        assert_int_equal(s.code, SENSE_PARAM_LIST_LENGTH);
    }
}

static void block_descriptor_may_only_repeat_what_is(void **state)
{
    uint8_t list[4 + 8] = {0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 2, 0};
    struct mode_state now = plain;
    struct sense s;
    (void)state;
    assert_int_equal(select_6(list, sizeof(list), &now, &s), 0);
    be32_store(list + 4, 20971520);
    assert_int_equal(select_6(list, sizeof(list), &now, &s), 0);
    be32_store(list + 4, 20971519);
    assert_int_equal(select_6(list, sizeof(list), &now, &s), -EINVAL);
    be32_store(list + 4, 0);
    list[10] = 0x10;
    assert_int_equal(select_6(list, sizeof(list), &now, &s), -EINVAL);
    assert_int_equal(s.field_byte, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caching_page_tells_a_write_cache),
        cmocka_unit_test(ten_byte_form_has_a_long_descriptor_if_asked),
        cmocka_unit_test(all_pages_come_in_ascending_order),
        cmocka_unit_test(cut_answer_tells_its_full_length),
        cmocka_unit_test(write_protection_shows),
        cmocka_unit_test(changeable_and_default_values_are_told_apart),
        cmocka_unit_test(unknown_pages_are_refused),
        cmocka_unit_test(what_is_told_may_be_selected),
        cmocka_unit_test(changeable_bits_change),
        cmocka_unit_test(bad_lists_change_nothing_and_name_their_byte),
        cmocka_unit_test(block_descriptor_may_only_repeat_what_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
