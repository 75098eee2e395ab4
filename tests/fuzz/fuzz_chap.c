/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as the values of the CHAP keys: decoded into buffers of exactly their limit
 * (the first byte), and an algorithm that is chosen is one of the list. */
#include "proto/chap_text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void read_value(const char *text, size_t limit)
{
    size_t got = 0;
    uint8_t *out = malloc(limit);
    assert(limit == 0 || out != NULL);
    int rc = chap_value(text, out, limit, &got);
    assert(rc == 0 || rc == -EINVAL || rc == -ENOSPC);
    assert(rc != 0 || (got > 0 && got <= limit));
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    uint8_t id;
    if (bytes == 0)
        return 0;
    char *text = strndup((const char *)data + 1, bytes - 1);
    assert(text != NULL);
    read_value(text, data[0]);
    enum chap_algorithm strict = chap_choose(text, false);
    enum chap_algorithm open = chap_choose(text, true);
    assert(strict != CHAP_MD5 && open >= strict);
    assert(open == CHAP_NONE || strchr(text, '0' + (int)open) != NULL);
    if (chap_identifier(text, &id) == 0)
        assert(text[0] == '0' || text[0] == '1' || id > 1);
    free(text);
    return 0;
}
