/* SPDX-License-Identifier: Apache-2.0 */
/* Token records: a name and a hash. */
#include "lunmgr/token.h"

#include "lunmgr/host_priv.h"
#include "lunmgr/op.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct token_op {
    struct op op;
    struct token *token;
    bool reserved;
    union {
        token_done_fn added;
        done_fn removed;
    } done;
    void *arg;
};

static struct token_op *token_op_of(struct op *op)
{
    return container_of(op, struct token_op, op);
}

static void token_added(struct op *op)
{
    struct token_op *to = token_op_of(op);
    bool good = op->job.rc == 0;
    if (good)
        index_add(&op->manager->tokens, to->token->row.name, to->token->row.id,
                  to->token);
    else if (to->reserved)
        index_unreserve(&op->manager->tokens);
    if (!good)
        free(to->token);
    to->done.added(to->arg, good ? to->token : NULL, op_outcome(op));
    op_free(op);
}

static int token_add_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    return token_row_add(txn, &container_of(job, struct token_op, op.job)->token->row, e);
}

void token_add(struct lunmgr *m, const char *name, const uint8_t hash[TOKEN_HASH_BYTES],
               token_done_fn done, void *arg)
{
    struct token_op *to = op_new(m, sizeof(*to), token_added);
    struct err *e = op_err(&to->op);
    to->done.added = done;
    to->arg = arg;
    int rc = name_check(name, "name", e);
    if (rc == 0 && index_find(&m->tokens, name) != NULL)
        rc = err_set(e, -EEXIST, "name", "token %s exists", name);
    if (rc == 0) {
        to->token = calloc(1, sizeof(*to->token));
        to->reserved = to->token != NULL && index_reserve(&m->tokens) == 0;
        rc = to->reserved ? 0 : err_oom(e);
    }
    if (rc != 0) {
        op_end(&to->op, rc);
        return;
    }
    struct token_row *row = &to->token->row;
    id_make(row->id);
    snprintf(row->name, sizeof(row->name), "%s", name);
    memcpy(row->hash, hash, sizeof(row->hash));
    row->created_s = now_s();
    op_write(&to->op, token_add_work, token_added);
}

static void token_removed(struct op *op)
{
    struct token_op *to = token_op_of(op);
    if (op->job.rc == 0) {
        index_remove(&op->manager->tokens, to->token->row.name, to->token->row.id);
        free(to->token);
    } else if (to->token != NULL) {
        to->token->deleting = false;
    }
    to->done.removed(to->arg, op_outcome(op));
    op_free(op);
}

static int token_remove_work(struct catalog_txn *txn, struct catalog_job *job,
                             struct err *e)
{
    return token_row_remove(txn,
                            container_of(job, struct token_op, op.job)->token->row.id, e);
}

void token_remove(struct lunmgr *m, const char *name_or_id, done_fn done, void *arg)
{
    struct token_op *to = op_new(m, sizeof(*to), token_removed);
    to->done.removed = done;
    to->arg = arg;
    struct token *token = token_find(m, name_or_id);
    if (token == NULL || token->deleting) {
        op_end(&to->op, err_set(op_err(&to->op), -ENOENT, "token", "there is no token %s",
                                name_or_id));
        return;
    }
    token->deleting = true;
    to->token = token;
    op_write(&to->op, token_remove_work, token_removed);
}

struct token *token_find(struct lunmgr *m, const char *name_or_id)
{
    return index_find(&m->tokens, name_or_id);
}

struct token *token_next(struct lunmgr *m, const struct token *prev)
{
    return index_next(&m->tokens, prev == NULL ? NULL : prev->row.name);
}

struct token *token_walk(struct lunmgr *m, struct row_walk *walk)
{
    return index_walk(&m->tokens, walk);
}

void token_describe(const struct token *token, struct token_info *out)
{
    memcpy(out->id, token->row.id, sizeof(out->id));
    memcpy(out->name, token->row.name, sizeof(out->name));
    memcpy(out->hash, token->row.hash, sizeof(out->hash));
    out->created_s = token->row.created_s;
}
