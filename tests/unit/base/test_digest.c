/* SPDX-License-Identifier: Apache-2.0 */
/* base/digest.h against the examples of FIPS 180-4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/auto.h"
#include "base/digest.h"

static const uint8_t of_abc[DIGEST_BYTES] = {
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
    0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
    0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
static const uint8_t of_nothing[DIGEST_BYTES] = {
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
    0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
    0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};

static void sums_are_those_of_the_standard(void **state)
{
    uint8_t got[DIGEST_BYTES];
    (void)state;
    digest_of("abc", 3, got);
    assert_memory_equal(got, of_abc, sizeof(got));
    digest_of("", 0, got);
    assert_memory_equal(got, of_nothing, sizeof(got));
}

static void pieces_sum_to_the_whole(void **state)
{
    uint8_t got[DIGEST_BYTES];
    struct digest d;
    (void)state;
    digest_begin(&d);
    digest_add(&d, "a", 1);
    digest_add(&d, "", 0);
    digest_add(&d, "bc", 2);
    digest_end(&d, got);
    assert_memory_equal(got, of_abc, sizeof(got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_of_the_standard),
        cmocka_unit_test(pieces_sum_to_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
