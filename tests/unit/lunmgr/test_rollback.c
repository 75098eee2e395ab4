/* SPDX-License-Identifier: Apache-2.0 */
/* Rollbacks: what comes back and what is kept, who is told of it, and what may follow. */
#include "tests/lib/rig_check.h"
#include "tests/unit/lunmgr/snapshot_rig.h"

#include <errno.h>

static void a_rollback_brings_back_and_keeps(void **state)
{
    (void)state;
    struct volume *v = make("v");
    assert_int_equal(rig_write(&rig, v, 0, MIB, 1), 0);
    snap("v", "s");
    assert_int_equal(rig_write(&rig, v, 0, MIB, 2), 0);
    assert_int_equal(rig_rollback(&rig, "v", "s", "kept", NULL), 0);
    assert_true(rig_reads(&rig, v, 0, MIB, 1));
    assert_true(rig_reads(&rig, snapshot_find(rig.manager, "v/kept"), 0, MIB, 2));
    assert_int_equal(rig_write(&rig, v, 4096, 4096, 3), 0);
    assert_int_equal(rig_rollback(&rig, "v", "kept", NULL, NULL), 0);
    assert_true(rig_reads(&rig, v, 0, MIB, 2));
    struct err e;
    assert_int_equal(rig_rollback(&rig, "v", "nix", NULL, &e), -ENOENT);
    assert_string_equal(e.field, "snapshot");
    assert_int_equal(rig_rollback(&rig, "v", "s", "kept", &e), -EEXIST);
    assert_string_equal(e.field, "keep_name");
    pool_rig_reopen(&rig);
    v = volume_find(rig.manager, "v");
    assert_true(rig_reads(&rig, v, 0, MIB, 2));
    assert_true(rig_reads(&rig, snapshot_find(rig.manager, "v/s"), 0, MIB, 1));
    rig_assert_sound(&rig);
}

static unsigned two_sessions(void *arg, const struct volume *volume)
{
    (void)arg;
    (void)volume;
    return 2;
}

static int replaced;
static void on_changed(void *arg, const struct volume *volume, enum volume_event event,
                       uint64_t ticket)
{
    (void)arg;
    (void)volume;
    (void)ticket;
    replaced += event == VOLUME_REPLACED;
}

static void a_volume_in_use_is_rolled_back_fenced_only(void **state)
{
    (void)state;
    struct volume *v = make("v");
    struct lunmgr_events events = {.volume_sessions = two_sessions,
                                   .volume_changed = on_changed};
    struct err e;
    replaced = 0;
    lunmgr_set_events(rig.manager, &events);
    snap("v", "s");
    assert_int_equal(rig_write(&rig, v, 0, 4096, 2), 0);
    assert_int_equal(rig_rollback(&rig, "v", "s", NULL, &e), -EBUSY);
    assert_string_equal(e.field, "fence");
    assert_true(rig_reads(&rig, v, 0, 4096, 2));
    assert_int_equal(replaced, 0);
}

struct told {
    bool came;
    enum volume_event event;
    uint64_t ticket;
};

static void on_told(void *arg, const struct volume *volume, enum volume_event event,
                    uint64_t ticket)
{
    (void)volume;
    *(struct told *)arg = (struct told){true, event, ticket};
}

static bool told_came(void *arg)
{
    return ((struct told *)arg)->came;
}

static void on_answered(void *arg, struct volume *volume, const struct err *e)
{
    assert_non_null(volume);
    assert_null(e);
    *(bool *)arg = true;
}

static bool is_answered(void *arg)
{
    return *(bool *)arg;
}

/* The receiver is asked to tell this, and nothing is answered before it has. */
static void expect_asked(struct told *t, enum volume_event event, const bool *answered)
{
    pool_rig_until(&rig, told_came, t);
    t->came = false;
    assert_int_equal(t->event, event);
    pool_rig_turn(&rig);
    assert_false(*answered);
}

static void a_rollback_is_answered_when_initiators_were_told(void **state)
{
    struct told t = {.came = false};
    struct lunmgr_events events = {.arg = &t, .volume_changed = on_told};
    struct rollback_spec spec = {.snapshot = "s"};
    struct volume_change grow = {.size_bytes = 2 * VOLUME_MIB * MIB};
    bool answered = false;
    (void)state;
    struct volume *v = make("v");
    assert_int_equal(rig_write(&rig, v, 0, 4096, 1), 0);
    snap("v", "s");
    assert_int_equal(rig_write(&rig, v, 0, 4096, 2), 0);
    lunmgr_set_events(rig.manager, &events);
    volume_change(rig.manager, "v", &grow, on_answered, &answered);
    expect_asked(&t, VOLUME_RESIZED, &answered);
    lunmgr_settled(rig.manager, t.ticket);
    pool_rig_until(&rig, is_answered, &answered);
    answered = false;
    volume_rollback(rig.manager, "v", &spec, on_answered, &answered);
    expect_asked(&t, VOLUME_REPLACED, &answered);
    lunmgr_settled(rig.manager, t.ticket);
    expect_asked(&t, VOLUME_RESIZED, &answered); /* to what the snapshot had */
    lunmgr_settled(rig.manager, t.ticket);
    pool_rig_until(&rig, is_answered, &answered);
    assert_true(rig_reads(&rig, v, 0, 4096, 1));
    assert_int_equal(volume_size_bytes(v), VOLUME_MIB * MIB);
    lunmgr_set_events(rig.manager, &(struct lunmgr_events){.arg = NULL});
}

/* ---- What follows at once -------------------------------------------------------- */

/* Lanes may not have heard yet that they may go on: neither a stop nor a delete waits for
 * more than the answer. */
static void what_follows_a_rollback_at_once(bool deletes)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct pool_rig_options o = {.engine = RIG_CUT,
                                     .lane_count = 2,
                                     .pool_bytes = 8 * MIB,
                                     .seed = seed,
                                     .by_hand = true};
        struct pool_rig hand;
        pool_rig_create(&hand, &o);
        struct volume *v = pool_rig_volume(&hand, "v", MIB, 512);
        assert_int_equal(rig_write(&hand, v, 0, 4096, 1), 0);
        assert_int_equal(rig_snapshot(&hand, "v", "s", NULL, NULL), 0);
        assert_int_equal(rig_rollback(&hand, "v", "s", "kept", NULL), 0);
        if (deletes)
            assert_int_equal(pool_rig_delete_volume(&hand, "v", NULL), 0);
        pool_rig_reopen(&hand);
        v = volume_find(hand.manager, "v");
        assert_true(deletes ? v == NULL : rig_reads(&hand, v, 0, 4096, 1));
        pool_rig_destroy(&hand);
    }
}

static void a_stop_may_follow_a_rollback_at_once(void **state)
{
    (void)state;
    what_follows_a_rollback_at_once(false);
}

static void a_delete_may_follow_a_rollback_at_once(void **state)
{
    (void)state;
    what_follows_a_rollback_at_once(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SNAPSHOT_TEST(a_rollback_brings_back_and_keeps),
        SNAPSHOT_TEST(a_volume_in_use_is_rolled_back_fenced_only),
        SNAPSHOT_TEST(a_rollback_is_answered_when_initiators_were_told),
        cmocka_unit_test(a_stop_may_follow_a_rollback_at_once),
        cmocka_unit_test(a_delete_may_follow_a_rollback_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
