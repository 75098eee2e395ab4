/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as login and text negotiation: what is agreed stays in its ranges, answers are
 * themselves key=value text, and values are decoded into buffers of exactly their limit.
 * The first byte chooses the phase, the kind of session, the room for answers. */
#include "proto/keys.h"
#include "proto/negotiate.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check_params(const struct params *p)
{
    assert(p->max_send_bytes >= 512 && p->max_send_bytes <= 0xffffff);
    assert(p->max_burst_bytes >= 512 && p->max_burst_bytes <= 1048576);
    assert(p->first_burst_bytes >= 512 && p->first_burst_bytes <= 262144);
    assert(p->max_outstanding_r2t >= 1 && p->max_outstanding_r2t <= 16);
    assert(p->max_connections == 1 && p->error_recovery_level == 0);
    assert(p->time2wait_s <= 3600 && p->time2retain_s <= 20);
    assert(p->data_pdu_in_order && p->data_sequence_in_order);
}

static void check_answers(const struct wire *out)
{
    struct key_iter it;
    struct key_pair pair;
    int rc;
    key_iter_init(&it, out->data, out->at);
    while ((rc = key_next(&it, &pair)) > 0)
        assert(pair.value_bytes > 0);
    assert(rc == 0);
}

static void read_value(const char *value)
{
    uint64_t a, b;
    bool yes;
    size_t got;
    char name[NODE_NAME_MAX + 1];
    const char *at = value, *item;
    size_t limit = strlen(value) % 40;
    uint8_t *out = malloc(limit + 1);
    assert(out != NULL);
    if (key_binary(value, out, limit, &got) == 0)
        assert(got <= limit);
    free(out);
    if (key_range(value, &a, &b) == 0)
        assert(a <= b);
    if (key_bool(value, &yes) != 0 && key_number(value, &a) != 0 &&
        key_node_name(value, name) == 0)
        assert(strlen(name) == strlen(value));
    size_t items = 0;
    while (key_list_next(&at, &item, &got))
        items++;
    assert(items > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const enum negotiate_phase phases[] = {
        NEGOTIATE_LOGIN_SECURITY, NEGOTIATE_LOGIN_OPERATIONAL, NEGOTIATE_FULL_FEATURE};
    struct negotiation n;
    char answers[16384];
    struct wire out;
    struct key_iter it;
    struct key_pair pair;
    if (bytes == 0)
        return 0;
    uint8_t how = data[0];
    negotiation_init(&n, &params_offer_default, (how & 4) == 0);
    wire_init(&out, answers, (how & 8) == 0 ? sizeof(answers) : 64);
    int rc = negotiate_text(&n, phases[(how & 3) % 3], data + 1, bytes - 1, &out);
    negotiate_declare(&n, &out);
    check_params(&n.params);
    if (rc == 0 && wire_rc(&out) == 0)
        check_answers(&out);
    key_iter_init(&it, data + 1, bytes - 1);
    while (key_next(&it, &pair) > 0)
        read_value(pair.value);
    return 0;
}
