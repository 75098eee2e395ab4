/* SPDX-License-Identifier: Apache-2.0 */
/* CRC32C by AVX-512, by SSE4.2, by ARMv8's CRC extension, or by a table. The choice is a
 * look at what the processor told at start, made each call. Pure; any thread.
 *
 * SSE4.2's instruction takes eight bytes a cycle and answers after three. So three parts
 * of a stretch go side by side, and are joined: a part with k bytes behind it counts
 * x^8k times. Polynomials stand with their highest power in the lowest bit; then the
 * product of two of 32 bits, by PCLMULQDQ, has one power too few for its 64 bits, and the
 * instruction that reduces it multiplies by x^32: so the factors are x^(8k - 33).
 *
 * AVX-512's VPCLMULQDQ multiplies four pairs of words at once. What came is kept as 16
 * words and moved over what comes next: of each 128 bits the first word counts x^64 times
 * the second, so over k bytes their factors are x^(8k + 31) and x^(8k - 33). At the end
 * the words are a stretch that has the CRC of all. */
#include "base/crc32c.h"

#include <string.h>

#if defined(__aarch64__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#elif defined(__x86_64__)
#include <immintrin.h>
#endif

/* Entry i: the remainder of byte i under the reflected polynomial 0x82f63b78. */
static const uint32_t remainders[256] = {
    0x00000000, 0xf26b8303, 0xe13b70f7, 0x1350f3f4, 0xc79a971f, 0x35f1141c, 0x26a1e7e8,
    0xd4ca64eb, 0x8ad958cf, 0x78b2dbcc, 0x6be22838, 0x9989ab3b, 0x4d43cfd0, 0xbf284cd3,
    0xac78bf27, 0x5e133c24, 0x105ec76f, 0xe235446c, 0xf165b798, 0x030e349b, 0xd7c45070,
    0x25afd373, 0x36ff2087, 0xc494a384, 0x9a879fa0, 0x68ec1ca3, 0x7bbcef57, 0x89d76c54,
    0x5d1d08bf, 0xaf768bbc, 0xbc267848, 0x4e4dfb4b, 0x20bd8ede, 0xd2d60ddd, 0xc186fe29,
    0x33ed7d2a, 0xe72719c1, 0x154c9ac2, 0x061c6936, 0xf477ea35, 0xaa64d611, 0x580f5512,
    0x4b5fa6e6, 0xb93425e5, 0x6dfe410e, 0x9f95c20d, 0x8cc531f9, 0x7eaeb2fa, 0x30e349b1,
    0xc288cab2, 0xd1d83946, 0x23b3ba45, 0xf779deae, 0x05125dad, 0x1642ae59, 0xe4292d5a,
    0xba3a117e, 0x4851927d, 0x5b016189, 0xa96ae28a, 0x7da08661, 0x8fcb0562, 0x9c9bf696,
    0x6ef07595, 0x417b1dbc, 0xb3109ebf, 0xa0406d4b, 0x522bee48, 0x86e18aa3, 0x748a09a0,
    0x67dafa54, 0x95b17957, 0xcba24573, 0x39c9c670, 0x2a993584, 0xd8f2b687, 0x0c38d26c,
    0xfe53516f, 0xed03a29b, 0x1f682198, 0x5125dad3, 0xa34e59d0, 0xb01eaa24, 0x42752927,
    0x96bf4dcc, 0x64d4cecf, 0x77843d3b, 0x85efbe38, 0xdbfc821c, 0x2997011f, 0x3ac7f2eb,
    0xc8ac71e8, 0x1c661503, 0xee0d9600, 0xfd5d65f4, 0x0f36e6f7, 0x61c69362, 0x93ad1061,
    0x80fde395, 0x72966096, 0xa65c047d, 0x5437877e, 0x4767748a, 0xb50cf789, 0xeb1fcbad,
    0x197448ae, 0x0a24bb5a, 0xf84f3859, 0x2c855cb2, 0xdeeedfb1, 0xcdbe2c45, 0x3fd5af46,
    0x7198540d, 0x83f3d70e, 0x90a324fa, 0x62c8a7f9, 0xb602c312, 0x44694011, 0x5739b3e5,
    0xa55230e6, 0xfb410cc2, 0x092a8fc1, 0x1a7a7c35, 0xe811ff36, 0x3cdb9bdd, 0xceb018de,
    0xdde0eb2a, 0x2f8b6829, 0x82f63b78, 0x709db87b, 0x63cd4b8f, 0x91a6c88c, 0x456cac67,
    0xb7072f64, 0xa457dc90, 0x563c5f93, 0x082f63b7, 0xfa44e0b4, 0xe9141340, 0x1b7f9043,
    0xcfb5f4a8, 0x3dde77ab, 0x2e8e845f, 0xdce5075c, 0x92a8fc17, 0x60c37f14, 0x73938ce0,
    0x81f80fe3, 0x55326b08, 0xa759e80b, 0xb4091bff, 0x466298fc, 0x1871a4d8, 0xea1a27db,
    0xf94ad42f, 0x0b21572c, 0xdfeb33c7, 0x2d80b0c4, 0x3ed04330, 0xccbbc033, 0xa24bb5a6,
    0x502036a5, 0x4370c551, 0xb11b4652, 0x65d122b9, 0x97baa1ba, 0x84ea524e, 0x7681d14d,
    0x2892ed69, 0xdaf96e6a, 0xc9a99d9e, 0x3bc21e9d, 0xef087a76, 0x1d63f975, 0x0e330a81,
    0xfc588982, 0xb21572c9, 0x407ef1ca, 0x532e023e, 0xa145813d, 0x758fe5d6, 0x87e466d5,
    0x94b49521, 0x66df1622, 0x38cc2a06, 0xcaa7a905, 0xd9f75af1, 0x2b9cd9f2, 0xff56bd19,
    0x0d3d3e1a, 0x1e6dcdee, 0xec064eed, 0xc38d26c4, 0x31e6a5c7, 0x22b65633, 0xd0ddd530,
    0x0417b1db, 0xf67c32d8, 0xe52cc12c, 0x1747422f, 0x49547e0b, 0xbb3ffd08, 0xa86f0efc,
    0x5a048dff, 0x8ecee914, 0x7ca56a17, 0x6ff599e3, 0x9d9e1ae0, 0xd3d3e1ab, 0x21b862a8,
    0x32e8915c, 0xc083125f, 0x144976b4, 0xe622f5b7, 0xf5720643, 0x07198540, 0x590ab964,
    0xab613a67, 0xb831c993, 0x4a5a4a90, 0x9e902e7b, 0x6cfbad78, 0x7fab5e8c, 0x8dc0dd8f,
    0xe330a81a, 0x115b2b19, 0x020bd8ed, 0xf0605bee, 0x24aa3f05, 0xd6c1bc06, 0xc5914ff2,
    0x37faccf1, 0x69e9f0d5, 0x9b8273d6, 0x88d28022, 0x7ab90321, 0xae7367ca, 0x5c18e4c9,
    0x4f48173d, 0xbd23943e, 0xf36e6f75, 0x0105ec76, 0x12551f82, 0xe03e9c81, 0x34f4f86a,
    0xc69f7b69, 0xd5cf889d, 0x27a40b9e, 0x79b737ba, 0x8bdcb4b9, 0x988c474d, 0x6ae7c44e,
    0xbe2da0a5, 0x4c4623a6, 0x5f16d052, 0xad7d5351,
};

