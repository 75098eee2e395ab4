/* SPDX-License-Identifier: Apache-2.0 */
/* Sanitizing: what a volume held is gone from the file below, not from its map alone;
 * what it excludes; that a kill at any moment does not lose it; what a failure leaves. */
#include "tests/lib/log_keep.h"
#include "tests/lib/rig_check.h"
#include "tests/lib/rig_fake.h"
#include "tests/lib/rig_manage.h"

#include "lunmgr/copy.h"
#include "lunmgr/lane_priv.h"
#include "lunmgr/news.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/sanitize.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VOLUME_BYTES (4 * MIB)
#define POOL_BYTES   (16 * MIB)
#define SECRET       0xa5
#define OTHER        0x3c

static struct pool_rig rig;
static unsigned told_begun, told_good, told_failed;

static void on_begun(void *arg, const char *id, const char *name)
{
    (void)arg;
    assert_string_not_equal(id, "");
    assert_string_equal(name, "v");
    told_begun++;
}

static void on_ended(void *arg, const char *id, const char *name, bool good)
{
    (void)arg;
    assert_string_not_equal(id, "");
    assert_string_equal(name, "v");
    told_good += good;
    told_failed += !good;
}

static int setup(void **state)
{
    (void)state;
    struct pool_rig_options options = {
        .engine = RIG_FAKE, .lane_count = 1, .pool_bytes = POOL_BYTES};
    const struct lunmgr_news news = {.volume_sanitizing = on_begun,
                                     .volume_sanitized = on_ended};
    pool_rig_create(&rig, &options);
    lunmgr_set_news(rig.manager, &news);
    told_begun = told_good = told_failed = 0;
    return 0;
}

/* ---- Asking ------------------------------------------------------------------------ */

struct asking {
    struct sanitize_ask ask;
    bool gives_up;
    atomic_bool ended;
    int rc;
};

static void asking_on_done(struct sanitize_ask *ask, int rc)
{
    struct asking *a = container_of(ask, struct asking, ask);
    a->rc = rc;
    atomic_store(&a->ended, true);
}

static bool asking_is_given_up(struct sanitize_ask *ask)
{
    return container_of(ask, struct asking, ask)->gives_up;
}

static void asking_start_at_lane(struct rig_lane *lane, void *arg)
{
    struct asking *a = arg;
    a->ask.lane = lane->lane;
    sanitize_start(&a->ask);
}

static bool asking_ended(void *arg)
{
    return atomic_load(&((struct asking *)arg)->ended);
}

static void asking_start(struct pool_rig *r, struct asking *a, struct volume *v)
{
    a->ended = false;
    a->ask.volume = v;
    a->ask.done = asking_on_done;
    a->ask.is_given_up = asking_is_given_up;
    pool_rig_at_lane(r, 0, asking_start_at_lane, a);
}

static int asking_run(struct asking *a, struct volume *v)
{
    asking_start(&rig, a, v);
    pool_rig_until(&rig, asking_ended, a);
    return a->rc;
}

static int erase(struct volume *v)
{
    struct asking a = {.ask = {.waits = true, .spec = {.erases = true}}};
    return asking_run(&a, v);
}

static int overwrite(struct volume *v, uint8_t passes, bool inverts, const char *pattern)
{
    struct asking a = {.ask = {.waits = true,
                               .spec = {.inverts = inverts,
                                        .passes = passes,
                                        .pattern = (const uint8_t *)pattern,
                                        .pattern_bytes = (uint16_t)strlen(pattern)}}};
    return asking_run(&a, v);
}

static int leave_failure(struct volume *v)
{
    struct asking a = {.ask = {.exits = true}};
    return asking_run(&a, v);
}

static bool is_not_running(void *arg)
{
    return volume_sanitize_state(arg, NULL) != SANITIZE_RUNNING;
}

/* ---- The file below ---------------------------------------------------------------- */

/* Sectors of the pool's file that hold `fill` alone. */
static size_t sectors_of(const struct pool_rig *r, uint8_t fill)
{
    FILE *file = fopen(r->pool_path, "rb");
    uint8_t sector[SECTOR_BYTES], want[SECTOR_BYTES];
    size_t count = 0;
    assert_non_null(file);
    memset(want, fill, sizeof(want));
    while (fread(sector, sizeof(sector), 1, file) == 1)
        count += memcmp(sector, want, sizeof(want)) == 0;
    fclose(file);
    return count;
}

