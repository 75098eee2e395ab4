/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that we know, as a table, and how a CDB finds its row. A bit that is 0 in
 * the usage bytes may not be set. Pure; any thread. */
#include "proto/cdb.h"

/* Byte 1 of the media commands. FUA_NV is obsolete and harmless: it is let through. */
#define RW_FLAGS     0xfa /* RDPROTECT or WRPROTECT, DPO, FUA, FUA_NV */
#define VERIFY_FLAGS 0xf6 /* VRPROTECT or WRPROTECT, DPO, BYTCHK */
#define SYNC_FLAGS   0x06 /* SYNC_NV, IMMED */
#define SAME_FLAGS   0xf8 /* WRPROTECT, ANCHOR, UNMAP */
#define GROUP        0x1f

#define LBA_32 0xff, 0xff, 0xff, 0xff
#define LBA_64 LBA_32, LBA_32
#define LEN_16 0xff, 0xff
#define LEN_32 LEN_16, LEN_16

/* clang-format off */
const struct cdb_op cdb_ops[CDB_ID_COUNT] = {
    /* opcode, service action, length, direction, writes, name, usage */
    [CDB_TEST_UNIT_READY] = {CDB_TEST_UNIT_READY, 0x00, false, 0, 6, CDB_NO_DATA, false,
        "TEST UNIT READY", {0x00}},
    [CDB_REQUEST_SENSE] = {CDB_REQUEST_SENSE, 0x03, false, 0, 6, CDB_DATA_IN, false,
        "REQUEST SENSE", {0x03, 0x01, 0, 0, 0xff, 0}},
    [CDB_READ_6] = {CDB_READ_6, 0x08, false, 0, 6, CDB_DATA_IN, false,
        "READ(6)", {0x08, 0x1f, 0xff, 0xff, 0xff, 0}},
    [CDB_WRITE_6] = {CDB_WRITE_6, 0x0a, false, 0, 6, CDB_DATA_OUT, true,
        "WRITE(6)", {0x0a, 0x1f, 0xff, 0xff, 0xff, 0}},
    [CDB_INQUIRY] = {CDB_INQUIRY, 0x12, false, 0, 6, CDB_DATA_IN, false,
        "INQUIRY", {0x12, 0x01, 0xff, LEN_16, 0}},
    [CDB_MODE_SELECT_6] = {CDB_MODE_SELECT_6, 0x15, false, 0, 6, CDB_DATA_OUT, false,
        "MODE SELECT(6)", {0x15, 0x11, 0, 0, 0xff, 0}},
    [CDB_MODE_SENSE_6] = {CDB_MODE_SENSE_6, 0x1a, false, 0, 6, CDB_DATA_IN, false,
        "MODE SENSE(6)", {0x1a, 0x08, 0xff, 0xff, 0xff, 0}},
    [CDB_START_STOP_UNIT] = {CDB_START_STOP_UNIT, 0x1b, false, 0, 6, CDB_NO_DATA, false,
        "START STOP UNIT", {0x1b, 0x01, 0, 0x0f, 0xf7, 0}},
    [CDB_PREVENT_ALLOW] = {CDB_PREVENT_ALLOW, 0x1e, false, 0, 6, CDB_NO_DATA, false,
        "PREVENT ALLOW MEDIUM REMOVAL", {0x1e, 0, 0, 0, 0x03, 0}},
    [CDB_READ_CAPACITY_10] = {CDB_READ_CAPACITY_10, 0x25, false, 0, 10, CDB_DATA_IN, false,
        "READ CAPACITY(10)", {0x25}},
    [CDB_READ_10] = {CDB_READ_10, 0x28, false, 0, 10, CDB_DATA_IN, false,
        "READ(10)", {0x28, RW_FLAGS, LBA_32, GROUP, LEN_16, 0}},
    [CDB_WRITE_10] = {CDB_WRITE_10, 0x2a, false, 0, 10, CDB_DATA_OUT, true,
        "WRITE(10)", {0x2a, RW_FLAGS, LBA_32, GROUP, LEN_16, 0}},
    [CDB_WRITE_VERIFY_10] = {CDB_WRITE_VERIFY_10, 0x2e, false, 0, 10, CDB_DATA_OUT, true,
        "WRITE AND VERIFY(10)", {0x2e, VERIFY_FLAGS, LBA_32, GROUP, LEN_16, 0}},
    [CDB_VERIFY_10] = {CDB_VERIFY_10, 0x2f, false, 0, 10, CDB_DATA_OUT, false,
        "VERIFY(10)", {0x2f, VERIFY_FLAGS, LBA_32, GROUP, LEN_16, 0}},
    [CDB_SYNC_CACHE_10] = {CDB_SYNC_CACHE_10, 0x35, false, 0, 10, CDB_NO_DATA, false,
        "SYNCHRONIZE CACHE(10)", {0x35, SYNC_FLAGS, LBA_32, GROUP, LEN_16, 0}},
    [CDB_WRITE_SAME_10] = {CDB_WRITE_SAME_10, 0x41, false, 0, 10, CDB_DATA_OUT, true,
        "WRITE SAME(10)", {0x41, SAME_FLAGS, LBA_32, GROUP, LEN_16, 0}},
    [CDB_UNMAP] = {CDB_UNMAP, 0x42, false, 0, 10, CDB_DATA_OUT, true,
        "UNMAP", {0x42, 0x01, 0, 0, 0, 0, GROUP, LEN_16, 0}},
    [CDB_MODE_SELECT_10] = {CDB_MODE_SELECT_10, 0x55, false, 0, 10, CDB_DATA_OUT, false,
        "MODE SELECT(10)", {0x55, 0x11, 0, 0, 0, 0, 0, LEN_16, 0}},
    [CDB_MODE_SENSE_10] = {CDB_MODE_SENSE_10, 0x5a, false, 0, 10, CDB_DATA_IN, false,
        "MODE SENSE(10)", {0x5a, 0x18, 0xff, 0xff, 0, 0, 0, LEN_16, 0}},
    [CDB_READ_16] = {CDB_READ_16, 0x88, false, 0, 16, CDB_DATA_IN, false,
        "READ(16)", {0x88, RW_FLAGS, LBA_64, LEN_32, GROUP, 0}},
    [CDB_WRITE_16] = {CDB_WRITE_16, 0x8a, false, 0, 16, CDB_DATA_OUT, true,
        "WRITE(16)", {0x8a, RW_FLAGS, LBA_64, LEN_32, GROUP, 0}},
    [CDB_WRITE_VERIFY_16] = {CDB_WRITE_VERIFY_16, 0x8e, false, 0, 16, CDB_DATA_OUT, true,
        "WRITE AND VERIFY(16)", {0x8e, VERIFY_FLAGS, LBA_64, LEN_32, GROUP, 0}},
    [CDB_VERIFY_16] = {CDB_VERIFY_16, 0x8f, false, 0, 16, CDB_DATA_OUT, false,
        "VERIFY(16)", {0x8f, VERIFY_FLAGS, LBA_64, LEN_32, GROUP, 0}},
    [CDB_SYNC_CACHE_16] = {CDB_SYNC_CACHE_16, 0x91, false, 0, 16, CDB_NO_DATA, false,
        "SYNCHRONIZE CACHE(16)", {0x91, SYNC_FLAGS, LBA_64, LEN_32, GROUP, 0}},
    [CDB_WRITE_SAME_16] = {CDB_WRITE_SAME_16, 0x93, false, 0, 16, CDB_DATA_OUT, true,
        "WRITE SAME(16)", {0x93, SAME_FLAGS | 0x01, LBA_64, LEN_32, GROUP, 0}},
    [CDB_READ_CAPACITY_16] = {CDB_READ_CAPACITY_16, 0x9e, true, 0x10, 16, CDB_DATA_IN, false,
        "READ CAPACITY(16)", {0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, LEN_32, 0, 0}},
    [CDB_GET_LBA_STATUS] = {CDB_GET_LBA_STATUS, 0x9e, true, 0x12, 16, CDB_DATA_IN, false,
        "GET LBA STATUS", {0x9e, 0x12, LBA_64, LEN_32, 0, 0}},
    [CDB_REPORT_LUNS] = {CDB_REPORT_LUNS, 0xa0, false, 0, 12, CDB_DATA_IN, false,
        "REPORT LUNS", {0xa0, 0, 0xff, 0, 0, 0, LEN_32, 0, 0}},
    [CDB_REPORT_OPCODES] = {CDB_REPORT_OPCODES, 0xa3, true, 0x0c, 12, CDB_DATA_IN, false,
        "REPORT SUPPORTED OPERATION CODES", {0xa3, 0x0c, 0x87, 0xff, 0xff, 0xff, LEN_32, 0, 0}},
    [CDB_REPORT_TMFS] = {CDB_REPORT_TMFS, 0xa3, true, 0x0d, 12, CDB_DATA_IN, false,
        "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS", {0xa3, 0x0d, 0x80, 0, 0, 0, LEN_32, 0, 0}},
    [CDB_READ_12] = {CDB_READ_12, 0xa8, false, 0, 12, CDB_DATA_IN, false,
        "READ(12)", {0xa8, RW_FLAGS, LBA_32, LEN_32, GROUP, 0}},
    [CDB_WRITE_12] = {CDB_WRITE_12, 0xaa, false, 0, 12, CDB_DATA_OUT, true,
        "WRITE(12)", {0xaa, RW_FLAGS, LBA_32, LEN_32, GROUP, 0}},
    [CDB_WRITE_VERIFY_12] = {CDB_WRITE_VERIFY_12, 0xae, false, 0, 12, CDB_DATA_OUT, true,
        "WRITE AND VERIFY(12)", {0xae, VERIFY_FLAGS, LBA_32, LEN_32, GROUP, 0}},
    [CDB_VERIFY_12] = {CDB_VERIFY_12, 0xaf, false, 0, 12, CDB_DATA_OUT, false,
        "VERIFY(12)", {0xaf, VERIFY_FLAGS, LBA_32, LEN_32, GROUP, 0}},
};
/* clang-format on */

