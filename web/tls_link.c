/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL works on memory alone: what comes from the socket is put into one BIO, what is
 * to go there is taken out of another. Callbacks note what happened, link_turn moves.
 * Each way holds a little more than FLOW_BYTES: beyond that nothing is read for it. */
#include "web/tls_link.h"

#include "base/auto.h"
#include "base/clock.h"
#include "web/tls.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/socket.h>

#define FLOW_BYTES  (64 * 1024)
#define PIECE_BYTES (16 * 1024)

struct tls_link {
    SSL *ssl;
    struct bufferevent *outer, *inner;
    struct event timer; /* of the handshake, then of the end */
    struct timeval patience;
    tls_link_end_fn on_end;
    void *arg;
    bool shaken;       /* the handshake is done */
    bool socket_ended; /* no bytes come from the client any more */
    bool client_ended; /* and nothing that was inside of them */
    bool server_deaf;  /* evhttp has closed; what it said may still be read */
    bool server_ended; /* and has been */
    bool told_server, told_client;
    bool broken; /* there is nothing left to say to the client */
};

static size_t waiting(struct bufferevent *bev)
{
    return evbuffer_get_length(bufferevent_get_output(bev));
}

/* ---- Through OpenSSL --------------------------------------------------------------- */

/* After a call that did not do all it could. */
static void note_failure(struct tls_link *link, int rc)
{
    switch (SSL_get_error(link->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        link->client_ended |= link->socket_ended;
        break;
    case SSL_ERROR_ZERO_RETURN: /* close_notify */
        link->client_ended = true;
        break;
    default:
        link->broken = true;
    }
    ERR_clear_error();
}

static void take_from_client(struct tls_link *link)
{
    struct evbuffer *in = bufferevent_get_input(link->outer);
    unsigned char piece[PIECE_BYTES];
    int bytes;
    while ((bytes = evbuffer_remove(in, piece, sizeof(piece))) > 0) {
        if (BIO_write(SSL_get_rbio(link->ssl), piece, bytes) != bytes)
            link->broken = true;
    }
}

static void shake(struct tls_link *link)
{
    int rc = SSL_do_handshake(link->ssl);
    link->shaken = rc == 1;
    if (link->shaken)
        event_del(&link->timer);
    else
        note_failure(link, rc);
}

static void decrypt(struct tls_link *link)
{
    unsigned char piece[PIECE_BYTES];
    while (!link->client_ended && !link->server_deaf && !link->broken &&
           waiting(link->inner) < FLOW_BYTES) {
        int bytes = SSL_read(link->ssl, piece, sizeof(piece));
        if (bytes > 0 && bufferevent_write(link->inner, piece, (size_t)bytes) == 0)
            continue;
        if (bytes > 0)
            link->broken = true;
        else
            note_failure(link, bytes);
        return;
    }
}

/* What OpenSSL wants to send goes out whatever becomes of the rest: an alert says why. */
static void give_to_client(struct tls_link *link)
{
    unsigned char piece[PIECE_BYTES];
    int bytes;
    while ((bytes = BIO_read(SSL_get_wbio(link->ssl), piece, sizeof(piece))) > 0) {
        if (bufferevent_write(link->outer, piece, (size_t)bytes) != 0)
            link->broken = true;
    }
}

static void encrypt(struct tls_link *link)
{
    struct evbuffer *in = bufferevent_get_input(link->inner);
    unsigned char piece[PIECE_BYTES];
    while (!link->broken && waiting(link->outer) < FLOW_BYTES) {
        int bytes = evbuffer_remove(in, piece, sizeof(piece));
        if (bytes <= 0)
            return;
        int rc = SSL_write(link->ssl, piece, bytes);
        if (rc != bytes) /* into memory: all of it, or something is wrong */
            link->broken = true;
        ERR_clear_error();
        give_to_client(link);
    }
}

/* ---- The end ----------------------------------------------------------------------- */

void tls_link_destroy(struct tls_link *link)
{
    if (link == NULL)
        return;
    event_del(&link->timer);
    if (link->outer != NULL)
        bufferevent_free(link->outer);
    if (link->inner != NULL)
        bufferevent_free(link->inner);
    SSL_free(link->ssl);
    free(link);
}

static void link_end(struct tls_link *link)
{
    tls_link_end_fn on_end = link->on_end;
    void *arg = link->arg;
    tls_link_destroy(link);
    on_end(arg);
}

/* Nothing more will come from the client: evhttp learns of it behind all that came. */
static void tell_server(struct tls_link *link)
{
    if (!link->client_ended || link->told_server || waiting(link->inner) > 0)
        return;
    link->told_server = true;
    shutdown(bufferevent_getfd(link->inner), SHUT_WR);
}

static void tell_client(struct tls_link *link)
{
    bool whole = evbuffer_get_length(bufferevent_get_input(link->inner)) == 0;
    if (!link->server_ended || link->told_client || !whole)
        return;
    link->told_client = true;
    if (link->shaken)
        SSL_shutdown(link->ssl);
    ERR_clear_error();
    give_to_client(link);
}

/* ---- One step ---------------------------------------------------------------------- */

static void set_reading(struct bufferevent *bev, bool reads)
{
    if (reads)
        bufferevent_enable(bev, EV_READ);
    else
        bufferevent_disable(bev, EV_READ);
}

static void balance(struct tls_link *link)
{
    bool room = waiting(link->outer) < FLOW_BYTES;
    set_reading(link->outer, room && !link->socket_ended && !link->client_ended &&
                                 !link->server_deaf && waiting(link->inner) < FLOW_BYTES);
    set_reading(link->inner, room && !link->server_ended);
}

/* Ends the link if all is said. Then it is no more. */
static void link_turn(struct tls_link *link)
{
    if (!link->broken)
        take_from_client(link);
    if (!link->shaken && !link->broken)
        shake(link);
    if (link->shaken) {
        decrypt(link);
        encrypt(link);
    }
    give_to_client(link);
    tell_server(link);
    tell_client(link);
    bool over =
        link->broken || link->told_client || (link->client_ended && !link->shaken);
    if (over && waiting(link->outer) == 0)
        link_end(link);
    else if (over && !event_pending(&link->timer, EV_TIMEOUT, NULL))
        event_add(&link->timer, &link->patience);
    else
        balance(link);
}

/* ---- What happens ------------------------------------------------------------------ */

static void link_on_moved(struct bufferevent *bev, void *arg)
{
    (void)bev;
    link_turn(arg);
}

static void link_on_outer_end(struct bufferevent *bev, short what, void *arg)
{
    struct tls_link *link = arg;
    (void)bev;
    if (what & BEV_EVENT_ERROR) { /* nobody is there to be told */
        link_end(link);
        return;
    }
    link->socket_ended = true;
    link_turn(link);
}

static void link_on_inner_end(struct bufferevent *bev, short what, void *arg)
{
    struct tls_link *link = arg;
    if (what & BEV_EVENT_WRITING) {
        link->server_deaf = true;
        evbuffer_drain(bufferevent_get_output(bev), waiting(bev));
    } else {
        link->server_ended = true;
    }
    link_turn(link);
}

static void link_on_time(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    link_end(arg);
}

/* ---- The begin --------------------------------------------------------------------- */

static struct bufferevent *watch(struct event_base *base, int fd,
                                 bufferevent_event_cb on_end, struct tls_link *link)
{
    struct bufferevent *bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (bev == NULL) {
        close(fd);
        return NULL;
    }
    bufferevent_setcb(bev, link_on_moved, link_on_moved, on_end, link);
    bufferevent_setwatermark(bev, EV_READ, 0, FLOW_BYTES);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
    return bev;
}

static bool set_up_ssl(struct tls_link *link, struct tls *tls)
{
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    link->ssl = tls_accept(tls);
    if (link->ssl == NULL || in == NULL || out == NULL) {
        BIO_free(in);
        BIO_free(out);
        return false;
    }
    SSL_set_bio(link->ssl, in, out);
    return true;
}

struct tls_link *tls_link_create(struct tls *tls, struct event_base *base, int outer,
                                 int inner, unsigned patience_ms, tls_link_end_fn on_end,
                                 void *arg)
{
    struct tls_link *link = calloc(1, sizeof(*link));
    if (link == NULL) {
        close(outer);
        close(inner);
        return NULL;
    }
    link->on_end = on_end;
    link->arg = arg;
    link->patience = clock_span_ms(patience_ms);
    event_assign(&link->timer, base, -1, 0, link_on_time, link);
    link->outer = watch(base, outer, link_on_outer_end, link);
    link->inner = watch(base, inner, link_on_inner_end, link);
    if (link->outer == NULL || link->inner == NULL || !set_up_ssl(link, tls)) {
        tls_link_destroy(link);
        return NULL;
    }
    event_add(&link->timer, &link->patience);
    return link;
}
