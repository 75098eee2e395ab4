/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of reservations share: a few initiator and target ports, and requests as
 * the bytes that an initiator sends, read by proto/pr.h. */
#ifndef TESTS_UNIT_TARGET_RESERVATION_RIG_H
#define TESTS_UNIT_TARGET_RESERVATION_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "target/reservation.h"

#define INITIATORS 4
#define PORTS      2 /* their tags are 1 and 2 */
#define NEXUSES    (INITIATORS * PORTS)
#define NOBODY     (-1)

/* Nexus n: of initiator port n % INITIATORS through target port n / INITIATORS. From
 * NEXUSES on: strangers, who never ask for anything. */
const struct reservation_nexus *nexus_of(int n);

/* A request in short. */
struct deed {
    enum reservation_change change;
    enum pr_out_action action;
    uint8_t scope, type;
    uint64_t key, action_key;
    bool aptpl, all_ports, names_ports, unregisters;
    unsigned named;         /* SPEC_I_PT: a bit for each initiator; MOVE: the one */
    uint16_t relative_port; /* of MOVE */
};

/* The parameter list is decoded first: a refusal of that is the outcome. */
int deed_try(const struct reservation *before, int who, const struct deed *deed,
             struct reservation_outcome *out) MUST_CHECK;

/* Does it, and takes the new state. Returns the status; the outcome is rig_outcome until
 * the next. */
extern struct reservation_outcome rig_outcome;
enum sam_status deed_do(const struct reservation **state, int who,
                        const struct deed *deed);
void rig_outcome_fini(void);

#endif
