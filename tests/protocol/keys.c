/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-keys: every key of RFC 7143, 13 and of RFC 7144, as tables: what is offered
 * where, and what must be answered. CHAP's keys are chap.c's. A key that is offered
 * again, in the same request or a later one, ends the login, but for the names. Usage:
 * scene.h. */
#include "tests/protocol/scene.h"

#include <stdio.h>
#include <string.h>

#define TRANSIT         0x80
#define SECURITY        (0 << 2)
#define OPERATIONAL     (1 << 2)
#define INITIATOR_ERROR 0x0200
#define FORBIDDEN       0x0202
#define PROTOCOL_ERROR  0x04 /* why a PDU is rejected */

/* What comes for an offer, other than a value. */
static const char nothing[] = "(nothing)";
static const char ends[] = "(the login ends)";

struct trial {
    const char *key, *offer, *answer;
};

/* --- the tables --- */

/* In the operational stage of a normal session. */
static const struct trial operational[] = {
    /* 13.1: the first of the list that both have */
    {"HeaderDigest", "None", "None"},
    {"HeaderDigest", "CRC32C", "CRC32C"},
    {"HeaderDigest", "CRC32C,None", "CRC32C"},
    {"HeaderDigest", "None,CRC32C", "None"},
    {"HeaderDigest", "SHA3,CRC32C,None", "CRC32C"},
    {"HeaderDigest", "SHA3", "Reject"},
    {"HeaderDigest", "crc32c", "Reject"},
    {"HeaderDigest", "", "Reject"},
    {"DataDigest", "None", "None"},
    {"DataDigest", "CRC32C,None", "CRC32C"},
    {"DataDigest", "None,CRC32C", "None"},
    {"DataDigest", "SHA3,None", "None"},
    {"DataDigest", "Yes", "Reject"},
    /* 13.2: the smaller one; a session has one connection here */
    {"MaxConnections", "1", "1"},
    {"MaxConnections", "65535", "1"},
    {"MaxConnections", "0", "Reject"},
    {"MaxConnections", "65536", "Reject"},
    /* 13.3 is asked for in full feature phase, 13.4 to 13.9 say who is there */
    {"SendTargets", "All", ends},
    {"TargetName", "iqn.2026-01.test.ashlar:another", ends},
    {"TargetName", "nobody", ends},
    {"InitiatorName", "iqn.2026-01.test.ashlar:another", ends},
    {"InitiatorName", "iqn.", ends},
    {"TargetAlias", "disk", ends},
    {"TargetAddress", "192.0.2.1:3260,1", ends},
    {"TargetPortalGroupTag", "1", ends},
    {"InitiatorAlias", "", nothing},
    {"InitiatorAlias", "a host of ours, \xc3\xa4lter", nothing},
    /* 13.10: OR */
    {"InitialR2T", "Yes", "Yes"},
    {"InitialR2T", "No", "No"},
    {"InitialR2T", "yes", "Reject"},
    {"InitialR2T", "1", "Reject"},
    {"InitialR2T", "", "Reject"},
    /* 13.11: AND */
    {"ImmediateData", "Yes", "Yes"},
    {"ImmediateData", "No", "No"},
    {"ImmediateData", "Yes,No", "Reject"},
    /* 13.12: declared */
    {"MaxRecvDataSegmentLength", "512", nothing},
    {"MaxRecvDataSegmentLength", "16777215", nothing},
    {"MaxRecvDataSegmentLength", "0x1000", nothing},
    {"MaxRecvDataSegmentLength", "511", ends},
    {"MaxRecvDataSegmentLength", "16777216", ends},
    /* 13.13, 13.14: the smaller one of theirs and ours */
    {"MaxBurstLength", "512", "512"},
    {"MaxBurstLength", "65536", "65536"},
    {"MaxBurstLength", "0x10000", "65536"},
    {"MaxBurstLength", "0XfFfF", "65535"},
    {"MaxBurstLength", "16777215", "1048576"},
    {"MaxBurstLength", "511", "Reject"},
    {"MaxBurstLength", "16777216", "Reject"},
    {"MaxBurstLength", "0", "Reject"},
    {"MaxBurstLength", "-1", "Reject"},
    {"MaxBurstLength", "+4096", "Reject"},
    {"MaxBurstLength", " 4096", "Reject"},
    {"MaxBurstLength", "4096 ", "Reject"},
    {"MaxBurstLength", "4096=", "Reject"},
    {"MaxBurstLength", "4k", "Reject"},
    {"MaxBurstLength", "0x", "Reject"},
    {"MaxBurstLength", "1e4", "Reject"},
    {"MaxBurstLength", "512~4096", "Reject"},
    {"MaxBurstLength", "18446744073709551616", "Reject"}, /* 0 in 64 bits */
    {"MaxBurstLength", "18446744073709555712", "Reject"}, /* 4096 in 64 bits */
    {"MaxBurstLength", "4294971392", "Reject"},           /* 4096 in 32 bits */
    {"MaxBurstLength", "", "Reject"},
    {"FirstBurstLength", "512", "512"},
    {"FirstBurstLength", "16777215", "262144"},
    {"FirstBurstLength", "511", "Reject"},
    {"FirstBurstLength", "16777216", "Reject"},
    /* 13.15: the larger one; 13.16: the smaller one */
    {"DefaultTime2Wait", "0", "2"},
    {"DefaultTime2Wait", "3600", "3600"},
    {"DefaultTime2Wait", "3601", "Reject"},
    {"DefaultTime2Retain", "0", "0"},
    {"DefaultTime2Retain", "3600", "0"},
    {"DefaultTime2Retain", "3601", "Reject"},
    /* 13.17 */
    {"MaxOutstandingR2T", "1", "1"},
    {"MaxOutstandingR2T", "65535", "8"},
    {"MaxOutstandingR2T", "0", "Reject"},
    {"MaxOutstandingR2T", "65536", "Reject"},
    /* 13.18, 13.19: OR, and data is always in order here */
    {"DataPDUInOrder", "Yes", "Yes"},
    {"DataPDUInOrder", "No", "Yes"},
    {"DataPDUInOrder", "Maybe", "Reject"},
    {"DataSequenceInOrder", "Yes", "Yes"},
    {"DataSequenceInOrder", "No", "Yes"},
    {"DataSequenceInOrder", "NO", "Reject"},
    /* 13.20: level 0 is what there is */
    {"ErrorRecoveryLevel", "0", "0"},
    {"ErrorRecoveryLevel", "1", "0"},
    {"ErrorRecoveryLevel", "2", "0"},
    {"ErrorRecoveryLevel", "3", "Reject"},
    /* 13.21 */
    {"SessionType", "Normal", nothing},
    {"SessionType", "Discovery", ends}, /* after Normal */
    {"SessionType", "Boot", ends},
    /* 13.22: keys of others */
    {"X-com.example.speed", "1", "NotUnderstood"},
    {"X#NodeArchitecture", "Linux,armv8", nothing},
    {"X#UnheardOf", "1", "NotUnderstood"},
    {"NobodyKnowsThis", "", "NotUnderstood"},
    {"headerdigest", "None", "NotUnderstood"},
    {"MaxBurstLengt", "512", "NotUnderstood"},
    {"MaxBurstLengths", "512", "NotUnderstood"},
    /* 13.23 */
    {"TaskReporting", "RFC3720", "RFC3720"},
    {"TaskReporting", "ResponseFence", "ResponseFence"},
    {"TaskReporting", "FastAbort,ResponseFence,RFC3720", "ResponseFence"},
    {"TaskReporting", "FastAbort", "Reject"},
    /* 13.24: the smaller one; 2 is RFC 7144's */
    {"iSCSIProtocolLevel", "0", "0"},
    {"iSCSIProtocolLevel", "1", "1"},
    {"iSCSIProtocolLevel", "2", "2"},
    {"iSCSIProtocolLevel", "31", "2"},
    {"iSCSIProtocolLevel", "32", "Reject"},
    /* 13.25: markers are obsolete */
    {"IFMarker", "No", "No"},
    {"OFMarker", "Yes", "No"},
    {"IFMarkInt", "2048~8192", "Reject"},
    {"OFMarkInt", "2048~8192", "Reject"},
    /* RFC 7145 */
    {"RDMAExtensions", "Yes", "No"},
};

