/* SPDX-License-Identifier: Apache-2.0 */
/* Pools of several devices: how they fill, what a device that fails or is not there takes
 * along, and how devices come, grow, are emptied and go. */
#include "tests/unit/lunmgr/manage_rig.h"

#include "lunmgr/copy.h"
#include "lunmgr/device.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEVICE_BYTES (16 * MIB)

static char paths[RIG_FILES + 1][RIG_PATH_MAX];

static void on_device(void *arg, struct device *d, const struct err *e)
{
    struct answer *a = arg;
    a->object = d;
    if (e != NULL)
        a->err = *e;
    a->came = true;
}

/* A pool "p" of two files. */
static int setup(void **state)
{
    struct pool_rig_options o = {
        .engine = RIG_FAKE, .lane_count = 1, .pool_bytes = DEVICE_BYTES};
    (void)state;
    pool_rig_create_bare(&rig, &o);
    rig_pool_of_files(&rig, paths, DEVICE_BYTES);
    snprintf(paths[RIG_FILES], sizeof(paths[RIG_FILES]), "%s/device3", rig.dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

static struct pool_device_info info_of(unsigned slot)
{
    struct pool_device_info info;
    pool_device_describe(pool_slot(rig.pool, slot), &info);
    return info;
}

static const char *pool_state(void)
{
    static struct pool_info info;
    pool_describe(rig.pool, &info);
    return info.state;
}

static uint64_t used_of(unsigned slot)
{
    return info_of(slot).used_bytes / EXTENT_BYTES;
}

/* A volume, with something on the device of that slot. */
static struct volume *volume_on(const char *name, unsigned slot)
{
    struct volume *v = pool_rig_volume(&rig, name, 4 * MIB, 512);
    uint64_t before = used_of(slot);
    atomic_store(&v->last_place, place_of(slot, 1));
    assert_int_equal(rig_write(&rig, v, 0, EXTENT_BYTES, 1), 0);
    assert_int_equal(used_of(slot), before + 1);
    assert_int_equal(rig_flush(&rig, v), 0);
    return v;
}

static void write_all(struct volume *v, uint64_t bytes, uint8_t fill)
{
    for (uint64_t at = 0; at < bytes; at += MIB)
        assert_int_equal(rig_write(&rig, v, at, MIB, fill), 0);
}

static bool reads_all(struct volume *v, uint64_t bytes, uint8_t fill)
{
    bool same = true;
    for (uint64_t at = 0; same && at < bytes; at += MIB)
        same = rig_reads(&rig, v, at, MIB, fill);
    return same;
}

static void assert_clean(void)
{
    struct pool_check_report report;
    pool_rig_settle(&rig);
    assert_int_equal(pool_rig_check(&rig, &report, NULL), 0);
    assert_int_equal(report.double_extents, 0);
    assert_int_equal(report.lost_extents, 0);
    assert_int_equal(report.leaked_extents, 0);
    assert_int_equal(report.miscounted_extents, 0);
    assert_int_equal(report.named_extents, report.used_extents);
}

static void reopen(void)
{
    pool_rig_close(&rig);
    pool_rig_open(&rig);
}

/* ---- Space ------------------------------------------------------------------------- */

static void devices_fill_in_turn_and_evenly(void **state)
{
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", 30 * MIB, 512);
    write_all(v, 16 * MIB, 3);
    assert_int_equal(used_of(1) + used_of(2), 256);
    assert_in_range(used_of(1), 64, 192);
    write_all(v, 30 * MIB, 4);
    assert_true(reads_all(v, 30 * MIB, 4));
    assert_int_equal(rig_flush(&rig, v), 0);
    assert_clean();
    reopen();
    assert_true(reads_all(volume_find(rig.manager, "v"), 30 * MIB, 4));
}

/* ---- Failures ---------------------------------------------------------------------- */

static void fail_first_sync(struct pool_rig *r, void *arg)
{
    (void)arg;
    fake_engine_fail(r->home_fake, FAKE_SYNC, 1, -EIO, false);
}

static void a_failed_device_takes_along_who_wrote_to_it(void **state)
{
    uint8_t data[4096];
    (void)state;
    struct volume *a = volume_on("a", 1), *b = volume_on("b", 2);
    /* In place: no word changes. */
    assert_int_equal(rig_write(&rig, a, 0, 4096, 2), 0);
    pool_rig_at_home(&rig, fail_first_sync, NULL);
    assert_int_equal(rig_flush(&rig, a), -EIO);
    assert_string_equal(info_of(1).state, "failed");
    assert_int_equal(info_of(1).sync_errors, 1);
    assert_string_equal(pool_state(), "degraded");

    assert_int_equal(rig_flush(&rig, a), -EIO);
    assert_int_equal(rig_io_run(&rig, 0, a, VIO_READ, 0, 4096, data), -EIO);
    assert_int_equal(rig_flush(&rig, b), 0);
    for (uint64_t at = 0; at < 8 * EXTENT_BYTES; at += EXTENT_BYTES)
        assert_int_equal(rig_write(&rig, b, at, EXTENT_BYTES, 5), 0);
    assert_int_equal(rig_flush(&rig, b), 0);
    assert_int_equal(rig_snapshot(&rig, "b", "s", NULL, NULL), 0);
    assert_int_equal(rig_snapshot(&rig, "a", "s", NULL, NULL), -EIO);
    assert_true(rig_reads(&rig, b, 0, 8 * EXTENT_BYTES, 5));

    reopen(); /* an admin has looked */
    assert_string_equal(pool_state(), "online");
    b = volume_find(rig.manager, "b");
    assert_true(rig_reads(&rig, b, 0, 8 * EXTENT_BYTES, 5));
    assert_int_equal(rig_flush(&rig, b), 0);
}

/* The very round in which the device fails is made anew without it. */
static void a_flush_beside_the_failing_one_succeeds(void **state)
{
    struct rig_io io;
    (void)state;
    struct volume *a = volume_on("a", 1), *b = volume_on("b", 2);
    assert_int_equal(rig_write(&rig, a, EXTENT_BYTES, 4096, 2), 0);
    assert_int_equal(rig_write(&rig, b, EXTENT_BYTES, 4096, 2), 0);
    pool_rig_at_home(&rig, fail_first_sync, NULL);
    rig_io_init(&io, &rig, 0, b, VIO_FLUSH, 0, 0);
    rig_io_start(&io);
    assert_int_equal(rig_io_wait(&io), 0);
    rig_io_fini(&io);
    assert_string_equal(info_of(1).state, "failed");
    assert_int_equal(rig_flush(&rig, a), -EIO);
    reopen();
    assert_true(rig_reads(&rig, volume_find(rig.manager, "b"), EXTENT_BYTES, 4096, 2));
    assert_true(rig_reads(&rig, volume_find(rig.manager, "a"), EXTENT_BYTES, 4096, 0));
}

/* What was durable before it failed stays flushed. */
static void who_did_not_write_since_may_flush(void **state)
{
    (void)state;
    struct volume *a = volume_on("a", 1), *other = volume_on("o", 1);
    assert_int_equal(rig_write(&rig, a, 0, 4096, 2), 0);
    pool_rig_at_home(&rig, fail_first_sync, NULL);
    assert_int_equal(rig_flush(&rig, a), -EIO);
    assert_int_equal(rig_flush(&rig, other), 0);
    atomic_store(&other->last_place, place_of(2, 1));
    assert_int_equal(rig_write(&rig, other, MIB, EXTENT_BYTES, 7), 0);
    assert_int_equal(rig_flush(&rig, other), 0);
    reopen();
    assert_true(rig_reads(&rig, volume_find(rig.manager, "o"), MIB, EXTENT_BYTES, 7));
}

static void a_missing_device_is_named_and_the_others_serve(void **state)
{
    char away[400];
    uint8_t data[4096];
    (void)state;
    (void)volume_on("a", 1);
    (void)volume_on("b", 2);
    pool_rig_close(&rig);
    snprintf(away, sizeof(away), "%s.away", paths[1]);
    assert_int_equal(rename(paths[1], away), 0);
    pool_rig_open(&rig);
    assert_string_equal(pool_state(), "degraded");
    assert_string_equal(info_of(2).state, "missing");
    assert_non_null(strstr(info_of(2).reason, paths[1]));
    struct volume *a = volume_find(rig.manager, "a");
    struct volume *b = volume_find(rig.manager, "b");
    assert_true(rig_reads(&rig, a, 0, EXTENT_BYTES, 1));
    assert_int_equal(rig_write(&rig, a, 0, 2 * MIB, 4), 0);
    assert_int_equal(rig_flush(&rig, a), 0);
    assert_int_equal(rig_io_run(&rig, 0, b, VIO_READ, 0, 4096, data), -EIO);
    assert_int_equal(rig_write(&rig, b, MIB, EXTENT_BYTES, 6), 0); /* on the other */
    assert_int_equal(rig_flush(&rig, b), 0);
    pool_rig_close(&rig);
    assert_int_equal(rename(away, paths[1]), 0);
    pool_rig_open(&rig);
    assert_string_equal(pool_state(), "online");
    b = volume_find(rig.manager, "b");
    assert_true(rig_reads(&rig, b, 0, EXTENT_BYTES, 1));
    assert_true(rig_reads(&rig, b, MIB, EXTENT_BYTES, 6));
    assert_true(rig_reads(&rig, volume_find(rig.manager, "a"), 0, 2 * MIB, 4));
    assert_clean();
}

static void in_dir(const char *command)
{
    char line[700];
    snprintf(line, sizeof(line), "cd %s && %s", rig.dir, command);
    assert_int_equal(system(line), 0); /* NOLINT: our own names */
}

/* The catalog and the first device came back from yesterday, the second one did not:
 * nothing of the pool is served or written, not even what the map shows as empty or as on
 * the first device. */
static void one_newer_device_closes_the_pool(void **state)
{
    uint8_t data[4096];
    (void)state;
    (void)volume_on("a", 1);
    pool_rig_close(&rig);
    in_dir("mkdir old && cp catalog.db* device1 old");
    reopen();
    pool_rig_close(&rig);
    in_dir("rm catalog.db* && mv old/* . && cp device1 before");
    pool_rig_open(&rig);
    assert_string_equal(pool_state(), "failed");
    assert_non_null(strstr(info_of(2).reason, "older than device"));
    assert_string_equal(info_of(1).state, "missing");
    assert_non_null(strstr(info_of(1).reason, "older than another device"));
    struct volume *a = volume_find(rig.manager, "a");
    assert_int_equal(rig_io_run(&rig, 0, a, VIO_READ, 0, 4096, data), -EIO);
    assert_int_equal(rig_io_run(&rig, 0, a, VIO_READ, MIB, 4096, data), -EIO);
    assert_int_equal(rig_write(&rig, a, 0, EXTENT_BYTES, 9), -EIO);
    pool_rig_close(&rig);
    in_dir("cmp device1 before");
}

/* ---- Coming and growing ------------------------------------------------------------ */

static struct answer add(const struct pool_device_spec *spec)
{
    struct answer a = {.came = false};
    pool_device_add(rig.manager, "p", spec, on_device, &a);
    (void)wait_for(&a);
    return a;
}

static struct answer add_file(void)
{
    const struct pool_device_spec spec = {.path = paths[2], .size_bytes = DEVICE_BYTES};
    return add(&spec);
}

static void fill(struct volume *v)
{
    uint64_t at = 0;
    while (rig_write(&rig, v, at, EXTENT_BYTES, 8) == 0)
        at += EXTENT_BYTES;
    assert_int_equal(pool_free_extents(rig.pool), 0);
}

static void a_device_that_comes_is_used_at_once(void **state)
{
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", 64 * MIB, 512);
    fill(v);
    assert_int_equal(rig_write(&rig, v, 60 * MIB, EXTENT_BYTES, 9), -ENOSPC);
    assert_int_equal(add_file().err.code, 0);
    assert_int_equal(pool_free_extents(rig.pool), DEVICE_BYTES / EXTENT_BYTES - 1);
    assert_int_equal(rig_write(&rig, v, 60 * MIB, EXTENT_BYTES, 9), 0);
    assert_int_equal(used_of(3), 1);
    assert_int_equal(rig_flush(&rig, v), 0);
    reopen();
    assert_true(
        rig_reads(&rig, volume_find(rig.manager, "v"), 60 * MIB, EXTENT_BYTES, 9));
    assert_clean();
}

static void a_device_that_grows_is_used_at_once(void **state)
{
    struct answer a = {.came = false};
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", 64 * MIB, 512);
    fill(v);
    pool_device_grow(rig.manager, "p/2", 2 * DEVICE_BYTES, on_device, &a);
    assert_int_equal(wait_for(&a), 0);
    assert_int_equal(pool_free_extents(rig.pool), DEVICE_BYTES / EXTENT_BYTES);
    assert_int_equal(rig_write(&rig, v, 60 * MIB, EXTENT_BYTES, 9), 0);
    assert_int_equal(rig_flush(&rig, v), 0);
    a = (struct answer){.came = false};
    pool_device_grow(rig.manager, "p/2", DEVICE_BYTES, on_device, &a);
    assert_int_equal(wait_for(&a), -EINVAL);
    reopen();
    assert_int_equal(info_of(2).size_bytes, 2 * DEVICE_BYTES);
    assert_true(
        rig_reads(&rig, volume_find(rig.manager, "v"), 60 * MIB, EXTENT_BYTES, 9));
    assert_clean();
}

static void put(const char *path, off_t at, const char *bytes, size_t length)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, DEVICE_BYTES), 0);
    assert_int_equal(pwrite(fd, bytes, length, at), (ssize_t)length);
    close(fd);
}

