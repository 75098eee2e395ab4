/* SPDX-License-Identifier: Apache-2.0 */
/* Sense data as bytes: SPC-5, 4.5. Pure; any thread. */
#include "proto/sense.h"

#include "base/be.h"
#include "base/wire.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define FORMAT_FIXED      0x70
#define FORMAT_DESCRIPTOR 0x72
#define FORMAT_MASK       0x7f
#define FIXED_VALID       0x80
#define KEY_MASK          0x0f
#define SKS_VALID         0x80
#define SKS_IN_CDB        0x40
#define SKS_BIT_VALID     0x08
#define SKS_BIT_MASK      0x07
#define DESC_INFO         0x00
#define DESC_INFO_BYTES   10
#define DESC_SKS          0x02
#define DESC_SKS_BYTES    6
#define DESC_HEADER_BYTES 8
#define FIXED_CODES_END   14 /* what must be there to read the ASC and ASCQ */
#define FIXED_SKS_OFFSET  15

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
                     (s->field_has_bit ? SKS_BIT_VALID | s->field_bit : 0u);
    wire_put_u8(w, s->has_field ? (uint8_t)flags : 0);
    wire_put_be16(w, s->has_field ? s->field_byte : 0);
}

static void encode_fixed(const struct sense *s, struct wire *w)
{
    bool told = s->has_info && s->info <= UINT32_MAX;
    wire_put_u8(w, told ? FORMAT_FIXED | FIXED_VALID : FORMAT_FIXED);
    wire_put_u8(w, 0);
    wire_put_u8(w, (uint8_t)sense_key_of(s));
    wire_put_be32(w, told ? (uint32_t)s->info : 0);
    wire_put_u8(w, SENSE_FIXED_BYTES - 8);
    wire_put_zeros(w, 4);
    wire_put_u8(w, asc_of(s));
    wire_put_u8(w, ascq_of(s));
    wire_put_u8(w, 0);
    put_sks(w, s);
}

static void encode_descriptors(const struct sense *s, struct wire *w)
{
    wire_put_u8(w, FORMAT_DESCRIPTOR);
    wire_put_u8(w, (uint8_t)sense_key_of(s));
    wire_put_u8(w, asc_of(s));
    wire_put_u8(w, ascq_of(s));
    wire_put_zeros(w, 3);
    unsigned more =
        (s->has_info ? 2 + DESC_INFO_BYTES : 0u) + (has_sks(s) ? 2 + DESC_SKS_BYTES : 0u);
    wire_put_u8(w, (uint8_t)more);
    if (s->has_info) {
        wire_put_u8(w, DESC_INFO);
        wire_put_u8(w, DESC_INFO_BYTES);
        wire_put_u8(w, FIXED_VALID);
        wire_put_u8(w, 0);
        wire_put_be64(w, s->info);
    }
    if (has_sks(s)) {
        wire_put_u8(w, DESC_SKS);
        wire_put_u8(w, DESC_SKS_BYTES);
        wire_put_zeros(w, 2);
        put_sks(w, s);
        wire_put_u8(w, 0);
    }
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
    if (sense_key_of(s) != SENSE_KEY_ILLEGAL_REQUEST)
        return;
    s->has_field = true;
    s->field_in_cdb = (sks[0] & SKS_IN_CDB) != 0;
    s->field_has_bit = (sks[0] & SKS_BIT_VALID) != 0;
    s->field_bit = s->field_has_bit ? sks[0] & SKS_BIT_MASK : 0;
    s->field_byte = be16_load(sks + 1);
}

