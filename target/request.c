/* SPDX-License-Identifier: Apache-2.0 */
/* The full feature phase's door: every request is checked, takes its turn by CmdSN, and
 * goes to its handler. One that came before its turn is kept until the gap is filled. */
#include "target/request.h"

#include "base/log.h"
#include "target/reactor.h"
#include "target/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A request before its turn, kept. */
struct held {
    struct held *next;
    uint32_t cmd_sn;
    bool plug; /* nothing is to be done: the number alone is taken */
    uint32_t data_bytes;
    union bhs bhs;
    size_t ahs_bytes;
    uint8_t bytes[]; /* AHS, then data */
};

/* ---- answers to bad requests ---- */

void request_reject(struct conn *c, const struct request *req, enum reject_reason reason)
{
    struct tx_pdu *p = conn_tx_new(c);
    if (p == NULL)
        return;
    log_warning("request rejected", "request=\"%s\" reason=%u session=%llu address=%s",
                pdu_opcode_name(pdu_opcode(req->bhs)), (unsigned)reason,
                (unsigned long long)c->session->ticket->id, c->peer);
    struct reject m = {.reason = reason, .data_bytes = BHS_BYTES};
    reject_encode(&m, &p->head.bhs.reject);
    tx_pdu_put_small(p, req->bhs, BHS_BYTES);
    conn_tx_queue(c, p);
    session_count(c->session, FIGURE_REJECTS, 1);
}

void request_protocol_error(struct conn *c, const struct request *req,
                            enum reject_reason reason, const char *why)
{
    request_reject(c, req, reason);
    conn_end(c, why);
}

void request_keep_data(struct conn *c, struct request *req)
{
    if (req->data_bytes == 0)
        return;
    req->owned = malloc(req->data_bytes);
    if (req->owned == NULL) {
        conn_doom(c, "no memory for a request");
        req->ignored = true;
        return;
    }
    req->data = req->owned;
    req->keep_bytes = req->data_bytes;
}

void request_drop(struct request *req)
{
    free(req->owned);
    free(req->held);
    *req = (struct request){0};
}

/* ---- NOP and logout ---- */

void request_ping(struct conn *c)
{
    struct tx_pdu *p = conn_tx_new(c);
    if (p == NULL)
        return;
    struct nop_in m = {.itt = PDU_TAG_NONE, .ttt = session_new_ttt(c->session)};
    nop_in_encode(&m, &p->head.bhs.nop_in);
    conn_tx_queue(c, p);
    session_count(c->session, FIGURE_PINGS_SENT, 1);
}

static void nop_begin(struct conn *c, struct request *req)
{
    /* Only what is to be sent back is kept. */
    if (be32_get(req->bhs->any.itt) != PDU_TAG_NONE)
        request_keep_data(c, req);
}

static void nop_end(struct conn *c, struct request *req)
{
    struct nop_out m;
    enum reject_reason why = nop_out_decode(&req->bhs->nop_out, &m);
    if (why != REJECT_NONE) {
        request_reject(c, req, why);
        return;
    }
    if (m.itt == PDU_TAG_NONE) /* the answer to a ping of ours */
        return;
    session_count(c->session, FIGURE_PINGS_RECEIVED, 1);
    struct tx_pdu *p = conn_tx_new(c);
    if (p == NULL)
        return;
    struct nop_in rsp = {
        .lun = m.lun, .itt = m.itt, .ttt = PDU_TAG_NONE, .data_bytes = m.data_bytes};
    if (rsp.data_bytes > session_params(c->session)->max_send_bytes)
        rsp.data_bytes = session_params(c->session)->max_send_bytes;
    nop_in_encode(&rsp, &p->head.bhs.nop_in);
    p->owned = TAKE(req->owned);
    p->data = p->owned;
    p->data_bytes = rsp.data_bytes;
    conn_tx_queue(c, p);
}

static void logout_respond(struct conn *c, uint32_t itt, enum logout_response response)
{
    struct tx_pdu *p = conn_tx_new(c);
    if (p == NULL)
        return;
    struct logout_rsp rsp = {.response = response, .itt = itt, .time2wait_s = 2};
    logout_rsp_encode(&rsp, &p->head.bhs.logout_rsp);
    conn_tx_queue(c, p);
}

void request_answer_logout(struct conn *c)
{
    c->logout_asked = false;
    logout_respond(c, c->logout_itt, LOGOUT_CLOSED);
}

