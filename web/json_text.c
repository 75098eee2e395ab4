/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as text (see json_text.h). */
#include "web/json_text.h"

#include "base/auto.h"

#include <stdio.h>
#include <string.h>

#define ROOM_MIN 4096

void json_text_fini(struct json_text *t)
{
    free(TAKE(t->at));
}

/* Room for count more bytes; NULL: there is none. */
static char *more_room(struct json_text *t, size_t count)
{
    if (t->failed)
        return NULL;
    if (t->room - t->length < count) {
        size_t room = t->room < ROOM_MIN ? ROOM_MIN : t->room;
        while (room - t->length < count)
            room *= 2;
        char *at = realloc(t->at, room);
        t->failed = at == NULL;
        if (at == NULL)
            return NULL;
        t->at = at;
        t->room = room;
    }
    return t->at + t->length;
}

void json_text_put(struct json_text *t, const char *text, size_t length)
{
    char *at = more_room(t, length);
    if (at == NULL)
        return;
    memcpy(at, text, length);
    t->length += length;
}

void json_text_puts(struct json_text *t, const char *text)
{
    json_text_put(t, text, strlen(text));
}

void json_text_number(struct json_text *t, uint64_t value)
{
    char digits[24];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    json_text_put(t, digits + at, sizeof(digits) - at);
}

/* RFC 8259, 7: quotation mark, backslash and control characters. */
static void put_byte(struct json_text *t, char c)
{
    char escape[8];
    if (c == '"' || c == '\\') {
        snprintf(escape, sizeof(escape), "\\%c", c);
        json_text_puts(t, escape);
    } else if ((unsigned char)c < 0x20) {
        snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)c);
        json_text_puts(t, escape);
    } else {
        json_text_put(t, &c, 1);
    }
}

/* The bytes from here on that stand for themselves. */
static size_t plain_length(const char *text, unsigned char most)
{
    size_t length = 0;
    while ((unsigned char)text[length] >= 0x20 && (unsigned char)text[length] <= most &&
           text[length] != '"' && text[length] != '\\')
        length++;
    return length;
}

void json_text_string(struct json_text *t, const char *text)
{
    json_text_put(t, "\"", 1);
    while (*text != '\0') {
        size_t length = plain_length(text, 0xff);
        json_text_put(t, text, length);
        text += length;
        if (*text != '\0')
            put_byte(t, *text++);
    }
    json_text_put(t, "\"", 1);
}

void json_text_foreign(struct json_text *t, const char *text)
{
    json_text_put(t, "\"", 1);
    while (*text != '\0') {
        size_t length = plain_length(text, 0x7e);
        json_text_put(t, text, length);
        text += length;
        if (*text != '\0') {
            put_byte(t, *text == '"' || *text == '\\' ? *text : '?');
            text++;
        }
    }
    json_text_put(t, "\"", 1);
}

static int put_piece(const char *text, size_t length, void *arg)
{
    struct json_text *t = arg;
    json_text_put(t, text, length);
    return t->failed ? -1 : 0;
}

void json_text_value(struct json_text *t, json_t *value)
{
    if (value == NULL ||
        json_dump_callback(value, put_piece, t, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
        t->failed = true;
    json_decref(value);
}

const char *json_text_end(struct json_text *t)
{
    char *end = more_room(t, 1);
    if (end == NULL)
        return NULL;
    *end = '\0';
    return t->at;
}
