/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and queries as they come from outside: matched against a template, percent
 * decoded, bounded. Pure; any thread. */
#ifndef WEB_PATH_H
#define WEB_PATH_H

#include "web/problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True if path has the template's shape: equal segments, parameters not empty. */
bool path_matches(const char *pattern, const char *path);
/* For a path that matches: decodes the parameters. False and a problem that names the
 * parameter: bad escape, control character, slash, or too long. */
bool path_params(const char *pattern, const char *path,
                 char params[WEB_PARAMS_MAX][WEB_PARAM_MAX], struct problem *problem);

/* Decodes %XX in length bytes of text. False: bad escape, control character, no room. */
bool percent_decode(const char *text, size_t length, char *out, size_t out_bytes);

/* An id that is a number. False: text is none. */
bool path_number(const char *text, uint64_t *out);

/* What a route takes in its query, as bits. */
enum query_take {
    QUERY_NONE = 0,
    QUERY_LIMIT = 1,
    QUERY_AFTER = 2,
    QUERY_VOLUME = 4, /* of a list: what is that volume's */
    QUERY_PURGE = 8,
    QUERY_FILTER = 16,
    QUERY_SORT = 32,
    QUERY_FIELDS = 64,
    QUERY_PAGE = QUERY_LIMIT | QUERY_AFTER,
    QUERY_LIST = QUERY_PAGE | QUERY_FILTER | QUERY_SORT | QUERY_FIELDS,
    QUERY_DRY_RUN = 128,
    QUERY_TYPE = 256, /* of events: those whose type begins so */
    QUERY_FROM = 512, /* of a diff: the other point */
    QUERY_OFFSET = 1024,
    QUERY_LENGTH = 2048,
    QUERY_RANGE = QUERY_OFFSET | QUERY_LENGTH, /* bytes of a volume */
    QUERY_ZEROS = 4096,
};

struct query {
    unsigned limit;
    char after[WEB_CURSOR_MAX]; /* "": from the start */
    char filter[WEB_FILTER_MAX], sort[WEB_SORT_MAX], fields[WEB_FIELDS_MAX]; /* or "" */
    char volume[WEB_PARAM_MAX];                                              /* "": all */
    bool purge;
    bool dry_run;
    char type[WEB_PARAM_MAX]; /* "": all */
    char from[WEB_KEY_MAX];   /* "": none */
    uint64_t offset, length;  /* length UINT64_MAX: to the end */
    bool zeros;
};

/* Reads a raw query (NULL: none). A parameter that the route does not take, that is twice
 * there or refused is a problem that names it. */
bool query_read(const char *query, enum query_take takes, struct query *out,
                struct problem *problem);
/* The names of what is taken: "limit, after"; "none". */
void query_names(enum query_take takes, char *out, size_t out_bytes);

#endif
