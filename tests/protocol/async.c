/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-async: what a target says unasked, byte by byte as RFC 7143, 11.9, 11.13 and
 * 11.19 have it: a request to log out, the notice of a drop, a login sent elsewhere, a
 * ping. Each case opens a session on each of the target's two reactors. Usage:
 * ashlar-async HOST PORT TARGET INITIATOR OTHER CTL PID CASE...; CTL is ashlarctl with
 * its flags, PID the daemon's. A case returns NULL, or what was wrong. One thread. */
#include "tests/protocol/rawpdu.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MS   8000
#define UNDRAIN_S   10 /* long enough for ashlarctl */
#define COMMAND_MAX 512
#define TIME2WAIT   7 /* what the sessions ask for; the target's own is less */
#define CID         0x4321
#define REACTORS    2
#define PINGS       3

static struct raw_pdu pdu, answer;
static const char *ctl, *other;
static pid_t daemon_pid;

/* ---- what cases are made of ---- */

__attribute__((format(printf, 1, 2))) static bool run(const char *fmt, ...)
{
    char verb[COMMAND_MAX / 2], command[COMMAND_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(verb, sizeof(verb), fmt, args);
    va_end(args);
    snprintf(command, sizeof(command), "%s %s >/dev/null", ctl, verb);
    return system(command) == 0; /* NOLINT(cert-env33-c): the test's own words */
}

/* The first number that the command says: the id of a first row, or what was made. */
static unsigned ask(const char *verb)
{
    char command[COMMAND_MAX];
    unsigned number = 0;
    snprintf(command, sizeof(command), "%s %s", ctl, verb);
    FILE *said = popen(command, "r"); /* NOLINT(cert-env33-c) */
    for (int c; said != NULL && (c = fgetc(said)) != EOF;) {
        if (c < '0' || c > '9')
            continue;
        ungetc(c, said);
        if (fscanf(said, "%u", &number) != 1)
            number = 0;
        break;
    }
    while (said != NULL && fgetc(said) != EOF)
        ;
    if (said != NULL)
        pclose(said);
    return number;
}

static const char *open_both(struct raw r[REACTORS])
{
    for (int i = 0; i < REACTORS; i++) {
        r[i].cid = (uint16_t)(CID + i);
        r[i].isid_tail = (uint16_t)(r[i].isid_tail + i);
        r[i].key = "DefaultTime2Wait=7";
        if (raw_connect(&r[i]) != 0 || raw_login(&r[i], false) != 0)
            return "an ordinary login fails";
    }
    return NULL;
}

static const char *served(struct raw *r)
{
    raw_begin(r, &pdu, RAW_NOP_OUT);
    pdu.data_bytes = 4;
    memcpy(pdu.data, "ping", 4);
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_NOP_IN)
        return "the session is not served";
    return raw_itt(&answer) == raw_itt(&pdu) ? NULL : "another answer comes";
}

/* An asynchronous message, all 48 bytes. */
static const char *told(struct raw *r, uint8_t event, unsigned param1, unsigned param2,
                        unsigned param3)
{
    uint8_t want[RAW_BHS_BYTES] = {0x32, 0x80};
    uint32_t stat_sn = r->exp_stat_sn;

    if (raw_recv(r, &answer, ANSWER_MS) != RAW_ASYNC)
        return "no asynchronous message comes";
    memset(want + 16, 0xff, 4);            /* the tag of no task */
    raw_put(want + 24, 4, stat_sn);        /* it has a number of its own */
    memcpy(want + 28, answer.bhs + 28, 8); /* the command window: any */
    want[36] = event;
    raw_put(want + 38, 2, param1);
    raw_put(want + 40, 2, param2);
    raw_put(want + 42, 2, param3);
    if (answer.data_bytes != 0)
        return "the message has data";
    return memcmp(answer.bhs, want, sizeof(want)) == 0 ? NULL : "a byte of it is wrong";
}

static const char *closed(struct raw *r)
{
    return raw_recv(r, &answer, ANSWER_MS) == RAW_CLOSED ? NULL
                                                         : "the connection stays open";
}

