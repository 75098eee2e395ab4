/* SPDX-License-Identifier: Apache-2.0 */
/* Drains: sessions of a portal or a host that are asked to log out, while new logins are
 * turned away. Create, list, show; deleting one ends it. Control thread. */
#include "target/target.h"
#include "web/api.h"
#include "web/page.h"

#include <inttypes.h>
#include <stdio.h>

#define LOGOUT_TIMEOUT_S     15
#define LOGOUT_TIMEOUT_S_MAX 3600

const struct schema schema_drain_create = {
    "DrainCreate", {"portal", "host", "redirect", "logout_timeout"}};

static void id_text(char out[24], uint64_t id)
{
    snprintf(out, 24, "%" PRIu64, id);
}

static json_t *drain_json(const struct target_drain_info *d)
{
    char id[24], since[TIME_TEXT_MAX];
    id_text(id, d->id);
    return json_pack("{s:s, s:s?, s:s?, s:s?, s:i, s:s, s:i, s:I, s:I, s:I}", "id", id,
                     "portal", text_or_null(d->portal), "host",
                     text_or_null(d->host_name), "redirect", text_or_null(d->redirect),
                     "logout_timeout", (int)d->logout_timeout_s, "since",
                     time_text(since, d->since_s), "sessions", (int)d->sessions, "asked",
                     (json_int_t)d->asked, "dropped", (json_int_t)d->dropped,
                     "turned_away", (json_int_t)d->turned_away);
}

static bool drain_find(const struct exchange *x, uint64_t id,
                       struct target_drain_info *out)
{
    return id > 0 && target_drain_next(x->web->target, id - 1, out) && out->id == id;
}

void api_drain_list(struct exchange *x)
{
    struct page page;
    struct target_drain_info d = {.id = 0};
    enum page_step step = PAGE_SKIP;
    page_begin(&page, x);
    while (step != PAGE_STOP && target_drain_next(x->web->target, d.id, &d)) {
        char key[24]; /* as long as the longest, so that text sorts as numbers do */
        snprintf(key, sizeof(key), "%020" PRIu64, d.id);
        step = page_step(&page, key);
        if (step == PAGE_TAKE)
            page_add(&page, drain_json(&d));
    }
    page_reply(&page, x);
}

void api_drain_show(struct exchange *x)
{
    uint64_t id;
    struct target_drain_info d;
    if (path_number(x->params[0], &id) && drain_find(x, id, &d))
        reply_json(x, 200, drain_json(&d));
    else
        reply_not_found(x, "drain", x->params[0]);
}

static void drain_on_begun(void *arg, uint64_t id)
{
    struct exchange *x = arg;
    struct target_drain_info d;
    char text[24];
    if (!exchange_is_live(x))
        return;
    id_text(text, id);
    if (drain_find(x, id, &d))
        reply_created(x, "/v1/drains", text, drain_json(&d));
    else
        reply_not_found(x, "drain", text); /* ended already */
}

void api_drain_create(struct exchange *x)
{
    struct input in;
    struct err e = {0};
    input_begin(&in, x->body, "", &schema_drain_create, &x->problem);
    struct target_drain_spec spec = {
        .portal = input_string(&in, "portal", INPUT_OPTIONAL, TARGET_ADDRESS_MAX - 1),
        .host = input_reference(&in, "host", INPUT_OPTIONAL),
        .redirect =
            input_string(&in, "redirect", INPUT_OPTIONAL, TARGET_REDIRECT_MAX - 1),
        .logout_timeout_s = (unsigned)input_uint(&in, "logout_timeout", INPUT_OPTIONAL, 1,
                                                 LOGOUT_TIMEOUT_S_MAX, LOGOUT_TIMEOUT_S),
    };
    if (!input_good(&in))
        reply_problem(x);
    else if (target_drain(x->web->target, &spec, drain_on_begun, x, &e) != 0)
        reply_err(x, &e);
}

static void drain_on_ended(void *arg, uint64_t id)
{
    struct exchange *x = arg;
    (void)id;
    if (exchange_is_live(x))
        reply_empty(x);
}

void api_drain_delete(struct exchange *x)
{
    uint64_t id;
    struct err e = {0};
    int rc = path_number(x->params[0], &id)
                 ? target_undrain(x->web->target, id, drain_on_ended, x)
                 : -ENOENT;
    if (rc == -ENOENT)
        reply_not_found(x, "drain", x->params[0]);
    else if (rc != 0) {
        (void)err_oom(&e);
        reply_err(x, &e);
    }
}
