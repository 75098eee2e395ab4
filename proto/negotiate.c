/* SPDX-License-Identifier: Apache-2.0 */
/* The keys as a table, and one function a kind of key: RFC 7143, 6.2 and 13. A value that
 * may not be is answered Reject and changes nothing; what breaks the rules of negotiation
 * itself ends it. One connection's thread. */
#include "proto/negotiate.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct params_offer params_offer_default = {
    .header_digests = DIGEST_NONE | DIGEST_CRC32C,
    .data_digests = DIGEST_NONE | DIGEST_CRC32C,
    .max_recv_bytes = 262144,
    .max_burst_bytes = 1048576,
    .first_burst_bytes = 262144,
    .max_outstanding_r2t = 16,
    .time2wait_s = 2,
    .time2retain_s = 0,
    .initial_r2t = false,
    .immediate_data = true,
};

static const struct params params_default = {
    .max_recv_bytes = MAX_RECV_BYTES_DEFAULT,
    .max_send_bytes = MAX_RECV_BYTES_DEFAULT,
    .max_burst_bytes = 262144,
    .first_burst_bytes = 65536,
    .max_outstanding_r2t = 1,
    .max_connections = 1,
    .error_recovery_level = 0,
    .protocol_level = 1,
    .time2wait_s = 2,
    .time2retain_s = 20,
    .initial_r2t = true,
    .immediate_data = true,
    .data_pdu_in_order = true,
    .data_sequence_in_order = true,
    .task_reporting = "RFC3720",
};

enum key_phase { IN_SECURITY = 1, IN_OPERATIONAL = 2, IN_FULL_FEATURE = 4 };
#define IN_LOGIN (IN_SECURITY | IN_OPERATIONAL)
#define IN_ALL   (IN_LOGIN | IN_FULL_FEATURE)

/* Names may come again in the operational stage: libiscsi (QEMU with it) does so after
 * CHAP. They may not change. */
enum key_is { LEADING_ONLY = 1, NORMAL_ONLY = 2, REPEATS = 4 };

/* Takes a value, appends the answer. 0, or -EPROTO. */
struct key_rule;
typedef int (*key_fn)(struct negotiation *n, const struct key_rule *rule,
                      const char *value, struct wire *out);

struct key_rule {
    const char *name;
    key_fn take;
    unsigned phases; /* where it may be sent: enum key_phase */
    unsigned is;     /* enum key_is */
    uint32_t low, high;
    size_t result; /* offset: in struct params, or of text in struct declared */
    size_t ours;   /* offset in struct params_offer, or the value itself for fixed ones */
    size_t text_bytes;
};

static int reject(const struct key_rule *rule, struct wire *out)
{
    key_put(out, rule->name, "Reject");
    return 0;
}

/* ---- declarations: no answer ---- */

/* What was said before stays: the same again, or an end to it. */
static int keep_text(const struct key_rule *rule, char *kept, const char *value)
{
    if (kept[0] != '\0' && strcmp(kept, value) != 0)
        return -EPROTO;
    if (strlen(value) >= rule->text_bytes)
        return -EPROTO;
    memcpy(kept, value, strlen(value) + 1);
    return 0;
}

static int take_text(struct negotiation *n, const struct key_rule *rule,
                     const char *value, struct wire *out)
{
    (void)out;
    return keep_text(rule, (char *)&n->said + rule->result, value);
}

/* An offer that offers nothing has no answer. */
static int take_list(struct negotiation *n, const struct key_rule *rule,
                     const char *value, struct wire *out)
{
    return value[0] == '\0' ? -EPROTO : take_text(n, rule, value, out);
}

static int take_node_name(struct negotiation *n, const struct key_rule *rule,
                          const char *value, struct wire *out)
{
    char name[NODE_NAME_MAX + 1];
    (void)out;
    if (key_node_name(value, name) != 0)
        return -EPROTO;
    return keep_text(rule, (char *)&n->said + rule->result, name);
}

