/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit and its failures: each answer agrees with what is stored, whoever waited
 * beside it; and the log stays short without ever holding a writer or a reader up. */
#include "rig.h"

#include "fault_vfs.h"

#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* ---- Helpers ----------------------------------------------------------------------- */

/* Holds the writer thread until gate_open, so that what is handed in meanwhile is one
 * group. */
struct held {
    struct post_box box;
    struct gate gate;
    struct test_job job;
};

static void hold_writer(struct rig *r, struct held *h)
{
    post_box_init(&h->box);
    gate_init(&h->gate);
    test_job_init(&h->job, &h->box, work_gate, &h->gate);
    catalog_write(r->catalog, &h->job.job);
    sem_wait(&h->gate.entered);
}

static void release_writer(struct held *h)
{
    sem_post(&h->gate.released);
    post_box_wait(&h->box, 1);
}

static int work_has_pool(struct catalog_txn *txn, void *arg, struct err *e)
{
    int64_t count = 0;
    char sql[96];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM pool WHERE id = '%s'",
             (const char *)arg);
    int rc = txn_query_int(txn, sql, &count, e);
    return rc != 0 ? rc : (int)count;
}

static bool has_pool(struct rig *r, const char *id)
{
    int count = catalog_read_wait(r->catalog, work_has_pool, (void *)(uintptr_t)id, NULL);
    assert_in_range(count, 0, 1);
    return count == 1;
}

/* ---- Groups ------------------------------------------------------------------------ */

/* Adds a pool, then fails. */
static int work_add_and_fail(struct catalog_txn *txn, void *arg, struct err *e)
{
    int rc = pool_row_add(txn, arg, e);
    return rc != 0 ? rc : err_set(e, -ECANCELED, "name", "thought better of it");
}

static void a_failed_job_leaves_nothing_and_its_neighbours_commit(void **state)
{
    struct rig *r = *state;
    struct held held;
    struct post_box box;
    struct test_job jobs[3];
    struct pool_row pools[] = {sample_pool("p1", "a"), sample_pool("p2", "b"),
                               sample_pool("p3", "c")};
    post_box_init(&box);
    hold_writer(r, &held);
    for (size_t i = 0; i < 3; i++) {
        test_job_init(&jobs[i], &box, i == 1 ? work_add_and_fail : work_add_pool,
                      &pools[i]);
        catalog_write(r->catalog, &jobs[i].job);
    }
    release_writer(&held);
    post_box_wait(&box, 3);
    assert_int_equal(jobs[0].job.rc, 0);
    assert_int_equal(jobs[0].job.err.code, 0);
    assert_int_equal(jobs[1].job.rc, -ECANCELED);
    assert_string_equal(jobs[1].job.err.text, "thought better of it");
    assert_int_equal(jobs[2].job.rc, 0);
    assert_true(has_pool(r, "p1"));
    assert_false(has_pool(r, "p2"));
    assert_true(has_pool(r, "p3"));
}

/* It has no savepoint of its own. */
static void a_failed_job_alone_leaves_nothing(void **state)
{
    struct rig *r = *state;
    struct post_box box;
    struct test_job job;
    struct pool_row failing = sample_pool("p1", "a"), next = sample_pool("p2", "b");
    post_box_init(&box);
    test_job_init(&job, &box, work_add_and_fail, &failing);
    catalog_write(r->catalog, &job.job);
    post_box_wait(&box, 1);
    assert_int_equal(job.job.rc, -ECANCELED);
    assert_string_equal(job.job.err.text, "thought better of it");
    assert_int_equal(catalog_write_wait(r->catalog, work_add_pool, &next, NULL), 0);
    assert_false(has_pool(r, "p1"));
    assert_true(has_pool(r, "p2"));
}

