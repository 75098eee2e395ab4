/* SPDX-License-Identifier: Apache-2.0 */
/* What a volume is guaranteed: others leave it alone, whatever comes in between, and it
 * is refused where the pool has not as much. */
#include "tests/lib/rig_check.h"
#include "tests/unit/lunmgr/manage_rig.h"

#include "lunmgr/copy.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Of 64 KiB, beside the superblock's. */
#define POOL_EXTENTS 255
#define KEPT         40

static int guaranteed_setup(void **state)
{
    struct pool_rig_options options = {
        .engine = RIG_FAKE, .lane_count = 3, .threads = true, .pool_bytes = 16 * MIB};
    (void)state;
    pool_rig_create(&rig, &options);
    return 0;
}

#define GUARANTEE_TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, guaranteed_setup, manage_teardown)

static int guarantee(const char *name, uint64_t extents, struct err *e)
{
    uint64_t bytes = extents * EXTENT_BYTES;
    const struct volume_change change = {.guaranteed_bytes = &bytes};
    return rig_change(&rig, name, &change, e);
}

/* 64 MiB. */
static struct volume *make(const char *name, uint64_t guaranteed_extents)
{
    const struct volume_spec spec = {.name = name,
                                     .pool = "p",
                                     .size_bytes = 64 * MIB,
                                     .guaranteed_bytes =
                                         guaranteed_extents * EXTENT_BYTES};
    struct volume *v = NULL;
    assert_int_equal(rig_make(&rig, &spec, &v, NULL), 0);
    return v;
}

static int write_at(struct volume *v, uint64_t extent)
{
    return rig_write(&rig, v, extent * EXTENT_BYTES, BLOCK_BYTES, (uint8_t)(extent + 1));
}

/* From there on until the pool has nothing for it: how many. */
static uint64_t fill(struct volume *v, uint64_t from)
{
    uint64_t n = 0;
    int rc;
    while ((rc = write_at(v, from + n)) == 0)
        n++;
    assert_int_equal(rc, -ENOSPC);
    return n;
}

static void write_all(struct volume *v, uint64_t from, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        assert_int_equal(write_at(v, from + i), 0);
}

static uint64_t reserved(void)
{
    return space_reserved(rig.pool);
}

static void unmap_extents(struct volume *v, uint64_t from, uint64_t count)
{
    assert_int_equal(rig_io_run(&rig, 0, v, VIO_UNMAP, from * EXTENT_BYTES,
                                count * EXTENT_BYTES, NULL),
                     0);
}

/* ---- Full ----------------------------------------------------------------------------
 */

static void others_leave_what_is_guaranteed(void **state)
{
    struct volume_info info;
    struct pool_info pool;
    (void)state;
    struct volume *v = make("v", KEPT), *w = make("w", 0);
    assert_int_equal(fill(w, 0), POOL_EXTENTS - KEPT);
    volume_describe(v, &info);
    assert_int_equal(info.guaranteed_bytes, KEPT * EXTENT_BYTES);
    assert_int_equal(info.reserved_bytes, KEPT * EXTENT_BYTES);
    pool_describe(rig.pool, &pool);
    assert_int_equal(pool.reserved_bytes, KEPT * EXTENT_BYTES);
    assert_int_equal(pool.free_bytes, KEPT * EXTENT_BYTES);
    assert_int_equal(pool.available_bytes, 0);
    assert_int_equal(volume_available_extents(v, KEPT), KEPT);
    assert_int_equal(volume_available_extents(w, KEPT), 0);
    write_all(v, 0, KEPT);
    assert_int_equal(reserved(), 0);
    assert_int_equal(write_at(v, KEPT), -ENOSPC); /* beyond it, as anybody */
    assert_int_equal(write_at(v, 0), 0);
    rig_assert_sound(&rig);
}

/* What it unmaps is reserved for it again before it is free. */
static void what_it_gives_back_stays_its_own(void **state)
{
    (void)state;
    struct volume *v = make("v", KEPT), *w = make("w", 0);
    uint64_t n = fill(w, 0);
    for (unsigned round = 0; round < 20; round++) {
        write_all(v, 0, KEPT);
        unmap_extents(v, 0, KEPT);
        assert_int_equal(reserved(), KEPT);
        assert_int_equal(write_at(w, n), -ENOSPC);
    }
    unmap_extents(w, 0, 10);
    assert_int_equal(fill(w, n), 10); /* waits for them */
    write_all(v, 0, KEPT);
}

