/* SPDX-License-Identifier: Apache-2.0 */
/* See announce.h. An event's type is what the operation's name says, as something that
 * has happened. */
#include "web/announce.h"

#include "web/events.h"
#include "web/exchange.h"
#include "web/resource.h"
#include "web/router.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *said, *happened;
} verbs[] = {
    {"_create", "created"},
    {"_put", "created"},
    {"_change", "changed"},
    {"_delete", "deleted"},
    {"_purge", "purged"},
    {"_restore", "restored"},
    {"_rollback", "rolled_back"},
    {"_check", "check_begun"},
    {"_cancel", "cancel_asked"},
    {"_copy", "copy_begun"},
    {"_evacuate", "evacuation_begun"},
    {"_add_device", "device_added"},
    {"_backup", "backed_up"},
    {"_export", "exported"},
    {"_import", "imported"},
};

/* Its verb, and in kind what stands before it. NULL: it needs no event of its own, since
 * its parts have theirs. */
static const char *verb_of(const char *operation, char kind[EVENT_TYPE_MAX])
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        const char *at = strstr(operation, verbs[i].said);
        if (at == NULL)
            continue;
        snprintf(kind, EVENT_TYPE_MAX, "%.*s", (int)(at - operation), operation);
        return verbs[i].happened;
    }
    return NULL;
}

/* As it is now: what was deleted has none. */
static const char *id_of(const struct exchange *x, union resource_room *info,
                         char room[RESOURCE_ID_MAX])
{
    const struct resource *r = x->route->resource;
    const char *name = x->passage.record.subject;
    if (r == NULL || r->find == NULL)
        return NULL;
    const void *object = r->find(x->web, name);
    if (object == NULL && x->route->method == EVHTTP_REQ_PATCH)
        object = x->passage.object; /* has another name now */
    return object == NULL ? NULL
                          : resource_id(r, resource_info(x->web, r, object, info), room);
}

void announce_change(const struct exchange *x)
{
    char kind[EVENT_TYPE_MAX], room[RESOURCE_ID_MAX];
    union resource_room info;
    const struct record *record = &x->passage.record;
    struct event_note note = {
        .kind = kind,
        .verb = verb_of(x->route->operation, kind),
        .id = id_of(x, &info, room),
        .name = record->subject,
        .who = record->who,
    };
    if (note.verb != NULL)
        events_publish(x->web, &note);
}
