/* SPDX-License-Identifier: Apache-2.0 */
/* See session_rig.h. The target is put together here as target_start() does it, but for
 * threads and portals. */
#include "tests/fuzz/session_rig.h"

#include "base/log.h"
#include "lunmgr/host.h"
#include "target/address.h"
#include "target/lu.h"
#include "target/reactor.h"
#include "target/unit.h"
#include "tests/lib/pool_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SETTLE_STEPS_MAX 20000
#define SHUFFLE_SEED     7

static struct pool_rig pool_rig;
static struct target target;
static struct reactor *reactor;
static struct fake_engine *disk;
static struct session_calls {
    unsigned open;
    bool failed;
} calls;

int __wrap_getpeername(int fd, struct sockaddr *addr, socklen_t *bytes);
int __wrap_getsockname(int fd, struct sockaddr *addr, socklen_t *bytes);

/* A socketpair has no address that a target would know. */
static int loopback(struct sockaddr *addr, socklen_t *bytes, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(addr, &in, sizeof(in));
    *bytes = sizeof(in);
    return 0;
}

int __wrap_getpeername(int fd, struct sockaddr *addr, socklen_t *bytes)
{
    (void)fd;
    return loopback(addr, bytes, 40000);
}

int __wrap_getsockname(int fd, struct sockaddr *addr, socklen_t *bytes)
{
    (void)fd;
    return loopback(addr, bytes, 3260);
}

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "session_rig: %s\n", what);
    abort();
}

/* Written, and looked at by nobody. */
static void log_nowhere(enum log_level level, const char *line, void *arg)
{
    (void)level;
    (void)line;
    (void)arg;
}

/* ---- what it serves ---- */

static void on_host(void *arg, struct host *host, const struct err *e)
{
    (void)arg;
    (void)host;
    calls.open--;
    calls.failed |= e != NULL;
}

static void on_mapping(void *arg, struct mapping *mapping, const struct err *e)
{
    (void)arg;
    (void)mapping;
    calls.open--;
    calls.failed |= e != NULL;
}

static bool calls_ended(void *arg)
{
    (void)arg;
    return calls.open == 0;
}

static void wait_for_calls(const char *what)
{
    pool_rig_until(&pool_rig, calls_ended, NULL);
    must(!calls.failed, what);
}

static void make_host(const char *name, const char *initiator,
                      const struct auth_change *auth)
{
    struct host_spec host = {
        .name = name, .initiators = &initiator, .initiator_count = 1, .auth = auth};
    struct mapping_spec mapping = {.volume = "v", .host = name, .lun = RIG_LUN};
    calls.open = 1;
    host_create(pool_rig.manager, &host, on_host, NULL);
    wait_for_calls("host_create");
    calls.open = 1;
    mapping_create(pool_rig.manager, &mapping, on_mapping, NULL);
    wait_for_calls("mapping_create");
}

static void make_target(void)
{
    struct err e = {.code = 0};
    struct target_limits limits;
    target.lunmgr = pool_rig.manager;
    target.control = pool_rig.control;
    snprintf(target.name, sizeof(target.name), "%s", RIG_TARGET);
    pthread_mutex_init(&target.advertise_lock, NULL);
    drain_list_init(&target.drains);
    target.group_tags[target.group_count++] = PORTAL_GROUP_TAG;
    alua_init(&target);
    target_limits_preset(&limits);
    limits_set(&target.limits, &limits);
    admission_init(&target.admission, &target.limits);
    refusals_init(&target.refusals);
    must(access_create(target.lunmgr, target.name, NULL, &target.access) == 0,
         "access_create");
    must(reactor_create(&target, 0, ENGINE_THREADS, &reactor, &e) == 0, e.text);
    target.reactors[0] = reactor;
    target.reactor_count = 1;
    disk = pool_rig.home_fake; /* the rig's word for the lane made last */
}

