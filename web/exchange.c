/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one request after HTTP has read it: its answer in JSON or problem+json, or
 * the end of its client. Control thread. */
#include "web/exchange.h"

#include "lunmgr/replay.h"
#include "web/announce.h"
#include "web/differ.h"
#include "web/http.h"
#include "web/news.h"
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
    x->link = web->exchanges_end;
    *x->link = x;
    web->exchanges_end = &x->next;
    return x;
}

struct exchange *exchange_create_part(const struct exchange *whole, part_done_fn answered,
                                      void *arg)
{
    struct exchange *x = exchange_create(whole->web, NULL, NULL);
    if (x == NULL)
        return NULL;
    x->who = whole->who;
    x->answered = answered;
    x->answered_arg = arg;
    return x;
}

static void exchange_unlink(struct exchange *x)
{
    *x->link = x->next;
    if (x->next != NULL)
        x->next->link = x->link;
    else
        x->web->exchanges_end = x->link;
}

static void exchange_free(struct exchange *x)
{
    if (x->web != NULL) {
        exchange_unlink(x);
        admit_leave(x);
    }
    json_decref(x->body);
    json_decref(x->answer);
    free(x->passage.request);
    explicit_bzero(&x->secret, sizeof(x->secret));
    free(x);
}

void exchange_orphan(struct exchange *x)
{
    x->conn = NULL;
    x->req = NULL;
    if (x->passage.is_waiting)
        exchange_free(x);
}

static bool has_client(const struct exchange *x)
{
    return x->req != NULL || x->answered != NULL;
}

static void end_part(struct exchange *x, int status, json_t *body)
{
    part_done_fn answered = x->answered;
    void *arg = x->answered_arg;
    exchange_free(x);
    answered(arg, status, body);
}

void exchange_abandon_all(struct web *web)
{
    struct exchange *next;
    for (struct exchange *x = web->exchanges; x != NULL; x = next) {
        next = x->next;
        x->web = NULL;
        if (x->passage.is_waiting && x->answered != NULL)
            end_part(x, 503, NULL);
        else if (x->passage.is_waiting)
            exchange_free(x);
    }
    web->exchanges = NULL;
}

bool exchange_is_live(struct exchange *x)
{
    if (x->web != NULL && has_client(x))
        return true;
    if (x->answered != NULL)
        end_part(x, 503, NULL);
    else
        exchange_free(x);
    return false;
}

bool exchange_resume(struct exchange *x, const struct err *e)
{
    if (x->web != NULL && e == NULL && !x->query.dry_run)
        announce_change(x);
    if (!exchange_is_live(x))
        return false;
    if (e == NULL && !x->query.dry_run)
        return true;
    if (e != NULL)
        reply_err(x, e);
    else
        reply_dry_run(x);
    return false;
}

const char *exchange_header(const struct exchange *x, const char *name)
{
    return x->req == NULL
               ? NULL
               : evhttp_find_header(evhttp_request_get_input_headers(x->req), name);
}

const void *exchange_object(const struct exchange *x)
{
    char key[WEB_KEY_MAX];
    const struct resource *resource = x->route->resource;
    if (resource == NULL || resource->find == NULL ||
        (x->params[0][0] == '\0' && !resource->is_single))
        return NULL;
    return resource->find(x->web, exchange_key(x, key));
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

void exchange_add_header(struct exchange *x, const char *name, const char *value)
{
    if (x->req == NULL)
        return;
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
              x->who.is_local ? "local" : x->who.address);
}

static void note_answer(struct exchange *x, int status)
{
    struct web *web = x->web;
    assert(status >= 100 && status / 100 < WEB_STATUS_CLASSES);
    web->counters.replies[status / 100]++;
    log_exchange(x, status);
}

struct evhttp_request *reply_begin(struct exchange *x, const char *type)
{
    struct evhttp_request *req = x->req;
    note_answer(x, 200);
    exchange_add_header(x, "Cache-Control", "no-store");
    exchange_add_header(x, "Content-Type", type);
    exchange_free(x);
    return req;
}

/* The last step of every other answer: type and text may be NULL for none. */
static void send_answer(struct exchange *x, int status, const char *type,
                        const char *text, size_t length)
{
    note_answer(x, status);
    exchange_add_header(x, "Cache-Control", "no-store");
    if (type != NULL)
        exchange_add_header(x, "Content-Type", type);
    struct evbuffer *out = evhttp_request_get_output_buffer(x->req);
    if (evhttp_request_get_command(x->req) == EVHTTP_REQ_HEAD) {
        char bytes[24];
        snprintf(bytes, sizeof(bytes), "%zu", length);
        exchange_add_header(x, "Content-Length", bytes);
    } else if (length > 0) {
        evbuffer_add(out, text, length);
    }
    struct http_conn *conn = x->conn;
    struct evhttp_request *req = x->req;
    exchange_free(x);
    http_conn_answered(conn);
    evhttp_send_reply(req, status, NULL, NULL);
}