/* An opcode's first row in cdb_ops, plus 1; 0: not ours. */
static const uint8_t first_row[256] = {
    [0x00] = CDB_TEST_UNIT_READY + 1, [0x03] = CDB_REQUEST_SENSE + 1,
    [0x08] = CDB_READ_6 + 1,          [0x0a] = CDB_WRITE_6 + 1,
    [0x12] = CDB_INQUIRY + 1,         [0x15] = CDB_MODE_SELECT_6 + 1,
    [0x1a] = CDB_MODE_SENSE_6 + 1,    [0x1b] = CDB_START_STOP_UNIT + 1,
    [0x1e] = CDB_PREVENT_ALLOW + 1,   [0x25] = CDB_READ_CAPACITY_10 + 1,
    [0x28] = CDB_READ_10 + 1,         [0x2a] = CDB_WRITE_10 + 1,
    [0x2e] = CDB_WRITE_VERIFY_10 + 1, [0x2f] = CDB_VERIFY_10 + 1,
    [0x35] = CDB_SYNC_CACHE_10 + 1,   [0x41] = CDB_WRITE_SAME_10 + 1,
    [0x42] = CDB_UNMAP + 1,           [0x55] = CDB_MODE_SELECT_10 + 1,
    [0x5a] = CDB_MODE_SENSE_10 + 1,   [0x88] = CDB_READ_16 + 1,
    [0x8a] = CDB_WRITE_16 + 1,        [0x8e] = CDB_WRITE_VERIFY_16 + 1,
    [0x8f] = CDB_VERIFY_16 + 1,       [0x91] = CDB_SYNC_CACHE_16 + 1,
    [0x93] = CDB_WRITE_SAME_16 + 1,   [0x9e] = CDB_READ_CAPACITY_16 + 1,
    [0xa0] = CDB_REPORT_LUNS + 1,     [0xa3] = CDB_REPORT_OPCODES + 1,
    [0xa8] = CDB_READ_12 + 1,         [0xaa] = CDB_WRITE_12 + 1,
    [0xae] = CDB_WRITE_VERIFY_12 + 1, [0xaf] = CDB_VERIFY_12 + 1,
};

#define SERVICE_ACTION_BITS 0x1f

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
            bad &= (uint8_t)~SERVICE_ACTION_BITS;
        if (bad != 0)
            return sense_set_cdb(sense, i, 31 - __builtin_clz(bad));
    }
    return 0;
}

int cdb_find(const uint8_t *cdb, const struct cdb_op **op, struct sense *sense)
{
    if (!cdb_opcode_exists(cdb[0]))
        return sense_set(sense, SENSE_INVALID_OPCODE);
    const struct cdb_op *found = cdb_op_of(cdb[0], cdb[1] & SERVICE_ACTION_BITS);
    if (found == NULL)
        return sense_set_cdb(sense, 1, 4);
    int rc = check_usage(cdb, found, sense);
    if (rc == 0)
        *op = found;
    return rc;
}
