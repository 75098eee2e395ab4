/* SPDX-License-Identifier: Apache-2.0 */
/* Representations of data (SPC-5): what a token that an initiator is given stands for. A
 * rod is a copy of ranges of a volume or snapshot, as they were when it was made, in a
 * hidden volume: no row, no name, a layer that the next start drops. It shares what it
 * can (copy.h). It goes when nobody has used it for its time, when it is deleted, when
 * its source or its pool goes, or with the daemon; what has become of it is remembered
 * for twice that time. Who may use it is the caller's to say. */
#ifndef LUNMGR_ROD_H
#define LUNMGR_ROD_H

#include "lunmgr/copy.h"
#include "lunmgr/volume.h"

#include <stdbool.h>
#include <stdint.h>

#define ROD_SECRET_BYTES      256
#define ROD_PIECES_MAX        64
#define ROD_BYTES_MAX         (256ULL << 20) /* of one */
#define ROD_OF_HOST_MAX       64 /* then the one that it has used longest ago makes room */
#define ROD_COUNT_MAX         512 /* of the box; dead ones are remembered as many again */
#define ROD_TIMEOUT_DEFAULT_S 60
#define ROD_TIMEOUT_MAX_S     300

struct lunmgr;
struct pool;

enum rod_state {
    ROD_MAKING,
    ROD_READY,
    /* What it shows is gone, or goes when those that use it have ended: */
    ROD_DELETED,   /* as an initiator asked */
    ROD_EXPIRED,   /* nobody has used it for its time */
    ROD_CANCELLED, /* to make room, or for a sanitize */
    ROD_REVOKED,   /* its source or its pool has gone */
};

/* length_bytes of the source from from_bytes on; in the hidden volume from at_bytes. */
struct rod_piece {
    uint64_t from_bytes, length_bytes, at_bytes;
};

struct rod {
    /* Constant from ROD_READY on, for who has it by rod_get or a rod_each. */
    uint64_t id; /* never that of another rod of the box */
    uint64_t bytes;
    uint8_t creator_naa[16]; /* the source's */
    uint32_t block_bytes, physical_bytes;
    uint8_t secret[ROD_SECRET_BYTES]; /* random */
    struct volume *shows;             /* read it by rod_locate; by rod_get alone */
    /* rod.c's. */
    struct rod *next;
    struct lunmgr *manager;
    const struct volume *source; /* NULL: it has gone */
    char host[VOLUME_ID_MAX];
    enum rod_state state;
    unsigned users;
    bool is_used;  /* once at least */
    bool is_noted; /* on its way to the control thread */
    int64_t timeout_ms, last_ms;
    unsigned piece_count;
    struct rod_piece pieces[ROD_PIECES_MAX];
    struct note note; /* to the control thread: nobody uses it any more */
};

/* One rod to be made. The caller sets the first part; it is busy until done(). */
struct rod_ask {
    struct lane *lane;
    struct volume *source; /* stays until done() */
    const char *host;      /* the id of whose asks; borrowed until rod_make returns */
    uint32_t timeout_s;    /* 0: the default; at most ROD_TIMEOUT_MAX_S */
    /* Inside the source, SECTOR_BYTES each multiple, at most ROD_PIECES_MAX of them and
     * ROD_BYTES_MAX in all. Borrowed until rod_make returns. at_bytes is not looked at.
     */
    const struct rod_piece *pieces;
    unsigned piece_count;
    /* On the lane's thread, never inside rod_make. rc 0: rod is the caller's until
     * rod_put. Else there is none, nothing is left: -EDQUOT too many of the host or the
     * box; -EBUSY another operation on the source is under way; -ENOSPC its pool is full;
     * -ECANCELED; -EIO, -ENOMEM, -ERANGE, -EINPROGRESS as
     * a copy's. */
    void (*done)(struct rod_ask *ask, struct rod *rod, int rc);
    /* rod.c's */
    struct note note;
    struct rod *rod;
    struct copy copy;
    unsigned piece;
    bool is_given_up, is_copying;
    int rc;
};
void rod_make(struct rod_ask *ask);
/* The lane's thread: it ends soon, by -ECANCELED if it was not done. */
void rod_give_up(struct rod_ask *ask);
/* The lane's thread, before done(): of the first pieces. */
uint64_t rod_made_bytes(const struct rod_ask *ask);

/* Any thread, the next four too. The rod of that id, and its state; NULL: none that is
 * known of. `of`: any volume of the manager. */
struct rod *rod_get(const struct volume *of, uint64_t id, enum rod_state *state);
/* It was used, or only looked at. */
void rod_put(struct rod *rod, bool was_used);
void rod_delete(struct rod *rod);
/* each() under a lock that it must not wait in: those that are READY and of that source.
 */
void rod_each(const struct volume *source, void (*each)(const struct rod *rod, void *arg),
              void *arg);
/* What it was made of, to be compared with and not looked at; NULL: that has gone. */
const struct volume *rod_source(struct rod *rod);
/* Where the byte at `offset` of what it stands for is, in rod->shows; returns how many
 * follow it there, 0 at the end. */
uint64_t rod_locate(const struct rod *rod, uint64_t offset, uint64_t *at_bytes);

/* The box, as a token names it: an NAA 6 that no volume has. */
void rod_box_naa(const struct volume *of, uint8_t naa[16]);

#endif
