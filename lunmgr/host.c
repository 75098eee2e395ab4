/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts: a name, the initiator names that are it, and what they must prove. */
#include "lunmgr/host.h"

#include "lunmgr/host_priv.h"
#include "lunmgr/op.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct host_op {
    struct op op;
    struct host *host; /* NULL also in a dry run of a deletion */
    char id[CATALOG_ID_MAX];
    bool reserved;
    union {
        host_done_fn created;
        done_fn deleted;
    } done;
    void *arg;
};

static struct host_op *host_op_of(struct op *op)
{
    return container_of(op, struct host_op, op);
}

struct host *host_new(const struct host_row *row)
{
    struct host *h = calloc(1, sizeof(*h));
    struct err e;
    if (h == NULL)
        return NULL;
    h->row = *row;
    h->profile = profile_find(row->profile, &e);
    assert(h->profile != NULL);
    return h;
}

int host_add_initiator(struct host *h, const char *name)
{
    char **grown = realloc(h->initiators, (h->initiator_count + 1) * sizeof(*grown));
    if (grown == NULL)
        return -ENOMEM;
    h->initiators = grown;
    grown[h->initiator_count] = strdup(name);
    if (grown[h->initiator_count] == NULL)
        return -ENOMEM;
    h->initiator_count++;
    return 0;
}

void host_free(struct host *h)
{
    if (h == NULL)
        return;
    for (size_t i = 0; i < h->initiator_count; i++)
        free(h->initiators[i]);
    free(h->initiators);
    auth_wipe(&h->auth);
    free(h);
}

/* ---- Creating -------------------------------------------------------------------- */

static void host_created(struct op *op)
{
    struct host_op *ho = host_op_of(op);
    bool good = op->job.rc == 0;
    if (!good && ho->reserved)
        index_unreserve(&op->manager->hosts);
    if (!good)
        host_free(ho->host);
    ho->done.created(ho->arg, good ? ho->host : NULL, op_outcome(op));
    op_free(op);
}

static void host_adopt(struct op *op)
{
    struct host *h = host_op_of(op)->host;
    if (op->job.rc != 0) {
        host_created(op);
        return;
    }
    index_add(&op->manager->hosts, h->row.name, h->row.id, h);
    op_settle(op, host_created);
}

static int host_create_work(struct catalog_txn *txn, struct catalog_job *job,
                            struct err *e)
{
    struct host *h = container_of(job, struct host_op, op.job)->host;
    int rc = host_row_add(txn, &h->row, (const char *const *)h->initiators,
                          h->initiator_count, e);
    if (rc == 0)
        rc = auth_row_set(txn, h->row.id, &h->auth, e);
    return rc == 0 && qos_is_limited(&h->qos)
               ? qos_row_set(txn, QOS_OF_HOST, h->row.id, &h->qos, e)
               : rc;
}

static int initiator_check(const char *name, size_t index, struct err *e)
{
    char field[ERR_FIELD_MAX];
    snprintf(field, sizeof(field), "initiators/%zu", index);
    size_t bytes = strlen(name);
    if (bytes == 0 || bytes >= HOST_INITIATOR_MAX)
        return err_set(e, -EINVAL, field, "an initiator name has 1 to %d bytes",
                       HOST_INITIATOR_MAX - 1);
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)name[i] <= 0x20 || name[i] == 0x7f)
            return err_set(e, -EINVAL, field,
                           "an initiator name has no spaces or control characters");
    bool known = strcmp(name, "any") == 0 || strncmp(name, "iqn.", 4) == 0 ||
                 strncmp(name, "eui.", 4) == 0 || strncmp(name, "naa.", 4) == 0;
    if (known)
        return 0;
    return err_set(
        e, -EINVAL, field,
        "a name that begins with iqn., eui. or naa., or the word any, is wanted");
}

int initiators_check(const char *const *initiators, size_t count, struct err *e)
{
    int rc = 0;
    if (count == 0 || count > HOST_INITIATOR_COUNT_MAX)
        rc = err_set(e, -EINVAL, "initiators", "1 to %d initiator names are wanted",
                     HOST_INITIATOR_COUNT_MAX);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = initiator_check(initiators[i], i, e);
        if (rc == 0 && count > 1 && strcmp(initiators[i], "any") == 0)
            rc = err_set(e, -EINVAL, "initiators", "any stands alone");
    }
    return rc;
}

static int credentials_check(const struct auth_change *change, struct err *e)
{
    struct auth auth = {.chap = false};
    int rc = change == NULL ? 0 : auth_apply(&auth, change, "auth", e);
    auth_wipe(&auth);
    return rc;
}

/* What is wrong with it by itself comes first, then what is in its way. */
static int host_spec_check(struct lunmgr *m, const struct host_spec *spec, struct err *e)
{
    int rc = name_check(spec->name, "name", e);
    if (rc == 0 && profile_find(spec->profile == NULL ? "" : spec->profile, e) == NULL)
        rc = e->code;
    if (rc == 0)
        rc = credentials_check(spec->auth, e);
    struct qos qos = {{0}};
    if (rc == 0)
        rc = qos_apply(&qos, spec->qos, e);
    if (rc == 0 && index_find(&m->hosts, spec->name) != NULL)
        rc = err_set(e, -EEXIST, "name", "host %s exists", spec->name);
    return rc != 0 ? rc : initiators_check(spec->initiators, spec->initiator_count, e);
}

