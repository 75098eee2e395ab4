/* SPDX-License-Identifier: Apache-2.0 */
/* Any 16 bytes as a CDB, the rest as its parameter list: a decode fails with ILLEGAL
 * REQUEST or gives values in their ranges; data is written into a buffer of exactly the
 * allocation length; an UNMAP list, or that of a token, that is accepted has no range
 * outside the unit; mode parameters that are selected are told as they were set, and can
 * be selected again. */
#include "base/checked.h"
#include "proto/caps.h"
#include "proto/copy_results.h"
#include "proto/inquiry.h"
#include "proto/log.h"
#include "proto/mode.h"
#include "proto/port_groups.h"
#include "proto/rod.h"

#include <stdlib.h>
#include <string.h>

#define ALLOC_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static const uint16_t port_tags[] = {1, 2};

static const struct lu_ident lu = {
    .serial = "0123456789abcdef",
    .revision = "0.1",
    .blocks = 20971520,
    .block_bytes = 512,
    .physical_exponent = 3,
    .thin = true,
    .target_name = "iqn.2026-01.example.ashlar:t",
    .port_tags = port_tags,
    .port_count = ARRAY_LEN(port_tags),
};

struct input {
    uint8_t cdb[CDB_BYTES_MAX];
    const struct cdb_op *op;
    const uint8_t *list;
    size_t list_bytes;
    struct sense sense;
};

static int write_atomic(struct input *in)
{
    static const struct atomic_limits limits = {2048, 8, 8};
    struct cdb_rw rw;
    int rc = cdb_write_atomic_decode(in->cdb, &rw, &in->sense);
    if (rc == 0)
        rc = cdb_check_range(rw.lba, rw.blocks, lu.blocks, &in->sense);
    if (rc == 0)
        rc = cdb_check_atomic(&rw, &limits, &in->sense);
    if (rc == 0)
        assert(rw.lba + rw.blocks <= lu.blocks && rw.blocks <= limits.blocks_max);
    return rc;
}

static int caw(struct input *in)
{
    struct cdb_rw rw;
    int rc = cdb_caw_decode(in->cdb, &rw, &in->sense);
    if (rc == 0)
        assert(rw.write && rw.blocks <= UINT8_MAX);
    return rc;
}

static int media(struct input *in)
{
    struct cdb_rw rw;
    struct cdb_verify v;
    struct cdb_cache cache;
    struct cdb_write_same ws;
    switch (in->op->id) {
    case CDB_VERIFY_10:
    case CDB_VERIFY_12:
    case CDB_VERIFY_16:
        return cdb_verify_decode(in->cdb, in->op, &v, &in->sense);
    case CDB_WRITE_ATOMIC_16:
        return write_atomic(in);
    case CDB_COMPARE_WRITE:
        return caw(in);
    case CDB_SYNC_CACHE_10:
    case CDB_SYNC_CACHE_16:
    case CDB_PREFETCH_10:
    case CDB_PREFETCH_16:
        cdb_cache_decode(in->cdb, in->op, &cache);
        return 0;
    case CDB_WRITE_SAME_10:
    case CDB_WRITE_SAME_16:
        return cdb_write_same_decode(in->cdb, in->op, &ws, &in->sense);
    default:
        break;
    }
    int rc = cdb_rw_decode(in->cdb, in->op, &rw, &in->sense);
    if (rc == 0)
        rc = cdb_check_range(rw.lba, rw.blocks, lu.blocks, &in->sense);
    if (rc == 0)
        assert(rw.lba + rw.blocks <= lu.blocks);
    return rc;
}

static int unmap(struct input *in)
{
    static const struct unmap_limits limits = {20971520, 64, 1u << 20};
    struct cdb_unmap u;
    struct unmap_list list;
    struct unmap_range range;
    uint64_t total = 0;
    if (cdb_unmap_decode(in->cdb, &u, &in->sense) != 0)
        return -1;
    int rc = unmap_list_init(&list, in->list, in->list_bytes, &limits, &in->sense);
    if (rc != 0)
        return rc;
    assert(list.left <= limits.descriptors_max);
    while (unmap_list_next(&list, &range)) {
        assert(range_fits_u64(range.lba, range.blocks, limits.capacity_blocks));
        total += range.blocks;
    }
    assert(total <= limits.blocks_max);
    return 0;
}

static int sanitize(struct input *in)
{
    struct cdb_sanitize s;
    struct overwrite_list list;
    int rc = cdb_sanitize_decode(in->cdb, in->op, lu.block_bytes, &s, &in->sense);
    if (rc != 0 || in->op->id != CDB_SANITIZE_OVERWRITE)
        return rc;
    assert(s.list_bytes > 4 && s.list_bytes <= lu.block_bytes + 4);
    if (s.list_bytes > in->list_bytes) /* the transport has all of it, or refuses */
        return 0;
    rc = overwrite_list_decode(&list, in->list, s.list_bytes, lu.block_bytes, &in->sense);
    if (rc != 0)
        return rc;
    assert(list.count >= 1 && list.count <= 31 && list.pattern_bytes >= 1);
    assert(list.pattern + list.pattern_bytes <= in->list + s.list_bytes);
    return 0;
}

