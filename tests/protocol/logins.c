/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-logins: the ways through a login, those that RFC 7143, 6.3 has and those that it
 * forbids, and the ways out of a session. CHAP is chap.c's, the keys are keys.c's. Usage,
 * and what a case is: scene.h. */
#include "tests/protocol/scene.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TRANSIT   0x80
#define MORE      0x40
#define SECURITY  (0 << 2) /* as the current stage */
#define STAGE_ONE (1 << 2)
#define NEXT_ONE  1 /* as the next one: operational negotiation */
#define NEXT_FULL 3

#define INITIATOR_ERROR   0x0200
#define FORBIDDEN         0x0202
#define NOT_FOUND         0x0203
#define UNSUPPORTED       0x0205
#define TOO_MANY          0x0206
#define MISSING_PARAMETER 0x0207
#define NO_SUCH_SESSION   0x020a

#define OWN_CID 0x0305

/* --- ways that are open --- */

static uint16_t told_tsih(void)
{
    return (uint16_t)raw_get(answer.bhs + 14, 2);
}

/* What each response repeats of its request. RFC 7143, 11.13. */
static bool mirrors(uint8_t flags)
{
    return answer.bhs[1] == flags && answer.bhs[2] == 0 && answer.bhs[3] == 0 &&
           memcmp(answer.bhs + 8, pdu.bhs + 8, 6) == 0 &&
           raw_itt(&answer) == raw_itt(&pdu) &&
           raw_get(answer.bhs + 28, 4) == 1; /* ExpCmdSN: a login takes no number */
}

/* One more request of the same login, without text. */
static int next_request(struct raw *r, uint8_t flags)
{
    uint8_t itt[4];

    memcpy(itt, pdu.bhs + 16, sizeof(itt));
    begin_login_bare(r);
    memcpy(pdu.bhs + 16, itt, sizeof(itt));
    pdu.bhs[1] = flags;
    return login_status(r);
}

static const char *all_stages(struct raw *r)
{
    const char *value = "";

    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    raw_text(&pdu, "AuthMethod=CHAP,None");
    pdu.bhs[1] = TRANSIT | SECURITY | NEXT_ONE;
    if (login_status(r) != 0 || !mirrors(TRANSIT | SECURITY | NEXT_ONE))
        return "the security stage is not left";
    if (told_tsih() != 0)
        return "there is a TSIH before the end";
    if (said("AuthMethod", &value) != 1 || strcmp(value, "None") != 0)
        return "AuthMethod is not answered None";
    if (said("TargetPortalGroupTag", &value) != 1)
        return "the first answer has no TargetPortalGroupTag"; /* 13.9 */
    uint32_t stat_sn = (uint32_t)raw_get(answer.bhs + 24, 4);
    if (next_request(r, STAGE_ONE) != 0 || !mirrors(STAGE_ONE))
        return "a stage ends that was not to end";
    if (said("TargetPortalGroupTag", &value) != 0)
        return "TargetPortalGroupTag is told twice";
    if (raw_get(answer.bhs + 24, 4) != stat_sn + 1)
        return "StatSN does not count the responses";
    if (next_request(r, TRANSIT | STAGE_ONE | NEXT_FULL) != 0 ||
        !mirrors(TRANSIT | STAGE_ONE | NEXT_FULL))
        return "the full feature phase does not begin";
    if (told_tsih() == 0)
        return "the last answer has no TSIH";
    if (raw_get(answer.bhs + 32, 4) < 1 || raw_get(answer.bhs + 32, 4) > 4096)
        return "the window is not open";
    return unit_ready(r);
}

static const char *security_to_full_feature(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    raw_text(&pdu, "AuthMethod=None");
    pdu.bhs[1] = TRANSIT | SECURITY | NEXT_FULL;
    if (login_status(r) != 0 || !mirrors(TRANSIT | SECURITY | NEXT_FULL))
        return "no way from the security stage to full feature";
    return unit_ready(r);
}

