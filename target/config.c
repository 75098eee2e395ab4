/* SPDX-License-Identifier: Apache-2.0 */
/* One table of keys serves the file, the flags, the help and the comparison. The file's
 * lines are counted by the reader that feeds them to libinih. */
#include "target/config.h"

#include "base/units.h"
#include "lunmgr/lunmgr.h"
#include "proto/keys.h"
#include "target/address.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUND_INTERVAL_MS_MIN 100
#define ROUND_INTERVAL_MS_MAX 60000
#define IO_TIMEOUT_S          30
#define IO_TIMEOUT_S_MIN      5
#define IO_TIMEOUT_S_MAX      3600
#define SPACE_GRACE_S         5
#define SPACE_GRACE_S_MAX     25 /* initiators abort commands after 30 s */
#define LEAF_CACHE_MIN        (8ULL << 20)
#define LEAF_CACHE_MAX        (1ULL << 40)
#define TRASH_RETENTION_S     (7U * 86400)
#define TRASH_RETENTION_S_MAX (3650U * 86400)
#define KEEPALIVE_S_MAX       3600U
#define TCP_KEEPALIVE_S_MAX   32400U /* Linux takes no more than 32767 */

/* value is not NULL. What is accepted is said by the table. */
typedef bool (*config_take_fn)(struct config *c, const char *value);

struct config_key {
    const char *name;
    config_take_fn take;
    const char *accepted;
    const char *fallback; /* the default, in words or as a value */
    const char *what;
    bool reloads; /* SIGHUP */
};

/* ---- taking values ---- */

static bool take_text(char *out, size_t out_bytes, const char *value)
{
    size_t n = strlen(value);
    if (n == 0 || n >= out_bytes)
        return false;
    memcpy(out, value, n + 1);
    return true;
}

static bool take_number(const char *value, unsigned min, unsigned max, unsigned *out)
{
    uint64_t number;
    if (value[0] == '0' && value[1] != '\0') /* no hexadecimal here */
        return false;
    if (key_number(value, &number) != 0 || number < min || number > max)
        return false;
    *out = (unsigned)number;
    return true;
}

static bool take_item(struct config_list *list, const char *value)
{
    return list->count < CONFIG_LIST_MAX &&
           take_text(list->items[list->count], CONFIG_ITEM_MAX, value) &&
           ++list->count > 0;
}

static bool take_path(char *out, size_t out_bytes, const char *value)
{
    return value[0] == '/' && take_text(out, out_bytes, value);
}

static bool take_state_dir(struct config *c, const char *value)
{
    return take_path(c->state_dir, sizeof(c->state_dir), value);
}

static bool take_catalog_mirror(struct config *c, const char *value)
{
    if (strcmp(value, "none") == 0) {
        c->catalog_mirror[0] = '\0';
        return true;
    }
    return take_path(c->catalog_mirror, sizeof(c->catalog_mirror), value);
}

static bool take_target_name(struct config *c, const char *value)
{
    char name[NODE_NAME_MAX + 1];
    return key_node_name(value, name) == 0 &&
           take_text(c->target_name, sizeof(c->target_name), name);
}

static bool take_portal(struct config *c, const char *value)
{
    struct address_tagged tagged;
    struct sockaddr_storage addr;
    socklen_t bytes;
    return address_cut_tag(value, &tagged) == 0 &&
           address_parse(tagged.address, NULL, &addr, &bytes, NULL) == 0 &&
           take_item(&c->portals, value);
}

static bool take_advertise(struct config *c, const char *value)
{
    bool has_port;
    return address_is_advertisable(value, &has_port) && take_item(&c->advertise, value);
}

static bool take_api_socket(struct config *c, const char *value)
{
    if (strcmp(value, "none") == 0) {
        c->api_socket[0] = '\0';
        return true;
    }
    return take_path(c->api_socket, sizeof(c->api_socket), value);
}

