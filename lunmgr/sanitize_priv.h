/* SPDX-License-Identifier: Apache-2.0 */
/* Sanitizing from inside lunmgr: a pass over a layer's extents, and going on at start. */
#ifndef LUNMGR_SANITIZE_PRIV_H
#define LUNMGR_SANITIZE_PRIV_H

#include "db/catalog.h"
#include "lunmgr/engine.h"
#include "lunmgr/pool_priv.h"
#include "lunmgr/sanitize.h"

#define PASS_BATCH_LEAVES 16 /* read at a time: 256 MiB of volume */
#define PASS_WRITES       4  /* under way at once */
#define PASS_RUN_EXTENTS  16 /* of one of them: 1 MiB */

struct sanitize_pass;

struct pass_write {
    struct engine_io io;
    struct iovec iov[PASS_RUN_EXTENTS];
    struct sanitize_pass *pass;
    struct device *device;
    unsigned extents; /* 0: not under way */
};

/* Writes the same content to all extents that the catalog's words of a layer name, whole,
 * blocks that are not valid too; then a round syncs the devices. Nobody changes the words
 * meanwhile. Home loop. */
struct sanitize_pass {
    /* The caller sets these. */
    struct pool *pool;
    uint32_t layer_id, family;
    uint8_t *content; /* EXTENT_BYTES, BUF_ALIGN-aligned, of the home lane's buffers */
    struct progress *progress; /* an extent is a unit */
    /* rc: 0; -ECANCELED: lunmgr closes; -EIO; -EUCLEAN; the catalog's. Never inside
     * start. */
    void (*done)(struct sanitize_pass *pass, int rc);
    /* Its own. */
    struct catalog_job job;
    struct round_wait round;
    uint64_t next_key;
    size_t leaf_count, next_word; /* of the batch */
    unsigned writes_due;
    int rc;
    struct pass_write writes[PASS_WRITES];
    uint64_t words[PASS_BATCH_LEAVES * LEAF_WORDS];
};

void sanitize_pass_start(struct sanitize_pass *pass);

/* At start, before anything is served: takes a row on. 0 or -ENOMEM. Then, with the loops
 * there, goes on with what was under way. */
int sanitize_load(struct volume *volume, const struct sanitize_row *row) MUST_CHECK;
void sanitize_resume(struct volume *volume);

#endif
