/* SPDX-License-Identifier: Apache-2.0 */
/* The window moves with what is answered: ExpCmdSN goes up as commands come, and MaxCmdSN
 * stays where it is until one of them ends. */
#include "target/window.h"

#include "proto/pdu.h"

#include <assert.h>

void window_init(struct window *w, uint32_t cmd_sn, uint32_t size)
{
    *w = (struct window){
        .exp_cmd_sn = cmd_sn,
        .max_cmd_sn = cmd_sn + size - 1,
        .size = size,
    };
}

enum window_verdict window_take(struct window *w, uint32_t cmd_sn, bool immediate)
{
    if (immediate)
        return WINDOW_RUN;
    if (sn_before(cmd_sn, w->exp_cmd_sn) || sn_before(w->max_cmd_sn, cmd_sn))
        return WINDOW_IGNORE;
    if (cmd_sn != w->exp_cmd_sn)
        return WINDOW_HOLD;
    w->exp_cmd_sn++;
    return WINDOW_RUN;
}

void window_open(struct window *w)
{
    w->open++;
}

void window_close(struct window *w)
{
    assert(w->open > 0);
    w->open--;
}

uint32_t window_max_cmd_sn(struct window *w)
{
    uint32_t room = w->open < w->size ? w->size - w->open : 0;
    uint32_t max = w->exp_cmd_sn + room - 1;
    if (sn_before(w->max_cmd_sn, max))
        w->max_cmd_sn = max;
    return w->max_cmd_sn;
}
