/* SPDX-License-Identifier: Apache-2.0 */
/* Freed space is returned to the file below, in few and long pieces; nobody waits for
 * that but for want of any other extent, and nothing depends on it. */
#include "tests/lib/rig_check.h"
#include "tests/lib/rig_fake.h"
#include "tests/lib/vio_load.h"

#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct pool_rig rig;
static struct volume *vol;

static void open_rig(enum rig_engine engine, unsigned lanes, bool threads,
                     uint64_t pool_bytes, unsigned tick_ms, uint64_t seed)
{
    struct pool_rig_options options = {.engine = engine,
                                       .lane_count = lanes,
                                       .threads = threads,
                                       .pool_bytes = pool_bytes,
                                       .tick_ms = tick_ms,
                                       .seed = seed};
    pool_rig_create(&rig, &options);
}

/* Fifteen extents, and one volume that could take more. */
static int setup(void **state)
{
    (void)state;
    open_rig(RIG_FAKE, 2, false, MIB, 0, 0);
    vol = pool_rig_volume(&rig, "v", 64 * MIB, 512);
    return 0;
}

static void fill_pool(void)
{
    for (uint64_t at = 0; pool_free_extents(rig.pool) > 0; at += EXTENT_BYTES)
        assert_int_equal(rig_write(&rig, vol, at, EXTENT_BYTES, 0x11), 0);
}

static void unmap(uint64_t offset, uint64_t bytes)
{
    assert_int_equal(rig_io_run(&rig, 0, vol, VIO_UNMAP, offset, bytes, NULL), 0);
}

static int teardown(void **state)
{
    (void)state;
    if (rig.options.engine == RIG_FAKE)
        rig_home_hold(&rig, 0); /* a test that failed may have held them */
    pool_rig_destroy(&rig);
    return 0;
}

/* ---- What is returned ---------------------------------------------------------------
 */

static uint64_t punches(void)
{
    return rig_home_count(&rig, FAKE_PUNCH);
}

static uint64_t file_bytes(void)
{
    struct stat st;
    assert_int_equal(stat(rig.pool_path, &st), 0);
    return (uint64_t)st.st_blocks * 512;
}

static void returns_space(enum rig_engine engine)
{
    pool_rig_destroy(&rig);
    if (!pool_rig_has(engine))
        skip();
    open_rig(engine, 1, false, 64 * MIB, 0, 0);
    vol = pool_rig_volume(&rig, "v", 64 * MIB, 512);
    uint64_t empty = file_bytes();
    for (uint64_t at = 0; at < 32 * MIB; at += VIO_BYTES_MAX)
        assert_int_equal(rig_write(&rig, vol, at, VIO_BYTES_MAX, 0x11), 0);
    assert_int_equal(rig_round(&rig), 0);
    assert_true(file_bytes() >= empty + 32 * MIB);
    unmap(0, 16 * MIB);
    pool_rig_settle(&rig);
    assert_in_range(file_bytes(), empty + 16 * MIB, empty + 17 * MIB);
    for (uint64_t at = 0; at < 32 * MIB; at += VIO_BYTES_MAX)
        assert_true(rig_reads(&rig, vol, at, VIO_BYTES_MAX, at < 16 * MIB ? 0 : 0x11));
    assert_int_equal(pool_rig_delete_volume(&rig, "v", NULL), 0);
    pool_rig_settle(&rig);
    assert_in_range(file_bytes(), 0, empty + MIB);
}

static void freed_space_returns_to_the_file_by_threads(void **state)
{
    (void)state;
    returns_space(RIG_THREADS);
}

static void freed_space_returns_to_the_file_by_uring(void **state)
{
    (void)state;
    returns_space(RIG_URING);
}

static void adjacent_frees_are_one_punch(void **state)
{
    (void)state;
    fill_pool();
    for (uint64_t i = 0; i < 8; i++)
        unmap((i * 5 + 3) % 8 * EXTENT_BYTES, EXTENT_BYTES); /* in any order */
    unmap(10 * EXTENT_BYTES, EXTENT_BYTES);
    pool_rig_settle(&rig);
    assert_int_equal(punches(), 2);
    assert_int_equal(pool_free_extents(rig.pool), 9);
}

/* ---- Who waits ----------------------------------------------------------------------
 */

