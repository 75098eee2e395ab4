/* SPDX-License-Identifier: Apache-2.0 */
/* The wipe's way: fence, zeros, a round, the row. */
#include "lunmgr/wipe.h"

#include "base/log.h"
#include "lunmgr/op.h"
#include "lunmgr/volume_io.h"
#include "lunmgr/volume_priv.h"

#include <errno.h>

struct wipe {
    struct op op;
    struct volume *volume;
    struct fence_wait fence;
    struct vio vio;
    done_fn done;
    void *arg;
};

static void wipe_end(struct op *op)
{
    struct wipe *w = container_of(op, struct wipe, op);
    if (op->job.rc == 0)
        w->volume->wipe_bytes = 0;
    else if (op_err(op)->code == 0)
        (void)err_set(op_err(op), op->job.rc, NULL, "%s",
                      op->job.rc == -ENOSPC ? "the pool is full" : "a disk failed");
    w->done(w->arg, op_outcome(op));
    op_free(op);
}

static int wipe_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct wipe *w = container_of(job, struct wipe, op.job);
    struct volume_row row;
    int rc = volume_row_get(txn, w->volume->id, &row, e);
    if (rc != 0)
        return rc;
    row.wipe_bytes = 0;
    return volume_row_change(txn, &row, e);
}

static void wipe_store(struct op *op)
{
    if (op->job.rc != 0)
        wipe_end(op);
    else
        op_write(op, wipe_work, wipe_end);
}

static void wipe_on_zeroed(struct vio *vio, int rc)
{
    struct wipe *w = container_of(vio, struct wipe, vio);
    w->op.job.rc = rc;
    op_return(&w->op);
}

/* Every write that began before the volume was smaller has ended. */
static void wipe_on_fenced(struct note *note)
{
    struct wipe *w = container_of(note, struct wipe, fence.note);
    struct volume *v = w->volume;
    uint64_t end = volume_size_bytes(v);
    fence_release(&v->fence);
    w->vio = (struct vio){
        .lane = lunmgr_home_lane(v->manager),
        .volume = v,
        .op = VIO_ZERO,
        .fua = true,
        .is_wipe = true,
        .offset_bytes = end,
        .length_bytes = v->wipe_bytes - end,
        .done = wipe_on_zeroed,
    };
    vio_submit(&w->vio);
}

static void wipe_at_home(struct op *op)
{
    struct wipe *w = container_of(op, struct wipe, op);
    w->fence = (struct fence_wait){.note.run = wipe_on_fenced,
                                   .inbox = loop_inbox(lunmgr_home(op->manager)),
                                   .kind = FENCE_WRITES};
    fence_raise(&w->volume->fence, &w->fence);
}

void wipe_start(struct volume *volume, done_fn done, void *arg)
{
    struct wipe *w = op_new(volume->manager, sizeof(*w), wipe_end);
    w->volume = volume;
    w->done = done;
    w->arg = arg;
    op_at_home(&w->op, wipe_at_home, wipe_store);
}

void wipe_log_failure(const struct volume *volume, const struct err *e)
{
    char reason[ERR_TEXT_MAX];
    log_warning("a shrunken volume's rest is not cleared: the next start goes on",
                "volume=%s reason=%s", volume->name,
                log_quote(reason, sizeof(reason), e->text));
}

static void wipe_on_resumed(void *arg, const struct err *e)
{
    struct volume *v = arg;
    if (e != NULL)
        wipe_log_failure(v, e);
    volume_change_end(v);
}

void wipe_resume(struct volume *volume)
{
    struct err ignored; /* nobody else has it at start */
    if (volume->wipe_bytes > volume_size_bytes(volume) &&
        volume_change_begin(volume, &ignored) == 0)
        wipe_start(volume, wipe_on_resumed, volume);
}
