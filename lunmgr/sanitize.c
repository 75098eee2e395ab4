/* SPDX-License-Identifier: Apache-2.0 */
/* A sanitize's way. Control thread: who may, and that nothing else is changed. Home loop:
 * the fence of all commands, a flush behind it, a look that no block is anybody else's.
 * Control thread: the row, durable; the volume is closed to commands, the fence falls,
 * the asker is told. Home loop: the passes, each synced; of a BLOCK ERASE all is
 * unmapped. Control thread: the row goes, or says that it has failed. A stop of the
 * daemon leaves the row, and the next start begins with the first pass again. */
#include "lunmgr/sanitize.h"

#include "base/log.h"
#include "lunmgr/lane_priv.h"
#include "lunmgr/op.h"
#include "lunmgr/sanitize_priv.h"
#include "lunmgr/volume_priv.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#define SANITIZE_LOOK_MS 20 /* a command that waits for the end looks so often */

struct sanitize {
    struct op op;
    struct volume *volume;    /* being changed */
    struct sanitize_ask *ask; /* until it is answered; NULL: of an earlier start */
    struct sanitize_row *row; /* the volume's in the end */
    struct fence_wait fence;
    struct round_wait round;
    struct catalog_job job;
    bool has_shared; /* a word says that its extent may be another's too */
    struct buf content;
    unsigned pass_no;
    struct vio vio;
    struct sanitize_pass pass;
};

static struct sanitize *sanitize_of(struct op *op)
{
    return container_of(op, struct sanitize, op);
}

enum sanitize_state volume_sanitize_state(const struct volume *v, uint16_t *progress)
{
    enum sanitize_state state = (enum sanitize_state)atomic_load(&v->sanitize_state);
    if (state != SANITIZE_RUNNING || progress == NULL)
        return state;
    uint64_t done = atomic_load(&v->sanitize_progress.done);
    uint64_t total = atomic_load(&v->sanitize_progress.total);
    uint64_t part = total == 0 ? 0 : done * 65536 / total;
    *progress = part < UINT16_MAX ? (uint16_t)part : UINT16_MAX;
    return state;
}

/* ---- The asker: its lane's thread ------------------------------------------------ */

static void ask_look(evutil_socket_t fd, short what, void *arg);

static void ask_wait(struct sanitize_ask *ask)
{
    struct timeval soon = {.tv_usec = SANITIZE_LOOK_MS * 1000};
    if (event_base_once(loop_base(ask->lane->loop), -1, EV_TIMEOUT, ask_look, ask,
                        &soon) != 0)
        ask->done(ask, -ECANCELED);
}

static void ask_look(evutil_socket_t fd, short what, void *arg)
{
    struct sanitize_ask *ask = arg;
    enum sanitize_state state = volume_sanitize_state(ask->volume, NULL);
    (void)fd;
    (void)what;
    if (ask->is_given_up(ask))
        ask->done(ask, -ECANCELED);
    else if (state == SANITIZE_RUNNING)
        ask_wait(ask);
    else
        ask->done(ask, state == SANITIZE_NONE ? 0 : -EREMOTEIO);
}

static void ask_on_answer(struct note *note)
{
    struct sanitize_ask *ask = container_of(note, struct sanitize_ask, note);
    if (ask->rc == 0 && ask->waits && !ask->exits)
        ask_look(-1, 0, ask);
    else
        ask->done(ask, ask->rc);
}

static void ask_answer(struct sanitize_ask *ask, int rc)
{
    ask->rc = rc;
    ask->note.run = ask_on_answer;
    loop_post(ask->lane->loop, &ask->note);
}

/* ---- The end --------------------------------------------------------------------- */

static void sanitize_free(struct sanitize *s)
{
    volume_change_end(s->volume);
    volume_put(s->volume);
    op_free(&s->op);
}

/* The volume is as it was. */
static void sanitize_refuse(struct sanitize *s, int rc)
{
    ask_answer(s->ask, rc);
    free(s->row);
    sanitize_free(s);
}

