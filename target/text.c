/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange at a time: the request's text is joined over its C bits, answered as a
 * whole, and the answer is sent in pieces of what the initiator takes, the next one when
 * it asks with the tag that it was given (RFC 7143, 6.2, 11.10 and 11.11). The answer is
 * made at once, so that its pieces fit together whatever changes meanwhile. */
#include "target/text.h"

#include "target/discovery.h"
#include "target/reactor.h"
#include "target/request.h"
#include "target/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct text_exchange {
    uint32_t itt, ttt; /* ttt: that the initiator goes on with */
    size_t text_bytes;
    uint8_t *answer; /* NULL: the request is not over */
    size_t answer_bytes, sent_bytes;
    size_t text_max;
    uint8_t text[];
};

void text_destroy(struct text_exchange *x)
{
    if (x == NULL)
        return;
    free(x->answer);
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

/* The next bytes of the answer, copied. False: no memory. */
static bool text_fill(struct text_exchange *x, struct tx_pdu *p, size_t bytes)
{
    if (bytes == 0)
        return true;
    p->owned = malloc(bytes);
    if (p->owned == NULL)
        return false;
    memcpy(p->owned, x->answer + x->sent_bytes, bytes);
    p->data = p->owned;
    p->data_bytes = (uint32_t)bytes;
    x->sent_bytes += bytes;
    return true;
}

/* What ends the answer has no tag; what does not has the C bit if text is left. */
static void text_send(struct conn *c, const struct text_req *m)
{
    struct text_exchange *x = c->text;
    size_t bytes = x->answer != NULL ? x->answer_bytes - x->sent_bytes : 0;
    size_t most = session_params(c->session)->max_send_bytes;
    bool more = bytes > most;
    struct tx_pdu *p = conn_tx_new(c);
    if (p == NULL)
        return;
    if (!text_fill(x, p, more ? most : bytes)) {
        conn_doom(c, "no memory for a text answer");
        free(p);
        return;
    }
    bool over = m->final && x->answer != NULL && !more;
    x->ttt = over ? PDU_TAG_NONE : session_new_ttt(c->session);
    struct text_rsp rsp = {
        .final = over,
        .more = more,
        .itt = m->itt,
        .ttt = x->ttt,
        .data_bytes = p->data_bytes,
    };
    text_rsp_encode(&rsp, &p->head.bhs.text_rsp);
    conn_tx_queue(c, p);
    if (over)
        text_end(c);
}

/* Takes the place of the last answer, which was sent: the reply, and behind it what
 * discovery says. */
static enum reject_reason text_set_answer(struct text_exchange *x,
                                          const struct wire *reply,
                                          const struct discovery *d)
{
    struct wire w;
    wire_init(&w, NULL, 0);
    if (d != NULL)
        discovery_put(d, &w);
    size_t bytes = reply->at + w.at;
    if (bytes > TEXT_ANSWER_MAX)
        return REJECT_OUT_OF_RESOURCES;
    free(x->answer);
    x->answer = malloc(bytes + 1);
    if (x->answer == NULL)
        return REJECT_OUT_OF_RESOURCES;
    wire_init(&w, x->answer, bytes);
    wire_put_bytes(&w, reply->data, reply->at);
    if (d != NULL)
        discovery_put(d, &w);
    x->answer_bytes = w.at;
    x->sent_bytes = 0;
    return REJECT_NONE;
}

static enum reject_reason text_negotiate(struct conn *c)
{
    struct text_exchange *x = c->text;
    struct negotiation *n = &c->session->negotiation;
    uint8_t reply_text[TEXT_REPLY_MAX];
    struct wire reply;
    struct discovery d;
    wire_init(&reply, reply_text, sizeof(reply_text));
    n->said.send_targets_asked = false;
    if (negotiate_text(n, NEGOTIATE_FULL_FEATURE, x->text, x->text_bytes, &reply) != 0)
        return REJECT_PROTOCOL_ERROR;
    x->text_bytes = 0;
    if (!n->said.send_targets_asked)
        return text_set_answer(x, &reply, NULL);
    discovery_init(&d, c, n->said.send_targets);
    return text_set_answer(x, &reply, &d);
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

/* The initiator says something, rather than to ask for what is left of an answer. */
static bool text_is_said(const struct text_exchange *x, const struct text_req *m,
                         const struct request *req)
{
    return x->answer == NULL || m->more || req->data_bytes > 0 || x->text_bytes > 0;
}

static enum reject_reason text_hear(struct conn *c, const struct request *req,
                                    const struct text_req *m)
{
    struct text_exchange *x = c->text;
    /* RFC 7143, 6.2: an answer with C is heard out */
    if (x->answer != NULL && x->sent_bytes < x->answer_bytes)
        return REJECT_PROTOCOL_ERROR;
    if (!text_join(x, req)) {
        conn_refuse(c, LIMIT_TEXT);
        return REJECT_OUT_OF_RESOURCES;
    }
    return m->more ? REJECT_NONE : text_negotiate(c);
}

static void text_take(struct conn *c, struct request *req, const struct text_req *m)
{
    enum reject_reason why = REJECT_NONE;
    if (text_is_said(c->text, m, req))
        why = text_hear(c, req, m);
    if (why != REJECT_NONE)
        text_reset(c, req, why);
    else
        text_send(c, m);
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
