/* SPDX-License-Identifier: Apache-2.0 */
/* Start and stop of the management API: joins the listeners with what the handlers need.
 * Control thread. */
#include "web/web.h"

#include "lunmgr/loop.h"
#include "web/digest.h"
#include "web/http.h"
#include "web/scan.h"
#include "web/server.h"

int web_start(const struct web_options *options, struct web **out, struct err *e)
{
    struct web *web = calloc(1, sizeof(*web));
    if (web == NULL)
        return err_oom(e);
    web->lunmgr = options->lunmgr;
    web->target = options->target;
    web->engine = options->engine;
    web->slice_us = WEB_SLICE_US;
    web->base = loop_base(options->control);
    int rc = digest_make_key(web->tag_key, e);
    if (rc == 0)
        rc = http_create(web, web->base, &web->http, e);
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
    scan_end_all(web);
    free(web);
}

void web_drain(struct web *web)
{
    web->draining = true;
}

const char *web_tcp_address(const struct web *web)
{
    return http_tcp_address(web->http);
}
