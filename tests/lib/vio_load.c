/* SPDX-License-Identifier: Apache-2.0 */
/* Slots, each with an I/O of its own that follows the last; a COMPARE AND WRITE has its
 * READ before it. */
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
    uint8_t *halves; /* of a COMPARE AND WRITE */
    bool compares;   /* what is read is compared next */
    bool is_wrong;   /* with something else */
    bool fua;
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

/* One logical block is written in place, and torn where its device tears it. */
static bool is_whole(const struct vio *v)
{
    return v->atomic || (v->op == VIO_COMPARE_WRITE &&
                         v->length_bytes > volume_block_bytes(v->volume));
}

static bool writes(const struct vio *v)
{
    return v->op == VIO_WRITE || v->op == VIO_COMPARE_WRITE;
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
    } else if (writes(v) || v->op == VIO_ZERO) {
        change(s, from, to, v->op == VIO_ZERO, false);
        if (is_whole(v))
            oracle_atomic(o, s->stretches[0].tag, s->stretches[0].first,
                          s->stretches[0].count);
        if (writes(v))
            oracle_fill(v->op == VIO_WRITE ? s->buffer + from % BLOCK_BYTES
                                           : s->halves + v->length_bytes,
                        s->stretches[0].tag, s->stretches[0].first,
                        s->stretches[0].count);
    }
}

/* What was there when it was compared. */
static const uint8_t *slot_seen(const struct slot *s)
{
    const struct vio *v = &s->vio;
    if (v->op == VIO_READ)
        return s->buffer + v->offset_bytes % BLOCK_BYTES;
    return v->op == VIO_COMPARE_WRITE ? s->halves : NULL;
}

static void slot_end(struct slot *s, int rc)
{
    const struct vio *v = &s->vio;
    struct oracle *o = s->load->o.oracle;
    enum oracle_outcome outcome = rc == -EILSEQ ? ORACLE_NOTHING
                                  : rc != 0     ? ORACLE_FAILED
                                  : v->fua      ? ORACLE_DURABLE
                                                : ORACLE_DONE;
    for (unsigned i = 0; i < s->stretch_count; i++)
        oracle_end(o, s->stretches[i].tag, s->stretches[i].first, s->stretches[i].count,
                   outcome);
    if (rc != 0)
        return;
    const uint8_t *seen = slot_seen(s);
    if (seen != NULL && !s->load->o.loses_data)
        oracle_check(o, s->since, seen, v->offset_bytes / ORACLE_SECTOR,
                     v->length_bytes / ORACLE_SECTOR);
    else if (v->op == VIO_FLUSH)
        oracle_flushed(o, s->since);
}

/* ---- Choosing -----------------------------------------------------------------------
 */

static enum vio_op choose_op(struct vio_load *load, bool *atomic)
{
    const struct load_mix *m = &load->o.mix;
    uint64_t n = draw(&load->random, m->read + m->write + m->unmap + m->zero + m->flush +
                                         m->atomic + m->compare);
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
    if (n < m->zero)
        return VIO_ZERO;
    return n - m->zero < m->compare ? VIO_COMPARE_WRITE : VIO_FLUSH;
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

/* Read first: what it finds is compared, if it is not changed at random. */
static void choose_compared(struct slot *s)
{
    struct vio *v = &s->vio;
    if (v->length_bytes > VIO_ATOMIC_BYTES_MAX)
        v->length_bytes = VIO_ATOMIC_BYTES_MAX;
    s->is_wrong = draw(&s->load->random, 5) == 0;
    s->fua = v->fua;
    v->op = VIO_READ;
    v->fua = false;
}

static void choose(struct slot *s)
{
    struct vio_load *load = s->load;
    const struct load_options *o = &load->o;
    s->vio.op = choose_op(load, &s->vio.atomic);
    s->vio.fua = s->vio.op != VIO_READ && draw(&load->random, 100) < o->fua_percent;
    s->compares = s->vio.op == VIO_COMPARE_WRITE;
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
    if (s->compares)
        choose_compared(s);
}

/* ---- Running ------------------------------------------------------------------------
 */

static void slot_next(struct slot *s);

/* The second half of it. */
static void slot_compare(struct slot *s)
{
    struct vio *v = &s->vio;
    s->compares = false;
    memcpy(s->halves, s->buffer + v->offset_bytes % BLOCK_BYTES, v->length_bytes);
    if (s->is_wrong)
        s->halves[draw(&s->load->random, v->length_bytes)] ^= 1;
    v->op = VIO_COMPARE_WRITE;
    v->fua = s->fua;
    slot_begin(s);
    vio_submit(v);
}

/* What differs from what was read before is no failure, and has to be found. */
static bool is_expected(const struct slot *s, int rc)
{
    const struct load_options *o = &s->load->o;
    if (s->vio.op == VIO_COMPARE_WRITE && (rc == -EILSEQ || (rc == 0 && s->is_wrong)))
        return rc == -EILSEQ || o->loses_data;
    return rc == 0 || o->may_fail || (rc == -ENOSPC && o->may_be_full);
}

static void slot_done(struct vio *vio, int rc)
{
    struct slot *s = container_of(vio, struct slot, vio);
    struct vio_load *load = s->load;
    slot_end(s, rc);
    if (s->compares && rc == 0) {
        slot_compare(s);
        return;
    }
    load->failed += rc != 0 && rc != -EILSEQ;
    if (!is_expected(s, rc)) {
        fprintf(stderr, "load: op %d at %llu+%llu: %d\n", vio->op,
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
        s->halves = malloc(2 * options->bytes_max);
        assert(s->buffer != NULL && s->halves != NULL);
        s->vio = (struct vio){.lane = options->rig->lanes[options->lane].lane,
                              .volume = options->volume,
                              .data = s->buffer,
                              .halves = s->halves,
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
    for (unsigned i = 0; i < load->o.depth; i++) {
        free(load->slots[i].buffer);
        free(load->slots[i].halves);
    }
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
