/* SPDX-License-Identifier: Apache-2.0 */
/* proto/mode.h: what MODE SENSE tells can be selected back, only what is told changeable
 * changes, and the rest is refused with its byte. */
#include "tests/unit/proto/unit.h"

#include "proto/mode.h"
#include "tests/unit/proto/lu.h"

static const struct modes plain = {.write_cache = true};

struct answer {
    uint8_t data[MODE_DATA_BYTES_MAX];
    struct wire w;
};

/* With these current values; the saved and default ones are plain. */
static int ask(struct answer *a, const struct cdb_mode_sense *cdb,
               const struct modes *current, struct sense *s)
{
    const struct mode_values values = {*current, plain, plain};
    memset(a->data, 0xee, sizeof(a->data));
    wire_init(&a->w, a->data, cdb->alloc_bytes);
    return mode_sense_encode(&test_lu, &values, cdb, &a->w, s);
}

static void caching_page_tells_a_write_cache(void **state)
{
    struct answer a;
    struct sense s;
    (void)state;
    assert_int_equal(
        ask(&a, &(struct cdb_mode_sense){.page = 8, .alloc_bytes = 255}, &plain, &s), 0);
    /* header, block descriptor (20971520 blocks of 512), page */
    assert_wire_bytes(&a.w, 31, 0, 0x10, 8, 0x01, 0x40, 0, 0, 0, 0, 2, 0, 0x88, 0x12,
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
        static const uint8_t codes[] = {0x81, 0x88, 0x8a, 0x1c};
        for (size_t p = 0; p < ARRAY_LEN(codes); p++) {
            assert_int_equal(a.data[at], codes[p]);
            at += 2u + a.data[at + 1];
        }
        if (i == 1) { /* and all subpages */
            assert_int_equal(a.data[at], 0xdc);
            assert_int_equal(a.data[at + 1], 0x02);
            at += 4u + be16_load(a.data + at + 2);
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
    struct modes swp = {.write_protect = true};
    struct lu_ident ro = test_lu;
    (void)state;
    struct cdb_mode_sense cdb = {.page = 0x0a, .dbd = true, .alloc_bytes = 255};
    assert_int_equal(ask(&a, &cdb, &swp, &s), 0);
    assert_int_equal(a.data[2], 0x90);
    assert_int_equal(a.data[4 + 4], 0x08);
    ro.read_only = true;
    const struct mode_values values = {plain, plain, plain};
    wire_init(&a.w, a.data, 255);
    assert_int_equal(mode_sense_encode(&ro, &values, &cdb, &a.w, &s), 0);
    assert_int_equal(a.data[2], 0x90);
    assert_int_equal(a.data[4 + 4], 0);
}

static void changeable_and_default_values_are_told_apart(void **state)
{
    struct answer a;
    struct sense s;
    struct modes set = {.descriptor_sense = true, .write_protect = true};
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
}

static void saved_values_are_told_apart(void **state)
{
    struct answer a;
    struct sense s;
    const struct mode_values values = {
        .current = plain, .saved = {.write_protect = true}, .defaults = plain};
    (void)state;
    struct cdb_mode_sense cdb = {
        .page = 0x0a, .dbd = true, .alloc_bytes = 255, .control = MODE_SAVED};
    wire_init(&a.w, a.data, cdb.alloc_bytes);
    assert_int_equal(mode_sense_encode(&test_lu, &values, &cdb, &a.w, &s), 0);
    assert_int_equal(a.data[2], 0x10); /* WP: as it is now */
    assert_int_equal(a.data[4 + 4], 0x08);
    cdb.page = 0x08;
    wire_init(&a.w, a.data, cdb.alloc_bytes);
    assert_int_equal(mode_sense_encode(&test_lu, &values, &cdb, &a.w, &s), 0);
    assert_int_equal(a.data[4 + 2], 0);
}

/* SBC-4, 6.5.9: the bytes of the page, from the standard. */
static void provisioning_page_has_a_descriptor_for_each_threshold(void **state)
{
    struct answer a;
    struct sense s;
    struct modes modes = plain;
    (void)state;
    modes.tells_one = true;
    modes.thresholds[0] = (struct threshold){
        .enabled = true, .resource = THRESHOLD_AVAILABLE, .extents = 0x01020304};
    modes.thresholds[3] = (struct threshold){
        .enabled = true, .increasing = true, .resource = THRESHOLD_USED, .extents = 5};
    struct cdb_mode_sense cdb = {
        .page = 0x1c, .subpage = 0x02, .dbd = true, .alloc_bytes = 255};
    assert_int_equal(ask(&a, &cdb, &modes, &s), 0);
    assert_wire_bytes(&a.w, 51, 0, 0x10, 0, 0xdc, 0x02, 0, 44, 0x01, 0, 0, 0, 0, 0, 0, 0,
                      0, 0, 0, 0, 0x80, 0x01, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                      0, 0, 0, 0, 0, 0, 0, 0x81, 0x02, 0, 0, 0, 0, 0, 5);
    assert_int_equal(mode_threshold_offset(3), 40);
    cdb.control = MODE_CHANGEABLE;
    assert_int_equal(ask(&a, &cdb, &modes, &s), 0);
    assert_int_equal(a.data[4 + 4], 0x01);
    assert_int_equal(a.data[4 + 40], 0x81);
    assert_int_equal(a.data[4 + 41], 0x03);
    assert_int_equal(be32_load(a.data + 4 + 44), 0xffffffff);
    cdb.subpage = 0xff;
    assert_int_equal(ask(&a, &cdb, &modes, &s), 0);
    assert_int_equal(wire_stored(&a.w), 4 + 12 + 48);
}

static void a_new_unit_has_a_threshold_at_a_quarter_left(void **state)
{
    struct modes modes;
    (void)state;
    mode_defaults(16383, &modes);
    assert_true(modes.write_cache && modes.tells_thresholds);
    assert_false(modes.write_protect || modes.descriptor_sense || modes.tells_one);
    assert_true(modes.thresholds[0].enabled && !modes.thresholds[0].increasing);
    assert_int_equal(modes.thresholds[0].resource, THRESHOLD_AVAILABLE);
    assert_int_equal(modes.thresholds[0].extents, 4095);
    for (int i = 1; i < THRESHOLD_MAX; i++)
        assert_false(modes.thresholds[i].enabled);
    mode_defaults(UINT64_MAX, &modes);
    assert_int_equal(modes.thresholds[0].extents, UINT32_MAX);
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
    static const uint8_t pages[] = {0x0a, 0x1c, 0x3f};
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        struct cdb_mode_sense cdb = {.page = pages[i], .subpage = 1, .alloc_bytes = 255};
        assert_int_equal(ask(&a, &cdb, &plain, &s), -EINVAL);
        assert_int_equal(s.field_byte, 3);
    }
}

static int select_6(const uint8_t *list, size_t bytes, struct modes *modes,
                    struct sense *s)
{
    return mode_select_decode(&test_lu, &(struct cdb_mode_select){.ten = false}, list,
                              bytes, modes, s);
}

static void what_is_told_may_be_selected(void **state)
{
    struct answer a;
    struct sense s;
    struct modes now = {.descriptor_sense = true, .tells_one = true};
    now.thresholds[1] = (struct threshold){true, true, THRESHOLD_USED, 77};
    const struct modes was = now;
    (void)state;
    for (int ten = 0; ten < 2; ten++) {
        struct cdb_mode_sense cdb = {
            .ten = ten != 0, .page = 0x3f, .subpage = 0xff, .alloc_bytes = 255};
        assert_int_equal(ask(&a, &cdb, &now, &s), 0);
        struct cdb_mode_select sel = {.ten = ten != 0};
        assert_int_equal(
            mode_select_decode(&test_lu, &sel, a.data, wire_stored(&a.w), &now, &s), 0);
        assert_true(modes_equal(&now, &was));
    }
}

static const uint8_t provisioning_list[4 + 48] = {
    [4] = 0x5c, 0x02, 0, 44, 0x01, [20] = 0x80, 0x01, 0, 0, 0, 0, 1, 0};

static void thresholds_are_set(void **state)
{
    struct modes now = plain;
    struct sense s;
    (void)state;
    uint8_t list[sizeof(provisioning_list)];
    memcpy(list, provisioning_list, sizeof(list));
    list[28] = 0x81;
    list[29] = 0x02;
    be32_store(list + 32, 9);
    assert_int_equal(select_6(list, sizeof(list), &now, &s), 0);
    assert_true(now.tells_one && now.write_cache);
    assert_true(
        threshold_equals(&now.thresholds[0], &(struct threshold){true, false, 1, 256}));
    assert_true(
        threshold_equals(&now.thresholds[1], &(struct threshold){true, true, 2, 9}));
    assert_false(now.thresholds[2].enabled || now.thresholds[3].enabled);
}

static void bad_thresholds_change_nothing_and_name_their_byte(void **state)
{
    static const struct {
        unsigned at;
        uint8_t value;
        unsigned field;
    } cases[] = {
        {5, 0x01, 4},                   /* no such subpage */
        {4, 0x1c, 5},                   /* a page, with 02h as its length */
        {7, 43, 6},                     /* its length */
        {8, 0x02, 8},                   /* reserved */
        {20, 0x88, 20},                 /* a percentage: not a soft threshold of sets */
        {20, 0x82, 20},                 /* an arming that there is not */
        {21, 0x00, 21}, {21, 0x03, 21}, /* a resource that there is not */
        {29, 0x03, 29}, {30, 0x01, 30},
    };
    struct modes now = plain;
    struct sense s;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t list[sizeof(provisioning_list)];
        memcpy(list, provisioning_list, sizeof(list));
        list[cases[i].at] = cases[i].value;
        assert_int_equal(select_6(list, sizeof(list), &now, &s), -EINVAL);
        assert_int_equal(s.code, SENSE_INVALID_PARAM_FIELD);
        assert_int_equal(s.field_byte, cases[i].field);
        assert_true(modes_equal(&now, &plain));
    }
    for (size_t bytes = 5; bytes < sizeof(provisioning_list); bytes++) {
        assert_int_equal(select_6(provisioning_list, bytes, &now, &s), -EINVAL);
        assert_int_equal(s.code, SENSE_PARAM_LIST_LENGTH);
    }
}

