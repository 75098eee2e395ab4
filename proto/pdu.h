/* SPDX-License-Identifier: Apache-2.0 */
/* iSCSI PDUs (RFC 7143, 11): the 48 bytes of each basic header segment as the RFC's
 * table, and each as a plain struct, with encode and decode both ways. Not here: text
 * keys (keys.h), CDBs (cdb.h), sense (sense.h), digests, sockets, sessions. A connection
 * reads 48 bytes into a union bhs, asks pdu_ahs_bytes() and pdu_data_bytes() how much
 * follows, and decodes by pdu_opcode(). To answer, it encodes into a union bhs, appends
 * the data segment padded by pdu_padded(), and calls pdu_stamp() as it sends. Pure; any
 * thread. */
#ifndef PROTO_PDU_H
#define PROTO_PDU_H

#include "base/auto.h"
#include "base/be.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BHS_BYTES         48
#define AHS_BYTES_MAX     (255 * 4)
#define PDU_DATA_MAX      0xffffffu /* what DataSegmentLength can say */
#define PDU_TAG_NONE      0xffffffffu
#define ISID_BYTES        6
#define PDU_VERSION       0x00 /* the one version of RFC 3720 and RFC 7143 */
#define CMD_CDB_BYTES     16   /* the CDB in the BHS */
#define CMD_CDB_BYTES_MAX 32   /* kept of a CDB continued in an AHS */

enum opcode {
    OP_NOP_OUT = 0x00,
    OP_CMD_REQ = 0x01,
    OP_TMF_REQ = 0x02,
    OP_LOGIN_REQ = 0x03,
    OP_TEXT_REQ = 0x04,
    OP_DATA_OUT = 0x05,
    OP_LOGOUT_REQ = 0x06,
    OP_SNACK_REQ = 0x10,
    OP_NOP_IN = 0x20,
    OP_CMD_RSP = 0x21,
    OP_TMF_RSP = 0x22,
    OP_LOGIN_RSP = 0x23,
    OP_TEXT_RSP = 0x24,
    OP_DATA_IN = 0x25,
    OP_LOGOUT_RSP = 0x26,
    OP_R2T = 0x31,
    OP_ASYNC = 0x32,
    OP_REJECT = 0x3f,
};

#define OPCODE_MASK    0x3f
#define OPCODE_IMM_BIT 0x40

/* RFC 7143, 11.17.1. What a request's decode returns: REJECT_NONE, or why the PDU is to
 * be answered with a Reject. In the login phase any reason is login status 0200. */
enum reject_reason {
    REJECT_NONE = 0,
    REJECT_DATA_DIGEST = 0x02,
    REJECT_SNACK = 0x03,
    REJECT_PROTOCOL_ERROR = 0x04,
    REJECT_NOT_SUPPORTED = 0x05, /* the command */
    REJECT_IMMEDIATE_TOO_MANY = 0x06,
    REJECT_TASK_IN_PROGRESS = 0x07,
    REJECT_INVALID_DATA_ACK = 0x08,
    REJECT_INVALID_FIELD = 0x09, /* invalid PDU field */
    REJECT_OUT_OF_RESOURCES = 0x0a,
    REJECT_NEGOTIATION_RESET = 0x0b,
    REJECT_WAITING_LOGOUT = 0x0c,
};

/* SAM-5: what a command ends with. */
enum sam_status {
    SAM_GOOD = 0x00,
    SAM_CHECK_CONDITION = 0x02,
    SAM_CONDITION_MET = 0x04,
    SAM_BUSY = 0x08,
    SAM_RESERVATION_CONFLICT = 0x18,
    SAM_TASK_SET_FULL = 0x28,
    SAM_ACA_ACTIVE = 0x30,
    SAM_TASK_ABORTED = 0x40,
};

enum task_attr { /* 11.3.1.3 */
                 TASK_UNTAGGED = 0,
                 TASK_SIMPLE = 1,
                 TASK_ORDERED = 2,
                 TASK_HEAD_OF_QUEUE = 3,
                 TASK_ACA = 4,
};

/* ---- the wire ---- */

