/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP/1.1 client for tests: it writes exactly the bytes that a test wants and
 * reads one answer. It never waits itself: between looks it calls pump, which runs the
 * server's loop (one thread), or sleeps (a daemon elsewhere). */
#ifndef TESTS_UNIT_WEB_CLIENT_H
#define TESTS_UNIT_WEB_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#define CLIENT_ANSWER_MAX (1 << 20)

struct client {
    int fd; /* -1: closed */
    void (*pump)(void *arg);
    void *pump_arg;
    char token[128]; /* "": none */
    size_t held;     /* bytes of the next answer in input */
    unsigned idle;   /* looks since it had anything */
    char input[CLIENT_ANSWER_MAX];
};

struct answer {
    int status; /* 0: the connection ended without an answer */
    char head[4096];
    char body[CLIENT_ANSWER_MAX];
    size_t body_bytes;
};

/* 0, or -errno. pump NULL: sleeps a millisecond. */
int client_open_unix(struct client *c, const char *path, void (*pump)(void *), void *arg);
int client_open_tcp(struct client *c, const char *address, void (*pump)(void *),
                    void *arg);
void client_close(struct client *c);

/* All of it, pumping. False: the connection broke. */
bool client_send(struct client *c, const void *bytes, size_t length);
/* One answer. head_only: the answer to HEAD. False: none within 10 s, or the end. */
bool client_receive(struct client *c, bool head_only, struct answer *out);
/* body NULL: none, else sent as application/json. */
bool client_call(struct client *c, const char *method, const char *path, const char *body,
                 struct answer *out);
/* True if the peer closes within 10 s. */
bool client_sees_end(struct client *c);

/* Takes a whole answer out of the first *held bytes of input. False: it is not all there
 * yet. */
bool answer_take(struct answer *out, char *input, size_t *held, bool head_only);
/* The header's value, cut to room; "" if there is none. */
const char *answer_header(const struct answer *a, const char *name, char *out,
                          size_t room);

#endif
