/* SPDX-License-Identifier: Apache-2.0 */
/* Sense data as bytes: SPC-5, 4.5. Pure; any thread. */
#include "proto/sense.h"

#include "base/be.h"
#include "base/wire.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define FORMAT_FIXED         0x70
#define FORMAT_DESCRIPTOR    0x72
#define FORMAT_MASK          0x7f
#define FIXED_VALID          0x80
#define KEY_MASK             0x0f
#define SKS_VALID            0x80
#define SKS_IN_CDB           0x40
#define SKS_IN_SEGMENT       0x20
#define SKS_BIT_VALID        0x08
#define SKS_BIT_MASK         0x07
#define DESC_INFO            0x00
#define DESC_INFO_BYTES      10
#define DESC_COMMAND         0x01
#define DESC_SKS             0x02
#define DESC_SKS_BYTES       6
#define DESC_FORWARDED       0x0c
#define FROM_SOURCE          0x01 /* of forwarded sense data: SPC-5, 4.5.2.9 */
#define FROM_TARGET          0x02
#define STATUS_CHECK         0x02
#define STATUS_CONFLICT      0x18 /* RESERVATION CONFLICT */
#define DESC_HEADER_BYTES    8
#define FIXED_CODES_END      14 /* what must be there to read the ASC and ASCQ */
#define FIXED_COMMAND_OFFSET 8  /* information of the command's own */
#define FIXED_SKS_OFFSET     15

int sense_set(struct sense *s, enum sense_code code)
{
    *s = (struct sense){.code = code};
    return -EINVAL;
}

int sense_set_info(struct sense *s, enum sense_code code, uint64_t info)
{
    *s = (struct sense){.code = code, .has_info = true, .info = info};
    return -EINVAL;
}

static int set_field(struct sense *s, enum sense_code code, unsigned byte, int bit)
{
    assert(byte <= UINT16_MAX && bit >= SENSE_NO_BIT && bit <= 7);
    *s = (struct sense){
        .code = code,
        .has_field = true,
        .field_in_cdb = code == SENSE_INVALID_CDB_FIELD,
        .field_byte = (uint16_t)byte,
        .field_has_bit = bit != SENSE_NO_BIT,
        .field_bit = bit == SENSE_NO_BIT ? 0 : (uint8_t)bit,
    };
    return -EINVAL;
}

int sense_set_cdb(struct sense *s, unsigned byte, int bit)
{
    return set_field(s, SENSE_INVALID_CDB_FIELD, byte, bit);
}

int sense_set_param(struct sense *s, unsigned byte, int bit)
{
    return set_field(s, SENSE_INVALID_PARAM_FIELD, byte, bit);
}

int sense_set_progress(struct sense *s, enum sense_code code, uint16_t progress)
{
    *s = (struct sense){.code = code, .has_progress = true, .progress = progress};
    assert(sense_key_of(s) == SENSE_KEY_NOT_READY);
    return -EINVAL;
}

int sense_set_segment(struct sense *s, enum sense_code code, uint16_t segment)
{
    *s = (struct sense){.code = code, .has_segment = true, .segment = segment};
    assert(sense_key_of(s) == SENSE_KEY_COPY_ABORTED);
    return -EINVAL;
}

int sense_set_segment_field(struct sense *s, enum sense_code code, uint16_t segment,
                            unsigned byte)
{
    sense_set_segment(s, code, segment);
    assert(byte <= UINT16_MAX);
    s->has_field = true;
    s->field_in_segment = true;
    s->field_byte = (uint16_t)byte;
    return -EINVAL;
}

int sense_set_segment_unit(struct sense *s, uint16_t segment, bool is_target,
                           enum sense_code unit_code)
{
    sense_set_segment(s, SENSE_COPY_UNIT_FAILED, segment);
    s->unit_status = STATUS_CHECK;
    s->unit_is_target = is_target;
    s->unit_code = unit_code;
    return -EINVAL;
}

