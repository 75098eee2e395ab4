/* SPDX-License-Identifier: Apache-2.0 */
/* Log pages (SPC-5, 7.3; SBC-4, 6.4): 00h and 00h/FFh (what there is), 0Ch (logical block
 * provisioning), 0Dh (temperature), 19h (general statistics and performance). Nothing in
 * them can be set, and nothing is saved.
 * Output as in inquiry.h: a struct wire limited to the allocation length. Pure; any
 * thread. */
#ifndef PROTO_LOG_H
#define PROTO_LOG_H

#include "base/wire.h"
#include "proto/cdb.h"

#define LOG_PAGE_BYTES_MAX 128 /* any page fits */

/* What the pages tell of a unit, as it is now. */
struct log_figures {
    /* In threshold sets, of which VPD B2 tells the size; told as 2^32 - 1 from there on.
     */
    uint64_t available_sets; /* that any unit of the same pool may take */
    uint64_t used_sets;      /* that this unit alone has */

    /* READ and WRITE of 6, 10, 12 and 16 bytes, since the unit is there. */
    uint64_t read_commands, write_commands;
    uint64_t read_blocks, written_blocks;
    uint64_t read_us, write_us; /* from when they came to their answer, summed up */
};

/* 0 and the page in out, or -EINVAL and *sense: no such page; a pointer beyond its last
 * parameter; a value other than the current one of a page whose parameters have no
 * other. */
int log_sense_encode(const struct log_figures *figures, const struct cdb_log_sense *cdb,
                     struct wire *out, struct sense *sense) MUST_CHECK;

#endif
