/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-fill-map: the map of a pool as if every extent of its one volume had been
 * written, in an order that no run-length code shortens: what takes a check long; or from
 * the first to the last. No data is written. The daemon is stopped; the pool is larger
 * than its volume. Usage: ashlar-fill-map STATE-DIR [MASK [in-order]]: which blocks of
 * each extent are valid, in hex (default ffff). */
#include "lunmgr/word.h"
#include "tests/lib/map_maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct found {
    struct layer_row layer;
    struct device_row device;
};

static int find_layer(const struct layer_row *row, void *arg)
{
    ((struct found *)arg)->layer = *row;
    return 0;
}

static int find_device(const struct device_row *row, void *arg)
{
    ((struct found *)arg)->device = *row;
    return 0;
}

static int find_work(struct catalog_txn *txn, void *arg, struct err *e)
{
    int rc = layer_row_each(txn, find_layer, arg, e);
    return rc != 0 ? rc : device_row_each(txn, find_device, arg, e);
}

static int find(const char *dir, struct found *out)
{
    const struct catalog_options options = {.dir = dir, .reader_count = 1};
    struct catalog *catalog;
    struct err e = {.code = 0};
    int rc = catalog_open(&options, &catalog, &e);
    if (rc == 0) {
        rc = catalog_read_wait(catalog, find_work, out, &e);
        catalog_close(catalog);
    }
    if (rc != 0)
        fprintf(stderr, "ashlar-fill-map: %s\n", e.text);
    return rc;
}

static void fill(const char *dir, const struct found *found, uint64_t mask, bool in_order)
{
    uint64_t extents = found->layer.size_extents;
    struct map_maker *mm = map_maker_open(dir);
    for (uint64_t i = 0; i < extents; i++) {
        /* A prime factor makes a permutation of whatever is no multiple of it. */
        uint64_t extent = (in_order ? i : i * 0x9e3779b1ULL % extents) + 1;
        map_maker_word(mm, extent_key(found->layer.id, (uint32_t)i),
                       place_of(1, extent) << PLACE_SHIFT | mask);
    }
    map_maker_use(mm, found->device.no, extents);
    map_maker_count(mm, found->layer.id, extents);
    map_maker_close(mm);
}

int main(int argc, char **argv)
{
    struct found found = {.layer = {.id = 0}};
    uint64_t mask = argc >= 3 ? strtoull(argv[2], NULL, 16) : WORD_MASK_FULL;
    bool in_order = argc == 4 && strcmp(argv[3], "in-order") == 0;
    if (argc < 2 || argc > 4 || (argc == 4 && !in_order) || mask == 0 ||
        mask > WORD_MASK_FULL) {
        fprintf(stderr, "usage: ashlar-fill-map STATE-DIR [MASK [in-order]]\n");
        return 2;
    }
    if (find(argv[1], &found) != 0)
        return 1;
    if (found.layer.size_extents >= found.device.extents) {
        fprintf(stderr, "ashlar-fill-map: the pool is no larger than the volume\n");
        return 1;
    }
    fill(argv[1], &found, mask, in_order);
    printf("%llu extents\n", (unsigned long long)found.layer.size_extents);
    return 0;
}
