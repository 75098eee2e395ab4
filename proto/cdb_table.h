/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that we know, a row each, in the order of opcode and service action: what
 * a CDB is checked against, what REPORT SUPPORTED OPERATION CODES tells, what is run.
 * No header: who includes it says before what a row is to it.
 *
 * CDB_ROW(id, opcode, service action, CDB bytes, data, medium, class, timeout, name,
 *         prepare, start, bytes of a reply that is built in start,
 *         usage of each byte of the CDB: SPC-5, 6.35)
 * CDB_MORE: the same, of another service action of the row before.
 * data: NO_DATA, DATA_IN, DATA_OUT; VERIFY: DATA_OUT, but none with BYTCHK 0. medium:
 * CHANGES what a read-only unit refuses, else KEEPS. class: what becomes of it where
 * another nexus holds a reservation, enum reservation_class (START STOP UNIT, PREVENT
 * ALLOW: cdb_class_of()). timeout: QUICK, MEDIA, LONG, how
 * long an initiator should wait. prepare, start: target/exec_ops.h. A bit that is 0 in
 * usage may not be set. */

/* clang-format off */
CDB_ROW(TEST_UNIT_READY, 0x00, NO_ACTION, 6, NO_DATA, KEEPS, STATUS, QUICK, "TEST UNIT READY",
        exec_test_unit_ready, NULL, 0,
        0x00)
CDB_ROW(REQUEST_SENSE, 0x03, NO_ACTION, 6, DATA_IN, KEEPS, FREE, QUICK, "REQUEST SENSE",
        NULL, exec_request_sense, REPLY_BYTES,
        0x03, 0x01, 0, 0, 0xff, 0)
CDB_ROW(READ_6, 0x08, NO_ACTION, 6, DATA_IN, KEEPS, READ, MEDIA, "READ(6)",
        exec_rw_prepare, exec_rw, 0,
        0x08, 0x1f, 0xff, 0xff, 0xff, 0)
CDB_ROW(WRITE_6, 0x0a, NO_ACTION, 6, DATA_OUT, CHANGES, WRITE, MEDIA, "WRITE(6)",
        exec_rw_prepare, exec_rw, 0,
        0x0a, 0x1f, 0xff, 0xff, 0xff, 0)
CDB_ROW(INQUIRY, 0x12, NO_ACTION, 6, DATA_IN, KEEPS, FREE, QUICK, "INQUIRY",
        NULL, exec_inquiry, REPLY_PORTS_BYTES,
        0x12, 0x01, 0xff, LEN_16, 0)
CDB_ROW(MODE_SELECT_6, 0x15, NO_ACTION, 6, DATA_OUT, KEEPS, WRITE, QUICK, "MODE SELECT(6)",
        exec_mode_select_prepare, exec_mode_select, 0,
        0x15, 0x11, 0, 0, 0xff, 0)
CDB_ROW(RESERVE_6, 0x16, NO_ACTION, 6, NO_DATA, KEEPS, RESERVE, QUICK, "RESERVE(6)",
        NULL, exec_reserve, 0,
        0x16, 0, 0xff, 0, 0, 0)
CDB_ROW(RELEASE_6, 0x17, NO_ACTION, 6, NO_DATA, KEEPS, RESERVE, QUICK, "RELEASE(6)",
        NULL, exec_release, 0,
        0x17, 0, 0xff, 0, 0, 0)
CDB_ROW(MODE_SENSE_6, 0x1a, NO_ACTION, 6, DATA_IN, KEEPS, READ, QUICK, "MODE SENSE(6)",
        NULL, exec_mode_sense, REPLY_BYTES,
        0x1a, 0x08, 0xff, 0xff, 0xff, 0)
CDB_ROW(START_STOP_UNIT, 0x1b, NO_ACTION, 6, NO_DATA, KEEPS, WRITE, LONG, "START STOP UNIT",
        exec_start_stop_prepare, exec_flush, 0,
        0x1b, 0x01, 0, 0x0f, 0xf7, 0)
CDB_ROW(PREVENT_ALLOW, 0x1e, NO_ACTION, 6, NO_DATA, KEEPS, WRITE, QUICK, "PREVENT ALLOW MEDIUM REMOVAL",
        exec_prevent_allow, NULL, 0,
        0x1e, 0, 0, 0, 0x03, 0)
