/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of API tokens: a hash and what it is good for, never the token. On a db
 * thread, inside work(). */
#include "db/catalog.h"
#include "db/stmt.h"

#include <errno.h>

static void token_read(struct stmt *s, void *row)
{
    struct token_row *token = row;
    column_text(s, token->id, sizeof(token->id));
    column_text(s, token->name, sizeof(token->name));
    column_bytes(s, token->hash, sizeof(token->hash));
    token->created_s = column_int(s);
    column_text(s, token->scope, sizeof(token->scope));
    column_text(s, token->host_id, sizeof(token->host_id));
    token->expires_s = column_int(s);
}

int token_row_add(struct catalog_txn *txn, const struct token_row *row, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "INSERT INTO token (id, name, hash, created_s, scope, host_id,"
                  " expires_s) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7"
                  " WHERE ?6 = '' OR EXISTS (SELECT 1 FROM host WHERE id = ?6)",
                  e);
    bind_text(&s, "id", row->id, sizeof(row->id));
    bind_text(&s, "name", row->name, sizeof(row->name));
    bind_blob(&s, row->hash, sizeof(row->hash));
    bind_int(&s, row->created_s);
    bind_text(&s, "scope", row->scope, sizeof(row->scope));
    bind_text_or_empty(&s, "host", row->host_id, sizeof(row->host_id));
    bind_int(&s, row->expires_s);
    int rc = stmt_run_one(&s, "host");
    return rc == -ENOENT ? err_set(e, rc, "host", "there is no such host") : rc;
}

int token_row_remove(struct catalog_txn *txn, const char *id, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, "DELETE FROM token WHERE id = ?1", e);
    bind_text(&s, "id", id, CATALOG_ID_MAX);
    return stmt_remove(&s, "token", "is in use");
}

int token_row_each(struct catalog_txn *txn,
                   int (*each)(const struct token_row *row, void *arg), void *arg,
                   struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "SELECT id, name, hash, created_s, scope, host_id, expires_s"
                  " FROM token ORDER BY name",
                  e);
    struct token_row row;
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, token_read, &row)) > 0)
        rc = each(&row, arg);
    return rc;
}
