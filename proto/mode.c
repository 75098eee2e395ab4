/* SPDX-License-Identifier: Apache-2.0 */
/* Mode parameters: SPC-5, 7.5; SBC-4, 6.5. A page is bytes now and a mask of what may be
 * changed, both made from the unit and its state, so that MODE SENSE and MODE SELECT
 * cannot disagree. Pure; any thread. */
#include "proto/mode.h"

#include <errno.h>
#include <string.h>

#define PAGE_ALL          0x3f
#define SUBPAGE_ALL       0xff
#define PAGE_BYTES_MAX    (PROVISIONING_FIRST + THRESHOLD_MAX * PROVISIONING_DESC)
#define WRITE_PROTECT_BIT 0x80 /* device-specific parameter */
#define DPOFUA_BIT        0x10
#define LONG_LBA_BIT      0x01
#define BLOCK_DESC_SHORT  8
#define BLOCK_DESC_LONG   16
#define HEADER_6_BYTES    4
#define HEADER_10_BYTES   8

#define PAGE_PS   0x80 /* byte 0: it can be saved */
#define PAGE_SPF  0x40 /* byte 0: its second byte is a subpage's code */
#define PAGE_CODE 0x3f

#define RECOVERY_LBPERE 0x80 /* byte 7 */
#define CACHING_WCE     0x04 /* byte 2 */
#define CONTROL_TST     0x20 /* byte 2: a task set a nexus */
#define CONTROL_D_SENSE 0x04 /* byte 2 */
#define CONTROL_REORDER 0x10 /* byte 3: unrestricted */
#define CONTROL_SWP     0x08 /* byte 4 */
#define INFO_DEXCPT     0x08 /* byte 2 */

/* SBC-4, 6.5.9: a bit for the page, then descriptors. */
#define PROVISIONING_SITUA 0x01 /* byte 4 */
#define PROVISIONING_FIRST 16
#define PROVISIONING_DESC  8
#define THRESHOLD_ENABLED  0x80 /* byte 0; type 000b: soft */
#define THRESHOLD_ARMING   0x01 /* byte 0: increasing */
#define THRESHOLD_RESOURCE 0x03 /* byte 1 */
#define THRESHOLD_COUNT    4    /* to byte 7 */

/* A page is what never changes and what the modes say, each way by its own function, and
 * both in the same bits: `changeable` has them. */
struct mode_page {
    uint8_t code, subpage;
    uint8_t bytes;                 /* with its header */
    uint8_t value[PAGE_BYTES_MAX]; /* with all changeable bits 0 */
    uint8_t changeable[PAGE_BYTES_MAX];
    void (*put)(const struct modes *modes, uint8_t *page); /* NULL: nothing changes */
    /* 0, or the offset of a byte that makes no sense with the others. */
    unsigned (*take)(const uint8_t *page, struct modes *modes);
};

/* ---- What the pages say ------------------------------------------------------------ */

static void recovery_put(const struct modes *modes, uint8_t *page)
{
    page[7] |= modes->tells_thresholds ? RECOVERY_LBPERE : 0;
}

static unsigned recovery_take(const uint8_t *page, struct modes *modes)
{
    modes->tells_thresholds = (page[7] & RECOVERY_LBPERE) != 0;
    return 0;
}

static void caching_put(const struct modes *modes, uint8_t *page)
{
    page[2] |= modes->write_cache ? CACHING_WCE : 0;
}

static unsigned caching_take(const uint8_t *page, struct modes *modes)
{
    modes->write_cache = (page[2] & CACHING_WCE) != 0;
    return 0;
}

static void control_put(const struct modes *modes, uint8_t *page)
{
    page[2] |= modes->descriptor_sense ? CONTROL_D_SENSE : 0;
    page[4] |= modes->write_protect ? CONTROL_SWP : 0;
}

