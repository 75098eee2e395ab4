/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of IP addresses, "192.0.2.0/24" or "2001:db8::/32". An IPv4 address is kept as
 * the IPv6 one that is mapped to it (RFC 4291, 2.5.5.2), so that there is one kind. A
 * value; any thread. */
#ifndef BASE_CIDR_H
#define BASE_CIDR_H

#include "base/auto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IP_BYTES      16
#define CIDR_TEXT_MAX 52 /* with NUL */
#define CIDR_LIST_MAX 16

struct cidr {
    uint8_t address[IP_BYTES]; /* zeros beyond the prefix */
    uint8_t prefix_bits;
};

struct cidr_list {
    struct cidr ranges[CIDR_LIST_MAX];
    size_t count;
};

/* The address of an IPv4 one, of 4 bytes in network order. */
void ip_of_ipv4(const void *ipv4, uint8_t out[IP_BYTES]);
/* Without a prefix: that one address. 0, or -EINVAL: none of the two, or bits beyond the
 * prefix are set. */
int cidr_parse(const char *text, struct cidr *out) MUST_CHECK;
void cidr_format(const struct cidr *range, char out[CIDR_TEXT_MAX]);
/* Whether the address is in one of them. */
bool cidr_list_has(const struct cidr_list *list, const uint8_t address[IP_BYTES]);

#endif
