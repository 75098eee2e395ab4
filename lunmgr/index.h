/* SPDX-License-Identifier: Apache-2.0 */
/* Objects by name and by id: two sorted arrays. Room is reserved before a change is
 * committed, so that what is committed can always be added. One thread's. */
#ifndef LUNMGR_INDEX_H
#define LUNMGR_INDEX_H

#include "base/auto.h"
#include "lunmgr/row_walk.h"

#include <stddef.h>
#include <stdint.h>

struct index_entry {
    uint64_t begins; /* how key begins, as a number: a search seldom looks further */
    const char *key; /* the object's own */
    void *object;
};

struct index {
    struct index_entry *by_name, *by_id;
    size_t count, reserved, capacity;
};

void index_fini(struct index *ix);
/* 0 or -ENOMEM. Each is followed by one index_add or index_unreserve. */
int index_reserve(struct index *ix) MUST_CHECK;
void index_unreserve(struct index *ix);
/* Neither name nor id is in it. Both stay the object's. */
void index_add(struct index *ix, const char *name, const char *id, void *object);
void index_remove(struct index *ix, const char *name, const char *id);
/* To be followed by an index_add, under another name: its room stays reserved. */
void index_remove_for_now(struct index *ix, const char *name, const char *id);
/* By name, else by id. NULL: none. */
void *index_find(const struct index *ix, const char *name_or_id);
void *index_find_id(const struct index *ix, const char *id);
/* In order of name; after NULL: the first. */
void *index_next(const struct index *ix, const char *after_name);
/* The first after walk->after; NULL: none. Constant time if that is what the call before
 * returned and nothing came or went meanwhile. */
void *index_walk(const struct index *ix, struct row_walk *walk);
/* What the walk will come to after as many more, as things are now. NULL: its end. */
void *index_ahead(const struct index *ix, const struct row_walk *walk, size_t more);

#endif
