/* SPDX-License-Identifier: Apache-2.0 */
/* See admit.h. */
#include "web/admit.h"

#include "base/auto.h"
#include "base/digest.h"
#include "lunmgr/loop.h"
#include "lunmgr/replay.h"
#include "web/api.h"
#include "web/differ.h"
#include "web/exchange.h"
#include "web/redact.h"
#include "web/resource.h"
#include "web/router.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <string.h>

/* ---- The record -------------------------------------------------------------------- */

/* What the path names, or what the body of a creation does: "A", "volume/A",
 * "volume/host". */
static void subject_fill(const struct exchange *x, char *out, size_t out_bytes)
{
    static const char *const names[] = {"volume", "name", "snapshot", "host"};
    char key[WEB_KEY_MAX];
    size_t at = 0;
    snprintf(out, out_bytes, "%s", exchange_key(x, key));
    for (size_t i = 0; key[0] == '\0' && i < ARRAY_LEN(names); i++) {
        const char *text = json_string_value(json_object_get(x->body, names[i]));
        if (text == NULL || at >= out_bytes)
            continue;
        at +=
            (size_t)snprintf(out + at, out_bytes - at, "%s%s", at == 0 ? "" : "/", text);
        if (strcmp(names[i], "name") == 0)
            return;
    }
}

static void record_fill(struct exchange *x)
{
    struct record *r = &x->passage.record;
    r->audited = true;
    r->dry_run = x->query.dry_run;
    snprintf(r->who, sizeof(r->who), "%s", x->who.name);
    snprintf(r->from, sizeof(r->from), "%s", x->who.address);
    snprintf(r->operation, sizeof(r->operation), "%s", x->route->operation);
    subject_fill(x, r->subject, sizeof(r->subject));
    x->passage.request = redacted_text(x->body, x->query.purge);
    r->request = x->passage.request;
}

/* ---- The condition ----------------------------------------------------------------- */

static bool check_condition(struct exchange *x)
{
    char tag[ETAG_MAX];
    const char *wanted = exchange_header(x, "If-Match");
    if (wanted == NULL)
        return true;
    const void *object = exchange_object(x);
    bool has_tag = x->route->resource != NULL && x->route->resource->find != NULL;
    if (object == NULL && has_tag && x->params[0][0] != '\0') {
        if (x->route->method != EVHTTP_REQ_PUT)
            return true; /* the handler says what is not there */
        problem_set(&x->problem, PROBLEM_CHANGED, "it is not there (any more)");
        problem_accepts(&x->problem, "no If-Match, to make it");
        return false;
    }
    if (object == NULL)
        return !problem_set(&x->problem, PROBLEM_MALFORMED,
                            "If-Match means nothing for this path: what it is about has "
                            "no entity tag");
    resource_etag(x->web, x->route->resource, object, tag);
    if (etag_is_named(wanted, tag, false))
        return true;
    problem_set(&x->problem, PROBLEM_CHANGED, "it has changed since it was read");
    problem_accepts(&x->problem, "If-Match: %s", tag);
    return false;
}

/* ---- The turn ---------------------------------------------------------------------- */

static void enter(struct exchange *x)
{
    struct lunmgr *m = x->web->lunmgr;
    if (!check_condition(x)) {
        reply_problem(x);
        return;
    }
    if (x->query.dry_run)
        dry_run_look(x);
    x->passage.is_changing = true;
    lunmgr_record_next(m, &x->passage.record);
    x->route->handler(x);
    lunmgr_record_drop(m); /* the handler may have refused by itself */
}

static void turn_on_called(struct note *note)
{
    struct exchange *x = container_of(note, struct exchange, passage.note);
    x->passage.is_called = false;
    if (exchange_is_live(x))
        enter(x);
}

static void turn_call(struct exchange *x)
{
    x->passage.is_waiting = false;
    x->passage.is_called = true;
    x->passage.note.run = turn_on_called;
    loop_post(x->web->control, &x->passage.note);
}

static bool is_taken(const struct web *web, const void *object)
{
    const struct exchange *x = web->exchanges;
    while (x != NULL && (x->passage.object != object || x->passage.is_waiting))
        x = x->next;
    return x != NULL;
}

static void turn_take(struct exchange *x)
{
    const void *object = exchange_object(x);
    x->passage.is_waiting = object != NULL && is_taken(x->web, object);
    x->passage.object = object;
    if (!x->passage.is_waiting)
        enter(x);
}

void admit_leave(struct exchange *x)
{
    const void *object = TAKE(x->passage.object);
    free(TAKE(x->passage.request));
    if (object == NULL || x->passage.is_waiting)
        return;
    /* The oldest first: exchanges stand in the order of their coming. */
    for (struct exchange *next = x->web->exchanges; next != NULL; next = next->next) {
        if (next->passage.object == object && next->passage.is_waiting) {
            turn_call(next);
            return;
        }
    }
}

/* ---- The key ----------------------------------------------------------------------- */

