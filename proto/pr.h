/* SPDX-License-Identifier: Apache-2.0 */
/* PERSISTENT RESERVE IN and OUT as bytes (SPC-4, 6.15 and 6.16): CDBs, parameter lists,
 * the iSCSI TransportID (SPC-4, 7.6.4.6), replies. What a service action does is
 * target/reservation.h's. Output as in inquiry.h: a struct wire limited to the allocation
 * length; lengths that a reply tells are those of all of it. Pure; any thread.
 *
 * Rows of cdb_table.h, with the bits that these decodes expect cdb_find() to have let
 * through:
 *
 *   PERSISTENT RESERVE IN   5Eh, service actions 00h to 03h, 10 bytes, DATA_IN, KEEPS:
 *       5E, 0x1f & action, 0, 0, 0, 0, 0, ff, ff, 0
 *   PERSISTENT RESERVE OUT  5Fh, service actions 00h to 07h, 10 bytes, DATA_OUT, KEEPS:
 *       5F, 0x1f & action, ff, 0, 0, ff, ff, ff, ff, 0
 *       (scope and type, byte 2, are ignored where the action has no use for them)
 *   RESERVE(6) 16h, RELEASE(6) 17h, 6 bytes, NO_DATA, KEEPS:
 *       16, 0, ff, 0, 0, 0
 *       (third parties and extents are refused; byte 2 is an extent's and ignored; a
 *       parameter list's length, bytes 3 and 4, must be 0)
 *   RESERVE(10) 56h, RELEASE(10) 57h, 10 bytes, NO_DATA, KEEPS:
 *       56, 0, ff, 0, 0, 0, 0, 0, 0, 0
 *
 * KEEPS: a unit that is read-only for a host can be reserved by it all the same. */
#ifndef PROTO_PR_H
#define PROTO_PR_H

#include "base/registration.h"
#include "base/wire.h"
#include "proto/cdb.h"
#include "proto/sense.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- PERSISTENT RESERVE IN -------------------------------------------------------- */

enum pr_in_action {
    PR_READ_KEYS = 0x00,
    PR_READ_RESERVATION = 0x01,
    PR_REPORT_CAPABILITIES = 0x02,
    PR_READ_FULL_STATUS = 0x03,
};

struct cdb_pr_in {
    enum pr_in_action action;
    uint16_t alloc_bytes; /* 0 is no error */
};
/* Another service action: INVALID FIELD IN CDB, byte 1 bit 4. */
int cdb_pr_in_decode(const uint8_t *cdb, struct cdb_pr_in *in,
                     struct sense *sense) MUST_CHECK;

/* READ KEYS (6.15.2) and READ FULL STATUS (6.15.5): begin, what there is, one by one,
 * end. */
void pr_list_begin(struct wire *out, uint32_t generation);
void pr_list_put_key(struct wire *out, uint64_t key);
/* ALL_TG_PT is 0: each registration is of one nexus. type: of the reservation, told of a
 * holder alone. */
void pr_list_put_status(struct wire *out, const struct nexus_name *nexus, uint64_t key,
                        bool is_holder, enum reservation_type type);
void pr_list_end(struct wire *out);
/* READ RESERVATION (6.15.3). type RESERVATION_NONE: there is none. key: the holder's, 0
 * if all registrants hold it. */
void pr_reservation_encode(struct wire *out, uint32_t generation,
                           enum reservation_type type, uint64_t key);
/* REPORT CAPABILITIES (6.15.4): PTPL_C, ATP_C, SIP_C, CRH and all six types; ALLOW
 * COMMANDS 011b, which is what the classes of target/reservation.h say: TEST UNIT READY
 * goes through every type, MODE SENSE and its like through write exclusive. */
void pr_capabilities_encode(struct wire *out, bool aptpl);

/* ---- PERSISTENT RESERVE OUT ------------------------------------------------------- */

