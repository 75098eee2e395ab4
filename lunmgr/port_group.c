/* SPDX-License-Identifier: Apache-2.0 */
/* A list of the groups that somebody has changed; a change is written, then brought into
 * force by the target. */
#include "lunmgr/port_group.h"

#include "base/log.h"
#include "lunmgr/op.h"

#include <errno.h>
#include <stdlib.h>

struct port_group_entry {
    struct port_group_entry *next;
    uint16_t tag;
    struct alua_access access;
};

struct group_op {
    struct op op;
    uint16_t tag;
    struct alua_access access;
    bool changes; /* it has the turn */
    done_fn done;
    void *arg;
};

static struct group_op *group_op_of(struct op *op)
{
    return container_of(op, struct group_op, op);
}

/* The place of the entry, or the end of the list. */
static struct port_group_entry **entry_at(struct port_groups *groups, uint16_t tag)
{
    struct port_group_entry **at = &groups->first;
    while (*at != NULL && (*at)->tag != tag)
        at = &(*at)->next;
    return at;
}

/* Takes the entry. */
static void groups_put(struct port_groups *groups, struct port_group_entry *entry)
{
    struct port_group_entry **at = entry_at(groups, entry->tag);
    struct port_group_entry *old = *at;
    entry->next = old != NULL ? old->next : NULL;
    *at = entry;
    free(old);
}

int port_groups_load(struct port_groups *groups, uint16_t tag,
                     const struct alua_access *access)
{
    struct port_group_entry *entry = calloc(1, sizeof(*entry));
    if (entry == NULL)
        return -ENOMEM;
    *entry = (struct port_group_entry){.tag = tag, .access = *access};
    groups_put(groups, entry);
    return 0;
}

void port_groups_fini(struct port_groups *groups)
{
    while (groups->first != NULL) {
        struct port_group_entry *entry = groups->first;
        groups->first = entry->next;
        free(entry);
    }
}

struct alua_access port_group_access(const struct lunmgr *m, uint16_t tag)
{
    for (const struct port_group_entry *e = m->port_groups.first; e != NULL; e = e->next)
        if (e->tag == tag)
            return e->access;
    return (struct alua_access){.state = ALUA_OPTIMIZED};
}

static void group_changed(struct op *op)
{
    struct group_op *go = group_op_of(op);
    if (go->changes) /* it failed, or was a dry run */
        op->manager->port_groups.changing = false;
    go->done(go->arg, op_outcome(op));
    op_free(op);
}

static void group_adopt(struct op *op)
{
    struct group_op *go = group_op_of(op);
    struct lunmgr *m = op->manager;
    if (op->job.rc == 0 && port_groups_load(&m->port_groups, go->tag, &go->access) != 0)
        log_fatal("out of memory");
    if (op->job.rc != 0) {
        group_changed(op);
        return;
    }
    m->port_groups.changing = false;
    go->changes = false;
    op_set_port_group(op, go->tag, &go->access, group_changed);
}

static int group_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    const struct group_op *go = container_of(job, struct group_op, op.job);
    return port_group_row_set(txn, go->tag, &go->access, e);
}

void port_group_set(struct lunmgr *m, uint16_t tag, const struct alua_access *access,
                    done_fn done, void *arg)
{
    struct group_op *go = op_new(m, sizeof(*go), group_changed);
    go->tag = tag;
    go->access = *access;
    go->done = done;
    go->arg = arg;
    if (m->port_groups.changing) {
        op_end(&go->op,
               err_set(op_err(&go->op), -ECANCELED, NULL, "another change is under way"));
        return;
    }
    m->port_groups.changing = go->changes = true;
    op_write(&go->op, group_work, group_adopt);
}
