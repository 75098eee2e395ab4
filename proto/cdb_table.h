/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that we know, a row each, in the order of opcode and service action: what
 * a CDB is checked against, what REPORT SUPPORTED OPERATION CODES tells, what is run.
 * No header: who includes it says before what a row is to it.
 *
 * CDB_ROW(id, opcode, service action, CDB bytes, data, medium, timeout, name,
 *         prepare, start, bytes of a reply that is built in start,
 *         usage of each byte of the CDB: SPC-5, 6.35)
 * CDB_MORE: the same, of another service action of the row before.
 * data: NO_DATA, DATA_IN, DATA_OUT; VERIFY: DATA_OUT, but none with BYTCHK 0. medium:
 * CHANGES what a read-only unit refuses, else KEEPS. timeout: QUICK, MEDIA, LONG, how
 * long an initiator should wait. prepare, start: target/exec_ops.h. A bit that is 0 in
 * usage may not be set. */

/* clang-format off */
CDB_ROW(TEST_UNIT_READY, 0x00, NO_ACTION, 6, NO_DATA, KEEPS, QUICK, "TEST UNIT READY",
        exec_test_unit_ready, NULL, 0,
        0x00)
CDB_ROW(REQUEST_SENSE, 0x03, NO_ACTION, 6, DATA_IN, KEEPS, QUICK, "REQUEST SENSE",
        NULL, exec_request_sense, REPLY_BYTES,
        0x03, 0x01, 0, 0, 0xff, 0)
CDB_ROW(READ_6, 0x08, NO_ACTION, 6, DATA_IN, KEEPS, MEDIA, "READ(6)",
        exec_rw_prepare, exec_rw, 0,
        0x08, 0x1f, 0xff, 0xff, 0xff, 0)
CDB_ROW(WRITE_6, 0x0a, NO_ACTION, 6, DATA_OUT, CHANGES, MEDIA, "WRITE(6)",
        exec_rw_prepare, exec_rw, 0,
        0x0a, 0x1f, 0xff, 0xff, 0xff, 0)
CDB_ROW(INQUIRY, 0x12, NO_ACTION, 6, DATA_IN, KEEPS, QUICK, "INQUIRY",
        NULL, exec_inquiry, REPLY_PORTS_BYTES,
        0x12, 0x01, 0xff, LEN_16, 0)
CDB_ROW(MODE_SELECT_6, 0x15, NO_ACTION, 6, DATA_OUT, KEEPS, QUICK, "MODE SELECT(6)",
        exec_mode_select_prepare, exec_mode_select, 0,
        0x15, 0x11, 0, 0, 0xff, 0)
CDB_ROW(MODE_SENSE_6, 0x1a, NO_ACTION, 6, DATA_IN, KEEPS, QUICK, "MODE SENSE(6)",
        NULL, exec_mode_sense, REPLY_BYTES,
        0x1a, 0x08, 0xff, 0xff, 0xff, 0)
CDB_ROW(START_STOP_UNIT, 0x1b, NO_ACTION, 6, NO_DATA, KEEPS, LONG, "START STOP UNIT",
        exec_start_stop_prepare, exec_flush, 0,
        0x1b, 0x01, 0, 0x0f, 0xf7, 0)
CDB_ROW(PREVENT_ALLOW, 0x1e, NO_ACTION, 6, NO_DATA, KEEPS, QUICK, "PREVENT ALLOW MEDIUM REMOVAL",
        exec_prevent_allow, NULL, 0,
        0x1e, 0, 0, 0, 0x03, 0)
CDB_ROW(READ_CAPACITY_10, 0x25, NO_ACTION, 10, DATA_IN, KEEPS, QUICK, "READ CAPACITY(10)",
        NULL, exec_read_capacity, REPLY_BYTES,
        0x25)
CDB_ROW(READ_10, 0x28, NO_ACTION, 10, DATA_IN, KEEPS, MEDIA, "READ(10)",
        exec_rw_prepare, exec_rw, 0,
        0x28, RW_FLAGS, LBA_32, GROUP, LEN_16, 0)
CDB_ROW(WRITE_10, 0x2a, NO_ACTION, 10, DATA_OUT, CHANGES, MEDIA, "WRITE(10)",
        exec_rw_prepare, exec_rw, 0,
        0x2a, RW_FLAGS, LBA_32, GROUP, LEN_16, 0)
CDB_ROW(WRITE_VERIFY_10, 0x2e, NO_ACTION, 10, DATA_OUT, CHANGES, MEDIA, "WRITE AND VERIFY(10)",
        exec_write_verify_prepare, exec_write_verify, 0,
        0x2e, VERIFY_FLAGS, LBA_32, GROUP, LEN_16, 0)
CDB_ROW(VERIFY_10, 0x2f, NO_ACTION, 10, DATA_OUT, KEEPS, MEDIA, "VERIFY(10)",
        exec_verify_prepare, exec_verify, 0,
        0x2f, VERIFY_FLAGS, LBA_32, GROUP, LEN_16, 0)
