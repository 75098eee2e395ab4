/* SPDX-License-Identifier: Apache-2.0 */
/* How fast volumes are made through the API, over one connection or several, and how fast
 * this disk commits one row durably, which is what a create can at best cost. Whose ratio
 * is told is the caller's to say (api-creates.sh).
 *
 *     ashlar-api-creates --socket PATH --name PREFIX [--connections N] [--seconds N]
 *     ashlar-api-creates --commits FILE [--seconds N]
 */
#include "tests/bench/histogram.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define REPLY_MAX       16384

static struct {
    const char *socket, *name, *commits;
    unsigned connections, seconds;
} options = {.connections = 1, .seconds = 5};

struct maker {
    pthread_t thread;
    unsigned no;
    int fd;
    int64_t until_ns;
    struct histogram times;
    char failure[512]; /* "": none */
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* ---- Creates ----------------------------------------------------------------------- */

static int connect_to(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    perror(path);
    exit(2);
}

/* The whole answer, head and body. False: it does not come. */
static bool receive(int fd, char reply[REPLY_MAX])
{
    size_t have = 0;
    for (;;) {
        ssize_t got = recv(fd, reply + have, REPLY_MAX - 1 - have, 0);
        if (got <= 0)
            return false;
        have += (size_t)got;
        reply[have] = '\0';
        const char *end = strstr(reply, "\r\n\r\n");
        const char *length = end == NULL ? NULL : strcasestr(reply, "content-length:");
        if (length != NULL &&
            have >= (size_t)(end + 4 - reply) + strtoul(length + 15, NULL, 10))
            return true;
    }
}

static bool create(struct maker *m, unsigned n, char reply[REPLY_MAX])
{
    char body[256], text[512];
    int bytes = snprintf(body, sizeof(body),
                         "{\"name\":\"%s-%u-%u\",\"pool\":\"p\",\"size\":\"1GiB\"}",
                         options.name, m->no, n);
    int length = snprintf(text, sizeof(text),
                          "POST /v1/volumes HTTP/1.1\r\nHost: x\r\nContent-Type: "
                          "application/json\r\nContent-Length: %d\r\n\r\n%s",
                          bytes, body);
    return send(m->fd, text, (size_t)length, MSG_NOSIGNAL) == length &&
           receive(m->fd, reply) && strncmp(reply, "HTTP/1.1 201", 12) == 0;
}

static void *make(void *arg)
{
    struct maker *m = arg;
    static _Thread_local char reply[REPLY_MAX];
    for (unsigned n = 0; now_ns() < m->until_ns; n++) {
        int64_t began = now_ns();
        if (!create(m, n, reply)) {
            snprintf(m->failure, sizeof(m->failure), "%.500s", reply);
            break;
        }
        histogram_add(&m->times, (uint64_t)(now_ns() - began));
    }
    return NULL;
}

static int run_creates(void)
{
    static struct maker makers[CONNECTIONS_MAX];
    static struct histogram all;
    int64_t began = now_ns();
    for (unsigned i = 0; i < options.connections; i++) {
        makers[i].no = i;
        makers[i].fd = connect_to(options.socket);
        makers[i].until_ns = began + options.seconds * INT64_C(1000000000);
        if (pthread_create(&makers[i].thread, NULL, make, &makers[i]) != 0)
            return 2;
    }
    for (unsigned i = 0; i < options.connections; i++) {
        pthread_join(makers[i].thread, NULL);
        histogram_merge(&all, &makers[i].times);
        if (makers[i].failure[0] != '\0') {
            fprintf(stderr, "connection %u: %s\n", i, makers[i].failure);
            return 1;
        }
    }
    double seconds = (double)(now_ns() - began) / 1e9;
    printf("creates %.1f p50_ms %.2f p99_ms %.2f connections %u\n",
           (double)all.count / seconds, (double)histogram_at(&all, 0.5) / 1e6,
           (double)histogram_at(&all, 0.99) / 1e6, options.connections);
    return 0;
}

/* ---- Commits ----------------------------------------------------------------------- */

static void must(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return;
    fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
    exit(2);
}

/* As durable as the catalog's: its journal and its synchronous. */
static int run_commits(void)
{
    sqlite3 *db;
    if (sqlite3_open(options.commits, &db) != SQLITE_OK)
        return 2;
    must(db, "PRAGMA journal_mode=WAL");
    must(db, "PRAGMA synchronous=FULL");
    must(db, "PRAGMA wal_autocheckpoint=0");
    must(db, "CREATE TABLE IF NOT EXISTS row (id INTEGER PRIMARY KEY, text TEXT)");
    int64_t began = now_ns(), until = began + options.seconds * INT64_C(1000000000);
    uint64_t count = 0;
    for (; now_ns() < until; count++)
        must(db, "INSERT INTO row (text) VALUES ('a row of about the size of a volume')");
    printf("commits %.1f\n", (double)count * 1e9 / (double)(now_ns() - began));
    sqlite3_close(db);
    return 0;
}

/* ---- The command line -------------------------------------------------------------- */

static bool parse(int argc, char **argv)
{
    static const struct option known[] = {{"socket", required_argument, NULL, 's'},
                                          {"name", required_argument, NULL, 'n'},
                                          {"connections", required_argument, NULL, 'c'},
                                          {"seconds", required_argument, NULL, 't'},
                                          {"commits", required_argument, NULL, 'd'},
                                          {NULL, 0, NULL, 0}};
    for (int o; (o = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (o == 's')
            options.socket = optarg;
        else if (o == 'n')
            options.name = optarg;
        else if (o == 'c')
            options.connections = (unsigned)strtoul(optarg, NULL, 10);
        else if (o == 't')
            options.seconds = (unsigned)strtoul(optarg, NULL, 10);
        else if (o == 'd')
            options.commits = optarg;
        else
            return false;
    }
    return options.connections >= 1 && options.connections <= CONNECTIONS_MAX &&
           options.seconds >= 1 &&
           (options.commits != NULL) != (options.socket != NULL && options.name != NULL);
}

int main(int argc, char **argv)
{
    if (!parse(argc, argv)) {
        fprintf(stderr, "usage: ashlar-api-creates --socket PATH --name PREFIX "
                        "[--connections N] [--seconds N]\n"
                        "       ashlar-api-creates --commits FILE [--seconds N]\n");
        return 2;
    }
    return options.commits != NULL ? run_commits() : run_creates();
}
