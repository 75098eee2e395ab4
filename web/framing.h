/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a connection before evhttp reads them, looked through for what evhttp
 * takes and another reader would understand otherwise, so that the two might not agree
 * where a request ends: NUL and other control characters in its head, lines that end
 * without CR, folded header lines (RFC 9112, 5.2), chunk sizes that are none, trailers.
 * It only looks; the request is refused when evhttp has read it. A value, all zeros to
 * begin with; any thread. */
#ifndef WEB_FRAMING_H
#define WEB_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMING_LINE_MAX 18 /* of a line, what is kept of it: "transfer-encoding:" */

enum framing_state {
    FRAMING_HEAD,
    FRAMING_CHUNK_SIZE,
    FRAMING_CHUNK_SIZE_END,
    FRAMING_CHUNK_DATA,
    FRAMING_CHUNK_DATA_END,
    FRAMING_LAST,
    FRAMING_REST, /* looked at no more until the next request */
};

struct framing {
    enum framing_state state;
    const char *fault; /* the request's first; NULL: none */
    bool chunked;
    bool after_cr, after_first_line;
    size_t column;
    char line[FRAMING_LINE_MAX]; /* the begin of a line of the head, lower case */
    unsigned digits;             /* of a chunk's size */
    uint64_t chunk_bytes;        /* its size, then what is left of it */
};

void framing_feed(struct framing *f, const uint8_t *bytes, size_t count);
/* A request is over, head and body. Returns its fault, and begins the next. */
const char *framing_end(struct framing *f);

#endif
