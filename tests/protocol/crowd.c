/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-crowd: many sessions of one initiator. For each line on its standard input it
 * opens them in waves (all of a wave connect, then all log in, then all are answered),
 * pings every one and prints "in SESSIONS REFUSED"; at the next line every one is pinged
 * again, logs out and sees its connection closed, and it prints "out". REFUSED: how often
 * a connection was closed before its login was answered; it was tried again, as an
 * initiator does. Usage: ashlar-crowd HOST PORT TARGET INITIATOR SESSIONS WAVE. One
 * thread. */
#include "tests/protocol/rawpdu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SESSIONS_MAX  2000
#define TRIES_MAX     50
#define TRY_AGAIN_US  100000
#define ANSWER_MS     20000
#define IMMEDIATE_BIT 0x40

static struct raw crowd[SESSIONS_MAX];
static struct raw_pdu pdu, answer;
static unsigned refused;

static _Noreturn void die(const char *what, unsigned session)
{
    fprintf(stderr, "ashlar-crowd: session %u: %s\n", session, what);
    exit(1);
}

static void begin_all(unsigned first, unsigned end)
{
    for (unsigned i = first; i < end; i++) {
        if (!crowd[i].open && raw_connect(&crowd[i]) != 0)
            die("no connection", i);
    }
    for (unsigned i = first; i < end; i++) {
        if (!crowd[i].open)
            (void)raw_login_ask(&crowd[i], false, &pdu);
    }
}

/* How many have to try again. */
static unsigned hear_all(unsigned first, unsigned end)
{
    unsigned again = 0;

    for (unsigned i = first; i < end; i++) {
        if (crowd[i].open)
            continue;
        int status = raw_login_hear(&crowd[i], &answer);
        if (status > 0)
            die("its login is refused", i);
        if (status == 0)
            continue;
        raw_close(&crowd[i]);
        again++;
    }
    return again;
}

static void open_wave(unsigned first, unsigned end)
{
    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        begin_all(first, end);
        unsigned again = hear_all(first, end);
        if (again == 0)
            return;
        refused += again;
        usleep(TRY_AGAIN_US);
    }
    die("and others never get in", first);
}

/* All are asked before any is heard. */
static void ask_all(unsigned n, int opcode, int answer_opcode)
{
    for (unsigned i = 0; i < n; i++) {
        raw_begin(&crowd[i], &pdu, opcode);
        pdu.bhs[0] |= IMMEDIATE_BIT;
        if (!raw_send(&crowd[i], &pdu))
            die("its connection is closed", i);
    }
    for (unsigned i = 0; i < n; i++) {
        if (raw_recv(&crowd[i], &answer, ANSWER_MS) != answer_opcode)
            die("it is not served", i);
    }
}

static void open_crowd(unsigned n, unsigned wave)
{
    refused = 0;
    for (unsigned first = 0; first < n; first += wave)
        open_wave(first, first + wave < n ? first + wave : n);
    ask_all(n, RAW_NOP_OUT, RAW_NOP_IN);
    printf("in %u %u\n", n, refused);
}

static void close_crowd(unsigned n)
{
    ask_all(n, RAW_NOP_OUT, RAW_NOP_IN);
    ask_all(n, RAW_LOGOUT, RAW_LOGOUT_RSP);
    for (unsigned i = 0; i < n; i++) {
        if (raw_recv_end(&crowd[i], ANSWER_MS) != RAW_CLOSED)
            die("it stays open after its logout", i);
        raw_close(&crowd[i]);
        crowd[i].open = false;
    }
    printf("out\n");
}

int main(int argc, char **argv)
{
    struct rlimit files;
    char line[64];

    if (argc != 7) {
        fprintf(stderr, "ashlar-crowd HOST PORT TARGET INITIATOR SESSIONS WAVE\n");
        return 64;
    }
    unsigned n = (unsigned)strtoul(argv[5], NULL, 10);
    unsigned wave = (unsigned)strtoul(argv[6], NULL, 10);
    if (n == 0 || n > SESSIONS_MAX || wave == 0)
        return 64;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    for (unsigned i = 0; i < n; i++)
        crowd[i] = (struct raw){.host = argv[1],
                                .port = argv[2],
                                .target = argv[3],
                                .initiator = argv[4],
                                .fd = -1,
                                .isid_tail = (uint16_t)(i + 1)};
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (bool in = false; fgets(line, sizeof(line), stdin) != NULL; in = !in) {
        if (in)
            close_crowd(n);
        else
            open_crowd(n, wave);
    }
    return 0;
}
