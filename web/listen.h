/* SPDX-License-Identifier: Apache-2.0 */
/* The two listening sockets of the API as the system gives them: a Unix socket that
 * replaces a stale one and never a live one, and a TCP socket. Any thread; does not wait.
 */
#ifndef WEB_LISTEN_H
#define WEB_LISTEN_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/un.h>

#define LISTEN_ADDRESS_MAX 64 /* "[v6]:port" and NUL */

/* The socket file that we made, told from one that came after it. */
struct listen_path {
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* "": none */
    dev_t dev;
    ino_t ino;
};

/* A listening descriptor, or -errno with field "socket_path": -EADDRINUSE if somebody
 * listens there or something else than a socket is there. Mode 0660. */
int listen_unix(const char *path, struct listen_path *made, struct err *e) MUST_CHECK;
/* Removes the file if it still is ours. */
void listen_path_remove(struct listen_path *made);

/* What a numeric "ADDRESS:PORT" or "[v6]:PORT" says of itself. */
struct listen_tcp {
    char ip[LISTEN_ADDRESS_MAX]; /* without brackets */
    bool is_loopback;            /* reached from this machine alone */
    bool is_any;                 /* all addresses of the machine */
};

/* 0, or -EINVAL with field "tcp_address". A port must be said, even 0. */
int listen_tcp_parse(const char *address, struct listen_tcp *out,
                     struct err *e) MUST_CHECK;
/* A listening descriptor and the address with its real port, or -errno with field
 * "tcp_address". */
int listen_tcp(const char *address, char real[LISTEN_ADDRESS_MAX],
               struct err *e) MUST_CHECK;

#endif
