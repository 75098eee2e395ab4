/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of SBC-4, 5.12, 5.25 and 5.59 and of SPC-5's ROD tokens as bytes. Pure; any
 * thread. */
#include "proto/rod.h"

#include "base/be.h"

#include <assert.h>
#include <string.h>

#define LIST_LENGTH_BYTE 10 /* of the CDBs */

#define RANGE_BYTES         16
#define POPULATE_HEAD_BYTES 16
#define WRITE_HEAD_BYTES    536
#define BIT_IMMED           0x01
#define BIT_RTV             0x02
#define BIT_DEL_TKN         0x02

#define TOKEN_LENGTH_AT  6
#define TOKEN_LENGTH     (ROD_TOKEN_BYTES - 8)
#define TOKEN_ID_AT      8
#define TOKEN_CREATOR_AT 16
#define TOKEN_COUNT_AT   56 /* the low half of 16 bytes */
#define TOKEN_DEVICE_AT  96 /* device type specific data */
#define TOKEN_TARGET_AT  128
#define TOKEN_SECRET_AT  256
#define DESCRIPTOR_ID    0xe4 /* Identification Descriptor CSCD descriptor */
#define CODE_BINARY      0x01
#define OF_TARGET        0x20
#define ID_NAA           0x03
#define LBPME_LBPRZ      0xc000
#define PHYSICAL_MASK    0x0f

#define BLOCK_LENGTH   0x2c
#define TYPE_BYTES     64
#define TYPE_COUNT     2
#define TYPE_TOKEN_IN  0x02
#define TYPE_TOKEN_OUT 0x01

/* ---- CDBs ---------------------------------------------------------------------------
 */

static uint32_t head_bytes(const struct cdb_op *op)
{
    return op->id == CDB_POPULATE_TOKEN ? POPULATE_HEAD_BYTES : WRITE_HEAD_BYTES;
}

int cdb_rod_list_decode(const uint8_t *cdb, const struct cdb_op *op,
                        struct cdb_rod_list *list, struct sense *sense)
{
    *list = (struct cdb_rod_list){
        .list_id = be32_load(cdb + 6),
        .list_bytes = be32_load(cdb + LIST_LENGTH_BYTE),
    };
    if (list->list_bytes > ROD_LIST_BYTES_MAX)
        return sense_set_cdb(sense, LIST_LENGTH_BYTE, SENSE_NO_BIT);
    if (list->list_bytes != 0 && list->list_bytes < head_bytes(op))
        return sense_set(sense, SENSE_PARAM_LIST_LENGTH);
    return 0;
}

void cdb_rod_ask_decode(const uint8_t *cdb, struct cdb_rod_ask *ask)
{
    *ask = (struct cdb_rod_ask){
        .list_id = be32_load(cdb + 2),
        .alloc_bytes = be32_load(cdb + LIST_LENGTH_BYTE),
    };
}

/* ---- Ranges -------------------------------------------------------------------------
 */

struct rod_range rod_range_get(const struct rod_ranges *ranges, unsigned index)
{
    const uint8_t *d = ranges->at + (size_t)index * RANGE_BYTES;
    assert(index < ranges->count);
    return (struct rod_range){.lba = be64_load(d), .blocks = be32_load(d + 8)};
}

static bool ranges_overlap(struct rod_range a, struct rod_range b)
{
    return a.blocks > 0 && b.blocks > 0 && a.lba < b.lba + b.blocks &&
           b.lba < a.lba + a.blocks;
}

/* In the capacity all of them, so that no sum overflows. */
static int ranges_check(struct rod_ranges *ranges, unsigned first_byte,
                        const struct rod_limits *limits, struct sense *sense)
{
    for (unsigned i = 0; i < ranges->count; i++) {
        struct rod_range r = rod_range_get(ranges, i);
        unsigned byte = first_byte + i * RANGE_BYTES;
        int rc = cdb_check_range(r.lba, r.blocks, limits->capacity_blocks, sense);
        if (rc != 0)
            return rc;
        for (unsigned j = 0; j < i; j++)
            if (ranges_overlap(r, rod_range_get(ranges, j)))
                return sense_set_param(sense, byte, SENSE_NO_BIT);
        ranges->blocks += r.blocks;
        if (ranges->blocks << limits->block_shift > ROD_TOKEN_DATA_MAX)
            return sense_set_param(sense, byte + 8, SENSE_NO_BIT);
    }
    return 0;
}

