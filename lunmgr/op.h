/* SPDX-License-Identifier: Apache-2.0 */
/* A management operation on its way: checked on the control thread, done elsewhere (a
 * catalog transaction, a blocking call on a thread of its own, a note to the pools'
 * loop), finished on the control thread, never inside the call that asked. */
#ifndef LUNMGR_OP_H
#define LUNMGR_OP_H

#include "db/catalog.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/record_priv.h"

/* job.rc of a dry run that has met nothing that would refuse the change: it goes the way
 * of one that failed, without an err. */
#define OP_DRY_RUN 1

struct op {
    struct catalog_job job; /* its err and rc are the operation's outcome */
    struct lunmgr *manager;
    struct record *record; /* goes into its transaction; NULL: nobody asked for it */
    /* Control thread: answers the asker and frees. job.rc: 0 or why not. */
    void (*finish)(struct op *op);
    void (*step)(struct op *op); /* what comes back from elsewhere runs this */
    void (*blocking)(struct op *op);
    int (*work)(struct catalog_txn *txn, struct catalog_job *job, struct err *e);
    struct op *next; /* those that wait for the reactors */
    uint64_t ticket;
};

/* A zeroed object of `bytes` that begins with its op, and has the record that waits for
 * one. Never NULL: out of memory for so small a thing ends the process, which the catalog
 * survives. */
void *op_new(struct lunmgr *m, size_t bytes, void (*finish)(struct op *op));
/* After finish has answered. */
void op_free(struct op *op);

static inline struct err *op_err(struct op *op)
{
    return &op->job.err;
}
/* NULL if it worked, or would have: as the done functions want it. */
static inline const struct err *op_outcome(const struct op *op)
{
    return op->job.rc >= 0 ? NULL : &op->job.err;
}
static inline bool op_is_dry(const struct op *op)
{
    return op->record != NULL && op->record->dry_run;
}
/* Before its transaction: the id of what it makes or changes, for the record. */
void op_about(struct op *op, const char *id);

/* One of these, the last thing that the control thread does with the op for now: */
/* finish() with rc, soon; the err is filled. */
void op_end(struct op *op, int rc);
/* work and then the record in a transaction, then step() on the control thread. A dry
 * run's is rolled back: job.rc is OP_DRY_RUN. Once an op. */
void op_write(struct op *op,
              int (*work)(struct catalog_txn *txn, struct catalog_job *job,
                          struct err *e),
              void (*step)(struct op *op));
/* The same of the record alone. */
void op_write_record(struct op *op, void (*step)(struct op *op));
/* work on a reader, then step() on the control thread. */
void op_read(struct op *op,
             int (*work)(struct catalog_txn *txn, struct catalog_job *job, struct err *e),
             void (*step)(struct op *op));
/* blocking() on a thread of its own, then step() on the control thread. */
void op_block(struct op *op, void (*blocking)(struct op *op),
              void (*step)(struct op *op));
/* at_home() on the pools' loop, which ends with op_return; then step(). */
void op_at_home(struct op *op, void (*at_home)(struct op *op),
                void (*step)(struct op *op));
void op_return(struct op *op);
/* Every reactor learns of the change of hosts and mappings, then step(). */
void op_settle(struct op *op, void (*step)(struct op *op));
/* Every nexus that sees the volume gets the unit attention, then step(). */
void op_tell(struct op *op, const struct volume *volume, enum volume_event event,
             void (*step)(struct op *op));

/* The port group's new access is brought into force, then step(). */
void op_set_port_group(struct op *op, uint16_t tag, const struct alua_access *access,
                       void (*step)(struct op *op));

/* [A-Za-z0-9][A-Za-z0-9._-]*, at most 63 bytes: 0, or -EINVAL naming the field. */
int name_check(const char *name, const char *field, struct err *e) MUST_CHECK;
/* A random UUID (RFC 9562, version 4). */
void id_make(char out[CATALOG_ID_MAX]);
int64_t now_s(void);

#endif
