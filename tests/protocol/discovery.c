/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-discovery: SendTargets and text negotiation by raw PDUs, for an initiator that
 * has COUNT targets of its own and takes 8192 bytes at a time, and for OTHER, which has
 * none of them. Usage: ashlar-discovery HOST PORT TARGET INITIATOR OTHER COUNT [CASE].
 * TARGET: the shared one. One thread. */
#include "tests/protocol/rawpdu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MS     5000
#define IMMEDIATE_BIT 0x40
#define FINAL         0x80
#define CONTINUE      0x40
#define TAG_NONE      0xffffffffu
#define SEGMENT       8192u      /* MaxRecvDataSegmentLength of who declares none */
#define TEXT_MAX      (4u << 20) /* of an answer */
#define NAME_MAX_     224

enum reject { PROTOCOL_ERROR = 0x04, INVALID_FIELD = 0x09 };

static struct raw_pdu pdu, answer;
static const char *other;
static unsigned long own_count;
static char text[TEXT_MAX + 1]; /* of the last whole answer */
static size_t text_bytes;
static char own_name[NAME_MAX_]; /* one of the initiator's own targets */

/* --- login, with nothing but the names --- */

static int status_of_login(struct raw *r, const char *session_type, const char *target)
{
    char key[512];

    raw_begin(r, &pdu, RAW_LOGIN);
    pdu.bhs[0] |= IMMEDIATE_BIT;
    pdu.bhs[1] = FINAL | 1 << 2 | 3; /* operational negotiation, then full feature */
    pdu.bhs[8] = 0x80;
    raw_put(pdu.bhs + 12, 2, r->isid_tail);
    snprintf(key, sizeof(key), "InitiatorName=%s", r->initiator);
    raw_text(&pdu, key);
    raw_text(&pdu, session_type);
    if (target != NULL) {
        snprintf(key, sizeof(key), "TargetName=%s", target);
        raw_text(&pdu, key);
    }
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_LOGIN_RSP)
        return -1;
    return (int)raw_get(answer.bhs + 36, 2);
}

static const char *discover_as(struct raw *r, const char *initiator)
{
    r->initiator = initiator;
    if (raw_connect(r) != 0 || status_of_login(r, "SessionType=Discovery", NULL) != 0)
        return "a discovery login fails";
    return NULL;
}

static int login_to(struct raw *r, const char *target)
{
    return raw_connect(r) != 0 ? -1 : status_of_login(r, "SessionType=Normal", target);
}

/* --- text --- */

/* ttt TAG_NONE: the first of an exchange, with a new tag. */
static void begin_text(struct raw *r, uint8_t flags, uint32_t itt, uint32_t ttt)
{
    raw_begin(r, &pdu, RAW_TEXT);
    pdu.bhs[1] = flags;
    if (ttt != TAG_NONE)
        raw_put(pdu.bhs + 16, 4, itt);
    raw_put(pdu.bhs + 20, 4, ttt);
}

static uint32_t ttt_of(const struct raw_pdu *p)
{
    return (uint32_t)raw_get(p->bhs + 20, 4);
}

/* Sends what begin_text began, and has a Text Response to it. */
static const char *exchange(struct raw *r)
{
    uint32_t itt = raw_itt(&pdu), stat_sn = r->exp_stat_sn;

    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_TEXT_RSP)
        return "no text response";
    if (raw_itt(&answer) != itt)
        return "a text response has another initiator task tag";
    if ((uint32_t)raw_get(answer.bhs + 24, 4) != stat_sn)
        return "a text response has not the next StatSN";
    if ((answer.bhs[1] & 0x3f) != 0 || answer.bhs[1] == (FINAL | CONTINUE))
        return "a text response has wrong flags";
    if (((answer.bhs[1] & FINAL) != 0) != (ttt_of(&answer) == TAG_NONE))
        return "a target transfer tag where the final bit is, or none where it is not";
    if (answer.data_bytes > SEGMENT)
        return "a text response is longer than the initiator takes";
    return NULL;
}

static const char *ask(struct raw *r, const char *send_targets)
{
    begin_text(r, FINAL, 0, TAG_NONE);
    raw_text(&pdu, send_targets);
    return exchange(r);
}

