/* SPDX-License-Identifier: Apache-2.0 */
/* See client.h. Non-blocking sockets and a bounded number of looks. */
#include "client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LOOKS_MAX  100000
#define IDLE_LOOKS 50 /* before it naps */

static void nap(void *arg)
{
    const struct timespec moment = {.tv_nsec = 100000};
    (void)arg;
    nanosleep(&moment, NULL);
}

static int open_to(struct client *c, const struct sockaddr *address, socklen_t bytes,
                   void (*pump)(void *), void *arg)
{
    c->pump = pump == NULL ? nap : pump;
    c->pump_arg = arg;
    c->held = 0;
    c->idle = 0;
    c->token[0] = '\0';
    c->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd >= 0 && connect(c->fd, address, bytes) == 0)
        return 0;
    int rc = -errno;
    client_close(c);
    return rc;
}

int client_open_unix(struct client *c, const char *path, void (*pump)(void *), void *arg)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    return open_to(c, (struct sockaddr *)&address, sizeof(address), pump, arg);
}

int client_open_tcp(struct client *c, const char *address, void (*pump)(void *),
                    void *arg)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    char host[64];
    const char *colon = strrchr(address, ':');
    assert(colon != NULL);
    snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
    in.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    assert(inet_pton(AF_INET, host, &in.sin_addr) == 1);
    return open_to(c, (struct sockaddr *)&in, sizeof(in), pump, arg);
}

void client_close(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

bool client_send(struct client *c, const void *bytes, size_t length)
{
    const char *at = bytes;
    for (int look = 0; look < LOOKS_MAX && length > 0; look++) {
        ssize_t n = send(c->fd, at, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n > 0) {
            at += n;
            length -= (size_t)n;
        }
        c->pump(c->pump_arg);
    }
    return length == 0;
}

/* Bytes read now; 0: none yet; -1: the end. */
static ssize_t look(struct client *c)
{
    assert(c->held < sizeof(c->input));
    ssize_t n = recv(c->fd, c->input + c->held, sizeof(c->input) - c->held, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) {
        c->pump(c->pump_arg);
        /* A server of this thread answers as it is pumped; it may also wait for time. */
        if (++c->idle > IDLE_LOOKS)
            nap(NULL);
        return 0;
    }
    c->idle = 0;
    if (n <= 0)
        return -1;
    c->held += (size_t)n;
    return n;
}

const char *answer_header(const struct answer *a, const char *name, char *out,
                          size_t room)
{
    size_t length = strlen(name);
    out[0] = '\0';
    for (const char *line = a->head; line != NULL && *line != '\0';
         line = strstr(line, "\r\n")) {
        line += strspn(line, "\r\n");
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            const char *value = line + length + 1;
            value += strspn(value, " ");
            snprintf(out, room, "%.*s", (int)strcspn(value, "\r"), value);
            return out;
        }
    }
    return out;
}

bool answer_take(struct answer *out, char *input, size_t *held, bool head_only)
{
    char length[32];
    char *end = memmem(input, *held, "\r\n\r\n", 4);
    if (end == NULL)
        return false;
    size_t head = (size_t)(end - input) + 4;
    snprintf(out->head, sizeof(out->head), "%.*s", (int)head, input);
    out->status = (int)strtol(out->head + strlen("HTTP/1.1 "), NULL, 10);
    answer_header(out, "Content-Length", length, sizeof(length));
    out->body_bytes = head_only ? 0 : strtoul(length, NULL, 10);
    if (*held < head + out->body_bytes)
        return false;
    assert(out->body_bytes < sizeof(out->body));
    memcpy(out->body, input + head, out->body_bytes);
    out->body[out->body_bytes] = '\0';
    *held -= head + out->body_bytes;
    memmove(input, input + head + out->body_bytes, *held);
    return true;
}

bool client_receive(struct client *c, bool head_only, struct answer *out)
{
    out->status = 0;
    out->body[0] = '\0';
    for (int i = 0; i < LOOKS_MAX; i++) {
        if (answer_take(out, c->input, &c->held, head_only))
            return true;
        if (look(c) < 0)
            return answer_take(out, c->input, &c->held, head_only);
    }
    return false;
}

bool client_call(struct client *c, const char *method, const char *path, const char *body,
                 struct answer *out)
{
    char *text = NULL;
    char auth[160] = "", type[96] = "";
    if (c->token[0] != '\0')
        snprintf(auth, sizeof(auth), "Authorization: Bearer %s\r\n", c->token);
    if (body != NULL)
        snprintf(type, sizeof(type),
                 "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                 strlen(body));
    int length = asprintf(&text, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s%s\r\n%s",
                          method, path, auth, type, body == NULL ? "" : body);
    assert(length > 0);
    bool good = client_send(c, text, (size_t)length) &&
                client_receive(c, strcmp(method, "HEAD") == 0, out);
    free(text);
    return good;
}

bool client_sees_end(struct client *c)
{
    for (int i = 0; i < LOOKS_MAX; i++) {
        if (look(c) < 0)
            return true;
        c->held = 0;
    }
    return false;
}
