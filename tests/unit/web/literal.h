/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a literal, in which NULs are bytes like others. */
#ifndef TESTS_UNIT_WEB_LITERAL_H
#define TESTS_UNIT_WEB_LITERAL_H

#include <stddef.h>

struct text {
    const char *bytes;
    size_t count;
};
#define TEXT(literal)                                                                    \
    {                                                                                    \
        literal, sizeof(literal) - 1                                                     \
    }

#endif
