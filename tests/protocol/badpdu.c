/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-badpdu: PDUs that no initiator should send, by their header or their text. The
 * target must answer each as RFC 7143 says, or end that connection. Usage, and what a
 * case is: scene.h. */
#include "tests/protocol/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

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

/* --- in full feature phase --- */

static const char *ping_echoes(struct raw *r)
{
    static const size_t sizes[] = {0, 1, 5, 64, 4096, 8192};
    const char *wrong = open_session(r);

    for (size_t i = 0; wrong == NULL && i < COUNT_OF(sizes); i++)
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
        raw_put(pdu.bhs + 20, 4, TAG_NONE);
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

static const char *refused_otherwise(uint8_t opcode, size_t index)
{
    static char text[100];

    snprintf(text, sizeof(text),
             "opcode 0x%02x of case %zu is not rejected as it should be", opcode, index);
    return text;
}

/* A byte or two of a header that may not be so: RFC 7143, 11. Where the session can go on
 * it does, at the next PDU. */
static const char *refused_headers(struct raw *r)
{
    static const struct {
        uint8_t opcode, reason;
        bool ends;
        struct {
            uint8_t at, value;
        } set[4];
    } cases[] = {
        {RAW_SCSI_CMD, 0x09, false, {{16, 0xff}, {17, 0xff}, {18, 0xff}, {19, 0xff}}},
        {RAW_SCSI_CMD, 0x09, false, {{1, 0x85}}}, /* no such attribute */
        {RAW_SCSI_CMD, 0x05, false, {{1, 0xe0}}}, /* both directions */
        {RAW_SCSI_CMD, 0x04, false, {{1, 0x40}}}, /* data to come, for a read */
        {RAW_SCSI_CMD, 0x04, false, {{1, 0x80}, {23, 0x10}}}, /* data in no direction */
        {RAW_TMF, 0x04, true, {{4, 1}}},
        {RAW_NOP_OUT, 0x09, false, {{1, 0}}}, /* no F bit */
        {RAW_LOGOUT, 0x09, false, {{1, 0}}},
        {RAW_LOGOUT, 0x04, true, {{4, 1}}},
        {RAW_TEXT, 0x04, false, {{1, 0xc0}}}, /* F and C */
        {RAW_DATA_OUT, 0x04, true, {{0, RAW_DATA_OUT | IMMEDIATE_BIT}}},
        {RAW_NOP_IN, 0x05, true, {{0, RAW_NOP_IN}}}, /* a target's own */
        {RAW_SCSI_RSP, 0x05, true, {{0, RAW_SCSI_RSP}}},
        {RAW_R2T, 0x05, true, {{0, RAW_R2T}}},
        {RAW_REJECT, 0x05, true, {{0, RAW_REJECT}}},
        {0x1c, 0x05, true, {{0, 0x1c}}}, /* a vendor's */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *wrong = open_session(r);
        if (wrong != NULL)
            return wrong;
        raw_begin(r, &pdu, cases[i].opcode);
        for (size_t j = 0; j < COUNT_OF(cases[i].set); j++) {
            if (cases[i].set[j].at != 0 || j == 0)
                pdu.bhs[cases[i].set[j].at] = cases[i].set[j].value;
        }
        pdu.ahs_bytes = pdu.bhs[4] * 4U;
        memset(pdu.ahs, 0, sizeof(pdu.ahs));
        raw_send_as_is(r, &pdu);
        if (!is_rejected(r, cases[i].reason))
            return refused_otherwise(cases[i].opcode, i);
        wrong = cases[i].ends ? closed(r) : ping(r, 4);
        if (wrong != NULL)
            return wrong;
        raw_close(r);
    }
    return NULL;
}

static const char *text_of_no_exchange(struct raw *r)
{
    const char *wrong = open_session(r);

    if (wrong != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_TEXT);
    raw_put(pdu.bhs + 20, 4, 0x1234); /* a tag that nobody gave */
    raw_text(&pdu, "SendTargets=");
    raw_send(r, &pdu);
    return is_rejected(r, 0x09) ? ping(r, 4) : "not rejected as an invalid field";
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

static const char *continued_text(struct raw *r)
{
    const char *wrong = open_discovery(r);

    if (wrong != NULL)
        return wrong;
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
    const char *name = "";
    bool named = said("TargetName", &name) == 1 && strcmp(name, r->target) == 0;
    return named ? NULL : "SendTargets does not name the target";
}

static const char *endless_text(struct raw *r)
{
    const char *wrong = open_discovery(r);

    if (wrong != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_TEXT);
    uint32_t itt = raw_itt(&pdu);
    for (int i = 0; i < 1000; i++) { /* 8 MB of one key, if it lets us */
        pdu.bhs[1] = 0x40;
        raw_put(pdu.bhs + 16, 4, itt);
        raw_put(pdu.bhs + 24, 4, r->cmd_sn);
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
    const char *wrong = open_discovery(r);

    if (wrong != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    pdu.bhs[1] |= 0x40;
    raw_cdb(&pdu, read10, sizeof(read10), lun, 512);
    raw_send(r, &pdu);
    return rejected_or_closed(r);
}

/* --- the list --- */

static const struct scene scenes[] = {
    {"nothing-at-all", nothing_at_all},
    {"truncated-header", truncated_header},
    {"command-before-login", command_before_login},
    {"unknown-opcode-before-login", unknown_opcode_before_login},
    {"huge-login", huge_login},
    {"random-bytes", random_bytes},
    {"ping-echoes", ping_echoes},
    {"ping-without-tag", ping_without_tag},
    {"many-in-one-segment", many_in_one_segment},
    {"unknown-opcode", unknown_opcode},
    {"retransmission-request", retransmission_request},
    {"additional-header-too-long", additional_header_too_long},
    {"refused-headers", refused_headers},
    {"text-of-no-exchange", text_of_no_exchange},
    {"lun-of-ones", lun_of_ones},
    {"command-of-nonsense", command_of_nonsense},
    {"logout-of-unknown-connection", logout_of_unknown_connection},
    {"continued-text", continued_text},
    {"endless-text", endless_text},
    {"discovery-reads-no-disk", discovery_reads_no_disk},
};

int main(int argc, char **argv)
{
    return scenes_main(argc, argv, "ashlar-badpdu", scenes, COUNT_OF(scenes));
}