static void ranges_are_inside(const struct rod_ranges *ranges)
{
    uint64_t total = 0;
    assert(ranges->count <= ROD_TOKEN_RANGES_MAX);
    for (unsigned i = 0; i < ranges->count; i++) {
        struct rod_range r = rod_range_get(ranges, i);
        assert(range_fits_u64(r.lba, r.blocks, lu.blocks));
        total += r.blocks;
    }
    assert(total == ranges->blocks && total << 9 <= ROD_TOKEN_DATA_MAX);
}

static int rod_list(struct input *in)
{
    static const struct rod_limits limits = {.capacity_blocks = 20971520,
                                             .block_shift = 9};
    struct cdb_rod_list cdb;
    struct populate_list populate;
    struct write_token_list write;
    int rc = cdb_rod_list_decode(in->cdb, in->op, &cdb, &in->sense);
    if (rc != 0 || cdb.list_bytes == 0 || cdb.list_bytes > in->list_bytes)
        return rc;
    if (in->op->id == CDB_POPULATE_TOKEN) {
        rc = populate_list_decode(&populate, in->list, cdb.list_bytes, &limits,
                                  &in->sense);
        if (rc == 0)
            ranges_are_inside(&populate.ranges);
        return rc;
    }
    rc = write_token_list_decode(&write, in->list, cdb.list_bytes, &limits, &in->sense);
    if (rc != 0)
        return rc;
    assert(write.token + ROD_TOKEN_BYTES <= in->list + cdb.list_bytes);
    ranges_are_inside(&write.ranges);
    return 0;
}

/* Their lists are fuzz_ext_copy's. */
static int copies(const struct input *in, struct wire *out)
{
    struct cdb_copy_results results;
    cdb_copy_results_decode(in->cdb, in->op, &results);
    if (in->op->id == CDB_COPY_PARAMETERS)
        copy_parameters_encode(9, out);
    assert(results.lid4 || results.list_id <= UINT8_MAX);
    return 0;
}

static int inquiry(struct input *in, struct wire *out)
{
    struct cdb_inquiry inq;
    int rc = cdb_inquiry_decode(in->cdb, &inq, &in->sense);
    if (rc != 0)
        return rc;
    if (inq.evpd)
        return vpd_encode(&lu, inq.page, out, &in->sense);
    inquiry_encode(&lu, out);
    return 0;
}

/* A unit whose current modes are these tells them so that they can be selected. */
static void modes_come_back(const struct modes *modes)
{
    static const struct cdb_mode_sense all = {
        .ten = true, .page = 0x3f, .subpage = 0xff, .alloc_bytes = MODE_DATA_BYTES_MAX};
    static const struct cdb_mode_select ten = {.ten = true};
    const struct mode_values values = {.current = *modes};
    struct modes again = {.write_protect = !modes->write_protect};
    struct sense sense;
    uint8_t data[MODE_DATA_BYTES_MAX];
    struct wire w;
    for (int i = 0; i < THRESHOLD_MAX; i++) {
        const struct threshold *t = &modes->thresholds[i];
        assert(t->resource <= THRESHOLD_USED);
        assert(!t->enabled || t->resource != THRESHOLD_NONE);
    }
    wire_init(&w, data, sizeof(data));
    int rc = mode_sense_encode(&lu, &values, &all, &w, &sense);
    assert(rc == 0 && wire_rc(&w) == 0);
    rc = mode_select_decode(&lu, &ten, data, wire_stored(&w), &again, &sense);
    assert(rc == 0 && modes_equal(modes, &again));
}

static int mode(struct input *in, struct wire *out)
{
    struct mode_values values = {.current = {.write_protect = true}};
    struct modes modes = values.current;
    mode_defaults(be16_load(in->cdb + 14), &values.defaults);
    struct cdb_mode_sense ms;
    struct cdb_mode_select sel;
    bool senses = in->op->id == CDB_MODE_SENSE_6 || in->op->id == CDB_MODE_SENSE_10;
    if (senses) {
        int rc = cdb_mode_sense_decode(in->cdb, in->op, &ms, &in->sense);
        return rc != 0 ? rc : mode_sense_encode(&lu, &values, &ms, out, &in->sense);
    }
    int rc = cdb_mode_select_decode(in->cdb, in->op, &sel, &in->sense);
    if (rc != 0)
        return rc;
    rc = mode_select_decode(&lu, &sel, in->list, in->list_bytes, &modes, &in->sense);
    if (rc != 0)
        assert(modes_equal(&modes, &values.current));
    else
        modes_come_back(&modes);
    return rc;
}

static int defects(struct input *in, struct wire *out)
{
    struct cdb_defect_data d;
    int rc = cdb_defect_data_decode(in->cdb, in->op, &d, &in->sense);
    if (rc == 0)
        defect_data_encode(&d, out);
    return rc;
}

