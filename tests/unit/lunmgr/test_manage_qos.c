/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of volumes and hosts: set, changed and refused whole, kept over restarts, the
 * trash and rollbacks, and nobody's who was not given any. */
#include "tests/unit/lunmgr/manage_rig.h"

#include <errno.h>

static const struct qos fast = {{1000, 1 << 20, 2000, 0, 7}};

static const struct qos_change to_fast = {
    .named = 1U << QOS_IOPS | 1U << QOS_BYTES | 1U << QOS_BURST_IOPS | 1U << QOS_BURST_S,
    .to = {{1000, 1 << 20, 2000, 0, 7}}};
static const struct qos_change to_slow = {.named = 1U << QOS_IOPS, .to = {{100}}};
static const struct qos_change to_wrong = {.named = 1U << QOS_BYTES, .to = {{0, 1}}};

static struct qos qos_of(const char *volume)
{
    struct volume_info info;
    volume_describe(volume_find(rig.manager, volume), &info);
    assert_true(qos_equals(&info.qos, volume_qos(volume_find(rig.manager, volume))));
    return info.qos;
}

static struct qos qos_of_host(const char *host)
{
    struct host_info info;
    host_describe(host_find(rig.manager, host), &info);
    return info.qos;
}

static void assert_qos(struct qos is, struct qos expected)
{
    for (int i = 0; i < QOS_MEMBERS; i++)
        assert_int_equal(is.of[i], expected.of[i]);
}

static int make(const char *name, const char *snapshot, const struct qos_change *qos,
                struct err *e)
{
    struct volume_spec spec = {.name = name,
                               .pool = "p",
                               .snapshot = snapshot,
                               .size_bytes = snapshot == NULL ? MIB : 0,
                               .qos = qos};
    return rig_make(&rig, &spec, NULL, e);
}

static void a_volumes_limits_are_kept(void **state)
{
    (void)state;
    assert_int_equal(make("v", NULL, &to_fast, NULL), 0);
    assert_qos(qos_of("v"), fast);
    restart();
    assert_qos(qos_of("v"), fast);
    struct volume_change change = {.qos = &to_slow};
    assert_int_equal(rig_change(&rig, "v", &change, NULL), 0);
    assert_qos(qos_of("v"), (struct qos){{100, 1 << 20, 2000, 0, 7}});
    change = (struct volume_change){.name = "w", .size_bytes = 2 * MIB};
    assert_int_equal(rig_change(&rig, "v", &change, NULL), 0);
    restart();
    assert_qos(qos_of("w"), (struct qos){{100, 1 << 20, 2000, 0, 7}});
}

static void a_refused_change_changes_nothing(void **state)
{
    struct err e;
    (void)state;
    assert_int_equal(make("x", NULL, &to_wrong, &e), -EINVAL);
    assert_string_equal(e.field, "qos/bytes_per_s");
    assert_null(volume_find(rig.manager, "x"));
    assert_int_equal(make("v", NULL, &to_fast, NULL), 0);
    assert_int_equal(make("v", NULL, &to_wrong, &e), -EINVAL); /* by itself, first */
    struct volume_change change = {.name = "w", .size_bytes = 2 * MIB, .qos = &to_wrong};
    assert_int_equal(rig_change(&rig, "v", &change, &e), -EINVAL);
    assert_string_equal(e.field, "qos/bytes_per_s");
    assert_int_equal(volume_size_bytes(volume_find(rig.manager, "v")), MIB);
    assert_qos(qos_of("v"), fast);
}

static void a_clone_has_its_own_or_none(void **state)
{
    (void)state;
    assert_int_equal(make("v", NULL, &to_fast, NULL), 0);
    assert_int_equal(rig_snapshot(&rig, "v", "s", NULL, NULL), 0);
    assert_false(qos_is_limited(volume_qos(snapshot_find(rig.manager, "v/s"))));
    assert_int_equal(make("c", "v/s", NULL, NULL), 0);
    assert_int_equal(make("d", "v/s", &to_slow, NULL), 0);
    restart();
    assert_qos(qos_of("c"), (struct qos){{0}});
    assert_qos(qos_of("d"), (struct qos){{100}});
}

static void limits_outlive_a_rollback_and_the_trash(void **state)
{
    (void)state;
    assert_int_equal(make("v", NULL, NULL, NULL), 0);
    assert_int_equal(rig_snapshot(&rig, "v", "s", NULL, NULL), 0);
    struct volume_change change = {.qos = &to_fast};
    assert_int_equal(rig_change(&rig, "v", &change, NULL), 0);
    assert_int_equal(rig_rollback(&rig, "v", "s", "kept", NULL), 0);
    assert_qos(qos_of("v"), fast);
    assert_int_equal(rig_trash(&rig, "v", NULL), 0);
    restart();
    assert_int_equal(rig_restore(&rig, "v", NULL, NULL), 0);
    assert_qos(qos_of("v"), fast);
}

static int change_host(const struct host_change *change, struct answer *a)
{
    *a = (struct answer){.came = false};
    host_change(rig.manager, "h", change, on_host, a);
    return wait_for(a);
}

static void a_hosts_limits_are_kept(void **state)
{
    const char *initiator = "iqn.h";
    struct answer a = {.came = false};
    struct host_spec spec = {
        .name = "h", .initiators = &initiator, .initiator_count = 1, .qos = &to_wrong};
    (void)state;
    host_create(rig.manager, &spec, on_host, &a);
    wait_for(&a);
    assert_refused(&a, -EINVAL, "qos/bytes_per_s");
    spec.qos = &to_fast;
    a = (struct answer){.came = false};
    host_create(rig.manager, &spec, on_host, &a);
    assert_int_equal(wait_for(&a), 0);
    restart();
    assert_qos(qos_of_host("h"), fast);
    assert_int_equal(change_host(&(struct host_change){.profile = "xen"}, &a), 0);
    assert_qos(qos_of_host("h"), fast);
    (void)change_host(&(struct host_change){.name = "i", .qos = &to_wrong}, &a);
    assert_refused(&a, -EINVAL, "qos/bytes_per_s");
    struct qos_change none = {.named = (1U << QOS_MEMBERS) - 1};
    assert_int_equal(change_host(&(struct host_change){.qos = &none}, &a), 0);
    restart();
    assert_qos(qos_of_host("h"), (struct qos){{0}});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MANAGE_TEST(a_volumes_limits_are_kept),
        MANAGE_TEST(a_refused_change_changes_nothing),
        MANAGE_TEST(a_clone_has_its_own_or_none),
        MANAGE_TEST(limits_outlive_a_rollback_and_the_trash),
        MANAGE_TEST(a_hosts_limits_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
