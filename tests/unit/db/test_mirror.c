/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog's mirror: what is answered is in both; what becomes of it when one of them
 * fails, is old, another's or gone. What a power cut leaves of the two is
 * test_mirror_cut.c's. */
#include "fault_vfs.h"
#include "rig.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct mirrored {
    struct rig *r;
    char dir[96];   /* the mirror's */
    char alone[96]; /* where a copy is opened for itself */
};

static int setup(void **state)
{
    struct mirrored *m = calloc(1, sizeof(*m));
    rig_setup((void **)&m->r);
    snprintf(m->dir, sizeof(m->dir), "%s/mirror", m->r->dir);
    snprintf(m->alone, sizeof(m->alone), "%s/alone", m->r->dir);
    if (mkdir(m->dir, 0700) != 0 || mkdir(m->alone, 0700) != 0)
        return -1;
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    struct mirrored *m = *state;
    char command[256];
    fault_vfs_disarm();
    rig_close(m->r);
    snprintf(command, sizeof(command), "rm -rf %s %s", m->dir, m->alone);
    int rc = system(command); /* NOLINT: our own names */
    rig_teardown((void **)&m->r);
    free(m);
    return rc;
}

/* ---- Opening ----------------------------------------------------------------------- */

static int try_open(struct mirrored *m, struct err *e)
{
    struct catalog_options options = {
        .dir = m->r->dir, .reader_count = 1, .mirror_dir = m->dir, .mirror_retry_ms = 20};
    return catalog_open(&options, &m->r->catalog, e);
}

static void open_both(struct mirrored *m)
{
    struct err e = {.code = 0};
    int rc = try_open(m, &e);
    if (rc != 0)
        fprintf(stderr, "catalog_open: %d %s\n", rc, e.text);
    assert_int_equal(rc, 0);
}

static enum catalog_mirror_state state_now(struct mirrored *m)
{
    struct catalog_mirror_info info;
    catalog_mirror(m->r->catalog, &info);
    return info.state;
}

static void await_state(struct mirrored *m, enum catalog_mirror_state state)
{
    for (int i = 0; i < 2000 && state_now(m) != state; i++)
        usleep(5000);
    assert_int_equal(state_now(m), state);
}

static int work_claim(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct box_row box;
    int rc = box_get(txn, &box, e);
    if (rc != 0)
        return rc;
    snprintf(box.id, sizeof(box.id), "%s", (const char *)arg);
    box.generation++;
    return box_set(txn, &box, e);
}

/* What a start does. */
static void claim(struct mirrored *m, char *box_id)
{
    assert_int_equal(catalog_write_wait(m->r->catalog, work_claim, box_id, NULL), 0);
}

static int add(struct mirrored *m, unsigned no)
{
    char id[16], name[16];
    snprintf(id, sizeof(id), "id%u", no);
    snprintf(name, sizeof(name), "name%u", no);
    struct pool_row row = sample_pool(id, name);
    return catalog_write_wait(m->r->catalog, work_add_pool, &row, NULL);
}

static void run(const char *format, const char *a, const char *b)
{
    char command[512];
    snprintf(command, sizeof(command), format, a, b);
    assert_int_equal(system(command), 0); /* NOLINT: our own names */
}

/* Pools in the catalog that lies in dir/SLOT, or in dir itself, opened for itself; below
 * 0: it does not open. */
static int count_alone(struct mirrored *m, const char *files)
{
    struct rig other = {.catalog = NULL};
    run("rm -rf %s/*%s", m->alone, "");
    run("cp %s %s/", files, m->alone);
    if (rig_try_open(&other, m->alone, NULL) != 0)
        return -1;
    int count = rig_pool_count(&other);
    rig_close(&other);
    return count;
}

static int count_in_mirror(struct mirrored *m)
{
    char files[256], mark[128], text[64] = "";
    snprintf(mark, sizeof(mark), "%s/mirror", m->dir);
    FILE *f = fopen(mark, "r");
    if (f == NULL)
        return -2;
    assert_non_null(fgets(text, sizeof(text), f));
    fclose(f);
    snprintf(files, sizeof(files), "%s/%c/catalog.db*", m->dir,
             text[strcspn(text, "\n") - 1]);
    return count_alone(m, files);
}

static int count_in_own(struct mirrored *m)
{
    char files[256];
    snprintf(files, sizeof(files), "%s/catalog.db*", m->r->dir);
    return count_alone(m, files);
}

