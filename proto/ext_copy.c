/* SPDX-License-Identifier: Apache-2.0 */
/* Reads EXTENDED COPY's parameter list: SPC-4, 6.4. Pure; any thread. */
#include "proto/ext_copy.h"

#include "base/be.h"

#include <errno.h>
#include <string.h>

/* The header's second byte. */
#define HEADER_RESERVED 0xc0
#define USAGE_SHIFT     3
#define USAGE_MASK      0x03
#define USAGE_HOLDS     0x00
#define USAGE_RESERVED  0x01
#define USAGE_NO_ID     0x03

/* LID4's. */
#define LIST_FORMAT       0x01
#define HEADER_CSCD_TYPE  0xff
#define HEADER_CSCD_BYTES 0x20
#define BIT_IMMED         0x01
#define IMMED_RESERVED    0xfe /* of the same byte; G_SENSE too: no sense with GOOD */

/* A unit's descriptor. */
#define BIT_NUL         0x20
#define TYPE_MASK       0x1f
#define CODE_SET_MASK   0x0f
#define CODE_SET_BINARY 0x01
#define OF_UNIT_NAA     0x03 /* association 00b, designator type 3 */
#define DESIGNATOR_MASK 0x3f
#define DESIGNATOR_MAX  20U

/* A segment's. */
#define BIT_DC           0x02
#define SEGMENT_RESERVED 0xfc
#define SEGMENT_TAIL     0x0018 /* DESCRIPTOR LENGTH */

/* What a header says, and where. */
struct list_parts {
    uint32_t cscd_bytes, segment_bytes, inline_bytes;
    uint16_t cscd_length_at, segment_length_at; /* in the list */
    uint32_t descriptors_at;
};

static int check_usage(struct ext_copy_list *list, const uint8_t *data,
                       struct sense *sense, unsigned id_at)
{
    unsigned usage = data[1] >> USAGE_SHIFT & USAGE_MASK;
    if ((data[1] & HEADER_RESERVED) != 0)
        return sense_set_param(sense, 1, 31 - __builtin_clz(data[1] & HEADER_RESERVED));
    if (usage == USAGE_RESERVED)
        return sense_set_param(sense, 1, USAGE_SHIFT + 1);
    list->has_id = usage != USAGE_NO_ID;
    list->keeps_results = usage == USAGE_HOLDS;
    if (!list->has_id && list->id != 0)
        return sense_set_param(sense, id_at, SENSE_NO_BIT);
    return 0;
}

static int read_header(struct ext_copy_list *list, const uint8_t *data,
                       struct list_parts *parts, struct sense *sense)
{
    *parts = (struct list_parts){
        .cscd_bytes = be16_load(data + 2),
        .segment_bytes = be32_load(data + 8),
        .inline_bytes = be32_load(data + 12),
        .cscd_length_at = 2,
        .segment_length_at = 8,
        .descriptors_at = EXT_COPY_HEADER_BYTES,
    };
    list->id = data[0];
    return check_usage(list, data, sense, 0);
}

static int read_lid4_header(struct ext_copy_list *list, const uint8_t *data,
                            struct list_parts *parts, struct sense *sense)
{
    *parts = (struct list_parts){
        .cscd_bytes = be16_load(data + 42),
        .segment_bytes = be16_load(data + 44),
        .inline_bytes = be16_load(data + 46),
        .cscd_length_at = 42,
        .segment_length_at = 44,
        .descriptors_at = EXT_COPY_LID4_HEADER_BYTES,
    };
    list->id = be32_load(data + 20);
    list->immed = (data[15] & BIT_IMMED) != 0;
    if (data[0] != LIST_FORMAT)
        return sense_set_param(sense, 0, SENSE_NO_BIT);
    if (be16_load(data + 2) != HEADER_CSCD_BYTES)
        return sense_set_param(sense, 2, SENSE_NO_BIT);
    unsigned unknown = data[15] & IMMED_RESERVED;
    if (unknown != 0)
        return sense_set_param(sense, 15, 31 - __builtin_clz(unknown));
    if (data[16] != HEADER_CSCD_TYPE)
        return sense_set_param(sense, 16, SENSE_NO_BIT);
    return check_usage(list, data, sense, 20);
}

/* Lengths first: what is longer than is told to be possible is refused as that. */
static int check_parts(const struct list_parts *parts, size_t bytes, struct sense *sense)
{
    uint64_t descriptors = (uint64_t)parts->cscd_bytes + parts->segment_bytes;
    if (descriptors > EXT_COPY_LIST_BYTES_MAX ||
        parts->descriptors_at + descriptors > bytes)
        return sense_set(sense, SENSE_PARAM_LIST_LENGTH);
    if (parts->inline_bytes > 0)
        return sense_set(sense, SENSE_INLINE_LENGTH);
    if (parts->cscd_bytes % EXT_COPY_CSCD_BYTES != 0)
        return sense_set_param(sense, parts->cscd_length_at, SENSE_NO_BIT);
    return 0;
}

