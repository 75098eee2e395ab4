/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens over whole sessions of several hosts: what they show, who may use them, what is
 * told of them. */
#include "tests/unit/target/wire_talk.h"

#include "base/clock.h"
#include "lunmgr/lunmgr_priv.h"
#include "lunmgr/rod.h"
#include "proto/lun.h"
#include "proto/rod.h"

#include <string.h>
#include <unistd.h>

#define LUN_W      4   /* of 512-byte blocks */
#define LUN_LARGE  5   /* of 4,096-byte blocks */
#define LUN_LOCKED 6   /* "w" again, read-only, of host h2 */
#define ALL        128 /* blocks that most tests copy: an extent */

/* ---- the rig ---- */

static void on_host(void *arg, struct host *host, const struct err *e)
{
    (void)host;
    wire_rig_on_done(arg, e);
}

static void make_volume(struct wire_rig *r, const char *name, uint32_t block_bytes)
{
    struct volume_spec spec = {.name = name,
                               .pool = "p",
                               .size_bytes = RIG_BLOCKS * 512ULL,
                               .block_bytes = block_bytes};
    wire_rig_make(r, &spec);
}

static void map(struct wire_rig *r, const char *volume, const char *host, uint16_t lun,
                bool read_only)
{
    struct mapping_spec spec = {
        .volume = volume, .host = host, .lun = lun, .read_only = read_only};
    wire_rig_map(r, &spec);
}

/* h1 sees v, w and large; h2 sees w alone, twice. */
static int setup(void **state)
{
    int rc = wire_rig_setup(state);
    struct wire_rig *r = *state;
    const char *initiators[] = {RIG_STRANGER};
    struct host_spec host = {
        .name = "h2", .initiators = initiators, .initiator_count = 1};
    r->answers = 1;
    host_create(r->lunmgr, &host, on_host, r);
    wire_rig_wait(r);
    make_volume(r, "w", 512);
    make_volume(r, "large", 4096);
    map(r, "w", "h1", LUN_W, false);
    map(r, "large", "h1", LUN_LARGE, false);
    map(r, "w", "h2", LUN_W, false);
    return rc;
}

static struct wire_peer *session_of(void **state, const char *names, size_t bytes)
{
    struct wire_peer *p = wire_peer_connect(*state);
    struct login_req m = {
        .transit = true, .csg = LOGIN_OPERATIONAL, .nsg = LOGIN_FULL_FEATURE};
    assert_int_equal(wire_peer_login_step(p, &m, names, bytes), LOGIN_SUCCESS);
    return p;
}

static void send_to(struct wire_peer *p, struct cmd_req *m, uint32_t lun,
                    const void *data, uint32_t bytes)
{
    m->lun = lun_encode(lun);
    m->write = bytes > 0;
    m->expected_bytes = m->data_bytes = bytes;
    wire_peer_send_cmd(p, m, data);
}

/* Until it has no unit attention. */
static void ready(struct wire_peer *p, uint32_t lun)
{
    struct cmd_req m;
    struct cmd_rsp rsp;
    do {
        wire_peer_cmd(p, &m);
        send_to(p, &m, lun, NULL, 0);
    } while (wire_peer_status(p, &rsp) != SAM_GOOD);
}

static struct wire_peer *first_host(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    ready(p, LUN_W);
    ready(p, LUN_LARGE);
    return p;
}

static struct wire_peer *second_host(void **state)
{
    struct wire_peer *p = session_of(
        state, KEYS("InitiatorName=" RIG_STRANGER "\0TargetName=" RIG_TARGET "\0"));
    ready(p, LUN_W);
    return p;
}

/* ---- blocks ---- */

/* One byte in all of them. 64 blocks of 512 at most at once, a command's immediate data.
 */
static void write_blocks(struct wire_peer *p, uint32_t lun, uint32_t lba, uint32_t blocks,
                         uint8_t fill)
{
    for (uint32_t at = 0; at < blocks; at += 8) {
        struct cmd_req m;
        memset(pattern, fill, 8 * 512);
        wire_peer_rw(p, &m, true, lba + at, 8);
        send_to(p, &m, lun, pattern, 8 * 512);
        expect_good(p, m.itt);
    }
}

