/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-dead-disk: what sessions of raw PDUs are owed while the process that serves a
 * LUN's disk is stopped. Usage: ashlar-dead-disk HOST PORT TARGET INITIATOR DEAD_LUN
 * GOOD_LUN MODE [PID]. One thread. Modes:
 *   die     writes to the dead LUN, stops PID, and sees commands, task management, a
 * login of the same port and the good LUN answered; then lets PID go on verify  reads
 * what was written: the flushed block is there, the late one whole leave   leaves
 * commands open at the dead LUN until the target ends the connection */
#include "tests/protocol/rawpdu.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MS     60000 /* a hang */
#define IMMEDIATE_BIT 0x40
#define READ_BIT      0x40
#define WRITE_BIT     0x20
#define SIMPLE        1
#define TAG_NONE      0xffffffffu
#define BYTES         4096
#define READS         24 /* more than any engine has threads */
#define FLUSHED_LBA   0
#define LATE_LBA      64
#define DIRTY_LBA     128
#define FLUSHED_FILL  0x5a
#define LATE_FILL     0x77
#define KEY_ATTENTION 6

enum function { ABORT_TASK = 1, LU_RESET = 5 };

static struct raw_pdu pdu, answer;
static uint8_t dead_lun, good_lun;
static uint32_t noted_itt = TAG_NONE; /* of a command: whether it was answered GOOD */
static bool noted_good;

static int bad(const char *what)
{
    fprintf(stderr, "ashlar-dead-disk: %s\n", what);
    return 1;
}

/* --- what is sent --- */

static uint32_t send_cdb(struct raw *r, uint8_t lun, uint8_t direction, uint8_t opcode,
                         uint32_t lba, uint32_t bytes)
{
    uint8_t cdb[10] = {opcode};

    raw_put(cdb + 2, 4, lba);
    raw_put(cdb + 7, 2, bytes / 512);
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    pdu.bhs[1] |= (uint8_t)(direction | SIMPLE);
    raw_cdb(&pdu, cdb, sizeof(cdb), lun, bytes);
    return raw_itt(&pdu);
}

static uint32_t send_read(struct raw *r, uint8_t lun, uint32_t lba)
{
    uint32_t itt = send_cdb(r, lun, READ_BIT, 0x28, lba, BYTES);

    raw_send(r, &pdu);
    return itt;
}

static uint32_t send_write(struct raw *r, uint8_t lun, uint32_t lba, uint8_t fill)
{
    uint32_t itt = send_cdb(r, lun, WRITE_BIT, 0x2a, lba, BYTES);

    memset(pdu.data, fill, BYTES);
    pdu.data_bytes = BYTES;
    raw_send(r, &pdu);
    return itt;
}

static uint32_t send_flush(struct raw *r, uint8_t lun)
{
    uint32_t itt = send_cdb(r, lun, 0, 0x35, 0, 0);

    raw_send(r, &pdu);
    return itt;
}

static uint32_t send_ready(struct raw *r, uint8_t lun)
{
    uint32_t itt = send_cdb(r, lun, 0, 0x00, 0, 0);

    raw_send(r, &pdu);
    return itt;
}

static uint32_t send_function(struct raw *r, enum function f, uint32_t ref_itt)
{
    raw_begin(r, &pdu, RAW_TMF);
    pdu.bhs[0] |= IMMEDIATE_BIT;
    pdu.bhs[1] |= (uint8_t)f;
    pdu.bhs[9] = dead_lun;
    raw_put(pdu.bhs + 20, 4, ref_itt);
    raw_put(pdu.bhs + 32, 4, r->cmd_sn);
    raw_send(r, &pdu);
    return raw_itt(&pdu);
}

/* --- what is expected --- */

/* Reads on to the answer with that tag: its opcode, and is_good what it says. */
static int await(struct raw *r, uint32_t itt, bool *is_good)
{
    for (;;) {
        int opcode = raw_recv(r, &answer, ANSWER_MS);

        if (opcode == RAW_CLOSED || opcode == RAW_SILENT)
            return opcode;
        *is_good = opcode == RAW_TMF_RSP ? answer.bhs[2] == 0 : answer.bhs[3] == 0;
        if (raw_itt(&answer) == noted_itt)
            noted_good = *is_good;
        if (raw_itt(&answer) == itt)
            return opcode;
    }
}

static bool good(struct raw *r, uint32_t itt)
{
    bool is_good = false;
    int opcode = await(r, itt, &is_good);

    return (opcode == RAW_SCSI_RSP || opcode == RAW_DATA_IN) && is_good;
}

static bool complete(struct raw *r, uint32_t itt)
{
    bool is_good = false;

    return await(r, itt, &is_good) == RAW_TMF_RSP && is_good;
}

static uint8_t answer_key(void)
{
    return answer.data_bytes >= 16 ? answer.data[4] & 0x0f : 0;
}

static bool ready(struct raw *r, uint8_t lun)
{
    for (int i = 0; i < 5; i++) {
        if (good(r, send_ready(r, lun)))
            return true;
    }
    return false;
}

/* A read of the dead LUN is refused, after the unit attentions: medium or hardware
 * error. */
static bool dead(struct raw *r)
{
    bool is_good;

    for (int i = 0; i < 5; i++) {
        if (await(r, send_read(r, dead_lun, FLUSHED_LBA), &is_good) != RAW_SCSI_RSP ||
            is_good)
            return false;
        if (answer_key() != KEY_ATTENTION)
            return answer_key() == 3 || answer_key() == 4;
    }
    return false;
}

static bool alive(struct raw *r)
{
    return ready(r, good_lun) && good(r, send_write(r, good_lun, 0, 1)) &&
           good(r, send_read(r, good_lun, 0));
}

