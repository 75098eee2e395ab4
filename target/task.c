/* SPDX-License-Identifier: Apache-2.0 */
/* A command from its PDU to its answer: it is prepared, gets its buffer, gets its data,
 * is executed, is answered. Only exec has a task that cannot be dropped at once. */
#include "target/task_flow.h"

#include "target/access_swap.h"
#include "target/alua.h"
#include "target/conn.h"
#include "target/exec.h"
#include "target/lu.h"
#include "target/pacer.h"
#include "target/reactor.h"
#include "target/request.h"
#include "target/reserve_leg.h"
#include "target/session.h"
#include "target/sweep.h"
#include "target/task_set.h"
#include "target/unit.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

static struct task *task_new(struct reactor *r)
{
    struct task *t = r->free_tasks;
    if (t == NULL)
        return calloc(1, sizeof(*t));
    r->free_tasks = t->next;
    r->free_task_count--;
    memset(t, 0, sizeof(*t));
    return t;
}

void task_free_kept(struct reactor *r)
{
    while (r->free_tasks != NULL) {
        struct task *t = r->free_tasks;
        r->free_tasks = t->next;
        free(t);
    }
}

static void task_free(struct reactor *r, struct task *t)
{
#ifdef ASHLAR_MALLOC_BUFFERS
    (void)r;
    free(t);
#else
    if (r->free_task_count >= REACTOR_TASKS_KEPT_MAX) {
        free(t);
        return;
    }
    t->next = r->free_tasks;
    r->free_tasks = t;
    r->free_task_count++;
#endif
}

static void task_drop_buffer(struct task *t)
{
    struct reactor *r = t->conn->reactor;
    if (t->state == TASK_WAITING) {
        reactor_stop_waiting(r, t);
        r->buffers_freed = true; /* some may have waited for it alone: task_set.h */
    }
    buf_put(lane_buffers(r->lane), &t->buffer);
    reactor_unreserve(r, t);
}

/* It has its answer, or gets none. */
static void task_close(struct task *t)
{
    struct session *s = t->conn->session;
    if (!t->immediate)
        window_close(&s->window);
    task_set_leave(s, t);
}

static void task_release(struct task *t)
{
    struct conn *c = t->conn;
    struct reactor *r = c->reactor;
    conn_rx_forget_task(c, t);
    task_drop_buffer(t);
    if (t->state == TASK_THROTTLED)
        pacer_leave(t);
    if (t->state != TASK_ANSWERING && !t->detached)
        task_close(t);
    if (!data_is_quiet(t))
        session_abandon(c->session, t->itt);
    session_remove_task(c->session, t);
    if (t->aborted)
        sweep_on_task_end(r, t);
    access_swap_on_task_end(t);
    reserve_leg_on_task_end(t);
    alua_on_task_end(t);
    task_free(r, t);
    reactor_touch(r, c);
}

/* 0: it has what it needs. -EAGAIN: not now. -ENOMEM. */
static int task_get_buffer(struct task *t)
{
    struct reactor *r = t->conn->reactor;
    if (t->buffer_bytes == 0)
        return 0;
    if (!task_set_may_reserve(t->conn->session, t) || !reactor_reserve(r, t))
        return -EAGAIN;
    int rc = buf_get(lane_buffers(r->lane), t->buffer_bytes, &t->buffer);
    if (rc != 0)
        reactor_unreserve(r, t);
    return rc;
}

/* ---- the answer ---- */

static void task_set_answer(struct task *t, enum sam_status status, enum sense_code code)
{
    t->answered = true;
    t->status = status;
    t->sense = (struct sense){.code = code};
    t->transfer_bytes = 0;
    t->data_in_bytes = 0;
    t->out.kept_bytes = 0;
}

static struct residual task_residual(const struct task *t)
{
    uint32_t expected =
        t->expected_out_bytes > 0 ? t->expected_out_bytes : t->expected_in_bytes;
    return residual_of(expected, t->transfer_bytes);
}

/* When to try again, in units of 100 ms: SAM-5, 5.3.2; RFC 7144. */
static uint16_t task_status_qualifier(const struct task *t)
{
    bool passes = t->status == SAM_BUSY || t->status == SAM_TASK_SET_FULL;
    bool told =
        session_params(t->conn->session)->protocol_level >= PROTOCOL_LEVEL_RFC7144;
    return passes && told ? 1 : 0;
}

