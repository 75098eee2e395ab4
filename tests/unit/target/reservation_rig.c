/* SPDX-License-Identifier: Apache-2.0 */
/* See reservation_rig.h. */
#include "tests/unit/target/reservation_rig.h"

#include <stdio.h>
#include <string.h>

#define LIST_ROOM 512

struct reservation_outcome rig_outcome;

static const uint16_t port_tags[PORTS] = {1, 2};

static void initiator_of(unsigned no, char name[REGISTRATION_NAME_MAX],
                         uint8_t isid[REGISTRATION_ISID_BYTES])
{
    /* Two of them are ports of one node. */
    static const uint8_t isids[][REGISTRATION_ISID_BYTES] = {{0, 2, 0x3d, 0, 0, 1},
                                                             {0, 2, 0x3d, 0, 0, 2}};
    snprintf(name, REGISTRATION_NAME_MAX, "iqn.2026-01.org.h:%u", no / 2);
    memcpy(isid, isids[no % 2], REGISTRATION_ISID_BYTES);
}

const struct reservation_nexus *nexus_of(int n)
{
    static struct reservation_nexus nexuses[2 * NEXUSES];
    char name[REGISTRATION_NAME_MAX];
    uint8_t isid[REGISTRATION_ISID_BYTES];
    assert_in_range(n, 0, 2 * NEXUSES - 1);
    unsigned no = (unsigned)n % INITIATORS + (n < NEXUSES ? 0 : INITIATORS);
    initiator_of(no, name, isid);
    reservation_nexus_init(&nexuses[n], name, isid, "iqn.2026-01.org.t",
                           port_tags[n / INITIATORS % PORTS]);
    return &nexuses[n];
}

static void put_ports(struct wire *w, unsigned named)
{
    struct transport_id id = {.has_isid = true};
    size_t length_at = w->at;
    wire_put_be32(w, 0);
    for (unsigned i = 0; i < INITIATORS; i++) {
        if ((named >> i & 1) == 0)
            continue;
        initiator_of(i, id.name, id.isid);
        transport_id_encode(w, &id);
    }
    wire_patch_be32(w, length_at, (uint32_t)(w->at - length_at - 4));
}

static void put_list(struct wire *w, const struct deed *deed)
{
    wire_put_be64(w, deed->key);
    wire_put_be64(w, deed->action_key);
    if (deed->action == PR_REGISTER_AND_MOVE) {
        wire_put_u8(w, 0);
        wire_put_u8(w, (uint8_t)((deed->unregisters ? 2 : 0) | (deed->aptpl ? 1 : 0)));
        wire_put_be16(w, deed->relative_port);
        put_ports(w, deed->named);
        return;
    }
    wire_put_zeros(w, 4);
    wire_put_u8(w, (uint8_t)((deed->names_ports ? 8 : 0) | (deed->all_ports ? 4 : 0) |
                             (deed->aptpl ? 1 : 0)));
    wire_put_zeros(w, 3);
    if (deed->names_ports)
        put_ports(w, deed->named);
}

int deed_try(const struct reservation *before, int who, const struct deed *deed,
             struct reservation_outcome *out)
{
    uint8_t data[LIST_ROOM];
    struct wire w;
    struct pr_list list;
    wire_init(&w, data, sizeof(data));
    put_list(&w, deed);
    assert_int_equal(wire_rc(&w), 0);
    const struct cdb_pr_out cdb = {.action = deed->action,
                                   .scope = deed->scope,
                                   .type = deed->type,
                                   .list_bytes = (uint32_t)w.at};
    const struct reservation_request request = {.change = deed->change,
                                                .cdb = &cdb,
                                                .list = &list,
                                                .port_tags = port_tags,
                                                .port_count = PORTS};
    *out = (struct reservation_outcome){.status = SAM_CHECK_CONDITION};
    if (deed->change == RESERVATION_PR_OUT &&
        pr_list_decode(&cdb, data, w.at, &list, &out->sense) != 0)
        return 0;
    return reservation_apply(before, &request, nexus_of(who), out);
}

enum sam_status deed_do(const struct reservation **state, int who,
                        const struct deed *deed)
{
    rig_outcome_fini();
    assert_int_equal(deed_try(*state, who, deed, &rig_outcome), 0);
    assert_true(rig_outcome.before == *state || rig_outcome.before == NULL);
    if (rig_outcome.after != NULL) {
        const struct reservation *before = *state;
        *state = reservation_get(rig_outcome.after);
        reservation_put(before);
    }
    return rig_outcome.status;
}

void rig_outcome_fini(void)
{
    reservation_outcome_fini(&rig_outcome);
}
