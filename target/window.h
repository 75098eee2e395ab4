/* SPDX-License-Identifier: Apache-2.0 */
/* The command window of a session: which CmdSN is next, and how far the initiator may go
 * (RFC 7143, 4.2.2.1). A plain value; its session's thread. */
#ifndef TARGET_WINDOW_H
#define TARGET_WINDOW_H

#include "base/auto.h"

#include <stdbool.h>
#include <stdint.h>

enum window_verdict {
    WINDOW_RUN,    /* it is the next one, or immediate: act on it */
    WINDOW_HOLD,   /* inside the window, but one before it is missing */
    WINDOW_IGNORE, /* outside, or taken before: not a word is answered */
};

struct window {
    uint32_t exp_cmd_sn;
    uint32_t max_cmd_sn; /* the highest told; it never goes back */
    uint32_t size;
    uint32_t open; /* non-immediate commands that have no answer yet */
};

/* cmd_sn: of the first login request. */
void window_init(struct window *w, uint32_t cmd_sn, uint32_t size);
/* A request with this CmdSN came. WINDOW_RUN of a non-immediate one takes the number. */
enum window_verdict window_take(struct window *w, uint32_t cmd_sn,
                                bool immediate) MUST_CHECK;
/* A non-immediate command is there, has its answer. */
void window_open(struct window *w);
void window_close(struct window *w);
/* MaxCmdSN for a PDU that is sent now. */
uint32_t window_max_cmd_sn(struct window *w);

#endif