static void sanitize_set_state(struct volume *v, enum sanitize_state state)
{
    if (state == SANITIZE_NONE) {
        free(v->sanitize_row);
        v->sanitize_row = NULL;
    }
    atomic_store(&v->sanitize_state, state);
}

/* ---- The record of the end: control thread --------------------------------------- */

static int end_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct sanitize *s = container_of(job, struct sanitize, job);
    return s->row->failed ? sanitize_row_set(txn, s->row, e)
                          : sanitize_row_remove(txn, s->volume->id, e);
}

/* A row that could not be taken away would sanitize the volume again at the next start:
 * nobody may write to it before that. One that does not say that it failed does no harm:
 * the next start tries again. */
static void end_on_stored(struct catalog_job *job)
{
    struct sanitize *s = container_of(job, struct sanitize, job);
    struct volume *v = s->volume;
    bool good = job->rc == 0 && !s->row->failed;
    if (job->rc != 0)
        log_error("how a sanitize ended could not be recorded", "volume=%s", v->name);
    s->row->failed = !good;
    if (good)
        log_info("a volume is sanitized", "volume=%s", v->name);
    else
        log_error("a sanitize failed: the volume serves nothing until one works, or its "
                  "host exits the failure mode",
                  "volume=%s", v->name);
    sanitize_set_state(v, good ? SANITIZE_NONE : SANITIZE_FAILED);
    news_volume_sanitized(v->manager, v->id, v->name, good);
    sanitize_free(s);
}

static void sanitize_job(struct sanitize *s,
                         int (*work)(struct catalog_txn *txn, struct catalog_job *job,
                                     struct err *e),
                         void (*done)(struct catalog_job *job))
{
    s->job = (struct catalog_job){.reply_to = loop_inbox(s->op.manager->options.control),
                                  .work = work,
                                  .done = done};
    catalog_write(lunmgr_catalog(s->op.manager), &s->job);
}

static void sanitize_worked(struct op *op)
{
    struct sanitize *s = sanitize_of(op);
    if (op->job.rc == -ECANCELED) { /* the next start goes on */
        sanitize_free(s);
        return;
    }
    s->row->failed = op->job.rc != 0;
    sanitize_job(s, end_work, end_on_stored);
}

/* ---- The work: home loop --------------------------------------------------------- */

static void work_end(struct sanitize *s, int rc)
{
    buf_put(lunmgr_home_lane(s->op.manager)->buffers, &s->content);
    s->op.job.rc = rc;
    op_return(&s->op);
}

/* The pattern again and again in each logical block, from its beginning. */
static void work_lay(struct sanitize *s)
{
    const struct sanitize_row *row = s->row;
    uint32_t block = s->volume->block_bytes;
    uint8_t flip = row->inverts && s->pass_no % 2 == 1 ? 0xff : 0;
    for (uint32_t i = 0; i < block; i++)
        s->content.base[i] = row->pattern[i % row->pattern_bytes] ^ flip;
    for (uint32_t at = block; at < EXTENT_BYTES; at += block)
        memcpy(s->content.base + at, s->content.base, block);
}

static void work_on_given_back(struct vio *vio, int rc)
{
    work_end(container_of(vio, struct sanitize, vio), rc);
}

/* Beyond the volume's end, too: what a shrink has left. */
static void work_give_back(struct sanitize *s)
{
    struct volume *v = s->volume;
    s->vio = (struct vio){
        .lane = lunmgr_home_lane(v->manager),
        .volume = v,
        .op = VIO_UNMAP,
        .fua = true,
        .is_wipe = true,
        .length_bytes = atomic_load(&volume_top(v)->size_extents) * EXTENT_BYTES,
        .done = work_on_given_back,
    };
    vio_submit(&s->vio);
}

static void work_next(struct sanitize *s);

