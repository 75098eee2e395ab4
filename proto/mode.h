/* SPDX-License-Identifier: Apache-2.0 */
/* Mode parameters (SPC-5, 7.5; SBC-4, 6.5): header, block descriptor and the pages 01
 * (error recovery), 08 (caching), 0A (control), 1C (informational exceptions), 3F (all).
 * Output as in inquiry.h: a struct wire limited to the allocation length. Pure; any
 * thread. */
#ifndef PROTO_MODE_H
#define PROTO_MODE_H

#include "base/wire.h"
#include "proto/cdb.h"
#include "proto/lu_ident.h"

#define MODE_DATA_BYTES_MAX 256 /* any answer fits */

/* What MODE SELECT can change, per unit and for all initiators. */
struct mode_state {
    bool descriptor_sense; /* D_SENSE of the control page */
    bool write_protect;    /* SWP of the control page */
};

/* 0 and the data in out, or -EINVAL and *sense: a page that we do not have, or saved
 * values (SAVING PARAMETERS NOT SUPPORTED). */
int mode_sense_encode(const struct lu_ident *lu, const struct mode_state *state,
                      const struct cdb_mode_sense *cdb, struct wire *out,
                      struct sense *sense) MUST_CHECK;

/* Reads a MODE SELECT parameter list, as received, into *state (its old values in, the
 * new ones out; untouched on failure). Whatever is not changeable must be as MODE SENSE
 * tells it. list_bytes 0 changes nothing. The caller raises MODE PARAMETERS CHANGED for
 * the other initiators if *state differs. */
int mode_select_decode(const struct lu_ident *lu, const struct cdb_mode_select *cdb,
                       const uint8_t *data, size_t list_bytes, struct mode_state *state,
                       struct sense *sense) MUST_CHECK;

#endif
