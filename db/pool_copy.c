/* SPDX-License-Identifier: Apache-2.0 */
/* Tables in the order of what refers to what; a few columns are not copied as they are.
 */
#include "db/pool_copy.h"

#include "db/limits.h"
#include "db/rows_leaf.h"
#include "db/rows_map.h"
#include "db/sqlerr.h"
#include "db/txn.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SQL_MAX 2048 /* bytes of a statement over all columns of a table */

/* Numbers there are given in rising order of the numbers here. */
struct renumber {
    uint32_t first; /* there */
    uint32_t *from;
    size_t count, room;
};

struct copying {
    const struct pool_copy *copy;
    struct renumber layers, devices;
    uint64_t volume_count;
    struct err *e;
};

/* ---- Numbers ----------------------------------------------------------------------- */

static int renumber_add(struct renumber *r, uint32_t from, struct err *e)
{
    assert(r->count == 0 || r->from[r->count - 1] < from);
    if (r->count == r->room) {
        size_t room = r->room == 0 ? 64 : 2 * r->room;
        uint32_t *grown = realloc(r->from, room * sizeof(*grown));
        if (grown == NULL)
            return err_oom(e);
        r->from = grown;
        r->room = room;
    }
    r->from[r->count++] = from;
    return 0;
}

static int number_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* 0: it is none of the pool's. */
static uint32_t renumber_of(const struct renumber *r, int64_t from)
{
    uint32_t wanted = (uint32_t)from;
    const uint32_t *at =
        from < 0 || from > UINT32_MAX || r->count == 0
            ? NULL
            : bsearch(&wanted, r->from, r->count, sizeof(*r->from), number_order);
    return at == NULL ? 0 : r->first + (uint32_t)(at - r->from);
}

/* ---- Columns that are not copied as they are --------------------------------------- */

/* Binds what `to` gets in place of the row's column. SQLite's result, or an errno. */
typedef int (*rewrite_fn)(struct copying *c, sqlite3_stmt *row, int column,
                          sqlite3_stmt *to);

static int refuse_number(struct copying *c, const char *what, int64_t number)
{
    return err_set(c->e, -EUCLEAN, NULL, "%s %lld is named, and is not the pool's", what,
                   (long long)number);
}

static int bind_number(struct copying *c, const struct renumber *r, const char *what,
                       sqlite3_stmt *row, int column, sqlite3_stmt *to)
{
    int64_t from = sqlite3_column_int64(row, column);
    uint32_t number = renumber_of(r, from);
    return number == 0 ? refuse_number(c, what, from)
                       : sqlite3_bind_int64(to, column + 1, number);
}

static int put_pool_name(struct copying *c, sqlite3_stmt *row, int column,
                         sqlite3_stmt *to)
{
    if (c->copy->name == NULL)
        return sqlite3_bind_value(to, column + 1, sqlite3_column_value(row, column));
    return sqlite3_bind_text(to, column + 1, c->copy->name, -1, SQLITE_STATIC);
}

static int put_new_device(struct copying *c, sqlite3_stmt *row, int column,
                          sqlite3_stmt *to)
{
    int rc = renumber_add(&c->devices, (uint32_t)sqlite3_column_int64(row, column), c->e);
    return rc != 0 ? rc : bind_number(c, &c->devices, "device", row, column, to);
}

/* The row's own, which put_new_device has just counted: `no` is the first column. */
static const struct device_row *device_there(const struct copying *c)
{
    assert(c->devices.count > 0);
    return c->copy->devices == NULL ? NULL : &c->copy->devices[c->devices.count - 1];
}

static int put_device_path(struct copying *c, sqlite3_stmt *row, int column,
                           sqlite3_stmt *to)
{
    const struct device_row *d = device_there(c);
    if (d == NULL)
        return sqlite3_bind_value(to, column + 1, sqlite3_column_value(row, column));
    return sqlite3_bind_text(to, column + 1, d->path, -1, SQLITE_STATIC);
}

static int put_device_generation(struct copying *c, sqlite3_stmt *row, int column,
                                 sqlite3_stmt *to)
{
    const struct device_row *d = device_there(c);
    if (d == NULL)
        return sqlite3_bind_value(to, column + 1, sqlite3_column_value(row, column));
    return sqlite3_bind_int64(to, column + 1, (int64_t)d->generation);
}

