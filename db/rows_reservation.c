/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of persistent reservations that outlive a loss of power. On a db thread,
 * inside work(). */
#include "base/be.h"
#include "db/catalog.h"
#include "db/stmt.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static int reservation_remove(struct catalog_txn *txn, const char *volume_id,
                              struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "DELETE FROM reservation WHERE volume_id = ?1", e);
    bind_text(&s, "id", volume_id, CATALOG_ID_MAX);
    return stmt_run(&s);
}

static int reservation_add(struct catalog_txn *txn, const char *volume_id,
                           const struct kept_reservation *kept, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(
        txn, "INSERT INTO reservation (volume_id, type, holder) VALUES (?1, ?2, ?3)", e);
    bind_text(&s, "id", volume_id, CATALOG_ID_MAX);
    bind_int(&s, kept->type);
    bind_int(&s, kept->holder);
    int rc = stmt_run(&s);
    return rc == -ENOENT ? err_set(e, rc, NULL, "there is no such volume") : rc;
}

static int registration_add(struct catalog_txn *txn, const char *volume_id, uint32_t no,
                            const struct registration *r, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "INSERT INTO registration (volume_id, no, initiator, isid, target,"
                  " portal_group_tag, key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                  e);
    be64 key = be64_of(r->key);
    bind_text(&s, "id", volume_id, CATALOG_ID_MAX);
    bind_int(&s, no);
    bind_text(&s, "initiator", r->nexus.initiator, REGISTRATION_NAME_MAX);
    bind_blob(&s, r->nexus.isid, sizeof(r->nexus.isid));
    bind_text(&s, "target", r->nexus.target, REGISTRATION_NAME_MAX);
    bind_int(&s, r->nexus.portal_group_tag);
    bind_blob(&s, key.b, sizeof(key.b));
    return stmt_run(&s);
}

int reservation_row_set(struct catalog_txn *txn, const char *volume_id,
                        const struct kept_reservation *kept, struct err *e)
{
    int rc = reservation_remove(txn, volume_id, e);
    if (rc != 0 || kept == NULL)
        return rc;
    rc = reservation_add(txn, volume_id, kept, e);
    for (uint32_t i = 0; rc == 0 && i < kept->count; i++)
        rc = registration_add(txn, volume_id, i, &kept->list[i], e);
    return rc;
}

/* A row of the join: a registration, with the reservation of its volume. */
struct registration_of {
    char volume_id[CATALOG_ID_MAX];
    uint32_t type, holder;
    struct registration registration;
};

static void registration_read(struct stmt *s, void *row)
{
    struct registration_of *r = row;
    struct nexus_name *nexus = &r->registration.nexus;
    be64 key;
    memset(nexus, 0, sizeof(*nexus));
    column_text(s, r->volume_id, sizeof(r->volume_id));
    r->type = (uint32_t)column_u64(s, RESERVATION_ACCESS_ALL);
    r->holder = (uint32_t)column_u64(s, REGISTRATION_COUNT_MAX - 1);
    column_text(s, nexus->initiator, sizeof(nexus->initiator));
    column_bytes(s, nexus->isid, sizeof(nexus->isid));
    column_text(s, nexus->target, sizeof(nexus->target));
    nexus->portal_group_tag = (uint16_t)column_u64(s, UINT16_MAX);
    column_bytes(s, key.b, sizeof(key.b));
    r->registration.key = be64_get(key);
}

struct reservation_walk {
    struct kept_reservation *kept; /* with room for as many as there may be */
    char volume_id[CATALOG_ID_MAX];
    int (*each)(const char *volume_id, const struct kept_reservation *kept, void *arg);
    void *arg;
    struct err *e;
};

/* All registrations of a volume are there. */
static int walk_tell(struct reservation_walk *w)
{
    if (w->kept->count == 0)
        return 0;
    if (w->kept->holder >= w->kept->count)
        return err_set(w->e, -EUCLEAN, NULL,
                       "the reservation of volume %s has a holder that is not registered",
                       w->volume_id);
    return w->each(w->volume_id, w->kept, w->arg);
}

static int walk_add(struct reservation_walk *w, const struct registration_of *row)
{
    if (w->kept->count > 0 && strcmp(w->volume_id, row->volume_id) != 0) {
        int rc = walk_tell(w);
        if (rc != 0)
            return rc;
        w->kept->count = 0;
    }
    memcpy(w->volume_id, row->volume_id, sizeof(w->volume_id));
    w->kept->type = (enum reservation_type)row->type;
    w->kept->holder = row->holder;
    assert(w->kept->count < REGISTRATION_COUNT_MAX); /* a constraint of the table */
    w->kept->list[w->kept->count++] = row->registration;
    return 0;
}

static int walk_run(struct reservation_walk *w, struct catalog_txn *txn)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "SELECT r.volume_id, type, holder, initiator, isid, target,"
                  " portal_group_tag, key FROM reservation r JOIN registration g"
                  " ON g.volume_id = r.volume_id ORDER BY r.volume_id, no",
                  w->e);
    struct registration_of row = {.volume_id = ""};
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, registration_read, &row)) > 0)
        rc = walk_add(w, &row);
    return rc != 0 ? rc : walk_tell(w);
}

int reservation_row_each(struct catalog_txn *txn,
                         int (*each)(const char *volume_id,
                                     const struct kept_reservation *kept, void *arg),
                         void *arg, struct err *e)
{
    struct reservation_walk walk = {.each = each, .arg = arg, .e = e};
    walk.kept = calloc(1, sizeof(*walk.kept) +
                              REGISTRATION_COUNT_MAX * sizeof(walk.kept->list[0]));
    if (walk.kept == NULL)
        return err_oom(e);
    int rc = walk_run(&walk, txn);
    free(walk.kept);
    return rc;
}
