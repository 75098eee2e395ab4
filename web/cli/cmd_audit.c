/* SPDX-License-Identifier: Apache-2.0 */
/* ashlarctl audit. To verify, each entry's hash is made anew here, from what the API
 * tells of the entry and of the one before it. Single thread. */
#include "base/audit_chain.h"
#include "web/cli/args.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGE_ENTRIES 1000

/* What was looked at so far. */
struct chain {
    uint64_t seq; /* of the last entry; 0: none */
    uint8_t hash[DIGEST_BYTES];
};

static const char *text_of(const json_t *entry, const char *member)
{
    const char *text = json_string_value(json_object_get(entry, member));
    return text == NULL ? "" : text;
}

/* "2026-11-29T12:00:00.123Z" */
static int64_t time_of(const json_t *entry)
{
    struct tm utc = {0};
    const char *rest = strptime(text_of(entry, "time"), "%Y-%m-%dT%H:%M:%S", &utc);
    int64_t ms = rest == NULL || *rest != '.' ? 0 : strtol(rest + 1, NULL, 10);
    return timegm(&utc) * INT64_C(1000) + ms;
}

/* The entry follows the chain, which then ends with it. */
static bool chain_take(struct chain *chain, const json_t *entry)
{
    char text[DIGEST_TEXT];
    struct audit_fields f = {
        .seq = (uint64_t)json_integer_value(json_object_get(entry, "seq")),
        .time_ms = time_of(entry),
        .who = text_of(entry, "who"),
        .from = text_of(entry, "from"),
        .operation = text_of(entry, "operation"),
        .subject = text_of(entry, "subject"),
        .subject_id = text_of(entry, "subject_id"),
        .request = text_of(entry, "request"),
    };
    audit_hash(chain->hash, &f, chain->hash);
    digest_text(chain->hash, text);
    bool good = f.seq == chain->seq + 1 && strcmp(text, text_of(entry, "hash")) == 0;
    chain->seq++;
    return good;
}

/* --expect SEQ:HASH, noted at another time: the log must still have it. */
static bool chain_is_expected(const struct chain *chain, const char *expected)
{
    char *rest, text[DIGEST_TEXT];
    if (expected == NULL || strtoull(expected, &rest, 10) != chain->seq)
        return true;
    digest_text(chain->hash, text);
    return *rest == ':' && strcmp(rest + 1, text) == 0;
}

static enum outcome refuse_entry(uint64_t seq, const char *why)
{
    return say(OUTCOME_REFUSED, "the audit log was changed: entry %" PRIu64 " %s", seq,
               why);
}

/* One page. *more: there is another. */
static enum outcome verify_page(const struct cmd *cmd, struct chain *chain, bool *more)
{
    enum outcome outcome;
    size_t i;
    json_t *entry;
    const char *expected = args_value(cmd->args, "expect");
    AUTO_FREE char *path = NULL;
    if (asprintf(&path, "/v1/audit?limit=%d&after=%" PRIu64, PAGE_ENTRIES, chain->seq) <
        0)
        path = must(NULL);
    json_t *page = cmd_ask(cmd, "GET", path, NULL, NULL, &outcome);
    json_array_foreach(json_object_get(page, "items"), i, entry)
    {
        if (outcome == OUTCOME_DONE && !chain_take(chain, entry))
            outcome =
                refuse_entry(chain->seq, "does not follow from what stands before it");
        if (outcome == OUTCOME_DONE && !chain_is_expected(chain, expected))
            outcome = refuse_entry(chain->seq, "has another hash than --expect says");
    }
    *more = outcome == OUTCOME_DONE && json_is_string(json_object_get(page, "next"));
    json_decref(page);
    return outcome;
}

static enum outcome audit_verify(const struct cmd *cmd)
{
    bool more = true;
    struct chain chain = {.seq = 0};
    enum outcome outcome = OUTCOME_DONE;
    char text[DIGEST_TEXT];
    const char *expected = args_value(cmd->args, "expect");
    if (expected != NULL && strchr(expected, ':') == NULL)
        return say(OUTCOME_USAGE, "audit verify: --expect %s; accepted: SEQ:HASH",
                   expected);
    while (more)
        outcome = verify_page(cmd, &chain, &more);
    if (outcome != OUTCOME_DONE)
        return outcome;
    if (expected != NULL && strtoull(expected, NULL, 10) > chain.seq)
        return refuse_entry(strtoull(expected, NULL, 10), "is not there any more");
    digest_text(chain.hash, text);
    if (!args_has(cmd->args, "json"))
        printf("%" PRIu64 " entries, each follows from the one before; note the last: "
               "%" PRIu64 ":%s\n",
               chain.seq, chain.seq, text);
    return OUTCOME_DONE;
}

const struct resource resource_audit = {
    .name = "audit",
    .summary = "The audit log: who changed what, from where",
    .path = "/v1/audit",
    .verbs =
        {
            {.name = "list", .summary = "All changes, the oldest first", .run = cmd_list},
            {.name = "verify",
             .summary = "Make each entry's hash anew: says whether the log was changed",
             .flags =
                 {{.name = "expect",
                   .value = "SEQ:HASH",
                   .help = "an entry as an earlier verify told it: must be there still"}},
             .run = audit_verify},
        },
    .columns = {{"SEQ", "seq", COLUMN_COUNT},
                {"TIME", "time", COLUMN_TEXT},
                {"WHO", "who", COLUMN_TEXT},
                {"FROM", "from", COLUMN_TEXT},
                {"OPERATION", "operation", COLUMN_TEXT},
                {"SUBJECT", "subject", COLUMN_TEXT}},
};
