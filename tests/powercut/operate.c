/* SPDX-License-Identifier: Apache-2.0 */
/* One operation of any kind: by the API, a fault, a look, or just a while of I/O. A
 * change that was under way when the mains fell is kept for the restart. */
#include "tests/powercut/run.h"

#include "tests/lib/rig_manage.h"
#include "tests/unit/db/fault_vfs.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define VOLUMES_MAX   5
#define SNAPSHOTS_MAX 4
#define BIG_PERCENT   15

bool run_is_allowed(const struct run *run, int rc)
{
    return rc == -EBUSY || (run->has_failed && rc == -EIO);
}

bool run_answered(struct run *run, struct change *c, int rc)
{
    c->until = c->since == 0 ? 0 : oracle_now(run->model.volumes->oracle);
    bool off = run_is_off(run);
    run_trace(run, "  answered %d%s", rc, off ? ", without power" : "");
    if (off) {
        run->pending = *c;
        return false;
    }
    run->changes++;
    if (c->kind == CHANGE_RESIZE && change_has_happened(c, run->rig.manager) == 1)
        rc = 0; /* it is smaller, says the error, but not all is cleared yet */
    /* What an earlier shrink cut off wants an extent to be cleared before a growth. */
    bool full = c->kind == CHANGE_RESIZE && rc == -ENOSPC;
    if (rc == 0) {
        model_apply(&run->model, c);
        run_recorded(run, c);
    } else if (!full && !run_is_allowed(run, rc)) {
        run_offend(run, "a change of kind %d of %s failed: %d", (int)c->kind,
                   c->volumes[0] == NULL ? c->name : c->volumes[0]->name, rc);
    }
    change_fini(c);
    return rc == 0;
}

/* ---- Volumes ------------------------------------------------------------------------
 */

static uint64_t some_bytes(struct run *run)
{
    if (run_chance(run, BIG_PERCENT))
        return run_chance(run, 20) ? 1024 * MIB : 64 * MIB;
    return (256 + run_draw(run, 3 * 256)) * BLOCK_BYTES;
}

void run_create(struct run *run)
{
    struct volume *made;
    struct change c = {.kind = CHANGE_CREATE, .bytes = some_bytes(run)};
    if (run_volume_count(run, false) >= VOLUMES_MAX)
        return;
    c.block_bytes = run_chance(run, 70) ? 512 : 4096;
    model_name(&run->model, "v", c.name);
    run_trace(run, "create %s, %llu bytes, blocks of %u", c.name,
              (unsigned long long)c.bytes, c.block_bytes);
    run_record(run, &c);
    int rc = pool_rig_make_volume(&run->rig, c.name, c.bytes, c.block_bytes, &made, NULL);
    (void)run_answered(run, &c, rc);
}

static void op_clone(struct run *run)
{
    struct model_volume *v = run_any_volume(run, false);
    struct model_snapshot *s = v == NULL ? NULL : run_any_snapshot(run, v);
    struct change c = {.kind = CHANGE_CREATE};
    char key[SNAPSHOT_KEY_MAX];
    if (s == NULL || run_volume_count(run, false) >= VOLUMES_MAX)
        return;
    run_freeze(run, s);
    c.block_bytes = v->block_bytes;
    c.bytes = s->bytes + (run_chance(run, 25) ? 64 * BLOCK_BYTES : 0);
    c.image = image_get(s->image);
    model_name(&run->model, "c", c.name);
    snprintf(key, sizeof(key), "%s/%s", v->name, s->name);
    run_trace(run, "clone %s as %s", key, c.name);
    run_record(run, &c);
    int rc = rig_clone(&run->rig, key, c.name, c.bytes, NULL, NULL);
    (void)run_answered(run, &c, rc);
}

static void op_delete(struct run *run)
{
    struct model_volume *v = run_any_volume(run, false);
    if (v == NULL || run_volume_count(run, false) < 2)
        return;
    struct change c = {.kind = CHANGE_DELETE, .volumes = {v}, .volume_count = 1};
    run_load_end(run, v);
    run_reserve_await(run, v);
    run_trace(run, "delete %s", v->name);
    run_record(run, &c);
    (void)run_answered(run, &c, pool_rig_delete_volume(&run->rig, v->name, NULL));
}

