/* SPDX-License-Identifier: Apache-2.0 */
/* CRC32C (Castagnoli), as iSCSI digests use it: RFC 7143, 13.1. By what the processor has
 * for it, else by a table. Pure; any thread. */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRC32C_BYTES 4

/* The CRC of what gave `crc` (0 for nothing) followed by `bytes` bytes of data:
 * crc32c(crc32c(0, a, n), b, m) is the CRC of a then b. */
uint32_t crc32c(uint32_t crc, const void *data, size_t bytes);

/* The ways there are, the fastest first: crc32c() takes the first that the processor has.
 * Of few bytes the vectors leave all to the instruction. */
enum crc32c_way { CRC32C_VECTORS, CRC32C_INSTRUCTION, CRC32C_TABLE };
/* True: this processor has it. */
bool crc32c_has(enum crc32c_way way);
/* The same by this way, which the processor must have. */
uint32_t crc32c_by(enum crc32c_way way, uint32_t crc, const void *data, size_t bytes);

/* A digest on the wire is the CRC's least significant byte first (RFC 7143, appendix A.4:
 * 32 bytes of zeros have the digest aa 36 91 8a). */
static inline void crc32c_store(uint8_t out[CRC32C_BYTES], uint32_t crc)
{
    out[0] = (uint8_t)crc;
    out[1] = (uint8_t)(crc >> 8);
    out[2] = (uint8_t)(crc >> 16);
    out[3] = (uint8_t)(crc >> 24);
}

static inline uint32_t crc32c_load(const uint8_t in[CRC32C_BYTES])
{
    return (uint32_t)in[3] << 24 | (uint32_t)in[2] << 16 | (uint32_t)in[1] << 8 | in[0];
}

#endif