static enum sense_code code_of(uint8_t key, uint8_t asc, uint8_t ascq)
{
    return (enum sense_code)((key & KEY_MASK) << 16 | asc << 8 | ascq);
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
    return 0;
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

const char *sense_name(enum sense_code code)
{
    static const struct {
        enum sense_code code;
        const char *name;
    } names[] = {
        {SENSE_NONE, "NO ADDITIONAL SENSE INFORMATION"},
        {SENSE_NOT_READY_CAUSE_UNKNOWN, "LOGICAL UNIT NOT READY, CAUSE NOT REPORTABLE"},
        {SENSE_NOT_READY_BECOMING, "LOGICAL UNIT IS IN PROCESS OF BECOMING READY"},
        {SENSE_SANITIZE_IN_PROGRESS, "LOGICAL UNIT NOT READY, SANITIZE IN PROGRESS"},
        {SENSE_WRITE_ERROR, "WRITE ERROR"},
        {SENSE_READ_ERROR, "UNRECOVERED READ ERROR"},
        {SENSE_SANITIZE_FAILED, "SANITIZE COMMAND FAILED"},
        {SENSE_INTERNAL_FAILURE, "INTERNAL TARGET FAILURE"},
        {SENSE_INVALID_IU_FIELD, "INVALID FIELD IN COMMAND INFORMATION UNIT"},
        {SENSE_PARAM_LIST_LENGTH, "PARAMETER LIST LENGTH ERROR"},
        {SENSE_INVALID_OPCODE, "INVALID COMMAND OPERATION CODE"},
        {SENSE_LBA_RANGE, "LOGICAL BLOCK ADDRESS OUT OF RANGE"},
        {SENSE_INVALID_CDB_FIELD, "INVALID FIELD IN CDB"},
        {SENSE_LUN_NOT_SUPPORTED, "LOGICAL UNIT NOT SUPPORTED"},
        {SENSE_INVALID_PARAM_FIELD, "INVALID FIELD IN PARAMETER LIST"},
        {SENSE_COMMAND_SEQUENCE, "COMMAND SEQUENCE ERROR"},
        {SENSE_INVALID_MESSAGE, "INVALID MESSAGE ERROR"},
        {SENSE_MEDIUM_CHANGED, "NOT READY TO READY CHANGE, MEDIUM MAY HAVE CHANGED"},
        {SENSE_POWER_ON, "POWER ON, RESET, OR BUS DEVICE RESET OCCURRED"},
        {SENSE_LU_RESET, "BUS DEVICE RESET FUNCTION OCCURRED"},
        {SENSE_NEXUS_LOSS, "I_T NEXUS LOSS OCCURRED"},
        {SENSE_MODE_CHANGED, "MODE PARAMETERS CHANGED"},
        {SENSE_CAPACITY_CHANGED, "CAPACITY DATA HAS CHANGED"},
        {SENSE_TASKS_CLEARED, "COMMANDS CLEARED BY ANOTHER INITIATOR"},
        {SENSE_THRESHOLD_REACHED, "THIN PROVISIONING SOFT THRESHOLD REACHED"},
        {SENSE_INQUIRY_CHANGED, "INQUIRY DATA HAS CHANGED"},
        {SENSE_LUNS_CHANGED, "REPORTED LUNS DATA HAS CHANGED"},
        {SENSE_WRITE_PROTECTED, "WRITE PROTECTED"},
        {SENSE_NO_SPACE, "SPACE ALLOCATION FAILED WRITE PROTECT"},
        {SENSE_UNEXPECTED_UNSOLICITED, "WRITE ERROR - UNEXPECTED UNSOLICITED DATA"},
        {SENSE_NOT_ENOUGH_UNSOLICITED, "WRITE ERROR - NOT ENOUGH UNSOLICITED DATA"},
        {SENSE_SNACK_REJECT, "READ ERROR - FAILED RETRANSMISSION REQUEST"},
        {SENSE_DATA_CRC, "PROTOCOL SERVICE CRC ERROR"},
        {SENSE_DATA_PHASE, "DATA PHASE ERROR"},
        {SENSE_MISCOMPARE, "MISCOMPARE DURING VERIFY OPERATION"},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].code == code)
            return names[i].name;
    }
    return "unknown";
}
