/* SPDX-License-Identifier: Apache-2.0 */
/* Plays the transport for one command at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/lun.h"
#include "target/mode_save.h"
#include "target/reserve.h"
#include "tests/unit/target/exec_rig.h"

#include <string.h>

#define RIG_VOLUME_BYTES (16U << 20)

static int fake_lane;
static unsigned done_calls;

/* The save under way, in place of the catalog. */
static struct {
    struct task *task;
    struct modes modes;
    mode_save_fn done;
} saving;

int mode_save_start(struct task *t, const struct modes *modes, mode_save_fn done)
{
    assert_null(saving.task);
    saving.task = t;
    saving.modes = *modes;
    saving.done = done;
    return 0;
}

static void rig_save(struct rig *r)
{
    struct task *t = saving.task;
    if (t == NULL)
        return;
    r->saves++;
    saving.task = NULL;
    saving.done(t, &saving.modes, r->save_rc);
}

/* The change under way, in place of the control thread. */
static struct {
    struct task *task;
    struct reservation_request request;
    struct cdb_pr_out cdb;
    struct pr_list list;
    reserve_fn done;
} reserving;

int reserve_start(struct task *t, const struct reservation_request *request,
                  reserve_fn done)
{
    assert_null(reserving.task);
    reserving.task = t;
    reserving.request = *request;
    if (request->change == RESERVATION_PR_OUT) {
        reserving.cdb = *request->cdb;
        reserving.list = *request->list;
        reserving.request.cdb = &reserving.cdb;
        reserving.request.list = &reserving.list;
    }
    reserving.done = done;
    return 0;
}

void reserve_drop(struct reserve_change *change)
{
    (void)change;
    fail_msg("nothing is dropped here");
}

void rig_reserve_all(struct unit *unit, const struct reservation *after)
{
    const struct reservation *was = unit->reservation;
    unit->reservation = reservation_get(after);
    for (unsigned i = 0; i < TARGET_REACTOR_MAX; i++)
        unit_take_reservation(unit, i, after);
    reservation_put(was);
}

static void rig_reserve(void)
{
    struct task *t = reserving.task;
    struct reservation_outcome outcome;
    if (t == NULL)
        return;
    reserving.task = NULL;
    struct unit *unit = t->lu->unit;
    assert_int_equal(reservation_apply(unit->reservation, &reserving.request,
                                       nexus_id(t->nexus), &outcome),
                     0);
    if (outcome.after != NULL)
        rig_reserve_all(unit, outcome.after);
    reserving.done(t, outcome.status, &outcome.sense);
    reservation_outcome_fini(&outcome);
}

void task_done(struct task *t)
{
    (void)t;
    done_calls++;
}

/* Its buffer is gone, as the transport has it. */
void task_detach(struct task *t)
{
    t->detached = true;
    free(TAKE(t->buffer.base));
}

struct rig *rig_create(uint32_t block_bytes)
{
    struct rig *r = calloc(1, sizeof(*r));
    static const uint16_t port_tags[] = {1, 7};
    const struct nexus_spec spec = {
        .initiator = "iqn.2026-01.example:host",
        .isid = {0x40, 0, 0, 1, 2, 3},
        .target_name = "iqn.2026-01.example:box",
        .portal_group_tag = 1,
        .port_tags = port_tags,
        .port_count = 2,
        .alua = &r->alua,
    };
    assert_non_null(r);
    r->alua = (struct alua){.groups = {{.tag = 1}, {.tag = 7}}, .count = 2};
    fake_vio_reset();
    r->volume = fake_volume_create(RIG_VOLUME_BYTES, block_bytes);
    r->unit = unit_create(r->volume);
    assert_non_null(r->unit);
    r->lus[0] = (struct lu){
        .block_shift = block_bytes == 512 ? 9 : 12,
        .physical_exponent = block_bytes == 512 ? 3 : 0,
        .volume = r->volume,
        .unit = r->unit,
    };
    r->view = (struct view){.lus = r->lus, .luns = r->luns, .lu_count = 1};
    assert_int_equal(nexus_create(&spec, &r->view, &r->nexus), 0);
    RIG_RUN(r, 0x00, 0, 0, 0, 0, 0);
    rig_expect_sense(r, SENSE_POWER_ON);
    return r;
}

