/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of the routes, a resource a file, and the request schemas that they read.
 * Each answers its exchange exactly once, at once or from a callback. Control thread. */
#ifndef WEB_API_H
#define WEB_API_H

#include "web/exchange.h"
#include "web/json_in.h"

struct resource;

extern const struct resource resource_auth, resource_device, resource_drain,
    resource_host, resource_initiator, resource_job, resource_mapping, resource_pool,
    resource_portal_group, resource_session, resource_snapshot, resource_token,
    resource_trashed, resource_volume;
struct job;

void api_box_show(struct exchange *x);
void api_openapi_show(struct exchange *x);
void api_health_show(struct exchange *x);
void api_ready_show(struct exchange *x);
void api_metrics_show(struct exchange *x);

extern const struct schema schema_pool_create, schema_pool_put, schema_pool_change;
void api_pool_create(struct exchange *x);
void api_pool_change(struct exchange *x);
void api_pool_delete(struct exchange *x);
void api_pool_check(struct exchange *x);

extern const struct schema schema_pool_export, schema_pool_import;
void api_pool_export(struct exchange *x);
void api_pool_import(struct exchange *x);

extern const struct schema schema_device_create, schema_device_change;
void api_pool_add_device(struct exchange *x);
void api_device_change(struct exchange *x);
void api_device_evacuate(struct exchange *x);
void api_device_delete(struct exchange *x);
struct pool_device_spec;
/* What value, at the pointer base, says of a device. False: x->problem has what is wrong.
 */
bool device_spec_read(struct exchange *x, const char *base, const json_t *value,
                      struct pool_device_spec *out);

extern const struct schema schema_volume_create, schema_volume_put, schema_volume_change,
    schema_volume_rollback, schema_volume_copy;
void api_volume_create(struct exchange *x);
void api_volume_change(struct exchange *x);
void api_volume_delete(struct exchange *x);
void api_volume_rollback(struct exchange *x);
void api_volume_copy(struct exchange *x);
/* Of struct volume_info: of a volume, and of one in the trash. */
#define VOLUME_COLUMNS                                                                   \
    {"id", COLUMN_TEXT, VOLUME_AT(id)},                                                  \
        {"name", COLUMN_TEXT, VOLUME_AT(name), .settable = true},                        \
        {"pool", COLUMN_TEXT, VOLUME_AT(pool_name)},                                     \
        {"pool_id", COLUMN_TEXT, VOLUME_AT(pool_id)},                                    \
        {"size", COLUMN_BYTES, VOLUME_AT(size_bytes), .settable = true},                 \
        {"block_size", COLUMN_UINT, VOLUME_AT(block_bytes)},                             \
        {"physical_block_size", COLUMN_UINT, VOLUME_AT(physical_bytes)},                 \
        {"allocated", COLUMN_BYTES, VOLUME_AT(allocated_bytes)},                         \
        {"used", COLUMN_BYTES, VOLUME_AT(used_bytes)},                                   \
        {"unique", COLUMN_BYTES, VOLUME_AT(unique_bytes)},                               \
        {"shared", COLUMN_BYTES, VOLUME_AT(shared_bytes)},                               \
        {"guaranteed", COLUMN_BYTES, VOLUME_AT(guaranteed_bytes), .settable = true},     \
        {"reserved", COLUMN_BYTES, VOLUME_AT(reserved_bytes)},                           \
        {"naa", COLUMN_TEXT, VOLUME_AT(naa)},                                            \
        {"serial", COLUMN_TEXT, VOLUME_AT(serial)},                                      \
        {"created", COLUMN_TIME, VOLUME_AT(created_s)},                                  \
        {"mapping_count", COLUMN_UINT, VOLUME_AT(mapping_count)},                        \
        {"snapshot_count", COLUMN_UINT, VOLUME_AT(snapshot_count)},                      \
        {"clone_of", COLUMN_TEXT, VOLUME_AT(clone_of), .nullable = true},                \
        {"protected", COLUMN_BOOL, VOLUME_AT(is_protected), .settable = true},           \
        {"zero_detect", COLUMN_BOOL, VOLUME_AT(zero_detect), .settable = true},          \
        {"qos", COLUMN_JSON, .render = volume_qos_json, .settable = true},               \
    {                                                                                    \
        "labels", COLUMN_LABELS, VOLUME_AT(labels), .settable = true                     \
    }
json_t *volume_qos_json(const struct web *web, const void *info);
#define VOLUME_AT(member) COLUMN_AT(struct volume_info, member)

extern const struct schema schema_snapshot_create, schema_snapshot_put,
    schema_snapshot_change, schema_snapshot_group_create;
void api_snapshot_create(struct exchange *x);
void api_snapshot_change(struct exchange *x);
void api_snapshot_delete(struct exchange *x);
void api_snapshot_group_create(struct exchange *x);
void api_snapshot_group_show(struct exchange *x);

void api_diff(struct exchange *x); /* of a volume or a snapshot, or all that is there */

extern const struct schema schema_trash_restore;
void api_trash_restore(struct exchange *x);
void api_trash_purge(struct exchange *x);

extern const struct schema schema_auth_change;
void api_auth_change(struct exchange *x);

extern const struct schema schema_host_create, schema_host_put, schema_host_change;
void api_host_create(struct exchange *x);
void api_host_change(struct exchange *x);
void api_host_delete(struct exchange *x);

extern const struct schema schema_mapping_create, schema_mapping_put;
void api_mapping_create(struct exchange *x);
void api_mapping_delete(struct exchange *x); /* the same */

void api_event_list(struct exchange *x); /* or a stream of them */

void api_session_delete(struct exchange *x);

extern const struct schema schema_drain_create;
void api_drain_create(struct exchange *x);
void api_drain_delete(struct exchange *x);

extern const struct schema schema_portal_group_change;
void api_portal_group_change(struct exchange *x);

extern const struct schema schema_apply;
void api_apply(struct exchange *x);
void api_put(struct exchange *x); /* of every kind: create or agree */

extern const struct schema schema_catalog_backup;
void api_catalog_backup(struct exchange *x);

void api_audit_list(struct exchange *x);
void api_job_cancel(struct exchange *x);
/* For job_done_fn: 202 with the job, or what went wrong. */
void reply_job(void *exchange, struct job *job, const struct err *e);

extern const struct schema schema_token_create;
void api_token_create(struct exchange *x);
void api_token_delete(struct exchange *x);

#endif
