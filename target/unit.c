/* SPDX-License-Identifier: Apache-2.0 */
/* A counted logical unit and its mode parameters. Any thread. */
#include "target/unit.h"

#include <assert.h>

#define UNIT_CHANGE (UNIT_MODE_BITS + 1) /* one more in the count */

struct unit *unit_create(struct volume *volume)
{
    struct unit *u = calloc(1, sizeof(*u));
    if (u == NULL)
        return NULL;
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
