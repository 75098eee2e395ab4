/* SPDX-License-Identifier: Apache-2.0 */
/* Where a management operation goes and how it comes back. */
#include "lunmgr/op.h"

#include "base/log.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

void *op_new(struct lunmgr *m, size_t bytes, void (*finish)(struct op *op))
{
    struct op *op = calloc(1, bytes);
    if (op == NULL)
        log_fatal("out of memory");
    op->manager = m;
    op->finish = finish;
    op->record = record_take(m);
    op->job.reply_to = loop_inbox(m->options.control);
    m->ops_under_way++;
    lunmgr_stir(m);
    return op;
}

void op_free(struct op *op)
{
    assert(op->manager->ops_under_way > 0);
    op->manager->ops_under_way--;
    record_free(op->record);
    free(op);
}

void op_about(struct op *op, const char *id)
{
    if (op->record != NULL)
        snprintf(op->record->subject_id, sizeof(op->record->subject_id), "%s", id);
}

static void op_run_step(struct note *note)
{
    struct op *op = container_of(note, struct op, job.note);
    op->step(op);
}

void op_return(struct op *op)
{
    op->job.note.run = op_run_step;
    inbox_post(op->job.reply_to, &op->job.note);
}

void op_end(struct op *op, int rc)
{
    op->job.rc = rc;
    op->step = op->finish;
    op_return(op);
}

static void op_on_committed(struct catalog_job *job)
{
    struct op *op = container_of(job, struct op, job);
    op->step(op);
}

static int op_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct op *op = container_of(job, struct op, job);
    int rc = op->work(txn, job, e);
    if (rc == 0)
        rc = record_store(txn, op->manager, op->record, e);
    return rc == 0 && op_is_dry(op) ? OP_DRY_RUN : rc;
}

void op_write(struct op *op,
              int (*work)(struct catalog_txn *txn, struct catalog_job *job,
                          struct err *e),
              void (*step)(struct op *op))
{
    op->work = work;
    op->job.work = op_work;
    op->job.done = op_on_committed;
    op->step = step;
    catalog_write(lunmgr_catalog(op->manager), &op->job);
}

static int nothing_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    (void)txn;
    (void)job;
    (void)e;
    return 0;
}

void op_write_record(struct op *op, void (*step)(struct op *op))
{
    op_write(op, nothing_work, step);
}

void op_read(struct op *op,
             int (*work)(struct catalog_txn *txn, struct catalog_job *job, struct err *e),
             void (*step)(struct op *op))
{
    op->job.work = work;
    op->job.done = op_on_committed;
    op->step = step;
    catalog_read(lunmgr_catalog(op->manager), &op->job);
}

static void *op_thread(void *arg)
{
    struct op *op = arg;
    op->blocking(op);
    op_return(op);
    return NULL;
}

void op_block(struct op *op, void (*blocking)(struct op *op), void (*step)(struct op *op))
{
    pthread_t thread;
    pthread_attr_t attr;
    op->blocking = blocking;
    op->step = step;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    int rc = pthread_create(&thread, &attr, op_thread, op);
    pthread_attr_destroy(&attr);
    if (rc != 0)
        op_end(op, err_set(op_err(op), -rc, NULL, "cannot start a thread"));
}

static void op_run_blocking(struct note *note)
{
    struct op *op = container_of(note, struct op, job.note);
    op->blocking(op);
}

void op_at_home(struct op *op, void (*at_home)(struct op *op),
                void (*step)(struct op *op))
{
    op->blocking = at_home;
    op->step = step;
    op->job.note.run = op_run_blocking;
    loop_post(lunmgr_home(op->manager), &op->job.note);
}

static void op_take_ticket(struct op *op)
{
    struct lunmgr *m = op->manager;
    op->ticket = ++m->next_ticket;
    op->next = m->settling;
    m->settling = op;
}

void op_settle(struct op *op, void (*step)(struct op *op))
{
    const struct lunmgr_events *events = &op->manager->events;
    op->step = step;
    if (events->access_changed == NULL) {
        op_return(op);
        return;
    }
    op_take_ticket(op);
    events->access_changed(events->arg, op->ticket);
}

void op_tell(struct op *op, const struct volume *volume, enum volume_event event,
             void (*step)(struct op *op))
{
    const struct lunmgr_events *events = &op->manager->events;
    op->step = step;
    if (events->volume_changed == NULL) {
        op_return(op);
        return;
    }
    op_take_ticket(op);
    events->volume_changed(events->arg, volume, event, op->ticket);
}

void op_set_port_group(struct op *op, uint16_t tag, const struct alua_access *access,
                       void (*step)(struct op *op))
{
    const struct lunmgr_events *events = &op->manager->events;
    op->step = step;
    if (events->port_group_changed == NULL) {
        op_return(op);
        return;
    }
    op_take_ticket(op);
    events->port_group_changed(events->arg, tag, access, op->ticket);
}

void lunmgr_settled(struct lunmgr *m, uint64_t ticket)
{
    for (struct op **link = &m->settling; *link != NULL; link = &(*link)->next) {
        struct op *op = *link;
        if (op->ticket != ticket)
            continue;
        *link = op->next;
        op->step(op);
        return;
    }
}

int name_check(const char *name, const char *field, struct err *e)
{
    size_t bytes = strlen(name);
    bool good = bytes >= 1 && bytes < CATALOG_NAME_MAX && isalnum((unsigned char)name[0]);
    for (size_t i = 1; good && i < bytes; i++)
        good = isalnum((unsigned char)name[i]) || strchr("._-", name[i]) != NULL;
    if (good)
        return 0;
    return err_set(
        e, -EINVAL, field,
        "a name is 1 to %d letters, digits, '.', '_' or '-', and begins with a "
        "letter or digit",
        CATALOG_NAME_MAX - 1);
}

void id_make(char out[CATALOG_ID_MAX])
{
    uint8_t b[16];
    if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
        log_fatal("the kernel gives no randomness");
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(out, CATALOG_ID_MAX,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
             b[13], b[14], b[15]);
}

int64_t now_s(void)
{
    return (int64_t)time(NULL);
}
