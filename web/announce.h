/* SPDX-License-Identifier: Apache-2.0 */
/* The event of each change that the API made. Control thread. */
#ifndef WEB_ANNOUNCE_H
#define WEB_ANNOUNCE_H

struct exchange;

/* x's change was made, whether anybody still waits for its answer or not. */
void announce_change(const struct exchange *x);

#endif
