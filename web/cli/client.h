/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to the daemon's HTTP API, a request at a time. Single thread. */
#ifndef WEB_CLI_CLIENT_H
#define WEB_CLI_CLIENT_H

#include "web/cli/endpoint.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define CLIENT_REPLY_BYTES_MAX ((size_t)64 << 20)

struct client;

struct reply {
    long status;
    char *text; /* as it came, NUL after it; NULL: empty */
    size_t length, space;
    json_t *json; /* an object; NULL: the answer has none */
};

/* endpoint is borrowed. */
struct client *client_create(const struct endpoint *endpoint);
void client_destroy(struct client *client);

/* path begins with /; body may be NULL. OUTCOME_UNREACHED: no answer, or none that an
 * Ashlar daemon gives, which has been said. Of any other the status is the caller's to
 * judge. reply_fini in either case. */
enum outcome client_call(struct client *client, const char *method, const char *path,
                         const json_t *body, struct reply *reply);
void reply_fini(struct reply *reply);

struct client_stream {
    const char *accept; /* the type of what comes */
    void *arg;
    /* What came, as it comes. False: it is enough. */
    bool (*take)(void *arg, const char *bytes, size_t length);
    /* Asked every second or so. False: it is enough. */
    bool (*goes_on)(void *arg);
    int stop_fd;        /* readable: it is enough */
    unsigned silence_s; /* then the connection counts as lost */
};

enum stream_end {
    STREAM_ENOUGH,
    STREAM_LOST,      /* it ended, or its connection */
    STREAM_REFUSED,   /* reply says why */
    STREAM_UNREACHED, /* client_say_unreached() says why */
    STREAM_NONE,      /* no Ashlar daemon answers, which has been said */
};

/* GET of what goes on. header: one more, or NULL. reply_fini in
 * any case. */
enum stream_end client_watch(struct client *client, const char *path, const char *header,
                             const struct client_stream *stream, struct reply *reply);
/* Of the last request. */
enum outcome client_say_unreached(const struct client *client);

#endif
