/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing two points block by block.
 *
 * What a block shows is the place of the topmost valid word: which extent of which
 * device, or zeros. Two points show the same where they show the same place: a sealed
 * layer's blocks are not written again, a shared extent is not written in place, and the
 * words of one transaction are those of one moment. No layer's number is compared, as a
 * merge may give blocks to another one between two slices.
 *
 * Layers that both stacks end with are common; the others are a point's own. Where no own
 * word says anything the two agree. A block that an own word decides on one side alone is
 * looked up on the other one in the common layers, unless it is known to differ: data of
 * an own extent that no other word may name. */
#include "lunmgr/diff_walk.h"

#include "lunmgr/volume_io.h"
#include "lunmgr/word.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LEAF_BYTES       ((uint64_t)LEAF_WORDS * EXTENT_BYTES)
#define SLICE_LEAVES     128        /* then others have the reader */
#define BATCH_LEAVES     64         /* of a layer that are read at once, at most */
#define BATCH_LEAVES_ALL 256        /* of all */
#define DEPTH_MAX        (1U << 20) /* more: the catalog's chain is a ring */
/* Ranges that an extent's blocks and the gap before it may end. */
#define RANGES_AN_EXTENT (WORD_BLOCKS + 2)

/* ---- What blocks show -------------------------------------------------------------- */

#define SHOWN_ZERO   0ULL
#define SHOWN_SHARED (1ULL << 63) /* beside the place: another word may name it */
#define SHOWN_PLACE  (SHOWN_SHARED - 1)

struct shown {
    unsigned open; /* blocks that no word has decided yet */
    uint64_t blocks[WORD_BLOCKS];
};

static void shown_begin(struct shown *s)
{
    memset(s, 0, sizeof(*s));
    s->open = WORD_MASK_FULL;
}

/* The next layer's word, from the top down. */
static void shown_add(struct shown *s, map_word w)
{
    uint64_t source = word_place(w) | ((w & WORD_SHARED) != 0 ? SHOWN_SHARED : 0);
    unsigned mine = word_mask(w) & s->open;
    for (unsigned left = mine; left != 0; left &= left - 1)
        s->blocks[__builtin_ctz(left)] = source;
    s->open = (w & WORD_OPAQUE) != 0 ? 0 : s->open & ~mine;
}

/* As the catalog may have it: an extent with valid blocks, or none of both. */
static bool word_is_sound(map_word w)
{
    bool names = word_place(w) != 0;
    return (w & WORD_HELD) == 0 && names == (word_mask(w) != 0) &&
           (names || (w & WORD_SHARED) == 0);
}

static bool words_are_sound(const uint64_t words[LEAF_WORDS])
{
    for (unsigned i = 0; i < LEAF_WORDS; i++)
        if (!word_is_sound(words[i]))
            return false;
    return true;
}

static int refuse_words(uint32_t layer, struct err *e)
{
    return err_set(e, -EUCLEAN, NULL, "the map of layer %u is damaged", layer);
}

/* ---- Stacks ------------------------------------------------------------------------ */

struct chain {
    uint32_t *layers; /* top first */
    size_t count, max;
    size_t own; /* the first of them */
};

static void chain_fini(struct chain *c)
{
    free(c->layers);
}

static int chain_add(struct chain *c, uint32_t layer, struct err *e)
{
    if (c->count == DEPTH_MAX)
        return err_set(e, -EUCLEAN, NULL, "the catalog's layers stand on each other");
    if (c->count == c->max) {
        size_t max = c->max == 0 ? 16 : 2 * c->max;
        uint32_t *grown = realloc(c->layers, max * sizeof(*grown));
        if (grown == NULL)
            return err_oom(e);
        c->layers = grown;
        c->max = max;
    }
    c->layers[c->count++] = layer;
    return 0;
}

