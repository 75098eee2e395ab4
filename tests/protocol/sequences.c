/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-sequences: the numbers that count commands, answers and data (RFC 7143, 4.2.2),
 * kept and broken; data that nobody asked for, too much of it, too little. Usage, and
 * what a case is: scene.h. */
#include "tests/protocol/scene.h"

#include <string.h>

#define FINAL_BIT        0x80
#define TASK_IN_PROGRESS 0x07 /* why a PDU is rejected */
#define INVALID_FIELD    0x09
#define ABORTED_COMMAND  0x0b
#define UNSOLICITED_DATA 0x0c0c /* ASC and ASCQ: RFC 7143, 11.4.7.2 */
#define CRC_ERROR        0x4705
#define BLOCKS           8
#define BYTES            (BLOCKS * BLOCK_BYTES)

/* A session, and a write whose data is asked for. */
static const char *open_write(struct raw *r)
{
    const char *wrong = open_unit(r);

    if (wrong != NULL)
        return wrong;
    begin_rw(r, true, 0, BLOCKS);
    return wait_for_r2t(r);
}

/* --- CmdSN --- */

static const char *command_far_outside_the_window(struct raw *r)
{
    static const uint8_t tur[6];
    const char *wrong = open_unit(r);

    if (wrong != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    raw_cdb(&pdu, tur, sizeof(tur), lun, 0);
    raw_put(pdu.bhs + 24, 4, r->cmd_sn + 100000);
    raw_send(r, &pdu);
    if (raw_recv(r, &answer, QUIET_MS) != RAW_SILENT)
        return "a command outside the window is not ignored"; /* RFC 7143, 4.2.2.1 */
    return unit_ready(r);
}

/* A write with immediate data comes before a ping, whose number is before its own. */
static const char *gap_is_waited_for(struct raw *r)
{
    const char *wrong = open_unit(r);

    if (wrong != NULL)
        return wrong;
    uint32_t lost_sn = r->cmd_sn++;
    begin_data(r, 0, TAG_NONE, 0, 0, BYTES); /* for its pattern */
    begin_rw(r, true, 0, BLOCKS);
    pdu.data_bytes = BYTES;
    uint32_t write = raw_itt(&pdu);
    raw_send(r, &pdu);
    uint32_t next_sn = r->cmd_sn;
    if (!is_silent(r))
        return "a command before its turn is answered";
    if (raw_get(answer.bhs + 28, 4) != lost_sn)
        return "ExpCmdSN is not the number that is missing";
    r->cmd_sn = lost_sn;
    if ((wrong = ping(r, 4)) != NULL)
        return wrong;
    r->cmd_sn = next_sn;
    return is_good(r, write) ? holds_data(r, 0, BLOCKS) : "what waited is not run";
}

static const char *second_copy_is_ignored(struct raw *r)
{
    const char *wrong = open_unit(r);

    if (wrong != NULL)
        return wrong;
    begin_rw(r, true, 0, BLOCKS);
    struct raw_pdu *first = &pdu;
    uint8_t copy[RAW_BHS_BYTES];
    memcpy(copy, first->bhs, sizeof(copy));
    if ((wrong = wait_for_r2t(r)) != NULL)
        return wrong;
    struct raw_pdu r2t = answer;
    memcpy(pdu.bhs, copy, sizeof(copy));
    pdu.data_bytes = 0;
    raw_send(r, &pdu);
    if (!is_silent(r))
        return "a command that came before is answered again";
    answer = r2t;
    answer_r2t(r);
    return is_good(r, (uint32_t)raw_get(copy + 16, 4)) ? unit_ready(r)
                                                       : "the first one is disturbed";
}

/* An immediate command takes no number, and waits for none. */
static const char *immediate_command(struct raw *r)
{
    static const uint8_t tur[6];
    const char *wrong = open_unit(r);

    if (wrong != NULL)
        return wrong;
    uint32_t sn = r->cmd_sn;
    r->cmd_sn++; /* a gap */
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    pdu.bhs[0] |= IMMEDIATE_BIT;
    raw_cdb(&pdu, tur, sizeof(tur), lun, 0);
    raw_send(r, &pdu);
    if (!is_good(r, raw_itt(&pdu)))
        return "an immediate command waits for its number";
    if (raw_get(answer.bhs + 28, 4) != sn)
        return "it takes a number";
    r->cmd_sn = sn;
    return unit_ready(r);
}

static const char *tag_in_use(struct raw *r)
{
    static const uint8_t tur[6];
    const char *wrong = open_write(r);

    if (wrong != NULL)
        return wrong;
    struct raw_pdu r2t = answer;
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    raw_cdb(&pdu, tur, sizeof(tur), lun, 0);
    memcpy(pdu.bhs + 16, r2t.bhs + 16, 4);
    raw_send(r, &pdu);
    if (!is_rejected(r, TASK_IN_PROGRESS))
        return "a tag that is in use is not rejected";
    answer = r2t;
    answer_r2t(r);
    return is_good(r, raw_itt(&r2t)) ? unit_ready(r) : "its owner is disturbed";
}

static const char *logout_over_a_gap(struct raw *r)
{
    const char *wrong = open_unit(r);

    if (wrong != NULL)
        return wrong;
    r->cmd_sn++;
    begin_rw(r, false, 0, BLOCKS);
    raw_send(r, &pdu);
    raw_begin(r, &pdu, RAW_LOGOUT);
    pdu.bhs[0] |= IMMEDIATE_BIT;
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_LOGOUT_RSP)
        return "a logout waits for a command that is lost";
    return closed(r);
}

