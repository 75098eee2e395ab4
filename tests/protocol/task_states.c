/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix of task management: each function against a task in each state, on a session
 * of its own. A task at the disk is a race from here: tasks.c's abort-at-the-disk, and
 * unit/test_tmf, which holds the disk. */
#include "tests/protocol/task_talk.h"

#include <stdio.h>
#include <string.h>

#define BIG_BLOCKS   8192 /* 4 MiB: the most of one command */
#define BIG_BYTES    (BIG_BLOCKS * BLOCK_BYTES)
#define MEMORY_TASKS 16 /* of that size: a session's share of the buffers */
#define HALF         (BYTES / 2)
#define LIMITED_LUN  2  /* a volume of 64 KiB a second */
#define PLUG_MIB     16 /* for which that takes four minutes */

/* For what the task waits. */
enum state {
    FOR_MEMORY,
    FOR_R2T_DATA,
    FOR_MORE_DATA,
    FOR_UNSOLICITED_DATA,
    FOR_LIMIT,
    FOR_OTHERS, /* dormant behind a SIMPLE write */
    FOR_ITS_TURN,
    NOT_YET_COME, /* its number is known, and something behind it has come */
    ANSWERED,
    UNKNOWN,
    STATES,
};

static const char *const state_names[STATES] = {
    "waiting for memory",
    "waiting for data",
    "waiting for more data",
    "waiting for unsolicited data",
    "waiting for its limit",
    "dormant",
    "before its turn",
    "not yet come",
    "answered",
    "unknown",
};

struct victim {
    uint32_t itt, ttt, sn;
    uint32_t other_itt, other_ttt; /* what is in its way, or behind it */
};

/* --- into the state --- */

static bool fill_memory(struct raw *r, struct victim *v)
{
    for (int i = 0; i < MEMORY_TASKS; i++) {
        begin_rw(r, true, 0, BIG_BLOCKS);
        if (wait_for_r2t(r) != NULL)
            return false;
    }
    v->other_itt = raw_itt(&answer);
    v->sn = r->cmd_sn;
    begin_rw(r, false, 0, BIG_BLOCKS);
    v->itt = raw_itt(&pdu);
    return raw_send(r, &pdu);
}

static bool send_first_half(struct raw *r, const struct victim *v)
{
    begin_data(r, v->itt, v->ttt, 0, 0, HALF);
    pdu.bhs[1] = 0;
    return raw_send(r, &pdu);
}

/* One WRITE SAME uses the limit up for all that comes here. */
static bool use_limit_up(struct raw *r)
{
    static bool is_used_up;

    if (is_used_up)
        return true;
    begin_rw(r, true, 0, 1);
    pdu.bhs[32] = 0x41;
    pdu.bhs[32 + 7] = (uint8_t)(PLUG_MIB * 2048 >> 8);
    pdu.bhs[32 + 8] = 0;
    if (wait_for_r2t(r) != NULL)
        return false;
    uint32_t itt = raw_itt(&answer);
    answer_r2t(r);
    is_used_up = is_good(r, itt);
    return is_used_up;
}

static bool bring_about(struct raw *r, enum state state, struct victim *v)
{
    *v = (struct victim){.sn = r->cmd_sn};
    switch (state) {
    case FOR_MEMORY:
        return fill_memory(r, v);
    case FOR_R2T_DATA:
        v->itt = open_write(r, SIMPLE, &v->ttt);
        return v->itt != 0;
    case FOR_MORE_DATA:
        v->itt = open_write(r, SIMPLE, &v->ttt);
        return v->itt != 0 && send_first_half(r, v);
    case FOR_UNSOLICITED_DATA:
        begin_rw(r, true, 0, BYTES / BLOCK_BYTES);
        pdu.bhs[1] = WRITE_BIT;
        v->itt = raw_itt(&pdu);
        return raw_send(r, &pdu);
    case FOR_LIMIT:
        if (!use_limit_up(r))
            return false;
        v->sn = r->cmd_sn;
        v->itt = send_read(r, SIMPLE);
        return is_silent(r);
    case FOR_OTHERS:
        v->other_itt = open_write(r, SIMPLE, &v->other_ttt);
        v->sn = r->cmd_sn;
        v->itt = send_ready(r, ORDERED);
        return v->other_itt != 0;
    case FOR_ITS_TURN:
        v->sn = ++r->cmd_sn;
        v->itt = send_ready(r, SIMPLE);
        return true;
    case NOT_YET_COME:
        v->itt = r->next_itt++;
        r->cmd_sn++;
        v->other_itt = send_ready(r, SIMPLE);
        return true;
    case ANSWERED:
        v->itt = send_ready(r, SIMPLE);
        return is_good(r, v->itt);
    case UNKNOWN:
        v->itt = 0x7fff0000;
        v->sn = r->cmd_sn + 100000;
        return true;
    case STATES:
        break;
    }
    return false;
}

/* --- what becomes of it --- */

static bool read_whole(struct raw *r, uint32_t itt)
{
    for (uint32_t at = 0; at < BIG_BYTES; at += (uint32_t)answer.data_bytes) {
        if (raw_recv(r, &answer, ANSWER_MS) != RAW_DATA_IN || raw_itt(&answer) != itt)
            return false;
    }
    return (answer.bhs[1] & 1) != 0;
}

