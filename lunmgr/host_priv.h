/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts, mappings and tokens from inside lunmgr: made from their rows at start. */
#ifndef LUNMGR_HOST_PRIV_H
#define LUNMGR_HOST_PRIV_H

#include "db/catalog.h"
#include "lunmgr/host.h"
#include "lunmgr/profile.h"
#include "lunmgr/token.h"

struct host {
    struct host_row row;
    char **initiators;
    size_t initiator_count;
    struct auth auth;
    struct qos qos;
    const struct profile *profile; /* of the row */
    uint32_t mapping_count;        /* those being made too */
    bool changing, deleting;
    bool profile_changing; /* no mapping is made meanwhile */
};

struct mapping {
    struct mapping_row row;
    struct volume *volume; /* with a reference */
    struct host *host;
    /* Host name, LUN, of an own target the id: the order of listing. */
    char key[MAPPING_KEY_MAX];
    bool deleting;
};

struct token {
    struct token_row row;
    struct lunmgr *manager;
    bool deleting;
    bool gone; /* with its host, while it was being deleted */
};

/* NULL: out of memory. The row's profile is one that there is. */
struct host *host_new(const struct host_row *row);
int host_add_initiator(struct host *host, const char *name) MUST_CHECK;
/* NULL: out of memory. */
struct host *host_make(const struct host_row *row, const char *const *initiators,
                       size_t count);
void host_free(struct host *host);
/* 0, or -EINVAL naming initiators or the one of them. */
int initiators_check(const char *const *initiators, size_t count,
                     struct err *e) MUST_CHECK;

/* NULL: out of memory. */
struct token *token_new(struct lunmgr *m, const struct token_row *row);
/* The rows went with the host's. */
void tokens_of_host_gone(struct lunmgr *m, const char *host_id);

struct mapping *mapping_new(const struct mapping_row *row, struct volume *volume,
                            struct host *host);
/* The host has a new name: its mappings stand in the order of that. */
void mapping_rekey(struct lunmgr *m, const struct host *host);
/* Counts it off at its volume and host. */
void mapping_free(struct mapping *mapping);

#endif
