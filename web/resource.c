/* SPDX-License-Identifier: Apache-2.0 */
/* Members as values and as JSON (see resource.h). */
#include "web/resource.h"

#include "lunmgr/volume.h"
#include "web/json_out.h"
#include "web/problem.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const void *resource_info(const struct web *web, const struct resource *r,
                          const void *object, union resource_room *room)
{
    if (r->describe == NULL)
        return object;
    assert(r->info_bytes <= sizeof(room->bytes));
    r->describe(web, object, room->bytes);
    return room->bytes;
}

const struct column *resource_column(const struct resource *r, const char *name)
{
    for (const struct column *c = r->columns; c->name != NULL; c++) {
        if (!c->hidden && strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

/* Walks take thousands: no snprintf here. */
void text_key(char key[WEB_AFTER_MAX], const char *text)
{
    size_t length = strnlen(text, WEB_AFTER_MAX - 1);
    memcpy(key, text, length);
    key[length] = '\0';
}

/* 19 digits: path_number reads no more. */
void number_key(char key[WEB_AFTER_MAX], uint64_t number)
{
    snprintf(key, WEB_AFTER_MAX, "%019" PRIu64, number);
}

void resource_members(const struct resource *r, bool (*which)(const struct column *c),
                      const char *of_labels, char *out, size_t room)
{
    size_t at = 0;
    for (const struct column *c = r->columns; c->name != NULL && at < room; c++) {
        if (!c->hidden && which(c))
            at += (size_t)snprintf(out + at, room - at, "%s%s%s", at == 0 ? "" : ", ",
                                   c->name, c->kind == COLUMN_LABELS ? of_labels : "");
    }
}

/* ---- Values ------------------------------------------------------------------------ */

static const char *column_at(const struct column *c, const void *info)
{
    return (const char *)info + c->offset;
}

const char *member_text(const struct column *c, const void *info)
{
    return c->text != NULL ? c->text(info) : column_at(c, info);
}

const struct label_list *member_labels(const struct column *c, const void *info)
{
    return (const void *)column_at(c, info);
}

uint64_t member_number(const struct column *c, const void *info)
{
    uint64_t value = 0;
    /* Little-endian, as every machine that this is built for. */
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a short one fills the low");
    assert(c->bytes <= sizeof(value));
    memcpy(&value, column_at(c, info), c->bytes);
    return value;
}

/* ---- JSON -------------------------------------------------------------------------- */

static void put_text(struct json_text *out, const struct column *c, const void *info)
{
    const char *text = member_text(c, info);
    if (c->nullable && text[0] == '\0')
        json_text_puts(out, "null");
    else
        json_text_foreign(out, text);
}

static void put_number(struct json_text *out, const struct column *c, const void *info)
{
    char text[TIME_TEXT_MAX];
    uint64_t value = member_number(c, info);
    if (c->nullable && value == 0) {
        json_text_puts(out, "null");
    } else if (c->kind == COLUMN_TIME) {
        json_text_string(out, time_text(text, (int64_t)value));
    } else if (c->kind == COLUMN_ID) {
        snprintf(text, sizeof(text), "%" PRIu64, value);
        json_text_string(out, text);
    } else {
        json_text_number(out, value);
    }
}

static void put_labels(struct json_text *out, const struct label_list *list)
{
    json_text_puts(out, "{");
    for (size_t i = 0; i < list->count; i++) {
        json_text_puts(out, i == 0 ? "" : ",");
        json_text_string(out, list->labels[i].key);
        json_text_puts(out, ":");
        json_text_string(out, list->labels[i].value);
    }
    json_text_puts(out, "}");
}

void member_put(struct json_text *out, const struct web *web, const struct column *c,
                const void *info)
{
    switch (c->kind) {
    case COLUMN_TEXT:
        put_text(out, c, info);
        break;
    case COLUMN_BOOL:
        json_text_puts(out, member_number(c, info) != 0 ? "true" : "false");
        break;
    case COLUMN_LABELS:
        put_labels(out, member_labels(c, info));
        break;
    case COLUMN_JSON:
        if (c->put != NULL)
            c->put(out, web, info);
        else
            json_text_value(out, c->render(web, info));
        break;
    default:
        put_number(out, c, info);
    }
}

void resource_put(struct json_text *out, const struct web *web, const struct resource *r,
                  const void *info, uint64_t fields)
{
    const char *before = "{";
    for (size_t i = 0; r->columns[i].name != NULL; i++) {
        const struct column *c = &r->columns[i];
        assert(i < 64);
        if (c->hidden || (fields & UINT64_C(1) << i) == 0)
            continue;
        json_text_puts(out, before);
        json_text_string(out, c->name);
        json_text_puts(out, ":");
        member_put(out, web, c, info);
        before = ",";
    }
    json_text_puts(out, "}");
}

json_t *resource_json(const struct web *web, const struct resource *r, const void *object)
{
    union resource_room room;
    struct json_text text = {.at = NULL};
    resource_put(&text, web, r, resource_info(web, r, object, &room),
                 RESOURCE_ALL_FIELDS);
    json_t *out = text.failed ? NULL : json_loadb(text.at, text.length, 0, NULL);
    json_text_fini(&text);
    return out;
}

const char *resource_id(const struct resource *r, const void *info,
                        char room[RESOURCE_ID_MAX])
{
    const struct column *c = resource_column(r, "id");
    if (c == NULL)
        return "";
    if (c->kind == COLUMN_TEXT)
        return member_text(c, info);
    snprintf(room, RESOURCE_ID_MAX, "%" PRIu64, member_number(c, info));
    return room;
}

static bool is_shown(const struct column *c)
{
    return !c->hidden;
}

static bool fields_refuse(const struct resource *r, const char *name,
                          struct problem *problem)
{
    char members[WEB_PROBLEM_ACCEPT_MAX];
    resource_members(r, is_shown, "", members, sizeof(members));
    problem_set(problem, PROBLEM_BAD_PARAMETER, "there is no member %s", name);
    snprintf(problem->parameter, sizeof(problem->parameter), "fields");
    problem_accepts(problem, "%s", members);
    return false;
}

bool resource_fields(const struct resource *r, const char *text, uint64_t *out,
                     struct problem *problem)
{
    *out = text[0] == '\0' ? RESOURCE_ALL_FIELDS : 0;
    while (*text != '\0') {
        char name[ERR_FIELD_MAX];
        size_t length = strcspn(text, ",");
        snprintf(name, sizeof(name), "%.*s", (int)length, text);
        const struct column *c = resource_column(r, name);
        if (c == NULL)
            return fields_refuse(r, name, problem);
        *out |= UINT64_C(1) << (c - r->columns);
        text += length;
        text += *text == ',';
    }
    return true;
}