static void an_extent_is_not_handed_out_while_it_is_punched(void **state)
{
    struct rig_io write;
    (void)state;
    fill_pool();
    rig_home_hold(&rig, FAKE_PUNCH);
    unmap(3 * EXTENT_BYTES, EXTENT_BYTES);
    assert_int_equal(rig_round(&rig), 0);
    rig_home_await(&rig, FAKE_PUNCH, 1);
    assert_int_equal(pool_free_extents(rig.pool), 0);
    assert_int_equal(limbo_count(rig.pool), 1);
    rig_io_init(&write, &rig, 0, vol, VIO_WRITE, 20 * EXTENT_BYTES, EXTENT_BYTES);
    memset(rig_io_data(&write), 0x77, EXTENT_BYTES);
    rig_io_start(&write);
    for (int i = 0; i < 20; i++)
        pool_rig_turn(&rig);
    assert_false(write.ended); /* and it has not failed for want of space */
    rig_home_hold(&rig, 0);
    assert_int_equal(rig_io_end(&write), 0);
    assert_true(rig_reads(&rig, vol, 20 * EXTENT_BYTES, EXTENT_BYTES, 0x77));
}

/* Every second one: eight runs, of which four are punched at once. */
static void a_full_pool_takes_back_what_is_not_punched_yet(void **state)
{
    struct rig_io last;
    (void)state;
    fill_pool();
    rig_home_hold(&rig, FAKE_PUNCH);
    for (uint64_t i = 0; i < 15; i += 2)
        unmap(i * EXTENT_BYTES, EXTENT_BYTES);
    assert_int_equal(rig_round(&rig), 0);
    rig_home_await(&rig, FAKE_PUNCH, DISCARD_RUNS_MAX);
    for (uint64_t i = 0; i < 8 - DISCARD_RUNS_MAX; i++)
        assert_int_equal(
            rig_write(&rig, vol, (20 + i) * EXTENT_BYTES, EXTENT_BYTES, 0x22), 0);
    assert_int_equal(punches(), 0);
    rig_io_init(&last, &rig, 1, vol, VIO_WRITE, 40 * EXTENT_BYTES, 4096);
    rig_io_start(&last);
    pool_rig_turn(&rig);
    assert_false(last.ended);
    rig_home_hold(&rig, 0);
    assert_int_equal(rig_io_end(&last), 0);
    for (uint64_t i = 0; i < 8 - DISCARD_RUNS_MAX; i++)
        assert_true(rig_reads(&rig, vol, (20 + i) * EXTENT_BYTES, EXTENT_BYTES, 0x22));
    assert_int_equal(punches(), DISCARD_RUNS_MAX);
    rig_assert_sound(&rig);
}

/* While the pool has others, nobody waits for those that are punched. */
static void writers_take_other_extents_meanwhile(void **state)
{
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 4 * EXTENT_BYTES, 0x11), 0);
    rig_home_hold(&rig, FAKE_PUNCH);
    unmap(0, 4 * EXTENT_BYTES);
    assert_int_equal(rig_round(&rig), 0);
    rig_home_await(&rig, FAKE_PUNCH, 1);
    assert_int_equal(rig_write(&rig, vol, 0, 11 * EXTENT_BYTES, 0x22), 0);
    assert_int_equal(rig_round(&rig), 0); /* nor does a flush */
    assert_int_equal(punches(), 0);
    rig_home_hold(&rig, 0);
    pool_rig_settle(&rig);
    assert_true(rig_reads(&rig, vol, 0, 11 * EXTENT_BYTES, 0x22));
    assert_int_equal(pool_free_extents(rig.pool), 4);
}

/* ---- What goes wrong -----------------------------------------------------------------
 */

static void frees_in_turn(unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        assert_int_equal(rig_write(&rig, vol, 0, 3 * EXTENT_BYTES, 0x11), 0);
        unmap(0, 3 * EXTENT_BYTES);
        pool_rig_settle(&rig);
        assert_int_equal(pool_free_extents(rig.pool), 15);
    }
}

static void a_device_that_refuses_is_asked_once(void **state)
{
    static const int refusals[] = {-EOPNOTSUPP, -ENOTTY, -EINVAL, -ENOSYS};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        pool_rig_destroy(&rig);
        setup(NULL);
        rig_home_fail(&rig, FAKE_PUNCH, 1, refusals[i], true);
        frees_in_turn(3);
        assert_int_equal(punches(), 1);
        rig_assert_sound(&rig);
    }
}

static void a_failed_punch_leaks_nothing(void **state)
{
    (void)state;
    rig_home_fail(&rig, FAKE_PUNCH, 1, -EIO, true);
    frees_in_turn(3);
    assert_int_equal(punches(), 3); /* the next may work */
    rig_assert_sound(&rig);
}

