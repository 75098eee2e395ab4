/* SPDX-License-Identifier: Apache-2.0 */
/* proto/inquiry.h: every byte of every page against the tables of SPC-4 and SBC-3, cut at
 * the allocation length with the full size told. libiscsi unmarshals them in the protocol
 * tests. */
#include "tests/unit/proto/unit.h"

#include "proto/inquiry.h"
#include "tests/unit/proto/lu.h"

struct page {
    uint8_t data[VPD_PAGE_BYTES_MAX];
    struct wire w;
};

static void page_init(struct page *p, size_t alloc_bytes)
{
    memset(p->data, 0xee, sizeof(p->data));
    wire_init(&p->w, p->data, alloc_bytes);
}

static void read_page(struct page *p, const struct lu_ident *lu, uint8_t number)
{
    struct sense s;
    page_init(p, sizeof(p->data));
    assert_int_equal(vpd_encode(lu, number, &p->w, &s), 0);
    assert_int_equal(wire_rc(&p->w), 0);
    assert_int_equal(p->data[1], number);
    assert_int_equal(be16_load(p->data + 2), p->w.at - 4);
}

static void standard_data_is_a_disk(void **state)
{
    struct page p;
    (void)state;
    page_init(&p, sizeof(p.data));
    inquiry_encode(&test_lu, &p.w);
    assert_int_equal(p.w.at, INQUIRY_STANDARD_BYTES);
    static const uint8_t head[] = {0x00, 0, 0x06, 0x12, 91, 0x18, 0x10, 0x02};
    assert_memory_equal(p.data, head, sizeof(head));
    assert_memory_equal(p.data + 8, "ASHLAR  VIRTUAL-DISK    0.1 ", 28);
    static const uint8_t versions[] = {0x00, 0xa0, 0x09, 0x60, 0x04, 0x60, 0x04, 0xc0};
    assert_memory_equal(p.data + 58, versions, sizeof(versions));
}

static void a_single_port_is_not_several(void **state)
{
    struct page p;
    struct lu_ident lu = test_lu;
    (void)state;
    lu.port_count = 1;
    page_init(&p, sizeof(p.data));
    inquiry_encode(&lu, &p.w);
    assert_int_equal(p.data[5], 0x18); /* TPGS all the same, and 3PC */
    assert_int_equal(p.data[6], 0);
}

static void standard_data_is_cut_at_the_allocation_length(void **state)
{
    struct page p;
    (void)state;
    page_init(&p, 36);
    inquiry_encode(&test_lu, &p.w);
    assert_int_equal(wire_stored(&p.w), 36);
    assert_int_equal(p.data[4], 91);
    assert_int_equal(p.data[36], 0xee);
    page_init(&p, 0);
    inquiry_encode(&test_lu, &p.w);
    assert_int_equal(wire_stored(&p.w), 0);
}

static void absent_unit_says_so(void **state)
{
    struct page p;
    struct sense s;
    (void)state;
    page_init(&p, sizeof(p.data));
    inquiry_encode(NULL, &p.w);
    assert_int_equal(p.data[0], 0x7f);
    assert_int_equal(p.data[5], 0); /* no unit: no access to it, none to copy from */
    assert_int_equal(p.w.at, INQUIRY_STANDARD_BYTES);
    read_page(&p, NULL, 0x00);
    assert_wire_bytes(&p.w, 0x7f, 0x00, 0, 1, 0x00);
    assert_int_equal(vpd_encode(NULL, 0x83, &p.w, &s), -EINVAL);
}

static void page_list_names_every_page_that_is_there(void **state)
{
    struct page list, p;
    struct sense s;
    (void)state;
    read_page(&list, &test_lu, 0x00);
    assert_wire_bytes(&list.w, 0x00, 0x00, 0, 10, 0x00, 0x80, 0x83, 0x86, 0x87, 0x88,
                      0x8f, 0xb0, 0xb1, 0xb2);
    for (unsigned number = 0; number < 256; number++) {
        bool listed = memchr(list.data + 4, (int)number, 10) != NULL;
        page_init(&p, sizeof(p.data));
        int rc = vpd_encode(&test_lu, (uint8_t)number, &p.w, &s);
        assert_int_equal(rc, listed ? 0 : -EINVAL);
        if (listed)
            continue;
        assert_int_equal(s.code, SENSE_INVALID_CDB_FIELD);
        assert_int_equal(s.field_byte, 2);
    }
}

static void serial_page_has_the_serial(void **state)
{
    struct page p;
    (void)state;
    read_page(&p, &test_lu, 0x80);
    assert_int_equal(p.w.at, 20);
    assert_memory_equal(p.data + 4, "0123456789abcdef", 16);
}

