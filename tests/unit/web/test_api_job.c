/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs by the API: long work is answered before it is over, and what a job says of itself
 * while it runs and when it has ended. */
#include "cm.h"
#include "rig.h"

#include <stdio.h>
#include <string.h>

/* A check of pool p; its path. */
static const char *begin(struct rig *r)
{
    static char path[160];
    assert_int_equal(rig_call(r, "POST", "/v1/pools/p/check", NULL), 202);
    answer_header(&r->answer, "Location", path, sizeof(path));
    return path;
}

static void set(struct rig *r, const char *path, const struct job_info *info)
{
    fake_job_set(r->m, strrchr(path, '/') + 1, info);
    assert_int_equal(rig_call(r, "GET", path, NULL), 200);
}

static bool is_null(struct rig *r, const char *member)
{
    return json_is_null(rig_get(r, member));
}

static void long_work_is_answered_with_its_job(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    const char *path = begin(r);
    char id[64];
    snprintf(id, sizeof(id), "%s", rig_text(r, "id"));
    assert_string_equal(rig_text(r, "state"), "running");
    assert_string_equal(rig_text(r, "kind"), "pool-check");
    assert_string_equal(rig_text(r, "subject"), "p");
    assert_int_equal(rig_call(r, "GET", path, NULL), 200);
    assert_string_equal(rig_text(r, "id"), id);
}

static void what_is_not_known_is_null(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    begin(r);
    assert_true(is_null(r, "ended") && is_null(r, "rate") && is_null(r, "outcome") &&
                is_null(r, "estimate_seconds") && is_null(r, "error") &&
                is_null(r, "progress/total"));
    assert_int_equal(rig_number(r, "progress/done"), 0);
    assert_string_equal(rig_text(r, "progress/unit"), "extents");
}

static void a_running_job_says_how_far_it_is(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    struct job_info info = {.state = "running",
                            .units_done = 30,
                            .units_total = 100,
                            .rate = 7,
                            .estimate_s = 10,
                            .outcome = "",
                            .error = ""};
    set(r, begin(r), &info);
    assert_int_equal(rig_number(r, "progress/done"), 30);
    assert_int_equal(rig_number(r, "progress/total"), 100);
    assert_int_equal(rig_number(r, "rate"), 7);
    assert_int_equal(rig_number(r, "estimate_seconds"), 10);
}

static void an_outcome_is_figures_and_words(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    struct job_info info = {.state = "done",
                            .ended_s = 1714564860,
                            .rate = -1,
                            .estimate_s = -1,
                            .outcome = "clean=no\nnamed_extents=7\n",
                            .error = ""};
    set(r, begin(r), &info);
    assert_string_equal(rig_text(r, "ended"), "2024-05-01T12:01:00Z");
    assert_true(json_is_false(rig_get(r, "outcome/clean")));
    assert_int_equal(rig_number(r, "outcome/named_extents"), 7);
    assert_int_equal(rig_number(r, "progress/total"), 0); /* there was nothing to do */
}

static void a_failed_job_says_why(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    struct job_info info = {.state = "failed",
                            .ended_s = 1714564860,
                            .rate = -1,
                            .estimate_s = -1,
                            .outcome = "",
                            .error = "pool p has failed"};
    set(r, begin(r), &info);
    assert_string_equal(rig_text(r, "error"), "pool p has failed");
    assert_true(is_null(r, "outcome"));
}

static void a_job_is_cancelled_until_it_has_ended(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    const char *path = begin(r);
    char cancel[200], location[160];
    snprintf(cancel, sizeof(cancel), "%s/cancel", path);
    assert_int_equal(rig_call(r, "POST", cancel, NULL), 202);
    answer_header(&r->answer, "Location", location, sizeof(location));
    assert_string_equal(location, path);
    assert_true(json_is_true(rig_get(r, "cancel_requested")));
    assert_int_equal(rig_call(r, "POST", cancel, NULL), 409);
    assert_non_null(strstr(rig_text(r, "detail"), "has ended"));
    assert_int_equal(rig_call(r, "POST", "/v1/jobs/nobody/cancel", NULL), 404);
}

static void jobs_are_listed_by_age_in_pages(void **state)
{
    struct rig *r = *state;
    rig_provision(r);
    char ids[3][64], path[100], next[64];
    for (int i = 0; i < 3; i++) {
        begin(r);
        snprintf(ids[i], sizeof(ids[i]), "%s", rig_text(r, "id"));
    }
    assert_int_equal(rig_call(r, "GET", "/v1/jobs?limit=2", NULL), 200);
    assert_string_equal(rig_text(r, "items/0/id"), ids[0]);
    assert_string_equal(rig_text(r, "items/1/id"), ids[1]);
    snprintf(next, sizeof(next), "%s", rig_text(r, "next"));
    snprintf(path, sizeof(path), "/v1/jobs?limit=2&after=%s", next);
    assert_int_equal(rig_call(r, "GET", path, NULL), 200);
    assert_string_equal(rig_text(r, "items/0/id"), ids[2]);
    assert_true(is_null(r, "next"));
}

static void a_copy_is_a_job_of_one_target(void **state)
{
    static const struct {
        const char *body, *pointer;
    } refused[] = {
        {"{}", "/name"},
        {"{\"name\":\"c\",\"to\":\"v\"}", "/to"},
        {"{\"to\":\"v\",\"pool\":\"p\"}", "/pool"},
        {"{\"name\":\"c\",\"offset\":0,\"length\":512}", "/offset"},
        {"{\"name\":\"c\",\"length\":512}", "/length"},
        {"{\"name\":\"c\",\"to_offset\":512}", "/to_offset"},
        {"{\"name\":\"c\",\"force\":true}", "/force"},
        {"{\"to\":\"v\",\"offset\":512}", "/offset"},
        {"{\"to\":\"v\",\"length\":0}", "/length"},
        {"{\"to\":\"nothing\"}", "/to"},
    };
    struct rig *r = *state;
    rig_provision(r);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        assert_int_equal(rig_call(r, "POST", "/v1/volumes/v/copy", refused[i].body), 422);
        assert_string_equal(rig_text(r, "pointer"), refused[i].pointer);
    }
    assert_int_equal(rig_call(r, "POST", "/v1/volumes/v/copy", "{\"name\":\"c\"}"), 202);
    assert_string_equal(rig_text(r, "kind"), "volume-copy");
    assert_string_equal(rig_text(r, "subject"), "v");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(a_copy_is_a_job_of_one_target),
        WITH_RIG(long_work_is_answered_with_its_job),
        WITH_RIG(what_is_not_known_is_null),
        WITH_RIG(a_running_job_says_how_far_it_is),
        WITH_RIG(an_outcome_is_figures_and_words),
        WITH_RIG(a_failed_job_says_why),
        WITH_RIG(a_job_is_cancelled_until_it_has_ended),
        WITH_RIG(jobs_are_listed_by_age_in_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
