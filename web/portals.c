/* SPDX-License-Identifier: Apache-2.0 */
/* Portal addresses as an initiator elsewhere can use them. Asks the kernel each time,
 * since addresses come and go. Control thread. */
#include "web/portals.h"

#include "base/auto.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void add(struct portals *out, const char *host, const char *port)
{
    if (out->count == ARRAY_LEN(out->address))
        return;
    char *address = out->address[out->count++];
    snprintf(address, TARGET_ADDRESS_MAX, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
             port);
}

/* False for what nobody elsewhere can use: loopback, link-local. */
static bool host_of(const struct ifaddrs *entry, int family, char host[INET6_ADDRSTRLEN])
{
    if (entry->ifa_addr == NULL || entry->ifa_addr->sa_family != family ||
        (entry->ifa_flags & IFF_LOOPBACK) != 0 || (entry->ifa_flags & IFF_UP) == 0)
        return false;
    if (family == AF_INET) {
        const struct sockaddr_in *in = (const void *)entry->ifa_addr;
        return inet_ntop(family, &in->sin_addr, host, INET6_ADDRSTRLEN) != NULL;
    }
    const struct sockaddr_in6 *in6 = (const void *)entry->ifa_addr;
    return !IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) &&
           inet_ntop(family, &in6->sin6_addr, host, INET6_ADDRSTRLEN) != NULL;
}

static void add_family(struct portals *out, int family, const char *port)
{
    struct ifaddrs *list = NULL;
    char host[INET6_ADDRSTRLEN];
    if (getifaddrs(&list) != 0)
        return;
    for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next) {
        if (host_of(entry, family, host))
            add(out, host, port);
    }
    freeifaddrs(list);
}

/* The machine's own addresses, or loopback if it has none. An IPv6 portal takes IPv4 too.
 */
static void add_all(struct portals *out, int family, const char *port)
{
    size_t before = out->count;
    add_family(out, AF_INET, port);
    if (family == AF_INET6)
        add_family(out, AF_INET6, port);
    if (out->count == before)
        add(out, family == AF_INET ? "127.0.0.1" : "::1", port);
}

void portals_list(const struct target *target, struct portals *out)
{
    static const char any4[] = "0.0.0.0:", any6[] = "[::]:";
    out->count = 0;
    for (size_t i = 0; i < target_portal_count(target); i++) {
        const char *portal = target_portal(target, i);
        if (strncmp(portal, any4, sizeof(any4) - 1) == 0)
            add_all(out, AF_INET, portal + sizeof(any4) - 1);
        else if (strncmp(portal, any6, sizeof(any6) - 1) == 0)
            add_all(out, AF_INET6, portal + sizeof(any6) - 1);
        else if (out->count < ARRAY_LEN(out->address))
            snprintf(out->address[out->count++], TARGET_ADDRESS_MAX, "%s", portal);
    }
}
