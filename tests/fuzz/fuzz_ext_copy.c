/* SPDX-License-Identifier: Apache-2.0 */
/* A byte that says which form, then anything as EXTENDED COPY's parameter list: it is
 * refused with ILLEGAL REQUEST, a field that is named lies inside of it, or it gives no
 * more units and segments than the limits and the lengths of the list say. */
#include "proto/ext_copy.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct ext_copy_list list;
    struct sense sense = {.code = SENSE_NONE};
    if (bytes == 0)
        return 0;
    size_t list_bytes = bytes - 1;
    uint8_t *copy = malloc(list_bytes + 1); /* its end is watched */
    assert(copy != NULL);
    uint8_t *at = copy + 1;
    memcpy(at, data + 1, list_bytes);
    int rc = ext_copy_decode(&list, at, list_bytes, (data[0] & 1) != 0, &sense);
    if (rc != 0) {
        assert(sense_key_of(&sense) == SENSE_KEY_ILLEGAL_REQUEST);
        assert(!sense.has_field || sense.field_byte < list_bytes);
    } else {
        size_t told = list.cscd_count * EXT_COPY_CSCD_BYTES +
                      list.segment_count * EXT_COPY_SEGMENT_BYTES;
        assert(list.cscd_count <= EXT_COPY_CSCDS_MAX);
        assert(list.segment_count <= EXT_COPY_SEGMENTS_MAX);
        assert(told <= list_bytes && (list.has_id || list.id == 0));
    }
    free(copy);
    return 0;
}
