/* SPDX-License-Identifier: Apache-2.0 */
/* proto/pr.h: every byte of CDBs, parameter lists, TransportIDs and replies against the
 * tables of SPC-4, and what a refusal names. */
#include "tests/unit/proto/unit.h"

#include "proto/pr.h"

#define NAME     "iqn.1998-01.org.h:a"          /* 19 bytes */
#define ID       NAME ",i,0x00023d000007\0\0\0" /* 40 bytes with NULs */
#define ID_BYTES (4 + 40)

static const uint8_t isid[6] = {0x00, 0x02, 0x3d, 0x00, 0x00, 0x07};

/* A TransportID with this text, NULs behind it, `length` bytes in all. */
static size_t make_id(uint8_t *out, uint8_t first, const char *text, size_t length)
{
    struct wire w;
    wire_init(&w, out, length);
    wire_put_u8(&w, first);
    wire_put_u8(&w, 0);
    wire_put_be16(&w, (uint16_t)(length - 4));
    wire_put_bytes(&w, text, strlen(text));
    wire_put_zeros(&w, length - w.at);
    return length;
}

static void expect_param(const struct sense *s, unsigned byte, int bit)
{
    assert_int_equal(s->code, SENSE_INVALID_PARAM_FIELD);
    assert_true(s->has_field && !s->field_in_cdb);
    assert_int_equal(s->field_byte, byte);
    assert_int_equal(s->field_has_bit, bit != SENSE_NO_BIT);
    if (bit != SENSE_NO_BIT)
        assert_int_equal(s->field_bit, bit);
}

/* ---- CDBs ------------------------------------------------------------------------- */

static void every_service_action_in_is_read_and_no_other(void **state)
{
    (void)state;
    for (uint8_t action = 0; action < 32; action++) {
        uint8_t cdb[16] = {0x5e, action, 0, 0, 0, 0, 0, 0x12, 0x34};
        struct cdb_pr_in in;
        struct sense s;
        int rc = cdb_pr_in_decode(cdb, &in, &s);
        assert_int_equal(rc, action <= 3 ? 0 : -EINVAL);
        if (rc == 0) {
            assert_int_equal(in.action, action);
            assert_int_equal(in.alloc_bytes, 0x1234);
        } else {
            assert_int_equal(s.code, SENSE_INVALID_CDB_FIELD);
            assert_true(s.field_in_cdb && s.field_byte == 1 && s.field_bit == 4);
        }
    }
}

static void every_service_action_out_has_a_list_of_its_length(void **state)
{
    static const uint32_t lengths[] = {0, 8, 23, 24, 25, 28, 72, 0x10000, 0x10001, ~0U};
    (void)state;
    for (unsigned i = 0; i < 32 * ARRAY_LEN(lengths); i++) {
        uint8_t action = (uint8_t)(i / ARRAY_LEN(lengths));
        uint32_t bytes = lengths[i % ARRAY_LEN(lengths)];
        uint8_t cdb[16] = {0x5f, action, 0x05};
        struct cdb_pr_out out;
        struct sense s;
        be32_store(cdb + 5, bytes);
        bool known = action <= 7;
        bool longer = action == 0 || action == 7;
        bool fits = bytes == 24 || (longer && bytes > 24 && bytes <= 0x10000);
        assert_int_equal(cdb_pr_out_decode(cdb, &out, &s), known && fits ? 0 : -EINVAL);
        if (known && fits) {
            assert_int_equal(out.action, action);
            assert_int_equal(out.scope, 0);
            assert_int_equal(out.type, 5);
            assert_int_equal(out.list_bytes, bytes);
        } else {
            assert_int_equal(s.code,
                             known ? SENSE_PARAM_LIST_LENGTH : SENSE_INVALID_CDB_FIELD);
        }
    }
}

/* ---- TransportIDs ----------------------------------------------------------------- */

