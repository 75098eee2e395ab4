/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots, clones, rollbacks, changes and the trash: what they hold, what they refuse,
 * and that a restart finds them as they were. */
#include "tests/lib/rig_manage.h"

#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VOLUME_MIB 4

static struct pool_rig rig;

static int setup(void **state)
{
    (void)state;
    struct pool_rig_options o = {
        .engine = RIG_THREADS, .lane_count = 2, .pool_bytes = 64 * MIB};
    pool_rig_create(&rig, &o);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

static struct volume *make(const char *name)
{
    return pool_rig_volume(&rig, name, VOLUME_MIB * MIB, 512);
}

static struct volume *snap(const char *volume, const char *name)
{
    struct volume *s = NULL;
    struct err e;
    assert_int_equal(rig_snapshot(&rig, volume, name, &s, &e), 0);
    assert_non_null(s);
    return s;
}

static void restart(void)
{
    pool_rig_close(&rig);
    pool_rig_open(&rig);
}

static void assert_sound(void)
{
    struct pool_check_report report;
    pool_rig_settle(&rig);
    assert_int_equal(pool_rig_check(&rig, &report, NULL), 0);
    assert_int_equal(report.double_extents, 0);
    assert_int_equal(report.lost_extents, 0);
    assert_int_equal(report.leaked_extents, 0);
}

/* ---- Snapshots ------------------------------------------------------------------- */

static void a_snapshot_keeps_what_its_volume_had(void **state)
{
    (void)state;
    struct volume *v = make("v");
    assert_int_equal(rig_write(&rig, v, 0, MIB, 1), 0);
    struct volume *s = snap("v", "one");
    assert_int_equal(rig_write(&rig, v, 4096, 8192, 2), 0);
    assert_int_equal(rig_write(&rig, v, 2 * MIB, 512, 3), 0);
    assert_true(rig_reads(&rig, s, 0, MIB, 1));
    assert_true(rig_reads(&rig, s, 2 * MIB, 4096, 0));
    assert_true(rig_reads(&rig, v, 0, 4096, 1));
    assert_true(rig_reads(&rig, v, 4096, 8192, 2));
    assert_true(rig_reads(&rig, v, 12288, MIB - 12288, 1));
    assert_true(rig_reads(&rig, v, 2 * MIB, 512, 3));
    assert_true(rig_reads(&rig, v, 2 * MIB + 512, 4096 - 512, 0));
    restart();
    s = snapshot_find(rig.manager, "v/one");
    v = volume_find(rig.manager, "v");
    assert_non_null(s);
    assert_true(rig_reads(&rig, s, 0, MIB, 1));
    assert_true(rig_reads(&rig, v, 4096, 8192, 2));
    assert_sound();
}

static void volumes_are_sealed_at_one_instant(void **state)
{
    (void)state;
    static const char *const names[] = {"b", "a", "c"};
    struct volume *v[3], *s[3];
    for (int i = 0; i < 3; i++) {
        v[i] = make(names[i]);
        assert_int_equal(rig_write(&rig, v[i], 0, 4096, (uint8_t)(i + 1)), 0);
    }
    assert_int_equal(rig_snapshot_all(&rig, names, 3, "all", s, NULL), 0);
    struct snapshot_info first, info;
    snapshot_describe(s[0], &first);
    assert_string_not_equal(first.group_id, "");
    for (int i = 0; i < 3; i++) {
        snapshot_describe(s[i], &info);
        assert_string_equal(info.volume_name, names[i]);
        assert_string_equal(info.group_id, first.group_id);
        assert_true(rig_reads(&rig, s[i], 0, 4096, (uint8_t)(i + 1)));
    }
}

static void what_cannot_be_sealed_is_refused_whole(void **state)
{
    (void)state;
    make("a");
    make("b");
    snap("b", "s");
    struct err e;
    static const char *const twice[] = {"a", "a"};
    assert_int_equal(rig_snapshot_all(&rig, twice, 2, "t", NULL, &e), -EINVAL);
    assert_string_equal(e.field, "volumes/1");
    static const char *const gone[] = {"a", "x"};
    assert_int_equal(rig_snapshot_all(&rig, gone, 2, "t", NULL, &e), -ENOENT);
    assert_string_equal(e.field, "volumes/1");
    static const char *const taken[] = {"a", "b"};
    assert_int_equal(rig_snapshot_all(&rig, taken, 2, "s", NULL, &e), -EEXIST);
    assert_string_equal(e.field, "name");
    assert_null(snapshot_find(rig.manager, "a/s"));
    assert_int_equal(rig_snapshot(&rig, "a", "-", NULL, &e), -EINVAL);
    assert_int_equal(rig_snapshot(&rig, "a", "s", NULL, &e), 0);
}

static void a_deleted_snapshot_leaves_its_volume_as_it_was(void **state)
{
    (void)state;
    struct volume *v = make("v");
    assert_int_equal(rig_write(&rig, v, 0, MIB, 1), 0);
    snap("v", "one");
    assert_int_equal(rig_write(&rig, v, 0, 4096, 2), 0);
    snap("v", "two");
    assert_int_equal(rig_write(&rig, v, 8192, 4096, 3), 0);
    assert_int_equal(rig_snapshot_delete(&rig, "v/one", NULL), 0);
    assert_null(snapshot_find(rig.manager, "v/one"));
    assert_int_equal(rig_snapshot_delete(&rig, "v/one", NULL), -ENOENT);
    struct volume *two = snapshot_find(rig.manager, "v/two");
    assert_true(rig_reads(&rig, two, 0, 4096, 2));
    assert_true(rig_reads(&rig, two, 4096, MIB - 4096, 1));
    assert_true(rig_reads(&rig, v, 8192, 4096, 3));
    restart();
    v = volume_find(rig.manager, "v");
    assert_true(rig_reads(&rig, v, 0, 4096, 2));
    assert_true(rig_reads(&rig, v, 4096, 4096, 1));
    assert_true(rig_reads(&rig, v, 8192, 4096, 3));
    assert_sound();
}

static void count_layers(struct pool_rig *r, void *arg)
{
    unsigned *count = arg;
    *count = 0;
    for (const struct layer *l = r->pool->layers; l != NULL; l = l->next)
        ++*count;
}

static unsigned layer_count(void)
{
    unsigned count;
    pool_rig_settle(&rig);
    pool_rig_at_home(&rig, count_layers, &count);
    return count;
}

/* The older one's layer takes the place of the younger's, which goes: the sanitizers see
 * whether anybody still looks at it. */
static void a_snapshot_is_described_while_its_layer_goes(void **state)
{
    struct volume *v = make("v");
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct snapshot_info info;
        assert_int_equal(rig_write(&rig, v, 0, MIB, 1), 0);
        snap("v", "one");
        assert_int_equal(rig_write(&rig, v, 0, 4096, 2), 0);
        struct volume *two = snap("v", "two");
        assert_int_equal(rig_snapshot_delete(&rig, "v/one", NULL), 0);
        while (atomic_load(&rig.pool->background_count) > 0) {
            snapshot_describe(two, &info);
            pool_rig_step(&rig);
        }
        snapshot_describe(two, &info);
        assert_int_equal(info.allocated_bytes, MIB);
        assert_int_equal(rig_snapshot_delete(&rig, "v/two", NULL), 0);
        pool_rig_settle(&rig);
    }
    assert_sound();
}