int sense_set_segment_conflict(struct sense *s, uint16_t segment, bool is_target)
{
    sense_set_segment(s, SENSE_COPY_UNIT_FAILED, segment);
    s->unit_status = STATUS_CONFLICT;
    s->unit_is_target = is_target;
    return -EINVAL;
}

static uint8_t asc_of(const struct sense *s)
{
    return (uint8_t)((unsigned)s->code >> 8);
}

static uint8_t ascq_of(const struct sense *s)
{
    return (uint8_t)s->code;
}

static bool has_sks(const struct sense *s)
{
    return s->has_field || s->has_progress;
}

/* The three sense-key specific bytes: of a progress indication, or of a field pointer. */
static void put_sks(struct wire *w, const struct sense *s)
{
    if (s->has_progress) {
        wire_put_u8(w, SKS_VALID);
        wire_put_be16(w, s->progress);
        return;
    }
    unsigned flags = SKS_VALID | (s->field_in_cdb ? SKS_IN_CDB : 0u) |
                     (s->field_in_segment ? SKS_IN_SEGMENT : 0u) |
                     (s->field_has_bit ? SKS_BIT_VALID | s->field_bit : 0u);
    wire_put_u8(w, s->has_field ? (uint8_t)flags : 0);
    wire_put_be16(w, s->has_field ? s->field_byte : 0);
}

/* The status and the sense that a unit gave to a copy lie behind the copy's own. The
 * command-specific information tells where, the source's or the target's, and the
 * segment. */
static void put_segment(struct wire *w, const struct sense *s)
{
    bool forwards = s->unit_status != 0;
    wire_put_u8(w, forwards && !s->unit_is_target ? SENSE_FIXED_BYTES : 0);
    wire_put_u8(w, forwards && s->unit_is_target ? SENSE_FIXED_BYTES : 0);
    wire_put_be16(w, s->segment);
}

static size_t unit_sense_encode(const struct sense *s, bool descriptor,
                                uint8_t out[SENSE_BYTES_MAX])
{
    const struct sense of_unit = {.code = s->unit_code};
    return s->unit_code == SENSE_NONE ? 0 : sense_encode(&of_unit, descriptor, out);
}

static void encode_fixed(const struct sense *s, struct wire *w)
{
    bool told = s->has_info && s->info <= UINT32_MAX;
    uint8_t of_unit[SENSE_BYTES_MAX];
    size_t of_unit_bytes = unit_sense_encode(s, false, of_unit);
    size_t more = s->unit_status != 0 ? 1 + of_unit_bytes : 0;
    wire_put_u8(w, told ? FORMAT_FIXED | FIXED_VALID : FORMAT_FIXED);
    wire_put_u8(w, 0);
    wire_put_u8(w, (uint8_t)sense_key_of(s));
    wire_put_be32(w, told ? (uint32_t)s->info : 0);
    wire_put_u8(w, (uint8_t)(SENSE_FIXED_BYTES - 8 + more));
    put_segment(w, s);
    wire_put_u8(w, asc_of(s));
    wire_put_u8(w, ascq_of(s));
    wire_put_u8(w, 0);
    put_sks(w, s);
    if (more > 0) {
        wire_put_u8(w, s->unit_status);
        wire_put_bytes(w, of_unit, of_unit_bytes);
    }
}

static void put_info_descriptor(struct wire *w, const struct sense *s)
{
    wire_put_u8(w, DESC_INFO);
    wire_put_u8(w, DESC_INFO_BYTES);
    wire_put_u8(w, FIXED_VALID);
    wire_put_u8(w, 0);
    wire_put_be64(w, s->info);
}

/* The segment is the third and fourth byte of the information. */
static void put_segment_descriptor(struct wire *w, const struct sense *s)
{
    wire_put_u8(w, DESC_COMMAND);
    wire_put_u8(w, DESC_INFO_BYTES);
    wire_put_zeros(w, 4);
    wire_put_be16(w, s->segment);
    wire_put_zeros(w, 4);
}