static void transport_id_is_the_tables_bytes(void **state)
{
    uint8_t data[300];
    struct transport_id id = {.name = NAME, .has_isid = true}, back;
    struct wire w;
    struct sense s;
    size_t used;
    (void)state;
    memcpy(id.isid, isid, 6);
    wire_init(&w, data, sizeof(data));
    transport_id_encode(&w, &id);
    assert_int_equal(wire_stored(&w), ID_BYTES);
    assert_memory_equal(data, "\x45\0\0\x28" ID, ID_BYTES);
    assert_int_equal(transport_id_decode(data, sizeof(data), 0, &back, &used, &s), 0);
    assert_int_equal(used, ID_BYTES);
    assert_true(back.has_isid);
    assert_string_equal(back.name, NAME);
    assert_memory_equal(back.isid, isid, 6);

    id.has_isid = false;
    wire_init(&w, data, sizeof(data));
    transport_id_encode(&w, &id);
    assert_int_equal(wire_stored(&w), 24);
    assert_memory_equal(data, "\x05\0\0\x14" NAME, 24);
    assert_int_equal(transport_id_decode(data, 24, 0, &back, &used, &s), 0);
    assert_false(back.has_isid);
    assert_string_equal(back.name, NAME);
}

static void names_of_every_length_round_trip(void **state)
{
    (void)state;
    for (size_t bytes = 5; bytes < 2 * 224; bytes++) {
        uint8_t data[300];
        struct transport_id id = {.name = "iqn.", .has_isid = bytes >= 224}, back;
        struct wire w;
        struct sense s;
        size_t used;
        memcpy(id.isid, isid, 6);
        memset(id.name + 4, 'x', (bytes < 224 ? bytes : bytes - 219) - 4);
        if (strlen(id.name) > 223)
            continue;
        wire_init(&w, data, sizeof(data));
        transport_id_encode(&w, &id);
        assert_int_equal(wire_rc(&w), 0);
        assert_int_equal(w.at % 4, 0);
        assert_true(w.at >= 24);
        assert_int_equal(transport_id_decode(data, w.at, 0, &back, &used, &s), 0);
        assert_int_equal(used, w.at);
        assert_string_equal(back.name, id.name);
        assert_int_equal(back.has_isid, id.has_isid);
        assert_int_equal(transport_id_decode(data, w.at - 1, 0, &back, &used, &s),
                         -EINVAL);
        expect_param(&s, 2, SENSE_NO_BIT);
    }
}

