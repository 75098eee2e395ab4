/* SPDX-License-Identifier: Apache-2.0 */
/* Vital product data pages: SPC-5, 7.7 and SBC-4, 6.6. One function a page's body; the
 * header and its length are common. Pure; any thread. */
#include "proto/inquiry.h"

#include <stdio.h>
#include <string.h>

#define TYPE_DISK      0x00
#define TYPE_NO_UNIT   0x7f /* qualifier 3, type 1Fh */
#define PAGE_LIST      0x00
#define PAGE_BODY_LONG 0x3c /* of 86, B0 and B1 */

/* Designators: SPC-5, 7.7.6. */
#define CODE_BINARY    0x01
#define CODE_ASCII     0x02
#define CODE_UTF8      0x03
#define PROTO_ISCSI    0x50
#define PIV            0x80
#define OF_PORT        0x10
#define OF_TARGET      0x20
#define ID_T10         0x01
#define ID_NAA         0x03
#define ID_REL_PORT    0x04
#define ID_PORT_GROUP  0x05
#define ID_NAME_STRING 0x08
#define NAME_BYTES_MAX 256

#define TASK_ATTRS_ALL 0x07 /* HEADSUP, ORDSUP, SIMPSUP */
#define V_SUP          0x01 /* a volatile cache */
#define UGAVALID       0x80000000u
#define NON_ROTATING   0x0001
#define WABEREQ_NONE   0x40 /* reads work after a BLOCK ERASE without a write before */
#define LBPU_LBPWS_10  0xe0 /* UNMAP, WRITE SAME(16), WRITE SAME(10) unmap */
#define LBPRZ          0x04
#define PROVISION_THIN 0x02
#define ALL_PAGES      0x3f /* of mode pages; with subpage FFh: any not named before */
#define ALL_SUBPAGES   0xff
#define POLICY_SHARED  0x00 /* by all target ports and initiators; MLUS 0 */

typedef void (*page_fn)(const struct lu_ident *lu, struct wire *out);

/* The id's header; returns where its length byte is. */
static size_t begin_id(struct wire *out, uint8_t protocol_and_code, uint8_t what)
{
    wire_put_u8(out, protocol_and_code);
    wire_put_u8(out, what);
    wire_put_u8(out, 0);
    wire_put_u8(out, 0);
    return out->at - 1;
}

static void end_id(struct wire *out, size_t length_at)
{
    wire_patch_u8(out, length_at, (uint8_t)(out->at - (length_at + 1)));
}

/* A SCSI name string has a NUL and whole words: SPC-5, 7.7.6.11. */
static void put_name(struct wire *out, uint8_t of, const char *name)
{
    size_t bytes = strlen(name) + 1;
    size_t padded = (bytes + 3) & ~(size_t)3;
    size_t at = begin_id(out, PROTO_ISCSI | CODE_UTF8, PIV | of | ID_NAME_STRING);
    wire_put_bytes(out, name, bytes);
    wire_put_zeros(out, padded - bytes);
    end_id(out, at);
}

/* A relative port or a port group: a word whose low half is the number. */
static void put_port_number(struct wire *out, uint8_t type, uint16_t number)
{
    size_t at = begin_id(out, PROTO_ISCSI | CODE_BINARY, PIV | OF_PORT | type);
    wire_put_be16(out, 0);
    wire_put_be16(out, number);
    end_id(out, at);
}

/* RFC 7143, 4.4.4: the target's name and the tag. 223 + 9 bytes always fit. */
static void put_port_name(const struct lu_ident *lu, uint16_t tag, struct wire *out)
{
    char port[NAME_BYTES_MAX];
    snprintf(port, sizeof(port), "%.223s,t,0x%04x", lu->target_name, tag);
    put_name(out, OF_PORT, port);
}

static void put_ids(const struct lu_ident *lu, struct wire *out)
{
    size_t at = begin_id(out, CODE_BINARY, ID_NAA);
    wire_put_bytes(out, lu->naa, sizeof(lu->naa));
    end_id(out, at);

    at = begin_id(out, CODE_ASCII, ID_T10);
    wire_put_padded(out, LU_VENDOR, 8);
    wire_put_bytes(out, lu->serial, strnlen(lu->serial, LU_SERIAL_MAX));
    end_id(out, at);

    put_port_number(out, ID_REL_PORT, lu->relative_port);
    put_port_number(out, ID_PORT_GROUP, lu->port_group);

    put_port_name(lu, lu->portal_group_tag, out);
    char device[NAME_BYTES_MAX];
    snprintf(device, sizeof(device), "%.223s", lu->target_name);
    put_name(out, OF_TARGET, device);
}

static void put_serial(const struct lu_ident *lu, struct wire *out)
{
    wire_put_bytes(out, lu->serial, strnlen(lu->serial, LU_SERIAL_MAX));
}

