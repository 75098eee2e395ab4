/* SPDX-License-Identifier: Apache-2.0 */
/* The small commands: TEST UNIT READY, REQUEST SENSE, READ CAPACITY, READ DEFECT DATA,
 * the reports of LUNs, operation codes and task management functions, SYNCHRONIZE CACHE,
 * PRE-FETCH, START STOP UNIT, PREVENT ALLOW MEDIUM REMOVAL. On the reactor's thread. */
#include "proto/caps.h"
#include "proto/lun.h"
#include "target/exec_ops.h"

#define REPORT_LUNS_HEADER_BYTES 8
#define REPORT_LUNS_ENTRY_BYTES  8

enum exec_result exec_test_unit_ready(struct task *t)
{
    return exec_good(t);
}

/* A pending unit attention is told as data, and so is told: SPC-4, 6.39. Whether the way
 * to the unit is open, and how far a sanitize is, is polled by this: SBC-4, 4.11.2. */
enum exec_result exec_request_sense(struct task *t)
{
    struct cdb_request_sense req;
    struct sense told;
    enum sense_code code = SENSE_NONE;
    uint8_t bytes[SENSE_BYTES_MAX];
    struct wire w;
    if (cdb_request_sense_decode(t->cdb, &req, &t->sense) != 0)
        return exec_check(t);
    if (t->lu == NULL)
        code = SENSE_LUN_NOT_SUPPORTED;
    else if (!ua_take(&t->nexus->ua, t->lu, &code))
        code = SENSE_NONE;
    if (t->lu == NULL)
        sense_set(&told, code);
    else if (code != SENSE_NONE ||
             (!exec_path_sense(t, &told) && !exec_sanitize_sense(t->lu, &told)))
        ua_sense(t->lu, code, &told);
    exec_reply_init(t, req.alloc_bytes, &w);
    wire_put_bytes(&w, bytes, sense_encode(&told, req.descriptor, bytes));
    return exec_reply(t, &w);
}

enum exec_result exec_read_capacity(struct task *t)
{
    struct cdb_read_capacity cap;
    struct lu_ident ident;
    struct wire w;
    char revision[5];
    if (cdb_read_capacity_decode(t->cdb, t->exec.op, &cap, &t->sense) != 0)
        return exec_check(t);
    exec_ident(t, revision, &ident);
    exec_reply_init(t, cap.alloc_bytes, &w);
    if (t->exec.op->id == CDB_READ_CAPACITY_10)
        read_capacity_10_encode(&ident, &w);
    else
        read_capacity_16_encode(&ident, &w);
    return exec_reply(t, &w);
}

/* What a device below has reassigned is its own affair: no block of ours ever goes. */
enum exec_result exec_defect_data(struct task *t)
{
    struct cdb_defect_data defects;
    struct wire w;
    if (cdb_defect_data_decode(t->cdb, t->exec.op, &defects, &t->sense) != 0)
        return exec_check(t);
    exec_reply_init(t, defects.alloc_bytes, &w);
    defect_data_encode(&defects, &w);
    return exec_reply(t, &w);
}

/* Asked of a unit, of LUN 0 (there or not), or of the well-known unit for it. */
static bool report_luns_is_here(const struct task *t)
{
    uint32_t no;
    return t->lu != NULL || t->lun == LUN_WIRE_REPORT_LUNS ||
           (lun_decode(t->lun, &no) == 0 && no == 0);
}

enum exec_result exec_report_luns_prepare(struct task *t)
{
    const struct view *view = t->nexus->view;
    uint64_t count = view != NULL ? view->lu_count : 0;
    struct cdb_report_luns report;
    if (!report_luns_is_here(t))
        return exec_refuse(t, SENSE_LUN_NOT_SUPPORTED);
    if (cdb_report_luns_decode(t->cdb, &report, &t->sense) != 0)
        return exec_check(t);
    uint64_t bytes = REPORT_LUNS_HEADER_BYTES + count * REPORT_LUNS_ENTRY_BYTES;
    t->buffer_bytes = (uint32_t)bytes; /* LUN_MAX bounds it to 128 KiB */
    return EXEC_PENDING;
}

