/* SPDX-License-Identifier: Apache-2.0 */
/* Slots that each have one I/O under way. */
#include "tests/bench/traffic.h"

#include "base/auto.h"
#include "lunmgr/buf.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    struct vio vio;
    struct traffic *traffic;
    uint64_t began_ns;
};

struct traffic {
    struct traffic_options o;
    struct note note;
    struct slot slots[TRAFFIC_DEPTH_MAX];
    unsigned busy;
    uint64_t random;
    uint64_t began_ns, ends_ns;
    bool is_over; /* nothing new begins */
    struct traffic_result result;
    atomic_bool stopping;
    atomic_bool ended;
};

uint64_t io_span_longest_in(const struct io_span *window, const struct io_span *spans,
                            size_t count)
{
    uint64_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t ns = spans[i].ended_ns - spans[i].began_ns;
        if (spans[i].began_ns < window->ended_ns &&
            spans[i].ended_ns > window->began_ns && ns > longest)
            longest = ns;
    }
    return longest;
}

uint64_t random_next(uint64_t *state)
{
    uint64_t x = *state; /* xorshift64* (Marsaglia, Vigna) */
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545f4914f6cdd1dULL;
}

bool random_place_next(void *arg, uint64_t *offset_bytes)
{
    struct random_place *p = arg;
    uint64_t places = p->region_bytes / p->align_bytes;
    *offset_bytes = random_next(&p->state) % places * p->align_bytes;
    return true;
}

void traffic_add(struct traffic_result *sum, const struct traffic_result *result)
{
    sum->count += result->count;
    sum->seconds += result->seconds;
    histogram_merge(&sum->latency, &result->latency);
}

double traffic_iops(const struct traffic_result *result)
{
    return result->count == 0 ? 0 : (double)result->count / result->seconds;
}

/* ---- On the lane ----------------------------------------------------------------- */

static bool slot_begin(struct slot *s, uint64_t now_ns)
{
    struct traffic *t = s->traffic;
    t->is_over = t->is_over || atomic_load(&t->stopping) ||
                 (t->ends_ns != 0 && now_ns >= t->ends_ns) ||
                 !t->o.next(t->o.next_arg, &s->vio.offset_bytes);
    if (t->is_over)
        return false;
    bool writes = random_next(&t->random) % 100 < t->o.write_percent;
    s->vio.op = writes ? VIO_WRITE : VIO_READ;
    s->began_ns = now_ns;
    t->busy++;
    vio_submit(&s->vio);
    return true;
}

static void slot_done(struct vio *vio, int rc)
{
    struct slot *s = container_of(vio, struct slot, vio);
    struct traffic *t = s->traffic;
    struct traffic_result *r = &t->result;
    uint64_t now_ns = bench_now_ns();
    if (rc != 0)
        bench_die("an I/O failed", strerror(-rc));
    t->busy--;
    r->count++;
    histogram_add(&r->latency, now_ns - s->began_ns);
    if (r->span_count < t->o.span_max)
        t->o.spans[r->span_count++] =
            (struct io_span){.began_ns = s->began_ns, .ended_ns = now_ns};
    if (slot_begin(s, now_ns) || t->busy > 0)
        return;
    r->seconds = (double)(now_ns - t->began_ns) / 1e9;
    atomic_store(&t->ended, true);
}

static void traffic_begin(struct note *note)
{
    struct traffic *t = container_of(note, struct traffic, note);
    uint64_t now_ns = bench_now_ns();
    t->began_ns = now_ns;
    t->ends_ns = t->o.milliseconds == 0 ? 0 : now_ns + t->o.milliseconds * 1000000U;
    for (unsigned i = 0; i < t->o.depth; i++) {
        if (slot_begin(&t->slots[i], now_ns) || i > 0)
            continue;
        if (!atomic_load(&t->stopping))
            bench_die("traffic", "there is nothing to do");
        atomic_store(&t->ended, true); /* stopped before this lane's turn came */
        return;
    }
}

/* ---- On the control thread ------------------------------------------------------- */

static void slot_init(struct bench_rig *r, struct traffic *t, struct slot *s)
{
    uint8_t *data = aligned_alloc(BUF_ALIGN, t->o.io_bytes);
    if (data == NULL)
        bench_die("traffic", "out of memory");
    for (uint32_t i = 0; i < t->o.io_bytes; i++)
        data[i] = (uint8_t)random_next(&t->random);
    s->traffic = t;
    s->vio = (struct vio){.lane = r->lanes[t->o.lane],
                          .volume = t->o.volume,
                          .length_bytes = t->o.io_bytes,
                          .data = data,
                          .done = slot_done};
}

struct traffic *traffic_start(struct bench_rig *r, const struct traffic_options *options)
{
    assert(options->depth >= 1 && options->depth <= TRAFFIC_DEPTH_MAX);
    assert(options->io_bytes % BLOCK_BYTES == 0);
    struct traffic *t = calloc(1, sizeof(*t));
    if (t == NULL)
        bench_die("traffic", "out of memory");
    t->o = *options;
    t->random = 88172645463325252ULL;
    for (unsigned i = 0; i < options->depth; i++)
        slot_init(r, t, &t->slots[i]);
    t->note.run = traffic_begin;
    loop_post(r->loops[options->lane], &t->note);
    return t;
}

void traffic_stop(struct traffic *t)
{
    atomic_store(&t->stopping, true);
}

bool traffic_ended(struct traffic *t)
{
    return atomic_load(&t->ended);
}

static bool has_ended(void *arg)
{
    return traffic_ended(arg);
}

void traffic_finish(struct bench_rig *r, struct traffic *t, struct traffic_result *out)
{
    bench_until(r, has_ended, t);
    *out = t->result;
    for (unsigned i = 0; i < t->o.depth; i++)
        free(t->slots[i].vio.data);
    free(t);
}

void traffic_run(struct bench_rig *r, const struct traffic_options *options,
                 struct traffic_result *out)
{
    traffic_finish(r, traffic_start(r, options), out);
}
