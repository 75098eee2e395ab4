/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-limits: passes each limit of a target that was started with small ones, from
 * addresses of its own, and looks after each case whether a session that was there before
 * is served as before. The limits are those of test-limits.sh. Usage: ashlar-limits HOST
 * PORT TARGET INITIATOR LUN PID GROWTH_KIB [CASE]. PID: the daemon, which may grow by so
 * much (0: not looked at). One thread. */
#include "tests/protocol/rawpdu.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define ANSWER_MS     10000
#define SOON_TRIES    100
#define IMMEDIATE_BIT 0x40
#define CONTINUE_BIT  0x40
#define FINAL_BIT     0x80
#define READ_BIT      0x40
#define WRITE_BIT     0x20
#define SIMPLE        1
#define TAG_NONE      0xffffffffu
#define KIB           1024u
#define MIB           (1024u * KIB)

/* test-limits.sh */
#define CONNECTIONS         12
#define ADDRESS_CONNECTIONS 6
#define LOGINS              8
#define ADDRESS_LOGINS      4
#define RECV_SEGMENT        16384
#define TEXT                8192
#define COMMANDS            8

#define OUT_OF_RESOURCES        0x0302
#define REJECT_PROTOCOL_ERROR   0x04
#define REJECT_OUT_OF_RESOURCES 0x0a
#define MANY                    16
#define HOGS                    5

static struct raw_pdu pdu, answer;
static struct raw where;
static struct raw many[MANY]; /* of the case at hand */
static uint8_t lun;
static uint16_t next_isid = 1;

static void pause_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

static struct raw from(const char *source)
{
    struct raw r = where;

    r.source = source;
    r.isid_tail = next_isid++;
    return r;
}

static int log_in(struct raw *r)
{
    return raw_connect(r) != 0 ? -1 : raw_login_answer(r, false, &answer);
}

/* The same; what an earlier case has closed may not be forgotten at once. */
static bool log_in_soon(struct raw *r)
{
    for (int i = 0; i < SOON_TRIES; i++) {
        if (log_in(r) == 0)
            return true;
        raw_close(r);
        pause_ms(50);
    }
    return false;
}

/* --- commands --- */

static uint32_t send_rw(struct raw *r, uint8_t direction, uint32_t lba, uint32_t bytes)
{
    uint8_t cdb[10] = {direction == READ_BIT ? 0x28 : 0x2a};

    raw_put(cdb + 2, 4, lba);
    raw_put(cdb + 7, 2, bytes / 512);
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    pdu.bhs[1] |= (uint8_t)(direction | SIMPLE);
    raw_cdb(&pdu, cdb, sizeof(cdb), lun, bytes);
    return raw_send(r, &pdu) ? raw_itt(&pdu) : TAG_NONE;
}

/* Past its data to its status; -1: none comes. */
static int status_of(struct raw *r, uint32_t itt)
{
    for (;;) {
        int opcode = raw_recv(r, &answer, ANSWER_MS);
        bool has_status =
            opcode == RAW_SCSI_RSP || (opcode == RAW_DATA_IN && (answer.bhs[1] & 1) != 0);
        if (opcode != RAW_DATA_IN && opcode != RAW_SCSI_RSP)
            return -1;
        if (has_status && raw_itt(&answer) == itt)
            return answer.bhs[3];
    }
}

static bool reads(struct raw *r, uint32_t bytes)
{
    return status_of(r, send_rw(r, READ_BIT, 0, bytes)) == 0;
}

/* A write by R2T, in PDUs of what the target takes. */
static bool writes(struct raw *r, uint32_t lba, uint32_t bytes)
{
    uint32_t itt = send_rw(r, WRITE_BIT, lba, bytes), sent = 0;

    if (raw_recv(r, &answer, ANSWER_MS) != RAW_R2T || raw_itt(&answer) != itt)
        return false;
    uint32_t ttt = (uint32_t)raw_get(answer.bhs + 20, 4);
    for (uint32_t sn = 0; sent < bytes; sn++) {
        raw_begin(r, &pdu, RAW_DATA_OUT);
        pdu.data_bytes = bytes - sent < RECV_SEGMENT ? bytes - sent : RECV_SEGMENT;
        pdu.bhs[1] = sent + pdu.data_bytes == bytes ? FINAL_BIT : 0;
        pdu.bhs[9] = lun;
        raw_put(pdu.bhs + 16, 4, itt);
        raw_put(pdu.bhs + 20, 4, ttt);
        raw_put(pdu.bhs + 36, 4, sn);
        raw_put(pdu.bhs + 40, 4, sent);
        memset(pdu.data, 0x5a, pdu.data_bytes);
        if (!raw_send(r, &pdu))
            return false;
        sent += (uint32_t)pdu.data_bytes;
    }
    return status_of(r, itt) == 0;
}

