/* SPDX-License-Identifier: Apache-2.0 */
/* How units are accessed through the box's target port groups (base/alua.h), as it is
 * kept: by the tags of portal groups, whether the configuration has them now or not.
 * Control thread. */
#ifndef LUNMGR_PORT_GROUP_H
#define LUNMGR_PORT_GROUP_H

#include "base/alua.h"
#include "lunmgr/volume.h"

#include <stdint.h>

/* Of a group that nobody has changed: active/optimized, not preferred. */
struct alua_access port_group_access(const struct lunmgr *m, uint16_t tag);
/* Answered when it is durable and in force: lunmgr_events. -ECANCELED while another
 * change is being written: to be tried again. */
void port_group_set(struct lunmgr *m, uint16_t tag, const struct alua_access *access,
                    done_fn done, void *arg);

#endif