static unsigned control_take(const uint8_t *page, struct modes *modes)
{
    modes->descriptor_sense = (page[2] & CONTROL_D_SENSE) != 0;
    modes->write_protect = (page[4] & CONTROL_SWP) != 0;
    return 0;
}

unsigned mode_threshold_offset(unsigned index)
{
    return PROVISIONING_FIRST + index * PROVISIONING_DESC;
}

static void provisioning_put(const struct modes *modes, uint8_t *page)
{
    page[4] |= modes->tells_one ? PROVISIONING_SITUA : 0;
    for (unsigned i = 0; i < THRESHOLD_MAX; i++) {
        const struct threshold *t = &modes->thresholds[i];
        uint8_t *desc = page + mode_threshold_offset(i);
        desc[0] |= (uint8_t)((t->enabled ? THRESHOLD_ENABLED : 0) |
                             (t->increasing ? THRESHOLD_ARMING : 0));
        desc[1] |= t->resource;
        be32_store(desc + THRESHOLD_COUNT, t->extents);
    }
}

/* A resource that there is not can be no threshold's, and one that is enabled has one. */
static unsigned provisioning_take(const uint8_t *page, struct modes *modes)
{
    modes->tells_one = (page[4] & PROVISIONING_SITUA) != 0;
    for (unsigned i = 0; i < THRESHOLD_MAX; i++) {
        struct threshold *t = &modes->thresholds[i];
        const uint8_t *desc = page + mode_threshold_offset(i);
        t->enabled = (desc[0] & THRESHOLD_ENABLED) != 0;
        t->increasing = (desc[0] & THRESHOLD_ARMING) != 0;
        t->resource = desc[1];
        t->extents = be32_load(desc + THRESHOLD_COUNT);
        if (t->resource > THRESHOLD_USED || (t->enabled && t->resource == THRESHOLD_NONE))
            return mode_threshold_offset(i) + 1;
    }
    return 0;
}

#define CHANGEABLE_THRESHOLD(i)                                                          \
    [PROVISIONING_FIRST + (i)*PROVISIONING_DESC] = THRESHOLD_ENABLED | THRESHOLD_ARMING, \
                          THRESHOLD_RESOURCE, 0, 0, 0xff, 0xff, 0xff, 0xff

/* In ascending order, as page 3Fh returns them. */
static const struct mode_page pages[] = {
    {.code = 0x01,
     .bytes = 12,
     .changeable = {[7] = RECOVERY_LBPERE},
     .put = recovery_put,
     .take = recovery_take},
    {.code = 0x08,
     .bytes = 20,
     .changeable = {[2] = CACHING_WCE},
     .put = caching_put,
     .take = caching_take},
    {.code = 0x0a,
     .bytes = 12,
     .value = {[2] = CONTROL_TST, [3] = CONTROL_REORDER},
     .changeable = {[2] = CONTROL_D_SENSE, [4] = CONTROL_SWP},
     .put = control_put,
     .take = control_take},
    {.code = 0x1c, .bytes = 12, .value = {[2] = INFO_DEXCPT}},
    {.code = 0x1c,
     .subpage = 0x02,
     .bytes = PAGE_BYTES_MAX,
     .changeable = {[4] = PROVISIONING_SITUA,
                    CHANGEABLE_THRESHOLD(0),
                    CHANGEABLE_THRESHOLD(1),
                    CHANGEABLE_THRESHOLD(2),
                    CHANGEABLE_THRESHOLD(3)},
     .put = provisioning_put,
     .take = provisioning_take},
};
static_assert(THRESHOLD_MAX == 4, "a changeable descriptor for each");

static unsigned page_header_bytes(const struct mode_page *page)
{
    return page->subpage == 0 ? 2 : 4;
}

static void put_page_header(const struct mode_page *page, uint8_t *out)
{
    out[0] = page->code | (page->put != NULL ? PAGE_PS : 0);
    if (page->subpage == 0) {
        out[1] = (uint8_t)(page->bytes - 2);
        return;
    }
    out[0] |= PAGE_SPF;
    out[1] = page->subpage;
    be16_store(out + 2, (uint16_t)(page->bytes - 4));
}

