/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of a reactor that are read, and sent to, together: what they sent while
 * their reactors stood still is found in one turn. */
#include "tests/unit/target/wire_talk.h"

#include "base/crc32c.h"
#include "target/conn.h"
#include "target/reactor.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define PEERS        24   /* more of a reactor than are read together */
#define WRITE_BLOCKS 128U /* of 512 bytes */
#define WRITE_BYTES  (WRITE_BLOCKS * 512U)
#define READ_BLOCKS  512U
#define FIRST_BYTES  (20U << 10) /* what is left of such a write is read to its place */

/* ---- reactors that stand still ---- */

struct stall {
    struct note note;
    struct reactor *reactor;
    atomic_bool some_waited; /* to be read */
    sem_t stands, goes_on;
};

static struct stall stalls[2];

static void on_stall(struct note *note)
{
    struct stall *s = container_of(note, struct stall, note);
    sem_post(&s->stands);
    while (sem_wait(&s->goes_on) != 0)
        ;
}

static void reactors_stand(struct wire_rig *r)
{
    for (unsigned i = 0; i < ARRAY_LEN(stalls); i++) {
        struct stall *s = &stalls[i];
        s->note.run = on_stall;
        loop_post(r->target->reactors[i]->loop, &s->note);
        while (sem_wait(&s->stands) != 0)
            ;
    }
}

static void reactors_go_on(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(stalls); i++)
        sem_post(&stalls[i].goes_on);
}

/* ---- peers ---- */

static struct wire_peer *peers[PEERS];

static void peers_log_in(void **state, const char *keys, size_t bytes)
{
    for (unsigned i = 0; i < PEERS; i++)
        peers[i] = logged_in(state, keys, bytes);
}

static void peers_close(void)
{
    for (unsigned i = 0; i < PEERS; i++)
        if (peers[i] != NULL)
            wire_peer_close(TAKE(peers[i]));
}

static uint8_t data_of(unsigned peer)
{
    return (uint8_t)(0xa0 + peer);
}

static uint32_t lba_of(unsigned peer)
{
    return peer * WRITE_BLOCKS;
}

/* Up to the answer to that command; true: it was GOOD. */
static bool answered_good(struct wire_peer *p, uint32_t itt)
{
    struct cmd_rsp rsp;
    do
        (void)wire_peer_status(p, &rsp);
    while (rsp.itt != itt);
    return rsp.status == SAM_GOOD;
}

/* TEST UNIT READY until there is no unit attention, whatever else is answered first. */
static void comes_to_be_ready(struct wire_peer *p)
{
    struct cmd_req m;
    for (int i = 0; i < 8; i++) {
        wire_peer_cmd(p, &m);
        wire_peer_send_cmd(p, &m, NULL);
        if (answered_good(p, m.itt))
            return;
    }
    fail_msg("the unit does not get ready");
}

/* A WRITE of WRITE_BYTES, all of them immediate data; `bytes` of the PDU. */
static void send_part(struct wire_peer *p, const struct cmd_req *m, uint8_t fill,
                      size_t from, size_t bytes)
{
    static uint8_t pdu[BHS_BYTES + WRITE_BYTES + CRC32C_BYTES];
    union bhs bhs;
    cmd_req_encode(m, &bhs.cmd_req);
    bhs.any.data_bytes = be24_of(WRITE_BYTES);
    memcpy(pdu, &bhs, BHS_BYTES);
    memset(pdu + BHS_BYTES, fill, WRITE_BYTES);
    crc32c_store(pdu + BHS_BYTES + WRITE_BYTES, crc32c(0, pdu + BHS_BYTES, WRITE_BYTES));
    wire_peer_send_raw(p, pdu + from, bytes);
}

static void begin(unsigned peer, struct cmd_req *m)
{
    wire_peer_rw(peers[peer], m, true, lba_of(peer), WRITE_BLOCKS);
    m->data_bytes = WRITE_BYTES;
    send_part(peers[peer], m, data_of(peer), 0, BHS_BYTES + FIRST_BYTES);
}

