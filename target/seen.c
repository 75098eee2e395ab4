/* SPDX-License-Identifier: Apache-2.0 */
/* The list of initiators seen (see seen.h). A flood of strangers pushes out strangers,
 * not the hosts that are known. */
#include "target/seen.h"

#include "base/inbox.h"
#include "lunmgr/loop.h"
#include "target/conn.h"
#include "target/lu.h"
#include "target/reactor.h"
#include "target/session.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct sighting {
    struct note note;
    struct target *target;
    struct target_seen what; /* of one login */
    uint64_t session;        /* that it opened; 0: none */
};

static int64_t last_s(const struct target_seen *e)
{
    return e->accepted_s > e->refused_s ? e->accepted_s : e->refused_s;
}

static void seen_remove(struct seen *seen, size_t index)
{
    size_t after = seen->count - index - 1;
    memmove(&seen->entries[index], &seen->entries[index + 1],
            after * sizeof(seen->entries[0]));
    memmove(&seen->known[index], &seen->known[index + 1], after * sizeof(seen->known[0]));
    seen->count--;
}

/* The stranger that was not seen for longest, else the host. */
static size_t seen_oldest(const struct seen *seen)
{
    size_t oldest = 0;
    for (size_t i = 1; i < seen->count; i++) {
        bool older = last_s(&seen->entries[i]) < last_s(&seen->entries[oldest]);
        bool stranger = !seen->known[i] && seen->known[oldest];
        if (stranger || (older && seen->known[i] == seen->known[oldest]))
            oldest = i;
    }
    return oldest;
}

static size_t seen_index(struct seen *seen, const struct target_seen *what)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (strcmp(seen->entries[i].initiator, what->initiator) == 0 &&
            strcmp(seen->entries[i].address, what->address) == 0)
            return i;
    }
    if (seen->count == SEEN_MAX)
        seen_remove(seen, seen_oldest(seen));
    struct target_seen *e = &seen->entries[seen->count];
    *e = (struct target_seen){.id = ++seen->last_id};
    memcpy(e->initiator, what->initiator, sizeof(e->initiator));
    memcpy(e->address, what->address, sizeof(e->address));
    return seen->count++;
}

static void seen_add(struct target *t, const struct target_seen *what)
{
    struct seen *seen = &t->seen;
    size_t index = seen_index(seen, what);
    struct target_seen *e = &seen->entries[index];
    seen->known[index] = access_host(t->access, what->initiator) != NULL;
    if (what->accepted_s != 0) {
        e->accepted_s = what->accepted_s;
        return;
    }
    e->refused_s = what->refused_s;
    e->status = what->status;
    e->refusals++;
    memcpy(e->reason, what->reason, sizeof(e->reason));
}

static void sighting_on_note(struct note *note)
{
    struct sighting *s = container_of(note, struct sighting, note);
    const struct target_events *events = &s->target->events;
    seen_add(s->target, &s->what);
    if (s->session != 0)
        registry_opened(s->target, s->session);
    else if (events->login_refused != NULL)
        events->login_refused(events->arg, &s->what);
    free(s);
}

/* "ADDRESS:PORT" without the port, which is another each time. */
static void address_put(char out[TARGET_ADDRESS_MAX], const char *peer)
{
    const char *colon = strrchr(peer, ':');
    size_t bytes = colon == NULL ? strlen(peer) : (size_t)(colon - peer);
    snprintf(out, TARGET_ADDRESS_MAX, "%.*s", (int)bytes, peer);
}

void seen_tell(const struct conn *c, enum login_status status, const char *reason)
{
    struct sighting *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return;
    struct target_seen *what = &s->what;
    s->target = c->reactor->target;
    s->note.run = sighting_on_note;
    what->status = (uint16_t)status;
    snprintf(what->initiator, sizeof(what->initiator), "%s",
             c->session->negotiation.said.initiator_name);
    address_put(what->address, c->peer);
    if (reason == NULL) {
        what->accepted_s = time(NULL);
        s->session = c->session->ticket->id;
    } else {
        what->refused_s = time(NULL);
    }
    snprintf(what->reason, sizeof(what->reason), "%s", reason == NULL ? "" : reason);
    loop_post(s->target->control, &s->note);
}

/* ---- what web asks ---- */

const struct target_seen *target_seen_next(const struct target *t,
                                           const struct target_seen *prev)
{
    const struct target_seen *next = prev == NULL ? t->seen.entries : prev + 1;
    return next < t->seen.entries + t->seen.count ? next : NULL;
}

const struct target_seen *target_seen_after(const struct target *t, uint64_t id)
{
    size_t low = 0, high = t->seen.count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (t->seen.entries[mid].id <= id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < t->seen.count ? &t->seen.entries[low] : NULL;
}

const char *target_seen_host(const struct target *t, const struct target_seen *seen)
{
    const struct access_host *host = access_host(t->access, seen->initiator);
    return host == NULL ? NULL : host->name;
}
