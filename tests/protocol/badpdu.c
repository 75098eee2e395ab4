/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-badpdu: PDUs that no initiator should send. The target must answer each as RFC
 * 7143 says, or end that connection, and must go on serving a bystander whose session is
 * open all the time. Usage: ashlar-badpdu HOST PORT TARGET INITIATOR LUN [CASE]; exit 0:
 * all cases as they should be. A case returns NULL, or what was wrong. One thread. */
#include "tests/protocol/rawpdu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MS     5000
#define QUIET_MS      300
#define IMMEDIATE_BIT 0x40

static uint8_t lun;
static struct raw_pdu pdu, answer;

typedef const char *(*case_fn)(struct raw *r);

/* --- what cases are made of --- */

static const char *open_session(struct raw *r)
{
    int rc;

    if (raw_connect(r) != 0)
        return "cannot connect";
    rc = raw_login(r, false);
    if (rc != 0)
        return "an ordinary login fails";
    return NULL;
}

static const char *ping(struct raw *r, size_t bytes)
{
    raw_begin(r, &pdu, RAW_NOP_OUT);
    for (size_t i = 0; i < bytes; i++)
        pdu.data[i] = (uint8_t)(i * 7 + bytes);
    pdu.data_bytes = bytes;
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_NOP_IN)
        return "no NOP-In comes for a ping";
    if (raw_itt(&answer) != raw_itt(&pdu))
        return "the NOP-In has another task tag";
    if (answer.data_bytes != bytes || memcmp(answer.data, pdu.data, bytes) != 0)
        return "the NOP-In does not echo the ping's data";
    return NULL;
}

/* TEST UNIT READY until no unit attention is left. */
static const char *unit_ready(struct raw *r)
{
    static const uint8_t tur[6];

    for (int i = 0; i < 5; i++) {
        raw_begin(r, &pdu, RAW_SCSI_CMD);
        raw_cdb(&pdu, tur, sizeof(tur), lun, 0);
        if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_SCSI_RSP)
            return "TEST UNIT READY is not answered";
        if (answer.bhs[3] == 0)
            return NULL;
    }
    return "the unit does not become ready";
}

static const char *rejected_or_closed(struct raw *r)
{
    int rc = raw_recv(r, &answer, ANSWER_MS);

    if (rc == RAW_REJECT || rc == RAW_CLOSED)
        return NULL;
    return rc == RAW_SILENT ? "neither rejected nor closed"
                            : "answered as if it were fine";
}

static const char *closed(struct raw *r)
{
    return raw_recv_end(r, ANSWER_MS) == RAW_CLOSED ? NULL : "the connection stays open";
}

/* A login PDU with the names in it, further keys are the caller's. */
static void begin_login(struct raw *r)
{
    char text[300];

    raw_begin(r, &pdu, RAW_LOGIN);
    pdu.bhs[0] |= IMMEDIATE_BIT;
    pdu.bhs[1] = 0x87;
    pdu.bhs[8] = 0x80;
    raw_put(pdu.bhs + 12, 2, r->isid_tail);
    snprintf(text, sizeof(text), "InitiatorName=%s", r->initiator);
    raw_text(&pdu, text);
    raw_text(&pdu, "SessionType=Normal");
    snprintf(text, sizeof(text), "TargetName=%s", r->target);
    raw_text(&pdu, text);
}

/* Sends the login that pdu holds; the status it is answered with, -1 for a closed
 * connection. */
static int login_status(struct raw *r)
{
    if (!raw_send(r, &pdu))
        return -1;
    switch (raw_recv(r, &answer, ANSWER_MS)) {
    case RAW_LOGIN_RSP:
        return (int)raw_get(answer.bhs + 36, 2);
    case RAW_CLOSED:
    case RAW_REJECT:
        return -1;
    default:
        return -2;
    }
}

static const char *login_refused(struct raw *r)
{
    int status = login_status(r);

    if (status == -2)
        return "the login is not answered";
    return status == 0 ? "the login succeeds" : NULL;
}

/* --- before a login --- */

static const char *nothing_at_all(struct raw *r)
{
    return raw_connect(r) == 0 ? NULL : "cannot connect";
}

static const char *truncated_header(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    raw_begin(r, &pdu, RAW_LOGIN);
    raw_write(r, pdu.bhs, 20);
    shutdown(r->fd, SHUT_WR);
    return closed(r);
}

