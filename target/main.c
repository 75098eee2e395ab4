/* SPDX-License-Identifier: Apache-2.0 */
/* ashlard: joins catalog, LUN manager, target and API, and runs the control loop until it
 * is told to stop. Everything that the process does as a whole is here: signals, the log
 * sink, the service manager. */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "db/catalog.h"
#include "lunmgr/accept.h"
#include "lunmgr/loop.h"
#include "lunmgr/lunmgr.h"
#include "target/config.h"
#include "target/target.h"
#include "web/web.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#define STOP_TIMEOUT_MS      8000
#define STOP_IO_TIMEOUTS     2 /* after that: for I/O to be given up, and last rounds */
#define LAST_TURNS           8 /* of the control loop */
#define CATALOG_READER_COUNT 4
#define EXIT_BAD_CONFIG      2

struct daemon {
    int argc;
    char *const *argv;
    struct config config;
    struct loop *control;
    struct catalog *catalog;
    struct lunmgr *lunmgr;
    struct target *target;
    struct web *web;
    struct event *on_term, *on_int, *on_hup;
    bool stopping;
};

static void complain(const struct err *e)
{
    fprintf(stderr, "ashlard: %s\n", e->text);
}

/* ---- the log ---- */

/* Whether stderr is the journal's: systemd.exec(5), JOURNAL_STREAM. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    char here[64];
    if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
        return false;
    snprintf(here, sizeof(here), "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    return strcmp(stream, here) == 0;
}

static void log_to_journal(enum log_level level, const char *line, void *arg)
{
    static const char *const prefix[] = {
        [LOG_LEVEL_ERROR] = SD_ERR,
        [LOG_LEVEL_WARNING] = SD_WARNING,
        [LOG_LEVEL_INFO] = SD_INFO,
        [LOG_LEVEL_DEBUG] = SD_DEBUG,
    };
    (void)arg;
    fprintf(stderr, "%s%s\n", prefix[level], line);
}

static void log_setup(const struct config *config)
{
    if (stderr_is_journal())
        log_set_sink(log_to_journal, NULL);
    log_set_level(config->log_level);
}

/* What "auto" comes to; e says why it is not io_uring. */
static const char *engine_in_use(enum engine_kind kind, struct err *e)
{
    return kind == ENGINE_THREADS || engine_probe_uring(e) != 0 ? "threads" : "uring";
}

/* ---- start ---- */

/* NULL: not given. */
static const char *given(const char *value)
{
    return value[0] != '\0' ? value : NULL;
}

static int daemon_open_catalog(struct daemon *d, struct err *e)
{
    const char *dir = d->config.state_dir;
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return err_set(e, -errno, "state-dir", "state-dir %s: %s", dir, strerror(errno));
    struct catalog_options options = {.dir = dir,
                                      .reader_count = CATALOG_READER_COUNT,
                                      .mirror_dir = given(d->config.catalog_mirror)};
    return catalog_open(&options, &d->catalog, e);
}

/* In place of a start. */
static int daemon_restore(const struct daemon *d)
{
    struct err e = {0};
    const char *dir = d->config.state_dir, *from = d->config.restore_catalog;
    if (catalog_restore(dir, from, &e) != 0) {
        complain(&e);
        return EXIT_FAILURE;
    }
    printf("the catalog in %s was restored from %s\n", dir, from);
    return EXIT_SUCCESS;
}

/* In place of a start. */
static int daemon_accept(struct daemon *d)
{
    struct err e = {0};
    unsigned count = 0;
    int rc = daemon_open_catalog(d, &e);
    if (rc == 0)
        rc = catalog_accept(d->catalog, &count, &e);
    catalog_close(d->catalog);
    if (rc != 0) {
        complain(&e);
        return EXIT_FAILURE;
    }
    printf("the catalog in %s was accepted for %u devices\n", d->config.state_dir, count);
    return EXIT_SUCCESS;
}

static int daemon_open_lunmgr(struct daemon *d, struct err *e)
{
    struct lunmgr_options options = {
        .catalog = d->catalog,
        .control = d->control,
        .engine = d->config.engine,
        .round_interval_ms = d->config.round_interval_ms,
        .io_timeout_ms = d->config.io_timeout_ms,
        .space_grace_ms = d->config.space_grace_ms,
        .leaf_cache_bytes = d->config.leaf_cache_bytes,
        .trash_retention_s = d->config.trash_retention_s,
    };
    return lunmgr_open(&options, &d->lunmgr, e);
}

