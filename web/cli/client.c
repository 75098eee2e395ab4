/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl, kept to what the API needs: no redirects, no proxies, no credentials of other
 * files, answers of a bounded size. Single thread. */
#include "web/cli/client.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECT_TIMEOUT_S 10L
#define LOOK_MS           1000 /* how often a stream is looked at that says nothing */

struct client {
    const struct endpoint *endpoint;
    CURL *curl;
    struct curl_slist *headers, *headers_json; /* without and with a body */
    CURLcode code;                             /* of the last request */
    char error[CURL_ERROR_SIZE];
};

/* ---- Life -------------------------------------------------------------------------- */

static void add_header(struct curl_slist **list, const char *header)
{
    *list = must(curl_slist_append(*list, header));
}

static void make_headers(const struct client *client, const char *accept,
                         const char *type, struct curl_slist **list)
{
    char authorization[ENDPOINT_TOKEN_MAX + 32];
    add_header(list, accept);
    add_header(list, type);
    add_header(list, "Expect:");
    if (client->endpoint->token[0] != '\0') {
        snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s",
                 client->endpoint->token);
        add_header(list, authorization);
    }
    explicit_bzero(authorization, sizeof(authorization));
}

struct client *client_create(const struct endpoint *endpoint)
{
    struct client *client = must(calloc(1, sizeof(*client)));
    client->endpoint = endpoint;
    client->curl = must(curl_easy_init());
    make_headers(client, "Accept: application/json", "Content-Type:", &client->headers);
    make_headers(client, "Accept: application/json", "Content-Type: application/json",
                 &client->headers_json);
    return client;
}

void client_destroy(struct client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    curl_slist_free_all(client->headers);
    curl_slist_free_all(client->headers_json);
    free(client);
}

/* ---- A request --------------------------------------------------------------------- */

static size_t on_data(char *data, size_t one, size_t bytes, void *arg)
{
    struct reply *reply = arg;
    (void)one; /* always 1 */
    if (bytes > CLIENT_REPLY_BYTES_MAX - reply->length)
        return 0; /* libcurl ends the transfer */
    if (reply->space - reply->length <= bytes) {
        reply->space = 2 * (reply->length + bytes + 1);
        reply->text = must(realloc(reply->text, reply->space));
    }
    memcpy(reply->text + reply->length, data, bytes);
    reply->length += bytes;
    reply->text[reply->length] = '\0';
    return bytes;
}

static void set_up(struct client *client, const char *method, const char *url,
                   const char *body, struct reply *reply)
{
    CURL *c = client->curl;
    const struct endpoint *endpoint = client->endpoint;
    curl_easy_reset(c);
    if (endpoint->socket != NULL)
        curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, endpoint->socket);
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (endpoint->cacert != NULL) { /* and nobody else */
        curl_easy_setopt(c, CURLOPT_CAINFO, endpoint->cacert);
        curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
    }
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "ashlarctl/" ASHLAR_VERSION);
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, endpoint->timeout_s);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, client->error);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER,
                     body != NULL ? client->headers_json : client->headers);
    if (body != NULL || strcmp(method, "POST") == 0) {
        curl_easy_setopt(c, CURLOPT_POST, 1L);
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, body != NULL ? body : "");
    }
    if (strcmp(method, "GET") != 0)
        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
}

static bool is_https(const struct endpoint *endpoint)
{
    return strncmp(endpoint->base, "https:", strlen("https:")) == 0;
}

static enum outcome say_untrusted(const char *where, const char *why)
{
    return say(
        OUTCOME_UNREACHED,
        "the certificate of the daemon at %s is not trusted: %s; --cacert FILE (or "
        "ASHLAR_CACERT) trusts the one in FILE, a copy of the daemon's: its "
        "STATE-DIR/tls/certificate.pem, or what its api-certificate names",
        where, why);
}

enum outcome client_say_unreached(const struct client *client)
{
    CURLcode code = client->code;
    const char *where = client->endpoint->name;
    const char *why = client->error[0] != '\0' ? client->error : curl_easy_strerror(code);
    long system_error = 0;
    curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &system_error);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        if (system_error != 0 && client->endpoint->socket != NULL)
            why = strerror((int)system_error);
        return say(OUTCOME_UNREACHED,
                   "cannot reach the daemon at %s: %s; is ashlard running there? "
                   "--socket or --url name another",
                   where, why);
    case CURLE_OPERATION_TIMEDOUT:
        return say(OUTCOME_UNREACHED,
                   "the daemon at %s gave no answer within %ld s (--timeout); a change "
                   "may still be made",
                   where, client->endpoint->timeout_s);
    case CURLE_PEER_FAILED_VERIFICATION:
        return say_untrusted(where, why);
    case CURLE_SSL_CACERT_BADFILE:
        return say(OUTCOME_UNREACHED, "--cacert %s: holds no certificate in PEM",
                   client->endpoint->cacert);
    case CURLE_SSL_CONNECT_ERROR:
        return say(OUTCOME_UNREACHED,
                   "no TLS with the daemon at %s: %s; does it take http:// there?", where,
                   why);
    case CURLE_WRITE_ERROR:
        return say(OUTCOME_UNREACHED, "the answer of %s is too long: is that ashlard?",
                   where);
    default:
        return say(OUTCOME_UNREACHED, "no answer from the daemon at %s: %s%s", where, why,
                   client->endpoint->socket != NULL || is_https(client->endpoint)
                       ? ""
                       : "; does it want https:// there?");
    }
}

