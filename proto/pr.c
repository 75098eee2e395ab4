/* SPDX-License-Identifier: Apache-2.0 */
/* PERSISTENT RESERVE IN and OUT: CDBs, parameter lists, replies. SPC-4, 6.15 and 6.16.
 * TransportIDs are pr_port.c's. Pure; any thread. */
#include "proto/pr.h"

#include "base/be.h"
#include "proto/pr_priv.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define ACTION_MASK 0x1f
#define ACTION_BIT  4 /* of byte 1 */

#define SCOPE_SHIFT 4
#define TYPE_MASK   0x0f

/* The parameter list, but that of REGISTER AND MOVE: table 211. */
#define LIST_FLAGS      20
#define FLAG_SPEC_I_PT  0x08
#define FLAG_ALL_TG_PT  0x04
#define FLAG_APTPL      0x01
#define LIST_PORTS_SIZE 24 /* with SPEC_I_PT: how many bytes of TransportIDs follow */
#define LIST_PORTS      28

/* That of REGISTER AND MOVE: table 213. */
#define MOVE_FLAGS      17
#define MOVE_UNREG      0x02
#define MOVE_PORT       18
#define MOVE_PORTS_SIZE 20

/* Replies. */
#define LENGTH_OFFSET    4 /* of ADDITIONAL LENGTH, which counts what is behind it */
#define STATUS_HOLDER    0x01
#define CAPABILITY_BYTES 8
#define CAPABLE_CRH      0x10
#define CAPABLE_SIP      0x08
#define CAPABLE_ATP      0x04
#define CAPABLE_PTPL     0x01
#define CAPABLE_TMV      0x80
#define CAPABLE_ALLOW    0x30 /* ALLOW COMMANDS 011b */
#define CAPABLE_PTPL_A   0x01
#define CAPABLE_TYPES    0xea01 /* all six: table 206 */

/* ---- CDBs ------------------------------------------------------------------------- */

int cdb_pr_in_decode(const uint8_t *cdb, struct cdb_pr_in *in, struct sense *sense)
{
    uint8_t action = cdb[1] & ACTION_MASK;
    if (action > PR_READ_FULL_STATUS)
        return sense_set_cdb(sense, 1, ACTION_BIT);
    *in = (struct cdb_pr_in){
        .action = (enum pr_in_action)action,
        .alloc_bytes = be16_load(cdb + 7),
    };
    return 0;
}

static bool may_be_longer(uint8_t action)
{
    return action == PR_REGISTER || action == PR_REGISTER_AND_MOVE;
}

int cdb_pr_out_decode(const uint8_t *cdb, struct cdb_pr_out *out, struct sense *sense)
{
    uint8_t action = cdb[1] & ACTION_MASK;
    uint32_t bytes = be32_load(cdb + 5);
    if (action > PR_REGISTER_AND_MOVE)
        return sense_set_cdb(sense, 1, ACTION_BIT);
    if (bytes < PR_LIST_BYTES || bytes > PR_LIST_BYTES_MAX ||
        (bytes > PR_LIST_BYTES && !may_be_longer(action)))
        return sense_set(sense, SENSE_PARAM_LIST_LENGTH);
    *out = (struct cdb_pr_out){
        .action = (enum pr_out_action)action,
        .scope = cdb[2] >> SCOPE_SHIFT,
        .type = cdb[2] & TYPE_MASK,
        .list_bytes = bytes,
    };
    return 0;
}

/* ---- The parameter list ----------------------------------------------------------- */

/* The leftmost of the bits that are set and may not be; SENSE_NO_BIT: none. */
static int reserved_bit(uint8_t byte, uint8_t allowed)
{
    uint8_t wrong = (uint8_t)(byte & ~allowed);
    return wrong == 0 ? SENSE_NO_BIT : 31 - __builtin_clz(wrong);
}

/* What follows from ports_at on is TransportIDs, of as many bytes as size_at says. */
static int list_take_ports(struct pr_list *list, const uint8_t *data, size_t list_bytes,
                           unsigned size_at, struct sense *sense)
{
    uint32_t bytes = be32_load(data + size_at);
    list->ports_at = size_at + 4;
    if (bytes > list_bytes - list->ports_at)
        return sense_set_param(sense, size_at, SENSE_NO_BIT);
    list->ports = data + list->ports_at;
    list->port_bytes = bytes;
    size_t used;
    for (size_t at = 0; at < bytes; at += used) {
        struct transport_id id;
        unsigned where = list->ports_at + (unsigned)at;
        if (transport_id_decode(list->ports + at, bytes - at, where, &id, &used, sense) !=
            0)
            return -EINVAL;
        if (!id.has_isid)
            return sense_set_param(sense, where, TRANSPORT_FORMAT_BIT);
    }
    return 0;
}

static int list_decode_plain(const struct cdb_pr_out *cdb, const uint8_t *data,
                             size_t list_bytes, struct pr_list *list, struct sense *sense)
{
    uint8_t flags = data[LIST_FLAGS];
    int bit = reserved_bit(flags, FLAG_SPEC_I_PT | FLAG_ALL_TG_PT | FLAG_APTPL);
    if (bit != SENSE_NO_BIT)
        return sense_set_param(sense, LIST_FLAGS, bit);
    if ((flags & FLAG_SPEC_I_PT) != 0 && cdb->action != PR_REGISTER)
        return sense_set_param(sense, LIST_FLAGS, 3);
    bool registers = cdb->action == PR_REGISTER || cdb->action == PR_REGISTER_AND_IGNORE;
    list->aptpl = registers && (flags & FLAG_APTPL) != 0;
    list->all_ports = registers && (flags & FLAG_ALL_TG_PT) != 0;
    list->names_ports = (flags & FLAG_SPEC_I_PT) != 0;
    if (!list->names_ports)
        return list_bytes == PR_LIST_BYTES ? 0
                                           : sense_set(sense, SENSE_PARAM_LIST_LENGTH);
    if (list_bytes < LIST_PORTS)
        return sense_set(sense, SENSE_PARAM_LIST_LENGTH);
    return list_take_ports(list, data, list_bytes, LIST_PORTS_SIZE, sense);
}

