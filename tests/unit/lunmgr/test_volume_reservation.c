/* SPDX-License-Identifier: Apache-2.0 */
/* Kept persistent reservations, over restarts and crashes, beside snapshots, clones,
 * rollbacks and the trash, and where the catalog fails. */
#include "tests/unit/lunmgr/snapshot_rig.h"

#include "tests/unit/db/fault_vfs.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STEPS_MAX 200

static struct kept_reservation *kept_of(uint32_t count, uint64_t key)
{
    struct kept_reservation *kept =
        calloc(1, sizeof(*kept) + count * sizeof(kept->list[0]));
    assert_non_null(kept);
    kept->type = RESERVATION_EXCLUSIVE_ACCESS;
    kept->holder = count - 1;
    kept->count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct registration *r = &kept->list[i];
        snprintf(r->nexus.initiator, sizeof(r->nexus.initiator), "iqn.2026-01.h:%u", i);
        snprintf(r->nexus.target, sizeof(r->nexus.target), "iqn.2026-01.t");
        r->nexus.isid[5] = (uint8_t)i;
        r->nexus.portal_group_tag = 1;
        r->key = key + i;
    }
    return kept;
}

static int keep(struct volume *v, uint32_t count, uint64_t key)
{
    return rig_keep_reservation(&rig, v, count == 0 ? NULL : kept_of(count, key), NULL);
}

/* All of it is what kept_of() makes; count 0: there is none. */
static bool has(const struct volume *v, uint32_t count, uint64_t key)
{
    const struct kept_reservation *kept = volume_kept_reservation(v);
    if (kept == NULL || count == 0)
        return kept == NULL && count == 0;
    AUTO_FREE struct kept_reservation *want = kept_of(count, key);
    bool same =
        kept->count == count && kept->type == want->type && kept->holder == want->holder;
    for (uint32_t i = 0; same && i < count; i++) {
        const struct registration *a = &kept->list[i], *b = &want->list[i];
        same = a->key == b->key && strcmp(a->nexus.initiator, b->nexus.initiator) == 0 &&
               strcmp(a->nexus.target, b->nexus.target) == 0 &&
               memcmp(a->nexus.isid, b->nexus.isid, sizeof(a->nexus.isid)) == 0 &&
               a->nexus.portal_group_tag == b->nexus.portal_group_tag;
    }
    return same;
}

static struct volume *find(const char *name)
{
    return volume_find(rig.manager, name);
}

static void it_is_found_again_and_nobody_inherits_it(void **state)
{
    struct volume *clone;
    (void)state;
    struct volume *v = make("v");
    assert_true(has(v, 0, 0));
    assert_int_equal(keep(v, 3, 100), 0);
    assert_true(has(v, 3, 100));
    struct volume *s = snap("v", "s");
    assert_int_equal(rig_clone(&rig, "v/s", "c", 0, &clone, NULL), 0);
    assert_true(has(s, 0, 0));
    assert_true(has(clone, 0, 0));
    pool_rig_reopen(&rig);
    assert_true(has(find("v"), 3, 100));
    assert_true(has(snapshot_find(rig.manager, "v/s"), 0, 0));
    assert_true(has(find("c"), 0, 0));
    assert_int_equal(keep(snapshot_find(rig.manager, "v/s"), 1, 7), 0);
    assert_int_equal(keep(find("v"), 0, 0), 0);
    pool_rig_reopen(&rig);
    assert_true(has(find("v"), 0, 0));
    assert_true(has(snapshot_find(rig.manager, "v/s"), 1, 7));
}

static void what_was_answered_last_is_there_after_a_restart(void **state)
{
    static const uint32_t counts[] = {1, 5, 2, 0, REGISTRATION_COUNT_MAX, 0, 1};
    (void)state;
    make("v");
    for (uint32_t i = 0; i < ARRAY_LEN(counts); i++) {
        assert_int_equal(keep(find("v"), counts[i], 10 * i + 1), 0);
        pool_rig_reopen(&rig);
        assert_true(has(find("v"), counts[i], 10 * i + 1));
    }
}

