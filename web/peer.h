/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end of a TCP connection, as far as limits count it: an IPv4
 * address, or the /64 of an IPv6 one, of which anybody has as many as he likes. A value;
 * any thread. */
#ifndef WEB_PEER_H
#define WEB_PEER_H

#include "base/cidr.h"

#include <netinet/in.h>
#include <stdbool.h>

struct peer {
    uint8_t ip[IP_BYTES]; /* of IPv6 zeros beyond the /64; all zeros: not TCP */
    char text[INET6_ADDRSTRLEN];
};

/* Not of IP: text is "". */
void peer_of_address(const struct sockaddr *address, struct peer *out);
/* Of a connected socket. If it is not TCP, or nobody is there any more: text is "". */
void peer_of(int fd, struct peer *out);
bool peer_is_same(const struct peer *a, const struct peer *b);

#endif
