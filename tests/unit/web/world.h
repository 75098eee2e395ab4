/* SPDX-License-Identifier: Apache-2.0 */
/* The world that the document's examples speak of: pool fast, volume web01, host hv1 and
 * what belongs to them, made on a server by sending the request examples themselves, each
 * answer held against the document. In it every operation has a path that leads to
 * something: path parameters have the value of their example, or, where that is an id,
 * the id of what is there, if anything is. Over the fake manager and over a running
 * daemon. */
#ifndef TESTS_UNIT_WEB_WORLD_H
#define TESTS_UNIT_WEB_WORLD_H

#include "document.h"
#include "operations.h"

#define WORLD_PATH_MAX 512

struct world {
    const json_t *document;
    struct client *client; /* open, on the Unix socket of an empty server */
    const char *dir;       /* where a pool's file may be made; absolute */
    /* own */
    struct operation operations[OPERATIONS_MAX];
    size_t operation_count;
    char portal[64]; /* one that the target has */
    json_t *ids;     /* of what was made last, by its collection's path */
    json_t *sent;    /* "operationId index" of each request example that was sent */
    struct answer answer;
    char why[WHY_MAX + 512]; /* if something fails */
};

/* Each: false, see why. world_close in any case. */
bool world_open(struct world *w);
/* Makes everything; then nothing more changes until world_change. */
bool world_build(struct world *w);
/* Sends the request examples that change what world_build made. */
bool world_change(struct world *w);
/* Asks every GET for what is there. */
bool world_show(struct world *w);
/* Whether every request example of the document was sent. */
bool world_sent_all(struct world *w);
void world_close(struct world *w);

/* The operation's path with its parameters put in. */
bool world_path(struct world *w, const struct operation *op, char out[WORLD_PATH_MAX]);
/* The index-th request example as text that fits this server (to be freed); NULL: no
 * more. */
char *world_example(const struct world *w, const struct operation *op, size_t index);

#endif