static void put_sks_descriptor(struct wire *w, const struct sense *s)
{
    wire_put_u8(w, DESC_SKS);
    wire_put_u8(w, DESC_SKS_BYTES);
    wire_put_zeros(w, 2);
    put_sks(w, s);
    wire_put_u8(w, 0);
}

static void put_forwarded_descriptor(struct wire *w, const struct sense *s)
{
    uint8_t of_unit[SENSE_BYTES_MAX];
    size_t bytes = unit_sense_encode(s, true, of_unit);
    wire_put_u8(w, DESC_FORWARDED);
    wire_put_u8(w, (uint8_t)(2 + bytes));
    wire_put_u8(w, s->unit_is_target ? FROM_TARGET : FROM_SOURCE);
    wire_put_u8(w, s->unit_status);
    wire_put_bytes(w, of_unit, bytes);
}

static void encode_descriptors(const struct sense *s, struct wire *w)
{
    wire_put_u8(w, FORMAT_DESCRIPTOR);
    wire_put_u8(w, (uint8_t)sense_key_of(s));
    wire_put_u8(w, asc_of(s));
    wire_put_u8(w, ascq_of(s));
    wire_put_zeros(w, 3);
    wire_put_u8(w, 0);
    if (s->has_info)
        put_info_descriptor(w, s);
    if (s->has_segment)
        put_segment_descriptor(w, s);
    if (has_sks(s))
        put_sks_descriptor(w, s);
    if (s->unit_status != 0)
        put_forwarded_descriptor(w, s);
    wire_patch_u8(w, DESC_HEADER_BYTES - 1, (uint8_t)(w->at - DESC_HEADER_BYTES));
}

size_t sense_encode(const struct sense *s, bool descriptor, uint8_t out[SENSE_BYTES_MAX])
{
    struct wire w;
    wire_init(&w, out, SENSE_BYTES_MAX);
    if (descriptor)
        encode_descriptors(s, &w);
    else
        encode_fixed(s, &w);
    assert(wire_rc(&w) == 0);
    return wire_stored(&w);
}

size_t sense_segment_encode(const struct sense *s, bool descriptor,
                            uint8_t out[SENSE_SEGMENT_MAX])
{
    size_t bytes = sense_encode(s, descriptor, out + 2);
    be16_store(out, (uint16_t)bytes);
    return 2 + bytes;
}

/* sks: three bytes. */
static void decode_sks(const uint8_t *sks, struct sense *s)
{
    if ((sks[0] & SKS_VALID) == 0)
        return;
    if (sense_key_of(s) == SENSE_KEY_NOT_READY) {
        s->has_progress = true;
        s->progress = be16_load(sks + 1);
    }
    /* Other keys have other things here: retries. */
    if (sense_key_of(s) != SENSE_KEY_ILLEGAL_REQUEST &&
        sense_key_of(s) != SENSE_KEY_COPY_ABORTED)
        return;
    s->has_field = true;
    s->field_in_cdb = (sks[0] & SKS_IN_CDB) != 0;
    s->field_in_segment = (sks[0] & SKS_IN_SEGMENT) != 0;
    s->field_has_bit = (sks[0] & SKS_BIT_VALID) != 0;
    s->field_bit = s->field_has_bit ? sks[0] & SKS_BIT_MASK : 0;
    s->field_byte = be16_load(sks + 1);
}

static enum sense_code code_of(uint8_t key, uint8_t asc, uint8_t ascq)
{
    return (enum sense_code)((key & KEY_MASK) << 16 | asc << 8 | ascq);
}

static void decode_unit(const uint8_t *data, size_t bytes, struct sense *s)
{
    const uint8_t *command = data + FIXED_COMMAND_OFFSET;
    size_t at = command[1] != 0 ? command[1] : command[0];
    s->has_segment = true;
    s->segment = be16_load(command + 2);
    if (at < SENSE_FIXED_BYTES || at >= bytes)
        return;
    s->unit_is_target = command[1] != 0;
    s->unit_status = data[at];
    const uint8_t *of_unit = data + at + 1;
    if (bytes - at - 1 >= FIXED_CODES_END)
        s->unit_code = code_of(of_unit[2], of_unit[12], of_unit[13]);
}