enum pr_out_action {
    PR_REGISTER = 0x00,
    PR_RESERVE = 0x01,
    PR_RELEASE = 0x02,
    PR_CLEAR = 0x03,
    PR_PREEMPT = 0x04,
    PR_PREEMPT_AND_ABORT = 0x05,
    PR_REGISTER_AND_IGNORE = 0x06, /* existing key */
    PR_REGISTER_AND_MOVE = 0x07,
};

#define PR_LIST_BYTES     24          /* without TransportIDs */
#define PR_LIST_BYTES_MAX (64U << 10) /* longer ones are refused */
#define PR_SCOPE_UNIT     0           /* LU_SCOPE, the only one */

struct cdb_pr_out {
    enum pr_out_action action;
    uint8_t scope, type; /* as they came: judged by reservation_apply() */
    uint32_t list_bytes; /* PR_LIST_BYTES to PR_LIST_BYTES_MAX: a buffer for it will do */
};
/* Another service action: INVALID FIELD IN CDB. A length that cannot be right (not 24,
 * where neither REGISTER nor REGISTER AND MOVE may have more; less than 24, more than the
 * maximum): PARAMETER LIST LENGTH ERROR. */
int cdb_pr_out_decode(const uint8_t *cdb, struct cdb_pr_out *out,
                      struct sense *sense) MUST_CHECK;

/* An initiator port, as a TransportID names it. */
struct transport_id {
    char name[REGISTRATION_NAME_MAX]; /* in lower case */
    bool has_isid; /* format 01b; else 00b, a name alone: all ports of that initiator */
    uint8_t isid[REGISTRATION_ISID_BYTES];
};

/* One TransportID at the beginning of data; *used: its bytes, what follows is not looked
 * at. at: where it begins in the parameter list, for the field pointer. -EINVAL and
 * INVALID FIELD IN PARAMETER LIST: another protocol or format, a length that is short of
 * 24, no multiple of 4 or more than there is, no NUL behind the name, something else than
 * NULs behind that, no iSCSI name, no ISID of 1 to 12 hex digits. */
int transport_id_decode(const uint8_t *data, size_t bytes, unsigned at,
                        struct transport_id *id, size_t *used,
                        struct sense *sense) MUST_CHECK;
/* At least 24 bytes, a multiple of 4. */
void transport_id_encode(struct wire *out, const struct transport_id *id);

/* The parameter list, of any action: SPC-4, 6.16.3 and 6.16.4. TransportIDs are checked
 * all of them, then read by pr_list_next_port(), which cannot fail. */
struct pr_list {
    uint64_t key;        /* RESERVATION KEY */
    uint64_t action_key; /* SERVICE ACTION RESERVATION KEY */
    bool aptpl;          /* of REGISTER, and IGNORE, and MOVE; else false */
    bool all_ports;      /* ALL_TG_PT of REGISTER and REGISTER AND IGNORE; else false */
    bool names_ports;    /* SPEC_I_PT of REGISTER */
    bool unregisters;    /* UNREG of REGISTER AND MOVE */
    uint16_t relative_port; /* of REGISTER AND MOVE: the target port to move to */
    const uint8_t *ports; /* TransportIDs, in the data; REGISTER AND MOVE: exactly one */
    size_t port_bytes;
    unsigned ports_at; /* where they begin in the list */
};
/* data: the list as received, all of list_bytes, which is cdb->list_bytes or less if the
 * initiator sent less; it is the list's as long as that is read. PARAMETER LIST LENGTH
 * ERROR; or INVALID FIELD IN PARAMETER LIST for SPEC_I_PT of another action than
 * REGISTER, a reserved bit, TransportIDs that are not all there or that are wrong
 * (transport_id_decode), one without an ISID: that is no initiator port. */
int pr_list_decode(const struct cdb_pr_out *cdb, const uint8_t *data, size_t list_bytes,
                   struct pr_list *list, struct sense *sense) MUST_CHECK;
/* The TransportID at *at (0: the first) of list->ports; moves *at on. False: no more. */
bool pr_list_next_port(const struct pr_list *list, size_t *at, struct transport_id *id);

#endif