static const char *ask_for_more(struct raw *r)
{
    begin_text(r, FINAL, raw_itt(&answer), ttt_of(&answer));
    return exchange(r);
}

static const char *keep(void)
{
    if (text_bytes + answer.data_bytes > TEXT_MAX)
        return "the answer has no end";
    memcpy(text + text_bytes, answer.data, answer.data_bytes);
    text_bytes += answer.data_bytes;
    return NULL;
}

/* The answer's pieces, from the one that is there to the end. */
static const char *hear_out(struct raw *r)
{
    text_bytes = 0;
    for (;;) {
        const char *wrong = keep();
        if (wrong != NULL || (answer.bhs[1] & FINAL) != 0)
            return wrong;
        if ((answer.bhs[1] & CONTINUE) == 0 || answer.data_bytes == 0)
            return "a piece that is not the last has no C bit, or no text";
        wrong = ask_for_more(r);
        if (wrong != NULL)
            return wrong;
    }
}

static const char *ask_all(struct raw *r, const char *send_targets)
{
    const char *wrong = ask(r, send_targets);
    return wrong != NULL ? wrong : hear_out(r);
}

/* A Reject with that reason, which carries the header that it is of. */
static const char *rejected(struct raw *r, uint8_t reason)
{
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_REJECT)
        return "not rejected";
    if (answer.bhs[2] != reason)
        return "rejected for another reason";
    if (answer.data_bytes < RAW_BHS_BYTES || memcmp(answer.data, pdu.bhs, 24) != 0)
        return "the reject has not the header that it is of";
    return NULL;
}

/* --- what an answer says --- */

static bool is_own_name(const char *name, const char *shared)
{
    size_t n = strlen(shared);
    return strncmp(name, shared, n) == 0 && name[n] == ':' &&
           strspn(name + n + 1, "0123456789abcdef") == 16 && name[n + 17] == '\0';
}

struct told {
    unsigned long shared, own, addresses;
};

/* Every target has addresses, and a name that comes once: the names are in order. */
static const char *read_answer(const struct raw *r, struct told *told)
{
    char last[NAME_MAX_] = "", address[128];
    bool has_address = true;
    *told = (struct told){0};
    text[text_bytes] = '\0';
    snprintf(address, sizeof(address), strchr(r->host, ':') ? "[%s]:%s," : "%s:%s,",
             r->host, r->port);
    for (size_t i = 0; i < text_bytes; i += strlen(text + i) + 1) {
        const char *pair = text + i;
        if (strncmp(pair, "TargetName=", 11) == 0) {
            if (!has_address || strcmp(last, pair + 11) >= 0)
                return "a target without an address, or told twice";
            snprintf(last, sizeof(last), "%s", pair + 11);
            has_address = false;
            told->shared += strcmp(last, r->target) == 0;
            told->own += is_own_name(last, r->target);
            if (is_own_name(last, r->target))
                snprintf(own_name, sizeof(own_name), "%s", last);
        } else if (strncmp(pair, "TargetAddress=", 14) == 0 && last[0] != '\0') {
            if (!has_address && strncmp(pair + 14, address, strlen(address)) != 0)
                return "the first address is not the one that was asked";
            has_address = true;
            told->addresses++;
        } else {
            return "the answer has another key";
        }
    }
    return has_address ? NULL : "the last target has no address";
}

static const char *expect_told(struct raw *r, unsigned long shared, unsigned long own)
{
    struct told told;
    const char *wrong = read_answer(r, &told);

    if (wrong != NULL)
        return wrong;
    if (told.shared == shared && told.own == own)
        return NULL;
    fprintf(stderr, "%lu shared and %lu own targets are told\n", told.shared, told.own);
    return "other targets are told";
}

/* --- the cases --- */

static const char *long_answer(struct raw *r)
{
    const char *wrong = discover_as(r, r->initiator);

    if (wrong == NULL)
        wrong = ask_all(r, "SendTargets=All");
    if (wrong == NULL)
        wrong = expect_told(r, 1, own_count);
    if (wrong == NULL && text_bytes <= 65536)
        wrong = "the answer is not long enough to prove anything";
    return wrong;
}

