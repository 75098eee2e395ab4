/* SPDX-License-Identifier: Apache-2.0 */
/* What a token stands for: the source as it was, in space that comes back whatever ends
 * it. */
#include "tests/lib/rig_check.h"
#include "tests/lib/rig_manage.h"
#include "tests/lib/rig_rod.h"

#include "base/clock.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VOLUME_BYTES (4 * MIB)

static struct pool_rig rig;

static int setup(void **state)
{
    (void)state;
    struct pool_rig_options o = {
        .engine = RIG_FAKE, .lane_count = 1, .pool_bytes = 64 * MIB};
    pool_rig_create(&rig, &o);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

static struct volume *make(const char *name)
{
    return pool_rig_volume(&rig, name, VOLUME_BYTES, 512);
}

/* Its extents are not shared: data has to be moved. */
static struct volume *make_guaranteed(void)
{
    struct volume *v;
    const struct volume_spec spec = {.name = "a",
                                     .pool = "p",
                                     .size_bytes = VOLUME_BYTES,
                                     .guaranteed_bytes = VOLUME_BYTES};
    assert_int_equal(rig_make(&rig, &spec, &v, NULL), 0);
    return v;
}

/* ---- One rod, waited for ----------------------------------------------------------- */

static int make_rod(struct rig_making *m, struct volume *source,
                    const struct rod_piece *pieces, unsigned count)
{
    return rig_make_rod(&rig, m, source, pieces, count);
}

/* Of one range, let go of: its id. */
static uint64_t rod_of(struct volume *source, uint64_t from_bytes, uint64_t bytes)
{
    struct rig_making m;
    const struct rod_piece piece = {.from_bytes = from_bytes, .length_bytes = bytes};
    assert_int_equal(make_rod(&m, source, &piece, 1), 0);
    assert_int_equal(m.rod->bytes, bytes);
    uint64_t id = m.rod->id;
    rod_put(m.rod, false);
    return id;
}

static enum rod_state state_of(struct volume *any, uint64_t id)
{
    enum rod_state state = ROD_MAKING;
    struct rod *rod = rod_get(any, id, &state);
    if (rod != NULL)
        rod_put(rod, false);
    return state;
}

/* All that it stands for, to `at` of the volume. */
static void write_rod(struct volume *to, uint64_t at, uint64_t id)
{
    enum rod_state state;
    struct rod *rod = rod_get(to, id, &state);
    uint64_t from_bytes = 0, done = 0;
    assert_non_null(rod);
    assert_int_equal(state, ROD_READY);
    for (uint64_t n; (n = rod_locate(rod, done, &from_bytes)) > 0; done += n) {
        struct copy c = {.from = rod->shows,
                         .to = to,
                         .from_bytes = from_bytes,
                         .to_bytes = at + done,
                         .length_bytes = n};
        assert_int_equal(rig_copy(&rig, &c), 0);
    }
    assert_int_equal(done, rod->bytes);
    rod_put(rod, true);
}

/* What is dead was let go of: its layer is on its way. */
static bool is_let_go(void *arg)
{
    struct rods *rods = &rig.manager->rods;
    bool none = rig.manager->ops_under_way == 0;
    (void)arg;
    pthread_mutex_lock(&rods->lock);
    for (const struct rod *rod = rods->first; rod != NULL; rod = rod->next)
        none = none && (rod->state == ROD_READY || rod->users > 0 || rod->shows == NULL);
    pthread_mutex_unlock(&rods->lock);
    return none;
}

static void settle(void)
{
    pool_rig_until(&rig, is_let_go, NULL);
    rig_assert_sound(&rig);
}

/* ---- Point in time ------------------------------------------------------------------
 */

static void a_rod_takes_no_space_and_shows_what_was(void **state)
{
    (void)state;
    struct volume *a = make("a"), *b = make("b");
    assert_int_equal(rig_write(&rig, a, 0, MIB, 1), 0);
    uint64_t all = pool_free_extents(rig.pool);
    uint64_t id = rod_of(a, 0, MIB);
    assert_int_equal(pool_free_extents(rig.pool), all);
    assert_int_equal(rig_write(&rig, a, 0, MIB / 2, 2), 0);
    write_rod(b, MIB, id);
    assert_true(rig_reads(&rig, b, MIB, MIB, 1));
    assert_true(rig_reads(&rig, a, 0, MIB / 2, 2));
    settle();
}

static void several_ranges_are_one_after_the_other(void **state)
{
    (void)state;
    struct volume *a = make("a"), *b = make("b");
    struct rig_making m;
    const struct rod_piece pieces[] = {
        {.from_bytes = 2 * EXTENT_BYTES, .length_bytes = EXTENT_BYTES},
        {.from_bytes = 0, .length_bytes = 2 * EXTENT_BYTES},
    };
    assert_int_equal(rig_write(&rig, a, 0, 2 * EXTENT_BYTES, 1), 0);
    assert_int_equal(rig_write(&rig, a, 2 * EXTENT_BYTES, EXTENT_BYTES, 2), 0);
    assert_int_equal(make_rod(&m, a, pieces, 2), 0);
    rod_put(m.rod, false);
    write_rod(b, 0, m.rod->id);
    assert_true(rig_reads(&rig, b, 0, EXTENT_BYTES, 2));
    assert_true(rig_reads(&rig, b, EXTENT_BYTES, 2 * EXTENT_BYTES, 1));
}

/* ---- Ends ---------------------------------------------------------------------------
 */

static void what_ends_a_rod_gives_its_space_back(void **state)
{
    (void)state;
    struct volume *a = make("a");
    uint64_t all = pool_free_extents(rig.pool);
    assert_int_equal(rig_write(&rig, a, 0, MIB, 1), 0);
    uint64_t expired = rod_of(a, 0, MIB), deleted = rod_of(a, 0, MIB);
    assert_int_equal(rig_write(&rig, a, 0, MIB, 2), 0);
    assert_int_equal(rig_flush(&rig, a), 0);
    assert_int_equal(pool_free_extents(rig.pool), all - 32);
    enum rod_state s;
    struct rod *rod = rod_get(a, deleted, &s);
    rod_delete(rod);
    rod_put(rod, true);
    assert_int_equal(state_of(a, deleted), ROD_DELETED);
    settle();
    assert_int_equal(pool_free_extents(rig.pool), all - 32); /* the other has it still */
    rods_look(rig.manager, clock_coarse_ms() + ROD_TIMEOUT_DEFAULT_S * 1000 - 1000);
    assert_int_equal(state_of(a, expired), ROD_READY);
    rods_look(rig.manager, clock_coarse_ms() + ROD_TIMEOUT_DEFAULT_S * 1000);
    assert_int_equal(state_of(a, expired), ROD_EXPIRED);
    settle();
    assert_int_equal(pool_free_extents(rig.pool), all - 16);
    /* It is remembered for twice that time, then it is not known any more. */
    rods_look(rig.manager, clock_coarse_ms() + 2 * ROD_TIMEOUT_DEFAULT_S * 1000);
    assert_int_equal(state_of(a, expired), ROD_MAKING);
}

static void one_in_use_does_not_expire(void **state)
{
    (void)state;
    struct volume *a = make("a");
    enum rod_state s;
    uint64_t id = rod_of(a, 0, MIB);
    struct rod *rod = rod_get(a, id, &s);
    rods_look(rig.manager, clock_coarse_ms() + 10 * ROD_TIMEOUT_MAX_S * 1000);
    assert_int_equal(state_of(a, id), ROD_READY);
    rod_put(rod, true);
    rods_look(rig.manager, clock_coarse_ms() + 1000); /* its time begins again */
    assert_int_equal(state_of(a, id), ROD_READY);
}

static void a_purged_source_takes_its_rods_with_it(void **state)
{
    (void)state;
    struct volume *a = make("a"), *b = make("b");
    uint64_t all = pool_free_extents(rig.pool);
    assert_int_equal(rig_write(&rig, a, 0, MIB, 1), 0);
    uint64_t id = rod_of(a, 0, MIB);
    assert_int_equal(pool_rig_delete_volume(&rig, "a", NULL), 0);
    assert_int_equal(state_of(b, id), ROD_REVOKED);
    settle();
    assert_int_equal(pool_free_extents(rig.pool), all);
}

static void one_that_is_used_shows_it_to_the_end(void **state)
{
    (void)state;
    struct volume *a = make("a"), *b = make("b");
    uint64_t all = pool_free_extents(rig.pool);
    enum rod_state s;
    assert_int_equal(rig_write(&rig, a, 0, MIB, 1), 0);
    struct rod *rod = rod_get(a, rod_of(a, 0, MIB), &s);
    assert_int_equal(pool_rig_delete_volume(&rig, "a", NULL), 0);
    pool_rig_settle(&rig);
    struct copy c = {.from = rod->shows, .to = b, .length_bytes = MIB};
    assert_int_equal(rig_copy(&rig, &c), 0);
    rod_put(rod, true);
    settle();
    assert_true(rig_reads(&rig, b, 0, MIB, 1));
    assert_int_equal(pool_rig_delete_volume(&rig, "b", NULL), 0);
    settle();
    assert_int_equal(pool_free_extents(rig.pool), all);
}

static void a_snapshot_goes_with_its_rods_and_a_rollback_does_not(void **state)
{
    (void)state;
    struct volume *a = make("a"), *b = make("b"), *s;
    assert_int_equal(rig_write(&rig, a, 0, MIB, 1), 0);
    assert_int_equal(rig_snapshot(&rig, "a", "s", &s, NULL), 0);
    assert_int_equal(rig_write(&rig, a, 0, MIB, 2), 0);
    uint64_t of_snapshot = rod_of(s, 0, MIB), of_volume = rod_of(a, 0, MIB);
    assert_int_equal(rig_rollback(&rig, "a", "s", "kept", NULL), 0);
    assert_int_equal(rig_snapshot_delete(&rig, "a/kept", NULL), 0);
    write_rod(b, 0, of_volume);
    write_rod(b, MIB, of_snapshot);
    assert_true(rig_reads(&rig, b, 0, MIB, 2));
    assert_true(rig_reads(&rig, b, MIB, MIB, 1));
    assert_int_equal(rig_snapshot_delete(&rig, "a/s", NULL), 0);
    assert_int_equal(state_of(a, of_snapshot), ROD_REVOKED);
    assert_int_equal(state_of(a, of_volume), ROD_READY);
    settle();
}

/* ---- Restarts and pools that go ------------------------------------------------------
 */

static void a_restart_forgets_rods_and_frees_them(void **state)
{
    (void)state;
    struct volume *a = make("a");
    uint64_t all = pool_free_extents(rig.pool);
    assert_int_equal(rig_write(&rig, a, 0, MIB, 1), 0);
    uint64_t id = rod_of(a, 0, MIB);
    assert_int_equal(rig_write(&rig, a, 0, MIB, 2), 0);
    pool_rig_reopen(&rig);
    a = volume_find(rig.manager, "a");
    assert_int_equal(state_of(a, id), ROD_MAKING);
    settle();
    assert_int_equal(pool_free_extents(rig.pool), all - 16);
    assert_true(rod_of(a, 0, MIB) != id);
}

static void a_power_cut_leaves_nothing_of_a_rod(void **state)
{
    (void)state;
    struct volume *a = make("a");
    uint64_t all = pool_free_extents(rig.pool);
    assert_int_equal(rig_write(&rig, a, 0, MIB, 1), 0);
    uint64_t id = rod_of(a, 0, MIB);
    assert_int_equal(rig_write(&rig, a, 0, MIB / 2, 2), 0);
    assert_int_equal(rig_flush(&rig, a), 0);
    pool_rig_cut(&rig);
    pool_rig_reopen_cut(&rig);
    a = volume_find(rig.manager, "a");
    assert_int_equal(state_of(a, id), ROD_MAKING);
    assert_true(rig_reads(&rig, a, 0, MIB / 2, 2));
    assert_true(rig_reads(&rig, a, MIB / 2, MIB / 2, 1));
    settle();
    assert_int_equal(pool_free_extents(rig.pool), all - 16);
}

static void a_pool_with_rods_can_be_deleted(void **state)
{
    (void)state;
    struct volume *a = make("a");
    assert_int_equal(rig_write(&rig, a, 0, MIB, 1), 0);
    enum rod_state s;
    struct rod *rod = rod_get(a, rod_of(a, 0, MIB), &s);
    assert_int_equal(pool_rig_delete_volume(&rig, "a", NULL), 0);
    assert_int_equal(pool_rig_delete_pool(&rig, "p", NULL), -EBUSY); /* used */
    rod_put(rod, true);
    assert_int_equal(pool_rig_delete_pool(&rig, "p", NULL), 0);
    rig.pool = NULL;
}

/* ---- Limits --------------------------------------------------------------------------
 */

static void a_host_makes_room_with_what_it_has_used(void **state)
{
    (void)state;
    struct volume *a = make("a");
    struct rig_making m;
    const struct rod_piece piece = {.length_bytes = EXTENT_BYTES};
    uint64_t ids[ROD_OF_HOST_MAX];
    for (int i = 0; i < ROD_OF_HOST_MAX; i++)
        ids[i] = rod_of(a, 0, EXTENT_BYTES);
    assert_int_equal(make_rod(&m, a, &piece, 1), -EDQUOT);
    enum rod_state s;
    rod_put(rod_get(a, ids[3], &s), true);
    rod_of(a, 0, EXTENT_BYTES);
    assert_int_equal(state_of(a, ids[3]), ROD_CANCELLED);
    assert_int_equal(state_of(a, ids[2]), ROD_READY);
    assert_int_equal(make_rod(&m, a, &piece, 1), -EDQUOT);
}

static void a_full_pool_refuses_and_keeps_nothing(void **state)
{
    (void)state;
    struct volume *a = make_guaranteed(), *b = make("b");
    struct rig_making m;
    const struct rod_piece piece = {.length_bytes = 2 * MIB};
    assert_int_equal(rig_write(&rig, a, 0, VOLUME_BYTES, 1), 0);
    uint64_t before = pool_free_extents(rig.pool);
    uint64_t id = rod_of(a, 0, MIB);
    assert_int_equal(pool_free_extents(rig.pool), before - 16);
    assert_int_equal(rig_write(&rig, a, 0, MIB, 2), 0);
    write_rod(b, 0, id);
    assert_true(rig_reads(&rig, b, 0, MIB, 1));
    pool_rig_delete_volume(&rig, "b", NULL);
    rods_look(rig.manager, clock_coarse_ms() + ROD_TIMEOUT_DEFAULT_S * 1000);
    settle();
    assert_int_equal(pool_free_extents(rig.pool), before);
    struct volume *fill = pool_rig_volume(&rig, "fill", 64 * MIB, 512);
    for (uint64_t at = 0; pool_free_extents(rig.pool) > 10; at += EXTENT_BYTES)
        assert_int_equal(rig_write(&rig, fill, at, EXTENT_BYTES, 3), 0);
    assert_int_equal(make_rod(&m, a, &piece, 1), -ENOSPC);
    settle();
    assert_int_equal(pool_free_extents(rig.pool), 10);
}

/* Each read and write of the data that has to be moved. What a write that failed has
 * taken leaks until the next start, as any volume's (extent_io.c). */
static void a_rod_whose_copy_fails_leaves_nothing(void **state)
{
    (void)state;
    struct volume *a = make_guaranteed();
    const struct rod_piece piece = {.from_bytes = 4096, .length_bytes = MIB};
    struct rig_making m;
    unsigned nth = 1;
    assert_int_equal(rig_write(&rig, a, 0, 2 * MIB, 1), 0);
    settle();
    uint64_t before = pool_free_extents(rig.pool);
    for (bool struck = true; struck; nth++) {
        fake_engine_fail(rig.lanes[0].fake, FAKE_READ | FAKE_WRITE, nth, -EIO, false);
        int rc = make_rod(&m, a, &piece, 1);
        struck = fake_engine_failed(rig.lanes[0].fake);
        assert_int_equal(rc, struck ? -EIO : 0);
        pool_rig_until(&rig, is_let_go, NULL);
    }
    assert_in_range(nth, 4, 1000);
    rod_put(m.rod, false);
    rig_assert_no_harm(&rig);
    pool_rig_reopen(&rig);
    settle();
    assert_int_equal(pool_free_extents(rig.pool), before);
}

/* ---- A sanitize ----------------------------------------------------------------------
 */

static void a_sanitize_waits_until_its_rods_have_gone(void **state)
{
    (void)state;
    struct volume *a = make("a"), *b = make("b");
    assert_int_equal(rig_write(&rig, a, 0, MIB, 1), 0);
    uint64_t id = rod_of(a, 0, MIB), other = rod_of(b, 0, MIB);
    struct rod *rod = rod_get(a, id, &(enum rod_state){0});
    assert_false(rods_let_go(a));
    rod_put(rod, false);
    assert_int_equal(state_of(a, id), ROD_CANCELLED);
    assert_int_equal(state_of(a, other), ROD_READY);
    settle();
    assert_true(rods_let_go(a));
}

#define ROD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROD_TEST(a_rod_takes_no_space_and_shows_what_was),
        ROD_TEST(several_ranges_are_one_after_the_other),
        ROD_TEST(what_ends_a_rod_gives_its_space_back),
        ROD_TEST(one_in_use_does_not_expire),
        ROD_TEST(a_purged_source_takes_its_rods_with_it),
        ROD_TEST(one_that_is_used_shows_it_to_the_end),
        ROD_TEST(a_snapshot_goes_with_its_rods_and_a_rollback_does_not),
        ROD_TEST(a_restart_forgets_rods_and_frees_them),
        ROD_TEST(a_power_cut_leaves_nothing_of_a_rod),
        ROD_TEST(a_pool_with_rods_can_be_deleted),
        ROD_TEST(a_host_makes_room_with_what_it_has_used),
        ROD_TEST(a_full_pool_refuses_and_keeps_nothing),
        ROD_TEST(a_rod_whose_copy_fails_leaves_nothing),
        ROD_TEST(a_sanitize_waits_until_its_rods_have_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
