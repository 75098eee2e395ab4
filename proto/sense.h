/* SPDX-License-Identifier: Apache-2.0 */
/* Sense data (SPC-5, 4.5): why a command failed, as a value and as bytes, fixed and
 * descriptor format. Pure; any thread. */
#ifndef PROTO_SENSE_H
#define PROTO_SENSE_H

#include "base/auto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sense_key {
    SENSE_KEY_NO_SENSE = 0x0,
    SENSE_KEY_RECOVERED = 0x1,
    SENSE_KEY_NOT_READY = 0x2,
    SENSE_KEY_MEDIUM_ERROR = 0x3,
    SENSE_KEY_HARDWARE_ERROR = 0x4,
    SENSE_KEY_ILLEGAL_REQUEST = 0x5,
    SENSE_KEY_UNIT_ATTENTION = 0x6,
    SENSE_KEY_DATA_PROTECT = 0x7,
    SENSE_KEY_COPY_ABORTED = 0xa,
    SENSE_KEY_ABORTED = 0xb,
    SENSE_KEY_MISCOMPARE = 0xe,
};

/* Key, additional sense code and its qualifier in one number: 0xKKAAQQ. */
enum sense_code {
    SENSE_NONE = 0x000000,
    SENSE_NOT_READY_CAUSE_UNKNOWN = 0x020400,
    SENSE_NOT_READY_BECOMING = 0x020401,
    SENSE_ACCESS_TRANSITION = 0x02040a,
    SENSE_PORT_IN_STANDBY = 0x02040b,
    SENSE_PORT_UNAVAILABLE = 0x02040c,
    SENSE_SANITIZE_IN_PROGRESS = 0x02041b,
    SENSE_WRITE_ERROR = 0x030c00,
    SENSE_READ_ERROR = 0x031100, /* unrecovered */
    SENSE_SANITIZE_FAILED = 0x033103,
    SENSE_INTERNAL_FAILURE = 0x044400,
    SENSE_OPERATION_IN_PROGRESS = 0x050016,
    SENSE_INVALID_IU_FIELD = 0x050e03,  /* in the command information unit */
    SENSE_COPY_UNDERRUN_ALL = 0x050d04, /* nothing was transferred */
    SENSE_PARAM_LIST_LENGTH = 0x051a00,
    SENSE_INVALID_OPCODE = 0x052000,
    SENSE_LBA_RANGE = 0x052100,
    SENSE_TOKEN_TYPE = 0x052301, /* INVALID TOKEN OPERATION, all of these */
    SENSE_TOKEN_REMOTE = 0x052302,
    SENSE_TOKEN_UNKNOWN = 0x052304,
    SENSE_TOKEN_CORRUPT = 0x052305,
    SENSE_TOKEN_REVOKED = 0x052306,
    SENSE_TOKEN_EXPIRED = 0x052307,
    SENSE_TOKEN_CANCELLED = 0x052308,
    SENSE_TOKEN_DELETED = 0x052309,
    SENSE_TOKEN_LENGTH = 0x05230a,
    SENSE_INVALID_CDB_FIELD = 0x052400,
    SENSE_LUN_NOT_SUPPORTED = 0x052500,
    SENSE_INVALID_PARAM_FIELD = 0x052600,
    SENSE_INVALID_RELEASE = 0x052604, /* of a persistent reservation */
    SENSE_TOO_MANY_CSCDS = 0x052606,  /* target descriptors */
    SENSE_CSCD_TYPE = 0x052607,
    SENSE_TOO_MANY_SEGMENTS = 0x052608,
    SENSE_SEGMENT_TYPE = 0x052609,
    SENSE_INLINE_LENGTH = 0x05260b,
    SENSE_COMMAND_SEQUENCE = 0x052c00,
    SENSE_INVALID_MESSAGE = 0x054900,
    SENSE_NO_REGISTRATION_RESOURCES = 0x055504, /* for one more registration */
    SENSE_ROD_RESOURCES = 0x05550c,
    SENSE_MEDIUM_CHANGED = 0x062800, /* not ready to ready: it may have changed */
    SENSE_POWER_ON = 0x062900,       /* power on, reset or bus device reset */
    SENSE_LU_RESET = 0x062903,       /* bus device reset function occurred */
    SENSE_NEXUS_LOSS = 0x062907,
    SENSE_MODE_CHANGED = 0x062a01,
    SENSE_RESERVATIONS_PREEMPTED = 0x062a03,
    SENSE_RESERVATIONS_RELEASED = 0x062a04,
    SENSE_REGISTRATIONS_PREEMPTED = 0x062a05,
    SENSE_ACCESS_CHANGED = 0x062a06, /* the asymmetric access state */
    SENSE_CAPACITY_CHANGED = 0x062a09,
    SENSE_TASKS_CLEARED = 0x062f00,     /* by another initiator */
    SENSE_THRESHOLD_REACHED = 0x063807, /* thin provisioning, soft */
    SENSE_INQUIRY_CHANGED = 0x063f03,
    SENSE_LUNS_CHANGED = 0x063f0e,
    SENSE_WRITE_PROTECTED = 0x072700,
    SENSE_NO_SPACE = 0x072707, /* space allocation failed, write protect */
    SENSE_COPY_ABORTED = 0x0a0000,
    SENSE_COPY_UNREACHABLE = 0x0a0804,   /* such a unit is not in the list */
    SENSE_COPY_UNIT_FAILED = 0x0a0d01,   /* third party device failure */
    SENSE_COPY_NOT_REACHABLE = 0x0a0d02, /* there is no such unit */
    SENSE_COPY_WRONG_TYPE = 0x0a0d03,    /* it is another than was told */
    SENSE_COPY_INEXACT = 0x0a260a,       /* no whole blocks */
    SENSE_COPY_RESOURCES = 0x0a5503,
    SENSE_COPY_UNDERRUN = 0x0a0d04, /* of the copy target's data */
    SENSE_UNEXPECTED_UNSOLICITED = 0x0b0c0c,
    SENSE_NOT_ENOUGH_UNSOLICITED = 0x0b0c0d,
    SENSE_DATA_CRC = 0x0b4705, /* protocol service CRC error */
    SENSE_SNACK_REJECT = 0x0b1113,
    SENSE_DATA_PHASE = 0x0b4b00,
    SENSE_MISCOMPARE = 0x0e1d00,
};