static bool take_api(struct config *c, const char *value)
{
    struct sockaddr_storage addr;
    socklen_t bytes;
    if (strcmp(value, "none") == 0) {
        c->api[0] = '\0';
        return true;
    }
    return address_parse(value, NULL, &addr, &bytes, NULL) == 0 &&
           take_text(c->api, sizeof(c->api), value);
}

static bool take_api_tls(struct config *c, const char *value)
{
    c->api_tls_always = strcmp(value, "always") == 0;
    return c->api_tls_always || strcmp(value, "auto") == 0;
}

static bool take_api_certificate(struct config *c, const char *value)
{
    return take_path(c->api_certificate, sizeof(c->api_certificate), value);
}

static bool take_api_key(struct config *c, const char *value)
{
    return take_path(c->api_key, sizeof(c->api_key), value);
}

static bool take_reactors(struct config *c, const char *value)
{
    return take_number(value, 1, TARGET_REACTOR_MAX, &c->reactors);
}

static bool take_engine(struct config *c, const char *value)
{
    return engine_kind_parse(value, &c->engine) == 0;
}

static bool take_log_level(struct config *c, const char *value)
{
    return log_level_parse(value, &c->log_level) == 0;
}

static bool take_round_interval(struct config *c, const char *value)
{
    return take_number(value, ROUND_INTERVAL_MS_MIN, ROUND_INTERVAL_MS_MAX,
                       &c->round_interval_ms);
}

static bool take_io_timeout(struct config *c, const char *value)
{
    uint64_t seconds;
    if (!duration_parse(value, &seconds) || seconds < IO_TIMEOUT_S_MIN ||
        seconds > IO_TIMEOUT_S_MAX)
        return false;
    c->io_timeout_ms = (unsigned)seconds * 1000;
    return true;
}

static bool take_space_grace(struct config *c, const char *value)
{
    uint64_t seconds;
    if (!duration_parse(value, &seconds) || seconds > SPACE_GRACE_S_MAX)
        return false;
    c->space_grace_ms = (unsigned)seconds * 1000;
    return true;
}

static bool take_leaf_cache(struct config *c, const char *value)
{
    uint64_t bytes;
    if (!size_parse(value, &bytes) || bytes < LEAF_CACHE_MIN || bytes > LEAF_CACHE_MAX)
        return false;
    c->leaf_cache_bytes = bytes;
    return true;
}

static bool take_trash_retention(struct config *c, const char *value)
{
    uint64_t seconds;
    if (!duration_parse(value, &seconds) || seconds > TRASH_RETENTION_S_MAX)
        return false;
    c->trash_retention_s = (uint32_t)seconds;
    return true;
}

static bool take_seconds(const char *value, unsigned min, unsigned max, unsigned *out)
{
    uint64_t seconds;
    if (!duration_parse(value, &seconds) || seconds < min || seconds > max)
        return false;
    *out = (unsigned)seconds;
    return true;
}

static bool take_nop_interval(struct config *c, const char *value)
{
    return take_seconds(value, 0, KEEPALIVE_S_MAX, &c->keepalive.nop_interval_s);
}

static bool take_nop_timeout(struct config *c, const char *value)
{
    return take_seconds(value, 1, KEEPALIVE_S_MAX, &c->keepalive.nop_timeout_s);
}

static bool take_tcp_keepalive(struct config *c, const char *value)
{
    return take_seconds(value, 0, TCP_KEEPALIVE_S_MAX, &c->keepalive.tcp_idle_s);
}

static bool take_tcp_user_timeout(struct config *c, const char *value)
{
    return take_seconds(value, 0, KEEPALIVE_S_MAX, &c->keepalive.tcp_unacked_s);
}

static bool parse_count(const char *text, uint64_t *value)
{
    unsigned count;
    bool good = take_number(text, 0, UINT_MAX, &count);
    *value = good ? count : 0;
    return good;
}