static const char *others_are_told_theirs(struct raw *r)
{
    const char *wrong = discover_as(r, other);

    if (wrong == NULL)
        wrong = ask_all(r, "SendTargets=All");
    if (wrong == NULL)
        wrong = expect_told(r, 1, 0);
    raw_close(r);
    if (wrong == NULL)
        wrong = discover_as(r, "iqn.2026-01.test.ashlar:stranger");
    if (wrong == NULL)
        wrong = ask_all(r, "SendTargets=All");
    return wrong == NULL && text_bytes > 0 ? "a stranger is told something" : wrong;
}

static const char *find_own_name(struct raw *r)
{
    const char *wrong = discover_as(r, r->initiator);
    struct told told;

    if (wrong == NULL)
        wrong = ask_all(r, "SendTargets=All");
    if (wrong == NULL)
        wrong = read_answer(r, &told);
    return wrong == NULL && own_name[0] == '\0' ? "no own target is told" : wrong;
}

static const char *by_name(struct raw *r)
{
    char key[NAME_MAX_ + 16];
    const char *wrong = find_own_name(r);

    if (wrong != NULL)
        return wrong;
    snprintf(key, sizeof(key), "SendTargets=%s", own_name);
    wrong = ask_all(r, key);
    if (wrong == NULL)
        wrong = expect_told(r, 0, 1);
    snprintf(key, sizeof(key), "SendTargets=%s", r->target);
    if (wrong == NULL)
        wrong = ask_all(r, key);
    if (wrong == NULL)
        wrong = expect_told(r, 1, 0);
    if (wrong == NULL)
        wrong = ask_all(r, "SendTargets=iqn.2026-01.test.ashlar:nothing");
    if (wrong == NULL && text_bytes > 0)
        wrong = "a target that is not there is told";
    if (wrong == NULL)
        wrong = ask_all(r, "SendTargets=");
    if (wrong == NULL && text_bytes > 0)
        wrong = "a discovery session has a target of its own";
    raw_close(r);
    snprintf(key, sizeof(key), "SendTargets=%s", own_name);
    if (wrong == NULL)
        wrong = discover_as(r, other);
    if (wrong == NULL)
        wrong = ask_all(r, key);
    return wrong == NULL && text_bytes > 0 ? "another's target is told" : wrong;
}

static const char *own_session(struct raw *r)
{
    const char *wrong = find_own_name(r);
    bool refused;

    raw_close(r);
    if (wrong != NULL)
        return wrong;
    if (login_to(r, own_name) != 0)
        return "a login to an own target fails";
    wrong = ask_all(r, "SendTargets=");
    if (wrong == NULL)
        wrong = expect_told(r, 0, 1);
    if (wrong == NULL && strcmp(text + strlen("TargetName="), own_name) != 0)
        wrong = "another own target is told";
    if (wrong == NULL)
        wrong = ask_all(r, "SendTargets=All");
    refused = text_bytes == sizeof("SendTargets=Reject") &&
              memcmp(text, "SendTargets=Reject", text_bytes) == 0;
    if (wrong == NULL && !refused)
        wrong = "All is not refused in a normal session";
    return wrong;
}

/* To whom a target is not shown, it is answered as one that is not there: all of the
 * response but what tells the requests apart. */
static const char *hidden_is_not_there(struct raw *r)
{
    static uint8_t none[RAW_BHS_BYTES];
    const char *mine = r->initiator;
    const char *wrong = find_own_name(r);

    raw_close(r);
    if (wrong != NULL)
        return wrong;
    for (int i = 0; i < 2; i++) {
        r->initiator = i == 0 ? other : "iqn.2026-01.test.ashlar:stranger";
        if (login_to(r, "iqn.2026-01.test.ashlar:nothing") != 0x0203)
            return "a target that is not there is not refused with 0203";
        memcpy(none, answer.bhs, sizeof(none));
        raw_close(r);
        if (login_to(r, own_name) != 0x0203)
            return "a target that is another's is not refused with 0203";
        if (memcmp(none, answer.bhs, sizeof(none)) != 0 || answer.data_bytes != 0)
            return "a target that is another's is refused in another way";
        raw_close(r);
    }
    r->initiator = mine;
    return login_to(r, own_name) != 0 ? "its own host cannot log in" : NULL;
}

