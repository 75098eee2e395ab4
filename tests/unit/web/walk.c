/* SPDX-License-Identifier: Apache-2.0 */
/* See walk.h. */
#include "walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROOM     512
#define PATIENCE 5000 /* times 2 ms */
#define PATIENT  true
#define LATE     2
#define STREAM   3
#define EVENTS   "/v1/events"
#define DEVICES  "/v1/pools/{pool}/devices"
#define GROUP    "/v1/portal-groups/{portal_group}"

/* In an order that works. @DIR@, @SESSION@ and the marks of notes are put in. */
static const struct step {
    const char *method, *path, *pattern, *body;
    int status;
    /* PATIENT (true): a 409 may come first, while something is still being returned.
     * LATE: it may come instead, where a daemon was faster than the walk. STREAM: asked
     * by HEAD, since the answer ends its connection; its own test reads it. */
    int patience;
} steps[] = {
    {"GET", "/healthz", "/healthz", NULL, 200, false},
    {"GET", "/readyz", "/readyz", NULL, 200, false},
    {"GET", "/metrics", "/metrics", NULL, 200, false},
    {"GET", "/v1", "/v1", NULL, 200, false},
    {"GET", "/v1/openapi.json", "/v1/openapi.json", NULL, 200, false},
    {"GET", EVENTS "?limit=2", EVENTS, NULL, 200, false},
    {"POST", "/v1/pools", "/v1/pools",
     "{\"name\":\"cp\",\"devices\":[{\"path\":\"@DIR@/"
     "contract.img\",\"size\":\"64MiB\"}]}",
     201, false},
    {"POST", "/v1/pools", "/v1/pools",
     "{\"name\":\"cp\",\"devices\":[{\"path\":\"@DIR@/other.img\",\"size\":\"64MiB\"}]}",
     409, false},
    {"PUT", "/v1/pools/cp", "/v1/pools/{pool}",
     "{\"devices\":[{\"path\":\"@DIR@/contract.img\"}]}", 200, false},
    {"PUT", "/v1/pools/cp", "/v1/pools/{pool}",
     "{\"devices\":[{\"path\":\"@DIR@/other.img\"}]}", 409, false},
    {"PUT", "/v1/pools/cq", "/v1/pools/{pool}",
     "{\"devices\":[{\"path\":\"@DIR@/put.img\",\"size\":\"64MiB\"}]}", 201, false},
    {"POST", "/v1/pools/cq/export", "/v1/pools/{pool}/export",
     "{\"path\":\"@DIR@/cq.pool\"}", 204, true},
    {"GET", "/v1/pools/cq", "/v1/pools/{pool}", NULL, 404, false},
    {"POST", "/v1/pools/cp/export", "/v1/pools/{pool}/export",
     "{\"path\":\"@DIR@/cq.pool\"}", 409, false},
    {"POST", "/v1/pools/cp/export", "/v1/pools/{pool}/export", "{\"path\":\"cq.pool\"}",
     422, false},
    {"POST", "/v1/pools/import", "/v1/pools/import", "{\"path\":\"@DIR@/cq.pool\"}", 201,
     false},
    {"POST", "/v1/pools/import", "/v1/pools/import", "{\"path\":\"@DIR@/cq.pool\"}", 409,
     false},
    {"POST", "/v1/pools/import", "/v1/pools/import", "{\"path\":\"@DIR@/nowhere.pool\"}",
     422, false},
    {"DELETE", "/v1/pools/cq", "/v1/pools/{pool}", NULL, 204, true},
    {"PATCH", "/v1/pools/cp", "/v1/pools/{pool}",
     "{\"overcommit_cap_percent\":1000000,\"usage_thresholds\":[60,80,100],"
     "\"page_cache\":true}",
     200, false},
    {"PATCH", "/v1/pools/cp", "/v1/pools/{pool}", "{\"page_cache\":false}", 200, false},
    {"GET", "/v1/pools", "/v1/pools", NULL, 200, false},
    {"GET", "/v1/pools/cp", "/v1/pools/{pool}", NULL, 200, false},
    {"POST", "/v1/pools/cp/check", "/v1/pools/{pool}/check", NULL, 202, false},
    {"GET", "/v1/devices", "/v1/devices", NULL, 200, false},
    {"GET", "/v1/pools/cp/devices", DEVICES, NULL, 200, false},
    {"POST", "/v1/pools/cp/devices", DEVICES,
     "{\"path\":\"@DIR@/more.img\",\"size\":\"64MiB\"}", 201, false},
    {"POST", "/v1/pools/cp/devices", DEVICES,
     "{\"path\":\"@DIR@/more.img\",\"size\":\"64MiB\"}", 409, false},
    {"GET", "/v1/devices/@DEVICE@", "/v1/devices/{device}", NULL, 200, false},
    {"GET", "/v1/pools/cp/devices/2", DEVICES "/{device}", NULL, 200, false},
    {"PATCH", "/v1/pools/cp/devices/2", DEVICES "/{device}", "{\"size\":\"96MiB\"}", 200,
     false},
    {"DELETE", "/v1/pools/cp/devices/2", DEVICES "/{device}", NULL, 409, false},
    {"POST", "/v1/pools/cp/devices/2/evacuate", DEVICES "/{device}/evacuate", NULL, 202,
     false},
    {"DELETE", "/v1/pools/cp/devices/2", DEVICES "/{device}", NULL, 204, true},
    {"GET", "/v1/jobs", "/v1/jobs", NULL, 200, false},
    {"GET", "/v1/jobs/@JOB@", "/v1/jobs/{job}", NULL, 200, false},
    {"POST", "/v1/jobs/@JOB@/cancel", "/v1/jobs/{job}/cancel", NULL, 202, LATE},
    {"POST", "/v1/volumes", "/v1/volumes",
     "{\"name\":\"cv\",\"pool\":\"cp\",\"size\":1073741824,\"block_size\":512,"
     "\"physical_block_size\":512}",
     201, false},
    {"POST", "/v1/volumes", "/v1/volumes",
     "{\"name\":\"cv\",\"pool\":\"cp\",\"size\":\"1GiB\"}", 409, false},
    {"PUT", "/v1/volumes/cv", "/v1/volumes/{volume}",
     "{\"pool\":\"cp\",\"size\":\"1GiB\"}", 200, false},
    {"PUT", "/v1/volumes/cv", "/v1/volumes/{volume}",
     "{\"pool\":\"cp\",\"size\":\"2GiB\"}", 409, false},
    {"PUT", "/v1/volumes/cw", "/v1/volumes/{volume}",
     "{\"pool\":\"cp\",\"size\":\"1GiB\"}", 201, false},
    {"DELETE", "/v1/volumes/cw?purge=1", "/v1/volumes/{volume}", NULL, 204, false},
    {"GET", "/v1/volumes", "/v1/volumes", NULL, 200, false},
    {"GET",
     "/v1/volumes?filter=size%3E%3D1GiB,name~c%2A,labels.x=null&sort=-created,name&limit="
     "1",
     "/v1/volumes", NULL, 200, false},
    {"GET", "/v1/volumes?filter=nothing%3D1", "/v1/volumes", NULL, 400, false},
    {"GET", "/v1/volumes?sort=labels", "/v1/volumes", NULL, 400, false},
    {"GET", "/v1/volumes?fields=nothing", "/v1/volumes", NULL, 400, false},
    {"GET", "/v1/volumes?after=nothing", "/v1/volumes", NULL, 400, false},
    {"GET", "/v1/volumes/cv?fields=nothing", "/v1/volumes/{volume}", NULL, 400, false},
    {"GET", "/v1/volumes/cv", "/v1/volumes/{volume}", NULL, 200, false},
    {"DELETE", "/v1/pools/cp", "/v1/pools/{pool}", NULL, 409, false},
    {"PATCH", "/v1/volumes/cv", "/v1/volumes/{volume}",
     "{\"size\":\"2GiB\",\"zero_detect\":true,\"labels\":{\"owner\":\"contract\"}}", 200,
     false},
    {"PATCH", "/v1/volumes/cv", "/v1/volumes/{volume}",
     "{\"size\":\"1GiB\",\"allow_data_loss\":true,\"labels\":{}}", 200, false},
    {"POST", "/v1/snapshots", "/v1/snapshots",
     "{\"volume\":\"cv\",\"name\":\"cs\",\"labels\":{\"k\":\"\"}}", 201, false},
    {"POST", "/v1/snapshots", "/v1/snapshots", "{\"volume\":\"cv\",\"name\":\"cs\"}", 409,
     false},
    {"PUT", "/v1/snapshots/cv/cs", "/v1/snapshots/{volume}/{snapshot}",
     "{\"labels\":{\"k\":\"\"}}", 200, false},
    {"PUT", "/v1/snapshots/cv/cs", "/v1/snapshots/{volume}/{snapshot}",
     "{\"labels\":{\"k\":\"v\"}}", 409, false},
    {"PUT", "/v1/snapshots/cv/cp", "/v1/snapshots/{volume}/{snapshot}", "{}", 201, false},
    {"DELETE", "/v1/snapshots/cv/cp", "/v1/snapshots/{volume}/{snapshot}", NULL, 204,
     false},
    {"GET", "/v1/snapshots", "/v1/snapshots", NULL, 200, false},
    {"GET", "/v1/snapshots?volume=cv", "/v1/snapshots", NULL, 200, false},
    {"GET", "/v1/snapshots/@SNAPSHOT@", "/v1/snapshots/{snapshot}", NULL, 200, false},
    {"GET", "/v1/snapshots/cv/cs", "/v1/snapshots/{volume}/{snapshot}", NULL, 200, false},
    {"GET", "/v1/volumes/cv/extents?zeros=1", "/v1/volumes/{volume}/extents", NULL, 200,
     STREAM},
    {"GET", "/v1/volumes/cv/extents?offset=x", "/v1/volumes/{volume}/extents", NULL, 400,
     false},
    {"GET", "/v1/volumes/cv/diff?from=cs", "/v1/volumes/{volume}/diff", NULL, 200,
     STREAM},
    {"GET", "/v1/volumes/cv/diff?offset=x", "/v1/volumes/{volume}/diff", NULL, 400,
     false},
    {"GET", "/v1/volumes/cv/diff?from=nothing", "/v1/volumes/{volume}/diff", NULL, 422,
     false},
    {"GET", "/v1/snapshots/@SNAPSHOT@/extents?zeros=1",
     "/v1/snapshots/{snapshot}/extents", NULL, 200, STREAM},
    {"GET", "/v1/snapshots/@SNAPSHOT@/extents?offset=x",
     "/v1/snapshots/{snapshot}/extents", NULL, 400, false},
    {"GET", "/v1/snapshots/@SNAPSHOT@/diff?from=cs", "/v1/snapshots/{snapshot}/diff",
     NULL, 200, STREAM},
    {"GET", "/v1/snapshots/@SNAPSHOT@/diff?offset=x", "/v1/snapshots/{snapshot}/diff",
     NULL, 400, false},
    {"GET", "/v1/snapshots/@SNAPSHOT@/diff?from=nothing", "/v1/snapshots/{snapshot}/diff",
     NULL, 422, false},
    {"GET", "/v1/snapshots/cv/cs/extents?zeros=1",
     "/v1/snapshots/{volume}/{snapshot}/extents", NULL, 200, STREAM},
    {"GET", "/v1/snapshots/cv/cs/extents?offset=x",
     "/v1/snapshots/{volume}/{snapshot}/extents", NULL, 400, false},
    {"GET", "/v1/snapshots/cv/cs/diff?from=cs", "/v1/snapshots/{volume}/{snapshot}/diff",
     NULL, 200, STREAM},
    {"GET", "/v1/snapshots/cv/cs/diff?offset=x", "/v1/snapshots/{volume}/{snapshot}/diff",
     NULL, 400, false},
    {"GET", "/v1/snapshots/cv/cs/diff?from=nothing",
     "/v1/snapshots/{volume}/{snapshot}/diff", NULL, 422, false},
    {"PATCH", "/v1/snapshots/@SNAPSHOT@", "/v1/snapshots/{snapshot}",
     "{\"protected\":true}", 200, false},
    {"DELETE", "/v1/snapshots/@SNAPSHOT@", "/v1/snapshots/{snapshot}", NULL, 409, false},
    {"DELETE", "/v1/snapshots/cv/cs", "/v1/snapshots/{volume}/{snapshot}", NULL, 409,
     false},
    {"PATCH", "/v1/snapshots/cv/cs", "/v1/snapshots/{volume}/{snapshot}",
     "{\"protected\":false,\"labels\":{}}", 200, false},
    {"POST", "/v1/volumes", "/v1/volumes",
     "{\"name\":\"cc\",\"snapshot\":\"cv/"
     "cs\",\"protected\":true,\"labels\":{\"of\":\"cv\"}}",
     201, false},
    {"DELETE", "/v1/volumes/cc", "/v1/volumes/{volume}", NULL, 409, false},
    {"PATCH", "/v1/volumes/cc", "/v1/volumes/{volume}", "{\"protected\":false}", 200,
     false},
    {"PATCH", "/v1/volumes/cc", "/v1/volumes/{volume}", "{\"name\":\"cv\"}", 409, false},
    {"POST", "/v1/volumes/cv/copy", "/v1/volumes/{volume}/copy", "{\"name\":\"cc\"}", 409,
     false},
    {"POST", "/v1/volumes/cv/copy", "/v1/volumes/{volume}/copy",
     "{\"to\":\"cc\",\"snapshot\":\"cs\",\"length\":4096}", 202, false},
    {"POST", "/v1/snapshot-groups", "/v1/snapshot-groups",
     "{\"volumes\":[\"cc\",\"cv\"],\"name\":\"both\"}", 201, false},
    {"POST", "/v1/snapshot-groups", "/v1/snapshot-groups",
     "{\"volumes\":[\"cc\",\"cv\"],\"name\":\"both\"}", 409, false},
    {"GET", "/v1/snapshot-groups/@GROUP@", "/v1/snapshot-groups/{group}", NULL, 200,
     false},
    {"POST", "/v1/volumes/cv/rollback", "/v1/volumes/{volume}/rollback",
     "{\"snapshot\":\"cs\",\"keep_name\":\"both\"}", 409, false},
    {"PATCH", "/v1/snapshots/@SNAPSHOT@", "/v1/snapshots/{snapshot}",
     "{\"name\":\"both\"}", 409, false},
    {"PATCH", "/v1/snapshots/cv/cs", "/v1/snapshots/{volume}/{snapshot}",
     "{\"name\":\"both\"}", 409, false},
    {"POST", "/v1/volumes/cv/rollback", "/v1/volumes/{volume}/rollback",
     "{\"snapshot\":\"cs\",\"keep_name\":\"before\",\"fence\":true}", 200, false},
    {"PATCH", "/v1/snapshots/cv/before", "/v1/snapshots/{volume}/{snapshot}",
     "{\"name\":\"kept\"}", 200, false},
    {"DELETE", "/v1/snapshots/cv/kept", "/v1/snapshots/{volume}/{snapshot}", NULL, 204,
     false},
    {"DELETE", "/v1/volumes/cc", "/v1/volumes/{volume}", NULL, 204, false},
    {"POST", "/v1/trash/cc/restore", "/v1/trash/{trashed}/restore", "{\"name\":\"cv\"}",
     409, false},
    {"GET", "/v1/trash", "/v1/trash", NULL, 200, false},
    {"GET", "/v1/trash/cc", "/v1/trash/{trashed}", NULL, 200, false},
    {"POST", "/v1/trash/cc/restore", "/v1/trash/{trashed}/restore", "{}", 200, false},
    {"DELETE", "/v1/volumes/cc?purge=0", "/v1/volumes/{volume}", NULL, 204, false},
    {"DELETE", "/v1/trash/cc", "/v1/trash/{trashed}", NULL, 204, false},
    {"POST", "/v1/hosts", "/v1/hosts",
     "{\"name\":\"ch\",\"initiators\":[\"iqn.2026-01.test.contract:h\"]}", 201, false},
    {"POST", "/v1/hosts", "/v1/hosts",
     "{\"name\":\"ch\",\"initiators\":[\"iqn.2026-01.test.contract:other\"]}", 409,
     false},
    {"PUT", "/v1/hosts/ch", "/v1/hosts/{host}",
     "{\"initiators\":[\"iqn.2026-01.test.contract:h\"]}", 200, false},
    {"PUT", "/v1/hosts/ch", "/v1/hosts/{host}",
     "{\"initiators\":[\"iqn.2026-01.test.contract:x\"]}", 409, false},
    {"PUT", "/v1/hosts/cj", "/v1/hosts/{host}",
     "{\"initiators\":[\"iqn.2026-01.test.contract:j\"]}", 201, false},
    {"DELETE", "/v1/hosts/cj", "/v1/hosts/{host}", NULL, 204, false},
    {"GET", "/v1/hosts", "/v1/hosts", NULL, 200, false},
    {"GET", "/v1/hosts/ch", "/v1/hosts/{host}", NULL, 200, false},
    {"PATCH", "/v1/hosts/ch", "/v1/hosts/{host}",
     "{\"auth\":{\"method\":\"chap\",\"user\":\"ch\",\"secret\":\"initiator-secret\","
     "\"mutual_user\":\"box\",\"mutual_secret\":\"target-secret-1\"}}",
     200, false},
    {"PATCH", "/v1/hosts/ch", "/v1/hosts/{host}",
     "{\"auth\":{\"mutual_secret\":\"initiator-secret\"}}", 422, false},
    {"POST", "/v1/hosts", "/v1/hosts",
     "{\"name\":\"ci\",\"initiators\":[\"iqn.2026-01.test.contract:i\"]}", 201, false},
    {"PATCH", "/v1/hosts/ch", "/v1/hosts/{host}", "{\"name\":\"ci\"}", 409, false},
    {"DELETE", "/v1/hosts/ci", "/v1/hosts/{host}", NULL, 204, false},
    {"PATCH", "/v1/hosts/nobody", "/v1/hosts/{host}", "{\"name\":\"x\"}", 404, false},
    {"GET", "/v1/initiators/seen", "/v1/initiators/seen", NULL, 200, false},
    {"PATCH", "/v1/auth", "/v1/auth", "{\"forbid_md5\":true}", 200, false},
    {"PATCH", "/v1/auth", "/v1/auth", "{\"discovery\":{\"method\":\"chap\"}}", 422,
     false},
    {"GET", "/v1/auth", "/v1/auth", NULL, 200, false},
    {"PATCH", "/v1/auth", "/v1/auth", "{\"forbid_md5\":false}", 200, false},
    {"POST", "/v1/mappings", "/v1/mappings",
     "{\"volume\":\"cv\",\"host\":\"ch\",\"lun\":1,\"read_only\":true}", 201, false},
    {"POST", "/v1/mappings", "/v1/mappings",
     "{\"volume\":\"cv\",\"host\":\"ch\",\"lun\":1}", 409, false},
    {"DELETE", "/v1/hosts/ch", "/v1/hosts/{host}", NULL, 409, false},
    {"DELETE", "/v1/volumes/cv", "/v1/volumes/{volume}", NULL, 409, false},
    {"PUT", "/v1/mappings/cv/ch", "/v1/mappings/{volume}/{host}",
     "{\"lun\":1,\"read_only\":true}", 200, false},
    {"PUT", "/v1/mappings/cv/ch", "/v1/mappings/{volume}/{host}", "{\"lun\":2}", 409,
     false},
    {"GET", "/v1/mappings", "/v1/mappings", NULL, 200, false},
    {"GET", "/v1/mappings/cv/ch", "/v1/mappings/{volume}/{host}", NULL, 200, false},
    {"GET", "/v1/mappings/@MAPPING@", "/v1/mappings/{mapping}", NULL, 200, false},
    {"DELETE", "/v1/mappings/@MAPPING@", "/v1/mappings/{mapping}", NULL, 204, false},
    {"PUT", "/v1/mappings/cv/ch", "/v1/mappings/{volume}/{host}", "{}", 201, false},
    {"DELETE", "/v1/mappings/cv/ch", "/v1/mappings/{volume}/{host}", NULL, 204, false},
    {"POST", "/v1/mappings", "/v1/mappings",
     "{\"volume\":\"cv\",\"host\":\"ch\",\"export\":\"own\"}", 201, false},
    {"DELETE", "/v1/mappings/cv/ch", "/v1/mappings/{volume}/{host}", NULL, 204, false},
    {"POST", "/v1/mappings", "/v1/mappings", "{\"snapshot\":\"cv/cs\",\"host\":\"ch\"}",
     201, false},
    {"GET", "/v1/mappings/cv/cs/ch", "/v1/mappings/{volume}/{snapshot}/{host}", NULL, 200,
     false},
    {"DELETE", "/v1/snapshots/cv/cs", "/v1/snapshots/{volume}/{snapshot}", NULL, 409,
     false},
    {"DELETE", "/v1/mappings/cv/cs/ch", "/v1/mappings/{volume}/{snapshot}/{host}", NULL,
     204, false},
    {"DELETE", "/v1/snapshots/@SNAPSHOT@", "/v1/snapshots/{snapshot}", NULL, 204, false},
    {"DELETE", "/v1/hosts/ch", "/v1/hosts/{host}", NULL, 204, false},
    {"DELETE", "/v1/volumes/cv?purge=1", "/v1/volumes/{volume}", NULL, 204, false},
    {"DELETE", "/v1/pools/cp", "/v1/pools/{pool}", NULL, 204, true},
    {"GET", "/v1/sessions", "/v1/sessions", NULL, 200, false},
    {"GET", "/v1/sessions/@SESSION@", "/v1/sessions/{session}", NULL, 200, false},
    {"DELETE", "/v1/sessions/@SESSION@", "/v1/sessions/{session}", NULL, 204, false},
    {"POST", "/v1/drains", "/v1/drains",
     "{\"redirect\":\"192.0.2.1:3260\",\"logout_timeout\":3600}", 201, false},
    {"POST", "/v1/drains", "/v1/drains", "{\"host\":\"nobody\"}", 422, false},
    {"GET", "/v1/drains", "/v1/drains", NULL, 200, false},
    {"GET", "/v1/drains/@DRAIN@", "/v1/drains/{drain}", NULL, 200, false},
    {"DELETE", "/v1/drains/@DRAIN@", "/v1/drains/{drain}", NULL, 204, false},
    {"GET", "/v1/portal-groups", "/v1/portal-groups", NULL, 200, false},
    {"GET", "/v1/portal-groups/1", GROUP, NULL, 200, false},
    {"GET", "/v1/portal-groups/99", GROUP, NULL, 404, false},
    {"PATCH", "/v1/portal-groups/1", GROUP, "{\"preferred\":true}", 200, false},
    {"PATCH", "/v1/portal-groups/1", GROUP, "{\"state\":\"standby\"}", 409, false},
    {"POST", "/v1/tokens", "/v1/tokens", "{\"name\":\"ct\"}", 201, false},
    {"POST", "/v1/tokens", "/v1/tokens", "{\"name\":\"ct\"}", 409, false},
    {"GET", "/v1/tokens/ct", "/v1/tokens/{token}", NULL, 200, false},
    {"GET", "/v1/tokens", "/v1/tokens", NULL, 200, false},
    {"DELETE", "/v1/tokens/ct", "/v1/tokens/{token}", NULL, 204, false},
    {"POST", "/v1/catalog/backup", "/v1/catalog/backup", "{\"path\":\"@DIR@/backup.db\"}",
     204, false},
    {"POST", "/v1/catalog/backup", "/v1/catalog/backup", "{\"path\":\"@DIR@/backup.db\"}",
     409, false},
    {"POST", "/v1/catalog/backup", "/v1/catalog/backup", "{\"path\":\"backup.db\"}", 422,
     false},
    {"POST", "/v1/apply", "/v1/apply",
     "{\"hosts\":[{\"name\":\"ck\",\"initiators\":[\"iqn.2026-01.test.contract:k\"]}]}",
     200, false},
    {"POST", "/v1/apply", "/v1/apply", "{\"hosts\":[{\"name\":\"ck\",\"absent\":true}]}",
     200, false},
    {"GET", "/v1/audit?limit=3", "/v1/audit", NULL, 200, false},
};
#define STEP_COUNT (sizeof(steps) / sizeof(steps[0]))

