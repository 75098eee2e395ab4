/* SPDX-License-Identifier: Apache-2.0 */
/* Task management (RFC 7143, 11.5): which tasks a function ends, on which reactors, and
 * its answer when the disk I/O of all of them has ended. */
#include "target/request.h"

#include "base/log.h"
#include "proto/caps.h"
#include "proto/lun.h"
#include "target/exec.h"
#include "target/lu.h"
#include "target/reactor.h"
#include "target/reserve.h"
#include "target/session.h"
#include "target/sweep.h"
#include "target/unit.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* One function under way. */
struct tmf {
    struct conn *conn;
    struct tmf_req req;
    struct tmf_rsp rsp;
    enum nexus_event event;
    bool ends_sessions;
    bool loses_nexus;
    uint64_t serial; /* of its reactor's tasks when it came: later ones are not meant */
    struct fanout fanout;
    struct sweep sweeps[TARGET_REACTOR_MAX];
    unsigned releases;   /* of reservations, under way */
    const struct lu *lu; /* SCOPE_LU; until tmf_start() returns */
    size_t unit_count;
    struct unit **units; /* references, behind their volumes */
    struct volume *volumes[];
};

static void tmf_respond(struct conn *c, const struct tmf_rsp *rsp)
{
    struct tx_pdu *p = conn_tx_new(c);
    if (p == NULL)
        return;
    tmf_rsp_encode(rsp, &p->head.bhs.tmf_rsp);
    conn_tx_queue(c, p);
}

static void tmf_refuse(struct conn *c, uint32_t itt, enum tmf_response response)
{
    tmf_respond(c, &(struct tmf_rsp){.response = response, .itt = itt});
}

static void tmf_finish(struct tmf *f)
{
    struct conn *c = f->conn;
    for (size_t i = 0; i < f->unit_count; i++)
        unit_put(f->units[i]);
    c->pins--;
    c->session->tmf_count--;
    if (c->state != CONN_CLOSED && !c->given_up)
        tmf_respond(c, &f->rsp);
    if (f->ends_sessions)
        conn_drop(c, ASYNC_DROP_SESSION, "target cold reset");
    reactor_touch(c->reactor, c);
    free(f);
}

static void tmf_answer(struct tmf *f, enum tmf_response response)
{
    f->rsp.response = response;
    tmf_finish(f);
}

static struct tmf *tmf_new(struct conn *c, const struct tmf_req *req, size_t units_max)
{
    struct tmf *f = calloc(1, sizeof(*f) + 2 * units_max * sizeof(void *));
    if (f == NULL)
        return NULL;
    f->units = (struct unit **)&f->volumes[units_max];
    f->conn = c;
    f->req = *req;
    f->rsp.itt = req->itt;
    f->serial = c->reactor->task_serial;
    c->pins++;
    c->session->tmf_count++;
    return f;
}

static void tmf_add_unit(struct tmf *f, struct unit *unit)
{
    f->volumes[f->unit_count] = unit->volume;
    f->units[f->unit_count++] = unit_get(unit);
}

/* ---- reservations by RESERVE, which go with what befalls a nexus or a unit: SPC-2,
 * 5.5.1 ---- */

static void tmf_on_released(void *arg)
{
    struct tmf *f = arg;
    if (--f->releases == 0)
        tmf_finish(f);
}

static void tmf_release(struct tmf *f, struct unit *unit, const struct nexus *by)
{
    struct reactor *r = f->conn->reactor;
    struct reserve_moment moment;
    if (!reserve_is_held(r, unit, by))
        return;
    for (size_t i = 0; i < TARGET_REACTOR_MAX; i++)
        moment.before_serials[i] = by != NULL ? f->serial : f->sweeps[i].before_serial;
    f->releases++;
    reserve_end(r, unit, by, &moment, tmf_on_released, f);
}

/* ---- of one session: ABORT TASK, ABORT and CLEAR TASK SET, I_T NEXUS RESET ---- */

static void tmf_release_nexus(struct tmf *f)
{
    const struct nexus *nexus = f->conn->session->nexus;
    const struct view *view = nexus_view(nexus);
    for (size_t i = 0; view != NULL && i < view->lu_count; i++)
        tmf_release(f, view->lus[i].unit, nexus);
}

