/* SPDX-License-Identifier: Apache-2.0 */
/* Start and stop of the management API: joins the listeners with what the handlers need.
 * Control thread. */
#include "web/web.h"

#include "lunmgr/loop.h"
#include "lunmgr/lunmgr.h"
#include "web/events.h"
#include "web/http.h"
#include "web/news.h"
#include "web/server.h"
#include "web/watch.h"

int web_start(const struct web_options *options, struct web **out, struct err *e)
{
    struct web *web = calloc(1, sizeof(*web));
    if (web == NULL)
        return err_oom(e);
    web->lunmgr = options->lunmgr;
    web->target = options->target;
    web->engine = options->engine;
    struct event_base *base = loop_base(options->control);
    int rc = events_create(lunmgr_generation(web->lunmgr), &web->events, e);
    if (rc == 0)
        rc = watches_create(web, base, &web->watches, e);
    if (rc == 0)
        rc = news_create(web, base, &web->news, e);
    if (rc == 0)
        rc = http_create(web, base, &web->http, e);
    if (rc == 0 && options->socket_path != NULL)
        rc = http_listen_unix(web->http, options->socket_path, e);
    if (rc == 0 && options->tcp_address != NULL)
        rc = http_listen_tcp(web->http, options->tcp_address, e);
    if (rc != 0) {
        web_stop(web);
        return rc;
    }
    *out = web;
    return 0;
}

void web_stop(struct web *web)
{
    if (web == NULL)
        return;
    http_destroy(web->http);
    news_destroy(web->news);
    watches_destroy(web->watches);
    events_destroy(web->events);
    free(web);
}

void web_drain(struct web *web)
{
    web->draining = true;
    news_stopping(web->news);
    watches_end(web->watches);
}

const char *web_tcp_address(const struct web *web)
{
    return http_tcp_address(web->http);
}
