/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a copy that moves data: a range of a volume or snapshot, of any pool, is
 * read and written to another's, a few pieces at once. What is not mapped there, or is
 * zeros, is unmapped here. A lane's thread. */
#ifndef LUNMGR_COPY_DATA_H
#define LUNMGR_COPY_DATA_H

#include "lunmgr/volume_io.h"

#define COPY_PIECES      4
#define COPY_PIECE_BYTES (256U << 10) /* of buffer, each */

struct copy_data;

struct copy_piece {
    struct copy_data *data;
    struct vio vio;
    struct vio_status status;
    struct buf buf;
    uint64_t at, end;      /* of the range: copied up to `at` */
    uint64_t length_bytes; /* of the vio under way, from `at` */
    bool is_busy;
};

struct copy_data {
    /* The caller sets these. Multiples of SECTOR_BYTES, not nothing. */
    struct lane *lane;
    struct volume *from, *to;
    uint64_t from_bytes, to_bytes, length_bytes;
    bool patient; /* as a vio */
    /* rc: 0, or of the first vio that failed; -ENOMEM; -ECANCELED: copy_data_stop. The
     * first copied_bytes are copied. Perhaps inside copy_data_start. */
    void (*done)(struct copy_data *data, int rc);
    uint64_t copied_bytes; /* grows meanwhile */
    /* its own */
    uint64_t cursor; /* of the range: the next piece begins here */
    unsigned busy;
    int rc;
    struct copy_piece pieces[COPY_PIECES];
};

void copy_data_start(struct copy_data *data);
/* What is under way ends, or gives up its wait for space. */
void copy_data_stop(struct copy_data *data);

#endif
