/* SPDX-License-Identifier: Apache-2.0 */
/* Logs in, then says anything: PDUs on two connections to a whole target (session_rig.h),
 * whole or in pieces, one by one or many at once, with the disk's answers held back, and
 * connections that end anywhere. Half-right PDUs come farther than random ones, so the
 * input says which of a PDU's fields are put right before it is sent. Afterwards nothing
 * may be left: session_rig_settle().
 *
 * Input: a byte of enum setup, then records: a byte of enum how, a byte of enum fix, a
 * BHS, the length of the data (2 bytes), the data. */
#include "proto/lun.h"
#include "tests/fuzz/session_peer.h"
#include "tests/fuzz/session_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_BYTES    (2 + BHS_BYTES + 2)
#define RECORDS_MAX     200
#define SETTLE_TURNS    8
#define TRANSFER_BLOCKS 512 /* the most that a command put right asks for */

#define DIRECTION_READ  0x40 /* flags of a command: RFC 7143, 11.3.1 */
#define DIRECTION_WRITE 0x20

enum setup {
    SETUP_LOGIN = 3, /* these bits: one of enum login */
    SETUP_HEADER_DIGEST = 4,
    SETUP_DATA_DIGEST = 8,
    SETUP_UNSOLICITED = 16,
    SETUP_SMALL = 32,  /* bursts and segments */
    SETUP_CHANCE = 64, /* the disk answers in any order */
    SETUP_BOTH = 128,  /* the second connection is logged in too */
};

enum login { LOGIN_AS_NORMAL, LOGIN_AS_DISCOVERY, LOGIN_NOT, LOGIN_LEVEL_2 };

enum how {
    HOW_SECOND = 1,  /* on the second connection */
    HOW_AFTER = 6,   /* these bits: one of enum after */
    HOW_IN_TWO = 8,  /* the rest before the next one of this connection */
    HOW_UNREAD = 16, /* what has come is not looked at yet */
    HOW_DISK = 96,   /* these bits: one of enum disk */
    HOW_BAD_DIGEST = 128,
};

enum after { AFTER_NOTHING, AFTER_TURN = 2, AFTER_SETTLE = 4, AFTER_CLOSE = 6 };
enum disk { DISK_SAME, DISK_HOLD = 32, DISK_LET_ONE_GO = 64, DISK_RELEASE = 96 };

enum fix {
    FIX_CMD_SN = 1,
    FIX_ITT = 2,    /* that of the last command */
    FIX_TTT = 4,    /* that of the exchange of text */
    FIX_LENGTH = 8, /* the data's; and no additional headers */
    FIX_DATA = 16,  /* the data that an R2T asks for */
    FIX_LUN = 32,
    FIX_OPCODE = 64,  /* one that an initiator sends */
    FIX_COMMAND = 128 /* a CDB that there is, lengths and flags that agree with it */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static struct session_peer peers[2];
static uint8_t setup;

/* ---- login ---- */

static const char login_keys[] =
    "InitiatorName=" RIG_OPEN "\0TargetName=" RIG_TARGET "\0";
static const char discovery_keys[] =
    "InitiatorName=" RIG_OPEN "\0SessionType=Discovery\0";

struct text {
    char bytes[1024];
    size_t at;
};

static void text_add(struct text *t, const char *keys, size_t bytes)
{
    memcpy(t->bytes + t->at, keys, bytes);
    t->at += bytes;
}
#define ADD(t, keys) text_add((t), (keys), sizeof(keys) - 1)

static void make_text(struct text *t, enum login login)
{
    t->at = 0;
    if (login == LOGIN_AS_DISCOVERY)
        ADD(t, discovery_keys);
    else
        ADD(t, login_keys);
    if ((setup & SETUP_HEADER_DIGEST) != 0)
        ADD(t, "HeaderDigest=CRC32C\0");
    if ((setup & SETUP_DATA_DIGEST) != 0)
        ADD(t, "DataDigest=CRC32C\0");
    if ((setup & SETUP_UNSOLICITED) != 0)
        ADD(t, "InitialR2T=No\0");
    if ((setup & SETUP_SMALL) != 0)
        ADD(t, "MaxBurstLength=4096\0FirstBurstLength=1024\0MaxOutstandingR2T=8\0"
               "MaxRecvDataSegmentLength=512\0");
    if (login == LOGIN_LEVEL_2)
        ADD(t, "iSCSIProtocolLevel=2\0");
}

static void turns(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        session_rig_step();
        session_peer_read(&peers[0]);
        session_peer_read(&peers[1]);
    }
}

static void log_in(struct session_peer *p, enum login login)
{
    struct text text;
    union bhs bhs;
    struct login_req m = {.transit = true,
                          .csg = LOGIN_OPERATIONAL,
                          .nsg = LOGIN_FULL_FEATURE,
                          .isid = {0x80, [5] = (uint8_t)(p - peers)},
                          .itt = p->itt++,
                          .cmd_sn = p->cmd_sn};
    make_text(&text, login);
    m.data_bytes = (uint32_t)text.at;
    login_req_encode(&m, &bhs.login_req);
    session_peer_send(p, &(struct peer_send){.bhs = &bhs,
                                             .data = (uint8_t *)text.bytes,
                                             .bytes = text.at});
    turns(SETTLE_TURNS);
}

