/* SPDX-License-Identifier: Apache-2.0 */
/* Logical unit numbers as eight bytes (SAM-5, 4.7): the single-level forms, peripheral
 * device addressing below 256 and flat space addressing up to 16383, and the well-known
 * unit that answers REPORT LUNS. Pure; any thread. */
#ifndef PROTO_LUN_H
#define PROTO_LUN_H

#include "base/auto.h"

#include <stdint.h>

#define LUN_NO_MAX           16383u
#define LUN_WIRE_REPORT_LUNS 0xc101000000000000ull

/* The eight bytes as one number, as struct cmd_req has it. no: at most LUN_NO_MAX. Below
 * 256 by peripheral addressing, else flat. */
uint64_t lun_encode(uint32_t no);
/* 0 and *no, or -ENOENT for a form in which no unit of ours is addressed (further levels,
 * a bus, a well-known unit). Both forms of a number below 256 are read. */
int lun_decode(uint64_t wire, uint32_t *no) MUST_CHECK;

#endif
