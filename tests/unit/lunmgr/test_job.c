/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs: their lives, with work that the test does itself, and what the check of a pool
 * makes of them: stopped and killed at every step, with every write failing once. All is
 * turned by hand, with a clock of its own. */
#include "tests/unit/lunmgr/manage_rig.h"

#include "lunmgr/op.h"
#include "lunmgr/pool_priv.h"
#include "tests/lib/hand_clock.h"
#include "tests/unit/db/fault_vfs.h"

#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)

static int setup(void **state)
{
    struct pool_rig_options options = {.engine = RIG_FAKE,
                                       .lane_count = 1,
                                       .pool_bytes = 16 * MIB,
                                       .by_hand = true,
                                       .seed = 7};
    (void)state;
    hand_clock_set(7);
    pool_rig_create(&rig, &options);
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

static struct job_info info_of(const struct job *job)
{
    struct job_info info;
    job_describe(job, &info);
    return info;
}

static void pass_seconds(unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        hand_clock_advance(SECOND_NS);
        for (int turn = 0; turn < 10; turn++)
            pool_rig_turn(&rig);
    }
}

static struct answer cancel(const char *id)
{
    struct answer a = {.came = false};
    job_cancel(rig.manager, id, on_job, &a);
    assert_false(a.came);
    wait_for(&a);
    return a;
}

/* ---- Work of the test's own -------------------------------------------------------- */

static struct job *begun; /* whose work it is to do */

static int own_find(struct lunmgr *m, const char *name_or_id, void *detail,
                    struct job_row *row, struct err *e)
{
    (void)m;
    (void)detail;
    if (strcmp(name_or_id, "nothing") == 0)
        return err_set(e, -ENOENT, "it", "there is nothing");
    snprintf(row->subject, sizeof(row->subject), "%s", name_or_id);
    snprintf(row->subject_id, sizeof(row->subject_id), "id-%.20s", name_or_id);
    return 0;
}

static void own_start(struct job *job)
{
    begun = job;
}

static const struct job_kind own = {
    .name = "own", .unit = "steps", .find = own_find, .start = own_start};

static struct answer ask_for(const char *subject)
{
    struct answer a = {.came = false};
    begun = NULL;
    job_create(rig.manager, &own, subject, NULL, on_job, &a);
    assert_false(a.came);
    wait_for(&a);
    return a;
}

static struct job *begin(void)
{
    struct answer a = ask_for("it");
    assert_int_equal(a.err.code, 0);
    assert_ptr_equal(a.object, begun);
    return begun;
}

static const char *end_with(struct job *job, int code, const char *text)
{
    struct err e = {.code = code};
    snprintf(e.text, sizeof(e.text), "%s", text);
    job_end(job, code == 0 ? NULL : &e, code == 0 ? text : "");
    return end_of_job(job);
}

/* ---- Life -------------------------------------------------------------------------- */

static void a_job_ends_as_its_work_did(void **state)
{
    (void)state;
    struct job *job = begin();
    struct job_info info = info_of(job);
    assert_string_equal(info.state, "running");
    assert_string_equal(info.kind, "own");
    assert_string_equal(info.unit, "steps");
    assert_string_equal(info.subject, "it");
    assert_string_equal(info.outcome, "");
    assert_ptr_equal(job_find(rig.manager, info.id), job);
    assert_string_equal(end_with(job, 0, "found=3\n"), "done");
    assert_string_equal(info_of(job).outcome, "found=3\n");
    assert_string_equal(info_of(job).error, "");
    job = begin();
    assert_true(info_of(job).no > info.no);
    assert_string_equal(end_with(job, -EIO, "the disk is gone"), "failed");
    assert_string_equal(info_of(job).error, "the disk is gone");
    assert_string_equal(info_of(job).outcome, "");
    job = begin(); /* nobody asked it to stop: that is a failure */
    assert_string_equal(end_with(job, -ECANCELED, "stopped"), "failed");
}