static bool ready(struct raw *r)
{
    for (int i = 0; i < 8; i++) { /* past unit attentions */
        if (reads(r, 4096))
            return true;
    }
    return false;
}

/* A ping is answered next. */
static bool pongs(struct raw *r)
{
    raw_begin(r, &pdu, RAW_NOP_OUT);
    pdu.bhs[0] |= IMMEDIATE_BIT;
    uint32_t itt = raw_itt(&pdu);
    return raw_send(r, &pdu) && raw_recv(r, &answer, ANSWER_MS) == RAW_NOP_IN &&
           raw_itt(&answer) == itt;
}

static bool rejected_and_closed(struct raw *r, uint8_t reason)
{
    return raw_recv(r, &answer, ANSWER_MS) == RAW_REJECT && answer.bhs[2] == reason &&
           raw_recv_end(r, ANSWER_MS) == RAW_CLOSED;
}

static bool is_served(struct raw *healthy)
{
    return reads(healthy, 64 * KIB) && writes(healthy, 4096, 64 * KIB);
}

/* --- connections --- */

/* That many connections from there into many[] that say nothing. */
static bool open_silent(size_t at, size_t count, const char *source)
{
    for (size_t i = at; i < at + count; i++) {
        many[i] = from(source);
        if (raw_connect(&many[i]) != 0)
            return false;
    }
    return true;
}

static bool is_turned_away(const char *source)
{
    struct raw r = from(source);
    bool closed = raw_connect(&r) == 0 && raw_recv_end(&r, ANSWER_MS) == RAW_CLOSED;

    raw_close(&r);
    return closed;
}

static const char *logins_of_an_address(struct raw *healthy)
{
    struct raw other = from("127.0.0.3");

    (void)healthy;
    if (!open_silent(0, ADDRESS_LOGINS, "127.0.0.2"))
        return "a connection below the limit is refused";
    for (int i = 0; i < 50; i++) {
        if (!is_turned_away("127.0.0.2"))
            return "a connection beyond the limit stays";
    }
    bool served = log_in(&other) == 0;
    raw_close(&other);
    if (!served)
        return "another address cannot log in";
    raw_close(&many[0]);
    many[0] = from("127.0.0.2");
    return log_in_soon(&many[0]) ? NULL : "the address may not come again";
}

static const char *logins_in_all(struct raw *healthy)
{
    (void)healthy;
    if (!open_silent(0, 4, "127.0.0.2") || !open_silent(4, LOGINS - 4, "127.0.0.3"))
        return "a connection below the limit is refused";
    if (!is_turned_away("127.0.0.4"))
        return "a connection beyond the limit stays";
    return NULL;
}

static bool open_sessions(size_t at, size_t count, const char *source)
{
    for (size_t i = at; i < at + count; i++) {
        many[i] = from(source);
        if (!log_in_soon(&many[i]))
            return false;
    }
    return true;
}

static const char *connections_of_an_address(struct raw *healthy)
{
    struct raw next = from("127.0.0.2"), other = from("127.0.0.3");

    (void)healthy;
    if (!open_sessions(0, ADDRESS_CONNECTIONS, "127.0.0.2"))
        return "a session below the limit is refused";
    int status = log_in(&next);
    bool closed = raw_recv_end(&next, ANSWER_MS) == RAW_CLOSED;
    raw_close(&next);
    if (status != OUT_OF_RESOURCES || !closed)
        return "a login beyond the limit is not refused with 0302h";
    status = log_in(&other);
    raw_close(&other);
    if (status != 0)
        return "another address cannot log in";
    next = from("127.0.0.2");
    next.isid_tail = many[0].isid_tail; /* takes the first one's place */
    status = log_in(&next);
    closed = raw_recv_end(&many[0], ANSWER_MS) == RAW_CLOSED;
    raw_close(&next);
    return status == 0 && closed ? NULL : "a session is not reinstated at the limit";
}