CDB_ROW(PREFETCH_10, 0x34, NO_ACTION, 10, NO_DATA, KEEPS, MEDIA, "PRE-FETCH(10)",
        exec_prefetch, NULL, 0,
        0x34, 0x02, LBA_32, GROUP, LEN_16, 0)
CDB_ROW(SYNC_CACHE_10, 0x35, NO_ACTION, 10, NO_DATA, KEEPS, LONG, "SYNCHRONIZE CACHE(10)",
        exec_sync_prepare, exec_flush, 0,
        0x35, SYNC_FLAGS, LBA_32, GROUP, LEN_16, 0)
CDB_ROW(READ_DEFECT_DATA_10, 0x37, NO_ACTION, 10, DATA_IN, KEEPS, QUICK, "READ DEFECT DATA(10)",
        NULL, exec_defect_data, REPLY_BYTES,
        0x37, 0, 0x1f, 0, 0, 0, 0, LEN_16, 0)
CDB_ROW(WRITE_SAME_10, 0x41, NO_ACTION, 10, DATA_OUT, CHANGES, LONG, "WRITE SAME(10)",
        exec_write_same_prepare, exec_write_same, 0,
        0x41, SAME_FLAGS, LBA_32, GROUP, LEN_16, 0)
CDB_ROW(UNMAP, 0x42, NO_ACTION, 10, DATA_OUT, CHANGES, LONG, "UNMAP",
        exec_unmap_prepare, exec_unmap, 0,
        0x42, 0x01, 0, 0, 0, 0, GROUP, LEN_16, 0)
CDB_ROW(SANITIZE_OVERWRITE, 0x48, ACTION(0x01), 10, DATA_OUT, CHANGES, LONG, "SANITIZE OVERWRITE",
        exec_sanitize_prepare, exec_sanitize, 0,
        0x48, SANITIZE_FLAGS | 0x01, 0, 0, 0, 0, 0, LEN_16, 0)
CDB_MORE(SANITIZE_ERASE, 0x48, ACTION(0x02), 10, NO_DATA, CHANGES, LONG, "SANITIZE BLOCK ERASE",
        exec_sanitize_prepare, exec_sanitize, 0,
        0x48, SANITIZE_FLAGS | 0x02, 0, 0, 0, 0, 0, 0, 0, 0)
CDB_MORE(SANITIZE_EXIT, 0x48, ACTION(0x1f), 10, NO_DATA, CHANGES, QUICK, "SANITIZE EXIT FAILURE MODE",
        exec_sanitize_prepare, exec_sanitize, 0,
        0x48, SANITIZE_FLAGS | 0x1f, 0, 0, 0, 0, 0, 0, 0, 0)
CDB_ROW(LOG_SENSE, 0x4d, NO_ACTION, 10, DATA_IN, KEEPS, QUICK, "LOG SENSE",
        NULL, exec_log_sense, REPLY_BYTES,
        0x4d, 0, 0xff, 0xff, 0, LEN_16, LEN_16, 0)
CDB_ROW(MODE_SELECT_10, 0x55, NO_ACTION, 10, DATA_OUT, KEEPS, QUICK, "MODE SELECT(10)",
        exec_mode_select_prepare, exec_mode_select, 0,
        0x55, 0x11, 0, 0, 0, 0, 0, LEN_16, 0)
CDB_ROW(MODE_SENSE_10, 0x5a, NO_ACTION, 10, DATA_IN, KEEPS, QUICK, "MODE SENSE(10)",
        NULL, exec_mode_sense, REPLY_BYTES,
        0x5a, 0x18, 0xff, 0xff, 0, 0, 0, LEN_16, 0)
CDB_ROW(READ_16, 0x88, NO_ACTION, 16, DATA_IN, KEEPS, MEDIA, "READ(16)",
        exec_rw_prepare, exec_rw, 0,
        0x88, RW_FLAGS, LBA_64, LEN_32, GROUP, 0)
CDB_ROW(WRITE_16, 0x8a, NO_ACTION, 16, DATA_OUT, CHANGES, MEDIA, "WRITE(16)",
        exec_rw_prepare, exec_rw, 0,
        0x8a, RW_FLAGS, LBA_64, LEN_32, GROUP, 0)
CDB_ROW(ORWRITE_16, 0x8b, NO_ACTION, 16, DATA_OUT, CHANGES, MEDIA, "ORWRITE(16)",
        exec_orwrite_prepare, exec_rw, 0,
        0x8b, RW_FLAGS, LBA_64, LEN_32, GROUP, 0)
CDB_ROW(WRITE_VERIFY_16, 0x8e, NO_ACTION, 16, DATA_OUT, CHANGES, MEDIA, "WRITE AND VERIFY(16)",
        exec_write_verify_prepare, exec_write_verify, 0,
        0x8e, VERIFY_FLAGS, LBA_64, LEN_32, GROUP, 0)
