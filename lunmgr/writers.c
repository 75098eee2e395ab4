/* SPDX-License-Identifier: Apache-2.0 */
/* A small table with open addressing; who has been synced since gives his place to the
 * next. Two threads may put one family into two places, which does no harm: all that it
 * could be in are looked at. */
#include "lunmgr/writers.h"

#include <stddef.h>

static _Atomic uint64_t *place_at(const struct writers *w, uint32_t family, unsigned i)
{
    uint32_t at = family * 0x9e3779b1U >> 16;
    return (_Atomic uint64_t *)&w->places[(at + i) % WRITERS_PLACES];
}

static uint64_t place_of_family(uint32_t family, uint64_t no)
{
    return (uint64_t)family << 32 | (uint32_t)no;
}

/* Rounds are compared as they stand in a place, by their low bits: one that was synced
 * two billion rounds ago is taken for a new one, which errs on the safe side. */
static bool is_synced(uint64_t place, uint64_t synced)
{
    return place == 0 || (int32_t)((uint32_t)place - (uint32_t)synced) < 0;
}

/* False: no room here. */
static bool place_take(_Atomic uint64_t *place, uint32_t family, uint64_t no,
                       uint64_t synced)
{
    uint64_t was = atomic_load(place), mine = place_of_family(family, no);
    while (was >> 32 == family || is_synced(was, synced))
        if (was == mine || atomic_compare_exchange_strong(place, &was, mine))
            return true;
    return false;
}

/* Where the family has a place already; NULL: nowhere. */
static _Atomic uint64_t *place_find(const struct writers *w, uint32_t family)
{
    for (unsigned i = 0; i < WRITERS_PROBES; i++) {
        _Atomic uint64_t *place = place_at(w, family, i);
        if (atomic_load_explicit(place, memory_order_relaxed) >> 32 == family)
            return place;
    }
    return NULL;
}

void writers_note(struct writers *w, uint32_t family, uint64_t no)
{
    uint64_t synced = atomic_load(&w->synced);
    _Atomic uint64_t *place = place_find(w, family);
    if (place != NULL && place_take(place, family, no, synced))
        return;
    for (unsigned i = 0; i < WRITERS_PROBES; i++)
        if (place_take(place_at(w, family, i), family, no, synced))
            return;
    atomic_store(&w->crowded, no);
}

void writers_synced(struct writers *w, uint64_t no)
{
    atomic_store(&w->synced, no);
}

bool writers_has(const struct writers *w, uint32_t family)
{
    uint64_t synced = atomic_load(&w->synced), crowded = atomic_load(&w->crowded);
    bool has = crowded != 0 && crowded >= synced;
    for (unsigned i = 0; !has && i < WRITERS_PROBES; i++) {
        uint64_t place = atomic_load(place_at(w, family, i));
        has = place >> 32 == family && !is_synced(place, synced);
    }
    return has;
}