static const char *connections_in_all(struct raw *healthy)
{
    struct raw next = from("127.0.0.4");

    (void)healthy; /* it is one of them */
    if (!open_sessions(0, 6, "127.0.0.2") ||
        !open_sessions(6, CONNECTIONS - 7, "127.0.0.3"))
        return "a session below the limit is refused";
    int status = log_in(&next);
    raw_close(&next);
    return status == OUT_OF_RESOURCES ? NULL : "a login beyond the limit is not refused";
}

static const char *login_timeout(struct raw *healthy)
{
    (void)healthy;
    if (!open_silent(0, 2, "127.0.0.2"))
        return "no connection";
    bool told = false;
    raw_begin(&many[1], &pdu, RAW_LOGIN);
    for (size_t i = 0; !told && i < 47; i++) { /* it goes on, but not to its end */
        struct pollfd fd = {.fd = many[1].fd, .events = POLLIN};
        told = !raw_write(&many[1], pdu.bhs + i, 1) || poll(&fd, 1, 300) != 0;
    }
    /* What it is told comes before the end, which then is not far. */
    if (!told || raw_recv_end(&many[1], ANSWER_MS) != RAW_CLOSED)
        return "a slow login is not ended";
    return raw_recv_end(&many[0], ANSWER_MS) == RAW_CLOSED ? NULL
                                                           : "a silent one is not ended";
}

/* --- text --- */

static void fill_text(void)
{
    memcpy(pdu.data, "X-org.example=", 14);
    memset(pdu.data + 14, 'a', TEXT / 2 - 15);
    pdu.data[TEXT / 2 - 1] = '\0';
    pdu.data_bytes = TEXT / 2;
}

static const char *text_of_a_login(struct raw *healthy)
{
    (void)healthy;
    many[0] = from("127.0.0.2");
    if (raw_connect(&many[0]) != 0)
        return "no connection";
    for (int i = 0; i < 3; i++) {
        raw_begin(&many[0], &pdu, RAW_LOGIN);
        pdu.bhs[0] |= IMMEDIATE_BIT;
        pdu.bhs[1] = CONTINUE_BIT | 1 << 2; /* operational negotiation */
        pdu.bhs[8] = 0x80;
        raw_put(pdu.bhs + 16, 4, 7); /* the same ITT all through the login */
        fill_text();
        if (!raw_send(&many[0], &pdu) ||
            raw_recv(&many[0], &answer, ANSWER_MS) != RAW_LOGIN_RSP)
            return "a part is not answered";
        if (raw_get(answer.bhs + 36, 2) != (i < 2 ? 0 : OUT_OF_RESOURCES))
            return "text up to the limit is refused, or beyond it is not";
    }
    return raw_recv_end(&many[0], ANSWER_MS) == RAW_CLOSED ? NULL : "it goes on";
}

static const char *text_of_a_request(struct raw *healthy)
{
    uint32_t ttt = TAG_NONE;

    (void)healthy;
    if (!open_sessions(0, 1, "127.0.0.2"))
        return "no session";
    for (int i = 0; i < 3; i++) {
        raw_begin(&many[0], &pdu, RAW_TEXT);
        pdu.bhs[1] = CONTINUE_BIT;
        raw_put(pdu.bhs + 16, 4, 7);
        raw_put(pdu.bhs + 20, 4, ttt);
        fill_text();
        raw_send(&many[0], &pdu);
        int opcode = raw_recv(&many[0], &answer, ANSWER_MS);
        if (opcode != (i < 2 ? RAW_TEXT_RSP : RAW_REJECT))
            return "text up to the limit is refused, or beyond it is not";
        ttt = (uint32_t)raw_get(answer.bhs + 20, 4);
    }
    if (answer.bhs[2] != REJECT_OUT_OF_RESOURCES)
        return "it is refused for another reason";
    return pongs(&many[0]) ? NULL : "the session does not go on";
}