static void begin(struct session_peer *p)
{
    enum login login = setup & SETUP_LOGIN;
    session_peer_connect(p);
    if (login != LOGIN_NOT && (p == &peers[0] || (setup & SETUP_BOTH) != 0))
        log_in(p, login);
}

/* ---- putting right ---- */

static const struct cdb_form {
    uint8_t opcode, flags; /* flags: DIRECTION_READ, DIRECTION_WRITE */
    uint8_t count_at;      /* of the one byte with the count of blocks; 0: none */
    uint8_t bytes;         /* that are expected, without a count */
} cdb_forms[] = {
    {0x00, 0, 0, 0},                /* TEST UNIT READY */
    {0x28, DIRECTION_READ, 8, 0},   /* READ(10) */
    {0x2a, DIRECTION_WRITE, 8, 0},  /* WRITE(10) */
    {0x88, DIRECTION_READ, 13, 0},  /* READ(16) */
    {0x8a, DIRECTION_WRITE, 13, 0}, /* WRITE(16) */
    {0x35, 0, 0, 0},                /* SYNCHRONIZE CACHE(10) */
    {0x42, DIRECTION_WRITE, 0, 24}, /* UNMAP */
    {0x93, DIRECTION_WRITE, 0, 0},  /* WRITE SAME(16), whose one block is FIX_DATA's */
    {0x2f, DIRECTION_WRITE, 8, 0},  /* VERIFY(10) */
    {0x89, DIRECTION_WRITE, 13, 0}, /* COMPARE AND WRITE */
    {0x12, DIRECTION_READ, 0, 96},  /* INQUIRY */
    {0x5a, DIRECTION_READ, 0, 252}, /* MODE SENSE(10) */
    {0x55, DIRECTION_WRITE, 0, 24}, /* MODE SELECT(10) */
    {0xa0, DIRECTION_READ, 0, 64},  /* REPORT LUNS */
    {0x9e, DIRECTION_READ, 0, 32},  /* SERVICE ACTION IN(16) */
    {0xa3, DIRECTION_READ, 0, 255}, /* MAINTENANCE IN */
    {0x03, DIRECTION_READ, 0, 252}, /* REQUEST SENSE */
    {0x5f, DIRECTION_WRITE, 0, 24}, /* PERSISTENT RESERVE OUT */
    {0x5e, DIRECTION_READ, 0, 252}, /* PERSISTENT RESERVE IN */
    {0x16, 0, 0, 0},                /* RESERVE(6) */
    {0x17, 0, 0, 0},                /* RELEASE(6) */
};

/* An action that there is, for a list of the usual length. */
static void fix_pr_out(uint8_t *cdb)
{
    cdb[1] &= 0x07;
    memset(cdb + 5, 0, 5);
    cdb[8] = 24;
}

static void fix_command(struct cmd_req_wire *w)
{
    const struct cdb_form *form = &cdb_forms[w->cdb[0] % ARRAY_LEN(cdb_forms)];
    uint32_t bytes = form->bytes;
    w->cdb[0] = form->opcode;
    w->flags = (uint8_t)((w->flags & ~(DIRECTION_READ | DIRECTION_WRITE)) | form->flags);
    if (form->count_at > 0) {
        memset(w->cdb + 2, 0, form->count_at == 13 ? 6 : 2); /* low addresses */
        w->cdb[form->count_at == 13 ? 8 : 4] &= 0x7f;
        memset(w->cdb + form->count_at - (form->count_at == 13 ? 3 : 1), 0,
               form->count_at == 13 ? 3 : 1);
        bytes = w->cdb[form->count_at] * 512U;
        bytes *= form->opcode == 0x89 ? 2 : 1;
    }
    if (form->opcode == 0x5f)
        fix_pr_out(w->cdb);
    w->expected_bytes = be32_of(bytes);
    w->ahs_words = 0;
}

static void fix_opcode(union bhs *b)
{
    static const uint8_t opcodes[] = {OP_NOP_OUT,   OP_CMD_REQ,    OP_TMF_REQ,
                                      OP_LOGIN_REQ, OP_TEXT_REQ,   OP_DATA_OUT,
                                      OP_CMD_REQ,   OP_LOGOUT_REQ, OP_SNACK_REQ};
    uint8_t immediate = b->any.opcode & 0x40;
    b->any.opcode = opcodes[(b->any.opcode & 0x3f) % ARRAY_LEN(opcodes)] | immediate;
}

static void fix_tags(struct session_peer *p, union bhs *b, uint8_t fix)
{
    bool tmf = pdu_opcode(b) == OP_TMF_REQ;
    if ((fix & FIX_ITT) != 0 && tmf)
        b->tmf_req.ref_itt = be32_of(p->command_itt);
    else if ((fix & FIX_ITT) != 0)
        b->any.itt = be32_of(p->command_itt);
    if ((fix & FIX_TTT) != 0 && pdu_opcode(b) == OP_TEXT_REQ) {
        b->any.itt = be32_of(p->text_itt);
        b->text_req.ttt = be32_of(p->text_ttt);
    }
    if (pdu_opcode(b) == OP_CMD_REQ)
        p->command_itt = be32_get(b->any.itt);
}