struct any_wire { /* what all BHSs share: 11.2.1 */
    uint8_t opcode, flags, specific2[2], ahs_words;
    be24 data_bytes;
    be64 lun;
    be32 itt, tag20;
    be32 cmd_or_stat_sn, exp_sn, max_cmd_sn;
    uint8_t specific36[12];
};

struct cmd_req_wire { /* 11.3 */
    uint8_t opcode, flags, reserved2[2], ahs_words;
    be24 data_bytes;
    be64 lun;
    be32 itt, expected_bytes, cmd_sn, exp_stat_sn;
    uint8_t cdb[CMD_CDB_BYTES];
};

struct cmd_rsp_wire { /* 11.4 */
    uint8_t opcode, flags, response, status, ahs_words;
    be24 data_bytes;
    be16 status_qualifier; /* RFC 7144 */
    be16 reserved10;
    be32 reserved12;
    be32 itt, snack_tag, stat_sn, exp_cmd_sn, max_cmd_sn;
    be32 exp_data_sn, bidi_residual, residual;
};

struct tmf_req_wire { /* 11.5 */
    uint8_t opcode, function, reserved2[2], ahs_words;
    be24 data_bytes;
    be64 lun;
    be32 itt, ref_itt, cmd_sn, exp_stat_sn, ref_cmd_sn, exp_data_sn;
    be64 reserved40;
};

struct tmf_rsp_wire { /* 11.6 */
    uint8_t opcode, flags, response, reserved3, ahs_words;
    be24 data_bytes;
    be24 info; /* RFC 7144: additional response information */
    uint8_t reserved11[5];
    be32 itt, reserved20, stat_sn, exp_cmd_sn, max_cmd_sn;
    uint8_t reserved36[12];
};

struct data_out_wire { /* 11.7 */
    uint8_t opcode, flags, reserved2[2], ahs_words;
    be24 data_bytes;
    be64 lun;
    be32 itt, ttt, reserved24, exp_stat_sn, reserved32, data_sn, buffer_offset;
    be32 reserved44;
};

struct data_in_wire { /* 11.7 */
    uint8_t opcode, flags, reserved2, status, ahs_words;
    be24 data_bytes;
    be64 lun;
    be32 itt, ttt, stat_sn, exp_cmd_sn, max_cmd_sn, data_sn, buffer_offset, residual;
};

struct r2t_wire { /* 11.8 */
    uint8_t opcode, flags, reserved2[2], ahs_words;
    be24 data_bytes;
    be64 lun;
    be32 itt, ttt, stat_sn, exp_cmd_sn, max_cmd_sn, r2t_sn, buffer_offset, desired_bytes;
};

struct async_wire { /* 11.9 */
    uint8_t opcode, flags, reserved2[2], ahs_words;
    be24 data_bytes;
    be64 lun;
    be32 tag_none, reserved20, stat_sn, exp_cmd_sn, max_cmd_sn;
    uint8_t event, vcode;
    be16 param1, param2, param3;
    be32 reserved44;
};

struct text_req_wire { /* 11.10 */
    uint8_t opcode, flags, reserved2[2], ahs_words;
    be24 data_bytes;
    be64 lun;
    be32 itt, ttt, cmd_sn, exp_stat_sn;
    uint8_t reserved32[16];
};

struct text_rsp_wire { /* 11.11 */
    uint8_t opcode, flags, reserved2[2], ahs_words;
    be24 data_bytes;
    be64 lun;
    be32 itt, ttt, stat_sn, exp_cmd_sn, max_cmd_sn;
    uint8_t reserved36[12];
};

struct login_req_wire { /* 11.12 */
    uint8_t opcode, flags, version_max, version_min, ahs_words;
    be24 data_bytes;
    uint8_t isid[ISID_BYTES];
    be16 tsih;
    be32 itt;
    be16 cid, reserved22;
    be32 cmd_sn, exp_stat_sn;
    uint8_t reserved32[16];
};

struct login_rsp_wire { /* 11.13 */
    uint8_t opcode, flags, version_max, version_active, ahs_words;
    be24 data_bytes;
    uint8_t isid[ISID_BYTES];
    be16 tsih;
    be32 itt, reserved20, stat_sn, exp_cmd_sn, max_cmd_sn;
    be16 status;
    uint8_t reserved38[10];
};