struct host *host_make(const struct host_row *row, const char *const *initiators,
                       size_t count)
{
    struct host *h = host_new(row);
    for (size_t i = 0; h != NULL && i < count; i++) {
        if (host_add_initiator(h, initiators[i]) == 0)
            continue;
        host_free(h);
        return NULL;
    }
    return h;
}

static int host_from_spec(struct host_op *ho, const struct host_spec *spec, struct err *e)
{
    struct host_row row = {.created_s = now_s()};
    id_make(row.id);
    op_about(&ho->op, row.id);
    snprintf(row.name, sizeof(row.name), "%s", spec->name);
    snprintf(row.profile, sizeof(row.profile), "%s",
             spec->profile == NULL ? "linux" : spec->profile);
    struct host *h = host_make(&row, spec->initiators, spec->initiator_count);
    ho->host = h;
    if (h == NULL)
        return err_oom(e);
    int rc = spec->auth == NULL ? 0 : auth_apply(&h->auth, spec->auth, "auth", e);
    if (rc == 0)
        rc = qos_apply(&h->qos, spec->qos, e);
    return rc != 0 ? rc : profile_takes_auth(h->profile, &h->auth, "auth", e);
}

void host_create(struct lunmgr *m, const struct host_spec *spec, host_done_fn done,
                 void *arg)
{
    struct host_op *ho = op_new(m, sizeof(*ho), host_created);
    struct err *e = op_err(&ho->op);
    ho->done.created = done;
    ho->arg = arg;
    int rc = host_spec_check(m, spec, e);
    if (rc == 0)
        rc = host_from_spec(ho, spec, e);
    if (rc == 0) {
        ho->reserved = index_reserve(&m->hosts) == 0;
        rc = ho->reserved ? 0 : err_oom(e);
    }
    if (rc != 0)
        op_end(&ho->op, rc);
    else
        op_write(&ho->op, host_create_work, host_adopt);
}

/* ---- Deleting -------------------------------------------------------------------- */

static void host_deleted(struct op *op)
{
    struct host_op *ho = host_op_of(op);
    if (op->job.rc != 0 && ho->host != NULL)
        ho->host->deleting = false;
    else
        host_free(ho->host);
    ho->done.deleted(ho->arg, op_outcome(op));
    op_free(op);
}

static void host_row_gone(struct op *op)
{
    struct host *h = host_op_of(op)->host;
    if (op->job.rc != 0) {
        host_deleted(op);
        return;
    }
    tokens_of_host_gone(op->manager, h->row.id);
    index_remove(&op->manager->hosts, h->row.name, h->row.id);
    op_settle(op, host_deleted);
}

static int host_delete_work(struct catalog_txn *txn, struct catalog_job *job,
                            struct err *e)
{
    return host_row_remove(txn, container_of(job, struct host_op, op.job)->id, e);
}

void host_delete(struct lunmgr *m, const char *name_or_id, done_fn done, void *arg)
{
    struct host_op *ho = op_new(m, sizeof(*ho), host_deleted);
    struct err *e = op_err(&ho->op);
    ho->done.deleted = done;
    ho->arg = arg;
    struct host *h = host_find(m, name_or_id);
    int rc = 0;
    if (h == NULL || h->deleting)
        rc = err_set(e, -ENOENT, "host", "there is no host %s", name_or_id);
    else if (h->changing)
        rc = err_set(e, -EBUSY, "host", "host %s is being changed", h->row.name);
    else if (h->mapping_count > 0)
        rc = err_set(e, -EBUSY, "host", "host %s has %u mappings: delete them first",
                     h->row.name, h->mapping_count);
    if (rc != 0) {
        op_end(&ho->op, rc);
        return;
    }
    if (!op_is_dry(&ho->op)) {
        h->deleting = true;
        ho->host = h;
    }
    memcpy(ho->id, h->row.id, sizeof(ho->id));
    op_about(&ho->op, ho->id);
    op_write(&ho->op, host_delete_work, host_row_gone);
}

/* ---- Reading --------------------------------------------------------------------- */

struct host *host_find(struct lunmgr *m, const char *name_or_id)
{
    return index_find(&m->hosts, name_or_id);
}

struct host *host_next(struct lunmgr *m, const struct host *prev)
{
    return index_next(&m->hosts, prev == NULL ? NULL : prev->row.name);
}

struct host *host_walk(struct lunmgr *m, struct row_walk *walk)
{
    return index_walk(&m->hosts, walk);
}

void host_describe(const struct host *h, struct host_info *out)
{
    *out = (struct host_info){
        .created_s = h->row.created_s,
        .initiators = (const char *const *)h->initiators,
        .initiator_count = h->initiator_count,
        .auth = &h->auth,
        .profile = h->profile->name,
        .qos = h->qos,
        .mapping_count = h->mapping_count,
    };
    memcpy(out->id, h->row.id, sizeof(out->id));
    memcpy(out->name, h->row.name, sizeof(out->name));
}
