/* SPDX-License-Identifier: Apache-2.0 */
/* The management API: JSON over HTTP on a Unix socket, and over TCP with a token: with
 * TLS, or on loopback in clear. Everything here and behind it runs on the control
 * thread's loop: no thread of its own, no call that waits for a disk or the catalog. */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include "base/err.h"

#include <stdbool.h>

struct loop;
struct lunmgr;
struct target;
struct web;

/* How long clients may take. */
struct web_patience {
    unsigned idle_ms;    /* no byte either way */
    unsigned request_ms; /* from one answer to the next whole request */
    unsigned tls_ms;     /* a handshake, and the rest of what is sent at the end */
};

struct web_options {
    struct lunmgr *lunmgr;
    struct target *target;
    struct loop *control;
    const char *engine;      /* which disk engine is in use, as /v1 shows it; static */
    const char *socket_path; /* NULL: off. A stale socket there is replaced, a live one
                                refused */
    const char *tcp_address; /* NULL: off. "ADDRESS:PORT" or "[v6]:PORT"; what is not
                                loopback has TLS. Port 0: any free one */
    bool tls_always;         /* on loopback too */
    const char *tls_certificate, *tls_key; /* PEM files. Both NULL: the pair in tls_dir,
                                              which is made if there is none */
    const char *tls_dir;                   /* absolute; never NULL with TCP */
    const struct web_patience *patience;   /* NULL: that of web/limits.h */
};

/* Binds and listens; requests are served when the control loop runs. Field
 * "socket_path" or "tcp_address" names the bad one: -EINVAL (not an address, path too
 * long), -EADDRINUSE, or what the system said; of a certificate or key that is refused
 * the text names the file. The strings are copied. The process ignores SIGPIPE: evhttp
 * writes to clients that may be gone. */
int web_start(const struct web_options *options, struct web **out,
              struct err *e) MUST_CHECK;
/* Control thread. Stops listening, ends every connection (a change under way still
 * happens, its client is not answered), removes the socket file, frees web. Before
 * target_destroy and lunmgr_close; what lunmgr and target still answer afterwards is
 * taken and dropped. NULL is allowed. */
void web_stop(struct web *web);
/* Control thread. From now on changes are refused with 503 and Retry-After, and /readyz
 * says that the daemon is stopping; reads are answered still, streams end. */
void web_drain(struct web *web);

/* Control thread; reads files. Loads the certificate and key anew, for new connections,
 * from the files of the options of that name. On failure those in use stay. */
int web_reload_certificate(struct web *web, const char *certificate, const char *key,
                           struct err *e) MUST_CHECK;

/* The address really bound, its port known; NULL if TCP is off. */
const char *web_tcp_address(const struct web *web);
bool web_has_tls(const struct web *web);

#endif
