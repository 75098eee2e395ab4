/* SPDX-License-Identifier: Apache-2.0 */
/* What a flush has answered for is durable, and each committed state agrees with itself:
 * power cuts under load, syncs and commits that fail, every I/O failing in turn. */
#include "tests/lib/rig_check.h"
#include "tests/lib/rig_fake.h"
#include "tests/lib/rig_manage.h"
#include "tests/lib/vio_load.h"

#include "base/err.h"
#include "db/catalog.h"
#include "lunmgr/pool_priv.h"
#include "tests/unit/db/fault_vfs.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VOLUME_BYTES (8 * MIB)

static struct pool_rig rig;

static const struct load_mix all_mix = {
    .read = 20, .write = 40, .unmap = 12, .zero = 10, .flush = 8, .compare = 10};

static void open_rig(enum rig_engine engine, unsigned lanes, bool threads, uint64_t seed)
{
    struct pool_rig_options options = {.engine = engine,
                                       .lane_count = lanes,
                                       .threads = threads,
                                       .pool_bytes = 16 * MIB,
                                       .seed = seed};
    pool_rig_create(&rig, &options);
}

static int setup(void **state)
{
    (void)state;
    open_rig(RIG_FAKE, 1, false, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fault_vfs_disarm();
    pool_rig_destroy(&rig);
    return 0;
}

static struct volume *reopen_cut(void)
{
    pool_rig_cut(&rig);
    pool_rig_reopen_cut(&rig);
    return volume_find(rig.manager, "v");
}

/* ---- Power cuts -------------------------------------------------------------------- */

static void cut_once(uint64_t seed)
{
    open_rig(RIG_CUT, RIG_LANES, true, seed);
    struct volume *v = pool_rig_volume(&rig, "v", VOLUME_BYTES, 512);
    struct oracle *o = oracle_create(VOLUME_BYTES);
    struct vio_load *loads[RIG_LANES];
    const struct load_options load = {.rig = &rig,
                                      .volume = v,
                                      .oracle = o,
                                      .seed = seed * 31,
                                      .count = UINT32_MAX,
                                      .depth = 4,
                                      .region_bytes = VOLUME_BYTES,
                                      .align_bytes = seed % 3 == 0 ? 4096 : 512,
                                      .bytes_max = 4 * EXTENT_BYTES,
                                      .mix = all_mix,
                                      .fua_percent = 4};
    vio_loads_start(&load, loads, RIG_LANES);
    usleep((useconds_t)(2000 + seed * 7919 % 20000));
    struct oracle_cut cut;
    oracle_cut_begin(o, &cut);
    pool_rig_cut(&rig);
    oracle_cut_end(o, &cut);
    assert_int_equal(vio_loads_stop(&rig, loads, RIG_LANES), 0);
    assert_null(oracle_offence(o));

    pool_rig_reopen_cut(&rig);
    assert_true(oracle_verify(o, &rig, volume_find(rig.manager, "v"), &cut));
    rig_assert_sound(&rig);
    oracle_destroy(o);
    pool_rig_destroy(&rig);
}

static void a_power_cut_keeps_what_was_flushed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= rig_times(16); seed++)
        cut_once(seed);
}

static void fua_alone_survives_a_cut(void **state)
{
    (void)state;
    open_rig(RIG_CUT, 1, false, 5);
    struct volume *v = pool_rig_volume(&rig, "v", MIB, 512);
    struct rig_io io;
    rig_io_init(&io, &rig, 0, v, VIO_WRITE, 512, 1024);
    io.vio.fua = true;
    memset(rig_io_data(&io), 0x5a, 1024);
    rig_io_start(&io);
    assert_int_equal(rig_io_end(&io), 0);
    v = reopen_cut();
    assert_true(rig_reads(&rig, v, 512, 1024, 0x5a));
    assert_true(rig_reads(&rig, v, 0, 512, 0));
    rig_assert_sound(&rig);
    pool_rig_destroy(&rig);
}

