/* SPDX-License-Identifier: Apache-2.0 */
/* Columns that line up (see table.h). Widths are counted in UTF-8 characters; what a
 * terminal would obey is not printed. Single thread. */
#include "web/cli/table.h"

#include "web/cli/say.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void table_init(struct table *table, size_t columns)
{
    assert(columns > 0 && columns <= TABLE_COLUMNS_MAX);
    *table = (struct table){.columns = columns};
}

void table_add(struct table *table, const char *text)
{
    AUTO_FREE char *plain = NULL;
    size_t bytes;
    if (table->count == table->space) {
        table->space = table->space == 0 ? 64 : table->space * 2;
        table->cells =
            must(reallocarray(table->cells, table->space, sizeof(*table->cells)));
    }
    FILE *out = must(open_memstream(&plain, &bytes));
    say_plain(out, text);
    fclose(out);
    table->cells[table->count++] = must(TAKE(plain));
}

static size_t text_width(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void print_row(const struct table *table, size_t row, const size_t *widths,
                      FILE *out)
{
    size_t owed = 0; /* spaces, printed only before more text */
    for (size_t c = 0; c < table->columns; c++) {
        const char *text = table->cells[row * table->columns + c];
        size_t fill = widths[c] - text_width(text);
        if (table->right[c])
            owed += fill;
        if (text[0] != '\0') {
            fprintf(out, "%*s%s", (int)owed, "", text);
            owed = 0;
        }
        if (!table->right[c])
            owed += fill;
        owed += 2;
    }
    fputc('\n', out);
}

void table_print(const struct table *table, FILE *out)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    assert(table->count % table->columns == 0);
    for (size_t i = 0; i < table->count; i++) {
        size_t width = text_width(table->cells[i]);
        if (width > widths[i % table->columns])
            widths[i % table->columns] = width;
    }
    for (size_t row = 0; row < table->count / table->columns; row++)
        print_row(table, row, widths, out);
}

void table_fini(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
}