static bool wrong(struct walk *w, const struct step *s, const char *what)
{
    snprintf(w->why, sizeof(w->why), "%s %s: answered %d: %.300s: %.300s", s->method,
             s->pattern, w->answer.status, what, w->answer.body);
    return false;
}

static void put_in(char out[ROOM], const char *text, const char *mark, const char *value)
{
    const char *at = strstr(text, mark);
    if (at == NULL)
        snprintf(out, ROOM, "%s", text);
    else
        snprintf(out, ROOM, "%.*s%s%s", (int)(at - text), text, value, at + strlen(mark));
}

/* What a POST made last is named by the mark. */
static const struct {
    const char *collection, *mark;
} notes[WALK_NOTES] = {
    {"/v1/mappings", "@MAPPING@"},
    {"/v1/snapshots", "@SNAPSHOT@"},
    {"/v1/snapshot-groups", "@GROUP@"},
    {"/v1/drains", "@DRAIN@"},
    {"/v1/pools/{pool}/check", "@JOB@"},
    {DEVICES, "@DEVICE@"},
    {NULL, NULL},
};

static void fill(const struct walk *w, const char *text, char out[ROOM])
{
    char a[ROOM];
    put_in(a, text, "@DIR@", w->dir);
    put_in(out, a, "@SESSION@", w->session);
    for (size_t i = 0; notes[i].mark != NULL; i++) {
        snprintf(a, sizeof(a), "%s", out);
        put_in(out, a, notes[i].mark, w->notes[i]);
    }
}

