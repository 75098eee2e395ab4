/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-takeover: the initiator of a session has died without a word: it takes no
 * answers, sends no data, closes nothing. Logins with its ISID come, several at once;
 * each is answered or its connection closed, one session remains and works. Usage:
 * ashlar-takeover HOST PORT TARGET INITIATOR LUN [ROUNDS]. A thread a login. */
#include "tests/protocol/rawpdu.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MS  30000
#define LOGINS     8
#define READS      48
#define READ_BYTES 65536 /* in sum more than the sockets' buffers hold */
#define WRITES     8
#define ISID       0x71

struct attempt {
    struct raw raw;
    pthread_barrier_t *together;
    int rc; /* of raw_login; -1 as well: closed or not connected */
    bool closed;
};

static uint8_t lun;

static int bad(const char *what, unsigned round)
{
    fprintf(stderr, "ashlar-takeover: round %u: %s\n", round, what);
    return 1;
}

/* ---- the session that dies ---- */

static bool send_cdb(struct raw *r, uint8_t direction, uint8_t opcode, uint32_t bytes)
{
    static struct raw_pdu pdu;
    uint8_t cdb[10] = {opcode};

    raw_put(cdb + 7, 2, bytes / 512);
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    pdu.bhs[1] |= direction;
    raw_cdb(&pdu, cdb, sizeof(cdb), lun, bytes);
    return raw_send(r, &pdu);
}

static bool ready(struct raw *r)
{
    static struct raw_pdu answer;

    for (int i = 0; i < 5; i++) {
        if (!send_cdb(r, 0, 0x00, 0) || raw_recv(r, &answer, ANSWER_MS) != RAW_SCSI_RSP)
            return false;
        if (answer.bhs[3] == 0)
            return true;
    }
    return false;
}

static bool leave_open(struct raw *r)
{
    for (int i = 0; i < READS; i++) {
        if (!send_cdb(r, 0x40, 0x28, READ_BYTES))
            return false;
    }
    for (int i = 0; i < WRITES; i++) {
        if (!send_cdb(r, 0x20, 0x2a, 4096))
            return false;
    }
    return true;
}

/* ---- the logins ---- */

static void *attempt_main(void *arg)
{
    struct attempt *a = arg;
    int rc = raw_connect(&a->raw);

    pthread_barrier_wait(a->together);
    a->rc = rc == 0 ? raw_login(&a->raw, false) : -1;
    if (rc == 0 && a->rc != 0)
        a->closed = raw_recv_end(&a->raw, ANSWER_MS) == RAW_CLOSED;
    return NULL;
}

static void attempt_all(struct attempt *attempts, const struct raw *base)
{
    pthread_t threads[LOGINS];
    pthread_barrier_t together;

    pthread_barrier_init(&together, NULL, LOGINS);
    for (unsigned i = 0; i < LOGINS; i++) {
        attempts[i] = (struct attempt){.raw = *base, .together = &together};
        if (pthread_create(&threads[i], NULL, attempt_main, &attempts[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < LOGINS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&together);
}

/* What became of them: all are answered or closed, one session is left. */
static const char *judge(struct attempt *attempts, unsigned *in)
{
    unsigned alive = 0;

    for (unsigned i = 0; i < LOGINS; i++) {
        struct attempt *a = &attempts[i];

        if (a->rc != 0 && !a->closed)
            return "a login is lost";
        if (a->rc != 0)
            continue;
        (*in)++;
        if (ready(&a->raw))
            alive++;
        else if (raw_recv_end(&a->raw, ANSWER_MS) != RAW_CLOSED)
            return "a session that was taken over stays open";
    }
    if (alive == 0)
        return "no session is left";
    return alive == 1 ? NULL : "more than one session of a port is left";
}

static int take_over(const struct raw *base, unsigned round, unsigned *in)
{
    struct attempt attempts[LOGINS];
    struct raw old = *base;
    int rc = 0;

    if (raw_connect(&old) != 0 || raw_login(&old, false) != 0 || !ready(&old))
        return bad("the session that is to die does not work", round);
    if (!leave_open(&old))
        return bad("it does not take its commands", round);
    attempt_all(attempts, base);
    const char *why = judge(attempts, in);
    if (why == NULL && raw_recv_end(&old, ANSWER_MS) != RAW_CLOSED)
        why = "the dead session stays";
    if (why != NULL)
        rc = bad(why, round);
    raw_close(&old);
    for (unsigned i = 0; i < LOGINS; i++)
        raw_close(&attempts[i].raw);
    return rc;
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "ashlar-takeover HOST PORT TARGET INITIATOR LUN [ROUNDS]\n");
        return 64;
    }
    struct raw base = {
        .host = argv[1],
        .port = argv[2],
        .target = argv[3],
        .initiator = argv[4],
        .isid_tail = ISID,
        .login_ms = ANSWER_MS,
    };
    unsigned rounds = argc > 6 ? (unsigned)strtoul(argv[6], NULL, 10) : 20;
    unsigned in = 0;
    int rc = 0;

    lun = (uint8_t)strtoul(argv[5], NULL, 10);
    for (unsigned i = 1; i <= rounds && rc == 0; i++)
        rc = take_over(&base, i, &in);
    if (rc == 0)
        printf("ashlar-takeover: %u times, %u of %u logins were in\n", rounds, in,
               rounds * LOGINS);
    return rc;
}