/* modes NULL: what is changeable. */
static void page_bytes(const struct mode_page *page, const struct modes *modes,
                       uint8_t out[PAGE_BYTES_MAX])
{
    memcpy(out, modes == NULL ? page->changeable : page->value, PAGE_BYTES_MAX);
    put_page_header(page, out);
    if (modes != NULL && page->put != NULL)
        page->put(modes, out);
}

static const struct modes *modes_told(const struct mode_values *values,
                                      enum mode_page_control control)
{
    switch (control) {
    case MODE_CHANGEABLE:
        return NULL;
    case MODE_DEFAULT:
        return &values->defaults;
    case MODE_SAVED:
        return &values->saved;
    default:
        return &values->current;
    }
}

void mode_defaults(uint64_t pool_extents, struct modes *out)
{
    uint64_t left = pool_extents / 100 * MODE_LEFT_PERCENT +
                    pool_extents % 100 * MODE_LEFT_PERCENT / 100;
    *out = (struct modes){
        .write_cache = true,
        .tells_thresholds = true,
        .thresholds = {{.enabled = true,
                        .resource = THRESHOLD_AVAILABLE,
                        .extents = left > UINT32_MAX ? UINT32_MAX : (uint32_t)left}},
    };
}

/* ---- MODE SENSE -------------------------------------------------------------------- */

static uint8_t device_specific(const struct lu_ident *lu, const struct modes *current)
{
    bool protect = lu->read_only || current->write_protect;
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

static void put_header(const struct lu_ident *lu, const struct modes *current,
                       const struct cdb_mode_sense *cdb, unsigned desc_bytes,
                       struct wire *out)
{
    if (cdb->ten) {
        wire_put_be16(out, 0); /* the length, later */
        wire_put_u8(out, 0);
        wire_put_u8(out, device_specific(lu, current));
        wire_put_u8(out, desc_bytes == BLOCK_DESC_LONG ? LONG_LBA_BIT : 0);
        wire_put_u8(out, 0);
        wire_put_be16(out, (uint16_t)desc_bytes);
        return;
    }
    wire_put_u8(out, 0);
    wire_put_u8(out, 0);
    wire_put_u8(out, device_specific(lu, current));
    wire_put_u8(out, (uint8_t)desc_bytes);
}

/* Whether the CDB asks for it: SPC-5, 6.14.1. */
static bool page_is_asked(const struct mode_page *page, const struct cdb_mode_sense *cdb)
{
    bool page_fits = cdb->page == PAGE_ALL || cdb->page == page->code;
    return page_fits && (cdb->subpage == SUBPAGE_ALL || cdb->subpage == page->subpage);
}

/* How many pages went out. */
static unsigned put_pages(const struct modes *modes, const struct cdb_mode_sense *cdb,
                          struct wire *out)
{
    unsigned count = 0;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        uint8_t bytes[PAGE_BYTES_MAX];
        if (!page_is_asked(&pages[i], cdb))
            continue;
        page_bytes(&pages[i], modes, bytes);
        wire_put_bytes(out, bytes, pages[i].bytes);
        count++;
    }
    return count;
}

static const struct mode_page *page_find(uint8_t code, uint8_t subpage)
{
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (pages[i].code == code && pages[i].subpage == subpage)
            return &pages[i];
    }
    return NULL;
}

/* The field that names no page of ours. */
static int refuse_page(const struct cdb_mode_sense *cdb, struct sense *sense)
{
    bool has_page = cdb->page == PAGE_ALL || page_find(cdb->page, 0) != NULL;
    return has_page ? sense_set_cdb(sense, 3, SENSE_NO_BIT) : sense_set_cdb(sense, 2, 5);
}

