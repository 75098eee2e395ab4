/* SPDX-License-Identifier: Apache-2.0 */
/* Events that an outsider can cause as often as it likes must not wash all others out of
 * the ring. A damper publishes the first ones of each causer in a while as they come; of
 * the others it counts, and says at the while's end how many there were. Causers beyond
 * WEB_DAMPER_KEYS_MAX are one. Control thread. */
#ifndef WEB_DAMPER_H
#define WEB_DAMPER_H

#include "web/events.h"

#include <event2/event_struct.h>

struct damper_rule {
    const char *kind, *verb; /* of its events */
    unsigned each;           /* of a causer in a while, as they come */
    unsigned keys;           /* causers that are told apart */
};

/* Who causes events: equal texts, equal causer. */
struct damper_key {
    char name[256], address[64];
};

struct damped {
    struct damper_key key;
    unsigned passed;
    uint64_t untold;
};

struct damper {
    struct web *web;
    const struct damper_rule *rule;
    struct event timer; /* pending while there is a causer */
    size_t count;
    struct damped causers[WEB_DAMPER_KEYS_MAX];
    uint64_t untold; /* of all other causers */
};

void damper_init(struct damper *d, struct web *web, struct event_base *base,
                 const struct damper_rule *rule);
void damper_fini(struct damper *d);

/* id as in event_note; data is taken: an object, or NULL. The subject's name is the
 * key's name, or its address if there is none. */
void damper_publish(struct damper *d, const struct damper_key *key, const char *id,
                    json_t *data);
/* Says now what is untold. */
void damper_flush(struct damper *d);

#endif
