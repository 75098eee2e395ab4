/* SPDX-License-Identifier: Apache-2.0 */
/* The mains fall at every write and at every sync of the catalog and of its mirror, of
 * which each then keeps what it may: each alone must be a catalog with every commit that
 * was answered, and the two must find together again. Then the same while the mirror
 * fails: a copy that lacks an answered commit must be older than the device. */
#include "fault_vfs.h"
#include "rig.h"
#include "tests/lib/cut_vfs.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CUTS_MAX 4000 /* a bound of the loop that ends by itself */

static struct {
    struct power *power;
    struct rig *r;
    char dir[96], alone[96];
    unsigned added, answered;
    uint64_t device_generation;
    /* at the fall */
    unsigned answered_then;
    uint64_t device_then;
    char mark_then[64];
} t;

/* ---- The mains ----------------------------------------------------------------------
 */

static void mark_read(char mark[64])
{
    char path[128];
    snprintf(path, sizeof(path), "%s/mirror", t.dir);
    mark[0] = '\0';
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return;
    if (fgets(mark, 64, f) == NULL)
        mark[0] = '\0';
    fclose(f);
}

static void mark_write(const char *mark)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/mirror", t.dir);
    unlink(path);
    if (mark[0] == '\0')
        return;
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    fputs(mark, f);
    fclose(f);
}

static void fell(void *arg)
{
    (void)arg;
    t.answered_then = t.answered;
    t.device_then = t.device_generation;
    mark_read(t.mark_then);
}

static void clear(const char *dir)
{
    static const char *const names[] = {"catalog.db", "catalog.db-wal", "catalog.db-shm",
                                        "catalog.lock", "mirror"};
    char path[160];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
}

static void remove_dir(const char *dir)
{
    clear(dir);
    rmdir(dir);
}

static void begin(uint64_t seed)
{
    memset(&t, 0, sizeof(t));
    rig_setup((void **)&t.r);
    snprintf(t.dir, sizeof(t.dir), "%s/mirror", t.r->dir);
    snprintf(t.alone, sizeof(t.alone), "%s/alone", t.r->dir);
    assert_int_equal(mkdir(t.dir, 0700) | mkdir(t.alone, 0700), 0);
    t.power = power_create(seed * 0x9e3779b97f4a7c15ULL | 1);
    cut_vfs_attach(t.power);
    power_on_fall(t.power, fell, NULL);
}

static void end(void)
{
    fault_vfs_disarm();
    rig_close(t.r);
    cut_vfs_detach();
    power_destroy(t.power);
    for (int slot = 0; slot < 2; slot++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%d", t.dir, slot);
        remove_dir(path);
    }
    remove_dir(t.dir);
    remove_dir(t.alone);
    rig_teardown((void **)&t.r);
}

/* ---- The catalog ---------------------------------------------------------------------
 */

static bool can_stamp(void *arg, uint32_t no)
{
    (void)arg;
    return no == 1;
}

static int stamp(void *arg, uint32_t no, uint64_t generation)
{
    (void)arg;
    (void)no;
    if (!power_is_off(t.power))
        t.device_generation = generation;
    return 0;
}

static const struct catalog_hooks hooks = {.can_stamp = can_stamp, .stamp = stamp};

static int try_open(void)
{
    struct catalog_options options = {.dir = t.r->dir,
                                      .reader_count = 1,
                                      .by_hand = true,
                                      .mirror_dir = t.dir,
                                      .mirror_retry_ms = 3600000};
    int rc = catalog_open(&options, &t.r->catalog, NULL);
    if (rc == 0)
        catalog_set_hooks(t.r->catalog, &hooks);
    return rc;
}

static int work_add_device(struct catalog_txn *txn, void *arg, struct err *e)
{
    (void)arg;
    struct pool_row pool = sample_pool("p", "p");
    struct device_row row = sample_device("d", "p", 1);
    row.generation = 2;
    int rc = pool_row_add(txn, &pool, e);
    return rc != 0 ? rc : device_row_add(txn, &row, e);
}

