/* SPDX-License-Identifier: Apache-2.0 */
/* The rows by which a repeated request is known. Those that are too old or too many go a
 * few at a time, with the changes that add new ones. On a db thread, inside work(). */
#include "db/catalog.h"
#include "db/limits.h"
#include "db/stmt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* sql's first two parameters are whose the key is, and the key. */
static struct stmt replay_open(struct catalog_txn *txn, const char *sql,
                               const char *principal, const char *key, struct err *e)
{
    struct stmt s = stmt_open(txn, sql, e);
    bind_text(&s, "principal", principal, CATALOG_PRINCIPAL_MAX);
    bind_text(&s, "idempotency_key", key, CATALOG_KEY_MAX);
    return s;
}

static int replay_remove_expired(struct catalog_txn *txn, int64_t expired_s,
                                 struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "DELETE FROM replay WHERE no IN (SELECT no FROM replay"
                  " WHERE created_s <= ?1 ORDER BY created_s LIMIT ?2)",
                  e);
    bind_int(&s, expired_s);
    bind_int(&s, REPLAY_STEP);
    return stmt_run(&s);
}

/* The oldest, which have the lowest numbers, until one more has room. */
static int replay_remove_surplus(struct catalog_txn *txn, uint32_t count_max,
                                 struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "DELETE FROM replay WHERE no IN (SELECT no FROM replay"
                  " WHERE no <= (SELECT max(no) FROM replay) + 1 - ?1"
                  " ORDER BY no LIMIT ?2)",
                  e);
    bind_int(&s, count_max);
    bind_int(&s, REPLAY_STEP);
    return stmt_run(&s);
}

/* One of the same key that is too old may still be there. */
static int replay_remove(struct catalog_txn *txn, const struct replay_row *row,
                         struct err *e)
{
    AUTO_STMT struct stmt s =
        replay_open(txn, "DELETE FROM replay WHERE principal = ?1 AND key = ?2",
                    row->principal, row->key, e);
    return stmt_run(&s);
}

static int replay_insert(struct catalog_txn *txn, const struct replay_row *row,
                         struct err *e)
{
    AUTO_STMT struct stmt s = replay_open(
        txn,
        "INSERT INTO replay (principal, key, fingerprint, created_s, operation,"
        " subject_id, status, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL)",
        row->principal, row->key, e);
    bind_blob(&s, row->fingerprint, sizeof(row->fingerprint));
    bind_int(&s, row->created_s);
    bind_text_or_empty(&s, "operation", row->operation, sizeof(row->operation));
    bind_text_or_empty(&s, "subject_id", row->subject_id, sizeof(row->subject_id));
    bind_int(&s, row->status);
    return stmt_run(&s);
}

int replay_row_check(struct catalog_txn *txn, const char *principal, const char *key,
                     int64_t expired_s, struct err *e)
{
    AUTO_STMT struct stmt s =
        replay_open(txn,
                    "SELECT 1 FROM replay WHERE principal = ?1 AND key = ?2"
                    " AND created_s > ?3",
                    principal, key, e);
    bind_int(&s, expired_s);
    int rc = stmt_next(&s);
    return rc <= 0 ? rc
                   : err_set(e, -EEXIST, "idempotency_key",
                             "a change was made with this key already");
}

int replay_row_add(struct catalog_txn *txn, const struct replay_row *row,
                   const struct replay_bounds *bounds, struct err *e)
{
    int rc = replay_row_check(txn, row->principal, row->key, bounds->expired_s, e);
    if (rc == 0)
        rc = replay_remove(txn, row, e);
    if (rc == 0)
        rc = replay_remove_expired(txn, bounds->expired_s, e);
    if (rc == 0)
        rc = replay_remove_surplus(txn, bounds->count_max, e);
    return rc != 0 ? rc : replay_insert(txn, row, e);
}

static int replay_read(struct stmt *s, struct replay_row *row)
{
    column_bytes(s, row->fingerprint, sizeof(row->fingerprint));
    row->created_s = column_int(s);
    column_text(s, row->operation, sizeof(row->operation));
    column_text(s, row->subject_id, sizeof(row->subject_id));
    row->status = (int)column_u64(s, 999);
    size_t bytes;
    const char *body = column_blob(s, &bytes);
    if (s->rc != 0 || body == NULL)
        return s->rc;
    row->body = strndup(body, bytes);
    return row->body == NULL ? err_oom(s->e) : 0;
}

int replay_row_get(struct catalog_txn *txn, const char *principal, const char *key,
                   int64_t expired_s, struct replay_row *out, struct err *e)
{
    AUTO_STMT struct stmt s =
        replay_open(txn,
                    "SELECT fingerprint, created_s, operation, subject_id, status, body"
                    " FROM replay WHERE principal = ?1 AND key = ?2 AND created_s > ?3",
                    principal, key, e);
    bind_int(&s, expired_s);
    int rc = stmt_next(&s);
    if (rc == 0)
        return err_set(e, -ENOENT, "idempotency_key", "no change was made with this key");
    if (rc < 0)
        return rc;
    *out = (struct replay_row){.body = NULL};
    memcpy(out->principal, principal, strlen(principal) + 1);
    memcpy(out->key, key, strlen(key) + 1);
    return replay_read(&s, out);
}

int replay_row_answer(struct catalog_txn *txn, const char *principal, const char *key,
                      int status, const char *body, struct err *e)
{
    AUTO_STMT struct stmt s = replay_open(txn,
                                          "UPDATE replay SET status = ?3, body = ?4"
                                          " WHERE principal = ?1 AND key = ?2",
                                          principal, key, e);
    bind_int(&s, status);
    if (body == NULL)
        bind_null(&s);
    else
        bind_text_or_empty(&s, "body", body, strlen(body) + 1);
    return stmt_run_one(&s, "idempotency key");
}
