/* SPDX-License-Identifier: Apache-2.0 */
/* Superblocks come back as they were written, torn ones from their second copy; what is
 * not ours, or not of the catalog's age, is refused and left alone. */
#include "lunmgr/device.h"

#include "base/be.h"
#include "base/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB (1ULL << 20)

static char dir[256], path[300];
static struct err e;

static const struct device_claim careful = {.force = false};

static const struct superblock sample = {
    .pool_id = "11111111-2222-4333-8444-555555555555",
    .device_id = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
    .box_id = "01234567-89ab-4cde-8f01-23456789abcd",
    .slot = 1,
    .extents = 64,
    .generation = 6,
};

static int setup(void **state)
{
    (void)state;
    char where[200];
    if (getcwd(where, sizeof(where)) == NULL)
        return -1;
    snprintf(dir, sizeof(dir), "%s/test_device.XXXXXX", where);
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/disk", dir);
    memset(&e, 0, sizeof(e));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static uint64_t file_bytes(void)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (uint64_t)st.st_size;
}

/* A device of 4 MiB with that superblock, closed again. */
static void make_device(const struct superblock *sb)
{
    int fd;
    bool direct;
    uint64_t extents;
    assert_int_equal(device_probe(path, 4 * MIB, &careful, &fd, &direct, &extents, &e),
                     0);
    assert_int_equal(extents, 64);
    assert_int_equal(device_write_superblock(fd, sb, &e), 0);
    close(fd);
}

static struct device_row row_of(const struct superblock *sb)
{
    struct device_row row = {
        .no = 1, .slot = sb->slot, .extents = sb->extents, .generation = sb->generation};
    memcpy(row.id, sb->device_id, sizeof(row.id));
    memcpy(row.pool_id, sb->pool_id, sizeof(row.pool_id));
    snprintf(row.path, sizeof(row.path), "%s", path);
    return row;
}

static void overwrite(off_t at, const void *data, size_t bytes)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, data, bytes, at), (ssize_t)bytes);
    close(fd);
}

static int read_superblock(struct superblock *sb)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc = device_read_superblock(fd, sb, &e);
    close(fd);
    return rc;
}

static void assert_same(const struct superblock *a, const struct superblock *b)
{
    assert_string_equal(a->pool_id, b->pool_id);
    assert_string_equal(a->device_id, b->device_id);
    assert_string_equal(a->box_id, b->box_id);
    assert_int_equal(a->slot, b->slot);
    assert_int_equal(a->extents, b->extents);
    assert_int_equal(a->generation, b->generation);
}

/* ---- The superblock ---------------------------------------------------------------- */

static void a_superblock_comes_back(void **state)
{
    struct superblock back;
    (void)state;
    make_device(&sample);
    assert_int_equal(read_superblock(&back), 0);
    assert_same(&back, &sample);
}

/* By the byte table of docs/FORMAT.md, not by the code that wrote it. */
static void its_bytes_are_the_documented_ones(void **state)
{
    uint8_t b[4096];
    (void)state;
    make_device(&sample);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (off_t copy = 0; copy < 2; copy++) {
        assert_int_equal(pread(fd, b, sizeof(b), copy * 4096), 4096);
        assert_memory_equal(b, "ASHLARDV", 8);
        assert_int_equal(be32_load(b + 8), 1);   /* version */
        assert_int_equal(be32_load(b + 12), 1);  /* slot */
        assert_int_equal(be64_load(b + 16), 6);  /* generation */
        assert_int_equal(be64_load(b + 24), 64); /* extents */
        assert_string_equal((char *)b + 32, sample.pool_id);
        assert_string_equal((char *)b + 72, sample.device_id);
        assert_string_equal((char *)b + 112, sample.box_id);
        for (size_t i = 152; i < 4092; i++)
            assert_int_equal(b[i], 0);
        assert_int_equal(be32_load(b + 4092), crc32c(0, b, 4092));
    }
    close(fd);
}

