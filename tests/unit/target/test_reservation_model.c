/* SPDX-License-Identifier: Apache-2.0 */
/* Long random sequences of requests against a second formulation of SPC-4, 5.13: a key
 * for each nexus, the set of holders, and what each of them may do by asking a table.
 * States, statuses, sense, and all effects are compared after each step. */
#include "tests/unit/target/reservation_rig.h"

#include "tests/lib/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 200000

struct model {
    uint64_t key[NEXUSES]; /* 0: not registered */
    bool holds[NEXUSES];
    uint8_t type;
    uint32_t generation;
    bool aptpl;
    int reserver; /* SPC-2 */
};

/* What a step came to. */
struct verdict {
    enum sam_status status;
    enum sense_code code;
    int field; /* -1: none is named */
    enum sense_code told[NEXUSES];
    bool aborts[NEXUSES];
};

/* ---- The standard, once more --------------------------------------------------------
 */

static bool is_registered(const struct model *m, int n)
{
    return n < NEXUSES && m->key[n] != 0;
}

/* Table 57: R read-like, W write-like, T TEST UNIT READY, of a nexus that does not hold.
 */
static bool model_conflicts(const struct model *m, int n, char kind)
{
    if (m->reserver != NOBODY)
        return m->reserver != n;
    if (n < NEXUSES && m->holds[n])
        return false;
    switch (m->type) {
    case 1:
        return kind == 'W';
    case 3:
        return kind != 'T';
    case 5:
    case 7:
        return !is_registered(m, n) && kind == 'W';
    case 6:
    case 8:
        return !is_registered(m, n) && kind != 'T';
    default:
        return false;
    }
}

static bool is_all(uint8_t type)
{
    return type == 7 || type == 8;
}

static bool is_type(uint8_t type)
{
    return type == 1 || type == 3 || (type >= 5 && type <= 8);
}

static struct verdict refuse(enum sense_code code, int field)
{
    return (struct verdict){.status = SAM_CHECK_CONDITION, .code = code, .field = field};
}

static struct verdict conflict(void)
{
    return (struct verdict){.status = SAM_RESERVATION_CONFLICT, .field = -1};
}

static void hold(struct model *m, int who, uint8_t type)
{
    m->type = type;
    for (int n = 0; n < NEXUSES; n++)
        m->holds[n] = is_all(type) ? m->key[n] != 0 : n == who;
}

static void hold_none(struct model *m)
{
    m->type = 0;
    memset(m->holds, 0, sizeof(m->holds));
}

/* Those that go with all registrants hold as long as they are registered. */
static void settle(struct model *m)
{
    bool any = false;
    for (int n = 0; n < NEXUSES; n++) {
        if (is_all(m->type))
            m->holds[n] = m->key[n] != 0;
        m->holds[n] &= m->key[n] != 0;
        any |= m->holds[n];
    }
    if (!any)
        m->type = 0;
}

static void tell_registered(const struct model *m, struct verdict *v, int but,
                            enum sense_code code)
{
    for (int n = 0; n < NEXUSES; n++)
        if (n != but && m->key[n] != 0 && v->told[n] == SENSE_NONE)
            v->told[n] = code;
}

static bool concerns(const struct deed *d, int who, int n)
{
    return n % INITIATORS == who % INITIATORS && (d->all_ports || n == who);
}

