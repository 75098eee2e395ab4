/* SPDX-License-Identifier: Apache-2.0 */
/* What RECEIVE COPY STATUS, OPERATING PARAMETERS and FAILURE DETAILS answer: SPC-4, 6.20
 * to 6.24. Pure; any thread. */
#ifndef PROTO_COPY_RESULTS_H
#define PROTO_COPY_RESULTS_H

#include "base/wire.h"
#include "proto/sense.h"

#include <stdbool.h>
#include <stdint.h>

enum copy_progress {
    COPY_RUNNING,
    COPY_RUNNING_BEHIND, /* its command has been answered: IMMED */
    COPY_ENDED,
    COPY_ENDED_SHORT, /* without errors, but a token had less than was asked for */
    COPY_FAILED,
    COPY_STOPPED, /* by COPY OPERATION ABORT, a reset */
};

/* A copy as its initiator may ask for it. */
struct copy_state {
    enum copy_progress progress;
    uint8_t action;       /* service action of the command */
    uint8_t status;       /* of the command, once it has ended */
    struct sense sense;   /* with CHECK CONDITION */
    uint16_t segments;    /* processed, that in process included */
    uint16_t asked_count; /* how often its status was asked for */
    uint64_t bytes;       /* written */
};

#define COPY_STATUS_BYTES 12 /* all of copy_status_encode */

void copy_status_encode(const struct copy_state *state, struct wire *out);
void copy_status_lid4_encode(const struct copy_state *state, struct wire *out);
/* RECEIVE ROD TOKEN INFORMATION: of POPULATE TOKEN and WRITE USING TOKEN (SBC-4, 5.25).
 * block_shift: of their unit. token: ROD_TOKEN_BYTES that one has made; NULL: none. */
void copy_rod_info_encode(const struct copy_state *state, uint8_t block_shift,
                          const uint8_t *token, struct wire *out);
/* block_shift: of the unit that is asked. */
void copy_parameters_encode(uint8_t block_shift, struct wire *out);
/* state NULL, or of a copy that has not failed: there are no details. */
void copy_failure_encode(const struct copy_state *state, struct wire *out);

#endif
