/* SPDX-License-Identifier: Apache-2.0 */
/* INQUIRY data (SPC-5, 6.6 and 7.7): the standard page, and the vital product data pages
 * 00, 80, 83, 86, 87, 88, 8F, B0, B1 and B2.
 * Output goes through a struct wire whose limit is the allocation length (or less): send
 * wire_stored(). The length fields tell the full size. Pure; any thread. */
#ifndef PROTO_INQUIRY_H
#define PROTO_INQUIRY_H

#include "base/wire.h"
#include "proto/cdb.h"
#include "proto/lu_ident.h"

#define INQUIRY_STANDARD_BYTES 96
#define VPD_PAGE_BYTES_MAX     4096 /* any page fits */

/* Standard data. lu NULL: no unit at this LUN (qualifier 3, type 1Fh). */
void inquiry_encode(const struct lu_ident *lu, struct wire *out);
/* The vital product data page of that number; lu may be NULL as above, with page 00
 * alone. 0, or -EINVAL and *sense for a page that we do not have. */
int vpd_encode(const struct lu_ident *lu, uint8_t page, struct wire *out,
               struct sense *sense) MUST_CHECK;

/* The body of page 8F, for vpd.c. */
void vpd_put_third_party(const struct lu_ident *lu, struct wire *out);

#endif
