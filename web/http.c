/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners and connections. libevent 2.1's evhttp has no limit on connections and tells
 * of a new one only with its first whole request, so each connection is taken note of as
 * it is accepted: evhttp asks for a bufferevent, and before anything can be read from it
 * the note finds the evhttp connection behind it and sets its close callback. With TLS,
 * the descriptor that evhttp has becomes one end of a pair of sockets then, and the TCP
 * socket is the link's at the other end. Control thread. */
#include "web/http.h"

#include "base/clock.h"
#include "base/log_budget.h"
#include "web/auth_limit.h"
#include "web/exchange.h"
#include "web/framing.h"
#include "web/listen.h"
#include "web/router.h"
#include "web/stream.h"
#include "web/tls_link.h"
#include "web/web.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

struct listener {
    struct http *http;
    struct evhttp *server; /* NULL: not listening */
    struct evconnlistener *socket;
    struct event pause; /* until accepting is tried again */
    struct tls *tls;    /* NULL: what is said is said in clear */
    bool trusted;
};

struct http {
    struct web *web;
    struct event_base *base;
    struct listener local, tcp;
    struct listen_path path; /* of the Unix socket */
    char tcp_address[LISTEN_ADDRESS_MAX];
    struct web_patience patience;
    struct http_conn *conns;
    struct log_budget refusals;
    struct auth_limit auth_limit;
};

struct http_conn {
    struct http_conn *next, **place; /* place: what points here */
    struct listener *listener;
    struct bufferevent *bev;         /* a reference, until adopted */
    struct evhttp_connection *evcon; /* NULL: not adopted yet, or closed */
    struct tls_link *link;           /* NULL: without TLS, or it has ended */
    struct exchange *exchange;       /* NULL: none under way */
    struct stream *stream;           /* its answer goes on; NULL: none does */
    struct event timer;              /* adoption, then the next request's deadline */
    struct peer peer;
    struct framing framing; /* of what has come behind the request under way */
    const char *fault;      /* of the request under way; NULL: none */
};

/* ---- Connections ------------------------------------------------------------------- */

static void conn_free(struct http_conn *conn)
{
    event_del(&conn->timer);
    tls_link_destroy(conn->link);
    if (conn->bev != NULL)
        bufferevent_decref(conn->bev);
    *conn->place = conn->next;
    if (conn->next != NULL)
        conn->next->place = conn->place;
    free(conn);
}

/* It has its place until both evhttp and the link have let go of it. */
static void conn_let_go(struct http_conn *conn)
{
    event_del(&conn->timer);
    if (conn->evcon == NULL && conn->link == NULL)
        conn_free(conn);
}

static void conn_on_link_end(void *arg)
{
    struct http_conn *conn = arg;
    conn->link = NULL; /* evhttp sees the end of its socket, and closes */
    if (conn->evcon == NULL)
        conn_let_go(conn);
}

/* Looks through what has come and lies in the buffer, from an offset on. */
static void conn_look_through(struct http_conn *conn, struct evbuffer *in, size_t from)
{
    uint8_t piece[1024];
    struct evbuffer_ptr at;
    size_t left = evbuffer_get_length(in) - from;
    if (left == 0 || evbuffer_ptr_set(in, &at, from, EVBUFFER_PTR_SET) != 0)
        return;
    while (left > 0 && conn->framing.state != FRAMING_REST) {
        ssize_t bytes = evbuffer_copyout_from(in, &at, piece, sizeof(piece));
        if (bytes <= 0)
            return;
        framing_feed(&conn->framing, piece, (size_t)bytes);
        left -= (size_t)bytes;
        if (left > 0)
            evbuffer_ptr_set(in, &at, (size_t)bytes, EVBUFFER_PTR_ADD);
    }
}

static void conn_on_input(struct evbuffer *in, const struct evbuffer_cb_info *info,
                          void *arg)
{
    if (info->n_added > 0)
        conn_look_through(arg, in, evbuffer_get_length(in) - info->n_added);
}

static struct evbuffer *conn_input(const struct http_conn *conn)
{
    return bufferevent_get_input(evhttp_connection_get_bufferevent(conn->evcon));
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
    evbuffer_remove_cb(conn_input(conn), conn_on_input, conn);
    conn->evcon = NULL;
    conn_let_go(conn);
}