static void op_trash(struct run *run)
{
    struct model_volume *v = run_any_volume(run, false);
    if (v == NULL || run_volume_count(run, false) < 2)
        return;
    struct change c = {.kind = CHANGE_TRASH, .volumes = {v}, .volume_count = 1};
    run_load_end(run, v);
    run_reserve_await(run, v);
    run_trace(run, "trash %s", v->name);
    run_record(run, &c);
    (void)run_answered(run, &c, rig_trash(&run->rig, v->name, NULL));
}

static void op_untrash(struct run *run)
{
    struct model_volume *v = run_any_volume(run, true);
    if (v == NULL)
        return;
    struct change c = {.kind = CHANGE_RESTORE, .volumes = {v}, .volume_count = 1};
    run_record(run, &c);
    if (run_chance(run, 50)) {
        c.kind = CHANGE_DELETE;
        run_trace(run, "purge %s", v->name);
        (void)run_answered(run, &c, rig_purge(&run->rig, v->name, NULL));
    } else {
        run_trace(run, "restore %s", v->name);
        (void)run_answered(run, &c, rig_restore(&run->rig, v->name, NULL, NULL));
    }
}

static void op_rename(struct run *run)
{
    struct model_volume *v = run_any_volume(run, false);
    if (v == NULL)
        return;
    struct change c = {.kind = CHANGE_RENAME, .volumes = {v}, .volume_count = 1};
    model_name(&run->model, "n", c.name);
    struct volume_change change = {.name = c.name};
    run_trace(run, "rename %s to %s", v->name, c.name);
    run_record(run, &c);
    (void)run_answered(run, &c, rig_change(&run->rig, v->name, &change, NULL));
}

static void op_resize(struct run *run)
{
    struct model_volume *v = run_any_volume(run, false);
    if (v == NULL)
        return;
    struct change c = {.kind = CHANGE_RESIZE, .volumes = {v}, .volume_count = 1};
    uint64_t old = oracle_bytes(v->oracle);
    c.bytes = old + (run_draw(run, 40) + 1) * BLOCK_BYTES;
    if (run_chance(run, 50) && old > 64 * BLOCK_BYTES) {
        c.bytes = old - (run_draw(run, 48) + 1) * BLOCK_BYTES;
        run_load_end(run, v); /* it may reach beyond the new end */
        run_freeze_all(run, v);
    }
    struct volume_change change = {.size_bytes = c.bytes, .allow_data_loss = true};
    run_trace(run, "resize %s from %llu to %llu", v->name, (unsigned long long)old,
              (unsigned long long)c.bytes);
    run_record(run, &c);
    (void)run_answered(run, &c, rig_change(&run->rig, v->name, &change, NULL));
}

static void op_zero_detect(struct run *run)
{
    struct model_volume *v = run_any_volume(run, false);
    bool on = run_chance(run, 60);
    struct volume_change change = {.zero_detect = &on};
    if (v == NULL)
        return;
    run_trace(run, "zero detection of %s: %d", v->name, on);
    int rc = rig_change(&run->rig, v->name, &change, NULL);
    if (rc != 0 && !run_is_off(run) && !run_is_allowed(run, rc))
        run_offend(run, "zero detection of %s: %d", v->name, rc);
}

/* ---- Snapshots ----------------------------------------------------------------------
 */

