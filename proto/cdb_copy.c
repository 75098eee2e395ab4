/* SPDX-License-Identifier: Apache-2.0 */
/* The CDBs of third-party copies: SPC-4, 6.4 and 6.20 to 6.24. Pure; any thread. */
#include "proto/cdb.h"

#include "base/be.h"

#define LIST_ID_BYTE 2
#define LENGTH_BYTE  10

uint32_t cdb_copy_list_bytes(const uint8_t *cdb)
{
    return be32_load(cdb + LENGTH_BYTE);
}

void cdb_copy_results_decode(const uint8_t *cdb, const struct cdb_op *op,
                             struct cdb_copy_results *results)
{
    bool wide = op->id == CDB_COPY_STATUS_LID4 || op->id == CDB_COPY_ABORT;
    *results = (struct cdb_copy_results){
        .lid4 = wide,
        .list_id = wide ? be32_load(cdb + LIST_ID_BYTE) : cdb[LIST_ID_BYTE],
        .alloc_bytes = be32_load(cdb + LENGTH_BYTE),
    };
}