static void either_copy_suffices(void **state)
{
    struct superblock back;
    uint8_t torn[512];
    (void)state;
    memset(torn, 0x5a, sizeof(torn));
    for (off_t copy = 0; copy < 2; copy++) {
        make_device(&sample);
        overwrite(copy * 4096 + 512, torn, sizeof(torn));
        assert_int_equal(read_superblock(&back), 0);
        assert_same(&back, &sample);
        unlink(path);
    }
    make_device(&sample);
    overwrite(512, torn, sizeof(torn));
    overwrite(4096 + 1024, torn, sizeof(torn));
    assert_int_equal(read_superblock(&back), -ENODATA);
}

/* A crash between the two leaves an old one and a new one. */
static void of_two_generations_the_newer_counts(void **state)
{
    (void)state;
    for (off_t old_copy = 0; old_copy < 2; old_copy++) {
        uint8_t old[4096];
        struct superblock newer = sample, back;
        make_device(&sample);
        int fd = open(path, O_RDWR | O_CLOEXEC);
        assert_int_equal(pread(fd, old, sizeof(old), 0), 4096);
        newer.generation = 8;
        assert_int_equal(device_write_superblock(fd, &newer, &e), 0);
        close(fd);
        overwrite(old_copy * 4096, old, sizeof(old));
        assert_int_equal(read_superblock(&back), 0);
        assert_int_equal(back.generation, 8);
        unlink(path);
    }
}

static void a_wiped_device_has_none(void **state)
{
    struct superblock back;
    (void)state;
    make_device(&sample);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(device_wipe_superblock(fd, &e), 0);
    assert_int_equal(device_read_superblock(fd, &back, &e), -ENODATA);
    close(fd);
    make_device(&sample); /* and may be used again */
}

/* ---- Probing ----------------------------------------------------------------------- */

static int probe(uint64_t size_bytes)
{
    int fd = -1;
    bool direct;
    uint64_t extents;
    int rc = device_probe(path, size_bytes, &careful, &fd, &direct, &extents, &e);
    if (rc == 0)
        close(fd);
    return rc;
}

static void a_file_is_made_of_the_size_asked(void **state)
{
    (void)state;
    assert_int_equal(probe(3 * MIB + 5), 0);
    assert_int_equal(file_bytes(), 3 * MIB + 5);
    assert_int_equal(probe(3 * MIB + 5), 0); /* it is there, and of that size */
    assert_int_equal(probe(0), 0);           /* any size will do */
}

static void a_file_with_something_in_it_is_not_resized(void **state)
{
    (void)state;
    assert_int_equal(probe(2 * MIB), 0);
    assert_int_equal(probe(4 * MIB), -EEXIST);
    assert_string_equal(e.field, "size");
    assert_int_equal(file_bytes(), 2 * MIB);
    assert_int_equal(probe(MIB), -EEXIST);
    assert_int_equal(file_bytes(), 2 * MIB);
}

static void what_another_pool_owns_is_refused(void **state)
{
    struct superblock back;
    (void)state;
    make_device(&sample);
    assert_int_equal(probe(0), -EEXIST);
    assert_string_equal(e.field, "path");
    assert_non_null(strstr(e.text, sample.pool_id));
    assert_int_equal(probe(4 * MIB), -EEXIST);
    assert_int_equal(read_superblock(&back), 0);
}

static void what_is_in_use_is_refused(void **state)
{
    int fd;
    bool direct;
    uint64_t extents;
    (void)state;
    assert_int_equal(device_probe(path, 2 * MIB, &careful, &fd, &direct, &extents, &e),
                     0);
    assert_int_equal(probe(0), -EBUSY);
    close(fd);
    assert_int_equal(probe(0), 0);
}

