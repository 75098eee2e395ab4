/* SPDX-License-Identifier: Apache-2.0 */
/* proto/log.h: every byte of every log page against the tables of SPC-5 and SBC-4; what
 * may be asked of a page, and what the refusal names. */
#include "tests/unit/proto/unit.h"

#include "proto/log.h"

static const struct log_figures figures = {
    .available_sets = 0x01020304,
    .used_sets = 0x0a0b0c0d,
    .read_commands = 0x1112131415161718,
    .write_commands = 0x2122232425262728,
    .read_blocks = 0x3132333435363738,
    .written_blocks = 0x4142434445464748,
    .read_us = 0x5152535455565758,
    .write_us = 0x6162636465666768,
};

struct page {
    uint8_t data[LOG_PAGE_BYTES_MAX];
    struct wire w;
};

/* The current values from a parameter on. */
static int ask(struct page *p, uint8_t page, uint8_t subpage, uint16_t pointer,
               struct sense *s)
{
    const struct cdb_log_sense cdb = {
        .control = LOG_CUMULATIVE, .page = page, .subpage = subpage, .pointer = pointer};
    memset(p->data, 0xee, sizeof(p->data));
    wire_init(&p->w, p->data, sizeof(p->data));
    return log_sense_encode(&figures, &cdb, &p->w, s);
}

static void read_page(struct page *p, uint8_t page, uint8_t subpage, uint16_t pointer)
{
    struct sense s;
    assert_int_equal(ask(p, page, subpage, pointer, &s), 0);
    assert_int_equal(wire_rc(&p->w), 0);
    assert_int_equal(p->data[0] & 0x3f, page);
    assert_int_equal(be16_load(p->data + 2), p->w.at - 4);
}

static void expect_refused(const struct sense *s, unsigned byte, int bit)
{
    assert_int_equal(s->code, SENSE_INVALID_CDB_FIELD);
    assert_true(s->field_in_cdb);
    assert_int_equal(s->field_byte, byte);
    assert_int_equal(s->field_has_bit, bit != SENSE_NO_BIT);
    if (bit != SENSE_NO_BIT)
        assert_int_equal(s->field_bit, bit);
}

static void lists_name_every_page_that_is_there_and_no_other(void **state)
{
    static const uint8_t there[][2] = {
        {0, 0}, {0, 0xff}, {0x0c, 0}, {0x0d, 0}, {0x19, 0}};
    struct page p;
    struct sense s;
    (void)state;
    read_page(&p, 0x00, 0, 0);
    assert_wire_bytes(&p.w, 0x00, 0, 0, 4, 0x00, 0x0c, 0x0d, 0x19);
    read_page(&p, 0x00, 0xff, 0);
    assert_wire_bytes(&p.w, 0x40, 0xff, 0, 10, 0, 0, 0, 0xff, 0x0c, 0, 0x0d, 0, 0x19, 0);
    for (unsigned i = 0; i < 64 * 256; i++) {
        uint8_t page = (uint8_t)(i / 256);
        uint8_t subpage = (uint8_t)i;
        bool listed = false;
        bool known = false;
        for (size_t k = 0; k < ARRAY_LEN(there); k++) {
            known |= there[k][0] == page;
            listed |= there[k][0] == page && there[k][1] == subpage;
        }
        assert_int_equal(ask(&p, page, subpage, 0, &s), listed ? 0 : -EINVAL);
        if (!listed)
            expect_refused(&s, known ? 3 : 2, known ? SENSE_NO_BIT : 5);
    }
}

static void provisioning_page_tells_space_with_its_scope(void **state)
{
    struct page p;
    (void)state;
    read_page(&p, 0x0c, 0, 0);
    assert_wire_bytes(&p.w, 0x8c, 0, 0, 24,                           /* DS */
                      0x00, 0x01, 0x23, 8, 1, 2, 3, 4, 0x02, 0, 0, 0, /* anybody's */
                      0x00, 0x02, 0x23, 8, 10, 11, 12, 13, 0x01, 0, 0, 0);
}

static void space_beyond_32_bits_is_told_as_the_most(void **state)
{
    static const struct log_figures large = {.available_sets = 1ULL << 32,
                                             .used_sets = UINT32_MAX - 1};
    const struct cdb_log_sense cdb = {.control = LOG_CUMULATIVE, .page = 0x0c};
    struct page p;
    struct sense s;
    (void)state;
    wire_init(&p.w, p.data, sizeof(p.data));
    assert_int_equal(log_sense_encode(&large, &cdb, &p.w, &s), 0);
    assert_int_equal(be32_load(p.data + 8), UINT32_MAX);
    assert_int_equal(be32_load(p.data + 20), UINT32_MAX - 1);
}

static void temperature_is_not_available(void **state)
{
    struct page p;
    (void)state;
    read_page(&p, 0x0d, 0, 0);
    assert_wire_bytes(&p.w, 0x8d, 0, 0, 6, 0x00, 0x00, 0x23, 2, 0, 0xff);
}

