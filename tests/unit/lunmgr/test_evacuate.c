/* SPDX-License-Identifier: Apache-2.0 */
/* Evacuations that are cut short: by a cancel, a full pool, disks that fail, a catalog
 * that refuses, a kill. Nothing is lost, and a device that was not emptied serves as
 * before. All is turned by hand. */
#include "tests/unit/lunmgr/manage_rig.h"

#include "lunmgr/device.h"
#include "lunmgr/job_priv.h"
#include "lunmgr/pool_priv.h"
#include "tests/lib/hand_clock.h"
#include "tests/lib/rig_fake.h"
#include "tests/lib/rig_manage.h"
#include "tests/unit/db/fault_vfs.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEVICE_BYTES (16 * MIB)
#define DATA_BYTES   (8 * MIB)
#define SECOND_NS    UINT64_C(1000000000)

static char paths[RIG_FILES][RIG_PATH_MAX];
static struct volume *v; /* with something on both devices */

static void fill(uint64_t bytes, uint8_t with)
{
    for (uint64_t at = 0; at < bytes; at += EXTENT_BYTES)
        assert_int_equal(rig_write(&rig, v, at, EXTENT_BYTES, with), 0);
}

static int setup(void **state)
{
    struct pool_rig_options o = {
        .engine = RIG_FAKE, .lane_count = 1, .by_hand = true, .seed = 5};
    (void)state;
    hand_clock_set(5);
    pool_rig_create_bare(&rig, &o);
    rig_pool_of_files(&rig, paths, DEVICE_BYTES);
    v = pool_rig_volume(&rig, "v", 64 * MIB, 512);
    fill(DATA_BYTES, 3);
    assert_int_equal(rig_flush(&rig, v), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fault_vfs_disarm();
    pool_rig_destroy(&rig);
    hand_clock_set(0);
    return 0;
}

static struct pool_device_info info_of(unsigned slot)
{
    struct pool_device_info info;
    pool_device_describe(pool_slot(rig.pool, slot), &info);
    return info;
}

static const char *state_of(unsigned slot)
{
    return info_of(slot).state;
}

static struct job *evacuate(const char *key)
{
    struct job *job;
    assert_int_equal(rig_device_evacuate(&rig, key, &job, NULL), 0);
    return job;
}

static bool has_moved_some(void *arg)
{
    return atomic_load(&((struct job *)arg)->progress.done) > 0;
}

/* Some is moved; the next reads wait. */
static struct job *evacuate_some(void)
{
    rig_home_hold(&rig, FAKE_READ);
    struct job *job = evacuate("p/1");
    rig_home_await(&rig, FAKE_READ, 1);
    assert_true(rig_home_let_go(&rig, FAKE_READ));
    pool_rig_until(&rig, has_moved_some, job);
    rig_home_await(&rig, FAKE_READ, 1);
    assert_string_equal(state_of(1), "evacuating");
    return job;
}

static const char *end_of_evacuation(struct job *job)
{
    rig_home_hold(&rig, 0);
    return end_of_job(job);
}

static struct job_info info_of_job(const struct job *job)
{
    struct job_info info;
    job_describe(job, &info);
    return info;
}

static void assert_nothing_lost(void)
{
    struct pool_check_report report;
    for (uint64_t at = 0; at < DATA_BYTES; at += EXTENT_BYTES)
        assert_true(rig_reads(&rig, v, at, EXTENT_BYTES, 3));
    pool_rig_settle(&rig);
    assert_int_equal(pool_rig_check(&rig, &report, NULL), 0);
    assert_int_equal(report.double_extents, 0);
    assert_int_equal(report.lost_extents, 0);
    assert_int_equal(report.leaked_extents, 0);
    assert_int_equal(report.named_extents, report.used_extents);
}

/* Also over a restart; and what is written goes to both. */
static void assert_serves_as_before(void)
{
    assert_string_equal(state_of(1), "online");
    assert_nothing_lost();
    pool_rig_reopen(&rig);
    v = volume_find(rig.manager, "v");
    assert_string_equal(state_of(1), "online");
    assert_nothing_lost();
    uint64_t used = info_of(1).used_bytes;
    for (uint64_t at = 7 * DATA_BYTES; at < 8 * DATA_BYTES; at += EXTENT_BYTES)
        if (rig_write(&rig, v, at, EXTENT_BYTES, 4) != 0)
            break;
    assert_true(info_of(1).used_bytes > used);
}

/* ---- Cut short --------------------------------------------------------------------- */

static void what_is_cancelled_serves_as_before(void **state)
{
    (void)state;
    struct job *job = evacuate_some();
    assert_int_equal(rig_job_cancel(&rig, info_of_job(job).id, NULL), 0);
    assert_string_equal(end_of_evacuation(job), "cancelled");
    assert_serves_as_before();
}

static void a_source_that_cannot_be_read_serves_as_before(void **state)
{
    (void)state;
    struct job *job = evacuate_some();
    rig_home_fail(&rig, FAKE_READ, 3, -EIO, false);
    assert_string_equal(end_of_evacuation(job), "failed");
    assert_int_equal(info_of(1).read_errors, 1);
    assert_serves_as_before();
}

static void a_target_that_cannot_be_written_loses_nothing(void **state)
{
    (void)state;
    struct job *job = evacuate_some();
    rig_home_fail(&rig, FAKE_WRITE, 3, -EIO, false);
    assert_string_equal(end_of_evacuation(job), "failed");
    assert_int_equal(info_of(2).write_errors, 1);
    assert_serves_as_before();
}

/* The room that there was is taken meanwhile. */
static void what_finds_no_room_left_serves_as_before(void **state)
{
    uint64_t at = 2 * DATA_BYTES;
    (void)state;
    struct job *job = evacuate_some();
    while (rig_write(&rig, v, at, MIB, 4) == 0)
        at += MIB;
    assert_string_equal(end_of_evacuation(job), "failed");
    assert_non_null(strstr(info_of_job(job).error, "no room left"));
    assert_true(info_of(1).used_bytes > 0);
    assert_serves_as_before();
}

/* ---- Ends that are not durable ------------------------------------------------------
 */

/* The end of the job, and what the device is from then on, come together. */
static void an_end_that_is_refused_comes_later(void **state)
{
    (void)state;
    struct job *job = evacuate_some();
    assert_int_equal(rig_job_cancel(&rig, info_of_job(job).id, NULL), 0);
    rig_home_hold(&rig, 0);
    fault_vfs_arm(FAULT_WRITE | FAULT_SYNC, 0, 1000000, SQLITE_FULL);
    while (!fault_vfs_failed() || !job->ending)
        pool_rig_step(&rig);
    pool_rig_turn(&rig);
    assert_string_equal(info_of_job(job).state, "running");
    assert_string_equal(state_of(1), "evacuating");
    fault_vfs_disarm();
    for (unsigned i = 0; i <= JOB_STORE_TICKS; i++) {
        hand_clock_advance(SECOND_NS);
        pool_rig_turn(&rig);
    }
    assert_string_equal(end_of_job(job), "cancelled");
    assert_serves_as_before();
}

/* Nobody is left who would end it: the next start does. */
static void a_cancel_is_kept_over_a_kill(void **state)
{
    char id[VOLUME_ID_MAX];
    (void)state;
    struct job *job = evacuate_some();
    memcpy(id, info_of_job(job).id, sizeof(id));
    assert_int_equal(rig_job_cancel(&rig, id, NULL), 0);
    pool_rig_cut(&rig);
    rig_home_hold(&rig, 0);
    pool_rig_reopen_cut(&rig);
    v = volume_find(rig.manager, "v");
    assert_string_equal(end_of_job(job_find(rig.manager, id)), "cancelled");
    assert_serves_as_before();
}

static void a_device_that_is_missing_serves_when_it_is_back(void **state)
{
    char away[400], id[VOLUME_ID_MAX];
    (void)state;
    struct job *job = evacuate("p/1");
    memcpy(id, info_of_job(job).id, sizeof(id));
    pool_rig_until(&rig, has_moved_some, job);
    pool_rig_close(&rig);
    snprintf(away, sizeof(away), "%s.away", paths[0]);
    assert_int_equal(rename(paths[0], away), 0);
    pool_rig_open(&rig);
    assert_string_equal(end_of_job(job_find(rig.manager, id)), "failed");
    assert_string_equal(state_of(1), "missing");
    pool_rig_close(&rig);
    assert_int_equal(rename(away, paths[0]), 0);
    pool_rig_open(&rig);
    v = volume_find(rig.manager, "v");
    assert_serves_as_before();
}

/* ---- One device stays -------------------------------------------------------------- */

static void two_are_not_evacuated_onto_each_other(void **state)
{
    struct answer a = {.came = false}, b = {.came = false};
    (void)state;
    pool_device_evacuate(rig.manager, "p/1", on_job, &a);
    pool_device_evacuate(rig.manager, "p/2", on_job, &b);
    assert_int_equal(wait_for(&a), 0);
    (void)wait_for(&b);
    assert_refused(&b, -EBUSY, "device");
    assert_string_equal(end_of_job(a.object), "done");
    assert_nothing_lost();
}

static void the_last_one_is_not_removed(void **state)
{
    struct err e;
    (void)state;
    assert_string_equal(end_of_job(evacuate("p/1")), "done");
    rig.in_order = true; /* a thread wipes it */
    assert_int_equal(rig_device_remove(&rig, "p/1", &e), 0);
    rig.in_order = false;
    atomic_store(&pool_slot(rig.pool, 2)->evacuation, DEVICE_EVACUATED);
    assert_int_equal(rig_device_remove(&rig, "p/2", &e), -EBUSY);
    assert_non_null(strstr(e.text, "last"));
    atomic_store(&pool_slot(rig.pool, 2)->evacuation, DEVICE_SERVES);
    assert_nothing_lost();
}

#define EVACUATE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVACUATE_TEST(what_is_cancelled_serves_as_before),
        EVACUATE_TEST(a_source_that_cannot_be_read_serves_as_before),
        EVACUATE_TEST(a_target_that_cannot_be_written_loses_nothing),
        EVACUATE_TEST(what_finds_no_room_left_serves_as_before),
        EVACUATE_TEST(an_end_that_is_refused_comes_later),
        EVACUATE_TEST(a_cancel_is_kept_over_a_kill),
        EVACUATE_TEST(a_device_that_is_missing_serves_when_it_is_back),
        EVACUATE_TEST(two_are_not_evacuated_onto_each_other),
        EVACUATE_TEST(the_last_one_is_not_removed),
    };
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
