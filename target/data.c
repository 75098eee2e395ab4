/* SPDX-License-Identifier: Apache-2.0 */
/* Data-out: what comes with the command, unasked, and by R2T. Sequences and PDUs come in
 * order (DataSequenceInOrder and DataPDUInOrder are Yes), so one offset says it all. The
 * counting is pure; the two handlers at the end join it to a connection. */
#include "target/task_flow.h"

#include "target/request.h"
#include "target/session.h"

#include <assert.h>

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t unsolicited_max(const struct task *t, const struct params *params)
{
    return min_u32(params->first_burst_bytes, t->expected_out_bytes);
}

enum sense_code data_check_command(const struct task *t, const struct params *params,
                                   uint32_t immediate_bytes, bool final)
{
    /* RFC 7143, 11.4.7.2 */
    if (immediate_bytes > 0 && !params->immediate_data)
        return SENSE_UNEXPECTED_UNSOLICITED;
    if (immediate_bytes > unsolicited_max(t, params))
        return SENSE_UNEXPECTED_UNSOLICITED;
    if (!final && (params->initial_r2t || t->expected_out_bytes == 0))
        return SENSE_UNEXPECTED_UNSOLICITED;
    return SENSE_NONE;
}

void data_init(struct task *t, uint32_t immediate_bytes, bool final)
{
    t->out = (struct task_data_out){
        .kept_bytes = min_u32(t->expected_out_bytes, t->data_out_bytes),
        .immediate_due = immediate_bytes > 0,
        .final_seen = final || t->expected_out_bytes == 0,
    };
}

void data_take_immediate(struct task *t, uint32_t bytes)
{
    t->out.at_bytes = t->out.asked_bytes = bytes;
    t->out.immediate_due = false;
}

void data_take(struct task *t, uint32_t bytes, bool final)
{
    struct task_data_out *o = &t->out;
    o->at_bytes += bytes;
    o->data_sn++;
    if (!o->final_seen) {
        o->asked_bytes = o->at_bytes;
        o->final_seen = final;
        if (final)
            o->data_sn = 0;
    } else if (o->at_bytes == o->r2t_end[o->r2t_done % SESSION_R2T_MAX]) {
        o->r2t_done++;
        o->data_sn = 0;
    }
}

bool data_is_next(const struct task *t, const struct params *params,
                  const struct data_out *m)
{
    const struct task_data_out *o = &t->out;
    uint64_t end = (uint64_t)m->buffer_offset + m->data_bytes;
    if (m->buffer_offset != o->at_bytes)
        return false;
    if (m->ttt == PDU_TAG_NONE)
        return !o->final_seen && end <= unsolicited_max(t, params);
    if (!o->final_seen || o->r2t_done == o->r2t_sn)
        return false;
    uint32_t slot = o->r2t_done % SESSION_R2T_MAX;
    /* The F bit ends the sequence, and the sequence is what was asked for. */
    return m->ttt == o->r2t_ttt[slot] && end <= o->r2t_end[slot] &&
           m->final == (end == o->r2t_end[slot]);
}

bool data_sn_is_next(const struct task *t, const struct data_out *m)
{
    return m->data_sn == t->out.data_sn;
}

bool data_next_r2t(struct task *t, const struct params *params, uint32_t ttt,
                   struct r2t *out)
{
    struct task_data_out *o = &t->out;
    uint32_t most = min_u32(params->max_outstanding_r2t, SESSION_R2T_MAX);
    if (!o->final_seen || o->asked_bytes >= o->kept_bytes ||
        o->r2t_sn - o->r2t_done >= most)
        return false;
    uint32_t bytes = min_u32(params->max_burst_bytes, o->kept_bytes - o->asked_bytes);
    *out = (struct r2t){
        .lun = t->lun,
        .itt = t->itt,
        .ttt = ttt,
        .r2t_sn = o->r2t_sn,
        .buffer_offset = o->asked_bytes,
        .desired_bytes = bytes,
    };
    o->asked_bytes += bytes;
    o->r2t_ttt[o->r2t_sn % SESSION_R2T_MAX] = ttt;
    o->r2t_end[o->r2t_sn % SESSION_R2T_MAX] = o->asked_bytes;
    o->r2t_sn++;
    return true;
}

bool data_is_quiet(const struct task *t)
{
    return !t->out.immediate_due && t->out.final_seen && t->out.r2t_done == t->out.r2t_sn;
}

bool data_is_whole(const struct task *t)
{
    return data_is_quiet(t) && t->out.at_bytes >= t->out.kept_bytes;
}

uint8_t *data_place(const struct task *t, uint32_t bytes, uint32_t *keep_bytes)
{
    const struct task_data_out *o = &t->out;
    *keep_bytes = 0;
    if (t->buffer.base == NULL || o->at_bytes >= o->kept_bytes)
        return NULL;
    *keep_bytes = min_u32(bytes, o->kept_bytes - o->at_bytes);
    return t->buffer.base + t->data_offset + o->at_bytes;
}

void data_on_out_begin(struct conn *c, struct request *req)
{
    struct data_out m;
    enum reject_reason why = data_out_decode(&req->bhs->data_out, &m);
    if (why != REJECT_NONE) {
        request_protocol_error(c, req, why, "bad Data-Out");
        return;
    }
    struct task *t = session_find_task(c->session, m.itt);
    if (t == NULL && session_has_abandoned(c->session, m.itt)) {
        req->ignored = true;
        return;
    }
    if (t == NULL) {
        request_reject(c, req, REJECT_INVALID_FIELD);
        req->ignored = true;
        return;
    }
    if (!data_is_next(t, session_params(c->session), &m)) {
        request_protocol_error(c, req, REJECT_INVALID_FIELD, "Data-Out out of order");
        return;
    }
    req->task = t;
    req->data = data_place(t, m.data_bytes, &req->keep_bytes);
}

/* Its data is counted and its task, if it has one, ends with that sense. */
static void data_count(struct request *req, enum sense_code code)
{
    struct task *t = req->task;
    struct data_out m;
    if (t == NULL || data_out_decode(&req->bhs->data_out, &m) != REJECT_NONE)
        return;
    /* RFC 7143, 7.9: one of those before it is lost, which is as if its digest were bad.
     */
    if (!data_sn_is_next(t, &m))
        code = SENSE_DATA_CRC;
    data_take(t, m.data_bytes, m.final);
    if (code == SENSE_NONE)
        task_advance(t);
    else
        task_refuse(t, code);
}

void data_on_out_end(struct conn *c, struct request *req)
{
    (void)c;
    data_count(req, SENSE_NONE);
}

void data_on_out_bad(struct conn *c, struct request *req)
{
    (void)c;
    /* RFC 7143, 7.8: the task ends with PROTOCOL SERVICE CRC ERROR */
    data_count(req, SENSE_DATA_CRC);
}
