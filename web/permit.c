/* SPDX-License-Identifier: Apache-2.0 */
/* The table of permissions (see permit.h). */
#include "web/permit.h"

#include "lunmgr/host.h"
#include "web/api.h"
#include "web/resource.h"
#include "web/router.h"

#include <string.h>

static const struct {
    unsigned scopes; /* bits of enum token_scope */
    const char *text;
} permits[] = {
#define BIT(scope) (1U << (scope))
    [PERMIT_ANYONE] = {~0U, "none"},
    [PERMIT_READ] = {BIT(TOKEN_READ) | BIT(TOKEN_PROVISION) | BIT(TOKEN_ADMIN),
                     "read, provision or admin"},
    [PERMIT_ATTACH] = {BIT(TOKEN_READ) | BIT(TOKEN_PROVISION) | BIT(TOKEN_ADMIN) |
                           BIT(TOKEN_ATTACH),
                       "read, provision, admin, or attach for that host"},
    [PERMIT_PROVISION] = {BIT(TOKEN_PROVISION) | BIT(TOKEN_ADMIN), "provision or admin"},
    [PERMIT_MAP] = {BIT(TOKEN_PROVISION) | BIT(TOKEN_ADMIN) | BIT(TOKEN_ATTACH),
                    "provision, admin, or attach for that host"},
    [PERMIT_ADMIN] = {BIT(TOKEN_ADMIN), "admin"},
#undef BIT
};

bool permit_allows(enum permit permit, const struct principal *who)
{
    if (permit == PERMIT_ANYONE || who->is_local)
        return true;
    return who->is_known && (permits[permit].scopes >> who->scope & 1U) != 0;
}

const char *permit_scopes(enum permit permit)
{
    return permits[permit].text;
}

/* The host that the path names last, or the body of what has no parameters. NULL: none
 * is named. */
static const char *named_host(const struct exchange *x)
{
    size_t count = 0;
    const char *last = NULL;
    for (const char *at = x->route->path; (at = strchr(at, '{')) != NULL; at++) {
        last = at;
        count++;
    }
    if (last == NULL)
        return json_string_value(json_object_get(x->body, "host"));
    return strcmp(last, "{host}") == 0 ? x->params[count - 1] : NULL;
}

/* The id of the host that x asks for, or whose mapping it asks for: one that is there or,
 * by its host's name, one that is not. NULL: none. */
static const char *concerned_host(const struct exchange *x, struct host_info *room)
{
    struct lunmgr *m = x->web->lunmgr;
    const char *named = named_host(x);
    struct host *host = NULL;
    if (named != NULL) {
        host = host_find(m, named);
    } else if (x->params[0][0] != '\0') {
        struct mapping *mapping = mapping_find(m, x->params[0]);
        host = mapping == NULL ? NULL : mapping_host(mapping);
    }
    if (host == NULL)
        return NULL;
    host_describe(host, room);
    return room->id;
}

bool permit_is_for_host(const struct principal *who)
{
    return !who->is_local && who->scope == TOKEN_ATTACH;
}

bool permit_concerns(const struct exchange *x)
{
    struct host_info info;
    if (!permit_is_for_host(&x->who) || x->route->permit == PERMIT_ANYONE)
        return true;
    /* A list of mappings shows those of the host alone. */
    if (x->params[0][0] == '\0' && x->route->method == EVHTTP_REQ_GET)
        return true;
    const char *id = concerned_host(x, &info);
    return id != NULL && strcmp(id, x->who.host_id) == 0;
}