static void a_clean_stop_keeps_everything(void **state)
{
    (void)state;
    open_rig(RIG_CUT, 1, false, 6);
    struct volume *v = pool_rig_volume(&rig, "v", MIB, 512);
    assert_int_equal(rig_write(&rig, v, 0, 200000 / 512 * 512, 0x5a), 0);
    assert_int_equal(rig_io_run(&rig, 0, v, VIO_UNMAP, 0, EXTENT_BYTES, NULL), 0);
    pool_rig_close(&rig); /* what was not synced is lost with the disk's cache */
    pool_rig_open(&rig);
    v = volume_find(rig.manager, "v");
    assert_true(rig_reads(&rig, v, 0, EXTENT_BYTES, 0));
    assert_true(
        rig_reads(&rig, v, EXTENT_BYTES, 200000 / 512 * 512 - EXTENT_BYTES, 0x5a));
    rig_assert_sound(&rig);
    pool_rig_destroy(&rig);
}

/* ---- First writes in flight -------------------------------------------------------- */

/* Its bits are set when the data has arrived: a round before that commits nothing of it,
 * and the extent that it had taken is found as a leak. */
static void a_write_in_flight_is_not_committed(void **state)
{
    struct rig_io io;
    struct pool_check_report report;
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", MIB, 512);
    assert_true(rig_reads(&rig, v, 0, 4096, 0)); /* its leaf is loaded */
    uint64_t all = pool_free_extents(rig.pool);
    fake_engine_hold(rig.lanes[0].fake, FAKE_WRITE);
    rig_io_init(&io, &rig, 0, v, VIO_WRITE, 0, 4096);
    memset(rig_io_data(&io), 0x11, 4096);
    rig_io_start(&io);
    assert_int_equal(rig_flush(&rig, v), 0);
    assert_int_equal(pool_rig_check(&rig, &report, NULL), 0);
    assert_int_equal(report.named_extents, 0);
    assert_int_equal(report.used_extents, 1); /* committed as used before it is named */
    assert_int_equal(report.leaked_extents, 1);
    pool_rig_cut(&rig);
    fake_engine_hold(rig.lanes[0].fake, 0);
    assert_int_equal(rig_io_end(&io), 0);

    pool_rig_reopen_cut(&rig);
    assert_true(rig_reads(&rig, volume_find(rig.manager, "v"), 0, 4096, 0));
    rig_assert_sound(&rig);
    assert_int_equal(pool_free_extents(rig.pool), all); /* the leak was repaired */
}

/* The extent of a first write that failed stays with the word in memory; the stop after
 * it is not clean, so the next start finds it. */
static void a_failed_first_write_leaks_nothing_over_a_restart(void **state)
{
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", MIB, 512);
    uint64_t all = pool_free_extents(rig.pool);
    fake_engine_fail(rig.lanes[0].fake, FAKE_WRITE, 1, -EIO, false);
    assert_int_equal(rig_write(&rig, v, 0, 4096, 0x11), -EIO);
    assert_true(rig_reads(&rig, v, 0, 4096, 0));
    pool_rig_reopen(&rig);
    rig_assert_sound(&rig);
    assert_int_equal(pool_free_extents(rig.pool), all);
}

/* ---- Failures ---------------------------------------------------------------------- */

static void a_device_whose_sync_failed_stays_failed(void **state)
{
    struct pool_info info;
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", MIB, 512);
    assert_int_equal(rig_write(&rig, v, 0, 4096, 1), 0);
    assert_int_equal(rig_flush(&rig, v), 0);
    assert_int_equal(rig_write(&rig, v, 4096, 4096, 2), 0);
    rig_home_fail(&rig, FAKE_SYNC, 1, -EIO, false);
    assert_int_equal(rig_flush(&rig, v), -EIO);
    pool_describe(rig.pool, &info);
    assert_string_equal(info.state, "failed");
    assert_true(device_is_failed(pool_slot(rig.pool, 1)));
    assert_int_equal(rig_flush(&rig, v), -EIO); /* the next sync would say all is well */
    assert_int_equal(rig_write(&rig, v, 0, 4096, 3), -EIO);
    assert_int_equal(rig_write(&rig, v, EXTENT_BYTES, 4096, 3), -EIO);
    assert_int_equal(rig_write(&rig, v, 512, 512, 3), -EIO);
    uint8_t data[4096];
    assert_int_equal(rig_io_run(&rig, 0, v, VIO_READ, 0, 4096, data), -EIO);
    assert_true(rig_reads(&rig, v, 5 * EXTENT_BYTES, 4096, 0)); /* no disk I/O */

    pool_rig_reopen(&rig); /* an admin has looked */
    pool_describe(rig.pool, &info);
    assert_string_equal(info.state, "online");
    assert_true(rig_reads(&rig, volume_find(rig.manager, "v"), 0, 4096, 1));
    rig_assert_sound(&rig);
}

