/* SPDX-License-Identifier: Apache-2.0 */
/* What the rooms of web share: the server's state, seen by every handler through its
 * exchange. Control thread. */
#ifndef WEB_SERVER_H
#define WEB_SERVER_H

#include "web/limits.h"
#include "web/listen.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct events;
struct feed;
struct held;
struct http;
struct exchange;
struct loop;
struct lunmgr;
struct news;
struct scan;
struct target;
struct tls;
struct watches;

struct web_counters {
    uint64_t replies[WEB_STATUS_CLASSES]; /* by status / 100 */
    uint64_t connections_refused;         /* over the limit */
    uint64_t clients_gone;                /* before their answer was ready */
    uint64_t auth_failures;               /* tokens that were not known */
    uint64_t auth_locked;                 /* requests refused since too many were not */
    uint64_t streams_dropped;             /* since their clients were too slow */
};

struct web {
    struct lunmgr *lunmgr;
    struct target *target;
    struct loop *control;
    struct event_base *base; /* of it */
    struct http *http;
    struct exchange *exchanges, **exchanges_end; /* under way, oldest first */
    struct tls *tls;                             /* NULL: TCP is off or in clear */
    struct listen_tcp tcp;
    char *tls_dir;
    struct events *events;
    struct watches *watches;
    struct feed *feeds; /* lists of blocks on their way */
    unsigned feed_count;
    struct news *news;
    struct held *held;  /* NULL: no list is being made at this moment */
    const char *engine; /* never NULL */
    struct scan *scans; /* lists under way */
    int64_t slice_us;   /* that a list works before others have a turn */
    bool draining;
    struct web_counters counters;
};

#endif
