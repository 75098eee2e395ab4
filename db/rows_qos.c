/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of limits of I/O. On a db thread, inside work(). */
#include "db/catalog.h"
#include "db/stmt.h"

#include <errno.h>

#define VALUES "iops, bytes_per_s, burst_iops, burst_bytes_per_s, burst_s"

static const struct {
    const char *remove, *add, *each, *noun;
} statements[] = {
    [QOS_OF_VOLUME] = {"DELETE FROM volume_qos WHERE volume_id = ?1",
                       "INSERT INTO volume_qos (volume_id, " VALUES
                       ") VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                       "SELECT volume_id, " VALUES " FROM volume_qos ORDER BY volume_id",
                       "volume"},
    [QOS_OF_HOST] = {"DELETE FROM host_qos WHERE host_id = ?1",
                     "INSERT INTO host_qos (host_id, " VALUES
                     ") VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                     "SELECT host_id, " VALUES " FROM host_qos ORDER BY host_id", "host"},
};

static int qos_remove(struct catalog_txn *txn, enum qos_owner of, const char *id,
                      struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, statements[of].remove, e);
    bind_text(&s, "id", id, CATALOG_ID_MAX);
    return stmt_run(&s);
}

static int qos_add(struct catalog_txn *txn, enum qos_owner of, const char *id,
                   const struct qos *qos, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, statements[of].add, e);
    bind_text(&s, "id", id, CATALOG_ID_MAX);
    for (enum qos_member i = 0; i < QOS_MEMBERS; i++)
        bind_u64(&s, qos_rules[i].name, qos->of[i]);
    int rc = stmt_run(&s);
    return rc == -ENOENT
               ? err_set(e, rc, NULL, "there is no such %s", statements[of].noun)
               : rc;
}

int qos_row_set(struct catalog_txn *txn, enum qos_owner of, const char *id,
                const struct qos *qos, struct err *e)
{
    int rc = qos_remove(txn, of, id, e);
    return rc == 0 && qos_is_limited(qos) ? qos_add(txn, of, id, qos, e) : rc;
}

struct qos_entry {
    char id[CATALOG_ID_MAX];
    struct qos qos;
};

static void qos_read(struct stmt *s, void *row)
{
    struct qos_entry *entry = row;
    column_text(s, entry->id, sizeof(entry->id));
    for (enum qos_member i = 0; i < QOS_MEMBERS; i++)
        entry->qos.of[i] = column_u64(s, qos_rules[i].high);
}

int qos_row_each(struct catalog_txn *txn, enum qos_owner of,
                 int (*each)(const char *id, const struct qos *qos, void *arg), void *arg,
                 struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, statements[of].each, e);
    struct qos_entry row = {.id = ""};
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, qos_read, &row)) > 0)
        rc = each(row.id, &row.qos, arg);
    return rc;
}
