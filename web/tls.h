/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side of TLS: the certificate and key that new connections get, and the
 * rules of all of them: TLS 1.2 or newer, forward secrecy alone, no renegotiation, no
 * resumption, HTTP/1.1. Control thread. */
#ifndef WEB_TLS_H
#define WEB_TLS_H

#include "base/err.h"

struct ssl_st;
struct tls;

/* Reads PEM files: a chain, the server's own certificate first, and its key without a
 * passphrase. Logs what was loaded with its fingerprint, and warns if it has expired.
 * -EINVAL or what the system said: e names the file and what is wrong with it. */
int tls_create(const char *certificate, const char *key, struct tls **out,
               struct err *e) MUST_CHECK;
/* For connections from now on; those there are keep theirs. On failure all stay. */
int tls_load(struct tls *tls, const char *certificate, const char *key,
             struct err *e) MUST_CHECK;
/* Connections may live on. NULL is allowed. */
void tls_destroy(struct tls *tls);

/* A server's side that has not begun its handshake and knows no socket; for SSL_free.
 * NULL: out of memory. */
struct ssl_st *tls_accept(struct tls *tls);

#endif
