/* SPDX-License-Identifier: Apache-2.0 */
/* target/reservation.h, case by case: the tables of SPC-4 and SBC-4 in full, what each
 * service action does and whom it tells, in the standard's words. */
#include "tests/unit/target/reservation_rig.h"

#include "tests/lib/fail_malloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nexuses 0 to 3 are of four initiator ports through target port 1, 4 to 7 the same
 * through target port 2. */
#define A        0
#define B        1
#define C        2
#define A_AT_2   4
#define B_AT_2   5
#define STRANGER NEXUSES

static const struct reservation *state;

static int setup(void **unused)
{
    (void)unused;
    state = NULL;
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    reservation_put(state);
    rig_outcome_fini();
    return 0;
}

static enum sam_status act(int who, enum pr_out_action action, uint8_t type, uint64_t key,
                           uint64_t action_key)
{
    const struct deed deed = {.change = RESERVATION_PR_OUT,
                              .action = action,
                              .type = type,
                              .key = key,
                              .action_key = action_key};
    return deed_do(&state, who, &deed);
}

static enum sam_status spc2(int who, enum reservation_change change)
{
    const struct deed deed = {.change = change};
    return deed_do(&state, who, &deed);
}

/* The key of nexus n is 10 + n. */
static void join(int n)
{
    assert_int_equal(act(n, PR_REGISTER, 0, 0, 10 + (uint64_t)n), SAM_GOOD);
}

static enum sam_status reserve(int n, uint8_t type)
{
    return act(n, PR_RESERVE, type, 10 + (uint64_t)n, 0);
}

static bool is_member(int n)
{
    return reservation_member_of(state, nexus_of(n)) != NULL;
}

static bool holds(int n)
{
    return reservation_is_held_by(state, nexus_of(n));
}

static enum sense_code told(int n)
{
    const struct reservation_told *t = reservation_told_of(&rig_outcome, nexus_of(n));
    return t == NULL ? SENSE_NONE : t->code;
}

static void assert_check(enum sense_code code, int byte, int bit)
{
    const struct sense *s = &rig_outcome.sense;
    assert_int_equal(rig_outcome.status, SAM_CHECK_CONDITION);
    assert_int_equal(s->code, code);
    assert_int_equal(s->has_field, byte >= 0);
    if (byte >= 0) {
        assert_int_equal(s->field_byte, byte);
        assert_int_equal(s->field_has_bit, bit >= 0);
        if (bit >= 0)
            assert_int_equal(s->field_bit, bit);
    }
    assert_null(rig_outcome.after);
}

/* ---- Who may do what ----------------------------------------------------------------
 */

/* A column each: FREE, STATUS, READ, WRITE, PR, RESERVE. */
static void assert_rights(int n, const char *row)
{
    for (int class = 0; class < RESERVATION_CLASS_COUNT; class ++)
        assert_int_equal(
            reservation_conflicts(state, nexus_of(n), (enum reservation_class) class),
            row[class] == 'C');
}

static void every_type_lets_through_what_its_table_says(void **unused)
{
    static const struct {
        uint8_t type;
        const char *holder, *registered, *other;
    } table[] = {
        {1, "AAAAAA", "AAACAA", "AAACAA"}, {3, "AAAAAA", "AACCAA", "AACCAA"},
        {5, "AAAAAA", "AAAAAA", "AAACAA"}, {6, "AAAAAA", "AAAAAA", "AACCAA"},
        {7, "AAAAAA", "AAAAAA", "AAACAA"}, {8, "AAAAAA", "AAAAAA", "AACCAA"},
    };
    (void)unused;
    assert_rights(A, "AAAAAA"); /* no state at all */
    join(A);
    join(B);
    assert_rights(STRANGER, "AAAAAA"); /* registrations keep nobody out */
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        assert_int_equal(reserve(A, table[i].type), SAM_GOOD);
        assert_rights(A, table[i].holder);
        assert_rights(B, table[i].registered);
        assert_rights(C, table[i].other);
        assert_rights(A_AT_2, table[i].other); /* the initiator port is not the nexus */
        assert_rights(STRANGER, table[i].other);
        assert_int_equal(act(A, PR_RELEASE, table[i].type, 10, 0), SAM_GOOD);
        assert_rights(STRANGER, "AAAAAA");
    }
}

static void spc2_reservation_lets_through_what_its_table_says(void **unused)
{
    (void)unused;
    assert_int_equal(spc2(A, RESERVATION_RESERVE), SAM_GOOD);
    assert_rights(A, "AAAACA");
    assert_rights(B, "ACCCCA");
    assert_rights(A_AT_2, "ACCCCA");
}

/* ---- RESERVE and RELEASE ------------------------------------------------------------
 */

