/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of volumes as jobs: of one moment, by each way, over a restart, cancelled,
 * refused. */
#include "tests/lib/fake_engine.h"
#include "tests/lib/rig_check.h"
#include "tests/lib/rig_manage.h"

#include "lunmgr/job.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/volume_copy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VOLUME_BYTES (4 * MIB)

static struct pool_rig rig;
static struct volume *from;

static void open_rig(enum rig_engine engine, bool by_hand)
{
    struct pool_rig_options o = {.engine = engine,
                                 .lane_count = 1,
                                 .pool_bytes = 64 * MIB,
                                 .by_hand = by_hand,
                                 .seed = 3};
    pool_rig_create(&rig, &o);
    from = pool_rig_volume(&rig, "from", VOLUME_BYTES, 512);
    assert_int_equal(rig_write(&rig, from, 0, MIB, 1), 0);
    assert_int_equal(rig_write(&rig, from, 2 * MIB + 512, 512, 2), 0);
}

static int setup(void **state)
{
    (void)state;
    open_rig(RIG_FAKE, false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

static bool is_over(void *arg)
{
    struct job_info info;
    job_describe(arg, &info);
    return strcmp(info.state, "running") != 0;
}

static struct job_info end_of(struct job *job)
{
    struct job_info info;
    pool_rig_until(&rig, is_over, job);
    job_describe(job, &info);
    return info;
}

static struct job_info copy(const struct volume_copy_spec *spec)
{
    struct job *job;
    struct err e = {.text = ""};
    assert_int_equal(rig_volume_copy(&rig, "from", spec, &job, &e), 0);
    return end_of(job);
}

static struct volume *find(const char *name)
{
    struct volume *v = volume_find(rig.manager, name);
    assert_non_null(v);
    return v;
}

/* What `from` held at first. */
static void assert_copied(struct volume *v)
{
    assert_true(rig_reads(&rig, v, 0, MIB, 1));
    assert_true(rig_reads(&rig, v, MIB, MIB + 512, 0));
    assert_true(rig_reads(&rig, v, 2 * MIB + 512, 512, 2));
    assert_true(rig_reads(&rig, v, 2 * MIB + 1024, VOLUME_BYTES - 2 * MIB - 1024, 0));
}

/* Nothing that it needed is left. */
static void assert_tidy(void)
{
    assert_null(snapshot_next(rig.manager, NULL));
    pool_rig_settle(&rig);
    rig_assert_sound(&rig);
}

static void make_pool_q(void)
{
    struct pool *q;
    char path[300];
    snprintf(path, sizeof(path), "%s/q", rig.dir);
    assert_int_equal(pool_rig_make_pool(&rig, "q", path, 16 * MIB, &q, NULL), 0);
}

/* ---- Each way ---------------------------------------------------------------------- */

static void a_new_volume_of_the_pool_takes_no_space(void **state)
{
    (void)state;
    struct volume_copy_spec spec = {.name = "to"};
    uint64_t before = pool_free_extents(rig.pool);
    struct job_info info = copy(&spec);
    assert_string_equal(info.state, "done");
    assert_string_equal(info.outcome, "copied_bytes=4194304\nshared_bytes=4194304\n");
    assert_copied(find("to"));
    assert_int_equal(pool_free_extents(rig.pool), before);
    assert_int_equal(rig_write(&rig, from, 0, MIB, 9), 0);
    assert_int_equal(rig_write(&rig, find("to"), MIB, MIB, 8), 0);
    assert_true(rig_reads(&rig, find("to"), 0, MIB, 1));
    assert_true(rig_reads(&rig, from, MIB, MIB, 0));
    assert_tidy();
}

static void into_another_pool_it_is_moved(void **state)
{
    (void)state;
    make_pool_q();
    struct volume_copy_spec spec = {.name = "to", .pool = "q"};
    struct job_info info = copy(&spec);
    assert_string_equal(info.state, "done");
    assert_string_equal(info.outcome, "copied_bytes=4194304\nshared_bytes=0\n");
    assert_copied(find("to"));
    assert_string_equal(volume_pool(find("to"))->name, "q");
    assert_tidy();
}

static void one_that_is_there_shares_the_extents(void **state)
{
    (void)state;
    struct volume *to = pool_rig_volume(&rig, "to", VOLUME_BYTES + MIB, 512);
    assert_int_equal(rig_write(&rig, to, 0, VOLUME_BYTES + MIB, 7), 0);
    struct volume_copy_spec spec = {.to = "to"};
    struct job_info info = copy(&spec);
    assert_string_equal(info.state, "done");
    assert_copied(to);
    assert_true(rig_reads(&rig, to, VOLUME_BYTES, MIB, 7));
    assert_tidy();
}

static void a_range_goes_where_it_is_wanted(void **state)
{
    (void)state;
    struct volume *to = pool_rig_volume(&rig, "to", VOLUME_BYTES, 512);
    struct volume_copy_spec spec = {
        .to = "to", .from_bytes = 2 * MIB, .length_bytes = 2048, .to_bytes = 512};
    assert_string_equal(copy(&spec).state, "done");
    assert_true(rig_reads(&rig, to, 0, 1024, 0));
    assert_true(rig_reads(&rig, to, 1024, 512, 2));
    assert_true(rig_reads(&rig, to, 1536, MIB, 0));
    spec =
        (struct volume_copy_spec){.to = "from", .length_bytes = MIB, .to_bytes = 3 * MIB};
    assert_string_equal(copy(&spec).state, "done");
    assert_true(rig_reads(&rig, from, 3 * MIB, MIB, 1));
    assert_tidy();
}

static void a_snapshot_is_copied_as_it_was(void **state)
{
    (void)state;
    assert_int_equal(rig_snapshot(&rig, "from", "s", NULL, NULL), 0);
    assert_int_equal(rig_write(&rig, from, 0, VOLUME_BYTES, 5), 0);
    struct volume_copy_spec spec = {.name = "to", .snapshot = "s"};
    assert_string_equal(copy(&spec).state, "done");
    assert_copied(find("to"));
    pool_rig_volume(&rig, "old", VOLUME_BYTES, 512);
    spec = (struct volume_copy_spec){.to = "old", .snapshot = "from/s"};
    assert_string_equal(copy(&spec).state, "done");
    assert_copied(find("old"));
    assert_non_null(snapshot_find(rig.manager, "from/s")); /* it is not ours */
    rig_assert_sound(&rig);
}

/* ---- Of one moment, and the end ---------------------------------------------------- */

static void hold_reads(struct pool_rig *r, void *arg)
{
    (void)arg;
    fake_engine_hold(r->home_fake, FAKE_READ);
}

static void let_reads_go(struct pool_rig *r, void *arg)
{
    (void)arg;
    fake_engine_hold(r->home_fake, 0);
    for (unsigned i = 0; fake_engine_let_go(r->home_fake, FAKE_READ, 0) && i < 64; i++)
        ;
}

static struct job *begin_far_copy(void)
{
    struct job *job;
    make_pool_q();
    pool_rig_at_home(&rig, hold_reads, NULL);
    struct volume_copy_spec spec = {.name = "to", .pool = "q"};
    assert_int_equal(rig_volume_copy(&rig, "from", &spec, &job, NULL), 0);
    while (volume_find(rig.manager, "to") == NULL)
        pool_rig_turn(&rig);
    return job;
}

static void it_is_of_one_moment(void **state)
{
    (void)state;
    struct job *job = begin_far_copy();
    assert_int_equal(rig_write(&rig, from, 0, VOLUME_BYTES, 9), 0);
    struct err e;
    assert_int_equal(pool_rig_delete_volume(&rig, "from", &e), -EBUSY);
    struct volume_change smaller = {.size_bytes = MIB, .allow_data_loss = true};
    while (find("to")->pin_count == 0)
        pool_rig_turn(&rig);
    assert_int_equal(rig_change(&rig, "to", &smaller, &e), -EBUSY);
    pool_rig_at_home(&rig, let_reads_go, NULL);
    assert_string_equal(end_of(job).state, "done");
    assert_copied(find("to"));
    assert_tidy();
}

static void a_cancelled_one_leaves_nothing(void **state)
{
    (void)state;
    struct job_info info;
    struct job *job = begin_far_copy();
    job_describe(job, &info);
    assert_int_equal(rig_job_cancel(&rig, info.id, NULL), 0);
    pool_rig_at_home(&rig, let_reads_go, NULL);
    info = end_of(job);
    assert_string_equal(info.state, "cancelled");
    assert_null(volume_find(rig.manager, "to"));
    assert_tidy();
}

static void fail_reads(struct pool_rig *r, void *arg)
{
    fake_engine_fail(r->home_fake, FAKE_READ, *(unsigned *)arg, -EIO, false);
}

static void a_failed_one_leaves_nothing(void **state)
{
    (void)state;
    unsigned nth = 1;
    make_pool_q();
    pool_rig_at_home(&rig, fail_reads, &nth);
    struct volume_copy_spec spec = {.name = "to", .pool = "q"};
    struct job_info info = copy(&spec);
    assert_string_equal(info.state, "failed");
    assert_non_null(strstr(info.error, "disk"));
    assert_null(volume_find(rig.manager, "to"));
    assert_tidy();
}

static void what_finds_no_space_says_so(void **state)
{
    (void)state;
    struct pool *q;
    char path[300];
    snprintf(path, sizeof(path), "%s/q", rig.dir);
    assert_int_equal(pool_rig_make_pool(&rig, "q", path, MIB, &q, NULL), 0);
    struct volume_copy_spec spec = {.name = "to", .pool = "q"};
    struct job_info info = copy(&spec);
    assert_string_equal(info.state, "failed");
    assert_string_equal(info.error, "the pool is full");
    assert_null(volume_find(rig.manager, "to"));
    assert_tidy();
}

/* ---- A restart --------------------------------------------------------------------- */

/* The mains fall so many turns after the job was answered. False: it was over. */
static bool cut_after(unsigned turns, const struct volume_copy_spec *spec)
{
    struct job *job;
    assert_int_equal(rig_volume_copy(&rig, "from", spec, &job, NULL), 0);
    for (unsigned i = 0; i < turns; i++)
        pool_rig_step(&rig);
    bool ended = is_over(job);
    pool_rig_cut(&rig);
    pool_rig_reopen_cut(&rig);
    from = find("from");
    job = job_next(rig.manager, NULL);
    assert_string_equal(end_of(job).state, "done");
    assert_copied(find("to"));
    assert_tidy();
    return !ended;
}

static void a_restart_goes_on_with(const struct volume_copy_spec *spec, bool there)
{
    bool more = true;
    for (unsigned turns = 0; more; turns += 1 + turns / 4) {
        pool_rig_destroy(&rig);
        open_rig(RIG_CUT, true);
        if (there)
            pool_rig_volume(&rig, "to", VOLUME_BYTES, 512);
        assert_int_equal(rig_flush(&rig, from), 0);
        more = cut_after(turns, spec);
        assert_true(turns < 100000);
    }
}

static void a_restart_goes_on_with_a_new_volume(void **state)
{
    (void)state;
    const struct volume_copy_spec spec = {.name = "to"};
    a_restart_goes_on_with(&spec, false);
}

static void a_restart_goes_on_with_one_that_is_there(void **state)
{
    (void)state;
    const struct volume_copy_spec spec = {.to = "to"};
    a_restart_goes_on_with(&spec, true);
}

/* ---- What is refused --------------------------------------------------------------- */

static void assert_refused(const struct volume_copy_spec *spec, int code,
                           const char *field)
{
    struct job *job;
    struct err e = {.text = ""};
    assert_int_equal(rig_volume_copy(&rig, "from", spec, &job, &e), code);
    assert_string_equal(e.field, field);
    assert_null(job);
}

static void what_cannot_be_is_refused_by_its_member(void **state)
{
    (void)state;
    struct volume *v4k = pool_rig_volume(&rig, "v4k", VOLUME_BYTES, 4096);
    struct volume *small = pool_rig_volume(&rig, "small", MIB, 512);
    struct volume *kept = pool_rig_volume(&rig, "kept", VOLUME_BYTES, 512);
    bool yes = true;
    struct volume_change protect = {.is_protected = &yes};
    assert_int_equal(rig_change(&rig, "kept", &protect, NULL), 0);
    (void)v4k;
    (void)small;
    (void)kept;
    const struct {
        struct volume_copy_spec spec;
        int code;
        const char *field;
    } cases[] = {
        {{.name = "small"}, -EEXIST, "name"},
        {{.name = "a/b"}, -EINVAL, "name"},
        {{.name = "n", .pool = "nope"}, -ENOENT, "pool"},
        {{.name = "n", .snapshot = "nope"}, -ENOENT, "snapshot"},
        {{.to = "nope"}, -ENOENT, "to"},
        {{.to = "v4k"}, -EINVAL, "to"},
        {{.to = "small"}, -EINVAL, "to"},
        {{.to = "kept"}, -EBUSY, "to"},
        {{.to = "from"}, -EINVAL, "to_offset"},
        {{.to = "small", .from_bytes = 100, .length_bytes = 512}, -EINVAL, "offset"},
        {{.to = "small", .length_bytes = 700}, -EINVAL, "length"},
        {{.to = "small", .length_bytes = 512, .to_bytes = 8}, -EINVAL, "to_offset"},
        {{.to = "small", .from_bytes = VOLUME_BYTES, .length_bytes = 512},
         -EINVAL,
         "length"},
        {{.to = "small", .length_bytes = 512, .to_bytes = MIB}, -EINVAL, "to"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_refused(&cases[i].spec, cases[i].code, cases[i].field);
    assert_null(job_next(rig.manager, NULL));
}

#define COPY_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COPY_TEST(a_new_volume_of_the_pool_takes_no_space),
        COPY_TEST(into_another_pool_it_is_moved),
        COPY_TEST(one_that_is_there_shares_the_extents),
        COPY_TEST(a_range_goes_where_it_is_wanted),
        COPY_TEST(a_snapshot_is_copied_as_it_was),
        COPY_TEST(it_is_of_one_moment),
        COPY_TEST(a_cancelled_one_leaves_nothing),
        COPY_TEST(a_failed_one_leaves_nothing),
        COPY_TEST(what_finds_no_space_says_so),
        COPY_TEST(a_restart_goes_on_with_a_new_volume),
        COPY_TEST(a_restart_goes_on_with_one_that_is_there),
        COPY_TEST(what_cannot_be_is_refused_by_its_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
