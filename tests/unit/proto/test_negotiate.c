/* SPDX-License-Identifier: Apache-2.0 */
/* proto/negotiate.h: what real initiators offer ends in what both sides then hold, and
 * what breaks the rules of negotiation ends it. */
#include "tests/unit/proto/unit.h"

#include <stdio.h>

#include "proto/negotiate.h"
#include "tests/unit/proto/golden.h"

struct table {
    struct negotiation n;
    char text[4096];
    struct wire out;
};

static void table_init(struct table *t, bool leading)
{
    negotiation_init(&t->n, &params_offer_default, leading);
    wire_init(&t->out, t->text, sizeof(t->text));
}

#define OFFER(t, phase, text)                                                            \
    negotiate_text(&(t)->n, phase, text, sizeof(text) - 1, &(t)->out)

static void libiscsi_normal_login_is_agreed(void **state)
{
    struct table t;
    (void)state;
    table_init(&t, true);
    assert_int_equal(OFFER(&t, NEGOTIATE_LOGIN_SECURITY, golden_login_security_text), 0);
    assert_wire_text(&t.out, "");
    assert_string_equal(t.n.said.initiator_name, "iqn.2026-01.example.host:golden");
    assert_string_equal(t.n.said.target_name, "iqn.2026-01.example.ashlar:golden");
    assert_string_equal(t.n.said.auth_method, "CHAP,None");
    assert_false(t.n.said.discovery);

    /* It says its names again. */
    assert_int_equal(
        OFFER(&t, NEGOTIATE_LOGIN_OPERATIONAL, golden_login_operational_text), 0);
    negotiate_declare(&t.n, &t.out);
    negotiate_declare(&t.n, &t.out);
    assert_wire_text(&t.out, "HeaderDigest=None\0DataDigest=None\0InitialR2T=No\0"
                             "ImmediateData=Yes\0MaxBurstLength=262144\0"
                             "FirstBurstLength=262144\0DefaultTime2Wait=2\0"
                             "DefaultTime2Retain=0\0MaxOutstandingR2T=1\0"
                             "ErrorRecoveryLevel=0\0IFMarker=No\0OFMarker=No\0"
                             "MaxConnections=1\0DataPDUInOrder=Yes\0"
                             "DataSequenceInOrder=Yes\0"
                             "MaxRecvDataSegmentLength=262144\0");
    const struct params *p = &t.n.params;
    assert_false(p->header_digest || p->data_digest || p->initial_r2t);
    assert_true(p->immediate_data);
    assert_int_equal(p->max_send_bytes, 262144);
    assert_int_equal(p->max_recv_bytes, 262144);
    assert_int_equal(p->max_burst_bytes, 262144);
    assert_int_equal(p->first_burst_bytes, 262144);
    assert_int_equal(p->time2retain_s, 0);
}

static void qemu_login_is_agreed(void **state)
{
    struct table t;
    (void)state;
    table_init(&t, true);
    assert_int_equal(OFFER(&t, NEGOTIATE_LOGIN_OPERATIONAL, golden_login_qemu_text), 0);
    assert_string_equal(t.n.said.initiator_name, "iqn.2008-11.org.linux-kvm");
    assert_int_equal(t.n.params.max_send_bytes, 262144);
}

static void discovery_login_finds_burst_keys_irrelevant(void **state)
{
    struct table t;
    (void)state;
    table_init(&t, true);
    assert_int_equal(OFFER(&t, NEGOTIATE_LOGIN_OPERATIONAL, golden_login_discovery_text),
                     0);
    assert_true(t.n.said.discovery);
    assert_wire_text(&t.out, "HeaderDigest=None\0DataDigest=None\0InitialR2T=Irrelevant\0"
                             "ImmediateData=Irrelevant\0MaxBurstLength=Irrelevant\0"
                             "FirstBurstLength=Irrelevant\0DefaultTime2Wait=2\0"
                             "DefaultTime2Retain=0\0MaxOutstandingR2T=Irrelevant\0"
                             "ErrorRecoveryLevel=0\0IFMarker=No\0OFMarker=No\0"
                             "MaxConnections=Irrelevant\0DataPDUInOrder=Irrelevant\0"
                             "DataSequenceInOrder=Irrelevant\0");
    assert_int_equal(t.n.params.max_burst_bytes, 262144);
}

