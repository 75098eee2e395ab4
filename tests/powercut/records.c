/* SPDX-License-Identifier: Apache-2.0 */
/* Each change goes with a record, by number: after any restart the audit log has those of
 * the changes that took place, in order, and of no other. */
#include "tests/powercut/run.h"

#include "lunmgr/audit.h"
#include "lunmgr/record.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void run_record(struct run *run, struct change *c)
{
    struct record r = {.audited = true,
                       .who = "powercut",
                       .operation = "change",
                       .principal = "powercut"};
    c->record = ++run->last_record;
    snprintf(r.subject, sizeof(r.subject), "%llu", (unsigned long long)c->record);
    memcpy(r.key, r.subject, sizeof(r.subject));
    lunmgr_record_next(run->rig.manager, &r);
}

void run_recorded(struct run *run, const struct change *c)
{
    uint64_t *grown =
        realloc(run->recorded, (run->recorded_count + 1) * sizeof(*run->recorded));
    assert(grown != NULL);
    run->recorded = grown;
    grown[run->recorded_count++] = c->record;
}

struct look {
    struct run *run;
    uint64_t seen;
    uint8_t prev[DIGEST_BYTES];
    bool came, ended;
};

static void look_at(struct look *l, const struct audit_entry *entry)
{
    struct run *run = l->run;
    uint64_t want = l->seen < run->recorded_count ? run->recorded[l->seen] : 0;
    uint8_t hash[DIGEST_BYTES];
    audit_hash(l->prev, &entry->fields, hash);
    memcpy(l->prev, hash, sizeof(hash));
    l->seen++;
    if (memcmp(hash, entry->hash, sizeof(hash)) != 0 || entry->fields.seq != l->seen)
        run_offend(run, "the audit log's chain is broken at %llu",
                   (unsigned long long)l->seen);
    if (strtoull(entry->fields.subject, NULL, 10) != want)
        run_offend(run, "entry %llu of the audit log is of change %s, not %llu",
                   (unsigned long long)l->seen, entry->fields.subject,
                   (unsigned long long)want);
}

static void on_entries(void *arg, const struct audit_entry *entries, size_t count,
                       const struct err *e)
{
    struct look *l = arg;
    if (e != NULL)
        run_offend(l->run, "the audit log cannot be read: %s", e->text);
    for (size_t i = 0; i < count; i++)
        look_at(l, &entries[i]);
    l->ended = count < AUDIT_LIST_MAX;
    l->came = true;
}

static bool look_came(void *arg)
{
    return ((struct look *)arg)->came;
}

void run_verify_records(struct run *run)
{
    struct look l = {.run = run};
    while (!l.ended && !run_has_offence(run)) {
        l.came = false;
        audit_list(run->rig.manager, l.seen, AUDIT_LIST_MAX, on_entries, &l);
        pool_rig_until(&run->rig, look_came, &l);
    }
    if (!run_has_offence(run) && l.seen != run->recorded_count)
        run_offend(run, "the audit log has %llu entries of %zu changes",
                   (unsigned long long)l.seen, run->recorded_count);
}
