/* SPDX-License-Identifier: Apache-2.0 */
/* What a volume may hold: for each sector the writes that it has seen, as intervals of
 * one clock. A read may give what a write left that no later one had surely replaced;
 * after a power cut, what the last flush covered or anything later. Each write fills its
 * sectors with its own tag and their numbers, so that data of another write, another
 * place or two writes at once shows. Oracles of one world share clock and tags, so that
 * another volume's data shows, and snapshots of several can be held to one instant. The
 * first offence is kept as text. Any thread. */
#ifndef TESTS_LIB_ORACLE_H
#define TESTS_LIB_ORACLE_H

#include "tests/lib/image.h"

#include <stdbool.h>
#include <stdint.h>

#define ORACLE_SECTOR 512U

struct oracle;
struct oracle_world;

enum oracle_outcome {
    ORACLE_NOTHING, /* surely did not take place */
    ORACLE_FAILED,  /* each sector may have changed or not */
    ORACLE_DONE,    /* surely took place, unless optional */
    ORACLE_DURABLE, /* and is covered by its own FUA */
};

struct oracle_cut {
    uint64_t began;   /* what was durable before is in it */
    uint64_t time;    /* writes that began later are not in it */
    uint64_t flushed; /* writes that ended before are covered */
};

struct oracle_world *oracle_world_create(void);
/* After its oracles. */
void oracle_world_destroy(struct oracle_world *world);

/* All zeros, flushed; of a world of its own. */
struct oracle *oracle_create(uint64_t bytes);
/* base: what it holds, durably, and a reference more to it; NULL: zeros. */
struct oracle *oracle_create_in(struct oracle_world *world, uint64_t bytes,
                                struct image *base);
void oracle_destroy(struct oracle *o);
/* What came before is forgotten: it holds this, durably, and has that size. No change is
 * under way. */
void oracle_rebase(struct oracle *o, uint64_t bytes, struct image *base);
/* More zeros at its end, or less. */
void oracle_resize(struct oracle *o, uint64_t bytes);
uint64_t oracle_bytes(const struct oracle *o);
/* False: all of this chunk (image.h) is zeros and was never anything else. */
bool oracle_knows_chunk(struct oracle *o, uint64_t chunk);

/* A change of the sectors begins; its tag. zeros: they become zeros. optional: or stay as
 * they are. */
uint64_t oracle_begin(struct oracle *o, uint64_t first, uint64_t count, bool zeros,
                      bool optional);
/* The same for a copy: they become what they are in `from`, at the same places. Its id
 * takes the tag's place in oracle_end. */
uint64_t oracle_begin_copy(struct oracle *o, uint64_t first, uint64_t count,
                           const struct image *from);
/* That write is atomic: whoever sees some of it sees nothing older in the rest. Before it
 * is asked for. */
void oracle_atomic(struct oracle *o, uint64_t tag, uint64_t first, uint64_t count);
void oracle_end(struct oracle *o, uint64_t id, uint64_t first, uint64_t count,
                enum oracle_outcome outcome);
/* What a write of that tag writes. */
void oracle_fill(uint8_t *data, uint64_t tag, uint64_t first, uint64_t count);

uint64_t oracle_now(struct oracle *o);
/* data was read from `since` on to now. False, and kept, if it is none that may be. */
bool oracle_check(struct oracle *o, uint64_t since, const uint8_t *data, uint64_t first,
                  uint64_t count);

/* A flush that began at `since` has ended well. */
void oracle_flushed(struct oracle *o, uint64_t since);

/* Around the cut. */
void oracle_cut_begin(struct oracle *o, struct oracle_cut *cut);
void oracle_cut_end(struct oracle *o, struct oracle_cut *cut);
/* Of what was read after the restart. */
bool oracle_check_cut(struct oracle *o, const struct oracle_cut *cut, const uint8_t *data,
                      uint64_t first, uint64_t count);

/* A snapshot's data: of what was there at some instant from `since` to `until`. */
bool oracle_check_snapshot(struct oracle *o, uint64_t since, uint64_t until,
                           const uint8_t *data, uint64_t first, uint64_t count);
/* The instants at which all of a snapshot's sectors were as they are, narrowed by what
 * is in data. */
struct oracle_instant {
    uint64_t earliest, latest;
};
void oracle_narrow(struct oracle *o, struct oracle_instant *instant, const uint8_t *data,
                   uint64_t first, uint64_t count);

/* The whole volume as it was read, while nothing changed it: atomic writes that lie
 * across what was checked in pieces. */
bool oracle_check_image(struct oracle *o, const struct image *image);

/* The tag that data of one sector carries; 0: zeros; UINT64_MAX: no write's. */
uint64_t oracle_tag(const uint8_t *data, uint64_t sector);
/* The first offence; NULL: none. */
const char *oracle_offence(struct oracle *o);

#endif