static void what_carries_something_is_taken_by_force_alone(void **state)
{
    struct pool_device_spec spec = {.path = paths[2]};
    (void)state;
    put(paths[2], 1080, "\x53\xef", 2);
    struct answer a = add(&spec);
    assert_refused(&a, -EEXIST, "path");
    assert_non_null(strstr(a.err.text, "ext4"));
    spec.force = true;
    a = add(&spec);
    assert_int_equal(a.err.code, 0);
    /* A device of a live pool is not, whatever its name. */
    spec.path = paths[0];
    a = add(&spec);
    assert_refused(&a, -EBUSY, "path");
    char other[400];
    snprintf(other, sizeof(other), "%s.copy", paths[0]);
    char block[4096];
    int fd = open(paths[0], O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(fd, block, sizeof(block), 0), (ssize_t)sizeof(block));
    close(fd);
    put(other, 0, block, sizeof(block));
    spec.path = other;
    a = add(&spec);
    assert_refused(&a, -EEXIST, "path");
    assert_non_null(strstr(a.err.text, "this box"));
}

/* ---- Going ------------------------------------------------------------------------- */

static struct answer evacuate(const char *key, const char **state)
{
    struct answer a = {.came = false};
    pool_device_evacuate(rig.manager, key, on_job, &a);
    if (wait_for(&a) == 0)
        *state = end_of_job(a.object);
    return a;
}