struct logout_req_wire { /* 11.14 */
    uint8_t opcode, reason, reserved2[2], ahs_words;
    be24 data_bytes;
    be64 reserved8;
    be32 itt;
    be16 cid, reserved22;
    be32 cmd_sn, exp_stat_sn;
    uint8_t reserved32[16];
};

struct logout_rsp_wire { /* 11.15 */
    uint8_t opcode, flags, response, reserved3, ahs_words;
    be24 data_bytes;
    be64 reserved8;
    be32 itt, reserved20, stat_sn, exp_cmd_sn, max_cmd_sn, reserved36;
    be16 time2wait_s, time2retain_s;
    be32 reserved44;
};

struct snack_req_wire { /* 11.16 */
    uint8_t opcode, type, reserved2[2], ahs_words;
    be24 data_bytes;
    be64 lun;
    be32 itt, ttt, reserved24, exp_stat_sn;
    be64 reserved32;
    be32 beg_run, run_length;
};

struct reject_wire { /* 11.17 */
    uint8_t opcode, flags, reason, reserved3, ahs_words;
    be24 data_bytes;
    be64 reserved8;
    be32 tag_none, reserved20, stat_sn, exp_cmd_sn, max_cmd_sn, data_sn;
    be64 reserved40;
};

struct nop_out_wire { /* 11.18 */
    uint8_t opcode, flags, reserved2[2], ahs_words;
    be24 data_bytes;
    be64 lun;
    be32 itt, ttt, cmd_sn, exp_stat_sn;
    uint8_t reserved32[16];
};

struct nop_in_wire { /* 11.19 */
    uint8_t opcode, flags, reserved2[2], ahs_words;
    be24 data_bytes;
    be64 lun;
    be32 itt, ttt, stat_sn, exp_cmd_sn, max_cmd_sn;
    uint8_t reserved36[12];
};

/* One basic header segment, whichever it is: what a connection reads into, writes from.
 */
union bhs {
    uint8_t bytes[BHS_BYTES];
    struct any_wire any;
    struct nop_out_wire nop_out;
    struct cmd_req_wire cmd_req;
    struct tmf_req_wire tmf_req;
    struct login_req_wire login_req;
    struct text_req_wire text_req;
    struct data_out_wire data_out;
    struct logout_req_wire logout_req;
    struct snack_req_wire snack_req;
    struct nop_in_wire nop_in;
    struct cmd_rsp_wire cmd_rsp;
    struct tmf_rsp_wire tmf_rsp;
    struct login_rsp_wire login_rsp;
    struct text_rsp_wire text_rsp;
    struct data_in_wire data_in;
    struct logout_rsp_wire logout_rsp;
    struct r2t_wire r2t;
    struct async_wire async;
    struct reject_wire reject;
};

static_assert(sizeof(union bhs) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct any_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct cmd_req_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct cmd_rsp_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct tmf_req_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct tmf_rsp_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct data_out_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct data_in_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct r2t_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct async_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct text_req_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct text_rsp_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct login_req_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct login_rsp_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct logout_req_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct logout_rsp_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct snack_req_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct reject_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct nop_out_wire) == BHS_BYTES, "one BHS");
static_assert(sizeof(struct nop_in_wire) == BHS_BYTES, "one BHS");
static_assert(offsetof(struct any_wire, cmd_or_stat_sn) == 24, "11.2.1");
static_assert(offsetof(struct cmd_req_wire, cdb) == 32, "11.3");
static_assert(offsetof(struct cmd_rsp_wire, status_qualifier) == 8, "RFC 7144");
static_assert(offsetof(struct cmd_rsp_wire, residual) == 44, "11.4");
static_assert(offsetof(struct tmf_req_wire, ref_cmd_sn) == 32, "11.5");
static_assert(offsetof(struct tmf_rsp_wire, info) == 8, "RFC 7144");
static_assert(offsetof(struct tmf_rsp_wire, stat_sn) == 24, "11.6");
static_assert(offsetof(struct data_out_wire, buffer_offset) == 40, "11.7");
static_assert(offsetof(struct data_in_wire, residual) == 44, "11.7");
static_assert(offsetof(struct r2t_wire, desired_bytes) == 44, "11.8");
static_assert(offsetof(struct async_wire, event) == 36, "11.9");
static_assert(offsetof(struct text_req_wire, exp_stat_sn) == 28, "11.10");
static_assert(offsetof(struct text_rsp_wire, stat_sn) == 24, "11.11");
static_assert(offsetof(struct login_req_wire, cmd_sn) == 24, "11.12");
static_assert(offsetof(struct login_rsp_wire, status) == 36, "11.13");
static_assert(offsetof(struct logout_req_wire, cid) == 20, "11.14");
static_assert(offsetof(struct logout_rsp_wire, time2wait_s) == 40, "11.15");
static_assert(offsetof(struct snack_req_wire, beg_run) == 40, "11.16");
static_assert(offsetof(struct reject_wire, data_sn) == 36, "11.17");
static_assert(offsetof(struct nop_out_wire, cmd_sn) == 24, "11.18");
static_assert(offsetof(struct nop_in_wire, stat_sn) == 24, "11.19");

