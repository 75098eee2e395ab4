/* SPDX-License-Identifier: Apache-2.0 */
/* One request at a time: join its text, negotiate, judge, answer. The last step asks the
 * registry, which ends an older session of the same initiator port first; nothing is read
 * meanwhile. Who must prove a secret does so in the security stage (login_chap.h), and
 * gets nowhere before. */
#include "target/login.h"

#include "base/log.h"
#include "base/wire.h"
#include "proto/negotiate.h"
#include "target/drain.h"
#include "target/login_chap.h"
#include "target/lu.h"
#include "target/reactor.h"
#include "target/registry.h"
#include "target/request.h"
#include "target/seen.h"
#include "target/session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct login {
    unsigned request_count;
    struct login_req req; /* the one that is answered now */
    struct login_req first;
    enum login_stage stage;
    bool auth_answered;
    struct login_chap chap;
    bool portal_group_told;
    char *text; /* of this step, joined */
    size_t text_bytes;
    struct wire answer;
    uint8_t answer_text[LOGIN_ANSWER_MAX];
};

int login_create(struct login **out)
{
    struct login *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return -ENOMEM;
    wire_init(&l->answer, l->answer_text, sizeof(l->answer_text));
    *out = l;
    return 0;
}

void login_destroy(struct login *l)
{
    if (l == NULL)
        return;
    free(l->text);
    login_chap_fini(&l->chap);
    free(l);
}

/* Queues a response with the answers so far. False: no memory. */
static bool login_respond(struct conn *c, enum login_status status, bool transit,
                          uint16_t tsih)
{
    struct login *l = c->login;
    bool told = status == LOGIN_SUCCESS || status == LOGIN_MOVED_TEMPORARILY;
    uint32_t bytes = told ? (uint32_t)l->answer.at : 0;
    struct tx_pdu *p = conn_tx_new(c);
    if (p == NULL)
        return false;
    if (bytes > 0) {
        p->owned = malloc(bytes);
        if (p->owned == NULL) {
            conn_doom(c, "no memory for a login answer");
            free(p);
            return false;
        }
        memcpy(p->owned, l->answer_text, bytes);
        p->data = p->owned;
        p->data_bytes = bytes;
    }
    struct login_rsp rsp = {
        .transit = transit,
        .csg = l->req.csg,
        .nsg = l->req.nsg,
        .version_max = PDU_VERSION,
        .version_active = PDU_VERSION,
        .tsih = tsih,
        .itt = l->req.itt,
        .status = status,
        .data_bytes = bytes,
    };
    memcpy(rsp.isid, l->req.isid, ISID_BYTES);
    login_rsp_encode(&rsp, &p->head.bhs.login_rsp);
    conn_tx_queue(c, p);
    wire_init(&l->answer, l->answer_text, sizeof(l->answer_text));
    return true;
}

static void login_refuse(struct conn *c, enum login_status status, const char *why)
{
    counter_add(&c->reactor->counters.login_failures, 1);
    seen_tell(c, status, why);
    if (login_respond(c, status, false, c->login->req.tsih))
        conn_end(c, NULL);
}

/* It is refused at this limit, which is logged at a bounded rate. */
static void login_refuse_at(struct conn *c, enum target_limit limit, const char *why)
{
    conn_refuse(c, limit);
    login_refuse(c, LOGIN_OUT_OF_RESOURCES, why);
}

static void login_fail(struct conn *c, enum login_status status, const char *why)
{
    const struct declared *said = &c->session->negotiation.said;
    char initiator[256], target[256];
    log_warning("login refused",
                "reason=\"%s\" status=%04x initiator=%s target=%s "
                "address=%s portal=%s",
                why, (unsigned)status,
                log_quote(initiator, sizeof(initiator), said->initiator_name),
                log_quote(target, sizeof(target), said->target_name), c->peer, c->local);
    login_refuse(c, status, why);
}

void login_begin(struct conn *c, struct request *req)
{
    struct login *l = c->login;
    if (pdu_opcode(req->bhs) != OP_LOGIN_REQ) {
        l->req.itt = be32_get(req->bhs->any.itt);
        login_fail(c, LOGIN_INVALID_REQUEST, "not a login request");
        return;
    }
    if (++l->request_count > LOGIN_REQUEST_MAX) {
        login_fail(c, LOGIN_INITIATOR_ERROR, "too many login requests");
        return;
    }
    if (req->data_bytes > MAX_RECV_BYTES_DEFAULT) {
        login_fail(c, LOGIN_INITIATOR_ERROR, "data segment over 8192 bytes");
        return;
    }
    request_keep_data(c, req);
}

