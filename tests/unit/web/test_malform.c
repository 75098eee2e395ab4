/* SPDX-License-Identifier: Apache-2.0 */
/* Malformed requests for every operation, over the fake manager (see malform.h). */
#include "cm.h"
#include "malform.h"
#include "own_document.h"
#include "rig.h"

#include <stdlib.h>
#include <string.h>

static int connect_rig(void *arg, struct client *c, bool tcp)
{
    struct rig *r = arg;
    return tcp ? client_open_tcp(c, web_tcp_address(r->web), rig_pump, r)
               : client_open_unix(c, r->socket, rig_pump, r);
}

/* Runs over the rig with a session, by that document. */
static bool run(struct rig *r, const json_t *by, const char *only, FILE *report)
{
    static struct client local, tcp = {.fd = -1};
    static struct malform m;
    fake_target_add_session(r->target, 7, "iqn.2024-01.com.example:h", "h");
    assert_int_equal(connect_rig(r, &local, false), 0);
    m = (struct malform){
        .world = {.document = by, .client = &local, .dir = "/srv/other"},
        .tcp = &tcp,
        .only = only,
        .report = report,
        .open = connect_rig,
        .arg = r,
    };
    bool good = malform_run(&m);
    client_close(&local);
    return good;
}

static void malformed_requests_are_refused_and_change_nothing(void **state)
{
    assert_true(run(*state, document, NULL, stdout));
}

/* By a document that refuses what the server takes, the server is at fault. */
static void request_that_is_taken_wrongly_is_found(void **state)
{
    char *report = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&report, &bytes);
    json_t *other = json_deep_copy(document);
    json_t *schemas = json_object_get(json_object_get(other, "components"), "schemas");
    json_t *members =
        json_object_get(json_object_get(schemas, "VolumeRollback"), "properties");
    json_object_set_new(members, "fence", json_pack("{s:s}", "type", "string"));
    assert_false(run(*state, other, "volume_rollback", f));
    fclose(f);
    assert_non_null(strstr(report, "/fence is true: 422 was due; answered 200"));
    assert_non_null(strstr(report, "changed /v1/volumes"));
    json_decref(other);
    free(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(malformed_requests_are_refused_and_change_nothing),
        WITH_RIG(request_that_is_taken_wrongly_is_found),
    };
    return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
