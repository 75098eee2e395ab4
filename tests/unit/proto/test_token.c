/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of POPULATE TOKEN and WRITE USING TOKEN, the token, and what is told of both:
 * SBC-4, 5.12, 5.25, 5.59; SPC-4, 5.17.6. Bytes by the tables of these, by hand. */
#include "tests/unit/proto/unit.h"

#include "base/be.h"
#include "proto/copy_results.h"
#include "proto/inquiry.h"
#include "proto/rod.h"

#define CAPACITY   (1u << 20)
#define LIST_BYTES (536 + 70 * 16)

static const struct rod_limits limits = {.capacity_blocks = CAPACITY, .block_shift = 9};

static uint8_t list[LIST_BYTES];
static struct sense sense;

/* ---- Lists ---------------------------------------------------------------------------
 */

static void range_put(unsigned head, unsigned i, uint64_t lba, uint32_t blocks)
{
    be64_store(list + head + i * 16, lba);
    be32_store(list + head + i * 16 + 8, blocks);
}

/* Of so many ranges of 8 blocks, 100 apart; its bytes. */
static size_t list_begin(unsigned head, unsigned ranges)
{
    memset(list, 0, sizeof(list));
    be16_store(list, (uint16_t)(head + ranges * 16 - 2));
    be16_store(list + head - 2, (uint16_t)(ranges * 16));
    for (unsigned i = 0; i < ranges; i++)
        range_put(head, i, i * 100, 8);
    if (head == 536)
        be16_store(list + 16 + 6, 0x1f8);
    return head + ranges * 16;
}

static int populate(size_t bytes)
{
    struct populate_list p;
    sense = (struct sense){.code = SENSE_NONE};
    return populate_list_decode(&p, list, bytes, &limits, &sense);
}

static int write_token(size_t bytes)
{
    struct write_token_list w;
    sense = (struct sense){.code = SENSE_NONE};
    return write_token_list_decode(&w, list, bytes, &limits, &sense);
}

#define assert_field(byte)                                                               \
    do {                                                                                 \
        assert_int_equal(sense.code, SENSE_INVALID_PARAM_FIELD);                         \
        assert_int_equal(sense.field_byte, (byte));                                      \
    } while (0)

static void a_populate_list_is_read(void **state)
{
    struct populate_list p;
    (void)state;
    size_t bytes = list_begin(16, 3);
    list[2] = 0x03; /* RTV, IMMED */
    be32_store(list + 4, 45);
    be32_store(list + 8, 0x00800000);
    assert_int_equal(populate_list_decode(&p, list, bytes, &limits, &sense), 0);
    assert_true(p.immed);
    assert_int_equal(p.timeout_s, 45);
    assert_int_equal(p.ranges.count, 3);
    assert_int_equal(p.ranges.blocks, 24);
    assert_int_equal(rod_range_get(&p.ranges, 2).lba, 200);
    assert_int_equal(rod_range_get(&p.ranges, 2).blocks, 8);
}

static void what_is_wrong_with_a_populate_list_is_named(void **state)
{
    (void)state;
    size_t bytes = list_begin(16, 1);
    be16_store(list, 0x1d);
    assert_int_equal(populate(bytes), -EINVAL);
    assert_field(0);
    bytes = list_begin(16, 1);
    list[2] = 0x10;
    assert_int_equal(populate(bytes), -EINVAL);
    assert_field(2);
    assert_int_equal(sense.field_bit, 4);
    bytes = list_begin(16, 1);
    be32_store(list + 4, 301);
    assert_int_equal(populate(bytes), -EINVAL);
    assert_field(4);
    be32_store(list + 4, 300);
    be32_store(list + 8, 0x00010000); /* ignored without RTV */
    assert_int_equal(populate(bytes), 0);
    list[2] = 0x02;
    assert_int_equal(populate(bytes), -EINVAL); /* access upon reference */
    assert_field(8);
    bytes = list_begin(16, 1);
    be16_store(list + 14, 15);
    assert_int_equal(populate(bytes), -EINVAL);
    assert_field(14);
}

