/* SPDX-License-Identifier: Apache-2.0 */
/* Big-endian numbers as they lie in a wire format: structs of bytes, so they have
 * alignment 1, no padding, and cannot be read as a number without saying get.
 * beN_of() makes one, beN_get() reads one, beN_load()/beN_store() do it on plain bytes.
 * Pure; any thread. */
#ifndef BASE_BE_H
#define BASE_BE_H

#include <assert.h>
#include <stdint.h>

typedef struct {
    uint8_t b[2];
} be16;
typedef struct {
    uint8_t b[3];
} be24;
typedef struct {
    uint8_t b[4];
} be32;
typedef struct {
    uint8_t b[8];
} be64;

static_assert(sizeof(be16) == 2 && _Alignof(be16) == 1, "bytes alone");
static_assert(sizeof(be24) == 3 && _Alignof(be24) == 1, "bytes alone");
static_assert(sizeof(be32) == 4 && _Alignof(be32) == 1, "bytes alone");
static_assert(sizeof(be64) == 8 && _Alignof(be64) == 1, "bytes alone");

static inline uint16_t be16_load(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be24_load(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t be32_load(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t be64_load(const uint8_t *p)
{
    return (uint64_t)be32_load(p) << 32 | be32_load(p + 4);
}

static inline void be16_store(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* v: below 2^24. */
static inline void be24_store(uint8_t *p, uint32_t v)
{
    assert(v < 1u << 24);
    p[0] = (uint8_t)(v >> 16);
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)v;
}

static inline void be32_store(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static inline void be64_store(uint8_t *p, uint64_t v)
{
    be32_store(p, (uint32_t)(v >> 32));
    be32_store(p + 4, (uint32_t)v);
}

static inline be16 be16_of(uint16_t v)
{
    be16 w;
    be16_store(w.b, v);
    return w;
}

/* v: below 2^24. */
static inline be24 be24_of(uint32_t v)
{
    be24 w;
    be24_store(w.b, v);
    return w;
}

static inline be32 be32_of(uint32_t v)
{
    be32 w;
    be32_store(w.b, v);
    return w;
}

static inline be64 be64_of(uint64_t v)
{
    be64 w;
    be64_store(w.b, v);
    return w;
}

static inline uint16_t be16_get(be16 w)
{
    return be16_load(w.b);
}

static inline uint32_t be24_get(be24 w)
{
    return be24_load(w.b);
}

static inline uint32_t be32_get(be32 w)
{
    return be32_load(w.b);
}

static inline uint64_t be64_get(be64 w)
{
    return be64_load(w.b);
}

#endif
