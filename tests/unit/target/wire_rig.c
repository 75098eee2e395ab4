/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting is bounded by a deadline that only a hang can reach; nothing is asserted of
 * time. */
#include "tests/unit/target/wire_rig.h"

#include "base/crc32c.h"
#include "db/catalog.h"
#include "proto/lun.h"
#include "proto/sense.h"
#include "tests/lib/scratch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS_MAX 60000

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the target ---- */

static void must(int rc, const struct err *e)
{
    if (rc != 0)
        fail_msg("%s: %s", e->field, e->text);
}

void wire_rig_on_done(void *arg, const struct err *e)
{
    struct wire_rig *r = arg;
    r->failed = e != NULL;
    if (e != NULL)
        print_message("%s: %s\n", e->field, e->text);
    r->answers--;
}

static void on_pool(void *arg, struct pool *pool, const struct err *e)
{
    (void)pool;
    wire_rig_on_done(arg, e);
}

static void on_host(void *arg, struct host *host, const struct err *e)
{
    (void)host;
    wire_rig_on_done(arg, e);
}

struct making {
    struct wire_rig *rig;
    struct mapping *mapping;
    struct volume *volume;
};

static void on_mapping(void *arg, struct mapping *mapping, const struct err *e)
{
    struct making *m = arg;
    m->mapping = mapping;
    wire_rig_on_done(m->rig, e);
}

static void on_volume(void *arg, struct volume *volume, const struct err *e)
{
    struct making *m = arg;
    m->volume = volume;
    wire_rig_on_done(m->rig, e);
}

void wire_rig_wait(struct wire_rig *r)
{
    int64_t end = now_ms() + WAIT_MS_MAX;
    while (r->answers > 0) {
        assert_true(now_ms() < end);
        loop_run_once(r->control, false);
        usleep(200);
    }
    assert_false(r->failed);
}

struct mapping *wire_rig_map(struct wire_rig *r, const struct mapping_spec *spec)
{
    struct making m = {.rig = r};
    r->answers = 1;
    mapping_create(r->lunmgr, spec, on_mapping, &m);
    wire_rig_wait(r);
    return m.mapping;
}

struct volume *wire_rig_make(struct wire_rig *r, const struct volume_spec *spec)
{
    struct making m = {.rig = r};
    r->answers = 1;
    volume_create(r->lunmgr, spec, on_volume, &m);
    wire_rig_wait(r);
    return m.volume;
}

static void on_sessions(void *arg, const struct target_session_info *sessions,
                        size_t count)
{
    struct wire_sessions *out = arg;
    assert_in_range(count, 0, ARRAY_LEN(out->sessions));
    out->count = count;
    if (count > 0)
        memcpy(out->sessions, sessions, count * sizeof(*sessions));
    out->rig->answers--;
}

void wire_rig_sessions(struct wire_rig *r, struct wire_sessions *out)
{
    out->rig = r;
    r->answers = 1;
    target_list_sessions(r->target, on_sessions, out);
    wire_rig_wait(r);
}

static void rig_provision(struct wire_rig *r, uint64_t pool_bytes)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/pool.img", r->dir);
    struct pool_device_spec device = {.path = path, .size_bytes = pool_bytes};
    struct pool_spec pool = {.name = "p", .devices = &device, .device_count = 1};
    r->answers = 1;
    pool_create(r->lunmgr, &pool, on_pool, r);
    wire_rig_wait(r);
    struct volume_spec volume = {
        .name = "v", .pool = "p", .size_bytes = RIG_BLOCKS * 512ULL};
    wire_rig_make(r, &volume);
    const char *initiators[] = {RIG_INITIATOR};
    struct host_spec host = {
        .name = "h1", .initiators = initiators, .initiator_count = 1};
    r->answers = 1;
    host_create(r->lunmgr, &host, on_host, r);
    wire_rig_wait(r);
    struct mapping_spec mapping = {.volume = "v", .host = "h1", .lun = RIG_LUN};
    wire_rig_map(r, &mapping);
}