static void one_of_a_kind_runs_for_a_subject(void **state)
{
    (void)state;
    struct answer none = ask_for("nothing");
    assert_refused(&none, -ENOENT, "it");
    struct job *job = begin();
    struct answer second = ask_for("it");
    assert_refused(&second, -EBUSY, "");
    assert_non_null(strstr(second.err.text, info_of(job).id));
    assert_null(begun);
    struct answer other = ask_for("other");
    assert_int_equal(other.err.code, 0);
    assert_string_equal(end_with(other.object, 0, ""), "done");
    assert_string_equal(end_with(job, 0, ""), "done");
    assert_string_equal(end_with(begin(), 0, ""), "done");
}

/* The second is asked for while the row of the first is being written. */
static void of_two_asked_for_at_once_one_is_refused(void **state)
{
    struct answer a = {.came = false}, b = {.came = false};
    (void)state;
    job_create(rig.manager, &own, "it", NULL, on_job, &a);
    job_create(rig.manager, &own, "it", NULL, on_job, &b);
    wait_for(&b);
    assert_refused(&b, -EBUSY, "");
    assert_int_equal(wait_for(&a), 0);
    assert_string_equal(end_with(a.object, 0, ""), "done");
}

static void a_job_is_asked_to_stop_until_it_has_ended(void **state)
{
    struct answer a;
    (void)state;
    struct job *job = begin();
    assert_false(atomic_load(&job->progress.stop));
    for (int i = 0; i < 2; i++) {
        a = cancel(info_of(job).id);
        assert_int_equal(a.err.code, 0);
        assert_true(info_of(job).cancel_asked);
        assert_true(atomic_load(&job->progress.stop));
        assert_string_equal(info_of(job).state, "running");
    }
    assert_string_equal(end_with(job, -ECANCELED, "stopped"), "cancelled");
    assert_string_equal(info_of(job).error, "");
    a = cancel(info_of(job).id);
    assert_refused(&a, -EBUSY, "");
    assert_non_null(strstr(a.err.text, "has ended"));
    a = cancel("nobody");
    assert_refused(&a, -ENOENT, "");
}

static void work_that_was_over_first_is_done(void **state)
{
    (void)state;
    struct job *job = begin();
    struct answer a = cancel(info_of(job).id);
    assert_int_equal(a.err.code, 0);
    assert_string_equal(end_with(job, 0, "found=1\n"), "done");
    assert_true(info_of(job).cancel_asked);
}

static void pace_and_estimate_follow_the_work(void **state)
{
    (void)state;
    struct job *job = begin();
    atomic_store(&job->progress.total, 10000);
    assert_int_equal(info_of(job).rate, -1);
    assert_int_equal(info_of(job).estimate_s, -1);
    pass_seconds(2);
    assert_int_equal(info_of(job).rate, 0); /* it stands still: no estimate */
    assert_int_equal(info_of(job).estimate_s, -1);
    for (int i = 0; i < 20; i++) {
        atomic_fetch_add(&job->progress.done, 100);
        pass_seconds(1);
    }
    struct job_info info = info_of(job);
    assert_int_equal(info.units_done, 2000);
    assert_int_equal(info.units_total, 10000);
    assert_in_range(info.rate, 80, 111);
    assert_in_range(info.estimate_s, 8000 / 111, 8000 / 80 + 1);
    atomic_store(&job->progress.done, 10500); /* the total was a guess */
    assert_int_equal(info_of(job).units_total, 10500);
    assert_string_equal(end_with(job, 0, ""), "done");
    assert_int_equal(info_of(job).rate, -1);
    assert_int_equal(info_of(job).units_done, 10500);
}

/* ---- The rows ---------------------------------------------------------------------- */

struct rows {
    size_t count;
    struct job_row last;
};

static int keep_row(const struct job_row *row, void *arg)
{
    struct rows *rows = arg;
    rows->count++;
    rows->last = *row;
    return 0;
}

static int rows_work(struct catalog_txn *txn, void *arg, struct err *e)
{
    return job_row_each(txn, keep_row, arg, e);
}

static struct rows stored(void)
{
    struct rows rows = {.count = 0};
    assert_int_equal(catalog_read_wait(rig.catalog, rows_work, &rows, NULL), 0);
    return rows;
}

