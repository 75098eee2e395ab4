/* SPDX-License-Identifier: Apache-2.0 */
/* Text in columns that line up, for people. Single thread. */
#ifndef WEB_CLI_TABLE_H
#define WEB_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 11

struct table {
    size_t columns;
    bool right[TABLE_COLUMNS_MAX]; /* numbers: lined up at their right */
    char **cells;
    size_t count, space;
};

/* columns: 1 to TABLE_COLUMNS_MAX. */
void table_init(struct table *table, size_t columns);
/* The next cell, row by row; the text is copied. */
void table_add(struct table *table, const char *text);
/* Two spaces between columns, none at a line's end. */
void table_print(const struct table *table, FILE *out);
void table_fini(struct table *table);

#endif
