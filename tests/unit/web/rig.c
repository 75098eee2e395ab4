/* SPDX-License-Identifier: Apache-2.0 */
/* See rig.h. */
#include "rig.h"

#include "base/log.h"
#include "cm.h"
#include "tests/lib/scratch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETTLE_TURNS 50

static void no_log(enum log_level level, const char *line, void *arg)
{
    (void)level;
    (void)line;
    (void)arg;
}

static int setup(void **state, bool tls, const struct web_patience *patience)
{
    struct rig *r = calloc(1, sizeof(*r));
    struct err e = {0};
    assert_non_null(r);
    log_set_sink(no_log, NULL);
    signal(SIGPIPE, SIG_IGN); /* as main does */
    snprintf(r->dir, sizeof(r->dir), "%s/ashlar-web-XXXXXX", scratch_dir());
    assert_non_null(mkdtemp(r->dir));
    snprintf(r->socket, sizeof(r->socket), "%s/api.sock", r->dir);
    snprintf(r->tls_dir, sizeof(r->tls_dir), "%s/tls", r->dir);
    assert_int_equal(loop_create("control", &r->loop, &e), 0);
    r->m = fake_lunmgr_create(r->loop);
    r->target = fake_target_create(r->m);
    const struct web_options options = {
        .lunmgr = r->m,
        .target = r->target,
        .control = r->loop,
        .engine = "threads",
        .socket_path = r->socket,
        .tcp_address = "127.0.0.1:0",
        .tls_always = tls,
        .tls_dir = r->tls_dir,
        .patience = patience,
    };
    if (web_start(&options, &r->web, &e) != 0)
        fail_msg("%s: %s", e.field, e.text);
    r->client.fd = -1;
    *state = r;
    return 0;
}

static const struct web_patience hasty = {
    .idle_ms = 150, .request_ms = 400, .tls_ms = 150};

int rig_setup(void **state)
{
    return setup(state, false, NULL);
}

int rig_setup_tls(void **state)
{
    return setup(state, true, NULL);
}

int rig_setup_hasty(void **state)
{
    return setup(state, false, &hasty);
}

int rig_setup_hasty_tls(void **state)
{
    return setup(state, true, &hasty);
}

static void remove_file(const char *dir, const char *name)
{
    char path[192];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    unlink(path);
}

int rig_teardown(void **state)
{
    struct rig *r = *state;
    web_stop(r->web);
    fake_release(r->m);
    loop_run_once(r->loop, false);
    client_close(&r->client);
    json_decref(r->json);
    fake_target_destroy(r->target);
    fake_lunmgr_destroy(r->m);
    loop_destroy(r->loop);
    unlink(r->socket);
    remove_file(r->tls_dir, "certificate.pem");
    remove_file(r->tls_dir, "key.pem");
    rmdir(r->tls_dir);
    rmdir(r->dir);
    free(r);
    return 0;
}

void rig_pump(void *rig)
{
    struct rig *r = rig;
    for (int i = 0; i < 3; i++)
        loop_run_once(r->loop, false);
}

void rig_settle(struct rig *r)
{
    for (int i = 0; i < SETTLE_TURNS; i++)
        rig_pump(r);
}

static int take_answer(struct rig *r)
{
    json_decref(r->json);
    r->json = NULL;
    if (r->answer.body_bytes > 0)
        r->json = json_loadb(r->answer.body, r->answer.body_bytes, 0, NULL);
    return r->answer.status;
}

int rig_call_on(struct rig *r, struct client *c, const char *method, const char *path,
                const char *body)
{
    if (!client_call(c, method, path, body, &r->answer))
        fail_msg("%s %s: no answer", method, path);
    return take_answer(r);
}

int rig_call(struct rig *r, const char *method, const char *path, const char *body)
{
    if (r->client.fd < 0)
        assert_int_equal(client_open_unix(&r->client, r->socket, rig_pump, r), 0);
    return rig_call_on(r, &r->client, method, path, body);
}

void rig_send(struct rig *r, struct client *c, const char *method, const char *path,
              const char *headers, const char *body)
{
    char *text = NULL, token[160] = "";
    (void)r;
    if (c->token[0] != '\0')
        snprintf(token, sizeof(token), "Authorization: Bearer %s\r\n", c->token);
    int length = asprintf(&text,
                          "%s %s HTTP/1.1\r\nHost: localhost\r\n%s%s%s"
                          "Content-Length: %zu\r\n\r\n%s",
                          method, path, token, headers,
                          body == NULL ? "" : "Content-Type: application/json\r\n",
                          body == NULL ? 0 : strlen(body), body == NULL ? "" : body);
    assert_true(length > 0);
    if (!client_send(c, text, (size_t)length))
        fail_msg("%s %s: not sent", method, path);
    free(text);
}

int rig_receive(struct rig *r, struct client *c)
{
    if (!client_receive(c, false, &r->answer))
        fail_msg("no answer");
    return take_answer(r);
}

int rig_call_with(struct rig *r, struct client *c, const char *method, const char *path,
                  const char *headers, const char *body)
{
    rig_send(r, c, method, path, headers, body);
    return rig_receive(r, c);
}

struct client *rig_client_open(struct rig *r, const char *token)
{
    struct client *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    assert_int_equal(token == NULL
                         ? client_open_unix(c, r->socket, rig_pump, r)
                         : client_open_tcp(c, web_tcp_address(r->web), rig_pump, r),
                     0);
    snprintf(c->token, sizeof(c->token), "%s", token == NULL ? "" : token);
    return c;
}

void rig_client_close(struct client *c)
{
    client_close(c);
    free(c);
}

void rig_wait_held(struct rig *r, size_t count)
{
    for (int i = 0; i < 1000 && fake_held(r->m) < count; i++)
        rig_pump(r);
    assert_int_equal(fake_held(r->m), count);
}

const char *rig_header(struct rig *r, const char *name)
{
    return answer_header(&r->answer, name, r->header, sizeof(r->header));
}

json_t *rig_get(struct rig *r, const char *path)
{
    json_t *at = r->json;
    while (at != NULL && *path != '\0') {
        char key[64];
        size_t length = strcspn(path, "/");
        snprintf(key, sizeof(key), "%.*s", (int)length, path);
        at = json_is_array(at) ? json_array_get(at, strtoul(key, NULL, 10))
                               : json_object_get(at, key);
        path += length + (path[length] == '/');
    }
    return at;
}

const char *rig_text(struct rig *r, const char *path)
{
    const char *text = json_string_value(rig_get(r, path));
    return text == NULL ? "" : text;
}

long long rig_number(struct rig *r, const char *path)
{
    json_t *value = rig_get(r, path);
    return json_is_integer(value) ? json_integer_value(value) : -1;
}

void rig_provision(struct rig *r)
{
    assert_int_equal(rig_call(r, "POST", "/v1/pools",
                              "{\"name\":\"p\",\"devices\":[{\"path\":\"/srv/p.img\","
                              "\"size\":\"1GiB\"}]}"),
                     201);
    assert_int_equal(rig_call(r, "POST", "/v1/volumes",
                              "{\"name\":\"v\",\"pool\":\"p\",\"size\":\"1TiB\"}"),
                     201);
    assert_int_equal(rig_call(r, "POST", "/v1/hosts",
                              "{\"name\":\"h\",\"initiators\":"
                              "[\"iqn.2024-01.com.example:h\"]}"),
                     201);
}
