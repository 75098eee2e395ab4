/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up what came of a request, and storing it. */
#include "lunmgr/replay.h"

#include "base/log.h"
#include "lunmgr/op.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Found ----------------------------------------------------------------------- */

struct find_op {
    struct op op;
    struct replay_row row;
    replay_done_fn done;
    void *arg;
};

static void find_ended(struct op *op)
{
    struct find_op *find = container_of(op, struct find_op, op);
    const struct replay_row *row = &find->row;
    struct replay found = {
        .status = row->status, .body = row->body, .created_s = row->created_s};
    memcpy(found.fingerprint, row->fingerprint, sizeof(found.fingerprint));
    memcpy(found.operation, row->operation, sizeof(found.operation));
    memcpy(found.subject_id, row->subject_id, sizeof(found.subject_id));
    bool none = op->job.rc == -ENOENT;
    find->done(find->arg, op->job.rc == 0 ? &found : NULL, none ? NULL : op_outcome(op));
    free(find->row.body);
    op_free(op);
}

static int find_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct find_op *find = container_of(job, struct find_op, op.job);
    char principal[CATALOG_PRINCIPAL_MAX], key[CATALOG_KEY_MAX];
    memcpy(principal, find->row.principal, sizeof(principal));
    memcpy(key, find->row.key, sizeof(key));
    return replay_row_get(txn, principal, key, replay_expired_s(find->op.manager),
                          &find->row, e);
}

void replay_find(struct lunmgr *m, const char *principal, const char *key,
                 replay_done_fn done, void *arg)
{
    struct find_op *find = op_new(m, sizeof(*find), find_ended);
    find->done = done;
    find->arg = arg;
    snprintf(find->row.principal, sizeof(find->row.principal), "%s", principal);
    snprintf(find->row.key, sizeof(find->row.key), "%s", key);
    op_read(&find->op, find_work, find_ended);
}

/* ---- Answered -------------------------------------------------------------------- */

struct answer_op {
    struct op op;
    char principal[CATALOG_PRINCIPAL_MAX];
    char key[CATALOG_KEY_MAX];
    int status;
    const char *body; /* behind it, or NULL */
};

static void answer_ended(struct op *op)
{
    char reason[ERR_TEXT_MAX];
    if (op->job.rc != 0)
        log_warning("a repeated request will not find its answer", "reason=%s",
                    log_quote(reason, sizeof(reason), op_err(op)->text));
    op_free(op);
}

static int answer_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    const struct answer_op *ao = container_of(job, struct answer_op, op.job);
    return replay_row_answer(txn, ao->principal, ao->key, ao->status, ao->body, e);
}

void replay_answer(struct lunmgr *m, const char *principal, const char *key, int status,
                   const char *body)
{
    size_t bytes = body == NULL ? 0 : strlen(body) + 1;
    struct answer_op *ao = op_new(m, sizeof(*ao) + bytes, answer_ended);
    snprintf(ao->principal, sizeof(ao->principal), "%s", principal);
    snprintf(ao->key, sizeof(ao->key), "%s", key);
    ao->status = status;
    if (body != NULL)
        ao->body = memcpy(ao + 1, body, bytes);
    op_write(&ao->op, answer_work, answer_ended);
}