static bool documents(const struct walk *w, const struct step *s, const char *status)
{
    const json_t *operation = document_operation(w->document, s->pattern, s->method);
    return json_object_get(json_object_get(operation, "responses"), status) != NULL;
}

static bool judge(struct walk *w, const struct step *s, int status)
{
    char why[WHY_MAX];
    const json_t *operation = document_operation(w->document, s->pattern, s->method);
    if (w->answer.status != status)
        return wrong(w, s, "another status than was due");
    if (operation == NULL)
        return wrong(w, s, "the operation is not documented");
    if (!document_covers(w->document, operation, &w->answer, why))
        return wrong(w, s, why);
    if (w->seen_count < WALK_SEEN_MAX)
        snprintf(w->seen[w->seen_count++], sizeof(w->seen[0]), "%s %s %d", s->method,
                 s->pattern, status);
    return true;
}

static bool ask(struct walk *w, struct client *c, const struct step *s, const char *path,
                const char *body, int status)
{
    if (!client_call(c, s->method, path, body, &w->answer))
        return wrong(w, s, "no answer came");
    return judge(w, s, status);
}

/* ---- Wrongly ----------------------------------------------------------------------- */

/* With headers, each with its line's end. */
static bool ask_with(struct walk *w, const struct step *s, const char *path,
                     const char *headers, const char *body, int status)
{
    char text[3 * ROOM];
    int length = snprintf(text, sizeof(text),
                          "%s %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n%s",
                          s->method, path, headers, body == NULL ? 0 : strlen(body),
                          body == NULL ? "" : body);
    if (!client_send(w->local, text, (size_t)length) ||
        !client_receive(w->local, false, &w->answer))
        return wrong(w, s, "no answer came");
    return judge(w, s, status);
}