static void logout_end(struct conn *c, struct request *req)
{
    struct logout_req m;
    enum reject_reason why = logout_req_decode(&req->bhs->logout_req, &m);
    if (why != REJECT_NONE) {
        request_reject(c, req, why);
        return;
    }
    if (m.reason == LOGOUT_RECOVERY) { /* error recovery level 0 */
        logout_respond(c, m.itt, LOGOUT_NO_RECOVERY);
        return;
    }
    if (m.reason == LOGOUT_CONNECTION && m.cid != c->cid) {
        logout_respond(c, m.itt, LOGOUT_NO_CID);
        return;
    }
    c->logout_asked = true;
    c->logout_itt = m.itt;
    conn_end(c, "logout");
}

static void snack_end(struct conn *c, struct request *req)
{
    /* Error recovery level 0 has none: RFC 7143, 11.16. */
    request_reject(c, req, REJECT_SNACK);
}

static void login_again_end(struct conn *c, struct request *req)
{
    request_protocol_error(c, req, REJECT_PROTOCOL_ERROR, "login in full feature phase");
}

/* ---- the table ---- */

static const struct request_handler handlers[] = {
    /* opcode          begin                   end */
    [OP_NOP_OUT] = {nop_begin, nop_end},
    [OP_CMD_REQ] = {task_on_command_begin, task_on_command_end},
    [OP_TMF_REQ] = {NULL, tmf_on_request},
    [OP_LOGIN_REQ] = {NULL, login_again_end},
    [OP_TEXT_REQ] = {request_keep_data, text_on_request},
    [OP_DATA_OUT] = {data_on_out_begin, data_on_out_end},
    [OP_LOGOUT_REQ] = {NULL, logout_end},
    [OP_SNACK_REQ] = {NULL, snack_end},
};

/* request_begin has checked that it is one of them. */
static const struct request_handler *handler_of(const struct request *req)
{
    return &handlers[pdu_opcode(req->bhs)];
}

static void handler_begin(struct conn *c, struct request *req)
{
    if (handler_of(req)->begin != NULL)
        handler_of(req)->begin(c, req);
}

/* ---- those before their turn ---- */

static void held_begin(struct conn *c, struct request *req)
{
    struct session *s = c->session;
    size_t bytes = sizeof(struct held) + req->ahs_bytes + req->data_bytes;
    if (s->held_bytes + bytes > conn_limit(c, LIMIT_INPUT)) {
        conn_refuse(c, LIMIT_INPUT);
        request_protocol_error(c, req, REJECT_OUT_OF_RESOURCES,
                               "too many requests before their turn");
        return;
    }
    struct held *h = malloc(bytes);
    if (h == NULL) {
        conn_doom(c, "no memory for a request");
        req->ignored = true;
        return;
    }
    h->cmd_sn = pdu_cmd_sn(req->bhs);
    h->plug = false;
    h->data_bytes = req->data_bytes;
    h->bhs = *req->bhs;
    h->ahs_bytes = req->ahs_bytes;
    memcpy(h->bytes, req->ahs, req->ahs_bytes);
    req->held = h;
    req->data = h->bytes + h->ahs_bytes;
    req->keep_bytes = req->data_bytes;
}

static size_t held_bytes(const struct held *h)
{
    return sizeof(*h) + h->ahs_bytes + h->data_bytes;
}

/* Where one with this number is, or would be. */
static struct held **held_place(struct session *s, uint32_t cmd_sn)
{
    struct held **at = &s->held;
    while (*at != NULL && sn_before((*at)->cmd_sn, cmd_sn))
        at = &(*at)->next;
    return at;
}

static void held_insert(struct session *s, struct held **from)
{
    struct held **at = held_place(s, (*from)->cmd_sn);
    if (*at != NULL && (*at)->cmd_sn == (*from)->cmd_sn)
        return; /* twice: the first one counts */
    struct held *h = TAKE(*from);
    h->next = *at;
    *at = h;
    s->held_bytes += held_bytes(h);
}

static struct held *held_take_next(struct session *s)
{
    struct held *h = s->held;
    if (h == NULL || h->cmd_sn != s->window.exp_cmd_sn)
        return NULL;
    s->held = h->next;
    s->held_bytes -= held_bytes(h);
    return h;
}