/* A write, then a snapshot; eight times, each write beside and over parts of the others'.
 */
static void write_and_snap(struct volume *v, uint8_t *expect, int i)
{
    char name[8];
    uint64_t at = (uint64_t)i * 20 * 4096, bytes = (uint64_t)(i + 1) * 7 * 4096;
    assert_int_equal(rig_write(&rig, v, at, bytes, (uint8_t)(i + 1)), 0);
    memset(expect + at, i + 1, bytes);
    snprintf(name, sizeof(name), "s%d", i);
    snap("v", name);
}

static void assert_holds(struct volume *v, const uint8_t *expect, uint64_t bytes)
{
    uint8_t *data = malloc(bytes);
    assert_int_equal(rig_io_run(&rig, 0, v, VIO_READ, 0, bytes, data), 0);
    assert_memory_equal(data, expect, bytes);
    free(data);
}

/* order: in which the snapshots go. */
static void layers_merge_in_order(const int *order)
{
    static uint8_t expect[8][2 * MIB], now[2 * MIB];
    struct volume *v = make("v");
    char key[16];
    memset(now, 0, sizeof(now));
    for (int i = 0; i < 8; i++) {
        write_and_snap(v, now, i);
        memcpy(expect[i], now, sizeof(now));
    }
    for (int n = 0; n < 8; n++) {
        snprintf(key, sizeof(key), "v/s%d", order[n]);
        assert_int_equal(rig_snapshot_delete(&rig, key, NULL), 0);
        if (n % 3 == 2)
            restart();
        assert_int_equal(layer_count(), 8 - n);
        assert_holds(volume_find(rig.manager, "v"), now, sizeof(now));
        for (int left = n + 1; left < 8; left++) {
            snprintf(key, sizeof(key), "v/s%d", order[left]);
            assert_holds(snapshot_find(rig.manager, key), expect[order[left]],
                         sizeof(now));
        }
        assert_sound();
    }
}