static bool take_limit(struct config *c, enum target_limit limit,
                       bool (*parse)(const char *text, uint64_t *value), const char *text)
{
    const struct target_limit_rule *rule = target_limit_rule(limit);
    uint64_t value;
    if (!parse(text, &value) || value < rule->low || value > rule->high)
        return false;
    c->limits.values[limit] = value;
    return true;
}

static bool take_max_connections(struct config *c, const char *value)
{
    return take_limit(c, LIMIT_CONNECTIONS, parse_count, value);
}

static bool take_max_address_connections(struct config *c, const char *value)
{
    return take_limit(c, LIMIT_ADDRESS_CONNECTIONS, parse_count, value);
}

static bool take_max_logins(struct config *c, const char *value)
{
    return take_limit(c, LIMIT_LOGINS, parse_count, value);
}

static bool take_max_address_logins(struct config *c, const char *value)
{
    return take_limit(c, LIMIT_ADDRESS_LOGINS, parse_count, value);
}

static bool take_login_timeout(struct config *c, const char *value)
{
    return take_limit(c, LIMIT_LOGIN_TIMEOUT, duration_parse, value);
}

static bool take_max_recv_segment(struct config *c, const char *value)
{
    return take_limit(c, LIMIT_RECV_SEGMENT, size_parse, value);
}

static bool take_max_text(struct config *c, const char *value)
{
    return take_limit(c, LIMIT_TEXT, size_parse, value);
}

static bool take_max_commands(struct config *c, const char *value)
{
    return take_limit(c, LIMIT_COMMANDS, parse_count, value);
}

static bool take_max_input(struct config *c, const char *value)
{
    return take_limit(c, LIMIT_INPUT, size_parse, value);
}

static bool take_max_output(struct config *c, const char *value)
{
    return take_limit(c, LIMIT_OUTPUT, size_parse, value);
}

static bool take_max_session_buffers(struct config *c, const char *value)
{
    return take_limit(c, LIMIT_SESSION_BUFFERS, size_parse, value);
}

static bool take_max_reactor_buffers(struct config *c, const char *value)
{
    return take_limit(c, LIMIT_REACTOR_BUFFERS, size_parse, value);
}

