/* SPDX-License-Identifier: Apache-2.0 */
/* target/chap.h against digests that Python's hashlib made:
 *   hashlib.new(NAME, bytes([0x2a]) + b"ashlar-secret-01" + bytes(range(BYTES)))
 * where BYTES is the digest's length, of the challenge too. */
#include "tests/unit/proto/unit.h"

#include "target/chap.h"

static const uint8_t challenge[CHAP_DIGEST_MAX] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

static const struct secret secret = {.bytes = 16, .value = "ashlar-secret-01"};

static const struct {
    enum chap_algorithm algorithm;
    const char *response;
} vectors[] = {
    {CHAP_MD5, "0xcc0c988514a46a2067c4515bcf9aeb99"},
    {CHAP_SHA1, "0x8089c24690ce6e1b6f0726ac8393cfef464b5ebc"},
    {CHAP_SHA256, "0xb1bb1f0da49d1c3d9f4805770b73e4022f3a211907af760149e40341655af379"},
    {CHAP_SHA3_256, "0x9a9a345ccc856365e2270b9636700f747f91ead8421d5f582f2ad69428b2817c"},
};

static void responses_are_those_of_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        enum chap_algorithm algorithm = vectors[i].algorithm;
        uint8_t want[CHAP_DIGEST_MAX], got[CHAP_DIGEST_MAX];
        size_t bytes;
        assert_int_equal(chap_value(vectors[i].response, want, sizeof(want), &bytes), 0);
        assert_int_equal(chap_digest_bytes(algorithm), bytes);
        assert_int_equal(chap_respond(algorithm, 0x2a, &secret, challenge, bytes, got),
                         0);
        assert_true(chap_equal(got, want, bytes));
    }
}

static void every_part_counts(void **state)
{
    struct secret other = secret;
    uint8_t want[CHAP_DIGEST_MAX], got[CHAP_DIGEST_MAX];
    (void)state;
    other.value[15] ^= 1;
    assert_int_equal(chap_respond(CHAP_MD5, 1, &secret, challenge, 16, want), 0);
    assert_int_equal(chap_respond(CHAP_MD5, 2, &secret, challenge, 16, got), 0);
    assert_false(chap_equal(got, want, 16));
    assert_int_equal(chap_respond(CHAP_MD5, 1, &other, challenge, 16, got), 0);
    assert_false(chap_equal(got, want, 16));
    assert_int_equal(chap_respond(CHAP_MD5, 1, &secret, challenge, 15, got), 0);
    assert_false(chap_equal(got, want, 16));
}

static void challenges_differ(void **state)
{
    uint8_t a[CHAP_DIGEST_MAX], b[CHAP_DIGEST_MAX];
    (void)state;
    assert_int_equal(chap_random(a, sizeof(a)), 0);
    assert_int_equal(chap_random(b, sizeof(b)), 0);
    assert_false(chap_equal(a, b, sizeof(a)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responses_are_those_of_others),
        cmocka_unit_test(every_part_counts),
        cmocka_unit_test(challenges_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