static void expect_blocks_of(struct wire_peer *p, uint32_t lun, uint32_t lba,
                             uint16_t blocks, uint32_t bytes, uint8_t fill)
{
    struct cmd_req m;
    wire_peer_rw(p, &m, false, lba, blocks);
    m.lun = lun_encode(lun);
    m.expected_bytes = bytes;
    wire_peer_send_cmd(p, &m, NULL);
    memset(pattern, fill, bytes);
    for (uint32_t at = 0; at < bytes; at += (uint32_t)p->data_bytes) {
        wire_peer_expect(p, OP_DATA_IN);
        assert_memory_equal(p->data, pattern, p->data_bytes);
    }
}

static void expect_blocks(struct wire_peer *p, uint32_t lun, uint32_t lba,
                          uint16_t blocks, uint8_t fill)
{
    expect_blocks_of(p, lun, lba, blocks, blocks * 512U, fill);
}

/* ---- the commands ---- */

static void list_cdb(struct cmd_req *m, uint8_t action, uint32_t id, uint32_t bytes)
{
    m->cdb[0] = 0x83;
    m->cdb[1] = action;
    be32_store(m->cdb + 6, id);
    be32_store(m->cdb + 10, bytes);
}

/* One range; its ITT. */
static uint32_t send_populate(struct wire_peer *p, uint32_t lun, uint32_t id,
                              uint8_t flags, uint32_t lba, uint32_t blocks)
{
    uint8_t list[32] = {[1] = 30, [2] = flags, [15] = 16};
    struct cmd_req m;
    be64_store(list + 16, lba);
    be32_store(list + 24, blocks);
    wire_peer_cmd(p, &m);
    list_cdb(&m, 0x10, id, sizeof(list));
    send_to(p, &m, lun, list, sizeof(list));
    return m.itt;
}

static uint32_t send_write_token(struct wire_peer *p, uint32_t lun, uint32_t id,
                                 uint8_t flags, const uint8_t *token, uint64_t offset,
                                 uint32_t lba, uint32_t blocks)
{
    uint8_t list[552] = {[0] = 0x02, [1] = 0x26, [2] = flags, [535] = 16};
    struct cmd_req m;
    be64_store(list + 8, offset);
    memcpy(list + 16, token, ROD_TOKEN_BYTES);
    be64_store(list + 536, lba);
    be32_store(list + 544, blocks);
    wire_peer_cmd(p, &m);
    list_cdb(&m, 0x11, id, sizeof(list));
    send_to(p, &m, lun, list, sizeof(list));
    return m.itt;
}

static void send_ask(struct wire_peer *p, uint32_t lun, uint8_t action, uint32_t id,
                     uint32_t alloc)
{
    struct cmd_req m;
    wire_peer_cmd(p, &m);
    m.lun = lun_encode(lun);
    m.cdb[0] = 0x84;
    m.cdb[1] = action;
    be32_store(m.cdb + 2, action == 0x08 ? 0 : id);
    be32_store(m.cdb + 10, alloc);
    m.read = true;
    m.expected_bytes = alloc;
    wire_peer_send_cmd(p, &m, NULL);
}

/* RECEIVE ROD TOKEN INFORMATION: its COPY OPERATION STATUS; the rest is in p->data. */
static uint8_t info(struct wire_peer *p, uint32_t lun, uint32_t id)
{
    send_ask(p, lun, 0x07, id, 1024);
    wire_peer_expect(p, OP_DATA_IN);
    assert_int_equal(be32_load(p->data) + 4, p->data_bytes);
    return p->data[5];
}

static uint8_t info_at_end(struct wire_peer *p, uint32_t lun, uint32_t id)
{
    uint8_t status;
    while ((status = info(p, lun, id)) == 0x12)
        usleep(1000);
    return status;
}

static void make_token(struct wire_peer *p, uint32_t lba, uint32_t blocks,
                       uint8_t token[ROD_TOKEN_BYTES])
{
    expect_good(p, send_populate(p, RIG_LUN, 77, 0, lba, blocks));
    assert_int_equal(info(p, RIG_LUN, 77), 0x01);
    assert_int_equal(be64_load(p->data + 16), blocks);
    assert_int_equal(be32_load(p->data + 32), 2 + ROD_TOKEN_BYTES);
    memcpy(token, p->data + 38, ROD_TOKEN_BYTES);
}

