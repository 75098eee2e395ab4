/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that is there, read and held against the model; and the committed map's own
 * check. */
#include "tests/powercut/run.h"

#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t chunk_count(uint64_t bytes)
{
    return (bytes + RUN_CHUNK_BYTES - 1) / RUN_CHUNK_BYTES;
}

/* Into run->data; the sectors read, 0: it failed. */
static uint64_t read_chunk(struct run *run, struct volume *volume, const char *name,
                           uint64_t chunk)
{
    uint64_t at = chunk * RUN_CHUNK_BYTES, size = volume_size_bytes(volume);
    uint64_t bytes = size - at < RUN_CHUNK_BYTES ? size - at : RUN_CHUNK_BYTES;
    int rc = rig_io_run(&run->rig, 0, volume, VIO_READ, at, bytes, run->data);
    if (rc != 0)
        run_offend(run, "%s: cannot be read at %llu: %d", name, (unsigned long long)at,
                   rc);
    return rc == 0 ? bytes / ORACLE_SECTOR : 0;
}

static void image_take(struct run *run, struct image *image, uint64_t first,
                       uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t tag = oracle_tag(run->data + i * ORACLE_SECTOR, first + i);
        if (tag != 0)
            image_set(image, first + i, tag);
    }
}

/* Of a large thin volume the chunks that were written, and one that was not. */
static bool wants_chunk(struct run *run, struct oracle *o, uint64_t chunk,
                        uint64_t stranger)
{
    (void)run;
    return chunk == stranger || oracle_knows_chunk(o, chunk);
}

/* ---- Volumes ------------------------------------------------------------------------
 */

/* Reads all of it; check() is told of each chunk's sectors. NULL: an offence. */
static struct image *
read_volume(struct run *run, struct model_volume *v, struct volume *volume,
            bool (*check)(struct run *run, struct model_volume *v, uint64_t since,
                          uint64_t first, uint64_t count))
{
    uint64_t bytes = oracle_bytes(v->oracle), chunks = chunk_count(bytes);
    uint64_t stranger = run_draw(run, chunks);
    struct image *image = image_create(bytes / ORACLE_SECTOR);
    for (uint64_t c = 0; c < chunks && !run_has_offence(run); c++) {
        uint64_t since = oracle_now(v->oracle), first = c * IMAGE_CHUNK_SECTORS;
        if (!wants_chunk(run, v->oracle, c, stranger))
            continue;
        uint64_t count = read_chunk(run, volume, v->name, c);
        if (count == 0 || !check(run, v, since, first, count)) {
            const char *offence = oracle_offence(v->oracle);
            run_offend(run, "%s: %s", v->name, offence == NULL ? "unread" : offence);
        }
        image_take(run, image, first, count);
    }
    if (!run_has_offence(run) && !oracle_check_image(v->oracle, image))
        run_offend(run, "%s: %s", v->name, oracle_offence(v->oracle));
    return image;
}

static bool check_as_it_is(struct run *run, struct model_volume *v, uint64_t since,
                           uint64_t first, uint64_t count)
{
    return oracle_check(v->oracle, since, run->data, first, count);
}

static bool check_cut(struct run *run, struct model_volume *v, uint64_t since,
                      uint64_t first, uint64_t count)
{
    (void)since;
    return oracle_check_cut(v->oracle, &v->cut, run->data, first, count);
}

struct image *run_read_image(struct run *run, struct model_volume *v)
{
    return read_volume(run, v, model_find(v, run->rig.manager), check_as_it_is);
}

