/* SPDX-License-Identifier: Apache-2.0 */
/* EXTENDED COPY, its abort, and what is told of it: over volumes in memory, of which the
 * nexus is shown three and not shown a fourth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/ext_copy.h"
#include "proto/lun.h"
#include "target/copy_run.h"
#include "target/nexus.h"
#include "tests/lib/copy_list.h"
#include "tests/unit/target/exec_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)

/* LUN 0 is the rig's, of 512-byte blocks; LUN 1 another; LUN 2 of 4096-byte blocks. */
enum { ONE, TWO, LARGE, HIDDEN, VOLUMES };

struct copies {
    struct rig *r;
    struct volume *volumes[VOLUMES];
    struct unit *units[VOLUMES];
    struct view view;
    struct copy_list list;
};

static void fill(struct volume *v, uint8_t seed)
{
    static uint8_t noise[17 << 20];
    static bool is_made;
    uint32_t x = 1;
    for (size_t i = 0; !is_made && i < sizeof(noise); i += sizeof(x)) {
        x = x * 1664525 + 1013904223;
        memcpy(noise + i, &x, sizeof(x));
    }
    is_made = true;
    memcpy(v->bytes, noise + (size_t)seed * 70001, v->size_bytes);
}

static void add_unit(struct copies *c, unsigned index, uint32_t block_bytes)
{
    struct volume *v = fake_volume_create(16 * MIB, block_bytes);
    v->naa[15] = (uint8_t)(0x80 + index);
    c->volumes[index] = v;
    c->units[index] = unit_create(v);
    assert_non_null(c->units[index]);
}

static void take_attentions(struct rig *r)
{
    for (uint32_t lun = 0; lun < 3; lun++) {
        do
            RIG_RUN_ON(r, lun, 0x00, 0, 0, 0, 0, 0);
        while (r->task.status != SAM_GOOD);
    }
}

static int setup(void **state)
{
    struct copies *c = calloc(1, sizeof(*c));
    struct rig *r = c->r = rig_create(512);
    c->volumes[ONE] = r->volume;
    add_unit(c, TWO, 512);
    add_unit(c, LARGE, 4096);
    add_unit(c, HIDDEN, 512);
    for (unsigned i = 0; i < VOLUMES; i++)
        fill(c->volumes[i], (uint8_t)(i + 1));
    for (unsigned i = TWO; i <= LARGE; i++) {
        r->luns[i] = i;
        r->lus[i] = (struct lu){.lun = (uint16_t)i,
                                .block_shift = i == LARGE ? 12 : 9,
                                .volume = c->volumes[i],
                                .unit = c->units[i]};
    }
    c->view = (struct view){.lus = r->lus, .luns = r->luns, .lu_count = 3};
    nexus_set_view(r->nexus, &c->view);
    take_attentions(r);
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    struct copies *c = *state;
    rig_destroy(c->r);
    for (unsigned i = TWO; i < VOLUMES; i++) {
        unit_put(c->units[i]);
        volume_put(c->volumes[i]);
    }
    free(c);
    return 0;
}
#define COPIES(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A list that knows all four, by their number. */
static void begin(struct copies *c, uint8_t id, unsigned usage)
{
    copy_list_begin(&c->list, id, usage);
    for (unsigned i = 0; i < VOLUMES; i++)
        copy_list_unit(&c->list, c->volumes[i]->naa, c->volumes[i]->block_bytes);
}

static void begin_lid4(struct copies *c, uint32_t id, bool immed)
{
    copy_list_begin_lid4(&c->list, id, 0, immed);
    for (unsigned i = 0; i < VOLUMES; i++)
        copy_list_unit(&c->list, c->volumes[i]->naa, c->volumes[i]->block_bytes);
}

static void run_on(struct copies *c, uint32_t lun)
{
    uint8_t cdb[16] = {0x83, c->list.lid4};
    copy_list_be(cdb + 10, 4, c->list.at);
    rig_send(c->r, c->list.bytes, c->list.at);
    rig_run(c->r, lun, cdb, sizeof(cdb));
}

static void run(struct copies *c)
{
    run_on(c, 0);
}

static void expect_same(const struct copies *c, unsigned from, uint64_t from_bytes,
                        unsigned to, uint64_t to_bytes, uint64_t bytes)
{
    assert_memory_equal(c->volumes[from]->bytes + from_bytes,
                        c->volumes[to]->bytes + to_bytes, bytes);
}

static void expect_segment(const struct copies *c, enum sense_code code, uint16_t segment)
{
    rig_expect_sense(c->r, code);
    assert_true(c->r->task.sense.has_segment);
    assert_int_equal(c->r->task.sense.segment, segment);
}