/* ---- what a token shows ---- */

static void a_token_shows_what_was_when_it_was_made(void **state)
{
    uint8_t token[ROD_TOKEN_BYTES];
    struct wire_peer *p = first_host(state);
    write_blocks(p, RIG_LUN, 0, ALL, 1);
    make_token(p, 0, ALL, token);
    write_blocks(p, RIG_LUN, 0, ALL, 2);
    expect_good(p, send_write_token(p, LUN_W, 5, 0, token, 0, 1000, ALL));
    expect_blocks(p, LUN_W, 1000, ALL, 1);
    expect_blocks(p, RIG_LUN, 0, ALL, 2);
    assert_int_equal(info(p, LUN_W, 5), 0x01);
    assert_int_equal(p->data[4], 0x11);
    assert_int_equal(p->data[15], 0xf1);
    assert_int_equal(be64_load(p->data + 16), ALL);
    assert_int_equal(be32_load(p->data + 32), 0);
    send_ask(p, LUN_W, 0x07, 5, 1024); /* once told it is forgotten, */
    expect_sense(p, SENSE_INVALID_CDB_FIELD);
    send_ask(p, LUN_W, 0x05, 5, 1024); /* but as a copy it is not */
    wire_peer_expect(p, OP_DATA_IN);
    assert_int_equal(p->data[5], 0x01);
    wire_peer_close(p);
}

static void offsets_are_in_blocks_of_what_is_written(void **state)
{
    uint8_t token[ROD_TOKEN_BYTES];
    struct wire_peer *p = first_host(state);
    write_blocks(p, RIG_LUN, 8, 8, 1);
    write_blocks(p, RIG_LUN, 16, 8, 2);
    make_token(p, 8, 16, token);
    expect_good(p, send_write_token(p, LUN_LARGE, 1, 0, token, 1, 7, 1));
    expect_blocks_of(p, LUN_LARGE, 7, 1, 4096, 2);
    expect_good(p, send_write_token(p, LUN_W, 1, 0, token, 7, 3, 2));
    expect_blocks(p, LUN_W, 3, 1, 1);
    expect_blocks(p, LUN_W, 4, 1, 2);
    (void)send_write_token(p, LUN_W, 1, 0, token, 16, 3, 1);
    expect_sense(p, SENSE_INVALID_PARAM_FIELD);
    (void)send_write_token(p, LUN_LARGE, 1, 0, token, UINT64_MAX / 4096, 3, 1);
    expect_sense(p, SENSE_INVALID_PARAM_FIELD);
    wire_peer_close(p);
}

/* 512 bytes of 1, the rest of a block of 4,096 is zeros. */
static void expect_block_of_one(struct wire_peer *p, uint32_t lun, uint32_t lba)
{
    struct cmd_req m;
    wire_peer_rw(p, &m, false, lba, 1);
    m.lun = lun_encode(lun);
    m.expected_bytes = 4096;
    wire_peer_send_cmd(p, &m, NULL);
    wire_peer_expect(p, OP_DATA_IN);
    assert_int_equal(p->data_bytes, 4096);
    memset(pattern, 0, 4096);
    memset(pattern, 1, 512);
    assert_memory_equal(p->data, pattern, 4096);
}

