/* SPDX-License-Identifier: Apache-2.0 */
/* base/audit_chain.h: the hashes of the entries in docs/FORMAT.md, made by another
 * program; every member counts, and where it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/audit_chain.h"
#include "base/auto.h"

#define ID "0a6f2f6e-6a52-4a35-9f0e-0d6a3a1b2c3d"

static const uint8_t zeros[DIGEST_BYTES];

static const struct audit_fields first = {
    .seq = 1,
    .time_ms = 1700000000123,
    .who = "local uid 0",
    .from = "",
    .operation = "volume_create",
    .subject = "web01",
    .subject_id = ID,
    .request = "{\"name\":\"web01\",\"pool\":\"fast\",\"size\":1048576}",
};
static const struct audit_fields second = {
    .seq = 2,
    .time_ms = 1700000000456,
    .who = "token ci",
    .from = "192.0.2.7",
    .operation = "volume_delete",
    .subject = "web01",
    .subject_id = ID,
    .request = "",
};

static void assert_hex(const uint8_t hash[DIGEST_BYTES], const char *want)
{
    char got[2 * DIGEST_BYTES + 1];
    for (size_t i = 0; i < DIGEST_BYTES; i++)
        snprintf(got + 2 * i, 3, "%02x", hash[i]);
    assert_string_equal(got, want);
}

static void hashes_are_those_of_the_document(void **state)
{
    uint8_t one[DIGEST_BYTES], two[DIGEST_BYTES];
    (void)state;
    audit_hash(zeros, &first, one);
    assert_hex(one, "f5df1dd82f6424fb5ba8b8bafa0c11366c10adfb874e788e3d3c13a273d57bc4");
    audit_hash(one, &second, two);
    assert_hex(two, "beecc391ebe78b81f53081648e730b86b3c2fc376815f024920b6155da145c13");
}

static void a_time_before_1970_is_twos_complement(void **state)
{
    const struct audit_fields f = {.seq = 1,
                                   .time_ms = -1,
                                   .who = "",
                                   .from = "",
                                   .operation = "",
                                   .subject = "",
                                   .subject_id = "",
                                   .request = ""};
    uint8_t hash[DIGEST_BYTES];
    (void)state;
    audit_hash(zeros, &f, hash);
    assert_hex(hash, "fed1bbdb7dfa9acbfb950aa21d537dad6d8198b37bf5f0e57f674618b5800b6b");
}

static void assert_other(const uint8_t prev[DIGEST_BYTES], const struct audit_fields *f)
{
    uint8_t is[DIGEST_BYTES], other[DIGEST_BYTES];
    audit_hash(zeros, &second, is);
    audit_hash(prev, f, other);
    assert_memory_not_equal(is, other, sizeof(is));
}

static void every_member_counts(void **state)
{
    static const uint8_t one[DIGEST_BYTES] = {1};
    struct audit_fields f = second;
    (void)state;
    assert_other(one, &f);
    f.seq = 3;
    assert_other(zeros, &f);
    f = second;
    f.time_ms++;
    assert_other(zeros, &f);
    const char **texts[] = {&f.who,     &f.from,       &f.operation,
                            &f.subject, &f.subject_id, &f.request};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        f = second;
        *texts[i] = "another";
        assert_other(zeros, &f);
    }
}

static void a_text_cannot_flow_into_the_next(void **state)
{
    struct audit_fields f = second;
    (void)state;
    f.who = "token ci1";
    f.from = "92.0.2.7";
    assert_other(zeros, &f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_the_document),
        cmocka_unit_test(a_time_before_1970_is_twos_complement),
        cmocka_unit_test(every_member_counts),
        cmocka_unit_test(a_text_cannot_flow_into_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