static void expect_segment_field(const struct copies *c, enum sense_code code,
                                 uint16_t segment, unsigned byte)
{
    expect_segment(c, code, segment);
    assert_true(c->r->task.sense.has_field && c->r->task.sense.field_in_segment);
    assert_int_equal(c->r->task.sense.field_byte, byte);
}

static void expect_unit(const struct copies *c, uint16_t segment, bool is_target,
                        enum sense_code unit_code)
{
    expect_segment(c, SENSE_COPY_UNIT_FAILED, segment);
    assert_int_equal(c->r->task.sense.unit_status, 2);
    assert_int_equal(c->r->task.sense.unit_is_target, is_target);
    assert_int_equal(c->r->task.sense.unit_code, unit_code);
}

/* A command beside one that runs; data-in to out. */
static uint8_t ask_buffer[4096] __attribute__((aligned(4096)));
static struct task asked;

static uint32_t ask(struct copies *c, const uint8_t *cdb)
{
    asked = (struct task){.lane = c->r->task.lane,
                          .nexus = c->r->nexus,
                          .lun = lun_encode(0),
                          .expected_in_bytes = sizeof(ask_buffer)};
    memcpy(asked.cdb, cdb, 16);
    if (exec_prepare(&asked) == EXEC_PENDING) {
        asked.buffer = (struct buf){ask_buffer, sizeof(ask_buffer)};
        assert_int_equal(exec_start(&asked), EXEC_DONE);
    }
    return asked.data_in_bytes;
}

static uint32_t ask_status(struct copies *c, uint8_t id)
{
    const uint8_t cdb[16] = {0x84, 0x00, id, [12] = 1};
    return ask(c, cdb);
}

static uint32_t ask_status_lid4(struct copies *c, uint8_t id)
{
    const uint8_t cdb[16] = {0x84, 0x05, 0, 0, 0, id, [12] = 1};
    return ask(c, cdb);
}

static uint32_t ask_failure(struct copies *c, uint8_t id)
{
    const uint8_t cdb[16] = {0x84, 0x04, id, [12] = 1};
    return ask(c, cdb);
}

static void ask_abort(struct copies *c, uint8_t id)
{
    const uint8_t cdb[16] = {0x83, 0x1c, 0, 0, 0, id};
    (void)ask(c, cdb);
}

static void asked_expect(enum sense_code code)
{
    assert_int_equal(asked.status, SAM_CHECK_CONDITION);
    assert_int_equal(asked.sense.code, code);
}

/* ---- What is copied ------------------------------------------------------------------
 */

static void segments_are_copied_in_order(void **state)
{
    struct copies *c = *state;
    begin(c, 1, 0);
    copy_list_segment(&c->list, ONE, TWO, 2048, 0, 4096);
    copy_list_segment(&c->list, TWO, ONE, 7, 4097, 30001); /* of what the first wrote */
    copy_list_segment(&c->list, ONE, ONE, 1, 30001, 0);
    copy_list_segment(&c->list, ONE, TWO, 0, 5, 5); /* none */
    run(c);
    rig_expect_good(c->r);
    expect_same(c, ONE, 512, TWO, 4097 * 512, 2047 * 512);
    expect_same(c, TWO, 4097 * 512, ONE, 30001 * 512, 7 * 512);
    expect_same(c, ONE, 30001 * 512, ONE, 0, 512);
    assert_int_equal(fake_vio.copy_count, 3);
    assert_int_equal(c->r->task.transfer_bytes, c->list.at);
}

static void whichever_unit_may_be_asked(void **state)
{
    struct copies *c = *state;
    begin(c, 1, 2);
    copy_list_segment(&c->list, ONE, TWO, 100, 1, 3);
    run_on(c, 2);
    rig_expect_good(c->r);
    expect_same(c, ONE, 512, TWO, 3 * 512, 100 * 512);
    begin(c, 1, 2);
    copy_list_segment(&c->list, 0xffff, TWO, 5, 10,
                      80); /* itself: LUN 2, in its blocks */
    run_on(c, 2);
    rig_expect_good(c->r);
    expect_same(c, LARGE, 10 * 4096, TWO, 80 * 512, 5 * 4096);
}