CDB_ROW(READ_CAPACITY_10, 0x25, NO_ACTION, 10, DATA_IN, KEEPS, FREE, QUICK, "READ CAPACITY(10)",
        NULL, exec_read_capacity, REPLY_BYTES,
        0x25)
CDB_ROW(READ_10, 0x28, NO_ACTION, 10, DATA_IN, KEEPS, READ, MEDIA, "READ(10)",
        exec_rw_prepare, exec_rw, 0,
        0x28, RW_FLAGS, LBA_32, GROUP, LEN_16, 0)
CDB_ROW(WRITE_10, 0x2a, NO_ACTION, 10, DATA_OUT, CHANGES, WRITE, MEDIA, "WRITE(10)",
        exec_rw_prepare, exec_rw, 0,
        0x2a, RW_FLAGS, LBA_32, GROUP, LEN_16, 0)
CDB_ROW(WRITE_VERIFY_10, 0x2e, NO_ACTION, 10, DATA_OUT, CHANGES, WRITE, MEDIA, "WRITE AND VERIFY(10)",
        exec_write_verify_prepare, exec_write_verify, 0,
        0x2e, VERIFY_FLAGS, LBA_32, GROUP, LEN_16, 0)
CDB_ROW(VERIFY_10, 0x2f, NO_ACTION, 10, DATA_OUT, KEEPS, READ, MEDIA, "VERIFY(10)",
        exec_verify_prepare, exec_verify, 0,
        0x2f, VERIFY_FLAGS, LBA_32, GROUP, LEN_16, 0)
CDB_ROW(PREFETCH_10, 0x34, NO_ACTION, 10, NO_DATA, KEEPS, READ, MEDIA, "PRE-FETCH(10)",
        exec_prefetch, NULL, 0,
        0x34, 0x02, LBA_32, GROUP, LEN_16, 0)
CDB_ROW(SYNC_CACHE_10, 0x35, NO_ACTION, 10, NO_DATA, KEEPS, WRITE, LONG, "SYNCHRONIZE CACHE(10)",
        exec_sync_prepare, exec_flush, 0,
        0x35, SYNC_FLAGS, LBA_32, GROUP, LEN_16, 0)
CDB_ROW(READ_DEFECT_DATA_10, 0x37, NO_ACTION, 10, DATA_IN, KEEPS, READ, QUICK, "READ DEFECT DATA(10)",
        NULL, exec_defect_data, REPLY_BYTES,
        0x37, 0, 0x1f, 0, 0, 0, 0, LEN_16, 0)
CDB_ROW(WRITE_SAME_10, 0x41, NO_ACTION, 10, DATA_OUT, CHANGES, WRITE, LONG, "WRITE SAME(10)",
        exec_write_same_prepare, exec_write_same, 0,
        0x41, SAME_FLAGS, LBA_32, GROUP, LEN_16, 0)
CDB_ROW(UNMAP, 0x42, NO_ACTION, 10, DATA_OUT, CHANGES, WRITE, LONG, "UNMAP",
        exec_unmap_prepare, exec_unmap, 0,
        0x42, 0x01, 0, 0, 0, 0, GROUP, LEN_16, 0)
CDB_ROW(SANITIZE_OVERWRITE, 0x48, ACTION(0x01), 10, DATA_OUT, CHANGES, WRITE, LONG, "SANITIZE OVERWRITE",
        exec_sanitize_prepare, exec_sanitize, 0,
        0x48, SANITIZE_FLAGS | 0x01, 0, 0, 0, 0, 0, LEN_16, 0)
CDB_MORE(SANITIZE_ERASE, 0x48, ACTION(0x02), 10, NO_DATA, CHANGES, WRITE, LONG, "SANITIZE BLOCK ERASE",
        exec_sanitize_prepare, exec_sanitize, 0,
        0x48, SANITIZE_FLAGS | 0x02, 0, 0, 0, 0, 0, 0, 0, 0)
CDB_MORE(SANITIZE_EXIT, 0x48, ACTION(0x1f), 10, NO_DATA, CHANGES, WRITE, QUICK, "SANITIZE EXIT FAILURE MODE",
        exec_sanitize_prepare, exec_sanitize, 0,
        0x48, SANITIZE_FLAGS | 0x1f, 0, 0, 0, 0, 0, 0, 0, 0)