static const char *log_out(struct raw *r)
{
    raw_begin(r, &pdu, RAW_LOGOUT);
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_LOGOUT_RSP)
        return "the logout is not answered";
    return answer.bhs[2] == 0 ? closed(r) : "the logout is refused";
}

/* Logins end with status, once for each reactor. */
static const char *logins_end_with(const struct raw *like, bool discovery, int status)
{
    for (int i = 0; i < REACTORS; i++) {
        struct raw r = *like;
        if (raw_connect(&r) != 0)
            return "the portal takes no connection";
        if (raw_login_answer(&r, discovery, &answer) != status)
            return "the login ends with another status";
        bool end = status != 0 && closed(&r) != NULL;
        raw_close(&r);
        if (end)
            return "the connection of a refused login stays open";
    }
    return NULL;
}

static const char *drain(struct raw *r, const char *flags, unsigned within_s)
{
    const char *wrong = open_both(r);
    if (wrong == NULL && !run("drain create %s --logout-timeout %u", flags, within_s))
        wrong = "no drain can be made";
    for (int i = 0; wrong == NULL && i < REACTORS; i++)
        wrong = told(&r[i], 1, 0, 0, within_s);
    return wrong;
}

static const char *undrain(void)
{
    char verb[64];
    snprintf(verb, sizeof(verb), "drain delete %u", ask("drain list"));
    return run("%s", verb) ? NULL : "the drain cannot be ended";
}

#define TRY(...)                                                                         \
    do {                                                                                 \
        const char *wrong_ = (__VA_ARGS__);                                              \
        if (wrong_ != NULL)                                                              \
            return wrong_;                                                               \
    } while (0)

/* ---- drains ---- */

static const char *who_is_asked_may_log_out(struct raw *r)
{
    TRY(drain(r, "", 300));
    for (int i = 0; i < REACTORS; i++) {
        TRY(served(&r[i]));
        TRY(log_out(&r[i]));
    }
    TRY(logins_end_with(&r[0], false, 0x0301));
    TRY(logins_end_with(&r[0], true, 0x0301));
    TRY(undrain());
    return logins_end_with(&r[0], false, 0);
}

static const char *who_does_not_is_dropped(struct raw *r)
{
    TRY(drain(r, "", 1));
    for (int i = 0; i < REACTORS; i++) {
        TRY(told(&r[i], 2, CID + (unsigned)i, TIME2WAIT, 0));
        TRY(closed(&r[i]));
    }
    return undrain();
}

static const char *who_was_asked_may_stay_after_it(struct raw *r)
{
    TRY(drain(r, "", UNDRAIN_S));
    TRY(undrain());
    if (raw_recv(&r[0], &answer, (UNDRAIN_S + 2) * 1000) != RAW_SILENT)
        return "something comes after the drain has ended";
    for (int i = 0; i < REACTORS; i++)
        TRY(served(&r[i]));
    return NULL;
}

static const char *logins_are_sent_elsewhere(struct raw *r)
{
    static const char text[] = "TargetAddress=192.0.2.1:3261";
    TRY(drain(r, "--redirect 192.0.2.1:3261", 300));
    for (int discovery = 0; discovery < 2; discovery++) {
        TRY(logins_end_with(&r[0], discovery == 1, 0x0101));
        if ((answer.bhs[1] & 0x80) != 0)
            return "a login that is sent elsewhere goes on";
        if (answer.data_bytes != sizeof(text) ||
            memcmp(answer.data, text, sizeof(text)) != 0)
            return "the answer's text is not the address alone";
    }
    return undrain();
}

static const char *a_host_is_drained_alone(struct raw *r)
{
    struct raw of_h2 = r[0];
    of_h2.initiator = other;
    if (raw_connect(&of_h2) != 0 || raw_login(&of_h2, false) != 0)
        return "the other host cannot log in";
    TRY(drain(r, "--host h1", 300));
    TRY(logins_end_with(&r[0], false, 0x0301));
    TRY(served(&of_h2)); /* nothing came before the answer */
    struct raw again = of_h2;
    again.isid_tail ^= 0x100;
    TRY(logins_end_with(&again, false, 0));
    raw_close(&of_h2);
    return undrain();
}

