/* SPDX-License-Identifier: Apache-2.0 */
/* From slices to lines. A feed has an exchange until its first slice, then a stream. */
#include "web/feed.h"

#include "web/exchange.h"
#include "web/stream.h"

#include <assert.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEED_TYPE "application/x-ndjson"

struct feed {
    struct feed *next, **link; /* link: what points here */
    struct web *web;
    struct exchange *x;    /* NULL: the answer has begun */
    struct stream *stream; /* NULL: it has not, or has ended */
    struct diff *diff;
    struct evbuffer *text; /* to be sent, empty between calls */
    uint64_t ranges, bytes;
    bool is_asked; /* a slice is */
    bool has_ended;
};

/* ---- Life -------------------------------------------------------------------------- */

static void feed_free(struct feed *f)
{
    diff_destroy(f->diff);
    if (f->text != NULL)
        evbuffer_free(f->text);
    free(f);
}

static void feed_unlink(struct feed *f)
{
    *f->link = f->next;
    if (f->next != NULL)
        f->next->link = f->link;
    f->web->feed_count--;
}

static void feed_link(struct feed *f, struct web *web)
{
    f->web = web;
    f->next = web->feeds;
    f->link = &web->feeds;
    if (f->next != NULL)
        f->next->link = &f->next;
    web->feeds = f;
    web->feed_count++;
}

static void feed_destroy(struct feed *f)
{
    feed_unlink(f);
    feed_free(f);
}

static void feed_on_gone(void *arg)
{
    feed_destroy(arg);
}

/* ---- Lines ------------------------------------------------------------------------- */

static void put_range(struct feed *f, const struct diff_range *r)
{
    evbuffer_add_printf(
        f->text, "{\"offset\":%" PRIu64 ",\"length\":%" PRIu64 ",\"state\":\"%s\"}\n",
        r->offset_bytes, r->length_bytes, r->is_zero ? "zero" : "data");
    f->ranges++;
    f->bytes += r->length_bytes;
}

static void put_end(struct feed *f, uint64_t size_bytes)
{
    evbuffer_add_printf(f->text,
                        "{\"end\":true,\"ranges\":%" PRIu64 ",\"bytes\":%" PRIu64
                        ",\"size\":%" PRIu64 "}\n",
                        f->ranges, f->bytes, size_bytes);
}

static void put_problem(struct feed *f, const struct problem *problem)
{
    json_t *said = problem_json(problem);
    AUTO_FREE char *text = said == NULL ? NULL : json_dumps(said, JSON_COMPACT);
    json_decref(said);
    if (text != NULL)
        evbuffer_add_printf(f->text, "{\"error\":%s}\n", text);
}

/* ---- Sending ----------------------------------------------------------------------- */

/* f may be gone when these return. */
static void feed_end(struct feed *f)
{
    f->has_ended = true;
    if (evbuffer_get_length(f->text) > 0)
        stream_write(f->stream, f->text);
    stream_end(f->stream);
}

static void feed_fail(struct feed *f, const struct problem *problem)
{
    put_problem(f, problem);
    feed_end(f);
}

static void feed_ask(struct feed *f)
{
    f->is_asked = true;
    diff_next(f->diff);
}

static void feed_go_on(struct feed *f)
{
    if (f->has_ended || f->is_asked || stream_unsent(f->stream) >= WEB_STREAM_FILL_BYTES)
        return; /* until feed_on_drained() */
    feed_ask(f);
}

static void feed_on_drained(void *arg)
{
    feed_go_on(arg);
}

/* False: x is answered, and f is gone. */
static bool feed_open(struct feed *f)
{
    const struct stream_owner owner = {
        .arg = f, .drained = feed_on_drained, .gone = feed_on_gone};
    f->stream = stream_begin(TAKE(f->x), FEED_TYPE, &owner);
    if (f->stream != NULL)
        return true;
    feed_destroy(f);
    return false;
}

/* ---- Slices ------------------------------------------------------------------------ */

