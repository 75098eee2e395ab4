/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a parameter list of PERSISTENT RESERVE OUT, its service action the first
 * byte: what is taken can be read to its end, and what it names is written and read again
 * as the same port. */
#include "proto/pr.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void write_again(const struct transport_id *id)
{
    uint8_t data[300];
    struct transport_id back;
    struct wire w;
    struct sense sense;
    size_t used;
    wire_init(&w, data, sizeof(data));
    transport_id_encode(&w, id);
    assert(wire_rc(&w) == 0 && w.at % 4 == 0 && w.at >= 24);
    int rc = transport_id_decode(data, w.at, 0, &back, &used, &sense);
    assert(rc == 0 && used == w.at);
    assert(strcmp(back.name, id->name) == 0 && back.has_isid == id->has_isid);
    assert(memcmp(back.isid, id->isid, sizeof(back.isid)) == 0);
}

static void read_ports(const struct pr_list *list, enum pr_out_action action)
{
    struct transport_id id;
    size_t at = 0, count = 0;
    for (; pr_list_next_port(list, &at, &id); count++) {
        assert(id.has_isid);
        write_again(&id);
    }
    assert(at == list->port_bytes);
    assert(action != PR_REGISTER_AND_MOVE || count == 1);
    assert(count == 0 || action == PR_REGISTER_AND_MOVE || list->names_ports);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes == 0)
        return 0;
    const struct cdb_pr_out cdb = {.action = (enum pr_out_action)(data[0] & 7)};
    uint8_t *exact = malloc(bytes); /* of the list's size, for the sanitizer */
    struct pr_list list;
    struct sense sense = {.code = SENSE_NONE};
    assert(exact != NULL);
    uint8_t *whole = exact + 1;
    memcpy(whole, data + 1, bytes - 1);
    if (pr_list_decode(&cdb, whole, bytes - 1, &list, &sense) == 0)
        read_ports(&list, cdb.action);
    else
        assert(sense.code == SENSE_PARAM_LIST_LENGTH ||
               (sense.has_field && sense.field_byte < bytes));
    free(exact);
    return 0;
}