static const char *command_before_login(struct raw *r)
{
    static const uint8_t inquiry[6] = {0x12, 0, 0, 0, 36, 0};

    if (raw_connect(r) != 0)
        return "cannot connect";
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    pdu.bhs[1] |= 0x40;
    raw_cdb(&pdu, inquiry, sizeof(inquiry), lun, 36);
    raw_send(r, &pdu);
    return closed(r);
}

static const char *unknown_opcode_before_login(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    raw_begin(r, &pdu, 0x1f);
    raw_send(r, &pdu);
    return closed(r);
}

static const char *huge_login(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    raw_put(pdu.bhs + 5, 3, 0xffffff);
    raw_send_as_is(r, &pdu);
    return closed(r);
}

static const char *random_bytes(struct raw *r)
{
    const char *wrong = NULL;

    for (unsigned seed = 1; seed <= 50 && wrong == NULL; seed++) {
        unsigned state = seed;
        if (raw_connect(r) != 0)
            return "cannot connect";
        for (size_t i = 0; i < 4096; i++)
            pdu.data[i] = (uint8_t)rand_r(&state);
        raw_write(r, pdu.data, 4096);
        shutdown(r->fd, SHUT_WR);
        wrong = closed(r);
        raw_close(r);
    }
    return wrong;
}

/* --- logins --- */

static const char *dribbled_login(struct raw *r)
{
    uint8_t bytes[RAW_BHS_BYTES + 512];

    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    raw_put(pdu.bhs + 5, 3, pdu.data_bytes);
    raw_put(pdu.bhs + 24, 4, r->cmd_sn);
    memset(bytes, 0, sizeof(bytes));
    memcpy(bytes, pdu.bhs, RAW_BHS_BYTES);
    memcpy(bytes + RAW_BHS_BYTES, pdu.data, pdu.data_bytes);
    size_t n = RAW_BHS_BYTES + (pdu.data_bytes + 3) / 4 * 4;
    for (size_t i = 0; i < n; i++) {
        if (!raw_write(r, bytes + i, 1))
            return "closed in the middle of a slow login";
        usleep(500);
    }
    if (raw_recv(r, &answer, ANSWER_MS) != RAW_LOGIN_RSP ||
        raw_get(answer.bhs + 36, 2) != 0)
        return "a login sent byte by byte fails";
    return ping(r, 4);
}

static const char *continued_login(struct raw *r)
{
    size_t first;

    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r); /* all keys in two PDUs, cut inside a key */
    first = pdu.data_bytes - 20;
    pdu.data_bytes -= first;
    uint8_t rest[64];
    memcpy(rest, pdu.data + first, pdu.data_bytes);
    size_t rest_bytes = pdu.data_bytes;
    pdu.data_bytes = first;
    pdu.bhs[1] = 0x44; /* continue, operational stage, no transit */
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_LOGIN_RSP ||
        raw_get(answer.bhs + 36, 2) != 0 || answer.data_bytes != 0)
        return "the first part of a continued login is not acknowledged";
    memcpy(pdu.data, rest, rest_bytes);
    pdu.data_bytes = rest_bytes;
    pdu.bhs[1] = 0x87;
    if (login_status(r) != 0)
        return "a login continued over two PDUs fails";
    return ping(r, 4);
}

static const char *unknown_key(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    raw_text(&pdu, "NobodyKnowsThis=1");
    if (login_status(r) != 0)
        return "a login with an unknown key fails";
    for (size_t i = 0; i < answer.data_bytes; i++) {
        if (strcmp((char *)answer.data + i, "NobodyKnowsThis=NotUnderstood") == 0)
            return NULL;
    }
    return "the unknown key is not answered NotUnderstood";
}

static const char *text_without_value(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    raw_text(&pdu, "no equals sign here");
    return login_refused(r);
}

static const char *text_of_noise(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    for (size_t i = 0; i < 400; i++)
        pdu.data[i] = (uint8_t)(0x80 + i % 0x7f);
    pdu.data_bytes = 400;
    return login_refused(r);
}

static const char *key_too_long(struct raw *r)
{
    char text[256];

    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    memset(text, 'K', 200);
    strncpy(text + 200, "=1", 3);
    raw_text(&pdu, text);
    return login_refused(r);
}

static const char *no_initiator_name(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    pdu.data_bytes = 0;
    raw_text(&pdu, "SessionType=Discovery");
    int status = login_status(r);
    return status == 0x0207 || status == -1 ? NULL : "not refused with 0207";
}

