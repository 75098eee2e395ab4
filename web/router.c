/* SPDX-License-Identifier: Apache-2.0 */
/* The table of routes and what stands before a handler: framing, path, token, query and
 * body, in this order, each with its problem. Control thread. */
#include "web/router.h"

#include "web/api.h"
#include "web/http.h"
#include "web/path.h"
#include "web/token.h"

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define GET    EVHTTP_REQ_GET
#define POST   EVHTTP_REQ_POST
#define PATCH  EVHTTP_REQ_PATCH
#define DELETE EVHTTP_REQ_DELETE
#define ANYONE PERMIT_ANYONE
#define TOKEN  PERMIT_TOKEN

/* clang-format off */
static const struct route routes[] = {
    /* method, who, path, handler, schema of the body, what the query takes */
    {GET,    ANYONE, "/healthz",                                 api_health_show, NULL, QUERY_NONE},
    {GET,    ANYONE, "/readyz",                                  api_ready_show, NULL, QUERY_NONE},
    {GET,    TOKEN,  "/metrics",                                 api_metrics_show, NULL, QUERY_NONE},
    {GET,    TOKEN,  "/v1",                                      api_box_show, NULL, QUERY_NONE},
    {GET,    ANYONE, "/v1/openapi.json",                         api_openapi_show, NULL, QUERY_NONE},
    {GET,    TOKEN,  "/v1/auth",                                 api_auth_show, NULL, QUERY_NONE},
    {PATCH,  TOKEN,  "/v1/auth",                                 api_auth_change, &schema_auth_change, QUERY_NONE},
    {GET,    TOKEN,  "/v1/pools",                                api_pool_list, NULL, QUERY_LIST},
    {POST,   TOKEN,  "/v1/pools",                                api_pool_create, &schema_pool_create, QUERY_NONE},
    {GET,    TOKEN,  "/v1/pools/{pool}",                         api_pool_show, NULL, QUERY_NONE},
    {DELETE, TOKEN,  "/v1/pools/{pool}",                         api_pool_delete, NULL, QUERY_NONE},
    {POST,   TOKEN,  "/v1/pools/{pool}/check",                   api_pool_check, NULL, QUERY_NONE},
    {GET,    TOKEN,  "/v1/volumes",                              api_volume_list, NULL, QUERY_LIST},
    {POST,   TOKEN,  "/v1/volumes",                              api_volume_create, &schema_volume_create, QUERY_NONE},
    {GET,    TOKEN,  "/v1/volumes/{volume}",                     api_volume_show, NULL, QUERY_NONE},
    {PATCH,  TOKEN,  "/v1/volumes/{volume}",                     api_volume_change, &schema_volume_change, QUERY_NONE},
    {DELETE, TOKEN,  "/v1/volumes/{volume}",                     api_volume_delete, NULL, QUERY_PURGE},
    {POST,   TOKEN,  "/v1/volumes/{volume}/rollback",            api_volume_rollback, &schema_volume_rollback, QUERY_NONE},
    {GET,    TOKEN,  "/v1/snapshots",                            api_snapshot_list, NULL, QUERY_LIST | QUERY_VOLUME},
    {POST,   TOKEN,  "/v1/snapshots",                            api_snapshot_create, &schema_snapshot_create, QUERY_NONE},
    {GET,    TOKEN,  "/v1/snapshots/{snapshot}",                 api_snapshot_show, NULL, QUERY_NONE},
    {PATCH,  TOKEN,  "/v1/snapshots/{snapshot}",                 api_snapshot_change, &schema_snapshot_change, QUERY_NONE},
    {DELETE, TOKEN,  "/v1/snapshots/{snapshot}",                 api_snapshot_delete, NULL, QUERY_NONE},
    {GET,    TOKEN,  "/v1/snapshots/{volume}/{snapshot}",        api_snapshot_show, NULL, QUERY_NONE},
    {PATCH,  TOKEN,  "/v1/snapshots/{volume}/{snapshot}",        api_snapshot_change, &schema_snapshot_change, QUERY_NONE},
    {DELETE, TOKEN,  "/v1/snapshots/{volume}/{snapshot}",        api_snapshot_delete, NULL, QUERY_NONE},
    {POST,   TOKEN,  "/v1/snapshot-groups",                      api_snapshot_group_create, &schema_snapshot_group_create, QUERY_NONE},
    {GET,    TOKEN,  "/v1/snapshot-groups/{group}",              api_snapshot_group_show, NULL, QUERY_NONE},
    {GET,    TOKEN,  "/v1/trash",                                api_trash_list, NULL, QUERY_LIST},
    {GET,    TOKEN,  "/v1/trash/{trashed}",                      api_trash_show, NULL, QUERY_NONE},
    {DELETE, TOKEN,  "/v1/trash/{trashed}",                      api_trash_purge, NULL, QUERY_NONE},
    {POST,   TOKEN,  "/v1/trash/{trashed}/restore",              api_trash_restore, &schema_trash_restore, QUERY_NONE},
    {GET,    TOKEN,  "/v1/hosts",                                api_host_list, NULL, QUERY_LIST},
    {POST,   TOKEN,  "/v1/hosts",                                api_host_create, &schema_host_create, QUERY_NONE},
    {GET,    TOKEN,  "/v1/hosts/{host}",                         api_host_show, NULL, QUERY_NONE},
    {PATCH,  TOKEN,  "/v1/hosts/{host}",                         api_host_change, &schema_host_change, QUERY_NONE},
    {DELETE, TOKEN,  "/v1/hosts/{host}",                         api_host_delete, NULL, QUERY_NONE},
    {GET,    TOKEN,  "/v1/initiators/seen",                      api_initiator_seen, NULL, QUERY_LIST},
    {GET,    TOKEN,  "/v1/mappings",                             api_mapping_list, NULL, QUERY_LIST},
    {POST,   TOKEN,  "/v1/mappings",                             api_mapping_create, &schema_mapping_create, QUERY_NONE},
    {GET,    TOKEN,  "/v1/mappings/{mapping}",                   api_mapping_show, NULL, QUERY_NONE},
    {DELETE, TOKEN,  "/v1/mappings/{mapping}",                   api_mapping_delete, NULL, QUERY_NONE},
    {GET,    TOKEN,  "/v1/mappings/{volume}/{host}",             api_mapping_show, NULL, QUERY_NONE},
    {DELETE, TOKEN,  "/v1/mappings/{volume}/{host}",             api_mapping_delete, NULL, QUERY_NONE},
    {GET,    TOKEN,  "/v1/mappings/{volume}/{snapshot}/{host}",  api_mapping_show, NULL, QUERY_NONE},
    {DELETE, TOKEN,  "/v1/mappings/{volume}/{snapshot}/{host}",  api_mapping_delete, NULL, QUERY_NONE},
    {GET,    TOKEN,  "/v1/sessions",                             api_session_list, NULL, QUERY_LIST},
    {GET,    TOKEN,  "/v1/sessions/{session}",                   api_session_show, NULL, QUERY_NONE},
    {DELETE, TOKEN,  "/v1/sessions/{session}",                   api_session_delete, NULL, QUERY_NONE},
    {GET,    TOKEN,  "/v1/drains",                               api_drain_list, NULL, QUERY_LIST},
    {POST,   TOKEN,  "/v1/drains",                               api_drain_create, &schema_drain_create, QUERY_NONE},
    {GET,    TOKEN,  "/v1/drains/{drain}",                       api_drain_show, NULL, QUERY_NONE},
    {DELETE, TOKEN,  "/v1/drains/{drain}",                       api_drain_delete, NULL, QUERY_NONE},
    {GET,    TOKEN,  "/v1/tokens",                               api_token_list, NULL, QUERY_LIST},
    {POST,   TOKEN,  "/v1/tokens",                               api_token_create, &schema_token_create, QUERY_NONE},
    {DELETE, TOKEN,  "/v1/tokens/{token}",                       api_token_delete, NULL, QUERY_NONE},
};
/* clang-format on */