static void progress_is_stored_now_and_then(void **state)
{
    (void)state;
    struct job *job = begin();
    atomic_store(&job->progress.total, 100);
    atomic_store(&job->progress.done, 10);
    pass_seconds(JOB_STORE_TICKS - 2);
    assert_int_equal(stored().last.units_done, 0);
    pass_seconds(4);
    assert_int_equal(stored().last.units_done, 10);
    assert_int_equal(stored().last.units_total, 100);
    atomic_store(&job->progress.done, 90);
    assert_string_equal(end_with(job, 0, "a=1\n"), "done");
    assert_int_equal(stored().last.units_done, 90);
    assert_int_equal(stored().last.state, JOB_DONE);
    assert_string_equal(stored().last.outcome, "a=1\n");
}

static void fail_commits(void)
{
    fault_vfs_arm(FAULT_WRITE | FAULT_SYNC, 0, 1000000, SQLITE_FULL);
}

static void a_job_without_its_row_is_not_begun(void **state)
{
    (void)state;
    fail_commits();
    struct answer a = ask_for("it");
    fault_vfs_disarm();
    assert_true(a.err.code < 0);
    assert_null(begun);
    assert_null(job_next(rig.manager, NULL));
    assert_int_equal(stored().count, 0);
    assert_string_equal(end_with(begin(), 0, ""), "done"); /* it is in nobody's way */
}

static void a_stop_that_is_not_durable_is_not_asked(void **state)
{
    (void)state;
    struct job *job = begin();
    fail_commits();
    struct answer a = cancel(info_of(job).id);
    fault_vfs_disarm();
    assert_true(a.err.code < 0);
    assert_false(atomic_load(&job->progress.stop));
    assert_false(info_of(job).cancel_asked);
    assert_string_equal(end_with(job, 0, ""), "done");
}

static void on_ended(void *arg, const struct job_info *info)
{
    *(struct job_info *)arg = *info;
}

static void an_end_is_shown_and_told_when_it_is_durable(void **state)
{
    (void)state;
    struct job_info told = {.id = ""};
    const struct lunmgr_news news = {.arg = &told, .job_ended = on_ended};
    lunmgr_set_news(rig.manager, &news);
    struct job *job = begin();
    fail_commits();
    job_end(job, NULL, "found=9\n");
    pass_seconds(12);
    assert_true(fault_vfs_failed());
    assert_string_equal(info_of(job).state, "running");
    assert_string_equal(info_of(job).outcome, "");
    assert_string_equal(told.id, "");
    struct answer a = cancel(info_of(job).id);
    assert_refused(&a, -EBUSY, "");
    a = ask_for("it");
    assert_refused(&a, -EBUSY, "");
    fault_vfs_disarm();
    pass_seconds(JOB_STORE_TICKS + 1);
    assert_string_equal(info_of(job).state, "done");
    assert_string_equal(info_of(job).outcome, "found=9\n");
    assert_string_equal(stored().last.outcome, "found=9\n");
    assert_string_equal(told.id, info_of(job).id);
    assert_string_equal(told.state, "done");
    lunmgr_set_news(rig.manager, NULL);
}

static void an_end_that_cannot_be_stored_holds_up_no_stop(void **state)
{
    (void)state;
    struct job *job = begin();
    fail_commits();
    job_end(job, NULL, "");
    pass_seconds(1);
    assert_true(fault_vfs_failed());
    fault_vfs_disarm();
    restart();
    assert_int_equal(stored().last.state, JOB_RUNNING);
}

/* ---- What is kept ------------------------------------------------------------------ */

/* Rows made behind the manager's back, for the next start. */
struct making {
    struct job_row row;
    unsigned count;
    bool cancelled;
};

