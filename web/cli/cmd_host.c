/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl host. Single thread. */
#include "web/cli/cmd_flags.h"

#define FLAG_OF_ADDRESSES                                                                \
    {                                                                                    \
        .name = "address", .member = "addresses", .kind = FLAG_LIST, .value = "RANGE",   \
        .help = "where it may log in from, as 192.0.2.0/24; all that are named take "    \
                "the place of all before"                                                \
    }

#define FLAG_OF_PROFILE                                                                  \
    {                                                                                    \
        .name = "profile", .member = "profile", .value = "PROFILE",                      \
        .help = "what kind of initiator it is: linux, qemu, xen, esxi or windows; what " \
                "such cannot use is refused"                                             \
    }

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
                        .required = true},
                       FLAG_OF_ADDRESSES,
                       FLAG_OF_PROFILE,
                       FLAGS_OF_QOS,
                       FLAGS_OF_AUTH("auth"),
                       FLAG_OF_MD5("auth/forbid_md5")},
             .run = cmd_create},
            {.name = "change",
             .summary = "Change a host; what is not named stays",
             .names_usage = "NAME",
             .names_min = 1,
             .names_max = 1,
             .names = {{"NAME", NULL}},
             .flags = {{.name = "name",
                        .member = "name",
                        .value = "NAME",
                        .help = "its new name"},
                       {.name = "initiator",
                        .member = "initiators",
                        .kind = FLAG_LIST,
                        .value = "IQN",
                        .help = "all that are named take the place of all before"},
                       FLAG_OF_ADDRESSES,
                       FLAG_OF_PROFILE,
                       FLAGS_OF_QOS,
                       FLAGS_OF_AUTH("auth"),
                       FLAG_OF_MD5("auth/forbid_md5")},
             .run = cmd_change},
            {.name = "list",
             .summary = "Hosts, by name",
             .flags = {FLAGS_OF_LIST},
             .run = cmd_list},
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
                {"PROFILE", "profile", COLUMN_TEXT},
                {"MAPPINGS", "mapping_count", COLUMN_COUNT},
                {"INITIATORS", "initiators", COLUMN_LIST}},
};