static int daemon_start_target(struct daemon *d, struct err *e)
{
    char name[TARGET_NAME_MAX];
    snprintf(name, sizeof(name), "iqn.2026-11.org.ashlar:%.8s", lunmgr_box_id(d->lunmgr));
    struct target_options options = {
        .lunmgr = d->lunmgr,
        .control = d->control,
        .name = d->config.target_name[0] != '\0' ? d->config.target_name : name,
        .reactor_count = d->config.reactors,
        .engine = d->config.engine,
        .portals = d->config.portals.pointers,
        .portal_count = d->config.portals.count,
        .advertise = d->config.advertise.pointers,
        .advertise_count = d->config.advertise.count,
        .keepalive = d->config.keepalive,
        .limits = &d->config.limits,
    };
    return target_start(&options, &d->target, e);
}

static int daemon_start_web(struct daemon *d, struct err *e)
{
    const struct config *config = &d->config;
    char tls_dir[CONFIG_VALUE_MAX + 8];
    snprintf(tls_dir, sizeof(tls_dir), "%s/tls", config->state_dir);
    struct web_options options = {
        .lunmgr = d->lunmgr,
        .target = d->target,
        .control = d->control,
        .engine = engine_in_use(config->engine, NULL),
        .socket_path = given(config->api_socket),
        .tcp_address = given(config->api),
        .tls_always = config->api_tls_always,
        .tls_certificate = given(config->api_certificate),
        .tls_key = given(config->api_key),
        .tls_dir = tls_dir,
    };
    return web_start(&options, &d->web, e);
}

static int daemon_start(struct daemon *d, struct err *e)
{
    int rc = loop_create("control", &d->control, e);
    if (rc == 0)
        rc = daemon_open_catalog(d, e);
    if (rc == 0)
        rc = daemon_open_lunmgr(d, e);
    if (rc == 0)
        rc = daemon_start_target(d, e);
    if (rc == 0)
        rc = daemon_start_web(d, e);
    return rc;
}

static void daemon_announce(const struct daemon *d)
{
    for (size_t i = 0; i < target_portal_count(d->target); i++)
        log_info("iSCSI portal", "address=%s target=%s", target_portal(d->target, i),
                 target_name(d->target));
    if (d->config.api_socket[0] != '\0')
        log_info("API socket", "path=%s", d->config.api_socket);
    if (web_tcp_address(d->web) != NULL)
        log_info("API", "address=%s tls=%s", web_tcp_address(d->web),
                 web_has_tls(d->web) ? "yes" : "no");
    log_info("ready", "version=%s reactors=%u", ASHLAR_VERSION, d->config.reactors);
    sd_notify(0, "READY=1");
}

/* ---- signals ---- */

/* A disk that does not answer may keep a thread in the kernel for ever, and with it the
 * orderly end: then the process goes without. The catalog is whole as its last commit
 * left it. */
static void *daemon_bound_stop(void *arg)
{
    const struct daemon *d = arg;
    unsigned ms = STOP_TIMEOUT_MS + STOP_IO_TIMEOUTS * d->config.io_timeout_ms;
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    while (nanosleep(&left, &left) != 0)
        ;
    log_error("stopped with disk I/O under way", NULL);
    _exit(EXIT_FAILURE);
}

static void daemon_start_bound(struct daemon *d)
{
    pthread_t thread;
    int rc = pthread_create(&thread, NULL, daemon_bound_stop, d);
    if (rc == 0)
        pthread_detach(thread);
    else
        log_warning("the time of the stop is not bounded", "error=\"%s\"", strerror(rc));
}

static void daemon_on_stopped(void *arg)
{
    struct daemon *d = arg;
    loop_stop(d->control);
}

static void daemon_on_term(int sig, short what, void *arg)
{
    struct daemon *d = arg;
    (void)what;
    if (d->stopping)
        return;
    d->stopping = true;
    log_info("stopping", "signal=%d", sig);
    sd_notify(0, "STOPPING=1");
    daemon_start_bound(d);
    web_drain(d->web);
    target_stop(d->target, STOP_TIMEOUT_MS, daemon_on_stopped, d);
}

static void notify_reloading(void)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_us());
}

/* It has files of its own, so it is refused or taken for itself. */
static void daemon_reload_certificate(struct daemon *d, const struct config *next)
{
    struct err e = {0};
    char text[2 * ERR_TEXT_MAX];
    if (web_reload_certificate(d->web, given(next->api_certificate), given(next->api_key),
                               &e) != 0)
        log_error("API certificate not reloaded, the old one stays", "error=%s",
                  log_quote(text, sizeof(text), e.text));
}