int wire_rig_setup(void **state)
{
    return wire_rig_setup_with(state, &(struct wire_rig_options){.io_timeout_ms = 0});
}

int wire_rig_setup_with(void **state, const struct wire_rig_options *options)
{
    struct err e = {0};
    struct wire_rig *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    snprintf(r->dir, sizeof(r->dir), "%s/ashlar-wire.XXXXXX", scratch_dir());
    assert_non_null(mkdtemp(r->dir));
    must(loop_create("control", &r->control, &e), &e);
    struct catalog_options catalog = {.dir = r->dir, .reader_count = 1};
    must(catalog_open(&catalog, &r->catalog, &e), &e);
    enum engine_kind engine = options->uring ? ENGINE_URING : ENGINE_THREADS;
    struct lunmgr_options lunmgr = {.catalog = r->catalog,
                                    .control = r->control,
                                    .engine = engine,
                                    .round_interval_ms = 1000,
                                    .io_timeout_ms = options->io_timeout_ms,
                                    .space_grace_ms = options->space_grace_ms,
                                    .make_engine = options->make_engine,
                                    .make_engine_arg = options->make_engine_arg};
    must(lunmgr_open(&lunmgr, &r->lunmgr, &e), &e);
    rig_provision(r, options->pool_bytes == 0 ? 64U << 20 : options->pool_bytes);
    const char *portals[] = {"127.0.0.1:0", options->second_portal};
    const char *advertise[] = {"san.example.org", "[2001:db8::1]:3261"};
    struct target_limits limits;
    target_limits_preset(&limits);
    struct target_options target = {
        .lunmgr = r->lunmgr,
        .control = r->control,
        .name = RIG_TARGET,
        .reactor_count = 2,
        .engine = engine,
        .portals = portals,
        .portal_count = options->second_portal == NULL ? 1 : 2,
        .advertise = advertise,
        .advertise_count = 2,
        .keepalive = {.nop_interval_s = 60,
                      .nop_timeout_s = 60,
                      .tcp_idle_s = 70,
                      .tcp_unacked_s = 80},
        .limits = &limits,
    };
    must(target_start(&target, &r->target, &e), &e);
    *state = r;
    return 0;
}

static void rig_on_stopped(void *arg)
{
    wire_rig_on_done(arg, NULL);
}

int wire_rig_teardown(void **state)
{
    struct wire_rig *r = *state;
    r->answers = 1;
    target_stop(r->target, 8000, rig_on_stopped, r);
    wire_rig_wait(r);
    assert_true(target_is_stopped(r->target));
    target_destroy(r->target);
    loop_run_once(r->control, false);
    lunmgr_close(r->lunmgr);
    catalog_close(r->catalog);
    loop_destroy(r->control);
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", r->dir);
    int rc = system(command);
    free(r);
    return rc;
}

/* ---- the initiator ---- */

struct wire_peer *wire_peer_connect(struct wire_rig *r)
{
    return wire_peer_connect_to(r, 0);
}

struct wire_peer *wire_peer_connect_to(struct wire_rig *r, size_t portal)
{
    static uint8_t serial;
    struct wire_peer *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    const char *address = target_portal(r->target, portal);
    struct sockaddr_in sin = {.sin_family = AF_INET};
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sin.sin_port = htons((uint16_t)strtoul(strchr(address, ':') + 1, NULL, 10));
    p->rig = r;
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(p->fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
    assert_int_equal(fcntl(p->fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)),
                     0);
    p->isid[0] = 0x80;
    p->isid[5] = ++serial;
    p->cmd_sn = 1000;
    return p;
}

void wire_peer_close(struct wire_peer *p)
{
    close(p->fd);
    free(p);
}

/* One look at the socket, one turn of the control loop. */
static void peer_wait(struct wire_peer *p, short events, int64_t end)
{
    struct pollfd fd = {.fd = p->fd, .events = events};
    assert_true(now_ms() < end);
    loop_run_once(p->rig->control, false);
    (void)poll(&fd, 1, 2);
}

