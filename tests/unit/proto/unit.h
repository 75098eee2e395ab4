/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit tests of proto/ share: cmocka with the headers it needs, and comparisons
 * of cursors. */
#ifndef TESTS_UNIT_PROTO_UNIT_H
#define TESTS_UNIT_PROTO_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/wire.h"

/* The text in w, with its NULs, is the literal. */
#define assert_wire_text(w, literal)                                                     \
    do {                                                                                 \
        assert_int_equal(wire_rc(w), 0);                                                 \
        assert_int_equal(wire_stored(w), sizeof(literal) - 1);                           \
        assert_memory_equal((w)->data, literal, sizeof(literal) - 1);                    \
    } while (0)

#define assert_wire_bytes(w, ...)                                                        \
    do {                                                                                 \
        static const uint8_t want_[] = {__VA_ARGS__};                                    \
        assert_int_equal(wire_stored(w), sizeof(want_));                                 \
        assert_memory_equal((w)->data, want_, sizeof(want_));                            \
    } while (0)

#endif
