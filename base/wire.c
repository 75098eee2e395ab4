/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded cursors: the writer counts what does not fit, the reader stops at the first
 * take that is not there. Not shared between threads. */
#include "base/wire.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

void wire_init(struct wire *w, void *data, size_t limit)
{
    *w = (struct wire){.data = data, .limit = limit};
}

int wire_rc(const struct wire *w)
{
    return w->at <= w->limit ? 0 : -ENOSPC;
}

size_t wire_stored(const struct wire *w)
{
    return w->at < w->limit ? w->at : w->limit;
}

/* How many of `bytes` bytes at `offset` are inside the buffer. */
static size_t room_at(const struct wire *w, size_t offset, size_t bytes)
{
    if (offset >= w->limit)
        return 0;
    size_t room = w->limit - offset;
    return bytes < room ? bytes : room;
}

static void advance(struct wire *w, size_t bytes)
{
    if (__builtin_add_overflow(w->at, bytes, &w->at))
        w->at = SIZE_MAX;
}

void wire_put_bytes(struct wire *w, const void *src, size_t bytes)
{
    size_t fits = room_at(w, w->at, bytes);
    if (fits > 0)
        memcpy(w->data + w->at, src, fits);
    advance(w, bytes);
}

void wire_put_zeros(struct wire *w, size_t bytes)
{
    size_t fits = room_at(w, w->at, bytes);
    if (fits > 0)
        memset(w->data + w->at, 0, fits);
    advance(w, bytes);
}

void wire_put_u8(struct wire *w, uint8_t v)
{
    wire_put_bytes(w, &v, 1);
}

void wire_put_be16(struct wire *w, uint16_t v)
{
    be16 b = be16_of(v);
    wire_put_bytes(w, b.b, sizeof(b));
}

void wire_put_be24(struct wire *w, uint32_t v)
{
    be24 b = be24_of(v);
    wire_put_bytes(w, b.b, sizeof(b));
}

void wire_put_be32(struct wire *w, uint32_t v)
{
    be32 b = be32_of(v);
    wire_put_bytes(w, b.b, sizeof(b));
}

void wire_put_be64(struct wire *w, uint64_t v)
{
    be64 b = be64_of(v);
    wire_put_bytes(w, b.b, sizeof(b));
}

void wire_put_padded(struct wire *w, const char *text, size_t bytes)
{
    size_t n = strnlen(text, bytes);
    wire_put_bytes(w, text, n);
    size_t fits = room_at(w, w->at, bytes - n);
    if (fits > 0)
        memset(w->data + w->at, ' ', fits);
    advance(w, bytes - n);
}

static void patch(struct wire *w, size_t offset, const uint8_t *src, size_t bytes)
{
    assert(offset <= w->at && bytes <= w->at - offset);
    size_t fits = room_at(w, offset, bytes);
    if (fits > 0)
        memcpy(w->data + offset, src, fits);
}

void wire_patch_u8(struct wire *w, size_t offset, uint8_t v)
{
    patch(w, offset, &v, 1);
}

void wire_patch_be16(struct wire *w, size_t offset, uint16_t v)
{
    be16 b = be16_of(v);
    patch(w, offset, b.b, sizeof(b));
}

void wire_patch_be32(struct wire *w, size_t offset, uint32_t v)
{
    be32 b = be32_of(v);
    patch(w, offset, b.b, sizeof(b));
}

void wire_in_init(struct wire_in *r, const void *data, size_t bytes)
{
    static const uint8_t nothing;
    *r = (struct wire_in){.data = data == NULL ? &nothing : data, .limit = bytes};
}

int wire_in_rc(const struct wire_in *r)
{
    return r->short_read ? -EBADMSG : 0;
}

size_t wire_in_left(const struct wire_in *r)
{
    return r->short_read ? 0 : r->limit - r->at;
}

const uint8_t *wire_take_bytes(struct wire_in *r, size_t bytes)
{
    if (r->short_read || bytes > r->limit - r->at) {
        r->short_read = true;
        return NULL;
    }
    const uint8_t *p = r->data + r->at;
    r->at += bytes;
    return p;
}

void wire_skip(struct wire_in *r, size_t bytes)
{
    (void)wire_take_bytes(r, bytes);
}

uint8_t wire_take_u8(struct wire_in *r)
{
    const uint8_t *p = wire_take_bytes(r, 1);
    return p == NULL ? 0 : *p;
}

uint16_t wire_take_be16(struct wire_in *r)
{
    const uint8_t *p = wire_take_bytes(r, 2);
    return p == NULL ? 0 : be16_load(p);
}

uint32_t wire_take_be24(struct wire_in *r)
{
    const uint8_t *p = wire_take_bytes(r, 3);
    return p == NULL ? 0 : be24_load(p);
}

uint32_t wire_take_be32(struct wire_in *r)
{
    const uint8_t *p = wire_take_bytes(r, 4);
    return p == NULL ? 0 : be32_load(p);
}

uint64_t wire_take_be64(struct wire_in *r)
{
    const uint8_t *p = wire_take_bytes(r, 8);
    return p == NULL ? 0 : be64_load(p);
}
