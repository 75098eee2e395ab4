/* SPDX-License-Identifier: Apache-2.0 */
/* Random I/O on the lanes, one load each, beside everything else. */
#include "tests/powercut/run.h"

#define DEPTH_MAX 6
#define BYTES_MAX (8 * EXTENT_BYTES)

static const struct load_mix mixes[] = {
    {.read = 20,
     .write = 30,
     .unmap = 12,
     .zero = 10,
     .flush = 8,
     .atomic = 10,
     .compare = 10},
    {.read = 5, .write = 80, .unmap = 2, .zero = 3, .flush = 10},
    {.read = 10, .write = 35, .unmap = 40, .zero = 5, .flush = 5, .atomic = 5},
    {.read = 10,
     .write = 30,
     .unmap = 5,
     .zero = 5,
     .flush = 0,
     .atomic = 25,
     .compare = 25},
};

/* A part of the volume, so that large thin ones are touched in few places. */
static void choose_region(struct run *run, const struct model_volume *v,
                          struct load_options *o)
{
    uint64_t size = oracle_bytes(v->oracle) / o->align_bytes * o->align_bytes;
    uint64_t region = run_chance(run, 30) ? 2 * EXTENT_BYTES : RUN_CHUNK_BYTES;
    uint64_t places = 4; /* the leaves' ends and beginnings too */
    if (region > size)
        region = size;
    o->region_bytes = region;
    if (size <= 4 * RUN_CHUNK_BYTES)
        o->first_bytes =
            run_draw(run, (size - region) / o->align_bytes + 1) * o->align_bytes;
    else
        o->first_bytes = run_draw(run, places) *
                         ((size - region) / places / EXTENT_BYTES * EXTENT_BYTES);
    o->bytes_max = region < BYTES_MAX ? region : BYTES_MAX;
}

static struct run_load *free_lane(struct run *run, unsigned *lane)
{
    unsigned from = (unsigned)run_draw(run, run->rig.options.lane_count);
    for (unsigned i = 0; i < run->rig.options.lane_count; i++) {
        *lane = (from + i) % run->rig.options.lane_count;
        if (run->loads[*lane].load == NULL)
            return &run->loads[*lane];
    }
    return NULL;
}

static void load_start(struct run *run, struct model_volume *v, bool may_fail)
{
    unsigned lane = 0;
    struct run_load *slot = free_lane(run, &lane);
    struct volume *volume = v == NULL ? NULL : model_find(v, run->rig.manager);
    if (slot == NULL || volume == NULL)
        return;
    struct load_options o = {
        .rig = &run->rig,
        .lane = lane,
        .volume = volume,
        .oracle = v->oracle,
        .seed = run_draw(run, UINT32_MAX) + 1,
        .align_bytes = v->block_bytes == 512 && run_chance(run, 50) ? 512 : 4096,
        .mix = mixes[run_draw(run, ARRAY_LEN(mixes))],
        .fua_percent = (unsigned)run_draw(run, 3) * 4,
        .unmap_bytes = EXTENT_BYTES,
        .loses_data = may_fail && run->has_failed,
        .may_be_full = true,
        .may_fail = may_fail,
    };
    o.depth = (unsigned)run_draw(run, DEPTH_MAX) + 1;
    o.count = o.depth + (unsigned)run_draw(run, 40);
    choose_region(run, v, &o);
    run_trace(run, "load on lane %u: %s, %llu+%llu, %u I/Os, depth %u", lane, v->name,
              (unsigned long long)o.first_bytes, (unsigned long long)o.region_bytes,
              o.count, o.depth);
    run->ios += o.count;
    *slot = (struct run_load){.load = vio_load_start(&o), .volume = v};
}

void run_load_start(struct run *run)
{
    struct model_volume *v = run_any_volume(run, false);
    load_start(run, v, run->has_failed || run->fails_commits);
}

static void slot_end(struct run *run, struct run_load *slot)
{
    (void)vio_loads_finish(&run->rig, &slot->load, 1);
    slot->load = NULL;
    const char *offence = oracle_offence(slot->volume->oracle);
    if (offence != NULL)
        run_offend(run, "%s: %s", slot->volume->name, offence);
}

void run_load_sound(struct run *run, struct model_volume *v)
{
    load_start(run, v, false);
    run_load_end(run, v);
}

void run_load_end(struct run *run, const struct model_volume *v)
{
    for (unsigned i = 0; i < RIG_LANES; i++) {
        struct run_load *slot = &run->loads[i];
        if (slot->load == NULL || (v != NULL && slot->volume != v))
            continue;
        if (run_chance(run, 50) || v == NULL)
            vio_load_stop(slot->load);
        slot_end(run, slot);
    }
}

void run_load_reap(struct run *run)
{
    for (unsigned i = 0; i < RIG_LANES; i++)
        if (run->loads[i].load != NULL && vio_load_ended(run->loads[i].load))
            slot_end(run, &run->loads[i]);
}