static void spc2_reservation_is_its_nexuss(void **unused)
{
    (void)unused;
    assert_int_equal(spc2(A, RESERVATION_RESERVE), SAM_GOOD);
    assert_true(rig_outcome.takes_away);
    assert_false(rig_outcome.is_kept);
    assert_int_equal(spc2(A, RESERVATION_RESERVE), SAM_GOOD);
    assert_null(rig_outcome.after);
    assert_int_equal(spc2(B, RESERVATION_RESERVE), SAM_RESERVATION_CONFLICT);
    assert_int_equal(spc2(B, RESERVATION_RELEASE), SAM_GOOD); /* of no effect */
    assert_rights(B, "ACCCCA");
    assert_int_equal(act(A, PR_REGISTER, 0, 0, 1), SAM_RESERVATION_CONFLICT);
    assert_int_equal(act(B, PR_REGISTER_AND_IGNORE, 0, 0, 1), SAM_RESERVATION_CONFLICT);
    assert_int_equal(spc2(A, RESERVATION_RELEASE), SAM_GOOD);
    assert_false(rig_outcome.takes_away);
    assert_rights(B, "AAAAAA");
    assert_int_equal(spc2(B, RESERVATION_RESERVE), SAM_GOOD);
}

static void spc2_reservation_ends_with_its_nexus_and_by_a_reset(void **unused)
{
    (void)unused;
    assert_int_equal(spc2(A, RESERVATION_RESERVE), SAM_GOOD);
    assert_int_equal(spc2(B, RESERVATION_NEXUS_END), SAM_GOOD);
    assert_rights(B, "ACCCCA");
    assert_int_equal(spc2(A, RESERVATION_NEXUS_END), SAM_GOOD);
    assert_rights(B, "AAAAAA");
    assert_int_equal(spc2(A, RESERVATION_RESERVE), SAM_GOOD);
    assert_int_equal(spc2(B, RESERVATION_RESET), SAM_GOOD);
    assert_rights(B, "AAAAAA");
}

static void persistent_reservation_outlives_nexuses_and_resets(void **unused)
{
    (void)unused;
    join(A);
    assert_int_equal(reserve(A, 3), SAM_GOOD);
    assert_int_equal(spc2(A, RESERVATION_NEXUS_END), SAM_GOOD);
    assert_int_equal(spc2(B, RESERVATION_RESET), SAM_GOOD);
    assert_null(rig_outcome.after);
    assert_true(holds(A));
}

/* SPC-4, 5.13.3. */
static void reserve_beside_registrations_changes_nothing(void **unused)
{
    static const struct {
        uint8_t type;
        enum sam_status registered;
    } cases[] = {{1, SAM_RESERVATION_CONFLICT},
                 {3, SAM_RESERVATION_CONFLICT},
                 {5, SAM_GOOD},
                 {6, SAM_GOOD},
                 {7, SAM_GOOD},
                 {8, SAM_GOOD}};
    static const enum reservation_change both[] = {RESERVATION_RESERVE,
                                                   RESERVATION_RELEASE};
    (void)unused;
    join(A);
    join(B);
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(spc2(A, both[k]), SAM_RESERVATION_CONFLICT);
        assert_int_equal(spc2(C, both[k]), SAM_RESERVATION_CONFLICT);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            assert_int_equal(reserve(A, cases[i].type), SAM_GOOD);
            assert_int_equal(spc2(A, both[k]), SAM_GOOD);
            assert_int_equal(spc2(B, both[k]), cases[i].registered);
            assert_int_equal(spc2(C, both[k]), SAM_RESERVATION_CONFLICT);
            assert_null(rig_outcome.after);
            assert_int_equal(state->type, cases[i].type);
            assert_int_equal(act(A, PR_RELEASE, cases[i].type, 10, 0), SAM_GOOD);
        }
    }
}

/* ---- REGISTER -----------------------------------------------------------------------
 */

static void register_asks_for_the_key_that_is_there(void **unused)
{
    (void)unused;
    assert_int_equal(act(A, PR_REGISTER, 0, 1, 2), SAM_RESERVATION_CONFLICT);
    assert_int_equal(act(A, PR_REGISTER, 0, 0, 0), SAM_GOOD); /* nothing is done */
    assert_null(state);
    join(A);
    assert_int_equal(state->generation, 1);
    assert_int_equal(act(A, PR_REGISTER, 0, 0, 5), SAM_RESERVATION_CONFLICT);
    assert_int_equal(act(A, PR_REGISTER, 0, 11, 5), SAM_RESERVATION_CONFLICT);
    assert_int_equal(state->generation, 1);
    assert_int_equal(act(A, PR_REGISTER, 0, 10, 5), SAM_GOOD);
    assert_int_equal(state->members[0].key, 5);
    assert_int_equal(state->generation, 2);
    assert_int_equal(act(A, PR_REGISTER, 0, 5, 0), SAM_GOOD);
    assert_false(is_member(A));
    assert_int_equal(state->generation, 3);
}