/* Of the security stage alone: RFC 7143, 12.1. None is what this host is asked for. */
static const struct trial security[] = {
    {"AuthMethod", "None", "None"},
    {"AuthMethod", "CHAP,None", "None"},
    {"AuthMethod", "KRB5,SRP,None", "None"},
};

static const struct trial unheard[] = {
    {"AuthMethod", "KRB5", ends},
    {"AuthMethod", "none", ends},
    {"AuthMethod", "", ends},
};

/* Of no use in a discovery session. */
static const char *const irrelevant[] = {
    "MaxConnections=1",      "InitialR2T=Yes",          "ImmediateData=Yes",
    "MaxBurstLength=65536",  "FirstBurstLength=65536",  "MaxOutstandingR2T=1",
    "DataPDUInOrder=Yes",    "DataSequenceInOrder=Yes", "iSCSIProtocolLevel=1",
    "TaskReporting=RFC3720",
};

/* --- one offer --- */

static const char *complain(const char *key, const char *offer, const char *what)
{
    static char text[300];

    snprintf(text, sizeof(text), "%s=%s: %s", key, offer, what);
    return text;
}

static void offer(const char *key, const char *value)
{
    char text[300];

    snprintf(text, sizeof(text), "%s=%s", key, value);
    raw_text(&pdu, text);
}