/* What was lost comes. */
static bool fill_gap(struct raw *r, uint32_t sn)
{
    uint32_t next = r->cmd_sn;

    r->cmd_sn = sn;
    bool filled = ping(r, 4) == NULL;
    r->cmd_sn = next;
    return filled;
}

/* It is there still: what it waits for comes, and it ends well. */
static bool lives(struct raw *r, enum state state, const struct victim *v)
{
    switch (state) {
    case FOR_MEMORY:
        return asked(r, ABORT_TASK, v->other_itt, COMPLETE) && read_whole(r, v->itt);
    case FOR_R2T_DATA:
        send_data(r, v->itt, v->ttt);
        return is_good(r, v->itt);
    case FOR_MORE_DATA:
        begin_data(r, v->itt, v->ttt, 1, HALF, HALF);
        return raw_send(r, &pdu) && is_good(r, v->itt);
    case FOR_UNSOLICITED_DATA:
        send_data(r, v->itt, TAG_NONE);
        return is_good(r, v->itt);
    case FOR_LIMIT: /* longer than we wait */
        return asked(r, ABORT_TASK, v->itt, COMPLETE);
    case FOR_OTHERS:
        send_data(r, v->other_itt, v->other_ttt);
        return is_good(r, v->other_itt) && is_good(r, v->itt);
    case FOR_ITS_TURN:
        return fill_gap(r, v->sn - 1) && is_good(r, v->itt);
    case NOT_YET_COME:
        return fill_gap(r, v->sn) && is_good(r, v->other_itt);
    case ANSWERED:
    case UNKNOWN:
    case STATES:
        break;
    }
    return is_silent(r);
}

/* It gets no answer, whatever still comes for it. */
static bool is_gone(struct raw *r, enum state state, const struct victim *v)
{
    if (!is_silent(r))
        return false;
    if (state == FOR_R2T_DATA || state == FOR_UNSOLICITED_DATA)
        send_data(r, v->itt, state == FOR_R2T_DATA ? v->ttt : TAG_NONE);
    if (state == FOR_ITS_TURN)
        return fill_gap(r, v->sn - 1) && is_silent(r);
    return is_silent(r);
}

/* --- one cell --- */

static bool is_question(enum function f)
{
    return f == QUERY_TASK || f == QUERY_TASK_SET;
}

static bool is_in_set(enum state state)
{
    return state <= FOR_OTHERS;
}

static enum response right_response(enum function f, enum state state)
{
    if (is_question(f))
        return is_in_set(state) ? SUCCEEDED : COMPLETE;
    if (f == ABORT_TASK && (state == ANSWERED || state == UNKNOWN))
        return NO_TASK;
    return COMPLETE;
}

static const char *check_fate(struct raw *r, enum function f, enum state state,
                              const struct victim *v)
{
    if (is_question(f) || state == ANSWERED || state == UNKNOWN)
        return lives(r, state, v) ? NULL : "it disturbs what it should not";
    /* The number of one that has not come counts as received: what is behind it runs. */
    if (state == NOT_YET_COME)
        return is_good(r, v->other_itt) ? NULL : "its number is not taken";
    return is_gone(r, state, v) ? NULL : "the task goes on";
}

static const char *try_cell(struct raw *r, enum function f, enum state state)
{
    static const char *const keys[] = {"InitialR2T=No", "iSCSIProtocolLevel=2", NULL};
    struct victim v;
    const char *wrong = open_unit_with(r, keys);

    if (wrong != NULL)
        return wrong;
    if (!bring_about(r, state, &v))
        return "the state does not come about";
    bool one = f == ABORT_TASK || f == QUERY_TASK;
    uint32_t itt = send_function(r, f, one ? v.itt : TAG_NONE, one ? v.sn : 0);
    if (!told(r, itt, right_response(f, state)))
        return "its response is another";
    if ((wrong = check_fate(r, f, state, &v)) != NULL)
        return wrong;
    if (!asked(r, ABORT_TASK_SET, TAG_NONE, COMPLETE))
        return "the rest is not aborted";
    return unit_ready(r);
}

/* A set of tasks that have not come is nobody's to end: on one connection they come
 * before the function. */
static bool is_cell(enum function f, enum state state)
{
    return state != NOT_YET_COME || f == ABORT_TASK || is_question(f);
}

const char *functions_in_states(struct raw *a, struct raw *b)
{
    static const enum function functions[] = {
        ABORT_TASK, ABORT_TASK_SET, CLEAR_TASK_SET, LU_RESET,
        WARM_RESET, NEXUS_RESET,    QUERY_TASK,     QUERY_TASK_SET,
    };
    static char text[200];

    (void)b;
    for (size_t i = 0; i < COUNT_OF(functions) * STATES; i++) {
        enum function f = functions[i / STATES];
        enum state state = (enum state)(i % STATES);
        uint8_t usual = lun;
        raw_close(a);
        lun = state == FOR_LIMIT ? LIMITED_LUN : usual;
        const char *wrong = is_cell(f, state) ? try_cell(a, f, state) : NULL;
        lun = usual;
        if (wrong == NULL)
            continue;
        snprintf(text, sizeof(text), "function %d, task %s: %s", f, state_names[state],
                 wrong);
        return text;
    }
    return NULL;
}
