/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that does not answer any more: what initiators are owed meanwhile, and what it
 * may do when it answers after all. The clock stands until the disk is stuck, so that no
 * I/O is late before. */
#include "tests/unit/target/wire_talk.h"

#include "tests/lib/hand_clock.h"
#include "tests/lib/stuck_disk.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_MS 2000
#define STEP_MS    50

static struct stuck_disk *disk;
static pthread_t clock_thread;
static atomic_bool clock_runs;

/* ---- time ---- */

static void *clock_main(void *arg)
{
    (void)arg;
    while (atomic_load(&clock_runs)) {
        usleep(STEP_MS * 1000);
        hand_clock_advance(STEP_MS * 1000000ULL);
    }
    return NULL;
}

static void stop_the_disk(void)
{
    stuck_disk_stop(disk);
    atomic_store(&clock_runs, true);
    assert_int_equal(pthread_create(&clock_thread, NULL, clock_main, NULL), 0);
}

/* ---- the rig ---- */

static int setup(void **state)
{
    hand_clock_set(1);
    disk = stuck_disk_create();
    struct wire_rig_options options = {.make_engine = stuck_disk_engine,
                                       .make_engine_arg = disk,
                                       .io_timeout_ms = TIMEOUT_MS};
    return wire_rig_setup_with(state, &options);
}

static int teardown(void **state)
{
    int rc = wire_rig_teardown(state);
    atomic_store(&clock_runs, false);
    pthread_join(clock_thread, NULL);
    stuck_disk_destroy(disk);
    hand_clock_set(0);
    return rc;
}

/* ---- talk ---- */

#define BLOCKS 8

static uint32_t send_write(struct wire_peer *p, uint32_t lba, uint8_t seed)
{
    struct cmd_req m;
    fill_pattern(seed);
    wire_peer_rw(p, &m, true, lba, BLOCKS);
    m.data_bytes = BLOCKS * 512U;
    wire_peer_send_cmd(p, &m, pattern);
    return m.itt;
}

static uint32_t send_read(struct wire_peer *p, uint32_t lba)
{
    struct cmd_req m;
    wire_peer_rw(p, &m, false, lba, BLOCKS);
    wire_peer_send_cmd(p, &m, NULL);
    return m.itt;
}

static uint32_t send_flush(struct wire_peer *p)
{
    struct cmd_req m;
    wire_peer_cmd(p, &m);
    m.cdb[0] = 0x35; /* SYNCHRONIZE CACHE(10) */
    wire_peer_send_cmd(p, &m, NULL);
    return m.itt;
}

/* Something is on the disk from lba 0 on, and not all of it is durable. */
static void write_first(struct wire_peer *p)
{
    expect_good(p, send_write(p, 0, 1));
    expect_good(p, send_flush(p));
    expect_good(p, send_write(p, 8, 1));
}

static void until_stuck(struct wire_rig *r, unsigned count)
{
    while (stuck_disk_count(disk) < count) {
        loop_run_once(r->control, false);
        usleep(1000);
    }
}

static void expect_error(struct wire_peer *p)
{
    struct cmd_rsp rsp;
    struct sense sense;
    assert_int_equal(wire_peer_status(p, &rsp), SAM_CHECK_CONDITION);
    assert_int_equal(sense_segment_decode(p->data, p->data_bytes, &sense), 0);
    assert_in_range(sense_key_of(&sense), SENSE_KEY_MEDIUM_ERROR,
                    SENSE_KEY_HARDWARE_ERROR);
}

/* ---- the claims ---- */

static void its_commands_are_answered_with_an_error(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    write_first(p);
    stop_the_disk();
    (void)send_read(p, 0);
    until_stuck(*state, 1);
    (void)send_write(p, 256, 2);
    until_stuck(*state, 2);
    (void)send_flush(p);
    until_stuck(*state, 3);
    expect_silence(p);
    for (int i = 0; i < 3; i++)
        expect_error(p);
    (void)send_read(p, 0); /* at once: the disk is asked no more */
    expect_error(p);
    (void)send_write(p, 512, 3);
    expect_error(p);
    assert_int_equal(stuck_disk_count(disk), 3);
    wire_peer_close(p);
}

