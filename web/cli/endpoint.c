/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the daemon (see endpoint.h). A token goes to no one but the daemon: never into an
 * argument, a message or a plain connection that leaves the machine. Single thread. */
#include "web/cli/endpoint.h"

#include "web/cli/args.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path))
#define TIMEOUT_S_MAX   86400

/* ---- The token --------------------------------------------------------------------- */

/* text ends at its first line end; what stands around the token is cut off. */
static enum outcome take_token(struct endpoint *endpoint, const char *text,
                               const char *where)
{
    text += strspn(text, " \t");
    size_t length = strcspn(text, " \t\r\n");
    size_t rest = strspn(text + length, " \t\r\n");
    if (length == 0 || text[length + rest] != '\0' || length >= ENDPOINT_TOKEN_MAX)
        return say(OUTCOME_USAGE, "%s holds no token; accepted: one line, the token",
                   where);
    for (size_t i = 0; i < length; i++) {
        if (text[i] < 0x21 || text[i] > 0x7e)
            return say(OUTCOME_USAGE, "%s holds no token: not plain ASCII", where);
    }
    snprintf(endpoint->token, sizeof(endpoint->token), "%.*s", (int)length, text);
    return OUTCOME_DONE;
}

static enum outcome read_token_file(struct endpoint *endpoint, const char *path)
{
    char text[ENDPOINT_TOKEN_MAX + 8];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return say(OUTCOME_USAGE, "--token-file %s: %s", path, strerror(errno));
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    int fault = ferror(file) ? errno : 0;
    fclose(file);
    text[length] = '\0';
    enum outcome outcome;
    if (fault != 0)
        outcome = say(OUTCOME_USAGE, "--token-file %s: %s", path, strerror(fault));
    else
        outcome = take_token(endpoint, text, path);
    explicit_bzero(text, sizeof(text));
    return outcome;
}

static enum outcome find_token(struct endpoint *endpoint, const struct args *args)
{
    const char *file = args_value(args, "token-file");
    const char *text = getenv("ASHLAR_TOKEN");
    if (file != NULL && endpoint->socket != NULL)
        return say(OUTCOME_USAGE,
                   "--token-file goes with --url: a socket takes no token");
    if (endpoint->socket != NULL)
        return OUTCOME_DONE;
    if (file != NULL)
        return read_token_file(endpoint, file);
    if (text != NULL && text[0] != '\0')
        return take_token(endpoint, text, "ASHLAR_TOKEN");
    return OUTCOME_DONE;
}

/* ---- Its certificate ----------------------------------------------------------------
 */

/* NULL: not set, or empty. */
static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static enum outcome find_cacert(struct endpoint *endpoint, const struct args *args,
                                bool is_https)
{
    const char *file = args_value(args, "cacert");
    if (file != NULL && !is_https)
        return say(OUTCOME_USAGE, "--cacert goes with an https:// URL: there is no "
                                  "certificate to be trusted otherwise");
    if (file == NULL && is_https)
        file = environment("ASHLAR_CACERT");
    if (file != NULL && access(file, R_OK) != 0)
        return say(OUTCOME_USAGE, "%s %s: %s",
                   args_value(args, "cacert") != NULL ? "--cacert" : "ASHLAR_CACERT",
                   file, strerror(errno));
    endpoint->cacert = file;
    return OUTCOME_DONE;
}

/* ---- The URL ----------------------------------------------------------------------- */

static bool url_part(CURLU *url, CURLUPart part, char **out)
{
    return curl_url_get(url, part, out, 0) == CURLUE_OK;
}

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
           (strncmp(host, "127.", 4) == 0 && host[strspn(host, "0123456789.")] == '\0');
}

struct url_parts {
    char *scheme, *host, *user, *query, *fragment;
};

static enum outcome check_url(const struct endpoint *endpoint, const struct url_parts *u)
{
    if (u->scheme == NULL || u->host == NULL ||
        (strcmp(u->scheme, "http") != 0 && strcmp(u->scheme, "https") != 0))
        return say(OUTCOME_USAGE,
                   "'%s' is no URL of a daemon; accepted: http://ADDRESS:PORT, "
                   "https://HOST:PORT",
                   endpoint->name);
    if (u->user != NULL || u->query != NULL || u->fragment != NULL)
        return say(OUTCOME_USAGE,
                   "a URL of a daemon has no user, query or fragment; accepted: "
                   "http://ADDRESS:PORT, https://HOST:PORT");
    /* Plain HTTP would show the token to whoever is on the way. */
    if (endpoint->token[0] != '\0' && strcmp(u->scheme, "http") == 0 &&
        !is_loopback(u->host))
        return say(OUTCOME_USAGE,
                   "the token is not sent over plain HTTP to %s; accepted: https://, or "
                   "http:// to the loopback",
                   u->host);
    return OUTCOME_DONE;
}

