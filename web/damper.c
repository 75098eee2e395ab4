/* SPDX-License-Identifier: Apache-2.0 */
/* Counting in whiles of WEB_DAMPER_S (see damper.h). A causer that goes on and on has one
 * event a while. */
#include "web/damper.h"

#include "web/json_out.h"

#include <assert.h>
#include <event2/event.h>
#include <string.h>

static void damper_arm(struct damper *d)
{
    static const struct timeval a_while = {.tv_sec = WEB_DAMPER_S};
    if (!event_pending(&d->timer, EV_TIMEOUT, NULL))
        event_add(&d->timer, &a_while);
}

/* key: NULL: of several causers. */
static void publish(struct damper *d, const struct damper_key *key, const char *id,
                    json_t *data)
{
    const struct event_note note = {
        .kind = d->rule->kind,
        .verb = d->rule->verb,
        .id = id,
        .name = key == NULL
                    ? NULL
                    : text_or_null(key->name[0] == '\0' ? key->address : key->name),
        .data = data,
    };
    events_publish(d->web, &note);
}

static void publish_untold(struct damper *d, const struct damper_key *key, uint64_t count)
{
    publish(d, key, NULL,
            json_pack("{s:I, s:s?}", "more", (json_int_t)count, "address",
                      key == NULL ? NULL : text_or_null(key->address)));
}

void damper_flush(struct damper *d)
{
    for (size_t i = 0; i < d->count; i++) {
        uint64_t untold = d->causers[i].untold;
        d->causers[i].untold = 0;
        if (untold > 0)
            publish_untold(d, &d->causers[i].key, untold);
    }
    if (d->untold > 0)
        publish_untold(d, NULL, d->untold);
    d->untold = 0;
}

/* Those that had more than they may are told of late for another while. */
static void damper_forget(struct damper *d)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->count; i++) {
        if (d->causers[i].untold > 0)
            d->causers[kept++] = d->causers[i];
    }
    d->count = kept;
}

static void damper_on_time(evutil_socket_t fd, short what, void *arg)
{
    struct damper *d = arg;
    bool several = d->untold > 0;
    (void)fd;
    (void)what;
    damper_forget(d);
    damper_flush(d);
    if (d->count > 0 || several)
        damper_arm(d);
}

void damper_init(struct damper *d, struct web *web, struct event_base *base,
                 const struct damper_rule *rule)
{
    assert(rule->keys <= WEB_DAMPER_KEYS_MAX && rule->each > 0);
    memset(d, 0, sizeof(*d));
    d->web = web;
    d->rule = rule;
    event_assign(&d->timer, base, -1, 0, damper_on_time, d);
}

void damper_fini(struct damper *d)
{
    event_del(&d->timer);
}

/* NULL: there are too many causers. */
static struct damped *damper_find(struct damper *d, const struct damper_key *key)
{
    for (size_t i = 0; i < d->count; i++) {
        if (strcmp(d->causers[i].key.name, key->name) == 0 &&
            strcmp(d->causers[i].key.address, key->address) == 0)
            return &d->causers[i];
    }
    if (d->count == d->rule->keys)
        return NULL;
    struct damped *causer = &d->causers[d->count++];
    *causer = (struct damped){.key = *key};
    return causer;
}

void damper_publish(struct damper *d, const struct damper_key *key, const char *id,
                    json_t *data)
{
    struct damped *causer = damper_find(d, key);
    damper_arm(d);
    if (causer != NULL && causer->passed < d->rule->each) {
        causer->passed++;
        publish(d, key, id, data);
        return;
    }
    if (causer != NULL)
        causer->untold++;
    else
        d->untold++;
    json_decref(data);
}
