/* SPDX-License-Identifier: Apache-2.0 */
/* A stranger's query of a list: filter, sort, fields and cursor, read for the resource
 * that the first byte chooses and asked of a row. Holds: a refusal is a problem of status
 * 400 that names its parameter and can be told as JSON; what is taken stays in its
 * bounds; a cursor that we write is read as what it was. */
#include "lunmgr/volume.h"
#include "target/target.h"
#include "web/api.h"
#include "web/cursor.h"
#include "web/filter.h"
#include "web/json_text.h"
#include "web/order.h"
#include "web/path.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct label labels[] = {{"env", "prod"}, {"k", ""}};
static const struct volume_info volume = {
    .id = "00000000-0000-4000-8000-000000000001",
    .name = "web1",
    .size_bytes = 1 << 30,
    .created_s = 1714564800,
    .labels = {labels, ARRAY_LEN(labels)},
};
static const struct target_drain_info drain = {.id = 7, .portal = "192.0.2.1:3260"};

static const struct {
    const struct resource *resource;
    const void *info;
} rows[] = {
    {&resource_volume, &volume},
    {&resource_trashed, &volume},
    {&resource_drain, &drain},
};

static void check_problem(const struct problem *p)
{
    json_t *told = problem_json(p);
    assert(told != NULL);
    assert(problem_status(p->kind) == 400);
    json_decref(told);
}

static void check_cursor(const struct resource *r, const struct query *q,
                         const struct order *o, const void *info)
{
    struct cursor_list list;
    struct place place, back;
    struct problem problem = {0};
    char text[WEB_CURSOR_MAX];
    cursor_list(r, q, &list);
    order_place(o, info, "the name", &place);
    assert(place.bytes <= sizeof(place.at));
    cursor_put(&list, &place, text);
    bool good = cursor_read(text, &list, &back, &problem);
    assert(good && place_compare(&place, &back) == 0);
    good = cursor_read(q->after, &list, &back, &problem);
    assert(back.bytes <= sizeof(back.at));
    if (!good)
        check_problem(&problem);
}

static void ask(const struct resource *r, const void *info, const struct query *q)
{
    struct filter filter;
    struct order order;
    struct problem problem = {0};
    uint64_t fields;
    if (filter_read(q->filter, r, &filter, &problem)) {
        assert(filter.count <= FILTER_TERMS_MAX);
        (void)filter_allows(&filter, info);
    }
    bool sorted = order_read(q->sort, r, &order, &problem);
    assert(!sorted || order.count <= ORDER_MEMBERS_MAX);
    if (resource_fields(r, q->fields, &fields, &problem)) {
        struct json_text text = {.at = NULL};
        resource_put(&text, NULL, r, info, fields);
        json_t *shown = json_loads(json_text_end(&text), 0, NULL);
        assert(shown != NULL);
        json_decref(shown);
        json_text_fini(&text);
    }
    if (sorted)
        check_cursor(r, q, &order, info);
    if (problem.kind != PROBLEM_NONE) {
        assert(problem.parameter[0] != '\0');
        check_problem(&problem);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct query query;
    struct problem problem = {0};
    if (size == 0)
        return 0;
    char *text = malloc(size);
    if (text == NULL)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    size_t row = data[0] % ARRAY_LEN(rows);
    if (query_read(text, QUERY_LIST, &query, &problem))
        ask(rows[row].resource, rows[row].info, &query);
    else
        check_problem(&problem);
    free(text);
    return 0;
}