static void register_and_ignore_asks_for_no_key(void **unused)
{
    (void)unused;
    assert_int_equal(act(A, PR_REGISTER_AND_IGNORE, 0, 99, 0), SAM_GOOD);
    assert_null(state);
    assert_int_equal(act(A, PR_REGISTER_AND_IGNORE, 0, 99, 1), SAM_GOOD);
    assert_int_equal(act(A, PR_REGISTER_AND_IGNORE, 0, 99, 2), SAM_GOOD);
    assert_int_equal(state->count, 1);
    assert_int_equal(state->members[0].key, 2);
    assert_int_equal(state->generation, 2);
    assert_int_equal(act(A, PR_REGISTER_AND_IGNORE, 0, 99, 0), SAM_GOOD);
    assert_int_equal(state->count, 0);
}

static void holder_that_unregisters_releases(void **unused)
{
    (void)unused;
    for (uint8_t type = 1; type <= 8; type++) {
        if (!reservation_type_exists(type))
            continue;
        join(A);
        join(B);
        assert_int_equal(reserve(A, type), SAM_GOOD);
        assert_int_equal(act(A, PR_REGISTER, 0, 10, 0), SAM_GOOD);
        bool stays = type >= 7; /* B holds it, too */
        assert_int_equal(state->type, stays ? type : 0);
        assert_int_equal(holds(B), stays);
        assert_int_equal(told(B), type == 5 || type == 6 ? SENSE_RESERVATIONS_RELEASED
                                                         : SENSE_NONE);
        assert_int_equal(told(A), SENSE_NONE);
        assert_int_equal(act(B, PR_REGISTER, 0, 11, 0), SAM_GOOD);
        assert_int_equal(state->type, 0); /* the last one went */
        assert_int_equal(state->count, 0);
    }
}

static void holder_keeps_its_reservation_under_another_key(void **unused)
{
    (void)unused;
    join(B);
    join(A);
    assert_int_equal(reserve(A, 3), SAM_GOOD);
    assert_int_equal(act(A, PR_REGISTER, 0, 10, 55), SAM_GOOD);
    assert_true(holds(A));
    assert_int_equal(act(B, PR_REGISTER, 0, 11, 0), SAM_GOOD); /* indexes move */
    assert_true(holds(A));
    assert_int_equal(state->members[state->holder].key, 55);
}

static void all_target_ports_register_at_once_or_not_at_all(void **unused)
{
    struct deed all = {.change = RESERVATION_PR_OUT,
                       .action = PR_REGISTER,
                       .action_key = 7,
                       .all_ports = true};
    (void)unused;
    assert_int_equal(deed_do(&state, A, &all), SAM_GOOD);
    assert_true(is_member(A) && is_member(A_AT_2) && !is_member(B));
    assert_int_equal(state->count, 2);
    assert_int_equal(state->generation, 1);

    assert_int_equal(act(B_AT_2, PR_REGISTER, 0, 0, 8), SAM_GOOD);
    assert_int_equal(deed_do(&state, B, &all), SAM_RESERVATION_CONFLICT);
    assert_false(is_member(B));
    all.action = PR_REGISTER_AND_IGNORE;
    assert_int_equal(deed_do(&state, B, &all), SAM_GOOD);
    assert_int_equal(reservation_member_of(state, nexus_of(B_AT_2))->key, 7);

    all.action = PR_REGISTER;
    all.key = 7;
    all.action_key = 0;
    assert_int_equal(deed_do(&state, A, &all), SAM_GOOD);
    assert_false(is_member(A) || is_member(A_AT_2));
    assert_int_equal(state->count, 2);
}

static void named_ports_register_with_the_asker(void **unused)
{
    struct deed named = {.change = RESERVATION_PR_OUT,
                         .action = PR_REGISTER,
                         .action_key = 7,
                         .names_ports = true,
                         .named = 1U << B | 1U << C};
    (void)unused;
    join(C);
    assert_int_equal(deed_do(&state, A, &named), SAM_GOOD);
    assert_true(is_member(A) && is_member(B) && is_member(C));
    assert_int_equal(reservation_member_of(state, nexus_of(B))->key, 7);
    assert_int_equal(reservation_member_of(state, nexus_of(C))->key, 10 + C);
    assert_int_equal(state->count, 3);
    named.key = 7;
    assert_int_equal(deed_do(&state, A, &named), SAM_CHECK_CONDITION);
    assert_check(SENSE_INVALID_PARAM_FIELD, 20, 3);
    named.action = PR_REGISTER_AND_IGNORE;
    assert_int_equal(deed_do(&state, A, &named), SAM_CHECK_CONDITION);
    assert_check(SENSE_INVALID_PARAM_FIELD, 20, 3);
}

/* ---- The limit ----------------------------------------------------------------------
 */

static struct kept_reservation *full(uint32_t count)
{
    struct kept_reservation *kept =
        calloc(1, sizeof(*kept) + count * sizeof(kept->list[0]));
    assert_non_null(kept);
    kept->count = count;
    for (uint32_t i = 0; i < count; i++) {
        kept->list[i].key = 1000 + i;
        snprintf(kept->list[i].nexus.initiator, REGISTRATION_NAME_MAX, "iqn.x:%u", i);
    }
    return kept;
}

