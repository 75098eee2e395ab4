/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded cursors over a buffer, one that writes and one that reads.
 * Neither ever touches a byte outside its buffer, and each remembers that it was asked
 * to, so that a codec puts or takes all its fields and checks once at the end. They own
 * no memory and are not shared: any thread, one at a time. */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include "base/auto.h"
#include "base/be.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes. Bytes past limit are counted and dropped: `at` is the full size of what was
 * put, wire_stored() the part that is in the buffer. For a message that must be whole,
 * check wire_rc(); for SCSI data, which is cut at the allocation length, send
 * wire_stored(). */
struct wire {
    uint8_t *data;
    size_t limit;
    size_t at;
};

void wire_init(struct wire *w, void *data, size_t limit);
/* 0, or -ENOSPC if something was dropped. */
int wire_rc(const struct wire *w) MUST_CHECK;
/* The smaller of what was put and what the buffer holds. */
size_t wire_stored(const struct wire *w);

void wire_put_u8(struct wire *w, uint8_t v);
void wire_put_be16(struct wire *w, uint16_t v);
/* v: below 2^24. */
void wire_put_be24(struct wire *w, uint32_t v);
void wire_put_be32(struct wire *w, uint32_t v);
void wire_put_be64(struct wire *w, uint64_t v);
void wire_put_bytes(struct wire *w, const void *src, size_t bytes);
void wire_put_zeros(struct wire *w, size_t bytes);
/* `text` left-justified in `bytes` bytes, cut if longer, filled with blanks. */
void wire_put_padded(struct wire *w, const char *text, size_t bytes);
/* Writes again at an offset that was already put (a length known only at the end). What
 * lies past limit is dropped. offset + size <= at. */
void wire_patch_u8(struct wire *w, size_t offset, uint8_t v);
void wire_patch_be16(struct wire *w, size_t offset, uint16_t v);
void wire_patch_be32(struct wire *w, size_t offset, uint32_t v);

/* Reads. After the first take that does not fit, every take gives 0 or NULL. */
struct wire_in {
    const uint8_t *data;
    size_t limit;
    size_t at;
    bool short_read; /* sticky */
};

/* data may be NULL if bytes is 0. */
void wire_in_init(struct wire_in *r, const void *data, size_t bytes);
/* 0, or -EBADMSG if something that is not there was taken. */
int wire_in_rc(const struct wire_in *r) MUST_CHECK;
size_t wire_in_left(const struct wire_in *r);

uint8_t wire_take_u8(struct wire_in *r);
uint16_t wire_take_be16(struct wire_in *r);
uint32_t wire_take_be24(struct wire_in *r);
uint32_t wire_take_be32(struct wire_in *r);
uint64_t wire_take_be64(struct wire_in *r);
/* The bytes in place, valid as long as the buffer; NULL if they are not all there. */
const uint8_t *wire_take_bytes(struct wire_in *r, size_t bytes);
void wire_skip(struct wire_in *r, size_t bytes);

#endif
