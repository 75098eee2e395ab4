/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, lists and whole objects for people (see human.h). Single thread. */
#include "web/cli/human.h"

#include "web/cli/table.h"

#include <inttypes.h>
#include <string.h>

void human_bytes(char out[HUMAN_BYTES_MAX], uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    unsigned unit = 0;
    while (unit + 1 < ARRAY_LEN(units) && bytes >> (10 * (unit + 1)) != 0)
        unit++;
    uint64_t whole = bytes >> (10 * unit);
    uint64_t rest = unit == 0 ? 0 : bytes - (whole << (10 * unit));
    if (rest == 0)
        snprintf(out, HUMAN_BYTES_MAX, "%" PRIu64 "%s", whole, units[unit]);
    else /* rest / 2^(10 unit), in tenths; the shift keeps it in 64 bits */
        snprintf(out, HUMAN_BYTES_MAX, "%" PRIu64 ".%" PRIu64 "%s", whole,
                 ((rest >> (10 * (unit - 1))) * 10) >> 10, units[unit]);
}

/* Of one value that is neither an array nor an object. */
static char *scalar_text(const json_t *value, bool is_bytes)
{
    char *text = NULL;
    int bytes = 0;
    if (json_is_string(value))
        bytes = asprintf(&text, "%s", json_string_value(value));
    else if (json_is_boolean(value))
        bytes = asprintf(&text, "%s", json_is_true(value) ? "yes" : "no");
    else if (json_is_real(value))
        bytes = asprintf(&text, "%g", json_real_value(value));
    else if (!json_is_integer(value))
        bytes = asprintf(&text, "-");
    else if (!is_bytes)
        bytes = asprintf(&text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else {
        char human[HUMAN_BYTES_MAX];
        human_bytes(human, (uint64_t)json_integer_value(value));
        bytes = asprintf(&text, "%s", human);
    }
    return must(bytes < 0 ? NULL : text);
}

static char *list_text(const json_t *list)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = must(open_memstream(&text, &bytes));
    for (size_t i = 0; i < json_array_size(list); i++) {
        AUTO_FREE char *item = scalar_text(json_array_get(list, i), false);
        fprintf(out, "%s%s", i == 0 ? "" : ", ", item);
    }
    fclose(out);
    return must(text);
}

/* As labels are: "env=prod, owner=web". */
static char *object_text(const json_t *object)
{
    char *text = NULL;
    size_t bytes;
    const char *member;
    json_t *value;
    FILE *out = must(open_memstream(&text, &bytes));
    json_object_foreach((json_t *)(uintptr_t)object, member, value)
    {
        AUTO_FREE char *item = scalar_text(value, false);
        fprintf(out, "%s%s=%s", ftell(out) == 0 ? "" : ", ", member, item);
    }
    fclose(out);
    return must(text);
}

char *human_value(const json_t *value, enum column_kind kind)
{
    if (json_object_size(value) > 0)
        return object_text(value);
    if (kind == COLUMN_LIST && json_array_size(value) > 0)
        return list_text(value);
    if (kind == COLUMN_FIRST)
        value = json_array_get(value, 0);
    return scalar_text(value, kind == COLUMN_BYTES);
}

/* ---- Whole objects ----------------------------------------------------------------- */

/* The members that are sizes; the API's other numbers are counts. */
static bool is_bytes(const char *member)
{
    static const char *const sizes[] = {
        "size",    "used",       "free",     "provisioned", "allocated", "read",
        "written", "guaranteed", "reserved", "available",   "unique",    "shared"};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        if (strcmp(sizes[i], member) == 0)
            return true;
    }
    return false;
}

static void add_member(struct table *table, const char *prefix, const char *member,
                       const json_t *value);

static void add_members(struct table *table, const char *prefix, const json_t *object)
{
    const char *member;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, member, value)
    {
        add_member(table, prefix, member, value);
    }
}

static void add_scalar(struct table *table, const char *label, const char *member,
                       const json_t *value)
{
    bool size = json_is_integer(value) && is_bytes(member);
    AUTO_FREE char *text = scalar_text(value, size);
    AUTO_FREE char *both = NULL;
    if (size && json_integer_value(value) >= 1024 &&
        asprintf(&both, "%s (%" JSON_INTEGER_FORMAT " bytes)", text,
                 json_integer_value(value)) < 0)
        both = must(NULL);
    table_add(table, label);
    table_add(table, both != NULL ? both : text);
}

static void add_item(struct table *table, const char *label, size_t index,
                     const json_t *item)
{
    if (json_is_object(item)) {
        AUTO_FREE char *prefix = NULL;
        if (asprintf(&prefix, "%s[%zu].", label, index) < 0)
            prefix = must(NULL);
        add_members(table, prefix, item);
    } else {
        add_scalar(table, index == 0 ? label : "", "", item);
    }
}

static void add_member(struct table *table, const char *prefix, const char *member,
                       const json_t *value)
{
    AUTO_FREE char *label = NULL;
    if (asprintf(&label, "%s%s%s", prefix, member, json_is_object(value) ? "." : "") < 0)
        label = must(NULL);
    if (json_is_object(value)) {
        add_members(table, label, value);
    } else if (json_array_size(value) > 0) {
        for (size_t i = 0; i < json_array_size(value); i++)
            add_item(table, label, i, json_array_get(value, i));
    } else {
        add_scalar(table, label, member, value);
    }
}

void human_object(const json_t *object, FILE *out)
{
    struct table table;
    table_init(&table, 2);
    add_members(&table, "", object);
    table_print(&table, out);
    table_fini(&table);
}