static struct verdict do_register(struct model *m, int who, const struct deed *d)
{
    struct verdict v = {.field = -1};
    bool ignores = d->action == PR_REGISTER_AND_IGNORE, any = false;
    const struct model old = *m;
    if (!ignores && m->key[who] != d->key)
        return conflict();
    for (int n = 0; n < NEXUSES; n++) {
        if (!concerns(d, who, n) || m->key[n] == 0)
            continue;
        any = true;
        if (!ignores && m->key[n] != d->key)
            return conflict();
    }
    if (d->action_key == 0 && !any)
        return v;
    if (d->names_ports && m->key[who] != 0)
        return refuse(SENSE_INVALID_PARAM_FIELD, 20);
    for (int n = 0; n < NEXUSES; n++) {
        bool named = d->names_ports && (d->named >> (n % INITIATORS) & 1) != 0 &&
                     (d->all_ports || n / INITIATORS == who / INITIATORS);
        if (concerns(d, who, n))
            m->key[n] = d->action_key;
        else if (named && m->key[n] == 0)
            m->key[n] = d->action_key;
    }
    settle(m);
    m->aptpl = d->aptpl;
    m->generation++;
    if ((old.type == 5 || old.type == 6) && m->type == 0)
        for (int n = 0; n < NEXUSES; n++)
            if (n != who && old.key[n] != 0 && m->key[n] != 0)
                v.told[n] = SENSE_RESERVATIONS_RELEASED;
    return v;
}

static struct verdict do_reserve(struct model *m, int who, const struct deed *d)
{
    struct verdict good = {.field = -1};
    if (d->scope != 0 || !is_type(d->type))
        return refuse(SENSE_INVALID_CDB_FIELD, 2);
    if (m->type == 0) {
        hold(m, who, d->type);
        return good;
    }
    return m->holds[who] && m->type == d->type ? good : conflict();
}

static struct verdict do_release(struct model *m, int who, const struct deed *d)
{
    struct verdict v = {.field = -1};
    if (!m->holds[who])
        return v;
    if (d->scope != 0 || d->type != m->type)
        return refuse(SENSE_INVALID_RELEASE, -1);
    if (m->type > 3)
        tell_registered(m, &v, who, SENSE_RESERVATIONS_RELEASED);
    hold_none(m);
    return v;
}

static struct verdict do_clear(struct model *m, int who)
{
    struct verdict v = {.field = -1};
    tell_registered(m, &v, who, SENSE_RESERVATIONS_PREEMPTED);
    memset(m->key, 0, sizeof(m->key));
    hold_none(m);
    m->generation++;
    return v;
}

static struct verdict do_preempt(struct model *m, int who, const struct deed *d)
{
    struct verdict v = {.field = -1};
    bool aborts = d->action == PR_PREEMPT_AND_ABORT, found = false, takes = false;
    uint8_t old_type = m->type;
    if (is_all(m->type))
        takes = d->action_key == 0;
    else if (d->action_key == 0)
        return refuse(SENSE_INVALID_PARAM_FIELD, 8);
    for (int n = 0; n < NEXUSES; n++) {
        found |= m->key[n] != 0 && m->key[n] == d->action_key;
        takes |= !is_all(m->type) && m->holds[n] && m->key[n] == d->action_key;
    }
    if (!takes && !found)
        return conflict();
    if (takes && (d->scope != 0 || !is_type(d->type)))
        return refuse(SENSE_INVALID_CDB_FIELD, 2);
    for (int n = 0; n < NEXUSES; n++) {
        if (m->key[n] == 0 || (d->action_key != 0 && m->key[n] != d->action_key))
            continue;
        if (n != who) {
            v.told[n] = SENSE_REGISTRATIONS_PREEMPTED;
            v.aborts[n] = aborts;
            m->key[n] = 0;
        } else if (takes) {
            v.aborts[n] = aborts && m->holds[n] && d->action_key != 0;
        } else {
            v.aborts[n] = aborts;
            m->key[n] = 0;
        }
    }
    if (takes) {
        hold(m, who, d->type);
        if (d->type != old_type)
            tell_registered(m, &v, who, SENSE_RESERVATIONS_RELEASED);
    } else {
        settle(m);
    }
    m->generation++;
    return v;
}

