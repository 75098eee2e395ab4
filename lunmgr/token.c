/* SPDX-License-Identifier: Apache-2.0 */
/* Token records: added, removed, or gone with their host. */
#include "lunmgr/token.h"

#include "lunmgr/host_priv.h"
#include "lunmgr/op.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct token_op {
    struct op op;
    struct token *token; /* NULL also in a dry run of a removal */
    char id[CATALOG_ID_MAX];
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

/* ---- Scopes: the catalog has them as words ----------------------------------------- */

static const char *const scope_words[] = {
    [TOKEN_READ] = "read",
    [TOKEN_PROVISION] = "provision",
    [TOKEN_ADMIN] = "admin",
    [TOKEN_ATTACH] = "attach",
};

static enum token_scope scope_of(const char *word)
{
    size_t i = 0;
    while (i < ARRAY_LEN(scope_words) && strcmp(scope_words[i], word) != 0)
        i++;
    assert(i < ARRAY_LEN(scope_words)); /* the schema's */
    return (enum token_scope)i;
}

/* ---- Adding ---------------------------------------------------------------------- */

struct token *token_new(struct lunmgr *m, const struct token_row *row)
{
    struct token *token = calloc(1, sizeof(*token));
    if (token == NULL)
        return NULL;
    token->row = *row;
    token->manager = m;
    return token;
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

static int token_host_check(struct lunmgr *m, const struct token_spec *spec,
                            struct token_row *row, struct err *e)
{
    if (spec->scope != TOKEN_ATTACH)
        return spec->host == NULL ? 0
                                  : err_set(e, -EINVAL, "host",
                                            "only a token of the scope attach has one");
    if (spec->host == NULL)
        return err_set(e, -EINVAL, "host", "the scope attach needs one");
    const struct host *host = host_find(m, spec->host);
    if (host == NULL || host->deleting)
        return err_set(e, -ENOENT, "host", "there is no host %s", spec->host);
    memcpy(row->host_id, host->row.id, sizeof(row->host_id));
    return 0;
}

static int token_spec_check(struct lunmgr *m, const struct token_spec *spec,
                            struct token_row *row, struct err *e)
{
    int rc = name_check(spec->name, "name", e);
    if (rc == 0 && index_find(&m->tokens, spec->name) != NULL)
        rc = err_set(e, -EEXIST, "name", "token %s exists", spec->name);
    if (rc == 0)
        rc = token_host_check(m, spec, row, e);
    if (rc == 0 && spec->expires_s != 0 && spec->expires_s <= now_s())
        rc = err_set(e, -EINVAL, "expires", "a time to come is wanted");
    return rc;
}

static void token_row_fill(struct token_row *row, const struct token_spec *spec)
{
    id_make(row->id);
    snprintf(row->name, sizeof(row->name), "%s", spec->name);
    memcpy(row->hash, spec->hash, sizeof(row->hash));
    snprintf(row->scope, sizeof(row->scope), "%s", scope_words[spec->scope]);
    row->created_s = now_s();
    row->expires_s = spec->expires_s;
}

void token_add(struct lunmgr *m, const struct token_spec *spec, token_done_fn done,
               void *arg)
{
    struct token_op *to = op_new(m, sizeof(*to), token_added);
    struct err *e = op_err(&to->op);
    struct token_row row = {.host_id = ""};
    to->done.added = done;
    to->arg = arg;
    int rc = token_spec_check(m, spec, &row, e);
    if (rc == 0) {
        token_row_fill(&row, spec);
        op_about(&to->op, row.id);
        to->token = token_new(m, &row);
        to->reserved = to->token != NULL && index_reserve(&m->tokens) == 0;
        rc = to->reserved ? 0 : err_oom(e);
    }
    if (rc != 0)
        op_end(&to->op, rc);
    else
        op_write(&to->op, token_add_work, token_added);
}

/* ---- Removing -------------------------------------------------------------------- */

static void token_forget(struct token *token)
{
    index_remove(&token->manager->tokens, token->row.name, token->row.id);
    free(token);
}

void tokens_of_host_gone(struct lunmgr *m, const char *host_id)
{
    struct token *next;
    for (struct token *token = token_next(m, NULL); token != NULL; token = next) {
        next = token_next(m, token);
        if (strcmp(token->row.host_id, host_id) != 0)
            continue;
        if (token->deleting)
            token->gone = true; /* whose operation still has it */
        else
            token_forget(token);
    }
}

static void token_removed(struct op *op)
{
    struct token_op *to = token_op_of(op);
    if (to->token != NULL && (op->job.rc == 0 || to->token->gone))
        token_forget(to->token);
    else if (to->token != NULL)
        to->token->deleting = false;
    to->done.removed(to->arg, op_outcome(op));
    op_free(op);
}

static int token_remove_work(struct catalog_txn *txn, struct catalog_job *job,
                             struct err *e)
{
    return token_row_remove(txn, container_of(job, struct token_op, op.job)->id, e);
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
    if (!op_is_dry(&to->op)) {
        token->deleting = true;
        to->token = token;
    }
    memcpy(to->id, token->row.id, sizeof(to->id));
    op_about(&to->op, to->id);
    op_write(&to->op, token_remove_work, token_removed);
}

/* ---- Reading --------------------------------------------------------------------- */

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
    const struct token_row *row = &token->row;
    *out = (struct token_info){
        .created_s = row->created_s,
        .scope = scope_of(row->scope),
        .expires_s = row->expires_s,
    };
    memcpy(out->id, row->id, sizeof(out->id));
    memcpy(out->name, row->name, sizeof(out->name));
    memcpy(out->hash, row->hash, sizeof(out->hash));
    memcpy(out->host_id, row->host_id, sizeof(out->host_id));
    const struct host *host = index_find_id(&token->manager->hosts, row->host_id);
    if (host != NULL)
        memcpy(out->host_name, host->row.name, sizeof(out->host_name));
}
