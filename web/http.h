/* SPDX-License-Identifier: Apache-2.0 */
/* The listeners and connections of the API: a Unix socket (mode 0660: file permissions
 * are the authentication) and TCP with or without TLS, libevent's evhttp on both, with a
 * bound on everything. What a request means is the router's. Control thread. */
#ifndef WEB_HTTP_H
#define WEB_HTTP_H

#include "base/err.h"

#include <stdbool.h>

struct event_base;
struct http;
struct http_conn;
struct principal;
struct tls;
struct stream;
struct web;
struct web_patience;

/* Listens on neither yet. patience NULL: that of web/limits.h. */
int http_create(struct web *web, struct event_base *base,
                const struct web_patience *patience, struct http **out,
                struct err *e) MUST_CHECK;
int http_listen_unix(struct http *http, const char *path, struct err *e) MUST_CHECK;
/* tls is borrowed; NULL: in clear. */
int http_listen_tcp(struct http *http, const char *address, struct tls *tls,
                    struct err *e) MUST_CHECK;
/* Ends all connections; exchanges under way are orphaned. NULL is allowed. */
void http_destroy(struct http *http);

const char *http_tcp_address(const struct http *http); /* NULL: none */
/* Who is at the other end, as far as the connection tells: an admin of this box by the
 * uid, or an address. */
void http_conn_identify(const struct http_conn *conn, struct principal *who);
/* What is wrong with the bytes of the request under way, though evhttp has read it; NULL:
 * nothing. */
const char *http_conn_fault(const struct http_conn *conn);
/* Seconds for which tokens that come from the client's address are not looked at, since
 * too many were not known; 0: they are. */
unsigned http_conn_locked_s(const struct http_conn *conn);
/* The request under way carried a token that is not known. */
void http_conn_failed(struct http_conn *conn);
/* The exchange's answer goes out; the next request may come. */
void http_conn_answered(struct http_conn *conn);
/* The exchange's answer goes on until the connection ends, which the stream hears of. */
void http_conn_streams(struct http_conn *conn, struct stream *stream);

#endif
