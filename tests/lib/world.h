/* SPDX-License-Identifier: Apache-2.0 */
/* All that a rig's pool shows: its volumes, snapshots and trash, what they hold, and what
 * they take. Two of them are compared to see whether an operation changed anything. */
#ifndef TESTS_LIB_WORLD_H
#define TESTS_LIB_WORLD_H

#include "tests/lib/pool_rig.h"

#define WORLD_VOLUMES_MAX 16

struct world_volume {
    char key[160];  /* "volume NAME", "snapshot VOLUME/NAME", "trash NAME" */
    char text[512]; /* size, flags, labels, what it is a clone of */
    uint64_t size_bytes, allocated_bytes;
    uint8_t *data;
};

struct world {
    struct world_volume volumes[WORLD_VOLUMES_MAX];
    unsigned count;
    unsigned layer_count;
    uint64_t used_bytes;
};

enum world_depth {
    WORLD_SHOWN, /* names, sizes, contents */
    WORLD_WHOLE, /* and layers, space */
};

/* Reads all of it, on lane 0. */
void world_take(struct world *w, struct pool_rig *r);
void world_free(struct world *w);
/* False, and said on stderr: they differ. */
bool world_equal(const struct world *a, const struct world *b, enum world_depth depth,
                 const char *what);
/* The same names; each sector as in the one or in the other. */
bool world_between(const struct world *w, const struct world *a, const struct world *b);

#endif