static void what_was_answered_last_is_there_after_a_kill(void **state)
{
    static const uint32_t counts[] = {3, 1, 0, REGISTRATION_COUNT_MAX, 2};
    (void)state;
    make("v");
    for (uint32_t i = 0; i < ARRAY_LEN(counts); i++) {
        assert_int_equal(keep(find("v"), counts[i], 10 * i + 1), 0);
        pool_rig_cut(&rig);
        assert_int_equal(keep(find("v"), 7, 5000), 0); /* of a future that is lost */
        pool_rig_reopen_cut(&rig);
        assert_true(has(find("v"), counts[i], 10 * i + 1));
    }
}

static void on_kept(void *arg, const struct err *e)
{
    bool *came = arg;
    assert_null(e);
    *came = true;
}

static bool has_come(void *arg)
{
    return *(bool *)arg;
}

static void a_kill_before_the_answer_leaves_one_or_the_other(void **state)
{
    (void)state;
    make("v");
    assert_int_equal(keep(find("v"), 2, 1), 0);
    for (unsigned delay = 0; delay < 8; delay++) {
        bool came = false;
        volume_keep_reservation(find("v"), kept_of(900, 7), on_kept, &came);
        usleep(delay * 1000); /* the writer is somewhere in it, or has done it */
        pool_rig_cut(&rig);
        pool_rig_until(&rig, has_come, &came);
        pool_rig_reopen_cut(&rig);
        assert_true(has(find("v"), 2, 1) || has(find("v"), 900, 7));
        assert_int_equal(keep(find("v"), 2, 1), 0);
    }
}

static void a_rollback_and_the_trash_leave_it_and_a_purge_takes_it(void **state)
{
    (void)state;
    struct volume *v = make("v");
    snap("v", "s");
    assert_int_equal(keep(v, 2, 9), 0);
    assert_int_equal(rig_rollback(&rig, "v", "s", "kept", NULL), 0);
    assert_true(has(v, 2, 9));
    assert_true(has(snapshot_find(rig.manager, "v/kept"), 0, 0));
    assert_int_equal(rig_trash(&rig, "v", NULL), 0);
    pool_rig_reopen(&rig);
    assert_int_equal(rig_restore(&rig, "v", NULL, NULL), 0);
    assert_true(has(find("v"), 2, 9));
    assert_int_equal(rig_trash(&rig, "v", NULL), 0);
    assert_int_equal(rig_purge(&rig, "v", NULL), 0);
    v = make("v");
    assert_true(has(v, 0, 0));
    pool_rig_reopen(&rig);
    assert_true(has(find("v"), 0, 0));
}

/* Each write and sync of the catalog fails in turn: what was kept stays, in memory and
 * for the next start, until one is answered as done. */
static void a_failing_catalog_leaves_what_was_kept(void **state)
{
    static const uint32_t counts[] = {4, 0, 1};
    uint32_t count = 2;
    uint64_t key = 1;
    (void)state;
    assert_int_equal(keep(make("v"), count, key), 0);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        int nth = 0, rc = -1;
        for (; rc != 0; nth++) {
            assert_in_range(nth, 0, STEPS_MAX);
            fault_vfs_arm(FAULT_WRITE | FAULT_SYNC, nth, 1, SQLITE_FULL);
            rc = keep(find("v"), counts[i], 100 * (i + 1));
            bool struck = fault_vfs_failed() != 0;
            fault_vfs_disarm();
            assert_true(rc < 0 || !struck);
            if (rc == 0)
                break;
            assert_true(has(find("v"), count, key));
            pool_rig_reopen(&rig);
            assert_true(has(find("v"), count, key));
        }
        assert_true(nth > 0); /* it has struck at all */
        count = counts[i];
        key = 100 * (i + 1);
        assert_true(has(find("v"), count, key));
        pool_rig_reopen(&rig);
        assert_true(has(find("v"), count, key));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SNAPSHOT_TEST(it_is_found_again_and_nobody_inherits_it),
        SNAPSHOT_TEST(what_was_answered_last_is_there_after_a_restart),
        SNAPSHOT_TEST(what_was_answered_last_is_there_after_a_kill),
        SNAPSHOT_TEST(a_kill_before_the_answer_leaves_one_or_the_other),
        SNAPSHOT_TEST(a_rollback_and_the_trash_leave_it_and_a_purge_takes_it),
        SNAPSHOT_TEST(a_failing_catalog_leaves_what_was_kept),
    };
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