static void end(unsigned peer, const struct cmd_req *m)
{
    size_t digest_bytes = peers[peer]->data_digest ? CRC32C_BYTES : 0;
    send_part(peers[peer], m, data_of(peer), BHS_BYTES + FIRST_BYTES,
              WRITE_BYTES - FIRST_BYTES + digest_bytes);
}

static void reads_its_own(unsigned peer, uint32_t itt, uint8_t fill)
{
    struct wire_peer *p = peers[peer];
    wire_peer_expect(p, OP_DATA_IN);
    assert_int_equal(be32_get(p->bhs.data_in.itt), itt);
    assert_int_equal(p->data_bytes, 4096);
    for (size_t i = 0; i < p->data_bytes; i++)
        assert_int_equal(p->data[i], fill);
}

/* ---- the tests ---- */

static void each_is_answered_what_it_asked(void **state)
{
    struct cmd_req m[PEERS];
    peers_log_in(state, KEYS(""));
    for (unsigned i = 0; i < PEERS; i++)
        begin(i, &m[i]);
    reactors_stand(*state);
    for (unsigned i = 0; i < PEERS; i++)
        end(i, &m[i]);
    reactors_go_on();
    for (unsigned i = 0; i < PEERS; i++)
        expect_good(peers[i], m[i].itt);
    reactors_stand(*state);
    for (unsigned i = 0; i < PEERS; i++) {
        wire_peer_rw(peers[i], &m[i], false, lba_of(i), 8);
        wire_peer_send_cmd(peers[i], &m[i], NULL);
    }
    reactors_go_on();
    for (unsigned i = 0; i < PEERS; i++)
        reads_its_own(i, m[i].itt, data_of(i));
    peers_close();
}

/* What one of them asks for ends what others are just sending the data of. */
static void reset_among_them(void **state, const char *keys, size_t bytes)
{
    struct cmd_req m[PEERS];
    peers_log_in(state, keys, bytes);
    assert_int_equal(peers[0]->data_digest, bytes > 0);
    for (unsigned round = 0; round < 10; round++) {
        unsigned resetter = round % PEERS;
        for (unsigned i = 0; i < PEERS; i++)
            if (i != resetter)
                begin(i, &m[i]);
        reactors_stand(*state);
        uint32_t itt = 0;
        for (unsigned i = 0; i < PEERS; i++) {
            if (i == resetter)
                itt = send_tmf(peers[i], TMF_LU_RESET, RIG_LUN, PDU_TAG_NONE);
            else
                end(i, &m[i]);
        }
        reactors_go_on();
        expect_tmf(peers[resetter], itt, TMF_COMPLETE);
        for (unsigned i = 0; i < PEERS; i++)
            comes_to_be_ready(peers[i]);
    }
    peers_close();
}

static void a_reset_among_them_harms_none(void **state)
{
    reset_among_them(state, KEYS(""));
}

/* Where data has digests it is looked at once more, where it was read to. */
static void a_reset_among_digests_harms_none(void **state)
{
    reset_among_them(state, KEYS("DataDigest=CRC32C\0"));
}

static void one_that_goes_leaves_the_others_their_answers(void **state)
{
    struct cmd_req m[PEERS];
    peers_log_in(state, KEYS(""));
    for (unsigned gone = 0; gone < PEERS / 2; gone++) {
        for (unsigned i = gone; i < PEERS; i++)
            begin(i, &m[i]);
        reactors_stand(*state);
        wire_peer_close(TAKE(peers[gone]));
        for (unsigned i = gone + 1; i < PEERS; i++)
            end(i, &m[i]);
        reactors_go_on();
        for (unsigned i = gone + 1; i < PEERS; i++)
            expect_good(peers[i], m[i].itt);
    }
    peers_close();
}

