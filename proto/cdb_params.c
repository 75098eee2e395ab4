/* SPDX-License-Identifier: Apache-2.0 */
/* CDBs that ask about or set what a unit is: SPC-5, 6, and SBC-4's READ CAPACITY, READ
 * DEFECT DATA and START STOP UNIT. Pure; any thread. */
#include "proto/cdb.h"

#include "base/be.h"

#define BIT_EVPD       0x01
#define BIT_DBD        0x08
#define BIT_LLBAA      0x10
#define BIT_PF         0x10
#define BIT_SP         0x01
#define BIT_DESC       0x01
#define BIT_RCTD       0x80
#define BIT_REPD       0x80
#define BIT_REQ_PLIST  0x10
#define BIT_REQ_GLIST  0x08
#define PAGE_MASK      0x3f
#define OPTION_MASK    0x07
#define LUNS_ALLOC_MIN 16
#define TMFS_ALLOC_MIN 4
#define FORMAT_MASK    0x07
/* PARAMETER DATA FORMAT of REPORT TARGET PORT GROUPS: 0 is the short header. */
#define GROUPS_FORMAT_SHIFT    5
#define GROUPS_FORMAT_EXTENDED 1
#define FORMAT_BIT             2
/* The last that FORMAT UNIT defines: then come a vendor's own and a reserved one. */
#define FORMAT_PHYSICAL_SECTOR 5

int cdb_inquiry_decode(const uint8_t *cdb, struct cdb_inquiry *inq, struct sense *sense)
{
    *inq = (struct cdb_inquiry){
        .evpd = (cdb[1] & BIT_EVPD) != 0,
        .page = cdb[2],
        .alloc_bytes = be16_load(cdb + 3),
    };
    if (!inq->evpd && inq->page != 0)
        return sense_set_cdb(sense, 2, SENSE_NO_BIT);
    return 0;
}

int cdb_mode_sense_decode(const uint8_t *cdb, const struct cdb_op *op,
                          struct cdb_mode_sense *mode, struct sense *sense)
{
    bool ten = op->id == CDB_MODE_SENSE_10;
    (void)sense;
    *mode = (struct cdb_mode_sense){
        .ten = ten,
        .dbd = (cdb[1] & BIT_DBD) != 0,
        .llbaa = ten && (cdb[1] & BIT_LLBAA) != 0,
        .control = (enum mode_page_control)(cdb[2] >> 6),
        .page = cdb[2] & PAGE_MASK,
        .subpage = cdb[3],
        .alloc_bytes = ten ? be16_load(cdb + 7) : cdb[4],
    };
    return 0;
}

int cdb_mode_select_decode(const uint8_t *cdb, const struct cdb_op *op,
                           struct cdb_mode_select *mode, struct sense *sense)
{
    bool ten = op->id == CDB_MODE_SELECT_10;
    if ((cdb[1] & BIT_PF) == 0)
        return sense_set_cdb(sense, 1, 4);
    *mode = (struct cdb_mode_select){
        .ten = ten,
        .save = (cdb[1] & BIT_SP) != 0,
        .list_bytes = ten ? be16_load(cdb + 7) : cdb[4],
    };
    return 0;
}

void cdb_log_sense_decode(const uint8_t *cdb, struct cdb_log_sense *log)
{
    *log = (struct cdb_log_sense){
        .control = (enum log_page_control)(cdb[2] >> 6),
        .page = cdb[2] & PAGE_MASK,
        .subpage = cdb[3],
        .pointer = be16_load(cdb + 5),
        .alloc_bytes = be16_load(cdb + 7),
    };
}

int cdb_report_luns_decode(const uint8_t *cdb, struct cdb_report_luns *report,
                           struct sense *sense)
{
    *report = (struct cdb_report_luns){
        .select = cdb[2],
        .alloc_bytes = be32_load(cdb + 6),
    };
    if (report->select > 2)
        return sense_set_cdb(sense, 2, SENSE_NO_BIT);
    if (report->alloc_bytes < LUNS_ALLOC_MIN)
        return sense_set_cdb(sense, 6, SENSE_NO_BIT);
    return 0;
}