static void jobs_that_wait_together_share_syncs(void **state)
{
    struct rig *r = *state;
    enum { JOBS = 100 };
    static struct test_job jobs[JOBS];
    static struct pool_row pools[JOBS];
    struct held held;
    struct post_box box;
    post_box_init(&box);
    hold_writer(r, &held);
    for (int i = 0; i < JOBS; i++) {
        char id[16];
        snprintf(id, sizeof(id), "p%d", i);
        pools[i] = sample_pool(id, id);
        test_job_init(&jobs[i], &box, work_add_pool, &pools[i]);
        catalog_write(r->catalog, &jobs[i].job);
    }
    int before = fault_vfs_count(FAULT_SYNC);
    release_writer(&held);
    post_box_wait(&box, JOBS);
    /* One or two of one group; a group ends by time too, on a machine with other work. */
    assert_in_range(fault_vfs_count(FAULT_SYNC) - before, 1, JOBS / 4);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(jobs[i].job.rc, 0);
    assert_int_equal(rig_pool_count(r), JOBS);
}

/* ---- Large rounds ------------------------------------------------------------------ */

/* All its rounds are more than FOLD_BYTES. */
#define WIDE_LEAVES 12000
#define WIDE_ROUNDS 35
#define LOOK_LEAVES 300

struct wide {
    uint32_t layer;
    uint64_t word; /* of all its leaves */
};

static int work_add_wide(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct wide *wide = arg;
    struct pool_row pool = sample_pool("wide", "wide");
    struct layer_row layer = sample_layer("wide", 0);
    int rc = pool_row_add(txn, &pool, e);
    if (rc == 0)
        rc = layer_row_add(txn, &layer, e);
    wide->layer = layer.id;
    return rc;
}

/* A round that says the same of the first word of each leaf. */
static int work_store_wide(struct catalog_txn *txn, void *arg, struct err *e)
{
    const struct wide *wide = arg;
    AUTO_FREE struct word_change *words = calloc(WIDE_LEAVES, sizeof(*words));
    if (words == NULL)
        return err_oom(e);
    for (uint32_t i = 0; i < WIDE_LEAVES; i++)
        words[i] =
            (struct word_change){extent_key(wide->layer, i * LEAF_WORDS), wide->word};
    struct round_changes round = {.words = words, .word_count = WIDE_LEAVES};
    return round_store(txn, &round, e);
}

static int work_sync_count(struct catalog_txn *txn, void *arg, struct err *e)
{
    (void)txn;
    (void)e;
    *(int *)arg = fault_vfs_count(FAULT_SYNC);
    return 0;
}

static void rows_of_management_go_between_large_rounds(void **state)
{
    struct rig *r = *state;
    enum { ROUNDS = 4 };
    struct test_job rounds[ROUNDS], looks[ROUNDS];
    struct wide wide[ROUNDS];
    int syncs[ROUNDS];
    struct held held;
    struct post_box box;
    post_box_init(&box);
    assert_int_equal(catalog_write_wait(r->catalog, work_add_wide, &wide[0], NULL), 0);
    hold_writer(r, &held);
    for (int i = 0; i < ROUNDS; i++) {
        wide[i] = (struct wide){wide[0].layer, (uint64_t)i};
        test_job_init(&rounds[i], &box, work_store_wide, &wide[i]);
        test_job_init(&looks[i], &box, work_sync_count, &syncs[i]);
        catalog_write(r->catalog, &rounds[i].job);
        catalog_write(r->catalog, &looks[i].job);
    }
    release_writer(&held);
    post_box_wait(&box, 2 * ROUNDS);
    for (int i = 1; i < ROUNDS; i++) /* each in a commit of its own, after the round's */
        assert_true(syncs[i] > syncs[i - 1]);
}

struct wide_look {
    const struct wide *wide;
    uint64_t word;
    size_t count;
};

static int see_wide_leaf(uint64_t leaf_key, const uint64_t words[LEAF_WORDS], void *arg)
{
    struct wide_look *look = arg;
    (void)leaf_key;
    if (look->count++ == 0)
        look->word = words[0];
    return words[0] == look->word ? 0 : -EBADMSG;
}

static int work_look_wide(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct wide_look *look = arg;
    uint64_t words[LEAF_WORDS], first = leaf_key_of(extent_key(look->wide->layer, 0));
    look->count = 0;
    int rc = leaf_each(txn, first, first + LOOK_LEAVES - 1, see_wide_leaf, look, e);
    if (rc == 0)
        rc = leaf_load(txn, first + WIDE_LEAVES - 1, words, e);
    if (rc == 0 && (look->count != LOOK_LEAVES || words[0] != look->word))
        rc = -EBADMSG;
    return rc;
}

