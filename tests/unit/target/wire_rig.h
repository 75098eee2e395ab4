/* SPDX-License-Identifier: Apache-2.0 */
/* A whole target over a real pool in a scratch directory, and an initiator that says what
 * the test tells it to, PDU by PDU. The test's thread is the control thread: it turns the
 * control loop while it waits. */
#ifndef TESTS_WIRE_RIG_H
#define TESTS_WIRE_RIG_H

#include "lunmgr/host.h"
#include "lunmgr/lunmgr.h"
#include "lunmgr/pool.h"
#include "lunmgr/volume.h"
#include "proto/keys.h"
#include "proto/pdu.h"
#include "target/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define RIG_TARGET    "iqn.2026-11.org.ashlar:rig"
#define RIG_INITIATOR "iqn.2026-01.test.ashlar:one"
#define RIG_STRANGER  "iqn.2026-01.test.ashlar:stranger"
#define RIG_LUN       3
#define RIG_BLOCKS    32768 /* of 512 bytes: 16 MiB */

struct wire_rig {
    char dir[64];
    struct loop *control;
    struct catalog *catalog;
    struct lunmgr *lunmgr;
    struct target *target;
    unsigned answers; /* of lunmgr and target, to wait for */
    bool failed;
};

/* As lunmgr_options has them. */
struct wire_rig_options {
    int (*make_engine)(void *arg, struct loop *loop, struct engine **out, struct err *e);
    void *make_engine_arg;
    unsigned io_timeout_ms;
    unsigned space_grace_ms;
    uint64_t pool_bytes;       /* 0: 64 MiB */
    const char *second_portal; /* NULL: there is one */
    bool uring;                /* else threads */
};

/* A pool, a volume at RIG_LUN of host h1 (RIG_INITIATOR), 2 reactors. */
int wire_rig_setup(void **state);
int wire_rig_setup_with(void **state, const struct wire_rig_options *options);
int wire_rig_teardown(void **state);
/* Turns the control loop until rig->answers is 0; fails the test if that takes too long.
 */
void wire_rig_wait(struct wire_rig *r);
/* Makes one, waited for; the test fails if that fails. */
struct mapping *wire_rig_map(struct wire_rig *r, const struct mapping_spec *spec);
struct volume *wire_rig_make(struct wire_rig *r, const struct volume_spec *spec);
/* What target_list_sessions tells. */
struct wire_sessions {
    struct wire_rig *rig;
    size_t count;
    struct target_session_info sessions[8];
};
void wire_rig_sessions(struct wire_rig *r, struct wire_sessions *out);
void wire_rig_on_done(void *arg, const struct err *e);

/* An initiator's connection. */
struct wire_peer {
    struct wire_rig *rig;
    int fd;
    bool header_digest, data_digest;
    uint8_t isid[ISID_BYTES];
    uint32_t itt, cmd_sn, exp_stat_sn;
    uint16_t tsih;
    /* The last PDU that came. */
    union bhs bhs;
    uint8_t data[1 << 20];
    size_t data_bytes;
};

struct wire_peer *wire_peer_connect(struct wire_rig *r);
/* The same to that of the portals. */
struct wire_peer *wire_peer_connect_to(struct wire_rig *r, size_t portal);
void wire_peer_close(struct wire_peer *p);
/* With padding and digests; the header's length is set. */
void wire_peer_send(struct wire_peer *p, union bhs *bhs, const void *data, size_t bytes);
void wire_peer_send_raw(struct wire_peer *p, const void *bytes, size_t count);
/* The next PDU is in p->bhs and p->data; the test fails if none comes, or its digest is
 * wrong. */
void wire_peer_recv(struct wire_peer *p);
/* The same, and it is of this kind. */
void wire_peer_expect(struct wire_peer *p, enum opcode opcode);
/* Nothing more but the end of the stream. */
void wire_peer_expect_eof(struct wire_peer *p);
/* It is told that its session or connection is dropped, then the end of the stream. */
void wire_peer_expect_drop(struct wire_peer *p, enum async_event event);
/* True if the text of the last PDU has that pair. */
bool wire_peer_said(const struct wire_peer *p, const char *key, const char *value);

/* One login request and its response; keys: "K=V\0K=V\0", bytes long. */
enum login_status wire_peer_login_step(struct wire_peer *p, const struct login_req *m,
                                       const char *keys, size_t bytes);
#define KEYS(text) (text), sizeof(text) - 1 /* its own NULs and the last one cut */
/* Into the full feature phase in one step, with more operational keys. */
void wire_peer_login(struct wire_peer *p, const char *keys, size_t bytes);

/* A command's header, numbered; rest as the test needs it. */
void wire_peer_cmd(struct wire_peer *p, struct cmd_req *m);
/* READ(10) and WRITE(10) of RIG_LUN. */
void wire_peer_rw(struct wire_peer *p, struct cmd_req *m, bool write, uint32_t lba,
                  uint16_t blocks);
void wire_peer_send_cmd(struct wire_peer *p, const struct cmd_req *m, const void *data);
/* The next PDU is a SCSI Response; returns its status. */
uint8_t wire_peer_status(struct wire_peer *p, struct cmd_rsp *rsp);
/* TEST UNIT READY until there is no unit attention. */
void wire_peer_ready(struct wire_peer *p);

#endif
