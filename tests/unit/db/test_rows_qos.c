/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of limits: one for each volume and host that has any, gone with it. */
#include "rows_rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct seen {
    unsigned count;
    char id[CATALOG_ID_MAX]; /* the last one's */
    struct qos qos;
};

static int see(const char *id, const struct qos *qos, void *arg)
{
    struct seen *seen = arg;
    seen->count++;
    snprintf(seen->id, sizeof(seen->id), "%s", id);
    seen->qos = *qos;
    return 0;
}

static struct seen all_of(struct rig *r, enum qos_owner of)
{
    struct seen seen = {.count = 0};
    assert_int_equal(qos_row_each(&r->txn, of, see, &seen, NULL), 0);
    return seen;
}

static const struct qos most = {{10000000, 1ULL << 40, 10000000, 1ULL << 40, 3600}};

static void limits_come_back_as_they_were(void **state)
{
    static const enum qos_owner owners[] = {QOS_OF_VOLUME, QOS_OF_HOST};
    struct rig *r = *state;
    add_pool(r, "p1", "fast");
    add_volume(r, "x1", "web");
    add_host(r, "x1", "hv1");
    for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
        const struct qos less = {{i + 1, 0, 0, 0, 0}};
        assert_int_equal(all_of(r, owners[i]).count, 0);
        assert_int_equal(qos_row_set(&r->txn, owners[i], "x1", &most, NULL), 0);
        struct seen seen = all_of(r, owners[i]);
        assert_int_equal(seen.count, 1);
        assert_string_equal(seen.id, "x1");
        assert_true(qos_equals(&seen.qos, &most));
        assert_int_equal(qos_row_set(&r->txn, owners[i], "x1", &less, NULL), 0);
        seen = all_of(r, owners[i]);
        assert_int_equal(seen.count, 1);
        assert_true(qos_equals(&seen.qos, &less));
    }
    struct seen volumes = all_of(r, QOS_OF_VOLUME); /* its row is another */
    assert_true(qos_equals(&volumes.qos, &(struct qos){{1}}));
}

static void no_limits_are_no_row(void **state)
{
    struct rig *r = *state;
    const struct qos none = {{0}};
    add_host(r, "h1", "hv1");
    assert_int_equal(qos_row_set(&r->txn, QOS_OF_HOST, "h1", &none, NULL), 0);
    assert_int_equal(all_of(r, QOS_OF_HOST).count, 0);
    assert_int_equal(qos_row_set(&r->txn, QOS_OF_HOST, "h1", &most, NULL), 0);
    assert_int_equal(qos_row_set(&r->txn, QOS_OF_HOST, "h1", &none, NULL), 0);
    assert_int_equal(all_of(r, QOS_OF_HOST).count, 0);
}

static void limits_go_with_what_they_are_of(void **state)
{
    struct rig *r = *state;
    struct err last;
    add_pool(r, "p1", "fast");
    add_volume(r, "v1", "web");
    add_host(r, "h1", "hv1");
    assert_int_equal(qos_row_set(&r->txn, QOS_OF_VOLUME, "v1", &most, NULL), 0);
    assert_int_equal(qos_row_set(&r->txn, QOS_OF_HOST, "h1", &most, NULL), 0);
    assert_int_equal(volume_row_remove(&r->txn, "v1", NULL), 0);
    assert_int_equal(host_row_remove(&r->txn, "h1", NULL), 0);
    assert_int_equal(all_of(r, QOS_OF_VOLUME).count, 0);
    assert_int_equal(all_of(r, QOS_OF_HOST).count, 0);
    assert_refused(qos_row_set(&r->txn, QOS_OF_VOLUME, "v1", &most, &last), -ENOENT, "");
    assert_refused(qos_row_set(&r->txn, QOS_OF_HOST, "h1", &most, &last), -ENOENT, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(limits_come_back_as_they_were),
        ROW_TEST(no_limits_are_no_row),
        ROW_TEST(limits_go_with_what_they_are_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