static int chain_read(struct catalog_txn *txn, struct chain *c, uint32_t top,
                      struct err *e)
{
    struct layer_row row = {.parent = 0};
    int rc = 0;
    for (uint32_t id = top; rc == 0 && id != 0; id = row.parent) {
        rc = chain_add(c, id, e);
        if (rc == 0)
            rc = layer_row_get(txn, id, &row, e);
    }
    return rc;
}

static void chains_split(struct chain *a, struct chain *b)
{
    a->own = a->count;
    b->own = b->count;
    while (a->own > 0 && b->own > 0 && a->layers[a->own - 1] == b->layers[b->own - 1]) {
        a->own--;
        b->own--;
    }
}

/* ---- An own layer's leaves, in order ------------------------------------------------
 */

#define NO_LEAF UINT32_MAX

struct cursor {
    uint32_t layer;
    uint32_t next; /* the leaf that the next batch begins with */
    bool is_over;  /* no leaf is left in the catalog */
    size_t count, at, max;
    uint32_t *indexes;
    uint64_t (*words)[LEAF_WORDS];
};

static int cursor_take(uint64_t key, const uint64_t words[LEAF_WORDS], void *arg)
{
    struct cursor *c = arg;
    if (!words_are_sound(words))
        return -EUCLEAN;
    c->indexes[c->count] = (uint32_t)(key - leaf_key_of(extent_key(c->layer, 0)));
    memcpy(c->words[c->count], words, sizeof(c->words[0]));
    return ++c->count == c->max ? 1 : 0;
}

/* The next batch, not before that leaf. */
static int cursor_fill(struct catalog_txn *txn, struct cursor *c, uint32_t from,
                       struct err *e)
{
    uint64_t base = leaf_key_of(extent_key(c->layer, 0));
    uint64_t last = leaf_key_of(extent_key(c->layer, 0x7fffffff));
    c->count = c->at = 0;
    if (c->next < from)
        c->next = from;
    int rc = leaf_each(txn, base + c->next, last, cursor_take, c, e);
    if (rc < 0)
        return rc == -EUCLEAN && e->code == 0 ? refuse_words(c->layer, e) : rc;
    c->is_over = rc == 0;
    if (c->count > 0)
        c->next = c->indexes[c->count - 1] + 1;
    return 0;
}

static uint32_t cursor_index(const struct cursor *c)
{
    return c->at < c->count ? c->indexes[c->at] : NO_LEAF;
}

/* ---- A slice ----------------------------------------------------------------------- */

struct side {
    struct chain chain;
    struct cursor *cursors; /* of its own layers */
};

struct slice {
    struct catalog_txn *txn;
    struct err *e;
    struct diff_walk *w;
    struct side of, from;
    struct cursor *cursors; /* of both sides, and their room in one piece each */
    size_t cursor_count;
    uint32_t *indexes;
    uint64_t (*words)[LEAF_WORDS];
    bool compares;      /* else nothing of the other side is known, or it is empty */
    bool tells_all;     /* what reads as zeros too */
    uint64_t end_bytes; /* so far that holds */
    /* What the common layers show of a leaf, as far down as it was asked for. */
    uint32_t common_leaf;
    size_t common_depth;
    struct shown *common;
};

static void slice_fini(struct slice *s)
{
    chain_fini(&s->of.chain);
    chain_fini(&s->from.chain);
    free(s->cursors);
    free(s->indexes);
    free(s->words);
    free(s->common);
}

static int slice_make_room(struct slice *s)
{
    size_t count = s->of.chain.own + s->from.chain.own;
    size_t each = count == 0 ? 0 : BATCH_LEAVES_ALL / count;
    each = each > BATCH_LEAVES ? BATCH_LEAVES : each == 0 ? 1 : each;
    s->cursor_count = count;
    s->cursors = calloc(count + 1, sizeof(*s->cursors));
    s->indexes = calloc(count * each + 1, sizeof(*s->indexes));
    s->words = calloc(count * each + 1, sizeof(*s->words));
    s->common = calloc(LEAF_WORDS, sizeof(*s->common));
    if (s->cursors == NULL || s->indexes == NULL || s->words == NULL || s->common == NULL)
        return err_oom(s->e);
    s->of.cursors = s->cursors;
    s->from.cursors = s->cursors + s->of.chain.own;
    for (size_t i = 0; i < count; i++) {
        const struct side *side = i < s->of.chain.own ? &s->of : &s->from;
        s->cursors[i] = (struct cursor){
            .layer = side->chain.layers[&s->cursors[i] - side->cursors],
            .max = each,
            .indexes = s->indexes + i * each,
            .words = s->words + i * each,
        };
    }
    return 0;
}

