/* SPDX-License-Identifier: Apache-2.0 */
/* Members as values and as JSON (see resource.h). */
#include "web/resource.h"

#include "web/change.h"
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

void text_key(char key[WEB_AFTER_MAX], const char *text)
{
    snprintf(key, WEB_AFTER_MAX, "%s", text);
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

static json_t *text_json(const struct column *c, const void *info)
{
    const char *text = member_text(c, info);
    return c->nullable && text[0] == '\0' ? json_null() : json_of_foreign_text(text);
}

static json_t *number_json(const struct column *c, const void *info)
{
    char text[TIME_TEXT_MAX];
    uint64_t value = member_number(c, info);
    if (c->nullable && value == 0)
        return json_null();
    if (c->kind == COLUMN_TIME)
        return json_string(time_text(text, (int64_t)value));
    if (c->kind != COLUMN_ID)
        return json_integer((json_int_t)value);
    snprintf(text, sizeof(text), "%" PRIu64, value);
    return json_string(text);
}

json_t *member_json(const struct web *web, const struct column *c, const void *info)
{
    switch (c->kind) {
    case COLUMN_TEXT:
        return text_json(c, info);
    case COLUMN_BOOL:
        return json_boolean(member_number(c, info) != 0);
    case COLUMN_LABELS:
        return labels_json(*member_labels(c, info));
    case COLUMN_JSON:
        return c->render(web, info);
    default:
        return number_json(c, info);
    }
}

json_t *resource_info_json(const struct web *web, const struct resource *r,
                           const void *info, uint64_t fields)
{
    json_t *out = json_object();
    for (size_t i = 0; out != NULL && r->columns[i].name != NULL; i++) {
        const struct column *c = &r->columns[i];
        assert(i < 64);
        if (c->hidden || (fields & UINT64_C(1) << i) == 0)
            continue;
        if (json_object_set_new_nocheck(out, c->name, member_json(web, c, info)) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

json_t *resource_json(const struct web *web, const struct resource *r, const void *object)
{
    union resource_room room;
    return resource_info_json(web, r, resource_info(web, r, object, &room),
                              RESOURCE_ALL_FIELDS);
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
