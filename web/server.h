/* SPDX-License-Identifier: Apache-2.0 */
/* What the rooms of web share: the server's state, seen by every handler through its
 * exchange. Control thread. */
#ifndef WEB_SERVER_H
#define WEB_SERVER_H

#include "web/digest.h"
#include "web/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct held;
struct http;
struct lunmgr;
struct scan;
struct target;

struct web_counters {
    uint64_t replies[WEB_STATUS_CLASSES]; /* by status / 100 */
    uint64_t connections_refused;         /* over the limit */
    uint64_t clients_gone;                /* before their answer was ready */
};

struct web {
    struct lunmgr *lunmgr;
    struct target *target;
    struct event_base *base; /* of the control loop */
    struct http *http;
    struct scan *scans; /* lists under way */
    struct held *held;  /* NULL: no list is being made at this moment */
    const char *engine; /* never NULL */
    bool draining;
    int64_t slice_us;              /* that a list works before others have a turn */
    uint8_t tag_key[DIGEST_BYTES]; /* random; of secrets in entity tags */
    struct web_counters counters;
};

#endif
