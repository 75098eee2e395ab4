/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl portal-group. Single thread. */
#include "web/cli/cmd_flags.h"

const struct resource resource_portal_group = {
    .name = "portal-group",
    .summary = "Portal groups: how hosts are to use the portals (ALUA)",
    .path = "/v1/portal-groups",
    .verbs =
        {
            {.name = "list",
             .summary = "Portal groups, by tag",
             .flags = {FLAGS_OF_LIST},
             .run = cmd_list},
            {.name = "show",
             .summary = "All about portal groups",
             .names_usage = "TAG...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .run = cmd_show},
            {.name = "set",
             .summary = "Open or close a group's portals; hosts go by the others",
             .names_usage = "TAG",
             .names_min = 1,
             .names_max = 1,
             .flags = {{.name = "state",
                        .member = "state",
                        .value = "STATE",
                        .help = "active/optimized, active/non-optimized, standby or "
                                "unavailable"},
                       {.name = "preferred",
                        .member = "preferred",
                        .kind = FLAG_YES,
                        .help = "of several groups in one state, this one"},
                       {.name = "force",
                        .member = "force",
                        .kind = FLAG_YES,
                        .help = "though a host is left with no way to its disks"}},
             .run = cmd_change},
        },
    .columns = {{"TAG", "tag", COLUMN_COUNT},
                {"STATE", "state", COLUMN_TEXT},
                {"PREFERRED", "preferred", COLUMN_TEXT},
                {"SESSIONS", "sessions", COLUMN_COUNT},
                {"PORTALS", "portals", COLUMN_LIST}},
};
