/* SPDX-License-Identifier: Apache-2.0 */
/* An EXTENDED COPY at work: segment after segment, each when the one before it has ended,
 * between the units that its initiator sees at that moment and no others. Its task may
 * have been answered before (IMMED); it ends with it all the same. The reactor's thread.
 */
#ifndef TARGET_COPY_RUN_H
#define TARGET_COPY_RUN_H

#include "base/auto.h"
#include "lunmgr/copy.h"
#include "proto/ext_copy.h"
#include "target/copy_book.h"
#include "target/lu.h"

#include <stdbool.h>
#include <stdint.h>

struct reservation;
struct task;
struct unit;

/* Where a segment is. */
struct copy_cursor {
    const struct lu *from, *to; /* NULL: in none; of the view that the task follows */
    uint64_t from_bytes, to_bytes, left_bytes;
    /* At most so much at once. Where the target overlaps the source it is the distance,
     * and if it lies behind it the end is first. */
    uint64_t piece_bytes;
    bool backwards;
};

struct copy_run {
    /* The caller's. */
    struct task *task;
    struct copy_record *record;
    struct ext_copy_list list;
    /* Never inside copy_run_start. */
    void (*done)(struct copy_run *run);

    uint16_t segment; /* in process */
    struct copy_cursor at;
    struct copy copy;
    bool copying;                          /* copy is under way */
    bool stopping;                         /* it is not to go on */
    bool is_dirty[EXT_COPY_CSCDS_MAX + 1]; /* written, and not flushed; last: itself */
    struct sense sense;                    /* why it has failed; SENSE_NONE: it has not */
};

/* True: done() will come. False: it has ended, run->sense says how. */
bool copy_run_start(struct copy_run *run) MUST_CHECK;
/* It ends soon, at the piece that is under way. */
void copy_run_stop(struct copy_run *run);
/* With this state of unit's reservations it would not have begun: it works on it now. */
bool copy_run_loses(const struct copy_run *run, const struct unit *unit,
                    const struct reservation *state);
/* Its initiator sees this from now on. False: what it copies from or to is not there any
 * more; the caller keeps the old view until it has ended, and stops it. */
bool copy_run_follow(struct copy_run *run, const struct view *view) MUST_CHECK;
/* Written up to now. */
uint64_t copy_run_bytes(const struct copy_run *run);

#endif
