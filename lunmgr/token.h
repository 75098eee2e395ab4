/* SPDX-License-Identifier: Apache-2.0 */
/* Records of API tokens: a name, a hash, what the token is good for and until when.
 * Making and hashing tokens, and holding requests to them, is web's. Control thread. */
#ifndef LUNMGR_TOKEN_H
#define LUNMGR_TOKEN_H

#include "lunmgr/volume.h"

#define TOKEN_HASH_BYTES 32

enum token_scope {
    TOKEN_READ,
    TOKEN_PROVISION,
    TOKEN_ADMIN,
    TOKEN_ATTACH, /* what one host needs to find and attach its disks */
};

struct token_spec {
    const char *name;
    const uint8_t *hash; /* TOKEN_HASH_BYTES */
    enum token_scope scope;
    const char *host;  /* ATTACH: name or id; else NULL */
    int64_t expires_s; /* seconds since 1970 UTC, in the future; 0: never */
};

struct token;
struct token_info {
    char id[VOLUME_ID_MAX];
    char name[VOLUME_NAME_MAX];
    uint8_t hash[TOKEN_HASH_BYTES];
    int64_t created_s;
    enum token_scope scope;
    char host_id[VOLUME_ID_MAX];     /* ATTACH; else "" */
    char host_name[VOLUME_NAME_MAX]; /* "": it is gone, or there is none */
    int64_t expires_s;               /* 0: never */
};

typedef void (*token_done_fn)(void *arg, struct token *token, const struct err *e);
/* -EEXIST (name), -ENOENT (host), -EINVAL (name, host, expires). */
void token_add(struct lunmgr *m, const struct token_spec *spec, token_done_fn done,
               void *arg);
/* Those of a host go with it, too. */
void token_remove(struct lunmgr *m, const char *name_or_id, done_fn done, void *arg);
struct token *token_find(struct lunmgr *m, const char *name_or_id);
struct token *token_next(struct lunmgr *m, const struct token *prev);
struct token *token_walk(struct lunmgr *m, struct row_walk *walk);
void token_describe(const struct token *token, struct token_info *out);

#endif