/* What is beyond the new end is cleared by the next start; no change shows it before. */
static void a_shrink_has_taken_place_though_the_device_fails(void **state)
{
    struct volume_change shrink = {.size_bytes = MIB, .allow_data_loss = true};
    struct volume_change grow = {.size_bytes = 4 * MIB};
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", 4 * MIB, 512);
    assert_int_equal(rig_write(&rig, v, 0, 4 * MIB, 1), 0);
    assert_int_equal(rig_flush(&rig, v), 0);
    assert_int_equal(rig_write(&rig, v, 0, 4096, 1), 0); /* something to sync */
    rig_home_fail(&rig, FAKE_SYNC, 1, -EIO, false);
    assert_int_equal(rig_change(&rig, "v", &shrink, NULL), 0);
    assert_int_equal(volume_size_bytes(v), MIB);
    assert_int_equal(rig_change(&rig, "v", &grow, NULL), -EIO);
    pool_rig_reopen(&rig);
    v = volume_find(rig.manager, "v");
    assert_int_equal(volume_size_bytes(v), MIB);
    pool_rig_settle(&rig);
    while (rig_change(&rig, "v", &grow, NULL) == -EBUSY)
        usleep(1000); /* it is being cleared */
    assert_true(rig_reads(&rig, v, 0, MIB, 1));
    assert_true(rig_reads(&rig, v, MIB, 4 * MIB - MIB, 0));
    rig_assert_sound(&rig);
}

static void a_writer_that_waits_for_space_fails_with_the_device(void **state)
{
    struct rig_io io;
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", 32 * MIB, 512);
    uint64_t all = pool_free_extents(rig.pool);
    for (uint64_t at = 0; at < all * EXTENT_BYTES; at += EXTENT_BYTES)
        assert_int_equal(rig_write(&rig, v, at, EXTENT_BYTES, 1), 0);
    rig_home_fail(&rig, FAKE_SYNC, 1, -EIO, false);
    assert_int_equal(rig_io_run(&rig, 0, v, VIO_UNMAP, 0, EXTENT_BYTES, NULL), 0);
    rig_io_init(&io, &rig, 0, v, VIO_WRITE, 20 * MIB, 4096);
    rig_io_start(&io);
    assert_int_equal(rig_io_end(&io), -EIO);
}

static void a_commit_that_failed_is_done_by_a_later_flush(void **state)
{
    static const int results[] = {SQLITE_IOERR_WRITE, SQLITE_FULL, SQLITE_READONLY};
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", MIB, 512);
    uint64_t all = pool_free_extents(rig.pool);
    for (unsigned i = 0; i < ARRAY_LEN(results); i++) {
        uint64_t at = (uint64_t)i * 2 * EXTENT_BYTES;
        assert_int_equal(rig_write(&rig, v, at, 2 * EXTENT_BYTES, 9), 0);
        assert_int_equal(rig_flush(&rig, v), 0);
        assert_int_equal(rig_io_run(&rig, 0, v, VIO_UNMAP, at, EXTENT_BYTES, NULL), 0);
        assert_int_equal(rig_write(&rig, v, at + EXTENT_BYTES, 4096, (uint8_t)i), 0);
        fault_vfs_arm(FAULT_WRITE | FAULT_SYNC, 0, 1000000, results[i]);
        assert_int_equal(rig_flush(&rig, v), -EIO);
        assert_int_equal(rig_flush(&rig, v), -EIO);
        assert_true(fault_vfs_failed());
        fault_vfs_disarm();
        /* What no commit has freed is not free. */
        assert_int_equal(pool_free_extents(rig.pool), all - 2 - i);
        assert_int_equal(rig_flush(&rig, v), 0);
        pool_rig_settle(&rig);
        assert_int_equal(pool_free_extents(rig.pool), all - 1 - i);
        rig_assert_no_harm(&rig);
    }
    v = reopen_cut();
    for (unsigned i = 0; i < ARRAY_LEN(results); i++) {
        uint64_t at = (uint64_t)i * 2 * EXTENT_BYTES;
        assert_true(rig_reads(&rig, v, at, EXTENT_BYTES, 0));
        assert_true(rig_reads(&rig, v, at + EXTENT_BYTES, 4096, (uint8_t)i));
        assert_true(rig_reads(&rig, v, at + EXTENT_BYTES + 4096, EXTENT_BYTES - 4096, 9));
    }
    rig_assert_sound(&rig);
}

