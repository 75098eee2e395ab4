/* SPDX-License-Identifier: Apache-2.0 */
/* The parameter list of EXTENDED COPY, in the forms LID1 and LID4 (SPC-4, 6.4 and 6.5):
 * units by their identification descriptors, segments from block device to block device.
 * Everything in it is bounded by the limits below, which RECEIVE COPY OPERATING
 * PARAMETERS and VPD page 8F tell. Pure; any thread. */
#ifndef PROTO_EXT_COPY_H
#define PROTO_EXT_COPY_H

#include "base/auto.h"
#include "proto/lu_ident.h"
#include "proto/sense.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXT_COPY_CSCD_TYPE     0xe4 /* copy source or copy destination: identification */
#define EXT_COPY_SEGMENT_TYPE  0x02 /* block device to block device */
#define EXT_COPY_CSCD_BYTES    32U
#define EXT_COPY_SEGMENT_BYTES 28U

#define EXT_COPY_HEADER_BYTES      16U /* of a list of LID1 */
#define EXT_COPY_LID4_HEADER_BYTES 48U

#define EXT_COPY_CSCDS_MAX    64U
#define EXT_COPY_SEGMENTS_MAX 256U
/* Of all descriptors together. */
#define EXT_COPY_LIST_BYTES_MAX                                                          \
    (EXT_COPY_CSCDS_MAX * EXT_COPY_CSCD_BYTES +                                          \
     EXT_COPY_SEGMENTS_MAX * EXT_COPY_SEGMENT_BYTES)
/* What a segment can have at most: 65,535 blocks of 4 KiB are less. */
#define EXT_COPY_SEGMENT_DATA_MAX (1U << 28)
/* Of one nexus at a time. */
#define EXT_COPY_CONCURRENT_MAX 64U

/* The unit that the command was sent to: SPC-4, 6.4.5.1. */
#define EXT_COPY_CSCD_SELF 0xffffU

struct ext_copy_cscd {
    bool is_naa; /* named by a logical unit's NAA 6 identifier; else by what none has */
    uint8_t naa[LU_NAA_BYTES];
    uint8_t device_type;  /* 0: block device */
    uint32_t block_bytes; /* as the list says; 0: not told */
};

struct ext_copy_segment {
    uint16_t from, to;  /* of cscds, or EXT_COPY_CSCD_SELF; may be beyond those */
    bool counts_target; /* DC: blocks are the target's, else the source's */
    uint16_t blocks;
    uint64_t from_lba, to_lba;
};

struct ext_copy_list {
    uint32_t id;
    bool has_id;
    bool keeps_results; /* LIST ID USAGE 00b: the status can be asked for afterwards */
    bool immed;         /* LID4 */
    uint16_t cscd_count, segment_count;
    struct ext_copy_cscd cscds[EXT_COPY_CSCDS_MAX];
    struct ext_copy_segment segments[EXT_COPY_SEGMENTS_MAX];
};

/* data: the list as received, all of bytes. 0. -EINVAL and *sense: PARAMETER LIST LENGTH
 * ERROR, INVALID FIELD IN PARAMETER LIST that names the byte, too many or unsupported
 * descriptors, inline data. What is wrong with a segment that can be told only when it is
 * its turn (no such unit, no such blocks) is the caller's to find. */
int ext_copy_decode(struct ext_copy_list *list, const uint8_t *data, size_t bytes,
                    bool lid4, struct sense *sense) MUST_CHECK;

/* Where a segment descriptor has what can be wrong with it, for a field pointer. */
#define EXT_COPY_SEGMENT_FROM_BYTE     4
#define EXT_COPY_SEGMENT_TO_BYTE       6
#define EXT_COPY_SEGMENT_BLOCKS_BYTE   10
#define EXT_COPY_SEGMENT_FROM_LBA_BYTE 12
#define EXT_COPY_SEGMENT_TO_LBA_BYTE   20

#endif
