/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI command descriptor blocks (SPC-5, SBC-4): the table of the commands that we know,
 * and each CDB as a plain struct. What a command does is the target's.
 *
 *   if (cdb_find(cdb, &op, &sense) != 0) -> CHECK CONDITION with that sense;
 *   table[op->id](...): there cdb_rw_decode(cdb, op, &rw, &sense), and so on.
 *
 * cdb_find() refuses every bit that the command does not define (the control byte's NACA
 * among them), so decodes check only values. A decode returns 0, or -EINVAL with *sense
 * filled in, the field named. Pure; any thread. */
#ifndef PROTO_CDB_H
#define PROTO_CDB_H

#include "base/auto.h"
#include "base/registration.h"
#include "proto/sense.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CDB_BYTES_MAX      16
#define CDB_SERVICE_ACTION 0x1f /* of byte 1, of an opcode that has some */

/* Dense: a table of handlers is an array of CDB_ID_COUNT. */
#define CDB_ROW(id, ...)  CDB_##id,
#define CDB_MORE(id, ...) CDB_##id,
enum cdb_id {
#include "proto/cdb_table.h"
    CDB_ID_COUNT
};

enum cdb_dir { CDB_NO_DATA, CDB_DATA_IN, CDB_DATA_OUT };

struct cdb_op {
    enum cdb_id id;
    uint8_t opcode;
    bool has_service_action; /* in byte 1, bits 4..0 */
    uint8_t service_action;
    uint8_t cdb_bytes;
    enum cdb_dir dir;    /* VERIFY: DATA_OUT, but none with BYTCHK 0 */
    bool changes_medium; /* refused on a read-only unit */
    enum reservation_class class;
    uint16_t timeout_s; /* how long an initiator should wait for it */
    const char *name;   /* "READ(10)" */
    uint8_t
        usage[CDB_BYTES_MAX]; /* CDB usage data: SPC-5, 6.35; opcode and SA included */
};

/* In the order of opcode and service action. */
extern const struct cdb_op cdb_ops[CDB_ID_COUNT];

/* NULL if it is none of ours. service_action: ignored of an opcode that has none. */
const struct cdb_op *cdb_op_of(uint8_t opcode, uint8_t service_action);
bool cdb_opcode_exists(uint8_t opcode);

/* cdb: 16 bytes. 0 and *op. -EINVAL and *sense: INVALID COMMAND OPERATION CODE; INVALID
 * FIELD IN CDB for a service action that we do not know or for bits that the command does
 * not define. */
int cdb_find(const uint8_t *cdb, const struct cdb_op **op,
             struct sense *sense) MUST_CHECK;

/* The class of this command: by its CDB, where that says whether it changes anything. */
enum reservation_class cdb_class_of(const uint8_t *cdb, const struct cdb_op *op);

/* READ and WRITE 6, 10, 12, 16, ORWRITE 16. Protection information is refused: no unit
 * has it. */
struct cdb_rw {
    uint64_t lba;
    uint32_t blocks; /* 0: none (READ(6), WRITE(6): 256 was meant and is here) */
    bool write, dpo, fua;
    uint8_t blocks_byte; /* where the CDB has its transfer length, for a field pointer */
};
int cdb_rw_decode(const uint8_t *cdb, const struct cdb_op *op, struct cdb_rw *rw,
                  struct sense *sense) MUST_CHECK;

/* COMPARE AND WRITE. The data is twice the blocks: SBC-4, 5.3. */
int cdb_caw_decode(const uint8_t *cdb, struct cdb_rw *rw, struct sense *sense) MUST_CHECK;

/* WRITE ATOMIC(16). ATOMIC BOUNDARY is no field that we know: VPD B0 tells 0 as its
 * maximum, and cdb_find() has refused any other. */
int cdb_write_atomic_decode(const uint8_t *cdb, struct cdb_rw *rw,
                            struct sense *sense) MUST_CHECK;
/* What VPD B0 tells of atomic writes, in blocks, none of them 0. */
struct atomic_limits {
    uint32_t blocks_max, alignment_blocks, granularity_blocks;
};
/* 0 if it keeps to them, or has no blocks. */
int cdb_check_atomic(const struct cdb_rw *rw, const struct atomic_limits *limits,
                     struct sense *sense) MUST_CHECK;

/* VERIFY and WRITE AND VERIFY 10, 12, 16. */
struct cdb_verify {
    uint64_t lba;
    uint32_t blocks;
    /* 0: nothing is compared; 1: each block with its own of the data; 3, not of WRITE AND
     * VERIFY: each with the one there is. */
    uint8_t bytchk;
    uint8_t blocks_byte;
};
int cdb_verify_decode(const uint8_t *cdb, const struct cdb_op *op, struct cdb_verify *v,
                      struct sense *sense) MUST_CHECK;