/* A block that is begun ends with zeros. */
static void a_short_token_is_told(void **state)
{
    uint8_t token[ROD_TOKEN_BYTES], whole[ROD_TOKEN_BYTES];
    struct cmd_rsp rsp;
    struct sense sense;
    struct wire_peer *p = first_host(state);
    write_blocks(p, RIG_LUN, 0, 16, 1);
    make_token(p, 0, 9, token);
    (void)send_write_token(p, LUN_W, 1, 0, token, 0, 0, 16);
    assert_int_equal(wire_peer_status(p, &rsp), SAM_CHECK_CONDITION);
    assert_int_equal(sense_segment_decode(p->data, p->data_bytes, &sense), 0);
    assert_int_equal(sense.code, SENSE_COPY_UNDERRUN);
    assert_true(sense.has_info && sense.info == 9);
    assert_int_equal(info(p, LUN_W, 1), 0x03);
    assert_int_equal(be64_load(p->data + 16), 9);
    expect_blocks(p, LUN_W, 0, 9, 1);
    expect_blocks(p, LUN_W, 9, 7, 0);
    make_token(p, 0, 16, whole);
    expect_good(p, send_write_token(p, LUN_LARGE, 1, 0, whole, 0, 0, 2));
    (void)send_write_token(p, LUN_LARGE, 1, 0x01, token, 0, 0, 4); /* IMMED */
    expect_good(p, p->itt - 1);
    assert_int_equal(info_at_end(p, LUN_LARGE, 1), 0x03);
    assert_int_equal(be64_load(p->data + 16), 2);
    assert_int_equal(p->data[12], SAM_CHECK_CONDITION);
    expect_blocks_of(p, LUN_LARGE, 0, 1, 4096, 1);
    expect_block_of_one(p, LUN_LARGE, 1);
    wire_peer_close(p);
}

static void zeros_need_no_token(void **state)
{
    static const uint8_t zeros[ROD_TOKEN_BYTES] = {0xff, 0xff, 0, 1, [6] = 0x01, 0xf8};
    struct wire_peer *p = second_host(state);
    write_blocks(p, LUN_W, 0, 32, 7);
    expect_good(p, send_write_token(p, LUN_W, 1, 0, zeros, 1000, 3, 20));
    expect_blocks(p, LUN_W, 0, 3, 7);
    expect_blocks(p, LUN_W, 3, 20, 0);
    expect_blocks(p, LUN_W, 23, 9, 7);
    assert_int_equal(info(p, LUN_W, 1), 0x01);
    assert_int_equal(be64_load(p->data + 16), 20);
    wire_peer_close(p);
}

static void nothing_makes_no_token(void **state)
{
    struct cmd_req m;
    struct wire_peer *p = first_host(state);
    expect_good(p, send_populate(p, RIG_LUN, 1, 0, 5, 0));
    assert_int_equal(info(p, RIG_LUN, 1), 0x01);
    assert_int_equal(be64_load(p->data + 16), 0);
    assert_int_equal(be32_load(p->data + 32), 0);
    wire_peer_cmd(p, &m);
    list_cdb(&m, 0x10, 2, 0);
    send_to(p, &m, RIG_LUN, NULL, 0);
    expect_good(p, m.itt);
    send_ask(p, RIG_LUN, 0x07, 2, 64);
    expect_sense(p, SENSE_INVALID_CDB_FIELD);
    wire_peer_close(p);
}

/* ---- who may use it ---- */

static void a_token_with_any_byte_changed_is_refused(void **state)
{
    uint8_t token[ROD_TOKEN_BYTES];
    struct cmd_rsp rsp;
    struct sense sense;
    struct wire_peer *p = first_host(state);
    write_blocks(p, RIG_LUN, 0, 8, 1);
    make_token(p, 0, 8, token);
    for (size_t i = 0; i < sizeof(token); i++) {
        token[i] ^= 0x40;
        (void)send_write_token(p, LUN_W, 1, 0, token, 0, 0, 8);
        token[i] ^= 0x40;
        assert_int_equal(wire_peer_status(p, &rsp), SAM_CHECK_CONDITION);
        assert_int_equal(sense_segment_decode(p->data, p->data_bytes, &sense), 0);
        assert_int_equal(sense.code, i < 4              ? SENSE_TOKEN_TYPE
                                     : i == 6 || i == 7 ? SENSE_TOKEN_LENGTH
                                                        : SENSE_TOKEN_UNKNOWN);
    }
    expect_blocks(p, LUN_W, 0, 8, 0);
    expect_good(p, send_write_token(p, LUN_W, 1, 0, token, 0, 0, 8));
    expect_blocks(p, LUN_W, 0, 8, 1);
    wire_peer_close(p);
}

static void unmap(struct wire_rig *r, const char *pair)
{
    r->answers = 1;
    mapping_delete(r->lunmgr, pair, wire_rig_on_done, r);
    wire_rig_wait(r);
}