static bool log_in(struct raw *r, uint16_t isid_tail)
{
    r->isid_tail = isid_tail;
    return raw_connect(r) == 0 && raw_login(r, false) == 0;
}

/* --- die --- */

static const char *fill_disk(struct raw *r)
{
    if (!ready(r, dead_lun) || !alive(r))
        return "a LUN is not ready";
    if (!good(r, send_write(r, dead_lun, FLUSHED_LBA, FLUSHED_FILL)) ||
        !good(r, send_flush(r, dead_lun)) ||
        !good(r, send_write(r, dead_lun, DIRTY_LBA, FLUSHED_FILL)))
        return "the disk does not work before";
    return NULL;
}

/* The first of its reads. */
static uint32_t leave_open(struct raw *r)
{
    uint32_t first = send_read(r, dead_lun, FLUSHED_LBA);

    for (int i = 1; i < READS; i++)
        send_read(r, dead_lun, FLUSHED_LBA);
    send_write(r, dead_lun, LATE_LBA, LATE_FILL);
    send_flush(r, dead_lun);
    return first;
}

static const char *see_it_dead(struct raw *a, struct raw *b, struct raw *taken)
{
    uint32_t read = leave_open(a);
    noted_itt = send_read(a, good_lun, 0);
    uint32_t abort = send_function(a, ABORT_TASK, read);
    struct raw new = *taken;

    leave_open(taken);
    send_read(b, dead_lun, FLUSHED_LBA);
    uint32_t reset = send_function(b, LU_RESET, TAG_NONE);
    if (raw_connect(&new) != 0 || raw_login(&new, false) != 0)
        return "a login that takes over is not answered";
    if (raw_recv_end(taken, ANSWER_MS) != RAW_CLOSED)
        return "the session that was taken over stays";
    *taken = new;
    if (!complete(b, reset))
        return "a LOGICAL UNIT RESET of another session is not answered";
    noted_good = false;
    if (!complete(a, abort))
        return "an ABORT TASK is not answered";
    if (!noted_good && !good(a, noted_itt))
        return "a read of the other LUN is not answered";
    noted_itt = TAG_NONE;
    return NULL;
}

static int run_die(struct raw *base, pid_t pid)
{
    struct raw a = *base, b = *base, taken = *base;
    const char *why;

    if (!log_in(&a, 1) || !log_in(&b, 2) || !log_in(&taken, 3))
        return bad("no session");
    if ((why = fill_disk(&a)) != NULL || (why = fill_disk(&b)) != NULL ||
        (why = fill_disk(&taken)) != NULL)
        return bad(why);
    if (kill(pid, SIGSTOP) != 0)
        return bad("the disk's process cannot be stopped");
    why = see_it_dead(&a, &b, &taken);
    if (why == NULL && (!dead(&a) || !dead(&b) || !dead(&taken)))
        why = "the dead LUN does not say that it is";
    if (why == NULL && (!alive(&a) || !alive(&b) || !alive(&taken)))
        why = "the other LUN does not work";
    kill(pid, SIGCONT);
    if (why == NULL && (!dead(&a) || !alive(&a) || !alive(&b) || !alive(&taken)))
        why = "what came late was noticed";
    if (why != NULL)
        return bad(why);
    printf("ashlar-dead-disk: all was answered while the disk was stopped\n");
    return 0;
}

/* --- verify, leave --- */

static bool holds(struct raw *r, uint32_t lba, uint8_t fill)
{
    bool is_good;

    if (await(r, send_read(r, dead_lun, lba), &is_good) != RAW_DATA_IN ||
        answer.data_bytes != BYTES)
        return false;
    for (size_t i = 0; i < BYTES; i++) {
        if (answer.data[i] != fill)
            return false;
    }
    return true;
}

static int run_verify(struct raw *r)
{
    if (!log_in(r, 1) || !ready(r, dead_lun))
        return bad("no session");
    if (!holds(r, FLUSHED_LBA, FLUSHED_FILL))
        return bad("the flushed block is not as it was");
    if (!holds(r, LATE_LBA, 0) && !holds(r, LATE_LBA, LATE_FILL))
        return bad("the block that was written late is neither old nor new");
    return 0;
}

static int run_leave(struct raw *r)
{
    const char *why;

    if (!log_in(r, 1))
        return bad("no session");
    if ((why = fill_disk(r)) != NULL)
        return bad(why);
    puts("open");
    fflush(stdout);
    if (getchar() == EOF)
        return bad("nobody says when");
    leave_open(r);
    puts("left");
    fflush(stdout);
    return raw_recv_end(r, ANSWER_MS) == RAW_CLOSED ? 0 : bad("it stays open");
}

int main(int argc, char **argv)
{
    if (argc < 8) {
        fprintf(stderr, "ashlar-dead-disk HOST PORT TARGET INITIATOR DEAD_LUN GOOD_LUN "
                        "die|verify|leave [PID]\n");
        return 64;
    }
    struct raw base = {
        .host = argv[1],
        .port = argv[2],
        .target = argv[3],
        .initiator = argv[4],
        .login_ms = ANSWER_MS,
    };

    dead_lun = (uint8_t)strtoul(argv[5], NULL, 10);
    good_lun = (uint8_t)strtoul(argv[6], NULL, 10);
    if (strcmp(argv[7], "verify") == 0)
        return run_verify(&base);
    if (strcmp(argv[7], "leave") == 0)
        return run_leave(&base);
    if (strcmp(argv[7], "die") == 0 && argc > 8)
        return run_die(&base, (pid_t)strtol(argv[8], NULL, 10));
    return bad("unknown mode");
}