/* Of what is refused, only `from` can be the query's fault. */
static void problem_of_diff(struct problem *p, const struct err *e)
{
    bool is_from = strcmp(e->field, "from") == 0;
    problem_of_err(p, e, is_from);
    if (!is_from)
        return;
    p->pointer[0] = '\0';
    snprintf(p->parameter, sizeof(p->parameter), "from");
    problem_accepts(p,
                    "a snapshot's name, of the same volume; VOLUME/SNAPSHOT; a "
                    "snapshot's id, or a volume's name or id, that has layers in common");
}

static void feed_send(struct feed *f, const struct diff_slice *slice)
{
    for (size_t i = 0; i < slice->count; i++)
        put_range(f, &slice->ranges[i]);
    if (slice->is_last) {
        put_end(f, slice->size_bytes);
        feed_end(f);
        return;
    }
    if (slice->count > 0)
        stream_write(f->stream, f->text);
    stream_ignore_input(f->stream);
    feed_go_on(f);
}

static void feed_take(struct feed *f, const struct diff_slice *slice, const struct err *e)
{
    struct problem problem = {.kind = PROBLEM_NONE};
    if (e != NULL)
        problem_of_diff(&problem, e);
    else if (!stream_is_permitted(f->stream))
        problem_set(&problem, PROBLEM_UNAUTHORIZED, "the token has been revoked");
    if (problem.kind == PROBLEM_NONE)
        feed_send(f, slice);
    else
        feed_fail(f, &problem);
}

static void feed_refuse(struct feed *f, const struct err *e)
{
    struct exchange *x = TAKE(f->x);
    problem_of_diff(&x->problem, e);
    feed_destroy(f);
    reply_problem(x);
}

static void feed_on_slice(void *arg, const struct diff_slice *slice, const struct err *e)
{
    struct feed *f = arg;
    f->is_asked = false;
    if (f->x != NULL && !exchange_is_live(f->x))
        feed_destroy(f);
    else if (f->x != NULL && e != NULL)
        feed_refuse(f, e);
    else if (f->x == NULL || feed_open(f))
        feed_take(f, slice, e);
}

/* ---- A new one --------------------------------------------------------------------- */

bool feeds_admit(struct exchange *x)
{
    const struct web *web = x->web;
    if (!web->draining && web->feed_count < WEB_FEEDS_MAX)
        return true;
    problem_set(&x->problem, PROBLEM_STOPPING, "%s",
                web->draining ? "the daemon is stopping"
                              : "too many lists of blocks are being read");
    return false;
}

void feed_begin(struct exchange *x, struct volume *of, const struct diff_spec *spec)
{
    struct err e = {.code = 0};
    struct feed *f = calloc(1, sizeof(*f));
    int rc = f == NULL ? err_oom(&e) : 0;
    if (rc == 0)
        rc = (f->text = evbuffer_new()) == NULL ? err_oom(&e) : 0;
    if (rc == 0)
        rc = diff_create(x->web->lunmgr, of, spec, feed_on_slice, f, &f->diff, &e);
    if (rc != 0) {
        if (f != NULL)
            feed_free(f);
        problem_of_diff(&x->problem, &e);
        reply_problem(x);
        return;
    }
    feed_link(f, x->web);
    f->x = x;
    feed_ask(f);
}

/* ---- The end of all ---------------------------------------------------------------- */

void feeds_end(struct web *web)
{
    struct feed *next;
    for (struct feed *f = web->feeds; f != NULL; f = next) {
        struct problem problem = {.kind = PROBLEM_NONE};
        next = f->next;
        problem_set(&problem, PROBLEM_STOPPING, "the daemon is stopping");
        if (f->stream != NULL && !f->has_ended)
            feed_fail(f, &problem);
    }
}

void feeds_end_all(struct web *web)
{
    struct feed *next;
    for (struct feed *f = web->feeds; f != NULL; f = next) {
        struct exchange *x = TAKE(f->x);
        next = f->next;
        feed_destroy(f);
        bool is_live = x != NULL && exchange_is_live(x); /* which frees it */
        assert(!is_live);
    }
}
