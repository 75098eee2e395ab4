/* SPDX-License-Identifier: Apache-2.0 */
/* Dry runs: each answers what the change would be answered, and changes nothing. */
#include "tests/unit/lunmgr/record_cases.h"

#include "base/digest.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DRY_TEST(name) cmocka_unit_test_setup_teardown(name, cases_setup, cases_teardown)

/* ---- Nothing is told ------------------------------------------------------------- */

static unsigned told;

static void on_access(void *arg, uint64_t ticket)
{
    (void)arg;
    (void)ticket;
    told++;
}

static void on_change(void *arg, const struct volume *volume, enum volume_event event,
                      uint64_t ticket)
{
    (void)arg;
    (void)volume;
    (void)event;
    (void)ticket;
    told++;
}

static void set_listening(bool on)
{
    const struct lunmgr_events events = {.access_changed = on ? on_access : NULL,
                                         .volume_changed = on ? on_change : NULL};
    lunmgr_set_events(rig.manager, &events);
}

/* ---- Nothing is changed ---------------------------------------------------------- */

struct state {
    uint8_t catalog[DIGEST_BYTES];
    size_t pools, hosts, mappings, tokens, volumes, snapshots, trash;
    struct pool_info pool;
    struct volume_info v, w;
};

static void state_take(struct state *s)
{
    const struct lunmgr *m = rig.manager;
    memset(s, 0, sizeof(*s));
    catalog_sum(s->catalog);
    s->pools = m->pools.count;
    s->hosts = m->hosts.count;
    s->mappings = m->mappings.count;
    s->tokens = m->tokens.count;
    s->volumes = m->volumes.count;
    s->snapshots = m->snapshots.count;
    s->trash = m->trash.count;
    pool_describe(rig.pool, &s->pool);
    volume_describe(volume_find(rig.manager, "v"), &s->v);
    volume_describe(volume_find(rig.manager, "w"), &s->w);
}

static void assert_same_volume(const struct volume_info *a, const struct volume_info *b)
{
    assert_string_equal(a->id, b->id);
    assert_int_equal(a->size_bytes, b->size_bytes);
    assert_int_equal(a->allocated_bytes, b->allocated_bytes);
    assert_int_equal(a->mapping_count, b->mapping_count);
    assert_int_equal(a->snapshot_count, b->snapshot_count);
    assert_ptr_equal(a->labels.labels, b->labels.labels);
}

static void assert_same(const struct state *a, const struct state *b)
{
    assert_memory_equal(a->catalog, b->catalog, sizeof(a->catalog));
    assert_int_equal(a->pools, b->pools);
    assert_int_equal(a->hosts, b->hosts);
    assert_int_equal(a->mappings, b->mappings);
    assert_int_equal(a->tokens, b->tokens);
    assert_int_equal(a->volumes, b->volumes);
    assert_int_equal(a->snapshots, b->snapshots);
    assert_int_equal(a->trash, b->trash);
    assert_int_equal(a->pool.volume_count, b->pool.volume_count);
    assert_int_equal(a->pool.provisioned_bytes, b->pool.provisioned_bytes);
    assert_int_equal(a->pool.used_bytes, b->pool.used_bytes);
    assert_same_volume(&a->v, &b->v);
    assert_same_volume(&a->w, &b->w);
}

/* Twice, so that the first leaves nothing that would be in the way of the second; then
 * the change itself. */
static void a_dry_run_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < change_case_count; i++) {
        const struct change_case *c = &change_cases[i];
        struct state before, after;
        struct answer a;
        print_message("%s\n", c->operation);
        cases_setup(NULL);
        state_take(&before);
        set_listening(true);
        for (int n = 0; n < 2; n++) {
            record_next(c->operation, "key", true);
            a = ask(c->ask);
            assert_int_equal(a.err.code, 0);
            assert_null(a.object);
        }
        set_listening(false);
        assert_int_equal(told, 0);
        state_take(&after);
        assert_same(&before, &after);
        record_next(c->operation, "key", false);
        a = ask(c->ask);
        assert_int_equal(a.err.code, 0);
        catalog_sum(after.catalog);
        assert_memory_not_equal(before.catalog, after.catalog, sizeof(before.catalog));
        cases_teardown(NULL);
    }
}

static void a_dry_run_is_refused_as_the_change_is(void **state)
{
    struct state before, after;
    (void)state;
    state_take(&before);
    for (size_t i = 0; i < refusal_count; i++) {
        const struct refusal *r = &refusals[i];
        for (int dry = 1; dry >= 0; dry--) {
            print_message("%s: %s\n", r->operation, r->field);
            record_next(r->operation, "key", dry);
            struct answer a = ask(r->ask);
            assert_refused(&a, r->code, r->field);
        }
    }
    state_take(&after);
    assert_same(&before, &after);
}