static void task_send_status(struct task *t)
{
    struct conn *c = t->conn;
    struct tx_pdu *p = conn_tx_new(c);
    if (p == NULL)
        return;
    struct cmd_rsp rsp = {
        .response = CMD_COMPLETED,
        .status = (uint8_t)t->status,
        .status_qualifier = task_status_qualifier(t),
        .itt = t->itt,
        .exp_data_sn = t->data_in_pdus + t->out.r2t_sn,
        .residual = task_residual(t),
    };
    if (t->status == SAM_CHECK_CONDITION) {
        uint8_t segment[SENSE_SEGMENT_MAX];
        rsp.data_bytes =
            (uint32_t)sense_segment_encode(&t->sense, t->sense_descriptor, segment);
        tx_pdu_put_small(p, segment, rsp.data_bytes);
    }
    cmd_rsp_encode(&rsp, &p->head.bhs.cmd_rsp);
    p->task = t->detached ? NULL : t;
    conn_tx_queue(c, p);
}

static bool task_send_piece(struct task *t, uint32_t offset, uint32_t bytes, bool final,
                            bool has_status)
{
    struct tx_pdu *p = conn_tx_new(t->conn);
    if (p == NULL)
        return false;
    struct data_in m = {
        .final = final,
        .has_status = has_status,
        .status = SAM_GOOD,
        .itt = t->itt,
        .ttt = PDU_TAG_NONE,
        .data_sn = t->data_in_pdus++,
        .buffer_offset = offset,
        .data_bytes = bytes,
    };
    if (has_status)
        m.residual = task_residual(t);
    data_in_encode(&m, &p->head.bhs.data_in);
    p->data = t->data_in + offset;
    p->data_bytes = bytes;
    p->task = t;
    conn_tx_queue(t->conn, p);
    return true;
}

/* Sequences of at most MaxBurstLength, each ended by the F bit; the status rides in the
 * last PDU. */
static void task_send_data(struct task *t, uint32_t total)
{
    const struct params *params = session_params(t->conn->session);
    uint32_t burst_end = 0;
    for (uint32_t at = 0; at < total;) {
        if (at == burst_end)
            burst_end = total - at > params->max_burst_bytes
                            ? at + params->max_burst_bytes
                            : total;
        uint32_t bytes = burst_end - at;
        if (bytes > params->max_send_bytes)
            bytes = params->max_send_bytes;
        bool last = at + bytes == total;
        if (!task_send_piece(t, at, bytes, at + bytes == burst_end,
                             last && t->status == SAM_GOOD))
            return;
        at += bytes;
    }
}

/* READ and WRITE of 6, 10, 12 and 16 bytes, COMPARE AND WRITE, WRITE ATOMIC(16): SBC-4,
 * 5. */
static enum latency_kind task_latency_kind(const struct task *t)
{
    switch (t->cdb[0]) {
    case 0x08:
    case 0x28:
    case 0xa8:
    case 0x88:
        return LATENCY_READ;
    case 0x0a:
    case 0x2a:
    case 0xaa:
    case 0x89:
    case 0x8a:
    case 0x9c:
        return LATENCY_WRITE;
    default:
        return LATENCY_OTHER;
    }
}

static void task_count_error(struct session *s, const struct task *t)
{
    session_count(s, FIGURE_ERRORS, 1);
    if (t->status == SAM_BUSY)
        session_count(s, FIGURE_BUSY, 1);
    if (t->status == SAM_TASK_SET_FULL)
        session_count(s, FIGURE_TASK_SET_FULL, 1);
    if (t->status == SAM_CHECK_CONDITION &&
        sense_key_of(&t->sense) == SENSE_KEY_UNIT_ATTENTION)
        session_count(s, FIGURE_ATTENTIONS, 1);
}

/* While its LU is there. */
static void task_count(struct task *t, uint32_t in_bytes)
{
    struct session *s = t->conn->session;
    enum latency_kind kind = task_latency_kind(t);
    uint32_t out_bytes = t->status == SAM_GOOD ? t->data_out_received_bytes : 0;
    uint64_t us = session_time(s, kind, t->came_us);
    session_count(s, FIGURE_READ_BYTES, in_bytes);
    session_count(s, FIGURE_WRITTEN_BYTES, out_bytes);
    if (t->status != SAM_GOOD)
        task_count_error(s, t);
    if (t->lu == NULL || kind == LATENCY_OTHER)
        return;
    bool write = kind == LATENCY_WRITE;
    struct unit_work work = {1, write ? out_bytes : in_bytes, us};
    unit_count(t->lu->unit, t->conn->reactor->index, write, &work);
}