static void only_a_host_that_is_shown_the_source_may_use_it(void **state)
{
    uint8_t token[ROD_TOKEN_BYTES];
    struct wire_rig *r = *state;
    struct wire_peer *p = first_host(state), *q = second_host(state);
    write_blocks(p, RIG_LUN, 0, 8, 1);
    make_token(p, 0, 8, token);
    (void)send_write_token(q, LUN_W, 1, 0, token, 0, 0, 8);
    expect_sense(q, SENSE_TOKEN_REVOKED);
    expect_blocks(q, LUN_W, 0, 8, 0);
    map(r, "v", "h2", 9, true); /* to be read is enough */
    ready(q, LUN_W);
    expect_good(q, send_write_token(q, LUN_W, 1, 0, token, 0, 0, 8));
    expect_blocks(q, LUN_W, 0, 8, 1);
    unmap(r, "v/h2");
    ready(q, LUN_W);
    (void)send_write_token(q, LUN_W, 1, 0, token, 0, 8, 8);
    expect_sense(q, SENSE_TOKEN_REVOKED);
    /* The one that has made it is no better off. */
    unmap(r, "v/h1");
    ready(p, LUN_W);
    (void)send_write_token(p, LUN_W, 1, 0, token, 0, 8, 8);
    expect_sense(p, SENSE_TOKEN_REVOKED);
    expect_blocks(p, LUN_W, 8, 8, 0);
    wire_peer_close(p);
    wire_peer_close(q);
}

static void another_session_of_the_host_may_use_it(void **state)
{
    uint8_t token[ROD_TOKEN_BYTES];
    struct wire_peer *p = first_host(state), *q = first_host(state);
    write_blocks(p, RIG_LUN, 0, 8, 1);
    make_token(p, 0, 8, token);
    wire_peer_close(p);
    expect_good(q, send_write_token(q, LUN_W, 1, 0, token, 0, 0, 8));
    expect_blocks(q, LUN_W, 0, 8, 1);
    send_ask(q, RIG_LUN, 0x07, 77, 64); /* what the other asked for is not its */
    expect_sense(q, SENSE_INVALID_CDB_FIELD);
    wire_peer_close(q);
}

static void a_protected_unit_is_not_written(void **state)
{
    uint8_t token[ROD_TOKEN_BYTES];
    struct wire_rig *r = *state;
    struct wire_peer *p = first_host(state);
    make_token(p, 0, 8, token);
    unmap(r, "w/h1");
    map(r, "w", "h1", LUN_LOCKED, true);
    ready(p, LUN_LOCKED);
    (void)send_write_token(p, LUN_LOCKED, 1, 0, token, 0, 0, 8);
    expect_sense(p, SENSE_WRITE_PROTECTED);
    expect_good(p, send_populate(p, LUN_LOCKED, 1, 0, 0, 8));
    wire_peer_close(p);
}

/* ---- its end ---- */

static void a_token_says_what_has_become_of_it(void **state)
{
    uint8_t deleted[ROD_TOKEN_BYTES], expired[ROD_TOKEN_BYTES];
    struct wire_rig *r = *state;
    struct wire_peer *p = first_host(state);
    make_token(p, 0, 8, deleted);
    make_token(p, 8, 8, expired);
    expect_good(p, send_write_token(p, LUN_W, 1, 0x02, deleted, 0, 0, 8));
    (void)send_write_token(p, LUN_W, 1, 0, deleted, 0, 0, 8);
    expect_sense(p, SENSE_TOKEN_DELETED);
    rods_look(r->lunmgr, clock_coarse_ms() + ROD_TIMEOUT_DEFAULT_S * 1000);
    (void)send_write_token(p, LUN_W, 1, 0, expired, 0, 0, 8);
    expect_sense(p, SENSE_TOKEN_EXPIRED);
    wire_peer_close(p);
}

