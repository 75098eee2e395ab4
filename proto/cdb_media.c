/* SPDX-License-Identifier: Apache-2.0 */
/* CDBs that read, write, OR, compare, verify, flush, fetch or unmap blocks (SBC-4, 5),
 * and the parameter list of UNMAP. Pure; any thread. */
#include "proto/cdb.h"

#include "base/be.h"
#include "base/checked.h"

#include <errno.h>
#include <string.h>

#define PROTECT_MASK   0xe0
#define PROTECT_BIT    7
#define BIT_DPO        0x10
#define BIT_FUA        0x08
#define BIT_IMMED      0x02
#define BIT_ANCHOR     0x10
#define BIT_UNMAP      0x08
#define BIT_NDOB       0x01
#define BIT_CDB_ANCHOR 0x01 /* UNMAP's own */
/* WRITE ATOMIC(16): SBC-4, 5.48; COMPARE AND WRITE: 5.3. */
#define ATOMIC_LBA_BYTE    2
#define ATOMIC_BLOCKS_BYTE 12
#define CAW_BLOCKS_BYTE    13
#define RW6_LBA_MASK       0x1fffffu
#define RW6_BLOCKS_0       256

/* Where a CDB of each length has its LBA and its count. */
struct extent_of_cdb {
    uint64_t lba;
    uint32_t blocks;
    uint8_t blocks_byte;
};

static struct extent_of_cdb extent_of(const uint8_t *cdb, const struct cdb_op *op)
{
    switch (op->cdb_bytes) {
    case 6:
        return (struct extent_of_cdb){be24_load(cdb + 1) & RW6_LBA_MASK,
                                      cdb[4] == 0 ? RW6_BLOCKS_0 : cdb[4], 4};
    case 10:
        return (struct extent_of_cdb){be32_load(cdb + 2), be16_load(cdb + 7), 7};
    case 12:
        return (struct extent_of_cdb){be32_load(cdb + 2), be32_load(cdb + 6), 6};
    default:
        return (struct extent_of_cdb){be64_load(cdb + 2), be32_load(cdb + 10), 10};
    }
}

/* No unit is formatted with protection information: SBC-4, 4.21.2.2. */
static int refuse_protection(const uint8_t *cdb, struct sense *sense)
{
    return (cdb[1] & PROTECT_MASK) == 0 ? 0 : sense_set_cdb(sense, 1, PROTECT_BIT);
}

int cdb_rw_decode(const uint8_t *cdb, const struct cdb_op *op, struct cdb_rw *rw,
                  struct sense *sense)
{
    struct extent_of_cdb e = extent_of(cdb, op);
    uint8_t flags = op->cdb_bytes == 6 ? 0 : cdb[1];
    if (op->cdb_bytes != 6 && refuse_protection(cdb, sense) != 0)
        return -EINVAL;
    *rw = (struct cdb_rw){
        .lba = e.lba,
        .blocks = e.blocks,
        .write = op->dir == CDB_DATA_OUT,
        .dpo = (flags & BIT_DPO) != 0,
        .fua = (flags & BIT_FUA) != 0,
        .blocks_byte = e.blocks_byte,
    };
    return 0;
}

/* A write of 16 bytes whose count is not where the others have it. */
static int decode_write(const uint8_t *cdb, uint32_t blocks, uint8_t blocks_byte,
                        struct cdb_rw *rw, struct sense *sense)
{
    if (refuse_protection(cdb, sense) != 0)
        return -EINVAL;
    *rw = (struct cdb_rw){
        .lba = be64_load(cdb + ATOMIC_LBA_BYTE),
        .blocks = blocks,
        .write = true,
        .dpo = (cdb[1] & BIT_DPO) != 0,
        .fua = (cdb[1] & BIT_FUA) != 0,
        .blocks_byte = blocks_byte,
    };
    return 0;
}

int cdb_caw_decode(const uint8_t *cdb, struct cdb_rw *rw, struct sense *sense)
{
    return decode_write(cdb, cdb[CAW_BLOCKS_BYTE], CAW_BLOCKS_BYTE, rw, sense);
}

int cdb_write_atomic_decode(const uint8_t *cdb, struct cdb_rw *rw, struct sense *sense)
{
    return decode_write(cdb, be16_load(cdb + ATOMIC_BLOCKS_BYTE), ATOMIC_BLOCKS_BYTE, rw,
                        sense);
}

int cdb_check_atomic(const struct cdb_rw *rw, const struct atomic_limits *limits,
                     struct sense *sense)
{
    if (rw->blocks == 0)
        return 0;
    if (rw->lba % limits->alignment_blocks != 0)
        return sense_set_cdb(sense, ATOMIC_LBA_BYTE, SENSE_NO_BIT);
    if (rw->blocks > limits->blocks_max || rw->blocks % limits->granularity_blocks != 0)
        return sense_set_cdb(sense, rw->blocks_byte, SENSE_NO_BIT);
    return 0;
}