static void registration_beyond_the_limit_is_refused_whole(void **unused)
{
    AUTO_FREE struct kept_reservation *kept = full(REGISTRATION_COUNT_MAX - 1);
    struct deed named = {.change = RESERVATION_PR_OUT,
                         .action = PR_REGISTER,
                         .action_key = 7,
                         .names_ports = true,
                         .named = 1U << B};
    (void)unused;
    assert_int_equal(reservation_load(kept, &state), 0);
    assert_int_equal(deed_do(&state, A, &named), SAM_CHECK_CONDITION);
    assert_check(SENSE_NO_REGISTRATION_RESOURCES, -1, -1);
    assert_false(is_member(A));
    named.names_ports = false;
    named.all_ports = true;
    assert_int_equal(deed_do(&state, A, &named), SAM_CHECK_CONDITION);
    assert_check(SENSE_NO_REGISTRATION_RESOURCES, -1, -1);
    join(A);
    assert_int_equal(state->count, REGISTRATION_COUNT_MAX);
    assert_int_equal(act(B, PR_REGISTER, 0, 0, 1), SAM_CHECK_CONDITION);
    assert_check(SENSE_NO_REGISTRATION_RESOURCES, -1, -1);
    assert_int_equal(act(A, PR_REGISTER, 0, 10, 5), SAM_GOOD); /* none more is needed */
    assert_int_equal(act(A, PR_PREEMPT, 0, 5, 1000), SAM_GOOD);
    assert_int_equal(act(B, PR_REGISTER, 0, 0, 1), SAM_GOOD);
}

/* ---- RESERVE, RELEASE, CLEAR --------------------------------------------------------
 */

static void only_the_registered_may_ask_and_by_their_key(void **unused)
{
    (void)unused;
    join(B);
    for (unsigned action = 0; action < 8; action++) {
        struct deed deed = {.change = RESERVATION_PR_OUT,
                            .action = (enum pr_out_action)action,
                            .type = 1,
                            .key = 99,
                            .action_key = 11,
                            .named = 1U << C,
                            .relative_port = 1};
        if (action == PR_REGISTER_AND_IGNORE)
            continue;
        assert_int_equal(deed_do(&state, A, &deed), SAM_RESERVATION_CONFLICT);
        assert_int_equal(deed_do(&state, B, &deed), SAM_RESERVATION_CONFLICT);
        deed.key = 0;
        assert_int_equal(deed_do(&state, B, &deed), SAM_RESERVATION_CONFLICT);
        if (action != PR_REGISTER)
            assert_int_equal(deed_do(&state, A, &deed), SAM_RESERVATION_CONFLICT);
    }
    assert_int_equal(state->generation, 1);
    assert_int_equal(state->count, 1);
}

static void reserve_is_for_one_and_may_be_repeated(void **unused)
{
    (void)unused;
    join(A);
    join(B);
    assert_int_equal(reserve(A, 2), SAM_CHECK_CONDITION);
    assert_check(SENSE_INVALID_CDB_FIELD, 2, 3);
    const struct deed scoped = {.change = RESERVATION_PR_OUT,
                                .action = PR_RESERVE,
                                .scope = 2,
                                .type = 1,
                                .key = 10};
    assert_int_equal(deed_do(&state, A, &scoped), SAM_CHECK_CONDITION);
    assert_check(SENSE_INVALID_CDB_FIELD, 2, 7);
    assert_int_equal(reserve(A, 5), SAM_GOOD);
    assert_true(rig_outcome.takes_away);
    assert_int_equal(reserve(A, 5), SAM_GOOD);
    assert_null(rig_outcome.after);
    assert_int_equal(reserve(A, 6), SAM_RESERVATION_CONFLICT);
    assert_int_equal(reserve(B, 5), SAM_RESERVATION_CONFLICT);
    assert_int_equal(state->generation, 2); /* of the two registrations */
    assert_int_equal(act(A, PR_RELEASE, 5, 10, 0), SAM_GOOD);
    assert_int_equal(reserve(A, 8), SAM_GOOD);
    assert_true(holds(A) && holds(B) && !holds(C));
    assert_int_equal(reserve(B, 8), SAM_GOOD); /* it holds it as well */
}

