/* SPDX-License-Identifier: Apache-2.0 */
/* Start and stop of the management API: joins the listeners with what the handlers need.
 * Control thread. */
#include "web/web.h"

#include "base/log.h"
#include "lunmgr/loop.h"
#include "lunmgr/lunmgr.h"
#include "web/certificate.h"
#include "web/events.h"
#include "web/exchange.h"
#include "web/feed.h"
#include "web/http.h"
#include "web/news.h"
#include "web/scan.h"
#include "web/server.h"
#include "web/tls.h"
#include "web/watch.h"

#include <string.h>

/* ---- TLS --------------------------------------------------------------------------- */

static int load_files(struct web *web, const char *certificate, const char *key,
                      struct err *e)
{
    if (web->tls == NULL)
        return tls_create(certificate, key, &web->tls, e);
    return tls_load(web->tls, certificate, key, e);
}

/* What we made ourselves can be made anew: then nobody trusts it yet. */
static int load_own(struct web *web, struct err *e)
{
    struct certificate_files own;
    struct err why = {0};
    bool made;
    int rc = certificate_ensure(web->tls_dir, web->tcp.is_any ? NULL : web->tcp.ip, &own,
                                &made, e);
    if (rc != 0)
        return rc;
    if (made)
        log_info("API certificate made", "directory=%s", web->tls_dir);
    rc = load_files(web, own.certificate, own.key, &why);
    if (rc != 0)
        return err_set(e, rc, NULL, "%.500s; remove %s to have a new pair made", why.text,
                       web->tls_dir);
    return 0;
}

int web_reload_certificate(struct web *web, const char *certificate, const char *key,
                           struct err *e)
{
    if (web->tls == NULL)
        return 0;
    return certificate == NULL ? load_own(web, e) : load_files(web, certificate, key, e);
}

static int start_tls(struct web *web, const struct web_options *options, struct err *e)
{
    web->tls_dir = strdup(options->tls_dir);
    if (web->tls_dir == NULL)
        return err_oom(e);
    if (options->tls_certificate == NULL)
        return load_own(web, e);
    return load_files(web, options->tls_certificate, options->tls_key, e);
}

/* ---- The whole --------------------------------------------------------------------- */

static int start_tcp(struct web *web, const struct web_options *options, struct err *e)
{
    int rc = listen_tcp_parse(options->tcp_address, &web->tcp, e);
    if (rc == 0 && (options->tls_always || !web->tcp.is_loopback))
        rc = start_tls(web, options, e);
    return rc != 0 ? rc : http_listen_tcp(web->http, options->tcp_address, web->tls, e);
}

int web_start(const struct web_options *options, struct web **out, struct err *e)
{
    struct web *web = calloc(1, sizeof(*web));
    if (web == NULL)
        return err_oom(e);
    web->lunmgr = options->lunmgr;
    web->target = options->target;
    web->engine = options->engine;
    web->control = options->control;
    web->exchanges_end = &web->exchanges;
    web->slice_us = WEB_SLICE_US;
    web->base = loop_base(options->control);
    int rc = events_create(lunmgr_generation(web->lunmgr), &web->events, e);
    if (rc == 0)
        rc = watches_create(web, web->base, &web->watches, e);
    if (rc == 0)
        rc = news_create(web, web->base, &web->news, e);
    if (rc == 0)
        rc = http_create(web, web->base, options->patience, &web->http, e);
    if (rc == 0 && options->socket_path != NULL)
        rc = http_listen_unix(web->http, options->socket_path, e);
    if (rc == 0 && options->tcp_address != NULL)
        rc = start_tcp(web, options, e);
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
    exchange_abandon_all(web);
    scan_end_all(web);
    feeds_end_all(web);
    news_destroy(web->news);
    watches_destroy(web->watches);
    events_destroy(web->events);
    tls_destroy(web->tls);
    free(web->tls_dir);
    free(web);
}

void web_drain(struct web *web)
{
    web->draining = true;
    news_stopping(web->news);
    watches_end(web->watches);
    feeds_end(web);
}

const char *web_tcp_address(const struct web *web)
{
    return http_tcp_address(web->http);
}

bool web_has_tls(const struct web *web)
{
    return web->tls != NULL;
}