static int log_pages(struct input *in, struct wire *out)
{
    static const struct log_figures figures = {.available_sets = UINT64_MAX};
    struct cdb_log_sense log;
    cdb_log_sense_decode(in->cdb, &log);
    int rc = log_sense_encode(&figures, &log, out, &in->sense);
    assert(rc != 0 || out->at <= LOG_PAGE_BYTES_MAX);
    return rc;
}

static int questions(struct input *in, struct wire *out)
{
    static const uint32_t luns[] = {0, 1, 300};
    static const struct port_group port_groups[] = {
        {.tag = 1}, {.tag = 7, .access = {.state = ALUA_STANDBY, .preferred = true}}};
    struct cdb_report_luns rl;
    struct cdb_report_opcodes ro;
    struct cdb_report_tmfs rt;
    struct cdb_report_port_groups rg;
    struct cdb_read_capacity rc16;
    struct cdb_request_sense rs;
    struct cdb_start_stop ss;
    int rc;
    switch (in->op->id) {
    case CDB_REPORT_LUNS:
        rc = cdb_report_luns_decode(in->cdb, &rl, &in->sense);
        if (rc == 0)
            report_luns_encode(luns, ARRAY_LEN(luns), rl.select, out);
        return rc;
    case CDB_REPORT_OPCODES:
        rc = cdb_report_opcodes_decode(in->cdb, &ro, &in->sense);
        return rc != 0 ? rc : report_opcodes_encode(&ro, out, &in->sense);
    case CDB_REPORT_PORT_GROUPS:
        rc = cdb_report_port_groups_decode(in->cdb, &rg, &in->sense);
        if (rc == 0)
            port_groups_encode(port_groups, ARRAY_LEN(port_groups), rg.extended,
                               in->cdb[14], out);
        return rc;
    case CDB_REPORT_TMFS:
        rc = cdb_report_tmfs_decode(in->cdb, &rt, &in->sense);
        if (rc == 0) /* by a byte that is none of the CDB's */
            report_tmfs_encode(&rt, be16_load(in->cdb + 14), out);
        return rc;
    case CDB_READ_CAPACITY_16:
        read_capacity_16_encode(&lu, out);
        return cdb_read_capacity_decode(in->cdb, in->op, &rc16, &in->sense);
    case CDB_REQUEST_SENSE:
        return cdb_request_sense_decode(in->cdb, &rs, &in->sense);
    case CDB_START_STOP_UNIT:
        return cdb_start_stop_decode(in->cdb, &ss, &in->sense);
    default:
        return 0;
    }
}

static int run(struct input *in, struct wire *out)
{
    switch (in->op->id) {
    case CDB_UNMAP:
        return unmap(in);
    case CDB_EXTENDED_COPY:
    case CDB_EXTENDED_COPY_LID4:
    case CDB_COPY_ABORT:
    case CDB_COPY_STATUS:
    case CDB_COPY_PARAMETERS:
    case CDB_COPY_FAILURE:
    case CDB_COPY_STATUS_LID4:
        return copies(in, out);
    case CDB_SANITIZE_OVERWRITE:
    case CDB_SANITIZE_ERASE:
    case CDB_SANITIZE_EXIT:
        return sanitize(in);
    case CDB_POPULATE_TOKEN:
    case CDB_WRITE_TOKEN:
        return rod_list(in);
    case CDB_INQUIRY:
        return inquiry(in, out);
    case CDB_READ_DEFECT_DATA_10:
    case CDB_READ_DEFECT_DATA_12:
        return defects(in, out);
    case CDB_LOG_SENSE:
        return log_pages(in, out);
    case CDB_MODE_SENSE_6:
    case CDB_MODE_SENSE_10:
    case CDB_MODE_SELECT_6:
    case CDB_MODE_SELECT_10:
        return mode(in, out);
    default:
        break;
    }
    bool asks = !in->op->usage[2] || in->op->id >= CDB_READ_CAPACITY_16;
    bool reads = in->op->id == CDB_READ_12 || in->op->id == CDB_WRITE_12 ||
                 in->op->id == CDB_VERIFY_12;
    return asks && !reads ? questions(in, out) : media(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct input in = {.op = NULL};
    if (bytes < CDB_BYTES_MAX)
        return 0;
    memcpy(in.cdb, data, CDB_BYTES_MAX);
    in.list = data + CDB_BYTES_MAX;
    in.list_bytes = bytes - CDB_BYTES_MAX;
    int rc = cdb_find(in.cdb, &in.op, &in.sense);
    if (rc == 0) {
        assert(in.op != NULL);
        /* An allocation length of whatever the last byte says, on the heap: its end is
         * watched. */
        size_t limit = (size_t)data[bytes - 1] * 4;
        uint8_t *buffer = malloc(limit + 1);
        assert(buffer != NULL);
        struct wire out;
        wire_init(&out, buffer, limit);
        rc = run(&in, &out);
        assert(wire_stored(&out) <= limit && out.at <= ALLOC_MAX);
        free(buffer);
    }
    if (rc != 0)
        assert(sense_key_of(&in.sense) == SENSE_KEY_ILLEGAL_REQUEST);
    return 0;
}