void rig_destroy(struct rig *r)
{
    free(r->task.buffer.base);
    nexus_destroy(r->nexus);
    unit_put(r->unit);
    volume_put(r->volume);
    free(r);
}

int rig_setup_512(void **state)
{
    *state = rig_create(512);
    return 0;
}

int rig_setup_4096(void **state)
{
    *state = rig_create(4096);
    return 0;
}

int rig_teardown(void **state)
{
    rig_destroy(*state);
    return 0;
}

static void rig_get_buffer(struct task *t)
{
    if (t->buffer_bytes == 0)
        return;
    assert_true(t->buffer_bytes <= BUF_BYTES_MAX);
    size_t bytes = (t->buffer_bytes + BUF_ALIGN - 1) / BUF_ALIGN * BUF_ALIGN;
    t->buffer.base = aligned_alloc(BUF_ALIGN, bytes);
    assert_non_null(t->buffer.base);
    memset(t->buffer.base, 0xdd, bytes);
    t->buffer.capacity_bytes = bytes;
}

/* What the CDB asks for and the initiator sends. */
static void rig_move_data_out(struct rig *r, struct task *t)
{
    uint32_t bytes = t->data_out_bytes;
    assert_true(bytes <= r->out_bytes); /* exec refuses what is too short */
    assert_true(t->data_offset + bytes <= t->buffer_bytes || bytes == 0);
    if (bytes > 0)
        memcpy(t->buffer.base + t->data_offset, r->out, bytes);
    t->data_out_received_bytes = bytes;
}

void rig_run(struct rig *r, uint32_t lun, const uint8_t *cdb, size_t cdb_bytes)
{
    struct task *t = &r->task;
    free(t->buffer.base);
    *t = (struct task){
        .lane = (struct lane *)(void *)&fake_lane,
        .nexus = r->nexus,
        .lun = lun_encode(lun),
        .expected_out_bytes = r->out_bytes,
        .expected_in_bytes = r->expected_in_bytes,
    };
    assert_true(cdb_bytes <= sizeof(t->cdb));
    memcpy(t->cdb, cdb, cdb_bytes);
    unsigned done_before = done_calls;
    if (exec_prepare(t) == EXEC_PENDING) {
        rig_get_buffer(t);
        rig_move_data_out(r, t);
        if (exec_start(t) == EXEC_PENDING) {
            assert_int_equal(done_calls, done_before);
            rig_save(r);
            rig_reserve();
            fake_vio_run();
            done_before++;
        }
    }
    assert_int_equal(done_calls, done_before);
    r->out_bytes = 0;
    r->expected_in_bytes = 0;
}

void rig_send(struct rig *r, const void *data, uint32_t bytes)
{
    assert_true(bytes <= sizeof(r->out));
    memcpy(r->out, data, bytes);
    r->out_bytes = bytes;
}

void rig_send_pattern(struct rig *r, uint8_t value, uint32_t bytes)
{
    assert_true(bytes <= sizeof(r->out));
    memset(r->out, value, bytes);
    r->out_bytes = bytes;
}

void rig_expect_good(const struct rig *r)
{
    if (r->task.status == SAM_CHECK_CONDITION)
        fail_msg("sense: %s", sense_name(r->task.sense.code));
    assert_int_equal(r->task.status, SAM_GOOD);
}

void rig_expect_sense(const struct rig *r, enum sense_code code)
{
    assert_int_equal(r->task.status, SAM_CHECK_CONDITION);
    if (r->task.sense.code != code)
        fail_msg("sense: %s, expected %s", sense_name(r->task.sense.code),
                 sense_name(code));
}

void rig_expect_cdb_field(const struct rig *r, unsigned byte)
{
    rig_expect_sense(r, SENSE_INVALID_CDB_FIELD);
    assert_true(r->task.sense.has_field);
    assert_true(r->task.sense.field_in_cdb);
    assert_int_equal(r->task.sense.field_byte, byte);
}