/* --- StatSN --- */

/* At error recovery level 0 nobody asks again: what the initiator says it has got is of
 * no consequence, however wrong. */
static const char *acknowledged_nonsense(struct raw *r)
{
    static const uint32_t offsets[] = {0, 1, 100, 0x7fffffff, 0x80000000, 0xffffffff};
    const char *wrong = open_unit(r);

    for (size_t i = 0; i < COUNT_OF(offsets) && wrong == NULL; i++) {
        uint32_t right = r->exp_stat_sn;
        r->exp_stat_sn += offsets[i];
        wrong = ping(r, 4);
        if (wrong == NULL && raw_get(answer.bhs + 24, 4) != right)
            wrong = "StatSN does not count on";
    }
    return wrong;
}

/* --- Data-Out --- */

static const char *data_for_unknown_transfer(struct raw *r)
{
    const char *wrong = open_session(r);

    if (wrong != NULL)
        return wrong;
    begin_data(r, 0x4711, 0x12345678, 0, 0, BLOCK_BYTES);
    raw_send(r, &pdu);
    if (!is_rejected(r, INVALID_FIELD))
        return "not rejected as an invalid field";
    return ping(r, 4);
}

/* What is wrong with the one Data-Out that a write of 8 blocks asks for. */
struct data_fault {
    uint32_t ttt_change, offset;
    size_t bytes;
    bool final;
};

static const char *try_data_fault(struct raw *r, const struct data_fault *f)
{
    const char *wrong = open_write(r);

    if (wrong != NULL)
        return wrong;
    uint32_t ttt = (uint32_t)raw_get(answer.bhs + 20, 4) ^ f->ttt_change;
    begin_data(r, raw_itt(&answer), ttt, 0, f->offset, f->bytes);
    pdu.bhs[1] = f->final ? FINAL_BIT : 0;
    raw_send(r, &pdu);
    wrong = is_rejected(r, INVALID_FIELD) ? closed(r) : "not rejected as it should be";
    raw_close(r);
    return wrong;
}

/* Each breaks the order that was agreed on: the connection ends, as level 0 has it. */
static const char *data_out_of_order(struct raw *r)
{
    static const struct data_fault faults[] = {
        {0, BYTES, BYTES, true},           /* beyond its transfer */
        {0, 0, 2 * BYTES, true},           /* more than was asked for */
        {0, BLOCK_BYTES, BYTES / 2, true}, /* a hole before it */
        {0, 0xfffffe00, BLOCK_BYTES, true},
        {0, 0, BYTES / 2, true}, /* the F bit before the end */
        {0, 0, BYTES, false},    /* no F bit at the end */
        {0x1000, 0, BYTES, true},
        {0, 0, 0, true},
    };
    const char *wrong = NULL;

    for (size_t i = 0; i < COUNT_OF(faults) && wrong == NULL; i++)
        wrong = try_data_fault(r, &faults[i]);
    return wrong;
}

