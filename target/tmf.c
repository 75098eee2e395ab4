/* SPDX-License-Identifier: Apache-2.0 */
/* Task management (RFC 7143, 11.5): which tasks a function ends, on which reactors, and
 * its answer when the disk I/O of all of them has ended. */
#include "target/request.h"

#include "base/log.h"
#include "proto/lun.h"
#include "target/exec.h"
#include "target/lu.h"
#include "target/reactor.h"
#include "target/session.h"
#include "target/sweep.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* One function under way. */
struct tmf {
    struct conn *conn;
    struct tmf_req req;
    enum tmf_response response;
    enum nexus_event event;
    struct fanout fanout;
    struct sweep sweeps[TARGET_REACTOR_MAX];
    size_t volume_count;
    struct volume *volumes[]; /* references */
};

static void tmf_respond(struct conn *c, uint32_t itt, enum tmf_response response)
{
    struct tx_pdu *p = conn_tx_new(c);
    if (p == NULL)
        return;
    struct tmf_rsp rsp = {.response = response, .itt = itt};
    tmf_rsp_encode(&rsp, &p->head.bhs.tmf_rsp);
    conn_tx_queue(c, p);
}

static void tmf_finish(struct tmf *f)
{
    struct conn *c = f->conn;
    for (size_t i = 0; i < f->volume_count; i++)
        volume_put(f->volumes[i]);
    c->pins--;
    c->session->tmf_count--;
    if (conn_is_live(c))
        tmf_respond(c, f->req.itt, f->response);
    reactor_touch(c->reactor, c);
    free(f);
}

static struct tmf *tmf_new(struct conn *c, const struct tmf_req *req, size_t volumes_max)
{
    struct tmf *f = calloc(1, sizeof(*f) + volumes_max * sizeof(void *));
    if (f == NULL)
        return NULL;
    f->conn = c;
    f->req = *req;
    f->response = TMF_COMPLETE;
    c->pins++;
    c->session->tmf_count++;
    return f;
}

static void tmf_add_volume(struct tmf *f, struct volume *volume)
{
    volume_get(volume);
    f->volumes[f->volume_count++] = volume;
}

/* ---- of one session: ABORT TASK, ABORT and CLEAR TASK SET ---- */

static void tmf_on_local_sweep(struct sweep *sweep)
{
    tmf_finish(sweep->arg);
}

static void tmf_sweep_local(struct tmf *f)
{
    struct sweep *s = &f->sweeps[0];
    s->only_conn = f->conn;
    s->done = tmf_on_local_sweep;
    s->arg = f;
    sweep_start(f->conn->reactor, s);
}

/* The task that is to be aborted may have been answered just now: then it does not exist
 * any more, and its answer goes out before this one. */
static enum tmf_response tmf_look_up(const struct conn *c, const struct tmf_req *m)
{
    const struct task *t = session_find_task(c->session, m->ref_itt);
    if (t == NULL || t->state == TASK_ANSWERING)
        return TMF_NO_TASK;
    return t->lun == m->lun ? TMF_COMPLETE : TMF_NO_TASK;
}

static void tmf_abort_task(struct tmf *f)
{
    f->response = tmf_look_up(f->conn, &f->req);
    if (f->response != TMF_COMPLETE) {
        tmf_finish(f);
        return;
    }
    f->sweeps[0].one_itt = true;
    f->sweeps[0].itt = f->req.ref_itt;
    tmf_sweep_local(f);
}

static void tmf_abort_task_set(struct tmf *f)
{
    f->sweeps[0].volumes = f->volumes;
    f->sweeps[0].volume_count = f->volume_count;
    tmf_sweep_local(f);
}

/* ---- of all sessions: LOGICAL UNIT RESET, TARGET WARM RESET ---- */

static void tmf_on_leg_sweep(struct sweep *sweep)
{
    fanout_leg_done(sweep->arg);
}

static void tmf_tell(const struct tmf *f, struct reactor *r)
{
    for (struct conn *c = r->conns; c != NULL; c = c->next) {
        for (size_t i = 0; c->session->nexus != NULL && i < f->volume_count; i++)
            nexus_notice(c->session->nexus, f->volumes[i], f->event);
    }
}

static void tmf_on_leg(struct fanout_leg *leg)
{
    struct tmf *f = container_of(leg->fanout, struct tmf, fanout);
    struct sweep *s = &f->sweeps[leg->reactor->index];
    s->volumes = f->volumes;
    s->volume_count = f->volume_count;
    s->done = tmf_on_leg_sweep;
    s->arg = leg;
    tmf_tell(f, leg->reactor);
    sweep_start(leg->reactor, s);
}

static void tmf_on_all(struct fanout *fanout)
{
    tmf_finish(container_of(fanout, struct tmf, fanout));
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
    f->event = NEXUS_LU_RESET;
    tmf_sweep_all(f);
}

static void tmf_target_reset(struct tmf *f)
{
    f->event = NEXUS_TARGET_RESET;
    tmf_sweep_all(f);
}

/* ---- which one ---- */

enum tmf_scope { SCOPE_TASK, SCOPE_LU, SCOPE_ALL_LUS };

static const struct {
    void (*run)(struct tmf *f); /* NULL: not supported */
    enum tmf_scope scope;
} tmf_table[] = {
    [TMF_ABORT_TASK] = {tmf_abort_task, SCOPE_TASK},
    [TMF_ABORT_TASK_SET] = {tmf_abort_task_set, SCOPE_LU},
    /* With TST 001b a task set is one nexus's: SAM-5, 7.5. */
    [TMF_CLEAR_TASK_SET] = {tmf_abort_task_set, SCOPE_LU},
    [TMF_LU_RESET] = {tmf_lu_reset, SCOPE_LU},
    [TMF_TARGET_WARM_RESET] = {tmf_target_reset, SCOPE_ALL_LUS},
};

static void tmf_start(struct conn *c, const struct tmf_req *m)
{
    const struct view *view =
        access_view(c->reactor->access, c->session->negotiation.said.initiator_name);
    enum tmf_scope scope = tmf_table[m->function].scope;
    uint32_t no;
    const struct lu *lu = NULL;
    if (scope == SCOPE_LU) {
        lu = lun_decode(m->lun, &no) == 0 ? view_lu(view, (uint16_t)no) : NULL;
        if (lu == NULL) {
            tmf_respond(c, m->itt, TMF_NO_LUN);
            return;
        }
    }
    size_t lus = view == NULL ? 0 : view->lu_count;
    struct tmf *f = tmf_new(c, m, scope == SCOPE_ALL_LUS ? lus : 1);
    if (f == NULL) {
        tmf_respond(c, m->itt, TMF_REJECTED);
        return;
    }
    if (lu != NULL)
        tmf_add_volume(f, lu->volume);
    for (size_t i = 0; scope == SCOPE_ALL_LUS && i < lus; i++)
        tmf_add_volume(f, view->lus[i].volume);
    tmf_table[m->function].run(f);
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
    log_info("task management", "function=%u session=%llu lun=%016llx", m.function,
             (unsigned long long)c->session->ticket->id, (unsigned long long)m.lun);
    if (m.function >= ARRAY_LEN(tmf_table) || tmf_table[m.function].run == NULL)
        tmf_respond(c, m.itt, TMF_NOT_SUPPORTED);
    else if (c->session->tmf_count >= SESSION_TMF_MAX)
        tmf_respond(c, m.itt, TMF_REJECTED);
    else
        tmf_start(c, &m);
}