/* Those that are whole: neither the descriptors' length nor the list's cuts them. */
static int ranges_decode(struct rod_ranges *ranges, const uint8_t *data,
                         size_t list_bytes, unsigned head,
                         const struct rod_limits *limits, struct sense *sense)
{
    unsigned length = be16_load(data + head - 2);
    size_t left = list_bytes - head;
    if (length < RANGE_BYTES)
        return sense_set_param(sense, head - 2, SENSE_NO_BIT);
    unsigned count = (unsigned)(length < left ? length : left) / RANGE_BYTES;
    if (count > ROD_TOKEN_RANGES_MAX)
        return sense_set(sense, SENSE_TOO_MANY_SEGMENTS);
    *ranges = (struct rod_ranges){.at = data + head, .count = count};
    return ranges_check(ranges, head, limits, sense);
}

/* ---- Parameter lists ----------------------------------------------------------------
 */

static int flags_check(uint8_t flags, struct sense *sense)
{
    uint8_t bad = flags & (uint8_t) ~(BIT_IMMED | BIT_RTV);
    return bad == 0 ? 0 : sense_set_param(sense, 2, 31 - __builtin_clz(bad));
}

/* A data length of less than one range, both say in nearly the same words. */
static int length_check(const uint8_t *data, unsigned head, struct sense *sense)
{
    return be16_load(data) < head + RANGE_BYTES - 2
               ? sense_set_param(sense, 0, SENSE_NO_BIT)
               : 0;
}

int populate_list_decode(struct populate_list *list, const uint8_t *data,
                         size_t list_bytes, const struct rod_limits *limits,
                         struct sense *sense)
{
    assert(list_bytes >= POPULATE_HEAD_BYTES);
    *list = (struct populate_list){
        .immed = (data[2] & BIT_IMMED) != 0,
        .timeout_s = be32_load(data + 4),
    };
    int rc = length_check(data, POPULATE_HEAD_BYTES, sense);
    if (rc == 0)
        rc = flags_check(data[2], sense);
    if (rc != 0)
        return rc;
    if (list->timeout_s > ROD_TOKEN_TIMEOUT_MAX_S)
        return sense_set_param(sense, 4, SENSE_NO_BIT);
    if ((data[2] & BIT_RTV) != 0 && be32_load(data + 8) != ROD_TYPE_POINT_IN_TIME)
        return sense_set_param(sense, 8, SENSE_NO_BIT);
    return ranges_decode(&list->ranges, data, list_bytes, POPULATE_HEAD_BYTES, limits,
                         sense);
}

int write_token_list_decode(struct write_token_list *list, const uint8_t *data,
                            size_t list_bytes, const struct rod_limits *limits,
                            struct sense *sense)
{
    assert(list_bytes >= WRITE_HEAD_BYTES);
    *list = (struct write_token_list){
        .immed = (data[2] & BIT_IMMED) != 0,
        .deletes = (data[2] & BIT_DEL_TKN) != 0,
        .offset_blocks = be64_load(data + 8),
        .token = data + 16,
    };
    int rc = length_check(data, WRITE_HEAD_BYTES, sense);
    if (rc == 0 && be16_load(data) != (uint32_t)be16_load(data + WRITE_HEAD_BYTES - 2) +
                                          WRITE_HEAD_BYTES - 2)
        rc = sense_set_param(sense, 0, SENSE_NO_BIT);
    if (rc == 0)
        rc = flags_check(data[2], sense);
    if (rc != 0)
        return rc;
    if (be16_load(list->token + TOKEN_LENGTH_AT) != TOKEN_LENGTH)
        return sense_set(sense, SENSE_TOKEN_LENGTH);
    return ranges_decode(&list->ranges, data, list_bytes, WRITE_HEAD_BYTES, limits,
                         sense);
}

/* ---- The token ----------------------------------------------------------------------
 */

static void put_designator(uint8_t *out, uint8_t association, const uint8_t naa[16])
{
    out[0] = CODE_BINARY;
    out[1] = association | ID_NAA;
    out[3] = LU_NAA_BYTES;
    memcpy(out + 4, naa, LU_NAA_BYTES);
}

/* The unit's: as its READ CAPACITY(16) has them, from the block length on. */
static void put_device_data(const struct rod_token *token, uint8_t *out)
{
    be32_store(out, token->block_bytes);
    out[5] = token->physical_exponent & PHYSICAL_MASK;
    be16_store(out + 6, LBPME_LBPRZ);
}

