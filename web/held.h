/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of the target once for all rows of a slice of a list, since control does
 * not return to the loop meanwhile. Control thread. */
#ifndef WEB_HELD_H
#define WEB_HELD_H

#include "target/target.h"
#include "web/portals.h"
#include "web/server.h"

/* The last login of a host that went well, and the last that did not. NULL: none. */
struct logins {
    const struct target_seen *accepted, *refused;
};

struct login_table {
    struct login_seen {
        const char *host;
        const struct target_seen *seen;
    } of[SEEN_MAX]; /* in order of host */
    size_t count;
};

struct held {
    bool has_portals, has_logins;
    struct portals portals;
    struct login_table logins;
};

/* From here to held_end; outside, each question is asked anew. */
void held_begin(struct web *web, struct held *held);
void held_end(struct web *web);

/* Borrowed from web, or room. */
const struct portals *held_portals(const struct web *web, struct portals *room);
struct logins held_logins(const struct web *web, const char *host);

#endif