int cdb_verify_decode(const uint8_t *cdb, const struct cdb_op *op, struct cdb_verify *v,
                      struct sense *sense)
{
    struct extent_of_cdb e = extent_of(cdb, op);
    if (refuse_protection(cdb, sense) != 0)
        return -EINVAL;
    *v = (struct cdb_verify){
        .lba = e.lba,
        .blocks = e.blocks,
        .bytchk = cdb[1] >> 1 & 0x3,
        .blocks_byte = e.blocks_byte,
    };
    bool reserved = v->bytchk == 2 || (v->bytchk == 3 && op->changes_medium);
    return reserved ? sense_set_cdb(sense, 1, 2) : 0;
}

void cdb_cache_decode(const uint8_t *cdb, const struct cdb_op *op,
                      struct cdb_cache *cache)
{
    struct extent_of_cdb e = extent_of(cdb, op);
    *cache = (struct cdb_cache){
        .lba = e.lba,
        .blocks = e.blocks,
        .immed = (cdb[1] & BIT_IMMED) != 0,
    };
}

int cdb_write_same_decode(const uint8_t *cdb, const struct cdb_op *op,
                          struct cdb_write_same *ws, struct sense *sense)
{
    struct extent_of_cdb e = extent_of(cdb, op);
    if (refuse_protection(cdb, sense) != 0)
        return -EINVAL;
    if ((cdb[1] & BIT_ANCHOR) != 0)
        return sense_set_cdb(sense, 1, 4);
    *ws = (struct cdb_write_same){
        .lba = e.lba,
        .blocks = e.blocks,
        .unmap = (cdb[1] & BIT_UNMAP) != 0,
        .ndob = op->id == CDB_WRITE_SAME_16 && (cdb[1] & BIT_NDOB) != 0,
        .blocks_byte = e.blocks_byte,
    };
    return 0;
}

int cdb_unmap_decode(const uint8_t *cdb, struct cdb_unmap *unmap, struct sense *sense)
{
    if ((cdb[1] & BIT_CDB_ANCHOR) != 0)
        return sense_set_cdb(sense, 1, 0);
    *unmap = (struct cdb_unmap){.list_bytes = be16_load(cdb + 7)};
    return 0;
}

struct unmap_header_wire {
    be16 data_bytes, descriptor_bytes;
    be32 reserved4;
};
static_assert(sizeof(struct unmap_header_wire) == 8, "SBC-4, 5.28.2");

struct unmap_range_wire {
    be64 lba;
    be32 blocks, reserved12;
};
static_assert(sizeof(struct unmap_range_wire) == 16, "SBC-4, 5.28.2");

/* Counts and ranges of all descriptors, before any of them is acted on. */
static int check_ranges(const struct unmap_list *list, const struct unmap_limits *limits,
                        struct sense *sense)
{
    struct unmap_list walk = *list;
    struct unmap_range range;
    uint64_t total = 0;
    if (limits->descriptors_max != 0 && list->left > limits->descriptors_max)
        return sense_set_param(sense, 2, SENSE_NO_BIT);
    while (unmap_list_next(&walk, &range)) {
        int rc = cdb_check_range(range.lba, range.blocks, limits->capacity_blocks, sense);
        if (rc != 0)
            return rc;
        total += range.blocks;
        unsigned done = list->left - walk.left;
        if (limits->blocks_max != 0 && total > limits->blocks_max)
            return sense_set_param(sense, done * 16, SENSE_NO_BIT);
    }
    return 0;
}

int unmap_list_init(struct unmap_list *list, const uint8_t *data, size_t list_bytes,
                    const struct unmap_limits *limits, struct sense *sense)
{
    struct unmap_header_wire head;
    *list = (struct unmap_list){.left = 0};
    if (list_bytes == 0)
        return 0;
    if (list_bytes < sizeof(head))
        return sense_set(sense, SENSE_PARAM_LIST_LENGTH);
    memcpy(&head, data, sizeof(head));
    size_t bytes = be16_get(head.descriptor_bytes);
    if (bytes > list_bytes - sizeof(head))
        return sense_set(sense, SENSE_PARAM_LIST_LENGTH);
    /* What is left of a whole descriptor is ignored: SBC-4, 5.28.2. */
    list->at = data + sizeof(head);
    list->left = (unsigned)(bytes / sizeof(struct unmap_range_wire));
    return check_ranges(list, limits, sense);
}

bool unmap_list_next(struct unmap_list *list, struct unmap_range *range)
{
    struct unmap_range_wire w;
    if (list->left == 0)
        return false;
    memcpy(&w, list->at, sizeof(w));
    *range = (struct unmap_range){.lba = be64_get(w.lba), .blocks = be32_get(w.blocks)};
    list->at += sizeof(w);
    list->left--;
    return true;
}

int cdb_check_range(uint64_t lba, uint64_t blocks, uint64_t capacity_blocks,
                    struct sense *sense)
{
    if (range_fits_u64(lba, blocks, capacity_blocks))
        return 0;
    uint64_t first_bad = lba > capacity_blocks ? lba : capacity_blocks;
    return sense_set_info(sense, SENSE_LBA_RANGE, first_bad);
}
