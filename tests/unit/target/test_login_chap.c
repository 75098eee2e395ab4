/* SPDX-License-Identifier: Apache-2.0 */
/* target/login_chap.h: what each step of the exchange takes and what ends it. That the
 * digests are right is test_chap.c's; here the target's own stand for the initiator's. */
#include "tests/unit/proto/unit.h"

#include "target/login_chap.h"

#include <stdio.h>

static const struct auth credentials = {
    .chap = true,
    .user = "hv1",
    .secret = {.bytes = 16, .value = "initiator-secret"},
    .mutual_user = "box",
    .mutual_secret = {.bytes = 15, .value = "target-secret-1"},
};

static struct login_chap exchange;
static struct chap_said said;
static uint8_t answer_text[4096];
static struct wire answer;
static const char *why;

static int begin(void **state)
{
    (void)state;
    exchange = (struct login_chap){.state = LOGIN_CHAP_UNUSED};
    said = (struct chap_said){.a = ""};
    login_chap_begin(&exchange, &credentials);
    return 0;
}

static enum login_status take(void)
{
    wire_init(&answer, answer_text, sizeof(answer_text));
    return login_chap_take(&exchange, &said, &answer, &why);
}

static enum login_status offer(const char *list)
{
    snprintf(said.a, sizeof(said.a), "%s", list);
    return take();
}

static void put_hex(char *out, const uint8_t *data, size_t bytes)
{
    memcpy(out, "0x", 3);
    for (size_t i = 0; i < bytes; i++)
        snprintf(out + 2 + 2 * i, 3, "%02x", data[i]);
}

static enum login_status respond(const char *user, const struct secret *secret)
{
    uint8_t response[CHAP_DIGEST_MAX];
    size_t bytes = chap_digest_bytes(exchange.algorithm);
    assert_int_equal(chap_respond(exchange.algorithm, exchange.id, secret,
                                  exchange.challenge, bytes, response),
                     0);
    snprintf(said.n, sizeof(said.n), "%s", user);
    put_hex(said.r, response, bytes);
    return take();
}

static enum login_status prove(void)
{
    return respond(credentials.user, &credentials.secret);
}

static void each_algorithm_proves(void **state)
{
    static const char *const lists[] = {"5", "6", "7", "8", "5,6,7,8"};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        begin(state);
        assert_int_equal(offer(lists[i]), LOGIN_SUCCESS);
        assert_true(login_chap_is_open(&exchange));
        assert_false(login_chap_proves(&exchange, &credentials));
        assert_int_equal(prove(), LOGIN_SUCCESS);
        assert_false(login_chap_is_open(&exchange));
        assert_true(login_chap_proves(&exchange, &credentials));
        assert_int_equal(answer.at, 0);
        assert_int_equal(take(), LOGIN_SUCCESS);
    }
}

static void other_credentials_are_not_proven(void **state)
{
    struct auth other = credentials;
    (void)state;
    assert_int_equal(offer("7"), LOGIN_SUCCESS);
    assert_int_equal(prove(), LOGIN_SUCCESS);
    other.secret.value[0] ^= 1;
    assert_false(login_chap_proves(&exchange, &other));
    other = credentials;
    other.user[0] ^= 1;
    assert_false(login_chap_proves(&exchange, &other));
}

static void a_wrong_name_reads_as_a_wrong_secret(void **state)
{
    assert_int_equal(offer("7"), LOGIN_SUCCESS);
    assert_int_equal(respond("hv2", &credentials.secret), LOGIN_AUTH_FAILED);
    const char *name_why = why;
    begin(state);
    assert_int_equal(offer("7"), LOGIN_SUCCESS);
    assert_int_equal(respond("hv1", &credentials.mutual_secret), LOGIN_AUTH_FAILED);
    assert_ptr_equal(why, name_why);
    assert_int_equal(answer.at, 0);
}

static void algorithms_that_may_not_be_are_refused(void **state)
{
    assert_int_equal(offer("4,9"), LOGIN_AUTH_FAILED);
    begin(state);
    assert_int_equal(offer(""), LOGIN_AUTH_FAILED);
    begin(state);
    exchange.auth.forbid_md5 = true;
    assert_int_equal(offer("5"), LOGIN_AUTH_FAILED);
    begin(state);
    exchange.auth.forbid_md5 = true;
    assert_int_equal(offer("5,6"), LOGIN_SUCCESS);
    assert_int_equal(exchange.algorithm, CHAP_SHA1);
}