static void ranges_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(populate(list_begin(16, 64)), 0);
    assert_int_equal(populate(list_begin(16, 65)), -EINVAL);
    assert_int_equal(sense.code, SENSE_TOO_MANY_SEGMENTS);
    size_t bytes = list_begin(16, 3);
    range_put(16, 2, 107, 1);
    assert_int_equal(populate(bytes), -EINVAL); /* the last block of the second */
    assert_field(16 + 2 * 16);
    range_put(16, 2, 108, 1);
    assert_int_equal(populate(bytes), 0);
    range_put(16, 2, 107, 0); /* of nothing */
    assert_int_equal(populate(bytes), 0);
    range_put(16, 2, CAPACITY - 4, 5);
    assert_int_equal(populate(bytes), -EINVAL);
    assert_int_equal(sense.code, SENSE_LBA_RANGE);
    range_put(16, 2, UINT64_MAX, UINT32_MAX);
    assert_int_equal(populate(bytes), -EINVAL);
    assert_int_equal(sense.code, SENSE_LBA_RANGE);
    range_put(16, 2, 1000, (256u << 20 >> 9) - 16); /* the most */
    assert_int_equal(populate(bytes), 0);
    range_put(16, 2, 1000, (256u << 20 >> 9) - 15);
    assert_int_equal(populate(bytes), -EINVAL);
    assert_field(16 + 2 * 16 + 8);
}

static void a_range_that_is_cut_is_ignored(void **state)
{
    struct populate_list p;
    (void)state;
    size_t bytes = list_begin(16, 3);
    assert_int_equal(populate_list_decode(&p, list, bytes - 1, &limits, &sense), 0);
    assert_int_equal(p.ranges.count, 2);
    be16_store(list + 14, 2 * 16 - 1);
    assert_int_equal(populate_list_decode(&p, list, bytes, &limits, &sense), 0);
    assert_int_equal(p.ranges.count, 1);
    assert_int_equal(populate_list_decode(&p, list, 16, &limits, &sense), 0);
    assert_int_equal(p.ranges.count, 0);
    assert_int_equal(p.ranges.blocks, 0);
}

static void a_write_list_is_read(void **state)
{
    struct write_token_list w;
    (void)state;
    size_t bytes = list_begin(536, 2);
    list[2] = 0x02; /* DEL_TKN */
    be64_store(list + 8, 0x123456789a);
    assert_int_equal(write_token_list_decode(&w, list, bytes, &limits, &sense), 0);
    assert_false(w.immed);
    assert_true(w.deletes);
    assert_true(w.offset_blocks == 0x123456789a);
    assert_ptr_equal(w.token, list + 16);
    assert_int_equal(w.ranges.blocks, 16);
    assert_int_equal(rod_range_get(&w.ranges, 1).lba, 100);
    be16_store(list, (uint16_t)(bytes - 1));
    assert_int_equal(write_token(bytes), -EINVAL); /* not that of the ranges and 534 */
    assert_field(0);
    bytes = list_begin(536, 1);
    be16_store(list, 549);
    assert_int_equal(write_token(bytes), -EINVAL);
    assert_field(0);
    bytes = list_begin(536, 1);
    be16_store(list + 16 + 6, 0x1f7);
    assert_int_equal(write_token(bytes), -EINVAL);
    assert_int_equal(sense.code, SENSE_TOKEN_LENGTH);
}

