/* SPDX-License-Identifier: Apache-2.0 */
/* A pool arrives: what of it is here already, then its rows. What is copied how is
 * pool_copy.c's. */
#include "db/pool_copy.h"
#include "db/pool_file_priv.h"
#include "db/stmt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAMES_TOLD_BYTES 120 /* of those that are taken */

/* ---- What is here already ---------------------------------------------------------- */

static bool is_pool_here(struct catalog_txn *txn, const char *id)
{
    return row_exists_text(txn, "SELECT 1 FROM pool WHERE id = ?1", id);
}

struct arriving {
    struct pool_file *file;
    struct catalog_txn *txn;
    const struct pool_arrival *arrival;
    struct err *e;
    unsigned taken; /* names */
    char names[NAMES_TOLD_BYTES];
    uint64_t naa_serial; /* the highest that an identity which comes takes up */
};

/* Names of live volumes are theirs alone; all others have an id before them. */
static int volume_look(const struct volume_row *row, void *arg)
{
    struct arriving *a = arg;
    if (row_exists_text(a->txn, "SELECT 1 FROM volume WHERE id = ?1", row->id))
        return err_set(a->e, -EEXIST, "volumes", "volume %s (%s) is on this box already",
                       row->name, row->id);
    if (row->kind != VOLUME_PLAIN || row->trashed_s != 0 ||
        !row_exists_text(a->txn, "SELECT 1 FROM volume WHERE name = ?1", row->name))
        return 0;
    size_t at = strlen(a->names);
    if (at + strlen(row->name) + 3 <= sizeof(a->names))
        snprintf(a->names + at, sizeof(a->names) - at, "%s%s", a->taken == 0 ? "" : ", ",
                 row->name);
    else if (at + 5 <= sizeof(a->names) && a->names[at - 1] != '.')
        snprintf(a->names + at, sizeof(a->names) - at, " ...");
    a->taken++;
    return 0;
}

static void text_read(struct stmt *s, void *row)
{
    column_text(s, row, CATALOG_ID_MAX + CATALOG_NAME_MAX);
}

/* 1: name is of who has the identity here; 0: nobody. */
static int identity_find(struct arriving *a, const uint8_t naa[CATALOG_NAA_BYTES],
                         char name[CATALOG_ID_MAX + CATALOG_NAME_MAX])
{
    AUTO_STMT struct stmt s =
        stmt_open(a->txn,
                  "SELECT name FROM volume WHERE id ="
                  " (SELECT volume_id FROM identity WHERE naa = ?1)",
                  a->e);
    bind_blob(&s, naa, CATALOG_NAA_BYTES);
    return stmt_next_row(&s, text_read, name);
}

/* The same by this box's rule. */
static int serial_find(struct arriving *a, uint64_t naa_serial,
                       char name[CATALOG_ID_MAX + CATALOG_NAME_MAX])
{
    AUTO_STMT struct stmt s = stmt_open(a->txn,
                                        "SELECT name FROM volume WHERE naa_serial = ?1"
                                        " AND id NOT IN (SELECT volume_id FROM identity)",
                                        a->e);
    bind_u64(&s, "naa_serial", naa_serial);
    return stmt_next_row(&s, text_read, name);
}

static int identity_look(const char *volume_id, const uint8_t naa[CATALOG_NAA_BYTES],
                         void *arg)
{
    struct arriving *a = arg;
    const struct identity_rule *rule = a->arrival->rule;
    char name[CATALOG_ID_MAX + CATALOG_NAME_MAX];
    uint64_t serial = 0;
    int rc = identity_find(a, naa, name);
    if (rc == 0 && rule->serial_of(rule->arg, naa, &serial)) {
        rc = serial_find(a, serial, name);
        if (serial > a->naa_serial)
            a->naa_serial = serial;
    }
    if (rc <= 0)
        return rc;
    return err_set(a->e, -EEXIST, "volumes",
                   "volume %s has the identity that volume %s of the file has", name,
                   volume_id);
}

static int devices_look(struct arriving *a)
{
    for (size_t i = 0; i < a->file->info.device_count; i++) {
        const struct device_row *d = &a->arrival->devices[i];
        if (row_exists_text(a->txn, "SELECT 1 FROM device WHERE id = ?1", d->id))
            return err_set(a->e, -EEXIST, "devices", "device %s is on this box already",
                           d->id);
        if (row_exists_text(a->txn, "SELECT 1 FROM device WHERE path = ?1", d->path))
            return err_set(a->e, -EEXIST, "devices", "%s is a device of another pool",
                           d->path);
    }
    return 0;
}

static int refuse_what_is_here(struct arriving *a)
{
    const struct pool_row *pool = &a->file->info.pool;
    if (is_pool_here(a->txn, pool->id))
        return err_set(a->e, -EEXIST, "path", "pool %s (%s) is on this box already",
                       pool->name, pool->id);
    if (row_exists_text(a->txn, "SELECT 1 FROM pool WHERE name = ?1", a->arrival->name))
        return err_set(a->e, -EEXIST, "name", "pool %s exists", a->arrival->name);
    int rc = devices_look(a);
    if (rc == 0)
        rc = volume_row_each(&a->file->txn, volume_look, a, a->e);
    if (rc == 0 && a->taken > 0)
        rc = err_set(a->e, -EEXIST, "volumes",
                     "%u of the pool's volumes have names that are taken here: %s",
                     a->taken, a->names);
    return rc != 0 ? rc : identity_row_each(&a->file->txn, identity_look, a, a->e);
}

/* ---- Storing ----------------------------------------------------------------------- */

/* The box hands out no serial that makes an identity which has come. */
static int serials_take(struct arriving *a, uint64_t *first)
{
    struct box_row box;
    int64_t count = 0;
    int rc = box_get(a->txn, &box, a->e);
    if (rc == 0)
        rc = txn_query_int(&a->file->txn, "SELECT count(*) FROM volume", &count, a->e);
    if (rc != 0)
        return rc;
    if (box.naa_serial < a->naa_serial)
        box.naa_serial = a->naa_serial;
    *first = box.naa_serial + 1;
    box.naa_serial += (uint64_t)count;
    return box_set(a->txn, &box, a->e);
}

static int next_device(struct catalog_txn *txn, uint32_t *no, struct err *e)
{
    int64_t last = 0;
    int rc = txn_query_int(
        txn, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'device'",
        &last, e);
    *no = (uint32_t)last + 1;
    return rc;
}

int pool_file_store(struct pool_file *file, struct catalog_txn *txn,
                    const struct pool_arrival *arrival, struct err *e)
{
    struct arriving a = {.file = file, .txn = txn, .arrival = arrival, .e = e};
    struct pool_copy copy = {.from = &file->txn,
                             .to = txn,
                             .pool_id = file->info.pool.id,
                             .name = arrival->name,
                             .first_layer = arrival->first_layer,
                             .devices = arrival->devices};
    int rc = refuse_what_is_here(&a);
    if (rc == 0)
        rc = serials_take(&a, &copy.first_serial);
    if (rc == 0)
        rc = next_device(txn, &copy.first_device, e);
    return rc != 0 ? rc : pool_copy(&copy, e);
}
