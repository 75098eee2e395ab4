/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the API's listening sockets. A Unix socket's file outlives a daemon that was
 * killed; whether somebody is behind it is found out by connecting. Any thread. */
#include "web/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define BACKLOG     128
#define SOCKET_MODE 0660

static int refuse_path(struct err *e, int code, const char *path, const char *why)
{
    return err_set(e, code, "socket_path", "%s: %s", path, why);
}

/* 0 if the path is free to bind, now. */
static int clear_stale(const struct sockaddr_un *address, struct err *e)
{
    struct stat there;
    const char *path = address->sun_path;
    if (lstat(path, &there) != 0)
        return errno == ENOENT ? 0 : refuse_path(e, -errno, path, strerror(errno));
    if (!S_ISSOCK(there.st_mode))
        return refuse_path(e, -EADDRINUSE, path, "there is a file that is not a socket");
    AUTO_CLOSE int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return refuse_path(e, -errno, path, strerror(errno));
    if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
        errno == EAGAIN)
        return refuse_path(e, -EADDRINUSE, path, "another daemon listens there");
    if (errno != ECONNREFUSED && errno != ENOENT)
        return refuse_path(e, -errno, path, strerror(errno));
    if (unlink(path) != 0 && errno != ENOENT)
        return refuse_path(e, -errno, path, strerror(errno));
    return 0;
}

int listen_unix(const char *path, struct listen_path *made, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path[0] == '\0' || strlen(path) >= sizeof(address.sun_path))
        return err_set(e, -EINVAL, "socket_path", "a socket's path has 1 to %zu bytes",
                       sizeof(address.sun_path) - 1);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int rc = clear_stale(&address, e);
    if (rc != 0)
        return rc;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return refuse_path(e, -errno, path, strerror(errno));
    struct stat there;
    /* Nobody can connect before listen(), so the mode is right from the start. */
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        chmod(path, SOCKET_MODE) != 0 || lstat(path, &there) != 0 ||
        listen(fd, BACKLOG) != 0) {
        rc = refuse_path(e, -errno, path, strerror(errno));
        close(fd);
        return rc;
    }
    *made = (struct listen_path){.dev = there.st_dev, .ino = there.st_ino};
    snprintf(made->path, sizeof(made->path), "%s", path);
    return fd;
}

void listen_path_remove(struct listen_path *made)
{
    struct stat there;
    if (made->path[0] != '\0' && lstat(made->path, &there) == 0 &&
        there.st_dev == made->dev && there.st_ino == made->ino)
        unlink(made->path);
    made->path[0] = '\0';
}

/* ---- TCP --------------------------------------------------------------------------- */

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static bool is_loopback(const union address *address)
{
    if (address->any.sa_family == AF_INET)
        return ntohl(address->in.sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
}

static bool is_any(const union address *address)
{
    if (address->any.sa_family == AF_INET)
        return address->in.sin_addr.s_addr == htonl(INADDR_ANY);
    return IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr);
}

/* "1.2.3.4:80" or "[::1]:80": numbers alone, and a port must be said, even 0. */
static bool address_parse(const char *text, union address *out, socklen_t *bytes)
{
    char host[LISTEN_ADDRESS_MAX];
    const char *colon = strrchr(text, ':');
    bool bracket = text[0] == '[';
    if (colon == NULL || (bracket && colon[-1] != ']'))
        return false;
    size_t length = (size_t)(colon - text) - (bracket ? 2 : 0);
    size_t digits = strspn(colon + 1, "0123456789");
    if (length >= sizeof(host) || digits == 0 || digits > 5 || colon[1 + digits] != '\0')
        return false;
    snprintf(host, sizeof(host), "%.*s", (int)length, text + (bracket ? 1 : 0));
    unsigned long port = strtoul(colon + 1, NULL, 10);
    if (port > UINT16_MAX)
        return false;
    if (bracket) {
        out->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
                                         .sin6_port = htons((uint16_t)port)};
        *bytes = sizeof(out->in6);
        return inet_pton(AF_INET6, host, &out->in6.sin6_addr) == 1;
    }
    out->in =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    *bytes = sizeof(out->in);
    return inet_pton(AF_INET, host, &out->in.sin_addr) == 1;
}

static void ip_write(const union address *address, char ip[LISTEN_ADDRESS_MAX])
{
    if (address->any.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &address->in6.sin6_addr, ip, LISTEN_ADDRESS_MAX);
    else
        inet_ntop(AF_INET, &address->in.sin_addr, ip, LISTEN_ADDRESS_MAX);
}

static int address_write(int fd, char real[LISTEN_ADDRESS_MAX])
{
    union address address = {.in6 = {0}};
    socklen_t bytes = sizeof(address);
    char ip[LISTEN_ADDRESS_MAX];
    if (getsockname(fd, &address.any, &bytes) != 0)
        return -errno;
    bool v6 = address.any.sa_family == AF_INET6;
    ip_write(&address, ip);
    snprintf(real, LISTEN_ADDRESS_MAX, v6 ? "[%.45s]:%u" : "%.45s:%u", ip,
             ntohs(v6 ? address.in6.sin6_port : address.in.sin_port));
    return 0;
}

static int refuse_address(struct err *e, const char *address)
{
    return err_set(e, -EINVAL, "tcp_address",
                   "%s is not ADDRESS:PORT, as 127.0.0.1:8080 or [::1]:8080", address);
}

int listen_tcp_parse(const char *address, struct listen_tcp *out, struct err *e)
{
    union address parsed;
    socklen_t bytes;
    if (!address_parse(address, &parsed, &bytes))
        return refuse_address(e, address);
    out->is_loopback = is_loopback(&parsed);
    out->is_any = is_any(&parsed);
    ip_write(&parsed, out->ip);
    return 0;
}

int listen_tcp(const char *address, char real[LISTEN_ADDRESS_MAX], struct err *e)
{
    union address parsed;
    socklen_t bytes;
    int on = 1;
    if (!address_parse(address, &parsed, &bytes))
        return refuse_address(e, address);
    int fd = socket(parsed.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(fd, &parsed.any, bytes) == 0 && listen(fd, BACKLOG) == 0 &&
        address_write(fd, real) == 0)
        return fd;
    int rc = err_set(e, -errno, "tcp_address", "%s: %s", address, strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}
