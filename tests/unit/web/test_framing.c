/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of requests: what two readers might understand in two ways is seen, wherever
 * the bytes are cut. */
#include "web/framing.h"

#include "base/auto.h"
#include "cm.h"
#include "literal.h"

#include <string.h>

#define HEAD    "GET / HTTP/1.1\r\nHost: x\r\n"
#define CHUNKED "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"

/* Fed as a whole, and a byte at a time: both see the same. */
static const char *fault_of(const struct text *t)
{
    struct framing whole = {0}, single = {0};
    framing_feed(&whole, (const uint8_t *)t->bytes, t->count);
    for (size_t i = 0; i < t->count; i++)
        framing_feed(&single, (const uint8_t *)t->bytes + i, 1);
    const char *fault = framing_end(&whole);
    assert_ptr_equal(framing_end(&single), fault);
    return fault;
}

static void sound_requests_have_no_fault(void **state)
{
    static const struct text cases[] = {
        TEXT(HEAD "\r\n"),
        TEXT(HEAD "X:\r\nY: \x80\xff\ta:b\r\n\r\n"),
        TEXT(HEAD "Content-Length: 9\r\n\r\n\0\n\r \n\x7f\x01 \t"),
        TEXT(CHUNKED "0\r\n\r\n"),
        TEXT(CHUNKED "3\r\n\0\r\n\r\nA\r\n0123456789\r\n00\r\n\r\n"),
        TEXT(CHUNKED "00000001\r\nx\r\n0\r\n\r\n"),
        TEXT(
            "POST / HTTP/1.1\r\ntRANSFER-eNCODING:chunked\r\n\r\nf\r\n0123456789abcde\r\n"
            "0\r\n\r\n"),
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_null(fault_of(&cases[i]));
}

static void doubtful_heads_are_named(void **state)
{
    static const struct {
        struct text text;
        const char *says;
    } cases[] = {
        {TEXT("GET / HTTP/1.1\nHost: x\r\n\r\n"), "without CR"},
        {TEXT(HEAD "\n"), "without CR"},
        {TEXT(HEAD "X: a\rb\r\n\r\n"), "CR inside"},
        {TEXT(HEAD "X: a\r\r\n\r\n"), "CR inside"},
        {TEXT(HEAD "X: a\0b\r\n\r\n"), "control character"},
        {TEXT("GET /\0 HTTP/1.1\r\n\r\n"), "control character"},
        {TEXT(HEAD "X: \x7f\r\n\r\n"), "control character"},
        {TEXT(HEAD "X: a\r\n b\r\n\r\n"), "folded"},
        {TEXT(HEAD "X: a\r\n\tb\r\n\r\n"), "folded"},
        {TEXT("GET / HTTP/1.1\r\n Host: x\r\n\r\n"), "folded"},
        {TEXT(HEAD ": a\r\n\r\n"), "no name"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *fault = fault_of(&cases[i].text);
        assert_non_null(fault);
        assert_non_null(strstr(fault, cases[i].says));
    }
}

static void doubtful_chunks_are_named(void **state)
{
    static const struct {
        struct text text;
        const char *says;
    } cases[] = {
        {TEXT(CHUNKED "0x3\r\nabc\r\n0\r\n\r\n"), "hexadecimal"},
        {TEXT(CHUNKED "+3\r\nabc\r\n0\r\n\r\n"), "hexadecimal"},
        {TEXT(CHUNKED " 3\r\nabc\r\n0\r\n\r\n"), "hexadecimal"},
        {TEXT(CHUNKED "3 x\r\nabc\r\n0\r\n\r\n"), "hexadecimal"},
        {TEXT(CHUNKED "3;x=1\r\nabc\r\n0\r\n\r\n"), "hexadecimal"},
        {TEXT(CHUNKED "000000003\r\nabc\r\n0\r\n\r\n"), "hexadecimal"},
        {TEXT(CHUNKED "\r\n3\r\nabc\r\n0\r\n\r\n"), "hexadecimal"},
        {TEXT(CHUNKED "3\nabc\r\n0\r\n\r\n"), "hexadecimal"},
        {TEXT(CHUNKED "3\rabc\r\n0\r\n\r\n"), "CR and LF"},
        {TEXT(CHUNKED "3\r\nabc0\r\n\r\n"), "does not end"},
        {TEXT(CHUNKED "3\r\nabcd\r\n0\r\n\r\n"), "does not end"},
        {TEXT(CHUNKED "3\r\nabc\n0\r\n\r\n"), "does not end"},
        {TEXT(CHUNKED "3\r\nabc\r0\r\n\r\n"), "does not end"},
        {TEXT(CHUNKED "0\r\nX: y\r\n\r\n"), "trailers"},
        {TEXT(CHUNKED "0\r\n\n"), "trailers"},
        {TEXT("POST / HTTP/1.1\r\nTransfer-Encoding:                   chunked\r\n\r\nx"),
         "hexadecimal"},
        {TEXT("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\nx"),
         "hexadecimal"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *fault = fault_of(&cases[i].text);
        assert_non_null(fault);
        if (strstr(fault, cases[i].says) == NULL)
            fail_msg("%zu: %s", i, fault);
    }
}

static void each_request_begins_anew(void **state)
{
    static const struct text bad = TEXT(HEAD "X: a\0\r\n\r\n"), chunked = TEXT(CHUNKED);
    static const struct text good = TEXT(HEAD "Content-Length: 1\r\n\r\nx");
    struct framing f = {0};
    (void)state;
    framing_feed(&f, (const uint8_t *)bad.bytes, bad.count);
    assert_non_null(framing_end(&f));
    framing_feed(&f, (const uint8_t *)chunked.bytes, chunked.count);
    assert_int_equal(f.state, FRAMING_CHUNK_SIZE);
    assert_null(framing_end(&f));
    framing_feed(&f, (const uint8_t *)good.bytes, good.count);
    assert_int_equal(f.state, FRAMING_REST);
    assert_null(framing_end(&f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_requests_have_no_fault),
        cmocka_unit_test(doubtful_heads_are_named),
        cmocka_unit_test(doubtful_chunks_are_named),
        cmocka_unit_test(each_request_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
