/* SPDX-License-Identifier: Apache-2.0 */
/* Mode parameters (SPC-5, 7.5; SBC-4, 6.5): header, block descriptor and the pages 01
 * (error recovery), 08 (caching), 0A (control), 1C (informational exceptions), its
 * subpage 02 (logical block provisioning), 3F (all). Output as in inquiry.h: a struct
 * wire limited to the allocation length. Pure; any thread. */
#ifndef PROTO_MODE_H
#define PROTO_MODE_H

#include "base/modes.h"
#include "base/wire.h"
#include "proto/cdb.h"
#include "proto/lu_ident.h"

#define MODE_DATA_BYTES_MAX 256 /* any answer fits */

/* The three sets of values that page control tells apart, besides what is changeable. */
struct mode_values {
    struct modes current;
    struct modes saved; /* the defaults, until something was saved */
    struct modes defaults;
};

/* Those of a unit that nobody has changed. pool_extents: of the pool that it takes its
 * space from; a threshold is set at what is left of it at MODE_LEFT_PERCENT. */
#define MODE_LEFT_PERCENT 25
void mode_defaults(uint64_t pool_extents, struct modes *out);

/* Where the threshold's descriptor begins in the logical block provisioning page. */
unsigned mode_threshold_offset(unsigned index);

/* 0 and the data in out, or -EINVAL and *sense: a page that we do not have. */
int mode_sense_encode(const struct lu_ident *lu, const struct mode_values *values,
                      const struct cdb_mode_sense *cdb, struct wire *out,
                      struct sense *sense) MUST_CHECK;

/* Reads a MODE SELECT parameter list, as received, into *modes (the current values in,
 * the new ones out; untouched on failure). Whatever is not changeable must be as MODE
 * SENSE tells it. list_bytes 0 changes nothing. The caller raises MODE PARAMETERS CHANGED
 * for the other initiators if *modes differs. */
int mode_select_decode(const struct lu_ident *lu, const struct cdb_mode_select *cdb,
                       const uint8_t *data, size_t list_bytes, struct modes *modes,
                       struct sense *sense) MUST_CHECK;

#endif