static void home_trim(struct pool_rig *r, void *arg)
{
    (void)arg;
    pool_slot(r->pool, 1)->discard_way = DISCARD_TRIM;
}

/* BLKDISCARD of a file is refused as that of a device which has none. */
static void a_trim_that_is_refused_leaks_nothing(void **state)
{
    (void)state;
    pool_rig_at_home(&rig, home_trim, NULL);
    frees_in_turn(3);
    assert_int_equal(pool_slot(rig.pool, 1)->discard_way, DISCARD_NONE);
    assert_int_equal(punches(), 0);
    rig_assert_sound(&rig);
}

static void a_stop_waits_for_punches_and_loses_no_extent(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(rig_write(&rig, vol, 0, 15 * EXTENT_BYTES, 0x11), 0);
        for (uint64_t x = 0; x < 15; x += 2)
            unmap(x * EXTENT_BYTES, EXTENT_BYTES);
        assert_int_equal(rig_round(&rig), 0);
        if (i % 2 == 1)
            usleep(DISCARD_PAUSE_MS * 1000); /* one that is under way, perhaps */
        pool_rig_reopen(&rig);
        vol = volume_find(rig.manager, "v");
        assert_int_equal(pool_free_extents(rig.pool), 8);
        assert_true(rig_reads(&rig, vol, EXTENT_BYTES, EXTENT_BYTES, 0x11));
        assert_true(rig_reads(&rig, vol, 0, EXTENT_BYTES, 0));
        rig_assert_sound(&rig);
    }
}

static void a_pool_goes_while_its_space_is_returned(void **state)
{
    (void)state;
    assert_int_equal(rig_write(&rig, vol, 0, 15 * EXTENT_BYTES, 0x11), 0);
    for (uint64_t x = 0; x < 15; x += 2)
        unmap(x * EXTENT_BYTES, EXTENT_BYTES);
    assert_int_equal(rig_round(&rig), 0);
    assert_int_equal(pool_rig_delete_volume(&rig, "v", NULL), 0);
    assert_int_equal(pool_rig_delete_pool(&rig, "p", NULL), 0);
    assert_null(pool_find(rig.manager, "p"));
}

static void on_volume(void *arg, struct volume *volume, const struct err *e)
{
    assert_null(e);
    *(struct volume **)arg = volume;
}

static bool is_there(void *arg)
{
    return *(struct volume **)arg != NULL;
}

static struct volume *volume_of_another_pool(void)
{
    char path[320];
    struct err e;
    struct volume *made = NULL;
    struct volume_spec spec = {.name = "w", .pool = "q", .size_bytes = MIB};
    snprintf(path, sizeof(path), "%s/other.img", rig.dir);
    assert_int_equal(pool_rig_make_pool(&rig, "q", path, MIB, NULL, &e), 0);
    volume_create(rig.manager, &spec, on_volume, &made);
    pool_rig_until(&rig, is_there, &made);
    return made;
}

static bool nothing_in_the_background(void *arg)
{
    return atomic_load(&((struct pool_rig *)arg)->pool->background_count) == 0;
}

/* A read elsewhere, begun before, keeps them in limbo until the pool's last round. */
static void what_a_pools_last_round_frees_is_not_punched(void **state)
{
    struct rig_io read;
    (void)state;
    struct volume *w = volume_of_another_pool();
    assert_int_equal(rig_write(&rig, w, 0, 4096, 0x22), 0);
    fill_pool();
    fake_engine_hold(rig.lanes[1].fake, FAKE_READ);
    rig_io_init(&read, &rig, 1, w, VIO_READ, 0, 4096);
    rig_io_start(&read);
    pool_rig_turn(&rig);
    rig_home_hold(&rig, FAKE_PUNCH);
    assert_int_equal(pool_rig_delete_volume(&rig, "v", NULL), 0);
    pool_rig_until(&rig, nothing_in_the_background, &rig);
    assert_int_equal(limbo_count(rig.pool), 15);
    fake_engine_hold(rig.lanes[1].fake, 0);
    assert_int_equal(rig_io_end(&read), 0);
    assert_int_equal(pool_rig_delete_pool(&rig, "p", NULL), 0);
    assert_int_equal(rig_home_waiting(&rig, FAKE_PUNCH), 0);
}

/* ---- Late punches ---------------------------------------------------------------------
 */

static const struct load_mix mix = {
    .read = 20, .write = 45, .unmap = 25, .zero = 5, .flush = 5};

/* Until all have ended. The tests' own engine keeps punches for a while, so that they are
 * late whenever they can be. */
