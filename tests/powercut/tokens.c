/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: what a range of a volume was is read from one, whatever is written to the
 * volume meanwhile. Some are deleted, some are left to their time; none is there after a
 * start, nor anything of what it showed, which the map's check tells. */
#include "tests/powercut/run.h"

#include "tests/lib/rig_rod.h"

#include <errno.h>

#define PIECES_MAX  3
#define EXTENTS_MAX 8 /* of one */
#define READ_BLOCKS 64

/* How many. */
static unsigned draw_pieces(struct run *run, struct rod_piece *pieces, uint64_t bytes)
{
    unsigned n = 1 + (unsigned)run_draw(run, PIECES_MAX);
    for (unsigned i = 0; i < n; i++) {
        uint64_t unit = run_chance(run, 60) ? EXTENT_BYTES : BLOCK_BYTES;
        uint64_t first = run_draw(run, bytes / unit), most = EXTENTS_MAX;
        uint64_t room = bytes / unit - first;
        uint64_t count = 1 + run_draw(run, room < most ? room : most);
        pieces[i] =
            (struct rod_piece){.from_bytes = first * unit, .length_bytes = count * unit};
    }
    return n;
}

/* ---- What it shows ------------------------------------------------------------------
 */

static void check_sectors(struct run *run, const struct image *image, uint64_t first,
                          uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t sector = first + i, want = image_tag(image, sector);
        uint64_t tag = oracle_tag(run->data + i * ORACLE_SECTOR, sector);
        if (tag != want)
            run_offend(run, "a token shows tag %llu at sector %llu, not %llu",
                       (unsigned long long)tag, (unsigned long long)sector,
                       (unsigned long long)want);
    }
}

static void check_piece(struct run *run, const struct rod *rod, uint64_t offset,
                        const struct rod_piece *piece, const struct image *image)
{
    uint64_t at = 0, bytes = 0;
    for (uint64_t done = 0; done < piece->length_bytes; done += bytes) {
        uint64_t most = (1 + run_draw(run, READ_BLOCKS)) * BLOCK_BYTES;
        if (most > piece->length_bytes - done)
            most = piece->length_bytes - done;
        bytes = rod_locate(rod, offset + done, &at);
        if (bytes > most)
            bytes = most;
        int rc = bytes == 0 ? -ENODATA
                            : rig_io_run(&run->rig, 0, rod->shows, VIO_READ, at, bytes,
                                         run->data);
        if (run_is_off(run))
            return;
        if (rc != 0) {
            run_offend(run, "a token cannot be read: %d", rc);
            return;
        }
        check_sectors(run, image, (piece->from_bytes + done) / ORACLE_SECTOR,
                      bytes / ORACLE_SECTOR);
    }
}

static void check_token(struct run *run, const struct rig_making *m,
                        const struct image *image)
{
    uint64_t offset = 0;
    for (unsigned i = 0; i < m->ask.piece_count && !run_is_off(run); i++) {
        check_piece(run, m->rod, offset, &m->ask.pieces[i], image);
        offset += m->ask.pieces[i].length_bytes;
    }
}

/* ---- One ----------------------------------------------------------------------------
 */

static void token_use(struct run *run, struct rig_making *m, struct model_volume *v,
                      const struct image *image)
{
    run_load_sound(run, v);
    check_token(run, m, image);
    if (run_chance(run, 60))
        rod_delete(m->rod);
    rod_put(m->rod, true);
}

void run_token(struct run *run)
{
    struct model_volume *v = run_any_volume(run, false);
    if (v == NULL || run->has_failed)
        return;
    run_load_end(run, v);
    struct image *image = run_read_image(run, v);
    struct rod_piece pieces[PIECES_MAX];
    struct rig_making m;
    if (!run_has_offence(run) && !run_is_off(run)) {
        unsigned count = draw_pieces(run, pieces, oracle_bytes(v->oracle));
        (void)rig_make_rod(&run->rig, &m, model_find(v, run->rig.manager), pieces, count);
        run_trace(run, "a token of %u pieces of %s: %d", count, v->name, m.rc);
        if (m.rc == 0)
            token_use(run, &m, v, image);
        else if (m.rc != -ENOSPC && !run_is_allowed(run, m.rc) && !run_is_off(run))
            run_offend(run, "a token of %s cannot be made: %d", v->name, m.rc);
    }
    image_put(image);
}