/* ---- Ranges ------------------------------------------------------------------------ */

static void walk_end_run(struct diff_walk *w)
{
    if (w->run.length_bytes > 0)
        w->ranges[w->count++] = w->run;
    w->run.length_bytes = 0;
}

static void walk_put(struct diff_walk *w, uint64_t offset_bytes, uint64_t length_bytes,
                     bool is_zero)
{
    struct diff_range *run = &w->run;
    if (run->length_bytes > 0 && run->is_zero == is_zero &&
        run->offset_bytes + run->length_bytes == offset_bytes) {
        run->length_bytes += length_bytes;
        return;
    }
    walk_end_run(w);
    *run = (struct diff_range){offset_bytes, length_bytes, is_zero};
}

static bool walk_has_room(const struct diff_walk *w)
{
    return w->count + RANGES_AN_EXTENT <= DIFF_RANGES_MAX;
}

/* ---- Extents ----------------------------------------------------------------------- */

/* The next common layer's leaf. */
static int common_go_down(struct slice *s, uint32_t leaf_index)
{
    uint64_t words[LEAF_WORDS];
    uint32_t layer = s->of.chain.layers[s->of.chain.own + s->common_depth];
    int rc = leaf_load(s->txn, leaf_key_of(extent_key(layer, leaf_index * LEAF_WORDS)),
                       words, s->e);
    if (rc == 0 && !words_are_sound(words))
        rc = refuse_words(layer, s->e);
    for (unsigned i = 0; rc == 0 && i < LEAF_WORDS; i++)
        shown_add(&s->common[i], words[i]);
    s->common_depth++;
    return rc;
}

/* What the common layers show of these blocks of an extent; the rest of *out is what it
 * is. */
static int common_show(struct slice *s, uint32_t extent_index, unsigned blocks,
                       const struct shown **out)
{
    uint32_t leaf_index = extent_index / LEAF_WORDS;
    struct shown *shown = &s->common[extent_index % LEAF_WORDS];
    size_t depth = s->of.chain.count - s->of.chain.own;
    int rc = 0;
    if (s->common_leaf != leaf_index) {
        for (unsigned i = 0; i < LEAF_WORDS; i++)
            shown_begin(&s->common[i]);
        s->common_leaf = leaf_index;
        s->common_depth = 0;
    }
    while (rc == 0 && (shown->open & blocks) != 0 && s->common_depth < depth)
        rc = common_go_down(s, leaf_index);
    *out = shown;
    return rc;
}

/* True: one of its own words says something. */
static bool side_show(const struct side *side, uint32_t leaf_index, unsigned i,
                      struct shown *out)
{
    map_word all = 0;
    shown_begin(out);
    for (size_t n = 0; n < side->chain.own && out->open != 0; n++) {
        const struct cursor *c = &side->cursors[n];
        if (cursor_index(c) != leaf_index)
            continue;
        map_word w = c->words[c->at][i];
        all |= w;
        if (w != 0)
            shown_add(out, w);
    }
    return all != 0;
}

/* Which blocks are to be looked up in the common layers: bits. */
static unsigned blocks_unsure(const struct slice *s, const struct shown *of,
                              const struct shown *from)
{
    unsigned sure = 0;
    if (!s->compares)
        return 0; /* all layers are its own */
    for (unsigned b = 0; b < WORD_BLOCKS; b++)
        if (of->blocks[b] != SHOWN_ZERO && (of->blocks[b] & SHOWN_SHARED) == 0)
            sure |= 1U << b;
    return (of->open ^ from->open) & ~sure;
}

