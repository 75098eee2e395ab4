/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of the routes, a resource a file, and the request schemas that they read.
 * Each answers its exchange exactly once, at once or from a callback. Control thread. */
#ifndef WEB_API_H
#define WEB_API_H

#include "web/exchange.h"
#include "web/json_in.h"

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

extern const struct schema schema_volume_create;
void api_volume_list(struct exchange *x);
void api_volume_create(struct exchange *x);
void api_volume_show(struct exchange *x);
void api_volume_delete(struct exchange *x);

extern const struct schema schema_host_create;
void api_host_list(struct exchange *x);
void api_host_create(struct exchange *x);
void api_host_show(struct exchange *x);
void api_host_delete(struct exchange *x);

extern const struct schema schema_mapping_create;
void api_mapping_list(struct exchange *x);
void api_mapping_create(struct exchange *x);
void api_mapping_show(struct exchange *x);   /* by id, or by volume and host */
void api_mapping_delete(struct exchange *x); /* the same */

void api_session_list(struct exchange *x);
void api_session_show(struct exchange *x);
void api_session_delete(struct exchange *x);

extern const struct schema schema_token_create;
void api_token_list(struct exchange *x);
void api_token_create(struct exchange *x);
void api_token_delete(struct exchange *x);

#endif