/* What was answered to the last request, of which the status is known. */
static const char *judge(const struct trial *t, int status)
{
    const char *value = nothing;
    unsigned count = status == 0 ? said(t->key, &value) : 0;

    if (t->answer == ends)
        return status >> 8 == 2 ? NULL : complain(t->key, t->offer, "the login goes on");
    if (status != 0)
        return complain(t->key, t->offer, "the login ends");
    /* Ours, which is no answer to theirs. */
    if (strcmp(t->key, "MaxRecvDataSegmentLength") == 0 && count == 1)
        count = 0;
    if (t->answer == nothing)
        return count == 0 ? NULL : complain(t->key, t->offer, value);
    if (count != 1)
        return complain(t->key, t->offer, "is not answered once");
    return strcmp(value, t->answer) == 0 ? NULL : complain(t->key, t->offer, value);
}

/* Digests are used from the full feature phase on. */
static void take_effect(struct raw *r, const struct trial *t)
{
    bool crc = strcmp(t->answer, "CRC32C") == 0;

    r->open = true;
    r->header_digest = crc && strcmp(t->key, "HeaderDigest") == 0;
    r->data_digest = crc && strcmp(t->key, "DataDigest") == 0;
}

static const char *try_offer(struct raw *r, uint8_t stage, const struct trial *t)
{
    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login(r);
    pdu.bhs[1] = (uint8_t)(TRANSIT | stage | 3);
    offer(t->key, t->offer);
    const char *wrong = judge(t, login_status(r));
    if (wrong == NULL && t->answer != ends) {
        take_effect(r, t);
        wrong = ping(r, 4);
    }
    raw_close(r);
    return wrong;
}

static const char *try_all(struct raw *r, uint8_t stage, const struct trial *trials,
                           size_t count)
{
    const char *wrong = NULL;

    for (size_t i = 0; i < count && wrong == NULL; i++)
        wrong = try_offer(r, stage, &trials[i]);
    return wrong;
}

static const char *operational_keys(struct raw *r)
{
    return try_all(r, OPERATIONAL, operational, COUNT_OF(operational));
}

static const char *security_keys(struct raw *r)
{
    const char *wrong = try_all(r, SECURITY, security, COUNT_OF(security));

    return wrong != NULL ? wrong : try_all(r, SECURITY, unheard, COUNT_OF(unheard));
}

/* --- where a key may not be --- */

/* RFC 7143, 12: no other keys than those of that stage in the security stage. */
static bool is_for_any_stage(const char *key)
{
    static const char *const any[] = {
        "InitiatorName", "TargetName",    "SessionType",         "InitiatorAlias",
        "TargetAlias",   "TargetAddress", "TargetPortalGroupTag"};

    for (size_t i = 0; i < COUNT_OF(any); i++) {
        if (strcmp(key, any[i]) == 0)
            return true;
    }
    return strncmp(key, "X", 1) == 0;
}

static bool is_known(const struct trial *t)
{
    return strcmp(t->answer, "NotUnderstood") != 0;
}

static const char *stages_of_keys(struct raw *r)
{
    const char *wrong = NULL;

    for (size_t i = 0; i < COUNT_OF(operational) && wrong == NULL; i++) {
        struct trial t = operational[i];
        t.answer = ends;
        if (is_known(&operational[i]) && !is_for_any_stage(t.key))
            wrong = try_offer(r, SECURITY, &t);
    }
    for (size_t i = 0; i < COUNT_OF(security) && wrong == NULL; i++) {
        struct trial t = security[i];
        t.answer = ends;
        wrong = try_offer(r, OPERATIONAL, &t);
    }
    return wrong;
}

