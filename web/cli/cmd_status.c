/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl status: the box, its target name and where initiators find it. Single thread.
 */
#include "web/cli/cmd.h"

static enum outcome status_show(const struct cmd *cmd)
{
    enum outcome outcome;
    json_t *box = cmd_fetch(cmd, "GET", resource_status.path, NULL, &outcome);
    if (box != NULL)
        cmd_print(cmd, box);
    json_decref(box);
    return outcome;
}

const struct resource resource_status = {
    .name = "status",
    .summary = "The box, its target name and where initiators find it",
    .path = "/v1",
    .verbs = {{.name = "",
               .summary = "the box, its target name and where initiators find it",
               .run = status_show}},
};