static void what_is_no_disk_is_refused(void **state)
{
    (void)state;
    assert_int_equal(probe(0), -ENOENT);
    assert_string_equal(e.field, "path");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_not_equal(probe(0), 0);
    rmdir(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(probe(0), -EINVAL);
    unlink(path);
    assert_int_equal(probe(65536 + 4096), -EINVAL); /* the superblock's extent alone */
    assert_string_equal(e.field, "size");
}

/* ---- Opening ----------------------------------------------------------------------- */

/* Opens and closes: what device_open said. */
static int open_with(const struct device_row *row)
{
    struct device *d;
    int rc = device_open(row, &d, &e);
    assert_non_null(d);
    assert_int_equal(atomic_load(&d->failed), rc != 0);
    assert_int_equal(d->fd >= 0, rc == 0);
    device_close(d);
    return rc;
}

static void a_known_device_opens(void **state)
{
    (void)state;
    make_device(&sample);
    struct device_row row = row_of(&sample);
    assert_int_equal(open_with(&row), 0);
}

static void a_device_that_is_gone_or_small_is_refused(void **state)
{
    (void)state;
    struct device_row row = row_of(&sample);
    assert_int_equal(open_with(&row), -ENOENT);
    make_device(&sample);
    assert_int_equal(truncate(path, 3 * MIB), 0);
    assert_int_equal(open_with(&row), -EUCLEAN);
}

static void a_device_of_another_pool_or_none_is_refused(void **state)
{
    (void)state;
    struct superblock other = sample;
    struct device_row row = row_of(&sample);
    other.pool_id[0] = '9';
    make_device(&other);
    assert_int_equal(open_with(&row), -EUCLEAN);
    unlink(path);
    other = sample;
    other.device_id[0] = '9';
    make_device(&other);
    assert_int_equal(open_with(&row), -EUCLEAN);
    uint8_t nothing[8192] = {0};
    overwrite(0, nothing, sizeof(nothing));
    assert_int_equal(open_with(&row), -ENODATA);
}

static int open_at(uint64_t row_generation, uint64_t device_generation)
{
    struct superblock sb = sample;
    unlink(path);
    sb.generation = device_generation;
    make_device(&sb);
    struct device_row row = row_of(&sb);
    row.generation = row_generation;
    return open_with(&row);
}

static void catalog_and_device_must_be_of_one_age(void **state)
{
    (void)state;
    assert_int_equal(open_at(6, 6), 0);
    assert_int_equal(open_at(6, 8), -ESTALE);
    assert_non_null(strstr(e.text, "6"));
    assert_non_null(strstr(e.text, "8"));
    assert_int_equal(open_at(6, 4), -EUCLEAN);
    /* A start that was cut off: before and after the superblock was written. */
    assert_int_equal(open_at(7, 6), 0);
    assert_int_equal(open_at(7, 8), 0);
    assert_int_equal(open_at(7, 10), -ESTALE);
    assert_int_equal(open_at(7, 4), -EUCLEAN);
}

static void a_file_in_memory_is_known(void **state)
{
    (void)state;
    AUTO_CLOSE int memory = memfd_create("disk", MFD_CLOEXEC);
    AUTO_CLOSE int zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    assert_int_equal(device_way_of(memory), DEVICE_IN_MEMORY);
    assert_int_equal(device_way_of(zeros), DEVICE_QUEUES);
}

#define DEVICE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DEVICE_TEST(a_superblock_comes_back),
        DEVICE_TEST(its_bytes_are_the_documented_ones),
        DEVICE_TEST(either_copy_suffices),
        DEVICE_TEST(of_two_generations_the_newer_counts),
        DEVICE_TEST(a_wiped_device_has_none),
        DEVICE_TEST(a_file_is_made_of_the_size_asked),
        DEVICE_TEST(a_file_with_something_in_it_is_not_resized),
        DEVICE_TEST(what_another_pool_owns_is_refused),
        DEVICE_TEST(what_is_in_use_is_refused),
        DEVICE_TEST(what_is_no_disk_is_refused),
        DEVICE_TEST(a_known_device_opens),
        DEVICE_TEST(a_device_that_is_gone_or_small_is_refused),
        DEVICE_TEST(a_device_of_another_pool_or_none_is_refused),
        DEVICE_TEST(catalog_and_device_must_be_of_one_age),
        cmocka_unit_test(a_file_in_memory_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