CDB_ROW(LOG_SENSE, 0x4d, NO_ACTION, 10, DATA_IN, KEEPS, FREE, QUICK, "LOG SENSE",
        NULL, exec_log_sense, REPLY_BYTES,
        0x4d, 0, 0xff, 0xff, 0, LEN_16, LEN_16, 0)
CDB_ROW(MODE_SELECT_10, 0x55, NO_ACTION, 10, DATA_OUT, KEEPS, WRITE, QUICK, "MODE SELECT(10)",
        exec_mode_select_prepare, exec_mode_select, 0,
        0x55, 0x11, 0, 0, 0, 0, 0, LEN_16, 0)
CDB_ROW(RESERVE_10, 0x56, NO_ACTION, 10, NO_DATA, KEEPS, RESERVE, QUICK, "RESERVE(10)",
        NULL, exec_reserve, 0,
        0x56, 0, 0xff, 0, 0, 0, 0, 0, 0, 0)
CDB_ROW(RELEASE_10, 0x57, NO_ACTION, 10, NO_DATA, KEEPS, RESERVE, QUICK, "RELEASE(10)",
        NULL, exec_release, 0,
        0x57, 0, 0xff, 0, 0, 0, 0, 0, 0, 0)
CDB_ROW(MODE_SENSE_10, 0x5a, NO_ACTION, 10, DATA_IN, KEEPS, READ, QUICK, "MODE SENSE(10)",
        NULL, exec_mode_sense, REPLY_BYTES,
        0x5a, 0x18, 0xff, 0xff, 0, 0, 0, LEN_16, 0)
CDB_ROW(PR_READ_KEYS, 0x5e, ACTION(0x00), 10, DATA_IN, KEEPS, PR, QUICK, "PERSISTENT RESERVE IN, READ KEYS",
        exec_pr_in_prepare, exec_pr_in, 0,
        0x5e, 0x00, 0, 0, 0, 0, 0, LEN_16, 0)
CDB_MORE(PR_READ_RESERVATION, 0x5e, ACTION(0x01), 10, DATA_IN, KEEPS, PR, QUICK, "PERSISTENT RESERVE IN, READ RESERVATION",
        exec_pr_in_prepare, exec_pr_in, 0,
        0x5e, 0x01, 0, 0, 0, 0, 0, LEN_16, 0)
CDB_MORE(PR_REPORT_CAPABILITIES, 0x5e, ACTION(0x02), 10, DATA_IN, KEEPS, PR, QUICK, "PERSISTENT RESERVE IN, REPORT CAPABILITIES",
        exec_pr_in_prepare, exec_pr_in, 0,
        0x5e, 0x02, 0, 0, 0, 0, 0, LEN_16, 0)
CDB_MORE(PR_READ_FULL_STATUS, 0x5e, ACTION(0x03), 10, DATA_IN, KEEPS, PR, QUICK, "PERSISTENT RESERVE IN, READ FULL STATUS",
        exec_pr_in_prepare, exec_pr_in, 0,
        0x5e, 0x03, 0, 0, 0, 0, 0, LEN_16, 0)
CDB_ROW(PR_REGISTER, 0x5f, ACTION(0x00), 10, DATA_OUT, KEEPS, PR, LONG, "PERSISTENT RESERVE OUT, REGISTER",
        exec_pr_out_prepare, exec_pr_out, 0,
        0x5f, 0x00, 0xff, 0, 0, LEN_32, 0)
CDB_MORE(PR_RESERVE, 0x5f, ACTION(0x01), 10, DATA_OUT, KEEPS, PR, LONG, "PERSISTENT RESERVE OUT, RESERVE",
        exec_pr_out_prepare, exec_pr_out, 0,
        0x5f, 0x01, 0xff, 0, 0, LEN_32, 0)
CDB_MORE(PR_RELEASE, 0x5f, ACTION(0x02), 10, DATA_OUT, KEEPS, PR, LONG, "PERSISTENT RESERVE OUT, RELEASE",
        exec_pr_out_prepare, exec_pr_out, 0,
        0x5f, 0x02, 0xff, 0, 0, LEN_32, 0)
