/* SPDX-License-Identifier: Apache-2.0 */
/* What a volume holds is what was written to it, whatever the engine, the block size and
 * the order of answers: random loads against an oracle, on one lane and on several. */
#include "tests/lib/rig_check.h"
#include "tests/lib/vio_load.h"

#include "lunmgr/pool_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define POOL_BYTES   (64 * MIB)
#define VOLUME_BYTES (24 * MIB)

struct way {
    enum rig_engine engine;
    uint64_t seed;
    bool page_cache;
};

static const struct way ways[] = {{RIG_URING, 0, false}, {RIG_THREADS, 0, false},
                                  {RIG_FAKE, 0, false},  {RIG_FAKE, 4711, false},
                                  {RIG_CUT, 815, false}, {RIG_URING, 0, true}};

static const struct load_mix all_mix = {
    .read = 30, .write = 37, .unmap = 10, .zero = 10, .flush = 2, .compare = 8};

static struct pool_rig rig;

static struct pool_rig *setup(void **state, unsigned lanes, bool threads)
{
    const struct way *way = *state;
    if (!pool_rig_has(way->engine))
        skip();
    struct pool_rig_options options = {.engine = way->engine,
                                       .lane_count = lanes,
                                       .threads = threads,
                                       .pool_bytes = POOL_BYTES,
                                       .page_cache = way->page_cache,
                                       .tick_ms = 20,
                                       .seed = way->seed};
    pool_rig_create(&rig, &options);
    return &rig;
}

static void one_lane(void **state, uint32_t block_bytes, uint64_t bytes_max,
                     unsigned count)
{
    struct pool_rig *r = setup(state, 1, false);
    struct volume *v = pool_rig_volume(r, "v", VOLUME_BYTES, block_bytes);
    struct oracle *o = oracle_create(VOLUME_BYTES);
    struct load_options load = {.rig = r,
                                .volume = v,
                                .oracle = o,
                                .seed = 1,
                                .count = rig_times(count),
                                .depth = 8,
                                .region_bytes = VOLUME_BYTES,
                                .align_bytes = block_bytes,
                                .bytes_max = bytes_max,
                                .mix = all_mix,
                                .fua_percent = 1};
    assert_int_equal(vio_load_run(&load), 0);
    assert_true(oracle_verify(o, r, v, NULL));
    assert_null(oracle_offence(o));
    rig_assert_sound(r);

    pool_rig_reopen(r);
    assert_true(oracle_verify(o, r, volume_find(r->manager, "v"), NULL));
    rig_assert_sound(r);
    oracle_destroy(o);
    pool_rig_destroy(r);
}

static void a_512_byte_volume_holds_what_was_written(void **state)
{
    one_lane(state, 512, VIO_BYTES_MAX, 250);
}

static void a_4096_byte_volume_holds_what_was_written(void **state)
{
    one_lane(state, 4096, VIO_BYTES_MAX, 250);
}

