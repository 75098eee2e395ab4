/* SPDX-License-Identifier: Apache-2.0 */
/* base64url (see base64.h). */
#include "web/base64.h"

#include <string.h>

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_put(const uint8_t *bytes, size_t count, char *out)
{
    unsigned held = 0, bits = 0;
    for (size_t i = 0; i < count; i++) {
        held = held << 8 | bytes[i];
        for (bits += 8; bits >= 6; bits -= 6)
            *out++ = digits[held >> (bits - 6) & 63];
        held &= 63;
    }
    if (bits > 0)
        *out++ = digits[held << (6 - bits) & 63];
    *out = '\0';
}

bool base64url_read(const char *text, uint8_t *out, size_t room, size_t *count)
{
    unsigned held = 0, bits = 0;
    *count = 0;
    for (; *text != '\0'; text++) {
        const char *digit = strchr(digits, *text);
        if (digit == NULL)
            return false;
        held = (held << 6 | (unsigned)(digit - digits)) & 0xfff;
        bits += 6;
        if (bits < 8)
            continue;
        if (*count == room)
            return false;
        bits -= 8;
        out[(*count)++] = (uint8_t)(held >> bits);
    }
    /* What is left over is less than a digit, and zeros. */
    return bits < 6 && (held & ((1U << bits) - 1)) == 0;
}
