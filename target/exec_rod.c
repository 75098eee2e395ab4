/* SPDX-License-Identifier: Apache-2.0 */
/* POPULATE TOKEN and WRITE USING TOKEN (SBC-4, 4.28, 5.12, 5.59), and what RECEIVE ROD
 * TOKEN INFORMATION and REPORT ALL ROD TOKENS tell. A token is taken only from a host
 * that is shown its source at that moment: docs/DECISIONS.md. The status of both is kept
 * as that of EXTENDED COPY is (copy_book.h). On the reactor's thread. */
#include "proto/rod.h"

#include "lunmgr/rod_write.h"
#include "target/exec_ops.h"
#include "target/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static_assert(ROD_TOKEN_RANGES_MAX == ROD_PIECES_MAX, "a range is a piece");
static_assert(ROD_TOKEN_DATA_MAX == ROD_BYTES_MAX, "told as it is");
static_assert(ROD_TOKEN_TIMEOUT_S == ROD_TIMEOUT_DEFAULT_S, "told as it is");
static_assert(ROD_TOKEN_TIMEOUT_MAX_S == ROD_TIMEOUT_MAX_S, "told as it is");
static_assert(ROD_TOKEN_SECRET_BYTES == ROD_SECRET_BYTES, "all of it is in the token");

/* One of both at work. */
struct rod_run {
    struct task *task;
    struct copy_record *record;
    bool immed, deletes, stopping;
    uint64_t asked_bytes;
    union {
        struct rod_piece pieces[ROD_PIECES_MAX];
        struct rod_span spans[ROD_PIECES_MAX];
    } ranges;
    struct rod_ask ask;     /* POPULATE TOKEN */
    struct rod_write write; /* WRITE USING TOKEN */
};

static bool populates(const struct task *t)
{
    return t->exec.op->id == CDB_POPULATE_TOKEN;
}

enum exec_result exec_rod_list_prepare(struct task *t)
{
    struct cdb_rod_list cdb;
    if (cdb_rod_list_decode(t->cdb, t->exec.op, &cdb, &t->sense) != 0)
        return exec_check(t);
    return exec_want_list(t, cdb.list_bytes);
}

/* ---- The token -----------------------------------------------------------------------
 */

static void token_of(const struct rod *rod, const struct volume *of,
                     uint8_t out[ROD_TOKEN_BYTES])
{
    struct rod_token token = {
        .id = rod->id,
        .bytes = rod->bytes,
        .block_bytes = rod->block_bytes,
        .physical_exponent =
            (uint8_t)__builtin_ctz(rod->physical_bytes / rod->block_bytes),
        .secret = rod->secret,
    };
    memcpy(token.creator_naa, rod->creator_naa, sizeof(token.creator_naa));
    rod_box_naa(of, token.device_naa);
    rod_token_encode(&token, out);
}

static bool token_is(const struct rod *rod, const struct volume *of, const uint8_t *token)
{
    uint8_t own[ROD_TOKEN_BYTES];
    token_of(rod, of, own);
    bool equal = rod_token_equal(own, token);
    explicit_bzero(own, sizeof(own));
    return equal;
}

/* Whether the task's host is shown the source, by whatever target. */
static bool host_reads(const struct task *t, struct rod *rod)
{
    const struct volume *source = rod_source(rod);
    const struct access_host *host = t->nexus->view == NULL ? NULL : t->nexus->view->host;
    for (size_t i = 0; source != NULL && host != NULL && i < host->view_count; i++)
        if (view_shows(&host->views[i], source))
            return true;
    return false;
}

static enum sense_code sense_of_state(enum rod_state state)
{
    switch (state) {
    case ROD_READY:
        return SENSE_NONE;
    case ROD_DELETED:
        return SENSE_TOKEN_DELETED;
    case ROD_EXPIRED:
        return SENSE_TOKEN_EXPIRED;
    case ROD_CANCELLED:
        return SENSE_TOKEN_CANCELLED;
    case ROD_REVOKED:
        return SENSE_TOKEN_REVOKED;
    default:
        return SENSE_TOKEN_UNKNOWN;
    }
}

/* What it stands for, if the task may have it; NULL: the task is answered. In the order
 * of SPC-4, 5.17.6.5.2.3, but that nothing is told of a token to who has not all of it.
 */