static void blocks_are_counted_of_source_or_target(void **state)
{
    struct copies *c = *state;
    begin(c, 1, 2);
    copy_list_segment(&c->list, ONE, LARGE, 16, 3, 7);
    copy_list_segment(&c->list, ONE, LARGE, 16, 1000, 100)[1] = 0x02; /* DC */
    copy_list_segment(&c->list, LARGE, TWO, 16, 100, 5)[1] = 0x02;
    run(c);
    rig_expect_good(c->r);
    expect_same(c, ONE, 3 * 512, LARGE, 7 * 4096, 2 * 4096);
    expect_same(c, ONE, 1000 * 512, LARGE, 100 * 4096, 16 * 4096);
    expect_same(c, LARGE, 100 * 4096, TWO, 5 * 512, 16 * 512);
    begin(c, 1, 2);
    copy_list_segment(&c->list, ONE, LARGE, 8, 0, 0);
    copy_list_segment(&c->list, ONE, LARGE, 15, 0, 0);
    run(c);
    expect_segment_field(c, SENSE_COPY_INEXACT, 1, EXT_COPY_SEGMENT_BLOCKS_BYTE);
}

/* As if all of it had been read before any was written. */
static void overlapping_ranges_are_copied_whole(void **state)
{
    struct copies *c = *state;
    static const struct {
        uint32_t from, to, blocks;
    } cases[] = {{1000, 1003, 100}, {1003, 1000, 100}, {500, 501, 64},
                 {501, 500, 64},    {700, 700, 50},    {2000, 2050, 50},
                 {2000, 2049, 50},  {3000, 3007, 21}};
    uint8_t *was = malloc(16 * MIB);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t *bytes = c->volumes[ONE]->bytes;
        memcpy(was, bytes, 16 * MIB);
        memmove(was + cases[i].to * 512, was + cases[i].from * 512,
                cases[i].blocks * 512);
        begin(c, 1, 2);
        copy_list_segment(&c->list, ONE, ONE, (uint16_t)cases[i].blocks, cases[i].from,
                          cases[i].to);
        run(c);
        rig_expect_good(c->r);
        assert_memory_equal(was, bytes, 16 * MIB);
    }
    free(was);
}

