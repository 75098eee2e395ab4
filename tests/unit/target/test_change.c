/* SPDX-License-Identifier: Apache-2.0 */
/* What initiators see of volumes that are resized or rolled back and of snapshots: once a
 * change is answered, the next command of every session, on any reactor, knows it. */
#include "tests/unit/target/wire_talk.h"

#include "base/be.h"
#include "lunmgr/snapshot.h"
#include "proto/lun.h"
#include "proto/sense.h"

#include <errno.h>
#include <string.h>

#define SNAPSHOT_LUN 5

/* The sessions of an initiator alternate between the reactors. */
struct two {
    struct wire_rig *rig;
    struct wire_peer *peers[2];
};

static int two_setup(void **state)
{
    void *rig;
    struct two *t = calloc(1, sizeof(*t));
    if (t == NULL || wire_rig_setup(&rig) != 0)
        return -1;
    t->rig = rig;
    for (size_t i = 0; i < 2; i++) {
        t->peers[i] = wire_peer_connect(t->rig);
        wire_peer_login(t->peers[i], KEYS("ImmediateData=Yes\0InitialR2T=No\0"));
        wire_peer_ready(t->peers[i]);
    }
    *state = t;
    return 0;
}

static int two_teardown(void **state)
{
    struct two *t = *state;
    void *rig = t->rig;
    for (size_t i = 0; i < 2; i++)
        wire_peer_close(t->peers[i]);
    free(t);
    return wire_rig_teardown(&rig);
}

/* ---- Commands ---- */

/* TEST UNIT READY: exactly this is told. */
static void expect_attention(struct wire_peer *p, enum sense_code code)
{
    struct cmd_req m;
    wire_peer_cmd(p, &m);
    wire_peer_send_cmd(p, &m, NULL);
    expect_sense(p, code);
}

static void expect_nothing_to_tell(struct wire_peer *p)
{
    struct cmd_req m;
    struct cmd_rsp rsp;
    wire_peer_cmd(p, &m);
    wire_peer_send_cmd(p, &m, NULL);
    assert_int_equal(wire_peer_status(p, &rsp), SAM_GOOD);
}

/* A command with data-in, which is in p->data after. */
static void ask(struct wire_peer *p, uint32_t lun, const uint8_t *cdb, size_t cdb_bytes)
{
    struct cmd_req m;
    wire_peer_cmd(p, &m);
    m.lun = lun_encode(lun);
    m.read = true;
    m.expected_bytes = 255;
    memcpy(m.cdb, cdb, cdb_bytes);
    wire_peer_send_cmd(p, &m, NULL);
    wire_peer_expect(p, OP_DATA_IN);
}
#define ASK(p, lun, ...)                                                                 \
    ask((p), (lun), (const uint8_t[]){__VA_ARGS__},                                      \
        sizeof((const uint8_t[]){__VA_ARGS__}))