static void session_rig_end(void)
{
    reactor_destroy(reactor);
    access_put(target.access);
    alua_fini(&target);
    admission_fini(&target.admission);
    refusals_fini(&target.refusals);
    drain_list_fini(&target.drains);
    pool_rig_destroy(&pool_rig);
}

void session_rig_start(void)
{
    static const bool chap = true;
    const struct auth_change both_ways = {.chap = &chap,
                                          .user = "hv1",
                                          .secret = "initiator-secret",
                                          .mutual_user = "box",
                                          .mutual_secret = "target-secret-1"};
    const struct pool_rig_options options = {
        .engine = RIG_FAKE, .pool_bytes = 64 * MIB, .by_hand = true};
    log_set_sink(log_nowhere, NULL);
    log_set_level(LOG_LEVEL_DEBUG);
    pool_rig_create(&pool_rig, &options);
    must(pool_rig_volume(&pool_rig, "v", RIG_BLOCKS * 512ULL, 512) != NULL, "volume");
    make_host("h1", RIG_OPEN, NULL);
    make_host("h2", RIG_CHAP, &both_ways);
    pool_rig.in_order = true;
    make_target();
    atexit(session_rig_end);
}

/* ---- one input ---- */

int session_rig_connect(void)
{
    struct sockaddr_in peer;
    socklen_t peer_bytes;
    uint8_t ip[IP_BYTES];
    enum target_limit limit;
    int fds[2];
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0,
         "socketpair");
    (void)__wrap_getpeername(fds[0], (struct sockaddr *)&peer, &peer_bytes);
    address_ip((struct sockaddr *)&peer, ip);
    must(admission_enter(&target.admission, ip, &limit) == 0, "admission_enter");
    reactor_hand(reactor, fds[0], ip, PORTAL_GROUP_TAG);
    return fds[1];
}

void session_rig_step(void)
{
    loop_run_once(reactor->loop, false);
    pool_rig_step(&pool_rig);
}

void session_rig_hold_disk(void)
{
    fake_engine_hold(disk, FAKE_ALL);
}

void session_rig_let_one_go(void)
{
    (void)fake_engine_let_go(disk, FAKE_ALL, 0);
}

void session_rig_release_disk(void)
{
    fake_engine_hold(disk, 0);
}

void session_rig_shuffle_disk(bool chance)
{
    fake_engine_shuffle(disk, chance ? SHUFFLE_SEED : 0);
}

static bool no_change_waits(void)
{
    const struct unit *u;
    for (size_t i = 0; (u = access_unit(target.access, i)) != NULL; i++) {
        bool reserved = u->reservation != NULL && u->reservation->is_reserved;
        if (u->changes != NULL || reserved) /* that goes with its session */
            return false;
    }
    return true;
}

static bool is_settled(void)
{
    return reactor->conns == NULL && target.registry.first == NULL &&
           target.admission.logins == 0 && target.admission.open == 0 &&
           atomic_load(&reactor->counters.sessions) == 0 &&
           atomic_load(&reactor->counters.connections) == 0 &&
           atomic_load(&reactor->counters.buffer_bytes) == 0 &&
           reactor->waiting == NULL && reactor->sweeps == NULL && no_change_waits() &&
           fake_engine_waiting(disk, FAKE_ALL) == 0;
}

/* Registrations stay, but the next input begins with none. */
static void forget_registrations(void)
{
    struct unit *u;
    for (size_t i = 0; (u = access_unit(target.access, i)) != NULL; i++) {
        must(u->reservation == unit_reservation(u, reactor->index),
             "a reactor does not know what is reserved");
        unit_take_reservation(u, reactor->index, NULL);
        reservation_put(u->reservation);
        u->reservation = NULL;
    }
}

void session_rig_settle(void)
{
    for (unsigned steps = 0; !is_settled(); steps++) {
        must(steps < SETTLE_STEPS_MAX, "something is left behind");
        session_rig_step();
    }
    forget_registrations();
}