static const char *unknown_target(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    pdu.data_bytes = 0;
    raw_text(&pdu, "InitiatorName=iqn.2026-01.test.ashlar:one");
    raw_text(&pdu, "SessionType=Normal");
    raw_text(&pdu, "TargetName=iqn.2026-01.test.ashlar:no-such-target");
    return login_status(r) == 0x0203 ? NULL : "not refused with 0203";
}

static const char *future_version(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    pdu.bhs[2] = 9;
    pdu.bhs[3] = 9;
    return login_status(r) == 0x0205 ? NULL : "not refused with 0205";
}

static const char *unknown_session(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    raw_put(pdu.bhs + 14, 2, 0xbeef); /* TSIH */
    return login_status(r) == 0x020a ? NULL : "not refused with 020a";
}

static const char *login_twice(struct raw *r)
{
    const char *wrong = open_session(r);

    if (wrong != NULL)
        return wrong;
    begin_login(r);
    raw_send(r, &pdu);
    return rejected_or_closed(r);
}

/* --- in full feature phase --- */

static const char *ping_echoes(struct raw *r)
{
    static const size_t sizes[] = {0, 1, 5, 64, 4096, 8192};
    const char *wrong = open_session(r);

    for (size_t i = 0; wrong == NULL && i < sizeof(sizes) / sizeof(sizes[0]); i++)
        wrong = ping(r, sizes[i]);
    return wrong;
}

static const char *ping_without_tag(struct raw *r)
{
    const char *wrong = open_session(r);

    if (wrong != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_NOP_OUT);
    pdu.bhs[0] |= IMMEDIATE_BIT;
    raw_put(pdu.bhs + 16, 4, 0xffffffff);
    raw_send(r, &pdu);
    if (raw_recv(r, &answer, QUIET_MS) != RAW_SILENT)
        return "a NOP-Out that asks no answer gets one";
    return ping(r, 4);
}

static const char *many_in_one_segment(struct raw *r)
{
    static uint8_t bytes[64 * RAW_BHS_BYTES];
    const char *wrong = open_session(r);

    if (wrong != NULL)
        return wrong;
    for (unsigned i = 0; i < 64; i++) { /* immediate: no window to respect */
        raw_begin(r, &pdu, RAW_NOP_OUT | IMMEDIATE_BIT);
        raw_put(pdu.bhs + 16, 4, 0x9000 + i);
        raw_put(pdu.bhs + 20, 4, 0xffffffff);
        raw_put(pdu.bhs + 24, 4, r->cmd_sn);
        raw_put(pdu.bhs + 28, 4, r->exp_stat_sn);
        memcpy(bytes + i * RAW_BHS_BYTES, pdu.bhs, RAW_BHS_BYTES);
    }
    raw_write(r, bytes, sizeof(bytes));
    for (unsigned i = 0; i < 64; i++) {
        if (raw_recv(r, &answer, ANSWER_MS) != RAW_NOP_IN ||
            raw_itt(&answer) != 0x9000 + i)
            return "64 pings in one segment are not answered in order";
    }
    return NULL;
}

