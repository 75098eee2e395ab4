/* SPDX-License-Identifier: Apache-2.0 */
/* Mode parameters: SPC-5, 7.5; SBC-4, 6.5. A page is bytes now and a mask of what may be
 * changed, both made from the unit and its state, so that MODE SENSE and MODE SELECT
 * cannot disagree. Pure; any thread. */
#include "proto/mode.h"

#include <string.h>

#define PAGE_ALL          0x3f
#define SUBPAGE_ALL       0xff
#define PAGE_CONTROL      0x0a
#define PAGE_BYTES_MAX    20
#define WRITE_PROTECT_BIT 0x80 /* device-specific parameter */
#define DPOFUA_BIT        0x10
#define LONG_LBA_BIT      0x01
#define BLOCK_DESC_SHORT  8
#define BLOCK_DESC_LONG   16
#define HEADER_6_BYTES    4
#define HEADER_10_BYTES   8

#define CACHING_WCE     0x04 /* byte 2 */
#define CONTROL_TST     0x20 /* byte 2: a task set a nexus */
#define CONTROL_D_SENSE 0x04 /* byte 2 */
#define CONTROL_REORDER 0x10 /* byte 3: unrestricted */
#define CONTROL_SWP     0x08 /* byte 4 */
#define INFO_DEXCPT     0x08 /* byte 2 */

struct mode_page {
    uint8_t code;
    uint8_t bytes;                 /* with its two header bytes */
    uint8_t value[PAGE_BYTES_MAX]; /* with any state's changeable bits 0 */
    uint8_t changeable[PAGE_BYTES_MAX];
};

/* In ascending order, as page 3Fh returns them. */
static const struct mode_page pages[] = {
    {.code = 0x01, .bytes = 12},
    {.code = 0x08, .bytes = 20, .value = {[2] = CACHING_WCE}},
    {.code = PAGE_CONTROL,
     .bytes = 12,
     .value = {[2] = CONTROL_TST, [3] = CONTROL_REORDER},
     .changeable = {[2] = CONTROL_D_SENSE, [4] = CONTROL_SWP}},
    {.code = 0x1c, .bytes = 12, .value = {[2] = INFO_DEXCPT}},
};

/* The page's bytes as MODE SENSE tells them. */
static void page_bytes(const struct mode_page *page, const struct mode_state *state,
                       enum mode_page_control control, uint8_t out[PAGE_BYTES_MAX])
{
    memcpy(out, control == MODE_CHANGEABLE ? page->changeable : page->value,
           PAGE_BYTES_MAX);
    out[0] = page->code;
    out[1] = (uint8_t)(page->bytes - 2);
    if (page->code != PAGE_CONTROL || control != MODE_CURRENT)
        return;
    out[2] |= state->descriptor_sense ? CONTROL_D_SENSE : 0;
    out[4] |= state->write_protect ? CONTROL_SWP : 0;
}

static uint8_t device_specific(const struct lu_ident *lu, const struct mode_state *state)
{
    bool protect = lu->read_only || state->write_protect;
    return (uint8_t)(DPOFUA_BIT | (protect ? WRITE_PROTECT_BIT : 0));
}

static void put_block_descriptor(const struct lu_ident *lu, bool long_form,
                                 struct wire *out)
{
    if (long_form) {
        wire_put_be64(out, lu->blocks);
        wire_put_be32(out, 0);
        wire_put_be32(out, lu->block_bytes);
        return;
    }
    wire_put_be32(out, lu->blocks > UINT32_MAX ? UINT32_MAX : (uint32_t)lu->blocks);
    wire_put_be32(out, lu->block_bytes); /* a reserved byte, and 24 bits */
}

static void put_header(const struct lu_ident *lu, const struct mode_state *state,
                       const struct cdb_mode_sense *cdb, unsigned desc_bytes,
                       struct wire *out)
{
    if (cdb->ten) {
        wire_put_be16(out, 0); /* the length, later */
        wire_put_u8(out, 0);
        wire_put_u8(out, device_specific(lu, state));
        wire_put_u8(out, desc_bytes == BLOCK_DESC_LONG ? LONG_LBA_BIT : 0);
        wire_put_u8(out, 0);
        wire_put_be16(out, (uint16_t)desc_bytes);
        return;
    }
    wire_put_u8(out, 0);
    wire_put_u8(out, 0);
    wire_put_u8(out, device_specific(lu, state));
    wire_put_u8(out, (uint8_t)desc_bytes);
}

/* How many pages went out. */
static unsigned put_pages(const struct mode_state *state,
                          const struct cdb_mode_sense *cdb, struct wire *out)
{
    unsigned count = 0;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        uint8_t bytes[PAGE_BYTES_MAX];
        if (cdb->page != PAGE_ALL && cdb->page != pages[i].code)
            continue;
        page_bytes(&pages[i], state, cdb->control, bytes);
        wire_put_bytes(out, bytes, pages[i].bytes);
        count++;
    }
    return count;
}