/* ---- Devices, as the catalog's hooks see them ----------------------------------------
 */

static struct {
    uint64_t generation; /* of the one device's superblock */
    int stamps;
    atomic_int changes, asked;
    bool waits; /* a stamp, for the gate */
    sem_t gate;
} device;

static bool can_stamp(void *arg, uint32_t no)
{
    (void)arg;
    return no == 1;
}

static int stamp(void *arg, uint32_t no, uint64_t generation)
{
    (void)arg;
    (void)no;
    atomic_fetch_add(&device.asked, 1);
    if (device.waits)
        sem_wait(&device.gate);
    device.generation = generation;
    device.stamps++;
    return 0;
}

static void changed(void *arg)
{
    (void)arg;
    atomic_fetch_add(&device.changes, 1);
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

static void attach_device(struct mirrored *m)
{
    static const struct catalog_hooks hooks = {
        .can_stamp = can_stamp, .stamp = stamp, .mirror_changed = changed};
    device.generation = 2;
    device.stamps = 0;
    atomic_store(&device.asked, 0);
    catalog_set_hooks(m->r->catalog, &hooks);
    assert_int_equal(catalog_write_wait(m->r->catalog, work_add_device, NULL, NULL), 0);
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

static uint64_t generation_of(struct catalog *c)
{
    uint64_t generation = 0;
    assert_int_equal(catalog_read_wait(c, work_generation, &generation, NULL), 0);
    return generation;
}

/* ---- Both at work ------------------------------------------------------------------ */

static void what_is_answered_is_in_both(void **state)
{
    struct mirrored *m = *state;
    open_both(m);
    assert_int_equal(state_now(m), CATALOG_MIRROR_CURRENT);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(add(m, i), 0);
        if (i % 5 == 0) /* while the daemon runs, as after a kill */
            assert_int_equal(count_in_mirror(m), (int)i + 1);
    }
    rig_close(m->r);
    assert_int_equal(count_in_mirror(m), 20);
    assert_int_equal(count_in_own(m), 20);
}

static void its_files_are_the_owners_alone(void **state)
{
    struct mirrored *m = *state;
    open_both(m);
    assert_int_equal(add(m, 1), 0);
    run("test -z \"$(find %s -perm /077)\"%s", m->dir, "");
}

/* After an orderly stop the copy is taken as it is: its slot stays. */
static void an_orderly_start_copies_nothing(void **state)
{
    struct mirrored *m = *state;
    open_both(m);
    assert_int_equal(add(m, 1), 0);
    rig_close(m->r);
    run("echo kept >%s/0/kept%s", m->dir, "");
    open_both(m);
    assert_int_equal(state_now(m), CATALOG_MIRROR_CURRENT);
    run("test -e %s/0/catalog.db && test ! -e %s/1/catalog.db", m->dir, m->dir);
    assert_int_equal(add(m, 2), 0);
    rig_close(m->r);
    run("rm %s/0/kept%s", m->dir, "");
    assert_int_equal(count_in_mirror(m), 2);
}

static void a_copy_with_a_flipped_bit_is_made_anew(void **state)
{
    struct mirrored *m = *state;
    open_both(m);
    assert_int_equal(add(m, 1), 0);
    rig_close(m->r);
    run("printf X | dd of=%s/0/catalog.db bs=1 seek=9000 conv=notrunc status=none%s",
        m->dir, "");
    open_both(m);
    rig_close(m->r);
    run("cmp %s/1/catalog.db %s/catalog.db", m->dir, m->r->dir);
}

static void one_that_is_made_later_has_all_of_it(void **state)
{
    struct mirrored *m = *state;
    rig_open(m->r);
    for (unsigned i = 0; i < 30; i++)
        assert_int_equal(add(m, i), 0);
    rig_close(m->r);
    open_both(m);
    assert_int_equal(count_in_mirror(m), 30);
}

/* ---- What is refused -----------------------------------------------------------------
 */

static char box_a[] = "box-a", box_b[] = "box-b";

static void a_lost_catalog_is_not_made_anew_beside_its_mirror(void **state)
{
    struct mirrored *m = *state;
    struct err e = {.code = 0};
    open_both(m);
    assert_int_equal(add(m, 1), 0);
    rig_close(m->r);
    run("rm %s/catalog.db*%s", m->r->dir, "");
    assert_int_equal(try_open(m, &e), -ENOENT);
    assert_non_null(strstr(e.text, m->dir));
    assert_non_null(strstr(e.text, "--restore-catalog"));
    assert_int_equal(count_in_mirror(m), 1);
}

static void a_catalog_older_than_its_mirror_is_refused(void **state)
{
    struct mirrored *m = *state;
    struct err e = {.code = 0};
    open_both(m);
    claim(m, box_a);
    rig_close(m->r);
    run("cp %s/catalog.db %s/", m->r->dir, m->alone);
    open_both(m);
    claim(m, box_a);
    assert_int_equal(add(m, 1), 0);
    rig_close(m->r);
    run("cp %s/catalog.db %s/", m->alone, m->r->dir);
    assert_int_equal(try_open(m, &e), -ESTALE);
    assert_non_null(strstr(e.text, "older than its mirror"));
    assert_int_equal(count_in_mirror(m), 1);
}

static void the_mirror_of_another_box_is_left_alone(void **state)
{
    struct mirrored *m = *state;
    struct err e = {.code = 0};
    open_both(m);
    claim(m, box_a);
    rig_close(m->r);
    run("rm %s/catalog.db*%s", m->r->dir, "");
    rig_open(m->r);
    claim(m, box_b);
    rig_close(m->r);
    assert_int_equal(try_open(m, &e), -EUCLEAN);
    assert_non_null(strstr(e.text, "box-a"));
    assert_non_null(strstr(e.text, "box-b"));
}

static void its_own_directory_is_no_mirror(void **state)
{
    struct mirrored *m = *state;
    struct err e = {.code = 0};
    snprintf(m->dir, sizeof(m->dir), "%s", m->r->dir);
    assert_int_equal(try_open(m, &e), -EINVAL);
    assert_string_equal(e.field, "catalog_mirror");
    snprintf(m->dir, sizeof(m->dir), "%s/mirror", m->r->dir);
}

static void two_catalogs_do_not_share_a_mirror(void **state)
{
    struct mirrored *m = *state;
    struct err e = {.code = 0};
    open_both(m);
    struct catalog *second = NULL;
    struct catalog_options options = {
        .dir = m->alone, .reader_count = 1, .mirror_dir = m->dir};
    assert_int_equal(catalog_open(&options, &second, &e), -EBUSY);
    assert_int_equal(state_now(m), CATALOG_MIRROR_CURRENT);
}

/* ---- Failures ---------------------------------------------------------------------- */

static void a_directory_that_is_not_there_is_waited_for(void **state)
{
    struct mirrored *m = *state;
    run("rmdir %s%s", m->dir, "");
    open_both(m);
    assert_int_equal(state_now(m), CATALOG_MIRROR_FAILED);
    assert_int_equal(add(m, 1), 0);
    run("mkdir -m 700 %s%s", m->dir, "");
    await_state(m, CATALOG_MIRROR_CURRENT);
    assert_int_equal(add(m, 2), 0);
    assert_int_equal(count_in_mirror(m), 2);
}

/* Each write, sync and truncation of the copy fails in turn: the commit is answered, and
 * by then the copy that lacks it is older than the device. */
static void a_copy_that_fails_is_shut_out_before_the_answer(void **state)
{
    static const int kinds[] = {FAULT_WRITE, FAULT_SYNC};
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        for (int nth = 1; nth < 8; nth++) {
            struct mirrored *m;
            struct catalog *c;
            setup((void **)&m);
            open_both(m);
            c = m->r->catalog;
            attach_device(m);
            int changes = atomic_load(&device.changes);
            fault_vfs_arm_path("/mirror/", kinds[k], nth - 1, 1, SQLITE_IOERR_WRITE);
            assert_int_equal(add(m, 1), 0);
            assert_int_equal(add(m, 2), 0);
            if (fault_vfs_failed()) {
                assert_true(device.stamps >= 1);
                assert_true(atomic_load(&device.changes) > changes);
                assert_int_equal(device.generation % 2, 0);
                assert_true(device.generation >= 4);
                assert_int_equal(generation_of(c), device.generation);
            }
            fault_vfs_disarm();
            await_state(m, CATALOG_MIRROR_CURRENT);
            assert_int_equal(add(m, 3), 0);
            assert_int_equal(count_in_mirror(m), 4); /* with the device's */
            assert_int_equal(count_in_own(m), 4);
            teardown((void **)&m);
        }
    }
}

