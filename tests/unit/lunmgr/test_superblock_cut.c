/* SPDX-License-Identifier: Apache-2.0 */
/* The mains fall at each step of writing a device's superblock, as it is written: what
 * was not synced is there, lost, or torn at any sector. It is read as the old one or the
 * new one, and the catalog's row of that moment takes it. Also while a pool is made and
 * deleted. And a sync that fails meanwhile is the device's failure. */
#include "lunmgr/device.h"
#include "tests/lib/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define SECTOR      512
#define DISK_BYTES  8192
#define SECTORS     (DISK_BYTES / SECTOR)
#define FILE_BYTES  (2 << 20)
#define WRITES_MAX  8
#define CUTS_WANTED 30

/* The disk: what is durable, and what has been written since, in order. */
static struct {
    bool records;
    bool fails; /* the next sync */
    uint8_t durable[DISK_BYTES];
    struct {
        off_t at;
        size_t bytes;
        uint8_t data[DISK_BYTES];
    } writes[WRITES_MAX];
    size_t write_count;
    /* Called after each write is noted, and after each sync. */
    void (*at_point)(void);
} disk;

static char path[64];
static struct err e;
static unsigned cuts;

ssize_t __real_pwrite(int fd, const void *data, size_t bytes, off_t at);
int __real_fdatasync(int fd);
int __real_fsync(int fd);
ssize_t __wrap_pwrite(int fd, const void *data, size_t bytes, off_t at);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);

/* As the kernel tells of a write of the page cache that failed: once. */
static bool disk_fails(void)
{
    bool fails = disk.fails;
    disk.fails = false;
    if (fails)
        errno = EIO;
    return fails;
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t bytes, off_t at)
{
    if (disk.records) {
        assert_in_range(disk.write_count, 0, WRITES_MAX - 1);
        assert_true((size_t)at + bytes <= DISK_BYTES);
        disk.writes[disk.write_count].at = at;
        disk.writes[disk.write_count].bytes = bytes;
        memcpy(disk.writes[disk.write_count].data, data, bytes);
        disk.write_count++;
        disk.at_point();
    }
    return __real_pwrite(fd, data, bytes, at);
}

int __wrap_fdatasync(int fd)
{
    if (disk.records) {
        for (size_t i = 0; i < disk.write_count; i++)
            memcpy(disk.durable + disk.writes[i].at, disk.writes[i].data,
                   disk.writes[i].bytes);
        disk.write_count = 0;
        disk.at_point();
    }
    return disk_fails() ? -1 : __real_fdatasync(fd);
}

int __wrap_fsync(int fd)
{
    return disk_fails() ? -1 : __real_fsync(fd);
}

/* ---- What a cut leaves --------------------------------------------------------------
 */

static const uint64_t *takes; /* generations that may be found now */
static size_t takes_count;
static bool may_have_none; /* or no superblock at all */
static uint64_t row_generation;
static struct superblock sample;

/* A device file with these first bytes, as the next start finds it. */
static void start_on(const uint8_t *bytes)
{
    char left[80];
    struct superblock found;
    cuts++;
    snprintf(left, sizeof(left), "%s.left", path);
    int fd = open(left, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, FILE_BYTES), 0);
    assert_int_equal(__real_pwrite(fd, bytes, DISK_BYTES, 0), DISK_BYTES);
    int rc = device_read_superblock(fd, &found, &e);
    close(fd);
    if (rc == -ENODATA) {
        assert_true(may_have_none);
        return;
    }
    assert_int_equal(rc, 0);
    bool known = false;
    for (size_t i = 0; i < takes_count; i++)
        known |= found.generation == takes[i];
    assert_true(known);
    assert_string_equal(found.pool_id, sample.pool_id);
    if (row_generation == 0)
        return;
    struct device_row row = {.no = 1,
                             .slot = sample.slot,
                             .extents = sample.extents,
                             .generation = row_generation};
    struct device *d;
    memcpy(row.id, sample.device_id, sizeof(row.id));
    memcpy(row.pool_id, sample.pool_id, sizeof(row.pool_id));
    snprintf(row.path, sizeof(row.path), "%s", left);
    assert_int_equal(device_open(&row, &d, &e), 0);
    device_close(d);
}

/* Each of what was written since the last sync: lost, there, or of it the first or the
 * last so many sectors. */
static void cut_here(void)
{
    uint8_t left[DISK_BYTES];
    disk.records = false;
    start_on(disk.durable);
    for (size_t i = 0; i < disk.write_count; i++) {
        size_t count = disk.writes[i].bytes / SECTOR;
        for (size_t torn = 1; torn <= count; torn++) {
            memcpy(left, disk.durable, sizeof(left));
            memcpy(left + disk.writes[i].at, disk.writes[i].data, torn * SECTOR);
            start_on(left);
            memcpy(left, disk.durable, sizeof(left));
            memcpy(left + disk.writes[i].at + (count - torn) * SECTOR,
                   disk.writes[i].data + (count - torn) * SECTOR, torn * SECTOR);
            start_on(left);
        }
    }
    disk.records = true;
}

static void record_from(int fd)
{
    assert_int_equal(pread(fd, disk.durable, DISK_BYTES, 0), DISK_BYTES);
    disk.write_count = 0;
    disk.at_point = cut_here;
    disk.records = true;
    cuts = 0;
}