static bool ask_without_type(struct walk *w, const struct step *s, const char *path)
{
    return ask_with(w, s, path, "", "{}", 415);
}

#define JSON "Content-Type: application/json\r\n"

static bool is_change(const struct step *s)
{
    return strcmp(s->method, "GET") != 0;
}

/* Before the manager is asked, and whatever the daemon is about to do. */
static bool is_refused_at_once(const struct step *s)
{
    return !is_change(s) && s->status >= 400;
}

/* A key that came with another request before, at the walk's beginning. */
static bool ask_with_old_key(struct walk *w, const struct step *s, const char *path,
                             const char *body)
{
    return ask_with(w, s, path, JSON "Idempotency-Key: walk\r\n", body, 422);
}

/* What is there has another tag. */
static bool ask_with_old_tag(struct walk *w, const struct step *s, const char *path,
                             const char *body)
{
    return ask_with(w, s, path, JSON "If-Match: \"old\"\r\n", body, 412);
}

/* A token that is good for something else: for reading, or for a host of its own. */
static bool ask_unpermitted(struct walk *w, const struct step *s, const char *path,
                            const char *body)
{
    char *token = w->tcp->token;
    snprintf(token, sizeof(w->tcp->token), "%s",
             is_change(s) ? w->read_token : w->attach_token);
    bool good = ask(w, w->tcp, s, path, body, 403);
    token[0] = '\0';
    return good;
}

