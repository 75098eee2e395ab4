/* SPDX-License-Identifier: Apache-2.0 */
/* INQUIRY, and what a unit says of itself (its identity, its limits) for every command
 * that tells some of it. On the reactor's thread. */
#include "proto/inquiry.h"

#include "target/exec_ops.h"
#include "target/target.h"

#include <assert.h>
#include <string.h>

static_assert(TARGET_PORTAL_MAX <= LU_PORT_MAX, "VPD 88h fits its buffer");

/* "0.1.0" is told as "0.1": a product revision has four characters. */
static void revision_of_version(char revision[5])
{
    const char *version = ASHLAR_VERSION;
    size_t at = 0;
    unsigned dots = 0;
    for (; at < 4 && version[at] != '\0'; at++) {
        dots += version[at] == '.';
        if (dots == 2)
            break;
        revision[at] = version[at];
    }
    revision[at] = '\0';
}

/* The limits of one command, in blocks of this size. */
static void ident_limits(struct lu_ident *ident, uint8_t shift)
{
    ident->transfer_blocks_max = EXEC_TRANSFER_BYTES_MAX >> shift;
    ident->transfer_blocks_optimal = EXEC_TRANSFER_BYTES_OPTIMAL >> shift;
    ident->granularity_blocks = (uint16_t)(BLOCK_BYTES >> shift);
    ident->unmap_blocks_max = EXEC_UNMAP_BLOCKS_MAX;
    ident->unmap_descriptors_max = EXEC_UNMAP_DESCRIPTORS_MAX;
    ident->unmap_granularity_blocks = EXTENT_BYTES >> shift;
    ident->threshold_exponent = (uint8_t)(EXEC_THRESHOLD_SHIFT - shift);
    ident->write_same_blocks_max = EXEC_SAME_BLOCKS_MAX;
    ident->caw_blocks_max = EXEC_CAW_BLOCKS_MAX;
    ident->atomic_blocks_max = EXEC_ATOMIC_BYTES_MAX >> shift;
    ident->atomic_grain_blocks = BLOCK_BYTES >> shift;
}

void exec_ident(const struct task *t, char revision[5], struct lu_ident *ident)
{
    const struct lu *lu = t->lu;
    revision_of_version(revision);
    *ident = (struct lu_ident){
        .serial = volume_serial(lu->volume),
        .revision = revision,
        .blocks = lu_block_count(lu),
        .block_bytes = lu_block_bytes(lu),
        .physical_exponent = lu->physical_exponent,
        .thin = true,
        .read_only = lu->read_only,
        .target_name = t->nexus->target_name,
        .portal_group_tag = t->nexus->portal_group_tag,
        /* A portal group is a target port (RFC 7143, 4.4.1), and a target port group of
         * its own: its tag numbers both. */
        .relative_port = t->nexus->portal_group_tag,
        .port_group = t->nexus->portal_group_tag,
        .port_tags = t->nexus->port_tags,
        .port_count = t->nexus->port_count,
    };
    memcpy(ident->naa, volume_naa(lu->volume), sizeof(ident->naa));
    ident_limits(ident, lu->block_shift);
}

enum exec_result exec_inquiry(struct task *t)
{
    struct cdb_inquiry inq;
    struct lu_ident ident;
    struct wire w;
    char revision[5];
    if (cdb_inquiry_decode(t->cdb, &inq, &t->sense) != 0)
        return exec_check(t);
    if (t->lu != NULL)
        exec_ident(t, revision, &ident);
    const struct lu_ident *lu = t->lu != NULL ? &ident : NULL;
    exec_reply_init(t, inq.alloc_bytes, &w);
    if (!inq.evpd)
        inquiry_encode(lu, &w);
    else if (vpd_encode(lu, inq.page, &w, &t->sense) != 0)
        return exec_check(t);
    return exec_reply(t, &w);
}