CDB_ROW(VERIFY_16, 0x8f, NO_ACTION, 16, DATA_OUT, KEEPS, MEDIA, "VERIFY(16)",
        exec_verify_prepare, exec_verify, 0,
        0x8f, VERIFY_FLAGS, LBA_64, LEN_32, GROUP, 0)
CDB_ROW(PREFETCH_16, 0x90, NO_ACTION, 16, NO_DATA, KEEPS, MEDIA, "PRE-FETCH(16)",
        exec_prefetch, NULL, 0,
        0x90, 0x02, LBA_64, LEN_32, GROUP, 0)
CDB_ROW(SYNC_CACHE_16, 0x91, NO_ACTION, 16, NO_DATA, KEEPS, LONG, "SYNCHRONIZE CACHE(16)",
        exec_sync_prepare, exec_flush, 0,
        0x91, SYNC_FLAGS, LBA_64, LEN_32, GROUP, 0)
CDB_ROW(WRITE_SAME_16, 0x93, NO_ACTION, 16, DATA_OUT, CHANGES, LONG, "WRITE SAME(16)",
        exec_write_same_prepare, exec_write_same, 0,
        0x93, SAME_FLAGS | 0x01, LBA_64, LEN_32, GROUP, 0)
CDB_ROW(WRITE_ATOMIC_16, 0x9c, NO_ACTION, 16, DATA_OUT, CHANGES, MEDIA, "WRITE ATOMIC(16)",
        exec_write_atomic_prepare, exec_rw, 0,
        0x9c, ATOMIC_FLAGS, LBA_64, 0, 0, LEN_16, GROUP, 0)
CDB_ROW(READ_CAPACITY_16, 0x9e, ACTION(0x10), 16, DATA_IN, KEEPS, QUICK, "READ CAPACITY(16)",
        NULL, exec_read_capacity, REPLY_BYTES,
        0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, LEN_32, 0, 0)
CDB_MORE(GET_LBA_STATUS, 0x9e, ACTION(0x12), 16, DATA_IN, KEEPS, MEDIA, "GET LBA STATUS",
        exec_lba_status_prepare, exec_lba_status, 0,
        0x9e, 0x12, LBA_64, LEN_32, 0, 0)
CDB_ROW(REPORT_LUNS, 0xa0, NO_ACTION, 12, DATA_IN, KEEPS, QUICK, "REPORT LUNS",
        exec_report_luns_prepare, exec_report_luns, 0,
        0xa0, 0, 0xff, 0, 0, 0, LEN_32, 0, 0)
CDB_ROW(REPORT_OPCODES, 0xa3, ACTION(0x0c), 12, DATA_IN, KEEPS, QUICK, "REPORT SUPPORTED OPERATION CODES",
        NULL, exec_report_opcodes, REPLY_OPCODES_BYTES,
        0xa3, 0x0c, 0x87, 0xff, 0xff, 0xff, LEN_32, 0, 0)
CDB_MORE(REPORT_TMFS, 0xa3, ACTION(0x0d), 12, DATA_IN, KEEPS, QUICK, "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS",
        NULL, exec_report_tmfs, REPLY_BYTES,
        0xa3, 0x0d, 0x80, 0, 0, 0, LEN_32, 0, 0)
CDB_ROW(READ_12, 0xa8, NO_ACTION, 12, DATA_IN, KEEPS, MEDIA, "READ(12)",
        exec_rw_prepare, exec_rw, 0,
        0xa8, RW_FLAGS, LBA_32, LEN_32, GROUP, 0)
CDB_ROW(WRITE_12, 0xaa, NO_ACTION, 12, DATA_OUT, CHANGES, MEDIA, "WRITE(12)",
        exec_rw_prepare, exec_rw, 0,
        0xaa, RW_FLAGS, LBA_32, LEN_32, GROUP, 0)
CDB_ROW(WRITE_VERIFY_12, 0xae, NO_ACTION, 12, DATA_OUT, CHANGES, MEDIA, "WRITE AND VERIFY(12)",
        exec_write_verify_prepare, exec_write_verify, 0,
        0xae, VERIFY_FLAGS, LBA_32, LEN_32, GROUP, 0)
CDB_ROW(VERIFY_12, 0xaf, NO_ACTION, 12, DATA_OUT, KEEPS, MEDIA, "VERIFY(12)",
        exec_verify_prepare, exec_verify, 0,
        0xaf, VERIFY_FLAGS, LBA_32, LEN_32, GROUP, 0)
CDB_ROW(READ_DEFECT_DATA_12, 0xb7, NO_ACTION, 12, DATA_IN, KEEPS, QUICK, "READ DEFECT DATA(12)",
        NULL, exec_defect_data, REPLY_BYTES,
        0xb7, 0x1f, 0xff, 0xff, 0xff, 0xff, LEN_32, 0, 0)
/* clang-format on */
#undef CDB_ROW
#undef CDB_MORE
