/* SPDX-License-Identifier: Apache-2.0 */
/* See malform.h: sends, judges, counts, and compares the lists. */
#include "malform_priv.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define SETTLE_LOOKS 100
#define CALM_LOOKS   5
#define CHECK_EVERY  32  /* requests between two looks at the lists */
#define FAULTS_MAX   40  /* told; then it is given up */
#define POINTER_CUT  150 /* a longer one may be cut */

char *text_times(const char *text, size_t times)
{
    size_t length = strlen(text);
    char *out = malloc(length * times + 1);
    for (size_t i = 0; i < times; i++)
        memcpy(out + i * length, text, length);
    out[length * times] = '\0';
    return out;
}

/* what: is wrong; with: the request, or what else it is about. */
static void fault(struct malform *m, const char *with, const char *what)
{
    m->faults++;
    fprintf(m->report, "FAULT %s %s: %s: %s\n", m->op->method, m->op->path, with, what);
}

static void bad_fault(struct malform *m, const struct bad *b, const char *what)
{
    char text[WHY_MAX];
    snprintf(text, sizeof(text), "%.200s; answered %d: %.200s", what,
             m->world.answer.status, m->world.answer.body);
    fault(m, b->what, text);
}

/* ---- Connections ------------------------------------------------------------------- */

/* An open connection, or NULL. */
static struct client *connection(struct malform *m, bool tcp)
{
    struct client *c = tcp ? m->tcp : m->world.client;
    if (c->fd < 0 && m->open(m->arg, c, tcp) != 0)
        return NULL;
    return c;
}

/* ---- The lists --------------------------------------------------------------------- */

/* Lists that change by themselves, or by being asked. */
static const char *const restless[] = {
    "/v1/openapi.json", /* never does, and is long */
    "/v1/events",       /* tells of who is refused */
};

static bool tells_state(const struct malform *m, const struct operation *op)
{
    const json_t *response = NULL;
    operation_success(m->world.document, op, &response);
    for (size_t i = 0; i < sizeof(restless) / sizeof(restless[0]); i++) {
        if (strcmp(op->path, restless[i]) == 0)
            return false;
    }
    return strcmp(op->method, "GET") == 0 && strchr(op->path, '{') == NULL &&
           response_has_type(response, "application/json");
}

/* Everything that the lists tell; NULL: one could not be asked. To be freed. */
static char *state_read(struct malform *m)
{
    char *out = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&out, &bytes);
    bool good = connection(m, false) != NULL;
    for (size_t i = 0; good && i < m->world.operation_count; i++) {
        const struct operation *op = &m->world.operations[i];
        if (!tells_state(m, op))
            continue;
        good = client_call(m->world.client, "GET", op->path, NULL, &m->world.answer) &&
               m->world.answer.status == 200;
        fprintf(f, "%s %s\n", op->path, m->world.answer.body);
    }
    fclose(f);
    if (good)
        return out;
    free(out);
    return NULL;
}

/* Where the first line begins in which the two differ */
static const char *first_change(const char *before, const char *after)
{
    size_t line = 0;
    for (size_t i = 0; before[i] == after[i]; i++) {
        if (after[i] == '\n')
            line = i + 1;
    }
    return after + line;
}

/* What was asked for while the world was made may still end: a job. NULL as above. */
static char *state_settled(struct malform *m)
{
    static const struct timespec moment = {.tv_nsec = 100000000};
    char *state = state_read(m);
    int calm = 0; /* looks that found the same */
    for (int i = 0; state != NULL && calm < CALM_LOOKS && i < SETTLE_LOOKS; i++) {
        nanosleep(&moment, NULL);
        char *now = state_read(m);
        calm = now != NULL && strcmp(state, now) == 0 ? calm + 1 : 0;
        free(state);
        state = now;
    }
    return state;
}

static void check_state(struct malform *m, const char *last)
{
    char text[WHY_MAX], *now = state_read(m);
    m->unchecked = 0;
    if (now == NULL) {
        fault(m, last, "the lists cannot be read after it");
        return;
    }
    if (strcmp(m->state, now) != 0) {
        snprintf(text, sizeof(text), "it, or one of the %d before, changed %.400s",
                 CHECK_EVERY - 1, first_change(m->state, now));
        fault(m, last, text);
        free(m->state);
        m->state = strdup(now);
    }
    free(now);
}