static void snapshots_go_from_the_oldest(void **state)
{
    (void)state;
    layers_merge_in_order((const int[]){0, 1, 2, 3, 4, 5, 6, 7});
}

static void snapshots_go_from_the_youngest(void **state)
{
    (void)state;
    layers_merge_in_order((const int[]){7, 6, 5, 4, 3, 2, 1, 0});
}

static void snapshots_go_in_any_order(void **state)
{
    (void)state;
    layers_merge_in_order((const int[]){3, 6, 0, 5, 1, 7, 2, 4});
}

static void a_volume_goes_with_its_snapshots(void **state)
{
    (void)state;
    struct volume *v = make("v");
    for (int i = 0; i < 5; i++) {
        char name[8];
        assert_int_equal(rig_write(&rig, v, 0, 2 * MIB, (uint8_t)(i + 1)), 0);
        snprintf(name, sizeof(name), "s%d", i);
        snap("v", name);
    }
    struct pool_info info;
    assert_int_equal(pool_rig_delete_volume(&rig, "v", NULL), 0);
    assert_null(snapshot_next(rig.manager, NULL));
    pool_rig_settle(&rig);
    pool_describe(rig.pool, &info);
    assert_int_equal(info.used_bytes, 0);
    assert_sound();
}

/* ---- Clones ---------------------------------------------------------------------- */

static void a_clone_is_a_volume_of_its_own(void **state)
{
    (void)state;
    struct volume *v = make("v"), *c = NULL;
    struct err e;
    assert_int_equal(rig_write(&rig, v, 0, MIB, 1), 0);
    struct volume *s = snap("v", "s");
    assert_int_equal(rig_clone(&rig, "v/s", "c", 2 * VOLUME_MIB * MIB, &c, &e), 0);
    assert_int_equal(rig_write(&rig, c, 512, 512, 9), 0);
    assert_int_equal(rig_write(&rig, c, (VOLUME_MIB + 1) * MIB, 4096, 8), 0);
    assert_true(rig_reads(&rig, c, 0, 512, 1));
    assert_true(rig_reads(&rig, c, 512, 512, 9));
    assert_true(rig_reads(&rig, c, 1024, MIB - 1024, 1));
    assert_true(rig_reads(&rig, c, VOLUME_MIB * MIB, MIB, 0));
    assert_true(rig_reads(&rig, s, 0, MIB, 1));
    struct snapshot_info info;
    snapshot_describe(s, &info);
    assert_int_equal(info.clone_count, 1);
    assert_int_equal(rig_clone(&rig, "v/s", "d", MIB, NULL, &e), -EINVAL);
    assert_string_equal(e.field, "size");
    assert_int_equal(rig_clone(&rig, "v/x", "d", 0, NULL, &e), -ENOENT);
    assert_string_equal(e.field, "snapshot");
    assert_int_equal(pool_rig_delete_volume(&rig, "v", NULL), 0);
    restart();
    c = volume_find(rig.manager, "c");
    assert_true(rig_reads(&rig, c, 0, 512, 1));
    assert_true(rig_reads(&rig, c, 512, 512, 9));
    assert_true(rig_reads(&rig, c, 1024, MIB - 1024, 1));
    assert_sound();
}

