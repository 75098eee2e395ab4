/* SPDX-License-Identifier: Apache-2.0 */
/* No tokens: stands in for lunmgr's rods where its volumes are stood in for, too. */
#include "lunmgr/rod_write.h"

#include <stdlib.h>
#include <string.h>

void rod_make(struct rod_ask *ask)
{
    (void)ask;
    abort(); /* no test makes one here */
}

void rod_give_up(struct rod_ask *ask)
{
    (void)ask;
}

uint64_t rod_made_bytes(const struct rod_ask *ask)
{
    (void)ask;
    return 0;
}

struct rod *rod_get(const struct volume *of, uint64_t id, enum rod_state *state)
{
    (void)of;
    (void)id;
    (void)state;
    return NULL;
}

void rod_put(struct rod *rod, bool was_used)
{
    (void)rod;
    (void)was_used;
}

void rod_delete(struct rod *rod)
{
    (void)rod;
}

void rod_each(const struct volume *source, void (*each)(const struct rod *rod, void *arg),
              void *arg)
{
    (void)source;
    (void)each;
    (void)arg;
}

const struct volume *rod_source(struct rod *rod)
{
    (void)rod;
    return NULL;
}

void rod_box_naa(const struct volume *of, uint8_t naa[16])
{
    (void)of;
    memset(naa, 0, 16);
}

void rod_write_start(struct rod_write *w)
{
    (void)w;
    abort(); /* no test writes from one here */
}

void rod_write_stop(struct rod_write *w)
{
    (void)w;
}