static void identification_page_names_unit_port_and_target(void **state)
{
    struct page p;
    (void)state;
    read_page(&p, &test_lu, 0x83);
    const uint8_t *id = p.data + 4;
    static const uint8_t naa[] = {0x01, 0x03, 0, 16, 0x60, 0x01, 0x40, 0x5a, 1,  2,
                                  3,    4,    5, 6,  7,    8,    9,    10,   11, 12};
    assert_memory_equal(id, naa, sizeof(naa));
    id += sizeof(naa);
    static const uint8_t t10[] = {0x02, 0x01, 0, 24};
    assert_memory_equal(id, t10, sizeof(t10));
    assert_memory_equal(id + 4, "ASHLAR  0123456789abcdef", 24);
    id += 28;
    static const uint8_t ports[] = {0x51, 0x94, 0, 4, 0, 0, 0, 2,
                                    0x51, 0x95, 0, 4, 0, 0, 0, 3};
    assert_memory_equal(id, ports, sizeof(ports));
    id += sizeof(ports);
    /* 28 characters, ",t,0x0001" and a NUL: 38, padded to 40 */
    static const uint8_t port[] = {0x53, 0x98, 0, 40};
    assert_memory_equal(id, port, sizeof(port));
    assert_memory_equal(id + 4, "iqn.2026-01.example.ashlar:t,t,0x0001\0\0\0", 40);
    id += 44;
    static const uint8_t device[] = {0x53, 0xa8, 0, 32};
    assert_memory_equal(id, device, sizeof(device));
    assert_memory_equal(id + 4, "iqn.2026-01.example.ashlar:t\0\0\0\0", 32);
    assert_ptr_equal(id + 36, p.data + p.w.at);
}

static void longest_names_fit_the_pages(void **state)
{
    struct page p;
    struct lu_ident lu = test_lu;
    uint16_t tags[LU_PORT_MAX];
    char name[224];
    char serial[LU_SERIAL_MAX + 1];
    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    memset(serial, 's', LU_SERIAL_MAX);
    serial[LU_SERIAL_MAX] = '\0';
    lu.target_name = name;
    lu.serial = serial;
    read_page(&p, &lu, 0x83);
    assert_true(p.w.at > 500);
    for (uint16_t i = 0; i < LU_PORT_MAX; i++)
        tags[i] = (uint16_t)(0xfff0 + i);
    lu.port_tags = tags;
    lu.port_count = LU_PORT_MAX;
    read_page(&p, &lu, 0x88);
    assert_int_equal(p.w.at, 4 + LU_PORT_MAX * (12 + 4 + 236));
}

static void extended_page_tells_the_cache_and_task_attributes(void **state)
{
    struct page p;
    (void)state;
    read_page(&p, &test_lu, 0x86);
    assert_int_equal(p.w.at, 64);
    static const uint8_t want[] = {0x00, 0x86, 0, 60, 0, 0x07, 0x01, 0};
    assert_memory_equal(p.data, want, sizeof(want));
}

static void mode_pages_are_shared_by_all(void **state)
{
    struct page p;
    (void)state;
    read_page(&p, &test_lu, 0x87);
    assert_wire_bytes(&p.w, 0x00, 0x87, 0, 4, 0x3f, 0xff, 0x00, 0);
}

static void every_target_port_is_told_with_its_number_and_name(void **state)
{
    static const uint8_t tags[][2] = {{0, 1}, {0, 2}, {0x12, 0x34}};
    static const char names[][40] = {"iqn.2026-01.example.ashlar:t,t,0x0001",
                                     "iqn.2026-01.example.ashlar:t,t,0x0002",
                                     "iqn.2026-01.example.ashlar:t,t,0x1234"};
    struct page p;
    (void)state;
    read_page(&p, &test_lu, 0x88);
    const uint8_t *d = p.data + 4;
    for (size_t i = 0; i < 3; i++) {
        /* no initiator port; one designator of 44 bytes: a SCSI name string of the port
         */
        const uint8_t head[] = {0, 0, tags[i][0], tags[i][1], 0,    0,    0, 0,
                                0, 0, 0,          44,         0x53, 0x98, 0, 40};
        assert_memory_equal(d, head, sizeof(head));
        assert_memory_equal(d + sizeof(head), names[i], 40);
        d += sizeof(head) + 40;
    }
    assert_ptr_equal(d, p.data + p.w.at);
}

static void ports_page_without_ports_is_empty(void **state)
{
    struct page p;
    struct lu_ident lu = test_lu;
    (void)state;
    lu.port_count = 0;
    read_page(&p, &lu, 0x88);
    assert_wire_bytes(&p.w, 0x00, 0x88, 0, 0);
}

