/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of rows share: listings as arrays, refusals with their field, and the
 * rows that others stand on. */
#ifndef TESTS_UNIT_DB_ROWS_RIG_H
#define TESTS_UNIT_DB_ROWS_RIG_H

#include "rig.h"

#include <string.h>

#define ROWS_MAX 8

/* Keeps what a listing hands out, so that asserts see all of it. */
#define COLLECTOR(type)                                                                  \
    struct type##s {                                                                     \
        struct type rows[ROWS_MAX];                                                      \
        size_t count;                                                                    \
    };                                                                                   \
    static int collect_##type(const struct type *row, void *arg)                         \
    {                                                                                    \
        struct type##s *list = arg;                                                      \
        if (list->count == ROWS_MAX)                                                     \
            return -E2BIG;                                                               \
        list->rows[list->count++] = *row;                                                \
        return 0;                                                                        \
    }                                                                                    \
    static struct type##s all_##type(struct rig *r)                                      \
    {                                                                                    \
        struct type##s list = {.count = 0};                                              \
        assert_int_equal(type##_each(&r->txn, collect_##type, &list, NULL), 0);          \
        return list;                                                                     \
    }

/* `last` is the err given to the call under test. */

#define assert_refused(call, want, name)                                                 \
    do {                                                                                 \
        memset(&last, 0, sizeof(last));                                                  \
        assert_int_equal(call, want);                                                    \
        assert_int_equal(last.code, want);                                               \
        assert_string_equal(last.field, name);                                           \
        assert_true(last.text[0] != '\0');                                               \
    } while (0)

void add_pool(struct rig *r, const char *id, const char *name);
uint32_t add_layer(struct rig *r, uint32_t parent);
void add_volume(struct rig *r, const char *id, const char *name);
void add_host(struct rig *r, const char *id, const char *name);

/* Folds all deltas of rig_txn into leaf rows. */
void fold_all(struct rig *r);

#define ROW_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup_txn, rig_teardown)

#endif