/* A repetition is answered with the same. */
static void keep_answer(const struct exchange *x, int status, const char *text)
{
    const struct record *r = &x->passage.record;
    if (x->passage.is_changing && r->key[0] != '\0' && status < 300)
        replay_answer(x->web->lunmgr, r->principal, r->key, status,
                      router_tells_once(x->route) ? NULL : text);
}

/* Of no part. */
static void send_json_text(struct exchange *x, int status, const char *type,
                           struct json_text *body)
{
    static const char no_memory[] =
        "{\"type\":\"/problems/internal\",\"title\":\"The daemon could not do it\","
        "\"status\":500,\"detail\":\"out of memory\"}";
    const char *text = json_text_end(body);
    if (text == NULL) {
        send_answer(x, 500, "application/problem+json", no_memory, strlen(no_memory));
        return;
    }
    keep_answer(x, status, text);
    send_answer(x, status, type, text, body->length);
}

static void send_json(struct exchange *x, int status, const char *type, json_t *body)
{
    if (x->answered != NULL) {
        end_part(x, status, body);
        return;
    }
    struct json_text text = {.at = NULL};
    json_text_value(&text, body);
    send_json_text(x, status, type, &text);
    json_text_fini(&text);
}

/* ---- Answers ----------------------------------------------------------------------- */

void reply_json(struct exchange *x, int status, json_t *body)
{
    send_json(x, status, "application/json", body);
}

void reply_json_text(struct exchange *x, int status, struct json_text *body)
{
    if (x->answered != NULL)
        end_part(x, status,
                 body->failed ? NULL : json_loadb(body->at, body->length, 0, NULL));
    else
        send_json_text(x, status, "application/json", body);
}

void reply_members(struct exchange *x, int status, const struct resource *r,
                   const void *info, uint64_t fields)
{
    struct json_text text = {.at = NULL};
    resource_put(&text, x->web, r, info, fields);
    reply_json_text(x, status, &text);
    json_text_fini(&text);
}

static void add_location(struct exchange *x, const char *collection, const char *id)
{
    char location[128];
    snprintf(location, sizeof(location), "%s/%s", collection, id);
    exchange_add_header(x, "Location", location);
}

void reply_created(struct exchange *x, const char *collection, const char *id,
                   json_t *body)
{
    add_location(x, collection, id);
    reply_json(x, 201, body);
}

static void add_etag(struct exchange *x, const struct resource *r, const void *info)
{
    char etag[ETAG_MAX];
    resource_info_etag(x->web, r, info, etag);
    exchange_add_header(x, "ETag", etag);
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
    add_etag(x, r, info);
    if (status == 201 || status == 202)
        add_location(x, r->collection, resource_id(r, info, id));
    reply_members(x, status, r, info, RESOURCE_ALL_FIELDS);
}

void reply_empty(struct exchange *x)
{
    if (x->answered != NULL) {
        end_part(x, 204, NULL);
        return;
    }
    keep_answer(x, 204, "");
    send_answer(x, 204, NULL, NULL, 0);
}

/* Where what was made is: where it was then. */
static void reply_made_again(struct exchange *x, int status, json_t *body)
{
    char id[RESOURCE_ID_MAX];
    const struct route *route = x->route;
    const struct resource *r = route->shows != NULL ? route->shows : route->resource;
    snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(body, "id")));
    add_location(x, r != NULL ? r->collection : route->path, id);
    reply_json(x, status, body);
}

void reply_again(struct exchange *x, int status, json_t *body)
{
    exchange_add_header(x, "Idempotency-Replayed", "true");
    if (status == 204)
        reply_empty(x);
    else if (status != 200 && json_is_string(json_object_get(body, "id")))
        reply_made_again(x, status, body);
    else
        reply_json(x, status, body);
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
    if (status == 401) {
        exchange_add_header(x, "WWW-Authenticate", "Bearer realm=\"ashlar\"");
        news_client_refused(x);
    }
    if (status == 503)
        x->problem.retry_after_s = WEB_RETRY_AFTER_S;
    if (x->problem.retry_after_s > 0) {
        snprintf(seconds, sizeof(seconds), "%u", x->problem.retry_after_s);
        exchange_add_header(x, "Retry-After", seconds);
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
    if (exchange_resume(x, e))
        reply_empty(x);
}