/* What a test that failed still holds is let go: it would be waited for. */
static int teardown(void **state)
{
    (void)state;
    log_keep_end();
    rig_home_hold(&rig, 0);
    pool_rig_destroy(&rig);
    return 0;
}

/* Whole extents, parts of one, what was unmapped in one, in both halves of the volume. */
static void write_secrets(struct pool_rig *r, struct volume *v)
{
    assert_int_equal(rig_write(r, v, 0, 3 * EXTENT_BYTES, SECRET), 0);
    assert_int_equal(rig_write(r, v, MIB + 4096, 8192, SECRET), 0);
    assert_int_equal(rig_write(r, v, 3 * MIB + 512, 512, SECRET), 0);
    assert_int_equal(rig_io_run(r, 0, v, VIO_UNMAP, EXTENT_BYTES + 8192, 16384, NULL), 0);
}

static struct volume *make(const char *name)
{
    return pool_rig_volume(&rig, name, VOLUME_BYTES, 512);
}

static struct volume *make_secret(void)
{
    struct volume *v = make("v");
    write_secrets(&rig, v);
    assert_true(sectors_of(&rig, SECRET) >= 3 * EXTENT_BYTES / SECTOR_BYTES);
    return v;
}

/* Every kind of I/O is answered that it is being sanitized. */
static void assert_closed(struct volume *v)
{
    uint8_t data[4096] = {0};
    static const enum vio_op ops[] = {VIO_READ,  VIO_WRITE, VIO_OR,   VIO_COMPARE_WRITE,
                                      VIO_UNMAP, VIO_ZERO,  VIO_FLUSH};
    for (size_t i = 0; i < ARRAY_LEN(ops); i++)
        assert_int_equal(
            rig_io_run(&rig, 0, v, ops[i], 0, ops[i] == VIO_FLUSH ? 0 : 4096, data),
            -EINPROGRESS);
}

/* ---- What it does ------------------------------------------------------------------ */

/* The holes that freed space becomes are held back: what is gone was overwritten. */
static void an_erase_overwrites_and_gives_back(void **state)
{
    (void)state;
    uint64_t all = pool_free_extents(rig.pool);
    struct volume *other = make("other"), *v = make_secret();
    assert_int_equal(rig_write(&rig, other, 0, EXTENT_BYTES, OTHER), 0);
    rig_home_hold(&rig, FAKE_PUNCH);
    assert_int_equal(erase(v), 0);
    assert_int_equal(sectors_of(&rig, SECRET), 0);
    assert_true(rig_reads(&rig, v, 0, VOLUME_BYTES, 0));
    rig_home_hold(&rig, 0);
    pool_rig_settle(&rig);
    assert_int_equal(pool_free_extents(rig.pool), all - 1);
    assert_true(rig_reads(&rig, other, 0, EXTENT_BYTES, OTHER));
    assert_int_equal(rig_write(&rig, v, 0, 4096, 7), 0);
    assert_true(rig_reads(&rig, v, 0, 4096, 7));
    assert_int_equal(told_begun, 1);
    assert_int_equal(told_good, 1);
    rig_assert_sound(&rig);
}

static bool reads_pattern(struct volume *v, uint64_t at, const char *pattern,
                          uint8_t flip)
{
    uint8_t data[4096];
    size_t bytes = strlen(pattern);
    assert_int_equal(rig_io_run(&rig, 0, v, VIO_READ, at, sizeof(data), data), 0);
    for (size_t i = 0; i < sizeof(data); i++)
        if (data[i] != ((uint8_t)pattern[i % 512 % bytes] ^ flip))
            return false;
    return true;
}