static const struct config_key keys[] = {
    {"state-dir", take_state_dir, "an absolute path", "/var/lib/ashlar",
     "where the catalog is kept", false},
    {"catalog-mirror", take_catalog_mirror, "an absolute path, or none", "none",
     "a directory on another disk that gets every change of the catalog too", false},
    {"target-name", take_target_name, "an iSCSI name: iqn.YYYY-MM.DOMAIN:ANY, eui., naa.",
     "iqn.2026-11.org.ashlar: and the box's id", "the target's name", false},
    {"portal", take_portal,
     "ADDRESS:PORT or [IPV6]:PORT, numeric, with or without ,TAG, at most 16 of them",
     "[::]:3260, IPv4 too", "where initiators connect (repeatable)", false},
    {"advertise", take_advertise,
     "NAME, NAME:PORT or [IPV6]:PORT, with or without ,TAG, at most 16 of them", "none",
     "further addresses told to initiators (repeatable)", true},
    {"nop-interval", take_nop_interval, "seconds, or a time such as 1m, at most 1h",
     "15s", "an initiator that is silent for so long is pinged; 0: never", false},
    {"nop-timeout", take_nop_timeout, "seconds, or a time such as 1m, 1s to 1h", "15s",
     "its connection ends if it does not answer for so long", false},
    {"tcp-keepalive", take_tcp_keepalive, "seconds, or a time such as 1m, at most 9h",
     "60s", "a connection that is silent for so long is probed by TCP; 0: never", false},
    {"tcp-user-timeout", take_tcp_user_timeout,
     "seconds, or a time such as 1m, at most 1h", "30s",
     "TCP ends a connection that acknowledges nothing for so long; 0: the system's",
     false},
    {"api-socket", take_api_socket, "an absolute path, or none", "/run/ashlar/api.sock",
     "the management API's Unix socket", false},
    {"api", take_api, "ADDRESS:PORT, or none", "none",
     "the management API over TCP, with a token; with TLS unless on loopback", false},
    {"api-tls", take_api_tls, "auto or always", "auto",
     "TLS where api listens: always, or where others than this machine reach it", false},
    {"api-certificate", take_api_certificate, "an absolute path of a file in PEM",
     "STATE-DIR/tls/certificate.pem, made if there is none",
     "the certificate of api with its chain", true},
    {"api-key", take_api_key, "an absolute path of a file in PEM",
     "STATE-DIR/tls/key.pem, made with it", "the key of api-certificate", true},
    {"reactors", take_reactors, "a number from 1 to 16", "the CPUs, at most 16",
     "threads that serve initiators", false},
    {"io-engine", take_engine, "auto, uring or threads", "auto", "how disks are used",
     false},
    {"io-timeout", take_io_timeout, "seconds, or a time such as 30s or 2m, from 5s to 1h",
     "30s", "a disk that does not answer for so long has failed", false},
    {"space-grace", take_space_grace, "seconds, or a time such as 10s, at most 25s", "5s",
     "how long a write waits for space in a full pool; 0: it fails at once", false},
    {"log-level", take_log_level, "error, warning, info or debug", "info",
     "what is logged", true},
    {"round-interval-ms", take_round_interval, "a number from 100 to 60000", "3000",
     "the map is made durable at least this often", false},
    {"leaf-cache", take_leaf_cache, "a size such as 256MiB, from 8MiB to 1TiB", "256MiB",
     "memory that the map may take", false},
    {"trash-retention", take_trash_retention,
     "seconds, or a time such as 12h or 7d, at most 3650d", "7d",
     "how long a deleted volume can be restored; 0: not at all", false},
    {"max-connections", take_max_connections, "a number from 1 to 16384", "1024",
     "connections of initiators that have logged in", true},
    {"max-address-connections", take_max_address_connections, "a number from 1 to 16384",
     "512", "of them, from one address", true},
    {"max-logins", take_max_logins, "a number from 1 to 4096", "512",
     "connections that have not logged in yet", true},
    {"max-address-logins", take_max_address_logins, "a number from 1 to 4096", "256",
     "of them, from one address", true},
    {"login-timeout", take_login_timeout,
     "seconds, or a time such as 15s, from 1s to 300s", "15s",
     "from a connection to the end of its login", true},
    {"max-recv-segment", take_max_recv_segment,
     "a size such as 256KiB, from 512B to 1MiB", "256KiB",
     "our MaxRecvDataSegmentLength: data in a PDU that comes", true},
    {"max-text", take_max_text, "a size such as 32KiB, from 8KiB to 1MiB", "32KiB",
     "text of a login step or a text request", true},
    {"max-commands", take_max_commands, "a number from 1 to 1024", "128",
     "commands of a session at a time", true},
    {"max-input", take_max_input, "a size such as 1MiB, from 64KiB to 64MiB", "1MiB",
     "memory of a connection's requests before their turn", true},
    {"max-output", take_max_output, "a size such as 8MiB, from 64KiB to 1GiB", "8MiB",
     "unsent bytes of a connection, beyond which it is read no more", true},
    {"max-session-buffers", take_max_session_buffers,
     "a size such as 64MiB, from 1MiB to 16GiB", "64MiB",
     "memory of a session's data under way", true},
    {"max-reactor-buffers", take_max_reactor_buffers,
     "a size such as 320MiB, from 16MiB to 64GiB", "320MiB",
     "the same of all sessions of one reactor", true},
};

