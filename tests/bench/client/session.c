/* SPDX-License-Identifier: Apache-2.0 */
/* A slot that ends is free; session_go() gives free slots their next command. A flush
 * follows its write at once, in the same slot. */
#include "tests/bench/client/session.h"

#include "tests/bench/client/places.h"
#include "tests/bench/client/versions.h"
#include "tests/lib/random.h"
#include "tests/protocol/peer.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TIMEOUT_S    60
#define BUFFER_ALIGN 4096
#define ISID_FIRST   0x800000U

struct slot {
    struct session *session;
    struct slot *next_free;
    struct peer_cmd cmd;
    enum kind kind;
    uint64_t place;
    int64_t began_ns;
    unsigned writes; /* since its last flush */
};

struct session {
    struct run *run;
    struct figures *figures;
    struct peer *peer;
    unsigned index;
    uint32_t sectors; /* of a command */
    struct places places;
    struct versions *versions; /* NULL: nothing is verified */
    uint64_t random;
    uint64_t begun;
    unsigned open;
    bool exhausted; /* there is no more for it to do */
    bool unsent;    /* commands were handed to libiscsi, the socket was not tried yet */
    int64_t last_ns;
    struct slot *free;
    struct slot slots[];
};

int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

void run_fail(struct run *run, const char *why, const char *detail)
{
    if (!atomic_exchange(&run->failed, true))
        fprintf(stderr, "ashlar-bench: %s: %s\n", why, detail);
    atomic_store(&run->phase, PHASE_OVER);
}

static bool is_over(const struct session *s)
{
    return s->exhausted ||
           atomic_load_explicit(&s->run->phase, memory_order_relaxed) == PHASE_OVER;
}

static void slot_free(struct slot *slot)
{
    slot->next_free = slot->session->free;
    slot->session->free = slot;
}

static void slot_submit(struct slot *slot)
{
    struct session *s = slot->session;
    if (peer_submit(s->peer, &slot->cmd) != 0) {
        run_fail(s->run, "a command cannot be sent", peer_error(s->peer));
        slot_free(slot);
        return;
    }
    s->open++;
    s->unsent = true;
}

/* ---- What a slot does next -------------------------------------------------------- */

static bool place_take(struct session *s, uint64_t *place)
{
    if (s->run->o.count != 0 && s->begun == s->run->o.count)
        return false;
    do {
        if (!places_next(&s->places, place))
            return false;
    } while (s->versions != NULL &&
             !versions_take(s->versions, *place - s->places.first));
    s->begun++;
    return true;
}

static void slot_transfer(struct slot *slot)
{
    struct session *s = slot->session;
    uint64_t lba = slot->place * s->sectors;
    slot->cmd.data_bytes = s->run->o.block_bytes;
    if (slot->kind == KIND_READ)
        cmd_read(&slot->cmd, 16, lba, s->sectors);
    else
        cmd_write(&slot->cmd, 16, lba, s->sectors, false);
    if (slot->kind == KIND_WRITE && s->versions != NULL)
        versions_fill(s->versions, slot->place - s->places.first, slot->cmd.data);
    slot_submit(slot);
}

static int64_t due_ns(const struct session *s)
{
    const struct bench_options *o = &s->run->o;
    double nth = (double)s->begun * o->sessions + s->index;
    return s->run->began_ns + (int64_t)(nth * 1e9 / o->rate);
}

/* False: no slot is to begin now. */
static bool session_begin_one(struct session *s, int64_t now)
{
    const struct bench_options *o = &s->run->o;
    struct slot *slot = s->free;
    if (slot == NULL || is_over(s))
        return false;
    slot->began_ns = o->rate == 0 ? now : due_ns(s);
    if (slot->began_ns > now)
        return false;
    if (!place_take(s, &slot->place)) {
        s->exhausted = true;
        return false;
    }
    s->free = slot->next_free;
    bool reads = o->read_percent == 100 ||
                 (o->read_percent > 0 && draw(&s->random, 100) < o->read_percent);
    slot->kind = reads ? KIND_READ : KIND_WRITE;
    slot_transfer(slot);
    return true;
}

/* ---- What has ended --------------------------------------------------------------- */

static void slot_verify(struct slot *slot)
{
    struct session *s = slot->session;
    char text[256];
    uint64_t nth = slot->place - s->places.first;
    if (slot->kind == KIND_READ &&
        !versions_hold(s->versions, nth, slot->cmd.data, text, sizeof(text)))
        run_fail(s->run, "wrong data", text);
    versions_give(s->versions, nth);
}

static void slot_good(struct slot *slot, int64_t now)
{
    struct session *s = slot->session;
    if (atomic_load_explicit(&s->run->phase, memory_order_relaxed) == PHASE_MEASURE)
        histogram_add(&s->figures->latency[slot->kind], (uint64_t)(now - slot->began_ns));
    s->last_ns = now;
    if (s->versions != NULL && slot->kind != KIND_FLUSH)
        slot_verify(slot);
    slot->writes = slot->kind == KIND_WRITE ? slot->writes + 1 : slot->writes;
    bool flush_due = s->run->o.flush_every != 0 && slot->kind == KIND_WRITE &&
                     slot->writes >= s->run->o.flush_every;
    if (!flush_due) {
        slot_free(slot);
        return;
    }
    slot->writes = 0;
    slot->kind = KIND_FLUSH;
    slot->began_ns = now;
    cmd_flush(&slot->cmd, 16);
    slot_submit(slot);
}

