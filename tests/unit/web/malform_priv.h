/* SPDX-License-Identifier: Apache-2.0 */
/* One malformed request and what is due for it, and who makes them. */
#ifndef TESTS_UNIT_WEB_MALFORM_PRIV_H
#define TESTS_UNIT_WEB_MALFORM_PRIV_H

#include "malform.h"

#define MIB (1 << 20)

enum due {
    DUE_PROBLEM, /* a problem, as documented */
    DUE_BARE,    /* HTTP's own short answer; the connection ends */
    DUE_END,     /* the end of the connection, without an answer */
};

struct bad {
    const char *what; /* is wrong with it; for the report */
    /* The request. NULL: as it should be. */
    const char *method, *target, *version;
    const char *host;    /* header lines, each with its CRLF */
    const char *headers; /* the same; of a body: its Content-Type */
    const char *body;    /* no body, if NULL */
    size_t body_bytes;
    bool framed; /* headers say how long the body is */
    bool cut;    /* nothing comes after it: the client's side is shut */
    bool tcp;    /* sent where a token is needed */
    /* What is due. */
    enum due due;
    int status;
    const char *type;      /* of the problem; NULL: any */
    const char *pointer;   /* NULL: none */
    bool within;           /* or something inside of it */
    const char *parameter; /* NULL: none */
    bool closes;           /* the connection; a bare answer always does */
};

/* Sends it, and judges what comes. */
void malform_try(struct malform *m, const struct bad *bad);

/* The same text so often; to be freed. */
char *text_times(const char *text, size_t times);

/* The makers. */
void malform_schema(struct malform *m); /* members of the body */
void malform_json(struct malform *m);   /* its text and type */
void malform_path(struct malform *m);   /* parameters of the path */
void malform_query(struct malform *m);  /* of the query and of the header */
void malform_http(struct malform *m);   /* methods, headers, framing */
void malform_token(struct malform *m);  /* who may ask */

#endif