static const struct config_key *key_find(const char *name, size_t bytes)
{
    for (size_t i = 0; name != NULL && i < ARRAY_LEN(keys); i++) {
        if (strlen(keys[i].name) == bytes && memcmp(keys[i].name, name, bytes) == 0)
            return &keys[i];
    }
    return NULL;
}

static const char *key_names(char *out, size_t out_bytes)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(keys) && n < out_bytes; i++)
        n += (size_t)snprintf(out + n, out_bytes - n, "%s%s", i == 0 ? "" : ", ",
                              keys[i].name);
    return out;
}

/* ---- the file ---- */

struct config_reader {
    struct config *config;
    FILE *stream;
    unsigned line_no;
    bool too_long;
    struct err *e;
    int rc;
};

static char *reader_next(char *line, int bytes, void *arg)
{
    struct config_reader *r = arg;
    if (r->rc != 0 || r->too_long || fgets(line, bytes, r->stream) == NULL)
        return NULL;
    r->line_no++;
    size_t n = strlen(line);
    r->too_long = n > 0 && line[n - 1] != '\n' && !feof(r->stream);
    return r->too_long ? NULL : line;
}

static int reader_take(void *arg, const char *section, const char *name,
                       const char *value)
{
    struct config_reader *r = arg;
    const char *file = r->config->file;
    char names[1024];
    const struct config_key *key = key_find(name, strlen(name));
    if (section[0] != '\0')
        r->rc = err_set(r->e, -EINVAL, NULL, "%s:%u: [%s]: keys stand in no section",
                        file, r->line_no, section);
    else if (key == NULL)
        r->rc = err_set(r->e, -EINVAL, NULL, "%s:%u: unknown key '%s'; accepted: %s",
                        file, r->line_no, name, key_names(names, sizeof(names)));
    else if (!key->take(r->config, value == NULL ? "" : value))
        r->rc = err_set(r->e, -EINVAL, NULL, "%s:%u: %s: '%s' is not %s", file,
                        r->line_no, name, value == NULL ? "" : value, key->accepted);
    return r->rc == 0;
}

static int config_read_stream(struct config *c, FILE *stream, struct err *e)
{
    struct config_reader r = {.config = c, .stream = stream, .e = e};
    ini_allow_multiline = false;
    ini_use_stack = false;
    ini_max_line = CONFIG_VALUE_MAX + 64;
    int line = ini_parse_stream(reader_next, &r, reader_take, &r);
    if (r.rc != 0)
        return r.rc;
    if (r.too_long)
        return err_set(e, -EINVAL, NULL, "%s:%u: the line is too long", c->file,
                       r.line_no);
    if (ferror(stream))
        return err_set(e, -EIO, NULL, "%s: %s", c->file, strerror(errno));
    if (line != 0)
        return err_set(e, -EINVAL, NULL, "%s:%d: not a line of the form key = value",
                       c->file, line);
    return 0;
}

static int config_read_file(struct config *c, struct err *e)
{
    FILE *stream = fopen(c->file, "re");
    if (stream == NULL)
        return err_set(e, -errno, NULL, "%s: %s", c->file, strerror(errno));
    int rc = config_read_stream(c, stream, e);
    fclose(stream);
    return rc;
}

/* ---- the flags ---- */

/* A flag, cut in name and value. */
struct config_flag {
    const char *name; /* not terminated */
    size_t name_bytes;
    const char *value; /* NULL: it has none */
};

static bool flag_is(const struct config_flag *f, const char *name)
{
    return f->name_bytes == strlen(name) && memcmp(f->name, name, f->name_bytes) == 0;
}