static const char *a_portal_is_drained_alone(struct raw *r)
{
    char flags[128];
    snprintf(flags, sizeof(flags), "--portal %s:%s", r->host, r->port);
    TRY(drain(r, flags, 300));
    TRY(logins_end_with(&r[0], false, 0x0301));
    if (run("drain create --portal 192.0.2.1:%s 2>/dev/null", r->port))
        return "a portal that is none is drained";
    if (run("drain create --portal %s:%s --redirect %s:%s 2>/dev/null", r->host, r->port,
            r->host, r->port))
        return "logins are sent to where they came from";
    return undrain();
}

/* ---- drops ---- */

/* A write whose data never comes: it is not answered. */
static const char *leave_write_open(struct raw *r)
{
    static const uint8_t tur[6];
    static const uint8_t write16[16] = {0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8};

    for (int i = 0; i < 5; i++) { /* past the unit attentions */
        raw_begin(r, &pdu, RAW_SCSI_CMD);
        raw_cdb(&pdu, tur, sizeof(tur), 1, 0);
        if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_SCSI_RSP)
            return "a command is not answered";
    }
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    pdu.bhs[1] = 0xa0;
    raw_cdb(&pdu, write16, sizeof(write16), 1, 4096);
    return raw_send(r, &pdu) && raw_recv(r, &answer, ANSWER_MS) == RAW_R2T
               ? NULL
               : "no R2T comes";
}

/* The admin's request is answered when the session is gone, which needs our side. */
static const char *who_is_kicked_is_told_and_comes_back(struct raw *r)
{
    TRY(open_both(r));
    for (int i = 0; i < REACTORS; i++) {
        TRY(leave_write_open(&r[i]));
        if (!run("session kick %u", ask("session list")))
            return "no session is kicked";
        TRY(told(&r[i], 3, 0, TIME2WAIT, 0));
        TRY(closed(&r[i]));
        raw_close(&r[i]);
    }
    for (int i = 0; i < REACTORS; i++) {
        if (raw_connect(&r[i]) != 0 || raw_login(&r[i], false) != 0)
            return "who was kicked cannot log in again";
        TRY(served(&r[i]));
    }
    return NULL;
}

static const char *who_has_no_host_any_more_is_told(struct raw *r)
{
    for (int i = 0; i < REACTORS; i++)
        r[i].initiator = other;
    TRY(open_both(r));
    if (!run("host change h2 --initiator %s:gone", other))
        return "the host cannot be changed";
    for (int i = 0; i < REACTORS; i++) {
        TRY(told(&r[i], 3, 0, TIME2WAIT, 0));
        TRY(closed(&r[i]));
    }
    return run("host change h2 --initiator %s", other) ? NULL : "nor changed back";
}

static const char *who_logs_out_at_a_stop_is_answered(struct raw *r)
{
    TRY(open_both(r));
    kill(daemon_pid, SIGTERM);
    for (int i = 0; i < REACTORS; i++)
        TRY(told(&r[i], 1, 0, 0, 2));
    for (int i = 0; i < REACTORS; i++) {
        TRY(served(&r[i]));
        TRY(log_out(&r[i]));
    }
    return NULL;
}

static const char *who_does_not_at_a_stop_is_dropped(struct raw *r)
{
    TRY(open_both(r));
    kill(daemon_pid, SIGTERM);
    for (int i = 0; i < REACTORS; i++)
        TRY(told(&r[i], 1, 0, 0, 2));
    for (int i = 0; i < REACTORS; i++) {
        TRY(told(&r[i], 2, CID + (unsigned)i, TIME2WAIT, 0));
        TRY(closed(&r[i]));
    }
    return NULL;
}

/* ---- pings; the daemon's nop-interval and nop-timeout are a few seconds ---- */

static const char *pinged(struct raw *r, uint32_t *ttt)
{
    uint8_t want[RAW_BHS_BYTES] = {0x20, 0x80};

    if (raw_recv(r, &answer, ANSWER_MS) != RAW_NOP_IN)
        return "no ping comes";
    memset(want + 16, 0xff, 4);
    memcpy(want + 20, answer.bhs + 20, 4);
    raw_put(want + 24, 4, r->exp_stat_sn); /* the next number, and not used up */
    memcpy(want + 28, answer.bhs + 28, 8);
    *ttt = (uint32_t)raw_get(answer.bhs + 20, 4);
    if (*ttt == 0xffffffff)
        return "a ping that wants no answer";
    if (answer.data_bytes != 0 || memcmp(answer.bhs, want, sizeof(want)) != 0)
        return "a byte of the ping is wrong";
    return NULL;
}

