/* SPDX-License-Identifier: Apache-2.0 */
/* A byte at a time through a table of states. Where a body ends that is not chunked is
 * evhttp's to say: that is the end of the request. */
#include "web/framing.h"

#include <string.h>

#define CHUNK_DIGITS_MAX 8

static void find_fault(struct framing *f, const char *fault)
{
    f->fault = fault;
    f->state = FRAMING_REST;
}

/* ---- The head ---------------------------------------------------------------------- */

static void begin_head(struct framing *f)
{
    *f = (struct framing){.state = FRAMING_HEAD};
}

/* Of whatever encoding it is: all but "chunked" is refused later, by the whole header. */
static bool says_encoding(const struct framing *f)
{
    static const char name[] = "transfer-encoding:";
    return f->column >= FRAMING_LINE_MAX && memcmp(f->line, name, FRAMING_LINE_MAX) == 0;
}

static void end_line(struct framing *f)
{
    if (f->column == 0) {
        f->state = f->chunked ? FRAMING_CHUNK_SIZE : FRAMING_REST;
    } else {
        f->chunked |= f->after_first_line && says_encoding(f);
        f->after_first_line = true;
    }
    f->column = 0;
    f->after_cr = false;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static void take_character(struct framing *f, uint8_t c)
{
    if (f->column < FRAMING_LINE_MAX)
        f->line[f->column] = (char)lower(c);
    f->column++;
}

static void on_head(struct framing *f, uint8_t c)
{
    bool first = f->column == 0 && f->after_first_line;
    if (c == '\n' && f->after_cr)
        end_line(f);
    else if (c == '\n')
        find_fault(f, "a line ends without CR");
    else if (f->after_cr)
        find_fault(f, "there is a CR inside a line");
    else if (c == '\r')
        f->after_cr = true;
    else if ((c < ' ' && c != '\t') || c == 0x7f)
        find_fault(f, "there is a control character in the head");
    else if (first && (c == ' ' || c == '\t'))
        find_fault(f, "a header line is folded");
    else if (first && c == ':')
        find_fault(f, "a header has no name");
    else
        take_character(f, c);
}

/* ---- Chunks (RFC 9112, 7.1) -------------------------------------------------------- */

static unsigned hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c = lower(c);
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 16;
}

static void on_chunk_size(struct framing *f, uint8_t c)
{
    unsigned value = hex_value(c);
    if (c == '\r' && f->digits > 0) {
        f->state = FRAMING_CHUNK_SIZE_END;
    } else if (value > 15 || f->digits == CHUNK_DIGITS_MAX) {
        find_fault(f, "a chunk's size is not a hexadecimal number alone");
    } else {
        f->chunk_bytes = f->chunk_bytes << 4 | value;
        f->digits++;
    }
}

static void on_chunk_size_end(struct framing *f, uint8_t c)
{
    f->digits = 0;
    f->after_cr = false;
    if (c != '\n')
        find_fault(f, "a chunk's size ends without CR and LF");
    else
        f->state = f->chunk_bytes > 0 ? FRAMING_CHUNK_DATA : FRAMING_LAST;
}

/* CR and LF, then the next thing. */
static void on_line_end(struct framing *f, uint8_t c, enum framing_state next,
                        const char *fault)
{
    if (c != (f->after_cr ? '\n' : '\r'))
        find_fault(f, fault);
    else if (f->after_cr)
        f->state = next;
    f->after_cr = !f->after_cr;
}

static void take_byte(struct framing *f, uint8_t c)
{
    switch (f->state) {
    case FRAMING_HEAD:
        on_head(f, c);
        break;
    case FRAMING_CHUNK_SIZE:
        on_chunk_size(f, c);
        break;
    case FRAMING_CHUNK_SIZE_END:
        on_chunk_size_end(f, c);
        break;
    case FRAMING_CHUNK_DATA:
        if (--f->chunk_bytes == 0)
            f->state = FRAMING_CHUNK_DATA_END;
        break;
    case FRAMING_CHUNK_DATA_END:
        on_line_end(f, c, FRAMING_CHUNK_SIZE, "a chunk does not end where its size says");
        break;
    case FRAMING_LAST:
        on_line_end(f, c, FRAMING_REST, "trailers are not taken");
        break;
    case FRAMING_REST:
        break;
    }
}

/* ---- From outside ------------------------------------------------------------------ */

void framing_feed(struct framing *f, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count && f->state != FRAMING_REST; i++)
        take_byte(f, bytes[i]);
}

const char *framing_end(struct framing *f)
{
    const char *fault = f->fault;
    begin_head(f);
    return fault;
}