static int decode_fixed(const uint8_t *data, size_t bytes, struct sense *s)
{
    if (bytes < FIXED_CODES_END)
        return -EBADMSG;
    s->code = code_of(data[2], data[12], data[13]);
    s->has_info = (data[0] & FIXED_VALID) != 0;
    s->info = s->has_info ? be32_load(data + 3) : 0;
    if (bytes >= SENSE_FIXED_BYTES)
        decode_sks(data + FIXED_SKS_OFFSET, s);
    if (sense_key_of(s) == SENSE_KEY_COPY_ABORTED)
        decode_unit(data, bytes, s);
    return 0;
}

static void decode_copy_descriptor(uint8_t type, const uint8_t *body, size_t bytes,
                                   struct sense *s)
{
    if (type == DESC_COMMAND && bytes == DESC_INFO_BYTES) {
        s->has_segment = true;
        s->segment = be16_load(body + 4);
    } else if (type == DESC_FORWARDED && bytes >= 2) {
        s->unit_is_target = body[0] == FROM_TARGET;
        s->unit_status = body[1];
        if (bytes - 2 >= DESC_HEADER_BYTES)
            s->unit_code = code_of(body[3], body[4], body[5]);
    }
}

static int decode_descriptors(const uint8_t *data, size_t bytes, struct sense *s)
{
    if (bytes < DESC_HEADER_BYTES)
        return -EBADMSG;
    s->code = code_of(data[1], data[2], data[3]);
    size_t told = DESC_HEADER_BYTES + (size_t)data[7];
    struct wire_in r;
    wire_in_init(&r, data, told < bytes ? told : bytes);
    wire_skip(&r, DESC_HEADER_BYTES);
    while (wire_in_left(&r) > 0) {
        uint8_t type = wire_take_u8(&r);
        uint8_t length = wire_take_u8(&r);
        const uint8_t *body = wire_take_bytes(&r, length);
        if (body == NULL)
            return -EBADMSG;
        if (type == DESC_INFO && length == DESC_INFO_BYTES) {
            s->has_info = (body[0] & FIXED_VALID) != 0;
            s->info = s->has_info ? be64_load(body + 2) : 0;
        } else if (type == DESC_SKS && length == DESC_SKS_BYTES) {
            decode_sks(body + 2, s);
        } else if (sense_key_of(s) == SENSE_KEY_COPY_ABORTED) {
            decode_copy_descriptor(type, body, length, s);
        }
    }
    return 0;
}

int sense_decode(const uint8_t *data, size_t bytes, struct sense *s)
{
    *s = (struct sense){.code = SENSE_NONE};
    if (bytes == 0)
        return -EBADMSG;
    switch (data[0] & FORMAT_MASK) {
    case FORMAT_FIXED:
        return decode_fixed(data, bytes, s);
    case FORMAT_DESCRIPTOR:
        return decode_descriptors(data, bytes, s);
    default:
        return -EBADMSG;
    }
}

int sense_segment_decode(const uint8_t *data, size_t bytes, struct sense *s)
{
    struct wire_in r;
    wire_in_init(&r, data, bytes);
    size_t sense_bytes = wire_take_be16(&r);
    const uint8_t *sense = wire_take_bytes(&r, sense_bytes);
    return sense == NULL ? -EBADMSG : sense_decode(sense, sense_bytes, s);
}