/* While a device may still take the mirror for current, nothing is answered. */
static void no_answer_while_it_is_not_shut_out(void **state)
{
    struct mirrored *m = *state;
    struct post_box box;
    struct test_job job;
    struct pool_row row = sample_pool("late", "late");
    open_both(m);
    attach_device(m);
    post_box_init(&box);
    test_job_init(&job, &box, work_add_pool, &row);
    sem_init(&device.gate, 0, 0);
    device.waits = true;
    fault_vfs_arm_path("/mirror/", FAULT_SYNC, 0, 1, SQLITE_IOERR_FSYNC);
    catalog_write(m->r->catalog, &job.job);
    while (atomic_load(&device.asked) == 0)
        usleep(1000);
    inbox_run(&box.inbox);
    assert_int_equal(box.done_count, 0);
    sem_post(&device.gate);
    post_box_wait(&box, 1);
    device.waits = false;
    assert_int_equal(job.job.rc, 0);
    assert_int_equal(device.generation, 4);
}

/* The commit has passed the catalog's own sync (let through) when the copy's fails; then
 * the catalog's own fail, twice, as it is about to say that the copy is shut out. */
static void it_is_tried_until_it_is_shut_out(void **state)
{
    struct mirrored *m = *state;
    open_both(m);
    attach_device(m);
    fault_vfs_arm(FAULT_SYNC, 1, 3, SQLITE_IOERR_FSYNC);
    assert_int_equal(add(m, 1), 0);
    fault_vfs_disarm();
    assert_int_equal(device.generation, generation_of(m->r->catalog));
    assert_int_equal(device.generation, 4);
    rig_close(m->r);
    assert_int_equal(count_in_own(m), 2);
}

