/* SPDX-License-Identifier: Apache-2.0 */
/* The chain's links (see audit_chain.h). */
#include "base/audit_chain.h"

#include "base/be.h"

#include <assert.h>
#include <string.h>

static void add_number(struct digest *d, uint64_t number)
{
    be64 wire = be64_of(number);
    digest_add(d, &wire, sizeof(wire));
}

static void add_text(struct digest *d, const char *text)
{
    size_t bytes = strlen(text);
    assert(bytes <= UINT32_MAX);
    be32 wire = be32_of((uint32_t)bytes);
    digest_add(d, &wire, sizeof(wire));
    digest_add(d, text, bytes);
}

void audit_hash(const uint8_t prev[DIGEST_BYTES], const struct audit_fields *f,
                uint8_t out[DIGEST_BYTES])
{
    struct digest d;
    digest_begin(&d);
    digest_add(&d, prev, DIGEST_BYTES);
    add_number(&d, f->seq);
    add_number(&d, (uint64_t)f->time_ms);
    add_text(&d, f->who);
    add_text(&d, f->from);
    add_text(&d, f->operation);
    add_text(&d, f->subject);
    add_text(&d, f->subject_id);
    add_text(&d, f->request);
    digest_end(&d, out);
}
