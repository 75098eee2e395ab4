/* SPDX-License-Identifier: Apache-2.0 */
/* What lunmgr copies is a range that does not overlap itself; a segment that does is
 * copied in pieces as long as its two ends are apart. A failure is told with the segment
 * that it is of: SPC-4, 5.17.7. */
#include "target/copy_run.h"

#include "base/checked.h"
#include "target/exec_ops.h"
#include "target/unit.h"

#include <errno.h>
#include <string.h>

static bool copy_run_step(struct copy_run *run);

static const struct ext_copy_segment *run_segment(const struct copy_run *run)
{
    return &run->list.segments[run->segment];
}

/* ---- What fails ----------------------------------------------------------------------
 */

static bool run_is_stopping(const struct copy_run *run)
{
    return run->stopping || exec_is_hurried(run->task);
}

/* A unit is gone from the view, or somebody wants its end. */
static int run_set_stopped(struct copy_run *run)
{
    return sense_set_segment(&run->sense,
                             run->task->swap != NULL ? SENSE_COPY_NOT_REACHABLE
                                                     : SENSE_COPY_ABORTED,
                             run->segment);
}

static int run_set_unit(struct copy_run *run, bool is_target, enum sense_code code)
{
    return sense_set_segment_unit(&run->sense, run->segment, is_target, code);
}

/* What lu would say to the read, or to the write, that a copy does; SENSE_NONE: nothing.
 */
static enum sense_code copy_may(const struct lu *lu, bool is_target)
{
    struct sense sanitize;
    if (exec_sanitize_sense(lu, &sanitize))
        return sanitize.code;
    return is_target && exec_is_write_protected(lu) ? SENSE_WRITE_PROTECTED : SENSE_NONE;
}

/* What a nexus does by a copy it does to the unit itself: SPC-4, 5.17.3. */
static bool copy_conflicts(const struct task *t, bool is_target,
                           const struct reservation *state)
{
    return reservation_conflicts(state, nexus_id(t->nexus),
                                 is_target ? RESERVATION_CLASS_WRITE
                                           : RESERVATION_CLASS_READ);
}

/* 0: the copy may begin. */
static int run_judge(struct copy_run *run, const struct lu *lu, bool is_target)
{
    const struct task *t = run->task;
    enum sense_code code = copy_may(lu, is_target);
    if (code != SENSE_NONE)
        return run_set_unit(run, is_target, code);
    if (copy_conflicts(t, is_target, unit_reservation(lu->unit, t->nexus->reactor)))
        return sense_set_segment_conflict(&run->sense, run->segment, is_target);
    return 0;
}

static int run_set_failure(struct copy_run *run, int rc)
{
    const struct copy_cursor *at = &run->at;
    switch (rc) {
    case -ECANCELED:
        return run_set_stopped(run);
    case -ENOMEM:
        return sense_set_segment(&run->sense, SENSE_COPY_RESOURCES, run->segment);
    case -ENOSPC:
        return run_set_unit(run, true, SENSE_NO_SPACE);
    case -ERANGE: /* one of them has shrunk since */
        return sense_set_segment(&run->sense, SENSE_COPY_ABORTED, run->segment);
    case -EINPROGRESS: {
        enum sense_code code = copy_may(at->from, false);
        bool is_target = code == SENSE_NONE;
        if (is_target)
            code = copy_may(at->to, true);
        return run_set_unit(run, is_target, code);
    }
    default: /* a disk: of which of them is not known */
        return sense_set_segment(&run->sense, SENSE_COPY_UNIT_FAILED, run->segment);
    }
}

/* ---- A segment -----------------------------------------------------------------------
 */

/* What the nexus is not shown is not there. A volume that it is shown twice is written
 * where it may be. */
static const struct lu *view_find(const struct view *view, const uint8_t *naa,
                                  bool is_target)
{
    const struct lu *found = NULL;
    for (size_t i = 0; view != NULL && i < view->lu_count; i++) {
        const struct lu *lu = &view->lus[i];
        if (memcmp(volume_naa(lu->volume), naa, LU_NAA_BYTES) != 0)
            continue;
        if (found == NULL || (is_target && found->read_only))
            found = lu;
    }
    return found;
}

static const struct lu *refuse_unit(struct copy_run *run, enum sense_code code,
                                    bool is_target)
{
    unsigned field = is_target ? EXT_COPY_SEGMENT_TO_BYTE : EXT_COPY_SEGMENT_FROM_BYTE;
    (void)sense_set_segment_field(&run->sense, code, run->segment, field);
    return NULL;
}