static int daemon_reload(struct daemon *d, struct config *next, struct err *e)
{
    int rc = config_load(next, d->argc, d->argv, e);
    if (rc == 0)
        rc = target_set_advertise(d->target, next->advertise.pointers,
                                  next->advertise.count, e);
    if (rc != 0)
        return rc;
    target_set_limits(d->target, &next->limits);
    char restart[256];
    config_compare(&d->config, next, restart, sizeof(restart));
    log_set_level(next->log_level);
    daemon_reload_certificate(d, next);
    log_info("configuration reloaded", "log-level=%s advertise=%zu",
             log_level_name(next->log_level), next->advertise.count);
    if (restart[0] != '\0')
        log_warning("changed keys that need a restart", "keys=%s", restart);
    return 0;
}

static void daemon_on_hup(int sig, short what, void *arg)
{
    static struct config next;
    struct err e = {0};
    (void)sig;
    (void)what;
    notify_reloading();
    if (daemon_reload(arg, &next, &e) != 0) {
        char text[2 * ERR_TEXT_MAX];
        log_error("configuration not reloaded", "error=%s",
                  log_quote(text, sizeof(text), e.text));
    }
    sd_notify(0, "READY=1");
}

static struct event *signal_add(struct daemon *d, int sig,
                                void (*run)(int sig, short what, void *arg))
{
    struct event *ev = evsignal_new(loop_base(d->control), sig, run, d);
    if (ev != NULL && event_add(ev, NULL) != 0) {
        event_free(ev);
        return NULL;
    }
    return ev;
}

static int daemon_watch_signals(struct daemon *d, struct err *e)
{
    d->on_term = signal_add(d, SIGTERM, daemon_on_term);
    d->on_int = signal_add(d, SIGINT, daemon_on_term);
    d->on_hup = signal_add(d, SIGHUP, daemon_on_hup);
    if (d->on_term == NULL || d->on_int == NULL || d->on_hup == NULL)
        return err_oom(e);
    return 0;
}

static void signal_remove(struct event *ev)
{
    if (ev != NULL)
        event_free(ev);
}

/* ---- the end ---- */

/* The API's last answers go out as far as their clients take them. */
static void daemon_flush(struct daemon *d)
{
    for (int i = 0; i < LAST_TURNS; i++)
        loop_run_once(d->control, false);
}

/* The other way round. */
static void daemon_close(struct daemon *d)
{
    signal_remove(d->on_term);
    signal_remove(d->on_int);
    signal_remove(d->on_hup);
    web_stop(d->web);
    target_destroy(d->target);
    if (d->control != NULL)
        loop_run_once(d->control, false); /* the reactors' last words */
    lunmgr_close(d->lunmgr);
    catalog_close(d->catalog);
    loop_destroy(d->control);
}

static int daemon_run(struct daemon *d)
{
    struct err e = {0};
    int rc = daemon_start(d, &e);
    if (rc == 0)
        rc = daemon_watch_signals(d, &e);
    if (rc != 0) {
        complain(&e);
        daemon_close(d);
        return EXIT_FAILURE;
    }
    daemon_announce(d);
    loop_run(d->control);
    if (!target_is_stopped(d->target)) {
        /* Some disk does not answer: the catalog is whole as its last commit left it. */
        log_error("stopped with disk I/O under way", NULL);
        return EXIT_FAILURE;
    }
    daemon_flush(d);
    daemon_close(d);
    log_info("stopped", NULL);
    return EXIT_SUCCESS;
}

/* A connection is a descriptor, and 1,024 of them, where many begin, are too few. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    static struct daemon d;
    struct err e = {0};
    d.argc = argc;
    d.argv = argv;
    if (config_load(&d.config, argc, argv, &e) != 0) {
        complain(&e);
        return EXIT_BAD_CONFIG;
    }
    if (d.config.help) {
        config_print_help(stdout);
        return EXIT_SUCCESS;
    }
    if (d.config.version) {
        printf("ashlard %s\n", ASHLAR_VERSION);
        return EXIT_SUCCESS;
    }
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    log_setup(&d.config);
    if (d.config.restore_catalog[0] != '\0')
        return daemon_restore(&d);
    return d.config.accept_older_catalog ? daemon_accept(&d) : daemon_run(&d);
}
