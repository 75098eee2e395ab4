/* SPDX-License-Identifier: Apache-2.0 */
/* In order, at random, or at random with none twice. */
#include "tests/bench/client/places.h"

#include "tests/lib/random.h"

/* The i-th of count numbers in an order that looks random and has each once: mixing that
 * can be undone on the next power of two, again while it leads beyond the end. */
static uint64_t shuffled(uint64_t i, uint64_t count)
{
    unsigned bits = count < 4 ? 2 : 64U - (unsigned)__builtin_clzll(count - 1);
    uint64_t mask = (UINT64_C(1) << bits) - 1;
    do {
        for (int turn = 0; turn < 3; turn++) {
            i = (i * 0x9e3779b97f4a7c15ULL + 0x632be59bd9b4e019ULL) & mask;
            i ^= i >> (bits / 2);
        }
    } while (i >= count);
    return i;
}

bool places_next(struct places *p, uint64_t *place)
{
    if (p->once && p->taken == p->count)
        return false;
    uint64_t i = p->taken++;
    if (p->sequential)
        i = (p->start + i) % p->count;
    else if (p->once)
        i = shuffled(i, p->count);
    else
        i = draw(&p->random, p->count);
    *place = p->first + i;
    return true;
}