static void release_is_the_holders(void **unused)
{
    (void)unused;
    join(A);
    join(B);
    assert_int_equal(act(A, PR_RELEASE, 1, 10, 0), SAM_GOOD); /* there is none */
    for (uint8_t type = 1; type <= 8; type++) {
        if (!reservation_type_exists(type))
            continue;
        assert_int_equal(reserve(A, type), SAM_GOOD);
        if (type < 7) {
            assert_int_equal(act(B, PR_RELEASE, type, 11, 0), SAM_GOOD);
            assert_int_equal(state->type, type); /* it was not B's */
        }
        assert_int_equal(act(A, PR_RELEASE, type == 1 ? 3 : 1, 10, 0),
                         SAM_CHECK_CONDITION);
        assert_check(SENSE_INVALID_RELEASE, -1, -1);
        assert_int_equal(act(A, PR_RELEASE, type, 10, 0), SAM_GOOD);
        assert_int_equal(state->type, 0);
        assert_int_equal(told(B), type > 3 ? SENSE_RESERVATIONS_RELEASED : SENSE_NONE);
        assert_int_equal(told(A), SENSE_NONE);
        assert_false(rig_outcome.takes_away);
    }
    assert_int_equal(state->generation, 2);
}

static void clear_takes_all_and_tells_all_others(void **unused)
{
    (void)unused;
    join(A);
    join(B);
    join(C);
    assert_int_equal(reserve(A, 3), SAM_GOOD);
    assert_int_equal(act(B, PR_CLEAR, 0, 11, 0), SAM_GOOD);
    assert_int_equal(state->count, 0);
    assert_int_equal(state->type, 0);
    assert_int_equal(state->generation, 4);
    assert_int_equal(told(A), SENSE_RESERVATIONS_PREEMPTED);
    assert_int_equal(told(B), SENSE_NONE);
    assert_int_equal(told(C), SENSE_RESERVATIONS_PREEMPTED);
    assert_false(rig_outcome.takes_away);
}

/* ---- PREEMPT ------------------------------------------------------------------------
 */

static void preempt_of_the_holder_takes_its_place(void **unused)
{
    (void)unused;
    join(A);
    join(B);
    join(C);
    assert_int_equal(reserve(A, 1), SAM_GOOD);
    assert_int_equal(act(B, PR_PREEMPT, 2, 11, 10), SAM_CHECK_CONDITION);
    assert_check(SENSE_INVALID_CDB_FIELD, 2, 3);
    assert_int_equal(act(B, PR_PREEMPT, 1, 11, 10), SAM_GOOD);
    assert_true(holds(B) && !is_member(A) && is_member(C));
    assert_int_equal(told(A), SENSE_REGISTRATIONS_PREEMPTED);
    assert_int_equal(told(C), SENSE_NONE); /* the same type */
    assert_int_equal(told(B), SENSE_NONE);
    assert_false(rig_outcome.aborts);
    assert_true(rig_outcome.takes_away);
    assert_int_equal(state->generation, 4);
    assert_int_equal(act(C, PR_PREEMPT_AND_ABORT, 6, 12, 11), SAM_GOOD);
    assert_true(reservation_told_of(&rig_outcome, nexus_of(B))->aborts);
    assert_true(rig_outcome.aborts);
    join(A);
    assert_int_equal(act(A, PR_PREEMPT, 3, 10, 12), SAM_GOOD);
    assert_int_equal(state->type, 3);
}

static void preempt_with_another_type_tells_who_stays(void **unused)
{
    (void)unused;
    join(A);
    join(B);
    join(C);
    assert_int_equal(reserve(A, 5), SAM_GOOD);
    assert_int_equal(act(B, PR_PREEMPT, 6, 11, 10), SAM_GOOD);
    assert_int_equal(told(C), SENSE_RESERVATIONS_RELEASED);
}

static void preempt_of_others_leaves_the_reservation(void **unused)
{
    (void)unused;
    join(A);
    join(B);
    join(C);
    assert_int_equal(reserve(A, 5), SAM_GOOD);
    assert_int_equal(act(B, PR_PREEMPT_AND_ABORT, 15, 11, 12), SAM_GOOD); /* no type */
    assert_true(holds(A) && is_member(B) && !is_member(C));
    assert_int_equal(state->type, 5);
    assert_int_equal(told(C), SENSE_REGISTRATIONS_PREEMPTED);
    assert_int_equal(told(A), SENSE_NONE);
    assert_true(rig_outcome.takes_away);
    assert_int_equal(act(B, PR_PREEMPT, 5, 11, 12), SAM_RESERVATION_CONFLICT);
    assert_int_equal(act(B, PR_PREEMPT, 5, 11, 0), SAM_CHECK_CONDITION);
    assert_check(SENSE_INVALID_PARAM_FIELD, 8, -1);
}

static void holder_may_preempt_itself(void **unused)
{
    (void)unused;
    join(A);
    assert_int_equal(act(B, PR_REGISTER, 0, 0, 10), SAM_GOOD); /* the same key */
    assert_int_equal(reserve(A, 1), SAM_GOOD);
    assert_int_equal(act(A, PR_PREEMPT_AND_ABORT, 3, 10, 10), SAM_GOOD);
    assert_true(holds(A) && !is_member(B));
    assert_int_equal(state->type, 3);
    assert_int_equal(told(A), SENSE_NONE);
    assert_true(reservation_told_of(&rig_outcome, nexus_of(A))->aborts);
}