static void work_on_pass(struct sanitize_pass *pass, int rc)
{
    struct sanitize *s = container_of(pass, struct sanitize, pass);
    s->pass_no++;
    if (rc != 0)
        work_end(s, rc);
    else
        work_next(s);
}

static void work_next(struct sanitize *s)
{
    if (s->pass_no < s->row->passes) {
        work_lay(s);
        sanitize_pass_start(&s->pass);
    } else if (s->row->erases) {
        work_give_back(s);
    } else {
        work_end(s, 0);
    }
}

static void work_at_home(struct op *op)
{
    struct sanitize *s = sanitize_of(op);
    struct volume *v = s->volume;
    struct layer *top = volume_top(v);
    if (buf_get(lunmgr_home_lane(op->manager)->buffers, EXTENT_BYTES, &s->content) != 0) {
        work_end(s, -ENOMEM);
        return;
    }
    atomic_store(&v->sanitize_progress.total,
                 atomic_load(&top->used_extents) * s->row->passes);
    s->pass = (struct sanitize_pass){.pool = v->pool,
                                     .layer_id = top->id,
                                     .family = top->family,
                                     .content = s->content.base,
                                     .progress = &v->sanitize_progress,
                                     .done = work_on_pass};
    work_next(s);
}

static void sanitize_go(struct sanitize *s)
{
    struct volume *v = s->volume;
    atomic_store(&v->sanitize_progress.done, 0);
    atomic_store(&v->sanitize_progress.total, 0);
    log_info("a volume is being sanitized", "volume=%s by=%s passes=%u", v->name,
             s->row->erases ? "erase" : "overwrite", (unsigned)s->row->passes);
    op_at_home(&s->op, work_at_home, sanitize_worked);
}

/* ---- Behind the fence ------------------------------------------------------------ */

static void begin_log_shared(const struct volume *v)
{
    const struct volume *snapshot = v->last_snapshot != NULL ? v->last_snapshot : v->base;
    log_warning("a sanitize is refused: the volume shares blocks",
                "volume=%s snapshot=%s", v->name,
                snapshot != NULL ? snapshot->key
                                 : "(one whose blocks are not merged yet)");
}

static int mark_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    return sanitize_row_set(txn, container_of(job, struct sanitize, job)->row, e);
}

/* From here to the end no command passes: those that the fence held, and those to come,
 * find the volume's state. */
static void mark_on_stored(struct catalog_job *job)
{
    struct sanitize *s = container_of(job, struct sanitize, job);
    struct volume *v = s->volume;
    if (job->rc != 0) {
        fence_release(&v->fence);
        sanitize_refuse(s, -EIO);
        return;
    }
    free(v->sanitize_row);
    v->sanitize_row = s->row;
    sanitize_set_state(v, SANITIZE_RUNNING);
    fence_release(&v->fence);
    ask_answer(s->ask, 0);
    s->ask = NULL;
    news_volume_sanitizing(v->manager, v->id, v->name);
    sanitize_go(s);
}

static void sanitize_prepared(struct op *op)
{
    struct sanitize *s = sanitize_of(op);
    if (op->job.rc == 0) {
        sanitize_job(s, mark_work, mark_on_stored);
        return;
    }
    if (op->job.rc == -EEXIST)
        begin_log_shared(s->volume);
    fence_release(&s->volume->fence);
    sanitize_refuse(s, op->job.rc);
}

static void prepare_end(struct sanitize *s, int rc)
{
    s->op.job.rc = rc;
    op_return(&s->op);
}

static int scan_see_share(const struct share_row *row, void *arg)
{
    (void)row;
    (void)arg;
    return 1;
}

static int scan_see_leaf(uint64_t key, const uint64_t words[LEAF_WORDS], void *arg)
{
    bool *has_shared = arg;
    (void)key;
    for (size_t i = 0; i < LEAF_WORDS && !*has_shared; i++)
        *has_shared = (words[i] & WORD_SHARED) != 0;
    return *has_shared ? 1 : 0;
}

