/* SPDX-License-Identifier: Apache-2.0 */
/* The list of drains (see drain.h). A change of it is told to the reactors by a fanout:
 * each looks at its sessions anew. A login that the list did not turn away is open before
 * its reactor hears of a change, so none slips through. */
#include "target/drain.h"

#include "base/auto.h"
#include "base/log.h"
#include "lunmgr/host.h"
#include "target/address.h"
#include "target/conn.h"
#include "target/fanout.h"
#include "target/limits.h"
#include "target/lu.h"
#include "target/portal.h"
#include "target/reactor.h"
#include "target/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct endpoint {
    uint8_t ip[IP_BYTES];
    uint16_t port;
};

struct drain {
    struct drain *next;
    struct target_drain_info info;
    bool every_portal;
    struct endpoint portal;
    char host_id[VOLUME_ID_MAX]; /* "": every host */
};

/* What a drain is held against. */
struct subject {
    struct endpoint at;
    const struct access_host *host; /* NULL: of no host */
};

void drain_list_init(struct drain_list *list)
{
    pthread_mutex_init(&list->lock, NULL);
}

void drain_list_fini(struct drain_list *list)
{
    while (list->first != NULL) {
        struct drain *d = list->first;
        list->first = d->next;
        free(d);
    }
    pthread_mutex_destroy(&list->lock);
}

/* ---- who is meant ---- */

static bool endpoint_is(const struct endpoint *of, const struct endpoint *at)
{
    return of->port == at->port && memcmp(of->ip, at->ip, IP_BYTES) == 0;
}

/* of may have an unspecified address: all of its family, of IPv6 all. */
static bool endpoint_covers(const struct endpoint *of, const struct endpoint *at)
{
    static const uint8_t any[IP_BYTES];
    uint8_t any_ipv4[IP_BYTES];
    ip_of_ipv4(any, any_ipv4);
    if (of->port != at->port)
        return false;
    if (endpoint_is(of, at) || memcmp(of->ip, any, IP_BYTES) == 0)
        return true;
    return memcmp(of->ip, any_ipv4, IP_BYTES) == 0 &&
           memcmp(of->ip, at->ip, IP_BYTES - 4) == 0;
}

static bool drain_covers(const struct drain *d, const struct subject *s)
{
    if (!d->every_portal && !endpoint_covers(&d->portal, &s->at))
        return false;
    return d->host_id[0] == '\0' ||
           (s->host != NULL && strcmp(s->host->id, d->host_id) == 0);
}

static struct subject subject_of(const struct conn *c)
{
    struct subject s = {
        .at.port = c->local_port,
        .host =
            access_host(c->reactor->access, c->session->negotiation.said.initiator_name),
    };
    memcpy(s.at.ip, c->local_ip, IP_BYTES);
    return s;
}

/* Under the lock. One that knows where to go is better than one that does not. */
static struct drain *drain_of(const struct conn *c)
{
    struct drain *found = NULL;
    struct subject s = subject_of(c);
    for (struct drain *d = c->reactor->target->drains.first; d != NULL; d = d->next) {
        if (drain_covers(d, &s) && (found == NULL || found->info.redirect[0] == '\0'))
            found = d;
    }
    return found;
}

bool drain_turns_away(const struct conn *c, char redirect[TARGET_REDIRECT_MAX])
{
    struct drain_list *list = &c->reactor->target->drains;
    pthread_mutex_lock(&list->lock);
    struct drain *d = drain_of(c);
    if (d != NULL) {
        d->info.turned_away++;
        snprintf(redirect, TARGET_REDIRECT_MAX, "%s", d->info.redirect);
    }
    pthread_mutex_unlock(&list->lock);
    return d != NULL;
}

void drain_on_dropped(const struct conn *c)
{
    struct drain_list *list = &c->reactor->target->drains;
    pthread_mutex_lock(&list->lock);
    struct drain *d = drain_of(c);
    if (d != NULL)
        d->info.dropped++;
    pthread_mutex_unlock(&list->lock);
}

/* ---- a change is told to the sessions ---- */

struct drain_change {
    struct fanout fanout;
    uint64_t id;
    target_drain_fn done;
    void *arg;
};

static void conn_reconsider(struct conn *c)
{
    struct drain_list *list = &c->reactor->target->drains;
    pthread_mutex_lock(&list->lock);
    struct drain *d = drain_of(c);
    unsigned within_s = d == NULL ? 0 : d->info.logout_timeout_s;
    if (d != NULL && c->leave_ms == 0)
        d->info.asked++;
    pthread_mutex_unlock(&list->lock);
    if (d == NULL)
        conn_let_stay(c);
    else
        conn_ask_logout(c, within_s);
}