/* The view may have changed since exec_prepare: what does not fit then comes with the
 * unit attention that the change raised. */
enum exec_result exec_report_luns(struct task *t)
{
    const struct view *view = t->nexus->view;
    struct cdb_report_luns report;
    struct wire w;
    if (cdb_report_luns_decode(t->cdb, &report, &t->sense) != 0)
        return exec_check(t);
    exec_reply_init(t, report.alloc_bytes, &w);
    report_luns_encode(view != NULL ? view->luns : NULL,
                       view != NULL ? view->lu_count : 0, report.select, &w);
    ua_luns_were_reported(&t->nexus->ua);
    return exec_reply(t, &w);
}

enum exec_result exec_report_opcodes(struct task *t)
{
    struct cdb_report_opcodes report;
    struct wire w;
    if (cdb_report_opcodes_decode(t->cdb, &report, &t->sense) != 0)
        return exec_check(t);
    exec_reply_init(t, report.alloc_bytes, &w);
    if (report_opcodes_encode(&report, &w, &t->sense) != 0)
        return exec_check(t);
    return exec_reply(t, &w);
}

enum exec_result exec_report_tmfs(struct task *t)
{
    struct cdb_report_tmfs report;
    struct wire w;
    if (cdb_report_tmfs_decode(t->cdb, &report, &t->sense) != 0)
        return exec_check(t);
    exec_reply_init(t, report.alloc_bytes, &w);
    report_tmfs_encode(&report, t->nexus->tmfs, &w);
    return exec_reply(t, &w);
}

static void exec_flush_done(struct vio *vio, int rc)
{
    exec_end(exec_vio_task(vio), rc);
}

enum exec_result exec_flush(struct task *t)
{
    exec_vio_range(t, VIO_FLUSH, 0, 0);
    return exec_vio_submit(t, exec_flush_done);
}

/* IMMED asks for the status before the work is done; ours comes after it, which promises
 * more. The flush is of the whole volume, whatever the range. */
enum exec_result exec_sync_prepare(struct task *t)
{
    struct cdb_cache sync;
    cdb_cache_decode(t->cdb, t->exec.op, &sync);
    if (cdb_check_range(sync.lba, sync.blocks, lu_block_count(t->lu), &t->sense) != 0)
        return exec_check(t);
    return EXEC_PENDING;
}

/* CONDITION MET would say that all the blocks are in the cache, or with IMMED that they
 * fit into it; GOOD says that what fits is there: SBC-4, 5.13. Nothing that was read is
 * kept for a second time, so nothing fits and nothing is read. */
enum exec_result exec_prefetch(struct task *t)
{
    struct cdb_cache fetch;
    cdb_cache_decode(t->cdb, t->exec.op, &fetch);
    if (cdb_check_range(fetch.lba, fetch.blocks, lu_block_count(t->lu), &t->sense) != 0)
        return exec_check(t);
    return exec_good(t);
}

/* A volume has no motor and no tray. What the initiator can count on when it stops a unit
 * is that its cache was written: SBC-4, 5.20. */
enum exec_result exec_start_stop_prepare(struct task *t)
{
    struct cdb_start_stop ss;
    if (cdb_start_stop_decode(t->cdb, &ss, &t->sense) != 0)
        return exec_check(t);
    if (ss.load_eject) {
        sense_set_cdb(&t->sense, 4, 1);
        return exec_check(t);
    }
    return ss.start || ss.no_flush ? exec_good(t) : EXEC_PENDING;
}

/* The medium cannot be removed anyway. */
enum exec_result exec_prevent_allow(struct task *t)
{
    struct cdb_prevent_allow pa;
    if (cdb_prevent_allow_decode(t->cdb, &pa, &t->sense) != 0)
        return exec_check(t);
    return exec_good(t);
}