static void shown_look_through(struct shown *s, const struct shown *below)
{
    for (unsigned b = 0; b < WORD_BLOCKS; b++)
        if ((s->open >> b & 1) != 0)
            s->blocks[b] = below->blocks[b];
}

/* Blocks of the extent from this byte on: bits. */
static unsigned blocks_from(uint64_t extent_bytes, uint64_t offset_bytes)
{
    if (offset_bytes <= extent_bytes)
        return WORD_MASK_FULL;
    uint64_t first = (offset_bytes - extent_bytes) / BLOCK_BYTES;
    return first >= WORD_BLOCKS ? 0
                                : (unsigned)(WORD_MASK_FULL << first & WORD_MASK_FULL);
}

static void extent_put(struct slice *s, uint64_t extent_bytes, const struct shown *of,
                       unsigned told)
{
    for (unsigned b = 0; b < WORD_BLOCKS; b++)
        if ((told >> b & 1) != 0)
            walk_put(s->w, extent_bytes + b * BLOCK_BYTES, BLOCK_BYTES,
                     of->blocks[b] == SHOWN_ZERO);
}

static unsigned blocks_that_differ(const struct shown *of, const struct shown *from)
{
    unsigned differ = 0;
    for (unsigned b = 0; b < WORD_BLOCKS; b++)
        if ((of->blocks[b] & SHOWN_PLACE) != (from->blocks[b] & SHOWN_PLACE))
            differ |= 1U << b;
    return differ;
}

static int extent_compare(struct slice *s, uint32_t extent_index, struct shown *of,
                          struct shown *from)
{
    uint64_t extent_bytes = (uint64_t)extent_index * EXTENT_BYTES;
    unsigned wanted = blocks_from(extent_bytes, s->w->at_bytes) &
                      ~blocks_from(extent_bytes, s->end_bytes);
    unsigned unsure = blocks_unsure(s, of, from) & wanted;
    unsigned agreed = of->open & from->open;
    const struct shown *below;
    if (unsure != 0) {
        int rc = common_show(s, extent_index, unsure, &below);
        if (rc != 0)
            return rc;
        shown_look_through(of, below);
        shown_look_through(from, below);
    }
    unsigned told =
        s->tells_all ? WORD_MASK_FULL : blocks_that_differ(of, from) & ~agreed;
    extent_put(s, extent_bytes, of, told & wanted);
    return 0;
}

/* ---- Leaves ------------------------------------------------------------------------ */

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Up to there no own layer has a word. */
static void gap_put(struct slice *s, uint64_t end_bytes)
{
    struct diff_walk *w = s->w;
    if (s->tells_all)
        walk_put(w, w->at_bytes, end_bytes - w->at_bytes, true);
    w->at_bytes = end_bytes;
}

/* From where the walk is, to the leaf's end or as far as there is room. */
static int leaf_compare(struct slice *s, uint32_t leaf_index)
{
    struct diff_walk *w = s->w;
    uint64_t end = lesser(s->end_bytes, (leaf_index + 1ULL) * LEAF_BYTES);
    int rc = 0;
    while (rc == 0 && w->at_bytes < end && walk_has_room(w)) {
        struct shown of, from;
        uint32_t extent_index = (uint32_t)(w->at_bytes / EXTENT_BYTES);
        unsigned i = extent_index % LEAF_WORDS;
        bool says = side_show(&s->of, leaf_index, i, &of);
        says = side_show(&s->from, leaf_index, i, &from) || says;
        if (says || s->tells_all)
            rc = extent_compare(s, extent_index, &of, &from);
        w->at_bytes = lesser(end, (extent_index + 1ULL) * EXTENT_BYTES);
    }
    return rc;
}