static const char *pong(struct raw *r, uint32_t ttt)
{
    raw_begin(r, &pdu, RAW_NOP_OUT);
    pdu.bhs[0] |= 0x40;
    memset(pdu.bhs + 16, 0xff, 4);
    raw_put(pdu.bhs + 20, 4, ttt);
    return raw_send(r, &pdu) ? NULL : "the ping cannot be answered";
}

static const char *who_answers_pings_stays(struct raw *r)
{
    uint32_t before[REACTORS] = {0xffffffff, 0xffffffff};
    TRY(open_both(r));
    for (int n = 0; n < PINGS * REACTORS; n++) {
        int i = n % REACTORS;
        uint32_t ttt;
        TRY(pinged(&r[i], &ttt));
        if (ttt == before[i])
            return "two pings have the same tag";
        before[i] = ttt;
        TRY(pong(&r[i], ttt));
    }
    for (int i = 0; i < REACTORS; i++)
        TRY(served(&r[i]));
    return NULL;
}

static const char *who_answers_no_ping_is_cut(struct raw *r)
{
    uint32_t ttt;
    TRY(open_both(r));
    for (int i = 0; i < REACTORS; i++)
        TRY(pinged(&r[i], &ttt));
    for (int i = 0; i < REACTORS; i++)
        TRY(closed(&r[i]));
    return NULL;
}

/* Each request of its own is as good as an answer. */
static const char *who_says_something_stays(struct raw *r)
{
    TRY(open_both(r));
    for (int n = 0; n < 2 * PINGS; n++) {
        for (int i = 0; i < REACTORS; i++) {
            uint32_t ttt;
            if (n > 0)
                TRY(pinged(&r[i], &ttt));
            TRY(served(&r[i]));
        }
    }
    return NULL;
}

static const struct {
    const char *name;
    const char *(*run)(struct raw r[REACTORS]);
} cases[] = {
    {"logs-out", who_is_asked_may_log_out},
    {"does-not-log-out", who_does_not_is_dropped},
    {"undrained", who_was_asked_may_stay_after_it},
    {"redirected", logins_are_sent_elsewhere},
    {"host-drained", a_host_is_drained_alone},
    {"portal-drained", a_portal_is_drained_alone},
    {"kicked", who_is_kicked_is_told_and_comes_back},
    {"host-removed", who_has_no_host_any_more_is_told},
    {"logs-out-at-a-stop", who_logs_out_at_a_stop_is_answered},
    {"dropped-at-a-stop", who_does_not_at_a_stop_is_dropped},
    {"answers-pings", who_answers_pings_stays},
    {"answers-no-ping", who_answers_no_ping_is_cut},
    {"says-something", who_says_something_stays},
};
#define CASE_COUNT (sizeof(cases) / sizeof(cases[0]))

static unsigned run_case(const struct raw *where, const char *name)
{
    struct raw r[REACTORS];
    for (size_t i = 0; i < CASE_COUNT; i++) {
        if (strcmp(cases[i].name, name) != 0)
            continue;
        for (int k = 0; k < REACTORS; k++)
            r[k] = *where;
        r[0].isid_tail = r[1].isid_tail = (uint16_t)(0x200 + 16 * i);
        const char *wrong = cases[i].run(r);
        for (int k = 0; k < REACTORS; k++)
            raw_close(&r[k]);
        return raw_tell(name, wrong);
    }
    fprintf(stderr, "ashlar-async: there is no case %s\n", name);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 9) {
        fprintf(stderr,
                "ashlar-async HOST PORT TARGET INITIATOR OTHER CTL PID CASE...\n");
        return 64;
    }
    struct raw where = raw_at(argv + 1);
    unsigned bad = 0;

    other = argv[5];
    ctl = argv[6];
    daemon_pid = (pid_t)strtol(argv[7], NULL, 10);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 8; i < argc; i++)
        bad += run_case(&where, argv[i]);
    return bad == 0 ? 0 : 1;
}