static int put_bitmap_key(struct copying *c, sqlite3_stmt *row, int column,
                          sqlite3_stmt *to)
{
    int64_t key = sqlite3_column_int64(row, column);
    uint64_t number = renumber_of(&c->devices, key >> BITMAP_GIB_BITS);
    if (number == 0)
        return refuse_number(c, "device", key >> BITMAP_GIB_BITS);
    return sqlite3_bind_int64(to, column + 1,
                              (int64_t)(number << BITMAP_GIB_BITS |
                                        ((uint64_t)key & ((1U << BITMAP_GIB_BITS) - 1))));
}

static int put_device_no(struct copying *c, sqlite3_stmt *row, int column,
                         sqlite3_stmt *to)
{
    return bind_number(c, &c->devices, "device", row, column, to);
}

static int put_new_layer(struct copying *c, sqlite3_stmt *row, int column,
                         sqlite3_stmt *to)
{
    int rc = renumber_add(&c->layers, (uint32_t)sqlite3_column_int64(row, column), c->e);
    return rc != 0 ? rc : bind_number(c, &c->layers, "layer", row, column, to);
}

static int put_layer(struct copying *c, sqlite3_stmt *row, int column, sqlite3_stmt *to)
{
    if (sqlite3_column_type(row, column) == SQLITE_NULL)
        return sqlite3_bind_null(to, column + 1);
    return bind_number(c, &c->layers, "layer", row, column, to);
}

static int put_serial(struct copying *c, sqlite3_stmt *row, int column, sqlite3_stmt *to)
{
    uint64_t nth = c->volume_count++;
    if (c->copy->first_serial == 0)
        return sqlite3_bind_value(to, column + 1, sqlite3_column_value(row, column));
    return sqlite3_bind_int64(to, column + 1, (int64_t)(c->copy->first_serial + nth));
}

static const struct rewrite {
    const char *table, *column;
    rewrite_fn put;
} rewrites[] = {
    {"pool", "name", put_pool_name},      {"device", "no", put_new_device},
    {"device", "path", put_device_path},  {"device", "generation", put_device_generation},
    {"bitmap", "key", put_bitmap_key},    {"layer", "id", put_new_layer},
    {"layer", "parent", put_layer},       {"volume", "top_layer", put_layer},
    {"volume", "naa_serial", put_serial}, {"share", "device_no", put_device_no},
};

/* ---- Tables ------------------------------------------------------------------------ */

#define OF_VOLUMES "volume_id IN (SELECT id FROM volume WHERE pool_id = ?1)"
#define OF_DEVICES "IN (SELECT no FROM device WHERE pool_id = ?1)"

static const struct table {
    const char *name;
    const char *rows; /* which of them, and in which order; ?1: the pool */
} tables[] = {
    {"pool", "id = ?1"},
    {"device", "pool_id = ?1 ORDER BY no"},
    {"bitmap", "key >> 21 " OF_DEVICES},
    {"layer", "pool_id = ?1 ORDER BY id"},
    {"volume", "pool_id = ?1 ORDER BY snapshot_of IS NOT NULL, naa_serial"},
    {"identity", OF_VOLUMES},
    {"label", OF_VOLUMES},
    {"mode", OF_VOLUMES},
    {"threshold", OF_VOLUMES},
    {"reservation", OF_VOLUMES},
    {"registration", OF_VOLUMES},
    {"volume_qos", OF_VOLUMES},
    {"sanitize", OF_VOLUMES},
    {"share", "device_no " OF_DEVICES},
};
static_assert(BITMAP_GIB_BITS == 21, "the statement says so");

const char *pool_copy_table(size_t i)
{
    return i < ARRAY_LEN(tables) ? tables[i].name : NULL;
}

static rewrite_fn rewrite_of(const char *table, const char *column)
{
    for (size_t i = 0; i < ARRAY_LEN(rewrites); i++)
        if (strcmp(rewrites[i].table, table) == 0 &&
            strcmp(rewrites[i].column, column) == 0)
            return rewrites[i].put;
    return NULL;
}

