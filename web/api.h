/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of the routes, a resource a file, and the request schemas that they read.
 * Each answers its exchange exactly once, at once or from a callback. Control thread. */
#ifndef WEB_API_H
#define WEB_API_H

#include "web/exchange.h"
#include "web/json_in.h"

struct volume;

void api_box_show(struct exchange *x);
void api_openapi_show(struct exchange *x);
void api_health_show(struct exchange *x);
void api_ready_show(struct exchange *x);
void api_metrics_show(struct exchange *x);

extern const struct schema schema_pool_create, schema_pool_device;
void api_pool_list(struct exchange *x);
void api_pool_create(struct exchange *x);
void api_pool_show(struct exchange *x);
void api_pool_delete(struct exchange *x);
void api_pool_check(struct exchange *x);

extern const struct schema schema_volume_create, schema_volume_change,
    schema_volume_rollback;
void api_volume_list(struct exchange *x);
void api_volume_create(struct exchange *x);
void api_volume_show(struct exchange *x);
void api_volume_change(struct exchange *x);
void api_volume_delete(struct exchange *x);
void api_volume_rollback(struct exchange *x);
/* Also of one in the trash. NULL: out of memory. */
json_t *volume_json(const struct volume *volume);

extern const struct schema schema_snapshot_create, schema_snapshot_change,
    schema_snapshot_group_create;
void api_snapshot_list(struct exchange *x);
void api_snapshot_create(struct exchange *x);
void api_snapshot_show(struct exchange *x); /* by id, or by volume and name */
void api_snapshot_change(struct exchange *x);
void api_snapshot_delete(struct exchange *x);
void api_snapshot_group_create(struct exchange *x);
void api_snapshot_group_show(struct exchange *x);

extern const struct schema schema_trash_restore;
void api_trash_list(struct exchange *x);
void api_trash_show(struct exchange *x);
void api_trash_restore(struct exchange *x);
void api_trash_purge(struct exchange *x);

extern const struct schema schema_auth_change;
void api_auth_show(struct exchange *x);
void api_auth_change(struct exchange *x);

extern const struct schema schema_host_create, schema_host_change;
void api_host_list(struct exchange *x);
void api_host_create(struct exchange *x);
void api_host_show(struct exchange *x);
void api_host_change(struct exchange *x);
void api_host_delete(struct exchange *x);

void api_initiator_seen(struct exchange *x);

extern const struct schema schema_mapping_create;
void api_mapping_list(struct exchange *x);
void api_mapping_create(struct exchange *x);
void api_mapping_show(struct exchange *x);   /* by id, or by what it shows and host */
void api_mapping_delete(struct exchange *x); /* the same */

void api_event_list(struct exchange *x); /* or a stream of them */

void api_session_list(struct exchange *x);
void api_session_show(struct exchange *x);
void api_session_delete(struct exchange *x);

extern const struct schema schema_drain_create;
void api_drain_list(struct exchange *x);
void api_drain_create(struct exchange *x);
void api_drain_show(struct exchange *x);
void api_drain_delete(struct exchange *x);

extern const struct schema schema_token_create;
void api_token_list(struct exchange *x);
void api_token_create(struct exchange *x);
void api_token_delete(struct exchange *x);

#endif
