/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the audit log, on a catalog reader. */
#include "lunmgr/audit.h"

#include "lunmgr/op.h"

#include <stdlib.h>
#include <string.h>

/* ---- A part of it ---------------------------------------------------------------- */

struct list_op {
    struct op op;
    uint64_t after_seq;
    unsigned limit;
    struct audit_entry *entries;
    size_t count, max;
    struct err *e; /* the work's */
    audit_done_fn done;
    void *arg;
};

static struct list_op *list_op_of(struct op *op)
{
    return container_of(op, struct list_op, op);
}

static void list_ended(struct op *op)
{
    struct list_op *lo = list_op_of(op);
    bool good = op->job.rc == 0;
    lo->done(lo->arg, good ? lo->entries : NULL, good ? lo->count : 0, op_outcome(op));
    for (size_t i = 0; i < lo->count; i++)
        free((void *)lo->entries[i].fields.who); /* where its texts begin */
    free(lo->entries);
    op_free(op);
}

/* Makes text point to a copy of it at *end, which then points behind that. */
static void text_move(const char **text, char **end)
{
    size_t bytes = strlen(*text) + 1;
    *text = memcpy(*end, *text, bytes);
    *end += bytes;
}

/* All texts in one piece, who first. */
static int entry_copy(struct audit_entry *entry, const struct audit_row *row)
{
    struct audit_fields f = row->fields;
    const char **texts[] = {&f.who,     &f.from,       &f.operation,
                            &f.subject, &f.subject_id, &f.request};
    size_t bytes = 0;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        bytes += strlen(*texts[i]) + 1;
    char *end = malloc(bytes);
    if (end == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        text_move(texts[i], &end);
    entry->fields = f;
    memcpy(entry->hash, row->hash, sizeof(entry->hash));
    return 0;
}

static int list_take(const struct audit_row *row, void *arg)
{
    struct list_op *lo = arg;
    if (lo->count == lo->max) {
        size_t max = lo->max == 0 ? 16 : 2 * lo->max;
        struct audit_entry *grown = realloc(lo->entries, max * sizeof(*grown));
        if (grown == NULL)
            return err_oom(lo->e);
        lo->entries = grown;
        lo->max = max;
    }
    if (entry_copy(&lo->entries[lo->count], row) != 0)
        return err_oom(lo->e);
    lo->count++;
    return 0;
}

static int list_work(struct catalog_txn *txn, struct catalog_job *job, struct err *e)
{
    struct list_op *lo = container_of(job, struct list_op, op.job);
    lo->e = e;
    return audit_row_each(txn, lo->after_seq, lo->limit, list_take, lo, e);
}

void audit_list(struct lunmgr *m, uint64_t after_seq, unsigned limit, audit_done_fn done,
                void *arg)
{
    struct list_op *lo = op_new(m, sizeof(*lo), list_ended);
    lo->after_seq = after_seq;
    lo->limit = limit < AUDIT_LIST_MAX ? limit : AUDIT_LIST_MAX;
    lo->done = done;
    lo->arg = arg;
    op_read(&lo->op, list_work, list_ended);
}
