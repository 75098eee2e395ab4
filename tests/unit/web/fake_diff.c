/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of blocks of the fake manager: every second block of a volume, in as many slices
 * as a test wants. */
#include "fake_priv.h"

#include "lunmgr/diff.h"

#define BLOCK 4096

struct diff {
    struct lunmgr *m;
    unsigned slices; /* that came */
    bool is_asked, is_orphan;
    uint64_t size_bytes;
    diff_slice_fn done;
    void *arg;
};

static struct volume *find(struct volume *of, struct lunmgr *m, const char *name)
{
    char key[FAKE_NAME_MAX];
    const struct volume *volume = of->of == NULL ? of : of->of;
    snprintf(key, sizeof(key), "%.63s/%.100s", volume->info.name, name);
    struct volume *v = snapshot_find(m, key);
    if (v == NULL)
        v = snapshot_find(m, name);
    return v != NULL ? v : volume_find(m, name);
}

int diff_create(struct lunmgr *m, struct volume *of, const struct diff_spec *spec,
                diff_slice_fn done, void *arg, struct diff **out, struct err *e)
{
    if (spec->from != NULL && find(of, m, spec->from) == NULL)
        return err_set(e, -ENOENT, "from", "there is no snapshot or volume %s",
                       spec->from);
    struct diff *d = calloc(1, sizeof(*d));
    assert(d != NULL);
    *d = (struct diff){
        .m = m, .size_bytes = of->info.size_bytes, .done = done, .arg = arg};
    m->diff_count++;
    *out = d;
    return 0;
}

static void diff_free(struct diff *d)
{
    d->m->diff_count--;
    free(d);
}

static void do_slice(struct call *call, struct err *e)
{
    static struct diff_range ranges[DIFF_RANGES_MAX];
    struct diff *d = call->arg;
    uint64_t first = (uint64_t)d->slices * DIFF_RANGES_MAX;
    d->is_asked = false;
    if (d->is_orphan) {
        diff_free(d);
        return;
    }
    for (uint64_t i = 0; i < DIFF_RANGES_MAX; i++)
        ranges[i] = (struct diff_range){2 * (first + i) * BLOCK, BLOCK, i % 2 != 0};
    d->slices++;
    d->m->slice_count++;
    const struct diff_slice slice = {.ranges = ranges,
                                     .count = DIFF_RANGES_MAX,
                                     .is_last = d->slices > d->m->diff_slices,
                                     .size_bytes = d->size_bytes};
    d->done(d->arg, e->code == 0 ? &slice : NULL, err_or_null(e));
}

void diff_next(struct diff *d)
{
    assert(!d->is_asked);
    d->is_asked = true;
    call_post(call_new(d->m, do_slice, d));
}

void diff_destroy(struct diff *d)
{
    if (d != NULL && d->is_asked)
        d->is_orphan = true;
    else if (d != NULL)
        diff_free(d);
}

void fake_diff_slices(struct lunmgr *m, unsigned slices)
{
    m->diff_slices = slices;
}

unsigned fake_diffs(const struct lunmgr *m, unsigned *slices)
{
    *slices = m->slice_count;
    return m->diff_count;
}
