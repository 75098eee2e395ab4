/* SPDX-License-Identifier: Apache-2.0 */
/* JSON written as text, without a tree of values in between: a list has thousands of
 * them. Without memory it fails once and for all, which who reads it looks at. Pure; any
 * thread.
 */
#ifndef WEB_JSON_TEXT_H
#define WEB_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_text {
    char *at; /* no NUL at its end before json_text_end() */
    size_t length, room;
    bool failed;
};

void json_text_fini(struct json_text *t);
/* As it is: punctuation, numbers, true. */
void json_text_put(struct json_text *t, const char *text, size_t length);
void json_text_puts(struct json_text *t, const char *text);
void json_text_number(struct json_text *t, uint64_t value);
/* text is UTF-8. */
void json_text_string(struct json_text *t, const char *text);
/* Text that may be anything: what is not printable ASCII becomes '?'. */
void json_text_foreign(struct json_text *t, const char *text);
/* value is taken; NULL: there was no memory for it. */
void json_text_value(struct json_text *t, json_t *value);
/* The text with a NUL behind it, good until more is put. NULL: it failed. */
const char *json_text_end(struct json_text *t);

#endif