static int list_decode_move(const uint8_t *data, size_t list_bytes, struct pr_list *list,
                            struct sense *sense)
{
    struct transport_id id;
    size_t used;
    int bit = reserved_bit(data[MOVE_FLAGS], MOVE_UNREG | FLAG_APTPL);
    if (bit != SENSE_NO_BIT)
        return sense_set_param(sense, MOVE_FLAGS, bit);
    list->aptpl = (data[MOVE_FLAGS] & FLAG_APTPL) != 0;
    list->unregisters = (data[MOVE_FLAGS] & MOVE_UNREG) != 0;
    list->relative_port = be16_load(data + MOVE_PORT);
    int rc = list_take_ports(list, data, list_bytes, MOVE_PORTS_SIZE, sense);
    if (rc != 0)
        return rc;
    if (list->port_bytes == 0)
        return sense_set_param(sense, MOVE_PORTS_SIZE, SENSE_NO_BIT);
    rc = transport_id_decode(list->ports, list->port_bytes, list->ports_at, &id, &used,
                             sense);
    assert(rc == 0); /* list_take_ports has seen it */
    return used == list->port_bytes
               ? 0
               : sense_set_param(sense, MOVE_PORTS_SIZE, SENSE_NO_BIT);
}

int pr_list_decode(const struct cdb_pr_out *cdb, const uint8_t *data, size_t list_bytes,
                   struct pr_list *list, struct sense *sense)
{
    if (list_bytes < PR_LIST_BYTES)
        return sense_set(sense, SENSE_PARAM_LIST_LENGTH);
    *list = (struct pr_list){
        .key = be64_load(data),
        .action_key = be64_load(data + 8),
    };
    return cdb->action == PR_REGISTER_AND_MOVE
               ? list_decode_move(data, list_bytes, list, sense)
               : list_decode_plain(cdb, data, list_bytes, list, sense);
}

bool pr_list_next_port(const struct pr_list *list, size_t *at, struct transport_id *id)
{
    struct sense sense;
    size_t used;
    if (*at >= list->port_bytes)
        return false;
    int rc = transport_id_decode(list->ports + *at, list->port_bytes - *at, 0, id, &used,
                                 &sense);
    assert(rc == 0); /* pr_list_decode() has seen it */
    *at += used;
    return true;
}

/* ---- Replies ---------------------------------------------------------------------- */

void pr_list_begin(struct wire *out, uint32_t generation)
{
    wire_put_be32(out, generation);
    wire_put_be32(out, 0);
}

void pr_list_put_key(struct wire *out, uint64_t key)
{
    wire_put_be64(out, key);
}

void pr_list_put_status(struct wire *out, const struct nexus_name *nexus, uint64_t key,
                        bool is_holder, enum reservation_type type)
{
    struct transport_id id = {.has_isid = true};
    static_assert(sizeof(id.name) == sizeof(nexus->initiator), "a name");
    memcpy(id.name, nexus->initiator, sizeof(id.name));
    memcpy(id.isid, nexus->isid, sizeof(id.isid));
    wire_put_be64(out, key);
    wire_put_zeros(out, 4);
    wire_put_u8(out, is_holder ? STATUS_HOLDER : 0);
    wire_put_u8(out, is_holder ? PR_SCOPE_UNIT << SCOPE_SHIFT | (uint8_t)type : 0);
    wire_put_zeros(out, 4);
    wire_put_be16(out, nexus->portal_group_tag);
    size_t length_at = out->at;
    wire_put_be32(out, 0);
    transport_id_encode(out, &id);
    wire_patch_be32(out, length_at, (uint32_t)(out->at - length_at - 4));
}

void pr_list_end(struct wire *out)
{
    wire_patch_be32(out, LENGTH_OFFSET, (uint32_t)(out->at - LENGTH_OFFSET - 4));
}

void pr_reservation_encode(struct wire *out, uint32_t generation,
                           enum reservation_type type, uint64_t key)
{
    pr_list_begin(out, generation);
    if (type != RESERVATION_NONE) {
        wire_put_be64(out, key);
        wire_put_zeros(out, 5);
        wire_put_u8(out, PR_SCOPE_UNIT << SCOPE_SHIFT | (uint8_t)type);
        wire_put_zeros(out, 2);
    }
    pr_list_end(out);
}

void pr_capabilities_encode(struct wire *out, bool aptpl)
{
    wire_put_be16(out, CAPABILITY_BYTES);
    wire_put_u8(out, CAPABLE_CRH | CAPABLE_SIP | CAPABLE_ATP | CAPABLE_PTPL);
    wire_put_u8(out,
                (uint8_t)(CAPABLE_TMV | CAPABLE_ALLOW | (aptpl ? CAPABLE_PTPL_A : 0)));
    wire_put_be16(out, CAPABLE_TYPES);
    wire_put_zeros(out, 2);
}
