/* SPDX-License-Identifier: Apache-2.0 */
/* proto/cdb.h: the CDBs that libiscsi sends decode to what was asked of it, and a CDB
 * that may not be is refused with the byte and the bit at fault. */
#include "tests/unit/proto/unit.h"

#include "proto/cdb.h"
#include "proto/pdu.h"
#include "tests/unit/proto/golden.h"

#define CDB_OF(golden) ((golden) + 32)

static const struct cdb_op *find(const uint8_t *cdb)
{
    const struct cdb_op *op = NULL;
    struct sense sense;
    assert_int_equal(cdb_find(cdb, &op, &sense), 0);
    return op;
}

static void assert_field(const struct sense *s, unsigned byte, int bit)
{
    assert_int_equal(s->code, SENSE_INVALID_CDB_FIELD);
    assert_true(s->has_field && s->field_in_cdb);
    assert_int_equal(s->field_byte, byte);
    assert_int_equal(s->field_has_bit, bit != SENSE_NO_BIT);
    if (bit != SENSE_NO_BIT)
        assert_int_equal(s->field_bit, bit);
}

static void every_row_is_found_by_its_own_cdb(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CDB_ID_COUNT; i++) {
        const struct cdb_op *row = &cdb_ops[i];
        uint8_t cdb[CDB_BYTES_MAX] = {row->opcode, row->service_action};
        assert_int_equal(row->id, i);
        assert_ptr_equal(find(cdb), row);
        assert_int_equal(row->usage[0], row->opcode);
        if (row->has_service_action)
            assert_int_equal(row->usage[1] & 0x1f, row->service_action);
        /* The group of an opcode tells the CDB's length: SPC-5, 4.2.5.1. */
        static const uint8_t lengths[] = {6, 10, 10, 0, 16, 12};
        assert_int_equal(row->cdb_bytes, lengths[row->opcode >> 5]);
        assert_true(row->timeout_s > 0);
        for (unsigned b = row->cdb_bytes; b < CDB_BYTES_MAX; b++)
            assert_int_equal(row->usage[b], 0);
    }
}

static void unknown_opcodes_and_actions_are_refused(void **state)
{
    const struct cdb_op *op = NULL;
    struct sense sense;
    (void)state;
    static const uint8_t vendor[CDB_BYTES_MAX] = {0xc0};
    assert_int_equal(cdb_find(vendor, &op, &sense), -EINVAL);
    assert_int_equal(sense.code, SENSE_INVALID_OPCODE);
    static const uint8_t action[CDB_BYTES_MAX] = {0x9e, 0x1f};
    assert_int_equal(cdb_find(action, &op, &sense), -EINVAL);
    assert_field(&sense, 1, 4);
    assert_null(op);
}

static void undefined_bits_are_refused_and_named(void **state)
{
    static const struct {
        uint8_t cdb[CDB_BYTES_MAX];
        unsigned byte;
        int bit;
    } cases[] = {
        {{0x00, 0, 0, 0, 0, 0x04}, 5, 2}, /* NACA */
        {{0x00, 0x20}, 1, 5},
        {{0x28, 0x04}, 1, 2}, /* RARC */
        {{0x28, 0, 0, 0, 0, 0, 0xe0}, 6, 7},
        {{0x12, 0x02}, 1, 1}, /* CMDDT */
        {{0x9e, 0x30}, 1, 5},
        {{0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40}, 11, 6},
        {{0x42, 0, 0, 0, 0x01}, 4, 0},
        {{0x9c, 0x02}, 1, 1},                             /* no FUA_NV there */
        {{0x9c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80}, 10, 7}, /* ATOMIC BOUNDARY */
        {{0x9c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x08}, 11, 3},
        {{0x4d, 0x01}, 1, 0}, /* SP */
        {{0x4d, 0x02}, 1, 1}, /* PPC */
        {{0x4d, 0, 0x40, 0, 0x80}, 4, 7},
    };
    const struct cdb_op *op = NULL;
    struct sense sense;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(cdb_find(cases[i].cdb, &op, &sense), -EINVAL);
        assert_field(&sense, cases[i].byte, cases[i].bit);
    }
}