static int row_copy(struct copying *c, const struct table *table, sqlite3_stmt *row,
                    sqlite3_stmt *to)
{
    int rc = SQLITE_OK;
    for (int i = 0; rc == SQLITE_OK && i < sqlite3_column_count(row); i++) {
        rewrite_fn put = rewrite_of(table->name, sqlite3_column_name(row, i));
        rc = put != NULL ? put(c, row, i, to)
                         : sqlite3_bind_value(to, i + 1, sqlite3_column_value(row, i));
    }
    if (rc < 0) /* an errno, told already */
        return rc;
    if (rc == SQLITE_OK && sqlite3_step(to) != SQLITE_DONE)
        rc = SQLITE_ERROR;
    if (rc != SQLITE_OK)
        return sqlerr_set(c->copy->to->db, c->e);
    return sqlite3_reset(to) == SQLITE_OK ? 0 : sqlerr_set(c->copy->to->db, c->e);
}

/* INSERT INTO table (its columns) VALUES (a parameter each). */
static void insert_sql(const struct table *table, sqlite3_stmt *row, char sql[SQL_MAX])
{
    int columns = sqlite3_column_count(row);
    size_t at = (size_t)snprintf(sql, SQL_MAX, "INSERT INTO %s (", table->name);
    for (int i = 0; i < columns; i++)
        at += (size_t)snprintf(sql + at, SQL_MAX - at, "%s\"%s\"", i == 0 ? "" : ", ",
                               sqlite3_column_name(row, i));
    at += (size_t)snprintf(sql + at, SQL_MAX - at, ") VALUES (");
    for (int i = 0; i < columns; i++)
        at += (size_t)snprintf(sql + at, SQL_MAX - at, i == 0 ? "?" : ", ?");
    at += (size_t)snprintf(sql + at, SQL_MAX - at, ")");
    assert(at < SQL_MAX); /* the schema is ours */
}

static void statement_end(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}
#define AUTO_STATEMENT __attribute__((cleanup(statement_end)))

static int prepare(struct catalog_txn *txn, const char *sql, sqlite3_stmt **out,
                   struct err *e)
{
    int result = sqlite3_prepare_v2(txn->db, sql, -1, out, NULL);
    return result == SQLITE_OK ? 0 : sqlerr_set(txn->db, e);
}

static int table_copy(struct copying *c, const struct table *table)
{
    AUTO_STATEMENT sqlite3_stmt *row = NULL;
    AUTO_STATEMENT sqlite3_stmt *to = NULL;
    char sql[SQL_MAX];
    snprintf(sql, sizeof(sql), "SELECT * FROM %s WHERE %s", table->name, table->rows);
    int rc = prepare(c->copy->from, sql, &row, c->e);
    if (rc != 0)
        return rc;
    insert_sql(table, row, sql);
    rc = prepare(c->copy->to, sql, &to, c->e);
    if (rc == 0 &&
        sqlite3_bind_text(row, 1, c->copy->pool_id, -1, SQLITE_STATIC) != SQLITE_OK)
        rc = sqlerr_set(c->copy->from->db, c->e);
    int result = SQLITE_ROW;
    while (rc == 0 && (result = sqlite3_step(row)) == SQLITE_ROW)
        rc = row_copy(c, table, row, to);
    return rc != 0 || result == SQLITE_DONE ? rc : sqlerr_set(c->copy->from->db, c->e);
}

/* ---- The map ----------------------------------------------------------------------- */

static int leaf_copy(uint64_t leaf_key, const uint64_t words[LEAF_WORDS], void *arg)
{
    struct copying *c = arg;
    uint64_t layer = renumber_of(&c->layers, (int64_t)(leaf_key >> LEAF_INDEX_BITS));
    uint64_t index = leaf_key & ((1U << LEAF_INDEX_BITS) - 1);
    return leaf_row_store(c->copy->to, layer << LEAF_INDEX_BITS | index, words, c->e);
}

/* As its deltas have it; there it has none. */
static int leaves_copy(struct copying *c)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < c->layers.count; i++) {
        uint64_t first = (uint64_t)c->layers.from[i] << LEAF_INDEX_BITS;
        rc = leaf_each(c->copy->from, first, first | ((1U << LEAF_INDEX_BITS) - 1),
                       leaf_copy, c, c->e);
    }
    return rc;
}

int pool_copy(const struct pool_copy *copy, struct err *e)
{
    struct copying c = {.copy = copy,
                        .layers.first = copy->first_layer,
                        .devices.first = copy->first_device,
                        .e = e};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(tables); i++)
        rc = table_copy(&c, &tables[i]);
    if (rc == 0)
        rc = leaves_copy(&c);
    free(c.layers.from);
    free(c.devices.from);
    return rc;
}
