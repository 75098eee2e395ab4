/* SPDX-License-Identifier: Apache-2.0 */
/* The statement cache and the helpers that bind and read. */
#include "db/stmt.h"

#include "db/sqlerr.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* ---- The cache --------------------------------------------------------------------- */

static struct stmt_slot *slot_find(struct catalog_txn *txn, const char *sql)
{
    struct stmt_slot *unused = NULL;
    for (size_t i = 0; i < ARRAY_LEN(txn->slots); i++) {
        struct stmt_slot *slot = &txn->slots[i];
        if (slot->sql == sql && !slot->busy)
            return slot;
        if (slot->sql == NULL) {
            unused = slot;
            break; /* slots fill from the front and are never emptied */
        }
    }
    assert(unused != NULL);
    return unused;
}

struct stmt stmt_open(struct catalog_txn *txn, const char *sql, struct err *e)
{
    struct stmt s = {.txn = txn, .e = e, .next_param = 1};
    struct stmt_slot *slot = slot_find(txn, sql);
    if (slot->handle == NULL &&
        sqlite3_prepare_v3(txn->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &slot->handle,
                           NULL) != SQLITE_OK) {
        s.rc = sqlerr_set(txn->db, e);
        assert(s.rc < 0); /* or the rest would use the slot that there is not */
        return s;
    }
    slot->sql = sql;
    slot->busy = true;
    s.slot = slot;
    return s;
}

void stmt_close(struct stmt *s)
{
    if (s->slot == NULL)
        return;
    sqlite3_reset(s->slot->handle);
    sqlite3_clear_bindings(s->slot->handle);
    s->slot->busy = false;
    s->slot = NULL;
}

/* ---- Binding ----------------------------------------------------------------------- */

static void bind_check(struct stmt *s, int result)
{
    if (result != SQLITE_OK)
        s->rc = sqlerr_set(s->txn->db, s->e);
}

void bind_text_or_empty(struct stmt *s, const char *field, const char *text,
                        size_t room_bytes)
{
    if (s->rc != 0)
        return;
    size_t bytes = strnlen(text, room_bytes);
    if (bytes == room_bytes)
        s->rc = err_set(s->e, -EINVAL, field, "is longer than %zu bytes", room_bytes - 1);
    else
        bind_check(s, sqlite3_bind_text(s->slot->handle, s->next_param++, text,
                                        (int)bytes, SQLITE_STATIC));
}

void bind_text(struct stmt *s, const char *field, const char *text, size_t room_bytes)
{
    if (s->rc == 0 && text[0] == '\0')
        s->rc = err_set(s->e, -EINVAL, field, "is empty");
    bind_text_or_empty(s, field, text, room_bytes);
}

void bind_int(struct stmt *s, int64_t value)
{
    if (s->rc == 0)
        bind_check(s, sqlite3_bind_int64(s->slot->handle, s->next_param++, value));
}

void bind_u64(struct stmt *s, const char *field, uint64_t value)
{
    if (s->rc == 0 && value > INT64_MAX)
        s->rc = err_set(s->e, -EINVAL, field, "%" PRIu64 " is out of range", value);
    bind_int(s, (int64_t)value);
}

void bind_null(struct stmt *s)
{
    if (s->rc == 0)
        bind_check(s, sqlite3_bind_null(s->slot->handle, s->next_param++));
}

void bind_blob(struct stmt *s, const void *data, size_t bytes)
{
    if (s->rc == 0)
        bind_check(s, sqlite3_bind_blob64(s->slot->handle, s->next_param++, data, bytes,
                                          SQLITE_STATIC));
}

/* ---- Running ----------------------------------------------------------------------- */

int stmt_next(struct stmt *s)
{
    if (s->rc != 0)
        return s->rc;
    s->next_column = 0;
    int result = sqlite3_step(s->slot->handle);
    if (result == SQLITE_ROW)
        return 1;
    if (result != SQLITE_DONE)
        s->rc = sqlerr_set(s->txn->db, s->e);
    return s->rc;
}

int stmt_next_row(struct stmt *s, void (*read)(struct stmt *s, void *row), void *row)
{
    int rc = stmt_next(s);
    if (rc <= 0)
        return rc;
    read(s, row);
    return s->rc != 0 ? s->rc : 1;
}

