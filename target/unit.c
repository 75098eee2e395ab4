/* SPDX-License-Identifier: Apache-2.0 */
/* A counted logical unit, its mode parameters, its figures, and what its thresholds have
 * come to. Any thread. */
#include "target/unit.h"

#include "lunmgr/pool.h"
#include "target/counter.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define UNIT_CHANGE       (UNIT_MODE_BITS + 1)     /* one more in the count */
#define UNIT_REACHED_MORE (UNIT_REACHED_INDEX + 1) /* the same */

static unsigned bits_of(const struct modes *modes)
{
    return (modes->descriptor_sense ? UNIT_DESCRIPTOR_SENSE : 0) |
           (modes->write_protect ? UNIT_WRITE_PROTECT : 0) |
           (modes->write_cache ? 0 : UNIT_WRITE_THROUGH) |
           (modes->tells_one ? UNIT_TELLS_ONE : 0);
}

/* -ENOMEM: nothing is set. */
static int unit_load_reservation(struct unit *u, const struct volume *volume)
{
    const struct reservation *kept;
    if (reservation_load(volume_kept_reservation(volume), &kept) != 0)
        return -ENOMEM;
    u->reservation = kept;
    for (unsigned i = 0; i < TARGET_REACTOR_MAX; i++)
        u->lanes[i].reservation = reservation_get(kept);
    return 0;
}

struct unit *unit_create(struct volume *volume)
{
    struct unit *u = aligned_alloc(_Alignof(struct unit), sizeof(*u));
    if (u == NULL)
        return NULL;
    memset(u, 0, sizeof(*u));
    if (unit_load_reservation(u, volume) != 0) {
        free(u);
        return NULL;
    }
    struct mode_values *v = &u->values;
    mode_defaults(pool_extents(volume_pool(volume)), &v->defaults);
    v->saved = v->defaults;
    (void)volume_saved_modes(volume, &v->saved);
    v->current = v->saved;
    atomic_init(&u->refs, 1);
    atomic_init(&u->modes, bits_of(&v->current));
    pthread_mutex_init(&u->lock, NULL);
    volume_get(volume);
    u->volume = volume;
    return u;
}

struct unit *unit_get(struct unit *u)
{
    atomic_fetch_add_explicit(&u->refs, 1, memory_order_relaxed);
    return u;
}

void unit_put(struct unit *u)
{
    if (atomic_fetch_sub_explicit(&u->refs, 1, memory_order_acq_rel) != 1)
        return;
    assert(u->changes == NULL);
    for (unsigned i = 0; i < TARGET_REACTOR_MAX; i++)
        reservation_put(u->lanes[i].reservation);
    reservation_put(u->reservation);
    volume_put(u->volume);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

/* ---- Figures ----------------------------------------------------------------------- */

void unit_count(struct unit *u, unsigned reactor, bool write,
                const struct unit_work *work)
{
    assert(reactor < TARGET_REACTOR_MAX);
    struct unit_lane *lane = &u->lanes[reactor];
    counter_add(&lane->commands[write], work->commands);
    counter_add(&lane->bytes[write], work->bytes);
    counter_add(&lane->us[write], work->us);
}

struct unit_work unit_work(const struct unit *u, bool write)
{
    struct unit_work sum = {0};
    for (unsigned i = 0; i < TARGET_REACTOR_MAX; i++) {
        const struct unit_lane *lane = &u->lanes[i];
        sum.commands += counter_get(&lane->commands[write]);
        sum.bytes += counter_get(&lane->bytes[write]);
        sum.us += counter_get(&lane->us[write]);
    }
    return sum;
}

/* ---- Reservations ------------------------------------------------------------------ */

void unit_take_reservation(struct unit *u, unsigned reactor,
                           const struct reservation *reservation)
{
    struct unit_lane *lane = &u->lanes[reactor];
    const struct reservation *was = lane->reservation;
    lane->reservation = reservation_get(reservation);
    lane->reservations++;
    reservation_put(was);
}

/* ---- Modes ------------------------------------------------------------------------- */

void unit_values(struct unit *u, struct mode_values *out)
{
    pthread_mutex_lock(&u->lock);
    *out = u->values;
    pthread_mutex_unlock(&u->lock);
}

bool unit_select_begin(struct unit *u)
{
    return !atomic_exchange(&u->selecting, true);
}

void unit_select_end(struct unit *u)
{
    atomic_store(&u->selecting, false);
}

/* Under the lock. */
static unsigned unit_adopt(struct unit *u, const struct modes *modes)
{
    unsigned was = unit_modes(u);
    if (modes_equal(&u->values.current, modes))
        return was;
    u->values.current = *modes;
    unsigned next = ((was + UNIT_CHANGE) & ~UNIT_MODE_BITS) | bits_of(modes);
    atomic_store_explicit(&u->modes, next, memory_order_release);
    return next;
}

unsigned unit_set_modes(struct unit *u, const struct modes *modes, bool saved)
{
    pthread_mutex_lock(&u->lock);
    if (saved)
        u->values.saved = *modes;
    unsigned next = unit_adopt(u, modes);
    pthread_mutex_unlock(&u->lock);
    return next;
}

unsigned unit_reset_modes(struct unit *u)
{
    pthread_mutex_lock(&u->lock);
    unsigned next = unit_adopt(u, &u->values.saved);
    pthread_mutex_unlock(&u->lock);
    return next;
}

/* ---- Thresholds -------------------------------------------------------------------- */

void unit_reach(struct unit *u, unsigned index)
{
    assert(index < THRESHOLD_MAX);
    unsigned next = ((unit_reached(u) + UNIT_REACHED_MORE) & ~UNIT_REACHED_INDEX) | index;
    atomic_store_explicit(&u->reached, next, memory_order_release);
}

bool unit_tells_reached(struct unit *u, unsigned reached)
{
    if ((unit_modes(u) & UNIT_TELLS_ONE) == 0)
        return true;
    unsigned taken = atomic_load(&u->reached_taken);
    return taken != reached &&
           atomic_compare_exchange_strong(&u->reached_taken, &taken, reached);
}
