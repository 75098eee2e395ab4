/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-digests: CRC32C over headers and over data, right and with a bit turned over, at
 * error recovery level 0 (RFC 7143, 7.8 and 13.1): a bad header digest ends the
 * connection; bad data is rejected, a Data-Out's command ends with PROTOCOL SERVICE CRC
 * ERROR, anything else ends the connection, since nobody would say it again. Usage, and
 * what a case is: scene.h. */
#include "tests/protocol/scene.h"

#include <stdio.h>
#include <string.h>

#define FINAL_BIT       0x80
#define DATA_DIGEST     0x02 /* why a PDU is rejected */
#define ABORTED_COMMAND 0x0b
#define CRC_ERROR       0x4705
#define BLOCKS          8
#define BYTES           (BLOCKS * BLOCK_BYTES)

static const char *open_with_digests(struct raw *r, bool header, bool data)
{
    r->header_digest = header;
    r->data_digest = data;
    return open_unit(r);
}

/* --- what this program itself is held against: RFC 3720, B.4 --- */

static const char *known_sums(struct raw *r)
{
    uint8_t bytes[32];

    (void)r;
    memset(bytes, 0, sizeof(bytes));
    if (raw_crc32c(0, bytes, sizeof(bytes)) != 0x8a9136aa)
        return "of zeros";
    memset(bytes, 0xff, sizeof(bytes));
    if (raw_crc32c(0, bytes, sizeof(bytes)) != 0x62a8ab43)
        return "of ones";
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    return raw_crc32c(0, bytes, sizeof(bytes)) == 0x46dd794e ? NULL : "of counting bytes";
}

/* --- right ones --- */

/* Every kind of answer that has data or none; raw_recv sums up what comes. */
static const char *all_is_answered(struct raw *r)
{
    static const uint8_t inquiry[6] = {0x12, 0, 0, 0, 96};
    const char *wrong = NULL;

    for (size_t bytes = 0; bytes < 9 && wrong == NULL; bytes++)
        wrong = ping(r, bytes); /* padding of every length */
    if (wrong != NULL)
        return wrong;
    begin_rw(r, true, 0, BLOCKS);
    if ((wrong = wait_for_r2t(r)) != NULL)
        return wrong;
    answer_r2t(r);
    if (!is_good(r, raw_itt(&pdu)) || (wrong = holds_data(r, 0, BLOCKS)) != NULL)
        return wrong != NULL ? wrong : "the write fails";
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    pdu.bhs[1] |= READ_BIT;
    raw_cdb(&pdu, inquiry, sizeof(inquiry), lun, 96);
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_DATA_IN)
        return "INQUIRY is not answered";
    begin_rw(r, false, 0xffffff00, 1);
    raw_send(r, &pdu);
    if (!is_sense(r, raw_itt(&pdu), 5, 0x2100))
        return "sense data does not come";
    raw_begin(r, &pdu, RAW_TMF);
    pdu.bhs[1] |= 1; /* ABORT TASK */
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_TMF_RSP)
        return "no answer to a task management function";
    raw_begin(r, &pdu, RAW_TEXT);
    raw_text(&pdu, "SendTargets=");
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_TEXT_RSP)
        return "no answer to a text request";
    raw_begin(r, &pdu, RAW_SNACK);
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_REJECT)
        return "no Reject";
    raw_begin(r, &pdu, RAW_LOGOUT);
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_LOGOUT_RSP)
        return "no answer to a logout";
    return closed(r);
}

static const char *right_digests(struct raw *r)
{
    const char *wrong = NULL;

    for (unsigned set = 0; set < 4 && wrong == NULL; set++) {
        wrong = open_with_digests(r, (set & 1) != 0, (set & 2) != 0);
        if (wrong == NULL)
            wrong = all_is_answered(r);
        raw_close(r);
    }
    return wrong;
}

/* An extended CDB: the header digest covers it. */
static void add_ahs(void)
{
    memset(pdu.ahs, 0, 20);
    raw_put(pdu.ahs, 2, 17); /* a reserved byte and 16 of CDB */
    pdu.ahs[2] = 1;
    pdu.ahs_bytes = 20;
}

