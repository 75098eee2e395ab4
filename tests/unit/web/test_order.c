/* SPDX-License-Identifier: Apache-2.0 */
/* Orders as they are read, and that places compare as values do. */
#include "web/order.h"

#include "cm.h"
#include "lunmgr/volume.h"
#include "web/api.h"

#include <stdio.h>
#include <string.h>

static void orders_are_read(void **state)
{
    struct order o;
    struct problem p = {0};
    (void)state;
    assert_true(order_read("", &resource_volume, &o, &p));
    assert_int_equal(o.count, 0);
    assert_true(order_read("-created,name", &resource_volume, &o, &p));
    assert_int_equal(o.count, 2);
    assert_string_equal(o.by[0].column->name, "created");
    assert_true(o.by[0].descending);
    assert_string_equal(o.by[1].column->name, "name");
    assert_false(o.by[1].descending);
}

static void bad_orders_are_refused(void **state)
{
    static const char *const cases[] = {
        "nothing", "labels",    "-",          "--name",       ",name", "name,",
        "name,,",  "name,name", "-size,size", "id,name,size", "NAME",  "name ",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct order o;
        struct problem p = {0};
        if (order_read(cases[i], &resource_volume, &o, &p))
            fail_msg("%s was taken", cases[i]);
        assert_int_equal(p.kind, PROBLEM_BAD_PARAMETER);
        assert_string_equal(p.parameter, "sort");
        assert_non_null(strstr(p.accepted, "id, name, pool,"));
        assert_null(strstr(p.accepted, "labels"));
    }
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

/* How the two rows compare by text, their ids being equal. */
static int by(const char *text, const struct volume_info *a, const struct volume_info *b)
{
    struct order o;
    struct problem p = {0};
    struct place left, right;
    assert_true(order_read(text, &resource_volume, &o, &p));
    order_place(&o, a, "id", &left);
    order_place(&o, b, "id", &right);
    return sign(place_compare(&left, &right));
}

static void places_compare_as_values(void **state)
{
    static const struct {
        struct volume_info a, b;
        const char *sort;
        int order;
    } cases[] = {
        {{.name = "a"}, {.name = "b"}, "name", -1},
        {{.name = "a"}, {.name = "ab"}, "name", -1},
        {{.name = "a"}, {.name = "ab"}, "-name", 1},
        {{.name = "a-"}, {.name = "a"}, "name", 1},
        {{.size_bytes = 255}, {.size_bytes = 256}, "size", -1},
        {{.size_bytes = 255}, {.size_bytes = 256}, "-size", 1},
        {{.size_bytes = 1ULL << 40}, {.size_bytes = 9}, "size", 1},
        {{.clone_of = ""}, {.clone_of = "0"}, "clone_of", -1},
        {{.is_protected = true}, {.is_protected = false}, "protected", 1},
        {{.created_s = 5, .name = "a"},
         {.created_s = 5, .name = "b"},
         "-created,name",
         -1},
        {{.created_s = 5, .name = "a"},
         {.created_s = 4, .name = "b"},
         "-created,name",
         -1},
        {{.name = "a", .size_bytes = 2},
         {.name = "ab", .size_bytes = 1},
         "name,size",
         -1},
        {{.name = "a", .size_bytes = 2}, {.name = "a", .size_bytes = 2}, "name,size", 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(by(cases[i].sort, &cases[i].a, &cases[i].b), cases[i].order);
        assert_int_equal(by(cases[i].sort, &cases[i].b, &cases[i].a), -cases[i].order);
    }
}

static void the_name_of_a_place_is_found_in_it(void **state)
{
    struct order o;
    struct problem p = {0};
    struct place place;
    const struct volume_info info = {.name = "web"};
    (void)state;
    assert_true(order_read("name,-size", &resource_volume, &o, &p));
    order_place(&o, &info, "the-id", &place);
    assert_string_equal((const char *)place.at + place.name_at, "the-id");
}

/* Every text that can be sorted by fits into a place. */
static void members_fit_into_places(void **state)
{
    static const struct resource *const all[] = {
        &resource_drain,   &resource_host,    &resource_initiator,    &resource_mapping,
        &resource_pool,    &resource_session, &resource_snapshot,     &resource_token,
        &resource_trashed, &resource_volume,  &resource_portal_group,
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        for (const struct column *c = all[i]->columns; c->name != NULL; c++)
            assert_true(c->kind != COLUMN_TEXT || c->bytes <= ORDER_TEXT_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_are_read),
        cmocka_unit_test(bad_orders_are_refused),
        cmocka_unit_test(places_compare_as_values),
        cmocka_unit_test(the_name_of_a_place_is_found_in_it),
        cmocka_unit_test(members_fit_into_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
