/* SPDX-License-Identifier: Apache-2.0 */
/* Orders and places (see order.h). */
#include "web/order.h"

#include "base/auto.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static bool can_sort(const struct column *c)
{
    return c->kind != COLUMN_JSON && c->kind != COLUMN_LABELS;
}

static bool refuse(const struct resource *r, const char *text, const char *name,
                   struct problem *problem)
{
    char members[WEB_PROBLEM_ACCEPT_MAX];
    resource_members(r, can_sort, "", members, sizeof(members));
    problem_set(problem, PROBLEM_BAD_PARAMETER, text, name);
    snprintf(problem->parameter, sizeof(problem->parameter), "sort");
    problem_accepts(problem, "one or two of %s", members);
    return false;
}

/* name: length bytes, of the members' names or not. */
static bool member_read(const char *name, size_t length, const struct resource *r,
                        struct order *out, struct problem *problem)
{
    char text[ERR_FIELD_MAX];
    bool descending = length > 0 && name[0] == '-';
    snprintf(text, sizeof(text), "%.*s", (int)length - descending, name + descending);
    const struct column *c = resource_column(r, text);
    if (c == NULL || !can_sort(c))
        return refuse(r, "there is no member %s to sort by", text, problem);
    if (out->count > 0 && out->by[0].column == c)
        return refuse(r, "%s is there twice", text, problem);
    out->by[out->count].column = c;
    out->by[out->count++].descending = descending;
    return true;
}

bool order_read(const char *text, const struct resource *r, struct order *out,
                struct problem *problem)
{
    out->count = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        if (out->count == ORDER_MEMBERS_MAX)
            return refuse(r, "%s is one member too many", text, problem);
        if (!member_read(text, length, r, out, problem))
            return false;
        text += length;
        if (text[0] == ',' && *++text == '\0')
            return refuse(r, "a member is missing after the %s", "comma", problem);
    }
    return true;
}

/* ---- Places ------------------------------------------------------------------------ */

/* As long as it is, and a byte that is less than all: a shorter text comes first. */
static size_t put_text(uint8_t *out, const char *text)
{
    size_t length = strlen(text);
    assert(length < ORDER_TEXT_MAX);
    memcpy(out, text, length + 1);
    return length + 1;
}

static size_t put_number(uint8_t *out, uint64_t value)
{
    for (size_t i = 0; i < sizeof(value); i++)
        out[i] = (uint8_t)(value >> (56 - 8 * i));
    return sizeof(value);
}

void order_place(const struct order *o, const void *info, const char *name,
                 struct place *out)
{
    uint8_t *at = out->at;
    for (size_t i = 0; i < o->count; i++) {
        const struct column *c = o->by[i].column;
        size_t bytes = c->kind == COLUMN_TEXT ? put_text(at, member_text(c, info))
                                              : put_number(at, member_number(c, info));
        for (size_t j = 0; o->by[i].descending && j < bytes; j++)
            at[j] = (uint8_t)~at[j];
        at += bytes;
    }
    out->name_at = (size_t)(at - out->at);
    out->bytes = out->name_at + put_text(at, name);
}

int place_compare(const struct place *a, const struct place *b)
{
    size_t both = a->bytes < b->bytes ? a->bytes : b->bytes;
    int order = memcmp(a->at, b->at, both);
    return order != 0 ? order : (a->bytes > b->bytes) - (a->bytes < b->bytes);
}
