/* SPDX-License-Identifier: Apache-2.0 */
/* The two listening sockets of the API as the system gives them: a Unix socket that
 * replaces a stale one and never a live one, and a TCP socket on loopback alone. Any
 * thread; does not wait. */
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

/* A listening descriptor and the address with its real port, or -errno with field
 * "tcp_address": -EINVAL if it is not an address and port, or not on loopback. */
int listen_loopback(const char *address, char real[LISTEN_ADDRESS_MAX],
                    struct err *e) MUST_CHECK;

#endif