/* ---- what is common to all ---- */

/* Serial number arithmetic of 32 bits (RFC 1982; RFC 7143, 4.2.2.1). */
static inline bool sn_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

/* Without the immediate bit. */
static inline uint8_t pdu_opcode(const union bhs *b)
{
    return b->any.opcode & OPCODE_MASK;
}

static inline bool pdu_is_immediate(const union bhs *b)
{
    return (b->any.opcode & OPCODE_IMM_BIT) != 0;
}

static inline size_t pdu_ahs_bytes(const union bhs *b)
{
    return (size_t)b->any.ahs_words * 4;
}

/* DataSegmentLength, without its padding. */
static inline size_t pdu_data_bytes(const union bhs *b)
{
    return be24_get(b->any.data_bytes);
}

/* A data segment's length with its padding to whole words. */
static inline size_t pdu_padded(size_t bytes)
{
    return (bytes + 3) & ~(size_t)3;
}

/* Of any initiator PDU. */
static inline uint32_t pdu_exp_stat_sn(const union bhs *b)
{
    return be32_get(b->any.exp_sn);
}

/* "SCSI Command" and so on, for a log line; "unknown" for what is none. */
const char *pdu_opcode_name(uint8_t opcode);
/* True of the requests that carry a CmdSN (all but Data-Out and SNACK). If such a PDU is
 * not immediate it takes its place in the command window. */
bool pdu_has_cmd_sn(const union bhs *b);
/* Of those. */
uint32_t pdu_cmd_sn(const union bhs *b);

/* What can be said of any PDU from an initiator before more of it is read: a request's
 * opcode, no AHS but on a SCSI command, no immediate bit where none may be, no data where
 * none may be. The typed decodes below check this again. Whether data_bytes is more than
 * was declared is for the connection to say. */
enum reject_reason pdu_check_request(const union bhs *b) MUST_CHECK;

/* As a target PDU is sent: writes ExpCmdSN and MaxCmdSN, writes *stat_sn where the PDU
 * has one and adds 1 to *stat_sn where the PDU uses it up. A Data-In without status has
 * none; a R2T and a NOP-In that is a ping of ours carry the next one without using it up.
 */
void pdu_stamp(union bhs *b, uint32_t *stat_sn, uint32_t exp_cmd_sn, uint32_t max_cmd_sn);

/* How far the transfer that the initiator expected and the one that the command asked for
 * differ: RFC 7143, 11.4.5. */
enum residual_kind { RESIDUAL_NONE, RESIDUAL_UNDERFLOW, RESIDUAL_OVERFLOW };
struct residual {
    enum residual_kind kind;
    uint32_t bytes;
};
/* expected: the initiator's; wanted: the command's own length, whatever of it moved. */
struct residual residual_of(uint32_t expected_bytes, uint64_t wanted_bytes);

/* ---- the requests ---- */

struct cmd_req {
    bool immediate, final, read, write;
    enum task_attr attr;
    uint64_t lun; /* as on the wire: lun.h reads it */
    uint32_t itt;
    uint32_t expected_bytes; /* of the one direction there is */
    uint32_t cmd_sn, exp_stat_sn;
    uint32_t data_bytes;            /* immediate data */
    uint8_t cdb[CMD_CDB_BYTES_MAX]; /* rest zeros */
    uint16_t cdb_bytes;             /* 16, or more with an AHS; may exceed what is kept */
};

