/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl initiator. Single thread. */
#include "web/cli/cmd_flags.h"

const struct resource resource_initiator = {
    .name = "initiator",
    .summary = "Initiators whose logins were refused",
    .path = "/v1/initiators/seen",
    .verbs = {{.name = "list",
               .summary = "Who was refused since the daemon started, and why",
               .flags = {FLAGS_OF_LIST},
               .run = cmd_list}},
    .columns = {{"INITIATOR", "initiator", COLUMN_TEXT},
                {"ADDRESS", "address", COLUMN_TEXT},
                {"HOST", "host", COLUMN_TEXT},
                {"COUNT", "count", COLUMN_COUNT},
                {"LAST", "last", COLUMN_TEXT},
                {"STATUS", "status", COLUMN_TEXT},
                {"REASON", "reason", COLUMN_TEXT}},
};
