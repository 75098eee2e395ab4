/* SPDX-License-Identifier: Apache-2.0 */
/* What the writer of the crash test tells the keeper, one fixed record an event, in the
 * order in which one thread saw them: a write is told before it is sent and again when it
 * is answered, a flush likewise. The checker derives from this alone what a restarted
 * target may answer. */
#ifndef TESTS_CRASH_JOURNAL_H
#define TESTS_CRASH_JOURNAL_H

#include <stdint.h>

#define CRASH_LUNS_MAX   4
#define CRASH_BLOCK      4096u /* nothing smaller may be torn */
#define CRASH_TAG_ZERO   0u    /* a sector of zeros; else the generation that wrote it */
#define CRASH_JOURNAL_ID UINT32_C(0x4a524e31)

enum event {
    EVENT_WRITE_BEGIN = 1,
    EVENT_WRITE_ACK,
    EVENT_FLUSH_BEGIN,
    EVENT_FLUSH_ACK,
};

struct event_record {
    uint32_t journal_id; /* CRASH_JOURNAL_ID: a torn journal is seen */
    uint32_t event;
    uint32_t op; /* the same in BEGIN and ACK; from 0, without gaps, in BEGIN order */
    uint32_t lun_index;
    uint64_t lba;
    uint32_t sectors;
    uint32_t
        generation; /* CRASH_TAG_ZERO: UNMAP of whole extents, or WRITE SAME of zeros */
    uint32_t fua;   /* answered means durable */
    uint32_t reserved;
};

/* What all three parts must agree on. */
struct crash_options {
    const char *url;
    const char *initiator;
    const char *journal; /* file name, for keep and check */
    const char *state;   /* file name: what every sector held at the last check */
    unsigned luns[CRASH_LUNS_MAX];
    unsigned lun_count;
    unsigned connections;
    unsigned depth;
    uint64_t region_bytes; /* of each LUN, from its start, shared out between the
                              connections */
    uint64_t seed;
    uint32_t generation; /* the first one; above all of the rounds before */
    unsigned seconds;    /* the writer ends by itself after this */
    int residuals_ok;
    int no_write_same; /* the writer: for a target that may tear one at a kill */
    int lost_ok;       /* the writer: a lost connection is how this ends */
};

int crash_write(const struct crash_options *o);
int crash_keep(const struct crash_options *o);
int crash_check(const struct crash_options *o);

#endif
