/* SPDX-License-Identifier: Apache-2.0 */
/* Encode and decode side by side. The encoder takes the longest run at each place; a run
 * that saves nothing is left to the literal run around it, so RUN_BYTES_MAX holds. */
#include "db/run_codec.h"

#include <assert.h>

/* From here on a run costs less than the same words in a literal and the two headers. */
#define SHORTEST_RUN 2

static size_t run_length(const uint64_t *words, size_t left, uint64_t step)
{
    size_t count = 1;
    while (count < left && words[count] == words[count - 1] + step &&
           words[count] >= words[count - 1])
        count++;
    return count;
}

/* The run that begins here, or a literal of one word. */
static enum run_kind run_at(const uint64_t *words, size_t left, size_t *count)
{
    *count = run_length(words, left, 0);
    if (words[0] == 0)
        return RUN_ZERO;
    if (*count >= SHORTEST_RUN)
        return RUN_SAME;
    *count = run_length(words, left, RUN_RISE);
    if (*count >= SHORTEST_RUN)
        return RUN_RISING;
    return RUN_LITERAL;
}

static size_t literal_length(const uint64_t *words, size_t left)
{
    size_t count = 0, run = 0;
    while (count < left && run_at(words + count, left - count, &run) == RUN_LITERAL)
        count++;
    return count;
}

size_t run_encode(const uint64_t *words, size_t left, struct wire *out)
{
    size_t count = 0;
    enum run_kind run = run_at(words, left, &count);
    size_t stored = run == RUN_ZERO ? 0 : 1;
    if (run == RUN_LITERAL)
        stored = count = literal_length(words, left);
    wire_put_u8(out, (uint8_t)run);
    wire_put_u8(out, (uint8_t)(count - 1));
    for (size_t i = 0; i < stored; i++)
        wire_put_be64(out, words[i]);
    return count;
}

/* Fills count words; false if the run is none of ours. */
static bool run_fill(struct wire_in *in, uint8_t run, uint64_t *words, size_t count)
{
    if (run == RUN_LITERAL) {
        for (size_t i = 0; i < count; i++)
            words[i] = wire_take_be64(in);
        return true;
    }
    if (run > RUN_LITERAL)
        return false;
    uint64_t word = run == RUN_ZERO ? 0 : wire_take_be64(in);
    uint64_t step = run == RUN_RISING ? RUN_RISE : 0;
    if (word > UINT64_MAX - step * (count - 1))
        return false;
    for (size_t i = 0; i < count; i++)
        words[i] = word + step * i;
    return true;
}

size_t run_decode(struct wire_in *in, uint64_t *words, size_t left)
{
    uint8_t run = wire_take_u8(in);
    size_t count = (size_t)wire_take_u8(in) + 1;
    if (wire_in_rc(in) != 0 || count > left || !run_fill(in, run, words, count) ||
        wire_in_rc(in) != 0)
        return 0;
    return count;
}
