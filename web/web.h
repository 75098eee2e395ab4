/* SPDX-License-Identifier: Apache-2.0 */
/* The management API: JSON over HTTP on a Unix socket, and on loopback TCP with a token.
 * Everything here and behind it runs on the control thread's loop: no thread of its own,
 * no call that waits for a disk or the catalog. */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include "base/err.h"

struct loop;
struct lunmgr;
struct target;
struct web;

struct web_options {
    struct lunmgr *lunmgr;
    struct target *target;
    struct loop *control;
    const char *engine;      /* which disk engine is in use, as /v1 shows it; static */
    const char *socket_path; /* NULL: off. A stale socket there is replaced, a live one
                                refused */
    const char *tcp_address; /* NULL: off. "ADDRESS:PORT" or "[v6]:PORT", loopback only:
                                there is no TLS yet. Port 0: any free one */
};

/* Binds and listens; requests are served when the control loop runs. Field
 * "socket_path" or "tcp_address" names the bad one: -EINVAL (not an address, not
 * loopback, path too long), -EADDRINUSE, or what the system said. The strings are
 * copied. The process ignores SIGPIPE: evhttp writes to clients that may be gone. */
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

/* The address really bound, its port known; NULL if TCP is off. */
const char *web_tcp_address(const struct web *web);

#endif
