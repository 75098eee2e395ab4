/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a seed: a pool on devices full of rubbish; operations until the mains fall
 * or the program stops; a restart on what is left; and again. */
#include "tests/powercut/run.h"

#include "tests/lib/cut_vfs.h"
#include "tests/lib/hand_clock.h"
#include "tests/lib/random.h"
#include "tests/unit/db/fault_vfs.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIVES_MAX    3
#define RESTARTS_MAX 6 /* of one life: the last is not cut */

uint64_t run_draw(struct run *run, uint64_t below)
{
    return draw(&run->random, below);
}

bool run_chance(struct run *run, unsigned percent)
{
    return run_draw(run, 100) < percent;
}

void run_trace(struct run *run, const char *format, ...)
{
    va_list args;
    if (!run->trace)
        return;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void run_offend(struct run *run, const char *format, ...)
{
    va_list args;
    if (run->offence[0] != '\0')
        return;
    va_start(args, format);
    vsnprintf(run->offence, sizeof(run->offence), format, args);
    va_end(args);
    run_trace(run, "OFFENCE: %s", run->offence);
}

bool run_has_offence(const struct run *run)
{
    return run->offence[0] != '\0';
}

bool run_is_off(struct run *run)
{
    return power_is_off(run->power);
}

/* ---- Choosing -----------------------------------------------------------------------
 */

unsigned run_volume_count(const struct run *run, bool trashed)
{
    unsigned n = 0;
    for (const struct model_volume *v = run->model.volumes; v != NULL; v = v->next)
        n += v->trashed == trashed;
    return n;
}

struct model_volume *run_any_volume(struct run *run, bool trashed)
{
    unsigned count = run_volume_count(run, trashed);
    uint64_t chosen = count == 0 ? 0 : run_draw(run, count);
    for (struct model_volume *v = run->model.volumes; v != NULL; v = v->next)
        if (v->trashed == trashed && chosen-- == 0)
            return v;
    return NULL;
}

struct model_snapshot *run_any_snapshot(struct run *run, const struct model_volume *v)
{
    unsigned count = model_snapshot_count(v);
    uint64_t chosen = count == 0 ? 0 : run_draw(run, count);
    struct model_snapshot *s = v->snapshots;
    for (; s != NULL && chosen > 0; chosen--)
        s = s->next;
    return s;
}

/* ---- The beginning ------------------------------------------------------------------
 */

static void make_rig(struct run *run)
{
    struct pool_rig_options options = {
        .engine = RIG_CUT,
        .lane_count = 1 + (unsigned)run_draw(run, RIG_LANES),
        .threads = run->threads,
        .by_hand = !run->threads,
        .tick_ms = run_chance(run, 50) ? 1 + (unsigned)run_draw(run, 20) : 0,
        .seed = run_draw(run, UINT32_MAX) + 1,
        .leaf_cache_bytes = run_chance(run, 70) ? 1 : 0, /* as little as can be */
        .power = run->power,
        .commit_delay = run_chance(run, 30) ? 50 : 0,
    };
    pool_rig_create_bare(&run->rig, &options);
}

void run_begin(struct run *run)
{
    run->random = run->seed * 0x9e3779b97f4a7c15ULL | 1;
    for (int i = 0; i < 8; i++)
        (void)run_draw(run, 2);
    hand_clock_set(run->threads ? 0 : run->seed);
    sqlite3_randomness(0, NULL); /* seeded anew */
    run->power = power_create(run_draw(run, UINT64_MAX) | 1);
    cut_vfs_attach(run->power);
    model_init(&run->model, run->power);
    run->data = malloc(RUN_CHUNK_BYTES);
    assert(run->data != NULL);
    make_rig(run);
    run_make_pool(run);
    power_on_fall(run->power, model_on_fall, &run->model);
}

void run_end(struct run *run)
{
    run_load_end(run, NULL);
    fault_vfs_disarm();
    run_reserve_await(run, NULL);
    run_close_pool(run);
    run_destroy_devices(run);
    pool_rig_destroy(&run->rig);
    cut_vfs_detach();
    change_fini(&run->pending);
    model_fini(&run->model);
    power_destroy(run->power);
    hand_clock_set(0);
    free(run->data);
    free(run->recorded);
}

/* ---- Cuts and restarts --------------------------------------------------------------
 */

static void plan_cut(struct run *run)
{
    static const struct {
        enum power_point point;
        unsigned most;
    } plans[] = {
        {POWER_DISK_WRITE, 300}, {POWER_DISK_SYNC, 25},  {POWER_DISK_SYNCED, 25},
        {POWER_FILE_WRITE, 400}, {POWER_FILE_SYNC, 40},  {POWER_FILE_SYNCED, 40},
        {POWER_SUPER_WRITE, 12}, {POWER_SUPER_SYNC, 12}, {POWER_SUPER_SYNCED, 12},
        {POWER_DISK_WRITE, 0},
    };
    uint64_t i = run_draw(run, ARRAY_LEN(plans));
    uint64_t nth = plans[i].most == 0 ? 0 : 1 + run_draw(run, plans[i].most);
    power_plan(run->power, plans[i].point, nth);
    run_trace(run, "the mains will fall at point %d, number %llu", (int)plans[i].point,
              (unsigned long long)nth);
}

/* What was under way took place, or it did not. */
static void settle_pending(struct run *run)
{
    struct change *c = &run->pending;
    if (c->kind == CHANGE_NONE)
        return;
    int happened = change_has_happened(c, run->rig.manager);
    run_trace(run, "the change under way took place: %d", happened);
    if (happened < 0)
        run_offend(run, "half of snapshot %s is there", c->name);
    if (c->since != 0)
        c->until = c->volumes[0]->cut.time;
    if (happened == 1) {
        model_apply(&run->model, c);
        run_recorded(run, c);
    }
    if (c->device != NULL) /* on its way in or out */
        c->device->carries = !c->device->is_member;
    change_fini(c);
}

static void reopen(struct run *run, bool after_cut)
{
    run_close_pool(run);
    run_restore_devices(run);
    if (run_is_off(run)) {
        cut_vfs_restore();
        power_restore(run->power);
    }
    run->has_failed = false;
    if (!run->walks && run_chance(run, 20))
        plan_cut(run); /* the restart is cut too, perhaps */
    pool_rig_open(&run->rig);
    struct pool_info info = {.state = "gone"};
    if (run->rig.pool != NULL)
        pool_describe(run->rig.pool, &info);
    if (strcmp(info.state, "online") != 0)
        run_offend(run, "the pool is %s after the restart", info.state);
    if (run_has_offence(run))
        return;
    settle_pending(run);
    run_verify_devices(run);
    run_verify(run, after_cut);
}

void run_restart(struct run *run)
{
    bool stops = !run_is_off(run) && (run->walks || run_chance(run, 12));
    bool after_cut = !stops || run->has_failed;
    power_plan(run->power, POWER_DISK_WRITE, 0);
    if (!stops)
        power_cut(run->power);
    run_trace(run, stops ? "stop" : "cut");
    run_load_end(run, NULL);
    run_reserve_await(run, NULL);
    if (stops && run->has_failed)
        model_on_fall(&run->model); /* what was not flushed may be lost */
    run->cuts += !stops;
    run->clean_stops += stops;
    for (int i = 0; i < RESTARTS_MAX && !run_has_offence(run); i++) {
        reopen(run, after_cut);
        if (!run_is_off(run))
            break;
        run_trace(run, "cut in the restart");
        run->cuts++;
        after_cut = true;
    }
    power_plan(run->power, POWER_DISK_WRITE, 0);
    if (!run_has_offence(run) && !run_is_off(run))
        run_check(run, run_chance(run, 50));
}

static void live(struct run *run)
{
    plan_cut(run);
    for (unsigned n = 0; n < run->ops && !run_is_off(run) && !run_has_offence(run); n++) {
        run_operate(run);
        if (run->has_failed)
            break;
    }
    if (!run_has_offence(run))
        run_restart(run);
}

bool run_seed(struct run *run)
{
    run_begin(run);
    uint64_t lives = 1 + run_draw(run, LIVES_MAX);
    for (uint64_t i = 1 + run_draw(run, 3); i > 0; i--)
        run_create(run);
    for (uint64_t i = 0; i < lives && !run_has_offence(run); i++)
        live(run);
    if (!run_has_offence(run))
        run_await_evacuations(run);
    run_end(run);
    return !run_has_offence(run);
}