/* Ends those that wait to be read as well as those that were. */
static void on_cut(struct note *note)
{
    struct stall *s = container_of(note, struct stall, note);
    struct reactor *r = s->reactor;
    atomic_store(&s->some_waited, r->sockets.readable != NULL);
    for (struct conn *c = r->conns; c != NULL; c = c->next)
        conn_cut(c, NULL);
}

/* While the reactors stand each asks for READ_BLOCKS, of which a few are a turn's. */
static void all_ask(void **state)
{
    struct cmd_req m;
    reactors_stand(*state);
    for (unsigned i = 0; i < PEERS; i++) {
        wire_peer_rw(peers[i], &m, false, 0, READ_BLOCKS);
        wire_peer_send_cmd(peers[i], &m, NULL);
    }
}

static void all_are_answered(void)
{
    for (unsigned i = 0; i < PEERS; i++) {
        size_t bytes = 0;
        while (bytes < READ_BLOCKS * 512U) {
            wire_peer_expect(peers[i], OP_DATA_IN);
            bytes += peers[i]->data_bytes;
        }
    }
}

static void those_that_wait_to_be_read_may_end(void **state)
{
    struct wire_rig *r = *state;
    struct stall cuts[ARRAY_LEN(stalls)];
    peers_log_in(state, KEYS(""));
    for (unsigned i = 0; i < 4; i++) {
        all_ask(state);
        reactors_go_on();
        all_are_answered();
    }
    all_ask(state);
    for (unsigned i = 0; i < ARRAY_LEN(cuts); i++) {
        cuts[i] = (struct stall){.note.run = on_cut, .reactor = r->target->reactors[i]};
        loop_post(cuts[i].reactor->loop, &cuts[i].note);
    }
    reactors_go_on();
    for (unsigned i = 0; i < PEERS; i++)
        wire_peer_expect_eof(peers[i]);
    for (unsigned i = 0; i < ARRAY_LEN(cuts); i++)
        assert_true(atomic_load(&cuts[i].some_waited));
    peers_close();
}

static int setup_ring(void **state)
{
    return wire_rig_setup_with(state, &(struct wire_rig_options){.uring = true});
}

static void each_is_answered_by_the_ring(void **state)
{
    struct wire_rig *r = *state;
    for (unsigned i = 0; i < r->target->reactor_count; i++)
        assert_true(sock_uring_has_ring(r->target->reactors[i]->sockets.uring));
    each_is_answered_what_it_asked(state);
}

int main(void)
{
#define ALONE(test)                                                                      \
    cmocka_unit_test_setup_teardown(test, wire_rig_setup, wire_rig_teardown)
#define RING(test) cmocka_unit_test_setup_teardown(test, setup_ring, wire_rig_teardown)
    const struct CMUnitTest alone[] = {
        ALONE(each_is_answered_what_it_asked),
        ALONE(a_reset_among_them_harms_none),
        ALONE(a_reset_among_digests_harms_none),
        ALONE(one_that_goes_leaves_the_others_their_answers),
        ALONE(those_that_wait_to_be_read_may_end),
    };
    const struct CMUnitTest ring[] = {
        RING(each_is_answered_by_the_ring),
        RING(a_reset_among_them_harms_none),
        RING(a_reset_among_digests_harms_none),
        RING(one_that_goes_leaves_the_others_their_answers),
        RING(those_that_wait_to_be_read_may_end),
    };
    struct err e = {.code = 0};
    for (unsigned i = 0; i < ARRAY_LEN(stalls); i++) {
        sem_init(&stalls[i].stands, 0, 0);
        sem_init(&stalls[i].goes_on, 0, 0);
    }
    int failed = cmocka_run_group_tests(alone, NULL, NULL);
    if (engine_probe_uring(&e) != 0)
        printf("without io_uring: %s\n", e.text);
    else
        failed += cmocka_run_group_tests(ring, NULL, NULL);
    return failed;
}