static void a_dry_run_knows_a_key_that_was_used(void **state)
{
    const struct record r = {.principal = "token:ci", .key = "key"};
    struct answer a = {.came = false};
    (void)state;
    record_write(rig.manager, &r, on_done, &a);
    assert_int_equal(wait_for(&a), 0);
    for (size_t i = 0; i < change_case_count; i++) {
        record_next(change_cases[i].operation, "key", true);
        a = ask(change_cases[i].ask);
        print_message("%s\n", change_cases[i].operation);
        assert_refused(&a, -EEXIST, "idempotency_key");
    }
}

/* Whoever asks for it meanwhile may be told to wait, never that it is not there. */
static void what_a_dry_run_looks_at_is_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < change_case_count; i++) {
        const struct change_case *c = &change_cases[i];
        struct answer dry = {.came = false}, real = {.came = false};
        print_message("%s\n", c->operation);
        cases_setup(NULL);
        record_next(c->operation, "", true);
        c->ask(&dry);
        record_next(c->operation, "", false);
        c->ask(&real);
        wait_for(&real);
        int rc = wait_for(&dry); /* it may find the device in the real one's hands */
        assert_true(rc == 0 || rc == -EBUSY);
        assert_int_not_equal(real.err.code, -ENOENT);
        if (real.err.code != 0) {
            record_next(c->operation, "", false);
            real = ask(c->ask);
            assert_int_equal(real.err.code, 0);
        }
        cases_teardown(NULL);
    }
}

/* ---- Devices --------------------------------------------------------------------- */

static struct answer try_pool(const char *path, uint64_t bytes, bool dry_run)
{
    const struct pool_device_spec device = {.path = path, .size_bytes = bytes};
    const struct pool_spec spec = {.name = "n", .devices = &device, .device_count = 1};
    struct answer a = {.came = false};
    record_next("pool_create", "", dry_run);
    pool_create(rig.manager, &spec, on_pool, &a);
    wait_for(&a);
    return a;
}

static void no_file_is_made_and_none_is_written(void **state)
{
    static uint8_t bytes[MIB];
    char path[400];
    (void)state;
    snprintf(path, sizeof(path), "%s/n.img", rig.dir);
    struct answer a = try_pool(path, MIB, true);
    assert_int_equal(a.err.code, 0);
    assert_int_equal(access(path, F_OK), -1);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    memset(bytes, 0x5a, sizeof(bytes));
    assert_int_equal(fwrite(bytes, 1, MIB, f), MIB);
    fclose(f);
    a = try_pool(path, 2 * MIB, true);
    assert_refused(&a, -EEXIST, "devices/0/size");
    a = try_pool(path, 0, true);
    assert_int_equal(a.err.code, 0);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fread(bytes, 1, MIB, f), MIB);
    fclose(f);
    for (size_t i = 0; i < MIB; i++)
        assert_int_equal(bytes[i], 0x5a);
    a = try_pool(path, 0, false); /* nor is it locked */
    assert_int_equal(a.err.code, 0);
}

static void a_snapshot_of_a_failed_pool_is_refused(void **state)
{
    (void)state;
    device_fail(pool_slot(rig.pool, 1), "test", EIO);
    for (size_t i = 0; i < change_case_count; i++) {
        const char *operation = change_cases[i].operation;
        if (strcmp(operation, "snapshot_create") != 0 &&
            strcmp(operation, "volume_rollback") != 0)
            continue;
        record_next(operation, "", true);
        struct answer a = ask(change_cases[i].ask);
        assert_refused(&a, -EIO, "");
    }
}

static unsigned two_sessions(void *arg, const struct volume *volume)
{
    (void)arg;
    (void)volume;
    return 2;
}

static void a_rollback_under_sessions_is_refused(void **state)
{
    const struct lunmgr_events events = {.volume_sessions = two_sessions};
    const struct rollback_spec spec = {.snapshot = "s"};
    struct answer a = {.came = false};
    (void)state;
    lunmgr_set_events(rig.manager, &events);
    record_next("volume_rollback", "", true);
    volume_rollback(rig.manager, "v", &spec, on_volume, &a);
    wait_for(&a);
    assert_refused(&a, -EBUSY, "fence");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dry_run_changes_nothing),
        DRY_TEST(a_dry_run_is_refused_as_the_change_is),
        DRY_TEST(a_dry_run_knows_a_key_that_was_used),
        cmocka_unit_test(what_a_dry_run_looks_at_is_there),
        DRY_TEST(no_file_is_made_and_none_is_written),
        DRY_TEST(a_snapshot_of_a_failed_pool_is_refused),
        DRY_TEST(a_rollback_under_sessions_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