/* What is asked for as a stream. HEAD has the answer's head without the stream. */
static bool ask_stream(struct walk *w, const struct step *s, const char *method,
                       const char *header, int status)
{
    char text[ROOM];
    int length = snprintf(text, sizeof(text),
                          "%s " EVENTS " HTTP/1.1\r\nHost: x\r\n"
                          "Accept: text/event-stream\r\n%s\r\n",
                          method, header);
    if (!client_send(w->local, text, (size_t)length) ||
        !client_receive(w->local, strcmp(method, "HEAD") == 0, &w->answer))
        return wrong(w, s, "no answer came");
    return judge(w, s, status);
}

static bool ask_streams(struct walk *w, const struct step *s)
{
    return ask_stream(w, s, "HEAD", "", 200) &&
           ask_stream(w, s, "GET", "Last-Event-ID: 1-2-3\r\n", 400);
}

/* The pattern with names that nothing has in the place of its parameters. */
static void name_nothing(const char *pattern, char path[ROOM])
{
    size_t at = 0;
    for (; *pattern != '\0' && at + 8 < ROOM; pattern++) {
        if (*pattern == '{') {
            at += (size_t)snprintf(path + at, ROOM - at, "999999");
            pattern = strchr(pattern, '}');
        } else {
            path[at++] = *pattern;
        }
    }
    path[at] = '\0';
}