static void tmf_on_local_sweep(struct sweep *sweep)
{
    struct tmf *f = sweep->arg;
    if (f->loses_nexus)
        tmf_release_nexus(f);
    if (f->releases == 0)
        tmf_finish(f);
}

static void tmf_sweep_local(struct tmf *f)
{
    struct sweep *s = &f->sweeps[0];
    s->only_conn = f->conn;
    s->before_serial = f->serial;
    s->done = tmf_on_local_sweep;
    s->arg = f;
    sweep_start(f->conn->reactor, s);
}

/* The one that is meant. If it has been answered just now it does not exist any more, and
 * its answer goes out before this one. */
static const struct task *tmf_find_task(const struct tmf *f)
{
    const struct task *t = session_find_task(f->conn->session, f->req.ref_itt);
    bool there = t != NULL && t->state != TASK_ANSWERING && t->lun == f->req.lun;
    return there ? t : NULL;
}

/* There is no such task: its command may not have come, or not have had its turn. If its
 * number says so it counts as received, and as aborted. RFC 7143, 11.6.1. */
static void tmf_abort_absent(struct tmf *f)
{
    struct conn *c = f->conn;
    struct window *w = &c->session->window;
    uint32_t sn = f->req.ref_cmd_sn;
    bool in_window = !sn_before(sn, w->exp_cmd_sn) && !sn_before(w->max_cmd_sn, sn);
    bool exists = session_find_task(c->session, f->req.ref_itt) != NULL;
    bool may_be = !exists && in_window && sn_before(sn, f->req.cmd_sn);
    int rc = may_be ? held_plug(c, sn, f->req.ref_itt) : -ENOENT;
    tmf_answer(f, rc == 0 ? TMF_COMPLETE : rc == -ENOENT ? TMF_NO_TASK : TMF_REJECTED);
}

static void tmf_abort_task(struct tmf *f)
{
    if (tmf_find_task(f) == NULL) {
        tmf_abort_absent(f);
        return;
    }
    f->sweeps[0].spares_detached = true;
    f->sweeps[0].one_itt = true;
    f->sweeps[0].itt = f->req.ref_itt;
    tmf_sweep_local(f);
}

static void tmf_abort_task_set(struct tmf *f)
{
    held_plug_all(f->conn, f->req.cmd_sn, &f->req.lun);
    f->sweeps[0].spares_detached = true;
    f->sweeps[0].volumes = f->volumes;
    f->sweeps[0].volume_count = f->unit_count;
    tmf_sweep_local(f);
}

/* The nexus is lost and found again; the session stays. SAM-5, 7.6. */
static void tmf_nexus_reset(struct tmf *f)
{
    held_plug_all(f->conn, f->req.cmd_sn, NULL);
    nexus_notice(f->conn->session->nexus, NULL, NEXUS_LOST);
    f->loses_nexus = true;
    tmf_sweep_local(f);
}

/* ---- questions: RFC 7144 ---- */

static void tmf_query_task(struct tmf *f)
{
    tmf_answer(f, tmf_find_task(f) != NULL ? TMF_SUCCEEDED : TMF_COMPLETE);
}

static void tmf_query_task_set(struct tmf *f)
{
    enum tmf_response response = TMF_COMPLETE;
    for (const struct task *t = f->conn->session->first; t != NULL; t = t->next) {
        if (t->state != TASK_ANSWERING && !t->detached && t->lun == f->req.lun)
            response = TMF_SUCCEEDED;
    }
    tmf_answer(f, response);
}

#define EVENTS_ONE  0x100000U /* UADE DEPTH: SAM-5, 7.10 */
#define EVENTS_MORE 0x200000U

static void tmf_query_async_event(struct tmf *f)
{
    bool more;
    enum sense_code code = nexus_attention(f->conn->session->nexus, f->lu, &more);
    if (code != SENSE_NONE)
        f->rsp.info = (more ? EVENTS_MORE : EVENTS_ONE) | (uint32_t)code;
    tmf_answer(f, code != SENSE_NONE ? TMF_SUCCEEDED : TMF_COMPLETE);
}

/* ---- of all sessions: LOGICAL UNIT RESET, TARGET WARM and COLD RESET ---- */

static bool tmf_concerns(const struct tmf *f, const struct conn *c)
{
    const struct view *view = session_view(c->session);
    for (size_t i = 0; i < f->unit_count; i++) {
        if (view_shows(view, f->volumes[i]))
            return true;
    }
    return false;
}