static void change_run(struct fanout_leg *leg)
{
    struct reactor *r = leg->reactor;
    for (struct conn *c = r->conns; c != NULL && !r->stopping; c = c->next) {
        if (c->state == CONN_OPEN)
            conn_reconsider(c);
    }
    fanout_leg_done(leg);
}

static void change_on_done(struct fanout *fanout)
{
    struct drain_change *change = container_of(fanout, struct drain_change, fanout);
    change->done(change->arg, change->id);
    free(change);
}

static struct drain_change *change_new(target_drain_fn done, void *arg)
{
    struct drain_change *change = calloc(1, sizeof(*change));
    if (change == NULL)
        return NULL;
    change->fanout.run = change_run;
    change->fanout.done = change_on_done;
    change->done = done;
    change->arg = arg;
    return change;
}

static void change_start(struct drain_change *change, struct target *t, uint64_t id)
{
    change->id = id;
    change->fanout.asker = t->control;
    fanout_start(&change->fanout, t);
}

/* ---- what is asked for ---- */

static int endpoint_parse(const char *text, const char *field, struct endpoint *out,
                          struct err *e)
{
    struct sockaddr_storage addr;
    socklen_t bytes;
    int rc = address_parse(text, field, &addr, &bytes, e);
    if (rc != 0)
        return rc;
    address_ip((struct sockaddr *)&addr, out->ip);
    out->port = address_port((struct sockaddr *)&addr);
    return 0;
}

/* covers: endpoint_covers or endpoint_is. */
static bool target_listens(const struct target *t, const struct endpoint *at,
                           bool (*covers)(const struct endpoint *of,
                                          const struct endpoint *at))
{
    for (size_t i = 0; i < t->portal_count; i++) {
        const struct portal_face *face = portal_face(t->portals[i]);
        struct endpoint portal = {.port = face->port};
        memcpy(portal.ip, face->ip, IP_BYTES);
        if (covers(&portal, at))
            return true;
    }
    return false;
}

static int drain_take_portal(struct drain *d, const struct target *t, const char *portal,
                             struct err *e)
{
    d->every_portal = portal == NULL;
    if (d->every_portal)
        return 0;
    int rc = endpoint_parse(portal, "portal", &d->portal, e);
    if (rc != 0)
        return rc;
    if (!target_listens(t, &d->portal, endpoint_covers))
        return err_set(e, -EINVAL, "portal", "the target does not listen at %s", portal);
    snprintf(d->info.portal, sizeof(d->info.portal), "%s", portal);
    return 0;
}

static int drain_take_host(struct drain *d, const struct target *t, const char *host,
                           struct err *e)
{
    struct host_info info;
    if (host == NULL)
        return 0;
    const struct host *found = host_find(t->lunmgr, host);
    if (found == NULL)
        return err_set(e, -ENOENT, "host", "no host %.80s", host);
    host_describe(found, &info);
    memcpy(d->host_id, info.id, sizeof(d->host_id));
    memcpy(d->info.host_name, info.name, sizeof(d->info.host_name));
    return 0;
}

/* Which addresses a portal on all addresses has is not known here: a redirection that
 * comes back is found out only where the portal's own is written down. */
static bool redirect_comes_back(const struct drain *d, const struct target *t,
                                const char *to)
{
    struct endpoint at;
    if (endpoint_parse(to, NULL, &at, NULL) != 0)
        return false; /* a host name */
    return d->every_portal ? target_listens(t, &at, endpoint_is)
                           : endpoint_is(&d->portal, &at);
}

static int drain_take_redirect(struct drain *d, const struct target *t, const char *to,
                               struct err *e)
{
    bool has_port;
    if (to == NULL)
        return 0;
    if (strlen(to) >= sizeof(d->info.redirect) || !address_is_advertisable(to, &has_port))
        return err_set(e, -EINVAL, "redirect",
                       "'%.80s' is no address: NAME, NAME:PORT or [IPV6]:PORT", to);
    if (redirect_comes_back(d, t, to))
        return err_set(e, -EINVAL, "redirect", "%.80s is drained as well", to);
    snprintf(d->info.redirect, sizeof(d->info.redirect), "%s", to);
    return 0;
}