static void slot_done(void *arg, enum outcome outcome)
{
    struct slot *slot = arg;
    struct session *s = slot->session;
    int64_t now = now_ns();
    s->open--;
    if (outcome == OUTCOME_GOOD)
        slot_good(slot, now);
    else if (outcome == OUTCOME_AGAIN && !atomic_load(&s->run->failed)) {
        s->figures->again++;
        slot_submit(slot);
    } else {
        run_fail(s->run, "a command failed", peer_error(s->peer));
        slot_free(slot);
    }
    session_go(s, now);
}

/* ---- Its worker's ----------------------------------------------------------------- */

void session_go(struct session *s, int64_t now)
{
    while (session_begin_one(s, now))
        ;
}

static void session_service(struct session *s, short revents)
{
    if (peer_service(s->peer, revents) != 0)
        run_fail(s->run, "a session ended", peer_error(s->peer));
}

void session_serve(struct session *s, unsigned revents)
{
    session_service(s, (short)(revents & ~(unsigned)POLLOUT));
    if ((!s->unsent && (revents & POLLOUT) == 0) || peer_lost(s->peer))
        return;
    s->unsent = false;
    session_service(s,
                    POLLOUT); /* without asking first: there is room, most of the time */
}

int session_fd(const struct session *s)
{
    return peer_fd(s->peer);
}

bool session_wants_out(const struct session *s)
{
    return (peer_events(s->peer) & POLLOUT) != 0;
}

int64_t session_due_ns(const struct session *s)
{
    return s->run->o.rate == 0 || s->free == NULL || is_over(s) ? INT64_MAX : due_ns(s);
}

bool session_ended(const struct session *s)
{
    return peer_lost(s->peer) || (s->open == 0 && is_over(s));
}

int64_t session_last_ns(const struct session *s)
{
    return s->last_ns;
}

/* ---- Its beginning and end --------------------------------------------------------- */

static bool slots_make(struct session *s)
{
    const struct bench_options *o = &s->run->o;
    for (unsigned i = 0; i < o->depth; i++) {
        struct slot *slot = &s->slots[i];
        uint8_t *data = aligned_alloc(BUFFER_ALIGN, (o->block_bytes + BUFFER_ALIGN - 1) /
                                                        BUFFER_ALIGN * BUFFER_ALIGN);
        if (data == NULL)
            return false;
        for (uint32_t at = 0; at < o->block_bytes; at++)
            data[at] = (uint8_t)random_next(&s->random);
        slot->session = s;
        slot->cmd = (struct peer_cmd){.lun = (unsigned)peer_lun(s->peer),
                                      .data = data,
                                      .done = slot_done,
                                      .arg = slot};
        slot_free(slot);
    }
    return true;
}

/* Sessions of one LUN share it out where they must not meet. */
static bool places_make(struct session *s, uint64_t blocks)
{
    const struct bench_options *o = &s->run->o;
    uint64_t sharers = (o->sessions + o->url_count - 1) / o->url_count;
    uint64_t nth = s->index / o->url_count, all = blocks / s->sectors;
    uint64_t share = all / sharers;
    bool alone = o->once || o->verify;
    s->places = (struct places){.first = alone ? nth * share : 0,
                                .count = alone ? share : all,
                                .start = alone ? 0 : nth * share,
                                .sequential = o->sequential,
                                .once = o->once,
                                .random = s->random};
    return share > (o->verify ? o->depth : 0U);
}

/* Of 24 bits; runs with different seeds do not end each other's sessions. */
static uint32_t isid_of(const struct run *run, unsigned index)
{
    return ISID_FIRST + run->o.seed % 8192 * SESSIONS_MAX + index;
}

static const char *session_prepare(struct session *s)
{
    const struct bench_options *o = &s->run->o;
    uint64_t blocks;
    uint32_t sector_bytes;
    if (peer_capacity(s->peer, (unsigned)peer_lun(s->peer), &blocks, &sector_bytes) != 0)
        return peer_error(s->peer);
    if (o->block_bytes % sector_bytes != 0)
        return "--block is no multiple of the unit's block";
    s->sectors = o->block_bytes / sector_bytes;
    if (!places_make(s, blocks))
        return "the unit is too small";
    if (o->verify)
        s->versions =
            versions_create(&s->places, s->sectors, sector_bytes, s->index, o->seed);
    if (o->verify && s->versions == NULL)
        return "no memory for what is verified";
    return slots_make(s) ? NULL : "no memory for its buffers";
}

struct session *session_open(struct run *run, unsigned index, struct figures *f)
{
    char why[256];
    const char *url = run->o.urls[index % run->o.url_count];
    struct peer_options o = {.url = url,
                             .initiator = run->o.initiator,
                             .isid = isid_of(run, index),
                             .header_digest = run->o.header_digest,
                             .data_digest = run->o.data_digest,
                             .timeout_s = TIMEOUT_S};
    struct session *s = calloc(1, sizeof(*s) + run->o.depth * sizeof(s->slots[0]));
    if (s == NULL) {
        run_fail(run, url, "no memory for a session");
        return NULL;
    }
    s->run = run;
    s->figures = f;
    s->index = index;
    s->random = (run->o.seed * UINT64_C(0x9e3779b97f4a7c15) + index) | 1;
    s->peer = peer_open(&o, why, sizeof(why));
    const char *wrong = s->peer == NULL ? why : session_prepare(s);
    if (wrong == NULL)
        return s;
    run_fail(run, s->peer == NULL ? "a session" : url, wrong);
    session_close(s);
    return NULL;
}

void session_close(struct session *s)
{
    if (s == NULL)
        return;
    if (s->peer != NULL)
        peer_close(s->peer);
    for (unsigned i = 0; i < s->run->o.depth; i++)
        free(s->slots[i].cmd.data);
    versions_free(s->versions);
    free(s);
}
