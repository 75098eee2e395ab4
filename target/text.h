/* SPDX-License-Identifier: Apache-2.0 */
/* Text requests of the full feature phase: SendTargets and declarations, requests and
 * answers of several PDUs. Its connection's thread. */
#ifndef TARGET_TEXT_H
#define TARGET_TEXT_H

struct text_exchange;

/* NULL is allowed. */
void text_destroy(struct text_exchange *x);

#endif