/* The next commit names extents: their bits must come with it, not only with the next
 * change of the same bitmap. */
static void a_failed_commit_takes_no_bitmap_with_it(void **state)
{
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", MIB, 512);
    assert_int_equal(rig_write(&rig, v, 0, 4096, 1), 0);
    fault_vfs_arm(FAULT_WRITE | FAULT_SYNC, 0, 1000000, SQLITE_FULL);
    assert_int_equal(rig_flush(&rig, v), -EIO);
    fault_vfs_disarm();
    assert_int_equal(rig_flush(&rig, v), 0);
    rig_assert_no_harm(&rig);
    v = reopen_cut();
    assert_true(rig_reads(&rig, v, 0, 4096, 1));
    rig_assert_sound(&rig);
}

/* A round of all volumes takes freed extents out of the bitmaps; if it fails, a flush of
 * one volume must not commit those while the others' words still name them. */
static void a_flush_after_a_failed_round_frees_nothing_that_is_named(void **state)
{
    struct pool_check_report report;
    (void)state;
    struct volume *a = pool_rig_volume(&rig, "v", MIB, 512);
    struct volume *b = pool_rig_volume(&rig, "b", MIB, 512);
    assert_int_equal(rig_write(&rig, b, 0, EXTENT_BYTES, 2), 0);
    assert_int_equal(rig_flush(&rig, b), 0);
    assert_int_equal(rig_io_run(&rig, 0, b, VIO_UNMAP, 0, EXTENT_BYTES, NULL), 0);
    fault_vfs_arm(FAULT_WRITE | FAULT_SYNC, 0, 1000000, SQLITE_FULL);
    assert_int_not_equal(pool_rig_check(&rig, &report, NULL), 0); /* commits all first */
    assert_true(fault_vfs_failed());
    fault_vfs_disarm();
    assert_int_equal(rig_write(&rig, a, 0, 4096, 1), 0);
    assert_int_equal(rig_flush(&rig, a), 0);
    a = reopen_cut();
    assert_true(rig_reads(&rig, a, 0, 4096, 1));
    rig_assert_sound(&rig);
}

static bool has_struck(void *arg)
{
    (void)arg;
    return fault_vfs_failed() != 0;
}

/* The space of a volume that was deleted then comes back without a restart. */
static void a_drop_outlives_a_failed_commit(void **state)
{
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", MIB, 512);
    uint64_t all = pool_free_extents(rig.pool);
    assert_int_equal(rig_write(&rig, v, 0, 5 * EXTENT_BYTES, 1), 0);
    rig_home_hold(&rig, FAKE_SYNC);
    assert_int_equal(pool_rig_delete_volume(&rig, "v", NULL), 0);
    rig_home_await(&rig, FAKE_SYNC, 1); /* its first round is under way */
    fault_vfs_arm(FAULT_WRITE | FAULT_SYNC, 0, 1000000, SQLITE_FULL);
    rig_home_hold(&rig, 0);
    pool_rig_until(&rig, has_struck, NULL);
    fault_vfs_disarm();
    pool_rig_settle(&rig);
    assert_int_equal(pool_free_extents(rig.pool), all);
    rig_assert_sound(&rig);
}

static void a_catalog_that_refuses_commits_does_not_keep_the_end_back(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    struct pool_rig_options options = {
        .engine = RIG_FAKE, .lane_count = 1, .pool_bytes = 16 * MIB, .tick_ms = 1};
    pool_rig_create(&rig, &options);
    struct volume *v = pool_rig_volume(&rig, "v", MIB, 512);
    assert_int_equal(rig_write(&rig, v, 0, 4096, 1), 0);
    assert_int_equal(rig_flush(&rig, v), 0);
    fault_vfs_arm(FAULT_WRITE | FAULT_SYNC, 0, 1000000, SQLITE_FULL);
    assert_int_equal(rig_write(&rig, v, EXTENT_BYTES, 4096, 2), 0);
    usleep(5000); /* ticks */
    pool_rig_close(&rig);
    fault_vfs_disarm();
    pool_rig_open(&rig);
    v = volume_find(rig.manager, "v");
    assert_true(rig_reads(&rig, v, 0, 4096, 1));
    assert_true(rig_reads(&rig, v, EXTENT_BYTES, 4096, 0)); /* never flushed */
    rig_assert_sound(&rig);
}

