/* SPDX-License-Identifier: Apache-2.0 */
/* One request and its one answer. A handler gets an exchange and answers it exactly once
 * with a reply_ function, at once or from a callback later; that ends the exchange. The
 * client may go away meanwhile: a callback first asks exchange_is_live, or, of a change,
 * exchange_resume. Control thread. */
#ifndef WEB_EXCHANGE_H
#define WEB_EXCHANGE_H

#include "base/log.h"
#include "web/admit.h"
#include "web/path.h"
#include "web/permit.h"
#include "web/problem.h"
#include "web/server.h"

#include <stddef.h>

struct evbuffer;
struct evhttp_request;
struct json_text;
struct exchange;
struct http_conn;
struct resource;
struct route;

/* How a part of something greater is answered; body (NULL: none) is taken. */
typedef void (*part_done_fn)(void *arg, int status, json_t *body);

struct exchange {
    struct web *web;                            /* NULL once web has stopped */
    struct exchange *next, **link;              /* of all of web's, oldest first */
    struct http_conn *conn;                     /* NULL: the client is gone, or a part */
    struct evhttp_request *req;                 /* the same */
    const struct route *route;                  /* NULL: the path has none */
    char params[WEB_PARAMS_MAX][WEB_PARAM_MAX]; /* of the path, decoded */
    struct query query;
    json_t *body; /* an object, if the route has a schema */
    struct principal who;
    struct problem problem;
    struct passage passage;           /* of a change */
    struct secret secret;             /* of a token being made */
    void (*then)(struct exchange *x); /* after admit_record */
    uint64_t number;                  /* what then is about */
    json_t *answer;                   /* what it will say; NULL: nothing yet */
    part_done_fn answered;            /* NULL: by HTTP */
    void *answered_arg;
    /* Of a resource that is asked for first (resource.h): takes the answer. */
    void (*loaded)(struct exchange *x, const void *infos, size_t count);
};

struct exchange *exchange_create(struct web *web, struct http_conn *conn,
                                 struct evhttp_request *req);
/* A request that another one makes for itself, with the same rights. NULL: out of memory.
 */
struct exchange *exchange_create_part(const struct exchange *whole, part_done_fn answered,
                                      void *arg);
/* The client is gone: from now on nobody is there to answer. */
void exchange_orphan(struct exchange *x);
/* Web stops: what is under way ends when lunmgr or target has answered. */
void exchange_abandon_all(struct web *web);
/* For callbacks: true if somebody waits for the answer; else x is freed. */
bool exchange_is_live(struct exchange *x) MUST_CHECK;
/* For the callback of a change: true if it was made and somebody waits for the answer.
 * Else x has ended: with what e says, as a dry run, or with nobody there. */
bool exchange_resume(struct exchange *x, const struct err *e) MUST_CHECK;

/* A header of the request; NULL: it has none of that name. */
const char *exchange_header(const struct exchange *x, const char *name);
/* To the answer. */
void exchange_add_header(struct exchange *x, const char *name, const char *value);
/* What the path names, of the kind that the route shows. NULL: nothing. */
const void *exchange_object(const struct exchange *x);

/* What the path names by its parameters: "A", "A/B" or "A/B/C". */
const char *exchange_key(const struct exchange *x, char key[WEB_KEY_MAX]);

/* Each ends the exchange. body is taken; NULL (out of memory) answers 500. */
void reply_json(struct exchange *x, int status, json_t *body);
/* With JSON that is text already, borrowed; 500 if it failed. */
void reply_json_text(struct exchange *x, int status, struct json_text *body);
/* With the info's members alone whose bits are set. */
void reply_members(struct exchange *x, int status, const struct resource *r,
                   const void *info, uint64_t fields);
/* 201 with Location: collection/id. */
void reply_created(struct exchange *x, const char *collection, const char *id,
                   json_t *body);
/* The object as it is now, with its entity tag; 201 and 202: with its Location too. */
void reply_resource(struct exchange *x, int status, const struct resource *r,
                    const void *object);
/* The tag alone, for an answer that shows the object and more. Does not end it. */
void exchange_tag(struct exchange *x, const struct resource *r, const void *object);
void reply_empty(struct exchange *x);
/* What was answered before to the same request. */
void reply_again(struct exchange *x, int status, json_t *body);
/* 304: the client has it already. */
void reply_not_modified(struct exchange *x);
void reply_text(struct exchange *x, const char *type, const char *text, size_t length);
/* 200 with a body that goes on: the request, its headers set, is the caller's to send. */
struct evhttp_request *reply_begin(struct exchange *x, const char *type);
/* With what x->problem says. */
void reply_problem(struct exchange *x);
/* What the floors below refused: names the member if the request may have it. */
void reply_err(struct exchange *x, const struct err *e);
/* 404: what, named as the path named it. */
void reply_not_found(struct exchange *x, const char *what, const char *name);
/* For done_fn: 204, or what went wrong. */
void reply_done(void *exchange, const struct err *e);

#endif
