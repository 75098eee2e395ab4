/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl host. Single thread. */
#include "web/cli/cmd.h"

const struct resource resource_host = {
    .name = "host",
    .summary = "Hosts: hypervisor hosts, by their initiator names",
    .path = "/v1/hosts",
    .verbs =
        {
            {.name = "create",
             .summary = "Make a host known",
             .names_usage = "NAME",
             .names_min = 1,
             .names_max = 1,
             .names = {{"NAME", "name"}},
             .flags = {{.name = "initiator",
                        .member = "initiators",
                        .kind = FLAG_LIST,
                        .value = "IQN",
                        .help = "iSCSI name; or \"any\": every initiator, for closed "
                                "networks only",
                        .required = true}},
             .run = cmd_create},
            {.name = "list", .summary = "Hosts, by name", .run = cmd_list},
            {.name = "show",
             .summary = "All about hosts",
             .names_usage = "NAME...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .run = cmd_show},
            {.name = "delete",
             .summary = "Forget hosts without mappings",
             .names_usage = "NAME...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .run = cmd_delete},
        },
    .columns = {{"NAME", "name", COLUMN_TEXT},
                {"MAPPINGS", "mapping_count", COLUMN_COUNT},
                {"INITIATORS", "initiators", COLUMN_LIST}},
};
