/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of addresses, read, written and compared (see cidr.h). */
#include "base/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define IPV4_AT   12 /* in the address that is mapped to it */
#define IPV4_BITS 96 /* before it */

static const uint8_t ipv4_prefix[IPV4_AT] = {[10] = 0xff, [11] = 0xff};

void ip_of_ipv4(const void *ipv4, uint8_t out[IP_BYTES])
{
    memcpy(out, ipv4_prefix, sizeof(ipv4_prefix));
    memcpy(out + IPV4_AT, ipv4, IP_BYTES - IPV4_AT);
}

/* The bits of the address that text names; 0: none. */
static unsigned ip_parse(const char *text, uint8_t out[IP_BYTES])
{
    struct in_addr ipv4;
    if (inet_pton(AF_INET, text, &ipv4) == 1) {
        ip_of_ipv4(&ipv4, out);
        return 32;
    }
    return inet_pton(AF_INET6, text, out) == 1 ? 128 : 0;
}

/* A number of at most 3 digits up to max; -1: not one. */
static int bits_parse(const char *text, unsigned max)
{
    size_t digits = strspn(text, "0123456789");
    unsigned bits = 0;
    if (digits == 0 || digits > 3 || text[digits] != '\0')
        return -1;
    for (size_t i = 0; i < digits; i++)
        bits = bits * 10 + (unsigned)(text[i] - '0');
    return bits <= max ? (int)bits : -1;
}

/* Of byte i, what the prefix covers. */
static uint8_t mask_of(unsigned prefix_bits, size_t i)
{
    if (prefix_bits >= 8 * (i + 1))
        return 0xff;
    if (prefix_bits <= 8 * i)
        return 0;
    return (uint8_t)(0xff00U >> (prefix_bits - 8 * i));
}

static bool is_masked(const struct cidr *range)
{
    for (size_t i = 0; i < IP_BYTES; i++) {
        if ((range->address[i] & ~mask_of(range->prefix_bits, i)) != 0)
            return false;
    }
    return true;
}

int cidr_parse(const char *text, struct cidr *out)
{
    char address[INET6_ADDRSTRLEN];
    size_t length = strcspn(text, "/");
    if (length >= sizeof(address))
        return -EINVAL;
    memcpy(address, text, length);
    address[length] = '\0';
    unsigned size = ip_parse(address, out->address);
    if (size == 0)
        return -EINVAL;
    int bits = text[length] == '\0' ? (int)size : bits_parse(text + length + 1, size);
    if (bits < 0)
        return -EINVAL;
    out->prefix_bits = (uint8_t)((unsigned)bits + (128 - size));
    return is_masked(out) ? 0 : -EINVAL;
}

void cidr_format(const struct cidr *range, char out[CIDR_TEXT_MAX])
{
    char address[INET6_ADDRSTRLEN];
    bool is_ipv4 = range->prefix_bits >= IPV4_BITS &&
                   memcmp(range->address, ipv4_prefix, sizeof(ipv4_prefix)) == 0;
    if (is_ipv4)
        inet_ntop(AF_INET, range->address + IPV4_AT, address, sizeof(address));
    else
        inet_ntop(AF_INET6, range->address, address, sizeof(address));
    snprintf(out, CIDR_TEXT_MAX, "%s/%d", address,
             range->prefix_bits - (is_ipv4 ? IPV4_BITS : 0));
}

static bool cidr_has(const struct cidr *range, const uint8_t address[IP_BYTES])
{
    for (size_t i = 0; i < IP_BYTES; i++) {
        if ((address[i] & mask_of(range->prefix_bits, i)) != range->address[i])
            return false;
    }
    return true;
}

bool cidr_list_has(const struct cidr_list *list, const uint8_t address[IP_BYTES])
{
    for (size_t i = 0; i < list->count; i++) {
        if (cidr_has(&list->ranges[i], address))
            return true;
    }
    return false;
}