const struct route *router_table(size_t *count)
{
    *count = ARRAY_LEN(routes);
    return routes;
}

static const struct {
    enum evhttp_cmd_type method;
    const char *name;
} methods[] = {
    {EVHTTP_REQ_GET, "GET"},         {EVHTTP_REQ_HEAD, "HEAD"},
    {EVHTTP_REQ_POST, "POST"},       {EVHTTP_REQ_PUT, "PUT"},
    {EVHTTP_REQ_PATCH, "PATCH"},     {EVHTTP_REQ_DELETE, "DELETE"},
    {EVHTTP_REQ_OPTIONS, "OPTIONS"},
};

const char *router_method_name(enum evhttp_cmd_type method)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (methods[i].method == method)
            return methods[i].name;
    }
    return "?";
}

/* ---- Framing ----------------------------------------------------------------------- */

static bool all_digits(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* What evhttp lets pass and two readers might understand in two ways. NULL: sound. */
static const char *framing_fault(struct evhttp_request *req)
{
    unsigned hosts = 0, lengths = 0, encodings = 0, types = 0;
    struct evkeyval *header;
    for (header = evhttp_request_get_input_headers(req)->tqh_first; header != NULL;
         header = header->next.tqe_next) {
        if (header->key[0] == '\0' || header->key[strcspn(header->key, " \t")] != '\0')
            return "a header has no name, or one with a space in it";
        if (strcasecmp(header->key, "Host") == 0) {
            hosts++;
        } else if (strcasecmp(header->key, "Content-Type") == 0) {
            types++;
        } else if (strcasecmp(header->key, "Content-Length") == 0) {
            lengths++;
            if (!all_digits(header->value))
                return "Content-Length is not a number";
        } else if (strcasecmp(header->key, "Transfer-Encoding") == 0) {
            encodings++;
            if (strcasecmp(header->value, "chunked") != 0)
                return "Transfer-Encoding is not chunked";
        }
    }
    if (types > 1)
        return "the body's type is said twice";
    if (lengths + encodings > 1)
        return "the body's length is said twice";
    if (hosts > 1 || (hosts == 0 && req->major == 1 && req->minor == 1))
        return "there must be one Host header";
    if (lengths + encodings > 0 && req->type == EVHTTP_REQ_HEAD)
        return "HEAD has a body";
    return NULL;
}

/* The same of the target: a path, with what a proxy may put before it (RFC 9112, 3.2). */
static const char *target_fault(const struct evhttp_request *req)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    const char *path = evhttp_uri_get_path(uri);
    for (const char *at = evhttp_request_get_uri(req); *at != '\0'; at++) {
        if ((unsigned char)*at <= 0x20 || *at == 0x7f)
            return "the target has a space or a control character in it";
    }
    if (path == NULL || path[0] != '/')
        return "the target is not a path";
    if ((evhttp_uri_get_host(uri) == NULL) != (evhttp_uri_get_scheme(uri) == NULL))
        return "the target names a host without a scheme, or a scheme without a host";
    if (evhttp_uri_get_fragment(uri) != NULL)
        return "the target has a fragment";
    return NULL;
}