/* SYNCHRONIZE CACHE and PRE-FETCH 10, 16. */
struct cdb_cache {
    uint64_t lba;
    uint32_t blocks; /* 0: to the end */
    bool immed;
};
void cdb_cache_decode(const uint8_t *cdb, const struct cdb_op *op,
                      struct cdb_cache *cache);

/* WRITE SAME 10, 16. ANCHOR is refused. */
struct cdb_write_same {
    uint64_t lba;
    uint32_t blocks; /* 0: to the end, as VPD B0 says WSNZ 0 */
    bool unmap;
    bool ndob; /* no data-out buffer: zeros */
    uint8_t blocks_byte;
};
int cdb_write_same_decode(const uint8_t *cdb, const struct cdb_op *op,
                          struct cdb_write_same *ws, struct sense *sense) MUST_CHECK;

struct cdb_unmap {
    uint16_t list_bytes;
};
int cdb_unmap_decode(const uint8_t *cdb, struct cdb_unmap *unmap,
                     struct sense *sense) MUST_CHECK;

/* The parameter list of UNMAP (SBC-4, 5.28). unmap_list_init() checks all of it: lengths,
 * descriptor and block counts against the limits, every range against the capacity. Then
 * unmap_list_next() cannot fail. */
struct unmap_limits {
    uint64_t capacity_blocks;
    uint32_t descriptors_max; /* 0: no limit */
    uint32_t blocks_max;      /* of all descriptors together; 0: no limit */
};
struct unmap_list {
    const uint8_t *at;
    unsigned left; /* descriptors */
};
struct unmap_range {
    uint64_t lba;
    uint32_t blocks; /* may be 0 */
};
/* data: the list as received, all of list_bytes (the data is the list's as long as it is
 * read). list_bytes 0 is an empty list. */
int unmap_list_init(struct unmap_list *list, const uint8_t *data, size_t list_bytes,
                    const struct unmap_limits *limits, struct sense *sense) MUST_CHECK;
bool unmap_list_next(struct unmap_list *list, struct unmap_range *range);

/* SANITIZE: OVERWRITE, BLOCK ERASE, EXIT FAILURE MODE (SBC-4, 5.24). */
struct cdb_sanitize {
    bool immed;
    bool ause;
    uint16_t list_bytes; /* OVERWRITE: 5 to a logical block and 4 */
};
int cdb_sanitize_decode(const uint8_t *cdb, const struct cdb_op *op, uint32_t block_bytes,
                        struct cdb_sanitize *sanitize, struct sense *sense) MUST_CHECK;

/* The parameter list of OVERWRITE: SBC-4, 5.24.2. */
struct overwrite_list {
    bool invert;
    uint8_t count;          /* of passes, 1 to 31 */
    uint16_t pattern_bytes; /* 1 to a logical block */
    const uint8_t *pattern; /* inside the data */
};
/* data: the list as received, all of list_bytes, which are at least 5. */
int overwrite_list_decode(struct overwrite_list *list, const uint8_t *data,
                          size_t list_bytes, uint32_t block_bytes,
                          struct sense *sense) MUST_CHECK;

/* EXTENDED COPY and its kin: SPC-4, 6.4, 6.20 to 6.24 (ext_copy.h has the lists). A list
 * identifier has one byte in the LID1 forms. */
uint32_t cdb_copy_list_bytes(const uint8_t *cdb);
struct cdb_copy_results {
    bool lid4;
    uint32_t list_id;
    uint32_t alloc_bytes;
};
/* COPY OPERATION ABORT too, which allocates nothing. */
void cdb_copy_results_decode(const uint8_t *cdb, const struct cdb_op *op,
                             struct cdb_copy_results *results);

/* 0 if the range lies inside the capacity; else LBA OUT OF RANGE with the first bad LBA
 * as information. */
int cdb_check_range(uint64_t lba, uint64_t blocks, uint64_t capacity_blocks,
                    struct sense *sense) MUST_CHECK;

struct cdb_inquiry {
    bool evpd;
    uint8_t page;
    uint16_t alloc_bytes;
};
int cdb_inquiry_decode(const uint8_t *cdb, struct cdb_inquiry *inq,
                       struct sense *sense) MUST_CHECK;

enum mode_page_control { MODE_CURRENT, MODE_CHANGEABLE, MODE_DEFAULT, MODE_SAVED };