static const uint8_t control_list[4 + 12] = {0, 0, 0, 0, 0x0a, 0x0a, 0x20, 0x10};

static void changeable_bits_change(void **state)
{
    uint8_t list[sizeof(control_list)];
    struct modes now = plain;
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

    static const uint8_t through[4 + 20] = {[4] = 0x08, 18};
    static const uint8_t quiet[4 + 12] = {[4] = 0x01, 10};
    now.tells_thresholds = true;
    assert_int_equal(select_6(through, sizeof(through), &now, &s), 0);
    assert_true(!now.write_cache && now.tells_thresholds);
    assert_int_equal(select_6(quiet, sizeof(quiet), &now, &s), 0);
    assert_false(now.tells_thresholds);
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
    struct modes now = {.write_protect = true};
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
    struct modes now = plain;
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
        cmocka_unit_test(saved_values_are_told_apart),
        cmocka_unit_test(provisioning_page_has_a_descriptor_for_each_threshold),
        cmocka_unit_test(a_new_unit_has_a_threshold_at_a_quarter_left),
        cmocka_unit_test(thresholds_are_set),
        cmocka_unit_test(bad_thresholds_change_nothing_and_name_their_byte),
        cmocka_unit_test(unknown_pages_are_refused),
        cmocka_unit_test(what_is_told_may_be_selected),
        cmocka_unit_test(changeable_bits_change),
        cmocka_unit_test(bad_lists_change_nothing_and_name_their_byte),
        cmocka_unit_test(block_descriptor_may_only_repeat_what_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
