/* SPDX-License-Identifier: Apache-2.0 */
/* Flags that several verbs have. */
#ifndef WEB_CLI_CMD_FLAGS_H
#define WEB_CLI_CMD_FLAGS_H

#include "web/cli/cmd.h"

#define FLAG_OF_LABELS                                                                   \
    {                                                                                    \
        .name = "label", .member = "labels", .kind = FLAG_LABEL, .value = "KEY=VALUE",   \
        .help =                                                                          \
            "a note; all that are named take the place of all before; \"none\": no note" \
    }
#define FLAG_OF_PROTECTION                                                               \
    {                                                                                    \
        .name = "protected", .member = "protected", .kind = FLAG_YES,                    \
        .help = "deleting, shrinking and rolling back are refused"                       \
    }
#define FLAG_OF_ZERO_DETECT                                                              \
    {                                                                                    \
        .name = "zero-detect", .member = "zero_detect", .kind = FLAG_YES,                \
        .help = "a write of nothing but zeros takes no space"                            \
    }

#endif
