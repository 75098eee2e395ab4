/* SPDX-License-Identifier: Apache-2.0 */
/* Objects are found by name and by id, and come in order of name. */
#include "lunmgr/index.h"

#include "tests/lib/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT 200

struct thing {
    char name[16], id[16];
    bool in;
};

static struct thing things[COUNT];

static void fill(void)
{
    for (int i = 0; i < COUNT; i++) {
        snprintf(things[i].name, sizeof(things[i].name), "n%03d", (i * 37) % COUNT);
        snprintf(things[i].id, sizeof(things[i].id), "i%03d", (i * 91) % COUNT);
        things[i].in = false;
    }
}

static void assert_is(const struct index *ix)
{
    const struct thing *last = NULL;
    size_t count = 0;
    for (struct thing *t = index_next(ix, NULL); t != NULL; t = index_next(ix, t->name)) {
        assert_true(t->in);
        assert_true(last == NULL || strcmp(last->name, t->name) < 0);
        last = t;
        count++;
    }
    for (int i = 0; i < COUNT; i++) {
        struct thing *want = things[i].in ? &things[i] : NULL;
        assert_ptr_equal(index_find(ix, things[i].name), want);
        assert_ptr_equal(index_find(ix, things[i].id), want);
        assert_ptr_equal(index_find_id(ix, things[i].id), want);
        assert_null(index_find_id(ix, things[i].name));
        count -= things[i].in;
    }
    assert_int_equal(count, 0);
}

static void what_is_added_is_found_until_it_is_removed(void **state)
{
    struct index ix = {.count = 0};
    uint64_t seed = 5;
    (void)state;
    fill();
    for (int i = 0; i < 2000; i++) {
        struct thing *t = &things[draw(&seed, COUNT)];
        if (t->in) {
            index_remove(&ix, t->name, t->id);
        } else {
            assert_int_equal(index_reserve(&ix), 0);
            if (draw(&seed, 8) == 0) { /* the change was refused */
                index_unreserve(&ix);
                continue;
            }
            index_add(&ix, t->name, t->id, t);
        }
        t->in = !t->in;
        if (i % 50 == 0)
            assert_is(&ix);
    }
    assert_is(&ix);
    index_fini(&ix);
}

static void many_may_be_reserved_before_the_first_is_added(void **state)
{
    struct index ix = {.count = 0};
    (void)state;
    fill();
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(index_reserve(&ix), 0);
    for (int i = 0; i < COUNT; i++) {
        index_add(&ix, things[i].name, things[i].id, &things[i]);
        things[i].in = true;
    }
    assert_is(&ix);
    index_fini(&ix);
}

static void the_next_of_one_that_is_gone_is_the_one_behind_it(void **state)
{
    struct index ix = {.count = 0};
    struct thing a = {.name = "a", .id = "1"}, c = {.name = "c", .id = "2"};
    (void)state;
    assert_int_equal(index_reserve(&ix), 0);
    assert_int_equal(index_reserve(&ix), 0);
    index_add(&ix, a.name, a.id, &a);
    index_add(&ix, c.name, c.id, &c);
    assert_ptr_equal(index_next(&ix, "b"), &c);
    assert_null(index_next(&ix, "c"));
    index_fini(&ix);
}

/* In order: shorter than the number that a key begins with, as long, longer; the same
 * beginnings; bytes over 127. */
static void order_is_that_of_the_bytes(void **state)
{
    static const char *const names[] = {
        "a",         "ab",       "abcdefg", "abcdefgh",        "abcdefgh1",
        "abcdefgh2", "abcdefgi", "b",       "bcdefgh\xc3\xa4", "bcdefgh\xff"};
    struct thing each[ARRAY_LEN(names)];
    struct index ix = {.count = 0};
    (void)state;
    for (size_t i = ARRAY_LEN(names); i-- > 0;) {
        each[i] = (struct thing){.in = true};
        snprintf(each[i].name, sizeof(each[i].name), "%s", names[i]);
        snprintf(each[i].id, sizeof(each[i].id), "%zu", ARRAY_LEN(names) - i);
        assert_int_equal(index_reserve(&ix), 0);
        index_add(&ix, each[i].name, each[i].id, &each[i]);
    }
    struct row_walk walk = {.order = WALK_BY_NAME, .after = ""};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_ptr_equal(index_find(&ix, names[i]), &each[i]);
        assert_ptr_equal(index_walk(&ix, &walk), &each[i]);
        assert_ptr_equal(index_ahead(&ix, &walk, 1),
                         i + 1 < ARRAY_LEN(names) ? &each[i + 1] : NULL);
        walk.after = each[i].name;
    }
    assert_null(index_walk(&ix, &walk));
    assert_null(index_find(&ix, "abcdefgh3"));
    index_fini(&ix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_is_found_until_it_is_removed),
        cmocka_unit_test(many_may_be_reserved_before_the_first_is_added),
        cmocka_unit_test(the_next_of_one_that_is_gone_is_the_one_behind_it),
        cmocka_unit_test(order_is_that_of_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
