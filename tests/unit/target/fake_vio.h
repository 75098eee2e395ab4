/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes in memory, in place of lunmgr: vio_submit queues, fake_vio_run() does the work
 * and answers, as a lane's loop would. Linked instead of lunmgr's objects, never with
 * them. One thread. */
#ifndef TESTS_FAKE_VIO_H
#define TESTS_FAKE_VIO_H

#include "lunmgr/copy.h"
#include "lunmgr/sanitize.h"
#include "lunmgr/volume_io.h"

#define FAKE_VIO_SEEN_MAX 512

struct pool {
    uint64_t extents, free_extents;
};

struct volume {
    struct pool pool; /* of its own: 4,000 extents, all free */
    uint64_t used_extents;
    bool has_saved_modes;
    struct modes saved_modes;
    const struct kept_reservation *kept;
    struct qos qos;
    uint8_t *bytes;
    uint64_t size_bytes;
    uint32_t block_bytes, physical_bytes;
    uint8_t naa[16];
    char serial[17];
    unsigned refs;
};

/* What was submitted, as it was, in order. */
struct fake_vio_seen {
    enum vio_op op;
    bool fua, may_unmap, atomic;
    uint64_t offset_bytes, length_bytes;
};

struct fake_vio {
    struct fake_vio_seen seen[FAKE_VIO_SEEN_MAX];
    unsigned count;
    unsigned fail_nth; /* 1: the next one; 0: none */
    int fail_rc;
    bool loses_writes; /* answers GOOD and keeps nothing */
    /* Sanitizing: what the volumes tell; what was asked, and how it is answered. */
    enum sanitize_state sanitize_state;
    uint16_t sanitize_progress;
    unsigned sanitize_count;
    struct sanitize_ask sanitize_seen;
    uint8_t sanitize_pattern[SANITIZE_PATTERN_MAX];
    int sanitize_rc;
    /* Copies: how many were asked for and of how many bytes; what happens while one is
     * under way; which one fails, after its first half. */
    unsigned copy_count;
    uint64_t copy_bytes;
    void (*on_copy)(void *arg);
    void *on_copy_arg;
    unsigned copy_fail_nth;
    int copy_fail_rc;
    /* What happens while a flush is under way. */
    void (*on_flush)(void *arg);
    void *on_flush_arg;
};
extern struct fake_vio fake_vio;

/* size_bytes: a multiple of BLOCK_BYTES. One reference, the caller's. */
struct volume *fake_volume_create(uint64_t size_bytes, uint32_t block_bytes);
void fake_vio_reset(void);
/* Answers until nothing is queued. */
void fake_vio_run(void);

#endif
