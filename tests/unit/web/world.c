/* SPDX-License-Identifier: Apache-2.0 */
/* See world.h. */
#include "world.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_BYTES WORLD_PATH_MAX

/* A request: an example of its operation's body, or a body that no example has. A path
 * other than what the examples of its parameters give may be said. */
struct step {
    const char *operation;
    int example; /* -1: see body */
    const char *path, *body;
};

/* In an order that works. What is made here stays until the end. */
static const struct step making[] = {
    {"pool_create", 0, NULL, NULL},
    {"volume_create", 0, NULL, NULL},
    {"snapshot_create", 0, NULL, NULL},
    {"volume_create", 1, NULL, NULL},
    {"volume_create", -1, NULL,
     "{\"name\":\"web02\",\"pool\":\"fast\",\"size\":\"1GiB\"}"},
    {"volume_create", -1, NULL,
     "{\"name\":\"db-data\",\"pool\":\"fast\",\"size\":\"1GiB\"}"},
    {"volume_copy", 0, NULL, NULL},
    {"volume_copy", 1, NULL, NULL},
    {"volume_create", -1, NULL,
     "{\"name\":\"db-log\",\"pool\":\"fast\",\"size\":\"1GiB\"}"},
    {"snapshot_group_create", 0, NULL, NULL},
    {"volume_create", -1, NULL,
     "{\"name\":\"web00\",\"pool\":\"fast\",\"size\":\"1GiB\"}"},
    {"volume_delete", -1, "/v1/volumes/web00", NULL},
    {"host_create", 0, NULL, NULL},
    {"host_create", 1, NULL, NULL},
    {"mapping_create", 0, NULL, NULL},
    {"mapping_create", 1, NULL, NULL},
    {"mapping_create", 2, NULL, NULL},
    {"drain_create", 0, NULL, NULL},
    {"drain_create", 1, NULL, NULL},
    {"catalog_backup", 0, NULL, NULL},
    {"token_create", 0, NULL, NULL},
    {"token_create", 1, NULL, NULL},
    {"pool_put", 0, NULL, NULL},
    {"volume_put", 0, NULL, NULL},
    {"host_put", 0, NULL, NULL},
    {"mapping_put", 0, NULL, NULL},
    {"snapshot_put", 0, "/v1/snapshots/web01/tuesday", NULL},
    {"pool_check", -1, NULL, NULL},
    {"pool_add_device", 0, NULL, NULL},
    {"pool_create", -1, NULL,
     "{\"name\":\"away\",\"devices\":[{\"path\":\"/srv/ashlar/moved.img\",\"size\":"
     "\"1GiB\"}]}"},
    {"pool_export", 0, "/v1/pools/away/export", NULL},
    {"pool_import", 0, NULL, NULL},
};

static const struct step changing[] = {
    {"apply", 0, NULL, NULL},
    {"pool_change", 0, NULL, NULL},
    {"volume_change", 0, NULL, NULL},
    {"volume_change", 2, NULL, NULL},
    {"volume_change", 3, NULL, NULL},
    {"volume_rollback", 0, NULL, NULL},
    {"snapshot_change", 0, NULL, NULL},
    {"snapshot_change_by_name", 0, NULL, NULL},
    {"volume_change", 1, "/v1/volumes/db-data", NULL},
    {"trash_restore", 0, NULL, NULL},
    {"volume_delete", -1, "/v1/volumes/web00", NULL},
    {"trash_restore", 1, NULL, NULL},
    {"host_change", 1, NULL, NULL},
    {"host_change", 2, NULL, NULL},
    {"host_change", 0, NULL, NULL},
    {"auth_change", 0, NULL, NULL},
    {"auth_change", 1, NULL, NULL},
    {"device_change", 0, NULL, NULL},
    {"portal_group_change", 0, NULL, NULL},
    {"portal_group_change", 1, NULL, NULL},
};

