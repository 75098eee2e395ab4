/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets from a file, never from the command line, where others can read them. Single
 * thread. */
#ifndef WEB_CLI_SECRET_H
#define WEB_CLI_SECRET_H

#include <jansson.h>

/* The one line of the file, or of standard input ("-"), as text. NULL: said why; what
 * names the flag. */
json_t *secret_json(const char *what, const char *path);

#endif