static bool check_framing(struct exchange *x)
{
    const char *fault = framing_fault(x->req);
    if (fault == NULL)
        fault = target_fault(x->req);
    if (fault == NULL)
        return true;
    evhttp_add_header(evhttp_request_get_output_headers(x->req), "Connection", "close");
    return !problem_set(&x->problem, PROBLEM_MALFORMED, "%s", fault);
}

/* ---- Before the handler ------------------------------------------------------------ */

/* The methods that the path takes, for Allow. "": no such path. */
static void list_allowed(const char *path, char *out, size_t out_bytes)
{
    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (!path_matches(routes[i].path, path))
            continue;
        size_t at = strlen(out);
        snprintf(out + at, out_bytes - at, "%s%s", at == 0 ? "" : ", ",
                 routes[i].method == GET ? "GET, HEAD"
                                         : router_method_name(routes[i].method));
    }
}

static const struct route *find_route(enum evhttp_cmd_type method, const char *path)
{
    if (method == EVHTTP_REQ_HEAD)
        method = EVHTTP_REQ_GET;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (routes[i].method == method && path_matches(routes[i].path, path))
            return &routes[i];
    }
    return NULL;
}

static bool check_permit(struct exchange *x)
{
    if (http_conn_is_trusted(x->conn))
        return true;
    if (x->route != NULL && x->route->permit == PERMIT_ANYONE)
        return true;
    const char *given =
        evhttp_find_header(evhttp_request_get_input_headers(x->req), "Authorization");
    if (bearer_is_known(x->web->lunmgr, given))
        return true;
    problem_set(&x->problem, PROBLEM_UNAUTHORIZED,
                given == NULL ? "the request carries no token"
                              : "the token is not known here");
    problem_accepts(&x->problem, "Authorization: Bearer TOKEN");
    return false;
}