/* ---- Every I/O fails in turn ------------------------------------------------------- */

struct mixed {
    enum vio_op op;
    uint64_t offset, bytes;
};

static const struct mixed steps[] = {
    {VIO_WRITE, 0, 4096},
    {VIO_WRITE, 512, 1024},
    {VIO_WRITE, EXTENT_BYTES - 8192, 3 * EXTENT_BYTES},
    {VIO_ZERO, 1024, 2 * EXTENT_BYTES},
    {VIO_READ, 0, 4 * EXTENT_BYTES},
    {VIO_UNMAP, EXTENT_BYTES, EXTENT_BYTES},
    {VIO_WRITE, EXTENT_BYTES + 512, EXTENT_BYTES},
    {VIO_FLUSH, 0, 0},
    {VIO_WRITE, 3 * EXTENT_BYTES + 2048, 4096},
    {VIO_UNMAP, 0, 4096},
    {VIO_WRITE, 7 * EXTENT_BYTES + 3584, 512},
};

static int step_run(struct volume *v, struct oracle *o, const struct mixed *s)
{
    struct rig_io io;
    uint64_t first = s->offset / 512, count = s->bytes / 512, tag = 0;
    uint64_t since = oracle_now(o);
    rig_io_init(&io, &rig, 0, v, s->op, s->offset, s->bytes);
    if (s->op == VIO_WRITE || s->op == VIO_ZERO || s->op == VIO_UNMAP)
        tag = oracle_begin(o, first, count, s->op != VIO_WRITE, false);
    if (s->op == VIO_WRITE)
        oracle_fill(rig_io_data(&io), tag, first, count);
    rig_io_start(&io);
    int rc = rig_io_wait(&io);
    if (tag != 0)
        oracle_end(o, tag, first, count, rc == 0 ? ORACLE_DONE : ORACLE_FAILED);
    if (s->op == VIO_READ && rc == 0)
        assert_true(oracle_check(o, since, rig_io_data(&io), first, count));
    rig_io_fini(&io);
    return rc;
}

/* Runs all with the nth I/O of the lane failing; false: there are not so many. */
static bool mixed_run(unsigned nth)
{
    open_rig(RIG_FAKE, 1, false, nth);
    struct volume *v = pool_rig_volume(&rig, "v", MIB, 512);
    struct oracle *o = oracle_create(MIB);
    unsigned failed = 0;
    fake_engine_fail(rig.lanes[0].fake, FAKE_ALL, nth, -EIO, false);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        int rc = step_run(v, o, &steps[i]);
        assert_true(rc == 0 || rc == -EIO);
        failed += rc != 0;
    }
    bool struck = fake_engine_failed(rig.lanes[0].fake);
    assert_int_equal(failed, struck); /* reported once, by the one that it hit */
    fake_engine_fail(rig.lanes[0].fake, FAKE_ALL, 0, 0, false);
    assert_true(oracle_verify(o, &rig, v, NULL));
    rig_assert_no_harm(&rig);
    pool_rig_reopen(&rig);
    assert_true(oracle_verify(o, &rig, volume_find(rig.manager, "v"), NULL));
    rig_assert_sound(&rig);
    oracle_destroy(o);
    pool_rig_destroy(&rig);
    return struck;
}

static void each_io_may_fail(void **state)
{
    unsigned nth = 1;
    (void)state;
    while (mixed_run(nth))
        assert_in_range(++nth, 1, 200);
    assert_true(nth > 10);
}

/* ---- The gate ---------------------------------------------------------------------- */

struct census {
    uint64_t counted; /* by the layers' rows */
    uint64_t named;   /* by their words */
    uint32_t layers[8];
    unsigned layer_count;
};

static int census_layer(const struct layer_row *row, void *arg)
{
    struct census *c = arg;
    c->counted += row->used_extents;
    c->layers[c->layer_count++] = row->id;
    return 0;
}