static void what_others_write_is_read(void **state)
{
    static const struct {
        const char *text;
        uint8_t isid[6];
    } cases[] = {
        {NAME ",i,0x00023D000007", {0, 2, 0x3d, 0, 0, 7}},            /* capitals */
        {"IQN.1998-01.org.H:A,i,0x23d000007", {0, 2, 0x3d, 0, 0, 7}}, /* no zeros */
        {NAME ",i,0x0", {0}},
        {NAME ",i,0xabcdefABCDEF", {0xab, 0xcd, 0xef, 0xab, 0xcd, 0xef}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t data[64];
        struct transport_id id;
        struct sense s;
        size_t used;
        size_t bytes = make_id(data, 0x45, cases[i].text, 64); /* more NULs than needed */
        assert_int_equal(transport_id_decode(data, bytes, 0, &id, &used, &s), 0);
        assert_int_equal(used, 64);
        assert_string_equal(id.name, NAME);
        assert_memory_equal(id.isid, cases[i].isid, 6);
    }
}

static void bad_transport_ids_are_refused_by_their_field(void **state)
{
    static const struct {
        uint8_t first;
        const char *text;
        size_t length;
        unsigned byte;
        int bit;
    } cases[] = {
        {0x46, NAME ",i,0x1", 44, 0, 3},            /* SAS */
        {0x85, NAME ",i,0x1", 44, 0, 7},            /* format 10b */
        {0xc5, NAME ",i,0x1", 44, 0, 7},            /* format 11b */
        {0x55, NAME ",i,0x1", 44, 0, 5},            /* a reserved bit */
        {0x45, NAME ",i,0x1", 42, 2, -1},           /* no multiple of 4 */
        {0x05, "iqn.a", 20, 2, -1},                 /* too short, though it fits */
        {0x05, "iqn.1998-01.org.hosts", 24, 4, -1}, /* cut: no NUL */
        {0x45, NAME, 44, 4, -1},                    /* no ISID */
        {0x45, NAME ",i,0x", 44, 4, -1},
        {0x45, NAME ",i,0xg", 44, 4, -1},
        {0x45, NAME ",i,0x1 ", 44, 4, -1},
        {0x45, NAME ",i,0x-1", 44, 4, -1},
        {0x45, NAME ",i,1", 44, 4, -1},
        {0x45, NAME ",i,0x0123456789abc", 44, 4, -1}, /* 13 digits */
        {0x05, NAME ",i,0x1", 44, 4, -1},             /* a comma is no name's */
        {0x05, "", 24, 4, -1},
        {0x45, ",i,0x1", 24, 4, -1},
        {0x05, "host.example.com", 24, 4, -1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t data[64] = {0};
        struct transport_id id;
        struct sense s;
        size_t used;
        size_t text = strlen(cases[i].text) + 4;
        memset(data, 0, sizeof(data));
        make_id(data, cases[i].first, cases[i].text,
                text > cases[i].length ? text : cases[i].length);
        be16_store(data + 2, (uint16_t)(cases[i].length - 4));
        assert_int_equal(transport_id_decode(data, cases[i].length, 100, &id, &used, &s),
                         -EINVAL);
        expect_param(&s, 100 + cases[i].byte, cases[i].bit);
    }
}

static void what_is_behind_the_nul_must_be_nuls(void **state)
{
    uint8_t data[ID_BYTES];
    struct transport_id id;
    struct sense s;
    size_t used;
    (void)state;
    make_id(data, 0x45, NAME ",i,0x00023d000007", sizeof(data));
    assert_int_equal(transport_id_decode(data, sizeof(data), 0, &id, &used, &s), 0);
    data[sizeof(data) - 1] = 1;
    assert_int_equal(transport_id_decode(data, sizeof(data), 0, &id, &used, &s), -EINVAL);
    expect_param(&s, 4, SENSE_NO_BIT);
    data[sizeof(data) - 1] = 0;
    data[1] = 1;
    assert_int_equal(transport_id_decode(data, sizeof(data), 0, &id, &used, &s), -EINVAL);
    expect_param(&s, 1, SENSE_NO_BIT);
}

static void a_name_that_fills_its_id_without_a_nul_is_refused(void **state)
{
    uint8_t data[512];
    struct transport_id id;
    struct sense s;
    size_t used;
    (void)state;
    memset(data, 'x', sizeof(data));
    data[0] = 0x05;
    data[1] = 0;
    memcpy(data + 4, (const uint8_t[]){'i', 'q', 'n', '.'}, 4);
    for (size_t length = 24; length <= sizeof(data); length += 4) {
        be16_store(data + 2, (uint16_t)(length - 4));
        assert_int_equal(transport_id_decode(data, length, 0, &id, &used, &s), -EINVAL);
        expect_param(&s, 4, SENSE_NO_BIT);
    }
}

/* ---- Parameter lists -------------------------------------------------------------- */

static int decode(enum pr_out_action action, const uint8_t *data, size_t bytes,
                  struct pr_list *list, struct sense *s)
{
    const struct cdb_pr_out cdb = {.action = action, .list_bytes = (uint32_t)bytes};
    return pr_list_decode(&cdb, data, bytes, list, s);
}

static void plain_list_gives_keys_and_the_bits_that_its_action_has(void **state)
{
    (void)state;
    for (unsigned action = 0; action < 7; action++) {
        uint8_t data[24] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
        bool registers = action == PR_REGISTER || action == PR_REGISTER_AND_IGNORE;
        struct pr_list list;
        struct sense s;
        data[16] = 0xff; /* obsolete, and so are 22 and 23 */
        data[20] = 0x05;
        data[23] = 0xff;
        assert_int_equal(decode(action, data, 24, &list, &s), 0);
        assert_true(list.key == 0x0102030405060708);
        assert_true(list.action_key == 0x090a0b0c0d0e0f10);
        assert_int_equal(list.aptpl, registers);
        assert_int_equal(list.all_ports, registers);
        assert_false(list.names_ports || list.unregisters);
        data[20] = 0x08;
        assert_int_equal(decode(action, data, 24, &list, &s), -EINVAL);
        if (action == PR_REGISTER)
            assert_int_equal(s.code, SENSE_PARAM_LIST_LENGTH);
        else
            expect_param(&s, 20, 3);
        data[20] = 0x42;
        assert_int_equal(decode(action, data, 24, &list, &s), -EINVAL);
        expect_param(&s, 20, 6);
        assert_int_equal(decode(action, data, 23, &list, &s), -EINVAL);
        assert_int_equal(s.code, SENSE_PARAM_LIST_LENGTH);
    }
}

static void longer_list_without_ports_is_refused(void **state)
{
    uint8_t data[28] = {0};
    struct pr_list list;
    struct sense s;
    (void)state;
    assert_int_equal(decode(PR_REGISTER, data, 28, &list, &s), -EINVAL);
    assert_int_equal(s.code, SENSE_PARAM_LIST_LENGTH);
}

static void named_ports_are_read_one_by_one(void **state)
{
    uint8_t data[28 + 2 * ID_BYTES] = {0};
    struct pr_list list;
    struct transport_id id;
    struct sense s;
    size_t at = 0;
    (void)state;
    data[20] = 0x08;
    be32_store(data + 24, 2 * ID_BYTES);
    make_id(data + 28, 0x45, NAME ",i,0x1", ID_BYTES);
    make_id(data + 28 + ID_BYTES, 0x45, NAME ",i,0x2", ID_BYTES);
    assert_int_equal(decode(PR_REGISTER, data, sizeof(data), &list, &s), 0);
    assert_true(list.names_ports);
    for (uint8_t i = 1; i <= 2; i++) {
        assert_true(pr_list_next_port(&list, &at, &id));
        assert_int_equal(id.isid[5], i);
    }
    assert_false(pr_list_next_port(&list, &at, &id));

    assert_int_equal(decode(PR_REGISTER, data, sizeof(data) - 1, &list, &s), -EINVAL);
    expect_param(&s, 24, SENSE_NO_BIT);
    be32_store(data + 24, ID_BYTES + 8); /* it cuts the second */
    assert_int_equal(decode(PR_REGISTER, data, sizeof(data), &list, &s), -EINVAL);
    expect_param(&s, 28 + ID_BYTES + 2, SENSE_NO_BIT);
    be32_store(data + 24, 2 * ID_BYTES);
    make_id(data + 28 + ID_BYTES, 0x05, NAME, ID_BYTES); /* no port */
    assert_int_equal(decode(PR_REGISTER, data, sizeof(data), &list, &s), -EINVAL);
    expect_param(&s, 28 + ID_BYTES, 7);
    be32_store(data + 24, 0); /* none named: nobody but the asker */
    assert_int_equal(decode(PR_REGISTER, data, sizeof(data), &list, &s), 0);
    at = 0;
    assert_false(pr_list_next_port(&list, &at, &id));
}

static void move_names_one_port(void **state)
{
    uint8_t data[24 + 2 * ID_BYTES] = {0};
    struct pr_list list;
    struct transport_id id;
    struct sense s;
    size_t at = 0;
    (void)state;
    data[7] = 1;
    data[15] = 2;
    data[17] = 0x03;
    data[19] = 9;
    be32_store(data + 20, ID_BYTES);
    make_id(data + 24, 0x45, NAME ",i,0x1", ID_BYTES);
    make_id(data + 24 + ID_BYTES, 0x45, NAME ",i,0x2", ID_BYTES);
    assert_int_equal(decode(PR_REGISTER_AND_MOVE, data, 24 + ID_BYTES, &list, &s), 0);
    assert_true(list.key == 1 && list.action_key == 2);
    assert_true(list.aptpl && list.unregisters);
    assert_int_equal(list.relative_port, 9);
    assert_true(pr_list_next_port(&list, &at, &id));
    assert_int_equal(id.isid[5], 1);
    assert_false(pr_list_next_port(&list, &at, &id));
    data[17] = 0;
    assert_int_equal(decode(PR_REGISTER_AND_MOVE, data, 24 + ID_BYTES, &list, &s), 0);
    assert_false(list.aptpl || list.unregisters);

    data[17] = 0x04;
    assert_int_equal(decode(PR_REGISTER_AND_MOVE, data, 24 + ID_BYTES, &list, &s),
                     -EINVAL);
    expect_param(&s, 17, 2);
    data[17] = 0;
    be32_store(data + 20, 2 * ID_BYTES);
    assert_int_equal(decode(PR_REGISTER_AND_MOVE, data, sizeof(data), &list, &s),
                     -EINVAL);
    expect_param(&s, 20, SENSE_NO_BIT);
    be32_store(data + 20, 0);
    assert_int_equal(decode(PR_REGISTER_AND_MOVE, data, 24, &list, &s), -EINVAL);
    expect_param(&s, 20, SENSE_NO_BIT);
}

/* ---- Replies ---------------------------------------------------------------------- */

static void keys_are_told_beyond_the_allocation_length(void **state)
{
    uint8_t data[64];
    struct wire w;
    (void)state;
    for (size_t room = 0; room <= 24; room++) {
        static const uint8_t whole[] = {0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 16, 1, 2, 3, 4,
                                        5,    6,    7,    8,    0, 0, 0, 0,  0, 0, 0, 9};
        memset(data, 0xee, sizeof(data));
        wire_init(&w, data, room);
        pr_list_begin(&w, 0xdeadbeef);
        pr_list_put_key(&w, 0x0102030405060708);
        pr_list_put_key(&w, 9);
        pr_list_end(&w);
        assert_int_equal(wire_stored(&w), room);
        assert_memory_equal(data, whole, room);
        assert_int_equal(data[room], 0xee);
    }
}

static void reservation_is_told_or_nothing(void **state)
{
    uint8_t data[64];
    struct wire w;
    (void)state;
    wire_init(&w, data, sizeof(data));
    pr_reservation_encode(&w, 3, RESERVATION_NONE, 0);
    assert_wire_bytes(&w, 0, 0, 0, 3, 0, 0, 0, 0);
    wire_init(&w, data, sizeof(data));
    pr_reservation_encode(&w, 3, RESERVATION_WRITE_REGISTRANTS, 0x1122);
    assert_wire_bytes(&w, 0, 0, 0, 3, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0x11, 0x22, 0, 0, 0,
                      0, 0, 0x05, 0, 0);
}

static void capabilities_are_all_of_them(void **state)
{
    uint8_t data[16];
    struct wire w;
    (void)state;
    wire_init(&w, data, sizeof(data));
    pr_capabilities_encode(&w, false);
    assert_wire_bytes(&w, 0, 8, 0x1d, 0xb0, 0xea, 0x01, 0, 0);
    wire_init(&w, data, sizeof(data));
    pr_capabilities_encode(&w, true);
    assert_wire_bytes(&w, 0, 8, 0x1d, 0xb1, 0xea, 0x01, 0, 0);
}

static void full_status_has_a_descriptor_a_nexus(void **state)
{
    struct nexus_name nexus = {.initiator = NAME, .portal_group_tag = 0x0203};
    uint8_t data[256];
    struct wire w;
    (void)state;
    memcpy(nexus.isid, isid, 6);
    wire_init(&w, data, sizeof(data));
    pr_list_begin(&w, 1);
    pr_list_put_status(&w, &nexus, 0xaa, true, RESERVATION_ACCESS_ALL);
    pr_list_put_status(&w, &nexus, 0xbb, false, RESERVATION_ACCESS_ALL);
    pr_list_end(&w);
    assert_int_equal(wire_stored(&w), 8 + 2 * (24 + ID_BYTES));
    assert_memory_equal(data, "\0\0\0\1\0\0\0\x88", 8);
    assert_memory_equal(data + 8,
                        "\0\0\0\0\0\0\0\xaa\0\0\0\0\1\x08\0\0\0\0\2\3\0\0\0\x2c"
                        "\x45\0\0\x28" ID,
                        24 + ID_BYTES);
    assert_memory_equal(data + 8 + 24 + ID_BYTES,
                        "\0\0\0\0\0\0\0\xbb\0\0\0\0\0\0\0\0\0\0\2\3\0\0\0\x2c", 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_service_action_in_is_read_and_no_other),
        cmocka_unit_test(every_service_action_out_has_a_list_of_its_length),
        cmocka_unit_test(transport_id_is_the_tables_bytes),
        cmocka_unit_test(names_of_every_length_round_trip),
        cmocka_unit_test(what_others_write_is_read),
        cmocka_unit_test(bad_transport_ids_are_refused_by_their_field),
        cmocka_unit_test(what_is_behind_the_nul_must_be_nuls),
        cmocka_unit_test(a_name_that_fills_its_id_without_a_nul_is_refused),
        cmocka_unit_test(plain_list_gives_keys_and_the_bits_that_its_action_has),
        cmocka_unit_test(longer_list_without_ports_is_refused),
        cmocka_unit_test(named_ports_are_read_one_by_one),
        cmocka_unit_test(move_names_one_port),
        cmocka_unit_test(keys_are_told_beyond_the_allocation_length),
        cmocka_unit_test(reservation_is_told_or_nothing),
        cmocka_unit_test(capabilities_are_all_of_them),
        cmocka_unit_test(full_status_has_a_descriptor_a_nexus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