static void verify_volume(struct run *run, struct model_volume *v, bool after_cut)
{
    struct volume *volume = model_find(v, run->rig.manager);
    uint64_t bytes = oracle_bytes(v->oracle);
    if (volume == NULL)
        run_offend(run, "volume %s is gone", v->name);
    else if (volume_size_bytes(volume) != bytes)
        run_offend(run, "volume %s has %llu bytes, not %llu", v->name,
                   (unsigned long long)volume_size_bytes(volume),
                   (unsigned long long)bytes);
    if (run_has_offence(run))
        return;
    /* One that came with the restart was made by a change that is in it. */
    struct image *image =
        read_volume(run, v, volume, after_cut && v->is_cut ? check_cut : check_as_it_is);
    power_lock(run->power); /* or it falls between the two */
    if (!run_has_offence(run)) {
        oracle_rebase(v->oracle, bytes, image);
        v->is_cut = false;
    }
    power_unlock(run->power);
    image_put(image);
}

/* ---- Snapshots ----------------------------------------------------------------------
 */

static bool snapshot_knows_chunk(const struct model_volume *v,
                                 const struct model_snapshot *s, uint64_t chunk)
{
    if (s->image != NULL)
        return image_chunk(s->image, chunk) != NULL;
    return chunk * RUN_CHUNK_BYTES < oracle_bytes(v->oracle) &&
           oracle_knows_chunk(v->oracle, chunk);
}

static void compare_chunk(struct run *run, const struct model_volume *v,
                          const struct model_snapshot *s, uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t tag = oracle_tag(run->data + i * ORACLE_SECTOR, first + i);
        uint64_t want = image_tag(s->image, first + i);
        uint64_t sector = first + i, extent = sector * ORACLE_SECTOR / EXTENT_BYTES;
        if (tag != want)
            run_offend(run,
                       "snapshot %s/%s changed: sector %llu (extent %llu) had tag %llu, "
                       "has %llu",
                       v->name, s->name, (unsigned long long)sector,
                       (unsigned long long)extent, (unsigned long long)want,
                       (unsigned long long)tag);
    }
}

/* The first reading fills image. */
static void read_snapshot(struct run *run, const struct model_volume *v,
                          const struct model_snapshot *s, struct image *image,
                          struct oracle_instant *instant)
{
    struct volume *volume = model_find_snapshot(v, s, run->rig.manager);
    uint64_t chunks = chunk_count(s->bytes), stranger = run_draw(run, chunks);
    if (volume == NULL || volume_size_bytes(volume) != s->bytes)
        run_offend(run, "snapshot %s/%s is gone, or has another size", v->name, s->name);
    for (uint64_t c = 0; c < chunks && !run_has_offence(run); c++) {
        uint64_t first = c * IMAGE_CHUNK_SECTORS;
        if (c != stranger && !snapshot_knows_chunk(v, s, c))
            continue;
        uint64_t count = read_chunk(run, volume, s->name, c);
        if (s->image != NULL) {
            compare_chunk(run, v, s, first, count);
            continue;
        }
        if (!oracle_check_snapshot(v->oracle, s->since, s->until, run->data, first,
                                   count))
            run_offend(run, "%s/%s: %s", v->name, s->name, oracle_offence(v->oracle));
        oracle_narrow(v->oracle, instant, run->data, first, count);
        image_take(run, image, first, count);
    }
}

void run_read_again(struct run *run, const struct model_volume *v,
                    const struct model_snapshot *s)
{
    if (s->image == NULL)
        run_freeze(run, s);
    else
        read_snapshot(run, v, s, NULL, NULL);
}

void run_freeze(struct run *run, const struct model_snapshot *snapshot)
{
    struct oracle_instant instant = {.earliest = snapshot->since,
                                     .latest = snapshot->until};
    unsigned group = snapshot->group;
    if (snapshot->image != NULL)
        return;
    for (struct model_volume *v = run->model.volumes; v != NULL; v = v->next)
        for (struct model_snapshot *s = v->snapshots; s != NULL; s = s->next) {
            if (s->group != group || s->image != NULL || run_has_offence(run))
                continue;
            struct image *image = image_create(s->bytes / ORACLE_SECTOR);
            read_snapshot(run, v, s, image, &instant);
            s->image = image;
        }
    if (!run_has_offence(run) && instant.earliest > instant.latest)
        run_offend(run,
                   "snapshot %s shows no single instant: what began at %llu is in, "
                   "what came after the end of another at %llu is not",
                   snapshot->name, (unsigned long long)instant.earliest,
                   (unsigned long long)instant.latest);
}