static struct answer take_away(const char *key)
{
    struct answer a = {.came = false};
    pool_device_remove(rig.manager, key, on_done, &a);
    (void)wait_for(&a);
    return a;
}

static bool has_superblock(const char *path)
{
    struct superblock sb;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc = device_read_superblock(fd, &sb, NULL);
    close(fd);
    return rc == 0;
}

static void an_evacuated_device_can_go(void **state)
{
    const char *ended = NULL;
    struct pool_check_report report;
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", 8 * MIB, 512);
    write_all(v, 6 * MIB, 1);
    assert_int_equal(rig_snapshot(&rig, "v", "s", NULL, NULL), 0);
    for (uint64_t at = 0; at < 6 * MIB; at += 3 * EXTENT_BYTES)
        assert_int_equal(rig_write(&rig, v, at, 8192, 2), 0);
    struct volume *to = pool_rig_volume(&rig, "to", 4 * MIB, 512);
    struct volume *from = volume_on("from", 1);
    for (unsigned i = 0; i < 3; i++) {
        struct copy copy = {.from = from,
                            .to = to,
                            .to_bytes = i * EXTENT_BYTES,
                            .length_bytes = EXTENT_BYTES};
        assert_int_equal(rig_copy(&rig, &copy), 0);
        assert_int_equal(copy.shared_bytes, EXTENT_BYTES);
    }
    uint64_t used = used_of(1) + used_of(2);
    assert_true(used_of(1) > 1);

    struct answer a = take_away("p/1");
    assert_refused(&a, -EBUSY, "device");
    a = evacuate("p/1", &ended);
    assert_int_equal(a.err.code, 0);
    assert_string_equal(ended, "done");
    assert_int_equal(used_of(1), 0);
    assert_int_equal(used_of(2), used);
    assert_string_equal(info_of(1).state, "evacuated");
    assert_int_equal(pool_rig_check(&rig, &report, NULL), 0);
    assert_int_equal(report.shared_extents, 1);
    assert_clean();

    a = take_away("p/1");
    assert_int_equal(a.err.code, 0);
    assert_false(has_superblock(paths[0]));
    assert_null(pool_device_find(rig.manager, "p/1"));
    assert_int_equal(rig_write(&rig, v, 7 * MIB, MIB, 3), 0);
    assert_int_equal(rig_flush(&rig, v), 0);
    reopen();
    assert_string_equal(pool_state(), "online");
    v = volume_find(rig.manager, "v");
    assert_true(rig_reads(&rig, v, 0, 8192, 2));
    assert_true(rig_reads(&rig, v, 8192, EXTENT_BYTES, 1));
    assert_true(rig_reads(&rig, v, 7 * MIB, MIB, 3));
    to = volume_find(rig.manager, "to");
    assert_true(rig_reads(&rig, to, 0, 3 * EXTENT_BYTES, 1));
    assert_clean();
}

