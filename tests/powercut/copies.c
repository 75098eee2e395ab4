/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of a range, beside writes to its source: what they write is in the copy or not,
 * sector by sector, and whatever they do once the copy has been answered, it stays as it
 * is. By hand the disk keeps those writes waiting while the copy runs, as far as it
 * comes without them. */
#include "tests/powercut/run.h"

#include "lunmgr/snapshot.h"
#include "tests/lib/rig_copy.h"

#include <errno.h>
#include <string.h>

#define EXTENT_SECTORS (EXTENT_BYTES / ORACLE_SECTOR)
#define BLOCK_SECTORS  (BLOCK_BYTES / ORACLE_SECTOR)
#define EXTENTS_MAX    64
#define WRITES_MAX     6
#define WRITE_BLOCKS   4
#define STEPS_TO_DISK  200  /* for the writes to come to the disk */
#define STEPS_BESIDE   1000 /* for what goes on without them */

struct write_beside {
    struct rig_io io;
    uint64_t first, count, tag;
    uint64_t copied;     /* its id as a change of the target */
    struct image *image; /* what it writes */
};

/* Those to the source that are under way as the copy begins. */
struct writes_beside {
    struct model_volume *of; /* NULL: there are none */
    unsigned count;
    struct write_beside writes[WRITES_MAX];
};

/* ---- Writes -------------------------------------------------------------------------
 */

static void steps(struct run *run, unsigned most, bool (*reached)(void *arg), void *arg)
{
    for (; most > 0 && !reached(arg); most--)
        pool_rig_step(&run->rig);
}