static const char *begun(struct raw *r)
{
    const char *wrong = discover_as(r, r->initiator);

    if (wrong == NULL)
        wrong = ask(r, "SendTargets=All");
    if (wrong == NULL && (answer.bhs[1] & CONTINUE) == 0)
        wrong = "the answer is not continued";
    return wrong;
}

/* A new request takes the place of an answer that was not heard out, whose tag is none
 * any more. */
static const char *abandoned(struct raw *r)
{
    static struct raw_pdu first, piece;
    const char *wrong = begun(r);

    first = answer;
    if (wrong == NULL)
        wrong = ask_for_more(r);
    piece = answer;
    if (wrong == NULL)
        wrong = ask(r, "SendTargets=All");
    if (wrong == NULL && (answer.data_bytes != first.data_bytes ||
                          memcmp(answer.data, first.data, first.data_bytes) != 0))
        wrong = "the new answer does not begin anew";
    if (wrong != NULL)
        return wrong;
    begin_text(r, FINAL, raw_itt(&piece), ttt_of(&piece));
    wrong = rejected(r, INVALID_FIELD);
    if (wrong == NULL)
        wrong = ask_all(r, "SendTargets=All");
    return wrong != NULL ? wrong : expect_told(r, 1, own_count);
}

/* What does not go on with the answer ends it; the next request is answered. */
static const char *wrong_tags(struct raw *r)
{
    for (int i = 0; i < 3; i++) {
        const char *wrong = begun(r);
        if (wrong != NULL)
            return wrong;
        uint32_t itt = raw_itt(&answer), ttt = ttt_of(&answer);
        begin_text(r, FINAL, i == 1 ? itt + 1 : itt, i == 0 ? ttt + 1 : ttt);
        if (i == 2)
            raw_text(&pdu, "X-org.example=1"); /* it is not its turn to say anything */
        wrong = rejected(r, i == 2 ? PROTOCOL_ERROR : INVALID_FIELD);
        if (wrong != NULL)
            return wrong;
        begin_text(r, FINAL, itt, ttt);
        wrong = rejected(r, INVALID_FIELD);
        if (wrong != NULL)
            return "an answer goes on after a reject";
        wrong = ask_all(r, "SendTargets=All");
        if (wrong == NULL)
            wrong = expect_told(r, 1, own_count);
        raw_close(r);
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

static const char *ping_between(struct raw *r)
{
    static struct raw_pdu piece;
    const char *wrong = begun(r);

    piece = answer;
    if (wrong != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_NOP_OUT);
    raw_put(pdu.bhs + 20, 4, TAG_NONE);
    raw_text(&pdu, "ping");
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_NOP_IN ||
        strcmp((char *)answer.data, "ping") != 0)
        return "a ping between two pieces is not answered";
    answer = piece;
    wrong = hear_out(r);
    return wrong != NULL ? wrong : expect_told(r, 1, own_count);
}

/* The request itself in pieces: each but the last is answered with nothing and a tag. */
static const char *continued_request(struct raw *r)
{
    static const char *const pieces[] = {"Send", "Targets=A", "ll"};
    const char *wrong = discover_as(r, r->initiator);

    for (int i = 0; wrong == NULL && i < 3; i++) {
        begin_text(r, i == 2 ? FINAL : CONTINUE, raw_itt(&answer),
                   i == 0 ? TAG_NONE : ttt_of(&answer));
        pdu.data_bytes = strlen(pieces[i]) + (i == 2);
        memcpy(pdu.data, pieces[i], pdu.data_bytes);
        wrong = exchange(r);
        if (wrong == NULL && i < 2 && (answer.bhs[1] != 0 || answer.data_bytes != 0))
            wrong = "a piece of a request is answered with more than its tag";
    }
    if (wrong == NULL)
        wrong = hear_out(r);
    return wrong != NULL ? wrong : expect_told(r, 1, own_count);
}

/* Without F, the target may not end the exchange (RFC 7143, 11.11.1). */
static const char *not_final_yet(struct raw *r)
{
    char key[NAME_MAX_ + 16];
    const char *wrong = discover_as(r, r->initiator);

    snprintf(key, sizeof(key), "SendTargets=%s", r->target);
    begin_text(r, 0, 0, TAG_NONE);
    raw_text(&pdu, key);
    if (wrong == NULL)
        wrong = exchange(r);
    if (wrong == NULL && (answer.bhs[1] & (FINAL | CONTINUE)) != 0)
        wrong = "an exchange ends that the initiator has not ended";
    text_bytes = 0;
    if (wrong == NULL)
        wrong = keep();
    if (wrong == NULL)
        wrong = ask_for_more(r);
    if (wrong == NULL && ((answer.bhs[1] & FINAL) == 0 || answer.data_bytes != 0))
        wrong = "the end has text, or is none";
    return wrong != NULL ? wrong : expect_told(r, 1, 0);
}

/* More text than a request may have is refused; so is F with C. */
static const char *too_much(struct raw *r)
{
    const char *wrong = discover_as(r, r->initiator);
    int rc = RAW_TEXT_RSP;

    for (int i = 0; wrong == NULL && rc == RAW_TEXT_RSP && i < 64; i++) {
        begin_text(r, CONTINUE, raw_itt(&answer), i == 0 ? TAG_NONE : ttt_of(&answer));
        memset(pdu.data, 'a', SEGMENT);
        pdu.data_bytes = SEGMENT;
        rc = raw_send(r, &pdu) ? raw_recv(r, &answer, ANSWER_MS) : RAW_SILENT;
    }
    if (wrong == NULL && rc != RAW_REJECT)
        wrong = "a request without end is not rejected";
    begin_text(r, FINAL | CONTINUE, 0, TAG_NONE);
    raw_text(&pdu, "SendTargets=All");
    if (wrong == NULL)
        wrong = rejected(r, PROTOCOL_ERROR);
    if (wrong == NULL)
        wrong = ask_all(r, "SendTargets=All");
    return wrong != NULL ? wrong : expect_told(r, 1, own_count);
}

/* The connection goes in the middle of an answer, in each way. */
static const char *goes_in_the_middle(struct raw *r)
{
    const char *wrong = begun(r);

    if (wrong != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_LOGOUT);
    pdu.bhs[0] |= IMMEDIATE_BIT;
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_LOGOUT_RSP)
        return "no logout in the middle of an answer";
    raw_close(r);
    wrong = begun(r);
    raw_close(r);
    return wrong != NULL ? wrong : long_answer(r);
}

