/* SPDX-License-Identifier: Apache-2.0 */
/* Where the daemon is, the token for it and whose certificate it must have: --socket,
 * --url, ASHLAR_URL, ASHLAR_SOCKET, else the packaged socket. Single thread. */
#ifndef WEB_CLI_ENDPOINT_H
#define WEB_CLI_ENDPOINT_H

#include "web/cli/say.h"

#define ENDPOINT_SOCKET    "/run/ashlar/api.sock"
#define ENDPOINT_TOKEN_MAX 1024
#define ENDPOINT_TIMEOUT_S 300

struct args;

struct endpoint {
    const char *name;               /* for people: the socket's path or the URL */
    const char *socket;             /* NULL: by URL */
    char *base;                     /* what API paths are appended to */
    char token[ENDPOINT_TOKEN_MAX]; /* "": none */
    const char *cacert;             /* NULL: who the system trusts, or no TLS */
    long timeout_s;
};

/* OUTCOME_USAGE: said what is wrong. endpoint_fini in either case. */
enum outcome endpoint_find(struct endpoint *endpoint, const struct args *args);
void endpoint_fini(struct endpoint *endpoint);

#endif
