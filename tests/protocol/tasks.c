/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-tasks: task attributes, task management and the command window, as two sessions
 * of raw PDUs see them. Where a command is kept busy, it is a write whose data does not
 * come. Usage: ashlar-tasks HOST PORT TARGET INITIATOR LUN [CASE]. One thread. */
#include "tests/protocol/task_talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVEL_2 "iSCSIProtocolLevel=2"

/* --- order --- */

static const char *ordered_waits(struct raw *a, struct raw *b)
{
    uint32_t ttt, write = open_write(a, SIMPLE, &ttt);
    uint32_t ordered = send_ready(a, ORDERED);
    uint32_t after = send_read(a, SIMPLE);

    if (write == 0 || !is_silent(a))
        return "an ORDERED command, or one behind it, does not wait";
    if (!is_good(b, send_ready(b, ORDERED)))
        return "another session waits too";
    send_data(a, write, ttt);
    if (!is_good(a, write) || !is_good(a, ordered))
        return "the answers do not come in order";
    if (raw_recv(a, &answer, ANSWER_MS) != RAW_DATA_IN || raw_itt(&answer) != after)
        return "what waited is not run";
    return NULL;
}

static const char *head_of_queue_overtakes(struct raw *a, struct raw *b)
{
    uint32_t ttt, write = open_write(a, ORDERED, &ttt);
    uint32_t dormant = send_ready(a, SIMPLE);

    (void)b;
    if (write == 0 || !is_good(a, send_ready(a, HEAD_OF_QUEUE)))
        return "a HEAD OF QUEUE command waits";
    if (!is_silent(a))
        return "the others do not wait";
    send_data(a, write, ttt);
    return is_good(a, write) && is_good(a, dormant) ? NULL : "the others are not run";
}

static const char *aca_is_refused(struct raw *a, struct raw *b)
{
    (void)b;
    return is_sense(a, send_ready(a, ACA), 5, 0x4900) ? NULL
                                                      : "the ACA attribute is taken";
}

/* --- one session's functions --- */

static const char *abort_of_one(struct raw *a, struct raw *b)
{
    uint32_t ttt, write = open_write(a, SIMPLE, &ttt);
    uint32_t dormant = send_ready(a, ORDERED);

    if (!asked(b, ABORT_TASK, write, NO_TASK))
        return "another session's task is aborted";
    if (!asked(a, ABORT_TASK, dormant, COMPLETE))
        return "a dormant task is not aborted";
    if (!asked(a, ABORT_TASK, write, COMPLETE))
        return "a write that waits for data is not aborted";
    send_data(a, write, ttt); /* was on its way */
    if (!is_silent(a))
        return "an aborted task is answered";
    if (!asked(a, ABORT_TASK, write, NO_TASK) || !asked(a, ABORT_TASK, 77, NO_TASK))
        return "a task that is not there is aborted";
    uint32_t done = send_ready(a, SIMPLE);
    if (!is_good(a, done) || !asked(a, ABORT_TASK, done, NO_TASK))
        return "a task that was answered is aborted";
    return NULL;
}

/* Reads at the disk, whatever they have come to: who is told to be aborted is not
 * answered after that, who is told to be unknown was answered before. */
static const char *abort_at_the_disk(struct raw *a, struct raw *b)
{
    (void)b;
    for (int i = 0; i < 200; i++) {
        uint32_t read = send_read(a, SIMPLE);
        uint32_t abort = send_function(a, ABORT_TASK, read, a->cmd_sn - 1);
        bool answered = false;
        int rc;
        while ((rc = raw_recv(a, &answer, ANSWER_MS)) == RAW_DATA_IN)
            answered = true;
        if (rc != RAW_TMF_RSP || raw_itt(&answer) != abort)
            return "the abort of a running read is not answered";
        if (answer.bhs[2] != (answered ? NO_TASK : COMPLETE))
            return "the abort's answer and the read's do not agree";
        if (!is_silent(a))
            return "an aborted read is answered";
    }
    return NULL;
}

static const char *abort_of_a_number(struct raw *a, struct raw *b)
{
    uint32_t lost_sn = a->cmd_sn++;
    uint32_t behind = send_ready(a, SIMPLE);

    (void)b;
    if (!is_silent(a))
        return "a command runs before its turn";
    if (!told(a, send_function(a, ABORT_TASK, 0x7777, lost_sn), COMPLETE))
        return "a command that did not come is not aborted by its number";
    if (!is_good(a, behind))
        return "the number of an aborted command does not count as received";
    if (!told(a, send_function(a, ABORT_TASK, 0x7777, lost_sn), NO_TASK))
        return "a number before the window is a task";
    return NULL;
}