static void statistics_page_tells_work_and_time(void **state)
{
    static const uint8_t head[] = {0x99, 0, 0, 92, 0x00, 0x01, 0x23, 64};
    static const uint8_t idle[] = {0x00, 0x02, 0x23, 8, 0, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t interval[] = {0x00, 0x03, 0x23, 8, 0, 0, 0, 6, 0, 0, 0, 1};
    static const uint8_t weighted[16];
    struct page p;
    (void)state;
    read_page(&p, 0x19, 0, 0);
    assert_int_equal(p.w.at, 96);
    assert_memory_equal(p.data, head, sizeof(head));
    const uint8_t *d = p.data + sizeof(head);
    assert_true(be64_load(d) == figures.read_commands);
    assert_true(be64_load(d + 8) == figures.write_commands);
    assert_true(be64_load(d + 16) == figures.written_blocks); /* received */
    assert_true(be64_load(d + 24) == figures.read_blocks);    /* transmitted */
    assert_true(be64_load(d + 32) == figures.read_us);
    assert_true(be64_load(d + 40) == figures.write_us);
    assert_memory_equal(d + 48, weighted, sizeof(weighted));
    assert_memory_equal(d + 64, idle, sizeof(idle));
    assert_memory_equal(d + 76, interval, sizeof(interval));
}

static void pointer_leaves_out_what_comes_before_it(void **state)
{
    static const struct {
        uint8_t page;
        uint16_t pointer;
        uint16_t first; /* parameter that is told */
        size_t bytes;
    } cases[] = {
        {0x0c, 1, 1, 28}, {0x0c, 2, 2, 16}, {0x19, 1, 1, 96},
        {0x19, 2, 2, 28}, {0x19, 3, 3, 16},
    };
    static const struct {
        uint8_t page, subpage;
        uint16_t pointer;
    } beyond[] = {
        {0x00, 0, 1}, {0x00, 0xff, 1}, {0x0c, 0, 3},
        {0x0d, 0, 1}, {0x19, 0, 4},    {0x19, 0, 0xffff},
    };
    struct page p;
    struct sense s;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        read_page(&p, cases[i].page, 0, cases[i].pointer);
        assert_int_equal(p.w.at, cases[i].bytes);
        assert_int_equal(be16_load(p.data + 4), cases[i].first);
    }
    for (size_t i = 0; i < ARRAY_LEN(beyond); i++) {
        int rc = ask(&p, beyond[i].page, beyond[i].subpage, beyond[i].pointer, &s);
        assert_int_equal(rc, -EINVAL);
        expect_refused(&s, 5, SENSE_NO_BIT);
    }
}

static void values_other_than_the_current_are_refused_where_there_are_any(void **state)
{
    static const uint8_t with_values[] = {0x0c, 0x0d, 0x19};
    static const enum log_page_control others[] = {LOG_THRESHOLD, LOG_DEFAULT_THRESHOLD,
                                                   LOG_DEFAULT_CUMULATIVE};
    struct page p;
    struct sense s;
    (void)state;
    for (size_t c = 0; c < ARRAY_LEN(others); c++) {
        struct cdb_log_sense cdb = {.control = others[c]};
        for (size_t i = 0; i < ARRAY_LEN(with_values); i++) {
            cdb.page = with_values[i];
            wire_init(&p.w, p.data, sizeof(p.data));
            assert_int_equal(log_sense_encode(&figures, &cdb, &p.w, &s), -EINVAL);
            expect_refused(&s, 2, 7);
        }
        cdb.page = 0x00;
        wire_init(&p.w, p.data, sizeof(p.data));
        assert_int_equal(log_sense_encode(&figures, &cdb, &p.w, &s), 0);
        assert_wire_bytes(&p.w, 0x00, 0, 0, 4, 0x00, 0x0c, 0x0d, 0x19);
    }
}

static void cut_page_tells_its_full_length(void **state)
{
    const struct cdb_log_sense cdb = {.control = LOG_CUMULATIVE, .page = 0x0c};
    struct page p;
    struct sense s;
    (void)state;
    memset(p.data, 0xee, sizeof(p.data));
    wire_init(&p.w, p.data, 4);
    assert_int_equal(log_sense_encode(&figures, &cdb, &p.w, &s), 0);
    assert_wire_bytes(&p.w, 0x8c, 0, 0, 24);
    assert_int_equal(p.data[4], 0xee);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_name_every_page_that_is_there_and_no_other),
        cmocka_unit_test(provisioning_page_tells_space_with_its_scope),
        cmocka_unit_test(space_beyond_32_bits_is_told_as_the_most),
        cmocka_unit_test(temperature_is_not_available),
        cmocka_unit_test(statistics_page_tells_work_and_time),
        cmocka_unit_test(pointer_leaves_out_what_comes_before_it),
        cmocka_unit_test(values_other_than_the_current_are_refused_where_there_are_any),
        cmocka_unit_test(cut_page_tells_its_full_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