/* RFC 7143, 7.9: one before it is lost, as if its digest were bad: 7.8. All the data is
 * waited for. */
static const char *data_number_wrong(struct raw *r)
{
    const char *wrong = open_write(r);

    if (wrong != NULL)
        return wrong;
    uint32_t itt = raw_itt(&answer), ttt = (uint32_t)raw_get(answer.bhs + 20, 4);
    begin_data(r, itt, ttt, 7, 0, BYTES / 2);
    pdu.bhs[1] = 0;
    raw_send(r, &pdu);
    if (!is_silent(r))
        return "answered before all the data came";
    begin_data(r, itt, ttt, 8, BYTES / 2, BYTES / 2);
    raw_send(r, &pdu);
    if (!is_sense(r, itt, ABORTED_COMMAND, CRC_ERROR))
        return "the command does not end with PROTOCOL SERVICE CRC ERROR";
    return unit_ready(r);
}

static const char *data_once_more(struct raw *r)
{
    const char *wrong = open_write(r);

    if (wrong != NULL)
        return wrong;
    struct raw_pdu r2t = answer;
    answer_r2t(r);
    if (!is_good(r, raw_itt(&r2t)))
        return "the write fails";
    answer = r2t;
    answer_r2t(r);
    return is_rejected(r, INVALID_FIELD) ? ping(r, 4) : "data after the end is taken";
}

static const char *data_for_a_read(struct raw *r)
{
    static const char *const keys[] = {"MaxRecvDataSegmentLength=512", NULL};
    const char *wrong = open_unit_with(r, keys);

    if (wrong != NULL)
        return wrong;
    begin_rw(r, false, 0, 1);
    uint32_t itt = raw_itt(&pdu);
    raw_send(r, &pdu);
    begin_data(r, itt, TAG_NONE, 0, 0, BLOCK_BYTES);
    raw_send(r, &pdu);
    if (raw_recv(r, &answer, ANSWER_MS) == RAW_DATA_IN) /* or it was too late for that */
        return is_rejected(r, INVALID_FIELD) ? NULL : "data for a read is taken";
    return answer.bhs[0] == RAW_REJECT ? NULL : "data for a read is taken";
}

/* Two R2Ts, answered the wrong way round: DataSequenceInOrder is Yes. */
static const char *sequences_swapped(struct raw *r)
{
    static const char *const keys[] = {"MaxBurstLength=4096", "MaxOutstandingR2T=2",
                                       NULL};
    const char *wrong = open_unit_with(r, keys);

    if (wrong != NULL)
        return wrong;
    begin_rw(r, true, 0, 2 * BLOCKS);
    if ((wrong = wait_for_r2t(r)) != NULL)
        return wrong;
    if (raw_recv(r, &answer, ANSWER_MS) != RAW_R2T)
        return "no second R2T comes";
    answer_r2t(r);
    return is_rejected(r, INVALID_FIELD) ? closed(r)
                                         : "the second sequence is taken first";
}

static const char *dies_before_its_data(struct raw *r)
{
    const char *wrong = open_write(r);

    raw_close(r); /* the session of a new login must not care */
    return wrong != NULL ? wrong : open_unit(r);
}

/* --- data that is not asked for --- */

static const char *immediate_data_too_long(struct raw *r)
{
    const char *wrong = open_unit(r);

    if (wrong != NULL)
        return wrong;
    begin_rw(r, true, 0, 1);
    raw_put(pdu.bhs + 5, 3, 0xffffff);
    raw_send_as_is(r, &pdu);
    return rejected_or_closed(r);
}

static const char *more_than_expected(struct raw *r)
{
    const char *wrong = open_unit(r);

    if (wrong != NULL)
        return wrong;
    begin_rw(r, true, 0, 1);
    pdu.data_bytes = BLOCK_BYTES + 4;
    raw_send(r, &pdu);
    return rejected_or_closed(r);
}

/* A write whose data comes in a way that these keys forbid. immediate: with it; else in
 * a Data-Out. */