static int take_session_type(struct negotiation *n, const struct key_rule *rule,
                             const char *value, struct wire *out)
{
    bool discovery = strcmp(value, "Discovery") == 0;
    (void)rule;
    (void)out;
    if (!discovery && strcmp(value, "Normal") != 0)
        return -EPROTO;
    if (n->said.session_type && discovery != n->said.discovery)
        return -EPROTO;
    n->said.discovery = discovery;
    n->said.session_type = true;
    return 0;
}

static int take_send_targets(struct negotiation *n, const struct key_rule *rule,
                             const char *value, struct wire *out)
{
    n->said.send_targets_asked = true;
    return take_text(n, rule, value, out);
}

static int take_max_recv(struct negotiation *n, const struct key_rule *rule,
                         const char *value, struct wire *out)
{
    uint64_t v;
    (void)out;
    if (key_number(value, &v) != 0 || v < rule->low || v > rule->high)
        return -EPROTO; /* a Reject would stand beside what we declare */
    n->params.max_send_bytes = (uint32_t)v;
    return 0;
}

static int take_nothing(struct negotiation *n, const struct key_rule *rule,
                        const char *value, struct wire *out)
{
    (void)n;
    (void)rule;
    (void)value;
    (void)out;
    return 0;
}

/* A key that only a target sends. */
static int refuse(struct negotiation *n, const struct key_rule *rule, const char *value,
                  struct wire *out)
{
    (void)n;
    (void)rule;
    (void)value;
    (void)out;
    return -EPROTO;
}

/* ---- negotiations: one answer ---- */

static int take_number(struct negotiation *n, const struct key_rule *rule,
                       const char *value, struct wire *out, uint32_t ours, bool smaller)
{
    uint64_t v;
    if (key_number(value, &v) != 0 || v < rule->low || v > rule->high)
        return reject(rule, out);
    uint32_t theirs = (uint32_t)v;
    uint32_t result = (theirs < ours) == smaller ? theirs : ours;
    memcpy((char *)&n->params + rule->result, &result, sizeof(result));
    key_put_number(out, rule->name, result);
    return 0;
}

static uint32_t our_number(const struct negotiation *n, const struct key_rule *rule)
{
    uint32_t ours;
    memcpy(&ours, (const char *)n->ours + rule->ours, sizeof(ours));
    return ours;
}

static int take_min(struct negotiation *n, const struct key_rule *rule, const char *value,
                    struct wire *out)
{
    return take_number(n, rule, value, out, our_number(n, rule), true);
}

static int take_max(struct negotiation *n, const struct key_rule *rule, const char *value,
                    struct wire *out)
{
    return take_number(n, rule, value, out, our_number(n, rule), false);
}

/* The smaller of theirs and what we alone can do. */
static int take_min_fixed(struct negotiation *n, const struct key_rule *rule,
                          const char *value, struct wire *out)
{
    return take_number(n, rule, value, out, (uint32_t)rule->ours, true);
}

static int set_bool(struct negotiation *n, const struct key_rule *rule, bool result,
                    struct wire *out)
{
    memcpy((char *)&n->params + rule->result, &result, sizeof(result));
    key_put_bool(out, rule->name, result);
    return 0;
}

static bool our_bool(const struct negotiation *n, const struct key_rule *rule)
{
    bool ours;
    memcpy(&ours, (const char *)n->ours + rule->ours, sizeof(ours));
    return ours;
}

static int take_or(struct negotiation *n, const struct key_rule *rule, const char *value,
                   struct wire *out)
{
    bool theirs;
    if (key_bool(value, &theirs) != 0)
        return reject(rule, out);
    return set_bool(n, rule, theirs || our_bool(n, rule), out);
}

static int take_and(struct negotiation *n, const struct key_rule *rule, const char *value,
                    struct wire *out)
{
    bool theirs;
    if (key_bool(value, &theirs) != 0)
        return reject(rule, out);
    return set_bool(n, rule, theirs && our_bool(n, rule), out);
}

