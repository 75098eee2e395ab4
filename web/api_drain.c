/* SPDX-License-Identifier: Apache-2.0 */
/* Drains: sessions of a portal or a host that are asked to log out, while new logins are
 * turned away. Create, list, show; deleting one ends it. Control thread. */
#include "target/target.h"
#include "web/api.h"
#include "web/differ.h"
#include "web/resource.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOGOUT_TIMEOUT_S     15
#define LOGOUT_TIMEOUT_S_MAX 3600

const struct schema schema_drain_create = {
    "DrainCreate", {"portal", "host", "redirect", "logout_timeout"}};

#define DRAIN(member) COLUMN_AT(struct target_drain_info, member)

static const struct column columns[] = {
    {"id", COLUMN_ID, DRAIN(id)},
    {"portal", COLUMN_TEXT, DRAIN(portal), .nullable = true, .settable = true},
    {"host", COLUMN_TEXT, DRAIN(host_name), .nullable = true, .settable = true},
    {"redirect", COLUMN_TEXT, DRAIN(redirect), .nullable = true, .settable = true},
    {"logout_timeout", COLUMN_UINT, DRAIN(logout_timeout_s), .settable = true},
    {"since", COLUMN_TIME, DRAIN(since_s)},
    {"sessions", COLUMN_UINT, DRAIN(sessions)},
    {"asked", COLUMN_UINT, DRAIN(asked)},
    {"dropped", COLUMN_UINT, DRAIN(dropped)},
    {"turned_away", COLUMN_UINT, DRAIN(turned_away)},
    {.name = NULL},
};

/* A drain is its id: what target tells of it is a copy. */
static void *drain_of(uint64_t id)
{
    return (void *)(uintptr_t)id;
}

static void *drain_find(const struct web *web, const char *name)
{
    uint64_t id;
    struct target_drain_info info;
    bool found = path_number(name, &id) && id > 0 &&
                 target_drain_next(web->target, id - 1, &info) && info.id == id;
    return found ? drain_of(id) : NULL;
}

static void *drain_next(const struct web *web, struct row_walk *walk)
{
    struct target_drain_info info;
    uint64_t after = strtoull(walk->after, NULL, 10);
    return target_drain_next(web->target, after, &info) ? drain_of(info.id) : NULL;
}

static void drain_describe(const struct web *web, const void *drain, void *info)
{
    (void)target_drain_next(web->target, (uintptr_t)drain - 1, info);
}

static void drain_key(const void *drain, const void *info, char key[WEB_AFTER_MAX])
{
    (void)info;
    number_key(key, (uintptr_t)drain);
}

const struct resource resource_drain = {
    .kind = "drain",
    .collection = "/v1/drains",
    .info_bytes = sizeof(struct target_drain_info),
    .columns = columns,
    .find = drain_find,
    .next = drain_next,
    .describe = drain_describe,
    .key = drain_key,
    .key_is_id = true,
};

/* A drain ends with the daemon, so that what is recorded after it has begun tells no lie
 * if the daemon ends in between. */
static void drain_reply(struct exchange *x)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, x->number);
    if (drain_find(x->web, text) != NULL)
        reply_resource(x, 201, &resource_drain, drain_of(x->number));
    else
        reply_not_found(x, "drain", text); /* ended already */
}

static void drain_on_begun(void *arg, uint64_t id)
{
    struct exchange *x = arg;
    x->number = id;
    admit_record(x, drain_reply);
}

static void drain_begin(struct exchange *x, const struct target_drain_spec *spec)
{
    struct err e = {0};
    struct target *t = x->web->target;
    int rc = x->query.dry_run ? target_drain_check(t, spec, &e)
                              : target_drain(t, spec, drain_on_begun, x, &e);
    if (rc != 0)
        reply_err(x, &e);
    else if (x->query.dry_run)
        reply_dry_run(x);
}

void api_drain_create(struct exchange *x)
{
    struct input in;
    input_begin(&in, x->body, "", &schema_drain_create, &x->problem);
    struct target_drain_spec spec = {
        .portal = input_string(&in, "portal", INPUT_OPTIONAL, TARGET_ADDRESS_MAX - 1),
        .host = input_reference(&in, "host", INPUT_OPTIONAL),
        .redirect =
            input_string(&in, "redirect", INPUT_OPTIONAL, TARGET_REDIRECT_MAX - 1),
        .logout_timeout_s = (unsigned)input_uint(&in, "logout_timeout", INPUT_OPTIONAL, 1,
                                                 LOGOUT_TIMEOUT_S_MAX, LOGOUT_TIMEOUT_S),
    };
    if (input_good(&in))
        drain_begin(x, &spec);
    else
        reply_problem(x);
}

static void drain_on_ended(void *arg, uint64_t id)
{
    (void)id;
    admit_record(arg, reply_empty);
}

void api_drain_delete(struct exchange *x)
{
    uint64_t id = 0;
    struct err e = {0};
    if (!path_number(x->params[0], &id) || drain_find(x->web, x->params[0]) == NULL) {
        reply_not_found(x, "drain", x->params[0]);
        return;
    }
    if (x->query.dry_run) {
        reply_dry_run(x);
        return;
    }
    int rc = target_undrain(x->web->target, id, drain_on_ended, x);
    if (rc != 0) {
        (void)err_set(&e, rc, NULL, "the drain goes on: %s", strerror(-rc));
        reply_err(x, &e);
    }
}