static bool ask_for_nothing(struct walk *w, const struct step *s, const char *body)
{
    char path[ROOM];
    name_nothing(s->pattern, path);
    if (strcmp(path, s->pattern) == 0)
        strncat(path, "?volume=999999", ROOM - strlen(path) - 1);
    return ask(w, w->local, s, path, body, 404);
}

static bool needs_members(const struct walk *w, const struct step *s)
{
    const json_t *operation = document_operation(w->document, s->pattern, s->method);
    const json_t *body =
        document_resolve(w->document, json_object_get(operation, "requestBody"));
    const json_t *schema = json_object_get(
        json_object_get(json_object_get(body, "content"), "application/json"), "schema");
    return json_object_get(document_resolve(w->document, schema), "required") != NULL;
}

static bool ask_with_faults(struct walk *w, const struct step *s, const char *path,
                            const char *body)
{
    static const struct {
        int code, status;
        const char *text;
    } faults[] = {{EEXIST, 409, "409"},
                  {EBUSY, 409, "409"},
                  {ENOSPC, 409, "409"},
                  {EIO, 500, "500"},
                  {ENOMEM, 503, "503"}};
    /* Only what goes through the manager can be made to fail. */
    bool agrees = strcmp(s->method, "PUT") == 0 && s->status != 201;
    if (w->fail_next == NULL || agrees || is_refused_at_once(s) ||
        strcmp(s->pattern, "/readyz") == 0 || strcmp(s->pattern, EVENTS) == 0 ||
        strstr(s->pattern, "session") != NULL)
        return true;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (!documents(w, s, faults[i].text))
            continue;
        w->fail_next(w->arg, -faults[i].code);
        if (!ask(w, w->local, s, path, body, faults[i].status))
            return false;
    }
    return true;
}

