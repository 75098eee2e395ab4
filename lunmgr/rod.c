/* SPDX-License-Identifier: Apache-2.0 */
/* The making of a rod: on the control thread its object and the row of its layer, on the
 * asker's lane the copies. And its end: whoever ends it marks it; when its last user has
 * gone the control thread lets go of the hidden volume, and the home loop drops the layer
 * (drop.c). */
#include "lunmgr/rod.h"

#include "base/clock.h"
#include "base/log.h"
#include "lunmgr/identity.h"
#include "lunmgr/lane_priv.h"
#include "lunmgr/op.h"
#include "lunmgr/rod_priv.h"
#include "lunmgr/volume_priv.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define ROD_LOOK_MS     500
#define ROD_KEPT_MS_MIN 60000
#define NO_BITS         32 /* of an id: within one start; above it the start's generation */

static struct rods *rods_of(const struct volume *v)
{
    return &v->manager->rods;
}

static bool state_is_dead(enum rod_state state)
{
    return state >= ROD_DELETED;
}

/* ---- The list: changed by the control thread, under the lock -------------------------
 */

static void list_remove(struct rods *rods, struct rod *rod)
{
    struct rod **link = &rods->first;
    while (*link != rod)
        link = &(*link)->next;
    *link = rod->next;
}

static struct rod *list_find(struct rods *rods, uint64_t id)
{
    struct rod *rod = rods->first;
    while (rod != NULL && rod->id != id)
        rod = rod->next;
    return rod;
}

/* ---- Letting go of what it shows: control thread --------------------------------------
 */

struct rod_drop {
    struct op op;
    struct volume *shows;
};

static void drop_end(struct op *op)
{
    volume_put(container_of(op, struct rod_drop, op)->shows);
    op_free(op);
}

static void drop_at_home(struct op *op)
{
    struct layer *layer = volume_top(container_of(op, struct rod_drop, op)->shows);
    layer->volume = NULL;
    layer_look(layer);
    op_return(op);
}

static void shows_drop(struct volume *shows)
{
    struct rod_drop *d = op_new(shows->manager, sizeof(*d), drop_end);
    d->shows = shows;
    op_at_home(&d->op, drop_at_home, drop_end);
}

/* Once, of a dead one that nobody uses. */
static void rod_let_go(struct rod *rod)
{
    struct rods *rods = &rod->manager->rods;
    pthread_mutex_lock(&rods->lock);
    struct volume *shows = rod->users == 0 ? TAKE(rod->shows) : NULL;
    pthread_mutex_unlock(&rods->lock);
    if (shows != NULL)
        shows_drop(shows);
}

static void rod_on_unused(struct note *note)
{
    struct rod *rod = container_of(note, struct rod, note);
    struct rods *rods = &rod->manager->rods;
    rod_let_go(rod);
    pthread_mutex_lock(&rods->lock);
    rod->is_noted = false;
    pthread_mutex_unlock(&rods->lock);
}

/* Under the lock: it has died, or lost a user. */
static void rod_tell_unused(struct rod *rod)
{
    if (!state_is_dead(rod->state) || rod->users > 0 || rod->shows == NULL ||
        rod->is_noted)
        return;
    rod->is_noted = true;
    rod->note.run = rod_on_unused;
    loop_post(rod->manager->options.control, &rod->note);
}

/* Under the lock. */
static void rod_die(struct rod *rod, enum rod_state state)
{
    struct rods *rods = &rod->manager->rods;
    assert(!state_is_dead(rod->state) && state_is_dead(state));
    rod->state = state;
    rod->last_ms = clock_coarse_ms();
    rods->live--;
    rod_tell_unused(rod);
}

/* ---- Use ------------------------------------------------------------------------------
 */

struct rod *rod_get(const struct volume *of, uint64_t id, enum rod_state *state)
{
    struct rods *rods = rods_of(of);
    pthread_mutex_lock(&rods->lock);
    struct rod *rod = list_find(rods, id);
    if (rod != NULL && rod->state == ROD_MAKING) /* nobody was told of it */
        rod = NULL;
    if (rod != NULL) {
        rod->users++;
        *state = rod->state;
    }
    pthread_mutex_unlock(&rods->lock);
    return rod;
}

void rod_put(struct rod *rod, bool was_used)
{
    struct rods *rods = &rod->manager->rods;
    pthread_mutex_lock(&rods->lock);
    assert(rod->users > 0);
    rod->users--;
    if (was_used && rod->state == ROD_READY) {
        rod->is_used = true;
        rod->last_ms = clock_coarse_ms();
    }
    rod_tell_unused(rod);
    pthread_mutex_unlock(&rods->lock);
}