static struct rod *token_take(struct task *t, const uint8_t *token)
{
    enum rod_state state;
    if (rod_token_type(token) != ROD_TYPE_POINT_IN_TIME) {
        (void)exec_refuse(t, SENSE_TOKEN_TYPE);
        return NULL;
    }
    struct rod *rod = rod_get(t->lu->volume, rod_token_id(token), &state);
    enum sense_code code = SENSE_TOKEN_UNKNOWN;
    if (rod != NULL && token_is(rod, t->lu->volume, token))
        code = state == ROD_READY && !host_reads(t, rod) ? SENSE_TOKEN_REVOKED
                                                         : sense_of_state(state);
    if (code == SENSE_NONE)
        return rod;
    if (rod != NULL)
        rod_put(rod, false);
    (void)exec_refuse(t, code);
    return NULL;
}

/* ---- The end of a run ----------------------------------------------------------------
 */

static enum copy_progress progress_of_end(const struct rod_run *run, int rc)
{
    if (rc == -ECANCELED && run->stopping)
        return COPY_STOPPED;
    if (rc != 0)
        return COPY_FAILED;
    return run->record->state.bytes < run->asked_bytes ? COPY_ENDED_SHORT : COPY_ENDED;
}

static enum sense_code sense_of_rc(const struct task *t, int rc)
{
    switch (rc) {
    case -EDQUOT:
        return SENSE_ROD_RESOURCES;
    case -ENOSPC:
        return populates(t) ? SENSE_ROD_RESOURCES : SENSE_NO_SPACE;
    case -ERANGE:
        return SENSE_LBA_RANGE;
    case -EIO:
        return populates(t) ? SENSE_READ_ERROR : SENSE_WRITE_ERROR;
    default:
        return SENSE_COPY_ABORTED;
    }
}

static void run_set_answer(struct rod_run *run, int rc)
{
    struct task *t = run->task;
    uint64_t blocks = run->record->state.bytes >> t->lu->block_shift;
    if (rc == -ENOMEM || rc == -EBUSY) {
        t->status = SAM_BUSY; /* it passes */
    } else if (rc == -EINPROGRESS) {
        exec_set_sanitized(t);
    } else if (rc != 0) {
        (void)exec_refuse(t, sense_of_rc(t, rc));
    } else if (run->record->state.bytes < run->asked_bytes) {
        (void)sense_set_info(&t->sense,
                             blocks > 0 ? SENSE_COPY_UNDERRUN : SENSE_COPY_UNDERRUN_ALL,
                             blocks);
        (void)exec_check(t);
    } else {
        (void)exec_good(t);
    }
}

/* The task has its status, the record too, and the run is freed. */
static void run_end(struct rod_run *run, int rc)
{
    struct task *t = run->task;
    struct copy_state *state = &run->record->state;
    run_set_answer(run, rc);
    state->progress = progress_of_end(run, rc);
    state->status = (uint8_t)t->status;
    state->sense = t->sense;
    run->record->has_rod = true;
    copy_book_end(&t->nexus->copies, run->record);
    t->exec.rod = NULL;
    free(run);
}

static void run_done(struct rod_run *run, int rc)
{
    struct task *t = run->task;
    run_end(run, rc);
    task_done(t);
}

void exec_rod_stop(struct task *t)
{
    struct rod_run *run = t->exec.rod;
    run->stopping = true;
    if (populates(t))
        rod_give_up(&run->ask);
    else
        rod_write_stop(&run->write);
}

uint64_t exec_rod_bytes(const struct task *t)
{
    const struct rod_run *run = t->exec.rod;
    return populates(t) ? rod_made_bytes(&run->ask) : run->write.written_bytes;
}

/* ---- A run ---------------------------------------------------------------------------
 */

/* With its record; NULL: the task is answered. */
static struct rod_run *run_new(struct task *t)
{
    struct copy_book *book = &t->nexus->copies;
    struct cdb_rod_list cdb;
    int rc = cdb_rod_list_decode(t->cdb, t->exec.op, &cdb, &t->sense);
    assert(rc == 0);
    if (copy_book_has_running(book, t->lu->lun, true, cdb.list_id)) {
        (void)exec_refuse(t, SENSE_OPERATION_IN_PROGRESS);
        return NULL;
    }
    struct rod_run *run = calloc(1, sizeof(*run));
    if (run != NULL)
        run->record = copy_book_begin(book, t->lu->lun, true, true, cdb.list_id);
    if (run == NULL || run->record == NULL) {
        free(run);
        t->status = SAM_BUSY;
        return NULL;
    }
    run->task = t;
    run->record->task = t;
    run->record->keeps_results = true;
    run->record->state.action = t->exec.op->service_action;
    t->exec.rod = run;
    return run;
}

