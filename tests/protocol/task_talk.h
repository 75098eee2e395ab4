/* SPDX-License-Identifier: Apache-2.0 */
/* What ashlar-tasks says to a target and hears from it: commands that stay where they
 * are, and task management functions. One thread. */
#ifndef TESTS_PROTOCOL_TASK_TALK_H
#define TESTS_PROTOCOL_TASK_TALK_H

#include "tests/protocol/scene.h"

#define BYTES 4096 /* of a read or write here */

enum attr { SIMPLE = 1, ORDERED = 2, HEAD_OF_QUEUE = 3, ACA = 4 };

enum function {
    ABORT_TASK = 1,
    ABORT_TASK_SET = 2,
    CLEAR_ACA = 3,
    CLEAR_TASK_SET = 4,
    LU_RESET = 5,
    WARM_RESET = 6,
    COLD_RESET = 7,
    REASSIGN = 8,
    QUERY_TASK = 9,
    QUERY_TASK_SET = 10,
    NEXUS_RESET = 11,
    QUERY_ASYNC_EVENT = 12,
};

enum response {
    COMPLETE = 0,
    NO_TASK = 1,
    NO_LUN = 2,
    NO_REASSIGN = 4,
    NOT_SUPPORTED = 5,
    SUCCEEDED = 7,
};

uint32_t send_cdb(struct raw *r, enum attr attr, uint8_t direction, const uint8_t *cdb,
                  size_t cdb_bytes, uint32_t expected);
/* TEST UNIT READY. */
uint32_t send_ready(struct raw *r, enum attr attr);
uint32_t send_read(struct raw *r, enum attr attr);
/* A write that has its R2T: ttt of that. 0: none came. */
uint32_t open_write(struct raw *r, enum attr attr, uint32_t *ttt);
/* All of it. */
void send_data(struct raw *r, uint32_t itt, uint32_t ttt);
/* Immediate. ref_sn: RefCmdSN. Its task tag. */
uint32_t send_function(struct raw *r, enum function f, uint32_t ref_itt, uint32_t ref_sn);

/* That function's response is next. */
bool told(struct raw *r, uint32_t itt, enum response response);
/* Both. */
bool asked(struct raw *r, enum function f, uint32_t ref_itt, enum response response);

/* Every function in every state of a task that can be brought about from outside:
 * task_states.c. NULL, or what was wrong. */
const char *functions_in_states(struct raw *a, struct raw *b);

#endif