static void nobody_left_by_its_own_key_holds_nothing(void **unused)
{
    (void)unused;
    join(A);
    assert_int_equal(act(A, PR_PREEMPT, 1, 10, 10), SAM_GOOD); /* no reservation */
    assert_false(is_member(A));
    join(A);
    assert_int_equal(reserve(A, 7), SAM_GOOD);
    assert_int_equal(act(A, PR_PREEMPT, 7, 10, 10), SAM_GOOD);
    assert_int_equal(state->count, 0);
    assert_int_equal(state->type, 0);
}

static void zero_preempts_all_registrants(void **unused)
{
    (void)unused;
    join(A);
    join(B);
    join(C);
    assert_int_equal(reserve(A, 8), SAM_GOOD);
    assert_int_equal(act(B, PR_PREEMPT, 8, 11, 12), SAM_GOOD); /* C's registration */
    assert_true(holds(A) && holds(B) && !is_member(C));
    assert_int_equal(act(B, PR_PREEMPT, 1, 11, 0), SAM_GOOD);
    assert_int_equal(state->count, 1);
    assert_int_equal(state->type, 1);
    assert_true(holds(B));
    assert_int_equal(told(A), SENSE_REGISTRATIONS_PREEMPTED);
}

/* ---- REGISTER AND MOVE --------------------------------------------------------------
 */

static enum sam_status move(int who, unsigned to, uint16_t port, uint64_t key,
                            bool unregisters)
{
    const struct deed deed = {.change = RESERVATION_PR_OUT,
                              .action = PR_REGISTER_AND_MOVE,
                              .key = 10 + (uint64_t)who,
                              .action_key = key,
                              .named = 1U << to,
                              .relative_port = port,
                              .unregisters = unregisters};
    return deed_do(&state, who, &deed);
}

static void move_takes_the_reservation_elsewhere(void **unused)
{
    (void)unused;
    join(A);
    assert_int_equal(move(A, B, 1, 50, false), SAM_CHECK_CONDITION); /* none is held */
    assert_check(SENSE_INVALID_CDB_FIELD, 1, 4);
    assert_int_equal(reserve(A, 3), SAM_GOOD);
    assert_int_equal(move(A, B, 2, 50, false), SAM_GOOD);
    assert_true(holds(B_AT_2) && is_member(A) && !holds(A) && !is_member(B));
    assert_int_equal(state->type, 3);
    assert_int_equal(state->generation, 2);
    assert_int_equal(rig_outcome.told_count, 0);
    assert_true(rig_outcome.takes_away);
    assert_int_equal(move(A, C, 1, 50, false), SAM_RESERVATION_CONFLICT);
    join(C); /* who is registered already gets the key all the same */
    const struct deed back = {.change = RESERVATION_PR_OUT,
                              .action = PR_REGISTER_AND_MOVE,
                              .key = 50,
                              .action_key = 60,
                              .named = 1U << C,
                              .relative_port = 1,
                              .unregisters = true,
                              .aptpl = true};
    assert_int_equal(deed_do(&state, B_AT_2, &back), SAM_GOOD);
    assert_true(holds(C) && !is_member(B_AT_2) && is_member(A));
    assert_int_equal(state->members[state->holder].key, 60);
    assert_true(rig_outcome.is_kept);
}

static void move_names_what_is_wrong(void **unused)
{
    (void)unused;
    join(A);
    join(B);
    assert_int_equal(reserve(A, 1), SAM_GOOD);
    assert_int_equal(move(A, B, 1, 0, false), SAM_CHECK_CONDITION);
    assert_check(SENSE_INVALID_PARAM_FIELD, 8, -1);
    assert_int_equal(move(A, B, 3, 5, false), SAM_CHECK_CONDITION);
    assert_check(SENSE_INVALID_PARAM_FIELD, 18, -1);
    assert_int_equal(move(A, A, 2, 5, false), SAM_CHECK_CONDITION);
    assert_check(SENSE_INVALID_PARAM_FIELD, 24, -1);
    assert_int_equal(act(A, PR_RELEASE, 1, 10, 0), SAM_GOOD);
    assert_int_equal(reserve(A, 7), SAM_GOOD);
    assert_int_equal(move(A, B, 1, 5, false), SAM_RESERVATION_CONFLICT);
}

/* ---- APTPL --------------------------------------------------------------------------
 */