static bool wrong(struct world *w, const struct operation *op, const char *what)
{
    snprintf(w->why, sizeof(w->why), "%s %s: answered %d: %.300s: %.300s", op->method,
             op->path, w->answer.status, what, w->answer.body);
    return false;
}

/* ---- Paths ------------------------------------------------------------------------- */

/* GET of path as JSON; NULL: it did not come. */
static json_t *get(struct world *w, const char *path)
{
    if (!client_call(w->client, "GET", path, NULL, &w->answer) || w->answer.status != 200)
        return NULL;
    return json_loadb(w->answer.body, w->answer.body_bytes, 0, NULL);
}

/* Ids are UUIDs, or numbers of this run of the daemon. */
static bool is_id(const char *text)
{
    return (strlen(text) == 36 && strspn(text, "0123456789abcdef-") == 36) ||
           text[strspn(text, "0123456789")] == '\0';
}

/* Of what was made last in the collection, or is the first that it lists. There may be
 * none: out stays. */
static void find_id(struct world *w, const char *collection, char out[64])
{
    const char *made = json_string_value(json_object_get(w->ids, collection));
    json_t *list = made == NULL ? get(w, collection) : NULL;
    if (made == NULL)
        made = json_string_value(
            json_object_get(json_array_get(json_object_get(list, "items"), 0), "id"));
    if (made != NULL)
        snprintf(out, 64, "%s", made);
    json_decref(list);
}

static bool value_of(struct world *w, const struct operation *op, const char *name,
                     const char *before, char out[64])
{
    const json_t *p = operation_parameter_find(w->document, op, "path", name);
    const char *example = json_string_value(json_object_get(p, "example"));
    if (example == NULL)
        return wrong(w, op, "a parameter of the path has no example");
    snprintf(out, 64, "%s", example);
    if (is_id(example))
        find_id(w, before, out);
    return true;
}

bool world_path(struct world *w, const struct operation *op, char out[WORLD_PATH_MAX])
{
    size_t at = 0;
    out[0] = '\0';
    for (const char *p = op->path; *p != '\0';) {
        size_t length = strcspn(p, "{");
        char name[64], value[64], before[WORLD_PATH_MAX];
        at += (size_t)snprintf(out + at, WORLD_PATH_MAX - at, "%.*s", (int)length, p);
        p += length;
        if (*p == '\0')
            break;
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(p + 1, "}"), p + 1);
        snprintf(before, sizeof(before), "%.*s", (int)at - 1, out);
        if (!value_of(w, op, name, before, value))
            return false;
        at += (size_t)snprintf(out + at, WORLD_PATH_MAX - at, "%s", value);
        p = strchr(p, '}') + 1;
    }
    return true;
}

/* ---- Requests ---------------------------------------------------------------------- */

/* Takes text; what stands in the place of what is nowhere but in the document. */
static char *replace(char *text, const char *what, const char *with)
{
    char *out = NULL;
    size_t bytes;
    FILE *f = open_memstream(&out, &bytes);
    const char *from = text;
    for (const char *at; (at = strstr(from, what)) != NULL; from = at + strlen(what))
        fprintf(f, "%.*s%s", (int)(at - from), from, with);
    fputs(from, f);
    fclose(f);
    free(text);
    return out;
}

/* Text as it is on this server; taken. */
static char *placed(const struct world *w, char *text)
{
    return replace(replace(text, "/srv/ashlar", w->dir), "10.0.1.5:3260", w->portal);
}

char *world_example(const struct world *w, const struct operation *op, size_t index)
{
    const json_t *example = operation_body_example(w->document, op, index);
    return example == NULL ? NULL : placed(w, json_dumps(example, JSON_COMPACT));
}

static bool judge(struct world *w, const struct operation *op)
{
    char why[WHY_MAX];
    const json_t *response = NULL;
    bool agreed = strcmp(op->method, "PUT") == 0 && w->answer.status == 200;
    if (!agreed && w->answer.status != operation_success(w->document, op, &response))
        return wrong(w, op, "not the status of its example");
    return document_covers(w->document, op->json, &w->answer, why) || wrong(w, op, why);
}

