/* SPDX-License-Identifier: Apache-2.0 */
/* A pool of two devices leaves with a file and comes back: what is in it is what was, the
 * file is good exactly as long as the devices are as they were, and what is refused
 * leaves all as it is. */
#include "tests/unit/lunmgr/manage_rig.h"

#include "tests/unit/db/fault_vfs.h"

#include "lunmgr/copy.h"
#include "lunmgr/device.h"
#include "lunmgr/pool_move.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/record.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEVICE_BYTES (16 * MIB)

static char paths[RIG_FILES][RIG_PATH_MAX];
static char file[320];

static int setup(void **state)
{
    struct pool_rig_options o = {
        .engine = RIG_FAKE, .lane_count = 1, .pool_bytes = DEVICE_BYTES};
    (void)state;
    pool_rig_create_bare(&rig, &o);
    snprintf(file, sizeof(file), "%s/p.db", rig.dir);
    rig_pool_of_files(&rig, paths, DEVICE_BYTES);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

static struct answer export_to(const char *path)
{
    struct answer a = {.came = false};
    pool_export(rig.manager, "p", path, on_done, &a);
    if (wait_for(&a) == 0)
        rig.pool = NULL;
    return a;
}

static struct answer import_as(const struct pool_import_spec *spec)
{
    struct answer a = {.came = false};
    pool_import(rig.manager, spec, on_pool, &a);
    if (wait_for(&a) == 0)
        rig.pool = a.object;
    return a;
}

static struct answer import_back(void)
{
    return import_as(&(struct pool_import_spec){.path = file});
}

static void in_dir(const char *command)
{
    char line[900];
    snprintf(line, sizeof(line), "cd %s && %s", rig.dir, command);
    assert_int_equal(system(line), 0); /* NOLINT: our own names */
}

static uint64_t generation_of(const char *path)
{
    struct superblock sb;
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(device_read_superblock(fd, &sb, NULL), 0);
    return sb.generation;
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
    assert_int_equal(report.shared_extents, 1);
    assert_int_equal(report.named_extents, report.used_extents);
}

static struct volume *find(const char *name)
{
    struct volume *v = volume_find(rig.manager, name);
    assert_non_null(v);
    return v;
}

static struct volume_info info_of(struct volume *v)
{
    struct volume_info info;
    volume_describe(v, &info);
    return info;
}

/* ---- What is in it ----------------------------------------------------------------- */

static struct volume_info before[3];
static const char *const live[] = {"a", "c", "to"};

static struct kept_reservation *reservation_of_one(void)
{
    struct kept_reservation *kept = calloc(1, sizeof(*kept) + sizeof(kept->list[0]));
    assert_non_null(kept);
    kept->count = 1;
    kept->list[0] = (struct registration){
        .nexus = {.initiator = "iqn.h", .target = "iqn.t"}, .key = 77};
    return kept;
}

/* Snapshots, a clone, shared extents, one in the trash, labels, limits, modes; all of the
 * map is deltas still. */
static void fill_pool(void)
{
    static const struct label label = {.key = "who", .value = "me"};
    const struct label_list labels = {.labels = &label, .count = 1};
    const bool is_protected = true, page_cache = true;
    const struct pool_change pool_change = {.page_cache = &page_cache};
    const struct volume_change change = {.labels = &labels,
                                         .is_protected = &is_protected};
    struct modes modes = {.write_protect = true};
    struct volume *a = pool_rig_volume(&rig, "a", 8 * MIB, 512), *c, *other;
    other = pool_rig_volume(&rig, "gone", 4 * MIB, 4096);
    assert_int_equal(rig_write(&rig, a, 0, 6 * MIB, 1), 0);
    assert_int_equal(rig_snapshot(&rig, "a", "s1", NULL, NULL), 0);
    assert_int_equal(rig_write(&rig, a, MIB, MIB, 2), 0);
    assert_int_equal(rig_snapshot(&rig, "a", "s2", NULL, NULL), 0);
    assert_int_equal(rig_write(&rig, a, 0, 8192, 3), 0);
    assert_int_equal(rig_clone(&rig, "a/s1", "c", 0, &c, NULL), 0);
    assert_int_equal(rig_write(&rig, c, 2 * MIB, EXTENT_BYTES, 4), 0);
    struct volume *to = pool_rig_volume(&rig, "to", 4 * MIB, 512);
    struct copy copy = {
        .from = c, .to = to, .from_bytes = 2 * MIB, .length_bytes = EXTENT_BYTES};
    assert_int_equal(rig_copy(&rig, &copy), 0);
    assert_int_equal(copy.shared_bytes, EXTENT_BYTES);
    assert_int_equal(rig_write(&rig, other, 0, MIB, 5), 0);
    assert_int_equal(rig_snapshot(&rig, "gone", "s", NULL, NULL), 0);
    assert_int_equal(rig_trash(&rig, "gone", NULL), 0);
    assert_int_equal(rig_change(&rig, "a", &change, NULL), 0);
    assert_int_equal(rig_pool_change(&rig, &pool_change, NULL), 0);
    assert_int_equal(rig_save_modes(&rig, c, &modes, NULL), 0);
    assert_int_equal(rig_keep_reservation(&rig, c, reservation_of_one(), NULL), 0);
    for (size_t i = 0; i < 3; i++)
        before[i] = info_of(find(live[i]));
}

static void assert_page_cache_is_used(void)
{
    struct pool_info info;
    pool_describe(rig.pool, &info);
    assert_true(info.page_cache);
    for (struct device *d = NULL; (d = pool_next_device(rig.pool, d)) != NULL;) {
        assert_false(d->direct);
        assert_int_equal(fcntl(d->fd, F_GETFL) & O_DIRECT, 0);
    }
}

static void assert_is_whole(void)
{
    assert_page_cache_is_used();
    for (size_t i = 0; i < 3; i++) {
        struct volume_info now = info_of(find(live[i]));
        assert_string_equal(now.id, before[i].id);
        assert_string_equal(now.naa, before[i].naa);
        assert_string_equal(now.serial, before[i].serial);
        assert_int_equal(now.created_s, before[i].created_s);
        assert_int_equal(now.snapshot_count, before[i].snapshot_count);
        assert_int_equal(now.allocated_bytes, before[i].allocated_bytes);
        assert_int_equal(now.is_protected, before[i].is_protected);
        assert_string_equal(now.clone_of, before[i].clone_of);
        assert_int_equal(now.labels.count, before[i].labels.count);
    }
    struct modes modes;
    struct volume *a = find("a"), *c = find("c");
    assert_true(rig_reads(&rig, a, 0, 8192, 3));
    assert_true(rig_reads(&rig, a, 8192, MIB - 8192, 1));
    assert_true(rig_reads(&rig, a, MIB, MIB, 2));
    assert_true(rig_reads(&rig, a, 6 * MIB, 2 * MIB, 0));
    assert_true(rig_reads(&rig, snapshot_find(rig.manager, "a/s1"), 0, 6 * MIB, 1));
    assert_true(rig_reads(&rig, snapshot_find(rig.manager, "a/s2"), MIB, MIB, 2));
    assert_true(rig_reads(&rig, c, 0, 2 * MIB, 1));
    assert_true(rig_reads(&rig, c, 2 * MIB, EXTENT_BYTES, 4));
    assert_true(rig_reads(&rig, find("to"), 0, EXTENT_BYTES, 4));
    assert_true(volume_saved_modes(c, &modes) && modes.write_protect);
    assert_non_null(volume_kept_reservation(c));
    assert_int_equal(volume_kept_reservation(c)->list[0].key, 77);
    assert_int_equal(volume_trash_count(rig.manager), 1);
    assert_clean();
}

static void assert_nothing_here(void)
{
    assert_null(pool_next(rig.manager, NULL));
    assert_null(volume_next(rig.manager, NULL));
    assert_int_equal(volume_trash_count(rig.manager), 0);
    assert_null(snapshot_find(rig.manager, "a/s1"));
}

static void a_pool_goes_and_comes_back_whole(void **state)
{
    (void)state;
    const char *const swapped[] = {paths[1], paths[0]};
    struct stat st;
    fill_pool();
    assert_int_equal(export_to(file).err.code, 0);
    assert_nothing_here();
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    pool_rig_close(&rig);
    pool_rig_open(&rig); /* nor after a start */
    assert_nothing_here();

    struct answer a = import_as(&(struct pool_import_spec){
        .path = file, .name = "q", .devices = swapped, .device_count = 2});
    assert_int_equal(a.err.code, 0);
    assert_string_equal(rig.pool->name, "q");
    assert_is_whole();
    assert_int_equal(rig_restore(&rig, "gone", NULL, NULL), 0);
    assert_true(rig_reads(&rig, find("gone"), 0, MIB, 5));
    assert_non_null(snapshot_find(rig.manager, "gone/s"));
    assert_int_equal(rig_trash(&rig, "gone", NULL), 0);

    assert_int_equal(rig_write(&rig, find("to"), MIB, MIB, 6), 0);
    assert_int_equal(rig_flush(&rig, find("to")), 0);
    before[2] = info_of(find("to"));
    pool_rig_close(&rig);
    pool_rig_open(&rig);
    rig.pool = pool_find(rig.manager, "q");
    assert_true(rig_reads(&rig, find("to"), MIB, MIB, 6));
    assert_is_whole();
    assert_int_equal(rig_snapshot_delete(&rig, "a/s1", NULL), 0);
    assert_int_equal(rig_snapshot_delete(&rig, "a/s2", NULL), 0);
    assert_clean();
    assert_true(rig_reads(&rig, find("a"), MIB, MIB, 2));
}

/* Each keeps its own, and none that comes later gets one of theirs. */
static void identities_are_nobody_elses(void **state)
{
    (void)state;
    fill_pool();
    assert_int_equal(export_to(file).err.code, 0);
    assert_int_equal(
        pool_rig_make_pool(&rig, "own", rig.pool_path, DEVICE_BYTES, &rig.pool, NULL), 0);
    struct volume_spec spec = {.name = "late", .pool = "own", .size_bytes = MIB};
    struct volume *late;
    assert_int_equal(rig_make(&rig, &spec, &late, NULL), 0);
    assert_int_equal(import_back().err.code, 0);
    assert_is_whole();
    spec.name = "later";
    assert_int_equal(rig_make(&rig, &spec, NULL, NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_string_not_equal(info_of(find("late")).naa, before[i].naa);
        assert_string_not_equal(info_of(find("later")).naa, before[i].naa);
    }
}

/* ---- The file is good for the devices as they were --------------------------------- */

static void a_file_is_good_once(void **state)
{
    char numbers[2][32];
    (void)state;
    fill_pool();
    assert_int_equal(export_to(file).err.code, 0);
    uint64_t exported = generation_of(paths[0]);
    in_dir("cp p.db first.db && cp device2 device2.first");
    struct answer a = import_back();
    assert_int_equal(a.err.code, 0);
    assert_int_equal(generation_of(paths[0]), exported + 2);
    assert_int_equal(generation_of(paths[1]), exported + 2);

    in_dir("rm p.db");
    assert_int_equal(export_to(file).err.code, 0);
    uint64_t again = generation_of(paths[0]);
    assert_true(again > exported + 2);
    snprintf(numbers[0], sizeof(numbers[0]), "%llu", (unsigned long long)exported);
    snprintf(numbers[1], sizeof(numbers[1]), "%llu", (unsigned long long)again);
    in_dir("cp p.db second.db && cp first.db p.db");
    a = import_back();
    assert_refused(&a, -ESTALE, "path");
    assert_non_null(strstr(a.err.text, numbers[0]));
    assert_non_null(strstr(a.err.text, numbers[1]));

    in_dir("cp second.db p.db && mv device2 device2.now && mv device2.first device2");
    a = import_back();
    assert_refused(&a, -ESTALE, "devices");
    assert_non_null(strstr(a.err.text, paths[1]));
    in_dir("mv device2.now device2");
    assert_int_equal(import_back().err.code, 0);
    assert_is_whole();
}

/* ---- Refused ----------------------------------------------------------------------- */

static void what_cannot_go_is_told(void **state)
{
    (void)state;
    fill_pool();
    struct answer a = export_to("p.db");
    assert_refused(&a, -EINVAL, "path");
    in_dir("touch p.db");
    a = export_to(file);
    assert_refused(&a, -EEXIST, "path");
    in_dir("rm p.db");
    a = export_to("/nowhere/at/all/p.db");
    assert_refused(&a, -ENOENT, "path");
    assert_int_equal(make_host_of("h", "iqn.2026-11.org.example:h").err.code, 0);
    assert_int_equal(map("a", "h", 1).err.code, 0);
    a = export_to(file);
    assert_refused(&a, -EBUSY, "pool");
    assert_non_null(strstr(a.err.text, "mapped"));
    assert_int_equal(unmap("a/h").err.code, 0);
    assert_int_equal(access(file, F_OK), -1);
    assert_is_whole();
    assert_int_equal(rig_write(&rig, find("to"), MIB, MIB, 6), 0);
    assert_int_equal(rig_flush(&rig, find("to")), 0);
    assert_int_equal(export_to(file).err.code, 0);
}

static void what_cannot_come_is_told(void **state)
{
    (void)state;
    char other[400];
    const char *one[] = {paths[0]}, *wrong[] = {paths[0], other},
               *twice[] = {paths[0], paths[0]};
    struct pool_import_spec spec = {.path = file, .devices = one, .device_count = 1};
    snprintf(other, sizeof(other), "%s/other", rig.dir);
    fill_pool();
    assert_int_equal(export_to(file).err.code, 0);
    struct answer a = import_as(&spec);
    assert_refused(&a, -ENOENT, "devices");
    assert_non_null(strstr(a.err.text, paths[1]));
    assert_int_equal(
        pool_rig_make_pool(&rig, "own", other, DEVICE_BYTES, &rig.pool, NULL), 0);
    spec.devices = wrong;
    spec.device_count = 2;
    a = import_as(&spec);
    assert_refused(&a, -EBUSY, "devices/1");
    spec.devices = twice;
    a = import_as(&spec);
    assert_refused(&a, -EBUSY, "devices/1");
    a = import_as(&(struct pool_import_spec){.path = file, .name = "own"});
    assert_refused(&a, -EEXIST, "name");
    a = import_as(&(struct pool_import_spec){.path = other});
    assert_refused(&a, -EUCLEAN, "path");

    struct volume_spec taken = {.name = "to", .pool = "own", .size_bytes = MIB};
    assert_int_equal(rig_make(&rig, &taken, NULL, NULL), 0);
    taken.name = "c";
    assert_int_equal(rig_make(&rig, &taken, NULL, NULL), 0);
    a = import_back();
    assert_refused(&a, -EEXIST, "volumes");
    assert_non_null(strstr(a.err.text, "c, to"));
    assert_int_equal(rig_purge(&rig, "c", NULL), -ENOENT);
    assert_int_equal(pool_rig_delete_volume(&rig, "c", NULL), 0);
    assert_int_equal(pool_rig_delete_volume(&rig, "to", NULL), 0);
    in_dir("cp p.db whole.db && printf x | dd of=p.db bs=1 seek=9000 conv=notrunc"
           " status=none");
    a = import_back();
    assert_int_equal(a.err.code, -EUCLEAN);
    in_dir("cp whole.db p.db");
    assert_int_equal(import_back().err.code, 0);
    assert_is_whole();
    a = import_back();
    assert_refused(&a, -EBUSY, "devices");
}

/* Whichever write of the catalog fails: the pool serves on, and no file is left that its
 * devices would take; or it is gone, and the file is good. */
static void an_export_that_fails_keeps_the_pool(void **state)
{
    int nth = 0;
    struct answer a;
    (void)state;
    fill_pool();
    do {
        fault_vfs_arm_path("catalog.db", FAULT_WRITE | FAULT_SYNC, nth++, 1,
                           SQLITE_IOERR_WRITE);
        a = export_to(file);
        fault_vfs_disarm();
        assert_in_range(nth, 1, 500);
        assert_true(a.err.code == 0 || access(file, F_OK) != 0);
        assert_int_equal(pool_find(rig.manager, "p") != NULL, a.err.code != 0);
    } while (a.err.code != 0);
    assert_int_equal(import_back().err.code, 0);
    assert_is_whole();
}

static bool file_is_there(void *arg)
{
    (void)arg;
    return access(file, F_OK) == 0;
}

/* By a backup, a mirror that fails, or the timer: the file would be too old. */
static void a_raise_beside_an_export_is_noticed(void **state)
{
    struct answer a = {.came = false};
    (void)state;
    fill_pool();
    pool_export(rig.manager, "p", file, on_done, &a);
    pool_rig_until(&rig, file_is_there, NULL);
    assert_int_equal(catalog_raise_wait(rig.catalog, NULL), 0);
    (void)wait_for(&a);
    assert_refused(&a, -EBUSY, "pool");
    assert_int_equal(access(file, F_OK), -1);
    assert_is_whole();
    assert_int_equal(export_to(file).err.code, 0);
    assert_int_equal(import_back().err.code, 0);
    assert_is_whole();
}

/* Whether it is here now. */
static bool import_with_fault(int nth)
{
    /* What is left to fold or to checkpoint would meet the fault in its place. */
    pool_rig_close(&rig);
    pool_rig_open(&rig);
    fault_vfs_arm_path("catalog.db", FAULT_WRITE | FAULT_SYNC, nth, 1,
                       SQLITE_IOERR_WRITE);
    struct answer a = import_back();
    fault_vfs_disarm();
    assert_int_equal(pool_find(rig.manager, "p") != NULL, a.err.code == 0);
    return a.err.code == 0;
}

/* The file is as good as it was, or the pool is here: where its devices could not be
 * raised after the commit, from the next start on. */
static void an_import_that_fails_can_be_repeated(void **state)
{
    int failures = 0;
    (void)state;
    fill_pool();
    assert_int_equal(export_to(file).err.code, 0);
    for (int nth = 0; !import_with_fault(nth); nth++)
        assert_in_range(++failures, 1, 500);
    assert_true(failures > 0);
    if (pool_is_failed(rig.pool)) {
        pool_rig_close(&rig);
        pool_rig_open(&rig);
        rig.pool = pool_find(rig.manager, "p");
        pool_rig_await_checks(&rig);
    }
    assert_is_whole();
}

static void dry_runs_change_nothing(void **state)
{
    struct record dry = {.dry_run = true};
    struct answer a = {.came = false};
    (void)state;
    fill_pool();
    lunmgr_record_next(rig.manager, &dry);
    pool_export(rig.manager, "p", file, on_done, &a);
    assert_int_equal(wait_for(&a), 0);
    assert_int_equal(access(file, F_OK), -1);
    assert_is_whole();
    assert_int_equal(export_to(file).err.code, 0);

    const struct pool_import_spec spec = {.path = file};
    a = (struct answer){.came = false};
    lunmgr_record_next(rig.manager, &dry);
    pool_import(rig.manager, &spec, on_pool, &a);
    assert_int_equal(wait_for(&a), 0);
    assert_nothing_here();
    assert_int_equal(import_back().err.code, 0);
    assert_is_whole();
}

#define MOVE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MOVE_TEST(a_pool_goes_and_comes_back_whole),
        MOVE_TEST(identities_are_nobody_elses),
        MOVE_TEST(a_file_is_good_once),
        MOVE_TEST(what_cannot_go_is_told),
        MOVE_TEST(what_cannot_come_is_told),
        MOVE_TEST(an_export_that_fails_keeps_the_pool),
        MOVE_TEST(a_raise_beside_an_export_is_noticed),
        MOVE_TEST(an_import_that_fails_can_be_repeated),
        MOVE_TEST(dry_runs_change_nothing),
    };
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
