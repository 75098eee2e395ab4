/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the limits: names, ranges, presets. No I/O. */
#include "target/limit.h"

#include "target/limits.h"

#define KIB (1ULL << 10)
#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

/* A TSIH has 16 bits, and the registry wants free ones. */
#define CONNECTIONS_RANGE 1, 16384
#define LOGINS_RANGE      1, 4096

static const struct target_limit_rule rules[LIMIT_COUNT] = {
    /* limit, name, lowest, highest, preset */
    [LIMIT_CONNECTIONS] = {"max-connections", CONNECTIONS_RANGE, CONNECTION_MAX},
    [LIMIT_ADDRESS_CONNECTIONS] = {"max-address-connections", CONNECTIONS_RANGE,
                                   CONNECTION_ADDRESS_MAX},
    [LIMIT_LOGINS] = {"max-logins", LOGINS_RANGE, LOGIN_HALF_OPEN_MAX},
    [LIMIT_ADDRESS_LOGINS] = {"max-address-logins", LOGINS_RANGE, LOGIN_ADDRESS_MAX},
    [LIMIT_LOGIN_TIMEOUT] = {"login-timeout", 1, 300, LOGIN_TIMEOUT_S},
    [LIMIT_RECV_SEGMENT] = {"max-recv-segment", 512, MIB, CONN_RECV_BYTES_MAX},
    [LIMIT_TEXT] = {"max-text", 8 * KIB, MIB, TEXT_BYTES_MAX},
    [LIMIT_COMMANDS] = {"max-commands", 1, 1024, SESSION_WINDOW},
    [LIMIT_INPUT] = {"max-input", 64 * KIB, 64 * MIB, SESSION_HELD_BYTES_MAX},
    [LIMIT_OUTPUT] = {"max-output", 64 * KIB, GIB, CONN_TX_BYTES_MAX},
    [LIMIT_SESSION_BUFFERS] = {"max-session-buffers", MIB, 16 * GIB,
                               SESSION_BUFFER_BYTES_MAX},
    [LIMIT_REACTOR_BUFFERS] = {"max-reactor-buffers", 16 * MIB, 64 * GIB,
                               REACTOR_BUFFER_BYTES_MAX},
};

const struct target_limit_rule *target_limit_rule(enum target_limit limit)
{
    return &rules[limit];
}

void target_limits_preset(struct target_limits *out)
{
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        out->values[i] = rules[i].preset;
}

void limits_set(struct limits *l, const struct target_limits *to)
{
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        atomic_store_explicit(&l->values[i], to->values[i], memory_order_relaxed);
}