CDB_MORE(PR_CLEAR, 0x5f, ACTION(0x03), 10, DATA_OUT, KEEPS, PR, LONG, "PERSISTENT RESERVE OUT, CLEAR",
        exec_pr_out_prepare, exec_pr_out, 0,
        0x5f, 0x03, 0xff, 0, 0, LEN_32, 0)
CDB_MORE(PR_PREEMPT, 0x5f, ACTION(0x04), 10, DATA_OUT, KEEPS, PR, LONG, "PERSISTENT RESERVE OUT, PREEMPT",
        exec_pr_out_prepare, exec_pr_out, 0,
        0x5f, 0x04, 0xff, 0, 0, LEN_32, 0)
CDB_MORE(PR_PREEMPT_ABORT, 0x5f, ACTION(0x05), 10, DATA_OUT, KEEPS, PR, LONG, "PERSISTENT RESERVE OUT, PREEMPT AND ABORT",
        exec_pr_out_prepare, exec_pr_out, 0,
        0x5f, 0x05, 0xff, 0, 0, LEN_32, 0)
CDB_MORE(PR_REGISTER_IGNORE, 0x5f, ACTION(0x06), 10, DATA_OUT, KEEPS, PR, LONG, "PERSISTENT RESERVE OUT, REGISTER AND IGNORE EXISTING KEY",
        exec_pr_out_prepare, exec_pr_out, 0,
        0x5f, 0x06, 0xff, 0, 0, LEN_32, 0)
CDB_MORE(PR_REGISTER_MOVE, 0x5f, ACTION(0x07), 10, DATA_OUT, KEEPS, PR, LONG, "PERSISTENT RESERVE OUT, REGISTER AND MOVE",
        exec_pr_out_prepare, exec_pr_out, 0,
        0x5f, 0x07, 0xff, 0, 0, LEN_32, 0)
CDB_ROW(EXTENDED_COPY, 0x83, ACTION(0x00), 16, DATA_OUT, KEEPS, WRITE, LONG, "EXTENDED COPY(LID1)",
        exec_copy_prepare, exec_copy, 0,
        0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, LEN_32, 0, 0)
CDB_MORE(EXTENDED_COPY_LID4, 0x83, ACTION(0x01), 16, DATA_OUT, KEEPS, WRITE, LONG, "EXTENDED COPY(LID4)",
        exec_copy_prepare, exec_copy, 0,
        0x83, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, LEN_32, 0, 0)
CDB_MORE(POPULATE_TOKEN, 0x83, ACTION(0x10), 16, DATA_OUT, KEEPS, READ, LONG, "POPULATE TOKEN",
        exec_rod_list_prepare, exec_populate_token, 0,
        0x83, 0x10, 0, 0, 0, 0, LEN_32, LEN_32, GROUP, 0)
CDB_MORE(WRITE_TOKEN, 0x83, ACTION(0x11), 16, DATA_OUT, CHANGES, WRITE, LONG, "WRITE USING TOKEN",
        exec_rod_list_prepare, exec_write_token, 0,
        0x83, 0x11, 0, 0, 0, 0, LEN_32, LEN_32, GROUP, 0)