static const char *own_numbers(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    r->cmd_sn = 0xfffffffe; /* and on over the end of the numbers */
    begin_login(r);
    raw_put(pdu.bhs + 20, 2, OWN_CID);
    if (login_status(r) != 0 || raw_get(answer.bhs + 28, 4) != r->cmd_sn)
        return "the first CmdSN is not the initiator's";
    for (int i = 0; i < 4; i++) {
        const char *wrong = ping(r, 4);
        if (wrong != NULL)
            return wrong;
    }
    raw_begin(r, &pdu, RAW_LOGOUT);
    pdu.bhs[1] |= 1; /* this connection, by its number */
    raw_put(pdu.bhs + 20, 2, OWN_CID);
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_LOGOUT_RSP ||
        answer.bhs[2] != 0)
        return "the CID is not the initiator's";
    return closed(r);
}

static const char *older_version_too(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    pdu.bhs[2] = 7; /* up to 7, from 0 on: 0 is what both have */
    if (login_status(r) != 0 || answer.bhs[3] != 0)
        return "version 0 is not agreed on";
    return ping(r, 4);
}

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

/* The text in two requests, cut at every place. */
static const char *continued_login(struct raw *r)
{
    static uint8_t text[512];
    size_t bytes = 2;

    for (size_t cut = 1; cut < bytes; cut += 5) {
        if (raw_connect(r) != 0)
            return "cannot connect";
        begin_login(r);
        bytes = pdu.data_bytes;
        memcpy(text, pdu.data, bytes);
        pdu.data_bytes = cut;
        pdu.bhs[1] = MORE | STAGE_ONE;
        if (login_status(r) != 0 || answer.data_bytes != 0 || !mirrors(STAGE_ONE))
            return "the first part of a continued login is not acknowledged";
        begin_login_bare(r);
        pdu.data_bytes = bytes - cut;
        memcpy(pdu.data, text + cut, bytes - cut);
        if (login_status(r) != 0)
            return "a login continued over two PDUs fails";
        raw_close(r);
    }
    return NULL;
}

/* A request a key, none of which ends the stage. */
static const char *key_by_key(struct raw *r)
{
    static const char *const keys[] = {"HeaderDigest=None", "InitialR2T=No",
                                       "MaxBurstLength=65536",
                                       "MaxRecvDataSegmentLength=4096"};

    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    pdu.bhs[1] = STAGE_ONE;
    if (login_status(r) != 0)
        return "a request that does not end its stage is refused";
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        begin_login_bare(r);
        pdu.bhs[1] = STAGE_ONE;
        raw_text(&pdu, keys[i]);
        if (login_status(r) != 0 || !mirrors(STAGE_ONE))
            return "a login a key at a time fails";
    }
    return next_request(r, TRANSIT | STAGE_ONE | NEXT_FULL) == 0
               ? unit_ready(r)
               : "it does not come to its end";
}

/* --- ways that are not --- */

/* RFC 7143, 11.12.1 to 11.12.3. */
static const char *impossible_stages(struct raw *r)
{
    static const uint8_t flags[] = {
        TRANSIT | SECURITY | 0,
        TRANSIT | SECURITY | 2,
        TRANSIT | STAGE_ONE | 0,
        TRANSIT | STAGE_ONE | NEXT_ONE,
        TRANSIT | STAGE_ONE | 2,
        TRANSIT | 2 << 2 | NEXT_FULL,
        TRANSIT | 3 << 2 | NEXT_FULL,
        2 << 2,
        3 << 2,
        TRANSIT | MORE | SECURITY | NEXT_ONE,
        TRANSIT | MORE | STAGE_ONE | 3,
    };

    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        if (raw_connect(r) != 0)
            return "cannot connect";
        begin_login(r);
        pdu.bhs[1] = flags[i];
        int status = login_status(r);
        if (status >> 8 != 2 || closed(r) != NULL)
            return "stages that do not go together are taken";
        raw_close(r);
    }
    return NULL;
}

