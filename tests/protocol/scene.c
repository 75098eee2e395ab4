/* SPDX-License-Identifier: Apache-2.0 */
/* See scene.h. One thread. */
#include "tests/protocol/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READY_TRIES 8

struct raw_pdu pdu, answer;
uint8_t lun;

/* --- a session --- */

const char *open_session(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    return raw_login(r, false) == 0 ? NULL : "an ordinary login fails";
}

const char *open_discovery(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    return raw_login(r, true) == 0 ? NULL : "a discovery login fails";
}

const char *ping(struct raw *r, size_t bytes)
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

const char *unit_ready(struct raw *r)
{
    static const uint8_t tur[6];

    for (int i = 0; i < READY_TRIES; i++) {
        raw_begin(r, &pdu, RAW_SCSI_CMD);
        raw_cdb(&pdu, tur, sizeof(tur), lun, 0);
        if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_SCSI_RSP)
            return "TEST UNIT READY is not answered";
        if (answer.bhs[3] == 0)
            return NULL;
    }
    return "the unit does not become ready";
}

const char *open_unit(struct raw *r)
{
    const char *wrong = open_session(r);

    return wrong != NULL ? wrong : unit_ready(r);
}

const char *open_unit_with(struct raw *r, const char *const *keys)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    for (; *keys != NULL; keys++)
        raw_text(&pdu, *keys);
    if (login_status(r) != 0)
        return "a login with these keys fails";
    r->open = true;
    return unit_ready(r);
}

/* --- commands --- */

void begin_rw(struct raw *r, bool write, uint32_t lba, uint16_t blocks)
{
    uint8_t cdb[10] = {write ? 0x2a : 0x28};

    raw_put(cdb + 2, 4, lba);
    raw_put(cdb + 7, 2, blocks);
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    pdu.bhs[1] |= write ? WRITE_BIT : READ_BIT;
    raw_cdb(&pdu, cdb, sizeof(cdb), lun, blocks * BLOCK_BYTES);
}

const char *wait_for_r2t(struct raw *r)
{
    uint32_t itt = raw_itt(&pdu);

    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_R2T ||
        raw_itt(&answer) != itt)
        return "no R2T comes for a write";
    return NULL;
}

static uint8_t pattern(size_t offset)
{
    return (uint8_t)(offset * 13 + offset / BLOCK_BYTES);
}

void begin_data(struct raw *r, uint32_t itt, uint32_t ttt, uint32_t data_sn,
                uint32_t offset, size_t bytes)
{
    raw_begin(r, &pdu, RAW_DATA_OUT);
    pdu.bhs[9] = lun;
    raw_put(pdu.bhs + 16, 4, itt);
    raw_put(pdu.bhs + 20, 4, ttt);
    raw_put(pdu.bhs + 36, 4, data_sn);
    raw_put(pdu.bhs + 40, 4, offset);
    for (size_t i = 0; i < bytes; i++)
        pdu.data[i] = pattern(offset + i);
    pdu.data_bytes = bytes;
}

void answer_r2t(struct raw *r)
{
    begin_data(r, raw_itt(&answer), (uint32_t)raw_get(answer.bhs + 20, 4), 0,
               (uint32_t)raw_get(answer.bhs + 40, 4),
               (size_t)raw_get(answer.bhs + 44, 4));
    raw_send(r, &pdu);
}

const char *holds_data(struct raw *r, uint32_t lba, uint16_t blocks)
{
    size_t at = 0;

    begin_rw(r, false, lba, blocks);
    raw_send(r, &pdu);
    while (at < blocks * (size_t)BLOCK_BYTES) {
        int rc = raw_recv(r, &answer, ANSWER_MS);
        if (rc != RAW_DATA_IN || raw_get(answer.bhs + 40, 4) != at)
            return rc == RAW_GARBLED ? "a digest of Data-In is wrong" : "no read";
        for (size_t i = 0; i < answer.data_bytes; i++, at++) {
            if (answer.data[i] != pattern(at))
                return "what was written is not what is read";
        }
    }
    return (answer.bhs[1] & 1) != 0 && answer.bhs[3] == 0 ? NULL : "no status";
}

/* --- a login by hand --- */

void begin_login_bare(struct raw *r)
{
    raw_begin(r, &pdu, RAW_LOGIN);
    pdu.bhs[0] |= IMMEDIATE_BIT;
    pdu.bhs[1] = 0x87;
    pdu.bhs[8] = 0x80;
    raw_put(pdu.bhs + 12, 2, r->isid_tail);
}