static void fix_numbers(struct session_peer *p, union bhs *b)
{
    bool immediate = pdu_is_immediate(b);
    if (!pdu_has_cmd_sn(b))
        return;
    b->any.cmd_or_stat_sn = be32_of(p->cmd_sn);
    if (!immediate && pdu_opcode(b) != OP_LOGIN_REQ)
        p->cmd_sn++;
}

/* What the oldest R2T asks for; what the record has too little of is zeros. */
static void fix_data(struct session_peer *p, union bhs *b, struct peer_send *s)
{
    static uint8_t whole[TRANSFER_BLOCKS * 512];
    struct r2t r;
    if (pdu_opcode(b) != OP_DATA_OUT || !session_peer_take_r2t(p, &r))
        return;
    size_t bytes = r.desired_bytes < sizeof(whole) ? r.desired_bytes : sizeof(whole);
    memset(whole, 0, bytes);
    memcpy(whole, s->data, s->bytes < bytes ? s->bytes : bytes);
    struct data_out m = {.final = bytes == r.desired_bytes,
                         .lun = r.lun,
                         .itt = r.itt,
                         .ttt = r.ttt,
                         .buffer_offset = r.buffer_offset,
                         .data_bytes = (uint32_t)bytes};
    data_out_encode(&m, &b->data_out);
    s->data = whole;
    s->bytes = bytes;
}

static void fix_all(struct session_peer *p, union bhs *b, uint8_t fix,
                    struct peer_send *s)
{
    if ((fix & FIX_OPCODE) != 0)
        fix_opcode(b);
    if ((fix & FIX_COMMAND) != 0 && pdu_opcode(b) == OP_CMD_REQ)
        fix_command(&b->cmd_req);
    if ((fix & FIX_LUN) != 0 && pdu_opcode(b) != OP_LOGIN_REQ)
        b->any.lun = be64_of(lun_encode(RIG_LUN));
    fix_tags(p, b, fix);
    if ((fix & FIX_CMD_SN) != 0)
        fix_numbers(p, b);
    if ((fix & FIX_DATA) != 0)
        fix_data(p, b, s);
    if ((fix & FIX_LENGTH) != 0) {
        b->any.ahs_words = 0;
        b->any.data_bytes = be24_of((uint32_t)s->bytes);
    }
}

/* ---- one record ---- */

static void turn_disk(uint8_t how)
{
    switch ((enum disk)(how & HOW_DISK)) {
    case DISK_SAME:
        break;
    case DISK_HOLD:
        session_rig_hold_disk();
        break;
    case DISK_LET_ONE_GO:
        session_rig_let_one_go();
        break;
    case DISK_RELEASE:
        session_rig_release_disk();
        break;
    }
}

static void turn_after(struct session_peer *p, uint8_t how)
{
    switch ((enum after)(how & HOW_AFTER)) {
    case AFTER_NOTHING:
        break;
    case AFTER_TURN:
        session_rig_step();
        break;
    case AFTER_SETTLE:
        turns(SETTLE_TURNS);
        break;
    case AFTER_CLOSE:
        session_peer_close(p);
        begin(p);
        break;
    }
    if ((how & HOW_UNREAD) == 0)
        session_peer_read(p);
}

/* The bytes that it took. */
static size_t run_record(const uint8_t *at, size_t left)
{
    uint8_t how = at[0], fix = at[1];
    struct session_peer *p = &peers[how & HOW_SECOND];
    union bhs bhs;
    memcpy(bhs.bytes, at + 2, BHS_BYTES);
    size_t bytes = (size_t)at[2 + BHS_BYTES] << 8 | at[3 + BHS_BYTES];
    if (bytes > left - RECORD_BYTES)
        bytes = left - RECORD_BYTES;
    struct peer_send s = {.bhs = &bhs,
                          .data = at + RECORD_BYTES,
                          .bytes = bytes,
                          .in_two = (how & HOW_IN_TWO) != 0,
                          .bad_digest = (how & HOW_BAD_DIGEST) != 0};
    turn_disk(how);
    fix_all(p, &bhs, fix, &s);
    session_peer_send(p, &s);
    turn_after(p, how);
    return RECORD_BYTES + bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static bool started;
    if (!started)
        session_rig_start();
    started = true;
    if (bytes == 0)
        return 0;
    setup = data[0];
    session_rig_shuffle_disk((setup & SETUP_CHANCE) != 0);
    for (size_t i = 0; i < ARRAY_LEN(peers); i++)
        begin(&peers[i]);
    size_t at = 1;
    for (unsigned n = 0; n < RECORDS_MAX && bytes - at >= RECORD_BYTES; n++)
        at += run_record(data + at, bytes - at);
    turns(1);
    session_rig_release_disk();
    for (size_t i = 0; i < ARRAY_LEN(peers); i++)
        session_peer_close(&peers[i]);
    session_rig_settle();
    return 0;
}