/* Data comes in order here: Yes, whatever is offered (the function is OR). */
static int take_or_yes(struct negotiation *n, const struct key_rule *rule,
                       const char *value, struct wire *out)
{
    bool theirs;
    if (key_bool(value, &theirs) != 0)
        return reject(rule, out);
    return set_bool(n, rule, true, out);
}

/* What we never do: markers (13, obsoleted keys), RDMA. */
static int take_no(struct negotiation *n, const struct key_rule *rule, const char *value,
                   struct wire *out)
{
    bool theirs;
    (void)n;
    if (key_bool(value, &theirs) != 0)
        return reject(rule, out);
    key_put_bool(out, rule->name, false);
    return 0;
}

static int take_reject(struct negotiation *n, const struct key_rule *rule,
                       const char *value, struct wire *out)
{
    (void)n;
    (void)value;
    return reject(rule, out);
}

static unsigned digest_of(const char *item, size_t bytes)
{
    if (bytes == 4 && memcmp(item, "None", 4) == 0)
        return DIGEST_NONE;
    return bytes == 6 && memcmp(item, "CRC32C", 6) == 0 ? DIGEST_CRC32C : 0;
}

/* The first of their list, in their order, that we take. */
static int take_digest(struct negotiation *n, const struct key_rule *rule,
                       const char *value, struct wire *out)
{
    unsigned ours;
    memcpy(&ours, (const char *)n->ours + rule->ours, sizeof(ours));
    const char *at = value, *item;
    size_t bytes;
    while (key_list_next(&at, &item, &bytes)) {
        unsigned digest = digest_of(item, bytes);
        if ((digest & ours) == 0)
            continue;
        bool crc = digest == DIGEST_CRC32C;
        memcpy((char *)&n->params + rule->result, &crc, sizeof(crc));
        key_put(out, rule->name, crc ? "CRC32C" : "None");
        return 0;
    }
    return reject(rule, out);
}

/* A session of one connection fences its responses by their order: RFC 7143, 4.2.2.3.
 * FastAbort would want an asynchronous message to third parties. */
static const char *task_reporting_of(const char *item, size_t bytes)
{
    static const char *const ours[] = {"RFC3720", "ResponseFence"};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        if (bytes == strlen(ours[i]) && memcmp(item, ours[i], bytes) == 0)
            return ours[i];
    }
    return NULL;
}

/* The first of their list that we take: 13.23. */
static int take_task_reporting(struct negotiation *n, const struct key_rule *rule,
                               const char *value, struct wire *out)
{
    const char *at = value, *item;
    size_t bytes;
    while (key_list_next(&at, &item, &bytes)) {
        const char *ours = task_reporting_of(item, bytes);
        if (ours == NULL)
            continue;
        n->params.task_reporting = ours;
        key_put(out, rule->name, ours);
        return 0;
    }
    return reject(rule, out);
}

#define RESULT(member) offsetof(struct params, member)
#define OURS(member)   offsetof(struct params_offer, member)
#define SAID(member)                                                                     \
    .result = offsetof(struct declared, member),                                         \
    .text_bytes = sizeof(((struct declared *)0)->member)
#define SESSION_WIDE IN_OPERATIONAL, LEADING_ONLY | NORMAL_ONLY

