/* SPDX-License-Identifier: Apache-2.0 */
/* key=value text of login and text negotiation (RFC 7143, 6.1): reading pairs, reading
 * values, writing pairs. What a key means is negotiate.h's.
 * Text is appended to a struct wire: one that is too small shows at wire_rc().
 * Text split over PDUs by the C bit is joined by the caller first. Pure; any thread. */
#ifndef PROTO_KEYS_H
#define PROTO_KEYS_H

#include "base/auto.h"
#include "base/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_NAME_MAX   63   /* 6.1 */
#define KEY_VALUE_MAX  8192 /* encoded, of the longest: a list, a large binary value */
#define KEY_SIMPLE_MAX 255  /* a simple value, 6.1 */
#define KEY_BINARY_MAX 1024 /* decoded, of the longest (CHAP_C: 12.1.3) */
#define NODE_NAME_MAX  223  /* 4.2.7.1 */

/* One pair, in place: both are terminated strings inside the text. */
struct key_pair {
    char key[KEY_NAME_MAX + 1];
    const char *value;
    size_t value_bytes;
};

struct key_iter {
    const char *at, *end;
};

void key_iter_init(struct key_iter *it, const void *text, size_t bytes);
/* 1 and *pair (value lives as long as the text); 0 at the end; -EPROTO: a pair without =,
 * a key that is empty, too long or no standard label, a value too long, a last pair
 * without its NUL. Empty strings (padding) are skipped. */
int key_next(struct key_iter *it, struct key_pair *pair) MUST_CHECK;

/* Appends key=value and its NUL. */
void key_put(struct wire *out, const char *key, const char *value);
void key_put_number(struct wire *out, const char *key, uint64_t value);
void key_put_bool(struct wire *out, const char *key, bool value);
/* As 0x and two hexadecimal digits a byte. */
void key_put_hex(struct wire *out, const char *key, const uint8_t *data, size_t bytes);

/* A decimal or 0x-hexadecimal constant, the whole of text, of at most 64 bits. 0, or
 * -EINVAL. */
int key_number(const char *text, uint64_t *out) MUST_CHECK;
/* "a~b" with a <= b. 0, or -EINVAL. */
int key_range(const char *text, uint64_t *low, uint64_t *high) MUST_CHECK;
/* "Yes" or "No". 0, or -EINVAL. */
int key_bool(const char *text, bool *out) MUST_CHECK;
/* A binary constant: 0x hexadecimal (an odd count of digits has an implied leading 0), 0b
 * base64 with or without its padding, or a decimal number of at most 64 bits. 0 and the
 * bytes; -EINVAL: not one; -ENOSPC: longer than limit. */
int key_binary(const char *text, uint8_t *out, size_t limit, size_t *bytes) MUST_CHECK;

/* A comma-separated list, item by item. Start with *at = the value. True and the item
 * (not terminated), or false at the end. */
bool key_list_next(const char **at, const char **item, size_t *item_bytes);
/* True if the list has that item. */
bool key_list_has(const char *list, const char *item);

/* Writes text to out in lower case, if it is a node name: iqn., eui. or naa., at most 223
 * bytes, letters, digits, - . : and the _ that some hosts have (and UTF-8 bytes, passed
 * as they are). 0, or -EINVAL.
 */
int key_node_name(const char *text, char out[NODE_NAME_MAX + 1]) MUST_CHECK;

#endif