static void conn_arm(struct http_conn *conn)
{
    struct timeval deadline = clock_span_ms(conn->listener->http->patience.request_ms);
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

/* The limit that it is over; NULL: none. It is counted itself, but none that was accepted
 * in this turn and is still to be asked: else a crowd would be over for all of them. */
static const char *conn_limit(const struct http_conn *conn)
{
    unsigned all = 0, tcp = 0, same = 0;
    for (const struct http_conn *other = conn->listener->http->conns; other != NULL;
         other = other->next) {
        bool is_tcp = !other->listener->trusted;
        if (other->evcon == NULL && other->link == NULL)
            continue;
        all++;
        tcp += is_tcp;
        same += is_tcp && peer_is_same(&other->peer, &conn->peer);
    }
    if (all > WEB_CONNECTIONS_MAX)
        return "connections";
    if (conn->listener->trusted)
        return NULL;
    if (tcp > WEB_TCP_CONNECTIONS_MAX)
        return "tcp-connections";
    return same > WEB_ADDRESS_CONNECTIONS_MAX ? "address-connections" : NULL;
}

static bool conn_is_refused(struct http_conn *conn)
{
    struct http *http = conn->listener->http;
    const char *limit = conn_limit(conn);
    uint64_t untold;
    if (limit == NULL)
        return false;
    http->web->counters.connections_refused++;
    if (log_budget_take(&http->refusals, clock_ms(), &untold))
        log_warning("api connection refused", "limit=%s client=%s untold=%llu", limit,
                    conn->listener->trusted ? "local" : conn->peer.text,
                    (unsigned long long)untold);
    return true;
}

/* The descriptor that evhttp has becomes one end of a pair, *inner is the other, and the
 * TCP socket is *outer. The event loop must not know the descriptor meanwhile. */
static bool split_socket(struct bufferevent *bev, int *outer, int *inner)
{
    int fd = bufferevent_getfd(bev), pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    bufferevent_disable(bev, EV_READ);
    *outer = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    *inner = pair[1];
    bool swapped = *outer >= 0 && dup3(pair[0], fd, O_CLOEXEC) == fd;
    bufferevent_enable(bev, EV_READ);
    close(pair[0]);
    if (swapped)
        return true;
    close(*inner);
    if (*outer >= 0)
        close(*outer);
    return false;
}

static bool conn_link(struct http_conn *conn)
{
    const struct listener *listener = conn->listener;
    int outer, inner;
    if (!split_socket(evhttp_connection_get_bufferevent(conn->evcon), &outer, &inner))
        return false;
    conn->link = tls_link_create(listener->tls, listener->http->base, outer, inner,
                                 listener->http->patience.tls_ms, conn_on_link_end, conn);
    return conn->link != NULL;
}

/* In the loop turn that accepted it: nothing has been read from it yet. */
static void conn_on_accepted(evutil_socket_t fd, short what, void *arg)
{
    struct http_conn *conn = arg;
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
    peer_of(bufferevent_getfd(conn->bev), &conn->peer);
    bufferevent_decref(TAKE(conn->bev));
    evhttp_connection_set_closecb(conn->evcon, conn_on_close, conn);
    evbuffer_add_cb(conn_input(conn), conn_on_input, conn);
    event_assign(&conn->timer, conn->listener->http->base, -1, 0, conn_on_deadline, conn);
    conn_arm(conn);
    if (conn_is_refused(conn) || (conn->listener->tls != NULL && !conn_link(conn)))
        evhttp_connection_free(conn->evcon);
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
    conn->place = &http->conns;
    if (conn->next != NULL)
        conn->next->place = &conn->next;
    http->conns = conn;
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
    conn->fault = framing_end(&conn->framing);
    conn_look_through(conn, conn_input(conn), 0); /* the begin of the next one */
    router_dispatch(x);
}

/* unix(7), SO_PEERCRED: of the one who connected. */
static void identify_local(int fd, struct principal *who)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t bytes = sizeof(peer);
    (void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes);
    snprintf(who->name, sizeof(who->name), "local uid %u", (unsigned)peer.uid);
    snprintf(who->id, sizeof(who->id), "uid %u", (unsigned)peer.uid);
}

void http_conn_identify(const struct http_conn *conn, struct principal *who)
{
    *who = (struct principal){.is_local = conn->listener->trusted};
    snprintf(who->address, sizeof(who->address), "%s", conn->peer.text);
    if (who->is_local)
        identify_local(bufferevent_getfd(evhttp_connection_get_bufferevent(conn->evcon)),
                       who);
}

const char *http_conn_fault(const struct http_conn *conn)
{
    return conn->fault;
}

unsigned http_conn_locked_s(const struct http_conn *conn)
{
    return auth_limit_wait_s(&conn->listener->http->auth_limit, &conn->peer, clock_ms());
}

void http_conn_failed(struct http_conn *conn)
{
    struct http *http = conn->listener->http;
    http->web->counters.auth_failures++;
    if (auth_limit_fail(&http->auth_limit, &conn->peer, clock_ms()))
        log_warning("api address locked out", "client=%s failures=%d seconds=%d",
                    conn->peer.text, WEB_AUTH_FAILURES_MAX, WEB_AUTH_LOCK_S);
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
    struct timeval idle = clock_span_ms(listener->http->patience.idle_ms);
    evhttp_set_timeout_tv(server, &idle);
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

int http_create(struct web *web, struct event_base *base,
                const struct web_patience *patience, struct http **out, struct err *e)
{
    static const struct web_patience preset = {.idle_ms = WEB_IDLE_TIMEOUT_S * 1000,
                                               .request_ms = WEB_REQUEST_TIMEOUT_S * 1000,
                                               .tls_ms = WEB_TLS_TIMEOUT_S * 1000};
    struct http *http = calloc(1, sizeof(*http));
    if (http == NULL)
        return err_oom(e);
    http->web = web;
    http->base = base;
    http->patience = patience == NULL ? preset : *patience;
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

int http_listen_tcp(struct http *http, const char *address, struct tls *tls,
                    struct err *e)
{
    int fd = listen_tcp(address, http->tcp_address, e);
    http->tcp.tls = tls;
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
        next = conn->next; /* accepted in this very turn, or a link has the rest */
        conn_free(conn);
    }
    listen_path_remove(&http->path);
    free(http);
}

const char *http_tcp_address(const struct http *http)
{
    return http->tcp_address[0] == '\0' ? NULL : http->tcp_address;
}
