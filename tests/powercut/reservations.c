/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes' kept persistent reservations, which change beside everything else, one change
 * of a volume at a time. Each is made from a number: what is there after a restart is all
 * of the last one that was answered, or of the one that was under way. */
#include "tests/powercut/run.h"

#include "base/registration.h"
#include "lunmgr/snapshot.h"
#include "tests/lib/random.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGISTRATIONS_FEW  4
#define REGISTRATIONS_MANY 200

/* ---- One of a number ----------------------------------------------------------------
 */

static void registration_make(struct registration *r, uint64_t *random, uint32_t i)
{
    snprintf(r->nexus.initiator, sizeof(r->nexus.initiator), "iqn.2026-01.host%u:%llu", i,
             (unsigned long long)draw(random, 1000));
    snprintf(r->nexus.target, sizeof(r->nexus.target), "iqn.2026-01.target:%llu",
             (unsigned long long)draw(random, 3));
    for (size_t n = 0; n < sizeof(r->nexus.isid); n++)
        r->nexus.isid[n] = (uint8_t)draw(random, 256);
    r->nexus.portal_group_tag = (uint16_t)(1 + draw(random, 4));
    r->key = 1 + draw(random, UINT32_MAX);
}

/* Of number 0: none. */
static struct kept_reservation *reservation_make(uint64_t number)
{
    static const enum reservation_type types[] = {
        RESERVATION_NONE,
        RESERVATION_WRITE_EXCLUSIVE,
        RESERVATION_EXCLUSIVE_ACCESS,
        RESERVATION_WRITE_REGISTRANTS,
        RESERVATION_ACCESS_REGISTRANTS,
        RESERVATION_WRITE_ALL,
        RESERVATION_ACCESS_ALL,
    };
    uint64_t random = number * 0x9e3779b97f4a7c15ULL;
    if (number == 0)
        return NULL;
    uint64_t most = draw(&random, 20) == 0 ? REGISTRATIONS_MANY : REGISTRATIONS_FEW;
    uint32_t count = 1 + (uint32_t)draw(&random, most);
    struct kept_reservation *kept =
        calloc(1, sizeof(*kept) + count * sizeof(kept->list[0]));
    assert(kept != NULL);
    kept->type = types[draw(&random, ARRAY_LEN(types))];
    kept->count = count;
    if (kept->type != RESERVATION_NONE && !reservation_type_is_all(kept->type))
        kept->holder = (uint32_t)draw(&random, count);
    for (uint32_t i = 0; i < count; i++)
        registration_make(&kept->list[i], &random, i);
    return kept;
}

static bool registration_is(const struct registration *a, const struct registration *b)
{
    return a->key == b->key && strcmp(a->nexus.initiator, b->nexus.initiator) == 0 &&
           strcmp(a->nexus.target, b->nexus.target) == 0 &&
           memcmp(a->nexus.isid, b->nexus.isid, sizeof(a->nexus.isid)) == 0 &&
           a->nexus.portal_group_tag == b->nexus.portal_group_tag;
}

/* All of it is that number's. */
static bool volume_keeps(const struct volume *volume, uint64_t number)
{
    const struct kept_reservation *kept = volume_kept_reservation(volume);
    AUTO_FREE struct kept_reservation *want = reservation_make(number);
    if (kept == NULL || want == NULL)
        return kept == NULL && want == NULL;
    bool same = kept->type == want->type && kept->holder == want->holder &&
                kept->count == want->count;
    for (uint32_t i = 0; same && i < kept->count; i++)
        same = registration_is(&kept->list[i], &want->list[i]);
    return same;
}

/* ---- Changes ------------------------------------------------------------------------
 */

struct reserving {
    struct run *run;
    struct model_volume *volume;
};

/* An answer without power is none: the restart tells. */
static void on_kept(void *arg, const struct err *e)
{
    struct reserving r = *(struct reserving *)arg;
    struct model_volume *v = r.volume;
    free(arg);
    run_trace(r.run, "  reservation %llu of %s is answered: %s",
              (unsigned long long)v->asked, v->name, e == NULL ? "kept" : e->text);
    v->reserves = false;
    if (run_is_off(r.run))
        return;
    if (e != NULL)
        run_offend(r.run, "a reservation of %s cannot be kept: %s", v->name, e->text);
    v->kept = v->asked;
    if (!volume_keeps(model_find(v, r.run->rig.manager), v->kept))
        run_offend(r.run, "%s keeps another reservation than was answered", v->name);
}

void run_reserve(struct run *run)
{
    struct model_volume *v = run_any_volume(run, false);
    if (v == NULL || v->reserves)
        return;
    struct reserving *r = malloc(sizeof(*r));
    assert(r != NULL);
    *r = (struct reserving){.run = run, .volume = v};
    v->asked = run_chance(run, 20) ? 0 : ++run->model.next_reservation;
    v->reserves = true;
    run_trace(run, "keep reservation %llu of %s", (unsigned long long)v->asked, v->name);
    volume_keep_reservation(model_find(v, run->rig.manager), reservation_make(v->asked),
                            on_kept, r);
    if (run_chance(run, 40))
        run_reserve_await(run, v);
}

struct awaiting {
    const struct run *run;
    const struct model_volume *volume;
};

static bool has_reserved(void *arg)
{
    const struct awaiting *a = arg;
    for (const struct model_volume *v = a->run->model.volumes; v != NULL; v = v->next)
        if (v->reserves && (a->volume == NULL || a->volume == v))
            return false;
    return true;
}

void run_reserve_await(struct run *run, const struct model_volume *v)
{
    struct awaiting a = {.run = run, .volume = v};
    pool_rig_until(&run->rig, has_reserved, &a);
}

/* ---- What is there ------------------------------------------------------------------
 */

static void verify_volume(struct run *run, struct model_volume *v)
{
    const struct volume *volume = model_find(v, run->rig.manager);
    const struct kept_reservation *kept =
        volume == NULL ? NULL : volume_kept_reservation(volume);
    if (volume == NULL)
        return; /* others tell */
    if (volume_keeps(volume, v->asked))
        v->kept = v->asked;
    else if (volume_keeps(volume, v->kept))
        v->asked = v->kept;
    else
        run_offend(run, "%s keeps neither reservation %llu nor %llu: %u registrations",
                   v->name, (unsigned long long)v->kept, (unsigned long long)v->asked,
                   kept == NULL ? 0 : kept->count);
}

static void verify_snapshots(struct run *run, const struct model_volume *v)
{
    struct volume *volume = model_find(v, run->rig.manager), *s = NULL;
    while (volume != NULL && (s = volume_snapshot_next(volume, s)) != NULL)
        if (volume_kept_reservation(s) != NULL)
            run_offend(run, "a snapshot of %s keeps a reservation", v->name);
}

void run_verify_reservations(struct run *run)
{
    for (struct model_volume *v = run->model.volumes; v != NULL; v = v->next) {
        verify_volume(run, v);
        verify_snapshots(run, v);
    }
}
