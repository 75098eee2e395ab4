/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of blocks as they come: what of a volume or snapshot is there, and what of it
 * differs from another point. Single thread. */
#ifndef WEB_CLI_BLOCKS_H
#define WEB_CLI_BLOCKS_H

#include "web/cli/cmd.h"

/* "OFFSET LENGTH STATE" for each range, or with --json each line as it came. Not done
 * unless the list's end came. */
enum outcome blocks_extents(const struct cmd *cmd);
enum outcome blocks_diff(const struct cmd *cmd);

/* What both take. */
#define FLAGS_OF_RANGE                                                                   \
    {.name = "offset",                                                                   \
     .value = "BYTES",                                                                   \
     .help = "from this byte on, such as where the last range of a list that was cut "   \
             "off has ended"},                                                           \
    {                                                                                    \
        .name = "length", .value = "BYTES", .help = "no more than so many bytes of it"   \
    }

#define VERBS_OF_BLOCKS(name_text)                                                       \
    {.name = "extents",                                                                  \
     .summary = "What of it is there: a line OFFSET LENGTH STATE for each range",        \
     .names_usage = (name_text),                                                         \
     .names_min = 1,                                                                     \
     .names_max = 1,                                                                     \
     .flags = {{.name = "zeros",                                                         \
                .kind = FLAG_YES,                                                        \
                .help = "ranges without data too, as zero"},                             \
               FLAGS_OF_RANGE},                                                          \
     .run = blocks_extents},                                                             \
    {                                                                                    \
        .name = "diff",                                                                  \
        .summary = "What of it differs from a snapshot: a line OFFSET LENGTH STATE for " \
                   "each range",                                                         \
        .names_usage = (name_text), .names_min = 1, .names_max = 1,                      \
        .flags = {{.name = "from",                                                       \
                   .value = "SNAPSHOT",                                                  \
                   .help = "a snapshot of the same volume, VOLUME/SNAPSHOT or an id; "   \
                           "without it all that is there"},                              \
                  FLAGS_OF_RANGE},                                                       \
        .run = blocks_diff                                                               \
    }

#endif