static void expect_blocks_512_native(const char *snapshot)
{
    struct snapshot_info info;
    snapshot_describe(snapshot_find(rig.manager, snapshot), &info);
    assert_int_equal(info.block_bytes, 512);
    assert_int_equal(info.physical_bytes, 512);
}

static void block_sizes_go_with_snapshots_and_clones(void **state)
{
    (void)state;
    struct volume_spec spec = {
        .name = "v", .pool = "p", .size_bytes = MIB, .physical_bytes = 512};
    struct volume_spec clone = {.name = "d", .snapshot = "v/s", .physical_bytes = 4096};
    struct volume_info info;
    struct err e;
    assert_int_equal(rig_make(&rig, &spec, NULL, NULL), 0);
    snap("v", "s");
    assert_int_equal(rig_clone(&rig, "v/s", "c", 0, NULL, NULL), 0);
    assert_int_equal(rig_make(&rig, &clone, NULL, &e), -EINVAL);
    assert_string_equal(e.field, "physical_block_size");
    expect_blocks_512_native("v/s");
    restart();
    expect_blocks_512_native("v/s");
    volume_describe(volume_find(rig.manager, "c"), &info);
    assert_int_equal(info.block_bytes, 512);
    assert_int_equal(info.physical_bytes, 512);
}

/* ---- Rollback -------------------------------------------------------------------- */

static void a_rollback_brings_back_and_keeps(void **state)
{
    (void)state;
    struct volume *v = make("v");
    assert_int_equal(rig_write(&rig, v, 0, MIB, 1), 0);
    snap("v", "s");
    assert_int_equal(rig_write(&rig, v, 0, MIB, 2), 0);
    assert_int_equal(rig_rollback(&rig, "v", "s", "kept", NULL), 0);
    assert_true(rig_reads(&rig, v, 0, MIB, 1));
    assert_true(rig_reads(&rig, snapshot_find(rig.manager, "v/kept"), 0, MIB, 2));
    assert_int_equal(rig_write(&rig, v, 4096, 4096, 3), 0);
    assert_int_equal(rig_rollback(&rig, "v", "kept", NULL, NULL), 0);
    assert_true(rig_reads(&rig, v, 0, MIB, 2));
    struct err e;
    assert_int_equal(rig_rollback(&rig, "v", "nix", NULL, &e), -ENOENT);
    assert_string_equal(e.field, "snapshot");
    assert_int_equal(rig_rollback(&rig, "v", "s", "kept", &e), -EEXIST);
    assert_string_equal(e.field, "keep_name");
    restart();
    v = volume_find(rig.manager, "v");
    assert_true(rig_reads(&rig, v, 0, MIB, 2));
    assert_true(rig_reads(&rig, snapshot_find(rig.manager, "v/s"), 0, MIB, 1));
    assert_sound();
}

static unsigned two_sessions(void *arg, const struct volume *volume)
{
    (void)arg;
    (void)volume;
    return 2;
}

static int replaced;
static void on_changed(void *arg, const struct volume *volume, enum volume_event event,
                       uint64_t ticket)
{
    (void)arg;
    (void)volume;
    (void)ticket;
    replaced += event == VOLUME_REPLACED;
}

static void a_volume_in_use_is_rolled_back_fenced_only(void **state)
{
    (void)state;
    struct volume *v = make("v");
    struct lunmgr_events events = {.volume_sessions = two_sessions,
                                   .volume_changed = on_changed};
    struct err e;
    replaced = 0;
    lunmgr_set_events(rig.manager, &events);
    snap("v", "s");
    assert_int_equal(rig_write(&rig, v, 0, 4096, 2), 0);
    assert_int_equal(rig_rollback(&rig, "v", "s", NULL, &e), -EBUSY);
    assert_string_equal(e.field, "fence");
    assert_true(rig_reads(&rig, v, 0, 4096, 2));
    assert_int_equal(replaced, 0);
}

