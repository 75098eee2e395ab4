/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes and times with units. */
#include "base/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct sample {
    const char *text;
    uint64_t value; /* if it is taken */
    bool good;
};

static void expect(bool (*parse)(const char *text, uint64_t *out),
                   const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 0;
        if (parse(samples[i].text, &value) != samples[i].good)
            fail_msg("'%s' is %s", samples[i].text,
                     samples[i].good ? "refused" : "taken");
        if (samples[i].good)
            assert_int_equal(value, samples[i].value);
    }
}

static void sizes_have_binary_and_decimal_units(void **state)
{
    static const struct sample samples[] = {
        {"0", 0, true},
        {"512", 512, true},
        {"512B", 512, true},
        {"3KiB", 3072, true},
        {"100GiB", 107374182400, true},
        {"1KB", 1000, true},
        {"2TB", 2000000000000, true},
        {"18446744073709551615", UINT64_MAX, true},
        {"18446744073709551616", 0, false},
        {"16777216TiB", 0, false},
        {"", 0, false},
        {"GiB", 0, false},
        {"1 GiB", 0, false},
        {"1gib", 0, false},
        {"-1", 0, false},
        {"1.5GiB", 0, false},
        {"0x10", 0, false},
    };
    (void)state;
    expect(size_parse, samples, ARRAY_LEN(samples));
}

static void times_are_seconds_unless_they_say_more(void **state)
{
    static const struct sample samples[] = {
        {"0", 0, true},        {"90", 90, true},     {"90s", 90, true},
        {"15m", 900, true},    {"12h", 43200, true}, {"7d", 604800, true},
        {"2w", 1209600, true}, {"1y", 0, false},     {"d", 0, false},
        {"7 d", 0, false},     {"7dd", 0, false},    {"18446744073709551615m", 0, false},
    };
    (void)state;
    expect(duration_parse, samples, ARRAY_LEN(samples));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_have_binary_and_decimal_units),
        cmocka_unit_test(times_are_seconds_unless_they_say_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
