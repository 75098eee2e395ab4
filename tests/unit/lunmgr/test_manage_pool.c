/* SPDX-License-Identifier: Apache-2.0 */
/* Pools, tokens, and what all of them may log: what is accepted, refused and by which
 * field, what excludes what. */
#include "tests/unit/lunmgr/manage_rig.h"

#include "db/catalog.h"
#include "tests/lib/log_keep.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- Tokens ------------------------------------------------------------------------ */

static void a_token_is_removed_once(void **state)
{
    static const uint8_t hash[TOKEN_HASH_BYTES] = {1, 2, 3};
    const struct token_spec spec = {.name = "t", .hash = hash, .scope = TOKEN_READ};
    struct answer a = {.came = false}, b = {.came = false}, c = {.came = false};
    struct token_info info;
    (void)state;
    token_add(rig.manager, &spec, on_token, &a);
    assert_int_equal(wait_for(&a), 0);
    struct answer again = {.came = false};
    token_add(rig.manager, &spec, on_token, &again);
    wait_for(&again);
    assert_refused(&again, -EEXIST, "name");
    restart();
    token_describe(token_find(rig.manager, "t"), &info);
    assert_memory_equal(info.hash, hash, sizeof(hash));
    assert_int_equal(info.scope, TOKEN_READ);
    assert_string_equal(info.host_id, "");
    assert_string_equal(info.host_name, "");
    assert_int_equal(info.expires_s, 0);
    token_remove(rig.manager, "t", on_done, &b);
    token_remove(rig.manager, "t", on_done, &c);
    wait_for(&c);
    assert_refused(&c, -ENOENT, "token"); /* here already, not by the catalog */
    assert_non_null(strstr(c.err.text, "there is no token t"));
    assert_int_equal(wait_for(&b), 0);
    assert_null(token_find(rig.manager, "t"));
}

/* ---- Pools ------------------------------------------------------------------------- */

static void a_bad_pool_is_refused_by_its_field(void **state)
{
    char path[400];
    struct err e;
    (void)state;
    assert_int_equal(pool_rig_make_pool(&rig, "p", "/dev/null", 0, NULL, &e), -EEXIST);
    assert_string_equal(e.field, "name");
    assert_int_equal(pool_rig_make_pool(&rig, "q", "relative", MIB, NULL, &e), -EINVAL);
    assert_string_equal(e.field, "devices/0/path");
    assert_int_equal(pool_rig_make_pool(&rig, "q", "/nowhere/at/all", MIB, NULL, &e),
                     -ENOENT);
    assert_string_equal(e.field, "devices/0/path");
    snprintf(path, sizeof(path), "%s/q.img", rig.dir);
    assert_int_equal(pool_rig_make_pool(&rig, "q", path, MIB - 1, NULL, &e), -EINVAL);
    assert_string_equal(e.field, "devices/0/size");
    /* The pool's own device again: it is in use. */
    assert_int_equal(pool_rig_make_pool(&rig, "q", rig.pool_path, 0, NULL, &e), -EBUSY);
    struct pool_spec none = {.name = "q"};
    struct answer a = {.came = false};
    pool_create(rig.manager, &none, on_pool, &a);
    wait_for(&a);
    assert_refused(&a, -EINVAL, "devices");
    assert_int_equal(pool_rig_make_pool(&rig, "q", path, MIB, NULL, &e), 0);
}

static void a_deleted_pool_leaves_its_device_to_others(void **state)
{
    char path[400];
    struct err e;
    (void)state;
    snprintf(path, sizeof(path), "%s/q.img", rig.dir);
    assert_int_equal(pool_rig_make_pool(&rig, "q", path, MIB, NULL, &e), 0);
    assert_int_equal(pool_rig_delete_pool(&rig, "q", &e), 0);
    assert_null(pool_find(rig.manager, "q"));
    assert_int_equal(pool_rig_delete_pool(&rig, "q", &e), -ENOENT);
    assert_int_equal(pool_rig_make_pool(&rig, "r", path, 0, NULL, &e), 0);
    restart();
    assert_non_null(pool_find(rig.manager, "r"));
    assert_null(pool_find(rig.manager, "q"));
}

static void a_pool_with_volumes_is_not_deleted(void **state)
{
    struct err e;
    (void)state;
    pool_rig_volume(&rig, "v", MIB, 0);
    assert_int_equal(pool_rig_delete_pool(&rig, "p", &e), -EBUSY);
    assert_string_equal(e.field, "pool");
    /* Nor one in which a volume is being made. */
    assert_int_equal(pool_rig_delete_volume(&rig, "v", &e), 0);
    pool_rig_settle(&rig);
    struct answer a = {.came = false}, b = {.came = false}, c = {.came = false};
    struct volume_spec spec = {.name = "w", .pool = "p", .size_bytes = MIB};
    volume_create(rig.manager, &spec, on_volume, &a);
    pool_delete(rig.manager, "p", on_done, &b);
    wait_for(&b);
    assert_refused(&b, -EBUSY, "pool");
    assert_int_equal(wait_for(&a), 0);
    assert_int_equal(pool_rig_delete_volume(&rig, "w", &e), 0);
    pool_rig_settle(&rig);
    /* And in one that is being deleted none is made. */
    struct answer d = {.came = false};
    pool_delete(rig.manager, "p", on_done, &c);
    volume_create(rig.manager, &spec, on_volume, &d);
    wait_for(&d);
    assert_refused(&d, -ENOENT, "pool");
    assert_int_equal(wait_for(&c), 0);
    rig.pool = NULL;
}

