/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as text that a URL takes: RFC 4648, 5, without padding. Pure; any thread. */
#ifndef WEB_BASE64_H
#define WEB_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BASE64_TEXT_BYTES(count) (((count)*8 + 5) / 6) /* without a NUL */

/* out has room for BASE64_TEXT_BYTES(count) characters and a NUL. */
void base64url_put(const uint8_t *bytes, size_t count, char *out);
/* False: not such text, not the one way to write it, or more than room bytes. */
bool base64url_read(const char *text, uint8_t *out, size_t room, size_t *count);

#endif