/* What must hold from the first request to the last. */
static bool login_is_consistent(const struct login *l)
{
    const struct login_req *m = &l->req, *first = &l->first;
    return memcmp(m->isid, first->isid, ISID_BYTES) == 0 && m->tsih == first->tsih &&
           m->cid == first->cid && m->csg == l->stage;
}

/* The initiator goes on without the exchange that it is in. */
static bool login_leaves_chap(const struct login *l)
{
    return l->stage == LOGIN_SECURITY && l->req.csg != LOGIN_SECURITY &&
           login_chap_is_open(&l->chap);
}

static bool login_take_first(struct conn *c)
{
    struct login *l = c->login;
    l->first = l->req;
    l->stage = l->req.csg;
    c->cid = l->req.cid;
    memcpy(c->session->isid, l->req.isid, ISID_BYTES);
    window_init(&c->session->window, l->req.cmd_sn,
                (uint32_t)conn_limit(c, LIMIT_COMMANDS));
    if (l->req.version_min <= PDU_VERSION)
        return true;
    login_fail(c, LOGIN_UNSUPPORTED_VERSION, "no version in common");
    return false;
}

/* False: refused. */
static bool login_join(struct conn *c, const struct request *req)
{
    struct login *l = c->login;
    if (req->data_bytes == 0)
        return true;
    size_t bytes = l->text_bytes + req->data_bytes;
    if (bytes > conn_limit(c, LIMIT_TEXT)) {
        login_refuse_at(c, LIMIT_TEXT, "negotiation text too long");
        return false;
    }
    char *text = realloc(l->text, bytes);
    if (text == NULL) {
        login_fail(c, LOGIN_OUT_OF_RESOURCES, "no memory");
        return false;
    }
    memcpy(text + l->text_bytes, req->data, req->data_bytes);
    l->text = text;
    l->text_bytes = bytes;
    return true;
}

/* That the shared target is here is no secret; to whom an own target is not shown, it is
 * as if there were none. */
static enum login_status login_judge_target(const struct conn *c, const char **why)
{
    const struct declared *said = &c->session->negotiation.said;
    const struct access_host *host =
        access_host(c->reactor->access, said->initiator_name);
    bool admitted = host != NULL && access_host_admits(host, c->peer_ip);
    bool shared = strcmp(said->target_name, c->reactor->target->name) == 0;
    *why = "no such target";
    if (!shared && (!admitted || access_host_view(host, said->target_name) == NULL))
        return LOGIN_NOT_FOUND;
    *why = host == NULL ? "no host has this initiator"
                        : "its host does not log in from this address";
    return admitted ? LOGIN_SUCCESS : LOGIN_FORBIDDEN;
}

/* LOGIN_SUCCESS, or why it may not go on, with the reason's text. */
static enum login_status login_judge_names(const struct conn *c, const char **why)
{
    const struct declared *said = &c->session->negotiation.said;
    *why = "no InitiatorName";
    if (said->initiator_name[0] == '\0')
        return LOGIN_MISSING_PARAMETER;
    if (said->discovery)
        return LOGIN_SUCCESS;
    *why = "no TargetName";
    if (said->target_name[0] == '\0')
        return LOGIN_MISSING_PARAMETER;
    return login_judge_target(c, why);
}

/* What this initiator must prove now. Its names are good. */
static const struct auth *login_auth(const struct conn *c)
{
    const struct declared *said = &c->session->negotiation.said;
    return access_auth(c->reactor->access, said->initiator_name, said->discovery);
}

static bool login_is_proven(const struct conn *c)
{
    const struct auth *auth = login_auth(c);
    return !auth->chap || login_chap_proves(&c->login->chap, auth);
}

/* Answers AuthMethod, once it is offered. */
static enum login_status login_choose_method(struct conn *c, const char **why)
{
    struct login *l = c->login;
    const struct auth *auth = login_auth(c);
    const char *offered = c->session->negotiation.said.auth_method;
    const char *method = auth->chap ? "CHAP" : "None";
    if (offered[0] == '\0')
        return LOGIN_SUCCESS;
    *why = auth->chap ? "authentication is CHAP here, and was not offered"
                      : "authentication is None here, and was not offered";
    if (!key_list_has(offered, method))
        return LOGIN_AUTH_FAILED;
    key_put(&l->answer, "AuthMethod", method);
    l->auth_answered = true;
    if (auth->chap)
        login_chap_begin(&l->chap, auth);
    return LOGIN_SUCCESS;
}