static uint32_t crc32c_by_table(uint32_t crc, const uint8_t *p, size_t bytes)
{
    crc = ~crc;
    for (size_t i = 0; i < bytes; i++)
        crc = remainders[(crc ^ p[i]) & 0xff] ^ crc >> 8;
    return ~crc;
}

#if defined(__x86_64__)

#define PART_BYTES       680 /* of a stretch of three; 4 KiB are two of them and 16 bytes */
#define ONE_PART_BEHIND  0xe417f38a /* x^(8 * 680 - 33) modulo the polynomial */
#define TWO_PARTS_BEHIND 0x3f70cc6f /* x^(16 * 680 - 33) */

static int has_instruction(void)
{
    return __builtin_cpu_supports("sse4.2");
}

static uint64_t word_at(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

__attribute__((target("sse4.2,pclmul"))) static uint64_t shifted(uint64_t crc,
                                                                 uint32_t factor)
{
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc),
                                           _mm_cvtsi32_si128((int)factor), 0);
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

/* One stretch. */
__attribute__((target("sse4.2,pclmul"))) static uint64_t three_parts(uint64_t crc,
                                                                     const uint8_t *p)
{
    uint64_t second = 0, third = 0;
    for (size_t i = 0; i < PART_BYTES; i += 8) {
        crc = _mm_crc32_u64(crc, word_at(p + i));
        second = _mm_crc32_u64(second, word_at(p + PART_BYTES + i));
        third = _mm_crc32_u64(third, word_at(p + 2 * PART_BYTES + i));
    }
    return shifted(crc, TWO_PARTS_BEHIND) ^ shifted(second, ONE_PART_BEHIND) ^ third;
}

__attribute__((target("sse4.2"))) static uint32_t
crc32c_by_instruction(uint32_t crc, const uint8_t *p, size_t bytes)
{
    uint64_t crc64 = ~crc;
    if (__builtin_cpu_supports("pclmul")) {
        for (; bytes >= 3 * PART_BYTES; p += 3 * PART_BYTES, bytes -= 3 * PART_BYTES)
            crc64 = three_parts(crc64, p);
    }
    for (; bytes >= 8; p += 8, bytes -= 8)
        crc64 = _mm_crc32_u64(crc64, word_at(p));
    uint32_t rest = (uint32_t)crc64;
    for (; bytes > 0; p++, bytes--)
        rest = _mm_crc32_u8(rest, *p);
    return ~rest;
}

