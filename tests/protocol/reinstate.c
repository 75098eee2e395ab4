/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-reinstate: a login with the ISID of a live session takes that session's place
 * (RFC 7143, 6.3.5): the old connection ends, also in the middle of a write; the new one
 * works; a session with another ISID does not notice. Each session is taken over ROUNDS
 * times. Usage: ashlar-reinstate HOST PORT TARGET INITIATOR LUN [ROUNDS]. One thread. */
#include "tests/protocol/rawpdu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MS   5000
#define ISID_TAKEN  0x51
#define ISID_BESIDE 0x52

static struct raw_pdu pdu, answer;

static int bad(const char *what, unsigned round)
{
    fprintf(stderr, "ashlar-reinstate: round %u: %s\n", round, what);
    return 1;
}

static bool ping(struct raw *r)
{
    raw_begin(r, &pdu, RAW_NOP_OUT);
    pdu.data_bytes = 4;
    memcpy(pdu.data, "ping", 4);
    return raw_send(r, &pdu) && raw_recv(r, &answer, ANSWER_MS) == RAW_NOP_IN;
}

static bool ready(struct raw *r, uint8_t lun)
{
    static const uint8_t tur[6];

    for (int i = 0; i < 5; i++) {
        raw_begin(r, &pdu, RAW_SCSI_CMD);
        raw_cdb(&pdu, tur, sizeof(tur), lun, 0);
        if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_SCSI_RSP)
            return false;
        if (answer.bhs[3] == 0)
            return true;
    }
    return false;
}

/* A write whose data never comes: its task is open when the session is taken. */
static bool leave_write_open(struct raw *r, uint8_t lun)
{
    static const uint8_t write16[16] = {0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8};

    raw_begin(r, &pdu, RAW_SCSI_CMD);
    pdu.bhs[1] = 0xa0;
    raw_cdb(&pdu, write16, sizeof(write16), lun, 4096);
    return raw_send(r, &pdu) && raw_recv(r, &answer, ANSWER_MS) == RAW_R2T;
}

static int take_over(struct raw *old, struct raw *beside, uint8_t lun, unsigned round)
{
    struct raw new = *old;

    if (!ready(old, lun))
        return bad("the session that is to be taken over does not work", round);
    if (round % 2 == 1 && !leave_write_open(old, lun))
        return bad("no R2T comes", round);
    if (raw_connect(&new) != 0 || raw_login(&new, false) != 0)
        return bad("the login that takes over fails", round);
    if (raw_recv_end(old, ANSWER_MS) != RAW_CLOSED)
        return bad("the old connection stays open", round);
    raw_close(old);
    *old = new;
    if (!ready(old, lun))
        return bad("the new session does not work", round);
    if (!ping(beside))
        return bad("the session beside it is gone", round);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "ashlar-reinstate HOST PORT TARGET INITIATOR LUN [ROUNDS]\n");
        return 64;
    }
    struct raw taken = {.host = argv[1],
                        .port = argv[2],
                        .target = argv[3],
                        .initiator = argv[4],
                        .isid_tail = ISID_TAKEN};
    struct raw beside = taken;
    uint8_t lun = (uint8_t)strtoul(argv[5], NULL, 10);
    unsigned rounds = argc > 6 ? (unsigned)strtoul(argv[6], NULL, 10) : 20;
    int rc = 0;

    beside.isid_tail = ISID_BESIDE;
    if (raw_connect(&taken) != 0 || raw_login(&taken, false) != 0 ||
        raw_connect(&beside) != 0 || raw_login(&beside, false) != 0)
        return bad("two sessions cannot be opened", 0);
    for (unsigned i = 1; i <= rounds && rc == 0; i++)
        rc = take_over(&taken, &beside, lun, i);
    if (rc == 0)
        printf("ashlar-reinstate: taken over %u times\n", rounds);
    return rc;
}
