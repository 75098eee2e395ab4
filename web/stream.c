/* SPDX-License-Identifier: Apache-2.0 */
/* Streams over evhttp's chunks (HTTP/1.1) or plain until the end (HTTP/1.0). The request
 * is ours until stream_end; evhttp reads on meanwhile to see its client go. */
#include "web/stream.h"

#include "web/exchange.h"
#include "web/http.h"
#include "web/token.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>

struct stream {
    struct web *web;
    struct http_conn *conn;
    struct evhttp_request *req; /* NULL: evhttp's, which ends it */
    struct stream_owner owner;
};

static struct bufferevent *stream_bev(const struct stream *stream)
{
    return evhttp_connection_get_bufferevent(evhttp_request_get_connection(stream->req));
}

/* It may be quiet for as long as it likes, but must take what it is sent. */
static void stream_set_up(const struct stream *stream)
{
    static const struct timeval write_timeout = {.tv_sec = WEB_IDLE_TIMEOUT_S};
    bufferevent_set_timeouts(stream_bev(stream), NULL, &write_timeout);
    bufferevent_setwatermark(stream_bev(stream), EV_READ, 0, WEB_STREAM_INPUT_MAX);
}

/* No body, so the next request may come on the same connection. */
static void answer_head(struct exchange *x, const char *type)
{
    struct http_conn *conn = x->conn;
    struct evhttp_request *req = reply_begin(x, type);
    evhttp_send_reply_start(req, 200, NULL);
    http_conn_answered(conn);
    evhttp_send_reply_end(req);
}

struct stream *stream_begin(struct exchange *x, const char *type,
                            const struct stream_owner *owner)
{
    if (evhttp_request_get_command(x->req) == EVHTTP_REQ_HEAD) {
        answer_head(x, type);
        return NULL;
    }
    struct stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL) {
        reply_json(x, 200, NULL);
        return NULL;
    }
    *stream = (struct stream){.web = x->web, .conn = x->conn, .owner = *owner};
    stream->req = reply_begin(x, type);
    /* An HTTP/1.0 client that would keep the connection would be told a length of 0. */
    evhttp_remove_header(evhttp_request_get_input_headers(stream->req), "Connection");
    evhttp_add_header(evhttp_request_get_output_headers(stream->req), "Connection",
                      "close");
    http_conn_streams(stream->conn, stream);
    stream_set_up(stream);
    evhttp_send_reply_start(stream->req, 200, NULL);
    return stream;
}

static void stream_on_drained(struct evhttp_connection *evcon, void *arg)
{
    struct stream *stream = arg;
    (void)evcon;
    stream->owner.drained(stream->owner.arg);
}

void stream_write(struct stream *stream, struct evbuffer *text)
{
    evhttp_send_reply_chunk_with_cb(stream->req, text, stream_on_drained, stream);
}

size_t stream_unsent(const struct stream *stream)
{
    return evbuffer_get_length(bufferevent_get_output(stream_bev(stream)));
}

bool stream_is_permitted(const struct stream *stream)
{
    struct principal who;
    http_conn_identify(stream->conn, &who);
    if (!who.is_local)
        bearer_identify(stream->web->lunmgr,
                        evhttp_find_header(evhttp_request_get_input_headers(stream->req),
                                           "Authorization"),
                        &who);
    return permit_allows(PERMIT_READ, &who);
}

void stream_ignore_input(struct stream *stream)
{
    struct evbuffer *input = bufferevent_get_input(stream_bev(stream));
    evbuffer_drain(input, evbuffer_get_length(input));
}

void stream_end(struct stream *stream)
{
    evhttp_send_reply_end(TAKE(stream->req));
}

void stream_drop(struct stream *stream)
{
    evhttp_connection_free(evhttp_request_get_connection(stream->req));
}

/* As in http.c: a request that evhttp took off its connection is ours to free. */
void stream_on_close(struct stream *stream)
{
    if (stream->req != NULL && evhttp_request_get_connection(stream->req) == NULL)
        evhttp_request_free(stream->req);
    stream->owner.gone(stream->owner.arg);
    free(stream);
}