/* It is under way: the task is answered before its end if its initiator wants it so. */
static enum exec_result run_begun(struct rod_run *run)
{
    struct task *t = run->task;
    if (run->immed) {
        run->record->state.progress = COPY_RUNNING_BEHIND;
        (void)exec_good(t);
        task_detach(t);
    }
    return EXEC_PENDING;
}

static struct rod_limits limits_of(const struct task *t)
{
    return (struct rod_limits){.capacity_blocks = lu_block_count(t->lu),
                               .block_shift = t->lu->block_shift};
}

/* ---- POPULATE TOKEN ------------------------------------------------------------------
 */

static void populate_on_made(struct rod_ask *ask, struct rod *rod, int rc)
{
    struct rod_run *run = container_of(ask, struct rod_run, ask);
    if (rc == 0) {
        run->record->token = malloc(ROD_TOKEN_BYTES);
        if (run->record->token != NULL)
            token_of(rod, run->task->lu->volume, run->record->token);
        else
            rod_delete(rod);
        rc = run->record->token != NULL ? 0 : -ENOMEM;
        run->record->state.bytes = rc == 0 ? rod->bytes : 0;
        rod_put(rod, false);
    }
    run_done(run, rc);
}

/* Empty ranges stand for nothing. */
static void populate_lay(struct rod_run *run, const struct rod_ranges *ranges)
{
    uint8_t shift = run->task->lu->block_shift;
    for (unsigned i = 0; i < ranges->count; i++) {
        struct rod_range r = rod_range_get(ranges, i);
        if (r.blocks > 0)
            run->ranges.pieces[run->ask.piece_count++] =
                (struct rod_piece){.from_bytes = r.lba << shift,
                                   .length_bytes = (uint64_t)r.blocks << shift};
    }
    run->asked_bytes = ranges->blocks << shift;
}

enum exec_result exec_populate_token(struct task *t)
{
    const struct rod_limits limits = limits_of(t);
    const struct view *view = t->nexus->view;
    struct populate_list list;
    if (populate_list_decode(&list, t->buffer.base, t->data_out_bytes, &limits,
                             &t->sense) != 0)
        return exec_check(t);
    struct rod_run *run = run_new(t);
    if (run == NULL)
        return EXEC_DONE;
    t->transfer_bytes = t->data_out_bytes;
    populate_lay(run, &list.ranges);
    run->immed = list.immed;
    run->ask.lane = t->lane;
    run->ask.source = t->lu->volume;
    run->ask.host = view != NULL && view->host != NULL ? view->host->id : "";
    run->ask.timeout_s = list.timeout_s;
    run->ask.pieces = run->ranges.pieces;
    run->ask.done = populate_on_made;
    if (run->asked_bytes == 0) { /* no token of nothing */
        run_end(run, 0);
        return EXEC_DONE;
    }
    rod_make(&run->ask);
    return run_begun(run);
}

/* ---- WRITE USING TOKEN ---------------------------------------------------------------
 */

static void write_done(struct rod_run *run, int rc)
{
    struct rod *rod = run->write.rod;
    if (rod != NULL) {
        if (run->deletes && rc == 0)
            rod_delete(rod);
        rod_put(rod, true);
    }
    run_done(run, rc);
}

static void write_on_flushed(struct vio *vio, int rc)
{
    write_done(exec_vio_task(vio)->exec.rod, rc);
}

/* With WCE 0 it is durable before it is told: SBC-4, 6.5.5. */
static void write_on_written(struct rod_write *w, int rc)
{
    struct rod_run *run = container_of(w, struct rod_run, write);
    struct task *t = run->task;
    uint64_t block = lu_block_bytes(t->lu);
    run->record->state.bytes = w->written_bytes / block * block;
    if (rc == 0 && !t->aborted && exec_writes_through(t)) {
        exec_vio_range(t, VIO_FLUSH, 0, 0);
        (void)exec_vio_submit(t, write_on_flushed);
        return;
    }
    write_done(run, rc);
}

static void write_lay(struct rod_run *run, const struct rod_ranges *ranges)
{
    uint8_t shift = run->task->lu->block_shift;
    for (unsigned i = 0; i < ranges->count; i++) {
        struct rod_range r = rod_range_get(ranges, i);
        run->ranges.spans[i] = (struct rod_span){
            .offset_bytes = r.lba << shift, .length_bytes = (uint64_t)r.blocks << shift};
    }
    run->write.spans = run->ranges.spans;
    run->write.span_count = ranges->count;
    run->asked_bytes = ranges->blocks << shift;
}