static int work_count_deltas(struct catalog_txn *txn, void *arg, struct err *e)
{
    return txn_query_int(txn, "SELECT count(*) FROM delta", arg, e);
}

/* Rounds enough for a fold to begin, and readers all along. */
static void a_reader_sees_whole_rounds_while_they_are_folded(void **state)
{
    struct rig *r = *state;
    struct wide wide = {.word = 1};
    struct wide_look looks[2] = {{.wide = &wide}, {.wide = &wide}};
    struct test_job jobs[2];
    struct post_box box;
    int64_t deltas = 1000000;
    post_box_init(&box);
    assert_int_equal(catalog_write_wait(r->catalog, work_add_wide, &wide, NULL), 0);
    assert_int_equal(catalog_write_wait(r->catalog, work_store_wide, &wide, NULL), 0);
    for (unsigned turn = 0; wide.word < WIDE_ROUNDS || deltas > 60; turn++) {
        for (int i = 0; i < 2; i++) {
            test_job_init(&jobs[i], &box, work_look_wide, &looks[i]);
            catalog_read(r->catalog, &jobs[i].job);
        }
        if (wide.word < WIDE_ROUNDS) {
            wide.word++;
            assert_int_equal(catalog_write_wait(r->catalog, work_store_wide, &wide, NULL),
                             0);
        }
        post_box_wait(&box, 2 * (turn + 1));
        for (int i = 0; i < 2; i++) {
            assert_int_equal(jobs[i].job.rc, 0);
            assert_in_range(looks[i].word, wide.word - 1, wide.word);
        }
        assert_int_equal(catalog_read_wait(r->catalog, work_count_deltas, &deltas, NULL),
                         0);
    }
}

static void a_write_is_synced_before_it_is_answered(void **state)
{
    struct rig *r = *state;
    struct pool_row row = sample_pool("p1", "a");
    int before = fault_vfs_count(FAULT_SYNC);
    assert_int_equal(catalog_write_wait(r->catalog, work_add_pool, &row, NULL), 0);
    assert_true(fault_vfs_count(FAULT_SYNC) > before);
}

enum { WRITERS = 4, WRITES = 100 };

struct writer_thread {
    pthread_t thread;
    struct rig *rig;
    int number;
    int failures;
};

static void *write_many(void *arg)
{
    struct writer_thread *t = arg;
    struct post_box box;
    struct test_job *jobs = calloc(WRITES, sizeof(*jobs));
    struct pool_row *pools = calloc(WRITES, sizeof(*pools));
    post_box_init(&box);
    for (unsigned i = 0; i < WRITES; i++) {
        char id[32];
        snprintf(id, sizeof(id), "p%d-%u", t->number, i);
        pools[i] = sample_pool(id, id);
        test_job_init(&jobs[i], &box, work_add_pool, &pools[i]);
        catalog_write(t->rig->catalog, &jobs[i].job);
        if (i % 10 == 9) /* bursts, with reads between them */
            post_box_wait(&box, i + 1);
        if (i % 10 == 9 && rig_pool_count(t->rig) <= (int)i)
            t->failures++; /* what was answered must be seen */
    }
    post_box_wait(&box, WRITES);
    for (int i = 0; i < WRITES; i++)
        t->failures += jobs[i].job.rc != 0;
    free(jobs);
    free(pools);
    return NULL;
}