static void session_type_counts_wherever_it_stands(void **state)
{
    struct table t;
    (void)state;
    table_init(&t, true);
    assert_int_equal(OFFER(&t, NEGOTIATE_LOGIN_OPERATIONAL,
                           "MaxBurstLength=512\0SessionType=Discovery\0"),
                     0);
    assert_wire_text(&t.out, "MaxBurstLength=Irrelevant\0");
}

static void send_targets_is_kept_for_the_caller(void **state)
{
    struct table t;
    (void)state;
    table_init(&t, true);
    assert_int_equal(
        negotiate_text(&t.n, NEGOTIATE_FULL_FEATURE, golden_text_req + 48, 16, &t.out),
        0);
    assert_true(t.n.said.send_targets_asked);
    assert_string_equal(t.n.said.send_targets, "All");
    negotiation_restart(&t.n);
    assert_false(t.n.said.send_targets_asked);
    assert_int_equal(OFFER(&t, NEGOTIATE_FULL_FEATURE, "SendTargets=\0"), 0);
    assert_true(t.n.said.send_targets_asked);
    assert_string_equal(t.n.said.send_targets, "");
}

/* One key alone against params_offer_default. */
static void each_key_has_its_answer(void **state)
{
    static const struct {
        const char *key, *value, *answer; /* NULL: none */
    } cases[] = {
        {"HeaderDigest", "CRC32C,None", "CRC32C"},
        {"HeaderDigest", "None,CRC32C", "None"},
        {"HeaderDigest", "X-foo,CRC32C", "CRC32C"},
        {"DataDigest", "X-foo", "Reject"},
        {"DataDigest", "", "Reject"},
        {"MaxBurstLength", "16777215", "1048576"},
        {"MaxBurstLength", "0x200", "512"},
        {"MaxBurstLength", "511", "Reject"},
        {"MaxBurstLength", "16777216", "Reject"},
        {"MaxBurstLength", "many", "Reject"},
        {"FirstBurstLength", "65536", "65536"},
        {"MaxConnections", "8", "1"},
        {"MaxConnections", "0", "Reject"},
        {"MaxOutstandingR2T", "64", "16"},
        {"DefaultTime2Wait", "0", "2"},
        {"DefaultTime2Wait", "30", "30"},
        {"DefaultTime2Wait", "3601", "Reject"},
        {"DefaultTime2Retain", "20", "0"},
        {"ErrorRecoveryLevel", "2", "0"},
        {"ErrorRecoveryLevel", "3", "Reject"},
        {"InitialR2T", "No", "No"},
        {"InitialR2T", "Yes", "Yes"},
        {"InitialR2T", "Maybe", "Reject"},
        {"ImmediateData", "No", "No"},
        {"DataPDUInOrder", "No", "Yes"},
        {"DataSequenceInOrder", "No", "Yes"},
        {"IFMarker", "Yes", "No"},
        {"OFMarker", "No", "No"},
        {"OFMarkInt", "2048~8192", "Reject"},
        {"IFMarkInt", "2048", "Reject"},
        {"iSCSIProtocolLevel", "1", "1"},
        {"iSCSIProtocolLevel", "2", "2"},
        {"iSCSIProtocolLevel", "31", "2"},
        {"iSCSIProtocolLevel", "32", "Reject"},
        {"iSCSIProtocolLevel", "0", "0"},
        {"TaskReporting", "FastAbort,RFC3720", "RFC3720"},
        {"TaskReporting", "FastAbort,ResponseFence,RFC3720", "ResponseFence"},
        {"TaskReporting", "RFC3720,ResponseFence", "RFC3720"},
        {"TaskReporting", "FastAbort", "Reject"},
        {"RDMAExtensions", "Yes", "No"},
        {"MaxRecvDataSegmentLength", "16384", NULL},
        {"X#NodeArchitecture", "amd64", NULL},
        {"InitiatorAlias", "a box", NULL},
        {"X-com.example.key", "1", "NotUnderstood"},
        {"NoSuchKey", "Yes", "NotUnderstood"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct table t;
        char want[100] = "";
        table_init(&t, true);
        assert_int_equal(negotiate_offer(&t.n, NEGOTIATE_LOGIN_OPERATIONAL, cases[i].key,
                                         cases[i].value, &t.out),
                         0);
        if (cases[i].answer != NULL)
            snprintf(want, sizeof(want), "%s=%s", cases[i].key, cases[i].answer);
        wire_put_u8(&t.out, 0);
        assert_string_equal(t.text, want);
    }
}

static void refused_value_changes_nothing(void **state)
{
    struct table t;
    (void)state;
    table_init(&t, true);
    assert_int_equal(OFFER(&t, NEGOTIATE_LOGIN_OPERATIONAL,
                           "MaxConnections=0\0MaxBurstLength=x\0"
                           "HeaderDigest=SHA\0InitialR2T=maybe\0"),
                     0);
    struct negotiation fresh;
    negotiation_init(&fresh, &params_offer_default, true);
    assert_memory_equal(&t.n.params, &fresh.params, sizeof(fresh.params));
    assert_int_equal(fresh.params.max_send_bytes, 8192);
    assert_int_equal(fresh.params.max_recv_bytes, 8192);
}

static void broken_rules_end_the_negotiation(void **state)
{
    static const struct {
        enum negotiate_phase phase;
        bool leading;
        const char *text;
        size_t bytes;
    } cases[] = {
#define CASE(phase, leading, text) {phase, leading, text, sizeof(text) - 1}
        CASE(NEGOTIATE_LOGIN_OPERATIONAL, true,
             "MaxBurstLength=512\0MaxBurstLength=512\0"),
        CASE(NEGOTIATE_LOGIN_OPERATIONAL, true,
             "InitiatorName=iqn.a.b\0InitiatorName=iqn.a.c\0"),
        CASE(NEGOTIATE_LOGIN_OPERATIONAL, true, "InitiatorName=nobody\0"),
        CASE(NEGOTIATE_LOGIN_OPERATIONAL, true, "TargetName=\0"),
        CASE(NEGOTIATE_LOGIN_OPERATIONAL, true, "SessionType=Other\0"),
        CASE(NEGOTIATE_LOGIN_OPERATIONAL, true, "MaxRecvDataSegmentLength=511\0"),
        CASE(NEGOTIATE_FULL_FEATURE, true, "MaxRecvDataSegmentLength=16777216\0"),
        CASE(NEGOTIATE_LOGIN_OPERATIONAL, true,
             "SessionType=Normal\0SessionType=Discovery\0"),
        CASE(NEGOTIATE_LOGIN_OPERATIONAL, true, "AuthMethod=None\0"),
        CASE(NEGOTIATE_LOGIN_SECURITY, true, "AuthMethod=\0"),
        CASE(NEGOTIATE_LOGIN_SECURITY, true, "MaxBurstLength=512\0"),
        CASE(NEGOTIATE_LOGIN_OPERATIONAL, false, "MaxBurstLength=512\0"),
        CASE(NEGOTIATE_LOGIN_OPERATIONAL, true, "SendTargets=All\0"),
        CASE(NEGOTIATE_FULL_FEATURE, true, "MaxBurstLength=512\0"),
        CASE(NEGOTIATE_FULL_FEATURE, true, "InitiatorName=iqn.a.b\0"),
        CASE(NEGOTIATE_LOGIN_OPERATIONAL, true, "TargetPortalGroupTag=1\0"),
        CASE(NEGOTIATE_LOGIN_OPERATIONAL, true, "TargetAddress=192.0.2.1\0"),
        CASE(NEGOTIATE_LOGIN_OPERATIONAL, true, "no pair\0"),
        CASE(NEGOTIATE_LOGIN_OPERATIONAL, true, "MaxBurstLength=512"),
#undef CASE
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct table t;
        table_init(&t, cases[i].leading);
        int rc =
            negotiate_text(&t.n, cases[i].phase, cases[i].text, cases[i].bytes, &t.out);
        if (rc != -EPROTO)
            fail_msg("%s: %d", cases[i].text, rc);
    }
}

static void too_long_text_values_end_the_negotiation(void **state)
{
    static const char *const keys[] = {"InitiatorAlias", "AuthMethod", "CHAP_N",
                                       "CHAP_A"};
    char value[KEY_SIMPLE_MAX + 2];
    (void)state;
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct table t;
        table_init(&t, true);
        assert_int_equal(
            negotiate_offer(&t.n, NEGOTIATE_LOGIN_SECURITY, keys[i], value, &t.out),
            -EPROTO);
        assert_int_equal(
            negotiate_offer(&t.n, NEGOTIATE_LOGIN_SECURITY, "TargetName", value, &t.out),
            -EPROTO);
    }
}

