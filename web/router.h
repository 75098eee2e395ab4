/* SPDX-License-Identifier: Apache-2.0 */
/* The API's routes as one const table, and the way of a request through it: path, token,
 * query, body, handler. Control thread. */
#ifndef WEB_ROUTER_H
#define WEB_ROUTER_H

#include "web/exchange.h"
#include "web/json_in.h"

#include <event2/http.h>
#include <event2/http_struct.h>

enum permit {
    PERMIT_ANYONE, /* even on TCP without a token: says nothing of the box */
    PERMIT_TOKEN,  /* the Unix socket, or TCP with a token */
};

struct route {
    enum evhttp_cmd_type method; /* HEAD goes where GET goes */
    enum permit permit;
    const char *path; /* segments in braces are parameters */
    void (*handler)(struct exchange *x);
    const struct schema *schema; /* of the body; NULL: takes none */
    enum query_take query;
    const struct resource *resource; /* what a reply shows; NULL: something else */
};

/* For the test that holds the table against the OpenAPI document. */
const struct route *router_table(size_t *count);
const char *router_method_name(enum evhttp_cmd_type method);

/* Takes over a request just read: calls its handler, or answers why not. */
void router_dispatch(struct exchange *x);

#endif