static void task_answer(struct task *t)
{
    uint32_t bytes =
        t->data_in_bytes < t->expected_in_bytes ? t->data_in_bytes : t->expected_in_bytes;
    t->state = TASK_ANSWERING;
    task_count(t, bytes);
    access_swap_on_task_end(t);
    reserve_leg_on_task_end(t);
    alua_on_task_end(t);
    t->lu = NULL;
    task_close(t);
    t->tx_refs++; /* ours, while we send */
    if (bytes > 0)
        task_send_data(t, bytes);
    else
        task_drop_buffer(t);
    if (bytes == 0 || t->status != SAM_GOOD)
        task_send_status(t);
    if (--t->tx_refs == 0)
        task_on_sent(t);
}

void task_on_sent(struct task *t)
{
    assert(t->state == TASK_ANSWERING);
    task_release(t);
}

/* ---- moving on ---- */

void task_execute(struct task *t)
{
    uint32_t at = t->out.at_bytes;
    t->data_out_received_bytes = at < t->out.kept_bytes ? at : t->out.kept_bytes;
    t->state = TASK_EXECUTING;
    if (exec_start(t) == EXEC_DONE)
        task_answer(t);
}

void task_done(struct task *t)
{
    assert(t->state == TASK_EXECUTING);
    if (t->aborted || t->detached)
        task_release(t);
    else
        task_answer(t);
}

void task_detach(struct task *t)
{
    assert(t->state == TASK_EXECUTING && t->data_in_bytes == 0);
    task_count(t, 0);
    task_close(t);
    session_detach_task(t->conn->session, t);
    task_send_status(t);
    task_drop_buffer(t);
}

static bool task_send_r2t(struct task *t)
{
    struct conn *c = t->conn;
    struct r2t m;
    if (!data_next_r2t(t, session_params(c->session), session_new_ttt(c->session), &m))
        return false;
    struct tx_pdu *p = conn_tx_new(c);
    if (p == NULL)
        return false;
    r2t_encode(&m, &p->head.bhs.r2t);
    conn_tx_queue(c, p);
    session_count(c->session, FIGURE_R2TS, 1);
    return true;
}

static void task_pace(struct task *t)
{
    int rc = pacer_enter(t);
    if (rc == 0) {
        task_execute(t);
    } else if (rc == -ENOMEM) {
        task_set_answer(t, SAM_BUSY, SENSE_NONE);
        task_answer(t);
    }
}

void task_start(struct task *t)
{
    if (t->answered)
        task_answer(t);
    else if (t->lu != NULL && lu_is_limited(t->lu))
        task_pace(t);
    else
        task_execute(t);
}

/* All that comes has come. What is refused is answered out of order: it does nothing. */
static void task_run(struct task *t)
{
    bool refused = t->answered && t->status != SAM_GOOD;
    if (refused || task_set_enables(t->conn->session, t))
        task_start(t);
    else
        t->state = TASK_DORMANT;
}

void task_advance(struct task *t)
{
    if (t->answered) {
        t->state = TASK_DISCARDING;
        if (data_is_quiet(t))
            task_run(t);
        return;
    }
    while (task_send_r2t(t))
        ;
    if (data_is_whole(t))
        task_run(t);
}

void task_refuse(struct task *t, enum sense_code code)
{
    assert(t->state == TASK_WAITING || t->state == TASK_RECEIVING ||
           t->state == TASK_DISCARDING || t->state == TASK_DORMANT);
    if (!t->answered)
        task_set_answer(t, SAM_CHECK_CONDITION, code);
    conn_rx_discard_task(t->conn, t);
    task_drop_buffer(t);
    task_advance(t);
}

void task_abort(struct task *t)
{
    if (t->state == TASK_EXECUTING) {
        t->aborted = true;
        exec_hurry(t);
    } else if (t->state != TASK_ANSWERING) {
        task_release(t);
    }
}

bool task_retry(struct task *t)
{
    int rc = task_get_buffer(t);
    if (rc == -EAGAIN)
        return false;
    reactor_stop_waiting(t->conn->reactor, t);
    t->state = TASK_RECEIVING;
    if (rc != 0)
        task_set_answer(t, SAM_BUSY, SENSE_NONE);
    task_advance(t);
    return true;
}

void task_lose_lu(struct task *t, struct access_swap *swap)
{
    if (t->state == TASK_EXECUTING) {
        access_swap_await(swap, t);
        exec_hurry(t);
        return;
    }
    if (t->state == TASK_THROTTLED)
        pacer_leave(t);
    t->lu = NULL;
    if (t->state != TASK_ANSWERING)
        task_refuse(t, SENSE_LUN_NOT_SUPPORTED);
}

