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

static bool port_is_valid(const char *port)
{
    unsigned long value = 0;
    if (*port == '\0' || strlen(port) > 5)
        return false;
    for (const char *p = port; *p != '\0'; p++) {
        if (!isdigit((unsigned char)*p))
            return false;
        value = value * 10 + (unsigned long)(*p - '0');
    }
    return value <= 65535;
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
    memcpy(out, found->ai_addr, found->ai_addrlen);
    *bytes = found->ai_addrlen;
    freeaddrinfo(found);
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
    char host[NAME_TEXT_MAX + 1];
    const char *port;
    if (!address_split(text, host, sizeof(host), &port))
        return false;
    *has_port = port != NULL;
    if (*has_port && !port_is_valid(port))
        return false;
    struct in6_addr v6;
    return text[0] == '[' ? inet_pton(AF_INET6, host, &v6) == 1 : name_is_valid(host);
}
