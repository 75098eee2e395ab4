/* SPDX-License-Identifier: Apache-2.0 */
/* Slots, each with an I/O of its own that follows the last. */
#include "tests/lib/vio_load.h"

#include "tests/lib/random.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EDGE_TAGS  3
#define READ_BYTES (1U << 20)

/* One stretch of sectors that an I/O changes in one way. */
struct stretch {
    uint64_t tag, first, count;
};

struct slot {
    struct vio_load *load;
    struct vio vio;
    uint8_t *buffer;
    uint64_t since;
    struct stretch stretches[EDGE_TAGS];
    unsigned stretch_count;
};

struct vio_load {
    struct load_options o;
    struct note note;
    uint64_t random;
    unsigned started, ended, failed;
    bool is_beginning; /* slots are not all looked at yet: it is not over */
    atomic_bool stopping;
    atomic_bool over;
    struct slot slots[LOAD_DEPTH_MAX];
};

/* ---- What an I/O does to its sectors ------------------------------------------------
 */

static void change(struct slot *s, uint64_t from, uint64_t to, bool zeros, bool optional)
{
    if (from == to)
        return;
    struct stretch *x = &s->stretches[s->stretch_count++];
    x->first = from / ORACLE_SECTOR;
    x->count = (to - from) / ORACLE_SECTOR;
    x->tag = oracle_begin(s->load->o.oracle, x->first, x->count, zeros, optional);
}

/* What an UNMAP covers in part may become zeros or stay. */
static void change_unmap(struct slot *s, uint64_t from, uint64_t to)
{
    uint64_t grain = s->load->o.unmap_bytes == 0 ? BLOCK_BYTES : s->load->o.unmap_bytes;
    uint64_t first = (from + grain - 1) / grain * grain;
    uint64_t last = to / grain * grain;
    if (first >= last) {
        change(s, from, to, true, true);
        return;
    }
    change(s, from, first, true, true);
    change(s, first, last, true, false);
    change(s, last, to, true, true);
}

static void slot_begin(struct slot *s)
{
    const struct vio *v = &s->vio;
    struct oracle *o = s->load->o.oracle;
    uint64_t from = v->offset_bytes, to = from + v->length_bytes;
    s->stretch_count = 0;
    s->since = oracle_now(o);
    if (v->op == VIO_UNMAP) {
        change_unmap(s, from, to);
    } else if (v->op == VIO_WRITE || v->op == VIO_ZERO) {
        change(s, from, to, v->op == VIO_ZERO, false);
        if (v->atomic)
            oracle_atomic(o, s->stretches[0].tag, s->stretches[0].first,
                          s->stretches[0].count);
        if (v->op == VIO_WRITE)
            oracle_fill(s->buffer + from % BLOCK_BYTES, s->stretches[0].tag,
                        s->stretches[0].first, s->stretches[0].count);
    }
}

static void slot_end(struct slot *s, int rc)
{
    const struct vio *v = &s->vio;
    struct oracle *o = s->load->o.oracle;
    enum oracle_outcome outcome = rc != 0  ? ORACLE_FAILED
                                  : v->fua ? ORACLE_DURABLE
                                           : ORACLE_DONE;
    for (unsigned i = 0; i < s->stretch_count; i++)
        oracle_end(o, s->stretches[i].tag, s->stretches[i].first, s->stretches[i].count,
                   outcome);
    if (rc != 0)
        return;
    if (v->op == VIO_READ && !s->load->o.loses_data)
        oracle_check(o, s->since, s->buffer + v->offset_bytes % BLOCK_BYTES,
                     v->offset_bytes / ORACLE_SECTOR, v->length_bytes / ORACLE_SECTOR);
    else if (v->op == VIO_FLUSH)
        oracle_flushed(o, s->since);
}

/* ---- Choosing -----------------------------------------------------------------------
 */