static enum outcome find_url(struct endpoint *endpoint, const struct args *args)
{
    struct url_parts u = {0};
    enum outcome outcome = find_token(endpoint, args);
    if (outcome != OUTCOME_DONE)
        return outcome;
    CURLU *url = must(curl_url());
    if (curl_url_set(url, CURLUPART_URL, endpoint->name, CURLU_NON_SUPPORT_SCHEME) ==
        CURLUE_OK) {
        url_part(url, CURLUPART_SCHEME, &u.scheme);
        url_part(url, CURLUPART_HOST, &u.host);
        url_part(url, CURLUPART_USER, &u.user);
        url_part(url, CURLUPART_QUERY, &u.query);
        url_part(url, CURLUPART_FRAGMENT, &u.fragment);
    }
    outcome = check_url(endpoint, &u);
    bool https = u.scheme != NULL && strcmp(u.scheme, "https") == 0;
    if (outcome == OUTCOME_DONE)
        outcome = find_cacert(endpoint, args, https);
    curl_free(u.scheme);
    curl_free(u.host);
    curl_free(u.user);
    curl_free(u.query);
    curl_free(u.fragment);
    curl_url_cleanup(url);
    endpoint->base = must(strdup(endpoint->name));
    for (size_t end = strlen(endpoint->base); end > 0 && endpoint->base[end - 1] == '/';)
        endpoint->base[--end] = '\0';
    return outcome;
}

/* ---- The daemon -------------------------------------------------------------------- */

static enum outcome find_socket(struct endpoint *endpoint, const struct args *args)
{
    endpoint->socket = endpoint->name;
    if (endpoint->socket[0] == '\0' || strlen(endpoint->socket) >= SOCKET_PATH_MAX)
        return say(OUTCOME_USAGE, "--socket: the path has %zu bytes; accepted: 1 to %zu",
                   strlen(endpoint->socket), SOCKET_PATH_MAX - 1);
    endpoint->base = must(strdup("http://localhost"));
    enum outcome outcome = find_cacert(endpoint, args, false);
    return outcome != OUTCOME_DONE ? outcome : find_token(endpoint, args);
}

static enum outcome find_timeout(struct endpoint *endpoint, const struct args *args)
{
    const char *text = args_value(args, "timeout");
    endpoint->timeout_s = ENDPOINT_TIMEOUT_S;
    if (text == NULL)
        return OUTCOME_DONE;
    size_t length = strlen(text);
    if (length > 0 && length <= 5 && strspn(text, "0123456789") == length)
        endpoint->timeout_s = strtol(text, NULL, 10);
    else
        endpoint->timeout_s = 0;
    if (endpoint->timeout_s >= 1 && endpoint->timeout_s <= TIMEOUT_S_MAX)
        return OUTCOME_DONE;
    return say(OUTCOME_USAGE, "--timeout %s is no such time; accepted: 1 to %d seconds",
               text, TIMEOUT_S_MAX);
}

enum outcome endpoint_find(struct endpoint *endpoint, const struct args *args)
{
    const char *socket = args_value(args, "socket");
    const char *url = args_value(args, "url");
    *endpoint = (struct endpoint){0};
    enum outcome outcome = find_timeout(endpoint, args);
    if (outcome != OUTCOME_DONE)
        return outcome;
    if (socket != NULL && url != NULL)
        return say(OUTCOME_USAGE, "--socket and --url name two daemons; accepted: one");
    if (socket == NULL && url == NULL)
        url = environment("ASHLAR_URL");
    if (socket == NULL && url == NULL)
        socket = environment("ASHLAR_SOCKET");
    if (url != NULL) {
        endpoint->name = url;
        return find_url(endpoint, args);
    }
    endpoint->name = socket != NULL ? socket : ENDPOINT_SOCKET;
    return find_socket(endpoint, args);
}

void endpoint_fini(struct endpoint *endpoint)
{
    explicit_bzero(endpoint->token, sizeof(endpoint->token));
    free(endpoint->base);
}
