/* SPDX-License-Identifier: Apache-2.0 */
/* A pool leaves: its file, then its rows. What is copied how is pool_copy.c's. */
#include "db/file_seal.h"
#include "db/migrate.h"
#include "db/new_file.h"
#include "db/pool_copy.h"
#include "db/pool_file.h"
#include "db/rows_delta.h"
#include "db/rows_leaf.h"
#include "db/stmt.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- Writing it -------------------------------------------------------------------- */

struct naming {
    struct catalog_txn *txn;
    const struct identity_rule *rule;
    struct err *e;
};

/* What the box's rule makes of serials is nobody else's rule. */
static int identity_add(const struct volume_row *row, void *arg)
{
    struct naming *n = arg;
    uint8_t naa[CATALOG_NAA_BYTES];
    n->rule->make(n->rule->arg, row->naa_serial, naa);
    AUTO_STMT struct stmt s = stmt_open(n->txn,
                                        "INSERT INTO identity (volume_id, naa)"
                                        " VALUES (?1, ?2)"
                                        " ON CONFLICT (volume_id) DO NOTHING",
                                        n->e);
    bind_text(&s, "id", row->id, sizeof(row->id));
    bind_blob(&s, naa, sizeof(naa));
    return stmt_run(&s);
}

static int identities_add(struct catalog_txn *txn, const struct identity_rule *rule,
                          struct err *e)
{
    struct naming n = {.txn = txn, .rule = rule, .e = e};
    return volume_row_each(txn, identity_add, &n, e);
}

static int file_fill(struct catalog_txn *from, struct catalog_txn *to,
                     const char *pool_id, bool clean, const struct identity_rule *rule,
                     struct err *e)
{
    const struct pool_copy copy = {
        .from = from, .to = to, .pool_id = pool_id, .first_layer = 1, .first_device = 1};
    struct box_row box;
    int rc = box_get(from, &box, e);
    box.clean = clean;
    if (rc == 0)
        rc = txn_exec(to, "BEGIN IMMEDIATE", e);
    if (rc == 0)
        rc = box_set(to, &box, e);
    if (rc == 0)
        rc = pool_copy(&copy, e);
    if (rc == 0)
        rc = identities_add(to, rule, e);
    return rc != 0 ? rc : txn_exec(to, "COMMIT", e);
}

static int file_make(struct catalog_txn *from, const char *pool_id, bool clean,
                     const struct identity_rule *rule, const char *path, struct err *e)
{
    struct catalog_txn to;
    int rc = txn_open_writer(&to, path, NULL, e);
    if (rc != 0)
        return rc;
    /* It is synced once, when it is whole; one that is not has no seal. */
    rc = txn_exec(&to, "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF", e);
    if (rc == 0)
        rc = migrate_run(&to, path, e);
    if (rc == 0)
        rc = file_fill(from, &to, pool_id, clean, rule, e);
    txn_close(&to);
    if (rc == 0)
        rc = file_seal(path, e);
    return rc != 0 ? rc : new_file_sync(path, e);
}

int pool_file_write(struct catalog_txn *txn, const char *pool_id, bool clean,
                    const struct identity_rule *rule, const char *path, struct err *e)
{
    int rc = new_file_create(path, e);
    if (rc != 0)
        return rc;
    rc = file_make(txn, pool_id, clean, rule, path, e);
    if (rc != 0)
        unlink(path);
    return rc;
}

/* ---- Taking the rows away ---------------------------------------------------------- */

#define ERASE_LEAVES 64

struct erase {
    struct delta_span span; /* of before: what is added meanwhile says 0 */
    size_t count;
    struct word_change words[ERASE_LEAVES * LEAF_WORDS];
};

static void erase_patch(struct erase *x, const struct leaf_patch *patch)
{
    for (size_t i = 0; i < LEAF_WORDS; i++)
        if ((patch->set[i / 64] >> i % 64 & 1) != 0)
            x->words[x->count++] =
                (struct word_change){.key = patch->leaf_key * LEAF_WORDS + i};
}

/* What deltas say of the layer's leaves from *next on, some of them. 1: there may be
 * more. */
static int erase_deltas(struct catalog_txn *txn, struct erase *x, uint64_t *next,
                        uint64_t last, struct err *e)
{
    struct leaf_patch patch;
    int rc = 1;
    x->count = 0;
    while (x->count + LEAF_WORDS <= ARRAY_LEN(x->words) &&
           (rc = delta_span_next(txn, &x->span, *next, last, &patch, e)) > 0) {
        erase_patch(x, &patch);
        *next = patch.leaf_key + 1;
    }
    const struct round_changes changes = {.words = x->words, .word_count = x->count};
    int stored = rc < 0 ? rc : round_store(txn, &changes, e);
    return stored != 0 ? stored : rc;
}

static int erase_leaves(struct catalog_txn *txn, uint64_t first, uint64_t last,
                        struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "DELETE FROM leaf WHERE key BETWEEN ?1 AND ?2", e);
    bind_u64(&s, NULL, first);
    bind_u64(&s, NULL, last);
    return stmt_run(&s);
}

static int erase_layer(struct catalog_txn *txn, struct erase *x, uint32_t layer,
                       struct err *e)
{
    uint64_t first = (uint64_t)layer << LEAF_INDEX_BITS;
    uint64_t last = first | ((1U << LEAF_INDEX_BITS) - 1), next = first;
    int rc = erase_leaves(txn, first, last, e);
    if (rc == 0)
        rc = 1;
    while (rc > 0)
        rc = erase_deltas(txn, x, &next, last, e);
    return rc;
}

struct erase_map {
    struct catalog_txn *txn;
    const char *pool_id;
    struct erase *erase;
    struct err *e;
};

static int erase_if_its(const struct layer_row *row, void *arg)
{
    struct erase_map *m = arg;
    return strcmp(row->pool_id, m->pool_id) == 0
               ? erase_layer(m->txn, m->erase, row->id, m->e)
               : 0;
}

static int map_remove(struct catalog_txn *txn, const char *pool_id, struct err *e)
{
    AUTO_FREE struct erase *x = malloc(sizeof(*x));
    if (x == NULL)
        return err_oom(e);
    struct erase_map m = {.txn = txn, .pool_id = pool_id, .erase = x, .e = e};
    int rc = delta_span_read(txn, &x->span, e);
    return rc != 0 ? rc : layer_row_each(txn, erase_if_its, &m, e);
}

static int rows_remove(struct catalog_txn *txn, const char *sql, const char *pool_id,
                       struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, sql, e);
    bind_text(&s, "pool", pool_id, CATALOG_ID_MAX);
    int rc = stmt_run(&s);
    return rc == -ENOENT ? err_set(e, -EBUSY, "pool", "volumes of it are mapped") : rc;
}

int pool_rows_remove(struct catalog_txn *txn, const char *pool_id, struct err *e)
{
    int rc = map_remove(txn, pool_id, e);
    if (rc == 0)
        rc = rows_remove(txn, "DELETE FROM volume WHERE pool_id = ?1", pool_id, e);
    if (rc == 0)
        rc = rows_remove(txn, "DELETE FROM layer WHERE pool_id = ?1", pool_id, e);
    return rc != 0 ? rc : pool_row_remove(txn, pool_id, e);
}