/* Of blocks: 7 bytes do not divide one. What was never written stays zeros. */
static void an_overwrite_has_its_pattern_in_each_block(void **state)
{
    (void)state;
    struct volume *v = make_secret();
    assert_int_equal(rig_flush(&rig, v), 0);
    uint64_t writes = rig_home_count(&rig, FAKE_WRITE);
    uint64_t syncs = rig_home_count(&rig, FAKE_SYNC);
    assert_int_equal(overwrite(v, 3, true, "pattern"), 0);
    writes = rig_home_count(&rig, FAKE_WRITE) - writes;
    syncs = rig_home_count(&rig, FAKE_SYNC) - syncs;
    assert_int_equal(sectors_of(&rig, SECRET), 0);
    assert_true(reads_pattern(v, 0, "pattern", 0));
    assert_true(reads_pattern(v, MIB + 4096, "pattern", 0));
    assert_true(rig_reads(&rig, v, 2 * MIB, EXTENT_BYTES, 0));
    assert_true(rig_reads(&rig, v, EXTENT_BYTES + 8192, 16384, 0));
    assert_true(writes >= 3);
    assert_int_equal(syncs, 3); /* one a pass */
    assert_int_equal(overwrite(v, 2, true, "x"), 0);
    assert_true(reads_pattern(v, 0, "x", 0xff));
    assert_int_equal(overwrite(v, 2, false, "x"), 0);
    assert_true(reads_pattern(v, 0, "x", 0));
    rig_assert_sound(&rig);
}

/* Its leaves are read from the catalog, batch by batch. */
static void a_large_volume_is_sanitized_to_its_end(void **state)
{
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", 2048 * MIB, 4096);
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(rig_write(&rig, v, i * 20 * MIB, 4096, SECRET), 0);
    assert_int_equal(sectors_of(&rig, SECRET), 100 * 8);
    rig_home_hold(&rig, FAKE_PUNCH);
    assert_int_equal(erase(v), 0);
    assert_int_equal(sectors_of(&rig, SECRET), 0);
    rig_home_hold(&rig, 0);
    assert_true(rig_reads(&rig, v, 99 * 20 * MIB, 4096, 0));
    rig_assert_sound(&rig);
}

static void nothing_written_is_sanitized_at_once(void **state)
{
    (void)state;
    struct volume *v = make("v");
    assert_int_equal(erase(v), 0);
    assert_int_equal(overwrite(v, 31, true, "x"), 0);
    assert_true(rig_reads(&rig, v, 0, VOLUME_BYTES, 0));
}

/* ---- While it runs ----------------------------------------------------------------- */

static void writes_under_way_are_waited_for(void **state)
{
    struct rig_io io;
    struct asking a = {.ask = {.waits = true, .spec = {.erases = true}}};
    (void)state;
    struct volume *v = make_secret();
    fake_engine_hold(rig.lanes[0].fake, FAKE_WRITE);
    rig_io_init(&io, &rig, 0, v, VIO_WRITE, 2 * MIB, EXTENT_BYTES);
    memset(rig_io_data(&io), SECRET, EXTENT_BYTES);
    rig_io_start(&io);
    pool_rig_turn(&rig);
    asking_start(&rig, &a, v);
    pool_rig_turn(&rig);
    assert_int_equal(volume_sanitize_state(v, NULL), SANITIZE_NONE);
    assert_false(a.ended);
    rig_home_hold(&rig, FAKE_PUNCH);
    fake_engine_hold(rig.lanes[0].fake, 0);
    assert_int_equal(rig_io_wait(&io), 0);
    pool_rig_until(&rig, asking_ended, &a);
    assert_int_equal(a.rc, 0);
    assert_int_equal(sectors_of(&rig, SECRET), 0);
    rig_home_hold(&rig, 0);
    rig_io_fini(&io);
}

/* All that may change it, by name. */
static void assert_excluded(void)
{
    struct err e;
    bool flag = true;
    struct volume_change grow = {.size_bytes = 2 * VOLUME_BYTES};
    struct volume_change protect = {.is_protected = &flag};
    assert_int_equal(rig_snapshot(&rig, "v", "s", NULL, &e), -EBUSY);
    assert_non_null(strstr(e.text, "is being sanitized"));
    assert_int_equal(rig_change(&rig, "v", &grow, &e), -EBUSY);
    assert_int_equal(rig_change(&rig, "v", &protect, &e), -EBUSY);
    assert_int_equal(rig_rollback(&rig, "v", "s", NULL, &e), -EBUSY);
    assert_int_equal(rig_trash(&rig, "v", &e), -EBUSY);
    assert_int_equal(pool_rig_delete_volume(&rig, "v", &e), -EBUSY);
    assert_non_null(strstr(e.text, "is being sanitized"));
}