struct told {
    bool came;
    enum volume_event event;
    uint64_t ticket;
};

static void on_told(void *arg, const struct volume *volume, enum volume_event event,
                    uint64_t ticket)
{
    (void)volume;
    *(struct told *)arg = (struct told){true, event, ticket};
}

static bool told_came(void *arg)
{
    return ((struct told *)arg)->came;
}

static void on_answered(void *arg, struct volume *volume, const struct err *e)
{
    assert_non_null(volume);
    assert_null(e);
    *(bool *)arg = true;
}

static bool is_answered(void *arg)
{
    return *(bool *)arg;
}

/* The receiver is asked to tell this, and nothing is answered before it has. */
static void expect_asked(struct told *t, enum volume_event event, const bool *answered)
{
    pool_rig_until(&rig, told_came, t);
    t->came = false;
    assert_int_equal(t->event, event);
    pool_rig_turn(&rig);
    assert_false(*answered);
}

static void a_rollback_is_answered_when_initiators_were_told(void **state)
{
    struct told t = {.came = false};
    struct lunmgr_events events = {.arg = &t, .volume_changed = on_told};
    struct rollback_spec spec = {.snapshot = "s"};
    struct volume_change grow = {.size_bytes = 2 * VOLUME_MIB * MIB};
    bool answered = false;
    (void)state;
    struct volume *v = make("v");
    assert_int_equal(rig_write(&rig, v, 0, 4096, 1), 0);
    snap("v", "s");
    assert_int_equal(rig_write(&rig, v, 0, 4096, 2), 0);
    lunmgr_set_events(rig.manager, &events);
    volume_change(rig.manager, "v", &grow, on_answered, &answered);
    expect_asked(&t, VOLUME_RESIZED, &answered);
    lunmgr_settled(rig.manager, t.ticket);
    pool_rig_until(&rig, is_answered, &answered);
    answered = false;
    volume_rollback(rig.manager, "v", &spec, on_answered, &answered);
    expect_asked(&t, VOLUME_REPLACED, &answered);
    lunmgr_settled(rig.manager, t.ticket);
    expect_asked(&t, VOLUME_RESIZED, &answered); /* to what the snapshot had */
    lunmgr_settled(rig.manager, t.ticket);
    pool_rig_until(&rig, is_answered, &answered);
    assert_true(rig_reads(&rig, v, 0, 4096, 1));
    assert_int_equal(volume_size_bytes(v), VOLUME_MIB * MIB);
    lunmgr_set_events(rig.manager, &(struct lunmgr_events){.arg = NULL});
}

/* ---- Changes --------------------------------------------------------------------- */

static void a_volume_grows_and_shows_zeros(void **state)
{
    (void)state;
    struct volume *v = make("v");
    struct volume_change grow = {.size_bytes = 20000 * MIB};
    assert_int_equal(rig_write(&rig, v, 0, MIB, 1), 0);
    assert_int_equal(rig_change(&rig, "v", &grow, NULL), 0);
    assert_int_equal(volume_size_bytes(v), 20000 * MIB);
    assert_int_equal(rig_write(&rig, v, 19999 * MIB, 4096, 5), 0);
    assert_true(rig_reads(&rig, v, VOLUME_MIB * MIB, MIB, 0));
    restart();
    v = volume_find(rig.manager, "v");
    assert_int_equal(volume_size_bytes(v), 20000 * MIB);
    assert_true(rig_reads(&rig, v, 19999 * MIB, 4096, 5));
    assert_true(rig_reads(&rig, v, 0, MIB, 1));
}