static void finish_with_slow_punches(struct vio_load *const *loads)
{
    bool ended = false;
    while (!ended && rig.options.engine == RIG_FAKE) {
        rig_home_hold(&rig, FAKE_PUNCH);
        usleep(3000);
        rig_home_hold(&rig, 0);
        ended = true;
        for (unsigned i = 0; i < RIG_LANES; i++)
            ended = ended && vio_load_ended(loads[i]);
    }
    (void)vio_loads_finish(&rig, loads, RIG_LANES);
}

/* A small pool under writes and UNMAPs: what was punched is written again at once. */
static void churn(enum rig_engine engine, uint64_t seed)
{
    pool_rig_destroy(&rig);
    if (!pool_rig_has(engine))
        return;
    open_rig(engine, RIG_LANES, true, 3 * MIB, 2, seed);
    vol = pool_rig_volume(&rig, "v", 4 * MIB, 512);
    struct oracle *o = oracle_create(4 * MIB);
    struct vio_load *loads[RIG_LANES];
    const struct load_options load = {.rig = &rig,
                                      .volume = vol,
                                      .oracle = o,
                                      .seed = seed * 31,
                                      .count = rig_times(1500),
                                      .depth = 4,
                                      .region_bytes = 4 * MIB,
                                      .align_bytes = 4096,
                                      .bytes_max = 4 * EXTENT_BYTES,
                                      .mix = mix,
                                      .may_fail = true}; /* it may be full */
    vio_loads_start(&load, loads, RIG_LANES);
    finish_with_slow_punches(loads);
    assert_true(oracle_verify(o, &rig, vol, NULL));
    assert_null(oracle_offence(o));
    assert_int_equal(rig_round(&rig), 0);
    rig_assert_sound(&rig);
    oracle_destroy(o);
}

static void no_late_punch_takes_new_data(void **state)
{
    (void)state;
    churn(RIG_THREADS, 3);
    churn(RIG_URING, 4);
    for (uint64_t seed = 5; seed < 5 + rig_times(4); seed++)
        churn(RIG_FAKE, seed);
}

static void cut_once(uint64_t seed)
{
    pool_rig_destroy(&rig);
    open_rig(RIG_CUT, RIG_LANES, true, 3 * MIB, 2, seed);
    vol = pool_rig_volume(&rig, "v", 4 * MIB, 512);
    struct oracle *o = oracle_create(4 * MIB);
    struct vio_load *loads[RIG_LANES];
    struct oracle_cut cut;
    const struct load_options load = {.rig = &rig,
                                      .volume = vol,
                                      .oracle = o,
                                      .seed = seed * 31,
                                      .count = UINT32_MAX,
                                      .depth = 4,
                                      .region_bytes = 4 * MIB,
                                      .align_bytes = 4096,
                                      .bytes_max = 4 * EXTENT_BYTES,
                                      .mix = mix,
                                      .fua_percent = 4,
                                      .may_fail = true};
    vio_loads_start(&load, loads, RIG_LANES);
    usleep((useconds_t)(20000 + seed * 7919 % 60000));
    oracle_cut_begin(o, &cut);
    pool_rig_cut(&rig);
    oracle_cut_end(o, &cut);
    (void)vio_loads_stop(&rig, loads, RIG_LANES);
    assert_null(oracle_offence(o));
    pool_rig_reopen_cut(&rig);
    assert_true(oracle_verify(o, &rig, volume_find(rig.manager, "v"), &cut));
    rig_assert_sound(&rig);
    oracle_destroy(o);
}

static void a_power_cut_amid_punches_keeps_what_was_flushed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= rig_times(8); seed++)
        cut_once(seed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(freed_space_returns_to_the_file_by_threads),
        TEST(freed_space_returns_to_the_file_by_uring),
        TEST(adjacent_frees_are_one_punch),
        TEST(an_extent_is_not_handed_out_while_it_is_punched),
        TEST(a_full_pool_takes_back_what_is_not_punched_yet),
        TEST(writers_take_other_extents_meanwhile),
        TEST(a_device_that_refuses_is_asked_once),
        TEST(a_failed_punch_leaks_nothing),
        TEST(a_trim_that_is_refused_leaks_nothing),
        TEST(a_stop_waits_for_punches_and_loses_no_extent),
        TEST(a_pool_goes_while_its_space_is_returned),
        TEST(what_a_pools_last_round_frees_is_not_punched),
        TEST(no_late_punch_takes_new_data),
        TEST(a_power_cut_amid_punches_keeps_what_was_flushed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