static int drain_fill(struct drain *d, const struct target *t,
                      const struct target_drain_spec *spec, struct err *e)
{
    int rc = drain_take_portal(d, t, spec->portal, e);
    if (rc == 0)
        rc = drain_take_host(d, t, spec->host, e);
    if (rc == 0)
        rc = drain_take_redirect(d, t, spec->redirect, e);
    d->info.logout_timeout_s = spec->logout_timeout_s;
    d->info.since_s = time(NULL);
    return rc;
}

static int drain_create(const struct target *t, const struct target_drain_spec *spec,
                        struct drain **out, struct err *e)
{
    struct drain *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return err_oom(e);
    int rc = drain_fill(d, t, spec, e);
    if (rc != 0) {
        free(d);
        return rc;
    }
    *out = d;
    return 0;
}

static uint64_t list_add(struct drain_list *list, struct drain *d)
{
    pthread_mutex_lock(&list->lock);
    struct drain **at = &list->first;
    while (*at != NULL)
        at = &(*at)->next;
    *at = d;
    uint64_t id = d->info.id = ++list->last_id;
    list->count++;
    pthread_mutex_unlock(&list->lock);
    return id;
}

/* NULL: there is none. */
static struct drain *list_take(struct drain_list *list, uint64_t id)
{
    pthread_mutex_lock(&list->lock);
    struct drain **at = &list->first;
    while (*at != NULL && (*at)->info.id != id)
        at = &(*at)->next;
    struct drain *found = *at;
    if (found != NULL) {
        *at = found->next;
        list->count--;
    }
    pthread_mutex_unlock(&list->lock);
    return found;
}

static int drain_plan(struct target *t, const struct target_drain_spec *spec,
                      struct drain **out, struct err *e)
{
    if (t->drains.count == DRAIN_MAX)
        return err_set(e, -EBUSY, NULL, "there are %d drains, which is the most",
                       DRAIN_MAX);
    return drain_create(t, spec, out, e);
}

int target_drain_check(struct target *t, const struct target_drain_spec *spec,
                       struct err *e)
{
    struct drain *d = NULL;
    int rc = drain_plan(t, spec, &d, e);
    free(d);
    return rc;
}

int target_drain(struct target *t, const struct target_drain_spec *spec,
                 target_drain_fn done, void *arg, struct err *e)
{
    struct drain *d = NULL;
    int rc = drain_plan(t, spec, &d, e);
    if (rc != 0)
        return rc;
    struct drain_change *change = change_new(done, arg);
    if (change == NULL) {
        free(d);
        return err_oom(e);
    }
    log_info("drain begins", "portal=%s host=%s redirect=%s",
             d->info.portal[0] == '\0' ? "all" : d->info.portal,
             d->info.host_name[0] == '\0' ? "all" : d->info.host_name,
             d->info.redirect[0] == '\0' ? "none" : d->info.redirect);
    change_start(change, t, list_add(&t->drains, d));
    return 0;
}

int target_undrain(struct target *t, uint64_t id, target_drain_fn done, void *arg)
{
    struct drain_change *change = change_new(done, arg);
    if (change == NULL)
        return -ENOMEM;
    AUTO_FREE struct drain *d = list_take(&t->drains, id);
    if (d == NULL) {
        free(change);
        return -ENOENT;
    }
    log_info("drain is over", "id=%llu", (unsigned long long)id);
    change_start(change, t, id);
    return 0;
}

/* ---- what is told ---- */

static unsigned drain_count_sessions(const struct drain *d, const struct target *t)
{
    unsigned count = 0;
    for (const struct registry_ticket *e = t->registry.first; e != NULL; e = e->next) {
        struct subject s = {.at.port = e->local_port,
                            .host = access_host(t->access, e->initiator)};
        memcpy(s.at.ip, e->local_ip, IP_BYTES);
        count += drain_covers(d, &s);
    }
    return count;
}

/* The name that the host has now. */
static void drain_name_host(const struct drain *d, const struct target *t,
                            struct target_drain_info *out)
{
    struct host_info info;
    const struct host *host = host_find(t->lunmgr, d->host_id);
    if (host == NULL)
        return;
    host_describe(host, &info);
    memcpy(out->host_name, info.name, sizeof(out->host_name));
}

bool target_drain_next(struct target *t, uint64_t after, struct target_drain_info *out)
{
    pthread_mutex_lock(&t->drains.lock);
    const struct drain *d = t->drains.first;
    while (d != NULL && d->info.id <= after)
        d = d->next;
    if (d != NULL)
        *out = d->info;
    pthread_mutex_unlock(&t->drains.lock);
    if (d == NULL)
        return false;
    if (d->host_id[0] != '\0')
        drain_name_host(d, t, out);
    out->sessions = drain_count_sessions(d, t);
    return true;
}