void run_freeze_all(struct run *run, const struct model_volume *v)
{
    for (const struct model_snapshot *s = v->snapshots; s != NULL; s = s->next)
        run_freeze(run, s);
}

/* ---- All ----------------------------------------------------------------------------
 */

static unsigned count_volumes(struct run *run)
{
    unsigned n = 0;
    for (struct volume *v = NULL; (v = volume_next(run->rig.manager, v)) != NULL;)
        n++;
    return n;
}

static unsigned count_snapshots(struct run *run, const struct model_volume *v)
{
    unsigned n = 0;
    struct volume *volume = model_find(v, run->rig.manager), *s = NULL;
    while (volume != NULL && (s = volume_snapshot_next(volume, s)) != NULL)
        n++;
    return n;
}

static void verify_lists(struct run *run)
{
    unsigned have = count_volumes(run), want = run_volume_count(run, false);
    if (have != want)
        run_offend(run, "there are %u volumes, not %u", have, want);
    for (const struct model_volume *v = run->model.volumes; v != NULL; v = v->next) {
        have = count_snapshots(run, v);
        want = model_snapshot_count(v);
        if (have != want)
            run_offend(run, "volume %s has %u snapshots, not %u", v->name, have, want);
    }
}

void run_verify(struct run *run, bool after_cut)
{
    verify_lists(run);
    run_verify_records(run);
    run_verify_reservations(run);
    /* Before what they were made of is forgotten. */
    for (struct model_volume *v = run->model.volumes; v != NULL; v = v->next)
        for (struct model_snapshot *s = v->snapshots; s != NULL; s = s->next)
            if (!run_has_offence(run))
                run_read_again(run, v, s);
    for (struct model_volume *v = run->model.volumes; v != NULL; v = v->next)
        if (!run_has_offence(run))
            verify_volume(run, v, after_cut);
}

/* ---- The map ------------------------------------------------------------------------
 */

static uint64_t devices_used(const struct run *run)
{
    struct pool_device_info info;
    uint64_t bytes = 0;
    for (struct device *d = NULL; (d = pool_device_next(run->rig.pool, d)) != NULL;) {
        pool_device_describe(d, &info);
        bytes += info.used_bytes;
    }
    return bytes;
}

void run_check(struct run *run, bool sound)
{
    struct pool_check_report report;
    struct pool_info info;
    struct err e = {.code = 0};
    if (sound) {
        run_await_evacuations(run);
        pool_rig_await_checks(&run->rig);
        pool_rig_settle(&run->rig);
    }
    int rc = pool_rig_check(&run->rig, &report, &e);
    if (rc != 0) {
        if (rc != -EBUSY && !run->fails_commits && !run->has_failed)
            run_offend(run, "the check failed: %s", e.text);
        return;
    }
    bool harm = report.double_extents > 0 || report.lost_extents > 0 ||
                report.miscounted_extents > 0;
    bool leaks = report.leaked_extents > 0 || report.named_extents != report.used_extents;
    if (harm || (sound && leaks))
        run_offend(run, "check: named %llu used %llu leaked %llu double %llu lost %llu",
                   (unsigned long long)report.named_extents,
                   (unsigned long long)report.used_extents,
                   (unsigned long long)report.leaked_extents,
                   (unsigned long long)report.double_extents,
                   (unsigned long long)report.lost_extents);
    pool_describe(run->rig.pool, &info);
    if (sound && info.used_bytes != devices_used(run))
        run_offend(run, "the pool says %llu bytes used, its devices %llu",
                   (unsigned long long)info.used_bytes,
                   (unsigned long long)devices_used(run));
    if (sound && info.used_bytes != report.used_extents * EXTENT_BYTES)
        run_offend(run, "the pool says %llu bytes used, its map %llu extents",
                   (unsigned long long)info.used_bytes,
                   (unsigned long long)report.used_extents);
}
