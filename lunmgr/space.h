/* SPDX-License-Identifier: Apache-2.0 */
/* Who may take an extent. A volume may have a guarantee: so many extents that its top
 * layer may own, whatever others do. What it has not taken of them is reserved: others
 * find room only beyond that, in what is free and what is on its way to be. An extent is
 * a layer's from its taking until its word names it no more, but not while it is shared:
 * a write to a shared word takes another. Any thread; one lock, held for the counting and
 * the search of an extent. Lock order: the pool's gate, this one, an allocator's. */
#ifndef LUNMGR_SPACE_H
#define LUNMGR_SPACE_H

#include "base/err.h"
#include "lunmgr/word.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct device;
struct layer;
struct pool;

struct space {
    pthread_mutex_t lock;
    _Atomic uint64_t reserved_extents; /* written under the lock */
};

void space_init(struct space *s);
void space_fini(struct space *s);

/* ---- Extents -------------------------------------------------------------------------
 */

/* As pool_take. layer: whose it is from now on; NULL: nobody's yet. -ENOSPC: none is
 * free, or all that are free are reserved for others. */
int space_take(struct pool *pool, struct layer *layer, place after,
               place *out) MUST_CHECK;
void space_untake(struct pool *pool, struct layer *layer, place p);
/* A refused taker may wait for what is on its way to be free. */
bool space_is_left(struct pool *pool, struct layer *layer);

/* With the word's change, under the gate: the layer's word names an extent from now on
 * that was another's or nobody's (not the one that was taken for it); or no more. */
void space_name(struct layer *layer, map_word w);
void space_unname(struct layer *layer, map_word w);
/* With the change, under the gate: the extents of so many words of the layer are shared
 * from now on. False: they must not be, since the layer has a guarantee that they count
 * in. */
bool space_share(struct layer *layer, uint32_t extents) MUST_CHECK;

/* Before an extent that aged is free: it is counted as one or the other, never as both.
 */
void space_aged(struct device *device, uint64_t extents);

/* ---- Guarantees ----------------------------------------------------------------------
 */

/* Of a volume's top: its guarantee from now on. -ENOSPC: it takes more than there is
 * room for; *short_of is by how many extents. is_dry: it stays as it was. */
int space_guarantee(struct layer *top, uint64_t extents, bool is_dry,
                    uint64_t *short_of) MUST_CHECK;
/* At a start, with what it has taken. */
void space_load(struct layer *top, uint64_t extents);
/* To the volume's new top, which has taken nothing. -ENOSPC: as above. */
int space_move(struct layer *from, struct layer *to, uint64_t *short_of) MUST_CHECK;
/* The device gives nothing from now on. -ENOSPC: as above. */
int space_withdraw(struct device *device, uint64_t *short_of) MUST_CHECK;

/* ---- Figures, without the lock -------------------------------------------------------
 */

/* Guaranteed and not taken yet; of all volumes. */
uint64_t space_reserved(const struct pool *pool);
uint64_t space_reserved_of(const struct layer *top);

#endif