static bool ask_wrongly(struct walk *w, const struct step *s, const char *path,
                        const char *body)
{
    char other[ROOM + 16];
    snprintf(other, sizeof(other), "%s%cnonsense=1", path, strchr(path, '?') ? '&' : '?');
    if (!ask(w, w->local, s, other, body, 400))
        return false;
    if (documents(w, s, "401") && !ask(w, w->tcp, s, path, body, 401))
        return false;
    if (documents(w, s, "404") && !ask_for_nothing(w, s, body))
        return false;
    if (documents(w, s, "415") && !ask_without_type(w, s, path))
        return false;
    if (documents(w, s, "403") && !ask_unpermitted(w, s, path, body))
        return false;
    if (is_change(s) && documents(w, s, "422") && !ask_with_old_key(w, s, path, body))
        return false;
    bool is_there = s->status != 201 || strcmp(s->method, "POST") == 0;
    if (documents(w, s, "412") && s->status < 300 && is_there &&
        !ask_with_old_tag(w, s, path, body))
        return false;
    if (body != NULL && documents(w, s, "422") &&
        !ask(w, w->local, s, path, "{\"nonsense\":1}", 422))
        return false;
    if (documents(w, s, "422") && needs_members(w, s) &&
        !ask(w, w->local, s, path, "{}", 422))
        return false;
    return ask_with_faults(w, s, path, body);
}

/* ---- Rightly ----------------------------------------------------------------------- */

static bool ask_rightly(struct walk *w, const struct step *s, const char *path,
                        const char *body, int status)
{
    static const struct timespec moment = {.tv_nsec = 2000000};
    const char *method = s->patience == STREAM ? "HEAD" : s->method;
    int left = s->patience == PATIENT ? PATIENCE : 0;
    if (!client_call(w->local, method, path, body, &w->answer))
        return wrong(w, s, "no answer came");
    while (w->answer.status == 409 && left-- > 0) {
        nanosleep(&moment, NULL);
        if (!client_call(w->local, s->method, path, body, &w->answer))
            return wrong(w, s, "no answer came");
    }
    bool late = s->patience == LATE && w->answer.status == 409;
    return judge(w, s, late ? 409 : status);
}

/* What would be done is told, and is not done: what is asked for next needs that. */
static bool ask_drily(struct walk *w, const struct step *s, const char *path,
                      const char *body)
{
    char dry[ROOM + 16];
    if (!is_change(s) || s->status >= 300)
        return true;
    snprintf(dry, sizeof(dry), "%s%cdry_run=1", path, strchr(path, '?') ? '&' : '?');
    return ask_rightly(w, s, dry, body, 200);
}

/* With the tag that it has just got. */
static bool ask_again(struct walk *w, const struct step *s, const char *path)
{
    char text[ROOM + 256], etag[64];
    answer_header(&w->answer, "ETag", etag, sizeof(etag));
    int length = snprintf(
        text, sizeof(text),
        "GET %s HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"x\", %s\r\n\r\n", path, etag);
    if (!client_send(w->local, text, (size_t)length) ||
        !client_receive(w->local, false, &w->answer))
        return wrong(w, s, "no answer came");
    return judge(w, s, 304);
}

/* ---- The walk ---------------------------------------------------------------------- */

static void note_made(struct walk *w, const struct step *s)
{
    for (size_t i = 0; notes[i].mark != NULL; i++) {
        if (strcmp(s->pattern, notes[i].collection) != 0 ||
            (w->answer.status != 201 && w->answer.status != 202))
            continue;
        json_t *body = json_loadb(w->answer.body, w->answer.body_bytes, 0, NULL);
        const char *id = json_string_value(json_object_get(body, "id"));
        snprintf(w->notes[i], sizeof(w->notes[i]), "%s", id == NULL ? "" : id);
        json_decref(body);
    }
}