int mode_sense_encode(const struct lu_ident *lu, const struct mode_values *values,
                      const struct cdb_mode_sense *cdb, struct wire *out,
                      struct sense *sense)
{
    if (cdb->page == PAGE_ALL && cdb->subpage != 0 && cdb->subpage != SUBPAGE_ALL)
        return refuse_page(cdb, sense);
    unsigned desc_bytes = cdb->dbd ? 0 : cdb->llbaa ? BLOCK_DESC_LONG : BLOCK_DESC_SHORT;
    size_t start = out->at;
    put_header(lu, &values->current, cdb, desc_bytes, out);
    if (desc_bytes != 0)
        put_block_descriptor(lu, cdb->llbaa, out);
    if (put_pages(modes_told(values, cdb->control), cdb, out) == 0)
        return refuse_page(cdb, sense);
    size_t all = out->at - start;
    if (cdb->ten)
        wire_patch_be16(out, start, (uint16_t)(all - 2));
    else
        wire_patch_u8(out, start, (uint8_t)(all - 1));
    return 0;
}

/* ---- MODE SELECT ------------------------------------------------------------------- */

/* given: page->bytes bytes at offset `at` of the list. */
static int select_page(const struct mode_page *page, const uint8_t *given, unsigned at,
                       struct modes *modes, struct sense *sense)
{
    uint8_t now[PAGE_BYTES_MAX];
    page_bytes(page, modes, now);
    for (unsigned i = page_header_bytes(page); i < page->bytes; i++) {
        if (((given[i] ^ now[i]) & ~page->changeable[i]) != 0)
            return sense_set_param(sense, at + i, SENSE_NO_BIT);
    }
    unsigned bad = page->take != NULL ? page->take(given, modes) : 0;
    return bad != 0 ? sense_set_param(sense, at + bad, SENSE_NO_BIT) : 0;
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

/* The page that begins at r's place, by its header, which is left behind. PS is reserved
 * here. */
static const struct mode_page *take_header(struct wire_in *r, struct sense *sense)
{
    unsigned at = (unsigned)r->at;
    const uint8_t *head = wire_take_bytes(r, 2);
    bool is_subpage = head != NULL && (head[0] & PAGE_SPF) != 0;
    const uint8_t *length = is_subpage     ? wire_take_bytes(r, 2)
                            : head != NULL ? head + 1
                                           : NULL;
    if (head == NULL || length == NULL) {
        sense_set(sense, SENSE_PARAM_LIST_LENGTH);
        return NULL;
    }
    const struct mode_page *page =
        page_find(head[0] & PAGE_CODE, is_subpage ? head[1] : 0);
    if (page == NULL || (page->subpage != 0) != is_subpage) {
        sense_set_param(sense, at, 5);
        return NULL;
    }
    unsigned told = is_subpage ? be16_load(length) : *length;
    if (told == page->bytes - page_header_bytes(page))
        return page;
    sense_set_param(sense, at + page_header_bytes(page) / 2, SENSE_NO_BIT);
    return NULL;
}

/* The pages of the list, from r's place on. */
static int select_pages(struct wire_in *r, struct modes *modes, struct sense *sense)
{
    while (wire_in_left(r) > 0) {
        unsigned at = (unsigned)r->at;
        const struct mode_page *page = take_header(r, sense);
        if (page == NULL)
            return -EINVAL;
        unsigned header_bytes = page_header_bytes(page);
        const uint8_t *rest = wire_take_bytes(r, page->bytes - header_bytes);
        if (rest == NULL)
            return sense_set(sense, SENSE_PARAM_LIST_LENGTH);
        int rc = select_page(page, rest - header_bytes, at, modes, sense);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int mode_select_decode(const struct lu_ident *lu, const struct cdb_mode_select *cdb,
                       const uint8_t *data, size_t list_bytes, struct modes *modes,
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
    struct modes next = *modes;
    if (rc == 0)
        rc = select_pages(&r, &next, sense);
    if (rc == 0)
        *modes = next;
    return rc;
}