int cdb_defect_data_decode(const uint8_t *cdb, const struct cdb_op *op,
                           struct cdb_defect_data *defects, struct sense *sense)
{
    bool twelve = op->id == CDB_READ_DEFECT_DATA_12;
    unsigned flags_byte = twelve ? 1 : 2;
    uint8_t flags = cdb[flags_byte];
    *defects = (struct cdb_defect_data){
        .twelve = twelve,
        .primary = (flags & BIT_REQ_PLIST) != 0,
        .grown = (flags & BIT_REQ_GLIST) != 0,
        .format = flags & FORMAT_MASK,
        .alloc_bytes = twelve ? be32_load(cdb + 6) : be16_load(cdb + 7),
    };
    if (defects->format > FORMAT_PHYSICAL_SECTOR)
        return sense_set_cdb(sense, flags_byte, FORMAT_BIT);
    return 0;
}

int cdb_read_capacity_decode(const uint8_t *cdb, const struct cdb_op *op,
                             struct cdb_read_capacity *cap, struct sense *sense)
{
    (void)sense;
    cap->alloc_bytes = op->id == CDB_READ_CAPACITY_10 ? 8 : be32_load(cdb + 10);
    return 0;
}

void cdb_lba_status_decode(const uint8_t *cdb, struct cdb_lba_status *status)
{
    status->lba = be64_load(cdb + 2);
    status->alloc_bytes = be32_load(cdb + 10);
}

int cdb_request_sense_decode(const uint8_t *cdb, struct cdb_request_sense *req,
                             struct sense *sense)
{
    (void)sense;
    *req = (struct cdb_request_sense){
        .descriptor = (cdb[1] & BIT_DESC) != 0,
        .alloc_bytes = cdb[4],
    };
    return 0;
}

int cdb_start_stop_decode(const uint8_t *cdb, struct cdb_start_stop *ss,
                          struct sense *sense)
{
    if (cdb[4] >> 4 != 0)
        return sense_set_cdb(sense, 4, 7);
    *ss = (struct cdb_start_stop){
        .immed = (cdb[1] & 0x01) != 0,
        .no_flush = (cdb[4] & 0x04) != 0,
        .load_eject = (cdb[4] & 0x02) != 0,
        .start = (cdb[4] & 0x01) != 0,
    };
    return 0;
}

int cdb_prevent_allow_decode(const uint8_t *cdb, struct cdb_prevent_allow *pa,
                             struct sense *sense)
{
    (void)sense;
    pa->prevent = cdb[4] & 0x03;
    return 0;
}

int cdb_report_opcodes_decode(const uint8_t *cdb, struct cdb_report_opcodes *report,
                              struct sense *sense)
{
    unsigned option = cdb[2] & OPTION_MASK;
    if (option > REPORT_OPCODES_ONE_ANY)
        return sense_set_cdb(sense, 2, 2);
    *report = (struct cdb_report_opcodes){
        .option = (enum report_opcodes_option)option,
        .opcode = cdb[3],
        .service_action = be16_load(cdb + 4),
        .timeouts = (cdb[2] & BIT_RCTD) != 0,
        .alloc_bytes = be32_load(cdb + 6),
    };
    return 0;
}

int cdb_report_port_groups_decode(const uint8_t *cdb,
                                  struct cdb_report_port_groups *report,
                                  struct sense *sense)
{
    unsigned format = cdb[1] >> GROUPS_FORMAT_SHIFT;
    if (format > GROUPS_FORMAT_EXTENDED)
        return sense_set_cdb(sense, 1, 7);
    *report = (struct cdb_report_port_groups){
        .extended = format == GROUPS_FORMAT_EXTENDED,
        .alloc_bytes = be32_load(cdb + 6),
    };
    return 0;
}

int cdb_report_tmfs_decode(const uint8_t *cdb, struct cdb_report_tmfs *report,
                           struct sense *sense)
{
    *report = (struct cdb_report_tmfs){
        .extended = (cdb[2] & BIT_REPD) != 0,
        .alloc_bytes = be32_load(cdb + 6),
    };
    if (report->alloc_bytes < TMFS_ALLOC_MIN)
        return sense_set_cdb(sense, 6, SENSE_NO_BIT);
    return 0;
}
