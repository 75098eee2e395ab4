/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a delta, behind a CRC made to fit: it is refused, or what it says of each
 * leaf can be read section by section, in order, and is what a delta that says the same
 * would be read as. */
#include "db/delta_codec.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define ID 1

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static uint8_t blob[DELTA_BLOB_MAX], again[DELTA_BLOB_MAX];

/* The body as it is, and the CRC that it must have. */
static size_t seal(const uint8_t *body, size_t bytes)
{
    struct delta_writer w = {.next_leaf = 0};
    wire_init(&w.out, blob, sizeof(blob) - 4);
    wire_put_bytes(&w.out, body, bytes);
    return delta_end(&w, ID);
}

static size_t patch_changes(const struct leaf_patch *patch, struct word_change *out)
{
    size_t count = 0;
    for (size_t i = 0; i < LEAF_WORDS; i++)
        if ((patch->set[i / 64] >> i % 64 & 1) != 0)
            out[count++] =
                (struct word_change){patch->leaf_key * LEAF_WORDS + i, patch->words[i]};
    return count;
}

/* The section once more as the writer puts it, and read back. */
static void section_again(const struct leaf_patch *patch)
{
    struct word_change changes[LEAF_WORDS], back[LEAF_WORDS];
    size_t count = patch_changes(patch, changes);
    struct delta_writer w;
    struct delta_reader r;
    struct delta_section section;
    struct leaf_patch read;
    assert(count > 0);
    delta_begin(&w, again);
    bool fits = delta_put(&w, changes, count);
    assert(fits);
    int rc = delta_open(&r, ID, again, delta_end(&w, ID));
    assert(rc == 0);
    rc = delta_next(&r, &section);
    assert(rc == 1 && section.leaf_key == patch->leaf_key);
    leaf_patch_init(&read, section.leaf_key);
    rc = delta_section_read(again + section.offset, section.bytes, &read);
    assert(rc == 0 && patch_changes(&read, back) == count);
    assert(memcmp(changes, back, count * sizeof(changes[0])) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct delta_reader r;
    struct delta_section section;
    uint64_t next_leaf = 0;
    int rc = delta_open(&r, ID, data, bytes);
    assert(rc == 0 || rc == -EUCLEAN);
    size_t sealed = seal(data, bytes);
    rc = delta_open(&r, ID, blob, sealed);
    while (rc == 0 && (rc = delta_next(&r, &section)) > 0) {
        struct leaf_patch patch;
        assert(section.leaf_key >= next_leaf);
        assert(section.offset + section.bytes <= sealed);
        leaf_patch_init(&patch, section.leaf_key);
        rc = delta_section_read(blob + section.offset, section.bytes, &patch);
        assert(rc == 0);
        section_again(&patch);
        next_leaf = section.leaf_key + 1;
    }
    assert(rc == 0 || rc == -EUCLEAN);
    return 0;
}