static struct verdict do_move(struct model *m, int who, const struct deed *d)
{
    struct verdict v = {.field = -1};
    int to = (int)(__builtin_ctz(d->named)) + INITIATORS * (d->relative_port - 1);
    if (m->type == 0)
        return refuse(SENSE_INVALID_CDB_FIELD, 1);
    if (is_all(m->type) || !m->holds[who])
        return conflict();
    if (d->action_key == 0)
        return refuse(SENSE_INVALID_PARAM_FIELD, 8);
    if (d->relative_port < 1 || d->relative_port > PORTS)
        return refuse(SENSE_INVALID_PARAM_FIELD, 18);
    if (to % INITIATORS == who % INITIATORS)
        return refuse(SENSE_INVALID_PARAM_FIELD, 24);
    m->key[to] = d->action_key;
    hold(m, to, m->type);
    if (d->unregisters)
        m->key[who] = 0;
    m->aptpl = d->aptpl;
    m->generation++;
    return v;
}

static struct verdict do_pr_out(struct model *m, int who, const struct deed *d)
{
    bool registers = d->action == PR_REGISTER || d->action == PR_REGISTER_AND_IGNORE;
    if (d->names_ports && d->action != PR_REGISTER && d->action != PR_REGISTER_AND_MOVE)
        return refuse(SENSE_INVALID_PARAM_FIELD, 20);
    if (m->reserver != NOBODY)
        return conflict();
    if (registers)
        return do_register(m, who, d);
    if (m->key[who] == 0 || m->key[who] != d->key)
        return conflict();
    switch (d->action) {
    case PR_RESERVE:
        return do_reserve(m, who, d);
    case PR_RELEASE:
        return do_release(m, who, d);
    case PR_CLEAR:
        return do_clear(m, who);
    case PR_REGISTER_AND_MOVE:
        return do_move(m, who, d);
    default:
        return do_preempt(m, who, d);
    }
}

static bool anybody_registered(const struct model *m)
{
    for (int n = 0; n < NEXUSES; n++)
        if (m->key[n] != 0)
            return true;
    return false;
}

static struct verdict do_spc2(struct model *m, int who, bool reserves)
{
    struct verdict good = {.field = -1};
    if (anybody_registered(m)) /* SPC-4, 5.13.3 */
        return m->holds[who] || (m->type >= 5 && m->key[who] != 0) ? good : conflict();
    if (m->reserver != NOBODY && m->reserver != who)
        return reserves ? conflict() : good;
    m->reserver = reserves ? who : NOBODY;
    return good;
}

static struct verdict model_step(struct model *m, int who, const struct deed *d)
{
    switch (d->change) {
    case RESERVATION_PR_OUT:
        return do_pr_out(m, who, d);
    case RESERVATION_RESERVE:
    case RESERVATION_RELEASE:
        return do_spc2(m, who, d->change == RESERVATION_RESERVE);
    case RESERVATION_NEXUS_END:
        if (m->reserver == who)
            m->reserver = NOBODY;
        break;
    case RESERVATION_RESET:
        m->reserver = NOBODY;
        break;
    }
    return (struct verdict){.field = -1};
}

/* ---- Comparison ---------------------------------------------------------------------
 */

static void compare_state(const struct model *m, const struct reservation *r)
{
    assert_int_equal(r == NULL ? 0 : r->generation, m->generation);
    assert_int_equal(r == NULL ? 0 : r->type, m->type);
    assert_int_equal(r != NULL && r->aptpl, m->aptpl);
    assert_int_equal(r != NULL && r->is_reserved, m->reserver != NOBODY);
    uint32_t count = 0;
    for (int n = 0; n < NEXUSES; n++) {
        const struct reservation_member *member = reservation_member_of(r, nexus_of(n));
        assert_true((member == NULL ? 0 : member->key) == m->key[n]);
        assert_int_equal(reservation_is_held_by(r, nexus_of(n)), m->holds[n]);
        count += m->key[n] != 0;
    }
    assert_int_equal(r == NULL ? 0 : r->count, count);
}