static void snapshots_begin_it_anew(void **state)
{
    struct err e;
    (void)state;
    struct volume *v = make("v", KEPT), *w = make("w", 0);
    write_all(v, 0, 15);
    assert_int_equal(reserved(), KEPT - 15);
    assert_int_equal(rig_snapshot(&rig, "v", "s", NULL, &e), 0);
    assert_int_equal(reserved(), KEPT);
    uint64_t n = fill(w, 0);
    assert_int_equal(n, POOL_EXTENTS - KEPT - 15);
    write_all(v, 0, KEPT); /* all that the snapshot holds too */
    assert_int_equal(rig_snapshot(&rig, "v", "t", NULL, &e), -ENOSPC);
    assert_non_null(strstr(e.text, "pool p lacks 2621440 bytes"));
    assert_null(snapshot_find(rig.manager, "v/t"));
    assert_int_equal(rig_rollback(&rig, "v", "s", NULL, &e), -ENOSPC);
    unmap_extents(w, 0, KEPT);
    assert_int_equal(rig_round(&rig), 0);
    assert_int_equal(rig_snapshot(&rig, "v", "t", NULL, &e), 0);
    write_all(v, 0, KEPT);
    assert_int_equal(rig_snapshot_delete(&rig, "v/t", &e), 0);
    assert_int_equal(rig_snapshot_delete(&rig, "v/s", &e), 0);
    pool_rig_settle(&rig);
    assert_int_equal(reserved(), 0); /* what was merged into it is its own */
    rig_assert_sound(&rig);
}

/* ---- Set -----------------------------------------------------------------------------
 */

static void more_than_the_pool_has_is_refused(void **state)
{
    struct err e;
    (void)state;
    struct volume *v = make("v", KEPT);
    make("w", 0);
    assert_int_equal(guarantee("w", POOL_EXTENTS - KEPT + 1, &e), -ENOSPC);
    assert_string_equal(e.field, "guaranteed");
    assert_non_null(strstr(e.text, "pool p lacks 65536 bytes"));
    assert_int_equal(reserved(), KEPT);
    assert_int_equal(guarantee("w", POOL_EXTENTS - KEPT, &e), 0);
    assert_int_equal(guarantee("v", KEPT + 1, &e), -ENOSPC);
    write_all(v, 0, KEPT);
    assert_int_equal(write_at(v, KEPT), -ENOSPC);
    assert_int_equal(guarantee("w", 0, &e), 0);
    assert_int_equal(write_at(v, KEPT), 0);
    assert_int_equal(guarantee("v", 64 * MIB / EXTENT_BYTES + 1, &e), -EINVAL);
    assert_string_equal(e.field, "guaranteed");
    const struct volume_change shrink = {.size_bytes = MIB, .allow_data_loss = true};
    assert_int_equal(rig_change(&rig, "v", &shrink, &e), -EINVAL);
    assert_string_equal(e.field, "size");
    struct volume_spec spec = {
        .name = "x", .pool = "p", .size_bytes = 64 * MIB, .guaranteed_bytes = 64 * MIB};
    assert_int_equal(rig_make(&rig, &spec, NULL, &e), -ENOSPC);
    assert_string_equal(e.field, "guaranteed");
    assert_int_equal(reserved(), 0);
    /* Counted in whole extents. */
    spec.guaranteed_bytes = EXTENT_BYTES + 1;
    assert_int_equal(rig_make(&rig, &spec, NULL, &e), 0);
    assert_int_equal(reserved(), 2);
    assert_int_equal(pool_rig_delete_volume(&rig, "x", &e), 0);
    pool_rig_settle(&rig);
    assert_int_equal(reserved(), 0);
}

static void a_restart_finds_it_as_it_was(void **state)
{
    struct volume_info info;
    (void)state;
    struct volume *v = make("v", KEPT), *w;
    (void)make("w", 0);
    write_all(v, 0, 7);
    restart();
    v = volume_find(rig.manager, "v");
    w = volume_find(rig.manager, "w");
    volume_describe(v, &info);
    assert_int_equal(info.guaranteed_bytes, KEPT * EXTENT_BYTES);
    assert_int_equal(reserved(), KEPT - 7);
    assert_int_equal(fill(w, 0), POOL_EXTENTS - KEPT);
    write_all(v, 7, KEPT - 7);
}

/* ---- Shared extents ------------------------------------------------------------------
 */

