/* SPDX-License-Identifier: Apache-2.0 */
/* Changing a host: its name, its initiator names, its credentials, all in one
 * transaction. What it will be is made first, as a host of its own that nobody sees; when
 * the rows are there the two change places. Sessions stay: only a login asks for
 * credentials. */
#include "lunmgr/host_priv.h"
#include "lunmgr/op.h"
#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct change_op {
    struct op op;
    struct host *host;
    struct host *next; /* what it will be; what it was, once that is so */
    host_done_fn done;
    void *arg;
};

static struct change_op *change_op_of(struct op *op)
{
    return container_of(op, struct change_op, op);
}

static void change_end(struct op *op)
{
    struct change_op *co = change_op_of(op);
    if (co->host != NULL)
        co->host->changing = co->host->profile_changing = false;
    host_free(co->next);
    co->done(co->arg, op->job.rc == 0 ? co->host : NULL, op_outcome(op));
    op_free(op);
}

static void host_swap(struct host *a, struct host *b)
{
    struct host was = *a;
    a->row = b->row;
    a->profile = b->profile;
    a->auth = b->auth;
    a->qos = b->qos;
    a->initiators = b->initiators;
    a->initiator_count = b->initiator_count;
    b->auth = was.auth;
    b->initiators = was.initiators;
    b->initiator_count = was.initiator_count;
    auth_wipe(&was.auth);
}

static void change_adopt(struct op *op)
{
    struct change_op *co = change_op_of(op);
    struct lunmgr *m = op->manager;
    struct host *h = co->host;
    if (op->job.rc != 0) {
        change_end(op);
        return;
    }
    index_remove_for_now(&m->hosts, h->row.name, h->row.id);
    host_swap(h, co->next);
    index_add(&m->hosts, h->row.name, h->row.id, h);
    mapping_rekey(m, h);
    op_settle(op, change_end);
}

static int change_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    const struct host *next = container_of(job, struct change_op, op.job)->next;
    int rc = host_row_change(txn, &next->row, (const char *const *)next->initiators,
                             next->initiator_count, e);
    if (rc == 0)
        rc = auth_row_set(txn, next->row.id, &next->auth, e);
    return rc != 0 ? rc : qos_row_set(txn, QOS_OF_HOST, next->row.id, &next->qos, e);
}

static int name_change_check(struct lunmgr *m, const struct host *h, const char *name,
                             struct err *e)
{
    if (name == NULL || strcmp(name, h->row.name) == 0)
        return 0;
    int rc = name_check(name, "name", e);
    if (rc == 0 && host_find(m, name) != NULL)
        rc = err_set(e, -EEXIST, "name", "host %s exists", name);
    return rc;
}

/* All that the host is shown is for one of the new profile too. */
static int profile_change_check(struct lunmgr *m, struct host *h, const char *name,
                                struct err *e)
{
    const struct profile *profile = name == NULL ? h->profile : profile_find(name, e);
    if (profile == NULL)
        return e->code;
    if (profile == h->profile)
        return 0;
    uint32_t seen = 0;
    for (struct mapping *mp = mapping_next(m, NULL); mp != NULL;
         mp = mapping_next(m, mp)) {
        struct err why = {0};
        if (mp->host != h)
            continue;
        seen++;
        if (profile_takes_unit(profile, mp->volume->block_bytes, mp->row.lun, &why) != 0)
            return err_set(e, -EBUSY, "profile", "the mapping of %s at LUN %u: %s",
                           mp->volume->name, mp->row.lun, why.text);
    }
    if (seen != h->mapping_count)
        return err_set(e, -EBUSY, "profile", "a mapping of host %s is being made",
                       h->row.name);
    return 0;
}

static int change_check(struct lunmgr *m, struct host *h,
                        const struct host_change *change, struct err *e)
{
    int rc = name_change_check(m, h, change->name, e);
    if (rc == 0 && change->initiators != NULL)
        rc = initiators_check(change->initiators, change->initiator_count, e);
    return rc != 0 ? rc : profile_change_check(m, h, change->profile, e);
}

/* The host as it will be. */
static int change_prepare(struct change_op *co, const struct host_change *change,
                          struct err *e)
{
    const struct host *h = co->host;
    const char *const *initiators = (const char *const *)h->initiators;
    size_t count = h->initiator_count;
    if (change->initiators != NULL) {
        initiators = change->initiators;
        count = change->initiator_count;
    }
    struct host_row row = h->row;
    if (change->name != NULL)
        snprintf(row.name, sizeof(row.name), "%s", change->name);
    if (change->profile != NULL)
        snprintf(row.profile, sizeof(row.profile), "%s", change->profile);
    struct host *next = host_make(&row, initiators, count);
    co->next = next;
    if (next == NULL)
        return err_oom(e);
    next->auth = h->auth;
    next->qos = h->qos;
    int rc = change->auth == NULL ? 0 : auth_apply(&next->auth, change->auth, "auth", e);
    if (rc == 0)
        rc = qos_apply(&next->qos, change->qos, e);
    return rc != 0 ? rc : profile_takes_auth(next->profile, &next->auth, "auth", e);
}

void host_change(struct lunmgr *m, const char *name_or_id,
                 const struct host_change *change, host_done_fn done, void *arg)
{
    struct change_op *co = op_new(m, sizeof(*co), change_end);
    struct err *e = op_err(&co->op);
    co->done = done;
    co->arg = arg;
    struct host *h = host_find(m, name_or_id);
    int rc = 0;
    if (h == NULL || h->deleting)
        rc = err_set(e, -ENOENT, "host", "there is no host %s", name_or_id);
    else if (h->changing)
        rc = err_set(e, -EBUSY, "host", "host %s is being changed", h->row.name);
    else
        rc = change_check(m, h, change, e);
    if (rc == 0) {
        h->changing = true;
        h->profile_changing = change->profile != NULL;
        co->host = h;
        op_about(&co->op, h->row.id);
        rc = change_prepare(co, change, e);
    }
    if (rc != 0)
        op_end(&co->op, rc);
    else
        op_write(&co->op, change_work, change_adopt);
}
