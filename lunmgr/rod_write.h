/* SPDX-License-Identifier: Apache-2.0 */
/* What a rod shows, or zeros, written to ranges of a volume, one after the other. A
 * lane's thread. */
#ifndef LUNMGR_ROD_WRITE_H
#define LUNMGR_ROD_WRITE_H

#include "lunmgr/rod.h"

#include <stdbool.h>
#include <stdint.h>

struct rod_span {
    uint64_t offset_bytes, length_bytes; /* logical blocks of the volume; may be empty */
};

struct rod_write {
    /* The caller sets these; it is busy until done(). */
    struct lane *lane;
    struct volume *to;            /* no snapshot; stays until done() */
    struct rod *rod;              /* by rod_get, until done(); NULL: zeros */
    uint64_t rod_bytes;           /* into it: where the first byte comes from */
    const struct rod_span *spans; /* inside the volume; until done() */
    unsigned span_count;
    bool patient; /* as a vio */
    /* On the lane's thread, never inside rod_write_start. rc as a copy's. The first
     * written_bytes of the spans are written: with rc 0 less than all only where the rod
     * has no more. A block that its end falls into is filled with zeros. */
    void (*done)(struct rod_write *w, int rc);
    uint64_t written_bytes;
    /* Its own. */
    unsigned span;
    uint64_t into_span, piece_bytes;
    bool is_copying, is_stopping;
    struct copy copy;
    struct vio zero;
    struct note note;
};

void rod_write_start(struct rod_write *w);
/* Before done(): it comes soon, by -ECANCELED if it was not done. */
void rod_write_stop(struct rod_write *w);

#endif
