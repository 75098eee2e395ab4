/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a connection, cut anywhere. Holds: how they are cut makes no difference,
 * and what has no fault has neither NUL nor a bare LF in its head. */
#include "web/framing.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_head(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        assert(data[i] != '\0');
        assert(data[i] != '\n' || (i > 0 && data[i - 1] == '\r'));
        if (i >= 3 && memcmp(data + i - 3, "\r\n\r\n", 4) == 0)
            return;
    }
}

/* The first byte says where the others are cut. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct framing whole = {0}, cut = {0};
    if (size < 2)
        return 0;
    size_t piece = (size_t)data[0] % 16 + 1;
    data++;
    size--;
    framing_feed(&whole, data, size);
    for (size_t at = 0; at < size; at += piece)
        framing_feed(&cut, data + at, size - at < piece ? size - at : piece);
    assert(whole.state == cut.state && whole.fault == cut.fault);
    assert(whole.fault == NULL || whole.state == FRAMING_REST);
    if (whole.fault == NULL && memcmp(data, "\r\n", size < 2 ? size : 2) != 0)
        check_head(data, size);
    assert(framing_end(&whole) == framing_end(&cut));
    return 0;
}