static uint32_t last_lba(struct wire_peer *p)
{
    ASK(p, RIG_LUN, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    return be32_load(p->data);
}

static void put(struct wire_peer *p, uint32_t lba, uint8_t value)
{
    struct cmd_req m;
    struct cmd_rsp rsp;
    uint8_t data[512];
    memset(data, value, sizeof(data));
    wire_peer_rw(p, &m, true, lba, 1);
    m.data_bytes = sizeof(data);
    wire_peer_send_cmd(p, &m, data);
    assert_int_equal(wire_peer_status(p, &rsp), SAM_GOOD);
}

static void expect_block(struct wire_peer *p, uint32_t lun, uint32_t lba, uint8_t value)
{
    struct cmd_req m;
    wire_peer_rw(p, &m, false, lba, 1);
    m.lun = lun_encode(lun);
    wire_peer_send_cmd(p, &m, NULL);
    wire_peer_expect(p, OP_DATA_IN);
    assert_int_equal(p->data_bytes, 512);
    assert_int_equal(p->data[0], value);
    assert_int_equal(p->data[511], value);
}

/* ---- Management ---- */

static void on_volume(void *arg, struct volume *volume, const struct err *e)
{
    (void)volume;
    wire_rig_on_done(arg, e);
}

static void on_snapshots(void *arg, struct volume *const *snapshots, size_t count,
                         const struct err *e)
{
    (void)snapshots;
    (void)count;
    wire_rig_on_done(arg, e);
}

static void resize(struct wire_rig *r, uint64_t blocks)
{
    struct volume_change change = {.size_bytes = blocks * 512, .allow_data_loss = true};
    r->answers = 1;
    volume_change(r->lunmgr, "v", &change, on_volume, r);
    wire_rig_wait(r);
}

static void snapshot(struct wire_rig *r, const char *name)
{
    static const char *const volumes[] = {"v"};
    struct snapshot_spec spec = {.volumes = volumes, .volume_count = 1, .name = name};
    r->answers = 1;
    snapshot_create(r->lunmgr, &spec, on_snapshots, r);
    wire_rig_wait(r);
}

/* ---- The claims ---- */

static void a_grown_volume_is_told_to_all_and_usable_at_once(void **state)
{
    struct two *t = *state;
    resize(t->rig, 2 * RIG_BLOCKS);
    for (size_t i = 0; i < 2; i++) {
        expect_attention(t->peers[i], SENSE_CAPACITY_CHANGED);
        expect_nothing_to_tell(t->peers[i]);
        assert_int_equal(last_lba(t->peers[i]), 2 * RIG_BLOCKS - 1);
    }
    put(t->peers[0], 2 * RIG_BLOCKS - 1, 0x5a);
    expect_block(t->peers[1], RIG_LUN, 2 * RIG_BLOCKS - 1, 0x5a);
}

static void a_shrunken_volume_is_told_to_all_and_ends_at_once(void **state)
{
    struct two *t = *state;
    put(t->peers[0], 2048, 0x11);
    resize(t->rig, 2048);
    for (size_t i = 0; i < 2; i++) {
        struct cmd_req m;
        expect_attention(t->peers[i], SENSE_CAPACITY_CHANGED);
        wire_peer_rw(t->peers[i], &m, false, 2048, 1);
        wire_peer_send_cmd(t->peers[i], &m, NULL);
        expect_sense(t->peers[i], SENSE_LBA_RANGE);
        assert_int_equal(last_lba(t->peers[i]), 2047);
    }
    resize(t->rig, RIG_BLOCKS);
    expect_attention(t->peers[0], SENSE_CAPACITY_CHANGED);
    expect_block(t->peers[0], RIG_LUN, 2048, 0);
}

/* A command that was checked against the old size and waits for its data meanwhile. */
static void a_write_under_way_ends_where_its_volume_does(void **state)
{
    struct two *t = *state;
    struct wire_peer *p = wire_peer_connect(t->rig);
    struct cmd_req m;
    struct r2t r2t;
    wire_peer_login(p, KEYS("InitialR2T=Yes\0ImmediateData=No\0"));
    wire_peer_ready(p);
    begin_write(p, &m, 4096, 8, &r2t);
    resize(t->rig, 2048);
    answer_r2t(p, &r2t, 4096);
    expect_sense(p, SENSE_LBA_RANGE);
    wire_peer_close(p);
}

struct refusal {
    struct wire_rig *rig;
    struct err err;
};

static void on_refused(void *arg, struct volume *volume, const struct err *e)
{
    struct refusal *r = arg;
    assert_null(volume);
    r->err = *e;
    r->rig->answers--;
}

static void a_volume_that_sessions_see_is_rolled_back_fenced_only(void **state)
{
    struct two *t = *state;
    struct rollback_spec spec = {.snapshot = "s"};
    struct refusal refusal = {.rig = t->rig};
    put(t->peers[0], 0, 1);
    snapshot(t->rig, "s");
    put(t->peers[1], 0, 2);
    t->rig->answers = 1;
    volume_rollback(t->rig->lunmgr, "v", &spec, on_refused, &refusal);
    wire_rig_wait(t->rig);
    assert_int_equal(refusal.err.code, -EBUSY);
    assert_non_null(strstr(refusal.err.text, "2 sessions"));
    expect_nothing_to_tell(t->peers[0]);
    expect_block(t->peers[0], RIG_LUN, 0, 2);
    spec.fence = true;
    t->rig->answers = 1;
    volume_rollback(t->rig->lunmgr, "v", &spec, on_volume, t->rig);
    wire_rig_wait(t->rig);
    for (size_t i = 0; i < 2; i++) {
        expect_attention(t->peers[i], SENSE_MEDIUM_CHANGED);
        expect_nothing_to_tell(t->peers[i]);
        expect_block(t->peers[i], RIG_LUN, 0, 1);
    }
}

static void a_rollback_to_another_size_is_told_with_it(void **state)
{
    struct two *t = *state;
    struct rollback_spec spec = {.snapshot = "s", .fence = true};
    snapshot(t->rig, "s");
    resize(t->rig, 2 * RIG_BLOCKS);
    expect_attention(t->peers[0], SENSE_CAPACITY_CHANGED);
    t->rig->answers = 1;
    volume_rollback(t->rig->lunmgr, "v", &spec, on_volume, t->rig);
    wire_rig_wait(t->rig);
    expect_attention(t->peers[0], SENSE_MEDIUM_CHANGED);
    expect_attention(t->peers[0], SENSE_CAPACITY_CHANGED);
    expect_nothing_to_tell(t->peers[0]);
    assert_int_equal(last_lba(t->peers[0]), RIG_BLOCKS - 1);
}

/* Sessions of an initiator that does not see it, and discovery sessions, do not count. */
static void a_volume_that_nobody_sees_is_rolled_back(void **state)
{
    struct two *t = *state;
    struct rollback_spec spec = {.snapshot = "s"};
    snapshot(t->rig, "s");
    t->rig->answers = 1;
    mapping_delete(t->rig->lunmgr, "v/h1", wire_rig_on_done, t->rig);
    wire_rig_wait(t->rig);
    t->rig->answers = 1;
    volume_rollback(t->rig->lunmgr, "v", &spec, on_volume, t->rig);
    wire_rig_wait(t->rig);
}

static void a_mapped_snapshot_is_a_unit_of_its_own_that_is_not_written(void **state)
{
    struct two *t = *state;
    struct wire_peer *p = t->peers[0];
    struct mapping_spec mapping = {.snapshot = "v/s", .host = "h1", .lun = SNAPSHOT_LUN};
    struct snapshot_info info;
    struct cmd_req m;
    put(p, 8, 0x77);
    snapshot(t->rig, "s");
    put(p, 8, 0x78);
    wire_rig_map(t->rig, &mapping);
    struct volume *s = snapshot_find(t->rig->lunmgr, "v/s");
    snapshot_describe(s, &info);
    ASK(p, SNAPSHOT_LUN, 0x12, 1, 0x83, 0, 255, 0);
    assert_int_equal(p->data[5], 0x03); /* NAA, of the unit */
    assert_memory_equal(p->data + 8, volume_naa(s), 16);
    assert_memory_not_equal(volume_naa(s), volume_naa(volume_find(t->rig->lunmgr, "v")),
                            16);
    ASK(p, SNAPSHOT_LUN, 0x12, 1, 0x80, 0, 255, 0);
    assert_memory_equal(p->data + 4, info.serial, strlen(info.serial));
    wire_peer_cmd(p, &m); /* its power on and the changed LUNs */
    m.lun = lun_encode(SNAPSHOT_LUN);
    wire_peer_send_cmd(p, &m, NULL);
    expect_sense(p, SENSE_POWER_ON);
    ASK(p, SNAPSHOT_LUN, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0);
    expect_block(p, SNAPSHOT_LUN, 8, 0x77);
    ASK(p, SNAPSHOT_LUN, 0x1a, 0x08, 0x3f, 0, 255, 0);
    assert_int_equal(p->data[2] & 0x80, 0x80); /* WP */
    static const uint8_t data[512];
    wire_peer_rw(p, &m, true, 8, 1);
    m.lun = lun_encode(SNAPSHOT_LUN);
    m.data_bytes = sizeof(data);
    wire_peer_send_cmd(p, &m, data);
    expect_sense(p, SENSE_WRITE_PROTECTED);
    expect_block(p, SNAPSHOT_LUN, 8, 0x77);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, two_setup, two_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_grown_volume_is_told_to_all_and_usable_at_once),
        TEST(a_shrunken_volume_is_told_to_all_and_ends_at_once),
        TEST(a_write_under_way_ends_where_its_volume_does),
        TEST(a_volume_that_sessions_see_is_rolled_back_fenced_only),
        TEST(a_rollback_to_another_size_is_told_with_it),
        TEST(a_volume_that_nobody_sees_is_rolled_back),
        TEST(a_mapped_snapshot_is_a_unit_of_its_own_that_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