/* The asker's own ends when it has its answer. */
static void tmf_end_sessions(const struct tmf *f, struct reactor *r)
{
    for (struct conn *c = r->conns; c != NULL; c = c->next) {
        if (c->session->nexus != NULL && c != f->conn && tmf_concerns(f, c))
            conn_drop(c, ASYNC_DROP_SESSION, "target cold reset by another session");
    }
}

static void tmf_on_leg_sweep(struct sweep *sweep)
{
    struct fanout_leg *leg = sweep->arg;
    const struct tmf *f = container_of(leg->fanout, struct tmf, fanout);
    if (f->ends_sessions)
        tmf_end_sessions(f, leg->reactor);
    fanout_leg_done(leg);
}

static void tmf_tell(const struct tmf *f, struct reactor *r)
{
    for (struct conn *c = r->conns; c != NULL; c = c->next) {
        for (size_t i = 0; c->session->nexus != NULL && i < f->unit_count; i++)
            nexus_notice(c->session->nexus, f->volumes[i], f->event);
    }
}

static void tmf_on_leg(struct fanout_leg *leg)
{
    struct tmf *f = container_of(leg->fanout, struct tmf, fanout);
    struct reactor *r = leg->reactor;
    struct sweep *s = &f->sweeps[r->index];
    s->volumes = f->volumes;
    s->volume_count = f->unit_count;
    s->before_serial = r == f->conn->reactor ? f->serial : r->task_serial;
    s->done = tmf_on_leg_sweep;
    s->arg = leg;
    tmf_tell(f, r);
    sweep_start(r, s);
}

static void tmf_on_all(struct fanout *fanout)
{
    struct tmf *f = container_of(fanout, struct tmf, fanout);
    for (size_t i = 0; i < f->unit_count; i++)
        tmf_release(f, f->units[i], NULL);
    if (f->releases == 0)
        tmf_finish(f);
}

static void tmf_sweep_all(struct tmf *f)
{
    f->fanout.asker = f->conn->reactor->loop;
    f->fanout.run = tmf_on_leg;
    f->fanout.done = tmf_on_all;
    fanout_start(&f->fanout, f->conn->reactor->target);
}

static void tmf_lu_reset(struct tmf *f)
{
    held_plug_all(f->conn, f->req.cmd_sn, &f->req.lun);
    f->event = NEXUS_LU_RESET;
    tmf_sweep_all(f);
}

static void tmf_warm_reset(struct tmf *f)
{
    held_plug_all(f->conn, f->req.cmd_sn, NULL);
    f->event = NEXUS_TARGET_RESET;
    tmf_sweep_all(f);
}

/* As if the power had been off: the sessions end. RFC 7143, 11.5.1. */
static void tmf_cold_reset(struct tmf *f)
{
    f->ends_sessions = true;
    tmf_warm_reset(f);
}

/* ---- which one ---- */

enum tmf_scope { SCOPE_TASK, SCOPE_LU, SCOPE_NEXUS, SCOPE_ALL_LUS };