static const char *command_far_outside_the_window(struct raw *r)
{
    static const uint8_t tur[6];
    const char *wrong = open_session(r);

    if (wrong != NULL || (wrong = unit_ready(r)) != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    raw_cdb(&pdu, tur, sizeof(tur), lun, 0);
    raw_put(pdu.bhs + 24, 4, r->cmd_sn + 100000);
    raw_send(r, &pdu);
    if (raw_recv(r, &answer, QUIET_MS) != RAW_SILENT)
        return "a command outside the window is not ignored"; /* RFC 7143, 4.2.2.1 */
    return unit_ready(r);
}

static const char *data_for_unknown_transfer(struct raw *r)
{
    const char *wrong = open_session(r);

    if (wrong != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_DATA_OUT);
    raw_put(pdu.bhs + 20, 4, 0x12345678);
    pdu.data_bytes = 512;
    raw_send(r, &pdu);
    return rejected_or_closed(r);
}

static const char *unknown_opcode(struct raw *r)
{
    const char *wrong = open_session(r);

    if (wrong != NULL)
        return wrong;
    raw_begin(r, &pdu, 0x1f);
    raw_send(r, &pdu);
    return rejected_or_closed(r);
}

static const char *retransmission_request(struct raw *r)
{
    const char *wrong = open_session(r);

    if (wrong != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_SNACK);
    raw_put(pdu.bhs + 16, 4, 0x77);
    raw_send(r, &pdu);
    return rejected_or_closed(r); /* error recovery level 0 knows no SNACK */
}

static const char *additional_header_too_long(struct raw *r)
{
    static const uint8_t tur[6];
    const char *wrong = open_session(r);

    if (wrong != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    raw_cdb(&pdu, tur, sizeof(tur), lun, 0);
    pdu.bhs[4] = 255; /* 1020 bytes, which come, as zeros: an AHS of length 0 */
    memset(pdu.data, 0, 1020);
    pdu.data_bytes = 1020;
    raw_send_as_is(r, &pdu);
    int rc = raw_recv(r, &answer, ANSWER_MS);
    bool refused = rc == RAW_REJECT || rc == RAW_CLOSED ||
                   (rc == RAW_SCSI_RSP && answer.bhs[3] != 0);
    return refused ? NULL : "an additional header of nonsense is taken";
}

static const char *immediate_data_too_long(struct raw *r)
{
    static const uint8_t write16[16] = {0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    const char *wrong = open_session(r);

    if (wrong != NULL || (wrong = unit_ready(r)) != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    pdu.bhs[1] = 0xa0;
    raw_cdb(&pdu, write16, sizeof(write16), lun, 512);
    raw_put(pdu.bhs + 5, 3, 0xffffff);
    raw_send_as_is(r, &pdu);
    return rejected_or_closed(r);
}

/* An R2T for a write of 8 blocks; the transfer's tag is in *ttt. */
static const char *ask_for_data(struct raw *r, uint32_t *itt, uint32_t *ttt)
{
    static const uint8_t write16[16] = {0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8};
    const char *wrong = open_session(r);

    if (wrong != NULL || (wrong = unit_ready(r)) != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    pdu.bhs[1] = 0xa0;
    raw_cdb(&pdu, write16, sizeof(write16), lun, 4096);
    *itt = raw_itt(&pdu);
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_R2T)
        return "no R2T comes for a write";
    *ttt = (uint32_t)raw_get(answer.bhs + 20, 4);
    return NULL;
}

/* Data-Out for the R2T with an offset and length of the case's. */
static const char *bad_data_out(struct raw *r, uint32_t offset, size_t bytes,
                                uint32_t data_sn)
{
    uint32_t itt, ttt;
    const char *wrong = ask_for_data(r, &itt, &ttt);

    if (wrong != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_DATA_OUT);
    raw_put(pdu.bhs + 16, 4, itt);
    raw_put(pdu.bhs + 20, 4, ttt);
    raw_put(pdu.bhs + 36, 4, data_sn);
    raw_put(pdu.bhs + 40, 4, offset);
    memset(pdu.data, 0xab, bytes);
    pdu.data_bytes = bytes;
    raw_send(r, &pdu);
    int rc = raw_recv(r, &answer, ANSWER_MS);
    bool refused = rc == RAW_REJECT || rc == RAW_CLOSED ||
                   (rc == RAW_SCSI_RSP && answer.bhs[3] != 0);
    return refused ? NULL : "taken, or not answered";
}

static const char *data_beyond_its_transfer(struct raw *r)
{
    return bad_data_out(r, 4096, 4096, 0);
}

static const char *more_data_than_asked(struct raw *r)
{
    return bad_data_out(r, 0, 8192, 0);
}

static const char *data_number_wrong(struct raw *r)
{
    return bad_data_out(r, 0, 4096, 7);
}

/* The write is abandoned with its data outstanding; the session of a new login must not
 * care. */
static const char *dies_before_its_data(struct raw *r)
{
    uint32_t itt, ttt;
    const char *wrong = ask_for_data(r, &itt, &ttt);

    raw_close(r);
    if (wrong != NULL || (wrong = open_session(r)) != NULL)
        return wrong;
    return unit_ready(r);
}

static const char *lun_of_ones(struct raw *r)
{
    static const uint8_t tur[6];
    const char *wrong = open_session(r);

    if (wrong != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    raw_cdb(&pdu, tur, sizeof(tur), 0, 0);
    memset(pdu.bhs + 8, 0xff, 8);
    raw_send(r, &pdu);
    if (raw_recv(r, &answer, ANSWER_MS) != RAW_SCSI_RSP || answer.bhs[3] != 2)
        return "no CHECK CONDITION for a LUN that cannot be";
    return NULL;
}

static const char *command_of_nonsense(struct raw *r)
{
    uint8_t cdb[16];
    const char *wrong = open_session(r);

    if (wrong != NULL || (wrong = unit_ready(r)) != NULL)
        return wrong;
    memset(cdb, 0xff, sizeof(cdb));
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    raw_cdb(&pdu, cdb, sizeof(cdb), lun, 0);
    raw_send(r, &pdu);
    if (raw_recv(r, &answer, ANSWER_MS) != RAW_SCSI_RSP || answer.bhs[3] != 2)
        return "no CHECK CONDITION for an unknown command";
    if (answer.data_bytes < 16 || (answer.data[2 + 2] & 0x0f) != 5 ||
        answer.data[2 + 12] != 0x20)
        return "the sense is not ILLEGAL REQUEST, INVALID OPERATION CODE";
    return ping(r, 4);
}

static const char *unknown_task_function(struct raw *r)
{
    const char *wrong = open_session(r);

    if (wrong != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_TMF);
    pdu.bhs[0] |= IMMEDIATE_BIT;
    pdu.bhs[1] = 0x80 | 0x7f;
    pdu.bhs[9] = lun;
    raw_send(r, &pdu);
    int rc = raw_recv(r, &answer, ANSWER_MS);
    if (rc == RAW_REJECT || rc == RAW_CLOSED || (rc == RAW_TMF_RSP && answer.bhs[2] != 0))
        return NULL;
    return "an unknown task management function is not refused";
}

static const char *logout_of_unknown_connection(struct raw *r)
{
    const char *wrong = open_session(r);

    if (wrong != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_LOGOUT);
    pdu.bhs[0] |= IMMEDIATE_BIT;
    pdu.bhs[1] = 0x80 | 1;            /* close the connection … */
    raw_put(pdu.bhs + 20, 2, 0x4242); /* … that is not there */
    raw_send(r, &pdu);
    int rc = raw_recv(r, &answer, ANSWER_MS);
    if (rc == RAW_REJECT || rc == RAW_CLOSED ||
        (rc == RAW_LOGOUT_RSP && answer.bhs[2] != 0))
        return NULL;
    return "a logout of an unknown connection succeeds";
}

static const char *text_answer_names(struct raw *r)
{
    for (size_t i = 0; i < answer.data_bytes; i += strlen((char *)answer.data + i) + 1) {
        if (strncmp((char *)answer.data + i, "TargetName=", 11) == 0 &&
            strcmp((char *)answer.data + i + 11, r->target) == 0)
            return NULL;
    }
    return "SendTargets does not name the target";
}

static const char *continued_text(struct raw *r)
{
    if (raw_connect(r) != 0 || raw_login(r, true) != 0)
        return "a discovery login fails";
    raw_begin(r, &pdu, RAW_TEXT);
    pdu.bhs[1] = 0x40; /* continue */
    memcpy(pdu.data, "SendTar", 7);
    pdu.data_bytes = 7;
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_TEXT_RSP ||
        (answer.bhs[1] & 0x80) != 0 || answer.data_bytes != 0)
        return "the first part of a continued text is not acknowledged";
    uint32_t itt = raw_itt(&pdu);
    uint64_t ttt = raw_get(answer.bhs + 20, 4);
    if (ttt == 0xffffffff)
        return "a text that goes on has no target transfer tag";
    raw_begin(r, &pdu, RAW_TEXT);
    raw_put(pdu.bhs + 16, 4, itt);
    raw_put(pdu.bhs + 20, 4, ttt);
    memcpy(pdu.data, "gets=All", 9);
    pdu.data_bytes = 9;
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_TEXT_RSP)
        return "the second part of a continued text is not answered";
    return text_answer_names(r);
}

static const char *endless_text(struct raw *r)
{
    if (raw_connect(r) != 0 || raw_login(r, true) != 0)
        return "a discovery login fails";
    raw_begin(r, &pdu, RAW_TEXT);
    uint32_t itt = raw_itt(&pdu);
    for (int i = 0; i < 1000; i++) { /* 8 MB of one key, if it lets us */
        pdu.bhs[1] = 0x40;
        raw_put(pdu.bhs + 16, 4, itt);
        raw_put(pdu.bhs + 24, 4, 0);
        memset(pdu.data, 'A', 8192);
        pdu.data_bytes = 8192;
        if (!raw_send(r, &pdu))
            return NULL;
        int rc = raw_recv(r, &answer, ANSWER_MS);
        if (rc != RAW_TEXT_RSP)
            return rc == RAW_SILENT ? "an endless text stalls" : NULL;
        memcpy(pdu.bhs + 20, answer.bhs + 20, 4);
    }
    return "a text of 8 MB is collected";
}

static const char *discovery_reads_no_disk(struct raw *r)
{
    static const uint8_t read10[10] = {0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0};

    if (raw_connect(r) != 0 || raw_login(r, true) != 0)
        return "a discovery login fails";
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    pdu.bhs[1] |= 0x40;
    raw_cdb(&pdu, read10, sizeof(read10), lun, 512);
    raw_send(r, &pdu);
    return rejected_or_closed(r);
}

/* --- the list --- */

static const struct {
    const char *name;
    case_fn run;
} cases[] = {
    {"nothing-at-all", nothing_at_all},
    {"truncated-header", truncated_header},
    {"command-before-login", command_before_login},
    {"unknown-opcode-before-login", unknown_opcode_before_login},
    {"huge-login", huge_login},
    {"random-bytes", random_bytes},
    {"dribbled-login", dribbled_login},
    {"continued-login", continued_login},
    {"unknown-key", unknown_key},
    {"text-without-value", text_without_value},
    {"text-of-noise", text_of_noise},
    {"key-too-long", key_too_long},
    {"no-initiator-name", no_initiator_name},
    {"unknown-target", unknown_target},
    {"future-version", future_version},
    {"unknown-session", unknown_session},
    {"login-twice", login_twice},
    {"ping-echoes", ping_echoes},
    {"ping-without-tag", ping_without_tag},
    {"many-in-one-segment", many_in_one_segment},
    {"command-far-outside-the-window", command_far_outside_the_window},
    {"data-for-unknown-transfer", data_for_unknown_transfer},
    {"unknown-opcode", unknown_opcode},
    {"retransmission-request", retransmission_request},
    {"additional-header-too-long", additional_header_too_long},
    {"immediate-data-too-long", immediate_data_too_long},
    {"data-beyond-its-transfer", data_beyond_its_transfer},
    {"more-data-than-asked", more_data_than_asked},
    {"data-number-wrong", data_number_wrong},
    {"dies-before-its-data", dies_before_its_data},
    {"lun-of-ones", lun_of_ones},
    {"command-of-nonsense", command_of_nonsense},
    {"unknown-task-function", unknown_task_function},
    {"logout-of-unknown-connection", logout_of_unknown_connection},
    {"continued-text", continued_text},
    {"endless-text", endless_text},
    {"discovery-reads-no-disk", discovery_reads_no_disk},
};

static unsigned run_cases(const struct raw *where, struct raw *bystander,
                          const char *only)
{
    unsigned bad = 0;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (only != NULL && strcmp(only, cases[i].name) != 0)
            continue;
        struct raw r = *where;
        r.fd = -1;
        r.isid_tail = (uint16_t)(100 + i);
        const char *wrong = cases[i].run(&r);
        raw_close(&r);
        const char *other = ping(bystander, 8);
        if (other != NULL) {
            printf("FAIL %s: the bystander is not served any more: %s\n", cases[i].name,
                   other);
            return bad + 1;
        }
        bad += wrong != NULL;
        printf("%s %s%s%s\n", wrong == NULL ? "ok  " : "FAIL", cases[i].name,
               wrong == NULL ? "" : ": ", wrong == NULL ? "" : wrong);
    }
    return bad;
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "ashlar-badpdu HOST PORT TARGET INITIATOR LUN [CASE]\n");
        return 64;
    }
    struct raw where = {.host = argv[1],
                        .port = argv[2],
                        .target = argv[3],
                        .initiator = argv[4],
                        .fd = -1};
    struct raw bystander = where;

    lun = (uint8_t)strtoul(argv[5], NULL, 10);
    bystander.isid_tail = 1;
    const char *wrong = open_session(&bystander);
    if (wrong != NULL) {
        fprintf(stderr, "the bystander: %s\n", wrong);
        return 2;
    }
    unsigned bad = run_cases(&where, &bystander, argc > 6 ? argv[6] : NULL);
    raw_close(&bystander);
    printf("ashlar-badpdu: %u cases not as they should be\n", bad);
    return bad == 0 ? 0 : 1;
}
