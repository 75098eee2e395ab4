/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of CHAP credentials, of hosts and of the box. On a db thread, inside work().
 */
#include "db/catalog.h"
#include "db/stmt.h"

#include <errno.h>
#include <string.h>

struct auth_entry {
    char owner[CATALOG_ID_MAX];
    struct auth auth;
};

static void column_secret(struct stmt *s, struct secret *out)
{
    size_t bytes;
    const void *data = column_blob(s, &bytes);
    if (bytes > AUTH_SECRET_BYTES_MAX)
        bytes = AUTH_SECRET_BYTES_MAX; /* the schema's bound */
    *out = (struct secret){.bytes = bytes};
    if (bytes > 0)
        memcpy(out->value, data, bytes);
}

static void auth_read(struct stmt *s, void *row)
{
    struct auth_entry *entry = row;
    column_text(s, entry->owner, sizeof(entry->owner));
    entry->auth.chap = column_u64(s, 1) != 0;
    entry->auth.forbid_md5 = column_u64(s, 1) != 0;
    column_text(s, entry->auth.user, sizeof(entry->auth.user));
    column_secret(s, &entry->auth.secret);
    column_text(s, entry->auth.mutual_user, sizeof(entry->auth.mutual_user));
    column_secret(s, &entry->auth.mutual_secret);
}

int auth_row_set(struct catalog_txn *txn, const char *owner, const struct auth *auth,
                 struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "INSERT INTO auth (owner, chap, forbid_md5, user, secret, mutual_user,"
                  " mutual_secret) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                  " ON CONFLICT (owner) DO UPDATE SET chap = ?2, forbid_md5 = ?3,"
                  " user = ?4, secret = ?5, mutual_user = ?6, mutual_secret = ?7",
                  e);
    bind_text_or_empty(&s, "owner", owner, CATALOG_ID_MAX);
    bind_int(&s, auth->chap);
    bind_int(&s, auth->forbid_md5);
    bind_text_or_empty(&s, "user", auth->user, sizeof(auth->user));
    bind_blob(&s, auth->secret.value, auth->secret.bytes);
    bind_text_or_empty(&s, "mutual_user", auth->mutual_user, sizeof(auth->mutual_user));
    bind_blob(&s, auth->mutual_secret.value, auth->mutual_secret.bytes);
    return stmt_run(&s);
}

int auth_row_each(struct catalog_txn *txn,
                  int (*each)(const char *owner, const struct auth *auth, void *arg),
                  void *arg, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn,
                                        "SELECT owner, chap, forbid_md5, user, secret,"
                                        " mutual_user, mutual_secret FROM auth"
                                        " ORDER BY owner",
                                        e);
    struct auth_entry row = {.owner = ""};
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, auth_read, &row)) > 0)
        rc = each(row.owner, &row.auth, arg);
    auth_wipe(&row.auth);
    return rc;
}