static const char *refused_unsolicited(struct raw *r, const char *const *keys,
                                       bool immediate)
{
    const char *wrong = open_unit_with(r, keys);

    if (wrong != NULL)
        return wrong;
    begin_rw(r, true, 0, BLOCKS);
    uint32_t itt = raw_itt(&pdu);
    if (immediate)
        pdu.data_bytes = BYTES;
    else
        pdu.bhs[1] = WRITE_BIT;
    raw_send(r, &pdu);
    if (!immediate) {
        begin_data(r, itt, TAG_NONE, 0, 0, BYTES);
        raw_send(r, &pdu);
    }
    if (!is_sense(r, itt, ABORTED_COMMAND, UNSOLICITED_DATA))
        return "the command does not end with UNEXPECTED UNSOLICITED DATA";
    return unit_ready(r);
}

static const char *immediate_data_forbidden(struct raw *r)
{
    static const char *const keys[] = {"ImmediateData=No", NULL};

    return refused_unsolicited(r, keys, true);
}

static const char *immediate_data_over_first_burst(struct raw *r)
{
    static const char *const keys[] = {"FirstBurstLength=2048", NULL};

    return refused_unsolicited(r, keys, true);
}

static const char *unsolicited_data_forbidden(struct raw *r)
{
    static const char *const keys[] = {"InitialR2T=Yes", NULL};

    return refused_unsolicited(r, keys, false);
}

/* Immediate data, two PDUs of unsolicited data, the rest by R2T. */
static const char *all_three_ways(struct raw *r)
{
    static const char *const keys[] = {"InitialR2T=No", "FirstBurstLength=2048", NULL};
    const char *wrong = open_unit_with(r, keys);

    if (wrong != NULL)
        return wrong;
    begin_data(r, 0, TAG_NONE, 0, 0, BYTES); /* for its pattern */
    begin_rw(r, true, 0, BLOCKS);
    pdu.bhs[1] = WRITE_BIT;
    pdu.data_bytes = 512;
    uint32_t itt = raw_itt(&pdu);
    raw_send(r, &pdu);
    begin_data(r, itt, TAG_NONE, 0, 512, 1000);
    pdu.bhs[1] = 0;
    raw_send(r, &pdu);
    begin_data(r, itt, TAG_NONE, 1, 1512, 536);
    raw_send(r, &pdu);
    if (raw_recv(r, &answer, ANSWER_MS) != RAW_R2T ||
        raw_get(answer.bhs + 40, 4) != 2048 || raw_get(answer.bhs + 44, 4) != 2048)
        return "the R2T does not ask for the rest";
    answer_r2t(r);
    return is_good(r, itt) ? holds_data(r, 0, BLOCKS) : "the write fails";
}

static const char *unsolicited_data_over_first_burst(struct raw *r)
{
    static const char *const keys[] = {"InitialR2T=No", "FirstBurstLength=2048", NULL};
    const char *wrong = open_unit_with(r, keys);

    if (wrong != NULL)
        return wrong;
    begin_rw(r, true, 0, BLOCKS);
    pdu.bhs[1] = WRITE_BIT;
    uint32_t itt = raw_itt(&pdu);
    raw_send(r, &pdu);
    begin_data(r, itt, TAG_NONE, 0, 0, 2052);
    raw_send(r, &pdu);
    return is_rejected(r, INVALID_FIELD) ? closed(r)
                                         : "more than FirstBurstLength is taken";
}

/* The CDB and the initiator do not agree on the length: RFC 7143, 11.4.5. */
static const char *lengths_disagree(struct raw *r)
{
    static const struct {
        uint32_t expected;
        uint8_t flags;
    } cases[] = {{BYTES - BLOCK_BYTES, 0x04}, {BYTES + BLOCK_BYTES, 0x02}};
    const char *wrong = open_unit(r);

    for (size_t i = 0; i < COUNT_OF(cases) && wrong == NULL; i++) {
        begin_rw(r, true, 0, BLOCKS);
        raw_put(pdu.bhs + 20, 4, cases[i].expected);
        if ((wrong = wait_for_r2t(r)) != NULL)
            break;
        if (raw_get(answer.bhs + 44, 4) > cases[i].expected)
            return "more is asked for than the initiator has";
        uint32_t itt = raw_itt(&answer);
        answer_r2t(r);
        if (!is_good(r, itt) || (answer.bhs[1] & 0x06) != cases[i].flags ||
            raw_get(answer.bhs + 44, 4) != BLOCK_BYTES)
            return "the residual is not told";
    }
    return wrong;
}

/* --- what was agreed on is kept --- */