struct sense {
    enum sense_code code;
    bool has_info;
    uint64_t info;  /* an LBA, or where data first differed */
    bool has_field; /* which byte, of the CDB or of the parameter list */
    bool field_in_cdb;
    uint16_t field_byte;
    bool field_has_bit;
    uint8_t field_bit; /* the leftmost bit of the field */
    bool has_progress; /* of NOT READY: SPC-5, 4.5.2.4.6 */
    uint16_t progress; /* of 65536 */
    /* Of COPY ABORTED: the segment descriptor that was in process (SPC-4, 5.17.7), and
     * whether field_byte counts from its beginning, not the list's. */
    bool has_segment, field_in_segment;
    uint16_t segment;
    /* With it, what a unit would have answered to the copy's own read or write, a status
     * that is not GOOD and its code; 0: nothing is told. */
    uint8_t unit_status;
    bool unit_is_target;
    enum sense_code unit_code;
};

#define SENSE_FIXED_BYTES 18
#define SENSE_BYTES_MAX   44
#define SENSE_SEGMENT_MAX (2 + SENSE_BYTES_MAX)
#define SENSE_NO_BIT      (-1)

/* These fill *s and return -EINVAL, so that a decode can `return sense_set(...)`. */
int sense_set(struct sense *s, enum sense_code code);
int sense_set_info(struct sense *s, enum sense_code code, uint64_t info);
/* INVALID FIELD IN CDB, in PARAMETER LIST, naming the field. bit: 7..0 or SENSE_NO_BIT.
 */
int sense_set_cdb(struct sense *s, unsigned byte, int bit);
int sense_set_param(struct sense *s, unsigned byte, int bit);
/* A code of NOT READY, with how much of what it waits for is done, of 65536. */
int sense_set_progress(struct sense *s, enum sense_code code, uint16_t progress);

/* A code of COPY ABORTED: in that segment descriptor, at that byte of it; of a unit that
 * answered so. */
int sense_set_segment(struct sense *s, enum sense_code code, uint16_t segment);
int sense_set_segment_field(struct sense *s, enum sense_code code, uint16_t segment,
                            unsigned byte);
int sense_set_segment_unit(struct sense *s, uint16_t segment, bool is_target,
                           enum sense_code unit_code);
/* The unit answered RESERVATION CONFLICT. */
int sense_set_segment_conflict(struct sense *s, uint16_t segment, bool is_target);

static inline enum sense_key sense_key_of(const struct sense *s)
{
    return (enum sense_key)(s->code >> 16);
}

/* Sense bytes; returns how many. descriptor: the control mode page's D_SENSE, or REQUEST
 * SENSE's DESC. An information of more than 32 bits does not fit the fixed format and is
 * left out of it. */
size_t sense_encode(const struct sense *s, bool descriptor, uint8_t out[SENSE_BYTES_MAX]);
/* The data segment of a SCSI Response: SenseLength, then the sense (RFC 7143, 11.4.7). */
size_t sense_segment_encode(const struct sense *s, bool descriptor,
                            uint8_t out[SENSE_SEGMENT_MAX]);
/* Either format. 0, or -EBADMSG. */
int sense_decode(const uint8_t *data, size_t bytes, struct sense *s) MUST_CHECK;
/* Of the data segment of a SCSI Response. 0, or -EBADMSG. */
int sense_segment_decode(const uint8_t *data, size_t bytes, struct sense *s) MUST_CHECK;
/* "INVALID FIELD IN CDB" and so on, for a log line. */
const char *sense_name(enum sense_code code);

#endif
