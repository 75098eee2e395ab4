/* SPDX-License-Identifier: Apache-2.0 */
/* A thin virtual disk: a stack of layers, the top one written. Control thread, save for
 * the functions marked "any thread"; reactors do I/O by volume_io.h. */
#ifndef LUNMGR_VOLUME_H
#define LUNMGR_VOLUME_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct lunmgr;
struct pool;
struct volume;

#define VOLUME_NAME_MAX  64 /* with NUL; [A-Za-z0-9][A-Za-z0-9._-]* */
#define VOLUME_ID_MAX    37
#define VOLUME_BYTES_MAX (128ULL << 40)

struct volume_spec {
    const char *name;
    const char *pool;     /* name or id */
    uint64_t size_bytes;  /* a multiple of 4096, 1 block to VOLUME_BYTES_MAX */
    uint32_t block_bytes; /* logical block: 512 (default, 0) or 4096 */
};

struct volume_info {
    char id[VOLUME_ID_MAX];
    char name[VOLUME_NAME_MAX];
    char pool_id[VOLUME_ID_MAX];
    char pool_name[VOLUME_NAME_MAX];
    uint64_t size_bytes;
    uint32_t block_bytes;
    uint64_t allocated_bytes; /* of extents that it owns */
    char naa[33];             /* NAA type 6 designator, 32 hex digits */
    char serial[17];          /* VPD 80h */
    int64_t created_s;
    uint32_t mapping_count;
};

/* done: on the control thread, never inside the call, when the change is durable. On
 * failure volume is NULL and e says which field and why: -EINVAL, -EEXIST, -ENOENT
 * (pool), -EBUSY. */
typedef void (*volume_done_fn)(void *arg, struct volume *volume, const struct err *e);
typedef void (*done_fn)(void *arg, const struct err *e); /* e: NULL if it worked */

void volume_create(struct lunmgr *m, const struct volume_spec *spec, volume_done_fn done,
                   void *arg);
/* -EBUSY while mapped. Constant time; the space returns in the background. */
void volume_delete(struct lunmgr *m, const char *name_or_id, done_fn done, void *arg);

/* NULL: none. Borrowed: until the control thread's next turn, unless volume_get. */
struct volume *volume_find(struct lunmgr *m, const char *name_or_id);
/* In order of name; prev NULL: the first. */
struct volume *volume_next(struct lunmgr *m, const struct volume *prev);
void volume_describe(const struct volume *volume, struct volume_info *out);

/* Any thread. */
void volume_get(struct volume *volume);
void volume_put(struct volume *volume);
uint64_t volume_size_bytes(const struct volume *volume);
uint32_t volume_block_bytes(const struct volume *volume);
const char *volume_id(const struct volume *volume);
const uint8_t *volume_naa(const struct volume *volume); /* 16 bytes */
const char *volume_serial(const struct volume *volume); /* 16 hex digits */

#endif