CDB_MORE(COPY_ABORT, 0x83, ACTION(0x1c), 16, NO_DATA, KEEPS, WRITE, QUICK, "COPY OPERATION ABORT",
        exec_copy_abort, NULL, 0,
        0x83, 0x1c, LEN_32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
CDB_ROW(COPY_STATUS, 0x84, ACTION(0x00), 16, DATA_IN, KEEPS, WRITE, QUICK, "RECEIVE COPY STATUS(LID1)",
        NULL, exec_copy_status, REPLY_BYTES,
        0x84, 0, 0xff, 0, 0, 0, 0, 0, 0, 0, LEN_32, 0, 0)
CDB_MORE(COPY_PARAMETERS, 0x84, ACTION(0x03), 16, DATA_IN, KEEPS, WRITE, QUICK, "RECEIVE COPY OPERATING PARAMETERS",
        NULL, exec_copy_parameters, REPLY_BYTES,
        0x84, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, LEN_32, 0, 0)
CDB_MORE(COPY_FAILURE, 0x84, ACTION(0x04), 16, DATA_IN, KEEPS, WRITE, QUICK, "RECEIVE COPY FAILURE DETAILS(LID1)",
        NULL, exec_copy_failure, REPLY_BYTES,
        0x84, 0x04, 0xff, 0, 0, 0, 0, 0, 0, 0, LEN_32, 0, 0)
CDB_MORE(COPY_STATUS_LID4, 0x84, ACTION(0x05), 16, DATA_IN, KEEPS, WRITE, QUICK, "RECEIVE COPY STATUS(LID4)",
        NULL, exec_copy_status, REPLY_BYTES,
        0x84, 0x05, LEN_32, 0, 0, 0, 0, LEN_32, 0, 0)
CDB_MORE(RECEIVE_ROD_INFO, 0x84, ACTION(0x07), 16, DATA_IN, KEEPS, READ, QUICK, "RECEIVE ROD TOKEN INFORMATION",
        NULL, exec_rod_info, REPLY_BYTES,
        0x84, 0x07, LEN_32, 0, 0, 0, 0, LEN_32, 0, 0)
CDB_MORE(REPORT_RODS, 0x84, ACTION(0x08), 16, DATA_IN, KEEPS, READ, QUICK, "REPORT ALL ROD TOKENS",
        exec_rods_prepare, exec_rods, 0,
        0x84, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, LEN_32, 0, 0)
CDB_ROW(READ_16, 0x88, NO_ACTION, 16, DATA_IN, KEEPS, READ, MEDIA, "READ(16)",
        exec_rw_prepare, exec_rw, 0,
        0x88, RW_FLAGS, LBA_64, LEN_32, GROUP, 0)
CDB_ROW(COMPARE_WRITE, 0x89, NO_ACTION, 16, DATA_OUT, CHANGES, WRITE, MEDIA, "COMPARE AND WRITE",
        exec_caw_prepare, exec_caw, 0,
        0x89, RW_FLAGS, LBA_64, 0, 0, 0, 0xff, GROUP, 0)
CDB_ROW(WRITE_16, 0x8a, NO_ACTION, 16, DATA_OUT, CHANGES, WRITE, MEDIA, "WRITE(16)",
        exec_rw_prepare, exec_rw, 0,
        0x8a, RW_FLAGS, LBA_64, LEN_32, GROUP, 0)
CDB_ROW(ORWRITE_16, 0x8b, NO_ACTION, 16, DATA_OUT, CHANGES, WRITE, MEDIA, "ORWRITE(16)",
        exec_orwrite_prepare, exec_rw, 0,
        0x8b, RW_FLAGS, LBA_64, LEN_32, GROUP, 0)
CDB_ROW(WRITE_VERIFY_16, 0x8e, NO_ACTION, 16, DATA_OUT, CHANGES, WRITE, MEDIA, "WRITE AND VERIFY(16)",
        exec_write_verify_prepare, exec_write_verify, 0,
        0x8e, VERIFY_FLAGS, LBA_64, LEN_32, GROUP, 0)
CDB_ROW(VERIFY_16, 0x8f, NO_ACTION, 16, DATA_OUT, KEEPS, READ, MEDIA, "VERIFY(16)",
        exec_verify_prepare, exec_verify, 0,
        0x8f, VERIFY_FLAGS, LBA_64, LEN_32, GROUP, 0)
CDB_ROW(PREFETCH_16, 0x90, NO_ACTION, 16, NO_DATA, KEEPS, READ, MEDIA, "PRE-FETCH(16)",
        exec_prefetch, NULL, 0,
        0x90, 0x02, LBA_64, LEN_32, GROUP, 0)
CDB_ROW(SYNC_CACHE_16, 0x91, NO_ACTION, 16, NO_DATA, KEEPS, WRITE, LONG, "SYNCHRONIZE CACHE(16)",
        exec_sync_prepare, exec_flush, 0,
        0x91, SYNC_FLAGS, LBA_64, LEN_32, GROUP, 0)
CDB_ROW(WRITE_SAME_16, 0x93, NO_ACTION, 16, DATA_OUT, CHANGES, WRITE, LONG, "WRITE SAME(16)",
        exec_write_same_prepare, exec_write_same, 0,
        0x93, SAME_FLAGS | 0x01, LBA_64, LEN_32, GROUP, 0)
CDB_ROW(WRITE_ATOMIC_16, 0x9c, NO_ACTION, 16, DATA_OUT, CHANGES, WRITE, MEDIA, "WRITE ATOMIC(16)",
        exec_write_atomic_prepare, exec_rw, 0,
        0x9c, ATOMIC_FLAGS, LBA_64, 0, 0, LEN_16, GROUP, 0)
CDB_ROW(READ_CAPACITY_16, 0x9e, ACTION(0x10), 16, DATA_IN, KEEPS, FREE, QUICK, "READ CAPACITY(16)",
        NULL, exec_read_capacity, REPLY_BYTES,
        0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, LEN_32, 0, 0)
CDB_MORE(GET_LBA_STATUS, 0x9e, ACTION(0x12), 16, DATA_IN, KEEPS, READ, MEDIA, "GET LBA STATUS",
        exec_lba_status_prepare, exec_lba_status, 0,
        0x9e, 0x12, LBA_64, LEN_32, 0, 0)
CDB_ROW(REPORT_LUNS, 0xa0, NO_ACTION, 12, DATA_IN, KEEPS, FREE, QUICK, "REPORT LUNS",
        exec_report_luns_prepare, exec_report_luns, 0,
        0xa0, 0, 0xff, 0, 0, 0, LEN_32, 0, 0)
CDB_ROW(REPORT_PORT_GROUPS, 0xa3, ACTION(0x0a), 12, DATA_IN, KEEPS, FREE, QUICK, "REPORT TARGET PORT GROUPS",
        NULL, exec_report_port_groups, REPLY_BYTES,
        0xa3, GROUPS_FORMAT | 0x0a, 0, 0, 0, 0, LEN_32, 0, 0)
CDB_MORE(REPORT_OPCODES, 0xa3, ACTION(0x0c), 12, DATA_IN, KEEPS, READ, QUICK, "REPORT SUPPORTED OPERATION CODES",
        NULL, exec_report_opcodes, REPLY_OPCODES_BYTES,
        0xa3, 0x0c, 0x87, 0xff, 0xff, 0xff, LEN_32, 0, 0)
CDB_MORE(REPORT_TMFS, 0xa3, ACTION(0x0d), 12, DATA_IN, KEEPS, READ, QUICK, "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS",
        NULL, exec_report_tmfs, REPLY_BYTES,
        0xa3, 0x0d, 0x80, 0, 0, 0, LEN_32, 0, 0)
CDB_ROW(READ_12, 0xa8, NO_ACTION, 12, DATA_IN, KEEPS, READ, MEDIA, "READ(12)",
        exec_rw_prepare, exec_rw, 0,
        0xa8, RW_FLAGS, LBA_32, LEN_32, GROUP, 0)
CDB_ROW(WRITE_12, 0xaa, NO_ACTION, 12, DATA_OUT, CHANGES, WRITE, MEDIA, "WRITE(12)",
        exec_rw_prepare, exec_rw, 0,
        0xaa, RW_FLAGS, LBA_32, LEN_32, GROUP, 0)
CDB_ROW(WRITE_VERIFY_12, 0xae, NO_ACTION, 12, DATA_OUT, CHANGES, WRITE, MEDIA, "WRITE AND VERIFY(12)",
        exec_write_verify_prepare, exec_write_verify, 0,
        0xae, VERIFY_FLAGS, LBA_32, LEN_32, GROUP, 0)
CDB_ROW(VERIFY_12, 0xaf, NO_ACTION, 12, DATA_OUT, KEEPS, READ, MEDIA, "VERIFY(12)",
        exec_verify_prepare, exec_verify, 0,
        0xaf, VERIFY_FLAGS, LBA_32, LEN_32, GROUP, 0)
CDB_ROW(READ_DEFECT_DATA_12, 0xb7, NO_ACTION, 12, DATA_IN, KEEPS, READ, QUICK, "READ DEFECT DATA(12)",
        NULL, exec_defect_data, REPLY_BYTES,
        0xb7, 0x1f, 0xff, 0xff, 0xff, 0xff, LEN_32, 0, 0)
/* clang-format on */
#undef CDB_ROW
#undef CDB_MORE