/* SPC-4, 7.8.17. What is told of tokens, before and between these, is test_token.c's. */
static void third_party_page_tells_commands_and_limits(void **state)
{
    static const uint8_t want[] = {/* commands */
                                   0x00, 0x01, 0, 16, 15, 0x83, 5, 0x00, 0x01, 0x10, 0x11,
                                   0x1c, 0x84, 6, 0x00, 0x03, 0x04, 0x05, 0x07, 0x08,
                                   /* parameter data */
                                   0x00, 0x04, 0, 28, 0, 0, 0, 0, 0, 64, 1, 0, 0, 0, 0x24,
                                   0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                   /* descriptors */
                                   0x00, 0x08, 0, 4, 2, 0x02, 0xe4, 0,
                                   /* identifiers */
                                   0x00, 0x0c, 0, 4, 0, 2, 0xff, 0xff};
    static const uint8_t operations[] = {0x80, 0x01, 0, 32, 0, 0, 0, 64, 0, 0, 0, 64,
                                         0x10, 0,    0, 0,  9, 0, 0, 0,  0, 0, 0, 0,
                                         0,    0,    0, 0,  0, 0, 0, 0,  0, 0, 0, 0};
    struct page p;
    (void)state;
    read_page(&p, &test_lu, 0x8f);
    assert_int_equal(be16_load(p.data + 2), p.w.at - 4);
    assert_memory_equal(p.data + 4 + 36, want, sizeof(want));
    assert_memory_equal(p.data + p.w.at - sizeof(operations), operations,
                        sizeof(operations));
}

static void limits_page_tells_the_limits(void **state)
{
    struct page p;
    (void)state;
    read_page(&p, &test_lu, 0xb0);
    assert_int_equal(p.w.at, 64);
    assert_int_equal(p.data[4], 0);   /* WSNZ */
    assert_int_equal(p.data[5], 255); /* COMPARE AND WRITE */
    assert_int_equal(be16_load(p.data + 6), 8);
    assert_int_equal(be32_load(p.data + 8), 32768);
    assert_int_equal(be32_load(p.data + 12), 2048);
    assert_int_equal(be32_load(p.data + 20), 4194304);
    assert_int_equal(be32_load(p.data + 24), 256);
    assert_int_equal(be32_load(p.data + 28), 128);
    assert_int_equal(be32_load(p.data + 32), 0x80000000); /* UGAVALID, aligned to 0 */
    assert_int_equal(be64_load(p.data + 36), 65536);
    assert_int_equal(be32_load(p.data + 44), 2048); /* atomic writes: SBC-4, 6.6.4 */
    assert_int_equal(be32_load(p.data + 48), 8);
    assert_int_equal(be32_load(p.data + 52), 8);
    assert_int_equal(be32_load(p.data + 56), 0); /* no boundaries */
    assert_int_equal(be32_load(p.data + 60), 0);
}

static void provisioning_page_promises_zeros(void **state)
{
    struct page p;
    struct lu_ident thick = test_lu;
    (void)state;
    read_page(&p, &test_lu, 0xb2);
    assert_wire_bytes(&p.w, 0x00, 0xb2, 0, 4, 7, 0xe4, 0x02, 0);
    thick.thin = false;
    read_page(&p, &thick, 0xb2);
    assert_wire_bytes(&p.w, 0x00, 0xb2, 0, 4, 0, 0, 0, 0);
    read_page(&p, &thick, 0xb0);
    assert_int_equal(be32_load(p.data + 20), 0);
    assert_int_equal(be32_load(p.data + 32), 0);
}

static void characteristics_page_says_solid_state(void **state)
{
    struct page p;
    (void)state;
    read_page(&p, &test_lu, 0xb1);
    assert_int_equal(p.w.at, 64);
    assert_int_equal(be16_load(p.data + 4), 1);
    assert_int_equal(p.data[7], 0x40); /* WABEREQ: reads work after a BLOCK ERASE */
}

static void cut_page_tells_its_full_length(void **state)
{
    struct page p;
    struct sense s;
    (void)state;
    page_init(&p, 3);
    assert_int_equal(vpd_encode(&test_lu, 0xb0, &p.w, &s), 0);
    assert_int_equal(wire_stored(&p.w), 3);
    page_init(&p, 4);
    assert_int_equal(vpd_encode(&test_lu, 0xb0, &p.w, &s), 0);
    assert_wire_bytes(&p.w, 0x00, 0xb0, 0, 60);
    assert_int_equal(p.data[4], 0xee);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standard_data_is_a_disk),
        cmocka_unit_test(a_single_port_is_not_several),
        cmocka_unit_test(standard_data_is_cut_at_the_allocation_length),
        cmocka_unit_test(absent_unit_says_so),
        cmocka_unit_test(page_list_names_every_page_that_is_there),
        cmocka_unit_test(serial_page_has_the_serial),
        cmocka_unit_test(identification_page_names_unit_port_and_target),
        cmocka_unit_test(longest_names_fit_the_pages),
        cmocka_unit_test(extended_page_tells_the_cache_and_task_attributes),
        cmocka_unit_test(mode_pages_are_shared_by_all),
        cmocka_unit_test(every_target_port_is_told_with_its_number_and_name),
        cmocka_unit_test(ports_page_without_ports_is_empty),
        cmocka_unit_test(third_party_page_tells_commands_and_limits),
        cmocka_unit_test(limits_page_tells_the_limits),
        cmocka_unit_test(provisioning_page_promises_zeros),
        cmocka_unit_test(characteristics_page_says_solid_state),
        cmocka_unit_test(cut_page_tells_its_full_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