void rod_delete(struct rod *rod)
{
    struct rods *rods = &rod->manager->rods;
    pthread_mutex_lock(&rods->lock);
    if (rod->state == ROD_READY)
        rod_die(rod, ROD_DELETED);
    pthread_mutex_unlock(&rods->lock);
}

void rod_each(const struct volume *source, void (*each)(const struct rod *rod, void *arg),
              void *arg)
{
    struct rods *rods = rods_of(source);
    pthread_mutex_lock(&rods->lock);
    for (const struct rod *rod = rods->first; rod != NULL; rod = rod->next)
        if (rod->state == ROD_READY && rod->source == source)
            each(rod, arg);
    pthread_mutex_unlock(&rods->lock);
}

const struct volume *rod_source(struct rod *rod)
{
    struct rods *rods = &rod->manager->rods;
    pthread_mutex_lock(&rods->lock);
    const struct volume *source = rod->source;
    pthread_mutex_unlock(&rods->lock);
    return source;
}

uint64_t rod_locate(const struct rod *rod, uint64_t offset, uint64_t *at_bytes)
{
    for (unsigned i = 0; i < rod->piece_count; i++) {
        const struct rod_piece *p = &rod->pieces[i];
        if (offset < p->length_bytes) {
            *at_bytes = p->at_bytes + offset;
            return p->length_bytes - offset;
        }
        offset -= p->length_bytes;
    }
    return 0;
}

void rod_box_naa(const struct volume *of, uint8_t naa[16])
{
    struct identity_rule rule = identity_rule_of(of->manager);
    rule.make(rule.arg, 0, naa); /* volumes begin at 1 */
}

/* ---- The copies: the asker's lane -----------------------------------------------------
 */

static void make_next(struct rod_ask *ask);

static void make_end(struct rod_ask *ask, int rc)
{
    struct rod *rod = ask->rod;
    struct rods *rods = &rod->manager->rods;
    pthread_mutex_lock(&rods->lock);
    bool died = rod->state != ROD_MAKING; /* its source has gone, or is sanitized */
    if (rc == 0 && died)
        rc = -ECANCELED;
    if (rc == 0)
        rod->state = ROD_READY;
    else if (!died)
        rod_die(rod, ROD_CANCELLED);
    rod->last_ms = clock_coarse_ms();
    pthread_mutex_unlock(&rods->lock);
    if (rc != 0)
        rod_put(rod, false);
    ask->done(ask, rc == 0 ? rod : NULL, rc);
}

static void make_on_copied(struct copy *copy, int rc)
{
    struct rod_ask *ask = container_of(copy, struct rod_ask, copy);
    ask->is_copying = false;
    ask->piece++;
    if (rc != 0)
        make_end(ask, rc);
    else
        make_next(ask);
}

/* Outwards to whole extents, so that they are shared: what lies around the piece is seen
 * by nobody. */
static void make_next(struct rod_ask *ask)
{
    const struct rod *rod = ask->rod;
    if (ask->piece == rod->piece_count || ask->is_given_up) {
        make_end(ask, ask->is_given_up ? -ECANCELED : 0);
        return;
    }
    const struct rod_piece *p = &rod->pieces[ask->piece];
    uint64_t into = p->from_bytes % EXTENT_BYTES;
    uint64_t end = extents_for(p->from_bytes + p->length_bytes) * EXTENT_BYTES;
    uint64_t size = volume_size_bytes(ask->source);
    if (p->from_bytes + p->length_bytes > size) { /* it has shrunk since */
        make_end(ask, -ERANGE);
        return;
    }
    ask->copy = (struct copy){
        .lane = ask->lane,
        .from = ask->source,
        .to = rod->shows,
        .from_bytes = p->from_bytes - into,
        .to_bytes = p->at_bytes - into,
        .length_bytes = (end < size ? end : size) - (p->from_bytes - into),
        .done = make_on_copied,
    };
    ask->is_copying = true;
    copy_start(&ask->copy);
}

static void make_on_lane(struct note *note)
{
    struct rod_ask *ask = container_of(note, struct rod_ask, note);
    if (ask->rc != 0)
        ask->done(ask, NULL, ask->rc);
    else
        make_next(ask);
}

void rod_give_up(struct rod_ask *ask)
{
    ask->is_given_up = true;
    if (ask->is_copying)
        copy_stop(&ask->copy);
}