static void a_shrink_wants_leave_and_loses_the_rest(void **state)
{
    (void)state;
    struct volume *v = make("v");
    struct volume_change shrink = {.size_bytes = MIB + 4096};
    struct volume_change grow = {.size_bytes = VOLUME_MIB * MIB};
    struct err e;
    assert_int_equal(rig_write(&rig, v, 0, VOLUME_MIB * MIB, 1), 0);
    struct volume *s = snap("v", "s");
    assert_int_equal(rig_write(&rig, v, 2 * MIB, 4096, 2), 0);
    assert_int_equal(rig_change(&rig, "v", &shrink, &e), -EINVAL);
    assert_string_equal(e.field, "size");
    shrink.allow_data_loss = true;
    assert_int_equal(rig_change(&rig, "v", &shrink, NULL), 0);
    assert_int_equal(volume_size_bytes(v), MIB + 4096);
    assert_int_equal(rig_change(&rig, "v", &grow, NULL), 0);
    assert_true(rig_reads(&rig, v, 0, MIB + 4096, 1));
    assert_true(rig_reads(&rig, v, MIB + 4096, (VOLUME_MIB - 1) * MIB - 4096, 0));
    assert_true(rig_reads(&rig, s, 0, VOLUME_MIB * MIB, 1));
}

/* Every extent that is free, in a volume of its own. */
static void fill_the_pool(void)
{
    struct volume *filler = pool_rig_volume(&rig, "filler", 1024 * MIB, 512);
    uint64_t at = 0;
    while (rig_write(&rig, filler, at, EXTENT_BYTES, 9) == 0)
        at += EXTENT_BYTES;
    assert_int_equal(pool_free_extents(rig.pool), 0);
}

/* To clear a part of an extent that a snapshot has too wants another extent. */
static void a_shrink_in_a_full_pool_is_cleared_before_the_next_growth(void **state)
{
    (void)state;
    struct volume *v = make("v");
    struct volume_change shrink = {.size_bytes = 2 * MIB + 4096, .allow_data_loss = true};
    struct volume_change grow = {.size_bytes = VOLUME_MIB * MIB};
    struct err e;
    assert_int_equal(rig_write(&rig, v, 0, VOLUME_MIB * MIB, 1), 0);
    snap("v", "s");
    fill_the_pool();
    assert_int_equal(rig_change(&rig, "v", &shrink, NULL), 0);
    shrink.size_bytes = MIB + 4096;
    assert_int_equal(rig_change(&rig, "v", &shrink, NULL), 0);
    assert_int_equal(rig_change(&rig, "v", &grow, &e), -ENOSPC);
    assert_string_equal(e.text, "the pool is full");
    assert_int_equal(volume_size_bytes(v), MIB + 4096);
    assert_int_equal(pool_rig_delete_volume(&rig, "filler", NULL), 0);
    pool_rig_settle(&rig);
    assert_int_equal(rig_change(&rig, "v", &grow, NULL), 0);
    assert_true(rig_reads(&rig, v, 0, MIB + 4096, 1));
    assert_true(rig_reads(&rig, v, MIB + 4096, (VOLUME_MIB - 1) * MIB - 4096, 0));
}

static void names_labels_and_flags_change_together(void **state)
{
    (void)state;
    make("v");
    make("w");
    snap("v", "s");
    static const struct label labels[] = {{"tier", "gold"}, {"app", ""}};
    struct label_list list = {labels, 2};
    bool yes = true, no = false;
    struct volume_change all = {.name = "web", .is_protected = &yes, .labels = &list};
    struct volume_change taken = {.name = "w"};
    struct volume_change open = {.is_protected = &no};
    struct err e;
    assert_int_equal(rig_change(&rig, "v", &taken, &e), -EEXIST);
    assert_string_equal(e.field, "name");
    assert_int_equal(rig_change(&rig, "v", &all, NULL), 0);
    assert_null(volume_find(rig.manager, "v"));
    assert_non_null(snapshot_find(rig.manager, "web/s"));
    assert_int_equal(pool_rig_delete_volume(&rig, "web", &e), -EBUSY);
    restart();
    struct volume_info info;
    volume_describe(volume_find(rig.manager, "web"), &info);
    assert_true(info.is_protected);
    assert_int_equal(info.labels.count, 2);
    assert_string_equal(info.labels.labels[0].key, "app");
    assert_string_equal(info.labels.labels[1].value, "gold");
    assert_int_equal(info.snapshot_count, 1);
    assert_int_equal(rig_change(&rig, "web", &open, NULL), 0);
    assert_int_equal(pool_rig_delete_volume(&rig, "web", NULL), 0);
}

