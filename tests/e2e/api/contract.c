/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-contract: holds a running daemon's API against the document that it serves.
 * Prints what it did; exit 0 if all agree.
 * Usage: ashlar-contract walk|examples|malform SOCKET TCP-ADDRESS DIRECTORY
 * walk: every operation, rightly and wrongly; there must be a session to show and to end.
 * examples: the document's own requests. malform: thousands of malformed ones. */
#include "tests/unit/web/malform.h"
#include "tests/unit/web/walk.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static struct client local, tcp = {.fd = -1};
static struct walk walk;
static struct malform malform;

struct place {
    const char *socket, *tcp_address, *dir;
};

static int connect_to(void *arg, struct client *c, bool over_tcp)
{
    const struct place *at = arg;
    return over_tcp ? client_open_tcp(c, at->tcp_address, NULL, NULL)
                    : client_open_unix(c, at->socket, NULL, NULL);
}

/* GET of path on the socket, as JSON; NULL: it did not come. */
static json_t *get(const char *path)
{
    if (!client_call(&local, "GET", path, NULL, &walk.answer) ||
        walk.answer.status != 200)
        return NULL;
    return json_loadb(walk.answer.body, walk.answer.body_bytes, 0, NULL);
}

static int fail(const char *what)
{
    fprintf(stderr, "ashlar-contract: %s\n", what);
    return 1;
}

static int run_walk(const json_t *document, struct place *at)
{
    /* What takes a fault, or two requests at once, or a job that takes its time. */
    static const char *const save[] = {
        "500", "503", "DELETE /v1/trash/{trashed} 409", "POST /v1/drains 409",
        "POST /v1/pools/{pool}/check 409", "POST /v1/jobs/{job}/cancel 202",
        "POST /v1/jobs/{job}/cancel 409",
        /* a request with the same key under way: test_admit */
        "DELETE /v1/sessions/{session} 409", "DELETE /v1/drains/{drain} 409",
        "DELETE /v1/tokens/{token} 409", "DELETE /v1/mappings/{mapping} 409",
        "DELETE /v1/mappings/{volume}/{host} 409",
        "DELETE /v1/mappings/{volume}/{snapshot}/{host} 409", "PATCH /v1/auth 409",
        "PATCH /v1/pools/{pool} 409", "PATCH /v1/pools/{pool}/devices/{device} 409",
        "POST /v1/pools/{pool}/devices/{device}/evacuate 409", "POST /v1/apply 409",
        "POST /v1/jobs/{job}/cancel 200",
        /* a rollback under way */
        "GET /v1/volumes/{volume}/extents 409", "GET /v1/volumes/{volume}/diff 409",
        "GET /v1/snapshots/{snapshot}/extents 409",
        "GET /v1/snapshots/{snapshot}/diff 409",
        "GET /v1/snapshots/{volume}/{snapshot}/extents 409",
        "GET /v1/snapshots/{volume}/{snapshot}/diff 409", NULL};
    json_t *sessions = get("/v1/sessions");
    walk.document = document;
    walk.local = &local;
    walk.tcp = &tcp;
    walk.dir = at->dir;
    walk.session = json_string_value(
        json_object_get(json_array_get(json_object_get(sessions, "items"), 0), "id"));
    int rc = 0;
    if (walk.session == NULL)
        rc = fail("there must be a session to show and to end");
    else if (connect_to(at, &tcp, true) != 0)
        rc = fail("cannot connect by TCP");
    else if (!walk_run(&walk) || !walk_guessing(&walk) || !walk_saw_all(&walk, save))
        rc = fail(walk.why);
    else
        printf("%zu answers as documented\n", walk.seen_count);
    json_decref(sessions);
    return rc;
}

static int run_examples(const json_t *document, struct place *at)
{
    struct world *w = &malform.world;
    *w = (struct world){.document = document, .client = &local, .dir = at->dir};
    bool good = world_open(w) && world_build(w) && world_change(w) && world_sent_all(w);
    if (good)
        printf("%zu examples work\n", json_object_size(w->sent));
    else
        fail(w->why);
    world_close(w);
    return good ? 0 : 1;
}

static int run_malform(const json_t *document, struct place *at)
{
    malform = (struct malform){
        .world = {.document = document, .client = &local, .dir = at->dir},
        .tcp = &tcp,
        .report = stdout,
        .open = connect_to,
        .arg = at,
    };
    return malform_run(&malform) ? 0 : 1;
}

static const struct {
    const char *name;
    int (*run)(const json_t *document, struct place *at);
} ways[] = {{"walk", run_walk}, {"examples", run_examples}, {"malform", run_malform}};

static int run(const char *name, struct place *at)
{
    int rc = 2;
    json_t *document = get("/v1/openapi.json");
    for (size_t i = 0; document != NULL && i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(ways[i].name, name) == 0)
            rc = ways[i].run(document, at);
    }
    json_decref(document);
    return document == NULL ? fail("no document") : rc;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: ashlar-contract walk|examples|malform SOCKET "
                        "TCP-ADDRESS DIRECTORY\n");
        return 2;
    }
    struct place at = {argv[2], argv[3], argv[4]};
    signal(SIGPIPE, SIG_IGN);
    if (connect_to(&at, &local, false) != 0)
        return fail("cannot connect");
    int rc = run(argv[1], &at);
    client_close(&local);
    client_close(&tcp);
    return rc;
}