/* What libevent refuses by itself, it answers without JSON. */
static bool is_of_http(long status)
{
    return status == 400 || status == 413;
}

/* Problems and what was asked for are JSON objects. */
static enum outcome read_reply(const struct client *client, struct reply *reply)
{
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &reply->status);
    if (reply->status == 204)
        return OUTCOME_DONE;
    if (reply->length > 0)
        reply->json = json_loadb(reply->text, reply->length, 0, NULL);
    if (reply->json != NULL && !json_is_object(reply->json)) {
        json_decref(reply->json);
        reply->json = NULL;
    }
    if (reply->json != NULL || is_of_http(reply->status))
        return OUTCOME_DONE;
    return say(OUTCOME_UNREACHED,
               "what answers at %s is no Ashlar daemon: status %ld without JSON",
               client->endpoint->name, reply->status);
}

enum outcome client_call(struct client *client, const char *method, const char *path,
                         const json_t *body, struct reply *reply)
{
    AUTO_FREE char *text = body == NULL ? NULL : must(json_dumps(body, JSON_COMPACT));
    AUTO_FREE char *url = NULL;
    *reply = (struct reply){0};
    if (asprintf(&url, "%s%s", client->endpoint->base, path) < 0)
        url = must(NULL);
    client->error[0] = '\0';
    set_up(client, method, url, text, reply);
    client->code = curl_easy_perform(client->curl);
    if (client->code != CURLE_OK)
        return client_say_unreached(client);
    return read_reply(client, reply);
}

/* ---- An answer that goes on -------------------------------------------------------- */

struct taking {
    struct client *client;
    const struct client_stream *stream;
    struct reply *reply;
    struct timespec heard;
    bool enough;
};

/* Anything but 200 is an answer that ends. */
static size_t on_stream_data(char *data, size_t one, size_t bytes, void *arg)
{
    struct taking *t = arg;
    long status = 0;
    clock_gettime(CLOCK_MONOTONIC, &t->heard);
    curl_easy_getinfo(t->client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        return on_data(data, one, bytes, t->reply);
    t->enough = !t->stream->take(t->stream->arg, data, bytes);
    return t->enough ? 0 : bytes;
}

static bool is_silent(const struct taking *t)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec - t->heard.tv_sec > t->stream->silence_s;
}

/* False: the transfer is over; client->code says how. */
static bool stream_step(struct taking *t, CURLM *multi)
{
    int running = 0, left;
    struct curl_waitfd stop = {.fd = t->stream->stop_fd, .events = CURL_WAIT_POLLIN};
    if (curl_multi_perform(multi, &running) != CURLM_OK)
        must(NULL);
    const CURLMsg *msg = curl_multi_info_read(multi, &left);
    if (msg != NULL)
        t->client->code = msg->data.result;
    if (running == 0 || t->enough)
        return false;
    if (curl_multi_poll(multi, &stop, 1, LOOK_MS, NULL) != CURLM_OK)
        must(NULL);
    t->enough = stop.revents != 0 || !t->stream->goes_on(t->stream->arg);
    return !t->enough && !is_silent(t);
}

static enum stream_end stream_run(struct taking *t)
{
    CURLM *multi = must(curl_multi_init());
    if (curl_multi_add_handle(multi, t->client->curl) != CURLM_OK)
        must(NULL);
    t->client->code = CURLE_OK;
    while (stream_step(t, multi))
        ;
    curl_multi_remove_handle(multi, t->client->curl);
    curl_multi_cleanup(multi);
    if (t->enough)
        return STREAM_ENOUGH;
    long status = 0;
    curl_easy_getinfo(t->client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 0)
        return STREAM_UNREACHED;
    return status == 200 ? STREAM_LOST : STREAM_REFUSED;
}

enum stream_end client_watch(struct client *client, const char *path, const char *header,
                             const struct client_stream *stream, struct reply *reply)
{
    struct taking t = {.client = client, .stream = stream, .reply = reply};
    struct curl_slist *headers = NULL;
    AUTO_FREE char *url = NULL;
    *reply = (struct reply){0};
    if (asprintf(&url, "%s%s", client->endpoint->base, path) < 0)
        url = must(NULL);
    AUTO_FREE char *accept = NULL;
    if (asprintf(&accept, "Accept: %s", stream->accept) < 0)
        accept = must(NULL);
    make_headers(client, accept, "Content-Type:", &headers);
    if (header != NULL)
        add_header(&headers, header);
    client->error[0] = '\0';
    set_up(client, "GET", url, NULL, reply);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(client->curl, CURLOPT_TIMEOUT, 0L);
    curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, on_stream_data);
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &t);
    clock_gettime(CLOCK_MONOTONIC, &t.heard);
    enum stream_end end = stream_run(&t);
    if (end == STREAM_REFUSED && read_reply(client, reply) != OUTCOME_DONE)
        end = STREAM_NONE;
    curl_slist_free_all(headers);
    return end;
}

void reply_fini(struct reply *reply)
{
    if (reply->text != NULL)
        explicit_bzero(reply->text, reply->length); /* it may hold a new token */
    free(reply->text);
    json_decref(reply->json);
}