static void an_empty_list_does_nothing(void **state)
{
    struct copies *c = *state;
    RIG_RUN(c->r, 0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    rig_expect_good(c->r);
    begin(c, 1, 2);
    run(c);
    rig_expect_good(c->r);
    assert_int_equal(fake_vio.copy_count, 0);
}

/* ---- What is refused ------------------------------------------------------------------
 */

static void a_unit_that_is_not_shown_is_not_there(void **state)
{
    struct copies *c = *state;
    uint8_t *hidden = c->volumes[HIDDEN]->bytes;
    uint8_t before[4096];
    memcpy(before, hidden, sizeof(before));
    begin(c, 1, 2);
    copy_list_segment(&c->list, HIDDEN, ONE, 8, 0, 0);
    run(c);
    expect_segment_field(c, SENSE_COPY_NOT_REACHABLE, 0, EXT_COPY_SEGMENT_FROM_BYTE);
    begin(c, 1, 2);
    copy_list_segment(&c->list, ONE, TWO, 8, 0, 0);
    copy_list_segment(&c->list, ONE, HIDDEN, 8, 0, 0);
    run(c);
    expect_segment_field(c, SENSE_COPY_NOT_REACHABLE, 1, EXT_COPY_SEGMENT_TO_BYTE);
    expect_same(c, ONE, 0, TWO, 0, 8 * 512);
    assert_memory_equal(hidden, before, sizeof(before));
    assert_int_equal(fake_vio.copy_count, 1);
}

static void units_are_named_as_they_are(void **state)
{
    struct copies *c = *state;
    begin(c, 1, 2);
    copy_list_segment(&c->list, ONE, VOLUMES, 8, 0, 0);
    run(c);
    expect_segment_field(c, SENSE_COPY_UNREACHABLE, 0, EXT_COPY_SEGMENT_TO_BYTE);
    begin(c, 1, 2);
    copy_list_segment(&c->list, LARGE, TWO, 8, 0, 0);
    copy_list_be(c->list.bytes + 16 + LARGE * 32 + 29, 3, 512);
    run(c);
    expect_segment_field(c, SENSE_COPY_WRONG_TYPE, 0, EXT_COPY_SEGMENT_FROM_BYTE);
    copy_list_be(c->list.bytes + 16 + LARGE * 32 + 29, 3, 0); /* not told */
    run(c);
    rig_expect_good(c->r);
    c->list.bytes[16 + TWO * 32 + 1] = 0x01; /* a tape */
    run(c);
    expect_segment_field(c, SENSE_COPY_WRONG_TYPE, 0, EXT_COPY_SEGMENT_TO_BYTE);
    begin(c, 1, 2);
    copy_list_segment(&c->list, ONE, TWO, 8, 0, 0);
    c->list.bytes[16 + 4] = 0x02; /* its name is text */
    run(c);
    expect_segment_field(c, SENSE_COPY_NOT_REACHABLE, 0, EXT_COPY_SEGMENT_FROM_BYTE);
}

static void ranges_end_with_the_units(void **state)
{
    struct copies *c = *state;
    const uint64_t last = 16 * MIB / 512;
    begin(c, 1, 2);
    copy_list_segment(&c->list, ONE, TWO, 2, last - 2, last - 2);
    copy_list_segment(&c->list, ONE, TWO, 2, last - 1, 0);
    run(c);
    expect_segment_field(c, SENSE_COPY_ABORTED, 1, EXT_COPY_SEGMENT_FROM_LBA_BYTE);
    expect_same(c, ONE, (last - 2) * 512, TWO, (last - 2) * 512, 1024);
    begin(c, 1, 2);
    copy_list_segment(&c->list, ONE, LARGE, 16, 0, 16 * MIB / 4096 - 1);
    run(c);
    expect_segment_field(c, SENSE_COPY_ABORTED, 0, EXT_COPY_SEGMENT_TO_LBA_BYTE);
    begin(c, 1, 2);
    copy_list_segment(&c->list, ONE, TWO, 1, UINT64_MAX, 0);
    run(c);
    expect_segment_field(c, SENSE_COPY_ABORTED, 0, EXT_COPY_SEGMENT_FROM_LBA_BYTE);
}

static void a_protected_unit_is_only_read(void **state)
{
    struct copies *c = *state;
    c->r->lus[TWO].read_only = true;
    begin(c, 1, 2);
    copy_list_segment(&c->list, TWO, ONE, 8, 0, 0);
    copy_list_segment(&c->list, ONE, TWO, 8, 0, 0);
    run_on(c, 1); /* the unit that is asked may be the protected one */
    expect_unit(c, 1, true, SENSE_WRITE_PROTECTED);
    expect_same(c, TWO, 0, ONE, 0, 8 * 512);
    assert_int_equal(fake_vio.copy_count, 1);
}

/* Shown twice, it is written where it may be. */
static void a_volume_that_is_shown_twice_is_found_to_be_written(void **state)
{
    struct copies *c = *state;
    c->r->lus[ONE].read_only = true;
    c->r->lus[TWO].volume = c->volumes[ONE];
    c->r->lus[TWO].unit = c->r->unit;
    begin(c, 1, 2);
    copy_list_segment(&c->list, ONE, ONE, 8, 100, 200);
    run(c);
    rig_expect_good(c->r);
    expect_same(c, ONE, 100 * 512, ONE, 200 * 512, 8 * 512);
}

static void lists_that_are_wrong_are_refused_as_such(void **state)
{
    struct copies *c = *state;
    begin(c, 1, 2);
    copy_list_segment(&c->list, ONE, TWO, 8, 0, 0)[0] = 0x03;
    run(c);
    rig_expect_sense(c->r, SENSE_SEGMENT_TYPE);
    begin(c, 1, 2);
    c->list.at = 15;
    run(c);
    rig_expect_sense(c->r, SENSE_PARAM_LIST_LENGTH);
    RIG_RUN(c->r, 0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0);
    rig_expect_sense(c->r, SENSE_PARAM_LIST_LENGTH);
    RIG_RUN(c->r, 0x83, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    rig_expect_cdb_field(c->r, 1);
    RIG_RUN(c->r, 0x84, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    rig_expect_cdb_field(c->r, 1);
    assert_int_equal(fake_vio.copy_count, 0);
}

static void what_fails_below_is_told_of_its_segment(void **state)
{
    struct copies *c = *state;
    static const struct {
        int rc;
        enum sense_code code, unit;
    } cases[] = {{-ENOSPC, SENSE_COPY_UNIT_FAILED, SENSE_NO_SPACE},
                 {-EIO, SENSE_COPY_UNIT_FAILED, SENSE_NONE},
                 {-ENOMEM, SENSE_COPY_RESOURCES, SENSE_NONE},
                 {-ERANGE, SENSE_COPY_ABORTED, SENSE_NONE}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fake_vio.copy_fail_nth = 2;
        fake_vio.copy_fail_rc = cases[i].rc;
        begin(c, 1, 0);
        for (unsigned s = 0; s < 3; s++)
            copy_list_segment(&c->list, ONE, TWO, 8, 8 * s, 8 * s);
        run(c);
        expect_segment(c, cases[i].code, 1);
        assert_int_equal(c->r->task.sense.unit_code, cases[i].unit);
        assert_int_equal(ask_status(c, 1), 12);
        assert_int_equal(ask_buffer[4], 2);
        assert_int_equal(ask_buffer[6], 2); /* segments */
        assert_int_equal(ask_buffer[10] << 8 | ask_buffer[11], 12 * 512);
    }
}

static void sanitize_the_source(void *arg)
{
    (void)arg;
    fake_vio.sanitize_state = SANITIZE_RUNNING;
}

static void a_sanitized_unit_is_left_alone(void **state)
{
    struct copies *c = *state;
    fake_vio.copy_fail_nth = 1;
    fake_vio.copy_fail_rc = -EINPROGRESS;
    begin(c, 1, 2);
    copy_list_segment(&c->list, ONE, TWO, 8, 0, 0);
    run(c);
    expect_unit(c, 0, true, SENSE_NONE); /* it has ended meanwhile */
    fake_vio.copy_fail_nth = 1;
    fake_vio.on_copy = sanitize_the_source;
    run(c);
    expect_unit(c, 0, false, SENSE_SANITIZE_IN_PROGRESS);
}

/* ---- The cache ------------------------------------------------------------------------
 */

static void with_wce_0_what_was_written_is_flushed(void **state)
{
    struct copies *c = *state;
    atomic_fetch_or(&c->units[TWO]->modes, UNIT_WRITE_THROUGH);
    take_attentions(c->r);
    fake_vio.count = 0;
    begin(c, 1, 2);
    copy_list_segment(&c->list, ONE, TWO, 8, 0, 0);
    copy_list_segment(&c->list, ONE, TWO, 8, 8, 8);
    copy_list_segment(&c->list, TWO, LARGE, 8, 0, 0);
    run(c);
    rig_expect_good(c->r);
    assert_int_equal(fake_vio.count, 1);
    assert_int_equal(fake_vio.seen[0].op, VIO_FLUSH);
    begin(c, 1, 2);
    copy_list_segment(&c->list, TWO, ONE, 8, 0, 0);
    run(c);
    rig_expect_good(c->r);
    assert_int_equal(fake_vio.count, 1);
    begin(c, 1, 2);
    copy_list_segment(&c->list, ONE, 0xffff, 8, 0, 0);
    fake_vio.fail_nth = 1;
    fake_vio.fail_rc = -EIO;
    run_on(c, 1);
    expect_unit(c, 0, true, SENSE_WRITE_ERROR);
}

static void want_its_end(void *arg)
{
    struct copies *c = arg;
    c->r->task.drains[0] = (struct reserve_leg *)(void *)c;
    exec_hurry(&c->r->task);
}

/* Else each flush could bring one more that waits for it. */
static void whose_end_is_wanted_flushes_no_other_unit(void **state)
{
    struct copies *c = *state;
    atomic_fetch_or(&c->units[TWO]->modes, UNIT_WRITE_THROUGH);
    atomic_fetch_or(&c->units[LARGE]->modes, UNIT_WRITE_THROUGH);
    take_attentions(c->r);
    fake_vio.count = 0;
    fake_vio.on_flush = want_its_end;
    fake_vio.on_flush_arg = c;
    begin(c, 1, 2);
    copy_list_segment(&c->list, ONE, TWO, 8, 0, 0);
    copy_list_segment(&c->list, ONE, LARGE, 8, 0, 0);
    run(c);
    expect_segment(c, SENSE_COPY_ABORTED, 1);
    assert_int_equal(fake_vio.count, 1);
}

/* ---- Reservations ---------------------------------------------------------------------
 */

static const struct reservation *reserved_by_another(enum reservation_type type)
{
    AUTO_FREE struct kept_reservation *kept =
        calloc(1, sizeof(*kept) + sizeof(struct registration));
    const struct reservation *state;
    assert_non_null(kept);
    kept->type = type;
    kept->count = 1;
    kept->list[0] = (struct registration){
        .nexus = {.initiator = "iqn.2026-01.example:other",
                  .target = "iqn.2026-01.example:box",
                  .portal_group_tag = 1},
        .key = 1,
    };
    assert_int_equal(reservation_load(kept, &state), 0);
    return state;
}

static void reserve_unit(const struct copies *c, unsigned index,
                         enum reservation_type type)
{
    const struct reservation *state = reserved_by_another(type);
    rig_reserve_all(c->units[index], state);
    reservation_put(state);
}

static void copy_from_to(struct copies *c, uint16_t from, uint16_t to)
{
    begin(c, 1, 2);
    copy_list_segment(&c->list, from, to, 8, 0, 0);
    run(c);
}

static void expect_conflict(const struct copies *c, bool is_target)
{
    expect_segment(c, SENSE_COPY_UNIT_FAILED, 0);
    assert_int_equal(c->r->task.sense.unit_status, SAM_RESERVATION_CONFLICT);
    assert_int_equal(c->r->task.sense.unit_is_target, is_target);
}

/* SPC-4, 5.17.3: a copy reads and writes as its nexus would. */
static void what_is_reserved_by_another_is_not_copied(void **state)
{
    struct copies *c = *state;
    reserve_unit(c, TWO, RESERVATION_WRITE_EXCLUSIVE);
    copy_from_to(c, ONE, TWO);
    expect_conflict(c, true);
    assert_int_equal(fake_vio.copy_count, 0);
    copy_from_to(c, TWO, ONE);
    rig_expect_good(c->r);
    reserve_unit(c, TWO, RESERVATION_EXCLUSIVE_ACCESS);
    copy_from_to(c, TWO, ONE);
    expect_conflict(c, false);
    assert_int_equal(fake_vio.copy_count, 1);
}

static void look_what_it_loses(void *arg)
{
    struct copies *c = arg;
    const struct copy_run *copy = c->r->task.exec.copy;
    const struct reservation *writes = reserved_by_another(RESERVATION_WRITE_EXCLUSIVE);
    const struct reservation *all = reserved_by_another(RESERVATION_EXCLUSIVE_ACCESS);
    assert_true(copy_run_loses(copy, c->units[TWO], writes));
    assert_false(copy_run_loses(copy, c->units[LARGE], writes));
    assert_true(copy_run_loses(copy, c->units[LARGE], all));
    assert_false(copy_run_loses(copy, c->units[HIDDEN], all));
    assert_false(copy_run_loses(copy, c->units[TWO], NULL));
    reservation_put(writes);
    reservation_put(all);
}

static void a_change_waits_for_copies_that_it_would_not_let_begin(void **state)
{
    struct copies *c = *state;
    fake_vio.on_copy = look_what_it_loses;
    fake_vio.on_copy_arg = c;
    copy_from_to(c, LARGE, TWO);
    rig_expect_good(c->r);
    assert_int_equal(fake_vio.copy_count, 1);
}

/* ---- Identifiers and results
 * ------------------------------------------------------------ */

static void while_one_runs_its_identifier_is_taken(void *arg)
{
    struct copies *c = arg;
    struct copy_list again = c->list;
    asked = (struct task){.lane = c->r->task.lane,
                          .nexus = c->r->nexus,
                          .lun = lun_encode(0),
                          .expected_out_bytes = again.at};
    asked.cdb[0] = 0x83;
    asked.cdb[13] = (uint8_t)again.at;
    assert_int_equal(exec_prepare(&asked), EXEC_PENDING);
    memcpy(ask_buffer, again.bytes, again.at);
    asked.buffer = (struct buf){ask_buffer, sizeof(ask_buffer)};
    assert_int_equal(exec_start(&asked), EXEC_DONE);
    asked_expect(SENSE_OPERATION_IN_PROGRESS);

    assert_int_equal(ask_status(c, 9), 12);
    assert_int_equal(ask_buffer[4], 0);
    assert_int_equal(ask_buffer[6], 1);
    assert_int_equal(ask_buffer[10] << 8 | ask_buffer[11], 4 * 512);
    (void)ask_status(c, 8);
    asked_expect(SENSE_INVALID_CDB_FIELD);
    (void)ask_failure(c, 9);
    asked_expect(SENSE_INVALID_CDB_FIELD);
}

static void an_identifier_is_of_one_copy(void **state)
{
    struct copies *c = *state;
    copy_list_begin(&c->list, 9, 0);
    copy_list_unit(&c->list, c->volumes[ONE]->naa, 512);
    copy_list_segment(&c->list, 0, 0, 8, 0, 100);
    fake_vio.on_copy = while_one_runs_its_identifier_is_taken;
    fake_vio.on_copy_arg = c;
    run(c);
    rig_expect_good(c->r);
    assert_int_equal(ask_status(c, 9), 12);
    assert_int_equal(ask_buffer[4], 1);
    assert_int_equal(ask_buffer[10] << 8 | ask_buffer[11], 8 * 512);
    (void)ask_status(c, 9); /* it has been told */
    asked_expect(SENSE_INVALID_CDB_FIELD);
    assert_int_equal(asked.sense.field_byte, 2);
}

static void results_are_kept_until_they_are_told(void **state)
{
    struct copies *c = *state;
    begin(c, 3, 0);
    copy_list_segment(&c->list, HIDDEN, ONE, 8, 0, 0);
    run(c);
    expect_segment(c, SENSE_COPY_NOT_REACHABLE, 0);
    c->r->expected_in_bytes = 12;
    RIG_RUN(c->r, 0x84, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0);
    rig_expect_good(c->r); /* cut off, so it has not been told */
    c->r->expected_in_bytes = 11;
    RIG_RUN(c->r, 0x84, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0);
    rig_expect_good(c->r);
    assert_int_equal(ask_status(c, 3), 12);
    assert_int_equal(ask_buffer[4], 2);
    assert_int_equal(ask_failure(c, 3), 60 + SENSE_FIXED_BYTES);
    assert_int_equal(ask_buffer[60 + 12], 0x0d);
    assert_int_equal(ask_buffer[60 + 13], 0x02);
    assert_int_equal(ask_failure(c, 3), 4);
    assert_int_equal(ask_buffer[3], 0);
    assert_int_equal(ask_failure(c, 77), 4);

    begin(c, 4, 2); /* nobody will ask */
    copy_list_segment(&c->list, ONE, TWO, 8, 0, 0);
    run(c);
    rig_expect_good(c->r);
    (void)ask_status(c, 4);
    asked_expect(SENSE_INVALID_CDB_FIELD);
}

static void a_reset_forgets_results(void **state)
{
    struct copies *c = *state;
    begin(c, 3, 0);
    copy_list_segment(&c->list, ONE, TWO, 8, 0, 0);
    run(c);
    run_on(c, 1);
    nexus_notice(c->r->nexus, c->volumes[ONE], NEXUS_LU_RESET);
    take_attentions(c->r);
    (void)ask_status(c, 3);
    asked_expect(SENSE_INVALID_CDB_FIELD);
    c->r->expected_in_bytes = 12;
    RIG_RUN_ON(c->r, 1, 0x84, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0);
    rig_expect_good(c->r);
}

static void the_oldest_results_make_room(void **state)
{
    struct copies *c = *state;
    for (unsigned id = 0; id < EXT_COPY_CONCURRENT_MAX + 2; id++) {
        begin(c, (uint8_t)id, 0);
        copy_list_segment(&c->list, ONE, TWO, 8, 0, 0);
        run(c);
        rig_expect_good(c->r);
    }
    (void)ask_status(c, 1);
    asked_expect(SENSE_INVALID_CDB_FIELD);
    assert_int_equal(ask_status(c, 2), 12);
    assert_int_equal(ask_status(c, EXT_COPY_CONCURRENT_MAX + 1), 12);
}

static void parameters_are_told(void **state)
{
    struct copies *c = *state;
    const uint8_t cdb[16] = {0x84, 0x03, [12] = 1};
    assert_int_equal(ask(c, cdb), 46);
    assert_int_equal(ask_buffer[9], EXT_COPY_CSCDS_MAX);
    assert_int_equal(ask_buffer[37], 9);
}

/* ---- Ends before the end
 * --------------------------------------------------------------- */

static void abort_the_task(void *arg)
{
    struct copies *c = arg;
    c->r->task.aborted = true;
    exec_hurry(&c->r->task);
}

static void an_aborted_task_copies_no_further(void **state)
{
    struct copies *c = *state;
    fake_vio.on_copy = abort_the_task;
    fake_vio.on_copy_arg = c;
    begin(c, 1, 0);
    copy_list_segment(&c->list, ONE, TWO, 2048, 0, 0);
    copy_list_segment(&c->list, ONE, TWO, 2048, 2048, 2048);
    run(c);
    assert_int_equal(fake_vio.copy_count, 1);
    assert_null(c->r->task.exec.copy);
}

static void abort_the_operation(void *arg)
{
    struct copies *c = arg;
    ask_abort(c, 6);
    assert_int_equal(asked.status, SAM_CHECK_CONDITION);
    ask_abort(c, 5);
    assert_int_equal(asked.status, SAM_GOOD);
}

static void an_operation_is_aborted_by_its_identifier(void **state)
{
    struct copies *c = *state;
    fake_vio.on_copy = abort_the_operation;
    fake_vio.on_copy_arg = c;
    begin_lid4(c, 5, false);
    copy_list_segment(&c->list, ONE, TWO, 2048, 0, 0);
    copy_list_segment(&c->list, ONE, TWO, 2048, 2048, 2048);
    run(c);
    expect_segment(c, SENSE_COPY_ABORTED, 0);
    assert_int_equal(fake_vio.copy_count, 1);
    assert_int_equal(ask_status_lid4(c, 5), 32); /* without sense: SPC-4, 6.24 */
    assert_int_equal(ask_buffer[5], 0x60);
    assert_int_equal(ask_buffer[12], 0x40);
    ask_abort(c, 5);
    asked_expect(SENSE_INVALID_CDB_FIELD);
}

static void look_behind(void *arg)
{
    struct copies *c = arg;
    assert_true(c->r->task.detached);
    assert_int_equal(c->r->task.status, SAM_GOOD);
    assert_int_equal(ask_status_lid4(c, 5), 32);
    assert_int_equal(ask_buffer[5], 0x12);
}

static void an_immediate_answer_comes_before_the_end(void **state)
{
    struct copies *c = *state;
    fake_vio.on_copy = look_behind;
    fake_vio.on_copy_arg = c;
    begin_lid4(c, 5, true);
    copy_list_segment(&c->list, ONE, TWO, 2048, 0, 0);
    copy_list_segment(&c->list, ONE, TWO, 2048, 2048, 2048);
    run(c);
    expect_same(c, ONE, 0, TWO, 0, 2 * MIB);
    assert_int_equal(ask_status_lid4(c, 5), 32);
    assert_int_equal(ask_buffer[5], 0x01);
    assert_int_equal(ask_buffer[7], 3); /* asked for the third time */
}

/* Nothing is under way when it is refused: then the refusal is the answer. */
static void an_immediate_one_that_cannot_begin_is_refused(void **state)
{
    struct copies *c = *state;
    begin_lid4(c, 5, true);
    copy_list_segment(&c->list, HIDDEN, TWO, 8, 0, 0);
    run(c);
    expect_segment(c, SENSE_COPY_NOT_REACHABLE, 0);
    assert_false(c->r->task.detached);
}

static void hide_the_target(void *arg)
{
    struct copies *c = arg;
    static struct view less;
    less = c->view;
    less.lu_count = 1;
    assert_true(exec_follow(&c->r->task, &c->view));
    assert_false(exec_follow(&c->r->task, &less));
    c->r->task.swap = (struct access_swap *)(void *)c;
    exec_hurry(&c->r->task);
}

static void a_copy_ends_when_its_unit_is_hidden(void **state)
{
    struct copies *c = *state;
    fake_vio.on_copy = hide_the_target;
    fake_vio.on_copy_arg = c;
    begin(c, 1, 0);
    copy_list_segment(&c->list, ONE, TWO, 2048, 0, 0);
    copy_list_segment(&c->list, ONE, TWO, 2048, 2048, 2048);
    run(c);
    expect_segment(c, SENSE_COPY_NOT_REACHABLE, 0);
    assert_int_equal(fake_vio.copy_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        COPIES(segments_are_copied_in_order),
        COPIES(whichever_unit_may_be_asked),
        COPIES(blocks_are_counted_of_source_or_target),
        COPIES(overlapping_ranges_are_copied_whole),
        COPIES(an_empty_list_does_nothing),
        COPIES(a_unit_that_is_not_shown_is_not_there),
        COPIES(units_are_named_as_they_are),
        COPIES(ranges_end_with_the_units),
        COPIES(a_protected_unit_is_only_read),
        COPIES(a_volume_that_is_shown_twice_is_found_to_be_written),
        COPIES(lists_that_are_wrong_are_refused_as_such),
        COPIES(what_fails_below_is_told_of_its_segment),
        COPIES(a_sanitized_unit_is_left_alone),
        COPIES(with_wce_0_what_was_written_is_flushed),
        COPIES(whose_end_is_wanted_flushes_no_other_unit),
        COPIES(what_is_reserved_by_another_is_not_copied),
        COPIES(a_change_waits_for_copies_that_it_would_not_let_begin),
        COPIES(an_identifier_is_of_one_copy),
        COPIES(results_are_kept_until_they_are_told),
        COPIES(a_reset_forgets_results),
        COPIES(the_oldest_results_make_room),
        COPIES(parameters_are_told),
        COPIES(an_aborted_task_copies_no_further),
        COPIES(an_operation_is_aborted_by_its_identifier),
        COPIES(an_immediate_answer_comes_before_the_end),
        COPIES(an_immediate_one_that_cannot_begin_is_refused),
        COPIES(a_copy_ends_when_its_unit_is_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
