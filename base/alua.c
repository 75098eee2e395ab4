/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the states (see alua.h). */
#include "base/alua.h"

#include <string.h>

static const char *const names[ALUA_SETTABLE_COUNT] = {
    [ALUA_OPTIMIZED] = "active/optimized",
    [ALUA_NON_OPTIMIZED] = "active/non-optimized",
    [ALUA_STANDBY] = "standby",
    [ALUA_UNAVAILABLE] = "unavailable",
};

const char *alua_state_name(enum alua_state state)
{
    return state < ALUA_SETTABLE_COUNT ? names[state] : "transitioning";
}

bool alua_state_of_name(const char *name, enum alua_state *out)
{
    for (int i = 0; i < ALUA_SETTABLE_COUNT; i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        *out = (enum alua_state)i;
        return true;
    }
    return false;
}