/* clang-format off */
static const struct key_rule rules[] = {
    /* name, function, where, whose session, lowest, highest, result, ours */
    {"InitiatorName", take_node_name, IN_LOGIN, REPEATS, SAID(initiator_name)},
    {"InitiatorAlias", take_text, IN_ALL, REPEATS, SAID(initiator_alias)},
    {"TargetName", take_node_name, IN_LOGIN, REPEATS, SAID(target_name)},
    {"SessionType", take_session_type, IN_LOGIN, LEADING_ONLY | REPEATS, 0, 0, 0, 0, 0},
    {"AuthMethod", take_list, IN_SECURITY, 0, SAID(auth_method)},
    {"CHAP_A", take_text, IN_SECURITY, 0, SAID(chap.a)},
    {"CHAP_I", take_text, IN_SECURITY, 0, SAID(chap.i)},
    {"CHAP_C", take_text, IN_SECURITY, 0, SAID(chap.c)},
    {"CHAP_N", take_text, IN_SECURITY, 0, SAID(chap.n)},
    {"CHAP_R", take_text, IN_SECURITY, 0, SAID(chap.r)},
    {"SendTargets", take_send_targets, IN_FULL_FEATURE, 0, SAID(send_targets)},
    {"TargetAlias", refuse, IN_ALL, 0, 0, 0, 0, 0, 0},
    {"TargetAddress", refuse, IN_ALL, 0, 0, 0, 0, 0, 0},
    {"TargetPortalGroupTag", refuse, IN_ALL, 0, 0, 0, 0, 0, 0},
    {"X#NodeArchitecture", take_nothing, IN_ALL, 0, 0, 0, 0, 0, 0},
    {"HeaderDigest", take_digest, IN_OPERATIONAL, 0, 0, 0,
        RESULT(header_digest), OURS(header_digests), 0},
    {"DataDigest", take_digest, IN_OPERATIONAL, 0, 0, 0,
        RESULT(data_digest), OURS(data_digests), 0},
    {"MaxRecvDataSegmentLength", take_max_recv, IN_OPERATIONAL | IN_FULL_FEATURE, 0,
        512, 0xffffff, 0, 0, 0},
    {"MaxConnections", take_min_fixed, SESSION_WIDE, 1, 65535,
        RESULT(max_connections), 1, 0},
    {"InitialR2T", take_or, SESSION_WIDE, 0, 0,
        RESULT(initial_r2t), OURS(initial_r2t), 0},
    {"ImmediateData", take_and, SESSION_WIDE, 0, 0,
        RESULT(immediate_data), OURS(immediate_data), 0},
    {"MaxBurstLength", take_min, SESSION_WIDE, 512, 0xffffff,
        RESULT(max_burst_bytes), OURS(max_burst_bytes), 0},
    {"FirstBurstLength", take_min, SESSION_WIDE, 512, 0xffffff,
        RESULT(first_burst_bytes), OURS(first_burst_bytes), 0},
    {"DefaultTime2Wait", take_max, IN_OPERATIONAL, LEADING_ONLY, 0, 3600,
        RESULT(time2wait_s), OURS(time2wait_s), 0},
    {"DefaultTime2Retain", take_min, IN_OPERATIONAL, LEADING_ONLY, 0, 3600,
        RESULT(time2retain_s), OURS(time2retain_s), 0},
    {"MaxOutstandingR2T", take_min, SESSION_WIDE, 1, 65535,
        RESULT(max_outstanding_r2t), OURS(max_outstanding_r2t), 0},
    {"DataPDUInOrder", take_or_yes, SESSION_WIDE, 0, 0, RESULT(data_pdu_in_order), 0, 0},
    {"DataSequenceInOrder", take_or_yes, SESSION_WIDE, 0, 0,
        RESULT(data_sequence_in_order), 0, 0},
    {"ErrorRecoveryLevel", take_min_fixed, IN_OPERATIONAL, LEADING_ONLY, 0, 2,
        RESULT(error_recovery_level), 0, 0},
    {"iSCSIProtocolLevel", take_min_fixed, SESSION_WIDE, 0, 31,
        RESULT(protocol_level), PROTOCOL_LEVEL_RFC7144, 0},
    {"TaskReporting", take_task_reporting, SESSION_WIDE, 0, 0, 0, 0, 0},
    {"OFMarker", take_no, IN_OPERATIONAL, 0, 0, 0, 0, 0, 0},
    {"IFMarker", take_no, IN_OPERATIONAL, 0, 0, 0, 0, 0, 0},
    {"OFMarkInt", take_reject, IN_OPERATIONAL, 0, 0, 0, 0, 0, 0},
    {"IFMarkInt", take_reject, IN_OPERATIONAL, 0, 0, 0, 0, 0, 0},
    {"RDMAExtensions", take_no, IN_OPERATIONAL, LEADING_ONLY, 0, 0, 0, 0, 0},
};
/* clang-format on */
static_assert(ARRAY_LEN(rules) <= 64, "negotiation.seen has a bit for each");

