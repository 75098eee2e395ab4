/* SPDX-License-Identifier: Apache-2.0 */
/* The API's routes as one const table (routes.c), and the way of a request through it:
 * framing, who asks and may that one, path, query, body; then, of a change, what admit.h
 * says; then the handler. Control thread. */
#ifndef WEB_ROUTER_H
#define WEB_ROUTER_H

#include "web/exchange.h"
#include "web/json_in.h"

#include <event2/http.h>
#include <event2/http_struct.h>

struct route {
    enum evhttp_cmd_type method; /* HEAD goes where GET goes; GET changes nothing */
    enum permit permit;
    int status;            /* of success */
    const char *operation; /* its name: in the document, the audit, events */
    const char *path;      /* segments in braces are parameters */
    void (*handler)(struct exchange *x);
    const struct schema *schema; /* of the body; NULL: takes none */
    enum query_take query;
    const struct resource *resource; /* what the path is about; NULL: something else */
    const struct resource *shows;    /* what its answer shows; NULL: the same */
};

const struct route *router_table(size_t *count);
const char *router_method_name(enum evhttp_cmd_type method);
/* NULL: there is none. */
const struct route *router_find(enum evhttp_cmd_type method, const char *path);
/* What the route takes in its query. */
enum query_take router_query(const struct route *route);
/* Whether the answer has what will never be told again, so that no repetition can have
 * it: a new token. */
bool router_tells_once(const struct route *route);

/* Takes over a request just read: calls its handler, or answers why not. */
void router_dispatch(struct exchange *x);

/* A request that x makes for itself, with its rights. answered: at once or later. */
struct part {
    enum evhttp_cmd_type method;
    const char *path;
    const json_t *body; /* NULL: none */
    bool dry_run;
    part_done_fn answered;
    void *arg;
};
void router_part(const struct exchange *x, const struct part *part);
/* What x's route is about, by its id, as its own GET shows it. */
void router_show(const struct exchange *x, const char *id, part_done_fn answered,
                 void *arg);

#endif