static int setup(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "%s/ashlar-sbcut-XXXXXX", scratch_dir());
    int fd = mkstemp(path);
    if (fd < 0 || ftruncate(fd, FILE_BYTES) != 0)
        return -1;
    close(fd);
    sample = (struct superblock){.pool_id = "pool",
                                 .device_id = "device",
                                 .box_id = "box",
                                 .slot = 1,
                                 .extents = FILE_BYTES / 65536,
                                 .generation = 6};
    row_generation = 0;
    may_have_none = false;
    return 0;
}

static int teardown(void **state)
{
    char left[80];
    (void)state;
    disk.records = false;
    disk.fails = false;
    snprintf(left, sizeof(left), "%s.left", path);
    unlink(path);
    unlink(left);
    return 0;
}

/* ---- The three times that it is written ----------------------------------------------
 */

static void raised_it_is_the_old_one_or_the_new_one(void **state)
{
    static const uint64_t either[] = {6, 8};
    (void)state;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(device_write_superblock(fd, &sample, &e), 0);
    takes = either;
    takes_count = 2;
    row_generation = 7; /* raise.c: it is odd by now */
    record_from(fd);
    struct superblock next = sample;
    next.generation = 8;
    assert_int_equal(device_write_superblock(fd, &next, &e), 0);
    disk.records = false;
    assert_true(cuts > CUTS_WANTED);
    assert_int_equal(device_read_superblock(fd, &next, &e), 0);
    assert_int_equal(next.generation, 8);
    close(fd);
}

/* On a device with nothing of ours, or with rubbish: before its rows are there. */
static void made_it_is_none_or_whole(void **state)
{
    static const uint64_t new[] = {6};
    (void)state;
    for (int rubbish = 0; rubbish < 2; rubbish++) {
        int fd = open(path, O_RDWR | O_CLOEXEC);
        uint8_t bytes[DISK_BYTES];
        memset(bytes, rubbish == 0 ? 0 : 0xa5, sizeof(bytes));
        assert_int_equal(__real_pwrite(fd, bytes, sizeof(bytes), 0), DISK_BYTES);
        takes = new;
        takes_count = 1;
        may_have_none = true;
        record_from(fd);
        assert_int_equal(device_write_superblock(fd, &sample, &e), 0);
        may_have_none = false; /* both copies are durable now */
        cut_here();
        disk.records = false;
        close(fd);
    }
}

/* Its rows are gone: whatever is found belongs to a pool that is no more. */
static void wiped_it_is_whole_or_none(void **state)
{
    static const uint64_t old[] = {6};
    (void)state;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(device_write_superblock(fd, &sample, &e), 0);
    takes = old;
    takes_count = 1;
    may_have_none = true;
    record_from(fd);
    assert_int_equal(device_wipe_superblock(fd, &e), 0);
    disk.records = false;
    struct superblock found;
    assert_int_equal(device_read_superblock(fd, &found, &e), -ENODATA);
    close(fd);
}

/* ---- Syncs that fail as a device grows ----------------------------------------------
 */

static struct device *open_sample(void)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(device_write_superblock(fd, &sample, &e), 0);
    close(fd);
    struct device_row row = {.no = 1,
                             .slot = sample.slot,
                             .extents = sample.extents,
                             .generation = sample.generation};
    struct device *d;
    memcpy(row.id, sample.device_id, sizeof(row.id));
    memcpy(row.pool_id, sample.pool_id, sizeof(row.pool_id));
    snprintf(row.path, sizeof(row.path), "%s", path);
    assert_int_equal(device_open(&row, &d, &e), 0);
    d->pool_name = "p";
    return d;
}

static void a_file_that_cannot_be_synced_longer_is_a_failed_device(void **state)
{
    uint64_t extents;
    (void)state;
    struct device *d = open_sample();
    assert_int_equal(device_resize(d, 1, false, &extents, &e), -EINVAL); /* shorter */
    assert_false(device_is_failed(d));
    assert_int_equal(device_resize(d, 2ULL * FILE_BYTES, false, &extents, &e), 0);
    assert_int_equal(extents, 2 * FILE_BYTES / 65536);
    disk.fails = true;
    assert_int_equal(device_resize(d, 3ULL * FILE_BYTES, false, &extents, &e), -EIO);
    assert_string_equal(e.field, "size");
    assert_true(device_is_failed(d));
    device_close(d);
}

static void a_superblock_that_cannot_be_synced_is_a_failed_device(void **state)
{
    (void)state;
    struct device *d = open_sample();
    assert_int_equal(device_superblock_set_extents(d, sample.extents + 1, &e), 0);
    assert_false(device_is_failed(d));
    disk.fails = true;
    assert_int_equal(device_superblock_set_extents(d, sample.extents + 2, &e), -EIO);
    assert_true(device_is_failed(d));
    device_close(d);
}

#define CUT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CUT_TEST(raised_it_is_the_old_one_or_the_new_one),
        CUT_TEST(made_it_is_none_or_whole),
        CUT_TEST(wiped_it_is_whole_or_none),
        CUT_TEST(a_file_that_cannot_be_synced_longer_is_a_failed_device),
        CUT_TEST(a_superblock_that_cannot_be_synced_is_a_failed_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
