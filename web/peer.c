/* SPDX-License-Identifier: Apache-2.0 */
/* struct peer from what the kernel says of a socket. */
#include "web/peer.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#define NETWORK_BYTES 8 /* of an IPv6 address, what its owner did not choose */

static void take_ipv4(const void *ipv4, struct peer *out)
{
    ip_of_ipv4(ipv4, out->ip);
    inet_ntop(AF_INET, ipv4, out->text, sizeof(out->text));
}

static void take_ipv6(const struct in6_addr *ipv6, struct peer *out)
{
    if (IN6_IS_ADDR_V4MAPPED(ipv6)) {
        take_ipv4(ipv6->s6_addr + 12, out);
        return;
    }
    memcpy(out->ip, ipv6, NETWORK_BYTES);
    inet_ntop(AF_INET6, ipv6, out->text, sizeof(out->text));
}

void peer_of_address(const struct sockaddr *address, struct peer *out)
{
    *out = (struct peer){0};
    if (address->sa_family == AF_INET)
        take_ipv4(&((const struct sockaddr_in *)(const void *)address)->sin_addr, out);
    else if (address->sa_family == AF_INET6)
        take_ipv6(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, out);
}

void peer_of(int fd, struct peer *out)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t bytes = sizeof(address);
    if (getpeername(fd, (struct sockaddr *)&address, &bytes) != 0)
        address.ss_family = AF_UNSPEC;
    peer_of_address((const struct sockaddr *)&address, out);
}

bool peer_is_same(const struct peer *a, const struct peer *b)
{
    return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}