static void nothing_else_is_done_with_it_meanwhile(void **state)
{
    struct asking a = {.ask = {.spec = {.erases = true}}};
    uint16_t progress = 1;
    (void)state;
    struct volume *v = make_secret();
    rig_home_hold(&rig, FAKE_WRITE);
    assert_int_equal(asking_run(&a, v), 0); /* it has begun */
    rig_home_await(&rig, FAKE_WRITE, 1);
    assert_int_equal(volume_sanitize_state(v, &progress), SANITIZE_RUNNING);
    assert_int_equal(progress, 0);
    assert_closed(v);
    assert_excluded();
    assert_int_equal(erase(v), -EBUSY);
    assert_int_equal(leave_failure(v), 0); /* there is none to leave: nothing happens */
    assert_int_equal(volume_sanitize_state(v, NULL), SANITIZE_RUNNING);
    rig_home_hold(&rig, 0);
    pool_rig_until(&rig, is_not_running, v);
    assert_int_equal(volume_sanitize_state(v, NULL), SANITIZE_NONE);
    assert_true(rig_reads(&rig, v, 0, VOLUME_BYTES, 0));
    assert_int_equal(rig_snapshot(&rig, "v", "s", NULL, NULL), 0);
}

static bool progress_rises(void *arg)
{
    uint16_t progress = 0;
    (void)volume_sanitize_state(arg, &progress);
    return progress > 0;
}

/* 4 extents that do not lie together: a write each. */
static void progress_is_told(void **state)
{
    struct asking a = {.ask = {.spec = {.erases = true}}};
    uint16_t progress = 0;
    (void)state;
    struct volume *v = make("v");
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(rig_write(&rig, v, i * MIB, 4096, SECRET), 0);
    rig_home_hold(&rig, FAKE_WRITE);
    assert_int_equal(asking_run(&a, v), 0);
    rig_home_await(&rig, FAKE_WRITE, 1);
    assert_true(rig_home_let_go(&rig, FAKE_WRITE));
    pool_rig_until(&rig, progress_rises, v);
    assert_int_equal(volume_sanitize_state(v, &progress), SANITIZE_RUNNING);
    assert_int_equal(progress, 65536 / 4);
    rig_home_hold(&rig, 0);
    pool_rig_until(&rig, is_not_running, v);
}

static void who_gives_up_waiting_does_not_stop_it(void **state)
{
    struct asking a = {
        .gives_up = true,
        .ask = {
            .waits = true,
            .spec = {.passes = 1, .pattern_bytes = 1, .pattern = (const uint8_t *)"x"}}};
    (void)state;
    struct volume *v = make_secret();
    rig_home_hold(&rig, FAKE_WRITE);
    assert_int_equal(asking_run(&a, v), -ECANCELED);
    assert_int_equal(volume_sanitize_state(v, NULL), SANITIZE_RUNNING);
    rig_home_hold(&rig, 0);
    pool_rig_until(&rig, is_not_running, v);
    assert_true(reads_pattern(v, 0, "x", 0));
    assert_int_equal(sectors_of(&rig, SECRET), 0);
}

/* ---- What is shared ---------------------------------------------------------------- */

static void what_a_snapshot_shares_is_not_touched(void **state)
{
    (void)state;
    struct volume *v = make_secret();
    assert_int_equal(rig_snapshot(&rig, "v", "s", NULL, NULL), 0);
    log_keep_begin();
    assert_int_equal(erase(v), -EEXIST);
    assert_int_equal(overwrite(v, 1, false, "x"), -EEXIST);
    log_keep_end();
    assert_non_null(strstr(log_kept(), "snapshot=v/s"));
    assert_true(rig_reads(&rig, v, 0, EXTENT_BYTES, SECRET));
    assert_int_equal(told_begun, 0);
    assert_int_equal(rig_snapshot_delete(&rig, "v/s", NULL), 0);
    pool_rig_settle(&rig);
    assert_int_equal(erase(v), 0);
    assert_true(rig_reads(&rig, v, 0, VOLUME_BYTES, 0));
}

static void what_a_clone_stands_on_is_not_touched(void **state)
{
    struct volume *v;
    (void)state;
    struct volume *old = make("old");
    assert_int_equal(rig_write(&rig, old, 0, EXTENT_BYTES, OTHER), 0);
    assert_int_equal(rig_snapshot(&rig, "old", "s", NULL, NULL), 0);
    assert_int_equal(rig_clone(&rig, "old/s", "v", 0, &v, NULL), 0);
    log_keep_begin();
    assert_int_equal(erase(v), -EEXIST);
    log_keep_end();
    assert_non_null(strstr(log_kept(), "snapshot=old/s"));
    assert_true(rig_reads(&rig, v, 0, EXTENT_BYTES, OTHER));
    assert_int_equal(rig_write(&rig, v, 0, 4096, 1), 0); /* the fence has fallen */
}

