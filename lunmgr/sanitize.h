/* SPDX-License-Identifier: Apache-2.0 */
/* SANITIZE (SBC-4, 4.11): what a volume's own extents hold on disk is overwritten, for
 * good. Writes that came before are waited for, what was written is flushed, a row of the
 * catalog says what is to be done, and only then the asker learns that it has begun. From
 * there to its end, over any number of starts, every other vio of the volume is answered
 * -EINPROGRESS, and nothing else may be changed of it. A failure is in the row too: the
 * volume serves nothing until it is sanitized after all, or its host gives up on it.
 *
 * Extents that the volume has given back before (UNMAP, a deleted snapshot) are not its
 * own any more, and are not overwritten: docs/DECISIONS.md. */
#ifndef LUNMGR_SANITIZE_H
#define LUNMGR_SANITIZE_H

#include "base/inbox.h"
#include "lunmgr/lane.h"
#include "lunmgr/volume.h"

#include <stdbool.h>
#include <stdint.h>

#define SANITIZE_PATTERN_MAX 4096 /* a logical block at most */

enum sanitize_state {
    SANITIZE_NONE,
    SANITIZE_RUNNING,
    SANITIZE_FAILED, /* until another one works, or EXIT FAILURE MODE */
};

struct sanitize_spec {
    bool erases;       /* BLOCK ERASE: zeros, then all is given back; else OVERWRITE */
    bool unrestricted; /* AUSE: a failure may be left by EXIT FAILURE MODE */
    bool inverts;      /* each second pass writes the complement of the pattern */
    uint8_t passes;    /* OVERWRITE: 1 to 31 */
    uint16_t pattern_bytes; /* OVERWRITE: 1 to a logical block, repeated in each */
    const uint8_t *pattern; /* borrowed until done() */
};

/* One command. The caller sets the first part; it is busy until done(). */
struct sanitize_ask {
    struct lane *lane;
    struct volume *volume; /* stays until done() */
    bool exits;            /* EXIT FAILURE MODE; spec is not looked at */
    bool waits; /* done() when it has ended; else when it is sure to go on by itself */
    struct sanitize_spec spec;
    /* Asked now and then of one that waits: true, it is answered at once (-ECANCELED),
     * and the work goes on. */
    bool (*is_given_up)(struct sanitize_ask *ask);
    /* On the lane's thread, never inside sanitize_start. rc: 0. Nothing has begun:
     * -EEXIST a snapshot or a clone shares its blocks; -EBUSY another operation is under
     * way, or it is being sanitized; -EPERM the one that failed was restricted (AUSE 0),
     * and this would lift that; -EIO, -ENOMEM. It has begun, and then: -EREMOTEIO it has
     * failed; -ECANCELED. */
    void (*done)(struct sanitize_ask *ask, int rc);
    struct note note; /* sanitize.c's */
    int rc;
};

/* The lane's thread. */
void sanitize_start(struct sanitize_ask *ask);
/* progress: how much is done, of 65536; only while it is RUNNING. May be NULL. Any
 * thread. */
enum sanitize_state volume_sanitize_state(const struct volume *volume,
                                          uint16_t *progress);

#endif