static void what_is_kept_is_told_each_time_that_it_changes(void **unused)
{
    struct deed deed = {.change = RESERVATION_PR_OUT,
                        .action = PR_REGISTER,
                        .action_key = 10,
                        .aptpl = true};
    (void)unused;
    join(B);
    assert_false(rig_outcome.is_kept);
    assert_int_equal(deed_do(&state, A, &deed), SAM_GOOD);
    assert_true(rig_outcome.is_kept); /* B's, too */
    assert_int_equal(reserve(A, 3), SAM_GOOD);
    assert_true(rig_outcome.is_kept);
    assert_int_equal(reserve(A, 3), SAM_GOOD);
    assert_false(rig_outcome.is_kept);
    deed.key = 10;
    assert_int_equal(deed_do(&state, A, &deed), SAM_GOOD); /* the same again */
    assert_non_null(rig_outcome.after);
    assert_false(rig_outcome.is_kept);
    deed.key = 0;
    deed.action_key = 0;
    deed.aptpl = false;
    assert_int_equal(deed_do(&state, C, &deed), SAM_GOOD); /* it is nobody */
    assert_true(state->aptpl);
    deed.key = deed.action_key = 10;
    assert_int_equal(deed_do(&state, A, &deed), SAM_GOOD);
    assert_true(rig_outcome.is_kept); /* no more */
    struct kept_reservation *kept;
    assert_int_equal(reservation_keep(state, &kept), 0);
    assert_null(kept);
    assert_int_equal(reserve(B, 3), SAM_RESERVATION_CONFLICT);
    assert_int_equal(act(B, PR_CLEAR, 0, 11, 0), SAM_GOOD);
    assert_false(rig_outcome.is_kept);
}

static void clear_keeps_nothing(void **unused)
{
    const struct deed deed = {.change = RESERVATION_PR_OUT,
                              .action = PR_REGISTER,
                              .action_key = 10,
                              .aptpl = true};
    struct kept_reservation *kept;
    (void)unused;
    assert_int_equal(deed_do(&state, A, &deed), SAM_GOOD);
    assert_int_equal(act(A, PR_CLEAR, 0, 10, 0), SAM_GOOD);
    assert_true(rig_outcome.is_kept);
    assert_int_equal(reservation_keep(state, &kept), 0);
    assert_null(kept);
}

/* ---- PERSISTENT RESERVE IN ----------------------------------------------------------
 */

static size_t ask(enum pr_in_action action, uint8_t data[512])
{
    struct wire w;
    memset(data, 0xee, 512);
    wire_init(&w, data, 512);
    reservation_read(state, action, &w);
    assert_int_equal(wire_rc(&w), 0);
    return w.at;
}

static void replies_are_of_the_state(void **unused)
{
    uint8_t data[512];
    (void)unused;
    assert_int_equal(ask(PR_READ_KEYS, data), 8);
    assert_memory_equal(data, "\0\0\0\0\0\0\0\0", 8);
    assert_int_equal(ask(PR_READ_RESERVATION, data), 8);
    assert_int_equal(ask(PR_READ_FULL_STATUS, data), 8);
    assert_int_equal(ask(PR_REPORT_CAPABILITIES, data), 8);
    assert_int_equal(data[3] & 1, 0);
    join(B);
    join(A);
    assert_int_equal(reserve(A, 3), SAM_GOOD);
    assert_int_equal(ask(PR_READ_KEYS, data), 24);
    assert_memory_equal(data, "\0\0\0\2\0\0\0\x10\0\0\0\0\0\0\0\x0b\0\0\0\0\0\0\0\x0a",
                        24);
    assert_int_equal(ask(PR_READ_RESERVATION, data), 24);
    assert_memory_equal(data, "\0\0\0\2\0\0\0\x10\0\0\0\0\0\0\0\x0a\0\0\0\0\0\3\0\0", 24);
    assert_int_equal(ask(PR_READ_FULL_STATUS, data), 8 + 2 * (24 + 44));
    assert_int_equal(data[8 + 12], 0);      /* B */
    assert_int_equal(data[8 + 68 + 12], 1); /* A holds it */
    assert_int_equal(data[8 + 68 + 13], 3);
    assert_int_equal(act(A, PR_RELEASE, 3, 10, 0), SAM_GOOD);
    assert_int_equal(reserve(A, 8), SAM_GOOD);
    assert_int_equal(ask(PR_READ_RESERVATION, data), 24);
    assert_memory_equal(data + 8, "\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\0", 16);
    assert_int_equal(ask(PR_READ_FULL_STATUS, data), 8 + 2 * (24 + 44));
    assert_int_equal(data[8 + 12] & data[8 + 68 + 12], 1);
}

/* ---- Nexuses, references, memory ----------------------------------------------------
 */

/* A collision of hashes is no equality. */
static void assert_other(const struct reservation_nexus *n, const char *initiator,
                         const uint8_t isid[6], const char *target, uint16_t tag)
{
    struct reservation_nexus other;
    reservation_nexus_init(&other, initiator, isid, target, tag);
    assert_true(other.hash != n->hash);
    assert_false(reservation_nexus_equals(n, &other));
    other.hash = n->hash;
    assert_false(reservation_nexus_equals(n, &other));
}

static void each_part_of_a_nexus_counts_and_the_case_of_names_does_not(void **unused)
{
    static const uint8_t one[6] = {0, 0, 0, 0, 0, 1}, two[6] = {1, 0, 0, 0, 0, 1};
    struct reservation_nexus n, same;
    (void)unused;
    reservation_nexus_init(&n, "iqn.a", one, "iqn.t", 1);
    reservation_nexus_init(&same, "IQN.A", one, "iqn.T", 1);
    assert_true(reservation_nexus_equals(&n, &same));
    assert_other(&n, "iqn.b", one, "iqn.t", 1);
    assert_other(&n, "iqn.a", two, "iqn.t", 1);
    assert_other(&n, "iqn.a", one, "iqn.u", 1);
    assert_other(&n, "iqn.a", one, "iqn.t", 2);
}