void begin_login(struct raw *r)
{
    char text[300];

    begin_login_bare(r);
    snprintf(text, sizeof(text), "InitiatorName=%s", r->initiator);
    raw_text(&pdu, text);
    raw_text(&pdu, "SessionType=Normal");
    snprintf(text, sizeof(text), "TargetName=%s", r->target);
    raw_text(&pdu, text);
}

int login_status(struct raw *r)
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

const char *login_refused(struct raw *r)
{
    int status = login_status(r);

    if (status == -2)
        return "the login is not answered";
    return status == 0 ? "the login succeeds" : NULL;
}

unsigned said(const char *key, const char **value)
{
    size_t n = strlen(key);
    unsigned count = 0;

    answer.data[answer.data_bytes] = '\0'; /* raw_recv leaves room */
    for (size_t at = 0; at < answer.data_bytes;) {
        const char *pair = (const char *)answer.data + at;
        if (strncmp(pair, key, n) == 0 && pair[n] == '=') {
            count++;
            *value = pair + n + 1;
        }
        at += strlen(pair) + 1;
    }
    return count;
}

/* --- what comes --- */

const char *rejected_or_closed(struct raw *r)
{
    int rc = raw_recv(r, &answer, ANSWER_MS);

    if (rc == RAW_REJECT || rc == RAW_CLOSED)
        return NULL;
    return rc == RAW_SILENT ? "neither rejected nor closed"
                            : "answered as if it were fine";
}

bool is_rejected(struct raw *r, uint8_t reason)
{
    return raw_recv(r, &answer, ANSWER_MS) == RAW_REJECT && answer.bhs[2] == reason &&
           answer.data_bytes == RAW_BHS_BYTES && (answer.data[0] == pdu.bhs[0]) &&
           memcmp(answer.data + 16, pdu.bhs + 16, 4) == 0;
}

const char *closed(struct raw *r)
{
    return raw_recv_end(r, ANSWER_MS) == RAW_CLOSED ? NULL : "the connection stays open";
}

static bool is_status(uint32_t itt, uint8_t status)
{
    return answer.bhs[2] == 0 && answer.bhs[3] == status && raw_itt(&answer) == itt;
}

bool is_good(struct raw *r, uint32_t itt)
{
    return raw_recv(r, &answer, ANSWER_MS) == RAW_SCSI_RSP && is_status(itt, 0);
}

bool is_sense(struct raw *r, uint32_t itt, uint8_t key, unsigned code)
{
    return raw_recv(r, &answer, ANSWER_MS) == RAW_SCSI_RSP && is_status(itt, 2) &&
           answer.data_bytes >= 16 && (answer.data[4] & 0x0f) == key &&
           raw_get(answer.data + 14, 2) == code;
}

bool is_silent(struct raw *r)
{
    raw_begin(r, &pdu, RAW_NOP_OUT);
    pdu.bhs[0] |= IMMEDIATE_BIT;
    uint32_t itt = raw_itt(&pdu);
    return raw_send(r, &pdu) && raw_recv(r, &answer, ANSWER_MS) == RAW_NOP_IN &&
           raw_itt(&answer) == itt;
}

/* --- running them --- */

static unsigned run_scenes(const struct raw *where, struct raw *bystander,
                           const struct scene *scenes, size_t count, const char *only)
{
    unsigned bad = 0;

    for (size_t i = 0; i < count; i++) {
        if (only != NULL && strcmp(only, scenes[i].name) != 0)
            continue;
        struct raw r = *where;
        r.fd = -1;
        r.isid_tail = (uint16_t)(100 + i);
        const char *wrong = scenes[i].run(&r);
        raw_close(&r);
        const char *other = ping(bystander, 8);
        if (other != NULL) {
            printf("FAIL %s: the bystander is not served any more: %s\n", scenes[i].name,
                   other);
            return bad + 1;
        }
        bad += raw_tell(scenes[i].name, wrong);
    }
    return bad;
}

int scenes_main(int argc, char **argv, const char *program, const struct scene *scenes,
                size_t count)
{
    if (argc < 6) {
        fprintf(stderr, "%s HOST PORT TARGET INITIATOR LUN [CASE]\n", program);
        return 64;
    }
    struct raw where = raw_at(argv + 1);
    struct raw bystander = where;

    lun = (uint8_t)strtoul(argv[5], NULL, 10);
    bystander.isid_tail = 1;
    const char *wrong = open_session(&bystander);
    if (wrong != NULL) {
        fprintf(stderr, "the bystander: %s\n", wrong);
        return 2;
    }
    unsigned bad =
        run_scenes(&where, &bystander, scenes, count, argc > 6 ? argv[6] : NULL);
    raw_close(&bystander);
    printf("%s: %u cases not as they should be\n", program, bad);
    return bad == 0 ? 0 : 1;
}
