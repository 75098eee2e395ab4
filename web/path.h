/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and queries as they come from outside: matched against a template, percent
 * decoded, bounded. Pure; any thread. */
#ifndef WEB_PATH_H
#define WEB_PATH_H

#include "web/problem.h"

#include <stdbool.h>
#include <stddef.h>

/* True if path has the template's shape: equal segments, parameters not empty. */
bool path_matches(const char *pattern, const char *path);
/* For a path that matches: decodes the parameters. False and a problem that names the
 * parameter: bad escape, control character, slash, or too long. */
bool path_params(const char *pattern, const char *path,
                 char params[WEB_PARAMS_MAX][WEB_PARAM_MAX], struct problem *problem);

/* Decodes %XX in length bytes of text. False: bad escape, control character, no room. */
bool percent_decode(const char *text, size_t length, char *out, size_t out_bytes);

struct list_query {
    unsigned limit;
    char after[WEB_AFTER_MAX];
};
/* Reads a raw query (NULL: none). A parameter that is unknown, twice there or refused is
 * a problem that names it. takes_list: limit and after are known, else nothing is. */
bool query_read(const char *query, bool takes_list, struct list_query *out,
                struct problem *problem);

#endif