uint64_t rod_made_bytes(const struct rod_ask *ask)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < ask->piece; i++)
        bytes += ask->rod->pieces[i].length_bytes;
    return bytes;
}

/* ---- The object and its row: control thread -------------------------------------------
 */

struct rod_making {
    struct op op;
    struct rod_ask *ask;
    struct rod *rod;
    struct layer *top; /* until it is the hidden volume's */
    struct layer_row row;
};

static struct rod_making *making_of(struct op *op)
{
    return container_of(op, struct rod_making, op);
}

/* Nobody knows of it. */
static void rod_forget(struct rod *rod)
{
    struct rods *rods = &rod->manager->rods;
    pthread_mutex_lock(&rods->lock);
    list_remove(rods, rod);
    if (!state_is_dead(rod->state))
        rods->live--;
    pthread_mutex_unlock(&rods->lock);
    explicit_bzero(rod->secret, sizeof(rod->secret));
    volume_put(rod->shows);
    free(rod);
}

static void making_finish(struct op *op)
{
    struct rod_making *mk = making_of(op);
    struct rod_ask *ask = mk->ask;
    if (op->job.rc != 0 && mk->rod != NULL)
        rod_forget(mk->rod);
    layer_destroy(mk->top);
    ask->rc = op->job.rc;
    ask->note.run = make_on_lane;
    loop_post(ask->lane->loop, &ask->note);
    op_free(op);
}

static void making_stored(struct op *op)
{
    struct rod_making *mk = making_of(op);
    struct volume *shows = mk->rod->shows;
    if (op->job.rc != 0) {
        op->job.rc = -EIO;
    } else {
        volume_set_top(shows, mk->top);
        layer_link(TAKE(mk->top), NULL, shows);
        mk->ask->rod = mk->rod;
    }
    making_finish(op);
}

static int making_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    return layer_row_add(txn, &container_of(job, struct rod_making, op.job)->row, e);
}

/* Under the lock: of the host's own the one that has been used, and longest ago. */
static struct rod *oldest_used(const struct rods *rods, const char *host)
{
    struct rod *oldest = NULL;
    for (struct rod *rod = rods->first; rod != NULL; rod = rod->next)
        if (rod->state == ROD_READY && rod->users == 0 && rod->is_used &&
            strcmp(rod->host, host) == 0 &&
            (oldest == NULL || rod->last_ms < oldest->last_ms))
            oldest = rod;
    return oldest;
}

static unsigned live_of_host(const struct rods *rods, const char *host)
{
    unsigned count = 0;
    for (const struct rod *rod = rods->first; rod != NULL; rod = rod->next)
        count += !state_is_dead(rod->state) && strcmp(rod->host, host) == 0;
    return count;
}

/* Under the lock. */
static int rods_make_room(struct rods *rods, const char *host)
{
    if (rods->live < ROD_COUNT_MAX && live_of_host(rods, host) < ROD_OF_HOST_MAX)
        return 0;
    struct rod *oldest = oldest_used(rods, host);
    if (oldest == NULL)
        return -EDQUOT;
    rod_die(oldest, ROD_CANCELLED);
    return 0;
}

static int rod_join(struct rod *rod)
{
    struct rods *rods = &rod->manager->rods;
    pthread_mutex_lock(&rods->lock);
    int rc = rods_make_room(rods, rod->host);
    if (rc == 0) {
        rod->id = rod->manager->generation << NO_BITS | ++rods->last_no;
        rod->next = rods->first;
        rods->first = rod;
        rods->live++;
    }
    pthread_mutex_unlock(&rods->lock);
    return rc;
}

/* Each piece in extents of its own, as far into the first as in the source's. Returns
 * where the last one ends. */
static uint64_t rod_lay(struct rod *rod)
{
    uint64_t at = 0;
    for (unsigned i = 0; i < rod->piece_count; i++) {
        struct rod_piece *p = &rod->pieces[i];
        p->at_bytes = at + p->from_bytes % EXTENT_BYTES;
        at = extents_for(p->at_bytes + p->length_bytes) * EXTENT_BYTES;
        rod->bytes += p->length_bytes;
    }
    return at;
}

static struct volume *shows_new(const struct volume *source, uint64_t size_bytes)
{
    struct volume_row row;
    volume_row_begin(&row, source->pool, "");
    row.size_bytes = size_bytes;
    row.block_bytes = source->block_bytes;
    row.physical_bytes = source->physical_bytes;
    return volume_new(source->pool, &row);
}