static void all_tokens_of_a_unit_are_reported_without_their_secret(void **state)
{
    uint8_t first[ROD_TOKEN_BYTES], second[ROD_TOKEN_BYTES];
    struct wire_peer *p = first_host(state);
    send_ask(p, RIG_LUN, 0x08, 0, 1024);
    wire_peer_expect(p, OP_DATA_IN);
    assert_int_equal(p->data_bytes, 8);
    assert_int_equal(be32_load(p->data), 4);
    make_token(p, 0, 8, first);
    make_token(p, 8, 8, second);
    send_ask(p, RIG_LUN, 0x08, 0, 1024);
    wire_peer_expect(p, OP_DATA_IN);
    assert_int_equal(p->data_bytes, 8 + 2 * 96);
    assert_int_equal(be32_load(p->data), 4 + 2 * 96);
    assert_memory_equal(p->data + 8, second, 96);
    assert_memory_equal(p->data + 104, first, 96);
    send_ask(p, LUN_W, 0x08, 0, 1024);
    wire_peer_expect(p, OP_DATA_IN);
    assert_int_equal(p->data_bytes, 8);
    send_ask(p, RIG_LUN, 0x08, 0, 50);
    wire_peer_expect(p, OP_DATA_IN);
    assert_int_equal(p->data_bytes, 50);
    assert_int_equal(be32_load(p->data), 4 + 2 * 96);
    wire_peer_close(p);
}

/* ---- behind the answer ---- */

static void one_behind_its_answer_can_be_asked_for_and_stopped(void **state)
{
    struct disk_hold hold;
    struct cmd_req m;
    struct wire_peer *p = first_host(state);
    hold_disk(*state, &hold);
    expect_good(p, send_populate(p, RIG_LUN, 1, 0x01, 0, ALL));
    assert_int_equal(info(p, RIG_LUN, 1), 0x12);
    assert_int_equal(be32_load(p->data + 32), 0);
    (void)send_populate(p, RIG_LUN, 1, 0x01, 0, ALL);
    expect_sense(p, SENSE_OPERATION_IN_PROGRESS);
    wire_peer_cmd(p, &m);
    m.cdb[0] = 0x83;
    m.cdb[1] = 0x1c; /* COPY OPERATION ABORT */
    m.cdb[5] = 1;
    send_to(p, &m, RIG_LUN, NULL, 0);
    expect_good(p, m.itt);
    release_disk(&hold);
    assert_int_equal(info_at_end(p, RIG_LUN, 1), 0x60);
    assert_int_equal(be32_load(p->data + 32), 0);
    expect_good(p, send_populate(p, RIG_LUN, 1, 0x01, 0, ALL));
    assert_int_equal(info_at_end(p, RIG_LUN, 1), 0x01);
    assert_int_equal(be32_load(p->data + 32), 514);
    wire_peer_close(p);
}

static void one_ends_with_its_session(void **state)
{
    struct disk_hold hold;
    uint8_t token[ROD_TOKEN_BYTES];
    struct wire_peer *p = first_host(state), *q = first_host(state);
    make_token(q, 0, 8, token);
    hold_disk(*state, &hold);
    expect_good(p, send_populate(p, RIG_LUN, 1, 0x01, 0, ALL));
    (void)send_populate(p, RIG_LUN, 2, 0, 0, ALL);
    wire_peer_close(p);
    ready(q, LUN_W);
    release_disk(&hold);
    expect_good(q, send_write_token(q, LUN_W, 1, 0, token, 0, 0, 8));
    wire_peer_close(q);
}

#define ROD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, wire_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROD_TEST(a_token_shows_what_was_when_it_was_made),
        ROD_TEST(offsets_are_in_blocks_of_what_is_written),
        ROD_TEST(a_short_token_is_told),
        ROD_TEST(zeros_need_no_token),
        ROD_TEST(nothing_makes_no_token),
        ROD_TEST(a_token_with_any_byte_changed_is_refused),
        ROD_TEST(only_a_host_that_is_shown_the_source_may_use_it),
        ROD_TEST(another_session_of_the_host_may_use_it),
        ROD_TEST(a_protected_unit_is_not_written),
        ROD_TEST(a_token_says_what_has_become_of_it),
        ROD_TEST(all_tokens_of_a_unit_are_reported_without_their_secret),
        ROD_TEST(one_behind_its_answer_can_be_asked_for_and_stopped),
        ROD_TEST(one_ends_with_its_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
