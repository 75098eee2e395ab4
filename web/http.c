/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners and connections. libevent 2.1's evhttp has no limit on connections and tells
 * of a new one only with its first whole request, so each connection is taken note of as
 * it is accepted: evhttp asks for a bufferevent, and before anything can be read from it
 * the note finds the evhttp connection behind it and sets its close callback. Control
 * thread. */
#include "web/http.h"

#include "web/exchange.h"
#include "web/listen.h"
#include "web/router.h"
#include "web/stream.h"

#include <assert.h>
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/listener.h>
#include <string.h>

struct listener {
    struct http *http;
    struct evhttp *server; /* NULL: not listening */
    struct evconnlistener *socket;
    struct event pause; /* until accepting is tried again */
    bool trusted;
};

struct http {
    struct web *web;
    struct event_base *base;
    struct listener local, tcp;
    struct listen_path path; /* of the Unix socket */
    char tcp_address[LISTEN_ADDRESS_MAX];
    struct http_conn *conns;
    unsigned conn_count;
};

struct http_conn {
    struct http_conn *next, **link; /* link: what points here */
    struct listener *listener;
    struct bufferevent *bev;         /* a reference, until adopted */
    struct evhttp_connection *evcon; /* NULL: not adopted yet */
    struct exchange *exchange;       /* NULL: none under way */
    struct stream *stream;           /* its answer goes on; NULL: none does */
    struct event timer;              /* adoption, then the next request's deadline */
};

/* ---- Connections ------------------------------------------------------------------- */

static void conn_free(struct http_conn *conn)
{
    event_del(&conn->timer);
    if (conn->bev != NULL)
        bufferevent_decref(conn->bev);
    *conn->link = conn->next;
    if (conn->next != NULL)
        conn->next->link = conn->link;
    conn->listener->http->conn_count--;
    free(conn);
}

/* evhttp frees the connection after this call, and the requests that are still on it. One
 * that it took off, since its handler has not answered, is ours to free. */
static void conn_on_close(struct evhttp_connection *evcon, void *arg)
{
    struct http_conn *conn = arg;
    struct exchange *x = conn->exchange;
    assert(conn->evcon == evcon);
    if (x != NULL) {
        x->web->counters.clients_gone++;
        if (evhttp_request_get_connection(x->req) == NULL)
            evhttp_request_free(x->req);
        exchange_orphan(x);
    }
    if (conn->stream != NULL)
        stream_on_close(conn->stream);
    conn_free(conn);
}

static void conn_arm(struct http_conn *conn)
{
    static const struct timeval deadline = {.tv_sec = WEB_REQUEST_TIMEOUT_S};
    event_add(&conn->timer, &deadline);
}

static void conn_on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct http_conn *conn = arg;
    (void)fd;
    (void)what;
    assert(conn->exchange == NULL);
    evhttp_connection_free(conn->evcon);
}

/* In the loop turn that accepted it: nothing has been read from it yet. */
static void conn_on_accepted(evutil_socket_t fd, short what, void *arg)
{
    struct http_conn *conn = arg;
    struct http *http = conn->listener->http;
    bufferevent_data_cb on_read, on_write;
    bufferevent_event_cb on_event;
    void *evcon;
    (void)fd;
    (void)what;
    bufferevent_getcb(conn->bev, &on_read, &on_write, &on_event, &evcon);
    if (on_event == NULL || evcon == NULL) { /* evhttp has given it up */
        conn_free(conn);
        return;
    }
    conn->evcon = evcon;
    bufferevent_decref(TAKE(conn->bev));
    evhttp_connection_set_closecb(conn->evcon, conn_on_close, conn);
    event_assign(&conn->timer, http->base, -1, 0, conn_on_deadline, conn);
    conn_arm(conn);
    if (http->conn_count > WEB_CONNECTIONS_MAX) {
        http->web->counters.connections_refused++;
        log_warning("api connection refused", "limit=%d", WEB_CONNECTIONS_MAX);
        evhttp_connection_free(conn->evcon);
    }
}

/* evhttp's way to ask for the bufferevent of a connection that it has just accepted. */
static struct bufferevent *conn_on_new(struct event_base *base, void *arg)
{
    struct listener *listener = arg;
    struct http *http = listener->http;
    struct bufferevent *bev = bufferevent_socket_new(base, -1, 0);
    struct http_conn *conn = calloc(1, sizeof(*conn));
    if (bev == NULL || conn == NULL) {
        free(conn);
        return bev;
    }
    /* A body lies in the input until it is whole; more than that is never wanted. */
    bufferevent_setwatermark(bev, EV_READ, 0, WEB_BODY_BYTES_MAX + WEB_HEADERS_BYTES_MAX);
    bufferevent_incref(bev);
    conn->listener = listener;
    conn->bev = bev;
    conn->next = http->conns;
    conn->link = &http->conns;
    if (conn->next != NULL)
        conn->next->link = &conn->next;
    http->conns = conn;
    http->conn_count++;
    event_assign(&conn->timer, base, -1, 0, conn_on_accepted, conn);
    event_active(&conn->timer, EV_TIMEOUT, 0);
    return bev;
}

