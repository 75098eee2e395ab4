/* SPDX-License-Identifier: Apache-2.0 */
/* LUNs as eight bytes: SAM-5, 4.7. Pure; any thread. */
#include "proto/lun.h"

#include <assert.h>
#include <errno.h>

#define METHOD_PERIPHERAL 0u
#define METHOD_FLAT       1u
#define REST_BITS         48 /* after the first level */

uint64_t lun_encode(uint32_t no)
{
    assert(no <= LUN_NO_MAX);
    unsigned method = no < 256 ? METHOD_PERIPHERAL : METHOD_FLAT;
    return (uint64_t)(method << 14 | no) << REST_BITS;
}

int lun_decode(uint64_t wire, uint32_t *no)
{
    unsigned level = (unsigned)(wire >> REST_BITS);
    unsigned method = level >> 14;
    unsigned value = level & 0x3fff;
    if ((wire & (((uint64_t)1 << REST_BITS) - 1)) != 0)
        return -ENOENT;
    /* The peripheral form's upper six bits are a bus: ours is 0. */
    if (method > METHOD_FLAT || (method == METHOD_PERIPHERAL && value > 255))
        return -ENOENT;
    *no = value;
    return 0;
}
