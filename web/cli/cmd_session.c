/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl session. kick is delete in an admin's words. Single thread. */
#include "web/cli/cmd.h"

const struct resource resource_session = {
    .name = "session",
    .summary = "Sessions: who is connected over iSCSI now",
    .path = "/v1/sessions",
    .verbs =
        {
            {.name = "list", .summary = "Sessions, oldest first", .run = cmd_list},
            {.name = "show",
             .summary = "All about sessions",
             .names_usage = "ID...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .run = cmd_show},
            {.name = "delete",
             .summary = "End sessions; their initiators may log in again",
             .names_usage = "ID...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .run = cmd_delete},
            {.name = "kick",
             .summary = "The same as delete",
             .names_usage = "ID...",
             .names_min = 1,
             .names_max = NAMES_MANY,
             .run = cmd_delete},
        },
    .columns = {{"ID", "id", COLUMN_COUNT},
                {"HOST", "host", COLUMN_TEXT},
                {"TYPE", "type", COLUMN_TEXT},
                {"INITIATOR", "initiator", COLUMN_TEXT},
                {"ADDRESS", "address", COLUMN_TEXT},
                {"TASKS", "outstanding_tasks", COLUMN_COUNT},
                {"COMMANDS", "commands", COLUMN_COUNT},
                {"READ", "read", COLUMN_BYTES},
                {"WRITTEN", "written", COLUMN_BYTES},
                {"ERRORS", "errors", COLUMN_COUNT},
                {"SINCE", "since", COLUMN_TEXT}},
};