/* ---- One request ------------------------------------------------------------------- */

static bool send_it(struct malform *m, struct client *c, const struct bad *b)
{
    char *head = NULL, length[48] = "";
    const char *headers = b->headers;
    if (headers == NULL)
        headers = b->body == NULL ? "" : "Content-Type: application/json\r\n";
    if (b->body != NULL && !b->framed)
        snprintf(length, sizeof(length), "Content-Length: %zu\r\n", b->body_bytes);
    int bytes = asprintf(&head, "%s %s%s%s\r\n%s%s%s\r\n",
                         b->method == NULL ? m->op->method : b->method,
                         b->target == NULL ? m->path : b->target,
                         b->version == NULL || b->version[0] != '\0' ? " " : "",
                         b->version == NULL ? "HTTP/1.1" : b->version,
                         b->host == NULL ? "Host: x\r\n" : b->host, headers, length);
    /* A server that has refused the head need not read the body. */
    bool good = bytes > 0 && client_send(c, head, (size_t)bytes);
    if (good && b->body != NULL)
        (void)client_send(c, b->body, b->body_bytes);
    if (good && b->cut)
        shutdown(c->fd, SHUT_WR);
    free(head);
    return good;
}

static bool is_text(const json_t *object, const char *member, const char *want)
{
    const char *got = json_string_value(json_object_get(object, member));
    return want == NULL ? got == NULL : got != NULL && strcmp(got, want) == 0;
}

static bool pointer_is_due(const json_t *problem, const struct bad *b)
{
    const char *got = json_string_value(json_object_get(problem, "pointer"));
    if (b->pointer == NULL || got == NULL || is_text(problem, "pointer", b->pointer))
        return is_text(problem, "pointer", b->pointer);
    size_t length = strlen(b->pointer);
    if (b->within && strncmp(got, b->pointer, length) == 0 && got[length] == '/')
        return true;
    return strlen(got) >= POINTER_CUT && strncmp(got, b->pointer, strlen(got)) == 0;
}

static bool is_as_documented(struct malform *m, const json_t *problem, char why[WHY_MAX])
{
    char status[16];
    const json_t *document = m->world.document;
    snprintf(status, sizeof(status), "%d", m->world.answer.status);
    if (json_object_get(json_object_get(m->op->json, "responses"), status) != NULL)
        return document_covers(document, m->op->json, &m->world.answer, why);
    const json_t *schemas =
        json_object_get(json_object_get(document, "components"), "schemas");
    return document_allows(document, json_object_get(schemas, "Problem"), problem, why);
}

static void judge_problem(struct malform *m, const struct bad *b)
{
    char type[64], why[WHY_MAX];
    const struct answer *a = &m->world.answer;
    answer_header(a, "Content-Type", type, sizeof(type));
    if (strcmp(type, "application/problem+json") != 0) {
        bad_fault(m, b, "the answer is no problem");
        return;
    }
    if (b->method != NULL && strcmp(b->method, "HEAD") == 0)
        return; /* its body is not sent */
    json_t *problem = json_loadb(a->body, a->body_bytes, 0, NULL);
    if (problem == NULL)
        bad_fault(m, b, "the problem is not JSON");
    else if (!is_as_documented(m, problem, why))
        bad_fault(m, b, why);
    else if (json_integer_value(json_object_get(problem, "status")) != b->status)
        bad_fault(m, b, "the problem has another status");
    else if (b->type != NULL && !is_text(problem, "type", b->type))
        bad_fault(m, b, b->type);
    else if (b->type != NULL && !pointer_is_due(problem, b))
        bad_fault(m, b, b->pointer == NULL ? "no pointer was due" : b->pointer);
    else if (b->type != NULL && !is_text(problem, "parameter", b->parameter))
        bad_fault(m, b, b->parameter == NULL ? "no parameter was due" : b->parameter);
    json_decref(problem);
}

/* RFC 9110, 15.5.6: what the path takes instead. */
static void judge_allow(struct malform *m, const struct bad *b)
{
    char allow[128];
    answer_header(&m->world.answer, "Allow", allow, sizeof(allow));
    if (b->status == 405 && strstr(allow, m->op->method) == NULL)
        bad_fault(m, b, "Allow lacks the operation's own method");
}