static const char *discovery_keys(struct raw *r)
{
    const char *value;

    for (size_t i = 0; i < COUNT_OF(irrelevant); i++) {
        char key[64] = {0};
        memcpy(key, irrelevant[i], strcspn(irrelevant[i], "="));
        if (raw_connect(r) != 0)
            return "cannot connect";
        begin_login_bare(r);
        raw_text(&pdu, irrelevant[i]); /* before what makes it irrelevant */
        offer("InitiatorName", r->initiator);
        raw_text(&pdu, "SessionType=Discovery");
        if (login_status(r) != 0 || said(key, &value) != 1 ||
            strcmp(value, "Irrelevant") != 0)
            return irrelevant[i];
        raw_close(r);
    }
    return NULL;
}

/* --- twice --- */

/* What may be said again, if it says the same. */
static bool may_repeat(const char *key)
{
    return strcmp(key, "InitiatorName") == 0 || strcmp(key, "TargetName") == 0 ||
           strcmp(key, "SessionType") == 0 || strcmp(key, "InitiatorAlias") == 0;
}

static int repeat_at_once(struct raw *r, uint8_t stage, const struct trial *t)
{
    begin_login(r);
    pdu.bhs[1] = (uint8_t)(TRANSIT | stage | 3);
    offer(t->key, t->offer);
    offer(t->key, t->offer);
    return login_status(r);
}

static int repeat_later(struct raw *r, uint8_t stage, const struct trial *t)
{
    begin_login(r);
    pdu.bhs[1] = stage;
    offer(t->key, t->offer);
    if (login_status(r) != 0)
        return -1;
    begin_login_bare(r);
    pdu.bhs[1] = (uint8_t)(TRANSIT | stage | 3);
    offer(t->key, t->offer);
    return login_status(r);
}

static const char *repeat(struct raw *r, uint8_t stage, const struct trial *t)
{
    static int (*const ways[])(struct raw * r, uint8_t stage,
                               const struct trial *t) = {repeat_at_once, repeat_later};

    if (t->answer == ends || !is_known(t))
        return NULL;
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        if (raw_connect(r) != 0)
            return "cannot connect";
        int status = ways[i](r, stage, t);
        raw_close(r);
        if (status != (may_repeat(t->key) ? 0 : INITIATOR_ERROR))
            return complain(t->key, t->offer, "repeated, is answered otherwise");
    }
    return NULL;
}

static const char *repeated_keys(struct raw *r)
{
    const char *wrong = NULL, *last = "";

    for (size_t i = 0; i < COUNT_OF(operational) && wrong == NULL; i++) {
        if (strcmp(last, operational[i].key) != 0) /* the first one of each key */
            wrong = repeat(r, OPERATIONAL, &operational[i]);
        last = operational[i].key;
    }
    return wrong != NULL ? wrong : repeat(r, SECURITY, &security[0]);
}

/* --- syntax: RFC 7143, 6.1 --- */

static const char *syntax(struct raw *r)
{
    static const struct {
        const char *text;
        size_t bytes;
        bool good;
    } cases[] = {
        {"=4096", 6, false},
        {"MaxBurstLength", 15, false},
        {"MaxBurstLength\0=4096", 21, false},
        {"Max BurstLength=4096", 21, false},
        {"1MaxBurstLength=4096", 21, false},
        {"MaxBurstLength=4096", 19, false}, /* no NUL */
        {"\0\0\0MaxBurstLength=4096", 23, true},
        {"MaxBurstLength=4096\0\0\0\0\0\0", 26, true},
        {"Z-9.b+c@d_e=\x01\x7f", 15, true}, /* no key of ours, but a key */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (raw_connect(r) != 0)
            return "cannot connect";
        begin_login(r);
        memcpy(pdu.data + pdu.data_bytes, cases[i].text, cases[i].bytes);
        pdu.data_bytes += cases[i].bytes;
        int status = login_status(r);
        raw_close(r);
        if (status != (cases[i].good ? 0 : INITIATOR_ERROR))
            return complain("text", cases[i].text, "is judged otherwise");
    }
    return NULL;
}

static int login_with(struct raw *r, char letter, size_t key_bytes, size_t value_bytes)
{
    if (raw_connect(r) != 0)
        return -3;
    begin_login(r);
    memset(pdu.data + pdu.data_bytes, letter, key_bytes);
    pdu.data[pdu.data_bytes + key_bytes] = '=';
    memset(pdu.data + pdu.data_bytes + key_bytes + 1, 'v', value_bytes);
    pdu.data_bytes += key_bytes + value_bytes + 2;
    pdu.data[pdu.data_bytes - 1] = '\0';
    int status = login_status(r);
    raw_close(r);
    return status;
}