/* The nth allocation fails, until none does: each time nothing has changed. */
static void try_without_memory(int who, const struct deed *deed)
{
    struct reservation_outcome out;
    int rc = -ENOMEM;
    for (unsigned nth = 1; rc != 0; nth++) {
        assert_in_range(nth, 1, 8);
        fail_malloc_arm(nth);
        rc = deed_try(state, who, deed, &out);
        assert_int_equal(rc, fail_malloc_disarm() ? -ENOMEM : 0);
        if (rc == 0)
            assert_true(nth > 1 && out.status == SAM_GOOD && out.after != NULL);
        reservation_outcome_fini(&out);
    }
}

static void want_of_memory_changes_nothing(void **unused)
{
    const struct deed joins = {.change = RESERVATION_PR_OUT,
                               .action = PR_REGISTER,
                               .action_key = 1,
                               .all_ports = true};
    const struct deed reserves = {.change = RESERVATION_RESERVE};
    const struct deed clears = {
        .change = RESERVATION_PR_OUT, .action = PR_CLEAR, .key = 10};
    (void)unused;
    try_without_memory(A, &joins);
    try_without_memory(A, &reserves);
    join(A);
    join(B);
    try_without_memory(C, &joins);
    try_without_memory(A, &clears);
    assert_int_equal(state->count, 2);
}

static void end_of_an_spc2_reservation_needs_no_memory(void **unused)
{
    static const enum reservation_change ends[] = {
        RESERVATION_RELEASE, RESERVATION_NEXUS_END, RESERVATION_RESET};
    (void)unused;
    join(A);
    assert_int_equal(act(A, PR_CLEAR, 0, 10, 0), SAM_GOOD);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        assert_int_equal(spc2(A, RESERVATION_RESERVE), SAM_GOOD);
        fail_malloc_arm(1);
        assert_int_equal(spc2(A, ends[i]), SAM_GOOD);
        assert_false(fail_malloc_disarm());
        assert_false(state->is_reserved);
        assert_int_equal(state->generation, 2); /* as before */
    }
}

static void keeping_and_loading_need_memory(void **unused)
{
    AUTO_FREE struct kept_reservation *kept = full(3);
    const struct reservation *loaded;
    struct kept_reservation *again;
    (void)unused;
    fail_malloc_arm(1);
    assert_int_equal(reservation_load(kept, &loaded), -ENOMEM);
    assert_true(fail_malloc_disarm());
    assert_int_equal(reservation_load(kept, &state), 0);
    fail_malloc_arm(1);
    assert_int_equal(reservation_keep(state, &again), -ENOMEM);
    assert_true(fail_malloc_disarm());
    assert_int_equal(reservation_keep(state, &again), 0);
    assert_memory_equal(again, kept, sizeof(*kept) + 3 * sizeof(kept->list[0]));
    free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(every_type_lets_through_what_its_table_says),
        T(spc2_reservation_lets_through_what_its_table_says),
        T(spc2_reservation_is_its_nexuss),
        T(spc2_reservation_ends_with_its_nexus_and_by_a_reset),
        T(persistent_reservation_outlives_nexuses_and_resets),
        T(reserve_beside_registrations_changes_nothing),
        T(register_asks_for_the_key_that_is_there),
        T(register_and_ignore_asks_for_no_key),
        T(holder_that_unregisters_releases),
        T(holder_keeps_its_reservation_under_another_key),
        T(all_target_ports_register_at_once_or_not_at_all),
        T(named_ports_register_with_the_asker),
        T(registration_beyond_the_limit_is_refused_whole),
        T(only_the_registered_may_ask_and_by_their_key),
        T(reserve_is_for_one_and_may_be_repeated),
        T(release_is_the_holders),
        T(clear_takes_all_and_tells_all_others),
        T(preempt_of_the_holder_takes_its_place),
        T(preempt_with_another_type_tells_who_stays),
        T(preempt_of_others_leaves_the_reservation),
        T(holder_may_preempt_itself),
        T(nobody_left_by_its_own_key_holds_nothing),
        T(zero_preempts_all_registrants),
        T(move_takes_the_reservation_elsewhere),
        T(move_names_what_is_wrong),
        T(what_is_kept_is_told_each_time_that_it_changes),
        T(clear_keeps_nothing),
        T(replies_are_of_the_state),
        T(want_of_memory_changes_nothing),
        T(end_of_an_spc2_reservation_needs_no_memory),
        T(keeping_and_loading_need_memory),
        T(each_part_of_a_nexus_counts_and_the_case_of_names_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
