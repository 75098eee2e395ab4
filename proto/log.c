/* SPDX-License-Identifier: Apache-2.0 */
/* Log pages: SPC-5, 7.3 and SBC-4, 6.4. One function a page's parameters; header, length
 * and what may be asked are common. Pure; any thread. */
#include "proto/log.h"

#include <errno.h>

#define DISABLE_SAVE 0x80 /* DS: nothing of the page is saved */
#define SPF          0x40 /* the page has a subpage code */
#define SUBPAGE_ALL  0xff

/* All parameters are binary lists, and nobody saves them: TSD. */
#define BINARY_LIST_UNSAVED 0x23

/* Parameters of 0Ch: SBC-4, 6.4. */
#define LBP_AVAILABLE       0x0001
#define LBP_USED            0x0002
#define SCOPE_DEDICATED     0x01
#define SCOPE_NOT_DEDICATED 0x02

/* Parameters of 0Dh and 19h: SPC-5, 7.3. */
#define TEMPERATURE       0x0000
#define NOT_AVAILABLE     0xff
#define STATISTICS        0x0001
#define IDLE_TIME         0x0002
#define TIME_INTERVAL     0x0003
#define MICROSECOND_POWER 6 /* an interval is 10^-6 s */

struct log_page {
    uint8_t page, subpage;
    bool has_parameters;
    uint16_t last; /* the greatest parameter code; 0 of a page without them */
    /* Puts the parameters whose code is at least `from`. */
    void (*put)(const struct log_figures *f, uint16_t from, struct wire *out);
};

static void put_pages(const struct log_figures *f, uint16_t from, struct wire *out);
static void put_subpages(const struct log_figures *f, uint16_t from, struct wire *out);
static void put_provisioning(const struct log_figures *f, uint16_t from,
                             struct wire *out);
static void put_temperature(const struct log_figures *f, uint16_t from, struct wire *out);
static void put_statistics(const struct log_figures *f, uint16_t from, struct wire *out);

/* In ascending order, as 00h and 00h/FFh list them. */
static const struct log_page pages[] = {
    {0x00, 0, false, 0, put_pages},
    {0x00, SUBPAGE_ALL, false, 0, put_subpages},
    {0x0c, 0, true, LBP_USED, put_provisioning},
    {0x0d, 0, true, TEMPERATURE, put_temperature},
    {0x19, 0, true, TIME_INTERVAL, put_statistics},
};

static void put_pages(const struct log_figures *f, uint16_t from, struct wire *out)
{
    (void)f;
    (void)from;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (pages[i].subpage == 0)
            wire_put_u8(out, pages[i].page);
    }
}

static void put_subpages(const struct log_figures *f, uint16_t from, struct wire *out)
{
    (void)f;
    (void)from;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        wire_put_u8(out, pages[i].page);
        wire_put_u8(out, pages[i].subpage);
    }
}

static void begin_parameter(struct wire *out, uint16_t code, uint8_t bytes)
{
    wire_put_be16(out, code);
    wire_put_u8(out, BINARY_LIST_UNSAVED);
    wire_put_u8(out, bytes);
}

static void put_resources(struct wire *out, uint16_t code, uint64_t sets, uint8_t scope)
{
    begin_parameter(out, code, 8);
    wire_put_be32(out, sets > UINT32_MAX ? UINT32_MAX : (uint32_t)sets);
    wire_put_u8(out, scope);
    wire_put_zeros(out, 3);
}

static void put_provisioning(const struct log_figures *f, uint16_t from, struct wire *out)
{
    if (from <= LBP_AVAILABLE)
        put_resources(out, LBP_AVAILABLE, f->available_sets, SCOPE_NOT_DEDICATED);
    put_resources(out, LBP_USED, f->used_sets, SCOPE_DEDICATED);
}

/* A volume has none that could be measured. */
static void put_temperature(const struct log_figures *f, uint16_t from, struct wire *out)
{
    (void)f;
    (void)from;
    begin_parameter(out, TEMPERATURE, 2);
    wire_put_u8(out, 0);
    wire_put_u8(out, NOT_AVAILABLE);
}

/* Not kept, and told as 0: weighted figures and idle time. The latter's parameter is
 * there because sg_logs shows the page only with all three. */
static void put_statistics(const struct log_figures *f, uint16_t from, struct wire *out)
{
    if (from <= STATISTICS) {
        begin_parameter(out, STATISTICS, 64);
        wire_put_be64(out, f->read_commands);
        wire_put_be64(out, f->write_commands);
        wire_put_be64(out, f->written_blocks); /* received */
        wire_put_be64(out, f->read_blocks);    /* transmitted */
        wire_put_be64(out, f->read_us);
        wire_put_be64(out, f->write_us);
        wire_put_zeros(out, 16);
    }
    if (from <= IDLE_TIME) {
        begin_parameter(out, IDLE_TIME, 8);
        wire_put_zeros(out, 8);
    }
    begin_parameter(out, TIME_INTERVAL, 8);
    wire_put_be32(out, MICROSECOND_POWER);
    wire_put_be32(out, 1);
}

/* NULL and *sense: none. A page code that is known has its subpage at fault. */
static const struct log_page *page_find(const struct cdb_log_sense *cdb,
                                        struct sense *sense)
{
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (pages[i].page != cdb->page)
            continue;
        if (pages[i].subpage == cdb->subpage)
            return &pages[i];
        known = true;
    }
    (void)(known ? sense_set_cdb(sense, 3, SENSE_NO_BIT) : sense_set_cdb(sense, 2, 5));
    return NULL;
}

/* Lists have no thresholds and no defaults; what lists pages has no values at all. */
static int check_asked(const struct log_page *page, const struct cdb_log_sense *cdb,
                       struct sense *sense)
{
    if (page->has_parameters && cdb->control != LOG_CUMULATIVE)
        return sense_set_cdb(sense, 2, 7);
    if (cdb->pointer > page->last)
        return sense_set_cdb(sense, 5, SENSE_NO_BIT);
    return 0;
}

int log_sense_encode(const struct log_figures *figures, const struct cdb_log_sense *cdb,
                     struct wire *out, struct sense *sense)
{
    const struct log_page *page = page_find(cdb, sense);
    if (page == NULL)
        return -EINVAL;
    int rc = check_asked(page, cdb, sense);
    if (rc != 0)
        return rc;
    size_t start = out->at;
    wire_put_u8(out, (uint8_t)(page->page | (page->has_parameters ? DISABLE_SAVE : 0) |
                               (page->subpage != 0 ? SPF : 0)));
    wire_put_u8(out, page->subpage);
    wire_put_be16(out, 0);
    page->put(figures, cdb->pointer, out);
    wire_patch_be16(out, start + 2, (uint16_t)(out->at - (start + 4)));
    return 0;
}