static void compare_rights(const struct model *m, const struct reservation *r)
{
    for (int n = 0; n < 2 * NEXUSES; n++) {
        const struct reservation_nexus *who = nexus_of(n);
        assert_int_equal(reservation_conflicts(r, who, RESERVATION_CLASS_READ),
                         model_conflicts(m, n, 'R'));
        assert_int_equal(reservation_conflicts(r, who, RESERVATION_CLASS_WRITE),
                         model_conflicts(m, n, 'W'));
        assert_int_equal(reservation_conflicts(r, who, RESERVATION_CLASS_STATUS),
                         model_conflicts(m, n, 'T'));
        assert_int_equal(reservation_conflicts(r, who, RESERVATION_CLASS_PR),
                         m->reserver != NOBODY);
        assert_false(reservation_conflicts(r, who, RESERVATION_CLASS_FREE));
        assert_false(reservation_conflicts(r, who, RESERVATION_CLASS_RESERVE));
    }
}

static bool model_takes_away(const struct model *before, const struct model *after)
{
    for (int n = 0; n < 2 * NEXUSES; n++)
        for (const char *kind = "RWT"; *kind != '\0'; kind++)
            if (model_conflicts(after, n, *kind) && !model_conflicts(before, n, *kind))
                return true;
    return false;
}

/* What a loss of power leaves. */
static struct model model_kept(const struct model *m)
{
    struct model kept = {.reserver = NOBODY};
    if (m->aptpl && anybody_registered(m)) {
        kept = *m;
        kept.generation = 0;
    }
    return kept;
}

static bool model_keeps_the_same(const struct model *a, const struct model *b)
{
    struct model x = model_kept(a), y = model_kept(b);
    return memcmp(x.key, y.key, sizeof(x.key)) == 0 &&
           memcmp(x.holds, y.holds, sizeof(x.holds)) == 0 && x.type == y.type &&
           x.aptpl == y.aptpl;
}

static void compare_outcome(const struct model *before, const struct model *after,
                            const struct verdict *v,
                            const struct reservation_outcome *out)
{
    bool aborts = false;
    unsigned told = 0;
    assert_int_equal(out->status, v->status);
    assert_int_equal(out->status == SAM_CHECK_CONDITION ? out->sense.code : 0, v->code);
    if (v->status == SAM_CHECK_CONDITION) {
        assert_int_equal(out->sense.has_field, v->field >= 0);
        if (v->field >= 0)
            assert_int_equal(out->sense.field_byte, v->field);
    }
    for (int n = 0; n < NEXUSES; n++) {
        const struct reservation_told *t = reservation_told_of(out, nexus_of(n));
        assert_int_equal(t == NULL ? SENSE_NONE : t->code, v->told[n]);
        assert_int_equal(t != NULL && t->aborts, v->aborts[n]);
        aborts |= v->aborts[n];
        told += t != NULL;
    }
    assert_int_equal(told, out->told_count);
    assert_int_equal(out->aborts, aborts);
    assert_int_equal(out->takes_away, model_takes_away(before, after));
    if (model_keeps_the_same(before, after)) /* an order of members may have changed */
        assert_true(!out->is_kept || before->aptpl);
    else
        assert_true(out->is_kept);
    assert_true(out->status == SAM_GOOD || out->after == NULL);
}

/* A restart of after: what is kept is the same state, with generation 0. */
static void compare_restart(const struct model *m, const struct reservation *r)
{
    struct kept_reservation *kept;
    const struct reservation *again;
    const struct model want = model_kept(m);
    assert_int_equal(reservation_keep(r, &kept), 0);
    assert_int_equal(reservation_load(kept, &again), 0);
    compare_state(&want, again);
    reservation_put(again);
    free(kept);
}

/* ---- Random requests ----------------------------------------------------------------
 */

static uint64_t some_key(uint64_t *seed, const struct model *m, int who)
{
    uint64_t keys[] = {0, m->key[who], m->key[draw(seed, NEXUSES)], 1 + draw(seed, 4)};
    return keys[draw(seed, 4)];
}

