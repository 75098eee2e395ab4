/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values as people read them. Single thread. */
#ifndef WEB_CLI_HUMAN_H
#define WEB_CLI_HUMAN_H

#include "web/cli/cmd.h"

#include <stdint.h>

#define HUMAN_BYTES_MAX 32

/* "100GiB", "1.5TiB", "512B": at most one decimal, never more than there is. */
void human_bytes(char out[HUMAN_BYTES_MAX], uint64_t bytes);
/* A cell of a list; value may be NULL. Freed by the caller. */
char *human_value(const json_t *value, enum column_kind kind);
/* An object as lines of member and value; sizes human and exact. */
void human_object(const json_t *object, FILE *out);

#endif
