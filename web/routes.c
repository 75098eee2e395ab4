/* SPDX-License-Identifier: Apache-2.0 */
/* Every route of the API, one row each (see router.h). */
#include "web/api.h"
#include "web/resource.h"
#include "web/router.h"

#define GET       EVHTTP_REQ_GET
#define POST      EVHTTP_REQ_POST
#define PUT       EVHTTP_REQ_PUT
#define PATCH     EVHTTP_REQ_PATCH
#define DELETE    EVHTTP_REQ_DELETE
#define ANYONE    PERMIT_ANYONE
#define READ      PERMIT_READ
#define ATTACH    PERMIT_ATTACH
#define PROVISION PERMIT_PROVISION
#define MAP       PERMIT_MAP
#define ADMIN     PERMIT_ADMIN

/* clang-format off */
static const struct route routes[] = {
    /* method, who, status, operation, path, handler, schema of the body, what the query takes, what it is about, what it shows if not that */
    {GET,    ANYONE,    200, "health_show",                "/healthz",                                 api_health_show, NULL, QUERY_NONE, NULL, NULL},
    {GET,    ANYONE,    200, "ready_show",                 "/readyz",                                  api_ready_show, NULL, QUERY_NONE, NULL, NULL},
    {GET,    READ,      200, "metrics_show",               "/metrics",                                 api_metrics_show, NULL, QUERY_NONE, NULL, NULL},
    {GET,    ATTACH,    200, "box_show",                   "/v1",                                      api_box_show, NULL, QUERY_NONE, NULL, NULL},
    {GET,    ANYONE,    200, "openapi_show",               "/v1/openapi.json",                         api_openapi_show, NULL, QUERY_NONE, NULL, NULL},
    {GET,    READ,      200, "auth_show",                  "/v1/auth",                                 api_show, NULL, QUERY_FIELDS, &resource_auth, NULL},
    {PATCH,  ADMIN,     200, "auth_change",                "/v1/auth",                                 api_auth_change, &schema_auth_change, QUERY_NONE, &resource_auth, NULL},
    {GET,    READ,      200, "pool_list",                  "/v1/pools",                                api_list, NULL, QUERY_LIST, &resource_pool, NULL},
    {POST,   ADMIN,     201, "pool_create",                "/v1/pools",                                api_pool_create, &schema_pool_create, QUERY_NONE, &resource_pool, NULL},
    {GET,    READ,      200, "pool_show",                  "/v1/pools/{pool}",                         api_show, NULL, QUERY_FIELDS, &resource_pool, NULL},
    {PUT,    ADMIN,     201, "pool_put",                   "/v1/pools/{pool}",                         api_put, &schema_pool_put, QUERY_NONE, &resource_pool, NULL},
    {PATCH,  ADMIN,     200, "pool_change",                "/v1/pools/{pool}",                         api_pool_change, &schema_pool_change, QUERY_NONE, &resource_pool, NULL},
    {DELETE, ADMIN,     204, "pool_delete",                "/v1/pools/{pool}",                         api_pool_delete, NULL, QUERY_NONE, &resource_pool, NULL},
    {POST,   ADMIN,     202, "pool_check",                 "/v1/pools/{pool}/check",                   api_pool_check, NULL, QUERY_NONE, &resource_pool, &resource_job},
    {POST,   ADMIN,     204, "pool_export",                "/v1/pools/{pool}/export",                  api_pool_export, &schema_pool_export, QUERY_NONE, &resource_pool, NULL},
    {POST,   ADMIN,     201, "pool_import",                "/v1/pools/import",                         api_pool_import, &schema_pool_import, QUERY_NONE, &resource_pool, NULL},
    {GET,    READ,      200, "device_list_of_pool",        "/v1/pools/{pool}/devices",                 api_list, NULL, QUERY_LIST, &resource_device, NULL},
    {POST,   ADMIN,     201, "pool_add_device",            "/v1/pools/{pool}/devices",                 api_pool_add_device, &schema_device_create, QUERY_NONE, &resource_pool, &resource_device},
    {GET,    READ,      200, "device_show_of_pool",        "/v1/pools/{pool}/devices/{device}",        api_show, NULL, QUERY_FIELDS, &resource_device, NULL},
    {PATCH,  ADMIN,     200, "device_change",              "/v1/pools/{pool}/devices/{device}",        api_device_change, &schema_device_change, QUERY_NONE, &resource_device, NULL},
    {DELETE, ADMIN,     204, "device_delete",              "/v1/pools/{pool}/devices/{device}",        api_device_delete, NULL, QUERY_NONE, &resource_device, NULL},
    {POST,   ADMIN,     202, "device_evacuate",            "/v1/pools/{pool}/devices/{device}/evacuate", api_device_evacuate, NULL, QUERY_NONE, &resource_device, &resource_job},
    {GET,    READ,      200, "device_list",                "/v1/devices",                              api_list, NULL, QUERY_LIST, &resource_device, NULL},
    {GET,    READ,      200, "device_show",                "/v1/devices/{device}",                     api_show, NULL, QUERY_FIELDS, &resource_device, NULL},
    {GET,    READ,      200, "volume_list",                "/v1/volumes",                              api_list, NULL, QUERY_LIST, &resource_volume, NULL},
    {POST,   PROVISION, 201, "volume_create",              "/v1/volumes",                              api_volume_create, &schema_volume_create, QUERY_NONE, &resource_volume, NULL},
    {GET,    READ,      200, "volume_show",                "/v1/volumes/{volume}",                     api_show, NULL, QUERY_FIELDS, &resource_volume, NULL},
    {PUT,    PROVISION, 201, "volume_put",                 "/v1/volumes/{volume}",                     api_put, &schema_volume_put, QUERY_NONE, &resource_volume, NULL},
    {PATCH,  PROVISION, 200, "volume_change",              "/v1/volumes/{volume}",                     api_volume_change, &schema_volume_change, QUERY_NONE, &resource_volume, NULL},
    {DELETE, PROVISION, 204, "volume_delete",              "/v1/volumes/{volume}",                     api_volume_delete, NULL, QUERY_PURGE, &resource_volume, NULL},
    {POST,   PROVISION, 202, "volume_copy",                "/v1/volumes/{volume}/copy",                api_volume_copy, &schema_volume_copy, QUERY_NONE, &resource_volume, &resource_job},
    {POST,   PROVISION, 200, "volume_rollback",            "/v1/volumes/{volume}/rollback",            api_volume_rollback, &schema_volume_rollback, QUERY_NONE, &resource_volume, NULL},
    {GET,    READ,      200, "volume_extents",             "/v1/volumes/{volume}/extents",             api_diff, NULL, QUERY_RANGE | QUERY_ZEROS, &resource_volume, NULL},
    {GET,    READ,      200, "volume_diff",                "/v1/volumes/{volume}/diff",                api_diff, NULL, QUERY_RANGE | QUERY_FROM, &resource_volume, NULL},
    {GET,    READ,      200, "snapshot_list",              "/v1/snapshots",                            api_list, NULL, QUERY_LIST | QUERY_VOLUME, &resource_snapshot, NULL},
    {POST,   PROVISION, 201, "snapshot_create",            "/v1/snapshots",                            api_snapshot_create, &schema_snapshot_create, QUERY_NONE, &resource_snapshot, NULL},
    {GET,    READ,      200, "snapshot_show",              "/v1/snapshots/{snapshot}",                 api_show, NULL, QUERY_FIELDS, &resource_snapshot, NULL},
    {PATCH,  PROVISION, 200, "snapshot_change",            "/v1/snapshots/{snapshot}",                 api_snapshot_change, &schema_snapshot_change, QUERY_NONE, &resource_snapshot, NULL},
    {DELETE, PROVISION, 204, "snapshot_delete",            "/v1/snapshots/{snapshot}",                 api_snapshot_delete, NULL, QUERY_NONE, &resource_snapshot, NULL},
    {GET,    READ,      200, "snapshot_extents",           "/v1/snapshots/{snapshot}/extents",         api_diff, NULL, QUERY_RANGE | QUERY_ZEROS, &resource_snapshot, NULL},
    {GET,    READ,      200, "snapshot_diff",              "/v1/snapshots/{snapshot}/diff",            api_diff, NULL, QUERY_RANGE | QUERY_FROM, &resource_snapshot, NULL},
    {GET,    READ,      200, "snapshot_extents_by_name",   "/v1/snapshots/{volume}/{snapshot}/extents", api_diff, NULL, QUERY_RANGE | QUERY_ZEROS, &resource_snapshot, NULL},
    {GET,    READ,      200, "snapshot_diff_by_name",      "/v1/snapshots/{volume}/{snapshot}/diff",   api_diff, NULL, QUERY_RANGE | QUERY_FROM, &resource_snapshot, NULL},
    {GET,    READ,      200, "snapshot_show_by_name",      "/v1/snapshots/{volume}/{snapshot}",        api_show, NULL, QUERY_FIELDS, &resource_snapshot, NULL},
    {PUT,    PROVISION, 201, "snapshot_put",               "/v1/snapshots/{volume}/{snapshot}",        api_put, &schema_snapshot_put, QUERY_NONE, &resource_snapshot, NULL},
    {PATCH,  PROVISION, 200, "snapshot_change_by_name",    "/v1/snapshots/{volume}/{snapshot}",        api_snapshot_change, &schema_snapshot_change, QUERY_NONE, &resource_snapshot, NULL},
    {DELETE, PROVISION, 204, "snapshot_delete_by_name",    "/v1/snapshots/{volume}/{snapshot}",        api_snapshot_delete, NULL, QUERY_NONE, &resource_snapshot, NULL},
    {POST,   PROVISION, 201, "snapshot_group_create",      "/v1/snapshot-groups",                      api_snapshot_group_create, &schema_snapshot_group_create, QUERY_NONE, NULL, NULL},
    {GET,    READ,      200, "snapshot_group_show",        "/v1/snapshot-groups/{group}",              api_snapshot_group_show, NULL, QUERY_NONE, NULL, NULL},
    {GET,    READ,      200, "trash_list",                 "/v1/trash",                                api_list, NULL, QUERY_LIST, &resource_trashed, NULL},
    {GET,    READ,      200, "trash_show",                 "/v1/trash/{trashed}",                      api_show, NULL, QUERY_FIELDS, &resource_trashed, NULL},
    {DELETE, PROVISION, 204, "trash_purge",                "/v1/trash/{trashed}",                      api_trash_purge, NULL, QUERY_NONE, &resource_trashed, NULL},
    {POST,   PROVISION, 200, "trash_restore",              "/v1/trash/{trashed}/restore",              api_trash_restore, &schema_trash_restore, QUERY_NONE, &resource_trashed, &resource_volume},
    {GET,    READ,      200, "host_list",                  "/v1/hosts",                                api_list, NULL, QUERY_LIST, &resource_host, NULL},
    {POST,   PROVISION, 201, "host_create",                "/v1/hosts",                                api_host_create, &schema_host_create, QUERY_NONE, &resource_host, NULL},
    {GET,    ATTACH,    200, "host_show",                  "/v1/hosts/{host}",                         api_show, NULL, QUERY_FIELDS, &resource_host, NULL},
    {PUT,    PROVISION, 201, "host_put",                   "/v1/hosts/{host}",                         api_put, &schema_host_put, QUERY_NONE, &resource_host, NULL},
    {PATCH,  PROVISION, 200, "host_change",                "/v1/hosts/{host}",                         api_host_change, &schema_host_change, QUERY_NONE, &resource_host, NULL},
    {DELETE, PROVISION, 204, "host_delete",                "/v1/hosts/{host}",                         api_host_delete, NULL, QUERY_NONE, &resource_host, NULL},
    {GET,    READ,      200, "initiator_seen",             "/v1/initiators/seen",                      api_list, NULL, QUERY_LIST, &resource_initiator, NULL},
    {GET,    ATTACH,    200, "mapping_list",               "/v1/mappings",                             api_list, NULL, QUERY_LIST, &resource_mapping, NULL},
    {POST,   MAP,       201, "mapping_create",             "/v1/mappings",                             api_mapping_create, &schema_mapping_create, QUERY_NONE, &resource_mapping, NULL},
    {GET,    ATTACH,    200, "mapping_show",               "/v1/mappings/{mapping}",                   api_show, NULL, QUERY_FIELDS, &resource_mapping, NULL},
    {DELETE, MAP,       204, "mapping_delete",             "/v1/mappings/{mapping}",                   api_mapping_delete, NULL, QUERY_NONE, &resource_mapping, NULL},
    {GET,    ATTACH,    200, "mapping_show_by_pair",       "/v1/mappings/{volume}/{host}",             api_show, NULL, QUERY_FIELDS, &resource_mapping, NULL},
    {PUT,    MAP,       201, "mapping_put",                "/v1/mappings/{volume}/{host}",             api_put, &schema_mapping_put, QUERY_NONE, &resource_mapping, NULL},
    {DELETE, MAP,       204, "mapping_delete_by_pair",     "/v1/mappings/{volume}/{host}",             api_mapping_delete, NULL, QUERY_NONE, &resource_mapping, NULL},
    {GET,    ATTACH,    200, "mapping_show_of_snapshot",   "/v1/mappings/{volume}/{snapshot}/{host}",  api_show, NULL, QUERY_FIELDS, &resource_mapping, NULL},
    {DELETE, MAP,       204, "mapping_delete_of_snapshot", "/v1/mappings/{volume}/{snapshot}/{host}",  api_mapping_delete, NULL, QUERY_NONE, &resource_mapping, NULL},
    {GET,    READ,      200, "session_list",               "/v1/sessions",                             api_list, NULL, QUERY_LIST, &resource_session, NULL},
    {GET,    READ,      200, "session_show",               "/v1/sessions/{session}",                   api_show, NULL, QUERY_FIELDS, &resource_session, NULL},
    {DELETE, ADMIN,     204, "session_delete",             "/v1/sessions/{session}",                   api_session_delete, NULL, QUERY_NONE, &resource_session, NULL},
    {GET,    READ,      200, "drain_list",                 "/v1/drains",                               api_list, NULL, QUERY_LIST, &resource_drain, NULL},
    {POST,   ADMIN,     201, "drain_create",               "/v1/drains",                               api_drain_create, &schema_drain_create, QUERY_NONE, &resource_drain, NULL},
    {GET,    READ,      200, "drain_show",                 "/v1/drains/{drain}",                       api_show, NULL, QUERY_FIELDS, &resource_drain, NULL},
    {DELETE, ADMIN,     204, "drain_delete",               "/v1/drains/{drain}",                       api_drain_delete, NULL, QUERY_NONE, &resource_drain, NULL},
    {GET,    READ,      200, "portal_group_list",          "/v1/portal-groups",                        api_list, NULL, QUERY_LIST, &resource_portal_group, NULL},
    {GET,    READ,      200, "portal_group_show",          "/v1/portal-groups/{portal_group}",         api_show, NULL, QUERY_FIELDS, &resource_portal_group, NULL},
    {PATCH,  ADMIN,     200, "portal_group_change",        "/v1/portal-groups/{portal_group}",         api_portal_group_change, &schema_portal_group_change, QUERY_NONE, &resource_portal_group, NULL},
    {GET,    READ,      200, "job_list",                   "/v1/jobs",                                 api_list, NULL, QUERY_LIST, &resource_job, NULL},
    {GET,    READ,      200, "job_show",                   "/v1/jobs/{job}",                           api_show, NULL, QUERY_FIELDS, &resource_job, NULL},
    {POST,   ADMIN,     202, "job_cancel",                 "/v1/jobs/{job}/cancel",                    api_job_cancel, NULL, QUERY_NONE, &resource_job, NULL},
    {GET,    READ,      200, "event_list",                 "/v1/events",                               api_event_list, NULL, QUERY_PAGE | QUERY_TYPE, NULL, NULL},
    {GET,    ADMIN,     200, "token_list",                 "/v1/tokens",                               api_list, NULL, QUERY_LIST, &resource_token, NULL},
    {POST,   ADMIN,     201, "token_create",               "/v1/tokens",                               api_token_create, &schema_token_create, QUERY_NONE, &resource_token, NULL},
    {GET,    ADMIN,     200, "token_show",                 "/v1/tokens/{token}",                       api_show, NULL, QUERY_FIELDS, &resource_token, NULL},
    {DELETE, ADMIN,     204, "token_delete",               "/v1/tokens/{token}",                       api_token_delete, NULL, QUERY_NONE, &resource_token, NULL},
    {POST,   PROVISION, 200, "apply",                      "/v1/apply",                                api_apply, &schema_apply, QUERY_NONE, NULL, NULL},
    {POST,   ADMIN,     204, "catalog_backup",             "/v1/catalog/backup",                       api_catalog_backup, &schema_catalog_backup, QUERY_NONE, NULL, NULL},
    {GET,    ADMIN,     200, "audit_list",                 "/v1/audit",                                api_audit_list, NULL, QUERY_PAGE, NULL, NULL},
};
/* clang-format on */

const struct route *router_table(size_t *count)
{
    *count = ARRAY_LEN(routes);
    return routes;
}
