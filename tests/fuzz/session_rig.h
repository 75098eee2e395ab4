/* SPDX-License-Identifier: Apache-2.0 */
/* A whole target on one thread, for fuzzing: one reactor over a real pool, every loop of
 * it turned by hand, connections by socketpair, the disk's answers held or shuffled as
 * the input says. Made once; what one input leaves behind is looked for after each. */
#ifndef TESTS_FUZZ_SESSION_RIG_H
#define TESTS_FUZZ_SESSION_RIG_H

#include <stdbool.h>
#include <stdint.h>

#define RIG_TARGET "iqn.2026-11.org.ashlar:rig"
#define RIG_OPEN   "iqn.2026-01.test.ashlar:one" /* proves nothing */
#define RIG_CHAP   "iqn.2026-01.test.ashlar:two" /* CHAP both ways */
#define RIG_LUN    3
#define RIG_BLOCKS 32768 /* of 512 bytes */

void session_rig_start(void);
/* Our end of a new connection; does not block. */
int session_rig_connect(void);
/* Every loop looks once. */
void session_rig_step(void);

void session_rig_hold_disk(void);
/* The oldest I/O alone. */
void session_rig_let_one_go(void);
void session_rig_release_disk(void);
/* The disk answers in an order of chance; false: in order. */
void session_rig_shuffle_disk(bool chance);

/* Turns until no connection, session, task, sweep or buffer is left; ends the program if
 * that does not come, our ends being closed and the disk released. */
void session_rig_settle(void);

#endif