/* --- one session --- */

static bool said(const char *pair)
{
    for (size_t at = 0; at < answer.data_bytes;
         at += strlen((char *)answer.data + at) + 1) {
        if (strcmp((char *)answer.data + at, pair) == 0)
            return true;
    }
    return false;
}

static const char *data_segment(struct raw *healthy)
{
    (void)healthy;
    if (!open_sessions(0, 1, "127.0.0.2") || !said("MaxRecvDataSegmentLength=16384"))
        return "another length is declared";
    for (size_t bytes = RECV_SEGMENT; bytes <= RECV_SEGMENT + 4; bytes += 4) {
        raw_begin(&many[0], &pdu, RAW_NOP_OUT);
        pdu.bhs[0] |= IMMEDIATE_BIT;
        memset(pdu.data, 7, bytes);
        pdu.data_bytes = bytes;
        raw_send(&many[0], &pdu);
        if (bytes == RECV_SEGMENT &&
            (raw_recv(&many[0], &answer, ANSWER_MS) != RAW_NOP_IN ||
             answer.data_bytes != RECV_SEGMENT))
            return "the longest one is refused";
    }
    return rejected_and_closed(&many[0], REJECT_PROTOCOL_ERROR) ? NULL
                                                                : "a longer one is taken";
}

static const char *window(struct raw *healthy)
{
    (void)healthy;
    if (!open_sessions(0, 1, "127.0.0.2"))
        return "no session";
    uint32_t exp = (uint32_t)raw_get(answer.bhs + 28, 4);
    uint32_t max = (uint32_t)raw_get(answer.bhs + 32, 4);
    if (max - exp + 1 != COMMANDS)
        return "the window told has another size";
    raw_begin(&many[0], &pdu, RAW_SCSI_CMD);
    pdu.bhs[1] |= SIMPLE;
    raw_put(pdu.bhs + 24, 4, max + 1);
    pdu.bhs[9] = lun;
    raw_send(&many[0], &pdu);
    return pongs(&many[0]) && ready(&many[0]) ? NULL
                                              : "a command beyond it is not ignored";
}

static const char *requests_before_their_turn(struct raw *healthy)
{
    (void)healthy;
    if (!open_sessions(0, 1, "127.0.0.2"))
        return "no session";
    for (uint32_t i = 1; i < COMMANDS; i++) { /* the first one is missing */
        raw_begin(&many[0], &pdu, RAW_NOP_OUT);
        raw_put(pdu.bhs + 24, 4, many[0].cmd_sn + i);
        pdu.data_bytes = RECV_SEGMENT;
        if (!raw_send(&many[0], &pdu))
            break;
    }
    return rejected_and_closed(&many[0], REJECT_OUT_OF_RESOURCES)
               ? NULL
               : "more than the limit is kept";
}

/* --- those that take, or give, next to nothing --- */

static const char *served_beside(struct raw *healthy)
{
    for (int i = 0; i < 20; i++) {
        if (!is_served(healthy))
            return "a session beside them is not served";
    }
    return NULL;
}

/* As many reads as the socket takes, none of whose data is read: rounds of a window. */
static void ask_and_turn_away(struct raw *r)
{
    for (int i = 0; i < 100; i++) {
        struct pollfd fd = {.fd = r->fd, .events = POLLOUT};
        if (poll(&fd, 1, 0) <= 0)
            return;
        (void)send_rw(r, READ_BIT, 0, MIB);
        if (i % COMMANDS == COMMANDS - 1)
            pause_ms(5);
    }
}

static const char *slow_readers(struct raw *healthy)
{
    if (!open_sessions(0, HOGS, "127.0.0.2"))
        return "no session";
    for (size_t i = 0; i < HOGS; i++) {
        if (!ready(&many[i]))
            return "a session is not served";
        ask_and_turn_away(&many[i]);
    }
    pause_ms(300);
    return served_beside(healthy);
}

