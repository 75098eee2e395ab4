/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of target port groups. On a db thread, inside work(). */
#include "db/catalog.h"
#include "db/stmt.h"

struct group_of {
    uint16_t tag;
    struct alua_access access;
};

static int group_remove(struct catalog_txn *txn, uint16_t tag, struct err *e)
{
    AUTO_STMT struct stmt s = stmt_open(txn, "DELETE FROM port_group WHERE tag = ?1", e);
    bind_int(&s, tag);
    return stmt_run(&s);
}

int port_group_row_set(struct catalog_txn *txn, uint16_t tag,
                       const struct alua_access *access, struct err *e)
{
    if (alua_is_default(access))
        return group_remove(txn, tag, e);
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "INSERT INTO port_group (tag, state, preferred) VALUES (?1, ?2, ?3)"
                  " ON CONFLICT (tag) DO UPDATE SET state = ?2, preferred = ?3",
                  e);
    bind_int(&s, tag);
    bind_int(&s, access->state);
    bind_int(&s, access->preferred);
    return stmt_run(&s);
}

static void group_read(struct stmt *s, void *row)
{
    struct group_of *group = row;
    group->tag = (uint16_t)column_u64(s, UINT16_MAX);
    group->access.state = (enum alua_state)column_u64(s, ALUA_SETTABLE_COUNT - 1);
    group->access.preferred = column_u64(s, 1) != 0;
}

int port_group_row_each(struct catalog_txn *txn,
                        int (*each)(uint16_t tag, const struct alua_access *access,
                                    void *arg),
                        void *arg, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "SELECT tag, state, preferred FROM port_group ORDER BY tag", e);
    struct group_of row = {.tag = 0};
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, group_read, &row)) > 0)
        rc = each(row.tag, &row.access, arg);
    return rc;
}
