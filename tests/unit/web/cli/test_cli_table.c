/* SPDX-License-Identifier: Apache-2.0 */
/* Columns line up, whatever is in them. */
#include "web/cli/table.h"

#include "cli_rig.h"

static void expect_table(const struct table *table, const char *want)
{
    AUTO_FREE char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    table_print(table, out);
    fclose(out);
    assert_string_equal(text, want);
}

static void columns_line_up_without_trailing_spaces(void **state)
{
    static const char *const cells[] = {"NAME", "SIZE", "NOTE",  "a", "1GiB",
                                        "",     "long", "12GiB", "x"};
    struct table table;
    (void)state;
    table_init(&table, 3);
    table.right[1] = true;
    for (size_t i = 0; i < ARRAY_LEN(cells); i++)
        table_add(&table, cells[i]);
    expect_table(&table, "NAME   SIZE  NOTE\n"
                         "a      1GiB\n"
                         "long  12GiB  x\n");
    table_fini(&table);
}

static void widths_are_counted_in_characters(void **state)
{
    struct table table;
    (void)state;
    table_init(&table, 2);
    table_add(&table, "\xc3\xa4\xe2\x82\xac");
    table_add(&table, "x");
    table_add(&table, "abc");
    table_add(&table, "y");
    expect_table(&table, "\xc3\xa4\xe2\x82\xac   x\nabc  y\n");
    table_fini(&table);
}

static void a_cell_cannot_command_the_terminal(void **state)
{
    struct table table;
    (void)state;
    table_init(&table, 2);
    table_add(&table, "a\x1b[2J\r\n");
    table_add(&table, "\xc2\x9b"
                      "2J\x7f");
    expect_table(&table, "a?[2J??  ?2J?\n");
    table_fini(&table);
}

static void a_table_grows(void **state)
{
    struct table table;
    (void)state;
    table_init(&table, 1);
    for (size_t i = 0; i < 1000; i++)
        table_add(&table, "x");
    assert_int_equal(table.count, 1000);
    assert_string_equal(table.cells[999], "x");
    table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_line_up_without_trailing_spaces),
        cmocka_unit_test(widths_are_counted_in_characters),
        cmocka_unit_test(a_cell_cannot_command_the_terminal),
        cmocka_unit_test(a_table_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