/* The unit that a descriptor names. NULL: run->sense says why not. */
static const struct lu *run_named(struct copy_run *run, uint16_t id, bool is_target)
{
    if (id >= run->list.cscd_count)
        return refuse_unit(run, SENSE_COPY_UNREACHABLE, is_target);
    const struct ext_copy_cscd *cscd = &run->list.cscds[id % EXT_COPY_CSCDS_MAX];
    const struct view *view = run->task->nexus->view;
    const struct lu *lu = cscd->is_naa ? view_find(view, cscd->naa, is_target) : NULL;
    if (lu == NULL)
        return refuse_unit(run, SENSE_COPY_NOT_REACHABLE, is_target);
    bool same_blocks = cscd->block_bytes == 0 || cscd->block_bytes == lu_block_bytes(lu);
    if (cscd->device_type != 0 || !same_blocks)
        return refuse_unit(run, SENSE_COPY_WRONG_TYPE, is_target);
    return lu;
}

/* The same, if it can be copied from or to now. */
static const struct lu *run_find(struct copy_run *run, uint16_t id, bool is_target)
{
    const struct lu *lu =
        id == EXT_COPY_CSCD_SELF ? run->task->lu : run_named(run, id, is_target);
    return lu != NULL && run_judge(run, lu, is_target) == 0 ? lu : NULL;
}

static int segment_check_range(struct copy_run *run, const struct lu *lu, uint64_t lba,
                               uint64_t bytes, unsigned field)
{
    if (range_fits_u64(lba, bytes >> lu->block_shift, lu_block_count(lu)))
        return 0;
    return sense_set_segment_field(&run->sense, SENSE_COPY_ABORTED, run->segment, field);
}

static bool is_whole(uint64_t bytes, const struct lu *lu)
{
    return bytes % lu_block_bytes(lu) == 0;
}

/* In blocks of the one whose blocks are counted; the other may have larger ones. */
static int segment_measure(struct copy_run *run, const struct lu *from,
                           const struct lu *to, uint64_t *bytes)
{
    const struct ext_copy_segment *s = run_segment(run);
    *bytes = (uint64_t)s->blocks << (s->counts_target ? to : from)->block_shift;
    if (!is_whole(*bytes, from) || !is_whole(*bytes, to))
        return sense_set_segment_field(&run->sense, SENSE_COPY_INEXACT, run->segment,
                                       EXT_COPY_SEGMENT_BLOCKS_BYTE);
    if (segment_check_range(run, from, s->from_lba, *bytes,
                            EXT_COPY_SEGMENT_FROM_LBA_BYTE) != 0)
        return -EINVAL;
    return segment_check_range(run, to, s->to_lba, *bytes, EXT_COPY_SEGMENT_TO_LBA_BYTE);
}

static void cursor_cut(struct copy_cursor *at)
{
    bool forth = at->to_bytes > at->from_bytes;
    uint64_t apart =
        forth ? at->to_bytes - at->from_bytes : at->from_bytes - at->to_bytes;
    at->piece_bytes = at->left_bytes;
    if (at->from->volume != at->to->volume || apart >= at->left_bytes)
        return;
    at->piece_bytes = apart;
    at->backwards = forth;
    if (apart == 0) /* onto itself */
        at->left_bytes = 0;
}

/* 0: the cursor is at the segment's begin. */
static int segment_begin(struct copy_run *run)
{
    const struct ext_copy_segment *s = run_segment(run);
    const struct lu *from = run_find(run, s->from, false);
    const struct lu *to = from == NULL ? NULL : run_find(run, s->to, true);
    uint64_t bytes = 0;
    if (to == NULL || segment_measure(run, from, to, &bytes) != 0)
        return -EINVAL;
    run->record->state.segments = (uint16_t)(run->segment + 1);
    run->at = (struct copy_cursor){
        .from = from,
        .to = to,
        .from_bytes = s->from_lba << from->block_shift,
        .to_bytes = s->to_lba << to->block_shift,
        .left_bytes = bytes,
    };
    cursor_cut(&run->at);
    return 0;
}

static void segment_end(struct copy_run *run)
{
    run->at = (struct copy_cursor){0};
    run->segment++;
}

static void run_on_copied(struct copy *copy, int rc)
{
    struct copy_run *run = container_of(copy, struct copy_run, copy);
    struct copy_cursor *at = &run->at;
    run->copying = false;
    run->record->state.bytes += copy->copied_bytes;
    if (rc != 0) {
        (void)run_set_failure(run, rc);
        run->done(run);
        return;
    }
    at->left_bytes -= copy->length_bytes;
    if (!at->backwards) {
        at->from_bytes += copy->length_bytes;
        at->to_bytes += copy->length_bytes;
    }
    if (!copy_run_step(run))
        run->done(run);
}