static const char *task_sets(struct raw *a, struct raw *b)
{
    static const enum function functions[] = {ABORT_TASK_SET, CLEAR_TASK_SET};

    for (size_t i = 0; i < COUNT_OF(functions); i++) {
        uint32_t ttt, other_ttt, other = open_write(b, SIMPLE, &other_ttt);
        if (open_write(a, SIMPLE, &ttt) == 0 || other == 0)
            return "no R2T comes";
        (void)send_ready(a, ORDERED);
        if (!asked(a, functions[i], TAG_NONE, COMPLETE) || !is_silent(a))
            return "a task set is not ended";
        send_data(b, other, other_ttt);
        if (!is_good(b, other) || !is_good(b, send_ready(b, SIMPLE)))
            return "another session notices";
        if (!is_good(a, send_ready(a, SIMPLE)))
            return "the session itself has a unit attention";
    }
    return NULL;
}

static const char *refused_functions(struct raw *a, struct raw *b)
{
    static const struct {
        enum function function;
        enum response response;
    } cases[] = {
        {0, NOT_SUPPORTED},
        {CLEAR_ACA, NOT_SUPPORTED},
        {REASSIGN, NO_REASSIGN},
        {QUERY_TASK, NOT_SUPPORTED}, /* at level 1 */
        {QUERY_TASK_SET, NOT_SUPPORTED},
        {NEXUS_RESET, NOT_SUPPORTED},
        {QUERY_ASYNC_EVENT, NOT_SUPPORTED},
        {13, NOT_SUPPORTED},
        {0x7f, NOT_SUPPORTED},
    };

    (void)b;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (!asked(a, cases[i].function, TAG_NONE, cases[i].response))
            return "a function that is not there is answered otherwise";
    }
    lun += 50;
    bool unknown = asked(a, LU_RESET, TAG_NONE, NO_LUN);
    lun = (uint8_t)(lun - 50);
    return unknown ? NULL : "a unit that is not there is reset";
}

/* --- resets --- */

static const char *reset_of(struct raw *a, struct raw *b, enum function f, unsigned code)
{
    uint32_t ttt, write = open_write(b, SIMPLE, &ttt);

    if (write == 0 || open_write(a, ORDERED, &ttt) == 0)
        return "no R2T comes";
    if (!asked(a, f, TAG_NONE, COMPLETE) || !is_silent(a) || !is_silent(b))
        return "a reset does not end all tasks";
    if (!is_sense(a, send_ready(a, SIMPLE), 6, code) ||
        !is_sense(b, send_ready(b, SIMPLE), 6, code))
        return "a session is not told by the right unit attention";
    if (!is_good(a, send_ready(a, SIMPLE)) || !is_good(b, send_ready(b, SIMPLE)))
        return "the unit attention is told twice";
    return NULL;
}

static const char *lu_reset(struct raw *a, struct raw *b)
{
    return reset_of(a, b, LU_RESET, 0x2903);
}

static const char *warm_reset(struct raw *a, struct raw *b)
{
    return reset_of(a, b, WARM_RESET, 0x2900);
}

static const char *cold_reset(struct raw *a, struct raw *b)
{
    uint32_t ttt;

    if (open_write(b, SIMPLE, &ttt) == 0 || open_write(a, SIMPLE, &ttt) == 0)
        return "no R2T comes";
    if (!asked(a, COLD_RESET, TAG_NONE, COMPLETE))
        return "the reset is not answered before its connection ends";
    if (raw_recv_end(a, ANSWER_MS) != RAW_CLOSED ||
        raw_recv_end(b, ANSWER_MS) != RAW_CLOSED)
        return "a session stays";
    raw_close(a);
    if (raw_connect(a) != 0 || raw_login(a, false) != 0)
        return "no new session";
    return is_sense(a, send_ready(a, SIMPLE), 6, 0x2900) ? NULL : "no power-on attention";
}

/* --- level 2 --- */

static const char *queries(struct raw *a, struct raw *b)
{
    uint32_t ttt, write;

    if (!asked(a, QUERY_TASK_SET, TAG_NONE, COMPLETE))
        return "an empty task set has a task";
    write = open_write(a, SIMPLE, &ttt);
    if (!asked(a, QUERY_TASK, write, SUCCEEDED) ||
        !asked(a, QUERY_TASK_SET, TAG_NONE, SUCCEEDED))
        return "a task is not found";
    if (!asked(a, QUERY_TASK, write + 9, COMPLETE) ||
        !asked(b, QUERY_TASK, write, COMPLETE) ||
        !asked(b, QUERY_TASK_SET, TAG_NONE, COMPLETE))
        return "a task is found that is not there";
    send_data(a, write, ttt);
    if (!is_good(a, write) || !asked(a, QUERY_TASK, write, COMPLETE))
        return "a question disturbs its task";
    return NULL;
}

