/* SPDX-License-Identifier: Apache-2.0 */
/* base/crc32c.h against the digests printed in RFC 7143, appendix A.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/crc32c.h"

static void assert_digest(const void *data, size_t bytes, const uint8_t want[4])
{
    uint8_t got[CRC32C_BYTES];
    crc32c_store(got, crc32c(0, data, bytes));
    assert_memory_equal(got, want, sizeof(got));
    assert_int_equal(crc32c_load(got), crc32c_by(CRC32C_TABLE, 0, data, bytes));
}

static void digests_are_those_of_the_rfc(void **state)
{
    uint8_t data[32];
    (void)state;
    memset(data, 0, sizeof(data));
    assert_digest(data, sizeof(data), (const uint8_t[]){0xaa, 0x36, 0x91, 0x8a});
    memset(data, 0xff, sizeof(data));
    assert_digest(data, sizeof(data), (const uint8_t[]){0x43, 0xab, 0xa8, 0x62});
    for (uint8_t i = 0; i < 32; i++)
        data[i] = i;
    assert_digest(data, sizeof(data), (const uint8_t[]){0x4e, 0x79, 0xdd, 0x46});
    for (uint8_t i = 0; i < 32; i++)
        data[i] = (uint8_t)(31 - i);
    assert_digest(data, sizeof(data), (const uint8_t[]){0x5c, 0xdb, 0x3f, 0x11});
    static const uint8_t read10[48] = {
        [0] = 0x01,  [1] = 0xc0,  [16] = 0x14, [22] = 0x04,
        [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02,
    };
    assert_digest(read10, sizeof(read10), (const uint8_t[]){0x56, 0x3a, 0x96, 0xd9});
}

static void check_value_is_the_known_one(void **state)
{
    (void)state;
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c(0, NULL, 0), 0);
}

static void parts_give_the_crc_of_the_whole(void **state)
{
    uint8_t data[777];
    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 31 + i / 7);
    uint32_t whole = crc32c(0, data, sizeof(data));
    for (size_t cut = 0; cut <= sizeof(data); cut++) {
        uint32_t first = crc32c(0, data, cut);
        assert_int_equal(crc32c(first, data + cut, sizeof(data) - cut), whole);
        assert_int_equal(first, crc32c_by(CRC32C_TABLE, 0, data, cut));
    }
}

/* Stretches of many lengths, from any address, with any CRC before them. */
static void is_that_of_the_table(enum crc32c_way way)
{
    static uint8_t data[3 * 8192];
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof(data); i++) {
        seed = seed * 1664525 + 1013904223;
        data[i] = (uint8_t)(seed >> 24);
    }
    for (size_t bytes = 0; bytes <= sizeof(data) - 8; bytes += bytes < 6500 ? 1 : 997) {
        const uint8_t *from = data + bytes % 8;
        seed = seed * 1664525 + 1013904223;
        uint32_t want = crc32c_by(CRC32C_TABLE, seed, from, bytes);
        assert_int_equal(crc32c_by(way, seed, from, bytes), want);
        assert_int_equal(crc32c(seed, from, bytes), want);
    }
}

static void long_ones_are_those_of_the_table(void **state)
{
    (void)state;
    for (int way = CRC32C_VECTORS; way <= CRC32C_TABLE; way++) {
        if (crc32c_has((enum crc32c_way)way))
            is_that_of_the_table((enum crc32c_way)way);
        else
            printf("not on this processor: way %d\n", way);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_the_rfc),
        cmocka_unit_test(check_value_is_the_known_one),
        cmocka_unit_test(parts_give_the_crc_of_the_whole),
        cmocka_unit_test(long_ones_are_those_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
