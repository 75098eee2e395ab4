/* SPDX-License-Identifier: Apache-2.0 */
/* The iSCSI TransportID, by which commands name an initiator port: SPC-4, 7.6.4.6. Pure;
 * any thread. */
#include "base/be.h"
#include "proto/keys.h"
#include "proto/pr.h"
#include "proto/pr_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEADER_BYTES    4
#define ID_BYTES_MIN    24 /* ADDITIONAL LENGTH is at least 20 */
#define FORMAT_MASK     0xc0
#define FORMAT_NAME     0x00
#define FORMAT_PORT     0x40 /* with the ISID */
#define RESERVED_MASK   0x30
#define PROTOCOL_MASK   0x0f
#define PROTOCOL_ISCSI  0x05
#define SEPARATOR       ",i,0x"
#define ISID_DIGITS_MAX 12
/* Name, separator, ISID, NUL. */
#define TEXT_MAX (NODE_NAME_MAX + sizeof(SEPARATOR) - 1 + ISID_DIGITS_MAX + 1)

static_assert(REGISTRATION_NAME_MAX == NODE_NAME_MAX + 1, "a node's name");

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* 1 to 12 hex digits and nothing else. */
static bool isid_of_text(const char *text, uint8_t isid[REGISTRATION_ISID_BYTES])
{
    uint64_t value = 0;
    size_t digits = strlen(text);
    if (digits == 0 || digits > ISID_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < digits; i++) {
        int digit = hex_value(text[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (unsigned)digit;
    }
    for (int i = REGISTRATION_ISID_BYTES - 1; i >= 0; i--, value >>= 8)
        isid[i] = (uint8_t)value;
    return true;
}

/* The name, and behind it the ISID where the format has one. */
static bool port_of_text(char *text, struct transport_id *id)
{
    if (id->has_isid) {
        char *separator = strstr(text, SEPARATOR);
        if (separator == NULL ||
            !isid_of_text(separator + sizeof(SEPARATOR) - 1, id->isid))
            return false;
        *separator = '\0';
    }
    return key_node_name(text, id->name) == 0;
}

/* The text ends with a NUL, and there is nothing behind that. */
static bool text_is_padded(const uint8_t *text, size_t bytes, size_t text_bytes)
{
    for (size_t i = text_bytes; i < bytes; i++)
        if (text[i] != 0)
            return false;
    return text_bytes < bytes;
}

/* The header is there. Its four bytes, but the length. */
static int header_check(const uint8_t *data, unsigned at, struct transport_id *id,
                        struct sense *sense)
{
    uint8_t format = data[0] & FORMAT_MASK;
    if ((data[0] & PROTOCOL_MASK) != PROTOCOL_ISCSI)
        return sense_set_param(sense, at, 3);
    if (format != FORMAT_NAME && format != FORMAT_PORT)
        return sense_set_param(sense, at, TRANSPORT_FORMAT_BIT);
    if ((data[0] & RESERVED_MASK) != 0)
        return sense_set_param(sense, at, 5);
    if (data[1] != 0)
        return sense_set_param(sense, at + 1, SENSE_NO_BIT);
    id->has_isid = format == FORMAT_PORT;
    return 0;
}

int transport_id_decode(const uint8_t *data, size_t bytes, unsigned at,
                        struct transport_id *id, size_t *used, struct sense *sense)
{
    char text[TEXT_MAX];
    *id = (struct transport_id){.has_isid = false};
    if (bytes < HEADER_BYTES)
        return sense_set_param(sense, at, SENSE_NO_BIT);
    if (header_check(data, at, id, sense) != 0)
        return -EINVAL;
    size_t length = HEADER_BYTES + (size_t)be16_load(data + 2);
    if (length < ID_BYTES_MIN || length % 4 != 0 || length > bytes)
        return sense_set_param(sense, at + 2, SENSE_NO_BIT);
    const uint8_t *name = data + HEADER_BYTES;
    size_t name_bytes = strnlen((const char *)name, length - HEADER_BYTES);
    if (name_bytes >= sizeof(text) ||
        !text_is_padded(name, length - HEADER_BYTES, name_bytes))
        return sense_set_param(sense, at + HEADER_BYTES, SENSE_NO_BIT);
    memcpy(text, name, name_bytes + 1);
    if (!port_of_text(text, id))
        return sense_set_param(sense, at + HEADER_BYTES, SENSE_NO_BIT);
    *used = length;
    return 0;
}

void transport_id_encode(struct wire *out, const struct transport_id *id)
{
    char text[TEXT_MAX] = "";
    const uint8_t *i = id->isid;
    int length = snprintf(text, sizeof(text), "%.223s", id->name);
    if (id->has_isid)
        length =
            snprintf(text, sizeof(text), "%.223s" SEPARATOR "%02x%02x%02x%02x%02x%02x",
                     id->name, i[0], i[1], i[2], i[3], i[4], i[5]);
    assert(length >= 0 && (size_t)length < sizeof(text));
    size_t bytes = HEADER_BYTES + ((size_t)length + 1 + 3) / 4 * 4;
    if (bytes < ID_BYTES_MIN)
        bytes = ID_BYTES_MIN;
    wire_put_u8(out,
                (uint8_t)((id->has_isid ? FORMAT_PORT : FORMAT_NAME) | PROTOCOL_ISCSI));
    wire_put_u8(out, 0);
    wire_put_be16(out, (uint16_t)(bytes - HEADER_BYTES));
    wire_put_bytes(out, text, (size_t)length);
    wire_put_zeros(out, bytes - HEADER_BYTES - (size_t)length);
}