static bool event(struct raw *r, enum response response, uint32_t info)
{
    return asked(r, QUERY_ASYNC_EVENT, TAG_NONE, response) &&
           raw_get(answer.bhs + 8, 3) == info;
}

static const char *nexus_reset(struct raw *a, struct raw *b)
{
    uint32_t ttt, other = open_write(b, SIMPLE, &ttt), own;

    if (!event(a, COMPLETE, 0))
        return "an event is told that has not been";
    if (open_write(a, SIMPLE, &own) == 0 || !asked(a, NEXUS_RESET, TAG_NONE, COMPLETE) ||
        !is_silent(a))
        return "the session's tasks are not ended";
    if (!event(a, SUCCEEDED, 0x162907) || !event(a, SUCCEEDED, 0x162907))
        return "the waiting unit attention is not told, or is taken by the question";
    if (!is_sense(a, send_ready(a, SIMPLE), 6, 0x2907))
        return "no unit attention";
    send_data(b, other, ttt);
    if (!is_good(b, other) || !event(b, COMPLETE, 0))
        return "another session notices";
    return NULL;
}

/* --- what the unit says of itself --- */

static bool data_of(struct raw *r, const uint8_t *cdb, size_t cdb_bytes, uint8_t bytes)
{
    uint32_t itt = send_cdb(r, SIMPLE, READ_BIT, cdb, cdb_bytes, bytes);

    return raw_recv(r, &answer, ANSWER_MS) == RAW_DATA_IN && raw_itt(&answer) == itt;
}

/* a has level 2, b has not. */
static const char *unit_agrees(struct raw *a, struct raw *b)
{
    static const uint8_t control[6] = {0x1a, 0x08, 0x0a, 0, 64};
    static const uint8_t extended[6] = {0x12, 0x01, 0x86, 0, 64};
    static const uint8_t functions[12] = {0xa3, 0x0d, [9] = 4};

    if (!data_of(a, control, sizeof(control), 64) || (answer.data[4 + 2] & 0xe0) != 0x20)
        return "the control mode page does not say: a task set for each nexus";
    if (!data_of(a, extended, sizeof(extended), 64) || (answer.data[5] & 0x07) != 0x07)
        return "VPD page 86h does not offer SIMPLE, ORDERED and HEAD OF QUEUE";
    if (!data_of(a, functions, sizeof(functions), 4) || answer.data[0] != 0xde ||
        answer.data[1] != 0x07)
        return "the functions of level 2 are not reported";
    raw_close(b);
    b->key = NULL;
    if (open_unit(b) != NULL || !data_of(b, functions, sizeof(functions), 4) ||
        answer.data[0] != 0xda || answer.data[1] != 0)
        return "the functions of level 1 are reported otherwise";
    return NULL;
}

/* --- the window --- */

static uint32_t told_max(void)
{
    return (uint32_t)raw_get(answer.bhs + 32, 4);
}

/* Fills the window with writes whose data does not come. */
static bool close_window(struct raw *r)
{
    uint32_t ttt;

    do {
        if (open_write(r, SIMPLE, &ttt) == 0)
            return false;
    } while ((int32_t)(told_max() - r->cmd_sn) >= 0);
    return true;
}

static const char *closed_window(struct raw *a, struct raw *b)
{
    if (!close_window(a) || told_max() != a->cmd_sn - 1)
        return "the window does not close";
    for (uint32_t i = 0; i < 300; i++) { /* beyond it, and what was there before */
        raw_begin(a, &pdu, RAW_NOP_OUT);
        raw_put(pdu.bhs + 24, 4, i % 2 == 0 ? a->cmd_sn + 1 + i : a->cmd_sn - 1 - i);
        raw_send(a, &pdu);
    }
    if (!is_silent(a))
        return "a request outside the window is answered";
    if (!is_good(b, send_ready(b, SIMPLE)))
        return "another session's window is closed too";
    if (!asked(a, ABORT_TASK_SET, TAG_NONE, COMPLETE) ||
        (int32_t)(told_max() - a->cmd_sn) < 16)
        return "a function does not pass, or the window does not open again";
    return is_good(a, send_ready(a, SIMPLE)) ? NULL : "the session does not go on";
}

/* Pings in windows, each window backwards with every one twice: each is answered once, in
 * order, and MaxCmdSN never goes back. */