struct tmf_req {
    bool immediate;
    uint8_t function; /* enum tmf_function, or one that we do not know */
    uint64_t lun;
    uint32_t itt, ref_itt, cmd_sn, exp_stat_sn, ref_cmd_sn, exp_data_sn;
};

enum tmf_function { /* 11.5.1 */
                    TMF_ABORT_TASK = 1,
                    TMF_ABORT_TASK_SET = 2,
                    TMF_CLEAR_ACA = 3,
                    TMF_CLEAR_TASK_SET = 4,
                    TMF_LU_RESET = 5,
                    TMF_TARGET_WARM_RESET = 6,
                    TMF_TARGET_COLD_RESET = 7,
                    TMF_TASK_REASSIGN = 8,
                    /* RFC 7144: from iSCSIProtocolLevel 2 on */
                    TMF_QUERY_TASK = 9,
                    TMF_QUERY_TASK_SET = 10,
                    TMF_I_T_NEXUS_RESET = 11,
                    TMF_QUERY_ASYNC_EVENT = 12,
};

struct data_out {
    bool final;
    uint64_t lun; /* of use with a ttt only */
    uint32_t itt, ttt, exp_stat_sn, data_sn, buffer_offset;
    uint32_t data_bytes;
};

enum login_stage { LOGIN_SECURITY = 0, LOGIN_OPERATIONAL = 1, LOGIN_FULL_FEATURE = 3 };

struct login_req {
    bool transit, more;        /* the T and C bits, never both */
    enum login_stage csg, nsg; /* nsg: csg without transit */
    uint8_t version_max, version_min;
    uint8_t isid[ISID_BYTES];
    uint16_t tsih, cid;
    uint32_t itt, cmd_sn, exp_stat_sn;
    uint32_t data_bytes;
};

struct text_req {
    bool immediate, final, more; /* the F and C bits, never both */
    uint64_t lun;
    uint32_t itt, ttt, cmd_sn, exp_stat_sn;
    uint32_t data_bytes;
};

enum logout_reason { /* 11.14.1 */
                     LOGOUT_SESSION = 0,
                     LOGOUT_CONNECTION = 1,
                     LOGOUT_RECOVERY = 2,
};

struct logout_req {
    bool immediate;
    enum logout_reason reason;
    uint16_t cid;
    uint32_t itt, cmd_sn, exp_stat_sn;
};

enum snack_type { /* 11.16.1 */
                  SNACK_DATA_OR_R2T = 0,
                  SNACK_STATUS = 1,
                  SNACK_DATA_ACK = 2,
                  SNACK_R_DATA = 3,
};

struct snack_req {
    enum snack_type type;
    uint64_t lun;
    uint32_t itt, ttt, exp_stat_sn, beg_run, run_length;
};

struct nop_out {
    bool immediate;
    uint64_t lun;
    uint32_t itt; /* PDU_TAG_NONE: wants no answer */
    uint32_t ttt; /* of the NOP-In that it answers, or PDU_TAG_NONE */
    uint32_t cmd_sn, exp_stat_sn;
    uint32_t data_bytes;
};

/* REJECT_NONE and *m, or the reason and *m undefined. Bidirectional commands are refused
 * as not supported: no command here is one. ahs: the ahs_bytes bytes that followed the
 * BHS. */
enum reject_reason cmd_req_decode(const struct cmd_req_wire *w, const uint8_t *ahs,
                                  size_t ahs_bytes, struct cmd_req *m) MUST_CHECK;
enum reject_reason tmf_req_decode(const struct tmf_req_wire *w,
                                  struct tmf_req *m) MUST_CHECK;
enum reject_reason data_out_decode(const struct data_out_wire *w,
                                   struct data_out *m) MUST_CHECK;
enum reject_reason login_req_decode(const struct login_req_wire *w,
                                    struct login_req *m) MUST_CHECK;
enum reject_reason text_req_decode(const struct text_req_wire *w,
                                   struct text_req *m) MUST_CHECK;
enum reject_reason logout_req_decode(const struct logout_req_wire *w,
                                     struct logout_req *m) MUST_CHECK;