int stmt_run(struct stmt *s)
{
    int rc = stmt_next(s);
    assert(rc <= 0);
    /* Read-only connections end statements here, not at the transaction's end. */
    if (s->slot != NULL)
        sqlite3_reset(s->slot->handle);
    return rc;
}

int stmt_run_one(struct stmt *s, const char *noun)
{
    int rc = stmt_run(s);
    if (rc == 0 && sqlite3_changes(s->txn->db) == 0)
        rc = err_set(s->e, -ENOENT, NULL, "there is no such %s", noun);
    return rc;
}

int stmt_remove(struct stmt *s, const char *noun, const char *why_busy)
{
    int rc = stmt_run(s);
    if (rc == -ENOENT) /* a foreign key */
        return err_set(s->e, -EBUSY, NULL, "the %s %s", noun, why_busy);
    if (rc == 0 && sqlite3_changes(s->txn->db) == 0)
        rc = err_set(s->e, -ENOENT, NULL, "there is no such %s", noun);
    return rc;
}

/* ---- Reading ----------------------------------------------------------------------- */

static void column_refuse(struct stmt *s, int column)
{
    if (s->rc == 0)
        s->rc = err_set(s->e, -EUCLEAN, NULL, "catalog: column %s holds what it cannot",
                        sqlite3_column_name(s->slot->handle, column));
}

void column_text(struct stmt *s, char *out, size_t room_bytes)
{
    int column = s->next_column++;
    const unsigned char *text = sqlite3_column_text(s->slot->handle, column);
    size_t bytes = (size_t)sqlite3_column_bytes(s->slot->handle, column);
    out[0] = '\0';
    if (text == NULL || bytes >= room_bytes) {
        column_refuse(s, column);
        return;
    }
    memcpy(out, text, bytes);
    out[bytes] = '\0';
}

const char *column_borrowed(struct stmt *s)
{
    int column = s->next_column++;
    const char *text = (const char *)sqlite3_column_text(s->slot->handle, column);
    size_t bytes = (size_t)sqlite3_column_bytes(s->slot->handle, column);
    if (text != NULL && strlen(text) == bytes)
        return text;
    column_refuse(s, column);
    return "";
}

void column_text_or_none(struct stmt *s, char *out, size_t room_bytes)
{
    if (sqlite3_column_type(s->slot->handle, s->next_column) != SQLITE_NULL) {
        column_text(s, out, room_bytes);
        return;
    }
    s->next_column++;
    out[0] = '\0';
}

int64_t column_int(struct stmt *s)
{
    return sqlite3_column_int64(s->slot->handle, s->next_column++);
}

uint64_t column_u64(struct stmt *s, uint64_t max)
{
    int column = s->next_column++;
    int64_t value = sqlite3_column_int64(s->slot->handle, column);
    if (value >= 0 && (uint64_t)value <= max)
        return (uint64_t)value;
    column_refuse(s, column);
    return 0;
}

const void *column_blob(struct stmt *s, size_t *bytes)
{
    int column = s->next_column++;
    const void *data = sqlite3_column_blob(s->slot->handle, column);
    *bytes = (size_t)sqlite3_column_bytes(s->slot->handle, column);
    return data;
}

void column_bytes(struct stmt *s, void *out, size_t bytes)
{
    size_t have = 0;
    const void *data = column_blob(s, &have);
    memset(out, 0, bytes);
    if (data == NULL || have != bytes)
        column_refuse(s, s->next_column - 1);
    else
        memcpy(out, data, bytes);
}

/* ---- References -------------------------------------------------------------------- */

bool row_exists_text(struct catalog_txn *txn, const char *sql, const char *key)
{
    AUTO_STMT struct stmt s = stmt_open(txn, sql, NULL);
    bind_text(&s, NULL, key, strlen(key) + 1);
    return stmt_next(&s) > 0;
}

bool row_exists_int(struct catalog_txn *txn, const char *sql, int64_t key)
{
    AUTO_STMT struct stmt s = stmt_open(txn, sql, NULL);
    bind_int(&s, key);
    return stmt_next(&s) > 0;
}