static void note_id(struct world *w, const char *path)
{
    json_t *body = json_loadb(w->answer.body, w->answer.body_bytes, 0, NULL);
    json_t *id = json_object_get(body, "id");
    if (w->answer.status == 201 && id != NULL)
        json_object_set(w->ids, path, id);
    json_decref(body);
}

static bool ask(struct world *w, const struct operation *op, const char *path,
                const char *body)
{
    if (!client_call(w->client, op->method, path, body, &w->answer))
        return wrong(w, op, "no answer came");
    if (!judge(w, op))
        return false;
    note_id(w, path);
    return true;
}

static bool take_step(struct world *w, const struct step *s)
{
    char path[PATH_MAX_BYTES], key[96];
    const struct operation *op =
        operation_find(w->operations, w->operation_count, s->operation);
    if (op == NULL) {
        snprintf(w->why, sizeof(w->why), "there is no operation %s", s->operation);
        return false;
    }
    if (s->path != NULL)
        snprintf(path, sizeof(path), "%s", s->path);
    else if (!world_path(w, op, path))
        return false;
    char *body = s->example >= 0   ? world_example(w, op, (size_t)s->example)
                 : s->body == NULL ? NULL
                                   : placed(w, strdup(s->body));
    bool good = body == NULL && s->example >= 0
                    ? wrong(w, op, "the document has no such example")
                    : ask(w, op, path, body);
    free(body);
    snprintf(key, sizeof(key), "%s %d", s->operation, s->example);
    json_object_set_new(w->sent, key, json_true());
    return good;
}

/* ---- The whole --------------------------------------------------------------------- */

bool world_open(struct world *w)
{
    w->operation_count = operations_list(w->document, w->operations);
    w->ids = json_object();
    w->sent = json_object();
    json_t *box = get(w, "/v1");
    const char *portal =
        json_string_value(json_array_get(json_object_get(box, "portals"), 0));
    snprintf(w->portal, sizeof(w->portal), "%s", portal == NULL ? "" : portal);
    json_decref(box);
    if (w->portal[0] == '\0')
        snprintf(w->why, sizeof(w->why), "the target has no portal");
    return w->portal[0] != '\0';
}

static bool take_steps(struct world *w, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!take_step(w, &steps[i]))
            return false;
    }
    return true;
}

bool world_build(struct world *w)
{
    return take_steps(w, making, sizeof(making) / sizeof(making[0]));
}

bool world_change(struct world *w)
{
    return take_steps(w, changing, sizeof(changing) / sizeof(changing[0]));
}

bool world_show(struct world *w)
{
    for (size_t i = 0; i < w->operation_count; i++) {
        const struct operation *op = &w->operations[i];
        const json_t *response = NULL;
        char path[PATH_MAX_BYTES];
        operation_success(w->document, op, &response);
        /* A stream does not end, or ends its connection; its own test reads it. */
        if (strcmp(op->method, "GET") != 0 ||
            response_has_type(response, "application/x-ndjson") ||
            response_has_type(response, "text/event-stream"))
            continue;
        if (!world_path(w, op, path) || !ask(w, op, path, NULL))
            return false;
    }
    return true;
}

bool world_sent_all(struct world *w)
{
    for (size_t i = 0; i < w->operation_count; i++) {
        const struct operation *op = &w->operations[i];
        for (size_t n = 0; operation_body_example(w->document, op, n) != NULL; n++) {
            char key[96];
            snprintf(key, sizeof(key), "%s %zu", op->id, n);
            if (json_object_get(w->sent, key) != NULL)
                continue;
            snprintf(w->why, sizeof(w->why),
                     "example %zu of %s was never sent: give it a step in world.c", n,
                     op->id);
            return false;
        }
    }
    return true;
}

void world_close(struct world *w)
{
    json_decref(w->ids);
    json_decref(w->sent);
}
