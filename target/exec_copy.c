/* SPDX-License-Identifier: Apache-2.0 */
/* EXTENDED COPY and COPY OPERATION ABORT, and what RECEIVE COPY ... tells of copies:
 * SPC-4, 5.17, 6.4 and 6.20 to 6.24. Each unit is a copy manager for those of its nexus.
 * On the reactor's thread. */
#include "proto/copy_results.h"

#include "target/copy_run.h"
#include "target/exec_ops.h"

#include <stdlib.h>

static bool is_lid4(const struct task *t)
{
    return t->exec.op->id == CDB_EXTENDED_COPY_LID4;
}

enum exec_result exec_copy_prepare(struct task *t)
{
    uint32_t header = is_lid4(t) ? EXT_COPY_LID4_HEADER_BYTES : EXT_COPY_HEADER_BYTES;
    uint32_t list_bytes = cdb_copy_list_bytes(t->cdb);
    if (list_bytes > header + EXT_COPY_LIST_BYTES_MAX)
        return exec_refuse(t, SENSE_PARAM_LIST_LENGTH);
    return exec_want_list(t, list_bytes);
}

/* ---- Its life ------------------------------------------------------------------------
 */

static enum copy_progress progress_of_end(const struct copy_run *run)
{
    if (run->sense.code == SENSE_NONE)
        return COPY_ENDED;
    return run->stopping ? COPY_STOPPED : COPY_FAILED;
}

/* The task has its status, its record too, and the run is freed. */
static void copy_end(struct copy_run *run)
{
    struct task *t = run->task;
    struct copy_record *record = run->record;
    record->state.progress = progress_of_end(run);
    t->sense = run->sense;
    (void)(run->sense.code == SENSE_NONE ? exec_good(t) : exec_check(t));
    record->state.status = (uint8_t)t->status;
    record->state.sense = t->sense;
    copy_book_end(&t->nexus->copies, record);
    t->exec.copy = NULL;
    free(run);
}

static void copy_on_done(struct copy_run *run)
{
    struct task *t = run->task;
    copy_end(run);
    task_done(t);
}

/* 0, or the task is answered. */
static int copy_read_list(struct task *t, struct copy_run *run)
{
    struct copy_book *book = &t->nexus->copies;
    struct ext_copy_list *list = &run->list;
    if (ext_copy_decode(list, t->buffer.base, t->data_out_bytes, is_lid4(t), &t->sense) !=
        0) {
        (void)exec_check(t);
        return -1;
    }
    if (list->has_id && list->keeps_results &&
        copy_book_has_running(book, t->lu->lun, is_lid4(t), list->id)) {
        (void)exec_refuse(t, SENSE_OPERATION_IN_PROGRESS);
        return -1;
    }
    run->record = copy_book_begin(book, t->lu->lun, is_lid4(t), list->has_id, list->id);
    if (run->record == NULL) {
        t->status = SAM_BUSY;
        return -1;
    }
    run->record->task = t;
    run->record->keeps_results = list->keeps_results;
    run->record->state.action = t->exec.op->service_action;
    return 0;
}

enum exec_result exec_copy(struct task *t)
{
    struct copy_run *run = calloc(1, sizeof(*run));
    if (run == NULL) {
        t->status = SAM_BUSY;
        return EXEC_DONE;
    }
    if (copy_read_list(t, run) != 0) {
        free(run);
        return EXEC_DONE;
    }
    run->task = t;
    run->done = copy_on_done;
    t->exec.copy = run;
    t->transfer_bytes = t->data_out_bytes;
    if (!copy_run_start(run)) {
        copy_end(run);
        return EXEC_DONE;
    }
    if (run->list.immed) {
        run->record->state.progress = COPY_RUNNING_BEHIND;
        (void)exec_good(t);
        task_detach(t);
    }
    return EXEC_PENDING;
}

/* ---- Those that run and those that ran -----------------------------------------------
 */

static struct copy_record *copy_find(const struct task *t,
                                     const struct cdb_copy_results *cdb)
{
    return copy_book_find(&t->nexus->copies, t->lu->lun, cdb->lid4, cdb->list_id);
}

static enum exec_result refuse_id(struct task *t)
{
    sense_set_cdb(&t->sense, 2, SENSE_NO_BIT);
    return exec_check(t);
}

/* An identifier of LID1 is one of four bytes here. */
enum exec_result exec_copy_abort(struct task *t)
{
    struct cdb_copy_results cdb;
    bool any = false;
    cdb_copy_results_decode(t->cdb, t->exec.op, &cdb);
    for (struct copy_record *r = t->nexus->copies.first; r != NULL; r = r->next) {
        if (r->task == NULL || !r->has_id || r->id != cdb.list_id || r->lun != t->lu->lun)
            continue;
        exec_copy_stop(r->task);
        any = true;
    }
    return any ? exec_good(t) : refuse_id(t);
}

/* Nothing of it is cut off, by the CDB or by what the initiator expects. */
static bool is_told_whole(const struct task *t, const struct wire *w)
{
    return wire_rc(w) == 0 && w->at <= t->expected_in_bytes;
}

enum exec_result exec_copy_status(struct task *t)
{
    struct cdb_copy_results cdb;
    struct wire w;
    cdb_copy_results_decode(t->cdb, t->exec.op, &cdb);
    struct copy_record *record = copy_find(t, &cdb);
    if (record == NULL || (record->task == NULL && !record->has_status))
        return refuse_id(t);
    struct copy_state state = record->state;
    if (record->task != NULL)
        state.bytes = exec_copied_bytes(record->task);
    state.asked_count = ++record->state.asked_count;
    exec_reply_init(t, cdb.alloc_bytes, &w);
    if (cdb.lid4)
        copy_status_lid4_encode(&state, &w);
    else
        copy_status_encode(&state, &w);
    if (is_told_whole(t, &w))
        copy_book_told_status(&t->nexus->copies, record);
    return exec_reply(t, &w);
}

enum exec_result exec_copy_parameters(struct task *t)
{
    struct cdb_copy_results cdb;
    struct wire w;
    cdb_copy_results_decode(t->cdb, t->exec.op, &cdb);
    exec_reply_init(t, cdb.alloc_bytes, &w);
    copy_parameters_encode(t->lu->block_shift, &w);
    return exec_reply(t, &w);
}

/* With no room for an answer the initiator says that it does not want it: SPC-4, 6.21. */
enum exec_result exec_copy_failure(struct task *t)
{
    struct cdb_copy_results cdb;
    struct wire w;
    cdb_copy_results_decode(t->cdb, t->exec.op, &cdb);
    struct copy_record *record = copy_find(t, &cdb);
    if (record != NULL && record->task != NULL)
        return refuse_id(t);
    bool has = record != NULL && record->has_failure;
    exec_reply_init(t, cdb.alloc_bytes, &w);
    copy_failure_encode(has ? &record->state : NULL, &w);
    if (has && (is_told_whole(t, &w) || cdb.alloc_bytes == 0))
        copy_book_told_failure(&t->nexus->copies, record);
    return exec_reply(t, &w);
}
