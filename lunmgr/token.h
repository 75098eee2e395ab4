/* SPDX-License-Identifier: Apache-2.0 */
/* Records of API tokens: a name and a hash. Making and hashing them is web's. Control
 * thread. */
#ifndef LUNMGR_TOKEN_H
#define LUNMGR_TOKEN_H

#include "lunmgr/volume.h"

#define TOKEN_HASH_BYTES 32

struct token;
struct token_info {
    char id[VOLUME_ID_MAX];
    char name[VOLUME_NAME_MAX];
    uint8_t hash[TOKEN_HASH_BYTES];
    int64_t created_s;
};

typedef void (*token_done_fn)(void *arg, struct token *token, const struct err *e);
void token_add(struct lunmgr *m, const char *name, const uint8_t hash[TOKEN_HASH_BYTES],
               token_done_fn done, void *arg);
void token_remove(struct lunmgr *m, const char *name_or_id, done_fn done, void *arg);
struct token *token_find(struct lunmgr *m, const char *name_or_id);
struct token *token_next(struct lunmgr *m, const struct token *prev);
struct token *token_walk(struct lunmgr *m, struct row_walk *walk);
void token_describe(const struct token *token, struct token_info *out);

#endif
