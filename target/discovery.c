/* SPDX-License-Identifier: Apache-2.0 */
/* Which targets: those that the initiator's host is shown; to nobody's initiator, or from
 * where its host does not log in, none. Which addresses, of each the same: the one that
 * it came to, the other portals that it may be able to use, those that are advertised. */
#include "target/discovery.h"

#include "proto/keys.h"
#include "target/conn.h"
#include "target/lu.h"
#include "target/reactor.h"
#include "target/session.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- addresses ---- */

static void address_add(struct discovery *d, const char *address, uint16_t tag)
{
    assert(d->address_count < DISCOVERY_ADDRESS_MAX);
    char *next = d->addresses[d->address_count];
    snprintf(next, sizeof(d->addresses[0]), "%s,%u", address, tag);
    for (size_t i = 0; i < d->address_count; i++) {
        if (strcmp(d->addresses[i], next) == 0)
            return;
    }
    d->address_count++;
}

/* The address that the initiator came to, with another port. */
static void address_beside(const struct conn *c, uint16_t port,
                           char out[ADDRESS_TEXT_MAX])
{
    int host_bytes = (int)(strrchr(c->local, ':') - c->local);
    snprintf(out, ADDRESS_TEXT_MAX, "%.*s:%u", host_bytes, c->local, port);
}

/* Loopback helps who came by it; a link-local address only on its own link, which the
 * initiator cannot be told. */
static void portal_add(struct discovery *d, const struct conn *c,
                       const struct portal_face *face)
{
    char address[ADDRESS_TEXT_MAX];
    enum address_scope scope = address_scope(face->ip);
    bool takes_both = !address_is_ipv4(face->ip);
    if (scope == ADDRESS_GLOBAL ||
        (scope == ADDRESS_LOOPBACK && address_scope(c->local_ip) == ADDRESS_LOOPBACK)) {
        address_add(d, face->address, face->tag);
    } else if (scope == ADDRESS_ANY && (takes_both || address_is_ipv4(c->local_ip))) {
        address_beside(c, face->port, address);
        address_add(d, address, face->tag);
    }
}

/* What names no port or no tag has that of the portal which was asked. */
static void advertised_add(struct discovery *d, const struct conn *c, const char *text)
{
    struct address_tagged a;
    char with_port[ADDRESS_TEXT_MAX + sizeof(":65535")];
    bool has_port;
    if (!address_is_advertisable(text, &has_port) || address_cut_tag(text, &a) != 0)
        return;
    uint16_t tag = a.tag != 0 ? a.tag : c->portal_group_tag;
    if (has_port)
        snprintf(with_port, sizeof(with_port), "%s", a.address);
    else
        snprintf(with_port, sizeof(with_port), "%s:%u", a.address, c->local_port);
    address_add(d, with_port, tag);
}

static void addresses_add(struct discovery *d, const struct conn *c)
{
    struct target *t = c->reactor->target;
    address_add(d, c->local, c->portal_group_tag);
    for (size_t i = 0; i < t->face_count; i++)
        portal_add(d, c, &t->faces[i]);
    pthread_mutex_lock(&t->advertise_lock);
    for (size_t i = 0; i < t->advertise_count; i++)
        advertised_add(d, c, t->advertise[i]);
    pthread_mutex_unlock(&t->advertise_lock);
}

/* ---- targets ---- */

/* All may be asked for in discovery alone, the session's own target in a session with
 * one; by name the first tells what it is shown, the second its own. */
static bool targets_choose(struct discovery *d, const struct session *s,
                           const char *asked)
{
    const struct declared *said = &s->negotiation.said;
    bool all = strcmp(asked, "All") == 0;
    d->refused = all && !said->discovery;
    if (all)
        return said->discovery;
    const char *own = said->discovery ? "" : said->target_name;
    const char *name = asked[0] != '\0' ? asked : own;
    if (name[0] == '\0' || (own[0] != '\0' && strcasecmp(name, own) != 0))
        return false;
    d->one = access_host_view(d->host, name);
    return d->one != NULL;
}

void discovery_init(struct discovery *d, const struct conn *c, const char *asked)
{
    const struct session *s = c->session;
    const char *initiator = s->negotiation.said.initiator_name;
    d->one = NULL;
    d->refused = false;
    d->address_count = 0;
    d->host = access_host(c->reactor->access, initiator);
    if (d->host != NULL && !access_host_admits(d->host, c->peer_ip))
        d->host = NULL;
    if (d->host != NULL && !targets_choose(d, s, asked))
        d->host = NULL;
    if (d->host != NULL)
        addresses_add(d, c);
}

static void target_put(const struct discovery *d, const struct view *view,
                       struct wire *out)
{
    key_put(out, "TargetName", view->target);
    for (size_t i = 0; i < d->address_count; i++)
        key_put(out, "TargetAddress", d->addresses[i]);
}

void discovery_put(const struct discovery *d, struct wire *out)
{
    if (d->refused)
        key_put(out, "SendTargets", "Reject");
    if (d->host == NULL)
        return;
    if (d->one != NULL) {
        target_put(d, d->one, out);
        return;
    }
    /* A host that has own targets only has nothing to log in to the shared one for. */
    const struct view *shared = &d->host->views[0];
    if (shared->lu_count > 0 || d->host->view_count == 1)
        target_put(d, shared, out);
    for (size_t i = 1; i < d->host->view_count; i++)
        target_put(d, &d->host->views[i], out);
}