static void keys_out_of_their_turn_are_refused(void **state)
{
    memcpy(said.r, "0x00", 5);
    assert_int_equal(offer("5"), LOGIN_INITIATOR_ERROR);
    begin(state);
    exchange.state = LOGIN_CHAP_UNUSED;
    assert_int_equal(offer("5"), LOGIN_INITIATOR_ERROR);
    begin(state);
    assert_int_equal(offer("5"), LOGIN_SUCCESS);
    assert_int_equal(prove(), LOGIN_SUCCESS);
    memcpy(said.i, "1", 2);
    memcpy(said.c, "0x0102", 7);
    assert_int_equal(take(), LOGIN_INITIATOR_ERROR);
}

static void a_response_is_whole(void **state)
{
    static const char *const bad[] = {
        "", "0x00", "0xzz", "00", "0b", "0x000102030405060708090a0b0c0d0e0f10"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        begin(state);
        assert_int_equal(offer("5"), LOGIN_SUCCESS);
        snprintf(said.n, sizeof(said.n), "hv1");
        snprintf(said.r, sizeof(said.r), "%s", bad[i]);
        assert_int_equal(take(), LOGIN_AUTH_FAILED);
    }
}

static void we_prove_our_secret_when_asked(void **state)
{
    static const uint8_t challenge[] = {1, 2, 3};
    uint8_t response[CHAP_DIGEST_MAX];
    char text[200], hex[80];
    (void)state;
    assert_int_equal(offer("7"), LOGIN_SUCCESS);
    memcpy(said.i, "255", 4);
    memcpy(said.c, "0x010203", 9);
    assert_int_equal(prove(), LOGIN_SUCCESS);
    assert_true(exchange.mutual);
    assert_int_equal(chap_respond(CHAP_SHA256, 255, &credentials.mutual_secret, challenge,
                                  sizeof(challenge), response),
                     0);
    put_hex(hex, response, 32);
    size_t bytes =
        (size_t)snprintf(text, sizeof(text), "CHAP_N=box%cCHAP_R=%s", 0, hex) + 1;
    assert_int_equal(answer.at, bytes);
    assert_memory_equal(answer.data, text, bytes);
    assert_int_equal(take(), LOGIN_SUCCESS);
}

static void our_secret_is_not_proven_to_just_anyone(void **state)
{
    static const struct {
        const char *id, *challenge;
        enum login_status status;
    } bad[] = {
        {"1", "", LOGIN_INITIATOR_ERROR},   {"", "0x01", LOGIN_INITIATOR_ERROR},
        {"256", "0x01", LOGIN_AUTH_FAILED}, {"1", "0xz", LOGIN_AUTH_FAILED},
        {"1", "0b", LOGIN_AUTH_FAILED},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        begin(state);
        assert_int_equal(offer("5"), LOGIN_SUCCESS);
        snprintf(said.i, sizeof(said.i), "%s", bad[i].id);
        snprintf(said.c, sizeof(said.c), "%s", bad[i].challenge);
        assert_int_equal(prove(), bad[i].status);
        assert_int_equal(answer.at, 0);
    }
    begin(state);
    assert_int_equal(offer("5"), LOGIN_SUCCESS);
    memcpy(said.i, "1", 2);
    memcpy(said.c, "0x01", 5);
    assert_int_equal(respond("hv1", &credentials.mutual_secret), LOGIN_AUTH_FAILED);
    assert_int_equal(answer.at, 0);
    begin(state);
    exchange.auth.mutual_user[0] = '\0';
    assert_int_equal(offer("5"), LOGIN_SUCCESS);
    memcpy(said.i, "1", 2);
    memcpy(said.c, "0x01", 5);
    assert_int_equal(prove(), LOGIN_AUTH_FAILED);
}

static void our_own_challenge_is_not_answered(void **state)
{
    (void)state;
    assert_int_equal(offer("7"), LOGIN_SUCCESS);
    memcpy(said.i, "1", 2);
    put_hex(said.c, exchange.challenge, 32);
    assert_int_equal(prove(), LOGIN_AUTH_FAILED);
    assert_int_equal(answer.at, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_algorithm_proves, begin),
        cmocka_unit_test_setup(other_credentials_are_not_proven, begin),
        cmocka_unit_test_setup(a_wrong_name_reads_as_a_wrong_secret, begin),
        cmocka_unit_test_setup(algorithms_that_may_not_be_are_refused, begin),
        cmocka_unit_test_setup(keys_out_of_their_turn_are_refused, begin),
        cmocka_unit_test_setup(a_response_is_whole, begin),
        cmocka_unit_test_setup(we_prove_our_secret_when_asked, begin),
        cmocka_unit_test_setup(our_secret_is_not_proven_to_just_anyone, begin),
        cmocka_unit_test_setup(our_own_challenge_is_not_answered, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