/* An exchange under way leaves the stage when it is over; who has not begun one and wants
 * to leave has refused it. */
static enum login_status login_security(struct conn *c, const char **why)
{
    struct login *l = c->login;
    enum login_status status =
        login_chap_take(&l->chap, &c->session->negotiation.said.chap, &l->answer, why);
    if (status == LOGIN_SUCCESS && !l->auth_answered)
        status = login_choose_method(c, why);
    if (status != LOGIN_SUCCESS || login_chap_is_open(&l->chap) || !l->req.transit)
        return status;
    *why = "authentication is required, and was left out";
    return login_is_proven(c) ? LOGIN_SUCCESS : LOGIN_AUTH_FAILED;
}

static enum login_status login_authenticate(struct conn *c, const char **why)
{
    if (c->login->stage == LOGIN_SECURITY)
        return login_security(c, why);
    *why = "authentication is required, and was left out";
    return login_is_proven(c) ? LOGIN_SUCCESS : LOGIN_AUTH_FAILED;
}

static enum login_status login_negotiate(struct conn *c, const char **why)
{
    struct login *l = c->login;
    struct negotiation *n = &c->session->negotiation;
    enum negotiate_phase phase = l->stage == LOGIN_SECURITY ? NEGOTIATE_LOGIN_SECURITY
                                                            : NEGOTIATE_LOGIN_OPERATIONAL;
    int rc = negotiate_text(n, phase, l->text, l->text_bytes, &l->answer);
    l->text_bytes = 0;
    *why = "bad negotiation text";
    if (rc != 0)
        return rc == -ENOSPC ? LOGIN_OUT_OF_RESOURCES : LOGIN_INITIATOR_ERROR;
    enum login_status status = login_judge_names(c, why);
    if (status == LOGIN_SUCCESS)
        status = login_authenticate(c, why);
    if (status != LOGIN_SUCCESS)
        return status;
    if (!l->portal_group_told && !n->said.discovery)
        negotiate_put_target(c->portal_group_tag, NULL, &l->answer);
    l->portal_group_told = true;
    if (l->stage == LOGIN_OPERATIONAL)
        negotiate_declare(n, &l->answer);
    *why = "the answer does not fit";
    return wire_rc(&l->answer) == 0 ? LOGIN_SUCCESS : LOGIN_OUT_OF_RESOURCES;
}

static void login_log_success(const struct conn *c)
{
    const struct declared *said = &c->session->negotiation.said;
    char initiator[256];
    log_info("login accepted",
             "initiator=%s host=%s target=%s address=%s portal=%s "
             "session=%llu reactor=%u",
             log_quote(initiator, sizeof(initiator), said->initiator_name),
             c->session->host_name[0] != '\0' ? c->session->host_name : "-",
             said->discovery ? "(discovery)" : said->target_name, c->peer, c->local,
             (unsigned long long)c->session->ticket->id, c->reactor->index);
}

/* Who has proven himself is told where to go: an initiator takes that at any time of the
 * login, but need not before its security is over (RFC 7143, 11.13.5). */
static enum login_status login_judge_drain(struct conn *c, const char **why)
{
    struct login *l = c->login;
    char redirect[TARGET_REDIRECT_MAX];
    if (!drain_turns_away(c, redirect))
        return LOGIN_SUCCESS;
    *why = "its portal or host is being drained";
    if (redirect[0] == '\0')
        return LOGIN_UNAVAILABLE;
    wire_init(&l->answer, l->answer_text, sizeof(l->answer_text));
    key_put(&l->answer, "TargetAddress", redirect); /* 13.8: without a group's tag */
    return LOGIN_MOVED_TEMPORARILY;
}

/* The registry has granted it; the access may have changed since it was asked. */
static enum login_status login_open(struct conn *c, struct registry_ticket *ticket,
                                    const char **why)
{
    enum login_status status = login_judge_names(c, why);
    if (status != LOGIN_SUCCESS)
        return status;
    *why = "what is to be proven has changed";
    if (!login_is_proven(c))
        return LOGIN_AUTH_FAILED;
    status = login_judge_drain(c, why);
    if (status != LOGIN_SUCCESS)
        return status;
    c->session->algorithm = c->login->chap.algorithm;
    c->session->mutual = c->login->chap.mutual;
    *why = "no memory";
    if (session_open(c->session, ticket, session_view(c->session)) != 0)
        return LOGIN_OUT_OF_RESOURCES;
    return LOGIN_SUCCESS;
}