/* ---- The trash ------------------------------------------------------------------- */

static void what_is_in_the_trash_comes_back_whole(void **state)
{
    (void)state;
    struct volume *v = make("v");
    struct err e;
    assert_int_equal(rig_write(&rig, v, 0, MIB, 1), 0);
    snap("v", "s");
    assert_int_equal(rig_write(&rig, v, 0, 4096, 2), 0);
    assert_int_equal(rig_trash(&rig, "v", NULL), 0);
    assert_null(volume_find(rig.manager, "v"));
    assert_null(snapshot_find(rig.manager, "v/s"));
    assert_ptr_equal(volume_trash_find(rig.manager, "v"), v);
    assert_int_equal(volume_trash_count(rig.manager), 1);
    assert_int_equal(snapshot_count(rig.manager), 0);
    make("v");
    restart();
    assert_int_equal(rig_restore(&rig, "v", NULL, &e), -EEXIST);
    assert_string_equal(e.field, "name");
    assert_int_equal(rig_restore(&rig, "v", "old", NULL), 0);
    v = volume_find(rig.manager, "old");
    assert_true(rig_reads(&rig, v, 0, 4096, 2));
    assert_true(rig_reads(&rig, snapshot_find(rig.manager, "old/s"), 0, MIB, 1));
    assert_int_equal(rig_trash(&rig, "old", NULL), 0);
    assert_int_equal(rig_purge(&rig, "old", NULL), 0);
    assert_null(volume_trash_next(rig.manager, NULL));
    assert_int_equal(rig_purge(&rig, "old", &e), -ENOENT);
    assert_sound();
}

static void on_purged(void *arg, const char *id, const char *name)
{
    assert_string_not_equal(id, "");
    snprintf(arg, VOLUME_NAME_MAX, "%s", name);
}

static void the_trash_lets_go_in_time(void **state)
{
    (void)state;
    make("v");
    assert_int_equal(rig_trash(&rig, "v", NULL), 0);
    struct volume *v = volume_trash_find(rig.manager, "v");
    v->trashed_s -= 3600; /* its time is over */
    make("w");
    assert_int_equal(rig_trash(&rig, "w", NULL), 0); /* looks at the clock */
    char purged[VOLUME_NAME_MAX] = "";
    const struct lunmgr_news news = {.arg = purged, .volume_purged = on_purged};
    lunmgr_set_news(rig.manager, &news);
    event_active(rig.manager->trash_timer, EV_TIMEOUT, 0);
    for (int i = 0; i < 10000 && purged[0] == '\0'; i++)
        loop_run_once(rig.control, true);
    assert_string_equal(purged, "v");
    assert_null(volume_trash_find(rig.manager, "v"));
    restart();
    assert_non_null(volume_trash_find(rig.manager, "w"));
    assert_null(volume_trash_find(rig.manager, "v"));
}

/* Lanes may not have heard yet that they may go on: neither a stop nor a delete waits for
 * more than the answer. */
static void what_follows_a_rollback_at_once(bool deletes)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct pool_rig_options o = {.engine = RIG_CUT,
                                     .lane_count = 2,
                                     .pool_bytes = 8 * MIB,
                                     .seed = seed,
                                     .by_hand = true};
        struct pool_rig hand;
        pool_rig_create(&hand, &o);
        struct volume *v = pool_rig_volume(&hand, "v", MIB, 512);
        assert_int_equal(rig_write(&hand, v, 0, 4096, 1), 0);
        assert_int_equal(rig_snapshot(&hand, "v", "s", NULL, NULL), 0);
        assert_int_equal(rig_rollback(&hand, "v", "s", "kept", NULL), 0);
        if (deletes)
            assert_int_equal(pool_rig_delete_volume(&hand, "v", NULL), 0);
        pool_rig_close(&hand);
        pool_rig_open(&hand);
        v = volume_find(hand.manager, "v");
        assert_true(deletes ? v == NULL : rig_reads(&hand, v, 0, 4096, 1));
        pool_rig_destroy(&hand);
    }
}