/* The first leaf from here on that an own layer has; NO_LEAF: none. */
static int slice_seek(struct slice *s, uint32_t *out)
{
    uint32_t here = (uint32_t)(s->w->at_bytes / LEAF_BYTES);
    *out = NO_LEAF;
    for (size_t i = 0; i < s->cursor_count; i++) {
        struct cursor *c = &s->cursors[i];
        while (cursor_index(c) < here)
            c->at++;
        if (cursor_index(c) == NO_LEAF && !c->is_over) {
            int rc = cursor_fill(s->txn, c, here, s->e);
            if (rc != 0)
                return rc;
        }
        if (cursor_index(c) < *out)
            *out = cursor_index(c);
    }
    return 0;
}

static int slice_step(struct slice *s)
{
    struct diff_walk *w = s->w;
    uint32_t leaf_index;
    int rc = slice_seek(s, &leaf_index);
    if (rc != 0)
        return rc;
    uint64_t start = leaf_index == NO_LEAF ? UINT64_MAX : leaf_index * LEAF_BYTES;
    if (start > w->at_bytes)
        gap_put(s, lesser(start, s->end_bytes));
    return w->at_bytes == s->end_bytes ? 0 : leaf_compare(s, leaf_index);
}

static int slice_run(struct slice *s)
{
    struct diff_walk *w = s->w;
    int rc = slice_make_room(s);
    for (unsigned n = 0;
         rc == 0 && n < SLICE_LEAVES && w->at_bytes < s->end_bytes && walk_has_room(w);
         n++)
        rc = slice_step(s);
    if (rc == 0 && w->at_bytes == w->end_bytes)
        walk_end_run(w);
    return rc;
}

/* ---- The points -------------------------------------------------------------------- */

/* size: as an earlier slice has found it, or 0. */
static int point_read(struct slice *s, const char *id, uint64_t *size_bytes,
                      struct chain *chain)
{
    struct volume_row row;
    int rc = volume_row_get(s->txn, id, &row, s->e);
    if (rc == -ENOENT)
        return err_set(s->e, rc, NULL, "%s is gone", id);
    if (rc != 0)
        return rc;
    if (*size_bytes != 0 && *size_bytes != row.size_bytes)
        return err_set(s->e, -EBUSY, NULL,
                       "the size of %s has changed meanwhile: ask again", row.name);
    *size_bytes = row.size_bytes;
    return chain_read(s->txn, chain, row.top_layer, s->e);
}

static int points_read(struct slice *s)
{
    struct diff_walk *w = s->w;
    int rc = point_read(s, w->of_id, &w->size_bytes, &s->of.chain);
    if (rc != 0)
        return rc;
    w->end_bytes = lesser(w->end_bytes, w->size_bytes);
    w->at_bytes = lesser(w->at_bytes, w->end_bytes);
    if (w->from_id[0] != '\0')
        rc = point_read(s, w->from_id, &w->from_bytes, &s->from.chain);
    chains_split(&s->of.chain, &s->from.chain);
    if (rc == 0 && w->from_id[0] != '\0' && s->of.chain.own == s->of.chain.count)
        return err_set(
            s->e, -EINVAL, "from",
            "the two have nothing in common: neither is made of the other, nor "
            "both of a third one");
    return rc;
}

/* Of what lies beyond the other one's end nothing is known. */
static void slice_set_mode(struct slice *s)
{
    struct diff_walk *w = s->w;
    bool has_from = w->from_id[0] != '\0';
    s->compares = has_from && w->at_bytes < w->from_bytes;
    s->tells_all = has_from ? !s->compares : w->zeros;
    s->end_bytes = s->compares ? lesser(w->end_bytes, w->from_bytes) : w->end_bytes;
    if (!s->compares) {
        s->of.chain.own = s->of.chain.count;
        s->from.chain.own = 0;
    }
}

int diff_walk_slice(struct catalog_txn *txn, struct diff_walk *w, struct err *e)
{
    struct slice s = {.txn = txn, .e = e, .w = w, .common_leaf = NO_LEAF};
    int rc = points_read(&s);
    if (rc == 0) {
        slice_set_mode(&s);
        rc = slice_run(&s);
    }
    slice_fini(&s);
    return rc;
}