static void judge(struct malform *m, const struct bad *b, bool answered)
{
    char text[64];
    if (b->due == DUE_END) {
        if (answered)
            bad_fault(m, b, "no answer was due");
        return;
    }
    /* So many unknown tokens come from one address that they are not looked at any more.
     */
    bool locked = answered && b->status == 401 && m->world.answer.status == 429;
    if (locked)
        return;
    if (!answered || m->world.answer.status != b->status) {
        snprintf(text, sizeof(text), "%d was due", b->status);
        bad_fault(m, b, answered ? text : "no answer came");
        return;
    }
    judge_allow(m, b);
    if (b->due == DUE_PROBLEM)
        judge_problem(m, b);
}

void malform_try(struct malform *m, const struct bad *b)
{
    char type[32];
    bool head = b->method != NULL && strcmp(b->method, "HEAD") == 0;
    bool closes = b->closes || b->due != DUE_PROBLEM;
    if (m->faults >= FAULTS_MAX)
        return;
    struct client *c = connection(m, b->tcp);
    if (c == NULL) {
        fault(m, b->what, "cannot connect");
        return;
    }
    bool answered = send_it(m, c, b) && client_receive(c, head, &m->world.answer);
    judge(m, b, answered);
    answer_header(&m->world.answer, "Connection", type, sizeof(type));
    bool says_close = strcmp(type, "close") == 0;
    if (answered && closes != says_close)
        bad_fault(m, b, closes ? "it must say close" : "it must not say close");
    if (answered && closes && !client_sees_end(c))
        bad_fault(m, b, "the connection stays open");
    if (!answered || closes || says_close)
        client_close(c);
    m->count++;
    if (++m->unchecked == CHECK_EVERY)
        check_state(m, b->what);
}

/* ---- All --------------------------------------------------------------------------- */

/* Takes text. Each place of what, with more behind it. */
static char *extend_all(char *text, const char *what, const char *more)
{
    char *out = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&out, &bytes);
    const char *rest = text;
    for (const char *at; (at = strstr(rest, what)) != NULL; rest = at + strlen(what))
        fprintf(f, "%.*s%s%s", (int)(at - rest), rest, what, more);
    fprintf(f, "%s", rest);
    fclose(f);
    free(text);
    return out;
}

/* The first example; where it made what is there, under another name. */
static char *good_body(const struct malform *m)
{
    const json_t *response = NULL;
    char *text = world_example(&m->world, m->op, 0);
    json_t *name =
        json_object_get(operation_body_example(m->world.document, m->op, 0), "name");
    if (name != NULL && operation_success(m->world.document, m->op, &response) == 201)
        text = extend_all(text, json_string_value(name), "9");
    return text;
}

static void run_operation(struct malform *m)
{
    m->count = 0;
    if (connection(m, false) == NULL || !world_path(&m->world, m->op, m->path)) {
        fault(m, "its path", m->world.why);
        return;
    }
    m->body = good_body(m);
    size_t floor = m->body != NULL ? MALFORM_BODY_FLOOR : MALFORM_BARE_FLOOR;
    if (m->body != NULL) {
        malform_schema(m);
        malform_json(m);
    }
    malform_path(m);
    malform_query(m);
    malform_http(m);
    malform_token(m);
    check_state(m, "the last");
    fprintf(m->report, "%5zu malformed requests for %s %s\n", m->count, m->op->method,
            m->op->path);
    if (m->count < floor)
        fault(m, "all", "too few requests");
    free(m->body);
    m->total += m->count;
}

static void run(struct malform *m)
{
    m->state = state_settled(m);
    for (size_t i = 0;
         m->state != NULL && m->faults < FAULTS_MAX && i < m->world.operation_count;
         i++) {
        m->op = &m->world.operations[i];
        if (m->only == NULL || strcmp(m->op->id, m->only) == 0)
            run_operation(m);
    }
    if (m->state == NULL)
        m->faults++;
    free(m->state);
}

bool malform_run(struct malform *m)
{
    m->faults = m->total = 0;
    if (world_open(&m->world) && world_build(&m->world)) {
        run(m);
    } else {
        fprintf(m->report, "%s\n", m->world.why);
        m->faults++;
    }
    world_close(&m->world);
    client_close(m->tcp);
    fprintf(m->report, "%5zu malformed requests, %zu faults\n", m->total, m->faults);
    return m->faults == 0;
}