/* A word's bit stays when the others have gone, so that it says nothing in a pool that
 * shares no extent at all, as nearly all do: then the map is not read. */
static int scan_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct sanitize *s = container_of(job, struct sanitize, job);
    struct pool *pool = s->volume->pool;
    uint32_t id = volume_top(s->volume)->id;
    int rc = 0;
    for (struct device *d = NULL; rc == 0 && (d = pool_next_device(pool, d)) != NULL;)
        rc = share_each(txn, d->row.no, scan_see_share, NULL, e);
    if (rc == 1)
        rc = leaf_each(txn, leaf_key_of(extent_key(id, 0)),
                       leaf_key_of(extent_key(id, 0x7fffffff)), scan_see_leaf,
                       &s->has_shared, e);
    return rc < 0 ? rc : 0;
}

static void scan_on_done(struct catalog_job *job)
{
    struct sanitize *s = container_of(job, struct sanitize, job);
    int shared = s->has_shared ? -EEXIST : 0;
    prepare_end(s, job->rc != 0 ? -EIO : shared);
}

/* All that the volume has is in the catalog's words. */
static void prepare_on_flushed(struct round_wait *wait)
{
    struct sanitize *s = container_of(wait, struct sanitize, round);
    if (wait->rc != 0) {
        prepare_end(s, -EIO);
        return;
    }
    s->job = (struct catalog_job){.reply_to = loop_inbox(lunmgr_home(s->op.manager)),
                                  .work = scan_work,
                                  .done = scan_on_done};
    catalog_read(lunmgr_catalog(s->op.manager), &s->job);
}

static void prepare_on_fenced(struct note *note)
{
    struct sanitize *s = container_of(note, struct sanitize, fence.note);
    struct volume *v = s->volume;
    if (layer_parent(volume_top(v)) != NULL) {
        prepare_end(s, -EEXIST);
        return;
    }
    s->round = (struct round_wait){.inbox = loop_inbox(lunmgr_home(v->manager)),
                                   .done = prepare_on_flushed,
                                   .family = volume_top(v)->family};
    round_join(v->pool, &s->round);
}

static void prepare_at_home(struct op *op)
{
    struct sanitize *s = sanitize_of(op);
    s->fence = (struct fence_wait){.note.run = prepare_on_fenced,
                                   .inbox = loop_inbox(lunmgr_home(op->manager)),
                                   .kind = FENCE_ALL};
    fence_raise(&s->volume->fence, &s->fence);
}

/* ---- The beginning: control thread ----------------------------------------------- */

/* An answer that nothing else hangs on: the op ends with it. */
static void sanitize_finish(struct op *op)
{
    struct sanitize *s = sanitize_of(op);
    if (s->ask != NULL)
        ask_answer(s->ask, op->job.rc);
    op_free(op);
}

static struct sanitize_row *row_of_ask(const struct sanitize_ask *ask)
{
    const struct sanitize_spec *spec = &ask->spec;
    struct sanitize_row *row = calloc(1, sizeof(*row));
    if (row == NULL)
        return NULL;
    memcpy(row->volume_id, ask->volume->id, sizeof(row->volume_id));
    row->erases = spec->erases;
    row->unrestricted = spec->unrestricted;
    row->inverts = !spec->erases && spec->inverts;
    row->passes = spec->erases ? 1 : spec->passes;
    row->pattern_bytes = spec->erases ? 1 : spec->pattern_bytes; /* one zero */
    assert(row->pattern_bytes >= 1 && row->pattern_bytes <= sizeof(row->pattern));
    if (!spec->erases)
        memcpy(row->pattern, spec->pattern, spec->pattern_bytes);
    return row;
}

/* One that failed in restricted mode is not to be left by way of another one that is not:
 * SBC-4, 4.11.4. */
static bool is_restricted(const struct volume *v)
{
    return v->sanitize_row != NULL && v->sanitize_row->failed &&
           !v->sanitize_row->unrestricted;
}

