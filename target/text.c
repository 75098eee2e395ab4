/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange at a time: the request's text is joined over its C bits, answered as a
 * whole, and the answer is sent in pieces of what the initiator takes, the next one when
 * it asks with the tag that it was given. */
#include "target/text.h"

#include "target/reactor.h"
#include "target/request.h"
#include "target/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct text_exchange {
    uint32_t itt, ttt; /* ttt: that the initiator goes on with */
    bool answering;
    size_t text_bytes;
    struct wire answer;
    size_t sent_bytes;
    uint8_t answer_text[TEXT_ANSWER_MAX];
    size_t text_max;
    uint8_t text[];
};

void text_destroy(struct text_exchange *x)
{
    free(x);
}

static void text_end(struct conn *c)
{
    text_destroy(TAKE(c->text));
}

/* The exchange cannot go on: RFC 7143, 11.10.4. */
static void text_reset(struct conn *c, struct request *req, enum reject_reason reason)
{
    request_reject(c, req, reason);
    text_end(c);
}

/* What ends the answer has no tag; what does not has the C bit if text is left. */
static void text_send(struct conn *c, const struct text_req *m, bool more_request)
{
    struct text_exchange *x = c->text;
    size_t bytes = x->answering ? x->answer.at - x->sent_bytes : 0;
    size_t most = session_params(c->session)->max_send_bytes;
    bool more = bytes > most;
    if (more)
        bytes = most;
    struct tx_pdu *p = conn_tx_new(c);
    if (p == NULL)
        return;
    if (bytes > 0 && (p->owned = malloc(bytes)) == NULL) {
        conn_doom(c, "no memory for a text answer");
        free(p);
        return;
    }
    if (bytes > 0)
        memcpy(p->owned, x->answer_text + x->sent_bytes, bytes);
    p->data = p->owned;
    p->data_bytes = (uint32_t)bytes;
    x->sent_bytes += bytes;
    bool over = m->final && !more && !more_request;
    x->ttt = over ? PDU_TAG_NONE : session_new_ttt(c->session);
    struct text_rsp rsp = {
        .final = over,
        .more = more,
        .itt = m->itt,
        .ttt = x->ttt,
        .data_bytes = (uint32_t)bytes,
    };
    text_rsp_encode(&rsp, &p->head.bhs.text_rsp);
    conn_tx_queue(c, p);
    if (over)
        text_end(c);
}

static int text_negotiate(struct conn *c)
{
    struct text_exchange *x = c->text;
    struct negotiation *n = &c->session->negotiation;
    int rc =
        negotiate_text(n, NEGOTIATE_FULL_FEATURE, x->text, x->text_bytes, &x->answer);
    if (rc != 0)
        return rc;
    if (n->said.send_targets_asked)
        discovery_answer(c, n->said.send_targets, &x->answer);
    return wire_rc(&x->answer);
}

static bool text_begin(struct conn *c, const struct text_req *m)
{
    text_end(c); /* a new one takes the place of what was left open */
    size_t text_max = conn_limit(c, LIMIT_TEXT);
    c->text = calloc(1, sizeof(*c->text) + text_max);
    if (c->text == NULL)
        return false;
    c->text->text_max = text_max;
    c->text->itt = m->itt;
    wire_init(&c->text->answer, c->text->answer_text, sizeof(c->text->answer_text));
    negotiation_restart(&c->session->negotiation);
    return true;
}

/* The request's part joins the text. */
static bool text_join(struct text_exchange *x, const struct request *req)
{
    if (req->data_bytes > x->text_max - x->text_bytes)
        return false;
    if (req->data_bytes > 0)
        memcpy(x->text + x->text_bytes, req->data, req->data_bytes);
    x->text_bytes += req->data_bytes;
    return true;
}

static void text_take(struct conn *c, struct request *req, const struct text_req *m)
{
    struct text_exchange *x = c->text;
    if (!x->answering || req->data_bytes > 0) {
        if (!text_join(x, req)) {
            conn_refuse(c, LIMIT_TEXT);
            text_reset(c, req, REJECT_OUT_OF_RESOURCES);
            return;
        }
        if (m->more) {
            text_send(c, m, true);
            return;
        }
        if (text_negotiate(c) != 0) {
            text_reset(c, req, REJECT_PROTOCOL_ERROR);
            return;
        }
        x->text_bytes = 0;
        x->answering = true;
    }
    text_send(c, m, false);
}

void text_on_request(struct conn *c, struct request *req)
{
    struct text_req m;
    enum reject_reason why = text_req_decode(&req->bhs->text_req, &m);
    if (why != REJECT_NONE) {
        request_reject(c, req, why);
        return;
    }
    if (m.ttt == PDU_TAG_NONE) {
        if (!text_begin(c, &m)) {
            request_reject(c, req, REJECT_OUT_OF_RESOURCES);
            return;
        }
    } else if (c->text == NULL || m.ttt != c->text->ttt || m.itt != c->text->itt) {
        text_reset(c, req, REJECT_INVALID_FIELD);
        return;
    }
    text_take(c, req, &m);
}