static const char *additional_header(struct raw *r)
{
    static const uint8_t tur[6];
    const char *wrong = open_with_digests(r, true, true);

    if (wrong != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    raw_cdb(&pdu, tur, sizeof(tur), lun, 0);
    add_ahs();
    raw_send(r, &pdu);
    if (raw_recv(r, &answer, ANSWER_MS) != RAW_SCSI_RSP)
        return "a command with an additional header is not answered";
    return unit_ready(r);
}

/* --- a bit of the header --- */

/* A PDU of each kind that an initiator sends, some with data. */
static void begin_any(struct raw *r, uint8_t opcode)
{
    raw_begin(r, &pdu, opcode);
    pdu.bhs[9] = lun;
    if (opcode == RAW_SCSI_CMD)
        begin_rw(r, true, 0, BLOCKS);
    if (opcode == RAW_TMF)
        pdu.bhs[1] |= 1;
    if (opcode == RAW_TEXT)
        raw_text(&pdu, "SendTargets=");
    if (opcode == RAW_NOP_OUT || opcode == RAW_SCSI_CMD || opcode == RAW_DATA_OUT) {
        memset(pdu.data, 0x5a, 13);
        pdu.data_bytes = 13;
    }
}

static const uint8_t opcodes[] = {RAW_NOP_OUT,  RAW_SCSI_CMD, RAW_TMF,  RAW_TEXT,
                                  RAW_DATA_OUT, RAW_LOGOUT,   RAW_SNACK};

static const char *bad_header(struct raw *r, enum raw_flaw flaw)
{
    static char text[100];

    for (size_t i = 0; i < COUNT_OF(opcodes); i++) {
        const char *wrong = open_with_digests(r, true, true);
        if (wrong != NULL)
            return wrong;
        begin_any(r, opcodes[i]);
        if (flaw == RAW_FLAW_AHS)
            add_ahs();
        r->flaw = flaw;
        raw_send(r, &pdu);
        int rc = raw_recv(r, &answer, ANSWER_MS);
        raw_close(r);
        if (rc == RAW_CLOSED)
            continue;
        snprintf(text, sizeof(text), "opcode 0x%02x is answered with 0x%02x", opcodes[i],
                 (unsigned)rc);
        return text;
    }
    return NULL;
}

static const char *bad_bhs(struct raw *r)
{
    return bad_header(r, RAW_FLAW_BHS);
}

static const char *bad_ahs(struct raw *r)
{
    return bad_header(r, RAW_FLAW_AHS);
}

static const char *bad_header_digest(struct raw *r)
{
    return bad_header(r, RAW_FLAW_HEADER_DIGEST);
}

/* --- a bit of the data --- */

static const enum raw_flaw data_flaws[] = {RAW_FLAW_DATA, RAW_FLAW_PAD,
                                           RAW_FLAW_DATA_DIGEST};

/* What is not Data-Out is not said again: the connection ends. */
static const char *bad_data(struct raw *r)
{
    static const uint8_t with_data[] = {RAW_NOP_OUT, RAW_TEXT, RAW_SCSI_CMD};

    for (size_t i = 0; i < COUNT_OF(with_data) * COUNT_OF(data_flaws); i++) {
        const char *wrong = open_with_digests(r, i % 2 == 0, true);
        if (wrong != NULL)
            return wrong;
        begin_any(r, with_data[i / COUNT_OF(data_flaws)]);
        if (pdu.data_bytes % 4 == 0)
            pdu.data[pdu.data_bytes++] = '\0'; /* so that there is padding */
        r->flaw = data_flaws[i % COUNT_OF(data_flaws)];
        raw_send(r, &pdu);
        if (!is_rejected(r, DATA_DIGEST) || closed(r) != NULL)
            return "bad data is not rejected, or its connection goes on";
        raw_close(r);
    }
    return NULL;
}

/* The first of three Data-Out is bad: rejected at once, and the command ends when all of
 * its data has come, with nothing written. */
static const char *bad_data_out(struct raw *r)
{
    static const size_t pieces[] = {1001, 1047, 2048};
    const char *wrong = open_with_digests(r, true, true);

    for (size_t f = 0; f < COUNT_OF(data_flaws) && wrong == NULL; f++) {
        uint32_t offset = 0;
        begin_rw(r, true, 64, BLOCKS);
        if ((wrong = wait_for_r2t(r)) != NULL)
            break;
        uint32_t itt = raw_itt(&answer), ttt = (uint32_t)raw_get(answer.bhs + 20, 4);
        for (uint32_t i = 0; i < COUNT_OF(pieces); i++) {
            begin_data(r, itt, ttt, i, offset, pieces[i]);
            offset += (uint32_t)pieces[i];
            pdu.bhs[1] = offset == BYTES ? FINAL_BIT : 0;
            r->flaw = i == 0 ? data_flaws[f] : RAW_SOUND;
            raw_send(r, &pdu);
            if (i == 0 && !is_rejected(r, DATA_DIGEST))
                return "bad data is not rejected";
            if (offset < BYTES && !is_silent(r))
                return "the command ends before all of its data has come";
        }
        if (!is_sense(r, itt, ABORTED_COMMAND, CRC_ERROR))
            return "the command does not end with PROTOCOL SERVICE CRC ERROR";
        wrong = unit_ready(r);
    }
    if (wrong != NULL)
        return wrong;
    return holds_data(r, 64, BLOCKS) != NULL ? NULL : "bad data was written";
}

/* Bad unsolicited data, with the command and after it. */
static const char *bad_unsolicited_data(struct raw *r)
{
    static const char *const keys[] = {"InitialR2T=No", "DataDigest=CRC32C", NULL};

    r->data_digest = true;
    const char *wrong = open_unit_with(r, keys);
    if (wrong != NULL)
        return wrong;
    begin_rw(r, true, 0, BLOCKS);
    pdu.bhs[1] = WRITE_BIT;
    uint32_t itt = raw_itt(&pdu);
    raw_send(r, &pdu);
    begin_data(r, itt, TAG_NONE, 0, 0, BYTES);
    r->flaw = RAW_FLAW_DATA;
    raw_send(r, &pdu);
    if (!is_rejected(r, DATA_DIGEST) || !is_sense(r, itt, ABORTED_COMMAND, CRC_ERROR))
        return "bad unsolicited data is not told";
    return unit_ready(r);
}

/* Without the data digest nobody notices; the header's does not cover data. */
static const char *header_digest_alone(struct raw *r)
{
    const char *wrong = open_with_digests(r, true, false);

    if (wrong != NULL)
        return wrong;
    begin_any(r, RAW_NOP_OUT);
    r->flaw = RAW_FLAW_DATA;
    raw_send(r, &pdu);
    return raw_recv(r, &answer, ANSWER_MS) == RAW_NOP_IN ? NULL
                                                         : "data has a digest of its own";
}

/* --- none of either --- */

/* A login has no digests, whatever is agreed in it: 13.1. */
static const char *login_without_digests(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    pdu.bhs[1] = 1 << 2;
    raw_text(&pdu, "HeaderDigest=CRC32C");
    raw_text(&pdu, "DataDigest=CRC32C");
    if (login_status(r) != 0)
        return "the login fails";
    begin_login_bare(r);
    if (login_status(r) != 0) /* raw_recv reads it without */
        return "the login fails in its second request";
    r->open = r->header_digest = r->data_digest = true;
    return ping(r, 5);
}

/* --- the list --- */

static const struct scene scenes[] = {
    {"known-sums", known_sums},
    {"right-digests", right_digests},
    {"additional-header", additional_header},
    {"bad-bhs", bad_bhs},
    {"bad-ahs", bad_ahs},
    {"bad-header-digest", bad_header_digest},
    {"bad-data", bad_data},
    {"bad-data-out", bad_data_out},
    {"bad-unsolicited-data", bad_unsolicited_data},
    {"header-digest-alone", header_digest_alone},
    {"login-without-digests", login_without_digests},
};

int main(int argc, char **argv)
{
    return scenes_main(argc, argv, "ashlar-digests", scenes, COUNT_OF(scenes));
}
