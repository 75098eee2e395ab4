/* SPDX-License-Identifier: Apache-2.0 */
/* SendTargets (RFC 7143, appendix C): the one target, its address as the initiator
 * reached it, and the addresses that are advertised besides. An initiator of no host, or
 * from where its host does not log in, is told nothing. */
#include "target/text.h"

#include "proto/keys.h"
#include "target/address.h"
#include "target/conn.h"
#include "target/lu.h"
#include "target/reactor.h"
#include "target/session.h"

#include <stdio.h>
#include <string.h>

#define ADDRESS_VALUE_MAX 300 /* a domain name, a port, a tag */

static void put_address(const char *address, struct wire *out)
{
    char value[ADDRESS_VALUE_MAX + 8];
    snprintf(value, sizeof(value), "%s,%d", address, PORTAL_GROUP_TAG);
    key_put(out, "TargetAddress", value);
}

/* One that names no port has that of the portal which was asked. */
static void put_advertised(const struct conn *c, const char *address, struct wire *out)
{
    char with_port[ADDRESS_VALUE_MAX];
    bool has_port;
    if (!address_is_advertisable(address, &has_port))
        return;
    if (has_port)
        snprintf(with_port, sizeof(with_port), "%s", address);
    else
        snprintf(with_port, sizeof(with_port), "%s:%u", address, c->local_port);
    if (strcmp(with_port, c->local) != 0)
        put_address(with_port, out);
}

static bool may_know(const struct conn *c, const char *asked)
{
    const struct target *t = c->reactor->target;
    const char *initiator = c->session->negotiation.said.initiator_name;
    if (asked[0] != '\0' && strcmp(asked, "All") != 0 && strcmp(asked, t->name) != 0)
        return false;
    const struct view *view = access_view(c->reactor->access, initiator);
    return view != NULL && view_admits(view, c->peer_ip);
}

void discovery_answer(const struct conn *c, const char *asked, struct wire *out)
{
    struct target *t = c->reactor->target;
    if (!may_know(c, asked))
        return;
    key_put(out, "TargetName", t->name);
    put_address(c->local, out);
    pthread_mutex_lock(&t->advertise_lock);
    for (size_t i = 0; i < t->advertise_count; i++)
        put_advertised(c, t->advertise[i], out);
    pthread_mutex_unlock(&t->advertise_lock);
}
