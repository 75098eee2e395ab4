/* SPDX-License-Identifier: Apache-2.0 */
/* What MODE SELECT changes of a logical unit, for all its initiators: SPC-5, 7.5; SBC-4,
 * 6.5. A plain value; the catalog keeps it, proto/mode.h has its bytes. */
#ifndef BASE_MODES_H
#define BASE_MODES_H

#include <stdbool.h>
#include <stdint.h>

#define THRESHOLD_MAX 4 /* descriptors of the logical block provisioning page */

/* Numbers are those of the page: SBC-4, 6.5.9. */
enum threshold_resource {
    THRESHOLD_NONE = 0,
    THRESHOLD_AVAILABLE = 1, /* what the pool has left */
    THRESHOLD_USED = 2,      /* what the volume owns */
};

/* A soft threshold of thin provisioning. */
struct threshold {
    bool enabled;
    bool increasing; /* reached from below; else from above */
    uint8_t resource;
    uint32_t extents;
};

struct modes {
    bool descriptor_sense; /* D_SENSE of the control page */
    bool write_protect;    /* SWP of the same */
    bool write_cache;      /* WCE of the caching page */
    bool tells_thresholds; /* LBPERE of the error recovery page */
    bool tells_one;        /* SITUA: thresholds are told to a single nexus */
    struct threshold thresholds[THRESHOLD_MAX];
};

static inline bool threshold_equals(const struct threshold *a, const struct threshold *b)
{
    return a->enabled == b->enabled && a->increasing == b->increasing &&
           a->resource == b->resource && a->extents == b->extents;
}

static inline bool modes_equal(const struct modes *a, const struct modes *b)
{
    bool same =
        a->descriptor_sense == b->descriptor_sense &&
        a->write_protect == b->write_protect && a->write_cache == b->write_cache &&
        a->tells_thresholds == b->tells_thresholds && a->tells_one == b->tells_one;
    for (int i = 0; same && i < THRESHOLD_MAX; i++)
        same = threshold_equals(&a->thresholds[i], &b->thresholds[i]);
    return same;
}

#endif