static void what_has_no_room_is_not_evacuated(void **state)
{
    const char *ended = NULL;
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", 64 * MIB, 512);
    for (uint64_t at = 0; at < 24 * MIB; at += EXTENT_BYTES)
        assert_int_equal(rig_write(&rig, v, at, EXTENT_BYTES, 8), 0);
    struct answer a = evacuate("p/1", &ended);
    assert_refused(&a, -EBUSY, "device");
    assert_non_null(strstr(a.err.text, "free"));
    assert_string_equal(info_of(1).state, "online");
}

#define DEVICES_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static int guarantee(uint64_t bytes)
{
    const struct volume_change change = {.guaranteed_bytes = &bytes};
    return rig_change(&rig, "v", &change, NULL);
}

/* And what has been moved is taken as before. */
static void what_guarantees_need_is_not_evacuated(void **state)
{
    const char *ended = NULL;
    struct volume_info before, after;
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", 32 * MIB, 512);
    write_all(v, 2 * MIB, 1);
    assert_int_equal(guarantee(DEVICE_BYTES + 2 * MIB), 0);
    struct answer a = evacuate("p/1", &ended);
    assert_refused(&a, -EBUSY, "device");
    assert_non_null(strstr(a.err.text, "guaranteed to volumes"));
    assert_string_equal(info_of(1).state, "online");
    assert_int_equal(guarantee(8 * MIB), 0);
    volume_describe(v, &before);
    assert_int_equal(before.reserved_bytes, 6 * MIB);
    a = evacuate("p/1", &ended);
    assert_int_equal(a.err.code, 0);
    assert_string_equal(ended, "done");
    volume_describe(v, &after);
    assert_int_equal(after.reserved_bytes, before.reserved_bytes);
    assert_int_equal(after.unique_bytes, before.unique_bytes);
    assert_int_equal(guarantee(DEVICE_BYTES), -ENOSPC); /* of what is left */
    write_all(v, 8 * MIB, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DEVICES_TEST(devices_fill_in_turn_and_evenly),
        DEVICES_TEST(a_failed_device_takes_along_who_wrote_to_it),
        DEVICES_TEST(a_flush_beside_the_failing_one_succeeds),
        DEVICES_TEST(who_did_not_write_since_may_flush),
        DEVICES_TEST(a_missing_device_is_named_and_the_others_serve),
        DEVICES_TEST(one_newer_device_closes_the_pool),
        DEVICES_TEST(a_device_that_comes_is_used_at_once),
        DEVICES_TEST(a_device_that_grows_is_used_at_once),
        DEVICES_TEST(what_carries_something_is_taken_by_force_alone),
        DEVICES_TEST(an_evacuated_device_can_go),
        DEVICES_TEST(what_has_no_room_is_not_evacuated),
        DEVICES_TEST(what_guarantees_need_is_not_evacuated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
