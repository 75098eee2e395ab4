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
    SENSE_KEY_ABORTED = 0xb,
    SENSE_KEY_MISCOMPARE = 0xe,
};

/* Key, additional sense code and its qualifier in one number: 0xKKAAQQ. */
enum sense_code {
    SENSE_NONE = 0x000000,
    SENSE_NOT_READY_CAUSE_UNKNOWN = 0x020400,
    SENSE_NOT_READY_BECOMING = 0x020401,
    SENSE_SANITIZE_IN_PROGRESS = 0x02041b,
    SENSE_WRITE_ERROR = 0x030c00,
    SENSE_READ_ERROR = 0x031100, /* unrecovered */
    SENSE_SANITIZE_FAILED = 0x033103,
    SENSE_INTERNAL_FAILURE = 0x044400,
    SENSE_INVALID_IU_FIELD = 0x050e03, /* in the command information unit */
    SENSE_PARAM_LIST_LENGTH = 0x051a00,
    SENSE_INVALID_OPCODE = 0x052000,
    SENSE_LBA_RANGE = 0x052100,
    SENSE_INVALID_CDB_FIELD = 0x052400,
    SENSE_LUN_NOT_SUPPORTED = 0x052500,
    SENSE_INVALID_PARAM_FIELD = 0x052600,
    SENSE_COMMAND_SEQUENCE = 0x052c00,
    SENSE_INVALID_MESSAGE = 0x054900,
    SENSE_MEDIUM_CHANGED = 0x062800, /* not ready to ready: it may have changed */
    SENSE_POWER_ON = 0x062900,       /* power on, reset or bus device reset */
    SENSE_LU_RESET = 0x062903,       /* bus device reset function occurred */
    SENSE_NEXUS_LOSS = 0x062907,
    SENSE_MODE_CHANGED = 0x062a01,
    SENSE_CAPACITY_CHANGED = 0x062a09,
    SENSE_TASKS_CLEARED = 0x062f00,     /* by another initiator */
    SENSE_THRESHOLD_REACHED = 0x063807, /* thin provisioning, soft */
    SENSE_INQUIRY_CHANGED = 0x063f03,
    SENSE_LUNS_CHANGED = 0x063f0e,
    SENSE_WRITE_PROTECTED = 0x072700,
    SENSE_NO_SPACE = 0x072707, /* space allocation failed, write protect */
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
};

#define SENSE_FIXED_BYTES 18
#define SENSE_BYTES_MAX   32
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