/* What may not change from one request to the next. */
static const char *inconsistent_login(struct raw *r)
{
    static const struct {
        size_t at;
        uint8_t first, then;
    } changes[] = {
        {1, STAGE_ONE, SECURITY},                       /* back */
        {1, SECURITY, TRANSIT | STAGE_ONE | NEXT_FULL}, /* on, without the T bit */
        {1, TRANSIT | SECURITY | NEXT_ONE, SECURITY},   /* not on, after it */
        {13, 0, 9},                                     /* the ISID */
        {15, 0, 7},                                     /* the TSIH */
        {21, 0, 5},                                     /* the CID */
    };

    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        if (raw_connect(r) != 0)
            return "cannot connect";
        begin_login(r);
        pdu.bhs[1] = STAGE_ONE;
        if (changes[i].at != 13)
            pdu.bhs[changes[i].at] = changes[i].first;
        if (login_status(r) != 0)
            return "the first request is refused";
        begin_login_bare(r);
        pdu.bhs[1] = STAGE_ONE;
        pdu.bhs[changes[i].at] = changes[i].then;
        if (login_status(r) != INITIATOR_ERROR || closed(r) != NULL)
            return "a login changes on its way";
        raw_close(r);
    }
    return NULL;
}

static const char *refused_headers(struct raw *r)
{
    static const struct {
        size_t at;
        uint8_t value;
        int status; /* or: the connection ends */
    } cases[] = {
        {0, RAW_LOGIN, INITIATOR_ERROR}, /* not immediate: 11.12 */
        {4, 1, INITIATOR_ERROR},         /* additional headers */
        {3, 1, UNSUPPORTED},             /* from version 1 on */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (raw_connect(r) != 0)
            return "cannot connect";
        begin_login(r);
        raw_put(pdu.bhs + 5, 3, pdu.data_bytes);
        pdu.bhs[2] = 9;
        pdu.bhs[cases[i].at] = cases[i].value;
        if (cases[i].at == 4)
            pdu.ahs_bytes = 4;
        raw_send_as_is(r, &pdu);
        if (raw_recv(r, &answer, ANSWER_MS) != RAW_LOGIN_RSP ||
            (int)raw_get(answer.bhs + 36, 2) != cases[i].status || closed(r) != NULL)
            return "a header that may not be is taken, or refused otherwise";
        raw_close(r);
    }
    return NULL;
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

/* --- names --- */

static const char *no_initiator_name(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login_bare(r);
    raw_text(&pdu, "SessionType=Discovery");
    return login_status(r) == MISSING_PARAMETER ? NULL : "not refused with 0207";
}

static const char *unknown_target(struct raw *r)
{
    char text[300];

    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login_bare(r);
    snprintf(text, sizeof(text), "InitiatorName=%s", r->initiator);
    raw_text(&pdu, text);
    raw_text(&pdu, "SessionType=Normal");
    raw_text(&pdu, "TargetName=iqn.2026-01.test.ashlar:no-such-target");
    return login_status(r) == NOT_FOUND ? NULL : "not refused with 0203";
}

static const char *no_target_name(struct raw *r)
{
    static const char *const types[] = {"SessionType=Normal", NULL};
    char text[300];

    for (size_t i = 0; i < COUNT_OF(types); i++) { /* Normal is the default */
        if (raw_connect(r) != 0)
            return "cannot connect";
        begin_login_bare(r);
        snprintf(text, sizeof(text), "InitiatorName=%s", r->initiator);
        raw_text(&pdu, text);
        if (types[i] != NULL)
            raw_text(&pdu, types[i]);
        if (login_status(r) != MISSING_PARAMETER)
            return "not refused with 0207";
        raw_close(r);
    }
    return NULL;
}

static const char *stranger(struct raw *r)
{
    struct raw other = *r;

    other.initiator = "iqn.2026-01.test.ashlar:stranger";
    if (raw_connect(&other) != 0)
        return "cannot connect";
    begin_login(&other);
    int status = login_status(&other);
    raw_close(&other);
    return status == FORBIDDEN ? NULL : "not refused with 0202";
}

/* --- sessions that are there --- */

static const char *unknown_session(struct raw *r)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    raw_put(pdu.bhs + 14, 2, 0xbeef); /* TSIH */
    return login_status(r) == NO_SUCH_SESSION ? NULL : "not refused with 020a";
}