static void held_run(struct conn *c, struct held *h)
{
    struct request req = {
        .bhs = &h->bhs,
        .ahs = h->bytes,
        .ahs_bytes = h->ahs_bytes,
        .data_bytes = h->data_bytes,
    };
    enum window_verdict verdict = window_take(&c->session->window, h->cmd_sn, false);
    assert(verdict == WINDOW_RUN);
    if (h->plug)
        return;
    handler_begin(c, &req);
    if (req.data != NULL)
        memcpy(req.data, h->bytes + h->ahs_bytes, req.keep_bytes);
    if (conn_is_live(c) && !req.ignored)
        handler_of(&req)->end(c, &req);
    request_drop(&req);
}

static void held_run_all(struct conn *c)
{
    struct held *h;
    while (conn_is_live(c) && (h = held_take_next(c->session)) != NULL) {
        held_run(c, h);
        free(h);
    }
}

void held_drop_all(struct conn *c)
{
    struct session *s = c->session;
    while (s->held != NULL) {
        struct held *h = s->held;
        s->held = h->next;
        free(h);
    }
    s->held_bytes = 0;
}

int held_plug(struct conn *c, uint32_t cmd_sn, uint32_t itt)
{
    struct held *h = *held_place(c->session, cmd_sn);
    if (h != NULL && h->cmd_sn == cmd_sn) {
        if (be32_get(h->bhs.any.itt) != itt)
            return -ENOENT;
        h->plug = true;
        return 0;
    }
    h = calloc(1, sizeof(*h));
    if (h == NULL)
        return -ENOMEM;
    h->cmd_sn = cmd_sn;
    h->bhs.any.itt = be32_of(itt);
    h->plug = true;
    held_insert(c->session, &h);
    return 0;
}

void held_plug_all(struct conn *c, uint32_t before_cmd_sn, const uint64_t *lun)
{
    for (struct held *h = c->session->held; h != NULL; h = h->next) {
        bool before = sn_before(h->cmd_sn, before_cmd_sn);
        bool meant = lun == NULL || be64_get(h->bhs.any.lun) == *lun;
        h->plug |= before && meant && pdu_opcode(&h->bhs) == OP_CMD_REQ;
    }
}

/* ---- the door ---- */

static bool request_check(struct conn *c, struct request *req)
{
    enum reject_reason why = pdu_check_request(req->bhs);
    if (why != REJECT_NONE) {
        request_protocol_error(c, req, why, "bad request");
        return false;
    }
    if (req->data_bytes > session_params(c->session)->max_recv_bytes) {
        conn_refuse(c, LIMIT_RECV_SEGMENT);
        request_protocol_error(c, req, REJECT_PROTOCOL_ERROR,
                               "data segment over MaxRecvDataSegmentLength");
        return false;
    }
    return true;
}

void request_begin(struct conn *c, struct request *req)
{
    if (!request_check(c, req))
        return;
    if (!pdu_has_cmd_sn(req->bhs)) {
        handler_begin(c, req);
        return;
    }
    switch (window_take(&c->session->window, pdu_cmd_sn(req->bhs),
                        pdu_is_immediate(req->bhs))) {
    case WINDOW_RUN:
        handler_begin(c, req);
        break;
    case WINDOW_HOLD:
        held_begin(c, req);
        break;
    case WINDOW_IGNORE:
        log_debug("request outside the command window", "session=%llu cmd_sn=%u",
                  (unsigned long long)c->session->ticket->id, pdu_cmd_sn(req->bhs));
        if (sn_before(c->session->window.max_cmd_sn, pdu_cmd_sn(req->bhs)))
            conn_refuse(c, LIMIT_COMMANDS);
        req->ignored = true;
        break;
    }
}

void request_end(struct conn *c, struct request *req)
{
    if (req->ignored)
        return;
    if (req->held != NULL)
        held_insert(c->session, &req->held);
    else
        handler_of(req)->end(c, req);
    held_run_all(c);
}

void request_bad_data(struct conn *c, struct request *req)
{
    session_count(c->session, FIGURE_DATA_DIGEST_ERRORS, 1);
    if (pdu_opcode(req->bhs) == OP_DATA_OUT) {
        request_reject(c, req, REJECT_DATA_DIGEST);
        data_on_out_bad(c, req);
        return;
    }
    /* What it said is lost, and at error recovery level 0 nobody says it again. */
    request_protocol_error(c, req, REJECT_DATA_DIGEST, "data digest error");
}
