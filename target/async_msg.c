/* SPDX-License-Identifier: Apache-2.0 */
/* Asynchronous messages of events 1 to 3; no other is sent. */
#include "target/async_msg.h"

#include "target/conn.h"
#include "target/session.h"

static void async_msg_send(struct conn *c, const struct async_msg *m)
{
    struct tx_pdu *p = conn_tx_new(c);
    if (p == NULL)
        return;
    async_msg_encode(m, &p->head.bhs.async);
    conn_tx_queue(c, p);
}

void async_msg_ask_logout(struct conn *c, uint16_t within_s)
{
    async_msg_send(
        c, &(struct async_msg){.event = ASYNC_LOGOUT_REQUEST, .param3 = within_s});
}

void async_msg_tell_drop(struct conn *c, enum async_event event)
{
    const struct params *p = session_params(c->session);
    async_msg_send(c, &(struct async_msg){
                          .event = event,
                          .param1 = event == ASYNC_DROP_CONNECTION ? c->cid : 0,
                          .param2 = (uint16_t)p->time2wait_s, /* at most 3600 */
                          .param3 = 0,
                      });
}