static void cdbs_are_read(void **state)
{
    uint8_t cdb[16] = {0x83, 0x10, [6] = 1, 2, 3, 4, [13] = 15};
    struct cdb_rod_list l;
    struct cdb_rod_ask a;
    const struct cdb_op *op;
    (void)state;
    assert_int_equal(cdb_find(cdb, &op, &sense), 0);
    assert_int_equal(cdb_rod_list_decode(cdb, op, &l, &sense), -EINVAL);
    assert_int_equal(sense.code, SENSE_PARAM_LIST_LENGTH);
    cdb[13] = 16;
    assert_int_equal(cdb_rod_list_decode(cdb, op, &l, &sense), 0);
    assert_int_equal(l.list_id, 0x01020304);
    cdb[11] = 1;
    cdb[13] = 2;
    assert_int_equal(cdb_rod_list_decode(cdb, op, &l, &sense), -EINVAL);
    assert_int_equal(sense.field_byte, 10);
    memset(cdb + 10, 0, 4);
    assert_int_equal(cdb_rod_list_decode(cdb, op, &l, &sense), 0);
    assert_int_equal(l.list_bytes, 0);
    const uint8_t ask[16] = {0x84, 0x07, 9, 8, 7, 6, [12] = 2};
    assert_int_equal(cdb_find(ask, &op, &sense), 0);
    assert_int_equal(op->id, CDB_RECEIVE_ROD_INFO);
    cdb_rod_ask_decode(ask, &a);
    assert_int_equal(a.list_id, 0x09080706);
    assert_int_equal(a.alloc_bytes, 512);
}

/* ---- The token ------------------------------------------------------------------------
 */

static void a_token_is_as_the_standard_has_it(void **state)
{
    uint8_t secret[256], out[512], again[512];
    struct rod_token token = {.id = 0x0102030405060708,
                              .creator_naa = {0x60, 1, [15] = 2},
                              .device_naa = {0x60, 3, [15] = 4},
                              .bytes = 0x123456,
                              .block_bytes = 512,
                              .physical_exponent = 3,
                              .secret = secret};
    static const uint8_t head[] = {0x00, 0x80, 0, 0, 0, 0,  0x01, 0xf8, 1,
                                   2,    3,    4, 5, 6, 7,  8,    0xe4, 0,
                                   0,    0,    1, 3, 0, 16, 0x60, 1};
    static const uint8_t device[] = {0, 0, 2, 0, 0, 3, 0xc0, 0};
    static const uint8_t target[] = {1, 0x23, 0, 16, 0x60, 3};
    (void)state;
    memset(secret, 0xa5, sizeof(secret));
    rod_token_encode(&token, out);
    assert_memory_equal(out, head, sizeof(head));
    assert_int_equal(be24_load(out + 45), 512); /* disk block length of the descriptor */
    assert_true(be64_load(out + 48) == 0 && be64_load(out + 56) == 0x123456);
    assert_memory_equal(out + 96, device, sizeof(device));
    assert_memory_equal(out + 128, target, sizeof(target));
    assert_memory_equal(out + 256, secret, sizeof(secret));
    assert_int_equal(rod_token_type(out), ROD_TYPE_POINT_IN_TIME);
    assert_true(rod_token_id(out) == token.id);
    for (size_t i = 0; i < sizeof(out); i++) {
        rod_token_encode(&token, again);
        assert_true(rod_token_equal(out, again));
        again[i] ^= 0x01;
        assert_false(rod_token_equal(out, again));
    }
}

/* ---- What is told ---------------------------------------------------------------------
 */

