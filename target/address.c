/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing goes through getaddrinfo with numeric hosts alone: nothing is looked up. */
#include "target/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define HOST_TEXT_MAX 64
#define NAME_TEXT_MAX 255 /* RFC 7143, 13.8: a domain name */

uint16_t address_port(const struct sockaddr *addr)
{
    if (addr->sa_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)(const void *)addr)->sin6_port);
    return ntohs(((const struct sockaddr_in *)(const void *)addr)->sin_port);
}

void address_ip(const struct sockaddr *addr, uint8_t out[IP_BYTES])
{
    if (addr->sa_family == AF_INET6)
        memcpy(out, &((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr,
               IP_BYTES);
    else
        ip_of_ipv4(&((const struct sockaddr_in *)(const void *)addr)->sin_addr, out);
}

bool address_is_ipv4(const uint8_t ip[IP_BYTES])
{
    struct in6_addr a;
    memcpy(&a, ip, sizeof(a));
    return IN6_IS_ADDR_V4MAPPED(&a);
}

static enum address_scope scope_of_ipv4(const uint8_t ip[4])
{
    static const uint8_t none[4];
    if (memcmp(ip, none, sizeof(none)) == 0)
        return ADDRESS_ANY;
    if (ip[0] == 127)
        return ADDRESS_LOOPBACK;
    return ip[0] == 169 && ip[1] == 254 ? ADDRESS_LINK : ADDRESS_GLOBAL;
}

enum address_scope address_scope(const uint8_t ip[IP_BYTES])
{
    struct in6_addr a;
    memcpy(&a, ip, sizeof(a));
    if (address_is_ipv4(ip))
        return scope_of_ipv4(ip + 12);
    if (IN6_IS_ADDR_UNSPECIFIED(&a))
        return ADDRESS_ANY;
    if (IN6_IS_ADDR_LOOPBACK(&a))
        return ADDRESS_LOOPBACK;
    return IN6_IS_ADDR_LINKLOCAL(&a) ? ADDRESS_LINK : ADDRESS_GLOBAL;
}

void address_format(const struct sockaddr *addr, char *out, size_t out_bytes)
{
    char host[INET6_ADDRSTRLEN] = "";
    bool v6 = false;
    if (addr->sa_family == AF_INET6) {
        const struct in6_addr *a =
            &((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr;
        v6 = !IN6_IS_ADDR_V4MAPPED(a);
        if (v6)
            inet_ntop(AF_INET6, a, host, sizeof(host));
        else
            inet_ntop(AF_INET, a->s6_addr + 12, host, sizeof(host));
    } else {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)addr)->sin_addr,
                  host, sizeof(host));
    }
    snprintf(out, out_bytes, v6 ? "[%s]:%u" : "%s:%u", host, address_port(addr));
}

/* Cuts "HOST:PORT" and "[HOST]:PORT" in two; *port is NULL if there is none. */
static bool address_split(const char *text, char *host, size_t host_bytes,
                          const char **port)
{
    bool bracket = text[0] == '[';
    const char *begin = bracket ? text + 1 : text;
    size_t n = strcspn(begin, bracket ? "]" : ":");
    const char *rest = begin + n;
    if (bracket && *rest++ != ']')
        return false;
    if (n == 0 || n >= host_bytes || (*rest != '\0' && *rest != ':'))
        return false;
    *port = *rest == ':' ? rest + 1 : NULL;
    memcpy(host, begin, n);
    host[n] = '\0';
    return true;
}

/* Decimal digits alone, of at most UINT16_MAX. */
static bool number_read(const char *text, uint16_t *out)
{
    unsigned long value = 0;
    if (*text == '\0' || strlen(text) > 5)
        return false;
    for (const char *p = text; *p != '\0'; p++) {
        if (!isdigit((unsigned char)*p))
            return false;
        value = value * 10 + (unsigned long)(*p - '0');
    }
    *out = (uint16_t)value;
    return value <= UINT16_MAX;
}

static bool port_is_valid(const char *port)
{
    uint16_t number;
    return number_read(port, &number);
}

/* A link-local address means nothing without its link. */
static bool has_its_zone(const struct sockaddr *addr)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)addr;
    return addr->sa_family != AF_INET6 || !IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) ||
           v6->sin6_scope_id != 0;
}

int address_parse(const char *text, const char *field, struct sockaddr_storage *out,
                  socklen_t *bytes, struct err *e)
{
    char host[HOST_TEXT_MAX];
    const char *port;
    char default_port[8];
    snprintf(default_port, sizeof(default_port), "%d", ADDRESS_PORT_DEFAULT);
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    if (!address_split(text, host, sizeof(host), &port) ||
        (port != NULL && !port_is_valid(port)) ||
        getaddrinfo(host, port != NULL ? port : default_port, &hints, &found) != 0)
        return err_set(e, -EINVAL, field,
                       "'%.80s' is not an address: ADDRESS:PORT or [IPV6]:PORT, numeric",
                       text);
    bool good = has_its_zone(found->ai_addr);
    memcpy(out, found->ai_addr, found->ai_addrlen);
    *bytes = found->ai_addrlen;
    freeaddrinfo(found);
    if (!good)
        return err_set(e, -EINVAL, field,
                       "'%.80s' is link-local: [%.40s%%INTERFACE] is wanted", text, host);
    return 0;
}

int address_cut_tag(const char *text, struct address_tagged *out)
{
    size_t bytes = strcspn(text, ",");
    out->tag = 0;
    if (bytes >= sizeof(out->address))
        return -EINVAL;
    if (text[bytes] == ',' &&
        (!number_read(text + bytes + 1, &out->tag) || out->tag == 0))
        return -EINVAL;
    memcpy(out->address, text, bytes);
    out->address[bytes] = '\0';
    return 0;
}

static bool name_is_valid(const char *host)
{
    for (const char *p = host; *p != '\0'; p++) {
        if (!isalnum((unsigned char)*p) && strchr("-.", *p) == NULL)
            return false;
    }
    return true;
}

bool address_is_advertisable(const char *text, bool *has_port)
{
    struct address_tagged tagged;
    char host[NAME_TEXT_MAX + 1];
    const char *port;
    if (address_cut_tag(text, &tagged) != 0 ||
        !address_split(tagged.address, host, sizeof(host), &port))
        return false;
    *has_port = port != NULL;
    if (*has_port && !port_is_valid(port))
        return false;
    struct in6_addr v6;
    return text[0] == '[' ? inet_pton(AF_INET6, host, &v6) == 1 : name_is_valid(host);
}