/* ask->rod is what rod_make has begun. */
static int rod_prepare(struct rod_making *mk)
{
    struct rod *rod = mk->rod;
    struct volume *source = mk->ask->source;
    uint64_t size_bytes = rod_lay(rod);
    if (getrandom(rod->secret, sizeof(rod->secret), 0) != (ssize_t)sizeof(rod->secret))
        return -EIO;
    memcpy(rod->creator_naa, source->naa, sizeof(rod->creator_naa));
    rod->shows = shows_new(source, size_bytes);
    mk->top = layer_create(source->pool, extents_for(size_bytes), 0);
    if (rod->shows == NULL || mk->top == NULL)
        return -ENOMEM;
    layer_set_id(mk->top, lunmgr_next_layer_id(source->manager), NULL);
    mk->top->rod_of = volume_top(source)->family;
    mk->row =
        (struct layer_row){.id = mk->top->id, .size_extents = extents_for(size_bytes)};
    memcpy(mk->row.pool_id, source->pool->id, sizeof(mk->row.pool_id));
    return 0;
}

static void rods_arm(struct lunmgr *m)
{
    static const struct timeval after = {.tv_usec = ROD_LOOK_MS * 1000};
    if (m->rods.timer != NULL && !event_pending(m->rods.timer, EV_TIMEOUT, NULL))
        event_add(m->rods.timer, &after);
}

static void make_on_control(struct note *note)
{
    struct rod_ask *ask = container_of(note, struct rod_ask, note);
    struct lunmgr *m = ask->source->manager;
    struct rod_making *mk = op_new(m, sizeof(*mk), making_finish);
    struct rod *rod = TAKE(ask->rod);
    mk->ask = ask;
    int rc = ask->source->is_changing ? -EBUSY : 0; /* it may be a sanitize */
    if (rc == 0)
        rc = pool_is_failed(ask->source->pool) ? -EIO : rod_join(rod);
    if (rc != 0) {
        free(rod);
        op_end(&mk->op, rc);
        return;
    }
    mk->rod = rod;
    rods_arm(m);
    rc = rod_prepare(mk);
    if (rc != 0)
        op_end(&mk->op, rc);
    else
        op_write(&mk->op, making_work, making_stored);
}

static struct rod *rod_new(const struct rod_ask *ask)
{
    uint32_t timeout_s = ask->timeout_s == 0 ? ROD_TIMEOUT_DEFAULT_S : ask->timeout_s;
    struct rod *rod = calloc(1, sizeof(*rod));
    if (rod == NULL)
        return NULL;
    assert(ask->piece_count <= ROD_PIECES_MAX && timeout_s <= ROD_TIMEOUT_MAX_S);
    rod->manager = ask->source->manager;
    rod->source = ask->source;
    rod->block_bytes = ask->source->block_bytes;
    rod->physical_bytes = ask->source->physical_bytes;
    rod->users = 1;
    rod->timeout_ms = (int64_t)timeout_s * 1000;
    rod->piece_count = ask->piece_count;
    memcpy(rod->pieces, ask->pieces, ask->piece_count * sizeof(rod->pieces[0]));
    strncpy(rod->host, ask->host, sizeof(rod->host) - 1);
    return rod;
}

void rod_make(struct rod_ask *ask)
{
    ask->rod = rod_new(ask);
    ask->piece = 0;
    ask->is_given_up = ask->is_copying = false;
    ask->rc = ask->rod == NULL ? -ENOMEM : 0;
    ask->note.run = ask->rod == NULL ? make_on_lane : make_on_control;
    loop_post(ask->rod == NULL ? ask->lane->loop : ask->source->manager->options.control,
              &ask->note);
}

/* ---- Ends: control thread -------------------------------------------------------------
 */

/* Those that match die, and what nobody uses is let go at once. */
static void rods_end(struct lunmgr *m, const struct volume *source,
                     const struct pool *pool, enum rod_state state)
{
    struct rods *rods = &m->rods;
    for (struct rod *rod = rods->first; rod != NULL; rod = rod->next) {
        bool matches = source != NULL ? rod->source == source
                                      : rod->shows != NULL && rod->shows->pool == pool;
        if (!matches)
            continue;
        pthread_mutex_lock(&rods->lock);
        if (!state_is_dead(rod->state))
            rod_die(rod, state);
        if (state == ROD_REVOKED)
            rod->source = NULL;
        pthread_mutex_unlock(&rods->lock);
        rod_let_go(rod);
    }
}