static void copy_all(struct volume *from, struct volume *to, uint64_t shared_extents)
{
    struct copy c = {
        .from = from, .to = to, .length_bytes = shared_extents * EXTENT_BYTES};
    assert_int_equal(rig_copy(&rig, &c), 0);
}

/* A write to a shared extent takes another: such a word is none of what it has taken. */
static void what_is_shared_is_not_taken(void **state)
{
    (void)state;
    struct volume *v = make("v", 0), *w = make("w", 0);
    write_all(v, 0, 8);
    copy_all(v, w, 8);
    assert_int_equal(guarantee("v", KEPT, NULL), 0);
    assert_int_equal(guarantee("w", KEPT, NULL), 0);
    assert_int_equal(reserved(), 2 * KEPT);
    restart();
    assert_int_equal(reserved(), 2 * KEPT);
    v = volume_find(rig.manager, "v");
    write_all(v, 0, 8);
    assert_int_equal(reserved(), 2 * KEPT - 8);
    /* What it has taken is not shared: it could not be written in place any more. */
    uint64_t free = pool_free_extents(rig.pool);
    struct volume *x = make("x", 0);
    copy_all(v, x, 8);
    assert_int_equal(pool_free_extents(rig.pool), free - 8);
    assert_int_equal(reserved(), 2 * KEPT - 8);
    assert_true(rig_reads(&rig, x, 0, BLOCK_BYTES, 1));
    rig_assert_sound(&rig);
}

/* ---- At once -------------------------------------------------------------------------
 */

#define WRITERS 24

/* Writers without a guarantee on two lanes, which want all, and one with one. */
static void of_many_at_once_none_takes_what_is_anothers(void **state)
{
    static struct rig_io ios[WRITERS * 12];
    (void)state;
    struct volume *v = make("v", KEPT), *w = make("w", 0);
    fill(w, 0);
    unmap_extents(w, 0, KEPT);
    for (unsigned turn = 0; turn < rig_times(20); turn++) {
        unsigned refused = 0, good = 0;
        for (unsigned i = 0; i < ARRAY_LEN(ios); i++) {
            bool kept = i % 3 == 0 && i / 3 < KEPT;
            rig_io_init(&ios[i], &rig, i % 3, kept ? v : w, VIO_WRITE,
                        (kept ? i / 3 : 300 + i) * EXTENT_BYTES, EXTENT_BYTES);
            rig_io_start(&ios[i]);
        }
        for (unsigned i = 0; i < ARRAY_LEN(ios); i++) {
            bool kept = i % 3 == 0 && i / 3 < KEPT;
            int rc = rig_io_end(&ios[i]);
            if (kept)
                assert_int_equal(rc, 0);
            else if (rc == -ENOSPC)
                refused++;
            else
                good += rc == 0;
        }
        assert_int_equal(good + refused, ARRAY_LEN(ios) - KEPT);
        assert_int_equal(reserved(), 0);
        unmap_extents(v, 0, KEPT);
        unmap_extents(w, 300, ARRAY_LEN(ios));
        assert_int_equal(reserved(), KEPT);
    }
    rig_assert_sound(&rig);
}

/* A write that fails leaves what it has taken, and all of the guarantee can be written
 * all the same. */
static void failed_writes_use_nothing_up(void **state)
{
    (void)state;
    struct volume *v = make("v", KEPT), *w = make("w", 0);
    fill(w, 0);
    for (unsigned nth = 1; nth <= 10; nth++) {
        fake_engine_fail(rig.lanes[0].fake, FAKE_WRITE, nth, -EIO, false);
        for (uint64_t i = 0; i < KEPT; i++) {
            int rc = write_at(v, i);
            assert_true(rc == 0 || rc == -EIO);
        }
        assert_true(fake_engine_failed(rig.lanes[0].fake));
        write_all(v, 0, KEPT);
        assert_int_equal(reserved(), 0);
        assert_int_equal(write_at(w, 500), -ENOSPC);
        unmap_extents(v, 0, KEPT);
        assert_int_equal(reserved(), KEPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARANTEE_TEST(others_leave_what_is_guaranteed),
        GUARANTEE_TEST(what_it_gives_back_stays_its_own),
        GUARANTEE_TEST(snapshots_begin_it_anew),
        GUARANTEE_TEST(more_than_the_pool_has_is_refused),
        GUARANTEE_TEST(a_restart_finds_it_as_it_was),
        GUARANTEE_TEST(what_is_shared_is_not_taken),
        GUARANTEE_TEST(of_many_at_once_none_takes_what_is_anothers),
        MANAGE_TEST(failed_writes_use_nothing_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