static void add(void)
{
    char id[16], name[16];
    snprintf(id, sizeof(id), "id%u", t.added);
    snprintf(name, sizeof(name), "name%u", t.added);
    struct pool_row row = sample_pool(id, name);
    t.added++;
    assert_int_equal(catalog_write_wait(t.r->catalog, work_add_pool, &row, NULL), 0);
    t.answered++;
}

static void make_catalog(void)
{
    assert_int_equal(try_open(), 0);
    t.device_generation = 2;
    assert_int_equal(catalog_write_wait(t.r->catalog, work_add_device, NULL, NULL), 0);
}

/* What a life of the catalog is: two starts, of which the first makes the mirror anew,
 * commits, checkpoints, orderly stops. */
static void live(void)
{
    for (int start = 0; start < 2; start++) {
        assert_int_equal(try_open(), 0);
        for (int i = 0; i < 3; i++)
            add();
        catalog_turn_writer(t.r->catalog, true);
        assert_int_equal(catalog_raise_wait(t.r->catalog, NULL), 0);
        add();
        rig_close(t.r);
    }
}

/* ---- What is left --------------------------------------------------------------------
 */

static int count_name(const struct pool_row *row, void *arg)
{
    *(unsigned *)arg += strncmp(row->name, "name", 4) == 0;
    return 0;
}

static int work_count(struct catalog_txn *txn, void *arg, struct err *e)
{
    return pool_row_each(txn, count_name, arg, e);
}

static int take_generation(const struct device_row *row, void *arg)
{
    *(uint64_t *)arg = row->generation;
    return 0;
}

static int work_generation(struct catalog_txn *txn, void *arg, struct err *e)
{
    return device_row_each(txn, take_generation, arg, e);
}

struct found {
    bool opens;
    unsigned count;
    uint64_t generation; /* of the device's row; 0: there is none */
};

/* Of the catalog in dir, opened for itself, elsewhere. */
static struct found look_at(const char *dir)
{
    struct found found = {.opens = false};
    struct rig other = {.catalog = NULL}, from = {.catalog = NULL};
    clear(t.alone);
    snprintf(from.dir, sizeof(from.dir), "%s", dir);
    if (rig_file_bytes(&from, "catalog.db") < 0)
        return found;
    rig_copy_file(&from, "catalog.db", t.alone);
    if (rig_file_bytes(&from, "catalog.db-wal") >= 0)
        rig_copy_file(&from, "catalog.db-wal", t.alone);
    found.opens = rig_try_open(&other, t.alone, NULL) == 0;
    if (!found.opens)
        return found;
    assert_int_equal(catalog_read_wait(other.catalog, work_count, &found.count, NULL), 0);
    assert_int_equal(
        catalog_read_wait(other.catalog, work_generation, &found.generation, NULL), 0);
    rig_close(&other);
    return found;
}

static struct found look_at_own(void)
{
    return look_at(t.r->dir);
}

static struct found look_at_slot(char slot)
{
    char dir[128];
    snprintf(dir, sizeof(dir), "%s/%c", t.dir, slot);
    return look_at(dir);
}

static char slot_of(const char *mark)
{
    return mark[strcspn(mark, "\n") - 1];
}

/* As lunmgr/device.c has it. */
static bool device_takes(uint64_t row, uint64_t superblock)
{
    uint64_t raising = row % 2;
    return superblock <= row + raising && superblock >= row - raising;
}

static void restore(void)
{
    cut_vfs_restore();
    power_restore(t.power);
    mark_write(t.mark_then);
    cut_vfs_detach(); /* what is there is durable */
    cut_vfs_attach(t.power);
}

static void assert_finds_together(void)
{
    struct catalog_mirror_info info;
    char mark[64];
    assert_int_equal(try_open(), 0);
    catalog_mirror(t.r->catalog, &info);
    assert_int_equal(info.state, CATALOG_MIRROR_CURRENT);
    add();
    rig_close(t.r);
    mark_read(mark);
    struct found own = look_at_own(), copy = look_at_slot(slot_of(mark));
    assert_int_equal(own.count, copy.count);
    assert_int_equal(own.generation, copy.generation);
}