/* The header of Data-Out for all that the R2T in answer asks, up to a PDU. */
static bool begin_data(struct raw *r)
{
    raw_begin(r, &pdu, RAW_DATA_OUT);
    pdu.bhs[1] = 0;
    pdu.bhs[9] = lun;
    memcpy(pdu.bhs + 16, answer.bhs + 16, 4);
    memcpy(pdu.bhs + 20, answer.bhs + 20, 4);
    raw_put(pdu.bhs + 5, 3, RECV_SEGMENT);
    return raw_write(r, pdu.bhs, sizeof(pdu.bhs));
}

static const char *slow_writers(struct raw *healthy)
{
    if (!open_sessions(0, HOGS, "127.0.0.2"))
        return "no session";
    for (size_t i = 0; i < HOGS; i++) {
        if (!ready(&many[i]))
            return "a session is not served";
        for (uint32_t n = 0; n < COMMANDS; n++)
            (void)send_rw(&many[i], WRITE_BIT, 8192 + n * 2048, MIB);
        if (raw_recv(&many[i], &answer, ANSWER_MS) != RAW_R2T || !begin_data(&many[i]))
            return "no R2T comes";
    }
    for (int n = 0; n < 100; n++) {
        for (size_t i = 0; i < HOGS; i++) {
            if (!raw_write(&many[i], "x", 1))
                return "a slow writer is cut off";
        }
        if (!is_served(healthy))
            return "a session beside them is not served";
    }
    return NULL;
}

/* --- the list --- */

static const struct {
    const char *name;
    const char *(*run)(struct raw *healthy);
} cases[] = {
    {"logins-of-an-address", logins_of_an_address},
    {"logins-in-all", logins_in_all},
    {"connections-of-an-address", connections_of_an_address},
    {"connections-in-all", connections_in_all},
    {"login-timeout", login_timeout},
    {"text-of-a-login", text_of_a_login},
    {"text-of-a-request", text_of_a_request},
    {"data-segment", data_segment},
    {"window", window},
    {"requests-before-their-turn", requests_before_their_turn},
    {"slow-readers", slow_readers},
    {"slow-writers", slow_writers},
};

static const char *run_case(size_t i)
{
    struct raw healthy = from("127.0.0.1");

    for (size_t n = 0; n < MANY; n++)
        many[n].fd = -1;
    const char *wrong =
        log_in_soon(&healthy) && ready(&healthy) ? NULL : "no session to begin with";
    if (wrong == NULL)
        wrong = cases[i].run(&healthy);
    if (wrong == NULL && !is_served(&healthy))
        wrong = "the session that was there before is not served";
    for (size_t n = 0; n < MANY; n++)
        raw_close(&many[n]);
    raw_close(&healthy);
    return wrong;
}

/* The most memory that the daemon had so far. */
static long peak_kib(const char *pid)
{
    char path[64], line[256];
    long kib = 0;

    snprintf(path, sizeof(path), "/proc/%s/status", pid);
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    }
    if (f != NULL)
        fclose(f);
    return kib;
}

int main(int argc, char **argv)
{
    unsigned bad = 0;

    if (argc < 8) {
        fprintf(stderr, "ashlar-limits HOST PORT TARGET INITIATOR LUN PID GROWTH_KIB "
                        "[CASE]\n");
        return 64;
    }
    where = (struct raw){.host = argv[1],
                         .port = argv[2],
                         .target = argv[3],
                         .initiator = argv[4],
                         .fd = -1};
    lun = (uint8_t)strtoul(argv[5], NULL, 10);
    long before = peak_kib(argv[6]), most = strtol(argv[7], NULL, 10);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (argc > 8 && strcmp(argv[8], cases[i].name) != 0)
            continue;
        const char *wrong = run_case(i);
        bad += raw_tell(cases[i].name, wrong);
        fflush(stdout);
    }
    long grown = peak_kib(argv[6]) - before;
    if (most > 0 && grown > most) {
        printf("FAIL the daemon's peak grew by %ld KiB, over %ld KiB\n", grown, most);
        bad++;
    }
    printf("ashlar-limits: %u cases not as they should be; the daemon's peak grew by %ld "
           "KiB\n",
           bad, grown);
    return bad == 0 ? 0 : 1;
}
