/* SPDX-License-Identifier: Apache-2.0 */
/* What the target tells an initiator unasked: RFC 7143, 11.9. The connection is in the
 * full feature phase. Its reactor's thread alone. Without memory the connection is
 * doomed. */
#ifndef TARGET_ASYNC_MSG_H
#define TARGET_ASYNC_MSG_H

#include "proto/pdu.h"

struct conn;

/* It is to log out within so many seconds. */
void async_msg_ask_logout(struct conn *c, uint16_t within_s);
/* event: ASYNC_DROP_CONNECTION or ASYNC_DROP_SESSION. Nothing is kept for it to take up
 * again: error recovery level 0. */
void async_msg_tell_drop(struct conn *c, enum async_event event);

#endif