/* True: the mains fell there. */
static bool cut_at(enum power_point point, unsigned nth)
{
    begin(nth);
    make_catalog();
    rig_close(t.r);
    mark_write("");
    power_plan(t.power, point, nth);
    live();
    bool off = power_is_off(t.power);
    if (!off) {
        end();
        return false;
    }
    restore();
    struct found before = look_at_own();
    assert_true(before.opens);
    assert_in_range(before.count, t.answered_then, t.answered_then + 1);
    assert_true(device_takes(before.generation, t.device_then));
    assert_true(t.mark_then[0] != '\0' || t.answered_then == 0);
    if (t.mark_then[0] != '\0') {
        struct found copy = look_at_slot(slot_of(t.mark_then));
        assert_true(copy.opens);
        assert_in_range(copy.count, t.answered_then, t.answered_then + 1);
        assert_true(device_takes(copy.generation, t.device_then));
    }
    t.added = t.answered_then + 1; /* which of the two it is does not matter */
    assert_finds_together();
    end();
    return true;
}

/* From one cut to the next: the nightly check makes all of them. */
static unsigned stride(void)
{
    return getenv("ASHLAR_NIGHTLY") != NULL ? 1 : 4;
}

static void cut_everywhere(enum power_point point, unsigned at_least)
{
    unsigned nth = 1;
    while (cut_at(point, nth)) {
        nth += stride();
        assert_in_range(nth, 1, CUTS_MAX);
    }
    print_message("%u writes or syncs, one cut in %u\n", nth - 1, stride());
    assert_true(nth > at_least);
}

static void at_every_write_each_has_what_was_answered(void **state)
{
    (void)state;
    cut_everywhere(POWER_FILE_WRITE, 100);
}

static void before_every_sync_each_has_what_was_answered(void **state)
{
    (void)state;
    cut_everywhere(POWER_FILE_SYNC, 30);
}

static void behind_every_sync_each_has_what_was_answered(void **state)
{
    (void)state;
    cut_everywhere(POWER_FILE_SYNCED, 30);
}

/* ---- A mirror that fails, and a cut --------------------------------------------------
 */

/* The copy's fault-th write or sync fails for good, then the mains fall: what was the
 * current copy, though its mark may have stayed, is a catalog with all that was answered
 * or is not taken by the device. */
static bool cut_after_fault(int kind, int fault, enum power_point point, unsigned nth)
{
    begin((uint64_t)fault * 1000 + nth);
    make_catalog();
    add();
    char mark[64];
    mark_read(mark);
    fault_vfs_arm_path("/mirror/", kind, fault, 1000000, SQLITE_IOERR_WRITE);
    power_plan(t.power, point, nth);
    for (int i = 0; i < 3; i++)
        add();
    fault_vfs_disarm();
    bool off = power_is_off(t.power);
    rig_close(t.r);
    if (off) {
        restore();
        struct found own = look_at_own(), copy = look_at_slot(slot_of(mark));
        assert_true(own.opens);
        assert_in_range(own.count, t.answered_then, t.answered_then + 1);
        assert_true(device_takes(own.generation, t.device_then));
        if (copy.opens && device_takes(copy.generation, t.device_then))
            assert_true(copy.count >= t.answered_then);
    }
    end();
    return off;
}

static void a_copy_left_behind_is_whole_or_shut_out(void **state)
{
    static const enum power_point points[] = {POWER_FILE_WRITE, POWER_FILE_SYNCED};
    (void)state;
    for (int fault = 0; fault < 4; fault++)
        for (size_t p = 0; p < ARRAY_LEN(points); p++)
            for (unsigned nth = 1;
                 cut_after_fault(fault % 2 == 0 ? FAULT_SYNC : FAULT_WRITE, fault / 2,
                                 points[p], nth);
                 nth += stride())
                assert_in_range(nth, 1, CUTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_every_write_each_has_what_was_answered),
        cmocka_unit_test(before_every_sync_each_has_what_was_answered),
        cmocka_unit_test(behind_every_sync_each_has_what_was_answered),
        cmocka_unit_test(a_copy_left_behind_is_whole_or_shut_out),
    };
    cut_vfs_install();
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