static void rod_information_is_told(void **state)
{
    uint8_t out[1024], token[512];
    struct wire w;
    struct copy_state s = {
        .progress = COPY_ENDED, .action = 0x10, .asked_count = 2, .bytes = 4096};
    (void)state;
    memset(token, 0x5a, sizeof(token));
    wire_init(&w, out, sizeof(out));
    copy_rod_info_encode(&s, 9, token, &w);
    static const uint8_t want[] = {0,    0,    0x02, 0x22, 0x10, 0x01, 0, 2, 0xff, 0xff,
                                   0xff, 0xfe, 0,    0,    0,    0xf1, 0, 0, 0,    0,
                                   0,    0,    0,    8,    0,    0,    0, 0, 0,    0,
                                   0,    0,    0,    0,    0x02, 0x02, 0, 0, 0x5a};
    assert_int_equal(wire_stored(&w), 36 + 514);
    assert_memory_equal(out, want, sizeof(want));
    /* In the background, then with less than was asked for, then stopped. */
    s.progress = COPY_RUNNING_BEHIND;
    wire_init(&w, out, sizeof(out));
    copy_rod_info_encode(&s, 12, NULL, &w);
    assert_int_equal(wire_stored(&w), 36);
    assert_int_equal(out[5], 0x12);
    assert_true(be32_load(out + 8) < 0xfffffffe);
    assert_int_equal(be64_load(out + 16), 1);
    s.progress = COPY_ENDED_SHORT;
    s.status = 0x02;
    sense_set_info(&s.sense, SENSE_COPY_UNDERRUN, 1);
    wire_init(&w, out, sizeof(out));
    copy_rod_info_encode(&s, 12, NULL, &w);
    assert_int_equal(out[5], 0x03);
    assert_int_equal(out[12], 0x02);
    assert_true(out[13] > 0 && out[13] % 4 == 0);
    assert_int_equal(out[33], 0x0a);
    assert_int_equal(be16_load(out + 34), 0x0d04);
    s.progress = COPY_STOPPED;
    wire_init(&w, out, sizeof(out));
    copy_rod_info_encode(&s, 12, NULL, &w);
    assert_int_equal(out[5], 0x60);
    assert_int_equal(out[12], 0x40);
    assert_int_equal(out[13], 0);
}

/* The descriptor of that type in page 8Fh; its parameters. */
static const uint8_t *descriptor_of(const uint8_t *page, size_t bytes, uint16_t type,
                                    unsigned *length)
{
    for (size_t at = 4; at + 4 <= bytes; at += 4 + be16_load(page + at + 2)) {
        *length = be16_load(page + at + 2);
        if (be16_load(page + at) == type)
            return page + at + 4;
    }
    return NULL;
}

static void page_8f_tells_of_tokens(void **state)
{
    static const struct lu_ident lu = {.block_bytes = 512, .serial = "", .revision = ""};
    uint8_t page[1024];
    struct wire w;
    unsigned length;
    (void)state;
    wire_init(&w, page, sizeof(page));
    assert_int_equal(vpd_encode(&lu, 0x8f, &w, &sense), 0);
    assert_int_equal(wire_rc(&w), 0);
    assert_int_equal(be16_load(page + 2), w.at - 4);
    const uint8_t *d = descriptor_of(page, w.at, 0x0000, &length);
    assert_int_equal(length, 0x20);
    assert_int_equal(be16_load(d + 6), 64);
    assert_int_equal(be32_load(d + 8), 300);
    assert_int_equal(be32_load(d + 12), 60);
    assert_int_equal(be64_load(d + 16), 524288);
    assert_int_equal(be64_load(d + 24), 131072);
    d = descriptor_of(page, w.at, 0x0106, &length);
    assert_int_equal(length, 92);
    assert_int_equal(d[0] & 0x0f, 0); /* no remote tokens */
    assert_int_equal(be32_load(d + 20), 300);
    assert_int_equal(be16_load(d + 42), 48);
    assert_int_equal(be16_load(d + 46), 0x2c);
    assert_int_equal(be16_load(d + 50), 128);
    assert_int_equal(be64_load(d + 52), 256 << 20);
    d = descriptor_of(page, w.at, 0x0108, &length);
    assert_int_equal(length, 4 + 2 * 64);
    assert_int_equal(be16_load(d + 2), 128);
    assert_int_equal(be32_load(d + 4), 0x00800000);
    assert_int_equal(d[8], 0x03);
    assert_true(be32_load(d + 68) == 0xffff0001);
    assert_int_equal(d[72], 0x02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_populate_list_is_read),
        cmocka_unit_test(what_is_wrong_with_a_populate_list_is_named),
        cmocka_unit_test(ranges_are_bounded),
        cmocka_unit_test(a_range_that_is_cut_is_ignored),
        cmocka_unit_test(a_write_list_is_read),
        cmocka_unit_test(cdbs_are_read),
        cmocka_unit_test(a_token_is_as_the_standard_has_it),
        cmocka_unit_test(rod_information_is_told),
        cmocka_unit_test(page_8f_tells_of_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
