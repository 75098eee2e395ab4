/* SPDX-License-Identifier: Apache-2.0 */
/* The first places of many, against sorting them all. */
#include "web/pick.h"

#include "cm.h"

#include <stdlib.h>
#include <string.h>

#define MANY 500

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return *seed >> 33;
}

static void make(struct place *place, uint64_t value, size_t bytes)
{
    *place = (struct place){.bytes = bytes};
    memset(place->at, (int)(value % 251), bytes);
    place->at[0] = (uint8_t)(value >> 8);
}

static int compare(const void *a, const void *b)
{
    return place_compare(a, b);
}

static void the_first_are_kept_in_order(void **state)
{
    static struct place places[MANY];
    uint64_t seed = 7;
    (void)state;
    for (size_t most = 1; most <= MANY + 1; most = most * 2 + 1) {
        struct pick p;
        assert_int_equal(pick_init(&p, most), 0);
        for (size_t i = 0; i < MANY; i++) {
            make(&places[i], next_random(&seed), 1 + next_random(&seed) % 40);
            assert_int_equal(pick_add(&p, &places[i]), 0);
        }
        qsort(places, MANY, sizeof(places[0]), compare);
        pick_sort(&p);
        assert_int_equal(p.count, most < MANY ? most : MANY);
        assert_int_equal(p.more, most < MANY);
        for (size_t i = 0; i < p.count; i++)
            assert_int_equal(place_compare(p.places[i], &places[i]), 0);
        pick_fini(&p);
    }
}

static void none_is_none(void **state)
{
    struct pick p;
    (void)state;
    assert_int_equal(pick_init(&p, 3), 0);
    pick_sort(&p);
    assert_int_equal(p.count, 0);
    assert_false(p.more);
    pick_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_are_kept_in_order),
        cmocka_unit_test(none_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