/* For whoever wants to see it. */
static const char *print(struct raw *r)
{
    const char *wrong = discover_as(r, r->initiator);

    if (wrong == NULL)
        wrong = ask_all(r, "SendTargets=All");
    for (size_t i = 0; wrong == NULL && i < text_bytes; i += strlen(text + i) + 1)
        printf("%s\n", text + i);
    return wrong;
}

static const struct {
    const char *name;
    const char *(*run)(struct raw *r);
} cases[] = {
    {"long-answer", long_answer},
    {"others-are-told-theirs", others_are_told_theirs},
    {"by-name", by_name},
    {"own-session", own_session},
    {"hidden-is-not-there", hidden_is_not_there},
    {"abandoned", abandoned},
    {"wrong-tags", wrong_tags},
    {"ping-between", ping_between},
    {"continued-request", continued_request},
    {"not-final-yet", not_final_yet},
    {"too-much", too_much},
    {"goes-in-the-middle", goes_in_the_middle},
    {"print", print}, /* only if it is asked for by name */
};

int main(int argc, char **argv)
{
    unsigned bad = 0;

    if (argc < 7) {
        fprintf(stderr,
                "ashlar-discovery HOST PORT TARGET INITIATOR OTHER COUNT [CASE]\n");
        return 64;
    }
    struct raw where = raw_at(argv + 1);
    other = argv[5];
    own_count = strtoul(argv[6], NULL, 10);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct raw r = where;
        const char *asked = argc > 7 ? argv[7] : cases[i].name;
        if (strcmp(asked, cases[i].name) != 0 || (argc <= 7 && cases[i].run == print))
            continue;
        r.isid_tail = (uint16_t)i;
        const char *wrong = cases[i].run(&r);
        raw_close(&r);
        bad += raw_tell(cases[i].name, wrong);
    }
    printf("ashlar-discovery: %u cases not as they should be\n", bad);
    return bad == 0 ? 0 : 1;
}
