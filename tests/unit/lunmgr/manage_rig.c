/* SPDX-License-Identifier: Apache-2.0 */
/* The rig, and the answers. */
#include "tests/unit/lunmgr/manage_rig.h"

struct pool_rig rig;

int manage_setup(void **state)
{
    (void)state;
    struct pool_rig_options options = {
        .engine = RIG_FAKE, .lane_count = 1, .pool_bytes = 16 * MIB};
    pool_rig_create(&rig, &options);
    return 0;
}

int manage_teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

static void take(struct answer *a, void *object, const struct err *e)
{
    assert_false(a->came);
    assert_true((object == NULL) || e == NULL);
    a->came = true;
    a->object = object;
    if (e != NULL)
        a->err = *e;
}

void on_volume(void *arg, struct volume *v, const struct err *e)
{
    take(arg, v, e);
}

void on_host(void *arg, struct host *h, const struct err *e)
{
    take(arg, h, e);
}

void on_mapping(void *arg, struct mapping *m, const struct err *e)
{
    take(arg, m, e);
}

void on_token(void *arg, struct token *t, const struct err *e)
{
    take(arg, t, e);
}

void on_pool(void *arg, struct pool *p, const struct err *e)
{
    take(arg, p, e);
}

void on_done(void *arg, const struct err *e)
{
    take(arg, NULL, e);
}

void on_job(void *arg, struct job *job, const struct err *e)
{
    assert_true((job == NULL) != (e == NULL));
    take(arg, job, e);
}

static bool job_ended(void *arg)
{
    struct job_info info;
    job_describe(arg, &info);
    return info.ended_s != 0;
}

const char *end_of_job(struct job *job)
{
    struct job_info info;
    pool_rig_until(&rig, job_ended, job);
    job_describe(job, &info);
    return info.state;
}

static bool came(void *arg)
{
    return ((struct answer *)arg)->came;
}

int wait_for(struct answer *a)
{
    pool_rig_until(&rig, came, a);
    return a->err.code;
}

void assert_refused(const struct answer *a, int code, const char *field)
{
    assert_int_equal(a->err.code, code);
    assert_string_equal(a->err.field, field);
    assert_true(a->err.text[0] != '\0');
    assert_null(a->object);
}

struct answer make_host(const char *name, const char *const *initiators, size_t count)
{
    struct answer a = {.came = false};
    struct host_spec spec = {
        .name = name, .initiators = initiators, .initiator_count = count};
    host_create(rig.manager, &spec, on_host, &a);
    assert_false(a.came);
    wait_for(&a);
    return a;
}

struct answer make_host_of(const char *name, const char *initiator)
{
    return make_host(name, &initiator, 1);
}

struct answer delete_host(const char *name)
{
    struct answer a = {.came = false};
    host_delete(rig.manager, name, on_done, &a);
    assert_false(a.came);
    wait_for(&a);
    return a;
}

struct answer map(const char *volume, const char *host, uint16_t lun)
{
    struct answer a = {.came = false};
    struct mapping_spec spec = {.volume = volume, .host = host, .lun = lun};
    mapping_create(rig.manager, &spec, on_mapping, &a);
    assert_false(a.came);
    wait_for(&a);
    return a;
}

struct answer unmap(const char *id_or_pair)
{
    struct answer a = {.came = false};
    mapping_delete(rig.manager, id_or_pair, on_done, &a);
    assert_false(a.came);
    wait_for(&a);
    return a;
}

uint16_t lun_of(const struct answer *a)
{
    struct mapping_info info;
    assert_int_equal(a->err.code, 0);
    mapping_describe(a->object, &info);
    return info.lun;
}

void restart(void)
{
    pool_rig_reopen(&rig);
}
