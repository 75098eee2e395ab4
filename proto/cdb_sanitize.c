/* SPDX-License-Identifier: Apache-2.0 */
/* SANITIZE and the parameter list of its OVERWRITE: SBC-4, 5.24. Pure; any thread. */
#include "proto/cdb.h"

#include "base/be.h"

#define BIT_IMMED       0x80
#define BIT_AUSE        0x20
#define LIST_BYTE       7 /* of the CDB: the parameter list length */
#define BIT_INVERT      0x80
#define TEST_SHIFT      5
#define TEST_MASK       0x03
#define COUNT_MASK      0x1f
#define LIST_HEAD_BYTES 4

int cdb_sanitize_decode(const uint8_t *cdb, const struct cdb_op *op, uint32_t block_bytes,
                        struct cdb_sanitize *sanitize, struct sense *sense)
{
    *sanitize = (struct cdb_sanitize){
        .immed = (cdb[1] & BIT_IMMED) != 0,
        .ause = (cdb[1] & BIT_AUSE) != 0,
        .list_bytes = be16_load(cdb + LIST_BYTE),
    };
    if (op->id != CDB_SANITIZE_OVERWRITE)
        return 0; /* a length but 0 is refused by the usage */
    if (sanitize->list_bytes <= LIST_HEAD_BYTES ||
        sanitize->list_bytes > block_bytes + LIST_HEAD_BYTES)
        return sense_set_cdb(sense, LIST_BYTE, SENSE_NO_BIT);
    return 0;
}

int overwrite_list_decode(struct overwrite_list *list, const uint8_t *data,
                          size_t list_bytes, uint32_t block_bytes, struct sense *sense)
{
    *list = (struct overwrite_list){
        .invert = (data[0] & BIT_INVERT) != 0,
        .count = data[0] & COUNT_MASK,
        .pattern_bytes = be16_load(data + 2),
        .pattern = data + LIST_HEAD_BYTES,
    };
    if ((data[0] >> TEST_SHIFT & TEST_MASK) != 0) /* vendor specific: we have none */
        return sense_set_param(sense, 0, 6);
    if (list->count == 0)
        return sense_set_param(sense, 0, 4);
    if (data[1] != 0)
        return sense_set_param(sense, 1, 31 - __builtin_clz(data[1]));
    if (list->pattern_bytes == 0 || list->pattern_bytes > block_bytes)
        return sense_set_param(sense, 2, SENSE_NO_BIT);
    if (list->pattern_bytes > list_bytes - LIST_HEAD_BYTES)
        return sense_set(sense, SENSE_PARAM_LIST_LENGTH);
    return 0;
}