static void reads_and_writes_of_libiscsi_are_read(void **state)
{
    struct cdb_rw rw;
    struct sense s;
    (void)state;
    const uint8_t *cdb = CDB_OF(golden_read_16);
    assert_int_equal(cdb_rw_decode(cdb, find(cdb), &rw, &s), 0);
    assert_false(rw.write || rw.fua || rw.dpo);
    assert_int_equal(rw.blocks, 8);
    assert_int_equal(rw.lba, be64_load(cdb + 2));
    assert_int_equal(rw.blocks_byte, 10);

    cdb = CDB_OF(golden_write_10_fua);
    assert_int_equal(cdb_rw_decode(cdb, find(cdb), &rw, &s), 0);
    assert_true(rw.write && rw.fua && !rw.dpo);
    assert_int_equal(rw.lba, 0x40);
    assert_int_equal(rw.blocks, 1);

    cdb = CDB_OF(golden_read_6);
    assert_int_equal(cdb_rw_decode(cdb, find(cdb), &rw, &s), 0);
    assert_int_equal(rw.lba, 0x1fff);
    assert_int_equal(rw.blocks, 1);
}

static void each_length_has_its_fields(void **state)
{
    static const struct {
        uint8_t cdb[CDB_BYTES_MAX];
        struct cdb_rw want;
    } cases[] = {
        {{0x08, 0x1f, 0xff, 0xfe, 0}, {.lba = 0x1ffffe, .blocks = 256, .blocks_byte = 4}},
        {{0x0a, 0, 0, 1, 2}, {.lba = 1, .blocks = 2, .write = true, .blocks_byte = 4}},
        {{0x28, 0x10, 1, 2, 3, 4, 0x1f, 5, 6},
         {.lba = 0x01020304, .blocks = 0x0506, .dpo = true, .blocks_byte = 7}},
        {{0xaa, 0x08, 1, 2, 3, 4, 5, 6, 7, 8},
         {.lba = 0x01020304,
          .blocks = 0x05060708,
          .write = true,
          .fua = true,
          .blocks_byte = 6}},
        {{0x8b, 0x18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
         {.lba = 0x0102030405060708,
          .blocks = 0x090a0b0c,
          .write = true,
          .dpo = true,
          .fua = true,
          .blocks_byte = 10}},
        {{0x8a, 0x02, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
         {.lba = 0x0102030405060708,
          .blocks = 0x090a0b0c,
          .write = true,
          .blocks_byte = 10}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cdb_rw rw;
        struct sense s;
        const struct cdb_rw *want = &cases[i].want;
        assert_int_equal(cdb_rw_decode(cases[i].cdb, find(cases[i].cdb), &rw, &s), 0);
        assert_true(rw.lba == want->lba);
        assert_int_equal(rw.blocks, want->blocks);
        assert_int_equal(rw.write, want->write);
        assert_int_equal(rw.dpo, want->dpo);
        assert_int_equal(rw.fua, want->fua);
        assert_int_equal(rw.blocks_byte, want->blocks_byte);
    }
}

static void atomic_write_has_its_fields(void **state)
{
    static const uint8_t cdb[CDB_BYTES_MAX] = {0x9c, 0x18, 1, 2, 3,    4,    5,    6,
                                               7,    8,    0, 0, 0x0a, 0x0b, 0x1f, 0};
    struct cdb_rw rw;
    struct sense s;
    (void)state;
    assert_int_equal(find(cdb)->id, CDB_WRITE_ATOMIC_16);
    assert_int_equal(cdb_write_atomic_decode(cdb, &rw, &s), 0);
    assert_true(rw.lba == 0x0102030405060708);
    assert_int_equal(rw.blocks, 0x0a0b);
    assert_true(rw.write && rw.dpo && rw.fua);
    assert_int_equal(rw.blocks_byte, 12);
}

static void compare_write_has_its_fields(void **state)
{
    static const uint8_t cdb[CDB_BYTES_MAX] = {0x89, 0x18, 1, 2, 3, 4,    5,    6,
                                               7,    8,    0, 0, 0, 0xff, 0x1f, 0};
    uint8_t bad[CDB_BYTES_MAX] = {0x89, 0, [12] = 1, [13] = 1};
    const struct cdb_op *op;
    struct cdb_rw rw;
    struct sense s;
    (void)state;
    assert_int_equal(find(cdb)->id, CDB_COMPARE_WRITE);
    assert_int_equal(find(cdb)->dir, CDB_DATA_OUT);
    assert_true(find(cdb)->changes_medium);
    assert_int_equal(cdb_caw_decode(cdb, &rw, &s), 0);
    assert_true(rw.lba == 0x0102030405060708);
    assert_int_equal(rw.blocks, 255);
    assert_true(rw.write && rw.dpo && rw.fua);
    assert_int_equal(rw.blocks_byte, 13);
    assert_int_equal(cdb_find(bad, &op, &s), -EINVAL); /* its count is of one byte */
    assert_field(&s, 12, 0);
    bad[12] = 0;
    assert_int_equal(cdb_caw_decode(bad, &rw, &s), 0);
    assert_false(rw.dpo || rw.fua);
    bad[1] = 0x20;
    assert_int_equal(cdb_caw_decode(bad, &rw, &s), -EINVAL);
    assert_field(&s, 1, 7);
}

static void atomic_limits_name_the_field_that_breaks_them(void **state)
{
    static const struct atomic_limits limits = {
        .blocks_max = 64, .alignment_blocks = 8, .granularity_blocks = 4};
    static const struct {
        uint64_t lba;
        uint32_t blocks;
        unsigned byte; /* 0: it keeps to them */
    } cases[] = {{0, 4, 0},  {8, 64, 0}, {16, 12, 0}, {3, 0, 0}, {4, 4, 2},
                 {1, 64, 2}, {8, 3, 12}, {8, 68, 12}, {8, 5, 12}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct cdb_rw rw = {
            .lba = cases[i].lba, .blocks = cases[i].blocks, .blocks_byte = 12};
        struct sense s;
        int rc = cdb_check_atomic(&rw, &limits, &s);
        assert_int_equal(rc, cases[i].byte == 0 ? 0 : -EINVAL);
        if (rc != 0)
            assert_field(&s, cases[i].byte, SENSE_NO_BIT);
    }
}

static void protection_is_refused(void **state)
{
    static const uint8_t cdb[CDB_BYTES_MAX] = {0x28, 0x20};
    static const uint8_t orwrite[CDB_BYTES_MAX] = {0x8b, 0x80};
    static const uint8_t verify[CDB_BYTES_MAX] = {0x8f, 0x80};
    static const uint8_t same[CDB_BYTES_MAX] = {0x93, 0x60};
    static const uint8_t atomic[CDB_BYTES_MAX] = {0x9c, 0xa0};
    struct cdb_rw rw;
    struct cdb_verify v;
    struct cdb_write_same ws;
    struct sense s;
    (void)state;
    assert_int_equal(cdb_rw_decode(cdb, find(cdb), &rw, &s), -EINVAL);
    assert_field(&s, 1, 7);
    assert_int_equal(cdb_rw_decode(orwrite, find(orwrite), &rw, &s), -EINVAL);
    assert_field(&s, 1, 7);
    assert_int_equal(cdb_verify_decode(verify, find(verify), &v, &s), -EINVAL);
    assert_field(&s, 1, 7);
    assert_int_equal(cdb_write_same_decode(same, find(same), &ws, &s), -EINVAL);
    assert_field(&s, 1, 7);
    assert_int_equal(cdb_write_atomic_decode(atomic, &rw, &s), -EINVAL);
    assert_field(&s, 1, 7);
}

static void verify_reads_its_check(void **state)
{
    struct cdb_verify v;
    struct sense s;
    (void)state;
    const uint8_t *cdb = CDB_OF(golden_verify_16);
    assert_int_equal(cdb_verify_decode(cdb, find(cdb), &v, &s), 0);
    assert_int_equal(v.bytchk, 1);
    assert_int_equal(v.lba, 0x10);
    assert_int_equal(v.blocks, 1);
    static const uint8_t reserved[CDB_BYTES_MAX] = {0x2f, 0x04};
    assert_int_equal(cdb_verify_decode(reserved, find(reserved), &v, &s), -EINVAL);
    assert_field(&s, 1, 2);
}

static void cache_commands_read_their_range(void **state)
{
    static const uint8_t cdb[CDB_BYTES_MAX] = {0x91, 0x02, 0, 0, 0, 0, 0,
                                               0,    1,    0, 0, 0, 2, 0};
    static const uint8_t fetch[CDB_BYTES_MAX] = {0x90, 0x02, 0, 0, 0, 1, 2,   3,
                                                 4,    5,    6, 7, 8, 9, 0x1f};
    struct cdb_cache cache;
    (void)state;
    cdb_cache_decode(cdb, find(cdb), &cache);
    assert_true(cache.immed);
    assert_int_equal(cache.lba, 0x100);
    assert_int_equal(cache.blocks, 0x200);
    const uint8_t *all = CDB_OF(golden_sync_cache_10);
    cdb_cache_decode(all, find(all), &cache);
    assert_false(cache.immed);
    assert_int_equal(cache.blocks, 0);
    assert_int_equal(find(fetch)->id, CDB_PREFETCH_16);
    cdb_cache_decode(fetch, find(fetch), &cache);
    assert_true(cache.immed);
    assert_int_equal(cache.lba, 0x0102030405);
    assert_int_equal(cache.blocks, 0x06070809);
    static const uint8_t fetch_10[CDB_BYTES_MAX] = {0x34, 0, 1, 2, 3, 4, 0x1f, 5, 6};
    cdb_cache_decode(fetch_10, find(fetch_10), &cache);
    assert_false(cache.immed);
    assert_int_equal(cache.lba, 0x01020304);
    assert_int_equal(cache.blocks, 0x0506);
}

static void write_same_reads_its_flags(void **state)
{
    struct cdb_write_same ws;
    struct sense s;
    (void)state;
    const uint8_t *cdb = CDB_OF(golden_write_same_16);
    assert_int_equal(cdb_write_same_decode(cdb, find(cdb), &ws, &s), 0);
    assert_true(ws.unmap && !ws.ndob);
    assert_int_equal(ws.lba, 0x100);
    assert_int_equal(ws.blocks, 16);
    static const uint8_t ndob[CDB_BYTES_MAX] = {0x93, 0x01, [13] = 1};
    assert_int_equal(cdb_write_same_decode(ndob, find(ndob), &ws, &s), 0);
    assert_true(ws.ndob && !ws.unmap);
    static const uint8_t anchor[CDB_BYTES_MAX] = {0x41, 0x18, [8] = 1};
    assert_int_equal(cdb_write_same_decode(anchor, find(anchor), &ws, &s), -EINVAL);
    assert_field(&s, 1, 4);
    static const uint8_t none[CDB_BYTES_MAX] = {0x41, [5] = 7};
    assert_int_equal(cdb_write_same_decode(none, find(none), &ws, &s), 0);
    assert_int_equal(ws.lba, 7);
    assert_int_equal(ws.blocks, 0);
}

static void defect_data_is_asked_for_by_list_and_format(void **state)
{
    static const uint8_t ten[CDB_BYTES_MAX] = {0x37, 0, 0x10, [7] = 1, [8] = 2};
    static const uint8_t twelve[CDB_BYTES_MAX] = {0xb7, 0x0d, 9, 9, 9, 9, 1, 2, 3, 4};
    static const uint8_t vendors[CDB_BYTES_MAX] = {0x37, 0, 0x1e};
    static const uint8_t reserved[CDB_BYTES_MAX] = {0xb7, 0x07};
    struct cdb_defect_data d;
    struct sense s;
    (void)state;
    assert_int_equal(cdb_defect_data_decode(ten, find(ten), &d, &s), 0);
    assert_true(d.primary && !d.grown && !d.twelve);
    assert_int_equal(d.format, 0);
    assert_int_equal(d.alloc_bytes, 0x102);
    assert_int_equal(cdb_defect_data_decode(twelve, find(twelve), &d, &s), 0);
    assert_true(!d.primary && d.grown && d.twelve);
    assert_int_equal(d.format, 5);
    assert_int_equal(d.alloc_bytes, 0x01020304);
    assert_int_equal(cdb_defect_data_decode(vendors, find(vendors), &d, &s), -EINVAL);
    assert_field(&s, 2, 2);
    assert_int_equal(cdb_defect_data_decode(reserved, find(reserved), &d, &s), -EINVAL);
    assert_field(&s, 1, 2);
}

/* Each value just inside and just outside of its range: SBC-4, 5.24. */
static void overwrite_lists_are_read_to_their_ends(void **state)
{
    static const struct {
        uint8_t list[8];
        size_t bytes;
        bool good;
    } cases[] = {
        {{0x01, 0, 0, 1, 9}, 5, true},  {{0x9f, 0, 0, 4, 1, 2, 3, 4}, 8, true},
        {{0x80, 0, 0, 1, 9}, 5, false}, {{0x21, 0, 0, 1, 9}, 5, false},
        {{0x41, 0, 0, 1, 9}, 5, false}, {{0x01, 0x80, 0, 1, 9}, 5, false},
        {{0x01, 0, 0, 0, 9}, 5, false}, {{0x01, 0, 0, 2, 9}, 5, false},
        {{0x01, 0, 2, 1, 9}, 5, false},
    };
    struct overwrite_list list;
    struct sense s;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int rc = overwrite_list_decode(&list, cases[i].list, cases[i].bytes, 512, &s);
        assert_int_equal(rc, cases[i].good ? 0 : -EINVAL);
        if (!cases[i].good)
            continue;
        assert_int_equal(list.invert, i == 1);
        assert_int_equal(list.count, i == 1 ? 31 : 1);
        assert_int_equal(list.pattern_bytes, i == 1 ? 4 : 1);
        assert_ptr_equal(list.pattern, cases[i].list + 4);
    }
}

static const struct unmap_limits limits = {
    .capacity_blocks = 0x6000, .descriptors_max = 4, .blocks_max = 0x2000};

static void unmap_list_of_libiscsi_is_read(void **state)
{
    struct cdb_unmap unmap;
    struct unmap_list list;
    struct unmap_range range;
    struct sense s;
    (void)state;
    const uint8_t *cdb = CDB_OF(golden_unmap);
    assert_int_equal(find(cdb)->id, CDB_UNMAP);
    assert_int_equal(cdb_unmap_decode(cdb, &unmap, &s), 0);
    assert_int_equal(unmap.list_bytes, 40);
    const uint8_t *data = golden_unmap + BHS_BYTES;
    assert_int_equal(unmap_list_init(&list, data, 40, &limits, &s), 0);
    assert_true(unmap_list_next(&list, &range));
    assert_int_equal(range.lba, 0x1234);
    assert_int_equal(range.blocks, 8);
    assert_true(unmap_list_next(&list, &range));
    assert_int_equal(range.lba, 0x5000);
    assert_int_equal(range.blocks, 128);
    assert_false(unmap_list_next(&list, &range));
}

static void bad_unmap_lists_are_refused_whole(void **state)
{
    struct unmap_list list;
    struct unmap_range range;
    struct sense s;
    uint8_t data[8 + 5 * 16] = {0, 86, 0, 80};
    (void)state;
    assert_int_equal(unmap_list_init(&list, NULL, 0, &limits, &s), 0);
    assert_false(unmap_list_next(&list, &range));
    assert_int_equal(unmap_list_init(&list, data, 7, &limits, &s), -EINVAL);
    assert_int_equal(s.code, SENSE_PARAM_LIST_LENGTH);
    assert_int_equal(unmap_list_init(&list, data, 8 + 79, &limits, &s), -EINVAL);
    assert_int_equal(s.code, SENSE_PARAM_LIST_LENGTH);
    assert_int_equal(unmap_list_init(&list, data, sizeof(data), &limits, &s), -EINVAL);
    assert_int_equal(s.code, SENSE_INVALID_PARAM_FIELD); /* 5 descriptors */
    assert_int_equal(s.field_byte, 2);

    data[3] = 32 + 15; /* two, and a part of one that is ignored */
    be32_store(data + 8 + 8, 0x1fff);
    be32_store(data + 24 + 8, 1);
    assert_int_equal(unmap_list_init(&list, data, sizeof(data), &limits, &s), 0);
    assert_int_equal(list.left, 2);
    be32_store(data + 24 + 8, 2); /* one block too many in all */
    assert_int_equal(unmap_list_init(&list, data, sizeof(data), &limits, &s), -EINVAL);
    assert_int_equal(s.code, SENSE_INVALID_PARAM_FIELD);
    be64_store(data + 24, 0x5fff); /* one past the end */
    assert_int_equal(unmap_list_init(&list, data, sizeof(data), &limits, &s), -EINVAL);
    assert_int_equal(s.code, SENSE_LBA_RANGE);
    assert_int_equal(s.info, 0x6000);
}

static void range_names_the_first_bad_lba(void **state)
{
    struct sense s;
    (void)state;
    assert_int_equal(cdb_check_range(0, 100, 100, &s), 0);
    assert_int_equal(cdb_check_range(100, 0, 100, &s), 0);
    assert_int_equal(cdb_check_range(99, 2, 100, &s), -EINVAL);
    assert_int_equal(s.info, 100);
    assert_int_equal(cdb_check_range(101, 0, 100, &s), -EINVAL);
    assert_int_equal(s.info, 101);
    assert_int_equal(cdb_check_range(UINT64_MAX, 2, 100, &s), -EINVAL);
    assert_true(s.info == UINT64_MAX);
}

static void questions_of_libiscsi_are_read(void **state)
{
    struct sense s;
    (void)state;
    struct cdb_inquiry inq;
    assert_int_equal(find(CDB_OF(golden_inquiry))->id, CDB_INQUIRY);
    assert_int_equal(cdb_inquiry_decode(CDB_OF(golden_inquiry), &inq, &s), 0);
    assert_false(inq.evpd);
    assert_int_equal(inq.alloc_bytes, 64);

    struct cdb_mode_sense mode;
    const uint8_t *cdb = CDB_OF(golden_mode_sense_6);
    assert_int_equal(cdb_mode_sense_decode(cdb, find(cdb), &mode, &s), 0);
    assert_false(mode.ten || mode.dbd);
    assert_int_equal(mode.page, 8);
    assert_int_equal(mode.control, MODE_CURRENT);
    assert_int_equal(mode.alloc_bytes, 255);

    struct cdb_report_luns luns;
    find(CDB_OF(golden_report_luns));
    assert_int_equal(cdb_report_luns_decode(CDB_OF(golden_report_luns), &luns, &s), 0);
    assert_int_equal(luns.alloc_bytes, 1024);

    struct cdb_read_capacity cap;
    cdb = CDB_OF(golden_read_capacity_16);
    assert_int_equal(cdb_read_capacity_decode(cdb, find(cdb), &cap, &s), 0);
    assert_int_equal(cap.alloc_bytes, 32);

    struct cdb_report_opcodes ops;
    assert_int_equal(find(CDB_OF(golden_report_opcodes))->id, CDB_REPORT_OPCODES);
    assert_int_equal(cdb_report_opcodes_decode(CDB_OF(golden_report_opcodes), &ops, &s),
                     0);
    assert_int_equal(ops.option, REPORT_OPCODES_ALL);
    assert_true(ops.timeouts);
    assert_int_equal(ops.alloc_bytes, 1024);
}

static void bad_questions_name_their_field(void **state)
{
    struct sense s;
    (void)state;
    struct cdb_inquiry inq;
    static const uint8_t inquiry[CDB_BYTES_MAX] = {0x12, 0, 0x80};
    assert_int_equal(cdb_inquiry_decode(inquiry, &inq, &s), -EINVAL);
    assert_field(&s, 2, SENSE_NO_BIT);

    struct cdb_mode_select sel;
    static const uint8_t no_pf[CDB_BYTES_MAX] = {0x15, 0x00, 0, 0, 24};
    assert_int_equal(cdb_mode_select_decode(no_pf, find(no_pf), &sel, &s), -EINVAL);
    assert_field(&s, 1, 4);
    static const uint8_t sp[CDB_BYTES_MAX] = {0x55, 0x11, [8] = 24};
    assert_int_equal(cdb_mode_select_decode(sp, find(sp), &sel, &s), 0);
    assert_true(sel.save && sel.ten && sel.list_bytes == 24);

    struct cdb_report_luns luns;
    static const uint8_t select[CDB_BYTES_MAX] = {0xa0, 0, 3, [9] = 16};
    assert_int_equal(cdb_report_luns_decode(select, &luns, &s), -EINVAL);
    assert_field(&s, 2, SENSE_NO_BIT);
    static const uint8_t alloc[CDB_BYTES_MAX] = {0xa0, 0, 0, [9] = 15};
    assert_int_equal(cdb_report_luns_decode(alloc, &luns, &s), -EINVAL);
    assert_field(&s, 6, SENSE_NO_BIT);

    struct cdb_start_stop ss;
    static const uint8_t idle[CDB_BYTES_MAX] = {0x1b, 0, 0, 0, 0x20};
    assert_int_equal(cdb_start_stop_decode(idle, &ss, &s), -EINVAL);
    assert_field(&s, 4, 7);
    static const uint8_t stop[CDB_BYTES_MAX] = {0x1b, 1, 0, 0, 0x04};
    assert_int_equal(cdb_start_stop_decode(stop, &ss, &s), 0);
    assert_true(ss.immed && ss.no_flush && !ss.start && !ss.load_eject);

    struct cdb_report_opcodes ops;
    static const uint8_t option[CDB_BYTES_MAX] = {0xa3, 0x0c, 0x04};
    assert_int_equal(cdb_report_opcodes_decode(option, &ops, &s), -EINVAL);
    assert_field(&s, 2, 2);
    struct cdb_report_tmfs tmfs;
    static const uint8_t short_tmfs[CDB_BYTES_MAX] = {0xa3, 0x0d, 0, [9] = 3};
    assert_int_equal(cdb_report_tmfs_decode(short_tmfs, &tmfs, &s), -EINVAL);
    assert_field(&s, 6, SENSE_NO_BIT);
}

static void small_questions_are_read(void **state)
{
    struct sense s;
    (void)state;
    static const uint8_t select[CDB_BYTES_MAX] = {0x55, 0x10, [7] = 1, [8] = 2};
    struct cdb_mode_select sel;
    assert_int_equal(cdb_mode_select_decode(select, find(select), &sel, &s), 0);
    assert_true(sel.ten);
    assert_int_equal(sel.list_bytes, 0x102);
    static const uint8_t sense10[CDB_BYTES_MAX] = {0x5a, 0x18, 0x7f, 0xff, [7] = 1};
    struct cdb_mode_sense mode;
    assert_int_equal(cdb_mode_sense_decode(sense10, find(sense10), &mode, &s), 0);
    assert_true(mode.ten && mode.dbd && mode.llbaa);
    assert_int_equal(mode.control, MODE_CHANGEABLE);
    assert_int_equal(mode.page, 0x3f);
    assert_int_equal(mode.subpage, 0xff);
    assert_int_equal(mode.alloc_bytes, 256);
    static const uint8_t log10[] = {0x4d, 0, 0xd9, 0xff, 0, 1, 2, 3, 4, 0};
    struct cdb_log_sense log;
    cdb_log_sense_decode(log10, &log);
    assert_int_equal(log.control, LOG_DEFAULT_CUMULATIVE);
    assert_int_equal(log.page, 0x19);
    assert_int_equal(log.subpage, 0xff);
    assert_int_equal(log.pointer, 0x102);
    assert_int_equal(log.alloc_bytes, 0x304);
    static const uint8_t request[CDB_BYTES_MAX] = {0x03, 1, 0, 0, 252};
    struct cdb_request_sense req;
    assert_int_equal(cdb_request_sense_decode(request, &req, &s), 0);
    assert_true(req.descriptor);
    assert_int_equal(req.alloc_bytes, 252);
    static const uint8_t prevent[CDB_BYTES_MAX] = {0x1e, 0, 0, 0, 1};
    struct cdb_prevent_allow pa;
    assert_int_equal(cdb_prevent_allow_decode(prevent, &pa, &s), 0);
    assert_int_equal(pa.prevent, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_found_by_its_own_cdb),
        cmocka_unit_test(unknown_opcodes_and_actions_are_refused),
        cmocka_unit_test(undefined_bits_are_refused_and_named),
        cmocka_unit_test(reads_and_writes_of_libiscsi_are_read),
        cmocka_unit_test(each_length_has_its_fields),
        cmocka_unit_test(atomic_write_has_its_fields),
        cmocka_unit_test(compare_write_has_its_fields),
        cmocka_unit_test(atomic_limits_name_the_field_that_breaks_them),
        cmocka_unit_test(protection_is_refused),
        cmocka_unit_test(verify_reads_its_check),
        cmocka_unit_test(cache_commands_read_their_range),
        cmocka_unit_test(write_same_reads_its_flags),
        cmocka_unit_test(defect_data_is_asked_for_by_list_and_format),
        cmocka_unit_test(overwrite_lists_are_read_to_their_ends),
        cmocka_unit_test(unmap_list_of_libiscsi_is_read),
        cmocka_unit_test(bad_unmap_lists_are_refused_whole),
        cmocka_unit_test(range_names_the_first_bad_lba),
        cmocka_unit_test(questions_of_libiscsi_are_read),
        cmocka_unit_test(bad_questions_name_their_field),
        cmocka_unit_test(small_questions_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