static void small_ios_on_few_extents_hold(void **state)
{
    struct pool_rig *r = setup(state, 1, false);
    struct volume *v = pool_rig_volume(r, "v", MIB, 512);
    struct oracle *o = oracle_create(MIB);
    struct load_options load = {.rig = r,
                                .volume = v,
                                .oracle = o,
                                .seed = 7,
                                .count = rig_times(1200),
                                .depth = 16,
                                .region_bytes = 4 * EXTENT_BYTES,
                                .align_bytes = 512,
                                .bytes_max = 2 * EXTENT_BYTES,
                                .mix = all_mix,
                                .fua_percent = 1};
    assert_int_equal(vio_load_run(&load), 0);
    assert_true(oracle_verify(o, r, v, NULL));
    assert_null(oracle_offence(o));
    rig_assert_sound(r);
    oracle_destroy(o);
    pool_rig_destroy(r);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The sectors of each block are of one write, whichever. */
static void assert_blocks_are_whole(struct pool_rig *r, struct volume *v, uint64_t bytes)
{
    AUTO_FREE uint8_t *data = malloc(bytes);
    assert_int_equal(rig_io_run(r, 0, v, VIO_READ, 0, bytes, data), 0);
    for (uint64_t s = 0; s < bytes / ORACLE_SECTOR; s += 8)
        for (uint64_t i = 1; i < 8; i++)
            assert_int_equal(oracle_tag(data + (s + i) * ORACLE_SECTOR, s + i),
                             oracle_tag(data + s * ORACLE_SECTOR, s));
}

static void lanes(void **state, bool overlap, uint32_t align_bytes, uint64_t region_bytes)
{
    struct pool_rig *r = setup(state, 3, true);
    struct volume *v = pool_rig_volume(r, "v", VOLUME_BYTES, 512);
    struct oracle *o = oracle_create(VOLUME_BYTES);
    struct vio_load *loads[RIG_LANES];
    for (unsigned i = 0; i < RIG_LANES; i++) {
        struct load_options load = {.rig = r,
                                    .lane = i,
                                    .volume = v,
                                    .oracle = o,
                                    .seed = 100 + i,
                                    .count = rig_times(500),
                                    .depth = 8,
                                    .first_bytes = overlap ? 0 : i * region_bytes,
                                    .region_bytes = region_bytes,
                                    .align_bytes = align_bytes,
                                    .bytes_max = least(4 * EXTENT_BYTES, region_bytes),
                                    .mix = all_mix,
                                    .fua_percent = 1};
        loads[i] = vio_load_start(&load);
    }
    assert_int_equal(vio_loads_finish(r, loads, RIG_LANES), 0);
    assert_true(oracle_verify(o, r, v, NULL));
    assert_null(oracle_offence(o));
    if (align_bytes == BLOCK_BYTES)
        assert_blocks_are_whole(r, v, region_bytes);
    rig_assert_sound(r);
    oracle_destroy(o);
    pool_rig_destroy(r);
}

static void three_lanes_apart_hold(void **state)
{
    lanes(state, false, 512, 8 * MIB);
}

static void three_lanes_in_the_same_blocks_hold(void **state)
{
    lanes(state, true, 512, 6 * EXTENT_BYTES);
}

static void blocks_written_by_three_lanes_are_never_torn(void **state)
{
    lanes(state, true, BLOCK_BYTES, 3 * EXTENT_BYTES);
}

/* ---- Status ------------------------------------------------------------------------ */

#define STRETCHES 8

static uint32_t status_of(struct pool_rig *r, struct volume *v, uint64_t offset,
                          uint64_t bytes, struct vio_status *list, uint32_t max)
{
    struct rig_io io;
    rig_io_init(&io, r, 0, v, VIO_STATUS, offset, bytes);
    io.vio.status = list;
    io.vio.status_max = max;
    rig_io_start(&io);
    assert_int_equal(rig_io_end(&io), 0);
    assert_in_range(io.vio.status_count, 0, max);
    return io.vio.status_count;
}

static void assert_stretch(const struct vio_status *s, uint64_t first, uint64_t count,
                           bool mapped)
{
    assert_int_equal(s->offset_bytes, first * BLOCK_BYTES);
    assert_int_equal(s->length_bytes, count * BLOCK_BYTES);
    assert_int_equal(s->mapped, mapped);
}

static void status_tells_which_blocks_are_mapped(void **state)
{
    struct pool_rig *r = setup(state, 1, false);
    struct vio_status s[STRETCHES];
    struct volume *v = pool_rig_volume(r, "v", 64 * MIB, 512);
    /* Blocks 0, 1, 5 to 19 (over two extents), and one far off. */
    assert_int_equal(rig_write(r, v, 0, 2 * 4096, 1), 0);
    assert_int_equal(rig_write(r, v, 5 * 4096, 15 * 4096, 1), 0);
    assert_int_equal(rig_write(r, v, 40 * MIB, 512, 1), 0);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(status_of(r, v, 0, 64 * MIB, s, STRETCHES), 6);
        assert_stretch(&s[0], 0, 2, true);
        assert_stretch(&s[1], 2, 3, false);
        assert_stretch(&s[2], 5, 15, true);
        assert_stretch(&s[3], 20, 10240 - 20, false);
        assert_stretch(&s[4], 10240, 1, true);
        assert_stretch(&s[5], 10241, 16384 - 10241, false);
        /* No further than asked, though the extent goes on. */
        assert_int_equal(status_of(r, v, 4096, 3 * 4096, s, STRETCHES), 2);
        assert_stretch(&s[0], 1, 1, true);
        assert_stretch(&s[1], 2, 2, false);
        assert_int_equal(status_of(r, v, 512, 512, s, STRETCHES), 1);
        assert_stretch(&s[0], 0, 1, true);
        /* No more than there is room for. */
        assert_int_equal(status_of(r, v, 0, 64 * MIB, s, 2), 2);
        assert_stretch(&s[1], 2, 3, false);
        assert_int_equal(status_of(r, v, 0, 0, s, STRETCHES), 0);
        pool_rig_close(r); /* once more, from the catalog */
        pool_rig_open(r);
        v = volume_find(r->manager, "v");
    }
    assert_int_equal(rig_io_run(r, 0, v, VIO_UNMAP, 0, 40 * MIB, NULL), 0);
    assert_int_equal(status_of(r, v, 0, 40 * MIB, s, STRETCHES), 1);
    assert_stretch(&s[0], 0, 10240, false);
    pool_rig_destroy(r);
}

#define ON_WAYS(test)                                                                    \
    {.name = #test "/uring", .test_func = (test), .initial_state = (void *)&ways[0]},    \
        {.name = #test "/threads",                                                       \
         .test_func = (test),                                                            \
         .initial_state = (void *)&ways[1]},                                             \
        {.name = #test "/fake", .test_func = (test), .initial_state = (void *)&ways[2]}, \
        {.name = #test "/shuffled",                                                      \
         .test_func = (test),                                                            \
         .initial_state = (void *)&ways[3]},                                             \
        {.name = #test "/cut", .test_func = (test), .initial_state = (void *)&ways[4]},  \
    {                                                                                    \
        .name = #test "/page-cache", .test_func = (test),                                \
        .initial_state = (void *)&ways[5]                                                \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_WAYS(a_512_byte_volume_holds_what_was_written),
        ON_WAYS(a_4096_byte_volume_holds_what_was_written),
        ON_WAYS(small_ios_on_few_extents_hold),
        ON_WAYS(three_lanes_apart_hold),
        ON_WAYS(three_lanes_in_the_same_blocks_hold),
        ON_WAYS(blocks_written_by_three_lanes_are_never_torn),
        {.name = "status_tells_which_blocks_are_mapped",
         .test_func = status_tells_which_blocks_are_mapped,
         .initial_state = (void *)&ways[2]},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
