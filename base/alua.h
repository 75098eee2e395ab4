/* SPDX-License-Identifier: Apache-2.0 */
/* Asymmetric access of a target port group: SPC-4, 5.15. What the catalog keeps, an admin
 * sets and initiators are told. Pure; any thread. */
#ifndef BASE_ALUA_H
#define BASE_ALUA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As they stand on the wire and in the catalog: SPC-4, 6.37. */
enum alua_state {
    ALUA_OPTIMIZED = 0x0,
    ALUA_NON_OPTIMIZED = 0x1,
    ALUA_STANDBY = 0x2,
    ALUA_UNAVAILABLE = 0x3,
    ALUA_SETTABLE_COUNT, /* those above can be set; there is no group in this state */
    ALUA_TRANSITIONING = 0xf,
};

/* All zero is what a group has that nobody has changed. */
struct alua_access {
    enum alua_state state;
    bool preferred; /* PREF: of several groups in one state, this one */
};

/* "active/optimized", as Linux and sg3_utils name them. */
const char *alua_state_name(enum alua_state state);
/* Of one that can be set; false: it is none. */
bool alua_state_of_name(const char *name, enum alua_state *out);

/* Commands that move data are taken. */
static inline bool alua_is_active(enum alua_state state)
{
    return state == ALUA_OPTIMIZED || state == ALUA_NON_OPTIMIZED;
}

/* Nobody has changed it: there is nothing to keep. */
static inline bool alua_is_default(const struct alua_access *access)
{
    return access->state == ALUA_OPTIMIZED && !access->preferred;
}

#endif
