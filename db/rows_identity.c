/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of identities that came from another box. On a db thread, inside work(). */
#include "db/catalog.h"
#include "db/stmt.h"

struct identity {
    char volume_id[CATALOG_ID_MAX];
    uint8_t naa[CATALOG_NAA_BYTES];
};

static void identity_read(struct stmt *s, void *row)
{
    struct identity *identity = row;
    column_text(s, identity->volume_id, sizeof(identity->volume_id));
    column_bytes(s, identity->naa, sizeof(identity->naa));
}

int identity_row_each(struct catalog_txn *txn,
                      int (*each)(const char *volume_id,
                                  const uint8_t naa[CATALOG_NAA_BYTES], void *arg),
                      void *arg, struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "SELECT volume_id, naa FROM identity ORDER BY volume_id", e);
    struct identity row;
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, identity_read, &row)) > 0)
        rc = each(row.volume_id, row.naa, arg);
    return rc;
}