static bool check_route(struct exchange *x, const char *path)
{
    char allowed[64];
    if (x->route != NULL)
        return true;
    list_allowed(path, allowed, sizeof(allowed));
    if (allowed[0] == '\0') {
        problem_set(&x->problem, PROBLEM_NO_SUCH_ROUTE,
                    "the API has no such path; /v1/openapi.json lists them");
    } else {
        evhttp_add_header(evhttp_request_get_output_headers(x->req), "Allow", allowed);
        problem_set(&x->problem, PROBLEM_METHOD, "the path does not take this method");
        problem_accepts(&x->problem, "%s", allowed);
    }
    return false;
}

static bool check_running(struct exchange *x)
{
    if (!x->web->draining || x->route->method == GET)
        return true;
    return !problem_set(&x->problem, PROBLEM_STOPPING,
                        "the daemon is stopping and takes no changes");
}

static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    if (type == NULL || strncasecmp(type, json, sizeof(json) - 1) != 0)
        return false;
    const char *rest = type + sizeof(json) - 1;
    rest += strspn(rest, " \t");
    return *rest == '\0' || *rest == ';';
}

static bool read_body(struct exchange *x)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(x->req);
    size_t length = evbuffer_get_length(in);
    if (x->route->schema == NULL)
        return length == 0 ||
               !problem_set(&x->problem, PROBLEM_MALFORMED, "this request takes no body");
    const char *type =
        evhttp_find_header(evhttp_request_get_input_headers(x->req), "Content-Type");
    if (length > 0 && !is_json(type)) {
        problem_set(&x->problem, PROBLEM_MEDIA_TYPE, "the body is not said to be JSON");
        problem_accepts(&x->problem, "Content-Type: application/json");
        return false;
    }
    const char *text = length == 0 ? "" : (const char *)evbuffer_pullup(in, -1);
    if (text == NULL)
        return !problem_set(&x->problem, PROBLEM_STOPPING, "out of memory");
    x->body = input_parse(text, length, &x->problem);
    return x->body != NULL;
}

static bool read_query(struct exchange *x, const char *query)
{
    return query_read(query, x->route->query, &x->query, &x->problem);
}

void router_dispatch(struct exchange *x)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(x->req);
    const char *path = evhttp_uri_get_path(uri);
    if (path == NULL)
        path = "";
    x->route = find_route(evhttp_request_get_command(x->req), path);
    if (check_framing(x) && check_permit(x) && check_route(x, path) && check_running(x) &&
        path_params(x->route->path, path, x->params, &x->problem) &&
        read_query(x, evhttp_uri_get_query(uri)) && read_body(x))
        x->route->handler(x);
    else
        reply_problem(x);
}