static bool key_read(struct exchange *x)
{
    struct record *r = &x->passage.record;
    const char *key = exchange_header(x, "Idempotency-Key");
    if (key == NULL || r->dry_run)
        return true;
    if (key[0] == '\0' || strlen(key) >= sizeof(r->key)) {
        problem_set(&x->problem, PROBLEM_MALFORMED,
                    "the Idempotency-Key is empty or too long");
        problem_accepts(&x->problem, "1 to %zu bytes", sizeof(r->key) - 1);
        return false;
    }
    snprintf(r->key, sizeof(r->key), "%s", key);
    snprintf(r->principal, sizeof(r->principal), "%s", x->who.id);
    return true;
}

/* Two requests with one fingerprint ask for the same. */
static void key_fingerprint(struct exchange *x)
{
    struct digest d;
    struct evbuffer *in = evhttp_request_get_input_buffer(x->req);
    const char *uri = evhttp_request_get_uri(x->req);
    size_t length = evbuffer_get_length(in);
    digest_begin(&d);
    digest_add(&d, x->route->operation, strlen(x->route->operation) + 1);
    digest_add(&d, uri, strlen(uri) + 1);
    digest_add(&d, length == 0 ? "" : (const char *)evbuffer_pullup(in, -1), length);
    digest_end(&d, x->passage.record.fingerprint);
}

static bool key_is_under_way(const struct exchange *x)
{
    const struct record *r = &x->passage.record;
    for (const struct exchange *at = x->web->exchanges; at != NULL; at = at->next) {
        const struct record *other = &at->passage.record;
        if (at != x && strcmp(other->key, r->key) == 0 &&
            strcmp(other->principal, r->principal) == 0)
            return true;
    }
    return false;
}

/* The change was done, and how it was answered was not kept: its object as it is now. */
static void again_on_shown(void *arg, int status, json_t *body)
{
    struct exchange *x = arg;
    if (!exchange_is_live(x)) {
        json_decref(body);
    } else if (status == 200) {
        reply_again(x, x->route->status, body);
    } else {
        json_decref(body);
        problem_set(&x->problem, PROBLEM_NOT_FOUND,
                    "the change was made; what it made or changed is gone since");
        reply_problem(x);
    }
}

static void reply_what_was(struct exchange *x, const struct replay *was)
{
    if (memcmp(was->fingerprint, x->passage.record.fingerprint,
               sizeof(was->fingerprint)) != 0) {
        problem_set(&x->problem, PROBLEM_KEY_REUSED,
                    "the Idempotency-Key came with another request before");
        reply_problem(x);
    } else if (was->status == 0 && x->route->schema == &schema_apply) {
        x->passage.record.key[0] = '\0'; /* it is recorded; what is done stays done */
        turn_take(x);
    } else if (router_tells_once(x->route)) {
        problem_set(&x->problem, PROBLEM_TOLD_ONCE,
                    "it was made before, and what it is was told that once");
        reply_problem(x);
    } else if (was->status != 0) {
        reply_again(x, was->status, json_loads(was->body, 0, NULL));
    } else if (x->route->method == EVHTTP_REQ_DELETE) {
        reply_again(x, 204, NULL);
    } else {
        router_show(x, was->subject_id, again_on_shown, x);
    }
}

static void key_on_found(void *arg, const struct replay *was, const struct err *e)
{
    struct exchange *x = arg;
    if (!exchange_is_live(x))
        return;
    if (e != NULL)
        reply_err(x, e);
    else if (was != NULL)
        reply_what_was(x, was);
    else
        turn_take(x);
}

static void key_pass(struct exchange *x)
{
    struct record *r = &x->passage.record;
    key_fingerprint(x);
    if (key_is_under_way(x)) {
        r->key[0] = '\0';
        problem_set(&x->problem, PROBLEM_UNDER_WAY,
                    "a request with this Idempotency-Key is under way");
        reply_problem(x);
    } else {
        replay_find(x->web->lunmgr, r->principal, r->key, key_on_found, x);
    }
}

/* ---- The whole --------------------------------------------------------------------- */

void admit_change(struct exchange *x)
{
    record_fill(x);
    if (!key_read(x))
        reply_problem(x);
    else if (x->passage.record.key[0] != '\0')
        key_pass(x);
    else
        turn_take(x);
}

/* ---- What is no change of the catalog ---------------------------------------------- */

static void admit_on_recorded(void *arg, const struct err *e)
{
    struct exchange *x = arg;
    if (exchange_resume(x, e))
        x->then(x);
}

void admit_record(struct exchange *x, void (*then)(struct exchange *x))
{
    if (x->web == NULL) { /* nobody is there to be answered either */
        (void)!exchange_is_live(x);
        return;
    }
    struct record record = x->passage.record;
    AUTO_FREE char *answer =
        x->answer == NULL ? NULL : json_dumps(x->answer, JSON_COMPACT);
    if (answer != NULL) {
        record.status = x->route->status;
        record.answer = answer;
    }
    x->then = then;
    lunmgr_record_drop(
        x->web->lunmgr); /* if its handler still runs: no operation comes */
    record_write(x->web->lunmgr, &record, admit_on_recorded, x);
}