static void a_stop_may_follow_a_rollback_at_once(void **state)
{
    (void)state;
    what_follows_a_rollback_at_once(false);
}

static void a_delete_may_follow_a_rollback_at_once(void **state)
{
    (void)state;
    what_follows_a_rollback_at_once(true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- Saved mode parameters --------------------------------------------------------- */

static bool has_modes(struct volume *v, const struct modes *want)
{
    struct modes saved;
    return volume_saved_modes(v, &saved) && modes_equal(&saved, want);
}

static void saved_modes_are_found_again_and_nobody_inherits_them(void **state)
{
    struct modes modes = {.write_protect = true, .tells_one = true}, none;
    struct volume *clone;
    (void)state;
    modes.thresholds[2] = (struct threshold){true, true, THRESHOLD_USED, 7};
    struct volume *v = make("v");
    assert_false(volume_saved_modes(v, &none));
    assert_int_equal(rig_save_modes(&rig, v, &modes, NULL), 0);
    assert_true(has_modes(v, &modes));
    struct volume *s = snap("v", "s");
    assert_int_equal(rig_clone(&rig, "v/s", "c", 0, &clone, NULL), 0);
    assert_false(volume_saved_modes(s, &none));
    assert_false(volume_saved_modes(clone, &none));
    restart();
    assert_true(has_modes(volume_find(rig.manager, "v"), &modes));
    assert_false(volume_saved_modes(snapshot_find(rig.manager, "v/s"), &none));
    assert_false(volume_saved_modes(volume_find(rig.manager, "c"), &none));

    modes.write_cache = true;
    assert_int_equal(
        rig_save_modes(&rig, snapshot_find(rig.manager, "v/s"), &modes, NULL), 0);
    restart();
    assert_true(has_modes(snapshot_find(rig.manager, "v/s"), &modes));
    assert_false(has_modes(volume_find(rig.manager, "v"), &modes));
}

static void what_a_pool_has_is_told_without_its_description(void **state)
{
    (void)state;
    struct pool_info info;
    struct volume *v = make("v");
    assert_ptr_equal(volume_pool(v), rig.pool);
    assert_int_equal(rig_write(&rig, v, 0, MIB, 1), 0);
    pool_describe(rig.pool, &info);
    assert_int_equal(pool_extents(rig.pool) * EXTENT_BYTES, info.size_bytes);
    assert_int_equal(pool_free_extents(rig.pool), pool_extents(rig.pool) - 16);
    assert_int_equal(volume_used_extents(v), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_snapshot_keeps_what_its_volume_had),
        TEST(saved_modes_are_found_again_and_nobody_inherits_them),
        TEST(what_a_pool_has_is_told_without_its_description),
        TEST(volumes_are_sealed_at_one_instant),
        TEST(what_cannot_be_sealed_is_refused_whole),
        TEST(a_deleted_snapshot_leaves_its_volume_as_it_was),
        TEST(a_snapshot_is_described_while_its_layer_goes),
        TEST(snapshots_go_from_the_oldest),
        TEST(snapshots_go_from_the_youngest),
        TEST(snapshots_go_in_any_order),
        TEST(a_volume_goes_with_its_snapshots),
        TEST(a_clone_is_a_volume_of_its_own),
        TEST(block_sizes_go_with_snapshots_and_clones),
        TEST(a_rollback_brings_back_and_keeps),
        TEST(a_volume_in_use_is_rolled_back_fenced_only),
        TEST(a_rollback_is_answered_when_initiators_were_told),
        TEST(a_volume_grows_and_shows_zeros),
        TEST(a_shrink_wants_leave_and_loses_the_rest),
        TEST(a_shrink_in_a_full_pool_is_cleared_before_the_next_growth),
        TEST(names_labels_and_flags_change_together),
        TEST(what_is_in_the_trash_comes_back_whole),
        TEST(the_trash_lets_go_in_time),
        cmocka_unit_test(a_stop_may_follow_a_rollback_at_once),
        cmocka_unit_test(a_delete_may_follow_a_rollback_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