void rod_token_encode(const struct rod_token *token, uint8_t out[ROD_TOKEN_BYTES])
{
    memset(out, 0, ROD_TOKEN_BYTES);
    be32_store(out, ROD_TYPE_POINT_IN_TIME);
    be16_store(out + TOKEN_LENGTH_AT, TOKEN_LENGTH);
    be64_store(out + TOKEN_ID_AT, token->id);
    out[TOKEN_CREATOR_AT] = DESCRIPTOR_ID;
    put_designator(out + TOKEN_CREATOR_AT + 4, 0, token->creator_naa);
    be24_store(out + TOKEN_CREATOR_AT + 29, token->block_bytes);
    be64_store(out + TOKEN_COUNT_AT, token->bytes);
    put_device_data(token, out + TOKEN_DEVICE_AT);
    put_designator(out + TOKEN_TARGET_AT, OF_TARGET, token->device_naa);
    memcpy(out + TOKEN_SECRET_AT, token->secret, ROD_TOKEN_SECRET_BYTES);
}

uint32_t rod_token_type(const uint8_t *token)
{
    return be32_load(token);
}

uint64_t rod_token_id(const uint8_t *token)
{
    return be64_load(token + TOKEN_ID_AT);
}

bool rod_token_equal(const uint8_t *a, const uint8_t *b)
{
    volatile uint8_t differs = 0;
    for (size_t i = 0; i < ROD_TOKEN_BYTES; i++)
        differs |= a[i] ^ b[i];
    return differs == 0;
}

/* ---- Replies ------------------------------------------------------------------------
 */

void rod_report_header_encode(uint32_t count, struct wire *out)
{
    wire_put_be32(out, ROD_REPORT_HEADER_BYTES - 4 + count * ROD_MANAGEMENT_BYTES);
    wire_put_be32(out, 0);
}

void rod_put_limits(const struct lu_ident *lu, struct wire *out)
{
    wire_put_zeros(out, 6);
    wire_put_be16(out, ROD_TOKEN_RANGES_MAX);
    wire_put_be32(out, ROD_TOKEN_TIMEOUT_MAX_S);
    wire_put_be32(out, ROD_TOKEN_TIMEOUT_S);
    wire_put_be64(out, ROD_TOKEN_DATA_MAX / lu->block_bytes);
    wire_put_be64(out, ROD_TOKEN_DATA_OPTIMAL / lu->block_bytes);
}

/* Tokens of this box alone (REMOTE TOKENS 0). The lifetime is the inactivity timeout. */
void rod_put_features(const struct lu_ident *lu, struct wire *out)
{
    wire_put_zeros(out, 12);
    wire_put_be32(out, 1);
    wire_put_be32(out, ROD_TOKEN_TIMEOUT_MAX_S);
    wire_put_be32(out, ROD_TOKEN_TIMEOUT_MAX_S);
    wire_put_zeros(out, 18);
    wire_put_be16(out, 4 + BLOCK_LENGTH);
    wire_put_be16(out, 0); /* of block devices */
    wire_put_be16(out, BLOCK_LENGTH);
    wire_put_be16(out, 0);
    wire_put_be16(out, (uint16_t)(ROD_TOKEN_DATA_GRAIN / lu->block_bytes));
    wire_put_be64(out, ROD_TOKEN_DATA_MAX);
    wire_put_be64(out, ROD_TOKEN_DATA_OPTIMAL);
    wire_put_be64(out, ROD_TOKEN_DATA_OPTIMAL); /* to a token, of one range */
    wire_put_be64(out, ROD_TOKEN_DATA_OPTIMAL); /* from one */
    wire_put_be64(out, 0);
}

static void put_type(uint32_t type, uint8_t flags, struct wire *out)
{
    wire_put_be32(out, type);
    wire_put_u8(out, flags);
    wire_put_zeros(out, TYPE_BYTES - 5);
}

void rod_put_types(const struct lu_ident *lu, struct wire *out)
{
    (void)lu;
    wire_put_be16(out, 0);
    wire_put_be16(out, TYPE_COUNT * TYPE_BYTES);
    put_type(ROD_TYPE_POINT_IN_TIME, TYPE_TOKEN_IN | TYPE_TOKEN_OUT, out);
    put_type(ROD_TYPE_ZERO, TYPE_TOKEN_IN, out);
}
