/* SPDX-License-Identifier: Apache-2.0 */
/* base/err.h and base/log.h: an error names its field, a log line is whole and safe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"

static void error_names_code_field_and_text(void **state)
{
    struct err e = {0};
    (void)state;
    assert_int_equal(err_set(&e, -EINVAL, "size", "not a multiple of %d", 4096), -EINVAL);
    assert_int_equal(e.code, -EINVAL);
    assert_string_equal(e.field, "size");
    assert_string_equal(e.text, "not a multiple of 4096");
    assert_int_equal(err_oom(NULL), -ENOMEM);
}

static void long_error_text_is_cut(void **state)
{
    struct err e;
    char longer[2 * ERR_TEXT_MAX];
    (void)state;
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(err_set(&e, -EINVAL, longer, "%s", longer), -EINVAL);
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
    assert_int_equal(strlen(e.field), ERR_FIELD_MAX - 1);
}

struct lines {
    int count;
    char last[512];
};

static void keep_line(enum log_level level, const char *line, void *arg)
{
    struct lines *lines = arg;
    (void)level;
    lines->count++;
    snprintf(lines->last, sizeof(lines->last), "%s", line);
}

static void level_decides_what_is_written(void **state)
{
    struct lines lines = {0};
    enum log_level level = LOG_LEVEL_ERROR;
    (void)state;
    log_set_sink(keep_line, &lines);
    assert_int_equal(log_level_parse("warning", &level), 0);
    log_set_level(level);
    log_info("not seen", NULL);
    assert_int_equal(lines.count, 0);
    log_warning("seen", "n=%d", 1);
    assert_int_equal(lines.count, 1);
    assert_string_equal(lines.last, "level=warning msg=\"seen\" n=1");
    assert_int_equal(log_level_parse("loud", &level), -EINVAL);
    log_set_level(LOG_LEVEL_INFO);
    log_set_sink(NULL, NULL);
}

static void quoted_text_cannot_leave_its_quotes(void **state)
{
    char out[64];
    char tiny[8];
    (void)state;
    assert_string_equal(log_quote(out, sizeof(out), "a\"b\\c\n1"),
                        "\"a\\\"b\\\\c\\x0a1\"");
    log_quote(tiny, sizeof(tiny), "aaaaaaaaaaaaaaaa");
    assert_true(strlen(tiny) < sizeof(tiny));
    assert_int_equal(tiny[strlen(tiny) - 1], '"');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_names_code_field_and_text),
        cmocka_unit_test(long_error_text_is_cut),
        cmocka_unit_test(level_decides_what_is_written),
        cmocka_unit_test(quoted_text_cannot_leave_its_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