static void op_snapshot(struct run *run)
{
    struct change c = {.kind = CHANGE_SNAPSHOT};
    const char *names[MODEL_GROUP_MAX];
    bool several = run_chance(run, 40);
    for (struct model_volume *v = run->model.volumes; v != NULL; v = v->next) {
        if (v->trashed || model_snapshot_count(v) >= SNAPSHOTS_MAX ||
            c.volume_count == MODEL_GROUP_MAX || (!several && c.volume_count == 1) ||
            run_chance(run, 40))
            continue;
        names[c.volume_count] = v->name;
        c.volumes[c.volume_count++] = v;
    }
    if (c.volume_count == 0)
        return;
    model_name(&run->model, "s", c.name);
    run_trace(run, "snapshot %s of %u volumes, the first %s", c.name, c.volume_count,
              names[0]);
    c.since = oracle_now(c.volumes[0]->oracle);
    run_record(run, &c);
    (void)run_answered(run, &c,
                       rig_snapshot_all(&run->rig, names, c.volume_count, c.name,
                                        (struct volume *[MODEL_GROUP_MAX]){NULL}, NULL));
}

static void op_unsnap(struct run *run)
{
    struct model_volume *v = run_any_volume(run, false);
    struct model_snapshot *s = v == NULL ? NULL : run_any_snapshot(run, v);
    char key[SNAPSHOT_KEY_MAX];
    if (s == NULL)
        return;
    struct change c = {
        .kind = CHANGE_UNSNAP, .volumes = {v}, .volume_count = 1, .snapshot = s};
    snprintf(key, sizeof(key), "%s/%s", v->name, s->name);
    run_trace(run, "delete snapshot %s", key);
    run_record(run, &c);
    (void)run_answered(run, &c, rig_snapshot_delete(&run->rig, key, NULL));
}

static void op_rollback(struct run *run)
{
    struct model_volume *v = run_any_volume(run, false);
    struct model_snapshot *s = v == NULL ? NULL : run_any_snapshot(run, v);
    if (s == NULL || model_snapshot_count(v) >= SNAPSHOTS_MAX)
        return;
    struct change c = {
        .kind = CHANGE_ROLLBACK, .volumes = {v}, .volume_count = 1, .snapshot = s};
    run_load_end(run, v);
    run_freeze_all(run, v);
    c.image = run_read_image(run, v);
    model_name(&run->model, "k", c.name);
    run_trace(run, "roll %s back to %s, keep %s", v->name, s->name, c.name);
    if (run_has_offence(run)) {
        change_fini(&c);
        return;
    }
    run_record(run, &c);
    (void)run_answered(run, &c, rig_rollback(&run->rig, v->name, s->name, c.name, NULL));
}

static void op_read_again(struct run *run)
{
    struct model_volume *v = run_any_volume(run, false);
    struct model_snapshot *s = v == NULL ? NULL : run_any_snapshot(run, v);
    if (s == NULL)
        return;
    run_trace(run, "read %s/%s", v->name, s->name);
    run_read_again(run, v, s);
}

/* ---- The rest -----------------------------------------------------------------------
 */

static void op_wait(struct run *run)
{
    if (run->threads)
        usleep((useconds_t)run_draw(run, 2000));
    uint64_t most = run_is_evacuating(run) && run_chance(run, 40) ? 4000 : 300;
    for (uint64_t n = run_draw(run, most); n > 0 && !run->threads; n--)
        pool_rig_step(&run->rig);
    run_load_reap(run);
    run_verify_devices(run);
}

static void op_flush(struct run *run)
{
    struct model_volume *v = run_any_volume(run, false);
    struct volume *volume = v == NULL ? NULL : model_find(v, run->rig.manager);
    if (volume == NULL)
        return;
    uint64_t since = oracle_now(v->oracle);
    int rc = rig_flush(&run->rig, volume);
    run_trace(run, "flush %s: %d", v->name, rc);
    if (rc == 0)
        oracle_flushed(v->oracle, since);
    else if (!run->has_failed && !run->fails_commits)
        run_offend(run, "a flush of %s failed: %d", v->name, rc);
}

static void op_check(struct run *run)
{
    run_trace(run, "check");
    run_check(run, false);
}

