/* SPDX-License-Identifier: Apache-2.0 */
/* A backup is a whole catalog of one moment, taken while others write, and never a file
 * that was there before. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int backup_to(struct rig *r, const char *path, struct err *e)
{
    struct post_box box;
    struct test_job j;
    post_box_init(&box);
    test_job_init(&j, &box, NULL, NULL);
    catalog_backup(r->catalog, path, &j.job);
    post_box_wait(&box, 1);
    *e = j.job.err;
    return j.job.rc;
}

/* Bytes 18 and 19 of the header: 1 for a database that needs no log beside it. */
static void assert_no_log_needed(const char *path)
{
    uint8_t header[20] = {0};
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, header, sizeof(header)), sizeof(header));
    assert_int_equal(header[18], 1);
    assert_int_equal(header[19], 1);
}

/* Leaves and rows enough for many pages, each leaf telling its own place. */
static int work_fill(struct catalog_txn *txn, void *arg, struct err *e)
{
    enum { LEAVES = 2000 };
    struct pool_row pool = sample_pool("p1", "fast");
    struct layer_row layer = sample_layer("p1", 0);
    static struct word_change words[LEAVES];
    (void)arg;
    int rc = pool_row_add(txn, &pool, e);
    if (rc == 0)
        rc = layer_row_add(txn, &layer, e);
    for (uint32_t i = 0; i < LEAVES; i++)
        words[i] = (struct word_change){extent_key(layer.id, i * LEAF_WORDS), i + 1};
    struct round_changes round = {.words = words, .word_count = LEAVES};
    return rc != 0 ? rc : round_store(txn, &round, e);
}

static int sum_leaf(uint64_t leaf_key, const uint64_t words[LEAF_WORDS], void *arg)
{
    *(uint64_t *)arg += leaf_key * 31 + words[0];
    return 0;
}

static int work_sum(struct catalog_txn *txn, void *arg, struct err *e)
{
    return leaf_each(txn, 0, UINT64_MAX, sum_leaf, arg, e);
}

static uint64_t catalog_sum(struct rig *r)
{
    uint64_t sum = 0;
    assert_int_equal(catalog_read_wait(r->catalog, work_sum, &sum, NULL), 0);
    return sum;
}

static int work_count_deltas(struct catalog_txn *txn, void *arg, struct err *e)
{
    return txn_query_int(txn, "SELECT count(*) FROM delta", arg, e);
}

static int64_t delta_count(struct rig *r)
{
    int64_t count = -1;
    assert_int_equal(catalog_read_wait(r->catalog, work_count_deltas, &count, NULL), 0);
    return count;
}

static void a_backup_equals_its_catalog(void **state)
{
    struct rig *r = *state;
    struct err e;
    assert_int_equal(catalog_write_wait(r->catalog, work_fill, NULL, NULL), 0);
    uint64_t sum = catalog_sum(r);
    assert_true(sum > 0);
    void *other_state = NULL;
    rig_setup(&other_state);
    struct rig *other = other_state;
    assert_int_equal(backup_to(r, rig_path(other, "catalog.db"), &e), 0);
    assert_no_log_needed(rig_path(other, "catalog.db"));
    assert_int_equal(rig_file_bytes(other, "catalog.db-wal"), -1);
    struct stat st;
    assert_int_equal(stat(rig_path(other, "catalog.db"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    rig_open(other);
    assert_int_equal(rig_pool_count(other), 1);
    assert_int_equal(catalog_sum(other), sum);
    assert_true(delta_count(other) > 0); /* the map was copied as it lay */
    rig_teardown(&other_state);
}

static void a_backup_never_overwrites(void **state)
{
    struct rig *r = *state;
    struct err e;
    assert_int_equal(backup_to(r, rig_path(r, "catalog.lock"), &e), -EEXIST);
    assert_string_equal(e.field, "path");
    assert_true(rig_file_bytes(r, "catalog.lock") > 0);
}

static void a_backup_that_cannot_be_made_says_why(void **state)
{
    struct rig *r = *state;
    struct err e;
    char path[CATALOG_PATH_MAX + 1];
    assert_int_equal(backup_to(r, rig_path(r, "nowhere/copy.db"), &e), -ENOENT);
    assert_string_equal(e.field, "path");
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(backup_to(r, path, &e), -ENAMETOOLONG);
    assert_string_equal(e.field, "path");
}

static void backups_are_whole_while_others_write(void **state)
{
    struct rig *r = *state;
    enum { ROUNDS = 20 };
    struct post_box box;
    struct test_job copies[ROUNDS], writes[ROUNDS];
    struct pool_row pools[ROUNDS];
    post_box_init(&box);
    assert_int_equal(catalog_write_wait(r->catalog, work_fill, NULL, NULL), 0);
    for (int i = 0; i < ROUNDS; i++) {
        char name[32];
        snprintf(name, sizeof(name), "copy%02d", i);
        test_job_init(&copies[i], &box, NULL, NULL);
        catalog_backup(r->catalog, rig_path(r, name), &copies[i].job);
        pools[i] = sample_pool(name, name);
        test_job_init(&writes[i], &box, work_add_pool, &pools[i]);
        catalog_write(r->catalog, &writes[i].job);
    }
    post_box_wait(&box, 2 * ROUNDS);
    for (int i = 0; i < ROUNDS; i++) {
        char name[32];
        snprintf(name, sizeof(name), "copy%02d", i);
        assert_int_equal(copies[i].job.rc, 0);
        assert_int_equal(writes[i].job.rc, 0);
        struct catalog_txn txn;
        int64_t broken = -1;
        assert_int_equal(txn_open_writer(&txn, rig_path(r, name), NULL, NULL), 0);
        assert_int_equal(txn_query_int(&txn,
                                       "SELECT count(*) FROM pragma_integrity_check"
                                       " WHERE integrity_check <> 'ok'",
                                       &broken, NULL),
                         0);
        txn_close(&txn);
        assert_int_equal(broken, 0);
    }
}

#define BACKUP_TEST(name)                                                                \
    cmocka_unit_test_setup_teardown(name, rig_setup_open, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BACKUP_TEST(a_backup_equals_its_catalog),
        BACKUP_TEST(a_backup_never_overwrites),
        BACKUP_TEST(a_backup_that_cannot_be_made_says_why),
        BACKUP_TEST(backups_are_whole_while_others_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
