/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of labels. On a db thread, inside work(). */
#include "db/catalog.h"
#include "db/stmt.h"

#include <errno.h>

static int labels_remove(struct catalog_txn *txn, const char *volume_id, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, "DELETE FROM label WHERE volume_id = ?1", e);
    bind_text(&s, "id", volume_id, CATALOG_ID_MAX);
    return stmt_run(&s);
}

static int label_add(struct catalog_txn *txn, const char *volume_id,
                     const struct label_row *row, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn, "INSERT INTO label (volume_id, key, value) VALUES (?1, ?2, ?3)", e);
    bind_text(&s, "id", volume_id, CATALOG_ID_MAX);
    bind_text(&s, "labels", row->key, sizeof(row->key));
    bind_text_or_empty(&s, "labels", row->value, sizeof(row->value));
    int rc = stmt_run(&s);
    if (rc == -EEXIST)
        return err_set(e, rc, "labels", "the label %s is there twice", row->key);
    return rc == -ENOENT ? err_set(e, rc, NULL, "there is no such volume") : rc;
}

int label_rows_set(struct catalog_txn *txn, const char *volume_id,
                   const struct label_row *rows, size_t count, struct err *e)
{
    int rc = labels_remove(txn, volume_id, e);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = label_add(txn, volume_id, &rows[i], e);
    return rc;
}

struct label_of {
    char volume_id[CATALOG_ID_MAX];
    struct label_row row;
};

static void label_read(struct stmt *s, void *row)
{
    struct label_of *label = row;
    column_text(s, label->volume_id, sizeof(label->volume_id));
    column_text(s, label->row.key, sizeof(label->row.key));
    column_text(s, label->row.value, sizeof(label->row.value));
}

int label_row_each(struct catalog_txn *txn,
                   int (*each)(const char *volume_id, const struct label_row *row,
                               void *arg),
                   void *arg, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn, "SELECT volume_id, key, value FROM label ORDER BY volume_id, key", e);
    struct label_of label;
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, label_read, &label)) > 0)
        rc = each(label.volume_id, &label.row, arg);
    return rc;
}