static void an_extent_that_a_copy_shares_is_not_touched(void **state)
{
    (void)state;
    struct volume *v = make_secret(), *other = make("other");
    struct copy copy = {.from = v, .to = other, .length_bytes = EXTENT_BYTES};
    assert_int_equal(rig_copy(&rig, &copy), 0);
    assert_int_equal(copy.shared_bytes, EXTENT_BYTES);
    assert_int_equal(erase(v), -EEXIST);
    assert_true(rig_reads(&rig, other, 0, EXTENT_BYTES, SECRET));
    assert_true(rig_reads(&rig, v, 0, EXTENT_BYTES, SECRET));
}

/* ---- Stops and kills --------------------------------------------------------------- */

static void a_stop_leaves_it_to_the_next_start(void **state)
{
    struct asking a = {.ask = {.spec = {.erases = true}}};
    (void)state;
    struct volume *v = make_secret();
    rig_home_hold(&rig, FAKE_WRITE);
    assert_int_equal(asking_run(&a, v), 0);
    rig_home_await(&rig, FAKE_WRITE, 1);
    pool_rig_cut(&rig); /* as a kill at this moment leaves it */
    rig_home_hold(&rig, 0);
    pool_rig_close(&rig);
    pool_rig_take_cut(&rig);
    assert_true(sectors_of(&rig, SECRET) > 0);
    pool_rig_open(&rig);
    v = volume_find(rig.manager, "v");
    pool_rig_until(&rig, is_not_running, v);
    assert_int_equal(volume_sanitize_state(v, NULL), SANITIZE_NONE);
    assert_int_equal(sectors_of(&rig, SECRET), 0);
    assert_true(rig_reads(&rig, v, 0, VOLUME_BYTES, 0));
    assert_int_equal(rig_write(&rig, v, 0, 4096, 1), 0);
    assert_int_equal(rig_flush(&rig, v), 0);
    pool_rig_reopen(&rig); /* and no further one does it again */
    v = volume_find(rig.manager, "v");
    assert_int_equal(volume_sanitize_state(v, NULL), SANITIZE_NONE);
    assert_true(rig_reads(&rig, v, 0, 4096, 1));
}

/* The power goes after so many steps; what was answered is promised. By hand, so that the
 * start after it can be looked at before any of its loops has turned. */
static bool power_goes_after(unsigned steps, uint64_t seed)
{
    struct pool_rig_options o = {.engine = RIG_CUT,
                                 .lane_count = 1,
                                 .pool_bytes = POOL_BYTES,
                                 .seed = seed,
                                 .by_hand = true};
    struct pool_rig hand;
    struct asking a = {.ask = {.spec = {.erases = true}}};
    pool_rig_create(&hand, &o);
    struct volume *v = pool_rig_volume(&hand, "v", VOLUME_BYTES, 512);
    write_secrets(&hand, v);
    asking_start(&hand, &a, v);
    for (unsigned i = 0; i < steps; i++)
        pool_rig_step(&hand);
    bool promised = a.ended, over = promised && is_not_running(v);
    pool_rig_cut(&hand);
    pool_rig_until(&hand, asking_ended, &a);
    pool_rig_reopen_cut(&hand);
    v = volume_find(hand.manager, "v");
    enum sanitize_state state = volume_sanitize_state(v, NULL);
    uint8_t data[4096];
    if (promised && !over)
        assert_int_equal(state, SANITIZE_RUNNING);
    if (state == SANITIZE_RUNNING) {
        int rc = rig_io_run(&hand, 0, v, VIO_READ, 0, sizeof(data), data);
        assert_true(rc == -EINPROGRESS || data[0] == 0);
    }
    pool_rig_until(&hand, is_not_running, v);
    assert_int_equal(volume_sanitize_state(v, NULL), SANITIZE_NONE);
    if (promised || state == SANITIZE_RUNNING) {
        assert_true(rig_reads(&hand, v, 0, VOLUME_BYTES, 0));
        pool_rig_close(&hand);
        assert_int_equal(sectors_of(&hand, SECRET), 0);
    }
    pool_rig_destroy(&hand);
    return over;
}