enum reject_reason snack_req_decode(const struct snack_req_wire *w,
                                    struct snack_req *m) MUST_CHECK;
enum reject_reason nop_out_decode(const struct nop_out_wire *w,
                                  struct nop_out *m) MUST_CHECK;

/* For test initiators. cdb_bytes of at most 16. */
void cmd_req_encode(const struct cmd_req *m, struct cmd_req_wire *w);
void tmf_req_encode(const struct tmf_req *m, struct tmf_req_wire *w);
void data_out_encode(const struct data_out *m, struct data_out_wire *w);
void login_req_encode(const struct login_req *m, struct login_req_wire *w);
void text_req_encode(const struct text_req *m, struct text_req_wire *w);
void logout_req_encode(const struct logout_req *m, struct logout_req_wire *w);
void snack_req_encode(const struct snack_req *m, struct snack_req_wire *w);
void nop_out_encode(const struct nop_out *m, struct nop_out_wire *w);

/* ---- the answers. Sequence numbers are not encoded: pdu_stamp() ---- */

enum cmd_response { CMD_COMPLETED = 0, CMD_TARGET_FAILURE = 1 }; /* 11.4.3 */

struct cmd_rsp {
    enum cmd_response response;
    uint8_t status;            /* enum sam_status, if completed */
    uint16_t status_qualifier; /* SAM-5, 5.3.2; 0 below iSCSIProtocolLevel 2 */
    uint32_t itt;
    uint32_t exp_data_sn; /* how many Data-In PDUs and R2Ts the command had */
    struct residual residual;
    uint32_t data_bytes; /* of the sense segment: sense_segment_encode() */
};

enum tmf_response { /* 11.6.1 */
                    TMF_COMPLETE = 0,
                    TMF_NO_TASK = 1,
                    TMF_NO_LUN = 2,
                    TMF_STILL_ALLEGIANT = 3,
                    TMF_NO_REASSIGN = 4,
                    TMF_NOT_SUPPORTED = 5,
                    TMF_NOT_AUTHORIZED = 6,
                    TMF_SUCCEEDED = 7, /* RFC 7144: of a query: yes */
                    TMF_REJECTED = 255,
};

struct tmf_rsp {
    enum tmf_response response;
    uint32_t itt;
    uint32_t info; /* 24 bits; 0 below iSCSIProtocolLevel 2 */
};

struct data_in {
    bool final;      /* last of its sequence */
    bool has_status; /* the command's last PDU; its status is good. final is set */
    uint8_t status;  /* with has_status; SAM_GOOD or SAM_CONDITION_MET */
    uint64_t lun;    /* with a ttt only */
    uint32_t itt;
    uint32_t ttt; /* PDU_TAG_NONE at error recovery level 0 */
    uint32_t data_sn, buffer_offset;
    struct residual residual; /* with has_status */
    uint32_t data_bytes;
};

struct r2t {
    uint64_t lun; /* the command's */
    uint32_t itt, ttt, r2t_sn, buffer_offset, desired_bytes;
};

enum login_status { /* 11.13.5: class, detail */
                    LOGIN_SUCCESS = 0x0000,
                    LOGIN_MOVED_TEMPORARILY = 0x0101,
                    LOGIN_MOVED_PERMANENTLY = 0x0102,
                    LOGIN_INITIATOR_ERROR = 0x0200,
                    LOGIN_AUTH_FAILED = 0x0201,
                    LOGIN_FORBIDDEN = 0x0202,
                    LOGIN_NOT_FOUND = 0x0203,
                    LOGIN_TARGET_REMOVED = 0x0204,
                    LOGIN_UNSUPPORTED_VERSION = 0x0205,
                    LOGIN_TOO_MANY_CONNECTIONS = 0x0206,
                    LOGIN_MISSING_PARAMETER = 0x0207,
                    LOGIN_CANNOT_INCLUDE = 0x0208,
                    LOGIN_SESSION_TYPE = 0x0209,
                    LOGIN_NO_SUCH_SESSION = 0x020a,
                    LOGIN_INVALID_REQUEST = 0x020b,
                    LOGIN_TARGET_ERROR = 0x0300,
                    LOGIN_UNAVAILABLE = 0x0301,
                    LOGIN_OUT_OF_RESOURCES = 0x0302,
};

