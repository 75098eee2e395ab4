/* SPDX-License-Identifier: Apache-2.0 */
/* Filters, read and asked (see filter.h). The text is a stranger's. */
#include "web/filter.h"

#include "base/units.h"
#include "lunmgr/volume.h"
#include "web/json_out.h"
#include "web/path.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static bool refuse(struct problem *problem, const char *accepted, const char *fmt,
                   const char *what)
{
    problem_set(problem, PROBLEM_BAD_PARAMETER, fmt, what);
    snprintf(problem->parameter, sizeof(problem->parameter), "filter");
    problem_accepts(problem, "%s", accepted);
    return false;
}

/* ---- Operators --------------------------------------------------------------------- */

/* The longer ones before those that they begin with. */
static const struct {
    const char *text;
    enum filter_op op;
} operators[] = {
    {"!=", FILTER_DIFFERENT}, {"<=", FILTER_AT_MOST}, {">=", FILTER_AT_LEAST},
    {"=", FILTER_EQUAL},      {"<", FILTER_LESS},     {">", FILTER_MORE},
    {"~", FILTER_LIKE},
};

/* The operator's length; 0: there is none. */
static size_t operator_read(const char *text, enum filter_op *out)
{
    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        size_t length = strlen(operators[i].text);
        if (strncmp(text, operators[i].text, length) == 0) {
            *out = operators[i].op;
            return length;
        }
    }
    return 0;
}

static bool is_text(const struct column *c)
{
    return c->kind == COLUMN_TEXT || c->kind == COLUMN_LABELS;
}

static const char *operators_of(const struct column *c)
{
    if (c->kind == COLUMN_BOOL)
        return "= !=";
    return is_text(c) ? "= != < <= > >= ~" : "= != < <= > >=";
}

static bool operator_fits(const struct filter_term *term)
{
    bool equals = term->op == FILTER_EQUAL || term->op == FILTER_DIFFERENT;
    if (term->null || term->column->kind == COLUMN_BOOL)
        return equals;
    return term->op != FILTER_LIKE || is_text(term->column);
}

/* ---- Values ------------------------------------------------------------------------ */

static const char *values_of(const struct column *c)
{
    switch (c->kind) {
    case COLUMN_BYTES:
        return "bytes, or a size such as 10GiB";
    case COLUMN_BOOL:
        return "true or false";
    case COLUMN_TIME:
        return "a time such as 2024-05-01T12:00:00Z";
    default:
        return is_text(c) ? "text" : "a whole number";
    }
}

static bool number_read(const struct column *c, const char *text, uint64_t *out)
{
    int64_t seconds;
    switch (c->kind) {
    case COLUMN_BYTES:
        return size_parse(text, out);
    case COLUMN_BOOL:
        *out = strcmp(text, "true") == 0;
        return *out == 1 || strcmp(text, "false") == 0;
    case COLUMN_TIME:
        if (!time_parse(text, &seconds) || seconds < 0)
            return false;
        *out = (uint64_t)seconds;
        return true;
    default:
        return path_number(text, out);
    }
}

/* Takes the backslashes away, in place. False: one is the last byte. A pattern keeps
 * them, where they say what is no wildcard. */
static bool unescape(char *text, bool is_pattern)
{
    char *to = text;
    for (const char *at = text; *at != '\0';) {
        if (*at == '\\') {
            if (at[1] == '\0')
                return false;
            if (is_pattern)
                *to++ = *at;
            at++;
        }
        *to++ = *at++;
    }
    *to = '\0';
    return true;
}

static bool value_read(struct filter_term *term, char *text, struct problem *problem)
{
    const struct column *c = term->column;
    term->null = (c->nullable || c->kind == COLUMN_LABELS) && strcmp(text, "null") == 0;
    if (!operator_fits(term))
        return refuse(problem, term->null ? "= !=" : operators_of(c),
                      "the operator does not fit %s or its value", c->name);
    if (term->null)
        return true;
    term->text = text;
    if (unescape(text, term->op == FILTER_LIKE) &&
        (is_text(c) || number_read(c, text, &term->number)))
        return true;
    return refuse(problem, values_of(c), "the value is none that %s has", c->name);
}

/* ---- Reading ----------------------------------------------------------------------- */

static bool can_filter(const struct column *c)
{
    return c->kind != COLUMN_JSON;
}