static int begin_check(const struct sanitize_ask *ask)
{
    struct volume *v = ask->volume;
    struct err busy;
    assert(!volume_is_snapshot(v)); /* it can only be seen read-only */
    if (pool_is_failed(v->pool))
        return -EIO;
    if (is_restricted(v) && ask->spec.unrestricted)
        return -EPERM;
    if (v->snapshot_count > 0) {
        begin_log_shared(v);
        return -EEXIST;
    }
    if (v->deleting || !rods_let_go(v)) /* none keeps what is to be removed */
        return -EBUSY;
    return volume_change_begin(v, &busy);
}

static void sanitize_begin(struct sanitize *s)
{
    struct volume *v = s->ask->volume;
    int rc = begin_check(s->ask);
    if (rc == 0) {
        s->row = row_of_ask(s->ask);
        rc = s->row == NULL ? -ENOMEM : 0;
        if (rc != 0)
            volume_change_end(v);
    }
    if (rc != 0) {
        op_end(&s->op, rc);
        return;
    }
    s->volume = v;
    volume_get(v);
    op_at_home(&s->op, prepare_at_home, sanitize_prepared);
}

/* ---- Leaving the failure: control thread ----------------------------------------- */

static int exit_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    return sanitize_row_remove(txn, container_of(job, struct sanitize, job)->volume->id,
                               e);
}

static void exit_on_stored(struct catalog_job *job)
{
    struct sanitize *s = container_of(job, struct sanitize, job);
    if (job->rc == 0)
        sanitize_set_state(s->volume, SANITIZE_NONE);
    ask_answer(s->ask, job->rc == 0 ? 0 : -EIO);
    sanitize_free(s);
}

static void sanitize_exit(struct sanitize *s)
{
    struct volume *v = s->ask->volume;
    struct err busy;
    bool failed = volume_sanitize_state(v, NULL) == SANITIZE_FAILED;
    int rc = failed && is_restricted(v) ? -EPERM : 0;
    if (rc == 0 && failed)
        rc = volume_change_begin(v, &busy);
    if (rc != 0 || !failed) { /* not in it: there is nothing to leave */
        op_end(&s->op, rc);
        return;
    }
    s->volume = v;
    volume_get(v);
    sanitize_job(s, exit_work, exit_on_stored);
}

static void ask_on_control(struct note *note)
{
    struct sanitize_ask *ask = container_of(note, struct sanitize_ask, note);
    struct sanitize *s = op_new(ask->volume->manager, sizeof(*s), sanitize_finish);
    s->ask = ask;
    if (ask->exits)
        sanitize_exit(s);
    else
        sanitize_begin(s);
}

void sanitize_start(struct sanitize_ask *ask)
{
    ask->note.run = ask_on_control;
    loop_post(ask->volume->manager->options.control, &ask->note);
}

/* ---- At start -------------------------------------------------------------------- */

int sanitize_load(struct volume *v, const struct sanitize_row *row)
{
    v->sanitize_row = malloc(sizeof(*row));
    if (v->sanitize_row == NULL)
        return -ENOMEM;
    *v->sanitize_row = *row;
    sanitize_set_state(v, row->failed ? SANITIZE_FAILED : SANITIZE_RUNNING);
    return 0;
}

void sanitize_resume(struct volume *v)
{
    struct err ignored;
    if (volume_sanitize_state(v, NULL) != SANITIZE_RUNNING)
        return;
    if (pool_is_failed(v->pool)) { /* the row stays: the next start tries again */
        v->sanitize_row->failed = true;
        sanitize_set_state(v, SANITIZE_FAILED);
        return;
    }
    int rc = volume_change_begin(v, &ignored);
    assert(rc == 0); /* nobody else has it at start */
    struct sanitize *s = op_new(v->manager, sizeof(*s), sanitize_finish);
    s->volume = v;
    s->row = v->sanitize_row;
    volume_get(v);
    sanitize_go(s);
}
