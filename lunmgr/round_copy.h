/* SPDX-License-Identifier: Apache-2.0 */
/* Of a round (round.h): what was marked since the one before, copied for its commit. The
 * pools' loop; the marks are any thread's. */
#ifndef LUNMGR_ROUND_COPY_H
#define LUNMGR_ROUND_COPY_H

#include <stdbool.h>

struct pool;

/* Takes the gate alone, and gives the round its number. False: out of memory somewhere:
 * what was copied is to be marked again, by round_redo. */
bool round_copy(struct pool *pool);
/* What a failed round took is to be taken again. */
void round_redo(struct pool *pool);

#endif