static enum vio_op choose_op(struct vio_load *load, bool *atomic)
{
    const struct load_mix *m = &load->o.mix;
    uint64_t n = draw(&load->random,
                      m->read + m->write + m->unmap + m->zero + m->flush + m->atomic);
    *atomic = n < m->atomic;
    if (*atomic)
        return VIO_WRITE;
    n -= m->atomic;
    if (n < m->read)
        return VIO_READ;
    n -= m->read;
    if (n < m->write)
        return VIO_WRITE;
    n -= m->write;
    if (n < m->unmap)
        return VIO_UNMAP;
    n -= m->unmap;
    return n < m->zero ? VIO_ZERO : VIO_FLUSH;
}

/* Small ones mostly; now and then one as large as may be. */
static uint64_t choose_bytes(struct vio_load *load)
{
    uint64_t max = load->o.bytes_max;
    switch (draw(&load->random, 8)) {
    case 0:
        break;
    case 1:
    case 2:
        max = max < 4 * EXTENT_BYTES ? max : 4 * EXTENT_BYTES;
        break;
    default:
        max = max < 4 * BLOCK_BYTES ? max : 4 * BLOCK_BYTES;
    }
    return (draw(&load->random, max / load->o.align_bytes) + 1) * load->o.align_bytes;
}

/* Whole blocks, and not too many. */
static void choose_whole(struct vio *v)
{
    uint64_t bytes = (v->length_bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    v->length_bytes = bytes < VIO_ATOMIC_BYTES_MAX ? bytes : VIO_ATOMIC_BYTES_MAX;
    v->offset_bytes -= v->offset_bytes % BLOCK_BYTES;
}

static void choose(struct slot *s)
{
    struct vio_load *load = s->load;
    const struct load_options *o = &load->o;
    s->vio.op = choose_op(load, &s->vio.atomic);
    s->vio.fua = s->vio.op != VIO_READ && draw(&load->random, 100) < o->fua_percent;
    s->vio.may_unmap = draw(&load->random, 2) == 0;
    s->vio.offset_bytes = s->vio.length_bytes = 0;
    if (s->vio.op == VIO_FLUSH)
        return;
    uint64_t bytes = choose_bytes(load);
    uint64_t places = (o->region_bytes - bytes) / o->align_bytes + 1;
    s->vio.length_bytes = bytes;
    s->vio.offset_bytes = o->first_bytes + draw(&load->random, places) * o->align_bytes;
    if (s->vio.atomic)
        choose_whole(&s->vio);
}

/* ---- Running ------------------------------------------------------------------------
 */

static void slot_next(struct slot *s);

static void slot_done(struct vio *vio, int rc)
{
    struct slot *s = container_of(vio, struct slot, vio);
    struct vio_load *load = s->load;
    slot_end(s, rc);
    load->failed += rc != 0;
    bool expected = load->o.may_fail || (rc == -ENOSPC && load->o.may_be_full);
    if (rc != 0 && !expected) {
        fprintf(stderr, "load: op %d at %llu+%llu failed: %d\n", vio->op,
                (unsigned long long)vio->offset_bytes,
                (unsigned long long)vio->length_bytes, rc);
        abort();
    }
    load->ended++;
    slot_next(s);
}

static void slot_next(struct slot *s)
{
    struct vio_load *load = s->load;
    if (load->started < load->o.count && !atomic_load(&load->stopping)) {
        load->started++;
        choose(s);
        slot_begin(s);
        vio_submit(&s->vio);
    } else if (load->ended == load->started && !load->is_beginning) {
        atomic_store(&load->over, true);
    }
}

static void load_begin(struct note *note)
{
    struct vio_load *load = container_of(note, struct vio_load, note);
    unsigned last = load->o.depth - 1;
    load->is_beginning = true;
    for (unsigned i = 0; i < last; i++)
        slot_next(&load->slots[i]);
    load->is_beginning = false;
    slot_next(&load->slots[last]); /* it may be over, and gone, after this */
}

struct vio_load *vio_load_start(const struct load_options *options)
{
    assert(options->depth >= 1 && options->depth <= LOAD_DEPTH_MAX);
    assert(options->count >= options->depth);
    struct vio_load *load = calloc(1, sizeof(*load));
    assert(load != NULL);
    load->o = *options;
    load->random = options->seed * 2654435761U + 88172645463325252ULL;
    for (unsigned i = 0; i < options->depth; i++) {
        struct slot *s = &load->slots[i];
        s->load = load;
        s->buffer =
            aligned_alloc(BUF_ALIGN, options->bytes_max / BLOCK_BYTES * BLOCK_BYTES +
                                         (uint64_t)2 * BLOCK_BYTES);
        assert(s->buffer != NULL);
        s->vio = (struct vio){.lane = options->rig->lanes[options->lane].lane,
                              .volume = options->volume,
                              .data = s->buffer,
                              .done = slot_done};
    }
    load->note.run = load_begin;
    loop_post(options->rig->lanes[options->lane].loop, &load->note);
    return load;
}

bool vio_load_ended(struct vio_load *load)
{
    return atomic_load(&load->over);
}

void vio_load_stop(struct vio_load *load)
{
    atomic_store(&load->stopping, true);
}

unsigned vio_load_finish(struct vio_load *load)
{
    unsigned failed = load->failed;
    for (unsigned i = 0; i < load->o.depth; i++)
        free(load->slots[i].buffer);
    free(load);
    return failed;
}

unsigned vio_load_run(const struct load_options *options)
{
    struct vio_load *load = vio_load_start(options);
    return vio_loads_finish(options->rig, &load, 1);
}

/* ---- Several at once ----------------------------------------------------------------
 */

void vio_loads_start(const struct load_options *options, struct vio_load **loads,
                     unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct load_options one = *options;
        one.lane = i;
        one.seed += i;
        loads[i] = vio_load_start(&one);
    }
}

