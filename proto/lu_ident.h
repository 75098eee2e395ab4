/* SPDX-License-Identifier: Apache-2.0 */
/* What a logical unit says of itself, as seen through one target port: the input of
 * inquiry.h, vpd.h, mode.h and caps.h. A plain value; strings are borrowed. */
#ifndef PROTO_LU_IDENT_H
#define PROTO_LU_IDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LU_VENDOR     "ASHLAR"
#define LU_PRODUCT    "VIRTUAL-DISK"
#define LU_NAA_BYTES  16
#define LU_SERIAL_MAX 64
#define LU_PORT_MAX   16

struct lu_ident {
    /* Identity. Never changes, never returns on another unit. */
    uint8_t naa[LU_NAA_BYTES]; /* NAA 6, IEEE registered extended */
    const char *serial;        /* printable ASCII, at most LU_SERIAL_MAX */
    const char *revision;      /* 4 characters shown */

    /* Shape. */
    uint64_t blocks;
    uint32_t block_bytes;      /* 512 or 4096 */
    uint8_t physical_exponent; /* a physical block has 2^this blocks: 3 for 512e */
    bool thin;                 /* LBPME: unmapped blocks exist, and read as zeros */
    bool read_only;            /* write protected for this host */

    /* Limits of one command, in blocks; 0: none told. */
    uint32_t transfer_blocks_max, transfer_blocks_optimal;
    uint16_t granularity_blocks; /* optimal transfer length granularity */
    uint32_t unmap_blocks_max, unmap_descriptors_max;
    uint32_t unmap_granularity_blocks; /* optimal; 64 KiB in blocks */
    /* Space is told in threshold sets of 2^this blocks; 0: it is not told. */
    uint8_t threshold_exponent;
    uint64_t write_same_blocks_max;
    uint8_t caw_blocks_max;       /* COMPARE AND WRITE */
    uint32_t atomic_blocks_max;   /* 0: no atomic writes */
    uint32_t atomic_grain_blocks; /* alignment, and granularity of the length */

    /* The port that it is seen through. */
    const char *target_name; /* the iSCSI target's node name */
    uint16_t portal_group_tag;
    uint16_t relative_port; /* relative target port identifier, from 1 */
    uint16_t port_group;    /* target port group */
    /* All target ports that there are, that one among them: their portal groups' tags,
     * which number them too. */
    const uint16_t *port_tags;
    size_t port_count; /* at most LU_PORT_MAX */
};

#endif