static int making_work(struct catalog_txn *txn, void *arg, struct err *e)
{
    struct making *mk = arg;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < mk->count; i++) {
        id_make(mk->row.id);
        rc = job_row_add(txn, &mk->row, e);
        if (rc == 0 && mk->cancelled)
            rc = job_row_ask_cancel(txn, mk->row.no, e);
        if (rc == 0 && mk->row.state != JOB_RUNNING)
            rc = job_row_end(txn, &mk->row, e);
    }
    return rc;
}

static void make_rows(struct making *mk)
{
    snprintf(mk->row.subject, sizeof(mk->row.subject), "p");
    if (mk->row.kind[0] == '\0')
        snprintf(mk->row.kind, sizeof(mk->row.kind), "pool-check");
    if (mk->row.subject_id[0] == '\0')
        snprintf(mk->row.subject_id, sizeof(mk->row.subject_id), "%s", rig.pool->id);
    assert_int_equal(catalog_write_wait(rig.catalog, making_work, mk, NULL), 0);
}

static size_t job_count(void)
{
    size_t count = 0;
    for (struct job *job = NULL; (job = job_next(rig.manager, job)) != NULL;)
        count++;
    return count;
}

static bool is_forgotten(void *arg)
{
    return job_count() <= *(const size_t *)arg;
}

static void old_jobs_are_forgotten(void **state)
{
    struct making old = {.row = {.state = JOB_DONE, .ended_s = now_s() - JOB_KEEP_S - 9},
                         .count = 3};
    struct making young = {
        .row = {.state = JOB_FAILED, .ended_s = now_s() - JOB_KEEP_S + 3600}, .count = 2};
    size_t left = 2;
    (void)state;
    make_rows(&old);
    make_rows(&young);
    restart();
    pool_rig_until(&rig, is_forgotten, &left);
    assert_int_equal(job_count(), 2);
    assert_int_equal(stored().count, 2);
    assert_non_null(job_find(rig.manager, young.row.id));
}

static void only_so_many_are_kept_and_those_that_run(void **state)
{
    struct making many = {.row = {.state = JOB_CANCELLED, .ended_s = now_s()},
                          .count = JOB_KEEP_COUNT + 5};
    size_t left = JOB_KEEP_COUNT + 1;
    (void)state;
    struct job *runs = begin();
    make_rows(&many);
    struct making first = {.row = {.state = JOB_RUNNING, .kind = "later"}, .count = 1};
    make_rows(&first);
    assert_string_equal(end_with(runs, 0, ""), "done");
    restart();
    left = JOB_KEEP_COUNT;
    pool_rig_until(&rig, is_forgotten, &left);
    assert_int_equal(job_count(), JOB_KEEP_COUNT);
    assert_non_null(job_find(rig.manager, many.row.id)); /* the youngest */
    /* One more ends, one more goes. */
    assert_string_equal(end_with(begin(), 0, ""), "done");
    pool_rig_until(&rig, is_forgotten, &left);
    assert_int_equal(job_count(), JOB_KEEP_COUNT);
    assert_int_equal(stored().count, JOB_KEEP_COUNT + 1); /* with the unknown kind's */
}

static void a_job_of_an_unknown_kind_is_left_alone(void **state)
{
    struct making mk = {.row = {.state = JOB_RUNNING, .kind = "later"}, .count = 1};
    (void)state;
    make_rows(&mk);
    restart();
    pool_rig_turn(&rig);
    assert_int_equal(job_count(), 0);
    assert_int_equal(stored().count, 1);
    assert_int_equal(stored().last.state, JOB_RUNNING);
}

/* ---- The check of a pool ----------------------------------------------------------- */

static void write_three_extents(void)
{
    struct volume *v = pool_rig_volume(&rig, "v", 64 * MIB, 0);
    assert_int_equal(rig_write(&rig, v, 0, 2 * EXTENT_BYTES, 1), 0);
    assert_int_equal(rig_write(&rig, v, 40 * MIB, 4096, 1), 0);
    assert_int_equal(rig_flush(&rig, v), 0);
}

static const char *const three_extents =
    "clean=yes\nnamed_extents=3\nused_extents=3\nleaked_extents=0\ndouble_extents=0\n"
    "lost_extents=0\nshared_extents=0\nmiscounted_extents=0\n";