void wire_peer_send_raw(struct wire_peer *p, const void *bytes, size_t count)
{
    int64_t end = now_ms() + WAIT_MS_MAX;
    for (size_t at = 0; at < count;) {
        ssize_t n = send(p->fd, (const char *)bytes + at, count - at, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return; /* the target has closed: the test will see it */
        if (n < 0)
            peer_wait(p, POLLOUT, end);
        else
            at += (size_t)n;
    }
}

static void peer_send_digest(struct wire_peer *p, uint32_t crc)
{
    uint8_t digest[CRC32C_BYTES];
    crc32c_store(digest, crc);
    wire_peer_send_raw(p, digest, sizeof(digest));
}

void wire_peer_send(struct wire_peer *p, union bhs *bhs, const void *data, size_t bytes)
{
    static const uint8_t zeros[4];
    size_t pad = pdu_padded(bytes) - bytes;
    bhs->any.data_bytes = be24_of((uint32_t)bytes);
    wire_peer_send_raw(p, bhs, BHS_BYTES);
    if (p->header_digest)
        peer_send_digest(p, crc32c(0, bhs, BHS_BYTES));
    wire_peer_send_raw(p, data, bytes);
    wire_peer_send_raw(p, zeros, pad);
    if (p->data_digest && bytes > 0)
        peer_send_digest(p, crc32c(crc32c(0, data, bytes), zeros, pad));
}

/* False: the end of the stream. */
static bool peer_read(struct wire_peer *p, void *out, size_t bytes)
{
    int64_t end = now_ms() + WAIT_MS_MAX;
    for (size_t at = 0; at < bytes;) {
        ssize_t n = recv(p->fd, (char *)out + at, bytes - at, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return false;
        if (n < 0)
            peer_wait(p, POLLIN, end);
        else
            at += (size_t)n;
    }
    return true;
}

static void peer_check_digest(struct wire_peer *p, uint32_t crc)
{
    uint8_t digest[CRC32C_BYTES];
    assert_true(peer_read(p, digest, sizeof(digest)));
    assert_int_equal(crc32c_load(digest), crc);
}

void wire_peer_recv(struct wire_peer *p)
{
    assert_true(peer_read(p, &p->bhs, BHS_BYTES));
    if (p->header_digest)
        peer_check_digest(p, crc32c(0, &p->bhs, BHS_BYTES));
    p->data_bytes = pdu_data_bytes(&p->bhs);
    assert_in_range(p->data_bytes, 0, sizeof(p->data) - 4);
    assert_true(peer_read(p, p->data, pdu_padded(p->data_bytes)));
    if (p->data_digest && p->data_bytes > 0)
        peer_check_digest(p, crc32c(0, p->data, pdu_padded(p->data_bytes)));
    p->exp_stat_sn = be32_get(p->bhs.any.cmd_or_stat_sn) + 1;
}

void wire_peer_expect(struct wire_peer *p, enum opcode opcode)
{
    wire_peer_recv(p);
    assert_string_equal(pdu_opcode_name(pdu_opcode(&p->bhs)),
                        pdu_opcode_name((uint8_t)opcode));
}

void wire_peer_expect_eof(struct wire_peer *p)
{
    uint8_t byte;
    assert_false(peer_read(p, &byte, 1));
}

void wire_peer_expect_drop(struct wire_peer *p, enum async_event event)
{
    struct async_msg m;
    wire_peer_expect(p, OP_ASYNC);
    assert_int_equal(async_msg_decode(&p->bhs.async, &m), 0);
    assert_int_equal(m.event, event);
    wire_peer_expect_eof(p);
}

bool wire_peer_said(const struct wire_peer *p, const char *key, const char *value)
{
    struct key_iter it;
    struct key_pair pair;
    key_iter_init(&it, p->data, p->data_bytes);
    while (key_next(&it, &pair) == 1) {
        if (strcmp(pair.key, key) == 0 && strcmp(pair.value, value) == 0)
            return true;
    }
    return false;
}

enum login_status wire_peer_login_step(struct wire_peer *p, const struct login_req *m,
                                       const char *keys, size_t bytes)
{
    struct login_req req = *m;
    struct login_rsp rsp;
    union bhs bhs;
    memcpy(req.isid, p->isid, ISID_BYTES);
    req.cmd_sn = p->cmd_sn;
    req.itt = p->itt++;
    login_req_encode(&req, &bhs.login_req);
    wire_peer_send(p, &bhs, keys, bytes);
    wire_peer_expect(p, OP_LOGIN_RSP);
    assert_int_equal(login_rsp_decode(&p->bhs.login_rsp, &rsp), 0);
    assert_int_equal(rsp.itt, req.itt);
    assert_memory_equal(rsp.isid, p->isid, ISID_BYTES);
    if (rsp.status == LOGIN_SUCCESS)
        assert_true(rsp.transit == req.transit);
    p->tsih = rsp.tsih;
    return rsp.status;
}

void wire_peer_login(struct wire_peer *p, const char *keys, size_t bytes)
{
    static const char names[] =
        "InitiatorName=" RIG_INITIATOR "\0TargetName=" RIG_TARGET "\0";
    char text[2048];
    struct login_req m = {
        .transit = true, .csg = LOGIN_OPERATIONAL, .nsg = LOGIN_FULL_FEATURE};
    memcpy(text, names, sizeof(names) - 1);
    memcpy(text + sizeof(names) - 1, keys, bytes);
    assert_int_equal(wire_peer_login_step(p, &m, text, sizeof(names) - 1 + bytes),
                     LOGIN_SUCCESS);
    assert_int_not_equal(p->tsih, 0);
    p->header_digest = wire_peer_said(p, "HeaderDigest", "CRC32C");
    p->data_digest = wire_peer_said(p, "DataDigest", "CRC32C");
}

/* ---- commands ---- */

void wire_peer_cmd(struct wire_peer *p, struct cmd_req *m)
{
    *m = (struct cmd_req){
        .final = true,
        .attr = TASK_SIMPLE,
        .lun = lun_encode(RIG_LUN),
        .itt = p->itt++,
        .cmd_sn = p->cmd_sn++,
        .exp_stat_sn = p->exp_stat_sn,
        .cdb_bytes = CMD_CDB_BYTES,
    };
}

void wire_peer_rw(struct wire_peer *p, struct cmd_req *m, bool write, uint32_t lba,
                  uint16_t blocks)
{
    wire_peer_cmd(p, m);
    m->write = write;
    m->read = !write;
    m->expected_bytes = blocks * 512U;
    m->cdb[0] = write ? 0x2a : 0x28;
    be32_store(m->cdb + 2, lba);
    be16_store(m->cdb + 7, blocks);
}

void wire_peer_send_cmd(struct wire_peer *p, const struct cmd_req *m, const void *data)
{
    union bhs bhs;
    cmd_req_encode(m, &bhs.cmd_req);
    wire_peer_send(p, &bhs, data, m->data_bytes);
}

uint8_t wire_peer_status(struct wire_peer *p, struct cmd_rsp *rsp)
{
    wire_peer_expect(p, OP_CMD_RSP);
    assert_int_equal(cmd_rsp_decode(&p->bhs.cmd_rsp, rsp), 0);
    return rsp->status;
}

void wire_peer_ready(struct wire_peer *p)
{
    struct cmd_req m;
    struct cmd_rsp rsp;
    for (int i = 0; i < 8; i++) {
        wire_peer_cmd(p, &m);
        wire_peer_send_cmd(p, &m, NULL);
        if (wire_peer_status(p, &rsp) == SAM_GOOD)
            return;
    }
    fail_msg("the unit does not get ready");
}
