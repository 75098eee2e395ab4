/* SPDX-License-Identifier: Apache-2.0 */
/* What a target and a unit can do, as data: READ CAPACITY, READ DEFECT DATA, REPORT LUNS,
 * REPORT SUPPORTED OPERATION CODES and TASK MANAGEMENT FUNCTIONS. Output as in inquiry.h:
 * a struct wire limited to the allocation length. Pure; any thread. */
#ifndef PROTO_CAPS_H
#define PROTO_CAPS_H

#include "base/wire.h"
#include "proto/cdb.h"
#include "proto/lu_ident.h"

#define READ_CAPACITY_10_BYTES 8
#define READ_CAPACITY_16_BYTES 32

void read_capacity_10_encode(const struct lu_ident *lu, struct wire *out);
void read_capacity_16_encode(const struct lu_ident *lu, struct wire *out);

/* GET LBA STATUS parameter data (SBC-4, 5.9.2): a header for `count` descriptors, then
 * each. */
#define LBA_STATUS_HEADER_BYTES 8
#define LBA_STATUS_ENTRY_BYTES  16
void lba_status_header_encode(uint32_t count, struct wire *out);
void lba_status_entry_encode(uint64_t lba, uint32_t blocks, bool mapped,
                             struct wire *out);

/* READ DEFECT DATA parameter data (SBC-4, 5.17 and 5.18) of a unit without defects. */
void defect_data_encode(const struct cdb_defect_data *cdb, struct wire *out);

/* luns: the numbers that this host sees, in the order to be told. select 1 (well-known
 * units only) has none. */
void report_luns_encode(const uint32_t *luns, size_t count, uint8_t select,
                        struct wire *out);

/* 0, or -EINVAL and *sense (an opcode asked in a way that it is not). */
int report_opcodes_encode(const struct cdb_report_opcodes *cdb, struct wire *out,
                          struct sense *sense) MUST_CHECK;
/* functions: REPORT_TMF_* bits, as bytes 0 and 1 of the answer have them. */
enum {
    REPORT_TMF_ABORT_TASK = 0x8000,
    REPORT_TMF_ABORT_TASK_SET = 0x4000,
    REPORT_TMF_CLEAR_TASK_SET = 0x1000,
    REPORT_TMF_LU_RESET = 0x0800,
    REPORT_TMF_QUERY_TASK = 0x0400,
    REPORT_TMF_TARGET_RESET = 0x0200,
    REPORT_TMF_QUERY_ASYNC_EVENT = 0x0004,
    REPORT_TMF_QUERY_TASK_SET = 0x0002,
    REPORT_TMF_I_T_NEXUS_RESET = 0x0001,
};
void report_tmfs_encode(const struct cdb_report_tmfs *cdb, uint16_t functions,
                        struct wire *out);

#endif
