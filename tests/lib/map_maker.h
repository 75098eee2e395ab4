/* SPDX-License-Identifier: Apache-2.0 */
/* A map that nobody wrote: words and bitmaps go into the catalog as rounds would put
 * them, while no manager has it open. */
#ifndef TESTS_LIB_MAP_MAKER_H
#define TESTS_LIB_MAP_MAKER_H

#include "db/catalog.h"

struct map_maker;

/* dir: the state directory, which nobody has open. What fails ends the program. */
struct map_maker *map_maker_open(const char *dir);
/* In growing order of key. */
void map_maker_word(struct map_maker *mm, uint64_t key, uint64_t word);
void map_maker_count(struct map_maker *mm, uint32_t layer, uint64_t used_extents);
/* The device's extents 1 to `count` are in use. */
void map_maker_use(struct map_maker *mm, uint32_t device_no, uint64_t count);
/* A layer's first words, as they are committed. */
void map_maker_read(struct map_maker *mm, uint32_t layer, uint64_t *words, size_t count);
/* All is committed. */
void map_maker_close(struct map_maker *mm);

#endif
