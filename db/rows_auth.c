/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of CHAP credentials, of hosts and of the box. On a db thread, inside work().
 */
#include "db/catalog.h"
#include "db/stmt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ADDRESSES_TEXT_MAX (CIDR_LIST_MAX * CIDR_TEXT_MAX)

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

/* Ranges with a space between them. */
static void addresses_format(const struct cidr_list *list, char out[ADDRESSES_TEXT_MAX])
{
    char range[CIDR_TEXT_MAX];
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        cidr_format(&list->ranges[i], range);
        at += (size_t)snprintf(out + at, ADDRESSES_TEXT_MAX - at, "%s%s",
                               i == 0 ? "" : " ", range);
    }
}

/* False: a range is none, or one too many. */
static bool addresses_parse(const char *text, struct cidr_list *out)
{
    *out = (struct cidr_list){.count = 0};
    while (*text != '\0') {
        char range[CIDR_TEXT_MAX];
        size_t length = strcspn(text, " ");
        if (out->count == CIDR_LIST_MAX || length >= sizeof(range))
            return false;
        memcpy(range, text, length);
        range[length] = '\0';
        if (cidr_parse(range, &out->ranges[out->count++]) != 0)
            return false;
        text += length + strspn(text + length, " ");
    }
    return true;
}

static void column_addresses(struct stmt *s, struct cidr_list *out)
{
    char text[ADDRESSES_TEXT_MAX];
    column_text(s, text, sizeof(text));
    if (!addresses_parse(text, out) && s->rc == 0)
        s->rc = err_set(s->e, -EUCLEAN, NULL,
                        "catalog: column addresses holds what it cannot");
}

static void auth_read(struct stmt *s, void *row)
{
    struct auth_entry *entry = row;
    column_text(s, entry->owner, sizeof(entry->owner));
    column_addresses(s, &entry->auth.addresses);
    entry->auth.chap = column_u64(s, 1) != 0;
    entry->auth.forbid_md5 = column_u64(s, 1) != 0;
    column_text(s, entry->auth.user, sizeof(entry->auth.user));
    column_secret(s, &entry->auth.secret);
    column_text(s, entry->auth.mutual_user, sizeof(entry->auth.mutual_user));
    column_secret(s, &entry->auth.mutual_secret);
    entry->auth.revision = column_u64(s, INT64_MAX);
}

int auth_row_set(struct catalog_txn *txn, const char *owner, const struct auth *auth,
                 struct err *e)
{
    char addresses[ADDRESSES_TEXT_MAX]; /* borrowed by the statement to its end */
    addresses_format(&auth->addresses, addresses);
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "INSERT INTO auth (owner, addresses, chap, forbid_md5, user, secret,"
                  " mutual_user, mutual_secret, revision)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
                  " ON CONFLICT (owner) DO UPDATE SET addresses = ?2, chap = ?3,"
                  " forbid_md5 = ?4, user = ?5, secret = ?6, mutual_user = ?7,"
                  " mutual_secret = ?8, revision = ?9",
                  e);
    bind_text_or_empty(&s, "owner", owner, CATALOG_ID_MAX);
    bind_text_or_empty(&s, "addresses", addresses, sizeof(addresses));
    bind_int(&s, auth->chap);
    bind_int(&s, auth->forbid_md5);
    bind_text_or_empty(&s, "user", auth->user, sizeof(auth->user));
    bind_blob(&s, auth->secret.value, auth->secret.bytes);
    bind_text_or_empty(&s, "mutual_user", auth->mutual_user, sizeof(auth->mutual_user));
    bind_blob(&s, auth->mutual_secret.value, auth->mutual_secret.bytes);
    bind_u64(&s, "revision", auth->revision);
    return stmt_run(&s);
}

int auth_row_each(struct catalog_txn *txn,
                  int (*each)(const char *owner, const struct auth *auth, void *arg),
                  void *arg, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "SELECT owner, addresses, chap, forbid_md5, user, secret,"
                  " mutual_user, mutual_secret, revision FROM auth"
                  " ORDER BY owner",
                  e);
    struct auth_entry row = {.owner = ""};
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, auth_read, &row)) > 0)
        rc = each(row.owner, &row.auth, arg);
    auth_wipe(&row.auth);
    return rc;
}