static void task_management_is_answered(void **state)
{
    struct wire_peer *a = logged_in(state, KEYS(""));
    struct wire_peer *b = logged_in(state, KEYS(""));
    write_first(a);
    stop_the_disk();
    uint32_t read = send_read(a, 0);
    (void)send_write(a, 256, 2);
    (void)send_flush(a);
    (void)send_read(b, 0);
    until_stuck(*state, 4);
    uint32_t abort_itt = send_tmf(a, TMF_ABORT_TASK, RIG_LUN, read);
    expect_silence(a);
    uint32_t reset_itt = send_tmf(b, TMF_LU_RESET, RIG_LUN, PDU_TAG_NONE);
    expect_silence(b);
    expect_tmf(a, abort_itt, TMF_COMPLETE);
    expect_tmf(b, reset_itt, TMF_COMPLETE);
    expect_silence(a); /* what was reset is not answered */
    expect_silence(b);
    stuck_disk_go_on(disk);
    wire_peer_ready(a);
    (void)send_read(b, 0);
    expect_sense(b, SENSE_LU_RESET);
    (void)send_read(b, 0);
    expect_error(b);
    wire_peer_close(a);
    wire_peer_close(b);
}

static void a_session_is_taken_over(void **state)
{
    struct wire_peer *old = logged_in(state, KEYS(""));
    write_first(old);
    stop_the_disk();
    (void)send_read(old, 0);
    (void)send_write(old, 256, 2);
    (void)send_flush(old);
    until_stuck(*state, 3);
    struct wire_peer *new = wire_peer_connect(*state);
    memcpy(new->isid, old->isid, ISID_BYTES);
    wire_peer_login(new, KEYS(""));
    wire_peer_expect_eof(old);
    wire_peer_ready(new);
    (void)send_read(new, 0);
    expect_error(new);
    stuck_disk_go_on(disk);
    wire_peer_ready(new);
    wire_peer_close(old);
    wire_peer_close(new);
}

/* Blocks of the pool's file that are as send_write() with that seed fills them. */
static unsigned count_on_disk(const struct wire_rig *r, uint8_t seed)
{
    static uint8_t block[BLOCKS * 512];
    char path[128];
    unsigned count = 0;
    snprintf(path, sizeof(path), "%s/pool.img", r->dir);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fill_pattern(seed);
    while (fread(block, 1, sizeof(block), file) == sizeof(block))
        count += memcmp(block, pattern, sizeof(block)) == 0;
    fclose(file);
    return count;
}

/* The bytes that its initiator sent, whatever came into memory after them; and nobody
 * sees it. */
static void a_late_write_writes_what_it_was_given(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    write_first(p);
    stop_the_disk();
    (void)send_write(p, 0, 0x21);
    until_stuck(*state, 1);
    expect_error(p);
    for (uint8_t i = 0; i < 8; i++) {
        (void)send_write(p, 0, (uint8_t)(0x30 + i));
        expect_error(p);
    }
    stuck_disk_go_on(disk);
    while (stuck_disk_count(disk) > 0)
        usleep(1000);
    assert_int_equal(count_on_disk(*state, 0x21), 1);
    (void)send_read(p, 0);
    expect_error(p);
    wire_peer_close(p);
}

/* The rig is taken down with all of them stuck, tasks and a round. */
static void the_target_stops(void **state)
{
    struct wire_peer *p = logged_in(state, KEYS(""));
    write_first(p);
    stop_the_disk();
    (void)send_read(p, 0);
    (void)send_write(p, 0, 2);
    (void)send_flush(p);
    until_stuck(*state, 3);
    wire_peer_close(p);
}

int main(void)
{
#define ON(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        ON(its_commands_are_answered_with_an_error),
        ON(task_management_is_answered),
        ON(a_session_is_taken_over),
        ON(a_late_write_writes_what_it_was_given),
        ON(the_target_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