static size_t dirty_index(const struct copy_run *run)
{
    uint16_t id = run_segment(run)->to;
    return id == EXT_COPY_CSCD_SELF ? EXT_COPY_CSCDS_MAX : id;
}

static void piece_start(struct copy_run *run)
{
    const struct copy_cursor *at = &run->at;
    uint64_t bytes = at->left_bytes < at->piece_bytes ? at->left_bytes : at->piece_bytes;
    uint64_t offset = at->backwards ? at->left_bytes - bytes : 0;
    run->is_dirty[dirty_index(run)] = true;
    run->copying = true;
    run->copy = (struct copy){
        .lane = run->task->lane,
        .from = at->from->volume,
        .to = at->to->volume,
        .from_bytes = at->from_bytes + offset,
        .to_bytes = at->to_bytes + offset,
        .length_bytes = bytes,
        .patient = true,
        .done = run_on_copied,
    };
    copy_start(&run->copy);
}

/* ---- The flush ------------------------------------------------------------------------
 * With WCE 0 what a unit was written is durable before it is told: SBC-4, 6.5.5. */

static void run_on_flushed(struct vio *vio, int rc)
{
    struct copy_run *run = exec_vio_task(vio)->exec.copy;
    run->at = (struct copy_cursor){0};
    if (rc != 0)
        (void)sense_set_segment_unit(&run->sense, (uint16_t)(run->segment - 1), true,
                                     SENSE_WRITE_ERROR);
    if (rc != 0 || !copy_run_step(run))
        run->done(run);
}

/* The unit that was written by that descriptor; NULL: it is gone, and with it who would
 * ask. */
static const struct lu *dirty_unit(const struct copy_run *run, size_t index)
{
    const struct task *t = run->task;
    if (index == EXT_COPY_CSCDS_MAX)
        return t->lu;
    return view_find(t->nexus->view, run->list.cscds[index].naa, true);
}

/* False: none is left to be flushed, or its end is wanted: it takes up no other unit. */
static bool flush_start_next(struct copy_run *run)
{
    struct task *t = run->task;
    for (size_t i = 0; i < ARRAY_LEN(run->is_dirty); i++) {
        const struct lu *lu = run->is_dirty[i] ? dirty_unit(run, i) : NULL;
        run->is_dirty[i] = false;
        if (lu == NULL || (unit_modes(lu->unit) & UNIT_WRITE_THROUGH) == 0)
            continue;
        if (run_is_stopping(run)) {
            (void)sense_set_segment(&run->sense, SENSE_COPY_ABORTED,
                                    (uint16_t)(run->segment - 1));
            return false;
        }
        run->at = (struct copy_cursor){.from = lu, .to = lu};
        t->exec.vio = (struct vio){
            .lane = t->lane,
            .volume = lu->volume,
            .op = VIO_FLUSH,
            .done = run_on_flushed,
        };
        vio_submit(&t->exec.vio);
        return true;
    }
    return false;
}

/* ---- The way --------------------------------------------------------------------------
 */

/* True: something is under way. */
static bool copy_run_step(struct copy_run *run)
{
    while (run->segment < run->list.segment_count) {
        if (run_is_stopping(run)) {
            (void)run_set_stopped(run);
            return false;
        }
        if (run->at.to == NULL && segment_begin(run) != 0)
            return false;
        if (run->at.left_bytes > 0) {
            piece_start(run);
            return true;
        }
        segment_end(run);
    }
    return flush_start_next(run);
}

bool copy_run_start(struct copy_run *run)
{
    return copy_run_step(run);
}

void copy_run_stop(struct copy_run *run)
{
    run->stopping = true;
    if (run->copying)
        copy_stop(&run->copy);
}

bool copy_run_loses(const struct copy_run *run, const struct unit *unit,
                    const struct reservation *state)
{
    const struct copy_cursor *at = &run->at;
    return (at->from != NULL && at->from->unit == unit &&
            copy_conflicts(run->task, false, state)) ||
           (at->to != NULL && at->to->unit == unit &&
            copy_conflicts(run->task, true, state));
}

bool copy_run_follow(struct copy_run *run, const struct view *view)
{
    struct copy_cursor *at = &run->at;
    if (at->to == NULL)
        return true;
    if (!view_keeps(view, at->from) || !view_keeps(view, at->to))
        return false;
    at->from = view_lu(view, at->from->lun);
    at->to = view_lu(view, at->to->lun);
    return true;
}

uint64_t copy_run_bytes(const struct copy_run *run)
{
    return run->record->state.bytes + (run->copying ? run->copy.copied_bytes : 0);
}