void rods_revoke(const struct volume *source)
{
    rods_end(source->manager, source, NULL, ROD_REVOKED);
}

static bool rods_are_busy(const struct volume *source)
{
    struct rods *rods = rods_of(source);
    bool busy = false;
    pthread_mutex_lock(&rods->lock);
    for (const struct rod *rod = rods->first; rod != NULL; rod = rod->next)
        busy = busy || (rod->source == source && rod->users > 0);
    pthread_mutex_unlock(&rods->lock);
    return busy;
}

bool rods_let_go(const struct volume *source)
{
    struct pool *pool = source->pool;
    rods_end(source->manager, source, NULL, ROD_CANCELLED);
    bool all_gone = !rods_are_busy(source);
    pthread_mutex_lock(&pool->look);
    uint32_t family = volume_top((struct volume *)(uintptr_t)source)->family;
    pthread_mutex_unlock(&pool->look);
    pthread_mutex_lock(&pool->layers_lock);
    for (const struct layer *l = pool->layers; all_gone && l != NULL; l = l->next)
        all_gone = l->rod_of != family;
    pthread_mutex_unlock(&pool->layers_lock);
    return all_gone;
}

static bool rods_are_used(struct lunmgr *m, const struct pool *pool)
{
    bool used = false;
    pthread_mutex_lock(&m->rods.lock);
    for (const struct rod *rod = m->rods.first; rod != NULL; rod = rod->next)
        used = used || (rod->shows != NULL && rod->shows->pool == pool && rod->users > 0);
    pthread_mutex_unlock(&m->rods.lock);
    return used;
}

int rods_leave(struct pool *pool, bool dry, struct err *e)
{
    if (rods_are_used(pool->manager, pool))
        return err_set(e, -EBUSY, "pool", "a token of pool %s is being used: try again",
                       pool->name);
    if (!dry)
        rods_end(pool->manager, NULL, pool, ROD_REVOKED);
    return 0;
}

/* Under the lock. *dead: how many younger ones are remembered. */
static bool rod_is_over(const struct rod *rod, int64_t now_ms, unsigned *dead)
{
    int64_t kept_ms = 2 * rod->timeout_ms; /* SPC-4, 5.17.6.7 */
    if (!state_is_dead(rod->state) || rod->users > 0 || rod->shows != NULL ||
        rod->is_noted)
        return false;
    if (kept_ms < ROD_KEPT_MS_MIN)
        kept_ms = ROD_KEPT_MS_MIN;
    return now_ms - rod->last_ms >= kept_ms || ++*dead > ROD_COUNT_MAX;
}

void rods_look(struct lunmgr *m, int64_t now_ms)
{
    struct rods *rods = &m->rods;
    struct rod *next;
    unsigned dead = 0;
    for (struct rod *rod = rods->first; rod != NULL; rod = next) {
        next = rod->next;
        pthread_mutex_lock(&rods->lock);
        if (rod->state == ROD_READY && rod->users == 0 &&
            now_ms - rod->last_ms >= rod->timeout_ms)
            rod_die(rod, ROD_EXPIRED);
        bool is_over = rod_is_over(rod, now_ms, &dead);
        pthread_mutex_unlock(&rods->lock);
        if (is_over)
            rod_forget(rod);
    }
}

static void rods_on_time(evutil_socket_t fd, short what, void *arg)
{
    struct lunmgr *m = arg;
    (void)fd;
    (void)what;
    rods_look(m, clock_coarse_ms());
    if (m->rods.first != NULL)
        rods_arm(m);
}

/* ---- Start and stop -------------------------------------------------------------------
 */

void rods_init(struct rods *rods)
{
    pthread_mutex_init(&rods->lock, NULL);
}

int rods_start(struct lunmgr *m, struct err *e)
{
    m->rods.timer = event_new(loop_base(m->options.control), -1, 0, rods_on_time, m);
    return m->rods.timer == NULL ? err_oom(e) : 0;
}

void rods_stop(struct lunmgr *m)
{
    for (struct pool *pool = NULL; (pool = pool_next(m, pool)) != NULL;)
        rods_end(m, NULL, pool, ROD_REVOKED);
    if (m->rods.timer != NULL)
        event_free(m->rods.timer);
    m->rods.timer = NULL;
}

void rods_fini(struct rods *rods)
{
    for (struct rod *rod = rods->first, *next; rod != NULL; rod = next) {
        next = rod->next;
        rod_forget(rod);
    }
    pthread_mutex_destroy(&rods->lock);
}