/* It becomes one of those that have logged in, if they are not too many. */
static bool login_admit(struct conn *c, enum target_limit *limit)
{
    if (admission_open(&c->reactor->target->admission, c->peer_ip, limit) != 0)
        return false;
    c->half_open = false;
    return true;
}

static void login_on_answered(struct registry_ticket *ticket)
{
    struct conn *c = ticket->conn;
    c->pins--;
    reactor_touch(c->reactor, c);
    if (!conn_is_live(c)) {
        registry_gone(ticket);
        return;
    }
    const char *why = "refused by the registry";
    enum login_status status = ticket->status;
    enum target_limit limit;
    if (status == LOGIN_SUCCESS && !login_admit(c, &limit)) {
        registry_gone(ticket);
        login_refuse_at(c, limit, "too many connections");
        return;
    }
    if (status == LOGIN_NO_SUCH_SESSION)
        why = "no such session";
    else if (status == LOGIN_TOO_MANY_CONNECTIONS)
        why = "a session has one connection";
    else if (status == LOGIN_SUCCESS)
        status = login_open(c, ticket, &why);
    if (status != LOGIN_SUCCESS) {
        registry_gone(ticket);
        login_fail(c, status, why);
        return;
    }
    if (!login_respond(c, LOGIN_SUCCESS, true, ticket->tsih))
        return;
    counter_add(&c->reactor->counters.logins, 1);
    login_log_success(c);
    seen_tell(c, LOGIN_SUCCESS, NULL);
    conn_open(c);
    conn_resume(c, CONN_PAUSED_LOGIN);
}

static void login_ask_registry(struct conn *c)
{
    const struct declared *said = &c->session->negotiation.said;
    struct registry_ticket *ticket = calloc(1, sizeof(*ticket));
    if (ticket == NULL) {
        login_fail(c, LOGIN_OUT_OF_RESOURCES, "no memory");
        return;
    }
    ticket->target = c->reactor->target;
    ticket->reactor = c->reactor;
    ticket->conn = c;
    memcpy(ticket->initiator, said->initiator_name, sizeof(ticket->initiator));
    if (!said->discovery)
        memcpy(ticket->target_name, said->target_name, sizeof(ticket->target_name));
    ticket->portal_group_tag = c->portal_group_tag;
    memcpy(ticket->isid, c->login->first.isid, ISID_BYTES);
    ticket->tsih = c->login->first.tsih;
    memcpy(ticket->local_ip, c->local_ip, sizeof(ticket->local_ip));
    ticket->local_port = c->local_port;
    ticket->discovery = said->discovery;
    ticket->answered = login_on_answered;
    c->pins++;
    conn_pause(c, CONN_PAUSED_LOGIN);
    registry_ask(ticket);
}

static void login_answer(struct conn *c)
{
    struct login *l = c->login;
    const char *why = "";
    enum login_status status = login_negotiate(c, &why);
    if (status != LOGIN_SUCCESS) {
        login_fail(c, status, why);
        return;
    }
    bool proven = login_is_proven(c);
    if (proven)
        status = login_judge_drain(c, &why);
    if (status != LOGIN_SUCCESS) {
        login_fail(c, status, why);
        return;
    }
    bool transit = l->req.transit && proven;
    /* A session to be joined is looked for at once, a new one at the end. */
    if (proven && (l->first.tsih != 0 || (transit && l->req.nsg == LOGIN_FULL_FEATURE))) {
        login_ask_registry(c);
        return;
    }
    if (login_respond(c, LOGIN_SUCCESS, transit, l->first.tsih) && transit)
        l->stage = l->req.nsg;
}

void login_end(struct conn *c, struct request *req)
{
    struct login *l = c->login;
    if (req->ignored)
        return;
    if (login_req_decode(&req->bhs->login_req, &l->req) != REJECT_NONE) {
        l->req.itt = be32_get(req->bhs->any.itt);
        login_fail(c, LOGIN_INITIATOR_ERROR, "bad login request");
        return;
    }
    if (l->request_count == 1 && !login_take_first(c))
        return;
    if (login_leaves_chap(l)) {
        login_fail(c, LOGIN_AUTH_FAILED, "authentication was left before its end");
        return;
    }
    if (!login_is_consistent(l)) {
        login_fail(c, LOGIN_INITIATOR_ERROR, "login request out of its sequence");
        return;
    }
    if (!login_join(c, req))
        return;
    if (l->req.more)
        login_respond(c, LOGIN_SUCCESS, false, l->first.tsih);
    else
        login_answer(c);
}
