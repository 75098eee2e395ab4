/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses as text: "ADDRESS:PORT", "[v6]:PORT". Pure; any thread. */
#ifndef TARGET_ADDRESS_H
#define TARGET_ADDRESS_H

#include "base/cidr.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_PORT_DEFAULT 3260

/* An IPv4 address in IPv6 form is written as IPv4. */
void address_format(const struct sockaddr *addr, char *out, size_t out_bytes);
uint16_t address_port(const struct sockaddr *addr);
/* As base/cidr.h has addresses. */
void address_ip(const struct sockaddr *addr, uint8_t out[IP_BYTES]);
/* Numeric; without a port: ADDRESS_PORT_DEFAULT. 0, or -EINVAL with e's field `field`. */
int address_parse(const char *text, const char *field, struct sockaddr_storage *out,
                  socklen_t *bytes, struct err *e) MUST_CHECK;
/* Whether text is "NAME", "NAME:PORT", "[v6]" or "[v6]:PORT" as SendTargets may tell it;
 * a NAME may be a host name. *has_port: it names a port. */
bool address_is_advertisable(const char *text, bool *has_port) MUST_CHECK;

#endif
