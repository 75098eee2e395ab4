/* SPDX-License-Identifier: Apache-2.0 */
/* Who guesses tokens is made to wait: an address whose tokens were not known
 * WEB_AUTH_FAILURES_MAX times in WEB_AUTH_WINDOW_S is not listened to for
 * WEB_AUTH_LOCK_S, whatever it brings meanwhile: a good token that worked then would be
 * told from a bad one. What comes in that time does not make it longer, so that whoever
 * is locked out by a neighbour gets in again. Control thread. */
#ifndef WEB_AUTH_LIMIT_H
#define WEB_AUTH_LIMIT_H

#include "web/limits.h"
#include "web/peer.h"

#include <stddef.h>

struct auth_entry {
    struct peer peer;
    unsigned failures;         /* since since_ms */
    int64_t since_ms, last_ms; /* the first and the last failure */
    int64_t until_ms;          /* locked out until then */
};

/* All zeros to begin with. When it is full, who failed longest ago is forgotten. */
struct auth_limit {
    size_t count;
    struct auth_entry entries[WEB_AUTH_ADDRESSES_MAX];
};

/* Seconds until the peer is listened to again; 0: now. now_ms: a clock that only goes on.
 */
unsigned auth_limit_wait_s(const struct auth_limit *a, const struct peer *peer,
                           int64_t now_ms);
/* It brought a token that is not known. True: that was the one too many. */
bool auth_limit_fail(struct auth_limit *a, const struct peer *peer, int64_t now_ms);

#endif