static const struct {
    enum sense_code code;
    const char *name;
} names[] = {
    {SENSE_NONE, "NO ADDITIONAL SENSE INFORMATION"},
    {SENSE_NOT_READY_CAUSE_UNKNOWN, "LOGICAL UNIT NOT READY, CAUSE NOT REPORTABLE"},
    {SENSE_NOT_READY_BECOMING, "LOGICAL UNIT IS IN PROCESS OF BECOMING READY"},
    {SENSE_ACCESS_TRANSITION,
     "LOGICAL UNIT NOT ACCESSIBLE, ASYMMETRIC ACCESS STATE TRANSITION"},
    {SENSE_PORT_IN_STANDBY, "LOGICAL UNIT NOT ACCESSIBLE, TARGET PORT IN STANDBY STATE"},
    {SENSE_PORT_UNAVAILABLE,
     "LOGICAL UNIT NOT ACCESSIBLE, TARGET PORT IN UNAVAILABLE STATE"},
    {SENSE_SANITIZE_IN_PROGRESS, "LOGICAL UNIT NOT READY, SANITIZE IN PROGRESS"},
    {SENSE_WRITE_ERROR, "WRITE ERROR"},
    {SENSE_READ_ERROR, "UNRECOVERED READ ERROR"},
    {SENSE_SANITIZE_FAILED, "SANITIZE COMMAND FAILED"},
    {SENSE_INTERNAL_FAILURE, "INTERNAL TARGET FAILURE"},
    {SENSE_OPERATION_IN_PROGRESS, "OPERATION IN PROGRESS"},
    {SENSE_INVALID_IU_FIELD, "INVALID FIELD IN COMMAND INFORMATION UNIT"},
    {SENSE_PARAM_LIST_LENGTH, "PARAMETER LIST LENGTH ERROR"},
    {SENSE_INVALID_OPCODE, "INVALID COMMAND OPERATION CODE"},
    {SENSE_LBA_RANGE, "LOGICAL BLOCK ADDRESS OUT OF RANGE"},
    {SENSE_INVALID_CDB_FIELD, "INVALID FIELD IN CDB"},
    {SENSE_LUN_NOT_SUPPORTED, "LOGICAL UNIT NOT SUPPORTED"},
    {SENSE_INVALID_PARAM_FIELD, "INVALID FIELD IN PARAMETER LIST"},
    {SENSE_INVALID_RELEASE, "INVALID RELEASE OF PERSISTENT RESERVATION"},
    {SENSE_TOO_MANY_CSCDS, "TOO MANY TARGET DESCRIPTORS"},
    {SENSE_CSCD_TYPE, "UNSUPPORTED TARGET DESCRIPTOR TYPE CODE"},
    {SENSE_TOO_MANY_SEGMENTS, "TOO MANY SEGMENT DESCRIPTORS"},
    {SENSE_SEGMENT_TYPE, "UNSUPPORTED SEGMENT DESCRIPTOR TYPE CODE"},
    {SENSE_INLINE_LENGTH, "INLINE DATA LENGTH EXCEEDED"},
    {SENSE_COPY_UNDERRUN_ALL, "COPY TARGET DEVICE DATA UNDERRUN"},
    {SENSE_COPY_UNDERRUN, "COPY TARGET DEVICE DATA UNDERRUN"},
    {SENSE_TOKEN_TYPE, "INVALID TOKEN OPERATION, UNSUPPORTED TOKEN TYPE"},
    {SENSE_TOKEN_REMOTE, "INVALID TOKEN OPERATION, REMOTE TOKEN USAGE NOT SUPPORTED"},
    {SENSE_TOKEN_UNKNOWN, "INVALID TOKEN OPERATION, TOKEN UNKNOWN"},
    {SENSE_TOKEN_CORRUPT, "INVALID TOKEN OPERATION, TOKEN CORRUPT"},
    {SENSE_TOKEN_REVOKED, "INVALID TOKEN OPERATION, TOKEN REVOKED"},
    {SENSE_TOKEN_EXPIRED, "INVALID TOKEN OPERATION, TOKEN EXPIRED"},
    {SENSE_TOKEN_CANCELLED, "INVALID TOKEN OPERATION, TOKEN CANCELLED"},
    {SENSE_TOKEN_DELETED, "INVALID TOKEN OPERATION, TOKEN DELETED"},
    {SENSE_TOKEN_LENGTH, "INVALID TOKEN OPERATION, INVALID TOKEN LENGTH"},
    {SENSE_ROD_RESOURCES, "INSUFFICIENT RESOURCES TO CREATE ROD"},
    {SENSE_COMMAND_SEQUENCE, "COMMAND SEQUENCE ERROR"},
    {SENSE_INVALID_MESSAGE, "INVALID MESSAGE ERROR"},
    {SENSE_NO_REGISTRATION_RESOURCES, "INSUFFICIENT REGISTRATION RESOURCES"},
    {SENSE_MEDIUM_CHANGED, "NOT READY TO READY CHANGE, MEDIUM MAY HAVE CHANGED"},
    {SENSE_POWER_ON, "POWER ON, RESET, OR BUS DEVICE RESET OCCURRED"},
    {SENSE_LU_RESET, "BUS DEVICE RESET FUNCTION OCCURRED"},
    {SENSE_NEXUS_LOSS, "I_T NEXUS LOSS OCCURRED"},
    {SENSE_MODE_CHANGED, "MODE PARAMETERS CHANGED"},
    {SENSE_RESERVATIONS_PREEMPTED, "RESERVATIONS PREEMPTED"},
    {SENSE_RESERVATIONS_RELEASED, "RESERVATIONS RELEASED"},
    {SENSE_REGISTRATIONS_PREEMPTED, "REGISTRATIONS PREEMPTED"},
    {SENSE_ACCESS_CHANGED, "ASYMMETRIC ACCESS STATE CHANGED"},
    {SENSE_CAPACITY_CHANGED, "CAPACITY DATA HAS CHANGED"},
    {SENSE_TASKS_CLEARED, "COMMANDS CLEARED BY ANOTHER INITIATOR"},
    {SENSE_THRESHOLD_REACHED, "THIN PROVISIONING SOFT THRESHOLD REACHED"},
    {SENSE_INQUIRY_CHANGED, "INQUIRY DATA HAS CHANGED"},
    {SENSE_LUNS_CHANGED, "REPORTED LUNS DATA HAS CHANGED"},
    {SENSE_WRITE_PROTECTED, "WRITE PROTECTED"},
    {SENSE_NO_SPACE, "SPACE ALLOCATION FAILED WRITE PROTECT"},
    {SENSE_COPY_ABORTED, "COPY ABORTED"},
    {SENSE_COPY_UNREACHABLE, "UNREACHABLE COPY TARGET"},
    {SENSE_COPY_UNIT_FAILED, "THIRD PARTY DEVICE FAILURE"},
    {SENSE_COPY_NOT_REACHABLE, "COPY TARGET DEVICE NOT REACHABLE"},
    {SENSE_COPY_WRONG_TYPE, "INCORRECT COPY TARGET DEVICE TYPE"},
    {SENSE_COPY_INEXACT, "UNEXPECTED INEXACT SEGMENT"},
    {SENSE_COPY_RESOURCES, "INSUFFICIENT RESOURCES"},
    {SENSE_UNEXPECTED_UNSOLICITED, "WRITE ERROR - UNEXPECTED UNSOLICITED DATA"},
    {SENSE_NOT_ENOUGH_UNSOLICITED, "WRITE ERROR - NOT ENOUGH UNSOLICITED DATA"},
    {SENSE_SNACK_REJECT, "READ ERROR - FAILED RETRANSMISSION REQUEST"},
    {SENSE_DATA_CRC, "PROTOCOL SERVICE CRC ERROR"},
    {SENSE_DATA_PHASE, "DATA PHASE ERROR"},
    {SENSE_MISCOMPARE, "MISCOMPARE DURING VERIFY OPERATION"},
};

const char *sense_name(enum sense_code code)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].code == code)
            return names[i].name;
    }
    return "unknown";
}