void negotiation_init(struct negotiation *n, const struct params_offer *ours,
                      bool leading)
{
    *n = (struct negotiation){.ours = ours, .params = params_default, .leading = leading};
}

void negotiation_restart(struct negotiation *n)
{
    n->seen = 0;
    n->said.send_targets_asked = false;
    n->said.send_targets[0] = '\0';
}

static const struct key_rule *rule_find(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (strcmp(rules[i].name, key) == 0)
            return &rules[i];
    }
    return NULL;
}

static unsigned phase_bit(enum negotiate_phase phase)
{
    switch (phase) {
    case NEGOTIATE_LOGIN_SECURITY:
        return IN_SECURITY;
    case NEGOTIATE_LOGIN_OPERATIONAL:
        return IN_OPERATIONAL;
    case NEGOTIATE_FULL_FEATURE:
        return IN_FULL_FEATURE;
    }
    return 0;
}

int negotiate_offer(struct negotiation *n, enum negotiate_phase phase, const char *key,
                    const char *value, struct wire *out)
{
    const struct key_rule *rule = rule_find(key);
    if (rule == NULL) {
        key_put(out, key, "NotUnderstood");
        return 0;
    }
    uint64_t bit = (uint64_t)1 << (rule - rules);
    bool again = (n->seen & bit) != 0 && (rule->is & REPEATS) == 0;
    if (again || (rule->phases & phase_bit(phase)) == 0)
        return -EPROTO;
    if ((rule->is & LEADING_ONLY) != 0 && !n->leading)
        return -EPROTO;
    n->seen |= bit;
    if ((rule->is & NORMAL_ONLY) != 0 && n->said.discovery) {
        key_put(out, key, "Irrelevant");
        return 0;
    }
    return rule->take(n, rule, value, out);
}

/* One pass over the text: the session type alone, or all but it. */
static int negotiate_pass(struct negotiation *n, enum negotiate_phase phase,
                          const void *text, size_t bytes, bool session_type,
                          struct wire *out)
{
    struct key_iter it;
    struct key_pair pair;
    int rc;
    key_iter_init(&it, text, bytes);
    while ((rc = key_next(&it, &pair)) > 0) {
        if ((strcmp(pair.key, "SessionType") == 0) != session_type)
            continue;
        rc = negotiate_offer(n, phase, pair.key, pair.value, out);
        if (rc != 0)
            return rc;
    }
    return rc;
}

int negotiate_text(struct negotiation *n, enum negotiate_phase phase, const void *text,
                   size_t bytes, struct wire *out)
{
    int rc = negotiate_pass(n, phase, text, bytes, true, out);
    if (rc == 0)
        rc = negotiate_pass(n, phase, text, bytes, false, out);
    return rc == 0 ? wire_rc(out) : rc;
}

void negotiate_declare(struct negotiation *n, struct wire *out)
{
    if (n->declared_max_recv)
        return;
    n->declared_max_recv = true;
    n->params.max_recv_bytes = n->ours->max_recv_bytes;
    key_put_number(out, "MaxRecvDataSegmentLength", n->ours->max_recv_bytes);
}

void negotiate_put_target(uint16_t portal_group_tag, const char *alias, struct wire *out)
{
    key_put_number(out, "TargetPortalGroupTag", portal_group_tag);
    if (alias != NULL)
        key_put(out, "TargetAlias", alias);
}
