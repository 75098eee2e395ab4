/* SPDX-License-Identifier: Apache-2.0 */
/* Flags that several verbs have. */
#ifndef WEB_CLI_CMD_FLAGS_H
#define WEB_CLI_CMD_FLAGS_H

#include "web/cli/cmd.h"

#define FLAG_OF_LABELS                                                                   \
    {                                                                                    \
        .name = "label", .member = "labels", .kind = FLAG_LABEL, .value = "KEY=VALUE",   \
        .help = "a note; those that are named replace all before; \"none\": none"        \
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

#define FLAGS_OF_QOS                                                                     \
    {.name = "iops",                                                                     \
     .member = "qos/iops",                                                               \
     .kind = FLAG_INT,                                                                   \
     .value = "COUNT",                                                                   \
     .help = "commands a second, reads and writes together; 0: unlimited"},              \
        {.name = "bytes-per-s",                                                          \
         .member = "qos/bytes_per_s",                                                    \
         .kind = FLAG_SIZE,                                                              \
         .value = "SIZE",                                                                \
         .help = "bytes a second, such as 100MiB; 0: unlimited"},                        \
        {.name = "burst-iops",                                                           \
         .member = "qos/burst_iops",                                                     \
         .kind = FLAG_INT,                                                               \
         .value = "COUNT",                                                               \
         .help = "commands a second in a burst; 0: no burst"},                           \
        {.name = "burst-bytes-per-s",                                                    \
         .member = "qos/burst_bytes_per_s",                                              \
         .kind = FLAG_SIZE,                                                              \
         .value = "SIZE",                                                                \
         .help = "bytes a second in a burst; 0: no burst"},                              \
    {                                                                                    \
        .name = "burst-s", .member = "qos/burst_s", .kind = FLAG_INT,                    \
        .value = "SECONDS",                                                              \
        .help = "how long a burst may last after a rest; 10 if none is given"            \
    }

/* The flags of every list. */
#define FLAGS_OF_LIST                                                                    \
    {.name = "filter",                                                                   \
     .value = "TERMS",                                                                   \
     .help = "only those of which all holds, such as 'size>=10GiB,name~web*'"},          \
        {.name = "sort",                                                                 \
         .value = "MEMBERS",                                                             \
         .help = "by one or two members, such as -created,name; \"-\": the greatest "    \
                 "first"},                                                               \
        {.name = "fields",                                                               \
         .value = "MEMBERS",                                                             \
         .help = "these alone, such as name,size"},                                      \
    {                                                                                    \
        .name = "limit", .kind = FLAG_INT, .value = "COUNT", .help = "at most so many"   \
    }

/* The flags of credentials, in the object `at`. */
#define FLAGS_OF_AUTH(at)                                                                \
    {.name = "auth",                                                                     \
     .member = at "/method",                                                             \
     .value = "none|chap",                                                               \
     .help = "what a login must prove; credentials that are not given with it go"},      \
        {.name = "user",                                                                 \
         .member = at "/user",                                                           \
         .value = "NAME",                                                                \
         .help = "CHAP name that the initiator says"},                                   \
        {.name = "secret-file",                                                          \
         .member = at "/secret",                                                         \
         .kind = FLAG_SECRET,                                                            \
         .value = "PATH",                                                                \
         .help =                                                                         \
             "file with the secret that it proves, one line; \"-\": standard input"},    \
        {.name = "mutual-user",                                                          \
         .member = at "/mutual_user",                                                    \
         .value = "NAME",                                                                \
         .help = "CHAP name that we say when it asks"},                                  \
    {                                                                                    \
        .name = "mutual-secret-file", .member = at "/mutual_secret",                     \
        .kind = FLAG_SECRET, .value = "PATH",                                            \
        .help = "file with the secret that we prove"                                     \
    }
#define FLAG_OF_MD5(at)                                                                  \
    {                                                                                    \
        .name = "forbid-md5", .member = (at), .kind = FLAG_YES,                          \
        .help = "CHAP with SHA-1 or a stronger digest only"                              \
    }

#endif
