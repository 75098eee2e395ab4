/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an initiator is still there: a NOP-In to one that has been silent, and what TCP
 * does by itself. Its reactor's thread alone. */
#ifndef TARGET_KEEPALIVE_H
#define TARGET_KEEPALIVE_H

#include <stdint.h>

struct conn;

/* Best effort: a system that does not know an option does without. */
void keepalive_set_socket(const struct conn *c);
/* Something came. */
void keepalive_on_heard(struct conn *c);
/* An open connection: asks, or cuts it. */
void keepalive_tick(struct conn *c, int64_t now_ms);
/* When keepalive_tick has something to do, if nothing is heard: clock_coarse_ms, or
 * NEVER_MS. */
int64_t keepalive_due_ms(const struct conn *c);

#endif