/* The rod, NULL for zeros. False: the task is answered. */
static bool write_find(struct task *t, const struct write_token_list *list,
                       struct rod **rod)
{
    *rod = NULL;
    if (rod_token_type(list->token) == ROD_TYPE_ZERO)
        return true;
    *rod = token_take(t, list->token);
    if (*rod == NULL)
        return false;
    if (list->offset_blocks <= ((*rod)->bytes - 1) >> t->lu->block_shift)
        return true;
    rod_put(*rod, false);
    (void)sense_set_param(&t->sense, 8, SENSE_NO_BIT);
    (void)exec_check(t);
    return false;
}

enum exec_result exec_write_token(struct task *t)
{
    const struct rod_limits limits = limits_of(t);
    struct write_token_list list;
    struct rod *rod;
    if (write_token_list_decode(&list, t->buffer.base, t->data_out_bytes, &limits,
                                &t->sense) != 0)
        return exec_check(t);
    if (!write_find(t, &list, &rod))
        return EXEC_DONE;
    struct rod_run *run = run_new(t);
    if (run == NULL) {
        if (rod != NULL)
            rod_put(rod, false);
        return EXEC_DONE;
    }
    t->transfer_bytes = t->data_out_bytes;
    write_lay(run, &list.ranges);
    run->immed = list.immed;
    run->deletes = list.deletes;
    run->write.lane = t->lane;
    run->write.to = t->lu->volume;
    run->write.rod = rod;
    run->write.rod_bytes = list.offset_blocks << t->lu->block_shift;
    run->write.patient = true;
    run->write.done = write_on_written;
    rod_write_start(&run->write);
    return run_begun(run);
}

/* ---- What is told --------------------------------------------------------------------
 */

enum exec_result exec_rod_info(struct task *t)
{
    struct copy_book *book = &t->nexus->copies;
    struct cdb_rod_ask cdb;
    struct wire w;
    cdb_rod_ask_decode(t->cdb, &cdb);
    struct copy_record *record = copy_book_find(book, t->lu->lun, true, cdb.list_id);
    if (record == NULL || (record->task == NULL && !record->has_rod)) {
        (void)sense_set_cdb(&t->sense, 2, SENSE_NO_BIT);
        return exec_check(t);
    }
    struct copy_state state = record->state;
    if (record->task != NULL)
        state.bytes = exec_copied_bytes(record->task);
    state.asked_count = ++record->state.asked_count;
    exec_reply_init(t, cdb.alloc_bytes, &w);
    copy_rod_info_encode(&state, t->lu->block_shift, record->token, &w);
    enum exec_result result = exec_reply(t, &w);
    if (wire_rc(&w) == 0 || cdb.alloc_bytes == 0)
        copy_book_told_rod(book, record);
    return result;
}

enum exec_result exec_rods_prepare(struct task *t)
{
    const uint32_t most = ROD_REPORT_HEADER_BYTES + ROD_COUNT_MAX * ROD_MANAGEMENT_BYTES;
    struct cdb_rod_ask cdb;
    cdb_rod_ask_decode(t->cdb, &cdb);
    t->buffer_bytes = cdb.alloc_bytes < most ? cdb.alloc_bytes : most;
    return cdb.alloc_bytes == 0 ? exec_good(t) : EXEC_PENDING;
}

struct rods_reply {
    const struct task *task;
    struct wire w;
    uint32_t count;
};

static void rods_put(const struct rod *rod, void *arg)
{
    struct rods_reply *reply = arg;
    uint8_t token[ROD_TOKEN_BYTES];
    token_of(rod, reply->task->lu->volume, token);
    wire_put_bytes(&reply->w, token, ROD_MANAGEMENT_BYTES);
    explicit_bzero(token, sizeof(token));
    reply->count++;
}

/* Those that this unit has made: each unit is a copy manager. What makes them hard to
 * guess is not told. */
enum exec_result exec_rods(struct task *t)
{
    struct rods_reply reply = {.task = t};
    struct cdb_rod_ask cdb;
    struct wire header;
    cdb_rod_ask_decode(t->cdb, &cdb);
    exec_reply_init(t, cdb.alloc_bytes, &reply.w);
    rod_report_header_encode(0, &reply.w);
    rod_each(t->lu->volume, rods_put, &reply);
    exec_reply_init(t, cdb.alloc_bytes, &header);
    rod_report_header_encode(reply.count, &header);
    return exec_reply(t, &reply.w);
}