static void chap_values_are_kept_as_text(void **state)
{
    struct table t;
    (void)state;
    table_init(&t, true);
    assert_int_equal(OFFER(&t, NEGOTIATE_LOGIN_SECURITY, "CHAP_A=5,7\0"), 0);
    assert_int_equal(OFFER(&t, NEGOTIATE_LOGIN_SECURITY,
                           "CHAP_N=user\0CHAP_R=0x0102\0CHAP_I=7\0CHAP_C=0bZm9v\0"),
                     0);
    assert_wire_text(&t.out, "");
    assert_string_equal(t.n.said.chap.a, "5,7");
    assert_string_equal(t.n.said.chap.n, "user");
    assert_string_equal(t.n.said.chap.r, "0x0102");
    assert_string_equal(t.n.said.chap.i, "7");
    assert_string_equal(t.n.said.chap.c, "0bZm9v");
}

static void answers_that_do_not_fit_are_told(void **state)
{
    struct table t;
    (void)state;
    table_init(&t, true);
    wire_init(&t.out, t.text, 10);
    assert_int_equal(OFFER(&t, NEGOTIATE_LOGIN_OPERATIONAL, "MaxBurstLength=512\0"),
                     -ENOSPC);
}

static void data_segment_length_may_change_in_full_feature_phase(void **state)
{
    struct table t;
    (void)state;
    table_init(&t, true);
    assert_int_equal(
        OFFER(&t, NEGOTIATE_LOGIN_OPERATIONAL, "MaxRecvDataSegmentLength=65536\0"), 0);
    negotiation_restart(&t.n);
    assert_int_equal(OFFER(&t, NEGOTIATE_FULL_FEATURE, "MaxRecvDataSegmentLength=4096\0"),
                     0);
    assert_int_equal(t.n.params.max_send_bytes, 4096);
}

static void target_declares_its_group(void **state)
{
    struct table t;
    (void)state;
    table_init(&t, true);
    negotiate_put_target(1, "box", &t.out);
    assert_wire_text(&t.out, "TargetPortalGroupTag=1\0TargetAlias=box\0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libiscsi_normal_login_is_agreed),
        cmocka_unit_test(qemu_login_is_agreed),
        cmocka_unit_test(discovery_login_finds_burst_keys_irrelevant),
        cmocka_unit_test(session_type_counts_wherever_it_stands),
        cmocka_unit_test(send_targets_is_kept_for_the_caller),
        cmocka_unit_test(each_key_has_its_answer),
        cmocka_unit_test(refused_value_changes_nothing),
        cmocka_unit_test(broken_rules_end_the_negotiation),
        cmocka_unit_test(too_long_text_values_end_the_negotiation),
        cmocka_unit_test(chap_values_are_kept_as_text),
        cmocka_unit_test(answers_that_do_not_fit_are_told),
        cmocka_unit_test(data_segment_length_may_change_in_full_feature_phase),
        cmocka_unit_test(target_declares_its_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
