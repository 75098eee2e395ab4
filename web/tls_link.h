/* SPDX-License-Identifier: Apache-2.0 */
/* One connection's TLS, between its TCP socket and a socket on which evhttp reads and
 * writes what is inside. So evhttp has a plain socket in any case: libevent 2.1's own
 * bufferevent for OpenSSL may call evhttp for data that came when evhttp reads none,
 * which evhttp answers by ending the process; it forgets what OpenSSL has read already
 * when it stops at a watermark, and it never says close_notify. Control thread. */
#ifndef WEB_TLS_LINK_H
#define WEB_TLS_LINK_H

struct event_base;
struct tls;
struct tls_link;

/* The connection has ended, both sockets are closed; the link frees itself after this. */
typedef void (*tls_link_end_fn)(void *arg);

/* Takes both sockets, in any case; they do not block. The handshake, and at the end the
 * rest of what is to be sent, have patience_ms each. NULL: out of memory; on_end is not
 * called. */
struct tls_link *tls_link_create(struct tls *tls, struct event_base *base, int outer,
                                 int inner, unsigned patience_ms, tls_link_end_fn on_end,
                                 void *arg);
/* Ends it at once; on_end is not called. NULL is allowed. */
void tls_link_destroy(struct tls_link *link);

#endif