static bool make_token(struct walk *w, const char *body, char *out, size_t room)
{
    static const struct step s = {"POST", "/v1/tokens", "/v1/tokens", NULL, 201, false};
    if (!ask(w, w->local, &s, s.path, body, 201))
        return false;
    json_t *made = json_loadb(w->answer.body, w->answer.body_bytes, 0, NULL);
    snprintf(out, room, "%s", json_string_value(json_object_get(made, "token")));
    json_decref(made);
    return true;
}

/* Tokens that are good for little, and a key that is used. */
static bool prepare(struct walk *w)
{
    static const struct step host = {"POST", "/v1/hosts", "/v1/hosts", NULL, 201, false};
    static const struct step key = {
        "PATCH", "/v1/hosts/walk", "/v1/hosts/{host}", NULL, 200, false};
    return ask(w, w->local, &host, host.path,
               "{\"name\":\"walk\",\"initiators\":[\"iqn.2026-01.test.contract:walk\"]}",
               201) &&
           make_token(w, "{\"name\":\"walk-read\",\"scope\":\"read\",\"expires\":\"1d\"}",
                      w->read_token, sizeof(w->read_token)) &&
           make_token(w,
                      "{\"name\":\"walk-attach\",\"scope\":\"attach\",\"host\":\"walk\"}",
                      w->attach_token, sizeof(w->attach_token)) &&
           ask_with(w, &key, key.path, JSON "Idempotency-Key: walk\r\n",
                    "{\"addresses\":[]}", 200);
}

bool walk_run(struct walk *w)
{
    w->seen_count = 0;
    if (!prepare(w))
        return false;
    for (size_t i = 0; i < STEP_COUNT; i++) {
        const struct step *s = &steps[i];
        char path[ROOM], body[ROOM] = "";
        fill(w, s->path, path);
        if (s->body != NULL)
            fill(w, s->body, body);
        const char *given = s->body == NULL ? NULL : body;
        if (!ask_wrongly(w, s, path, given) || !ask_drily(w, s, path, given) ||
            !ask_rightly(w, s, path, given, s->status))
            return false;
        if (strcmp(s->pattern, EVENTS) == 0 && !ask_streams(w, s))
            return false;
        note_made(w, s);
        if (s->status == 200 && documents(w, s, "304") && !ask_again(w, s, path))
            return false;
    }
    return true;
}

bool walk_draining(struct walk *w)
{
    for (size_t i = 0; i < STEP_COUNT; i++) {
        const struct step *s = &steps[i];
        char path[ROOM], body[ROOM] = "";
        fill(w, s->path, path);
        if (s->body != NULL)
            fill(w, s->body, body);
        if (strcmp(s->pattern, EVENTS) == 0) { /* a page is told still */
            if (!ask_stream(w, s, "GET", "", 503))
                return false;
        } else if (documents(w, s, "503") && !is_refused_at_once(s) &&
                   !ask(w, w->local, s, path, s->body == NULL ? NULL : body, 503))
            return false;
    }
    return true;
}

#define GUESSES 10

/* Guesses are answered 401, as the walk's requests without a token were: those are no
 * guesses, and there were many more of them. */
static bool guess(struct walk *w)
{
    static const struct step s = {"GET", "/v1", "/v1", NULL, 401, false};
    snprintf(w->tcp->token, sizeof(w->tcp->token), "ashlar_guess");
    bool good = true;
    for (int i = 0; good && i < GUESSES; i++)
        good = ask(w, w->tcp, &s, s.path, NULL, 401);
    w->tcp->token[0] = '\0';
    return good;
}

bool walk_guessing(struct walk *w)
{
    bool good = guess(w);
    for (size_t i = 0; good && i < STEP_COUNT; i++) {
        const struct step *s = &steps[i];
        char path[ROOM];
        fill(w, s->path, path);
        if (documents(w, s, "429"))
            good = ask(w, w->tcp, s, path, s->body, 429);
    }
    return good;
}

static bool was_seen(const struct walk *w, const char *key)
{
    for (size_t i = 0; i < w->seen_count; i++) {
        if (strcmp(w->seen[i], key) == 0)
            return true;
    }
    return false;
}

static bool is_saved(const char *const *save, const char *status, const char *key)
{
    for (; *save != NULL; save++) {
        if (strcmp(*save, status) == 0 || strcmp(*save, key) == 0)
            return true;
    }
    return false;
}

bool walk_saw_all(struct walk *w, const char *const *save)
{
    const char *path, *key, *status;
    json_t *item, *operation, *response;
    json_object_foreach(json_object_get(w->document, "paths"), path, item)
    {
        json_object_foreach(item, key, operation)
        {
            json_object_foreach(json_object_get(operation, "responses"), status, response)
            {
                char want[160], method[16] = "";
                for (size_t i = 0; key[i] != '\0' && i < sizeof(method) - 1; i++)
                    method[i] = (char)(key[i] - 'a' + 'A');
                snprintf(want, sizeof(want), "%s %s %s", method, path, status);
                if (is_saved(save, status, want) || was_seen(w, want))
                    continue;
                snprintf(w->why, sizeof(w->why), "documented, never seen: %s", want);
                return false;
            }
        }
    }
    return true;
}
