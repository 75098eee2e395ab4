/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses as text: "ADDRESS:PORT", "[v6]:PORT", and of portals with their
 * group's tag: "ADDRESS:PORT,TAG". Pure; any thread. */
#ifndef TARGET_ADDRESS_H
#define TARGET_ADDRESS_H

#include "base/cidr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_PORT_DEFAULT 3260
#define ADDRESS_TEXT_MAX     264 /* a domain name, a port, and NUL */

/* Who can use an address. */
enum address_scope {
    ADDRESS_ANY,      /* none: all of the machine's addresses */
    ADDRESS_LOOPBACK, /* this machine */
    ADDRESS_LINK,     /* the link: 169.254.0.0/16, fe80::/10 */
    ADDRESS_GLOBAL,
};
enum address_scope address_scope(const uint8_t ip[IP_BYTES]);
bool address_is_ipv4(const uint8_t ip[IP_BYTES]);

/* An IPv4 address in IPv6 form is written as IPv4, a link-local one without its zone:
 * that is a name of this machine's alone. */
void address_format(const struct sockaddr *addr, char *out, size_t out_bytes);
uint16_t address_port(const struct sockaddr *addr);
/* As base/cidr.h has addresses. */
void address_ip(const struct sockaddr *addr, uint8_t out[IP_BYTES]);
/* Numeric; without a port: ADDRESS_PORT_DEFAULT. A link-local IPv6 address names its
 * interface: "[fe80::1%eth0]:3260". 0, or -EINVAL with e's field `field`. */
int address_parse(const char *text, const char *field, struct sockaddr_storage *out,
                  socklen_t *bytes, struct err *e) MUST_CHECK;

/* A portal's address, or one that SendTargets tells, cut in two. */
struct address_tagged {
    char address[ADDRESS_TEXT_MAX];
    uint16_t tag; /* of its portal group, from 1; 0: none is named */
};
/* Cuts ",TAG" off. -EINVAL: no tag from 1 to 65535, or the address is too long. */
int address_cut_tag(const char *text, struct address_tagged *out) MUST_CHECK;
/* Whether text is "NAME", "NAME:PORT", "[v6]" or "[v6]:PORT", with or without ",TAG", as
 * SendTargets may tell it; a NAME may be a host name. *has_port: it names a port. */
bool address_is_advertisable(const char *text, bool *has_port) MUST_CHECK;

#endif