struct login_rsp {
    bool transit, more;
    enum login_stage csg, nsg; /* nsg: with transit */
    uint8_t version_max, version_active;
    uint8_t isid[ISID_BYTES];
    uint16_t tsih;
    uint32_t itt;
    enum login_status status;
    uint32_t data_bytes;
};

struct text_rsp {
    bool final, more;
    uint64_t lun;
    uint32_t itt, ttt; /* ttt: PDU_TAG_NONE in the final one */
    uint32_t data_bytes;
};

enum logout_response { /* 11.15.1 */
                       LOGOUT_CLOSED = 0,
                       LOGOUT_NO_CID = 1,
                       LOGOUT_NO_RECOVERY = 2,
                       LOGOUT_CLEANUP_FAILED = 3,
};

struct logout_rsp {
    enum logout_response response;
    uint32_t itt;
    uint16_t time2wait_s, time2retain_s;
};

struct nop_in {
    uint64_t lun;
    uint32_t itt; /* of the NOP-Out that it answers, or PDU_TAG_NONE */
    uint32_t ttt; /* ours, if it wants an answer; else PDU_TAG_NONE */
    uint32_t data_bytes;
};

enum async_event {                  /* 11.9.1 */
                   ASYNC_SENSE = 0, /* data: a sense segment */
                   ASYNC_LOGOUT_REQUEST = 1,
                   ASYNC_DROP_CONNECTION = 2,
                   ASYNC_DROP_SESSION = 3,
                   ASYNC_NEGOTIATE = 4,
                   ASYNC_TASKS_TERMINATED = 5,
                   ASYNC_VENDOR = 255,
};

struct async_msg {
    enum async_event event;
    uint8_t vcode;
    uint16_t param1, param2, param3;
    uint64_t lun; /* of ASYNC_SENSE */
    uint32_t data_bytes;
};

/* Its data segment is the rejected PDU's 48 bytes. */
struct reject {
    enum reject_reason reason;
    uint32_t data_sn;    /* of a rejected SNACK for data; else 0 */
    uint32_t data_bytes; /* BHS_BYTES */
};

void cmd_rsp_encode(const struct cmd_rsp *m, struct cmd_rsp_wire *w);
void tmf_rsp_encode(const struct tmf_rsp *m, struct tmf_rsp_wire *w);
void data_in_encode(const struct data_in *m, struct data_in_wire *w);
void r2t_encode(const struct r2t *m, struct r2t_wire *w);
void login_rsp_encode(const struct login_rsp *m, struct login_rsp_wire *w);
void text_rsp_encode(const struct text_rsp *m, struct text_rsp_wire *w);
void logout_rsp_encode(const struct logout_rsp *m, struct logout_rsp_wire *w);
void nop_in_encode(const struct nop_in *m, struct nop_in_wire *w);
void async_msg_encode(const struct async_msg *m, struct async_wire *w);
void reject_encode(const struct reject *m, struct reject_wire *w);

/* For test initiators: 0, or -EPROTO and *m undefined. */
int cmd_rsp_decode(const struct cmd_rsp_wire *w, struct cmd_rsp *m) MUST_CHECK;
int tmf_rsp_decode(const struct tmf_rsp_wire *w, struct tmf_rsp *m) MUST_CHECK;
int data_in_decode(const struct data_in_wire *w, struct data_in *m) MUST_CHECK;
int r2t_decode(const struct r2t_wire *w, struct r2t *m) MUST_CHECK;
int login_rsp_decode(const struct login_rsp_wire *w, struct login_rsp *m) MUST_CHECK;
int text_rsp_decode(const struct text_rsp_wire *w, struct text_rsp *m) MUST_CHECK;
int logout_rsp_decode(const struct logout_rsp_wire *w, struct logout_rsp *m) MUST_CHECK;
int nop_in_decode(const struct nop_in_wire *w, struct nop_in *m) MUST_CHECK;
int async_msg_decode(const struct async_wire *w, struct async_msg *m) MUST_CHECK;
int reject_decode(const struct reject_wire *w, struct reject *m) MUST_CHECK;

#endif