/* name: a member's, or labels.KEY. */
static bool member_read(const struct resource *r, char *name, struct filter_term *term,
                        struct problem *problem)
{
    char members[WEB_PROBLEM_ACCEPT_MAX];
    char *dot = strchr(name, '.');
    if (dot != NULL)
        *dot = '\0';
    const struct column *c = resource_column(r, name);
    term->column = c;
    term->label = dot == NULL ? "" : dot + 1;
    if (c != NULL && can_filter(c) &&
        (c->kind == COLUMN_LABELS) == (term->label[0] != '\0'))
        return true;
    resource_members(r, can_filter, ".KEY", members, sizeof(members));
    return refuse(problem, members, "there is no member %s to filter by", name);
}

static bool term_read(const struct resource *r, char *text, struct filter_term *term,
                      struct problem *problem)
{
    char *at = text + strcspn(text, "=!<>~");
    size_t length = operator_read(at, &term->op);
    if (length == 0)
        return refuse(problem, "MEMBER and = != < <= > >= or ~ and a value",
                      "%s is no term of a filter", text);
    *at = '\0';
    return member_read(r, text, term, problem) && value_read(term, at + length, problem);
}

/* Where the term ends: its comma, or the text's end. */
static char *term_end(char *at)
{
    while (*at != '\0' && *at != ',') {
        if (at[0] == '\\' && at[1] != '\0')
            at++;
        at++;
    }
    return at;
}

bool filter_read(const char *text, const struct resource *r, struct filter *out,
                 struct problem *problem)
{
    out->count = 0;
    if (text[0] == '\0')
        return true;
    snprintf(out->room, sizeof(out->room), "%s", text);
    for (char *at = out->room, *next; at != NULL; at = next) {
        char *end = term_end(at);
        next = *end == '\0' ? NULL : end + 1;
        *end = '\0';
        if (out->count == FILTER_TERMS_MAX)
            return refuse(problem, "at most 8 terms", "there are too many terms%s", "");
        if (!term_read(r, at, &out->terms[out->count], problem))
            return false;
        out->count++;
    }
    return true;
}

void filter_add_text(struct filter *f, const struct column *c, const char *text)
{
    assert(f->count < FILTER_TERMS_MAX);
    f->terms[f->count++] = (struct filter_term){.column = c, .text = text};
}

/* ---- Asking ------------------------------------------------------------------------ */

/* Goes back to the last '*' alone, which is enough: no more than pattern times text. */
static bool is_like(const char *pattern, const char *text)
{
    const char *star = NULL, *from = NULL;
    while (*text != '\0') {
        bool literal = pattern[0] == '\\' && pattern[1] != '\0';
        if (*pattern == '*') {
            star = ++pattern;
            from = text;
        } else if (literal ? pattern[1] == *text
                           : *pattern == '?' || (*pattern == *text)) {
            pattern += literal ? 2 : 1;
            text++;
        } else if (star != NULL) {
            pattern = star;
            text = ++from;
        } else {
            return false;
        }
    }
    pattern += strspn(pattern, "*");
    return *pattern == '\0';
}

static bool order_fits(enum filter_op op, int order)
{
    switch (op) {
    case FILTER_EQUAL:
        return order == 0;
    case FILTER_DIFFERENT:
        return order != 0;
    case FILTER_LESS:
        return order < 0;
    case FILTER_AT_MOST:
        return order <= 0;
    case FILTER_MORE:
        return order > 0;
    default:
        return order >= 0;
    }
}

/* text NULL: null. */
static bool text_fits(const struct filter_term *term, const char *text)
{
    if (term->null)
        return (text == NULL) == (term->op == FILTER_EQUAL);
    if (text == NULL)
        return term->op == FILTER_DIFFERENT;
    if (term->op == FILTER_LIKE)
        return is_like(term->text, text);
    return order_fits(term->op, strcmp(text, term->text));
}

static bool number_fits(const struct filter_term *term, uint64_t value)
{
    bool is_null = term->column->nullable && value == 0;
    if (term->null)
        return is_null == (term->op == FILTER_EQUAL);
    if (is_null)
        return term->op == FILTER_DIFFERENT;
    return order_fits(term->op, (value > term->number) - (value < term->number));
}

static const char *label_value(const struct label_list *list, const char *key)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->labels[i].key, key) == 0)
            return list->labels[i].value;
    }
    return NULL;
}

static bool term_fits(const struct filter_term *term, const void *info)
{
    const struct column *c = term->column;
    if (c->kind == COLUMN_LABELS)
        return text_fits(term, label_value(member_labels(c, info), term->label));
    if (c->kind != COLUMN_TEXT)
        return number_fits(term, member_number(c, info));
    const char *text = member_text(c, info);
    return text_fits(term, c->nullable ? text_or_null(text) : text);
}

bool filter_allows(const struct filter *f, const void *info)
{
    for (size_t i = 0; i < f->count; i++) {
        if (!term_fits(&f->terms[i], info))
            return false;
    }
    return true;
}
