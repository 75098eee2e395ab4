/* SPDX-License-Identifier: Apache-2.0 */
/* Who has written to a device of late: families of layers, each with the number of the
 * round in which its last write ended. When the device fails they are the ones whose
 * writes it may have lost: those that ended no earlier than the last round whose sync it
 * answered. Of more than there is room for in one round, all families are. Any thread,
 * without a lock. */
#ifndef LUNMGR_WRITERS_H
#define LUNMGR_WRITERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define WRITERS_PLACES 512
#define WRITERS_PROBES 16

struct writers {
    /* family << 32 | the round's low 32 bits; 0: nobody yet */
    _Atomic uint64_t places[WRITERS_PLACES];
    _Atomic uint64_t crowded; /* the last round in which one found no place */
    _Atomic uint64_t synced;  /* the last round whose sync was answered well */
};

/* A write of that family has ended in round `no`, and the device is marked unsynced, but
 * no block that it wrote is shown yet. Costs a load where the family's last write was in
 * the same round. */
void writers_note(struct writers *w, uint32_t family, uint64_t no);
/* All that ended before round `no` began is on the device. */
void writers_synced(struct writers *w, uint64_t no);
/* Some write of that family is not known to be on the device. */
bool writers_has(const struct writers *w, uint32_t family);

#endif