/* The catalog refuses commits for a while, then takes them again. */
static void op_fail_commits(struct run *run)
{
    static const int results[] = {SQLITE_IOERR_WRITE, SQLITE_FULL, SQLITE_IOERR_FSYNC};
    int result = results[run_draw(run, ARRAY_LEN(results))];
    run_load_end(run, NULL);
    run_reserve_await(run, NULL); /* one that fails is unknown to the next start */
    run->fails_commits = true;
    run_excuse_jobs(run);
    run_trace(run, "commits fail");
    run_load_start(run);
    run_load_start(run);
    fault_vfs_arm(result == SQLITE_IOERR_FSYNC ? FAULT_SYNC : FAULT_WRITE,
                  (int)run_draw(run, 8), 1 + (int)run_draw(run, 8), result);
    for (unsigned n = 0; n < 3; n++) {
        op_wait(run);
        op_flush(run);
    }
    op_check(run); /* it has a whole round made, which fails too */
    if (run_chance(run, 20))
        power_cut(run->power);
    fault_vfs_disarm();
    op_flush(run); /* writers that wait for space have no tick to wait for */
    run_load_end(run, NULL);
    run->fails_commits = false;
    op_flush(run);
    if (run_chance(run, 50))
        power_cut(run->power); /* before the ticks have made all well */
}

/* What the others have room for is served. */
static void serve_beside(struct run *run)
{
    struct pool_info info;
    struct volume *made;
    struct change c = {.kind = CHANGE_CREATE, .bytes = MIB, .block_bytes = 4096};
    pool_describe(run->rig.pool, &info);
    if (strcmp(info.state, "degraded") != 0 || run_is_off(run))
        return;
    model_name(&run->model, "b", c.name);
    run_trace(run, "create %s beside the device that failed", c.name);
    run_record(run, &c);
    int rc = pool_rig_make_volume(&run->rig, c.name, c.bytes, c.block_bytes, &made, NULL);
    if (rc != 0 && !run_is_off(run))
        run_offend(run, "a pool that is degraded makes no volume: %d", rc);
    if (!run_answered(run, &c, rc))
        return;
    struct model_volume *v = run->model.volumes;
    while (v->next != NULL)
        v = v->next;
    run_load_end(run, NULL);
    run_load_sound(run, v);
    uint64_t since = oracle_now(v->oracle);
    rc = rig_flush(&run->rig, made);
    if (rc == 0)
        oracle_flushed(v->oracle, since);
    else if (!run_is_off(run))
        run_offend(run, "a pool that is degraded flushes nothing: %d", rc);
    if (!run_is_off(run))
        image_put(run_read_image(run, v));
}

/* The device is lost to the pool until the next start. */
static void op_fail_sync(struct run *run)
{
    run_load_end(run, NULL);
    run_fail_device(run);
    run_load_start(run);
    run_load_start(run);
    for (unsigned n = 0; n < 4; n++) {
        op_wait(run);
        op_flush(run);
    }
    if (run_chance(run, 30) && !run_is_off(run))
        run_add_device(run); /* in its place */
    if (!run_has_offence(run))
        serve_beside(run);
}

static const struct {
    unsigned weight;
    void (*run)(struct run *run);
} operations[] = {
    {30, run_load_start},
    {24, op_wait},
    {8, op_flush},
    {4, run_create},
    {4, op_clone},
    {2, op_delete},
    {2, op_trash},
    {3, op_untrash},
    {1, op_rename},
    {4, op_resize},
    {1, op_zero_detect},
    {14, op_snapshot},
    {9, op_unsnap},
    {4, op_rollback},
    {4, op_read_again},
    {1, op_check},
    {2, op_fail_commits},
    {1, op_fail_sync},
    {6, run_copy},
    {3, run_token},
    {8, run_reserve},
    {5, run_add_device},
    {2, run_grow_device},
    {7, run_evacuate_device},
    {2, run_cancel_evacuation},
    {5, run_remove_device},
};

void run_operate(struct run *run)
{
    unsigned total = 0, i = 0;
    for (size_t n = 0; n < ARRAY_LEN(operations); n++)
        total += operations[n].weight;
    uint64_t chosen = run_draw(run, total);
    for (; chosen >= operations[i].weight; i++)
        chosen -= operations[i].weight;
    operations[i].run(run);
}