static void assert_checked(struct job *job)
{
    assert_string_equal(end_of_job(job), "done");
    struct job_info info = info_of(job);
    assert_string_equal(info.outcome, three_extents);
    assert_int_equal(info.units_done, 3);
    assert_int_equal(info.units_total, 3);
    assert_true(info.ended_s >= info.created_s);
}

static struct job *check(void)
{
    struct answer a = {.came = false};
    pool_check(rig.manager, "p", on_job, &a);
    assert_int_equal(wait_for(&a), 0);
    return a.object;
}

static void a_check_tells_its_report_after_a_restart_too(void **state)
{
    (void)state;
    write_three_extents();
    struct job_info before = info_of(check());
    assert_checked(job_find(rig.manager, before.id));
    restart();
    struct job_info after = info_of(job_find(rig.manager, before.id));
    assert_string_equal(after.state, "done");
    assert_string_equal(after.outcome, three_extents);
    assert_string_equal(after.subject, "p");
    assert_string_equal(after.subject_id, rig.pool->id);
    assert_int_equal(after.created_s, before.created_s);
    assert_int_equal(after.units_total, 3);
}

/* A stop, or with `kill` the state of a kill, after so many steps of a check. True: it
 * had ended before. */
static bool cut_after(unsigned steps, bool kill)
{
    struct answer a = {.came = false};
    char id[VOLUME_ID_MAX] = "";
    pool_check(rig.manager, "p", on_job, &a);
    for (unsigned i = 0; i < steps; i++)
        pool_rig_step(&rig);
    if (a.came)
        memcpy(id, info_of(a.object).id, sizeof(id));
    bool ended = a.came && info_of(a.object).ended_s != 0;
    if (kill)
        pool_rig_cut(&rig);
    pool_rig_close(&rig);
    if (kill)
        pool_rig_take_cut(&rig);
    pool_rig_open(&rig);
    struct job *job = id[0] == '\0' ? NULL : job_find(rig.manager, id);
    assert_true(id[0] == '\0' || job != NULL);
    for (job = NULL; (job = job_next(rig.manager, job)) != NULL;)
        assert_checked(job);
    return ended;
}

static void a_check_outlives_a_kill_at_every_step(void **state)
{
    (void)state;
    write_three_extents();
    for (unsigned steps = 0; !cut_after(steps, true); steps += 3)
        assert_in_range(steps, 0, 2000);
}

static void a_check_outlives_a_stop_at_every_step(void **state)
{
    (void)state;
    write_three_extents();
    for (unsigned steps = 0; !cut_after(steps, false); steps += 3)
        assert_in_range(steps, 0, 2000);
}

/* True: it was too late. */
static bool cancel_after(unsigned steps)
{
    struct job *job = check();
    for (unsigned i = 0; i < steps; i++)
        pool_rig_step(&rig);
    struct answer a = cancel(info_of(job).id);
    const char *end = end_of_job(job);
    if (a.err.code == 0 && strcmp(end, "cancelled") == 0)
        assert_string_equal(info_of(job).outcome, "");
    else
        assert_checked(job);
    assert_int_equal(atomic_load(&rig.pool->check_count), 0);
    assert_null(rig.pool->checks);
    return a.err.code == -EBUSY;
}

static void a_check_is_cancelled_at_every_step(void **state)
{
    (void)state;
    write_three_extents();
    for (unsigned steps = 0; !cancel_after(steps); steps++)
        assert_in_range(steps, 0, 2000);
    assert_checked(check());
}

/* The nth write or sync of the catalog fails. False: none did. */
static bool check_failing(int nth)
{
    struct answer a = {.came = false};
    fault_vfs_arm(FAULT_WRITE | FAULT_SYNC, nth, 1, SQLITE_FULL);
    pool_check(rig.manager, "p", on_job, &a);
    if (wait_for(&a) != 0) {
        assert_null(a.object);
    } else if (strcmp(end_of_job(a.object), "failed") == 0) {
        assert_true(info_of(a.object).error[0] != '\0'); /* the round before it */
    } else {
        assert_checked(a.object);
    }
    bool failed = fault_vfs_failed();
    fault_vfs_disarm();
    assert_checked(check());
    return failed;
}

