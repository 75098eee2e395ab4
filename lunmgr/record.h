/* SPDX-License-Identifier: Apache-2.0 */
/* What goes with a change into the change's own transaction: an entry of the audit log
 * and, if the client gave an idempotency key, the record that makes a repetition safe.
 * They are there exactly when the change is. Control thread. */
#ifndef LUNMGR_RECORD_H
#define LUNMGR_RECORD_H

#include "lunmgr/volume.h"

struct record {
    bool dry_run;       /* check everything, change nothing: done() gets neither an object
                           nor an err. While it takes, others may get the -EBUSY, or
                           the -EEXIST for a snapshot's name, that the change itself
                           would give them */
    bool audited;       /* false: not in the audit log */
    char who[80];       /* "local uid 0", "token NAME" */
    char from[64];      /* its address; "": the Unix socket */
    char operation[48]; /* "volume_create" */
    char subject[192];  /* what the request names */
    /* The operation sets it before its transaction, to the id of what it makes or
     * changes; what has none (the box's own) leaves it as it was given. */
    char subject_id[VOLUME_ID_MAX];
    const char *request; /* JSON text without secrets, copied; NULL: none */
    char principal[64];
    char key[256]; /* the idempotency key; "": none */
    uint8_t fingerprint[32];
    /* What it will be answered with, if that is known before it is recorded: a repetition
     * gets it even if nobody lives to store it. 0: it is not. */
    int status;
    const char *answer; /* the body, copied; NULL: none */
};

/* The next operation asked of lunmgr, in this turn of the control thread, takes it: it is
 * copied. If the principal has used the key before, that operation is refused with
 * -EEXIST, field idempotency_key, and changes nothing. */
void lunmgr_record_next(struct lunmgr *m, const struct record *record);
/* No operation was asked after all: what waits for one is dropped, if anything does. */
void lunmgr_record_drop(struct lunmgr *m);

/* For what is no change of the catalog (a session that is ended, a drain): the record
 * alone, durable when it is answered. */
void record_write(struct lunmgr *m, const struct record *record, done_fn done, void *arg);

#endif