struct loads {
    struct vio_load *const *list;
    unsigned count;
};

static bool loads_ended(void *arg)
{
    const struct loads *l = arg;
    for (unsigned i = 0; i < l->count; i++)
        if (!vio_load_ended(l->list[i]))
            return false;
    return true;
}

void vio_loads_wait(struct pool_rig *r, struct vio_load *const *loads, unsigned count)
{
    struct loads l = {.list = loads, .count = count};
    pool_rig_until(r, loads_ended, &l);
}

unsigned vio_loads_finish(struct pool_rig *r, struct vio_load *const *loads,
                          unsigned count)
{
    unsigned failed = 0;
    vio_loads_wait(r, loads, count);
    for (unsigned i = 0; i < count; i++)
        failed += vio_load_finish(loads[i]);
    return failed;
}

unsigned vio_loads_stop(struct pool_rig *r, struct vio_load *const *loads, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        vio_load_stop(loads[i]);
    return vio_loads_finish(r, loads, count);
}

/* ---- The volume, read whole ----------------------------------------------------------
 */

bool oracle_verify(struct oracle *o, struct pool_rig *r, struct volume *volume,
                   const struct oracle_cut *cut)
{
    AUTO_FREE uint8_t *data = malloc(READ_BYTES);
    assert(data != NULL);
    uint64_t size = volume_size_bytes(volume);
    bool good = true;
    for (uint64_t at = 0; good && at < size; at += READ_BYTES) {
        uint64_t bytes = size - at < READ_BYTES ? size - at : READ_BYTES;
        uint64_t since = oracle_now(o);
        int rc = rig_io_run(r, 0, volume, VIO_READ, at, bytes, data);
        uint64_t first = at / ORACLE_SECTOR, count = bytes / ORACLE_SECTOR;
        good = rc == 0 && (cut == NULL ? oracle_check(o, since, data, first, count)
                                       : oracle_check_cut(o, cut, data, first, count));
    }
    return good;
}