/* TSIH and ISID name a session, which has one connection. */
static const char *second_connection(struct raw *r)
{
    struct raw other = *r;
    const char *wrong = NULL;

    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    if (login_status(r) != 0)
        return "an ordinary login fails";
    uint16_t tsih = told_tsih();
    for (uint16_t tail = 0; tail < 2 && wrong == NULL; tail++) {
        if (raw_connect(&other) != 0)
            return "cannot connect";
        other.isid_tail = (uint16_t)(r->isid_tail + 1000 * tail);
        begin_login(&other);
        raw_put(pdu.bhs + 14, 2, tsih);
        raw_put(pdu.bhs + 20, 2, 1); /* another CID */
        if (login_status(&other) != (tail == 0 ? TOO_MANY : NO_SUCH_SESSION))
            wrong = "a second connection is taken, or refused otherwise";
        raw_close(&other);
    }
    return wrong != NULL ? wrong : unit_ready(r);
}

static const char *tsih_is_its_own(struct raw *r)
{
    struct raw other = *r;

    other.isid_tail = (uint16_t)(r->isid_tail + 1000);
    if (raw_connect(r) != 0 || raw_connect(&other) != 0)
        return "cannot connect";
    begin_login(r);
    int status = login_status(r);
    uint16_t tsih = told_tsih();
    begin_login(&other);
    status |= login_status(&other);
    raw_close(&other);
    return status == 0 && told_tsih() != tsih ? unit_ready(r) : "two sessions, one TSIH";
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

/* --- a discovery session: RFC 7143, 4.3 --- */

static const char *discovery_limits(struct raw *r)
{
    static const uint8_t opcodes[] = {RAW_SCSI_CMD, RAW_TMF, RAW_DATA_OUT, RAW_SNACK};

    for (size_t i = 0; i < COUNT_OF(opcodes); i++) {
        const char *wrong = open_discovery(r);
        if (wrong != NULL)
            return wrong;
        raw_begin(r, &pdu, opcodes[i]);
        if (opcodes[i] == RAW_TMF)
            pdu.bhs[1] |= 2; /* ABORT TASK SET */
        raw_send(r, &pdu);
        wrong = rejected_or_closed(r);
        if (wrong != NULL)
            return wrong;
        raw_close(r);
    }
    return NULL;
}

/* --- out again --- */

static const char *logout_reasons(struct raw *r)
{
    static const struct {
        uint8_t reason, response;
    } cases[] = {{0, 0}, {1, 0}, {2, 2}};

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *wrong = i == 0 ? open_discovery(r) : open_session(r);
        if (wrong != NULL)
            return wrong;
        raw_begin(r, &pdu, RAW_LOGOUT);
        pdu.bhs[1] |= cases[i].reason;
        if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_LOGOUT_RSP ||
            raw_itt(&answer) != raw_itt(&pdu) || answer.bhs[2] != cases[i].response)
            return "a logout is answered otherwise";
        wrong = cases[i].response == 0 ? closed(r) : ping(r, 4);
        if (wrong != NULL)
            return wrong;
        raw_close(r);
    }
    return NULL;
}

static const char *unknown_logout_reason(struct raw *r)
{
    const char *wrong = open_session(r);

    if (wrong != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_LOGOUT);
    pdu.bhs[1] |= 3;
    raw_send(r, &pdu);
    return is_rejected(r, 0x09) ? ping(r, 4) : "not rejected as an invalid field";
}

/* --- the list --- */

static const struct scene scenes[] = {
    {"all-stages", all_stages},
    {"security-to-full-feature", security_to_full_feature},
    {"own-numbers", own_numbers},
    {"older-version-too", older_version_too},
    {"dribbled-login", dribbled_login},
    {"continued-login", continued_login},
    {"key-by-key", key_by_key},
    {"impossible-stages", impossible_stages},
    {"inconsistent-login", inconsistent_login},
    {"refused-headers", refused_headers},
    {"text-without-value", text_without_value},
    {"text-of-noise", text_of_noise},
    {"key-too-long", key_too_long},
    {"no-initiator-name", no_initiator_name},
    {"no-target-name", no_target_name},
    {"unknown-target", unknown_target},
    {"stranger", stranger},
    {"unknown-session", unknown_session},
    {"second-connection", second_connection},
    {"tsih-is-its-own", tsih_is_its_own},
    {"login-twice", login_twice},
    {"discovery-limits", discovery_limits},
    {"logout-reasons", logout_reasons},
    {"unknown-logout-reason", unknown_logout_reason},
};

int main(int argc, char **argv)
{
    return scenes_main(argc, argv, "ashlar-logins", scenes, COUNT_OF(scenes));
}
