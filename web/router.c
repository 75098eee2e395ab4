/* SPDX-License-Identifier: Apache-2.0 */
/* What stands before a handler: framing, who asks, path, query and body, in this order,
 * each with its problem. Control thread. */
#include "web/router.h"

#include "web/api.h"
#include "web/http.h"
#include "web/path.h"
#include "web/resource.h"
#include "web/token.h"

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

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
    if (encodings > 0 && req->major == 1 && req->minor == 0)
        return "HTTP/1.0 has no Transfer-Encoding";
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
    const char *fault = http_conn_fault(x->conn);
    if (fault == NULL)
        fault = framing_fault(x->req);
    if (fault == NULL)
        fault = target_fault(x->req);
    if (fault == NULL)
        return true;
    exchange_add_header(x, "Connection", "close");
    return !problem_set(&x->problem, PROBLEM_MALFORMED, "%s", fault);
}

/* ---- Before the handler ------------------------------------------------------------ */

const struct route *router_find(enum evhttp_cmd_type method, const char *path)
{
    size_t count;
    const struct route *routes = router_table(&count);
    if (method == EVHTTP_REQ_HEAD)
        method = EVHTTP_REQ_GET;
    for (size_t i = 0; i < count; i++) {
        if (routes[i].method == method && path_matches(routes[i].path, path))
            return &routes[i];
    }
    return NULL;
}

/* The methods that the path takes, for Allow. "": no such path. */
static void list_allowed(const char *path, char *out, size_t out_bytes)
{
    size_t count;
    const struct route *routes = router_table(&count);
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (router_find(routes[i].method, path) != &routes[i])
            continue;
        size_t at = strlen(out);
        snprintf(out + at, out_bytes - at, "%s%s", at == 0 ? "" : ", ",
                 routes[i].method == EVHTTP_REQ_GET
                     ? "GET, HEAD"
                     : router_method_name(routes[i].method));
    }
}

/* An address that has guessed too often is told so whatever it brings. */
static bool check_unlocked(struct exchange *x)
{
    unsigned wait_s = http_conn_locked_s(x->conn);
    if (wait_s == 0)
        return true;
    x->web->counters.auth_locked++;
    problem_set(&x->problem, PROBLEM_TOO_MANY,
                "too many tokens from this address were not known; wait %u s", wait_s);
    x->problem.retry_after_s = wait_s;
    return false;
}

static bool is_change(const struct route *route)
{
    return route->method != EVHTTP_REQ_GET;
}

enum query_take router_query(const struct route *route)
{
    return is_change(route) ? route->query | QUERY_DRY_RUN : route->query;
}

bool router_tells_once(const struct route *route)
{
    return route->schema == &schema_token_create;
}

/* Who asks. Without a token on TCP: nobody known. */
static void identify(struct exchange *x)
{
    http_conn_identify(x->conn, &x->who);
    if (!x->who.is_local)
        bearer_identify(x->web->lunmgr, exchange_header(x, "Authorization"), &x->who);
}

static bool check_known(struct exchange *x)
{
    if (x->who.is_local || (x->route != NULL && x->route->permit == PERMIT_ANYONE))
        return true;
    if (!check_unlocked(x))
        return false;
    if (x->who.is_known)
        return true;
    bool has_token = exchange_header(x, "Authorization") != NULL;
    if (has_token)
        http_conn_failed(x->conn);
    problem_set(&x->problem, PROBLEM_UNAUTHORIZED, "%s",
                has_token ? "the token is not known here, or has expired"
                          : "the request carries no token");
    problem_accepts(&x->problem, "Authorization: Bearer TOKEN");
    return false;
}

static bool forbid(struct exchange *x)
{
    problem_set(&x->problem, PROBLEM_FORBIDDEN, "the token's scope does not allow it");
    problem_accepts(&x->problem, "a token with the scope %s",
                    permit_scopes(x->route->permit));
    return false;
}

static bool check_permit(struct exchange *x)
{
    return permit_allows(x->route->permit, &x->who) || forbid(x);
}

static bool check_concern(struct exchange *x)
{
    return permit_concerns(x) || forbid(x);
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
        exchange_add_header(x, "Allow", allowed);
        problem_set(&x->problem, PROBLEM_METHOD, "the path does not take this method");
        problem_accepts(&x->problem, "%s", allowed);
    }
    return false;
}

static bool check_running(struct exchange *x)
{
    if (!x->web->draining || !is_change(x->route))
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
    if (length > 0 && !is_json(exchange_header(x, "Content-Type"))) {
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
    return query_read(query, router_query(x->route), &x->query, &x->problem);
}

static void enter(struct exchange *x)
{
    if (!check_concern(x))
        reply_problem(x);
    else if (is_change(x->route))
        admit_change(x);
    else
        x->route->handler(x);
}

void router_dispatch(struct exchange *x)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(x->req);
    const char *path = evhttp_uri_get_path(uri);
    if (path == NULL)
        path = "";
    x->route = router_find(evhttp_request_get_command(x->req), path);
    identify(x);
    if (check_framing(x) && check_known(x) && check_route(x, path) && check_permit(x) &&
        check_running(x) && path_params(x->route->path, path, x->params, &x->problem) &&
        read_query(x, evhttp_uri_get_query(uri)) && read_body(x))
        enter(x);
    else
        reply_problem(x);
}

/* ---- Parts ------------------------------------------------------------------------- */

/* False: x->problem says why. */
static bool part_begin(struct exchange *x, const struct part *part)
{
    x->route = router_find(part->method, part->path);
    x->query.dry_run = part->dry_run;
    if (part->body != NULL) /* its own: a handler puts names in, and wipes secrets out */
        x->body = json_deep_copy(part->body);
    return check_route(x, part->path) && check_permit(x) &&
           path_params(x->route->path, part->path, x->params, &x->problem);
}

void router_part(const struct exchange *whole, const struct part *part)
{
    struct exchange *x = exchange_create_part(whole, part->answered, part->arg);
    if (x == NULL)
        part->answered(part->arg, 503, NULL);
    else if (part_begin(x, part))
        enter(x);
    else
        reply_problem(x);
}

void router_show(const struct exchange *x, const char *id, part_done_fn answered,
                 void *arg)
{
    char path[WEB_PATTERN_MAX + WEB_KEY_MAX];
    const struct resource *r =
        x->route->shows != NULL ? x->route->shows : x->route->resource;
    int length = (int)strcspn(x->route->path, "{");
    if (r != NULL)
        snprintf(path, sizeof(path), "%s%s%s", r->collection, r->is_single ? "" : "/",
                 r->is_single ? "" : id);
    else
        snprintf(path, sizeof(path), "%.*s/%s", length, x->route->path, id);
    router_part(
        x, &(const struct part){
               .method = EVHTTP_REQ_GET, .path = path, .answered = answered, .arg = arg});
}