/* *at is the flag's place in argv, then that of the next one. */
static int flag_next(int argc, char *const *argv, int *at, struct config_flag *f,
                     struct err *e)
{
    const char *arg = argv[(*at)++];
    if (strncmp(arg, "--", 2) != 0 || arg[2] == '\0')
        return err_set(e, -EINVAL, NULL, "'%s' is no flag; see --help", arg);
    f->name = arg + 2;
    f->name_bytes = strcspn(f->name, "=");
    f->value = NULL;
    if (flag_is(f, "help") || flag_is(f, "version") || flag_is(f, "accept-older-catalog"))
        return 0;
    if (!flag_is(f, "config") && !flag_is(f, "restore-catalog") &&
        key_find(f->name, f->name_bytes) == NULL)
        return err_set(e, -EINVAL, NULL, "unknown flag '%s'; see --help", arg);
    if (f->name[f->name_bytes] == '=')
        f->value = f->name + f->name_bytes + 1;
    else if (*at < argc)
        f->value = argv[(*at)++];
    else
        return err_set(e, -EINVAL, NULL, "%s: a value is missing", arg);
    return 0;
}

/* Those that say what to read, before it is read. */
static int flags_scan(struct config *c, int argc, char *const *argv, struct err *e)
{
    struct config_flag f = {0};
    for (int at = 1; at < argc;) {
        int rc = flag_next(argc, argv, &at, &f, e);
        if (rc != 0)
            return rc;
        c->help |= flag_is(&f, "help");
        c->version |= flag_is(&f, "version");
        c->accept_older_catalog |= flag_is(&f, "accept-older-catalog");
        if (flag_is(&f, "config") && f.value != NULL &&
            !take_text(c->file, sizeof(c->file), f.value))
            return err_set(e, -EINVAL, NULL, "--config: not a path");
        if (flag_is(&f, "restore-catalog") && f.value != NULL &&
            !take_path(c->restore_catalog, sizeof(c->restore_catalog), f.value))
            return err_set(e, -EINVAL, NULL,
                           "--restore-catalog: '%s' is not an absolute path", f.value);
    }
    return 0;
}

/* A list that the flags name takes the place of the file's. */
static void flags_clear_lists(struct config *c, int argc, char *const *argv)
{
    struct config_flag f = {0};
    for (int at = 1; at < argc;) {
        if (flag_next(argc, argv, &at, &f, NULL) != 0)
            return;
        if (flag_is(&f, "portal"))
            c->portals.count = 0;
        if (flag_is(&f, "advertise"))
            c->advertise.count = 0;
    }
}

static int flags_apply(struct config *c, int argc, char *const *argv, struct err *e)
{
    struct config_flag f = {0};
    flags_clear_lists(c, argc, argv);
    for (int at = 1; at < argc;) {
        int rc = flag_next(argc, argv, &at, &f, e);
        if (rc != 0)
            return rc;
        const struct config_key *key = key_find(f.name, f.name_bytes);
        if (key != NULL && f.value != NULL && !key->take(c, f.value))
            return err_set(e, -EINVAL, NULL, "--%s: '%s' is not %s", key->name, f.value,
                           key->accepted);
    }
    return 0;
}

/* ---- all of it ---- */

static void config_set_defaults(struct config *c)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (cpus < 1)
        cpus = 1;
    *c = (struct config){
        .state_dir = "/var/lib/ashlar",
        .api_socket = "/run/ashlar/api.sock",
        .reactors =
            cpus > TARGET_REACTOR_MAX ? (unsigned)TARGET_REACTOR_MAX : (unsigned)cpus,
        .engine = ENGINE_AUTO,
        .log_level = LOG_LEVEL_INFO,
        .io_timeout_ms = IO_TIMEOUT_S * 1000,
        .space_grace_ms = SPACE_GRACE_S * 1000,
        .round_interval_ms = 3000,
        .leaf_cache_bytes = LEAF_CACHE_DEFAULT,
        .trash_retention_s = TRASH_RETENTION_S,
        .keepalive = {.nop_interval_s = 15,
                      .nop_timeout_s = 15,
                      .tcp_idle_s = 60,
                      .tcp_unacked_s = 30},
    };
    target_limits_preset(&c->limits);
}

static void list_point(struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        list->pointers[i] = list->items[i];
}