static void a_full_mirror_comes_back_by_itself(void **state)
{
    struct mirrored *m = *state;
    open_both(m);
    fault_vfs_arm_path("/mirror/", FAULT_WRITE, 0, 1000000, SQLITE_FULL);
    assert_int_equal(add(m, 1), 0);
    assert_int_equal(state_now(m), CATALOG_MIRROR_FAILED);
    struct catalog_mirror_info info;
    catalog_mirror(m->r->catalog, &info);
    assert_non_null(strstr(info.reason, "full"));
    assert_int_equal(count_in_mirror(m), -2); /* no longer marked as current */
    fault_vfs_disarm();
    await_state(m, CATALOG_MIRROR_CURRENT);
    assert_int_equal(count_in_mirror(m), 1);
}

/* ---- Raising -------------------------------------------------------------------------
 */

static void raising_is_seen_in_rows_and_devices(void **state)
{
    struct mirrored *m = *state;
    rig_open(m->r);
    assert_int_equal(catalog_raise_wait(m->r->catalog, NULL), 0); /* nothing to raise */
    attach_device(m);
    assert_int_equal(catalog_raise_wait(m->r->catalog, NULL), 0);
    assert_int_equal(device.generation, 4);
    assert_int_equal(generation_of(m->r->catalog), 4);
    fault_vfs_arm(FAULT_SYNC, 1, 1, SQLITE_IOERR_FSYNC);
    assert_int_not_equal(catalog_raise_wait(m->r->catalog, NULL), 0);
    fault_vfs_disarm();
    assert_int_equal(catalog_raise_wait(m->r->catalog, NULL), 0);
    assert_int_equal(device.generation, generation_of(m->r->catalog));
}

#define MIRROR_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MIRROR_TEST(what_is_answered_is_in_both),
        MIRROR_TEST(its_files_are_the_owners_alone),
        MIRROR_TEST(an_orderly_start_copies_nothing),
        MIRROR_TEST(a_copy_with_a_flipped_bit_is_made_anew),
        MIRROR_TEST(one_that_is_made_later_has_all_of_it),
        MIRROR_TEST(a_lost_catalog_is_not_made_anew_beside_its_mirror),
        MIRROR_TEST(a_catalog_older_than_its_mirror_is_refused),
        MIRROR_TEST(the_mirror_of_another_box_is_left_alone),
        MIRROR_TEST(its_own_directory_is_no_mirror),
        MIRROR_TEST(two_catalogs_do_not_share_a_mirror),
        MIRROR_TEST(a_directory_that_is_not_there_is_waited_for),
        cmocka_unit_test(a_copy_that_fails_is_shut_out_before_the_answer),
        MIRROR_TEST(no_answer_while_it_is_not_shut_out),
        MIRROR_TEST(it_is_tried_until_it_is_shut_out),
        MIRROR_TEST(a_full_mirror_comes_back_by_itself),
        MIRROR_TEST(raising_is_seen_in_rows_and_devices),
    };
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
