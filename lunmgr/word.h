/* SPDX-License-Identifier: Apache-2.0 */
/* The map word: what one layer knows of one extent of its volume, in 64 bits.
 *
 *   bit  63       shared: another word may name this extent too; not written in place
 *   bit  62       opaque: blocks not valid here are zeros, whatever lies below
 *   bit  61       held: writers of this extent wait (memory only, never stored)
 *   bits 60..16   place: device slot (10 bits, from 1), its extent (35 bits); 0: none
 *   bits 15..0    valid mask, bit i: block i of this extent is in this layer
 *
 * A word with a place and no valid bit is an extent handed out whose first write has not
 * ended: memory only, stored as if it had no place. docs/FORMAT.md, "The map word". Pure
 * functions; any thread. */
#ifndef LUNMGR_WORD_H
#define LUNMGR_WORD_H

#include "base/auto.h"

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t map_word;
typedef uint64_t place; /* slot << 35 | extent; 0: none */

#define WORD_SHARED     (1ULL << 63)
#define WORD_OPAQUE     (1ULL << 62)
#define WORD_HELD       (1ULL << 61)
#define WORD_MASK_FULL  0xffffULL
#define WORD_BLOCKS     16U
#define PLACE_SHIFT     16
#define PLACE_BITS      45
#define PLACE_EXT_BITS  35
#define PLACE_SLOT_MAX  1023U
#define PLACE_EXT_LIMIT (1ULL << PLACE_EXT_BITS)

static inline place place_of(unsigned slot, uint64_t extent)
{
    return (uint64_t)slot << PLACE_EXT_BITS | extent;
}
static inline unsigned place_slot(place p)
{
    return (unsigned)(p >> PLACE_EXT_BITS);
}
static inline uint64_t place_extent(place p)
{
    return p & (PLACE_EXT_LIMIT - 1);
}
static inline place word_place(map_word w)
{
    return w >> PLACE_SHIFT & ((1ULL << PLACE_BITS) - 1);
}
static inline unsigned word_mask(map_word w)
{
    return (unsigned)(w & WORD_MASK_FULL);
}
static inline map_word word_with_place(map_word w, place p)
{
    return (w & ~(((1ULL << PLACE_BITS) - 1) << PLACE_SHIFT)) | p << PLACE_SHIFT;
}
/* Valid bits of `count` blocks from `first`. */
static inline unsigned word_blocks(unsigned first, unsigned count)
{
    return ((1U << count) - 1U) << first;
}
/* As the catalog keeps it. */
static inline map_word word_stored(map_word w)
{
    w &= ~WORD_HELD;
    return word_mask(w) == 0 ? w & WORD_OPAQUE : w;
}

#endif