static void each_write_of_a_check_may_fail(void **state)
{
    (void)state;
    write_three_extents();
    int nth = 0;
    while (check_failing(nth))
        assert_in_range(++nth, 1, 200);
    assert_true(nth > 3);
}

static void a_check_waits_for_the_daemons_own(void **state)
{
    (void)state;
    write_three_extents();
    struct job_info info = info_of(check());
    pool_rig_cut(&rig);
    pool_rig_reopen_cut(&rig);
    struct job *job = job_find(rig.manager, info.id);
    assert_int_equal(atomic_load(&rig.pool->check_count), 2);
    struct answer gone = {.came = false};
    pool_delete(rig.manager, "p", on_done, &gone);
    wait_for(&gone);
    assert_refused(&gone, -EBUSY, "pool");
    assert_checked(job);
}

static void a_check_of_a_pool_that_is_gone_fails(void **state)
{
    struct making mk = {.row = {.subject_id = "00000000-0000-4000-8000-000000000000"},
                        .count = 1};
    (void)state;
    make_rows(&mk);
    restart();
    struct job *job = job_find(rig.manager, mk.row.id);
    assert_string_equal(end_of_job(job), "failed");
    assert_string_equal(info_of(job).error, "pool p is no more");
}

static void a_check_of_a_failed_pool_fails(void **state)
{
    struct making mk = {.count = 1};
    (void)state;
    make_rows(&mk);
    pool_rig_close(&rig);
    assert_int_equal(unlink(rig.pool_path), 0);
    pool_rig_open(&rig);
    struct job *job = job_find(rig.manager, mk.row.id);
    assert_string_equal(end_of_job(job), "failed");
    assert_string_equal(info_of(job).error, "pool p has failed");
    job = check();
    assert_string_equal(end_of_job(job), "failed");
}

static void what_was_cancelled_is_not_begun_again(void **state)
{
    struct making mk = {.count = 1, .cancelled = true};
    (void)state;
    make_rows(&mk);
    restart();
    struct job *job = job_find(rig.manager, mk.row.id);
    assert_string_equal(end_of_job(job), "cancelled");
    assert_int_equal(atomic_load(&rig.pool->check_count), 0);
}

#define JOB_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        JOB_TEST(a_job_ends_as_its_work_did),
        JOB_TEST(one_of_a_kind_runs_for_a_subject),
        JOB_TEST(of_two_asked_for_at_once_one_is_refused),
        JOB_TEST(a_job_is_asked_to_stop_until_it_has_ended),
        JOB_TEST(work_that_was_over_first_is_done),
        JOB_TEST(pace_and_estimate_follow_the_work),
        JOB_TEST(progress_is_stored_now_and_then),
        JOB_TEST(a_job_without_its_row_is_not_begun),
        JOB_TEST(a_stop_that_is_not_durable_is_not_asked),
        JOB_TEST(an_end_is_shown_and_told_when_it_is_durable),
        JOB_TEST(an_end_that_cannot_be_stored_holds_up_no_stop),
        JOB_TEST(old_jobs_are_forgotten),
        JOB_TEST(only_so_many_are_kept_and_those_that_run),
        JOB_TEST(a_job_of_an_unknown_kind_is_left_alone),
        JOB_TEST(a_check_tells_its_report_after_a_restart_too),
        JOB_TEST(a_check_outlives_a_kill_at_every_step),
        JOB_TEST(a_check_outlives_a_stop_at_every_step),
        JOB_TEST(a_check_is_cancelled_at_every_step),
        JOB_TEST(each_write_of_a_check_may_fail),
        JOB_TEST(a_check_waits_for_the_daemons_own),
        JOB_TEST(a_check_of_a_pool_that_is_gone_fails),
        JOB_TEST(a_check_of_a_failed_pool_fails),
        JOB_TEST(what_was_cancelled_is_not_begun_again),
    };
    fault_vfs_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