/* LU ID TYPE is for other kinds of descriptors. A null device is none that we could copy
 * from or to. */
static int read_cscd(struct ext_copy_cscd *cscd, const uint8_t *d, unsigned at,
                     struct sense *sense)
{
    uint8_t length = d[7];
    if (d[0] != EXT_COPY_CSCD_TYPE)
        return sense_set(sense, SENSE_CSCD_TYPE);
    if ((d[1] & BIT_NUL) != 0)
        return sense_set_param(sense, at + 1, 5);
    if (length > DESIGNATOR_MAX)
        return sense_set_param(sense, at + 7, SENSE_NO_BIT);
    *cscd = (struct ext_copy_cscd){
        .is_naa = (d[4] & CODE_SET_MASK) == CODE_SET_BINARY &&
                  (d[5] & DESIGNATOR_MASK) == OF_UNIT_NAA && length == LU_NAA_BYTES,
        .device_type = d[1] & TYPE_MASK,
        .block_bytes = be24_load(d + 29),
    };
    memcpy(cscd->naa, d + 8, sizeof(cscd->naa));
    return 0;
}

static int read_cscds(struct ext_copy_list *list, const uint8_t *data,
                      const struct list_parts *parts, struct sense *sense)
{
    for (uint32_t at = 0; at < parts->cscd_bytes; at += EXT_COPY_CSCD_BYTES) {
        unsigned list_at = parts->descriptors_at + at;
        if (list->cscd_count == EXT_COPY_CSCDS_MAX)
            return sense_set(sense, SENSE_TOO_MANY_CSCDS);
        if (read_cscd(&list->cscds[list->cscd_count], data + list_at, list_at, sense) !=
            0)
            return -EINVAL;
        list->cscd_count++;
    }
    return 0;
}

/* CAT and PAD are for segments that end inside a block, which are refused. */
static int read_segment(struct ext_copy_segment *segment, const uint8_t *d, unsigned at,
                        struct sense *sense)
{
    unsigned unknown = d[1] & SEGMENT_RESERVED;
    if (unknown != 0)
        return sense_set_param(sense, at + 1, 31 - __builtin_clz(unknown));
    if (be16_load(d + 2) != SEGMENT_TAIL)
        return sense_set_param(sense, at + 2, SENSE_NO_BIT);
    *segment = (struct ext_copy_segment){
        .from = be16_load(d + EXT_COPY_SEGMENT_FROM_BYTE),
        .to = be16_load(d + EXT_COPY_SEGMENT_TO_BYTE),
        .counts_target = (d[1] & BIT_DC) != 0,
        .blocks = be16_load(d + EXT_COPY_SEGMENT_BLOCKS_BYTE),
        .from_lba = be64_load(d + EXT_COPY_SEGMENT_FROM_LBA_BYTE),
        .to_lba = be64_load(d + EXT_COPY_SEGMENT_TO_LBA_BYTE),
    };
    return 0;
}

static int read_segments(struct ext_copy_list *list, const uint8_t *data,
                         const struct list_parts *parts, struct sense *sense)
{
    uint32_t begin = parts->descriptors_at + parts->cscd_bytes;
    for (uint32_t at = 0; at < parts->segment_bytes; at += EXT_COPY_SEGMENT_BYTES) {
        const uint8_t *d = data + begin + at;
        if (d[0] != EXT_COPY_SEGMENT_TYPE)
            return sense_set(sense, SENSE_SEGMENT_TYPE);
        if (list->segment_count == EXT_COPY_SEGMENTS_MAX)
            return sense_set(sense, SENSE_TOO_MANY_SEGMENTS);
        if (parts->segment_bytes - at < EXT_COPY_SEGMENT_BYTES)
            return sense_set_param(sense, parts->segment_length_at, SENSE_NO_BIT);
        if (read_segment(&list->segments[list->segment_count], d, begin + at, sense) != 0)
            return -EINVAL;
        list->segment_count++;
    }
    return 0;
}

int ext_copy_decode(struct ext_copy_list *list, const uint8_t *data, size_t bytes,
                    bool lid4, struct sense *sense)
{
    struct list_parts parts;
    memset(list, 0, sizeof(*list));
    if (bytes < (lid4 ? EXT_COPY_LID4_HEADER_BYTES : EXT_COPY_HEADER_BYTES))
        return sense_set(sense, SENSE_PARAM_LIST_LENGTH);
    int rc = lid4 ? read_lid4_header(list, data, &parts, sense)
                  : read_header(list, data, &parts, sense);
    if (rc == 0)
        rc = check_parts(&parts, bytes, sense);
    if (rc == 0)
        rc = read_cscds(list, data, &parts, sense);
    return rc == 0 ? read_segments(list, data, &parts, sense) : rc;
}
