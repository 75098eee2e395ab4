/* SPDX-License-Identifier: Apache-2.0 */
/* The values of the CHAP keys (see chap_text.h). */
#include "proto/chap_text.h"

#include "proto/keys.h"

#include <errno.h>

#define ITEM_BYTES_MAX 8 /* an algorithm's number and leading zeros */

static const struct {
    enum chap_algorithm algorithm;
    const char *name;
} algorithms[] = {
    {CHAP_MD5, "md5"},
    {CHAP_SHA1, "sha1"},
    {CHAP_SHA256, "sha256"},
    {CHAP_SHA3_256, "sha3-256"},
};

const char *chap_algorithm_name(enum chap_algorithm algorithm)
{
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        if (algorithms[i].algorithm == algorithm)
            return algorithms[i].name;
    }
    return "none";
}

/* CHAP_NONE: not one of ours, or not a number. */
static enum chap_algorithm algorithm_of(const char *item, size_t bytes)
{
    unsigned number = 0;
    if (bytes == 0 || bytes > ITEM_BYTES_MAX)
        return CHAP_NONE;
    for (size_t i = 0; i < bytes; i++) {
        if (item[i] < '0' || item[i] > '9')
            return CHAP_NONE;
        number = number * 10 + (unsigned)(item[i] - '0');
    }
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        if ((unsigned)algorithms[i].algorithm == number)
            return algorithms[i].algorithm;
    }
    return CHAP_NONE;
}

enum chap_algorithm chap_choose(const char *list, bool md5)
{
    enum chap_algorithm best = CHAP_NONE;
    const char *at = list, *item;
    size_t bytes;
    while (key_list_next(&at, &item, &bytes)) {
        enum chap_algorithm offered = algorithm_of(item, bytes);
        if (offered > best && (md5 || offered != CHAP_MD5))
            best = offered;
    }
    return best;
}

int chap_identifier(const char *text, uint8_t *out)
{
    uint64_t number;
    if (key_number(text, &number) != 0 || number > UINT8_MAX)
        return -EINVAL;
    *out = (uint8_t)number;
    return 0;
}

/* key_binary takes decimal numbers too, which no digest and no challenge is. */
int chap_value(const char *text, uint8_t *out, size_t limit, size_t *bytes)
{
    bool has_base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X' ||
                                       text[1] == 'b' || text[1] == 'B');
    return has_base ? key_binary(text, out, limit, bytes) : -EINVAL;
}