static int census_leaf(uint64_t key, const uint64_t words[LEAF_WORDS], void *arg)
{
    struct census *c = arg;
    (void)key;
    for (int i = 0; i < LEAF_WORDS; i++) {
        if (word_place(words[i]) != 0 && word_mask(words[i]) != 0)
            c->named++;
        else if (words[i] != 0)
            return -EUCLEAN; /* no other word is stored where nothing lies below */
    }
    return 0;
}

static int census_work(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct census *c = arg;
    *c = (struct census){.counted = 0};
    int rc = layer_row_each(txn, census_layer, c, e);
    for (unsigned i = 0; rc == 0 && i < c->layer_count; i++)
        rc = leaf_each(txn, leaf_key_of(extent_key(c->layers[i], 0)),
                       leaf_key_of(extent_key(c->layers[i], 0x7fffffff)), census_leaf, c,
                       e);
    return rc;
}

static void every_committed_state_agrees_with_itself(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    open_rig(RIG_CUT, RIG_LANES, true, 77);
    struct volume *volumes[2] = {pool_rig_volume(&rig, "a", VOLUME_BYTES, 512),
                                 pool_rig_volume(&rig, "b", VOLUME_BYTES, 4096)};
    struct oracle *oracles[2] = {oracle_create(VOLUME_BYTES),
                                 oracle_create(VOLUME_BYTES)};
    struct vio_load *loads[RIG_LANES];
    for (unsigned i = 0; i < RIG_LANES; i++) {
        struct load_options load = {
            .rig = &rig,
            .lane = i,
            .volume = volumes[i % 2],
            .oracle = oracles[i % 2],
            .seed = 500 + i,
            .count = UINT32_MAX,
            .depth = 8,
            .region_bytes = VOLUME_BYTES,
            .align_bytes = 4096,
            .bytes_max = 8 * EXTENT_BYTES,
            .mix = {.write = 50, .unmap = 40, .zero = 5, .flush = 5}};
        loads[i] = vio_load_start(&load);
    }
    uint64_t last = 0;
    unsigned changes = 0;
    /* Until it has looked at many states. */
    for (unsigned n = 0; n < rig_times(150) || changes < 10; n++) {
        struct census c;
        struct err e = {.code = 0};
        assert_int_equal(catalog_read_wait(rig.catalog, census_work, &c, &e), 0);
        assert_int_equal(c.counted, c.named);
        changes += c.named != last;
        last = c.named;
        rig_assert_no_harm(&rig);
    }
    assert_int_equal(vio_loads_stop(&rig, loads, RIG_LANES), 0);
    rig_assert_sound(&rig);
    for (unsigned i = 0; i < 2; i++) {
        assert_null(oracle_offence(oracles[i]));
        oracle_destroy(oracles[i]);
    }
}

/* ---- Scopes ------------------------------------------------------------------------ */

static int word_work(struct catalog_txn *txn, void *arg, struct err *e)
{
    uint64_t words[LEAF_WORDS];
    struct word_change *w = arg;
    int rc = leaf_load(txn, leaf_key_of(w->key), words, e);
    w->word = words[w->key % LEAF_WORDS];
    return rc;
}

/* Of the volume's first extent, as the catalog has it. */
static map_word committed_word(struct volume *v)
{
    struct word_change w = {.key = extent_key(volume_top(v)->id, 0)};
    assert_int_equal(catalog_read_wait(rig.catalog, word_work, &w, NULL), 0);
    return w.word;
}

static void a_flush_commits_what_its_own_volume_dirtied(void **state)
{
    (void)state;
    struct volume *a = pool_rig_volume(&rig, "a", MIB, 512);
    struct volume *b = pool_rig_volume(&rig, "b", MIB, 512);
    assert_int_equal(rig_write(&rig, a, 0, 4096, 1), 0);
    assert_int_equal(rig_write(&rig, b, 0, 4096, 2), 0);
    assert_int_equal(rig_flush(&rig, a), 0);
    assert_int_not_equal(committed_word(a), 0);
    assert_int_equal(committed_word(b), 0);
    assert_int_equal(rig_flush(&rig, b), 0);
    assert_int_not_equal(committed_word(b), 0);
    rig_assert_no_harm(&rig);
}