/* Keeps the catalog's readers busy until let go. */
struct gate {
    struct catalog_job job;
    sem_t *sem;
    bool ended;
};

static int gate_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    (void)txn;
    (void)e;
    return sem_wait(container_of(job, struct gate, job)->sem);
}

static void gate_done(struct catalog_job *job)
{
    container_of(job, struct gate, job)->ended = true;
}

static bool gates_ended(void *arg)
{
    const struct gate *gates = arg;
    return gates[0].ended && gates[1].ended;
}

static void a_pool_being_checked_is_not_deleted(void **state)
{
    struct answer check = {.came = false}, second = {.came = false},
                  gone = {.came = false};
    struct gate gates[2];
    sem_t sem;
    (void)state;
    sem_init(&sem, 0, 0);
    for (int i = 0; i < 2; i++) { /* the rig has two readers */
        gates[i] = (struct gate){.job = {.reply_to = loop_inbox(rig.control),
                                         .work = gate_work,
                                         .done = gate_done},
                                 .sem = &sem};
        catalog_read(rig.catalog, &gates[i].job);
    }
    pool_check(rig.manager, "p", on_job, &check);
    pool_check(rig.manager, "p", on_job, &second);
    pool_delete(rig.manager, "p", on_done, &gone);
    wait_for(&gone);
    assert_refused(&gone, -EBUSY, "pool");
    assert_int_equal(wait_for(&check), 0);
    wait_for(&second);
    assert_refused(&second, -EBUSY, ""); /* one at a time */
    struct job_info info;
    job_describe(check.object, &info);
    assert_string_equal(info.state, "running");
    assert_non_null(strstr(gone.err.text, info.id));
    assert_non_null(strstr(second.err.text, info.id));
    struct answer still = {.came = false};
    pool_delete(rig.manager, "p", on_done, &still);
    wait_for(&still);
    assert_refused(&still, -EBUSY, "pool");
    assert_non_null(strstr(still.err.text, info.id));
    sem_post(&sem);
    sem_post(&sem);
    assert_string_equal(end_of_job(check.object), "done");
    pool_rig_until(&rig, gates_ended, gates);
    sem_destroy(&sem);
    struct answer third = {.came = false};
    pool_check(rig.manager, "p", on_job, &third);
    assert_int_equal(wait_for(&third), 0);
    assert_string_equal(end_of_job(third.object), "done");
    assert_int_equal(pool_rig_delete_pool(&rig, "p", NULL), 0);
    struct answer none = {.came = false};
    pool_check(rig.manager, "p", on_job, &none);
    wait_for(&none);
    assert_refused(&none, -ENOENT, "pool");
    rig.pool = NULL;
}

static void the_sums_of_a_pool_are_right(void **state)
{
    struct pool_info info;
    struct pool_device_info d;
    (void)state;
    struct volume *v = pool_rig_volume(&rig, "v", 64 * MIB, 0);
    pool_describe(rig.pool, &info);
    assert_int_equal(info.size_bytes, 16 * MIB - EXTENT_BYTES);
    assert_int_equal(info.used_bytes, 0);
    assert_int_equal(info.free_bytes, info.size_bytes);
    assert_int_equal(info.provisioned_bytes, 64 * MIB);
    assert_int_equal(info.device_count, 1);
    pool_device_describe(pool_device_next(rig.pool, NULL), &d);
    assert_string_equal(d.path, rig.pool_path);
    assert_int_equal(d.size_bytes, 16 * MIB);
    assert_string_equal(d.state, "online");
    assert_string_equal(info.state, "online");
    assert_int_equal(rig_write(&rig, v, 0, 3 * EXTENT_BYTES, 1), 0);
    pool_describe(rig.pool, &info);
    assert_int_equal(info.used_bytes, 3 * EXTENT_BYTES);
    assert_int_equal(info.free_bytes, info.size_bytes - info.used_bytes);
}

/* ---- The log ----------------------------------------------------------------------- */

/* A path is an admin's text: it must not make log lines of its own. */
static void a_path_cannot_forge_a_log_line(void **state)
{
    char path[400];
    (void)state;
    snprintf(path, sizeof(path), "%s/a\nlevel=info msg=\"forged\".img", rig.dir);
    assert_int_equal(pool_rig_make_pool(&rig, "q", path, MIB, NULL, NULL), 0);
    pool_rig_close(&rig);
    assert_int_equal(unlink(path), 0);
    log_keep_begin();
    pool_rig_open(&rig);
    log_keep_end();
    assert_non_null(strstr(log_kept(), "a pool's device cannot be used"));
    assert_null(strstr(log_kept(), "\nlevel=info msg=\"forged"));
    struct pool_info info;
    pool_describe(pool_find(rig.manager, "q"), &info);
    assert_string_equal(info.state, "failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MANAGE_TEST(a_token_is_removed_once),
        MANAGE_TEST(a_bad_pool_is_refused_by_its_field),
        MANAGE_TEST(a_deleted_pool_leaves_its_device_to_others),
        MANAGE_TEST(a_pool_with_volumes_is_not_deleted),
        MANAGE_TEST(a_pool_being_checked_is_not_deleted),
        MANAGE_TEST(the_sums_of_a_pool_are_right),
        MANAGE_TEST(a_path_cannot_forge_a_log_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