/* A key has at most 63 bytes; a value that nobody understands may be long. */
static const char *lengths(struct raw *r)
{
    if (login_with(r, 'K', 63, 1) != 0)
        return "a key of 63 bytes ends the login";
    if (login_with(r, 'K', 64, 1) != INITIATOR_ERROR)
        return "a key of 64 bytes is taken";
    return login_with(r, 'K', 3, 7000) == 0 ? NULL : "a value of 7,000 bytes is not read";
}

/* 13.5: case does not matter in names; 223 bytes are the most. */
static const char *names(struct raw *r)
{
    char name[300];
    int status;

    for (size_t bytes = 223; bytes <= 224; bytes++) {
        memset(name, 'n', bytes);
        memcpy(name, "iqn.2026-01.test:", 17);
        name[bytes] = '\0';
        if (raw_connect(r) != 0)
            return "cannot connect";
        begin_login_bare(r);
        offer("InitiatorName", name);
        offer("TargetName", r->target);
        status = login_status(r);
        raw_close(r);
        if (status != (bytes == 223 ? FORBIDDEN : INITIATOR_ERROR))
            return bytes == 223 ? "a name of 223 bytes is none" : "one of 224 is one";
    }
    snprintf(name, sizeof(name), "IQN%s", r->initiator + 3);
    if (raw_connect(r) != 0)
        return "cannot connect";
    begin_login_bare(r);
    offer("InitiatorName", name);
    offer("TargetName", r->target);
    return login_status(r) == 0 ? ping(r, 4) : "case matters in an initiator's name";
}

/* --- in full feature phase --- */

/* The answer to a text request, RAW_REJECT, or what else came. */
static int text_request(struct raw *r, const char *key, const char *value)
{
    raw_begin(r, &pdu, RAW_TEXT);
    offer(key, value);
    return raw_send(r, &pdu) ? raw_recv(r, &answer, ANSWER_MS) : RAW_CLOSED;
}

static const char *full_feature_keys(struct raw *r)
{
    static const struct trial trials[] = {
        {"MaxRecvDataSegmentLength", "1024", nothing},
        {"InitiatorAlias", "again", nothing},
        {"X-com.example.speed", "1", "NotUnderstood"},
        {"Nonsense", "1", "NotUnderstood"},
    };
    const char *wrong = open_session(r);

    for (size_t i = 0; i < COUNT_OF(trials) && wrong == NULL; i++) {
        const struct trial *t = &trials[i];
        if (text_request(r, t->key, t->offer) != RAW_TEXT_RSP)
            return complain(t->key, t->offer, "is not answered");
        wrong = judge(t, 0);
    }
    if (wrong != NULL)
        return wrong;
    if (text_request(r, "MaxRecvDataSegmentLength", "511") != RAW_REJECT ||
        answer.bhs[2] != PROTOCOL_ERROR)
        return "a length that may not be is taken";
    return ping(r, 4);
}

/* 13: what is of the login alone. */
static const char *login_only_keys(struct raw *r)
{
    const char *wrong = open_session(r), *last = "";

    for (size_t i = 0; i < COUNT_OF(operational) && wrong == NULL; i++) {
        const struct trial *t = &operational[i];
        bool any = strcmp(t->key, "MaxRecvDataSegmentLength") == 0 ||
                   strcmp(t->key, "SendTargets") == 0 ||
                   strcmp(t->key, "InitiatorAlias") == 0 ||
                   strcmp(t->key, "X#NodeArchitecture") == 0;
        if (any || !is_known(t) || strcmp(last, t->key) == 0)
            continue;
        last = t->key;
        if (text_request(r, t->key, t->offer) != RAW_REJECT ||
            answer.bhs[2] != PROTOCOL_ERROR)
            wrong = complain(t->key, t->offer, "is not rejected in full feature phase");
    }
    return wrong != NULL ? wrong : unit_ready(r);
}

/* --- the list --- */

static const struct scene scenes[] = {
    {"operational-keys", operational_keys},
    {"security-keys", security_keys},
    {"stages-of-keys", stages_of_keys},
    {"discovery-keys", discovery_keys},
    {"repeated-keys", repeated_keys},
    {"syntax", syntax},
    {"lengths", lengths},
    {"names", names},
    {"full-feature-keys", full_feature_keys},
    {"login-only-keys", login_only_keys},
};

int main(int argc, char **argv)
{
    return scenes_main(argc, argv, "ashlar-keys", scenes, COUNT_OF(scenes));
}