/* A read of `bytes` whole, in PDUs of at most `most`, each `burst` ending a sequence. */
static const char *read_in_pieces(struct raw *r, uint16_t blocks, uint32_t most,
                                  uint32_t burst)
{
    uint32_t at = 0, bytes = blocks * BLOCK_BYTES;

    begin_rw(r, false, 0, blocks);
    raw_send(r, &pdu);
    for (uint32_t sn = 0; at < bytes; sn++) {
        if (raw_recv(r, &answer, ANSWER_MS) != RAW_DATA_IN ||
            raw_get(answer.bhs + 36, 4) != sn || raw_get(answer.bhs + 40, 4) != at)
            return "Data-In out of order";
        if (answer.data_bytes > most)
            return "a data segment is longer than what was declared";
        at += (uint32_t)answer.data_bytes;
        bool final = (answer.bhs[1] & FINAL_BIT) != 0;
        if (final != (at % burst == 0 || at == bytes))
            return "sequences do not end where MaxBurstLength says";
    }
    return at == bytes && (answer.bhs[1] & 1) != 0 ? NULL : "the read ends otherwise";
}

static const char *data_in_lengths(struct raw *r)
{
    static const char *const keys[] = {"MaxRecvDataSegmentLength=1536",
                                       "MaxBurstLength=4096", NULL};
    const char *wrong = open_unit_with(r, keys);

    if (wrong != NULL || (wrong = read_in_pieces(r, 32, 1536, 4096)) != NULL)
        return wrong;
    raw_begin(r, &pdu, RAW_TEXT);
    raw_text(&pdu, "MaxRecvDataSegmentLength=512");
    if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_TEXT_RSP)
        return "a new length is not taken in full feature phase";
    return read_in_pieces(r, 32, 512, 4096);
}

static const char *r2t_lengths(struct raw *r)
{
    static const char *const keys[] = {"MaxBurstLength=4096", "MaxOutstandingR2T=3",
                                       NULL};
    const char *wrong = open_unit_with(r, keys);

    if (wrong != NULL)
        return wrong;
    begin_rw(r, true, 0, 4 * BLOCKS);
    raw_send(r, &pdu);
    for (uint32_t i = 0; i < 3; i++) {
        if (raw_recv(r, &answer, ANSWER_MS) != RAW_R2T ||
            raw_get(answer.bhs + 36, 4) != i ||
            raw_get(answer.bhs + 40, 4) != (uint64_t)i * 4096 ||
            raw_get(answer.bhs + 44, 4) != 4096)
            return "the R2Ts are not three of MaxBurstLength";
    }
    return is_silent(r) ? NULL : "more R2Ts are outstanding than were agreed on";
}

/* --- the list --- */

static const struct scene scenes[] = {
    {"command-far-outside-the-window", command_far_outside_the_window},
    {"gap-is-waited-for", gap_is_waited_for},
    {"second-copy-is-ignored", second_copy_is_ignored},
    {"immediate-command", immediate_command},
    {"tag-in-use", tag_in_use},
    {"logout-over-a-gap", logout_over_a_gap},
    {"acknowledged-nonsense", acknowledged_nonsense},
    {"data-for-unknown-transfer", data_for_unknown_transfer},
    {"data-out-of-order", data_out_of_order},
    {"data-number-wrong", data_number_wrong},
    {"data-once-more", data_once_more},
    {"data-for-a-read", data_for_a_read},
    {"sequences-swapped", sequences_swapped},
    {"dies-before-its-data", dies_before_its_data},
    {"immediate-data-too-long", immediate_data_too_long},
    {"more-than-expected", more_than_expected},
    {"immediate-data-forbidden", immediate_data_forbidden},
    {"immediate-data-over-first-burst", immediate_data_over_first_burst},
    {"unsolicited-data-forbidden", unsolicited_data_forbidden},
    {"all-three-ways", all_three_ways},
    {"unsolicited-data-over-first-burst", unsolicited_data_over_first_burst},
    {"lengths-disagree", lengths_disagree},
    {"data-in-lengths", data_in_lengths},
    {"r2t-lengths", r2t_lengths},
};

int main(int argc, char **argv)
{
    return scenes_main(argc, argv, "ashlar-sequences", scenes, COUNT_OF(scenes));
}