void task_lose_access(struct task *t, struct alua_wait *wait)
{
    if (t->state == TASK_EXECUTING) {
        alua_await(wait, t);
        exec_hurry(t);
        return;
    }
    if (t->state == TASK_ANSWERING || t->answered)
        return;
    if (t->state == TASK_THROTTLED)
        pacer_leave(t);
    t->sense_descriptor = (unit_modes(t->lu->unit) & UNIT_DESCRIPTOR_SENSE) != 0;
    task_refuse(t, SENSE_ACCESS_TRANSITION);
}

/* ---- a command comes ---- */

static void task_fill(struct task *t, struct conn *c, const struct cmd_req *m)
{
    struct reactor *r = c->reactor;
    t->lane = r->lane;
    t->nexus = c->session->nexus;
    t->itt = m->itt;
    t->lun = m->lun;
    memcpy(t->cdb, m->cdb, sizeof(t->cdb));
    t->attribute = m->attr;
    t->expected_in_bytes = m->read ? m->expected_bytes : 0;
    t->expected_out_bytes = m->write ? m->expected_bytes : 0;
    t->conn = c;
    t->state = TASK_RECEIVING;
    t->cmd_sn = m->cmd_sn;
    t->came_us = c->rx.read_us;
    t->serial = r->task_serial++;
    t->immediate = m->immediate;
    if (!m->immediate)
        window_open(&c->session->window);
    session_add_task(c->session, t);
    task_set_enter(c->session, t);
    session_count(c->session, FIGURE_COMMANDS, 1);
    lunmgr_stir(r->target->lunmgr);
}

/* Memory for it, now or later. */
static void task_want_buffer(struct task *t, uint32_t immediate_bytes)
{
    /* Else data-out would be written past the buffer that exec asked for. */
    assert(t->out.kept_bytes == 0 ||
           (uint64_t)t->data_offset + t->out.kept_bytes <= t->buffer_bytes);
    int rc = task_get_buffer(t);
    if (rc == 0)
        return;
    if (rc == -EAGAIN && immediate_bytes == 0 && t->out.final_seen) {
        t->state = TASK_WAITING;
        reactor_wait_for_buffers(t->conn->reactor, t);
        return;
    }
    /* Its data is on its way and there is nowhere to put it. */
    task_set_answer(t, rc == -EAGAIN ? SAM_TASK_SET_FULL : SAM_BUSY, SENSE_NONE);
}

static void task_prepare(struct task *t, const struct cmd_req *m)
{
    const struct params *params = session_params(t->conn->session);
    enum sense_code code = data_check_command(t, params, m->data_bytes, m->final);
    if (code != SENSE_NONE) {
        data_init(t, m->data_bytes, m->final);
        task_set_answer(t, SAM_CHECK_CONDITION, code);
        return;
    }
    t->answered = exec_prepare(t) == EXEC_DONE;
    data_init(t, m->data_bytes, m->final);
    if (t->answered)
        t->out.kept_bytes = 0;
    else
        task_want_buffer(t, m->data_bytes);
}

static enum reject_reason task_may_begin(const struct conn *c, const struct cmd_req *m)
{
    struct session *s = c->session;
    if (s->nexus == NULL) /* a discovery session: RFC 7143, 4.3 */
        return REJECT_PROTOCOL_ERROR;
    if (session_find_task(s, m->itt) != NULL)
        return REJECT_TASK_IN_PROGRESS;
    if (m->immediate && s->immediate_count >= SESSION_IMMEDIATE_MAX)
        return REJECT_IMMEDIATE_TOO_MANY;
    return REJECT_NONE;
}

void task_on_command_begin(struct conn *c, struct request *req)
{
    struct cmd_req m;
    enum reject_reason why =
        cmd_req_decode(&req->bhs->cmd_req, req->ahs, req->ahs_bytes, &m);
    if (why == REJECT_NONE)
        why = task_may_begin(c, &m);
    if (why != REJECT_NONE) {
        request_reject(c, req, why);
        return;
    }
    struct task *t = task_new(c->reactor);
    if (t == NULL) {
        conn_doom(c, "no memory for a command");
        req->ignored = true;
        return;
    }
    task_fill(t, c, &m);
    task_prepare(t, &m);
    req->task = t;
    req->data = data_place(t, m.data_bytes, &req->keep_bytes);
}

void task_on_command_end(struct conn *c, struct request *req)
{
    (void)c;
    struct task *t = req->task;
    if (t == NULL)
        return;
    data_take_immediate(t, req->data_bytes);
    if (t->state != TASK_WAITING)
        task_advance(t);
}
