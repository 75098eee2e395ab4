/* SPDX-License-Identifier: Apache-2.0 */
/* One listening socket. What is over a limit is accepted and closed at once, so that it
 * does not stay in the backlog. */
#include "target/portal.h"

#include "base/clock.h"
#include "base/log.h"
#include "lunmgr/loop.h"
#include "target/address.h"
#include "target/limits.h"
#include "target/reactor.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BACKLOG 128

struct portal {
    struct target *target;
    struct evconnlistener *listener;
    struct event *pause; /* accept goes on when it fires */
    struct portal_face face;
};

static bool portal_admits(const struct portal *p, const struct sockaddr *addr,
                          const uint8_t ip[IP_BYTES])
{
    struct target *t = p->target;
    enum target_limit limit;
    int rc = admission_enter(&t->admission, ip, &limit);
    if (rc == -EMFILE) {
        char peer[TARGET_ADDRESS_MAX];
        address_format(addr, peer, sizeof(peer));
        refusal_note(&t->refusals, limit, peer, clock_coarse_ms());
    } else if (rc != 0) {
        log_warning("connection not taken", "error=\"%s\"", strerror(-rc));
    }
    return rc == 0;
}

static void portal_on_accept(struct evconnlistener *listener, evutil_socket_t fd,
                             struct sockaddr *addr, int addr_bytes, void *arg)
{
    struct portal *p = arg;
    struct target *t = p->target;
    (void)listener;
    (void)addr_bytes;
    uint8_t ip[IP_BYTES];
    address_ip(addr, ip);
    if (!portal_admits(p, addr, ip)) {
        close(fd);
        return;
    }
    reactor_hand(t->reactors[t->next_reactor], fd, ip, p->face.tag);
    t->next_reactor = (t->next_reactor + 1) % t->reactor_count;
}

static void portal_on_error(struct evconnlistener *listener, void *arg)
{
    struct portal *p = arg;
    struct timeval pause = {.tv_sec = ACCEPT_PAUSE_MS / 1000};
    log_error("accept failed", "portal=%s error=\"%s\"", p->face.address,
              strerror(errno));
    evconnlistener_disable(listener);
    event_add(p->pause, &pause);
}

static void portal_on_pause(int fd, short what, void *arg)
{
    struct portal *p = arg;
    (void)fd;
    (void)what;
    evconnlistener_enable(p->listener);
}

/* The caller's now, not the cleanup's. */
static int fd_take(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

/* A listening socket, or -errno. */
static int portal_listen(const struct sockaddr_storage *addr, socklen_t bytes)
{
    int one = 1, zero = 0;
    AUTO_CLOSE int fd =
        socket(addr->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0)
        return -errno;
    if (addr->ss_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)) != 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)addr, bytes) != 0 || listen(fd, BACKLOG) != 0)
        return -errno;
    return fd_take(&fd);
}

static bool is_any_v6(const struct sockaddr_storage *addr)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)addr;
    return addr->ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr);
}

static int portal_bind(const char *address, struct err *e)
{
    struct sockaddr_storage addr;
    socklen_t bytes;
    int rc = address_parse(address, "portal", &addr, &bytes, e);
    if (rc != 0)
        return rc;
    int fd = portal_listen(&addr, bytes);
    if ((fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL) && is_any_v6(&addr)) {
        uint16_t port = address_port((struct sockaddr *)&addr);
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
        memset(&addr, 0, sizeof(addr));
        memcpy(&addr, &v4, sizeof(v4));
        fd = portal_listen(&addr, sizeof(v4));
    }
    if (fd < 0)
        return err_set(e, fd, "portal", "%s: %s", address, strerror(-fd));
    return fd;
}

/* As it is bound: its port may have been chosen by the system. */
static int portal_look(struct portal *p, int fd)
{
    struct sockaddr_storage addr;
    socklen_t bytes = sizeof(addr);
    if (getsockname(fd, (struct sockaddr *)&addr, &bytes) != 0)
        return -errno;
    address_format((struct sockaddr *)&addr, p->face.address, sizeof(p->face.address));
    address_ip((struct sockaddr *)&addr, p->face.ip);
    p->face.port = address_port((struct sockaddr *)&addr);
    return 0;
}

static int portal_start(struct portal *p, const char *address, struct err *e)
{
    struct event_base *base = loop_base(p->target->control);
    AUTO_CLOSE int fd = portal_bind(address, e);
    if (fd < 0)
        return fd;
    int rc = portal_look(p, fd);
    if (rc != 0)
        return err_set(e, rc, "portal", "%s: %s", address, strerror(-rc));
    p->pause = event_new(base, -1, 0, portal_on_pause, p);
    p->listener =
        p->pause == NULL
            ? NULL
            : evconnlistener_new(base, portal_on_accept, p,
                                 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (p->listener == NULL)
        return err_oom(e);
    (void)fd_take(&fd);
    evconnlistener_set_error_cb(p->listener, portal_on_error);
    return 0;
}

int portal_create(struct target *t, const char *address, struct portal **out,
                  struct err *e)
{
    struct address_tagged tagged;
    if (address_cut_tag(address, &tagged) != 0)
        return err_set(e, -EINVAL, "portal", "'%.80s': the tag is a number from 1 to %d",
                       address, UINT16_MAX);
    struct portal *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return err_oom(e);
    p->target = t;
    p->face.tag = tagged.tag != 0 ? tagged.tag : PORTAL_GROUP_TAG;
    int rc = portal_start(p, tagged.address, e);
    if (rc != 0) {
        portal_destroy(p);
        return rc;
    }
    *out = p;
    return 0;
}

void portal_destroy(struct portal *p)
{
    if (p == NULL)
        return;
    if (p->listener != NULL)
        evconnlistener_free(p->listener);
    if (p->pause != NULL)
        event_free(p->pause);
    free(p);
}

const struct portal_face *portal_face(const struct portal *p)
{
    return &p->face;
}
