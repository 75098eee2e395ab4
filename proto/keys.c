/* SPDX-License-Identifier: Apache-2.0 */
/* key=value text and the forms of its values: RFC 7143, 6.1. Pure; any thread. */
#include "proto/keys.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

void key_iter_init(struct key_iter *it, const void *text, size_t bytes)
{
    *it = (struct key_iter){.at = text,
                            .end = bytes == 0 ? text : (const char *)text + bytes};
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_one_of(const char *set, char c)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* 6.1's standard-label, and the # of the X# and Z# keys. Keys like iSCSIProtocolLevel
 * begin with a small letter. */
static bool is_label(const char *text, size_t bytes)
{
    if (bytes == 0 || bytes > KEY_NAME_MAX || !is_letter(text[0]))
        return false;
    for (size_t i = 0; i < bytes; i++) {
        if (!is_letter(text[i]) && !is_digit(text[i]) && !is_one_of(".-+@_#", text[i]))
            return false;
    }
    return true;
}

int key_next(struct key_iter *it, struct key_pair *pair)
{
    while (it->at < it->end && *it->at == '\0')
        it->at++;
    if (it->at == it->end)
        return 0;
    const char *nul = memchr(it->at, '\0', (size_t)(it->end - it->at));
    if (nul == NULL)
        return -EPROTO;
    const char *equals = memchr(it->at, '=', (size_t)(nul - it->at));
    if (equals == NULL || !is_label(it->at, (size_t)(equals - it->at)))
        return -EPROTO;
    size_t key_bytes = (size_t)(equals - it->at);
    memcpy(pair->key, it->at, key_bytes);
    pair->key[key_bytes] = '\0';
    pair->value = equals + 1;
    pair->value_bytes = (size_t)(nul - pair->value);
    if (pair->value_bytes > KEY_VALUE_MAX)
        return -EPROTO;
    it->at = nul + 1;
    return 1;
}

static void put_text(struct wire *out, const char *text)
{
    wire_put_bytes(out, text, strlen(text));
}

void key_put(struct wire *out, const char *key, const char *value)
{
    put_text(out, key);
    wire_put_u8(out, '=');
    put_text(out, value);
    wire_put_u8(out, 0);
}

void key_put_number(struct wire *out, const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    key_put(out, key, text);
}

void key_put_bool(struct wire *out, const char *key, bool value)
{
    key_put(out, key, value ? "Yes" : "No");
}

void key_put_hex(struct wire *out, const char *key, const uint8_t *data, size_t bytes)
{
    static const char digits[] = "0123456789abcdef";
    put_text(out, key);
    put_text(out, "=0x");
    for (size_t i = 0; i < bytes; i++) {
        wire_put_u8(out, (uint8_t)digits[data[i] >> 4]);
        wire_put_u8(out, (uint8_t)digits[data[i] & 0xf]);
    }
    wire_put_u8(out, 0);
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool has_prefix(const char *text, char letter)
{
    return text[0] == '0' && (text[1] == letter || text[1] == letter - 'a' + 'A');
}

/* The number in text[0..bytes), all of it. */
static int number_of(const char *text, size_t bytes, uint64_t *out)
{
    bool hex = bytes > 2 && has_prefix(text, 'x');
    unsigned base = hex ? 16 : 10;
    uint64_t v = 0;
    size_t i = hex ? 2 : 0;
    if (bytes == 0)
        return -EINVAL;
    for (; i < bytes; i++) {
        int d = hex_digit(text[i]);
        if (d < 0 || (unsigned)d >= base)
            return -EINVAL;
        if (__builtin_mul_overflow(v, base, &v) ||
            __builtin_add_overflow(v, (unsigned)d, &v))
            return -EINVAL;
    }
    *out = v;
    return 0;
}

int key_number(const char *text, uint64_t *out)
{
    return number_of(text, strlen(text), out);
}

int key_range(const char *text, uint64_t *low, uint64_t *high)
{
    const char *tilde = strchr(text, '~');
    uint64_t a, b;
    if (tilde == NULL || number_of(text, (size_t)(tilde - text), &a) != 0 ||
        key_number(tilde + 1, &b) != 0 || a > b)
        return -EINVAL;
    *low = a;
    *high = b;
    return 0;
}

int key_bool(const char *text, bool *out)
{
    bool yes = strcmp(text, "Yes") == 0;
    if (!yes && strcmp(text, "No") != 0)
        return -EINVAL;
    *out = yes;
    return 0;
}

static int from_hex(const char *digits, uint8_t *out, size_t limit, size_t *bytes)
{
    size_t count = strlen(digits);
    size_t need = count / 2 + count % 2;
    if (count == 0)
        return -EINVAL;
    if (need > limit)
        return -ENOSPC;
    memset(out, 0, need);
    for (size_t i = 0; i < count; i++) {
        int d = hex_digit(digits[i]);
        if (d < 0)
            return -EINVAL;
        /* Counted from the end, so that an odd first digit is a low one. */
        size_t from_end = count - 1 - i;
        unsigned shift = from_end % 2 == 0 ? 0 : 4;
        out[need - 1 - from_end / 2] |= (uint8_t)(d << shift);
    }
    *bytes = need;
    return 0;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (is_digit(c))
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* Digits without the padding; padded text must be whole groups of four. */
static int base64_digits(const char *text, size_t *count)
{
    size_t all = strlen(text);
    size_t n = all;
    while (n > 0 && text[n - 1] == '=')
        n--;
    size_t pad = all - n;
    if (n == 0 || n % 4 == 1 || pad > 2 || (pad != 0 && all % 4 != 0))
        return -EINVAL;
    *count = n;
    return 0;
}

static int from_base64(const char *text, uint8_t *out, size_t limit, size_t *bytes)
{
    size_t count;
    if (base64_digits(text, &count) != 0)
        return -EINVAL;
    size_t need = count / 4 * 3 + (count % 4 == 0 ? 0 : count % 4 - 1);
    if (need > limit)
        return -ENOSPC;
    uint32_t bits = 0;
    unsigned held = 0; /* of bits, low ones */
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        int d = base64_digit(text[i]);
        if (d < 0)
            return -EINVAL;
        bits = (bits << 6 | (uint32_t)d) & 0xffff;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        out[n++] = (uint8_t)(bits >> held);
    }
    assert(n == need);
    /* What a last digit has too many must be zeros: one value has one text. */
    if ((bits & ((1u << held) - 1)) != 0)
        return -EINVAL;
    *bytes = n;
    return 0;
}

static int from_decimal(const char *text, uint8_t *out, size_t limit, size_t *bytes)
{
    uint64_t v;
    if (key_number(text, &v) != 0)
        return -EINVAL;
    uint8_t be[8];
    be64_store(be, v);
    size_t zeros = 0;
    while (zeros < 7 && be[zeros] == 0)
        zeros++;
    if (8 - zeros > limit)
        return -ENOSPC;
    memcpy(out, be + zeros, 8 - zeros);
    *bytes = 8 - zeros;
    return 0;
}

int key_binary(const char *text, uint8_t *out, size_t limit, size_t *bytes)
{
    if (has_prefix(text, 'x'))
        return from_hex(text + 2, out, limit, bytes);
    if (has_prefix(text, 'b'))
        return from_base64(text + 2, out, limit, bytes);
    return from_decimal(text, out, limit, bytes);
}

bool key_list_next(const char **at, const char **item, size_t *item_bytes)
{
    if (*at == NULL)
        return false;
    const char *comma = strchr(*at, ',');
    *item = *at;
    *item_bytes = comma == NULL ? strlen(*at) : (size_t)(comma - *at);
    *at = comma == NULL ? NULL : comma + 1;
    return true;
}

bool key_list_has(const char *list, const char *item)
{
    const char *at = list, *found;
    size_t bytes;
    while (key_list_next(&at, &found, &bytes)) {
        if (bytes == strlen(item) && memcmp(found, item, bytes) == 0)
            return true;
    }
    return false;
}

static bool is_name_type(const char *name, size_t bytes)
{
    static const char types[][5] = {"iqn.", "eui.", "naa."};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (bytes > 4 && memcmp(name, types[i], 4) == 0)
            return true;
    }
    return false;
}

int key_node_name(const char *text, char out[NODE_NAME_MAX + 1])
{
    size_t bytes = strnlen(text, NODE_NAME_MAX + 1);
    if (bytes > NODE_NAME_MAX)
        return -EINVAL;
    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        bool good = is_letter(c) || is_digit(c) || is_one_of("-.:_", c) ||
                    (unsigned char)c >= 0x80;
        if (!good)
            return -EINVAL;
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    out[bytes] = '\0';
    return is_name_type(out, bytes) ? 0 : -EINVAL;
}
