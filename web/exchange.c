/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one request after HTTP has read it: its answer in JSON or problem+json, or
 * the end of its client. Control thread. */
#include "web/exchange.h"

#include "web/http.h"
#include "web/resource.h"
#include "web/router.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <string.h>

struct exchange *exchange_create(struct web *web, struct http_conn *conn,
                                 struct evhttp_request *req)
{
    struct exchange *x = calloc(1, sizeof(*x));
    if (x == NULL)
        return NULL;
    x->web = web;
    x->conn = conn;
    x->req = req;
    return x;
}

static void exchange_free(struct exchange *x)
{
    json_decref(x->body);
    explicit_bzero(&x->secret, sizeof(x->secret));
    free(x);
}

void exchange_orphan(struct exchange *x)
{
    x->web = NULL;
    x->conn = NULL;
    x->req = NULL;
}

bool exchange_is_live(struct exchange *x)
{
    if (x->req != NULL)
        return true;
    exchange_free(x);
    return false;
}

const char *exchange_key(const struct exchange *x, char key[WEB_KEY_MAX])
{
    size_t at = 0;
    key[0] = '\0';
    for (size_t i = 0; i < WEB_PARAMS_MAX && x->params[i][0] != '\0'; i++)
        at += (size_t)snprintf(key + at, WEB_KEY_MAX - at, "%s%s", i == 0 ? "" : "/",
                               x->params[i]);
    return key;
}

/* ---- Sending ----------------------------------------------------------------------- */

static void add_header(struct exchange *x, const char *name, const char *value)
{
    evhttp_add_header(evhttp_request_get_output_headers(x->req), name, value);
}

static void log_exchange(const struct exchange *x, int status)
{
    char path[128];
    enum evhttp_cmd_type method = evhttp_request_get_command(x->req);
    bool reads = method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD;
    log_write(reads ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "api request",
              "method=%s path=%s status=%d client=%s", router_method_name(method),
              log_quote(path, sizeof(path), evhttp_request_get_uri(x->req)), status,
              http_conn_is_trusted(x->conn) ? "local" : "token");
}

static void note_answer(struct exchange *x, int status)
{
    struct web *web = x->web;
    assert(status >= 100 && status / 100 < WEB_STATUS_CLASSES);
    web->counters.replies[status / 100]++;
    log_exchange(x, status);
}

/* The last step of every answer: type and text may be NULL for none. */
static void send_answer(struct exchange *x, int status, const char *type,
                        const char *text, size_t length)
{
    note_answer(x, status);
    add_header(x, "Cache-Control", "no-store");
    if (type != NULL)
        add_header(x, "Content-Type", type);
    struct evbuffer *out = evhttp_request_get_output_buffer(x->req);
    if (evhttp_request_get_command(x->req) == EVHTTP_REQ_HEAD) {
        char bytes[24];
        snprintf(bytes, sizeof(bytes), "%zu", length);
        add_header(x, "Content-Length", bytes);
    } else if (length > 0) {
        evbuffer_add(out, text, length);
    }
    struct http_conn *conn = x->conn;
    struct evhttp_request *req = x->req;
    exchange_free(x);
    http_conn_answered(conn);
    evhttp_send_reply(req, status, NULL, NULL);
}

static void send_json(struct exchange *x, int status, const char *type, json_t *body)
{
    static const char no_memory[] =
        "{\"type\":\"/problems/internal\",\"title\":\"The daemon could not do it\","
        "\"status\":500,\"detail\":\"out of memory\"}";
    AUTO_FREE char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (text == NULL)
        send_answer(x, 500, "application/problem+json", no_memory, strlen(no_memory));
    else
        send_answer(x, status, type, text, strlen(text));
}

/* ---- Answers ----------------------------------------------------------------------- */

void reply_json(struct exchange *x, int status, json_t *body)
{
    send_json(x, status, "application/json", body);
}

void reply_json_text(struct exchange *x, const struct json_text *body)
{
    if (body->failed)
        reply_json(x, 200, NULL);
    else
        send_answer(x, 200, "application/json", body->at, body->length);
}

void reply_created(struct exchange *x, const char *collection, const char *id,
                   json_t *body)
{
    char location[128];
    snprintf(location, sizeof(location), "%s/%s", collection, id);
    add_header(x, "Location", location);
    reply_json(x, 201, body);
}

static void add_etag(struct exchange *x, const struct resource *r, const void *info)
{
    char etag[ETAG_MAX];
    resource_info_etag(x->web, r, info, etag);
    add_header(x, "ETag", etag);
}

void exchange_tag(struct exchange *x, const struct resource *r, const void *object)
{
    union resource_room room;
    add_etag(x, r, resource_info(x->web, r, object, &room));
}

void reply_resource(struct exchange *x, int status, const struct resource *r,
                    const void *object)
{
    union resource_room room;
    char id[RESOURCE_ID_MAX];
    const void *info = resource_info(x->web, r, object, &room);
    json_t *body = resource_info_json(x->web, r, info, RESOURCE_ALL_FIELDS);
    add_etag(x, r, info);
    if (status == 201)
        reply_created(x, r->collection, resource_id(r, info, id), body);
    else
        reply_json(x, status, body);
}

void reply_empty(struct exchange *x)
{
    send_answer(x, 204, NULL, NULL, 0);
}

void reply_not_modified(struct exchange *x)
{
    send_answer(x, 304, NULL, NULL, 0);
}

void reply_text(struct exchange *x, const char *type, const char *text, size_t length)
{
    send_answer(x, 200, type, text, length);
}

void reply_problem(struct exchange *x)
{
    char seconds[16];
    int status = problem_status(x->problem.kind);
    if (status == 401)
        add_header(x, "WWW-Authenticate", "Bearer realm=\"ashlar\"");
    if (status == 503) {
        snprintf(seconds, sizeof(seconds), "%d", WEB_RETRY_AFTER_S);
        add_header(x, "Retry-After", seconds);
    }
    send_json(x, status, "application/problem+json", problem_json(&x->problem));
}

void reply_err(struct exchange *x, const struct err *e)
{
    const struct schema *schema = x->route->schema;
    problem_of_err(&x->problem, e, schema != NULL && schema_has_field(schema, e->field));
    reply_problem(x);
}

void reply_not_found(struct exchange *x, const char *what, const char *name)
{
    problem_set(&x->problem, PROBLEM_NOT_FOUND, "there is no %s %s", what, name);
    reply_problem(x);
}

void reply_done(void *exchange, const struct err *e)
{
    struct exchange *x = exchange;
    if (!exchange_is_live(x))
        return;
    if (e != NULL)
        reply_err(x, e);
    else
        reply_empty(x);
}