static struct http_conn *conn_find(struct http *http, struct evhttp_connection *evcon)
{
    struct http_conn *conn = http->conns;
    while (conn != NULL && conn->evcon != evcon)
        conn = conn->next;
    return conn;
}

static void conn_on_request(struct evhttp_request *req, void *arg)
{
    struct listener *listener = arg;
    struct http *http = listener->http;
    struct http_conn *conn = conn_find(http, evhttp_request_get_connection(req));
    struct exchange *x = conn == NULL ? NULL : exchange_create(http->web, conn, req);
    if (x == NULL) {
        evhttp_send_error(req, HTTP_SERVUNAVAIL, NULL);
        return;
    }
    event_del(&conn->timer);
    conn->exchange = x;
    router_dispatch(x);
}

bool http_conn_is_trusted(const struct http_conn *conn)
{
    return conn->listener->trusted;
}

void http_conn_answered(struct http_conn *conn)
{
    conn->exchange = NULL;
    conn_arm(conn);
}

void http_conn_streams(struct http_conn *conn, struct stream *stream)
{
    conn->exchange = NULL;
    conn->stream = stream;
}

/* ---- Listeners --------------------------------------------------------------------- */

static void listener_on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    struct listener *listener = arg;
    (void)fd;
    (void)what;
    evconnlistener_enable(listener->socket);
}

/* As with no free file descriptor: the connection stays ready, so look away a while. */
static void listener_on_error(struct evconnlistener *socket, void *arg)
{
    static const struct timeval pause = {.tv_usec = WEB_ACCEPT_PAUSE_MS * 1000};
    struct listener *listener = arg;
    log_warning("api cannot accept", "error=%s", strerrorname_np(errno));
    evconnlistener_disable(socket);
    event_add(&listener->pause, &pause);
}

static int server_create(struct listener *listener, struct err *e)
{
    struct evhttp *server = evhttp_new(listener->http->base);
    if (server == NULL)
        return err_oom(e);
    evhttp_set_max_headers_size(server, WEB_HEADERS_BYTES_MAX);
    evhttp_set_max_body_size(server, WEB_BODY_BYTES_MAX);
    evhttp_set_timeout(server, WEB_IDLE_TIMEOUT_S);
    evhttp_set_default_content_type(server, NULL);
    evhttp_set_allowed_methods(
        server, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
                    EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS);
    evhttp_set_bevcb(server, conn_on_new, listener);
    evhttp_set_gencb(server, conn_on_request, listener);
    listener->server = server;
    return 0;
}

/* Takes fd, which listens. */
static int listener_start(struct listener *listener, int fd, struct err *e)
{
    struct http *http = listener->http;
    listener->socket = evconnlistener_new(
        http->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (listener->socket == NULL) {
        close(fd);
        return err_oom(e);
    }
    int rc = server_create(listener, e);
    if (rc != 0 || evhttp_bind_listener(listener->server, listener->socket) == NULL) {
        evconnlistener_free(TAKE(listener->socket));
        return rc != 0 ? rc : err_oom(e);
    }
    event_assign(&listener->pause, http->base, -1, 0, listener_on_pause_over, listener);
    evconnlistener_set_error_cb(listener->socket, listener_on_error);
    return 0;
}

static void listener_stop(struct listener *listener)
{
    if (listener->socket != NULL)
        event_del(&listener->pause);
    if (listener->server != NULL)
        evhttp_free(TAKE(listener->server));
}

/* ---- The whole --------------------------------------------------------------------- */

int http_create(struct web *web, struct event_base *base, struct http **out,
                struct err *e)
{
    struct http *http = calloc(1, sizeof(*http));
    if (http == NULL)
        return err_oom(e);
    http->web = web;
    http->base = base;
    http->local = (struct listener){.http = http, .trusted = true};
    http->tcp = (struct listener){.http = http};
    *out = http;
    return 0;
}

int http_listen_unix(struct http *http, const char *path, struct err *e)
{
    int fd = listen_unix(path, &http->path, e);
    return fd < 0 ? fd : listener_start(&http->local, fd, e);
}

int http_listen_tcp(struct http *http, const char *address, struct err *e)
{
    int fd = listen_loopback(address, http->tcp_address, e);
    return fd < 0 ? fd : listener_start(&http->tcp, fd, e);
}

void http_destroy(struct http *http)
{
    if (http == NULL)
        return;
    listener_stop(&http->local);
    listener_stop(&http->tcp);
    struct http_conn *next;
    for (struct http_conn *conn = http->conns; conn != NULL; conn = next) {
        next = conn->next; /* accepted in this very turn */
        conn_free(conn);
    }
    listen_path_remove(&http->path);
    free(http);
}

const char *http_tcp_address(const struct http *http)
{
    return http->tcp_address[0] == '\0' ? NULL : http->tcp_address;
}