/* Who is registered, or holds, has more to ask for. */
static int somebody(uint64_t *seed, const struct model *m)
{
    int who = (int)draw(seed, NEXUSES);
    for (int i = 0; i < 4 && draw(seed, 8) != 0 && m->key[who] == 0; i++)
        who = (int)draw(seed, NEXUSES);
    for (int n = 0; n < NEXUSES; n++)
        if (m->holds[n] && draw(seed, 4) == 0)
            who = n;
    return who;
}

static struct deed some_deed(uint64_t *seed, const struct model *m, int who)
{
    static const uint8_t types[] = {1, 3, 5, 6, 7, 8};
    struct deed d = {.change = RESERVATION_PR_OUT};
    if (draw(seed, m->reserver == NOBODY ? 12 : 2) == 0)
        d.change = (enum reservation_change)draw(seed, 5);
    d.action = (enum pr_out_action)draw(seed, 8);
    if (d.action == PR_CLEAR && draw(seed, 4) != 0)
        d.action = PR_RESERVE;
    d.type = draw(seed, 20) == 0 ? (uint8_t)draw(seed, 16) : types[draw(seed, 6)];
    if (draw(seed, 3) == 0)
        d.type = m->type;
    d.scope = draw(seed, 40) == 0;
    d.key = draw(seed, 8) == 0 ? some_key(seed, m, who) : m->key[who];
    d.action_key = some_key(seed, m, who);
    if (d.action_key == 0 && draw(seed, 4) != 0)
        d.action_key = 1 + draw(seed, 4);
    d.aptpl = draw(seed, 2) == 0;
    d.all_ports = draw(seed, 4) == 0;
    d.names_ports = draw(seed, d.action == PR_REGISTER ? 3 : 40) == 0;
    d.unregisters = draw(seed, 2) == 0;
    d.named = (unsigned)draw(seed, 1U << INITIATORS);
    d.relative_port = (uint16_t)draw(seed, PORTS + 2);
    if (d.action == PR_REGISTER_AND_MOVE) {
        d.named = 1U << draw(seed, INITIATORS);
        d.names_ports = false;
    }
    return d;
}

/* How often each action ended how: no sequence may be of refusals alone. */
static unsigned seen[8][3];

static void count_seen(const struct deed *d, enum sam_status status)
{
    if (d->change == RESERVATION_PR_OUT)
        seen[d->action][status == SAM_GOOD ? 0 : status == SAM_CHECK_CONDITION ? 1 : 2]++;
}

static void run(uint64_t seed, unsigned steps)
{
    struct model m = {.reserver = NOBODY};
    const struct reservation *r = NULL;
    for (unsigned i = 0; i < steps; i++) {
        const struct model before = m;
        int who = somebody(&seed, &m);
        struct deed d = some_deed(&seed, &m, who);
        struct verdict v = model_step(&m, who, &d);
        (void)deed_do(&r, who, &d);
        count_seen(&d, v.status);
        compare_outcome(&before, &m, &v, &rig_outcome);
        compare_state(&m, r);
        compare_rights(&m, r);
        if (i % 16 == 0)
            compare_restart(&m, r);
    }
    reservation_put(r);
    rig_outcome_fini();
}

static void random_requests_do_what_the_standard_says(void **state)
{
    (void)state;
    memset(seen, 0, sizeof(seen));
    for (uint64_t seed = 1; seed <= 20; seed++)
        run(seed * 0x9e3779b97f4a7c15, STEPS / 20);
    for (unsigned action = 0; action < 8; action++) {
        print_message("action %u: %u good, %u check condition, %u conflict\n", action,
                      seen[action][0], seen[action][1], seen[action][2]);
        assert_true(seen[action][0] > 200);
        assert_true(seen[action][2] > 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_requests_do_what_the_standard_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
