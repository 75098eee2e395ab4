/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of opcode 84h as bytes. Pure; any thread. */
#include "proto/copy_results.h"

#include "proto/ext_copy.h"
#include "proto/rod.h"

/* COPY MANAGER STATUS of LID1, COPY OPERATION STATUS of LID4. */
static const uint8_t short_status[] = {
    [COPY_RUNNING] = 0x00,     [COPY_RUNNING_BEHIND] = 0x00, [COPY_ENDED] = 0x01,
    [COPY_ENDED_SHORT] = 0x01, [COPY_FAILED] = 0x02,         [COPY_STOPPED] = 0x02,
};
static const uint8_t long_status[] = {
    [COPY_RUNNING] = 0x11,     [COPY_RUNNING_BEHIND] = 0x12, [COPY_ENDED] = 0x01,
    [COPY_ENDED_SHORT] = 0x03, [COPY_FAILED] = 0x02,         [COPY_STOPPED] = 0x60,
};

#define UNITS_BYTES         0x00
#define UNITS_KIB           0x01 /* each next one is 2^10 of the one before */
#define UNITS_BLOCKS        0xf1
#define UPDATE_DELAY_MS     1000
#define UPDATE_DELAY_NONE   0xfffffffe /* it has ended */
#define STATUS_CHECK        0x02
#define STATUS_TASK_ABORTED 0x40
#define BIT_SNLID           0x01 /* a list without an identifier is taken */

static bool is_running(const struct copy_state *state)
{
    return state->progress == COPY_RUNNING || state->progress == COPY_RUNNING_BEHIND;
}

/* Ends what begins with a length of four bytes that counts what follows it. */
static void end_counted(struct wire *out, size_t begin)
{
    wire_patch_be32(out, begin, (uint32_t)(out->at - begin - 4));
}

void copy_status_encode(const struct copy_state *state, struct wire *out)
{
    bool big = state->bytes > UINT32_MAX;
    size_t begin = out->at;
    wire_put_be32(out, 0);
    wire_put_u8(out, short_status[state->progress]);
    wire_put_be16(out, state->segments);
    wire_put_u8(out, big ? UNITS_KIB : UNITS_BYTES);
    wire_put_be32(out, (uint32_t)(big ? state->bytes >> 10 : state->bytes));
    end_counted(out, begin);
}

/* All but the length in front. A copy that was stopped has the status that SPC-4, 6.24
 * gives it, without sense. */
static void put_status_lid4(const struct copy_state *state, uint8_t units, uint64_t count,
                            struct wire *out)
{
    uint8_t sense[SENSE_BYTES_MAX];
    bool stopped = state->progress == COPY_STOPPED;
    bool failed = state->status == STATUS_CHECK && !stopped;
    size_t sense_bytes = failed ? sense_encode(&state->sense, true, sense) : 0;
    wire_put_u8(out, state->action);
    wire_put_u8(out, long_status[state->progress]);
    wire_put_be16(out, state->asked_count);
    wire_put_be32(out, is_running(state) ? UPDATE_DELAY_MS : UPDATE_DELAY_NONE);
    wire_put_u8(out, stopped ? STATUS_TASK_ABORTED : state->status);
    wire_put_u8(out, (uint8_t)sense_bytes); /* of the field, and of what is in it */
    wire_put_u8(out, (uint8_t)sense_bytes);
    wire_put_u8(out, units);
    wire_put_be64(out, count);
    wire_put_be16(out, state->segments);
    wire_put_zeros(out, 6);
    wire_put_bytes(out, sense, sense_bytes);
}

void copy_status_lid4_encode(const struct copy_state *state, struct wire *out)
{
    size_t begin = out->at;
    wire_put_be32(out, 0);
    put_status_lid4(state, UNITS_BYTES, state->bytes, out);
    end_counted(out, begin);
}

void copy_rod_info_encode(const struct copy_state *state, uint8_t block_shift,
                          const uint8_t *token, struct wire *out)
{
    size_t begin = out->at;
    wire_put_be32(out, 0);
    put_status_lid4(state, UNITS_BLOCKS, state->bytes >> block_shift, out);
    size_t tokens = out->at;
    wire_put_be32(out, 0);
    if (token != NULL) {
        wire_put_be16(out, 0); /* of EXTENDED COPY's descriptors: none */
        wire_put_bytes(out, token, ROD_TOKEN_BYTES);
    }
    end_counted(out, tokens);
    end_counted(out, begin);
}

void copy_parameters_encode(uint8_t block_shift, struct wire *out)
{
    size_t begin = out->at;
    wire_put_be32(out, 0);
    wire_put_u8(out, BIT_SNLID);
    wire_put_zeros(out, 3);
    wire_put_be16(out, EXT_COPY_CSCDS_MAX);
    wire_put_be16(out, EXT_COPY_SEGMENTS_MAX);
    wire_put_be32(out, EXT_COPY_LIST_BYTES_MAX);
    wire_put_be32(out, EXT_COPY_SEGMENT_DATA_MAX);
    wire_put_be32(out, 0); /* inline data, */
    wire_put_be32(out, 0); /* held data, */
    wire_put_be32(out, 0); /* streams: none */
    wire_put_be16(out, 0);
    wire_put_be16(out, EXT_COPY_CONCURRENT_MAX);
    wire_put_u8(out, EXT_COPY_CONCURRENT_MAX);
    wire_put_u8(out, block_shift); /* data segment granularity */
    wire_put_u8(out, 0);
    wire_put_u8(out, 0);
    wire_put_zeros(out, 3);
    wire_put_u8(out, 2);
    wire_put_u8(out, EXT_COPY_SEGMENT_TYPE);
    wire_put_u8(out, EXT_COPY_CSCD_TYPE);
    end_counted(out, begin);
}

void copy_failure_encode(const struct copy_state *state, struct wire *out)
{
    uint8_t sense[SENSE_BYTES_MAX];
    size_t begin = out->at;
    wire_put_be32(out, 0);
    if (state == NULL || state->status != STATUS_CHECK)
        return;
    size_t sense_bytes = sense_encode(&state->sense, false, sense);
    wire_put_zeros(out, 52);
    wire_put_u8(out, state->status);
    wire_put_u8(out, 0);
    wire_put_be16(out, (uint16_t)sense_bytes);
    wire_put_bytes(out, sense, sense_bytes);
    end_counted(out, begin);
}