static const struct {
    void (*run)(struct tmf *f); /* NULL: never, as `refusal` says */
    enum tmf_scope scope;
    uint32_t level;    /* iSCSIProtocolLevel that has it */
    uint16_t reported; /* as REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS tells it */
    enum tmf_response refusal;
} tmf_table[] = {
    [TMF_ABORT_TASK] = {tmf_abort_task, SCOPE_TASK, 0, REPORT_TMF_ABORT_TASK, 0},
    [TMF_ABORT_TASK_SET] = {tmf_abort_task_set, SCOPE_LU, 0, REPORT_TMF_ABORT_TASK_SET,
                            0},
    [TMF_CLEAR_ACA] = {NULL, 0, 0, 0, TMF_NOT_SUPPORTED},
    /* With TST 001b a task set is one nexus's: SAM-5, 7.5. */
    [TMF_CLEAR_TASK_SET] = {tmf_abort_task_set, SCOPE_LU, 0, REPORT_TMF_CLEAR_TASK_SET,
                            0},
    [TMF_LU_RESET] = {tmf_lu_reset, SCOPE_LU, 0, REPORT_TMF_LU_RESET, 0},
    [TMF_TARGET_WARM_RESET] = {tmf_warm_reset, SCOPE_ALL_LUS, 0, REPORT_TMF_TARGET_RESET,
                               0},
    [TMF_TARGET_COLD_RESET] = {tmf_cold_reset, SCOPE_ALL_LUS, 0, REPORT_TMF_TARGET_RESET,
                               0},
    [TMF_TASK_REASSIGN] = {NULL, 0, 0, 0, TMF_NO_REASSIGN}, /* error recovery level 0 */
    [TMF_QUERY_TASK] = {tmf_query_task, SCOPE_TASK, PROTOCOL_LEVEL_RFC7144,
                        REPORT_TMF_QUERY_TASK, 0},
    [TMF_QUERY_TASK_SET] = {tmf_query_task_set, SCOPE_LU, PROTOCOL_LEVEL_RFC7144,
                            REPORT_TMF_QUERY_TASK_SET, 0},
    [TMF_I_T_NEXUS_RESET] = {tmf_nexus_reset, SCOPE_NEXUS, PROTOCOL_LEVEL_RFC7144,
                             REPORT_TMF_I_T_NEXUS_RESET, 0},
    [TMF_QUERY_ASYNC_EVENT] = {tmf_query_async_event, SCOPE_LU, PROTOCOL_LEVEL_RFC7144,
                               REPORT_TMF_QUERY_ASYNC_EVENT, 0},
};

uint16_t tmf_reported(uint32_t level)
{
    uint16_t functions = 0;
    for (size_t i = 0; i < ARRAY_LEN(tmf_table); i++)
        if (tmf_table[i].run != NULL && level >= tmf_table[i].level)
            functions |= tmf_table[i].reported;
    return functions;
}

/* TMF_COMPLETE: it may start. */
static enum tmf_response tmf_may_start(const struct session *s, uint8_t function)
{
    if (function == 0 || function >= ARRAY_LEN(tmf_table) ||
        session_params(s)->protocol_level < tmf_table[function].level)
        return TMF_NOT_SUPPORTED;
    if (tmf_table[function].run == NULL)
        return tmf_table[function].refusal;
    return s->tmf_count >= SESSION_TMF_MAX ? TMF_REJECTED : TMF_COMPLETE;
}

static void tmf_start(struct conn *c, const struct tmf_req *m)
{
    const struct view *view = session_view(c->session);
    enum tmf_scope scope = tmf_table[m->function].scope;
    uint32_t no;
    const struct lu *lu = NULL;
    if (scope == SCOPE_LU) {
        lu = lun_decode(m->lun, &no) == 0 ? view_lu(view, no) : NULL;
        if (lu == NULL) {
            tmf_refuse(c, m->itt, TMF_NO_LUN);
            return;
        }
    }
    size_t lus = view == NULL ? 0 : view->lu_count;
    struct tmf *f = tmf_new(c, m, scope == SCOPE_ALL_LUS ? lus : 1);
    if (f == NULL) {
        tmf_refuse(c, m->itt, TMF_REJECTED);
        return;
    }
    f->lu = lu;
    if (lu != NULL)
        tmf_add_unit(f, lu->unit);
    for (size_t i = 0; scope == SCOPE_ALL_LUS && i < lus; i++)
        tmf_add_unit(f, view->lus[i].unit);
    tmf_table[m->function].run(f);
}

static unsigned tmf_figure(uint8_t function)
{
    return function < FIGURE_FUNCTIONS ? function : 0;
}

void tmf_on_request(struct conn *c, struct request *req)
{
    struct tmf_req m;
    enum reject_reason why = tmf_req_decode(&req->bhs->tmf_req, &m);
    if (why == REJECT_NONE && c->session->nexus == NULL)
        why = REJECT_PROTOCOL_ERROR;
    if (why != REJECT_NONE) {
        request_reject(c, req, why);
        return;
    }
    session_count(c->session, (enum target_figure)(FIGURE_TMF + tmf_figure(m.function)),
                  1);
    log_info("task management", "function=%u session=%llu lun=%016llx", m.function,
             (unsigned long long)c->session->ticket->id, (unsigned long long)m.lun);
    enum tmf_response response = tmf_may_start(c->session, m.function);
    if (response == TMF_COMPLETE)
        tmf_start(c, &m);
    else
        tmf_refuse(c, m.itt, response);
}