struct cdb_mode_sense {
    bool ten; /* MODE SENSE(10) */
    bool dbd, llbaa;
    enum mode_page_control control;
    uint8_t page, subpage;
    uint16_t alloc_bytes;
};
int cdb_mode_sense_decode(const uint8_t *cdb, const struct cdb_op *op,
                          struct cdb_mode_sense *mode, struct sense *sense) MUST_CHECK;

struct cdb_mode_select {
    bool ten;
    bool save; /* SP */
    uint16_t list_bytes;
};
/* PF must be set. */
int cdb_mode_select_decode(const uint8_t *cdb, const struct cdb_op *op,
                           struct cdb_mode_select *mode, struct sense *sense) MUST_CHECK;

enum log_page_control {
    LOG_THRESHOLD,
    LOG_CUMULATIVE,
    LOG_DEFAULT_THRESHOLD,
    LOG_DEFAULT_CUMULATIVE,
};

/* SP is refused by cdb_find(): nothing is saved. */
struct cdb_log_sense {
    enum log_page_control control;
    uint8_t page, subpage;
    uint16_t pointer; /* parameters with a smaller code are left out */
    uint16_t alloc_bytes;
};
void cdb_log_sense_decode(const uint8_t *cdb, struct cdb_log_sense *log);

struct cdb_report_luns {
    uint8_t select;       /* 0, 1 or 2 */
    uint32_t alloc_bytes; /* at least 16 */
};
int cdb_report_luns_decode(const uint8_t *cdb, struct cdb_report_luns *report,
                           struct sense *sense) MUST_CHECK;

/* GET LBA STATUS(16). */
struct cdb_lba_status {
    uint64_t lba;
    uint32_t alloc_bytes;
};
void cdb_lba_status_decode(const uint8_t *cdb, struct cdb_lba_status *status);

/* READ DEFECT DATA 10, 12. Formats that SBC-4 does not define are refused. */
struct cdb_defect_data {
    bool twelve;         /* READ DEFECT DATA(12) */
    bool primary, grown; /* REQ_PLIST, REQ_GLIST */
    uint8_t format;      /* of the address descriptors */
    uint32_t alloc_bytes;
};
int cdb_defect_data_decode(const uint8_t *cdb, const struct cdb_op *op,
                           struct cdb_defect_data *defects,
                           struct sense *sense) MUST_CHECK;

struct cdb_read_capacity {
    uint32_t alloc_bytes; /* READ CAPACITY(10): 8 */
};
int cdb_read_capacity_decode(const uint8_t *cdb, const struct cdb_op *op,
                             struct cdb_read_capacity *cap,
                             struct sense *sense) MUST_CHECK;

struct cdb_request_sense {
    bool descriptor;
    uint8_t alloc_bytes;
};
int cdb_request_sense_decode(const uint8_t *cdb, struct cdb_request_sense *req,
                             struct sense *sense) MUST_CHECK;

/* Power conditions are refused. */
struct cdb_start_stop {
    bool immed, start, load_eject, no_flush;
};
int cdb_start_stop_decode(const uint8_t *cdb, struct cdb_start_stop *ss,
                          struct sense *sense) MUST_CHECK;

struct cdb_prevent_allow {
    uint8_t prevent;
};
int cdb_prevent_allow_decode(const uint8_t *cdb, struct cdb_prevent_allow *pa,
                             struct sense *sense) MUST_CHECK;

enum report_opcodes_option {
    REPORT_OPCODES_ALL = 0,
    REPORT_OPCODES_ONE = 1,    /* by opcode; an opcode with service actions is refused */
    REPORT_OPCODES_ONE_SA = 2, /* by opcode and service action */
    REPORT_OPCODES_ONE_ANY = 3,
};
struct cdb_report_opcodes {
    enum report_opcodes_option option;
    uint8_t opcode;
    uint16_t service_action;
    bool timeouts; /* RCTD */
    uint32_t alloc_bytes;
};
int cdb_report_opcodes_decode(const uint8_t *cdb, struct cdb_report_opcodes *report,
                              struct sense *sense) MUST_CHECK;

/* REPORT TARGET PORT GROUPS. Formats that SPC-4 does not define are refused. */
struct cdb_report_port_groups {
    bool extended; /* PARAMETER DATA FORMAT: with the extended header */
    uint32_t alloc_bytes;
};
int cdb_report_port_groups_decode(const uint8_t *cdb,
                                  struct cdb_report_port_groups *report,
                                  struct sense *sense) MUST_CHECK;

struct cdb_report_tmfs {
    bool extended; /* REPD */
    uint32_t alloc_bytes;
};
int cdb_report_tmfs_decode(const uint8_t *cdb, struct cdb_report_tmfs *report,
                           struct sense *sense) MUST_CHECK;

#endif