static void write_begin(struct run *run, struct write_beside *w, struct model_volume *of,
                        const struct copy *c)
{
    uint64_t blocks = c->length_bytes / BLOCK_BYTES, at = run_draw(run, blocks);
    uint64_t count = 1 + run_draw(run, WRITE_BLOCKS);
    count = count < blocks - at ? count : blocks - at;
    w->first = c->from_bytes / ORACLE_SECTOR + at * BLOCK_SECTORS;
    w->count = count * BLOCK_SECTORS;
    w->tag = oracle_begin(of->oracle, w->first, w->count, false, false);
    w->image = image_create(w->first + w->count);
    for (uint64_t s = w->first; s < w->first + w->count; s++)
        image_set(w->image, s, w->tag);
    rig_io_init(&w->io, &run->rig, 0, model_find(of, run->rig.manager), VIO_WRITE,
                w->first * ORACLE_SECTOR, w->count * ORACLE_SECTOR);
    oracle_fill(rig_io_data(&w->io), w->tag, w->first, w->count);
    rig_io_start(&w->io);
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

/* The copy has blocks of whole writes. */
static void writes_begin(struct run *run, struct writes_beside *b, const struct copy *c,
                         struct oracle *to)
{
    if (b->of == NULL)
        return;
    b->count = 1 + (unsigned)run_draw(run, WRITES_MAX);
    if (!run->threads)
        cut_disks_hold(run->power);
    for (unsigned i = 0; i < b->count; i++) {
        struct write_beside *w = &b->writes[i];
        write_begin(run, w, b->of, c);
        w->copied = oracle_begin_copy(to, w->first, w->count, w->image);
    }
    if (run->threads)
        return;
    steps(run, STEPS_TO_DISK, never, NULL);
    unsigned kept = cut_disks_keep(run->power);
    run_trace(run, "  beside %u writes, the disk keeps %u waiting", b->count, kept);
}

static void writes_end(struct run *run, struct writes_beside *b)
{
    cut_disks_release(run->power);
    for (unsigned i = 0; i < b->count; i++) {
        struct write_beside *w = &b->writes[i];
        int rc = rig_io_end(&w->io);
        oracle_end(b->of->oracle, w->tag, w->first, w->count,
                   rc == 0 ? ORACLE_DONE : ORACLE_FAILED);
        image_put(w->image);
    }
    b->count = 0;
}

/* ---- The copy -----------------------------------------------------------------------
 */

/* Where from: a snapshot's, or all of a volume that nothing changes meanwhile. */
static struct image *copy_source(struct run *run, struct model_volume *v,
                                 struct volume **from)
{
    struct model_snapshot *s = run_chance(run, 50) ? run_any_snapshot(run, v) : NULL;
    if (s != NULL) {
        run_freeze(run, s);
        *from = model_find_snapshot(v, s, run->rig.manager);
        return s->image == NULL ? NULL : image_get(s->image);
    }
    run_load_end(run, v);
    *from = model_find(v, run->rig.manager);
    return run_has_offence(run) || run_is_off(run) ? NULL : run_read_image(run, v);
}

/* At one place of both, of which the oracle tells sectors: whole extents, mostly, so that
 * runs of them are shared; else blocks or sectors, whose edges are moved. */
static struct copy copy_draw(struct run *run, struct volume *from,
                             const struct model_volume *to)
{
    const uint64_t most = EXTENTS_MAX * EXTENT_SECTORS;
    uint64_t unit = run_chance(run, 60)   ? EXTENT_SECTORS
                    : run_chance(run, 50) ? BLOCK_SECTORS
                                          : 1;
    uint64_t sectors = volume_size_bytes(from) / ORACLE_SECTOR;
    uint64_t room = oracle_bytes(to->oracle) / ORACLE_SECTOR;
    room = room < sectors ? room : sectors;
    room = (room < most ? room : most) / unit;
    uint64_t first = room == 0 ? 0 : run_draw(run, room) * unit;
    uint64_t count = room == 0 ? 0 : (1 + run_draw(run, room - first / unit)) * unit;
    return (struct copy){.from = from,
                         .to = model_find(to, run->rig.manager),
                         .from_bytes = first * ORACLE_SECTOR,
                         .to_bytes = first * ORACLE_SECTOR,
                         .length_bytes = count * ORACLE_SECTOR};
}

static bool read_ended(void *arg)
{
    return atomic_load(&((struct rig_io *)arg)->ended);
}

/* What the copy has, once before the writes beside it have ended and once after. */
static void copy_look_twice(struct run *run, const struct copy *c,
                            struct writes_beside *b)
{
    static uint8_t after[EXTENTS_MAX * EXTENT_BYTES];
    struct rig_io before;
    rig_io_init(&before, &run->rig, 0, c->to, VIO_READ, c->to_bytes, c->length_bytes);
    rig_io_start(&before);
    if (!run->threads)
        steps(run, STEPS_BESIDE, read_ended, &before);
    writes_end(run, b);
    int rc = rig_io_wait(&before);
    if (rc == 0)
        rc = rig_io_run(&run->rig, 0, c->to, VIO_READ, c->to_bytes, c->length_bytes,
                        after);
    if (rc == 0 && !run_is_off(run) &&
        memcmp(rig_io_data(&before), after, (size_t)c->length_bytes) != 0)
        run_offend(run, "a write to the source of a copy has changed the copy");
    rig_io_fini(&before);
}

static int copy_run(struct run *run, struct rig_copying *c, struct writes_beside *b)
{
    rig_copying_start(&run->rig, c);
    if (b->count > 0 && !run->threads) {
        steps(run, STEPS_BESIDE, rig_copying_ended, c);
        if (!rig_copying_ended(c))
            cut_disks_release(run->power);
    }
    return rig_copying_wait(&run->rig, c);
}

static int copy_told(struct run *run, struct copy *copy, const struct image *image,
                     struct oracle *to, struct writes_beside *b)
{
    struct rig_copying c = {.copy = *copy};
    uint64_t first = copy->to_bytes / ORACLE_SECTOR;
    uint64_t count = copy->length_bytes / ORACLE_SECTOR;
    uint64_t id = oracle_begin_copy(to, first, count, image);
    writes_begin(run, b, copy, to);
    int rc = copy_run(run, &c, b);
    enum oracle_outcome outcome = rc == 0 ? ORACLE_DONE : ORACLE_FAILED;
    oracle_end(to, id, first, count, outcome);
    for (unsigned i = 0; i < b->count; i++)
        oracle_end(to, b->writes[i].copied, b->writes[i].first, b->writes[i].count,
                   outcome);
    if (rc == 0 && b->count > 0)
        copy_look_twice(run, &c.copy, b);
    else
        writes_end(run, b);
    *copy = c.copy;
    return rc;
}

static void copy_range(struct run *run, struct volume *from, const struct image *image,
                       struct model_volume *of, struct model_volume *to)
{
    struct copy copy = copy_draw(run, from, to);
    if (copy.length_bytes == 0)
        return;
    bool whole = copy.from_bytes % BLOCK_BYTES == 0 && copy.length_bytes >= BLOCK_BYTES;
    struct writes_beside beside = {.of = whole && run_chance(run, 70) ? of : NULL};
    int rc = copy_told(run, &copy, image, to->oracle, &beside);
    run_trace(run, "  %llu bytes from %llu: %d, %llu bytes shared",
              (unsigned long long)copy.length_bytes, (unsigned long long)copy.from_bytes,
              rc, (unsigned long long)copy.shared_bytes);
    if (rc != 0 && rc != -ENOSPC && !run_is_allowed(run, rc) && !run_is_off(run) &&
        !run->fails_commits)
        run_offend(run, "a copy to %s failed: %d", to->name, rc);
}

void run_copy(struct run *run)
{
    struct model_volume *v = run_any_volume(run, false);
    struct model_volume *to = run_any_volume(run, false);
    struct volume *from = NULL;
    if (v == NULL || to == NULL || to == v || run->has_failed)
        return;
    run_load_end(run, to);
    struct image *image = copy_source(run, v, &from);
    if (image != NULL && from != NULL && !run_has_offence(run) && !run_is_off(run)) {
        run_trace(run, "copy from %s to %s", v->name, to->name);
        copy_range(run, from, image, volume_is_snapshot(from) ? NULL : v, to);
    }
    image_put(image);
}
