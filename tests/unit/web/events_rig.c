/* SPDX-License-Identifier: Apache-2.0 */
/* See events_rig.h. */
#include "events_rig.h"

#include "web/events.h"
#include "web/server.h"

#include <stdio.h>

void publish(struct rig *r, const char *kind, const char *name)
{
    const struct event_note note = {
        .kind = kind, .verb = "changed", .name = name, .who = "local"};
    events_publish(r->web, &note);
}

void publish_many(struct rig *r, unsigned from, unsigned to)
{
    char name[16];
    for (unsigned i = from; i < to; i++) {
        snprintf(name, sizeof(name), "%u", i);
        publish(r, "volume", name);
    }
}
