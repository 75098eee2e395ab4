/* SPDX-License-Identifier: Apache-2.0 */
/* One seed: a small pool on mains that fall, a model beside it, loads on its lanes, and
 * the chance that decides what happens next. The first offence ends it. */
#ifndef TESTS_POWERCUT_RUN_H
#define TESTS_POWERCUT_RUN_H

#include "tests/lib/power.h"
#include "tests/lib/vio_load.h"
#include "tests/powercut/model.h"

#define RUN_CHUNK_BYTES (1U << 20)

struct run_load {
    struct vio_load *load; /* NULL: none */
    struct model_volume *volume;
};

struct run {
    uint64_t seed, random;
    unsigned ops; /* between two cuts */
    bool threads; /* else all is turned by hand */
    bool trace;
    bool
        walks; /* walk.c: two devices and nothing left to chance but the cut's leavings */
    struct power *power;
    struct pool_rig rig;
    struct model model;
    struct run_load loads[RIG_LANES];
    struct change pending; /* was under way when the mains fell */
    uint64_t last_record;  /* of the changes so far */
    uint64_t *recorded;    /* those that took place: what the audit log says */
    size_t recorded_count;
    bool has_failed;    /* a device of the pool: until the next start */
    bool fails_commits; /* the catalog, just now */
    uint8_t *data;      /* of one chunk */
    unsigned cuts, clean_stops, changes;
    uint64_t ios;
    char offence[512];
};

/* The whole of it; false: an offence. */
bool run_seed(struct run *run);

/* Every change that a device sees, once, the mains falling at that point, if they come
 * to it. */
bool run_walk(struct run *run, enum power_point point, uint64_t nth, bool *fell);

void run_begin(struct run *run);
void run_end(struct run *run);
/* After the mains have fallen, or else with a cut or a stop now. */
void run_restart(struct run *run);

uint64_t run_draw(struct run *run, uint64_t below);
bool run_chance(struct run *run, unsigned percent);
void run_trace(struct run *run, const char *format, ...) PRINTF_LIKE(2, 3);
/* Keeps the first. */
void run_offend(struct run *run, const char *format, ...) PRINTF_LIKE(2, 3);
bool run_has_offence(const struct run *run);
bool run_is_off(struct run *run);

/* Any volume (in the trash or not), NULL: none. */
struct model_volume *run_any_volume(struct run *run, bool trashed);
struct model_snapshot *run_any_snapshot(struct run *run, const struct model_volume *v);
unsigned run_volume_count(const struct run *run, bool trashed);

/* ---- Loads (load.c) ---- */
void run_load_start(struct run *run);
/* Those on the volume, NULL: all. */
void run_load_end(struct run *run, const struct model_volume *v);
/* Those that have come to their end by themselves. */
void run_load_reap(struct run *run);

/* On a volume that no device which has failed has anything of: nothing may fail but for
 * want of room. */
void run_load_sound(struct run *run, struct model_volume *v);

/* ---- Changes (operate.c) ---- */
void run_operate(struct run *run);
void run_create(struct run *run);
/* It has been answered: it is the model's now, or did not take place, or the restart will
 * tell. True: it took place. */
bool run_answered(struct run *run, struct change *c, int rc);
bool run_is_allowed(const struct run *run, int rc);

/* ---- Kept persistent reservations (reservations.c) ---- */
/* Asks for another, or for none, of a volume; it is answered later, perhaps. */
void run_reserve(struct run *run);
/* That of the volume, NULL: all. Before it goes or is stopped: what asks is mapped. */
void run_reserve_await(struct run *run, const struct model_volume *v);
/* After a restart. */
void run_verify_reservations(struct run *run);

/* ---- Copies (copies.c) ---- */
void run_copy(struct run *run);

/* ---- Tokens (tokens.c) ---- */
void run_token(struct run *run);

/* ---- Devices (devices.c) ---- */
/* Their files and disks, and the pool. */
void run_make_pool(struct run *run);
void run_close_pool(struct run *run);
void run_destroy_devices(struct run *run);
/* Whatever has fallen, they are as they were left, and fail no more. */
void run_restore_devices(struct run *run);
void run_add_device(struct run *run);
void run_grow_device(struct run *run);
void run_evacuate_device(struct run *run);
void run_cancel_evacuation(struct run *run);
void run_remove_device(struct run *run);
bool run_is_evacuating(const struct run *run);
/* The next sync of one of them fails, or the one after. */
void run_fail_device(struct run *run);
/* Jobs that run may fail from now on. */
void run_excuse_jobs(struct run *run);
/* They are as the model says, which hears of evacuations that have ended. */
void run_verify_devices(struct run *run);
void run_await_evacuations(struct run *run);

/* ---- Records (records.c) ---- */
/* The next change goes with a record. */
void run_record(struct run *run, struct change *c);
/* It took place. */
void run_recorded(struct run *run, const struct change *c);
/* The audit log says so of all that did, in order, and of nothing else; its chain holds.
 */
void run_verify_records(struct run *run);

/* ---- What is there (verify.c) ---- */
/* After a restart; after_cut: as the cut left it, else as it was. What is read is what
 * the model holds from then on. */
void run_verify(struct run *run, bool after_cut);
/* Reads a snapshot, with those of its group: what they hold for ever. */
void run_freeze(struct run *run, const struct model_snapshot *snapshot);
void run_freeze_all(struct run *run, const struct model_volume *v);
/* The volume as it is; nothing changes it meanwhile. */
struct image *run_read_image(struct run *run, struct model_volume *v);
/* A snapshot once more. */
void run_read_again(struct run *run, const struct model_volume *v,
                    const struct model_snapshot *s);
/* The committed map: no harm; sound: nothing is leaked either. */
void run_check(struct run *run, bool sound);

#endif
