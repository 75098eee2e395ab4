/* SPDX-License-Identifier: Apache-2.0 */
/* A TLS client for tests, on one thread with the server: between looks it runs the
 * server's loop. It trusts anybody: whom it met is the test's to ask. */
#ifndef TESTS_UNIT_WEB_TLS_CLIENT_H
#define TESTS_UNIT_WEB_TLS_CLIENT_H

#include "rig.h"

#include <openssl/ssl.h>

struct tls_client {
    struct rig *rig;
    SSL_CTX *context;
    SSL *ssl;
    int fd;
    size_t held; /* bytes of the next answer in input */
    char input[CLIENT_ANSWER_MAX];
};

/* Connects to the rig's TCP address. version: TLS1_2_VERSION..., the only one offered; 0:
 * all. False: there is no TLS. tls_client_close in either case. */
bool tls_client_open(struct tls_client *c, struct rig *r, int version);
void tls_client_close(struct tls_client *c);

/* All of it. False: the connection broke. */
bool tls_client_send(struct tls_client *c, const char *bytes, size_t length);
/* One whole answer into the rig's; its status, 0 for none. */
int tls_client_receive(struct tls_client *c);
int tls_client_get(struct tls_client *c, const char *path);
/* True if the server ends it with a close_notify, false if without. */
bool tls_client_sees_end(struct tls_client *c);

#endif