#define VECTOR_BYTES 64
#define MANY_BYTES   (4 * VECTOR_BYTES)
/* x^(8k - 33) and x^(8k + 31) modulo the polynomial: over one vector, and over four */
#define OVER_ONE  _mm_set_epi64x(0x9e4addf8, 0x740eef02)
#define OVER_FOUR _mm_set_epi64x(0xb9e02b86, 0xdcb17aa4)

static int has_vectors(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("vpclmulqdq") &&
           has_instruction();
}

#define WITH_VECTORS __attribute__((target("avx512f,vpclmulqdq,sse4.2")))

WITH_VECTORS static __m512i vector_at(const uint8_t *p)
{
    return _mm512_loadu_si512(p);
}

WITH_VECTORS static __m512i moved_over(__m512i words, __m512i factors, __m512i next)
{
    __m512i first = _mm512_clmulepi64_epi128(words, factors, 0x00);
    __m512i second = _mm512_clmulepi64_epi128(words, factors, 0x11);
    return _mm512_xor_si512(_mm512_xor_si512(first, second), next);
}

WITH_VECTORS static uint32_t reduced(__m512i words)
{
    uint8_t stretch[VECTOR_BYTES];
    uint64_t crc = 0;
    _mm512_storeu_si512(stretch, words);
    for (int i = 0; i < VECTOR_BYTES; i += 8)
        crc = _mm_crc32_u64(crc, word_at(stretch + i));
    return (uint32_t)crc;
}

/* Of MANY_BYTES or more. */
WITH_VECTORS static uint32_t crc32c_by_vectors(uint32_t crc, const uint8_t *p,
                                               size_t bytes)
{
    const __m512i over_one = _mm512_broadcast_i32x4(OVER_ONE);
    const __m512i over_four = _mm512_broadcast_i32x4(OVER_FOUR);
    __m512i words[4];
    for (int i = 0; i < 4; i++)
        words[i] = vector_at(p + i * VECTOR_BYTES);
    words[0] =
        _mm512_xor_si512(words[0], _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)~crc)));
    for (p += MANY_BYTES, bytes -= MANY_BYTES; bytes >= MANY_BYTES;
         p += MANY_BYTES, bytes -= MANY_BYTES)
        for (int i = 0; i < 4; i++)
            words[i] = moved_over(words[i], over_four, vector_at(p + i * VECTOR_BYTES));
    for (int i = 0; i < 3; i++)
        words[i + 1] = moved_over(words[i], over_one, words[i + 1]);
    __m512i all = words[3];
    for (; bytes >= VECTOR_BYTES; p += VECTOR_BYTES, bytes -= VECTOR_BYTES)
        all = moved_over(all, over_one, vector_at(p));
    return crc32c_by_instruction(~reduced(all), p, bytes);
}

#elif defined(__aarch64__)

static int has_instruction(void)
{
    return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
}

__attribute__((target("+crc"))) static uint32_t
crc32c_by_instruction(uint32_t crc, const uint8_t *p, size_t bytes)
{
    crc = ~crc;
    for (; bytes >= 8; p += 8, bytes -= 8) {
        uint64_t v;
        memcpy(&v, p, sizeof(v));
        crc = __crc32cd(crc, v);
    }
    for (; bytes > 0; p++, bytes--)
        crc = __crc32cb(crc, *p);
    return ~crc;
}

#else

static int has_instruction(void)
{
    return 0;
}

static uint32_t crc32c_by_instruction(uint32_t crc, const uint8_t *p, size_t bytes)
{
    return crc32c_by_table(crc, p, bytes);
}

#endif

#if !defined(__x86_64__)

#define MANY_BYTES SIZE_MAX

static int has_vectors(void)
{
    return 0;
}

static uint32_t crc32c_by_vectors(uint32_t crc, const uint8_t *p, size_t bytes)
{
    return crc32c_by_table(crc, p, bytes);
}

#endif

bool crc32c_has(enum crc32c_way way)
{
    switch (way) {
    case CRC32C_VECTORS:
        return has_vectors();
    case CRC32C_INSTRUCTION:
        return has_instruction();
    case CRC32C_TABLE:
        break;
    }
    return true;
}

uint32_t crc32c_by(enum crc32c_way way, uint32_t crc, const void *data, size_t bytes)
{
    if (way == CRC32C_VECTORS && bytes >= MANY_BYTES)
        return crc32c_by_vectors(crc, data, bytes);
    if (way != CRC32C_TABLE)
        return crc32c_by_instruction(crc, data, bytes);
    return crc32c_by_table(crc, data, bytes);
}

uint32_t crc32c(uint32_t crc, const void *data, size_t bytes)
{
    enum crc32c_way way = CRC32C_TABLE;
    if (bytes >= MANY_BYTES && has_vectors())
        way = CRC32C_VECTORS;
    else if (has_instruction())
        way = CRC32C_INSTRUCTION;
    return crc32c_by(way, crc, data, bytes);
}
