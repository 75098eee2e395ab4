/* SPDX-License-Identifier: Apache-2.0 */
/* The listeners and connections of the API: a Unix socket (mode 0660: file permissions
 * are the authentication) and loopback TCP, libevent's evhttp on both, with a bound on
 * everything. What a request means is the router's. Control thread. */
#ifndef WEB_HTTP_H
#define WEB_HTTP_H

#include "base/err.h"

#include <stdbool.h>

struct event_base;
struct http;
struct http_conn;
struct stream;
struct web;

/* Listens on neither yet. */
int http_create(struct web *web, struct event_base *base, struct http **out,
                struct err *e) MUST_CHECK;
int http_listen_unix(struct http *http, const char *path, struct err *e) MUST_CHECK;
int http_listen_tcp(struct http *http, const char *address, struct err *e) MUST_CHECK;
/* Ends all connections; exchanges under way are orphaned. NULL is allowed. */
void http_destroy(struct http *http);

const char *http_tcp_address(const struct http *http); /* NULL: none */
/* True if whoever connects is trusted by that alone: the Unix socket. */
bool http_conn_is_trusted(const struct http_conn *conn);
/* The exchange's answer goes out; the next request may come. */
void http_conn_answered(struct http_conn *conn);
/* The exchange's answer goes on until the connection ends, which the stream hears of. */
void http_conn_streams(struct http_conn *conn, struct stream *stream);

#endif
