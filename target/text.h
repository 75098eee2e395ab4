/* SPDX-License-Identifier: Apache-2.0 */
/* Text requests of the full feature phase: SendTargets and declarations, requests and
 * answers of several PDUs. Its connection's thread. */
#ifndef TARGET_TEXT_H
#define TARGET_TEXT_H

#include "base/wire.h"

struct conn;
struct text_exchange;

/* NULL is allowed. */
void text_destroy(struct text_exchange *x);

/* discovery.c: the answer to SendTargets=`asked` ("All", a name, "": the session's own
 * target), as this initiator may know it. */
void discovery_answer(const struct conn *c, const char *asked, struct wire *out);

#endif
