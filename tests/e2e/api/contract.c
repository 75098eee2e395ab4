/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-contract: walks every operation of a running daemon's API and holds each answer
 * against the document that the daemon itself serves. Prints one line; exit 0 if all
 * agree. Usage: ashlar-contract SOCKET TCP-ADDRESS DIRECTORY */
#include "tests/unit/web/walk.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static struct client local, tcp;
static struct walk walk;

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

static int run(const char *dir)
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
        "POST /v1/apply 409", "POST /v1/jobs/{job}/cancel 200", NULL};
    json_t *document = get("/v1/openapi.json");
    json_t *sessions = get("/v1/sessions");
    walk.document = document;
    walk.local = &local;
    walk.tcp = &tcp;
    walk.dir = dir;
    walk.session = json_string_value(
        json_object_get(json_array_get(json_object_get(sessions, "items"), 0), "id"));
    int rc = 0;
    if (document == NULL)
        rc = fail("no document");
    else if (walk.session == NULL)
        rc = fail("there must be a session to show and to end");
    else if (!walk_run(&walk) || !walk_guessing(&walk) || !walk_saw_all(&walk, save))
        rc = fail(walk.why);
    else
        printf("%zu answers as documented\n", walk.seen_count);
    json_decref(sessions);
    json_decref(document);
    return rc;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: ashlar-contract SOCKET TCP-ADDRESS DIRECTORY\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (client_open_unix(&local, argv[1], NULL, NULL) != 0 ||
        client_open_tcp(&tcp, argv[2], NULL, NULL) != 0)
        return fail("cannot connect");
    int rc = run(argv[3]);
    client_close(&local);
    client_close(&tcp);
    return rc;
}