int mode_sense_encode(const struct lu_ident *lu, const struct mode_state *state,
                      const struct cdb_mode_sense *cdb, struct wire *out,
                      struct sense *sense)
{
    if (cdb->control == MODE_SAVED)
        return sense_set(sense, SENSE_SAVING_NOT_SUPPORTED);
    if (cdb->subpage != 0 && cdb->subpage != SUBPAGE_ALL)
        return sense_set_cdb(sense, 3, SENSE_NO_BIT);
    unsigned desc_bytes = cdb->dbd ? 0 : cdb->llbaa ? BLOCK_DESC_LONG : BLOCK_DESC_SHORT;
    size_t start = out->at;
    put_header(lu, state, cdb, desc_bytes, out);
    if (desc_bytes != 0)
        put_block_descriptor(lu, cdb->llbaa, out);
    if (put_pages(state, cdb, out) == 0)
        return sense_set_cdb(sense, 2, 5);
    size_t all = out->at - start;
    if (cdb->ten)
        wire_patch_be16(out, start, (uint16_t)(all - 2));
    else
        wire_patch_u8(out, start, (uint8_t)(all - 1));
    return 0;
}

static const struct mode_page *page_find(uint8_t code)
{
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (pages[i].code == code)
            return &pages[i];
    }
    return NULL;
}

/* given: page->bytes bytes at offset `at` of the list. */
static int select_page(const struct mode_page *page, const uint8_t *given, unsigned at,
                       struct mode_state *state, struct sense *sense)
{
    uint8_t now[PAGE_BYTES_MAX];
    page_bytes(page, state, MODE_CURRENT, now);
    for (unsigned i = 2; i < page->bytes; i++) {
        if (((given[i] ^ now[i]) & ~page->changeable[i]) != 0)
            return sense_set_param(sense, at + i, SENSE_NO_BIT);
    }
    if (page->code == PAGE_CONTROL) {
        state->descriptor_sense = (given[2] & CONTROL_D_SENSE) != 0;
        state->write_protect = (given[4] & CONTROL_SWP) != 0;
    }
    return 0;
}

/* A block descriptor may repeat what is; it formats nothing. */
static int select_block_descriptor(const struct lu_ident *lu, const uint8_t *given,
                                   size_t bytes, unsigned at, struct sense *sense)
{
    uint8_t now[BLOCK_DESC_LONG] = {0};
    struct wire w;
    if (bytes == 0)
        return 0;
    if (bytes != BLOCK_DESC_SHORT && bytes != BLOCK_DESC_LONG)
        return sense_set_param(sense, at - 1, SENSE_NO_BIT);
    wire_init(&w, now, sizeof(now));
    put_block_descriptor(lu, bytes == BLOCK_DESC_LONG, &w);
    size_t blocks_bytes = bytes / 2;
    static const uint8_t keep[8]; /* a block count of 0: as it is */
    if (memcmp(given, keep, blocks_bytes) != 0 && memcmp(given, now, blocks_bytes) != 0)
        return sense_set_param(sense, at, SENSE_NO_BIT);
    if (memcmp(given + bytes - 3, now + bytes - 3, 3) != 0)
        return sense_set_param(sense, at + (unsigned)bytes - 3, SENSE_NO_BIT);
    return 0;
}

/* The pages of the list, from r's place on. */
static int select_pages(struct wire_in *r, struct mode_state *state, struct sense *sense)
{
    while (wire_in_left(r) > 0) {
        unsigned at = (unsigned)r->at;
        const uint8_t *head = wire_take_bytes(r, 2);
        if (head == NULL)
            return sense_set(sense, SENSE_PARAM_LIST_LENGTH);
        /* PS is reserved here; SPF would be a subpage, of which there are none. */
        const struct mode_page *page = page_find(head[0] & 0x7f);
        if (page == NULL)
            return sense_set_param(sense, at, 5);
        if (head[1] != page->bytes - 2)
            return sense_set_param(sense, at + 1, SENSE_NO_BIT);
        if (wire_take_bytes(r, head[1]) == NULL)
            return sense_set(sense, SENSE_PARAM_LIST_LENGTH);
        int rc = select_page(page, head, at, state, sense);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int mode_select_decode(const struct lu_ident *lu, const struct cdb_mode_select *cdb,
                       const uint8_t *data, size_t list_bytes, struct mode_state *state,
                       struct sense *sense)
{
    struct wire_in r;
    size_t header_bytes = cdb->ten ? HEADER_10_BYTES : HEADER_6_BYTES;
    if (list_bytes == 0)
        return 0;
    wire_in_init(&r, data, list_bytes);
    const uint8_t *head = wire_take_bytes(&r, header_bytes);
    if (head == NULL)
        return sense_set(sense, SENSE_PARAM_LIST_LENGTH);
    size_t desc_bytes = cdb->ten ? be16_load(head + 6) : head[3];
    const uint8_t *desc = wire_take_bytes(&r, desc_bytes);
    if (desc == NULL)
        return sense_set(sense, SENSE_PARAM_LIST_LENGTH);
    int rc = select_block_descriptor(lu, desc, desc_bytes, (unsigned)header_bytes, sense);
    struct mode_state next = *state;
    if (rc == 0)
        rc = select_pages(&r, &next, sense);
    if (rc == 0)
        *state = next;
    return rc;
}