static void put_extended(const struct lu_ident *lu, struct wire *out)
{
    (void)lu;
    wire_put_u8(out, 0);
    wire_put_u8(out, TASK_ATTRS_ALL);
    wire_put_u8(out, V_SUP);
    wire_put_zeros(out, PAGE_BODY_LONG - 3);
}

/* A unit's mode pages are its own, and the same to whoever looks. */
static void put_mode_policy(const struct lu_ident *lu, struct wire *out)
{
    (void)lu;
    wire_put_u8(out, ALL_PAGES);
    wire_put_u8(out, ALL_SUBPAGES);
    wire_put_u8(out, POLICY_SHARED);
    wire_put_u8(out, 0);
}

/* Of each target port its number and its name; initiators' ports are none
 * of ours to tell. */
static void put_ports(const struct lu_ident *lu, struct wire *out)
{
    for (size_t i = 0; i < lu->port_count; i++) {
        wire_put_be16(out, 0);
        wire_put_be16(out, lu->port_tags[i]);
        wire_put_be32(out, 0); /* no initiator port's TransportID */
        wire_put_be16(out, 0);
        wire_put_be16(out, 0);
        size_t begin = out->at;
        put_port_name(lu, lu->port_tags[i], out);
        wire_patch_be16(out, begin - 2, (uint16_t)(out->at - begin));
    }
}

static void put_limits(const struct lu_ident *lu, struct wire *out)
{
    wire_put_u8(out, 0); /* WSNZ: WRITE SAME of no blocks goes on to the end */
    wire_put_u8(out, lu->caw_blocks_max);
    wire_put_be16(out, lu->granularity_blocks);
    wire_put_be32(out, lu->transfer_blocks_max);
    wire_put_be32(out, lu->transfer_blocks_optimal);
    wire_put_be32(out, 0); /* prefetch */
    wire_put_be32(out, lu->thin ? lu->unmap_blocks_max : 0);
    wire_put_be32(out, lu->thin ? lu->unmap_descriptors_max : 0);
    wire_put_be32(out, lu->thin ? lu->unmap_granularity_blocks : 0);
    wire_put_be32(out, lu->thin ? UGAVALID : 0);
    wire_put_be64(out, lu->write_same_blocks_max);
    wire_put_be32(out, lu->atomic_blocks_max);
    wire_put_be32(out, lu->atomic_grain_blocks); /* alignment */
    wire_put_be32(out, lu->atomic_grain_blocks); /* granularity */
    wire_put_be32(out, 0); /* maximum with a boundary: there are none */
    wire_put_be32(out, 0); /* maximum boundary */
}

static void put_characteristics(const struct lu_ident *lu, struct wire *out)
{
    (void)lu;
    wire_put_be16(out, NON_ROTATING);
    wire_put_zeros(out, 1);
    wire_put_u8(out, WABEREQ_NONE);
    wire_put_zeros(out, PAGE_BODY_LONG - 4);
}

static void put_provisioning(const struct lu_ident *lu, struct wire *out)
{
    wire_put_u8(out, lu->thin ? lu->threshold_exponent : 0);
    wire_put_u8(out, lu->thin ? LBPU_LBPWS_10 | LBPRZ : 0);
    wire_put_u8(out, lu->thin ? PROVISION_THIN : 0);
    wire_put_u8(out, 0);
}

static const struct {
    uint8_t page;
    page_fn put;
} pages[] = {
    {0x80, put_serial},       {0x83, put_ids},
    {0x86, put_extended},     {0x87, put_mode_policy},
    {0x88, put_ports},        {0x8f, vpd_put_third_party},
    {0xb0, put_limits},       {0xb1, put_characteristics},
    {0xb2, put_provisioning},
};

static void put_page_list(const struct lu_ident *lu, struct wire *out)
{
    wire_put_u8(out, PAGE_LIST);
    for (size_t i = 0; lu != NULL && i < ARRAY_LEN(pages); i++)
        wire_put_u8(out, pages[i].page);
}

static page_fn page_find(const struct lu_ident *lu, uint8_t page)
{
    if (page == PAGE_LIST)
        return put_page_list;
    for (size_t i = 0; lu != NULL && i < ARRAY_LEN(pages); i++) {
        if (pages[i].page == page)
            return pages[i].put;
    }
    return NULL;
}

int vpd_encode(const struct lu_ident *lu, uint8_t page, struct wire *out,
               struct sense *sense)
{
    page_fn put = page_find(lu, page);
    if (put == NULL)
        return sense_set_cdb(sense, 2, SENSE_NO_BIT);
    size_t start = out->at;
    wire_put_u8(out, lu == NULL ? TYPE_NO_UNIT : TYPE_DISK);
    wire_put_u8(out, page);
    wire_put_be16(out, 0);
    put(lu, out);
    wire_patch_be16(out, start + 2, (uint16_t)(out->at - (start + 4)));
    return 0;
}
