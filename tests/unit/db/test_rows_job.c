/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of jobs: what is written of one while it runs and at its end, and that an end
 * is written once. */
#include "rows_rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

COLLECTOR(job_row)

static struct err last;

static struct job_row add_job(struct rig *r, const char *id)
{
    struct job_row row = {
        .kind = "pool-check", .subject = "fast", .subject_id = "p1", .created_s = 100};
    snprintf(row.id, sizeof(row.id), "%s", id);
    assert_int_equal(job_row_add(&r->txn, &row, NULL), 0);
    return row;
}

static void end_job(struct rig *r, uint64_t no, int64_t ended_s)
{
    struct job_row row = {.no = no, .ended_s = ended_s, .state = JOB_DONE};
    assert_int_equal(job_row_end(&r->txn, &row, NULL), 0);
}

static void a_job_comes_back_as_it_stands(void **state)
{
    struct rig *r = *state;
    struct job_row row = add_job(r, "j1");
    assert_int_equal(job_row_set_progress(&r->txn, row.no, 7, 100, NULL), 0);
    assert_int_equal(job_row_ask_cancel(&r->txn, row.no, NULL), 0);
    struct job_row back = all_job_row(r).rows[0];
    assert_string_equal(back.id, "j1");
    assert_string_equal(back.kind, "pool-check");
    assert_string_equal(back.subject, "fast");
    assert_string_equal(back.subject_id, "p1");
    assert_int_equal(back.created_s, 100);
    assert_int_equal(back.ended_s, 0);
    assert_int_equal(back.state, JOB_RUNNING);
    assert_true(back.cancel_asked);
    assert_int_equal(back.units_done, 7);
    assert_int_equal(back.units_total, 100);
}

static void an_end_is_written_once(void **state)
{
    struct rig *r = *state;
    struct job_row row = add_job(r, "j1");
    struct job_row end = {.no = row.no,
                          .ended_s = 160,
                          .state = JOB_FAILED,
                          .units_done = 9,
                          .units_total = 10,
                          .outcome = "found=1\n",
                          .error = "why"};
    assert_int_equal(job_row_end(&r->txn, &end, NULL), 0);
    struct job_row back = all_job_row(r).rows[0];
    assert_int_equal(back.ended_s, 160);
    assert_int_equal(back.state, JOB_FAILED);
    assert_int_equal(back.units_done, 9);
    assert_int_equal(back.units_total, 10);
    assert_string_equal(back.outcome, "found=1\n");
    assert_string_equal(back.error, "why");
    assert_refused(job_row_end(&r->txn, &end, &last), -ENOENT, "");
    assert_refused(job_row_ask_cancel(&r->txn, row.no, &last), -ENOENT, "");
}

static void jobs_are_listed_by_a_number_that_never_returns(void **state)
{
    struct rig *r = *state;
    uint64_t first = add_job(r, "z").no;
    uint64_t second = add_job(r, "a").no;
    assert_true(first >= 1 && second > first);
    assert_string_equal(all_job_row(r).rows[0].id, "z");
    assert_string_equal(all_job_row(r).rows[1].id, "a");
    end_job(r, second, 200);
    assert_int_equal(job_rows_forget(&r->txn, 201, 0, NULL), 0);
    assert_true(add_job(r, "b").no > second);
    struct job_row row = {.id = "b", .kind = "k", .subject = "s", .subject_id = "i"};
    assert_refused(job_row_add(&r->txn, &row, &last), -EEXIST, "id");
}

static void only_ended_jobs_are_forgotten(void **state)
{
    struct rig *r = *state;
    add_job(r, "runs");
    end_job(r, add_job(r, "old").no, 150);
    end_job(r, add_job(r, "young").no, 250);
    uint64_t no = add_job(r, "youngest").no;
    end_job(r, no, 260);
    assert_int_equal(job_rows_forget(&r->txn, 200, 0, NULL), 0);
    assert_int_equal(all_job_row(r).count, 3);
    assert_int_equal(job_rows_forget(&r->txn, 0, no, NULL), 0);
    struct job_rows list = all_job_row(r);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.rows[0].id, "runs");
    assert_string_equal(list.rows[1].id, "youngest");
    assert_int_equal(job_rows_forget(&r->txn, 0, 0, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW_TEST(a_job_comes_back_as_it_stands),
        ROW_TEST(an_end_is_written_once),
        ROW_TEST(jobs_are_listed_by_a_number_that_never_returns),
        ROW_TEST(only_ended_jobs_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