/* What a flush of the one volume leaves for later is not free for the other before that
 * is committed. */
static void a_flush_of_another_volume_lets_nothing_age(void **state)
{
    (void)state;
    struct volume *a = pool_rig_volume(&rig, "a", MIB, 512);
    struct volume *b = pool_rig_volume(&rig, "b", MIB, 512);
    assert_int_equal(rig_write(&rig, b, 0, EXTENT_BYTES, 2), 0);
    assert_int_equal(rig_flush(&rig, b), 0);
    uint64_t free = pool_free_extents(rig.pool);
    assert_int_equal(rig_io_run(&rig, 0, b, VIO_UNMAP, 0, EXTENT_BYTES, NULL), 0);
    for (uint8_t i = 1; i < 5; i++) {
        assert_int_equal(rig_write(&rig, a, 0, 4096, i), 0);
        assert_int_equal(rig_flush(&rig, a), 0);
    }
    assert_int_equal(pool_free_extents(rig.pool), free - 1);
    pool_rig_settle(&rig);
    assert_int_equal(pool_free_extents(rig.pool), free);
    rig_assert_no_harm(&rig);
}

/* ---- Who flushed together ---------------------------------------------------------- */

static void look_whether_awaited(struct pool_rig *r, void *arg)
{
    *(bool *)arg |= r->pool->round.crowd.was_awaited;
}

static void flush_start(struct rig_io *io, struct volume *v, uint8_t fill)
{
    assert_int_equal(rig_write(&rig, v, 0, 4096, fill), 0);
    rig_io_init(io, &rig, 0, v, VIO_FLUSH, 0, 0);
    rig_io_start(io);
    pool_rig_turn(&rig);
}

/* The second comes while the first has its round, a long one. True: the round that it is
 * to have was seen to wait for the first to come back, for which there is half of that
 * time. */
static bool second_awaits_first(struct volume *v)
{
    struct rig_io first, second;
    bool awaited = false;
    rig_home_hold(&rig, FAKE_SYNC);
    flush_start(&first, v, 1);
    rig_home_await(&rig, FAKE_SYNC, 1);
    flush_start(&second, v, 2);
    usleep(10 * CROWD_LONG_US);
    rig_home_hold(&rig, 0);
    assert_int_equal(rig_io_end(&first), 0);
    for (int i = 0; i < 1000 && !awaited; i++)
        pool_rig_at_home(&rig, look_whether_awaited, &awaited);
    assert_int_equal(rig_io_end(&second), 0);
    return awaited;
}

/* Each waits in vain, and after that some do without. */
static void a_round_waits_for_those_that_the_last_one_answered(void **state)
{
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", MIB, 512);
    bool awaited = false;
    for (int i = 0; i < 50 && !awaited; i++)
        awaited = second_awaits_first(v);
    assert_true(awaited);
}

#define ROUND_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_power_cut_keeps_what_was_flushed),
        cmocka_unit_test(fua_alone_survives_a_cut),
        cmocka_unit_test(a_clean_stop_keeps_everything),
        ROUND_TEST(a_write_in_flight_is_not_committed),
        ROUND_TEST(a_failed_first_write_leaks_nothing_over_a_restart),
        ROUND_TEST(a_device_whose_sync_failed_stays_failed),
        ROUND_TEST(a_shrink_has_taken_place_though_the_device_fails),
        ROUND_TEST(a_writer_that_waits_for_space_fails_with_the_device),
        ROUND_TEST(a_commit_that_failed_is_done_by_a_later_flush),
        ROUND_TEST(a_failed_commit_takes_no_bitmap_with_it),
        ROUND_TEST(a_flush_after_a_failed_round_frees_nothing_that_is_named),
        ROUND_TEST(a_drop_outlives_a_failed_commit),
        ROUND_TEST(a_catalog_that_refuses_commits_does_not_keep_the_end_back),
        cmocka_unit_test(each_io_may_fail),
        ROUND_TEST(every_committed_state_agrees_with_itself),
        ROUND_TEST(a_flush_commits_what_its_own_volume_dirtied),
        ROUND_TEST(a_flush_of_another_volume_lets_nothing_age),
        ROUND_TEST(a_round_waits_for_those_that_the_last_one_answered),
    };
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