static const char *window_stress(struct raw *a, struct raw *b)
{
    enum { WIDTH = 64 };
    uint32_t max = told_max();

    (void)b;
    for (int round = 0; round < 40; round++) {
        uint32_t first_sn = a->cmd_sn, first_itt = a->next_itt;
        for (uint32_t i = 2 * WIDTH; i-- > 0;) {
            raw_begin(a, &pdu, RAW_NOP_OUT);
            raw_put(pdu.bhs + 16, 4, first_itt + i / 2);
            raw_put(pdu.bhs + 24, 4, first_sn + i / 2);
            raw_send(a, &pdu);
        }
        for (uint32_t i = 0; i < WIDTH; i++) {
            if (raw_recv(a, &answer, ANSWER_MS) != RAW_NOP_IN ||
                raw_itt(&answer) != first_itt + i)
                return "a request is lost, doubled or out of order";
            if ((int32_t)(told_max() - max) < 0)
                return "MaxCmdSN goes back";
            max = told_max();
        }
        a->cmd_sn = first_sn + WIDTH;
        if (!is_silent(a) || (uint32_t)raw_get(answer.bhs + 28, 4) != a->cmd_sn)
            return "a request is answered twice, or ExpCmdSN is wrong";
    }
    return NULL;
}

/* --- a connection that ends in the middle --- */

static const char *dies_in_any_state(struct raw *a, struct raw *b)
{
    for (int state = 0; state < 6; state++) {
        uint32_t ttt, write = open_write(a, state == 1 ? ORDERED : SIMPLE, &ttt);
        if (state == 1)
            (void)send_ready(a, SIMPLE);
        for (int i = 0; state == 2 && i < 100; i++)
            (void)send_read(a, SIMPLE);
        if (state == 3)
            send_data(a, write, ttt);
        if (state == 4)
            (void)send_function(a, LU_RESET, TAG_NONE, 0);
        if (state == 5)
            (void)send_function(a, COLD_RESET, TAG_NONE, 0);
        raw_close(a);
        const char *wrong = open_unit(a);
        if (wrong != NULL)
            return wrong;
        if (state < 4 && !is_good(b, send_ready(b, SIMPLE)))
            return "another session notices";
    }
    return NULL;
}

/* --- the list --- */

static const struct {
    const char *name;
    const char *(*run)(struct raw *a, struct raw *b);
    const char *key;
} cases[] = {
    {"ordered-waits", ordered_waits, NULL},
    {"head-of-queue-overtakes", head_of_queue_overtakes, NULL},
    {"aca-is-refused", aca_is_refused, NULL},
    {"abort-of-one", abort_of_one, NULL},
    {"abort-at-the-disk", abort_at_the_disk, NULL},
    {"abort-of-a-number", abort_of_a_number, NULL},
    {"task-sets", task_sets, NULL},
    {"refused-functions", refused_functions, NULL},
    {"lu-reset", lu_reset, NULL},
    {"warm-reset", warm_reset, NULL},
    {"cold-reset", cold_reset, NULL},
    {"queries", queries, LEVEL_2},
    {"nexus-reset", nexus_reset, LEVEL_2},
    {"unit-agrees", unit_agrees, LEVEL_2},
    {"closed-window", closed_window, NULL},
    {"window-stress", window_stress, NULL},
    {"dies-in-any-state", dies_in_any_state, NULL},
    {"functions-in-states", functions_in_states, NULL},
};

static const char *run_case(const struct raw *where, size_t i)
{
    struct raw a = *where, b = *where;

    a.isid_tail = (uint16_t)(2 * i);
    b.isid_tail = (uint16_t)(2 * i + 1);
    a.key = b.key = cases[i].key;
    const char *wrong = open_unit(&a);
    if (wrong == NULL)
        wrong = open_unit(&b);
    if (wrong == NULL)
        wrong = cases[i].run(&a, &b);
    raw_close(&a);
    raw_close(&b);
    return wrong;
}

int main(int argc, char **argv)
{
    unsigned bad = 0;

    if (argc < 6) {
        fprintf(stderr, "ashlar-tasks HOST PORT TARGET INITIATOR LUN [CASE]\n");
        return 64;
    }
    struct raw where = raw_at(argv + 1);
    lun = (uint8_t)strtoul(argv[5], NULL, 10);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (argc > 6 && strcmp(argv[6], cases[i].name) != 0)
            continue;
        const char *wrong = run_case(&where, i);
        bad += raw_tell(cases[i].name, wrong);
    }
    printf("ashlar-tasks: %u cases not as they should be\n", bad);
    return bad == 0 ? 0 : 1;
}
