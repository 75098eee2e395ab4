/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that we know, as a table, and how a CDB finds its row. A bit that is 0 in
 * the usage bytes may not be set. Pure; any thread. */
#include "proto/cdb.h"

/* Byte 1 of the media commands. FUA_NV is obsolete and harmless: it is let through. */
#define RW_FLAGS       0xfa /* RDPROTECT or WRPROTECT, DPO, FUA, FUA_NV */
#define ATOMIC_FLAGS   0xf8 /* WRPROTECT, DPO, FUA */
#define VERIFY_FLAGS   0xf6 /* VRPROTECT or WRPROTECT, DPO, BYTCHK */
#define SYNC_FLAGS     0x06 /* SYNC_NV, IMMED */
#define SAME_FLAGS     0xf8 /* WRPROTECT, ANCHOR, UNMAP */
#define GROUP          0x1f
#define SANITIZE_FLAGS 0xa0 /* IMMED, AUSE; ZNR is of zoned disks */
#define GROUPS_FORMAT  0xe0 /* PARAMETER DATA FORMAT */

#define LBA_32 0xff, 0xff, 0xff, 0xff
#define LBA_64 LBA_32, LBA_32
#define LEN_16 0xff, 0xff
#define LEN_32 LEN_16, LEN_16

#define NO_ACTION  false, 0
#define ACTION(no) true, no
#define KEEPS      false
#define CHANGES    true

/* Seconds. The daemon gives a disk 30 s for an I/O unless it is configured otherwise,
 * then answers with an error; what is long may wait for several. */
#define QUICK 10
#define MEDIA 60
#define LONG  180

#define CDB_ROW(id, opcode, action, bytes, dir, medium, class, timeout, name, prepare,   \
                start, reply, ...)                                                       \
    [CDB_##id] = {CDB_##id,                                                              \
                  opcode,                                                                \
                  action,                                                                \
                  bytes,                                                                 \
                  CDB_##dir,                                                             \
                  medium,                                                                \
                  RESERVATION_CLASS_##class,                                             \
                  timeout,                                                               \
                  name,                                                                  \
                  {__VA_ARGS__}},
#define CDB_MORE CDB_ROW
const struct cdb_op cdb_ops[CDB_ID_COUNT] = {
#include "proto/cdb_table.h"
};

/* An opcode's first row in cdb_ops, plus 1; 0: not ours. */
#define CDB_ROW(id, opcode, ...) [opcode] = CDB_##id + 1,
#define CDB_MORE(...)
static const uint8_t first_row[256] = {
#include "proto/cdb_table.h"
};

const struct cdb_op *cdb_op_of(uint8_t opcode, uint8_t service_action)
{
    if (first_row[opcode] == 0)
        return NULL;
    const struct cdb_op *op = &cdb_ops[first_row[opcode] - 1];
    if (!op->has_service_action)
        return op;
    for (; op < cdb_ops + CDB_ID_COUNT && op->opcode == opcode; op++) {
        if (op->service_action == service_action)
            return op;
    }
    return NULL;
}

bool cdb_opcode_exists(uint8_t opcode)
{
    return first_row[opcode] != 0;
}

/* The leftmost bit that is set and may not be, as a field pointer. */
static int check_usage(const uint8_t *cdb, const struct cdb_op *op, struct sense *sense)
{
    for (unsigned i = 1; i < op->cdb_bytes; i++) {
        uint8_t bad = cdb[i] & (uint8_t)~op->usage[i];
        if (i == 1 && op->has_service_action)
            bad &= (uint8_t)~CDB_SERVICE_ACTION;
        if (bad != 0)
            return sense_set_cdb(sense, i, 31 - __builtin_clz(bad));
    }
    return 0;
}

int cdb_find(const uint8_t *cdb, const struct cdb_op **op, struct sense *sense)
{
    if (!cdb_opcode_exists(cdb[0]))
        return sense_set(sense, SENSE_INVALID_OPCODE);
    const struct cdb_op *found = cdb_op_of(cdb[0], cdb[1] & CDB_SERVICE_ACTION);
    if (found == NULL)
        return sense_set_cdb(sense, 1, 4);
    int rc = check_usage(cdb, found, sense);
    if (rc == 0)
        *op = found;
    return rc;
}

#define START   0x01 /* byte 4 of START STOP UNIT; power conditions are refused */
#define PREVENT 0x03 /* and of PREVENT ALLOW MEDIUM REMOVAL */

enum reservation_class cdb_class_of(const uint8_t *cdb, const struct cdb_op *op)
{
    bool starts = op->id == CDB_START_STOP_UNIT && (cdb[4] & START) != 0;
    bool allows = op->id == CDB_PREVENT_ALLOW && (cdb[4] & PREVENT) == 0;
    return starts || allows ? RESERVATION_CLASS_FREE : op->class;
}
