/* SPDX-License-Identifier: Apache-2.0 */
/* A counted logical unit, its mode parameters and its figures. Any thread. */
#include "target/unit.h"

#include "target/counter.h"

#include <assert.h>
#include <string.h>

#define UNIT_CHANGE (UNIT_MODE_BITS + 1) /* one more in the count */

struct unit *unit_create(struct volume *volume)
{
    struct unit *u = aligned_alloc(_Alignof(struct unit), sizeof(*u));
    if (u == NULL)
        return NULL;
    memset(u, 0, sizeof(*u));
    atomic_init(&u->refs, 1);
    atomic_init(&u->modes, 0);
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
    volume_put(u->volume);
    free(u);
}

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

unsigned unit_set_modes(struct unit *u, unsigned bits)
{
    unsigned was = unit_modes(u);
    assert((bits & ~UNIT_MODE_BITS) == 0);
    for (;;) {
        if ((was & UNIT_MODE_BITS) == bits)
            return was;
        unsigned next = ((was + UNIT_CHANGE) & ~UNIT_MODE_BITS) | bits;
        if (atomic_compare_exchange_weak_explicit(
                &u->modes, &was, next, memory_order_acq_rel, memory_order_acquire))
            return next;
    }
}
