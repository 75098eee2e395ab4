/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-idle: opens sessions, writes and reads one block at the very end of the LUN
 * through the first, prints "ready N BLOCKS BYTES", and keeps all of them logged in until
 * its standard input ends. Usage: ashlar-idle SESSIONS INITIATOR URL. One thread. */
#include "tests/protocol/pattern.h"
#include "tests/protocol/peer.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SESSIONS_MAX    256
#define BLOCK_BYTES_MAX 4096
#define POLL_MS         200

static struct peer *peers[SESSIONS_MAX];

static void on_done(void *arg, enum outcome outcome)
{
    *(enum outcome *)arg = outcome;
}

static int run(struct peer *p, struct peer_cmd *c)
{
    const enum outcome open = (enum outcome) - 1;
    enum outcome outcome = open;

    c->done = on_done;
    c->arg = &outcome;
    if (peer_submit(p, c) != 0)
        return -1;
    while (outcome == open && peer_turn(p, POLL_MS) == 0)
        ;
    return outcome == OUTCOME_GOOD ? 0 : -1;
}

/* The last block, which needs a 64-bit address on a large volume. */
static int use_last_block(struct peer *p, uint64_t blocks, uint32_t block_bytes)
{
    uint8_t wrote[BLOCK_BYTES_MAX], read[BLOCK_BYTES_MAX];
    struct tag tag = {.lba = blocks - 1, .generation = 1};
    struct peer_cmd c = {.data = wrote, .data_bytes = block_bytes};

    c.lun = (unsigned)peer_lun(p);
    pattern_fill(wrote, block_bytes, &tag);
    cmd_write(&c, 16, blocks - 1, 1, true);
    if (run(p, &c) != 0)
        return -1;
    memset(read, 0, sizeof(read));
    c.data = read;
    cmd_read(&c, 16, blocks - 1, 1);
    if (run(p, &c) != 0)
        return -1;
    return memcmp(wrote, read, block_bytes) == 0 ? 0 : -1;
}

/* libiscsi answers the target's pings in here. */
static int idle(unsigned n)
{
    struct pollfd fds[SESSIONS_MAX + 1];

    for (;;) {
        for (unsigned i = 0; i < n; i++)
            fds[i] =
                (struct pollfd){.fd = peer_fd(peers[i]), .events = peer_events(peers[i])};
        fds[n] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
        if (poll(fds, n + 1, -1) < 0)
            return 2;
        for (unsigned i = 0; i < n; i++) {
            if (fds[i].revents != 0 && peer_service(peers[i], fds[i].revents) != 0) {
                fprintf(stderr, "ashlar-idle: session %u: %s\n", i, peer_error(peers[i]));
                return 1;
            }
        }
        if (fds[n].revents != 0 && getchar() == EOF)
            return 0;
    }
}

int main(int argc, char **argv)
{
    uint64_t blocks = 0;
    uint32_t block_bytes = 0;
    char text[256];

    if (argc != 4) {
        fprintf(stderr, "ashlar-idle SESSIONS INITIATOR URL\n");
        return 64;
    }
    unsigned n = (unsigned)strtoul(argv[1], NULL, 10);
    if (n == 0 || n > SESSIONS_MAX)
        return 64;
    signal(SIGPIPE, SIG_IGN);
    for (unsigned i = 0; i < n; i++) {
        struct peer_options o = {
            .url = argv[3], .initiator = argv[2], .isid = 0x1d00 + i, .timeout_s = 30};
        peers[i] = peer_open(&o, text, sizeof(text));
        if (peers[i] == NULL) {
            fprintf(stderr, "ashlar-idle: session %u: %s\n", i, text);
            return 1;
        }
    }
    if (peer_capacity(peers[0], (unsigned)peer_lun(peers[0]), &blocks, &block_bytes) !=
            0 ||
        block_bytes > BLOCK_BYTES_MAX ||
        use_last_block(peers[0], blocks, block_bytes) != 0) {
        fprintf(stderr, "ashlar-idle: the last block: %s\n", peer_error(peers[0]));
        return 1;
    }
    printf("ready %u %" PRIu64 " %" PRIu32 "\n", n, blocks, block_bytes);
    fflush(stdout);
    int rc = idle(n);
    for (unsigned i = 0; i < n; i++)
        peer_close(peers[i]);
    return rc;
}