static int check_pair(const struct config *c, struct err *e)
{
    if ((c->api_certificate[0] == '\0') == (c->api_key[0] == '\0'))
        return 0;
    return err_set(e, -EINVAL, NULL, "%s is given without %s; accepted: both or neither",
                   c->api_key[0] == '\0' ? "api-certificate" : "api-key",
                   c->api_key[0] == '\0' ? "api-key" : "api-certificate");
}

int config_load(struct config *c, int argc, char *const *argv, struct err *e)
{
    config_set_defaults(c);
    int rc = flags_scan(c, argc, argv, e);
    if (rc != 0 || c->help || c->version)
        return rc;
    if (c->file[0] != '\0')
        rc = config_read_file(c, e);
    if (rc == 0)
        rc = flags_apply(c, argc, argv, e);
    if (rc == 0)
        rc = check_pair(c, e);
    if (c->portals.count == 0 && !take_item(&c->portals, "[::]:3260"))
        return err_oom(e);
    list_point(&c->portals);
    list_point(&c->advertise);
    return rc;
}

void config_print_help(FILE *out)
{
    fputs("ashlard: serves thin volumes over iSCSI\n\n"
          "  --config FILE\n        a file of lines KEY = VALUE, with the keys below\n"
          "  --restore-catalog PATH\n        makes the catalog in state-dir, where there "
          "is "
          "none, from a mirror's\n        directory or a backup's file, and ends\n"
          "  --accept-older-catalog\n        takes a catalog that its devices refuse for "
          "the "
          "truth, and ends: what was\n        written since may be lost, or another "
          "volume's (see the runbook)\n",
          out);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        fprintf(out, "  --%s VALUE\n        %s; %s (default: %s)\n", keys[i].name,
                keys[i].what, keys[i].accepted, keys[i].fallback);
    fputs("  --version\n  --help\n", out);
}

static bool lists_differ(const struct config_list *a, const struct config_list *b)
{
    if (a->count != b->count)
        return true;
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i], b->items[i]) != 0)
            return true;
    }
    return false;
}

void config_compare(const struct config *now, const struct config *next, char *out,
                    size_t out_bytes)
{
    const struct target_keepalive *a = &now->keepalive, *b = &next->keepalive;
    const struct {
        const char *name;
        bool differs;
    } all[] = {
        {"state-dir", strcmp(now->state_dir, next->state_dir) != 0},
        {"catalog-mirror", strcmp(now->catalog_mirror, next->catalog_mirror) != 0},
        {"target-name", strcmp(now->target_name, next->target_name) != 0},
        {"portal", lists_differ(&now->portals, &next->portals)},
        {"nop-interval", a->nop_interval_s != b->nop_interval_s},
        {"nop-timeout", a->nop_timeout_s != b->nop_timeout_s},
        {"tcp-keepalive", a->tcp_idle_s != b->tcp_idle_s},
        {"tcp-user-timeout", a->tcp_unacked_s != b->tcp_unacked_s},
        {"api-socket", strcmp(now->api_socket, next->api_socket) != 0},
        {"api", strcmp(now->api, next->api) != 0},
        {"api-tls", now->api_tls_always != next->api_tls_always},
        {"reactors", now->reactors != next->reactors},
        {"io-engine", now->engine != next->engine},
        {"io-timeout", now->io_timeout_ms != next->io_timeout_ms},
        {"space-grace", now->space_grace_ms != next->space_grace_ms},
        {"round-interval-ms", now->round_interval_ms != next->round_interval_ms},
        {"leaf-cache", now->leaf_cache_bytes != next->leaf_cache_bytes},
        {"trash-retention", now->trash_retention_s != next->trash_retention_s},
    };
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i].differs && n < out_bytes)
            n += (size_t)snprintf(out + n, out_bytes - n, "%s%s", n == 0 ? "" : ",",
                                  all[i].name);
    }
}