static void a_power_cut_at_any_moment_does_not_lose_it(void **state)
{
    unsigned steps = 0, count = 0;
    (void)state;
    for (; !power_goes_after(steps, 7 + count); steps += 5)
        assert_in_range(++count, 1, 400);
    assert_in_range(count, 8, 400); /* some of them were in the midst of it */
}

/* ---- Failures ---------------------------------------------------------------------- */

static void assert_failed_state(struct volume *v)
{
    struct err e;
    assert_int_equal(volume_sanitize_state(v, NULL), SANITIZE_FAILED);
    assert_closed(v);
    assert_int_equal(rig_snapshot(&rig, "v", "s", NULL, &e), -EBUSY);
    assert_non_null(strstr(e.text, "sanitize of volume v failed"));
}

static void a_failure_closes_the_volume_until_one_works(void **state)
{
    struct asking lax = {.ask = {.spec = {.erases = true, .unrestricted = true}}};
    (void)state;
    struct volume *v = make_secret();
    rig_home_fail(&rig, FAKE_WRITE, 2, -EIO, false);
    assert_int_equal(erase(v), -EREMOTEIO);
    assert_int_equal(told_failed, 1);
    assert_failed_state(v);
    assert_int_equal(leave_failure(v), -EPERM); /* restricted: AUSE was 0 */
    assert_int_equal(asking_run(&lax, v), -EPERM);
    pool_rig_reopen(&rig);
    v = volume_find(rig.manager, "v");
    assert_failed_state(v);
    assert_int_equal(leave_failure(v), -EPERM);
    assert_int_equal(erase(v), 0);
    assert_true(rig_reads(&rig, v, 0, VOLUME_BYTES, 0));
    assert_int_equal(sectors_of(&rig, SECRET), 0);
    rig_assert_sound(&rig);
}

static void an_unrestricted_failure_can_be_left(void **state)
{
    struct asking lax = {
        .ask = {.waits = true, .spec = {.erases = true, .unrestricted = true}}};
    (void)state;
    struct volume *v = make_secret();
    assert_int_equal(leave_failure(v), 0); /* SBC-4: not an error out of that mode */
    rig_home_fail(&rig, FAKE_WRITE, 1, -EIO, false);
    assert_int_equal(asking_run(&lax, v), -EREMOTEIO);
    assert_failed_state(v);
    assert_int_equal(leave_failure(v), 0);
    assert_int_equal(volume_sanitize_state(v, NULL), SANITIZE_NONE);
    assert_int_equal(rig_write(&rig, v, 0, 4096, 1), 0);
    assert_int_equal(rig_flush(&rig, v), 0);
    pool_rig_reopen(&rig);
    v = volume_find(rig.manager, "v");
    assert_int_equal(volume_sanitize_state(v, NULL), SANITIZE_NONE);
    assert_true(rig_reads(&rig, v, 0, 4096, 1));
}

/* The row goes with it. */
static void a_failed_one_can_be_deleted(void **state)
{
    (void)state;
    struct volume *v = make_secret();
    rig_home_fail(&rig, FAKE_WRITE, 1, -EIO, false);
    assert_int_equal(erase(v), -EREMOTEIO);
    assert_int_equal(pool_rig_delete_volume(&rig, "v", NULL), 0);
    pool_rig_settle(&rig);
    pool_rig_reopen(&rig);
    assert_null(volume_find(rig.manager, "v"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_erase_overwrites_and_gives_back),
        TEST(an_overwrite_has_its_pattern_in_each_block),
        TEST(a_large_volume_is_sanitized_to_its_end),
        TEST(nothing_written_is_sanitized_at_once),
        TEST(writes_under_way_are_waited_for),
        TEST(nothing_else_is_done_with_it_meanwhile),
        TEST(progress_is_told),
        TEST(who_gives_up_waiting_does_not_stop_it),
        TEST(what_a_snapshot_shares_is_not_touched),
        TEST(what_a_clone_stands_on_is_not_touched),
        TEST(an_extent_that_a_copy_shares_is_not_touched),
        TEST(a_stop_leaves_it_to_the_next_start),
        cmocka_unit_test(a_power_cut_at_any_moment_does_not_lose_it),
        TEST(a_failure_closes_the_volume_until_one_works),
        TEST(an_unrestricted_failure_can_be_left),
        TEST(a_failed_one_can_be_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