static void many_threads_write_at_once(void **state)
{
    struct rig *r = *state;
    struct writer_thread threads[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        threads[i] = (struct writer_thread){.rig = r, .number = i};
        assert_int_equal(
            pthread_create(&threads[i].thread, NULL, write_many, &threads[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i].thread, NULL);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(threads[i].failures, 0);
    assert_int_equal(rig_pool_count(r), WRITERS * WRITES);
}

static void close_ends_what_was_queued(void **state)
{
    struct rig *r = *state;
    enum { JOBS = 50 };
    struct post_box box;
    struct test_job jobs[JOBS], reads[JOBS];
    struct pool_row pools[JOBS];
    int counts[JOBS];
    post_box_init(&box);
    for (int i = 0; i < JOBS; i++) {
        char id[16];
        snprintf(id, sizeof(id), "p%d", i);
        pools[i] = sample_pool(id, id);
        test_job_init(&jobs[i], &box, work_add_pool, &pools[i]);
        test_job_init(&reads[i], &box, work_count_pools, &counts[i]);
        catalog_write(r->catalog, &jobs[i].job);
        catalog_read(r->catalog, &reads[i].job);
    }
    rig_close(r);
    post_box_wait(&box, 2 * JOBS);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(jobs[i].job.rc, 0);
        assert_int_equal(reads[i].job.rc, 0);
    }
    rig_open(r);
    assert_int_equal(rig_pool_count(r), JOBS);
}

/* ---- Failures ---------------------------------------------------------------------- */

/* Armed on the writer's thread, so that the fault meets this job's commit and no
 * checkpoint before it. */
struct armed_add {
    struct pool_row row;
    int kinds, nth, result;
};

static int work_armed_add(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct armed_add *a = arg;
    fault_vfs_arm(a->kinds, a->nth, 1, a->result);
    return pool_row_add(txn, &a->row, e);
}

/* Adds a pool with the nth operation failing; returns the job's rc. */
static int add_pool_failing(struct rig *r, int kinds, int nth, int result, struct err *e)
{
    struct armed_add a = {sample_pool("p1", "fast"), kinds, nth, result};
    int rc = catalog_write_wait(r->catalog, work_armed_add, &a, e);
    fault_vfs_disarm();
    return rc;
}

static void failing_each_operation(struct rig *r, int kinds, int result, int expected)
{
    int nth = 0;
    for (;; nth++) {
        struct err e = {0};
        assert_in_range(nth, 0, 50);
        int rc = add_pool_failing(r, kinds, nth, result, &e);
        if (rc == 0)
            break;
        assert_int_equal(rc, expected);
        assert_int_equal(e.code, expected);
        assert_non_null(strstr(e.text, "catalog"));
        assert_false(has_pool(r, "p1"));
        rig_close(r);
        rig_open(r);
        assert_false(has_pool(r, "p1"));
    }
    assert_true(nth > 0); /* something did fail */
    assert_true(has_pool(r, "p1"));
}

static void a_commit_that_cannot_sync_fails_and_changes_nothing(void **state)
{
    failing_each_operation(*state, FAULT_SYNC, SQLITE_IOERR_FSYNC, -EIO);
}

static void a_commit_that_cannot_write_fails_and_changes_nothing(void **state)
{
    failing_each_operation(*state, FAULT_WRITE, SQLITE_IOERR_WRITE, -EIO);
}

static void a_full_file_system_is_no_space(void **state)
{
    failing_each_operation(*state, FAULT_WRITE, SQLITE_FULL, -ENOSPC);
}

static void a_failed_commit_fails_its_whole_group(void **state)
{
    struct rig *r = *state;
    struct held held;
    struct post_box box;
    struct test_job jobs[3];
    struct armed_add first = {sample_pool("p1", "a"), FAULT_SYNC, 0, SQLITE_IOERR_FSYNC};
    struct pool_row pools[] = {sample_pool("p2", "b"), sample_pool("p3", "c")};
    post_box_init(&box);
    test_job_init(&jobs[0], &box, work_armed_add, &first);
    test_job_init(&jobs[1], &box, work_add_and_fail, &pools[0]);
    test_job_init(&jobs[2], &box, work_add_pool, &pools[1]);
    hold_writer(r, &held);
    for (size_t i = 0; i < 3; i++)
        catalog_write(r->catalog, &jobs[i].job);
    release_writer(&held);
    post_box_wait(&box, 3);
    fault_vfs_disarm();
    assert_int_equal(jobs[0].job.rc, -EIO);
    assert_int_equal(jobs[1].job.rc, -ECANCELED);
    assert_int_equal(jobs[2].job.rc, -EIO);
    assert_int_equal(jobs[2].job.err.code, -EIO);
    assert_int_equal(rig_pool_count(r), 0);
}

/* Adds pools until the database may not grow any more. */
static int work_fill_up(struct catalog_txn *txn, void *arg, struct err *e)
{
    (void)arg;
    int64_t ignored = 0;
    int rc = txn_query_int(txn, "PRAGMA max_page_count=1", &ignored, e);
    for (int i = 0; rc == 0 && i < 100000; i++) {
        char id[32];
        snprintf(id, sizeof(id), "fill%d", i);
        struct pool_row row = sample_pool(id, id);
        rc = pool_row_add(txn, &row, e);
    }
    return rc;
}

static int work_let_grow(struct catalog_txn *txn, void *arg, struct err *e)
{
    (void)arg;
    int64_t ignored = 0;
    return txn_query_int(txn, "PRAGMA max_page_count=1000000", &ignored, e);
}

static void a_transaction_lost_halfway_is_answered_as_lost(void **state)
{
    struct rig *r = *state;
    struct held held;
    struct post_box box;
    struct test_job jobs[3];
    struct pool_row before = sample_pool("p1", "a"), after = sample_pool("p2", "b");
    post_box_init(&box);
    test_job_init(&jobs[0], &box, work_add_pool, &before);
    test_job_init(&jobs[1], &box, work_fill_up, NULL);
    test_job_init(&jobs[2], &box, work_add_pool, &after);
    hold_writer(r, &held);
    for (size_t i = 0; i < 3; i++)
        catalog_write(r->catalog, &jobs[i].job);
    release_writer(&held);
    post_box_wait(&box, 3);
    assert_int_equal(jobs[1].job.rc, -ENOSPC);
    assert_false(has_pool(r, "fill0"));
    assert_int_equal(has_pool(r, "p1"), jobs[0].job.rc == 0);
    assert_int_equal(has_pool(r, "p2"), jobs[2].job.rc == 0);
    assert_int_equal(catalog_write_wait(r->catalog, work_let_grow, NULL, NULL), 0);
    struct pool_row again = sample_pool("p3", "c");
    assert_int_equal(catalog_write_wait(r->catalog, work_add_pool, &again, NULL), 0);
}

static void a_failed_checkpoint_fails_no_write(void **state)
{
    struct rig *r = *state;
    struct pool_row row = sample_pool("p1", "a");
    assert_int_equal(catalog_write_wait(r->catalog, work_add_pool, &row, NULL), 0);
    fault_vfs_arm(FAULT_WRITE | FAULT_SYNC | FAULT_TRUNCATE, 0, 1000000,
                  SQLITE_IOERR_WRITE);
    rig_close(r);
    fault_vfs_disarm();
    rig_open(r);
    assert_true(has_pool(r, "p1"));
}

/* ---- The log ----------------------------------------------------------------------- */

#define LOG_FRAME_BYTES (4096 + 24)

struct spread {
    uint32_t layer;
    uint32_t turn;
};

static int work_add_layer(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct spread *spread = arg;
    struct pool_row pool = sample_pool("p1", "a");
    struct layer_row layer = sample_layer("p1", 0);
    int rc = pool_row_add(txn, &pool, e);
    if (rc == 0)
        rc = layer_row_add(txn, &layer, e);
    spread->layer = layer.id;
    return rc;
}

/* 200 leaves that fill a page or so for every two of them. */
static int work_store_spread(struct catalog_txn *txn, void *arg, struct err *e)
{
    enum { LEAVES = 200 };
    struct spread *spread = arg;
    static struct word_change words[LEAVES * LEAF_WORDS];
    uint32_t first = spread->turn * LEAVES * LEAF_WORDS;
    for (uint32_t i = 0; i < LEAVES * LEAF_WORDS; i++)
        words[i] = (struct word_change){extent_key(spread->layer, first + i),
                                        i * UINT64_C(0x9e3779b97f4a7c15) | 1};
    struct round_changes round = {.words = words, .word_count = LEAVES * LEAF_WORDS};
    return round_store(txn, &round, e);
}

static void store_spread(struct rig *r, struct spread *spread, uint32_t turns)
{
    for (uint32_t i = 0; i < turns; i++, spread->turn++)
        assert_int_equal(catalog_write_wait(r->catalog, work_store_spread, spread, NULL),
                         0);
}

static void the_log_stays_short_while_writes_go_on(void **state)
{
    struct rig *r = *state;
    struct spread spread = {.turn = 0};
    assert_int_equal(catalog_write_wait(r->catalog, work_add_layer, &spread, NULL), 0);
    store_spread(r, &spread, 60); /* some 6,000 pages */
    assert_true(rig_file_bytes(r, "catalog.db") > 4000L * 4096);
    assert_true(rig_file_bytes(r, "catalog.db-wal") <
                (CHECKPOINT_PAGES_MAX + 600L) * LOG_FRAME_BYTES);
}

struct slow_read {
    struct gate gate;
    int before, after;
};

static int work_slow_read(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct slow_read *slow = arg;
    int rc = work_count_pools(txn, &slow->before, e);
    if (rc == 0)
        rc = work_gate(txn, &slow->gate, e);
    return rc != 0 ? rc : work_count_pools(txn, &slow->after, e);
}

static void a_slow_reader_keeps_its_snapshot_and_holds_no_writer_up(void **state)
{
    struct rig *r = *state;
    struct spread spread = {.turn = 0};
    struct post_box box;
    struct slow_read slow;
    struct test_job job;
    struct pool_row row = sample_pool("p2", "b");
    assert_int_equal(catalog_write_wait(r->catalog, work_add_layer, &spread, NULL), 0);
    post_box_init(&box);
    gate_init(&slow.gate);
    test_job_init(&job, &box, work_slow_read, &slow);
    catalog_read(r->catalog, &job.job);
    sem_wait(&slow.gate.entered);
    assert_int_equal(catalog_write_wait(r->catalog, work_add_pool, &row, NULL), 0);
    store_spread(r, &spread, 40);           /* some 4,000 pages */
    assert_int_equal(rig_pool_count(r), 2); /* the other reader sees the newest */
    sem_post(&slow.gate.released);
    post_box_wait(&box, 1);
    assert_int_equal(job.job.rc, 0);
    assert_int_equal(slow.before, 1);
    assert_int_equal(slow.after, 1);
    long bytes = rig_file_bytes(r, "catalog.db-wal");
    assert_true(bytes > 3000L * LOG_FRAME_BYTES);
    store_spread(r, &spread, 40);
    assert_true(rig_file_bytes(r, "catalog.db-wal") < bytes + 2000L * LOG_FRAME_BYTES);
}

#define WRITER_TEST(name)                                                                \
    cmocka_unit_test_setup_teardown(name, rig_setup_open, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WRITER_TEST(a_failed_job_leaves_nothing_and_its_neighbours_commit),
        WRITER_TEST(a_failed_job_alone_leaves_nothing),
        WRITER_TEST(jobs_that_wait_together_share_syncs),
        WRITER_TEST(rows_of_management_go_between_large_rounds),
        WRITER_TEST(a_reader_sees_whole_rounds_while_they_are_folded),
        WRITER_TEST(a_write_is_synced_before_it_is_answered),
        WRITER_TEST(many_threads_write_at_once),
        WRITER_TEST(close_ends_what_was_queued),
        WRITER_TEST(a_commit_that_cannot_sync_fails_and_changes_nothing),
        WRITER_TEST(a_commit_that_cannot_write_fails_and_changes_nothing),
        WRITER_TEST(a_full_file_system_is_no_space),
        WRITER_TEST(a_failed_commit_fails_its_whole_group),
        WRITER_TEST(a_transaction_lost_halfway_is_answered_as_lost),
        WRITER_TEST(a_failed_checkpoint_fails_no_write),
        WRITER_TEST(the_log_stays_short_while_writes_go_on),
        WRITER_TEST(a_slow_reader_keeps_its_snapshot_and_holds_no_writer_up),
    };
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
