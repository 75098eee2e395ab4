/* SPDX-License-Identifier: Apache-2.0 */
/* The parameter data of REPORT TARGET PORT GROUPS: SPC-4, 6.37, tables 289 to 295. */
#include "proto/port_groups.h"

#define PREF 0x80
#define SUPPORTED                                                                        \
    0x8f /* T_SUP, U_SUP, S_SUP, AN_SUP, AO_SUP; neither O_SUP nor LBD_SUP */
#define STATUS_NONE        0x00
#define STATUS_BY_IMPLICIT 0x02
#define FORMAT_EXTENDED    0x10
#define PORTS_OF_A_GROUP   1

static void put_group(const struct port_group *group, struct wire *out)
{
    wire_put_u8(out, (uint8_t)((group->access.preferred ? PREF : 0) |
                               (unsigned)group->access.state));
    wire_put_u8(out, SUPPORTED);
    wire_put_be16(out, group->tag);
    wire_put_u8(out, 0);
    wire_put_u8(out, group->altered ? STATUS_BY_IMPLICIT : STATUS_NONE);
    wire_put_u8(out, 0); /* vendor's own */
    wire_put_u8(out, PORTS_OF_A_GROUP);
    wire_put_be16(out, 0);
    wire_put_be16(out, group->tag); /* relative target port identifier */
}

void port_groups_encode(const struct port_group *groups, size_t count, bool extended,
                        uint8_t transition_s, struct wire *out)
{
    size_t start = out->at;
    wire_put_be32(out, 0);
    if (extended) {
        wire_put_u8(out, FORMAT_EXTENDED);
        wire_put_u8(out, transition_s);
        wire_put_be16(out, 0);
    }
    for (size_t i = 0; i < count; i++)
        put_group(&groups[i], out);
    wire_patch_be32(out, start, (uint32_t)(out->at - (start + 4)));
}
