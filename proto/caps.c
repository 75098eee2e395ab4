/* SPDX-License-Identifier: Apache-2.0 */
/* READ CAPACITY (SBC-4, 5.20 and 5.21), READ DEFECT DATA, REPORT LUNS, REPORT SUPPORTED
 * OPERATION CODES and TASK MANAGEMENT FUNCTIONS (SPC-5, 6.33, 6.35 and 6.36). Pure; any
 * thread. */
#include "proto/caps.h"

#include "proto/lun.h"

#define LBPME            0x8000
#define LBPRZ            0x4000
#define LBA_MAPPED       0
#define LBA_DEALLOCATED  1
#define PLISTV           0x10
#define GLISTV           0x08
#define SELECT_WELLKNOWN 1
#define SERVACTV         0x01 /* in a descriptor of all */
#define CTDP             0x02 /* in a descriptor of all */
#define ONE_CTDP         0x80 /* in the answer of one */
#define SUPPORT_NONE     0x01
#define SUPPORT_STANDARD 0x03
#define TIMEOUTS_LENGTH  10
#define TMFS_EXTENDED    16

void read_capacity_10_encode(const struct lu_ident *lu, struct wire *out)
{
    uint64_t last = lu->blocks - 1;
    wire_put_be32(out, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
    wire_put_be32(out, lu->block_bytes);
}

void read_capacity_16_encode(const struct lu_ident *lu, struct wire *out)
{
    wire_put_be64(out, lu->blocks - 1);
    wire_put_be32(out, lu->block_bytes);
    wire_put_u8(out, 0); /* no protection */
    wire_put_u8(out, lu->physical_exponent);
    wire_put_be16(out, lu->thin ? LBPME | LBPRZ : 0);
    wire_put_zeros(out, READ_CAPACITY_16_BYTES - 16);
}

void lba_status_header_encode(uint32_t count, struct wire *out)
{
    wire_put_be32(out, LBA_STATUS_HEADER_BYTES - 4 + count * LBA_STATUS_ENTRY_BYTES);
    wire_put_be32(out, 0);
}

void lba_status_entry_encode(uint64_t lba, uint32_t blocks, bool mapped, struct wire *out)
{
    wire_put_be64(out, lba);
    wire_put_be32(out, blocks);
    wire_put_u8(out, mapped ? LBA_MAPPED : LBA_DEALLOCATED);
    wire_put_zeros(out, 3);
}

/* An empty list is one in any format, so it has the format that was asked for, and lists
 * that were not asked for are not told of: SBC-4, 5.17.2. The generation code is 0, as it
 * never changes. */
void defect_data_encode(const struct cdb_defect_data *cdb, struct wire *out)
{
    wire_put_u8(out, 0);
    wire_put_u8(out, (uint8_t)((cdb->primary ? PLISTV : 0) | (cdb->grown ? GLISTV : 0) |
                               cdb->format));
    wire_put_be16(out, 0); /* (10): the list's length; (12): its generation code */
    if (cdb->twelve)
        wire_put_be32(out, 0);
}

void report_luns_encode(const uint32_t *luns, size_t count, uint8_t select,
                        struct wire *out)
{
    size_t told = select == SELECT_WELLKNOWN ? 0 : count;
    wire_put_be32(out, (uint32_t)(told * 8));
    wire_put_be32(out, 0);
    for (size_t i = 0; i < told; i++)
        wire_put_be64(out, lun_encode(luns[i]));
}

/* The command timeouts descriptor: SPC-5, 6.35.4. No nominal time is told. */
static void put_timeouts(const struct cdb_op *op, struct wire *out)
{
    wire_put_be16(out, TIMEOUTS_LENGTH);
    wire_put_be16(out, 0);
    wire_put_be32(out, 0);
    wire_put_be32(out, op->timeout_s);
}

static void put_all_ops(bool timeouts, struct wire *out)
{
    size_t start = out->at;
    wire_put_be32(out, 0);
    for (size_t i = 0; i < CDB_ID_COUNT; i++) {
        const struct cdb_op *op = &cdb_ops[i];
        wire_put_u8(out, op->opcode);
        wire_put_u8(out, 0);
        wire_put_be16(out, op->service_action);
        wire_put_u8(out, 0);
        wire_put_u8(out, (uint8_t)((timeouts ? CTDP : 0) |
                                   (op->has_service_action ? SERVACTV : 0)));
        wire_put_be16(out, op->cdb_bytes);
        if (timeouts)
            put_timeouts(op, out);
    }
    wire_patch_be32(out, start, (uint32_t)(out->at - (start + 4)));
}

static void put_one_op(const struct cdb_op *op, bool timeouts, struct wire *out)
{
    wire_put_u8(out, 0);
    if (op == NULL) {
        wire_put_u8(out, SUPPORT_NONE);
        wire_put_be16(out, 0);
        return;
    }
    wire_put_u8(out, SUPPORT_STANDARD | (timeouts ? ONE_CTDP : 0));
    wire_put_be16(out, op->cdb_bytes);
    wire_put_bytes(out, op->usage, op->cdb_bytes);
    if (timeouts)
        put_timeouts(op, out);
}

/* The row asked for, NULL if none; *refused if it may not be asked for in this way. */
static const struct cdb_op *asked_op(const struct cdb_report_opcodes *cdb, bool *refused)
{
    bool action_fits = cdb->service_action <= UINT8_MAX;
    const struct cdb_op *op =
        action_fits ? cdb_op_of(cdb->opcode, (uint8_t)cdb->service_action) : NULL;
    const struct cdb_op *any = cdb_op_of(cdb->opcode, 0);
    bool plain = any != NULL && !any->has_service_action;
    bool known = cdb_opcode_exists(cdb->opcode);
    *refused = false;
    switch (cdb->option) {
    case REPORT_OPCODES_ONE:
        *refused = known && !plain;
        return any;
    case REPORT_OPCODES_ONE_SA:
        *refused = plain;
        return op;
    case REPORT_OPCODES_ONE_ANY:
        return plain && cdb->service_action != 0 ? NULL : op;
    case REPORT_OPCODES_ALL:
        break;
    }
    return NULL;
}

int report_opcodes_encode(const struct cdb_report_opcodes *cdb, struct wire *out,
                          struct sense *sense)
{
    if (cdb->option == REPORT_OPCODES_ALL) {
        put_all_ops(cdb->timeouts, out);
        return 0;
    }
    bool refused;
    const struct cdb_op *op = asked_op(cdb, &refused);
    if (refused)
        return sense_set_cdb(sense, 2, 2);
    put_one_op(op, cdb->timeouts, out);
    return 0;
}

void report_tmfs_encode(const struct cdb_report_tmfs *cdb, uint16_t functions,
                        struct wire *out)
{
    wire_put_be16(out, functions);
    wire_put_u8(out, 0);
    wire_put_u8(out, cdb->extended ? TMFS_EXTENDED - 4 : 0);
    if (cdb->extended)
        wire_put_zeros(out, TMFS_EXTENDED - 4);
}
