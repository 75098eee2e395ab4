/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's configuration: one file of "key = value" lines, and flags that are spelled
 * as the keys and go before it. Main's thread. */
#ifndef TARGET_CONFIG_H
#define TARGET_CONFIG_H

#include "base/err.h"
#include "base/log.h"
#include "lunmgr/engine.h"
#include "target/target.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CONFIG_VALUE_MAX 1024 /* with NUL */
#define CONFIG_LIST_MAX  16
#define CONFIG_ITEM_MAX  300
static_assert(CONFIG_LIST_MAX <= TARGET_PORTAL_MAX, "the target takes as many");
static_assert(CONFIG_LIST_MAX <= TARGET_ADVERTISE_MAX, "the target takes as many");

struct config_list {
    size_t count;
    char items[CONFIG_LIST_MAX][CONFIG_ITEM_MAX];
    const char *pointers[CONFIG_LIST_MAX];
};

struct config {
    char state_dir[CONFIG_VALUE_MAX];
    char catalog_mirror[CONFIG_VALUE_MAX];  /* "": none */
    char restore_catalog[CONFIG_VALUE_MAX]; /* a flag alone; "": serve */
    char target_name[TARGET_NAME_MAX];      /* "": made of the box's id */
    struct config_list portals, advertise;
    char api_socket[CONFIG_VALUE_MAX]; /* "": off */
    char api[CONFIG_VALUE_MAX];        /* "": off */
    bool api_tls_always;               /* on loopback too */
    char api_certificate[CONFIG_VALUE_MAX], api_key[CONFIG_VALUE_MAX]; /* both "": ours */
    unsigned reactors;
    enum engine_kind engine;
    unsigned io_timeout_ms;
    unsigned space_grace_ms; /* 0: none */
    enum log_level log_level;
    unsigned round_interval_ms;
    uint64_t leaf_cache_bytes;
    uint32_t trash_retention_s; /* 0: there is no trash */
    struct target_keepalive keepalive;
    struct target_limits limits;

    char file[CONFIG_VALUE_MAX]; /* "": none */
    bool accept_older_catalog;   /* a flag alone: in place of a start */
    bool help, version;
};

/* Defaults, then the file that --config names, then the flags. 0; or -EINVAL (or what
 * the system said of the file) and e->text is the whole line for the user. */
int config_load(struct config *c, int argc, char *const *argv, struct err *e) MUST_CHECK;
void config_print_help(FILE *out);
/* What of `next` differs from `now` and needs a restart: names of keys, comma-separated,
 * "" if nothing. */
void config_compare(const struct config *now, const struct config *next, char *out,
                    size_t out_bytes);

#endif
