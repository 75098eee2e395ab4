/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-chap: CHAP as RFC 7143, 12.1.3 has it, and everything that an initiator may do
 * wrong in it: each attempt says what it sends and which status the login ends with.
 * Digests are OpenSSL's, everything else is written here. Usage: ashlar-chap HOST PORT
 * TARGET SET; the sets are those of main(), test-chap.sh makes the hosts. One thread. */
#include "tests/protocol/rawpdu.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MS   5000
#define DIGEST_MAX  64
#define VALUE_MAX   3000
#define OPERATIONAL (1 << 2)
#define TRANSIT     0x80
#define MORE        0x40

#define BOTH_WAYS "iqn.2026-01.test.ashlar:one" /* hv1, and box the other way */
#define NO_AUTH   "iqn.2026-01.test.ashlar:two"
#define STRICT    "iqn.2026-01.test.ashlar:three" /* one way, no MD5 */
#define SECRET    "initiator-secret"
#define MUTUAL    "target-secret-1"

enum form { HEX, HEX_UPPER, BASE64, BASE64_BARE };

enum quirk {
    TRANSIT_ALWAYS = 1,    /* the T bit in every request */
    OPERATIONAL_FIRST = 2, /* begins in the operational stage */
    METHOD_LEFT_OUT = 4,   /* and wants to leave the security stage */
    SKIPS_EXCHANGE = 8,    /* goes on to the operational stage after AuthMethod */
    ALGORITHM_EARLY = 16,  /* CHAP_A beside AuthMethod */
    ALGORITHM_TWICE = 32,  /* in one request */
    ALGORITHM_AGAIN = 64,  /* with the response */
    RESPONSE_EARLY = 128,  /* with CHAP_A */
    REFLECTS = 256,        /* our challenge as its own */
    NO_CHALLENGE = 512,    /* CHAP_I alone */
    CHALLENGE_LATE = 1024, /* after the exchange */
    IN_PIECES = 2048,      /* the response in two PDUs, by the C bit */
    NAME_LEFT_OUT = 4096,
    IDENTIFIER_TWICE = 8192,
};

struct attempt {
    const char *claim;
    const char *initiator;
    const char *method;                 /* AuthMethod */
    const char *list;                   /* CHAP_A */
    int status;                         /* 0: full feature phase */
    int algorithm;                      /* that is to be chosen; 0: not looked at */
    const char *user, *secret;          /* NULL: the right ones */
    const char *response;               /* in place of the right one; "": left out */
    const char *identifier, *challenge; /* CHAP_I, CHAP_C; NULL: 77 and a good one */
    enum form form;
    bool mutual;
    unsigned quirks;
};

struct exchange {
    const struct attempt *a;
    struct raw raw;
    struct raw_pdu pdu, answer;
    int status; /* of the last answer */
    int algorithm, id;
    uint8_t challenge[DIGEST_MAX], ours[DIGEST_MAX];
    size_t challenge_bytes;
    bool discovery;
    char fault[200];
};

/* ---- Values ---- */

static void put_hex(char *out, const uint8_t *data, size_t n, bool upper)
{
    snprintf(out, 3, upper ? "0X" : "0x");
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 + 2 * i, 3, upper ? "%02X" : "%02x", data[i]);
}

static void put_base64(char *out, const uint8_t *data, size_t n, bool padded)
{
    memcpy(out, "0b", 3);
    EVP_EncodeBlock((uint8_t *)out + 2, data, (int)n);
    if (!padded)
        out[strcspn(out, "=")] = '\0';
}

static void put_value(char *out, const struct attempt *a, const uint8_t *data, size_t n)
{
    if (a->form == HEX || a->form == HEX_UPPER)
        put_hex(out, data, n, a->form == HEX_UPPER);
    else
        put_base64(out, data, n, a->form == BASE64);
}

/* Lower-case hexadecimal alone: what the target sends. The bytes, or 0. */
static size_t take_hex(const char *text, uint8_t *out)
{
    size_t digits = strlen(text);
    if (digits < 4 || digits % 2 != 0 || digits / 2 - 1 > DIGEST_MAX ||
        strncmp(text, "0x", 2) != 0 || strspn(text + 2, "0123456789abcdef") != digits - 2)
        return 0;
    for (size_t i = 0; i < digits / 2 - 1; i++) {
        const char byte[3] = {text[2 + 2 * i], text[3 + 2 * i], 0};
        out[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
    return digits / 2 - 1;
}

static const char *digest_name(int algorithm)
{
    static const char *const names[] = {"MD5", "SHA1", "SHA256", "SHA3-256"};
    return algorithm >= 5 && algorithm <= 8 ? names[algorithm - 5] : "none";
}

/* The digest of id, secret and challenge; its bytes. */
static size_t digest(int algorithm, int id, const char *secret, const uint8_t *challenge,
                     size_t n, uint8_t *out)
{
    uint8_t text[1 + 256 + 1024], id_byte = (uint8_t)id;
    size_t secret_bytes = strlen(secret), bytes = 0;
    text[0] = id_byte;
    snprintf((char *)text + 1, sizeof(text) - 1, "%s", secret);
    memcpy(text + 1 + secret_bytes, challenge, n);
    if (EVP_Q_digest(NULL, digest_name(algorithm), NULL, text, 1 + secret_bytes + n, out,
                     &bytes) != 1)
        return 0;
    return bytes;
}

/* ---- Requests ---- */

static void begin(struct exchange *x)
{
    raw_begin(&x->raw, &x->pdu, RAW_LOGIN);
    x->pdu.bhs[0] |= 0x40;
    x->pdu.bhs[8] = 0x80;
    raw_put(x->pdu.bhs + 12, 2, x->raw.isid_tail);
}

static void put(struct exchange *x, const char *key, const char *value)
{
    char text[VALUE_MAX + 64];
    snprintf(text, sizeof(text), "%s=%s", key, value);
    raw_text(&x->pdu, text);
}

/* The value of a key of the answer, or "". */
static const char *said(const struct exchange *x, const char *key)
{
    size_t n = strlen(key);
    for (size_t at = 0; at < x->answer.data_bytes;) {
        const char *pair = (const char *)x->answer.data + at;
        if (strncmp(pair, key, n) == 0 && pair[n] == '=')
            return pair + n + 1;
        at += strnlen(pair, x->answer.data_bytes - at) + 1;
    }
    return "";
}

static bool bad(struct exchange *x, const char *what)
{
    snprintf(x->fault, sizeof(x->fault), "%s", what);
    return false;
}

/* False: the login is over, or the answer is wrong (fault). */
static bool ask(struct exchange *x, uint8_t flags)
{
    if ((x->a->quirks & TRANSIT_ALWAYS) != 0 && (flags & (TRANSIT | MORE)) == 0)
        flags |= TRANSIT | 1;
    x->pdu.bhs[1] = flags;
    if (!raw_send(&x->raw, &x->pdu) ||
        raw_recv(&x->raw, &x->answer, ANSWER_MS) != RAW_LOGIN_RSP)
        return bad(x, "no login response");
    x->status = (int)raw_get(x->answer.bhs + 36, 2);
    return x->status == 0;
}

/* The same; the target may not let the security stage go yet. */
static bool ask_in_security(struct exchange *x)
{
    if (!ask(x, 0))
        return false;
    return (x->answer.bhs[1] & TRANSIT) == 0
               ? true
               : bad(x, "the T bit is set before authentication is over");
}

static bool ask_to_go_on(struct exchange *x)
{
    if (!ask(x, TRANSIT | 1))
        return false;
    return (x->answer.bhs[1] & TRANSIT) != 0 ? true : bad(x, "no transit afterwards");
}

static bool enter_full_feature(struct exchange *x)
{
    begin(x);
    raw_text(&x->pdu, "HeaderDigest=None");
    if (!ask(x, TRANSIT | OPERATIONAL | 3))
        return false;
    return (x->answer.bhs[1] & TRANSIT) != 0 ? true : bad(x, "no full feature phase");
}

/* ---- Steps ---- */

static void put_names(struct exchange *x)
{
    put(x, "InitiatorName", x->a->initiator);
    put(x, "SessionType", x->discovery ? "Discovery" : "Normal");
    if (!x->discovery)
        put(x, "TargetName", x->raw.target);
}

static bool offer_method(struct exchange *x)
{
    unsigned quirks = x->a->quirks;
    begin(x);
    put_names(x);
    if ((quirks & OPERATIONAL_FIRST) != 0)
        return ask(x, TRANSIT | OPERATIONAL | 3);
    if ((quirks & METHOD_LEFT_OUT) != 0)
        return ask(x, TRANSIT | 1);
    put(x, "AuthMethod", x->a->method);
    if ((quirks & ALGORITHM_EARLY) != 0)
        put(x, "CHAP_A", x->a->list);
    if (x->a->list == NULL)
        return ask_to_go_on(x);
    return ask_in_security(x) &&
           (strcmp(said(x, "AuthMethod"), "CHAP") == 0 || bad(x, "no AuthMethod=CHAP"));
}

static bool offer_algorithms(struct exchange *x)
{
    begin(x);
    put(x, "CHAP_A", x->a->list);
    if ((x->a->quirks & ALGORITHM_TWICE) != 0)
        put(x, "CHAP_A", x->a->list);
    if ((x->a->quirks & RESPONSE_EARLY) != 0)
        put(x, "CHAP_R", "0x00112233445566778899aabbccddeeff");
    if (!ask_in_security(x))
        return false;
    x->algorithm = (int)strtoul(said(x, "CHAP_A"), NULL, 10);
    x->id = (int)strtoul(said(x, "CHAP_I"), NULL, 10);
    x->challenge_bytes = take_hex(said(x, "CHAP_C"), x->challenge);
    if (x->a->algorithm != 0 && x->algorithm != x->a->algorithm)
        return bad(x, "another algorithm is chosen");
    if (x->challenge_bytes < 16 || said(x, "CHAP_I")[0] == '\0')
        return bad(x, "no CHAP_I, or CHAP_C is no challenge");
    return true;
}

static void put_response(struct exchange *x)
{
    const struct attempt *a = x->a;
    uint8_t response[DIGEST_MAX];
    char value[VALUE_MAX];
    size_t n = digest(x->algorithm, x->id, a->secret == NULL ? SECRET : a->secret,
                      x->challenge, x->challenge_bytes, response);
    put_value(value, a, response, n);
    if ((a->quirks & NAME_LEFT_OUT) == 0)
        put(x, "CHAP_N", a->user == NULL ? "hv1" : a->user);
    if (a->response == NULL)
        put(x, "CHAP_R", value);
    else if (a->response[0] != '\0')
        put(x, "CHAP_R", a->response);
}

static void put_challenge(struct exchange *x)
{
    const struct attempt *a = x->a;
    char value[VALUE_MAX];
    if (!a->mutual)
        return;
    RAND_bytes(x->ours, 16);
    if ((a->quirks & REFLECTS) != 0)
        put_value(value, a, x->challenge, x->challenge_bytes);
    else
        put_value(value, a, x->ours, 16);
    put(x, "CHAP_I", a->identifier == NULL ? "77" : a->identifier);
    if ((a->quirks & IDENTIFIER_TWICE) != 0)
        put(x, "CHAP_I", "78");
    if ((a->quirks & NO_CHALLENGE) == 0)
        put(x, "CHAP_C", a->challenge == NULL ? value : a->challenge);
}

/* The first of two PDUs; what it leaves is the second's. */
static bool send_piece(struct exchange *x)
{
    size_t first = x->pdu.data_bytes / 2, rest = x->pdu.data_bytes - first;
    uint8_t kept[VALUE_MAX];
    memcpy(kept, x->pdu.data + first, rest);
    x->pdu.data_bytes = first;
    if (!ask(x, MORE) || x->answer.data_bytes != 0)
        return bad(x, "a piece is not answered with nothing");
    begin(x);
    memcpy(x->pdu.data, kept, rest);
    x->pdu.data_bytes = rest;
    return true;
}

static bool target_proves_itself(struct exchange *x)
{
    uint8_t want[DIGEST_MAX], got[DIGEST_MAX];
    size_t n = digest(x->algorithm, 77, MUTUAL, x->ours, 16, want);
    return strcmp(said(x, "CHAP_N"), "box") == 0 &&
           take_hex(said(x, "CHAP_R"), got) == n && memcmp(want, got, n) == 0;
}

static bool respond(struct exchange *x)
{
    begin(x);
    put_response(x);
    if ((x->a->quirks & CHALLENGE_LATE) == 0)
        put_challenge(x);
    if ((x->a->quirks & ALGORITHM_AGAIN) != 0)
        put(x, "CHAP_A", x->a->list);
    if ((x->a->quirks & IN_PIECES) != 0 && !send_piece(x))
        return false;
    if ((x->a->quirks & CHALLENGE_LATE) != 0) {
        if (!ask(x, 0))
            return false;
        begin(x);
        put_challenge(x);
    }
    if (!ask_to_go_on(x))
        return false;
    return !x->a->mutual || target_proves_itself(x) ? true
                                                    : bad(x, "the target proves nothing");
}

static void run_steps(struct exchange *x)
{
    if (!offer_method(x))
        return;
    if (x->a->list == NULL) {
        enter_full_feature(x);
        return;
    }
    if ((x->a->quirks & SKIPS_EXCHANGE) != 0) {
        enter_full_feature(x);
        return;
    }
    if (offer_algorithms(x) && respond(x))
        enter_full_feature(x);
}

static int try(const char *const *where, const struct attempt *a, bool discovery)
{
    static struct exchange x;
    memset(&x, 0, sizeof(x));
    x.a = a;
    x.discovery = discovery;
    x.raw = (struct raw){.host = where[0],
                         .port = where[1],
                         .target = where[2],
                         .initiator = a->initiator,
                         .isid_tail = 0xc4};
    if (raw_connect(&x.raw) != 0)
        return 1;
    run_steps(&x);
    int rc = x.fault[0] != '\0' || x.status != a->status;
    if (x.fault[0] == '\0' && x.status != 0 &&
        raw_recv_end(&x.raw, ANSWER_MS) != RAW_CLOSED)
        rc |= !bad(&x, "a refused connection stays open");
    raw_close(&x.raw);
    printf("%s %s: status %04x, due %04x%s%s\n", rc == 0 ? "ok  " : "FAIL", a->claim,
           (unsigned)x.status, (unsigned)a->status, x.fault[0] == '\0' ? "" : ": ",
           x.fault);
    return rc;
}

/* ---- What is tried ---- */

#define ZEROS16 "0x00000000000000000000000000000000"
#define C(claim_, list_, status_)                                                        \
    .claim = (claim_), .initiator = BOTH_WAYS, .method = "CHAP,None", .list = (list_),   \
    .status = (status_)

static const struct attempt normal[] = {
    {C("MD5", "5", 0), .algorithm = 5},
    {C("SHA-1", "6", 0), .algorithm = 6},
    {C("SHA-256", "7", 0), .algorithm = 7},
    {C("SHA3-256", "8", 0), .algorithm = 8},
    {C("MD5 both ways", "5", 0), .algorithm = 5, .mutual = true},
    {C("SHA-1 both ways", "6", 0), .algorithm = 6, .mutual = true},
    {C("SHA-256 both ways", "7", 0), .algorithm = 7, .mutual = true},
    {C("SHA3-256 both ways", "8", 0), .algorithm = 8, .mutual = true},
    {C("the strongest wins", "5,6,7,8", 0), .algorithm = 8},
    {C("the strongest that is known wins", "99,5,7", 0), .algorithm = 7},
    {C("no algorithm in common", "4,9", 0x201)},
    {C("a list that is none", "MD5", 0x201)},
    {C("upper-case hexadecimal", "7", 0), .form = HEX_UPPER, .mutual = true},
    {C("base64, padded", "7", 0), .form = BASE64, .mutual = true},
    {C("base64 of MD5, padded", "5", 0), .form = BASE64, .mutual = true},
    {C("base64, not padded", "7", 0), .form = BASE64_BARE, .mutual = true},
    {C("base64 of MD5, not padded", "5", 0), .form = BASE64_BARE, .mutual = true},
    {C("in pieces", "7", 0), .mutual = true, .quirks = IN_PIECES},
    {C("the T bit all the time", "7", 0), .mutual = true, .quirks = TRANSIT_ALWAYS},
    {C("a wrong secret", "7", 0x201), .secret = "another-secret!!"},
    {C("a wrong name", "7", 0x201), .user = "hv2"},
    {C("the name's beginning", "7", 0x201), .user = "hv"},
    {C("the mutual secret", "7", 0x201), .secret = MUTUAL, .mutual = true},
    {C("no CHAP_R", "7", 0x201), .response = ""},
    {C("no CHAP_N", "7", 0x201), .quirks = NAME_LEFT_OUT},
    {C("CHAP_R of another length", "7", 0x201), .response = ZEROS16},
    {C("CHAP_R too long", "5", 0x201), .response = ZEROS16 "00"},
    {C("CHAP_R that is no number", "5", 0x201), .response = "0xgg"},
    {C("CHAP_R without its base", "5", 0x201), .response = "00112233"},
    {C("CHAP_R of nothing", "5", 0x201), .response = "0x"},
    {C("base64 with a stray =", "5", 0x201), .response = "0bAAAAAAAAAAAAAAAAAAAA=A=="},
    {C("our challenge sent back", "7", 0x201), .mutual = true, .quirks = REFLECTS},
    {C("our challenge sent back in base64", "7", 0x201), .form = BASE64, .mutual = true,
     .quirks = REFLECTS},
    {C("CHAP_I alone", "7", 0x200), .mutual = true, .quirks = NO_CHALLENGE},
    {C("CHAP_I of two bytes", "7", 0x201), .mutual = true, .identifier = "256"},
    {C("CHAP_I twice", "7", 0x200), .mutual = true, .quirks = IDENTIFIER_TWICE},
    {C("CHAP_C that is no number", "7", 0x201), .mutual = true, .challenge = "0bA"},
    {C("CHAP_C after the exchange", "7", 0x200), .mutual = true,
     .quirks = CHALLENGE_LATE},
    {C("CHAP_A beside AuthMethod", "7", 0x200), .quirks = ALGORITHM_EARLY},
    {C("CHAP_A twice", "7", 0x200), .quirks = ALGORITHM_TWICE},
    {C("CHAP_A again", "7", 0x200), .quirks = ALGORITHM_AGAIN},
    {C("CHAP_R with CHAP_A", "7", 0x200), .quirks = RESPONSE_EARLY},
    {C("the exchange left out", "7", 0x201), .quirks = SKIPS_EXCHANGE},
    {C("the security stage left out", "7", 0x201), .quirks = OPERATIONAL_FIRST},
    {C("AuthMethod left out", "7", 0x201), .quirks = METHOD_LEFT_OUT},
    {.claim = "None where CHAP is required",
     .initiator = BOTH_WAYS,
     .method = "None",
     .status = 0x201},
    {.claim = "another method",
     .initiator = BOTH_WAYS,
     .method = "SRP,KRB5",
     .status = 0x201},
    {.claim = "None where nothing is required",
     .initiator = NO_AUTH,
     .method = "CHAP,None"},
    {.claim = "CHAP alone where there are no credentials",
     .initiator = NO_AUTH,
     .method = "CHAP",
     .list = "7",
     .status = 0x201},
    {.claim = "a host that forbids MD5",
     .initiator = STRICT,
     .method = "CHAP",
     .list = "5",
     .status = 0x201},
    {.claim = "another than MD5",
     .initiator = STRICT,
     .method = "CHAP",
     .list = "5,6",
     .algorithm = 6},
    {.claim = "a proof that is not to be had",
     .initiator = STRICT,
     .method = "CHAP",
     .list = "7",
     .mutual = true,
     .status = 0x201},
};

static const struct attempt without_md5[] = {
    {C("a box that forbids MD5", "5", 0x201)},
    {C("another than MD5", "5,6", 0), .algorithm = 6},
};

static const struct attempt from_elsewhere[] = {
    {C("from where the host is not", "7", 0x202)},
};

static const struct attempt discovery_open[] = {
    {.claim = "discovery without credentials",
     .initiator = BOTH_WAYS,
     .method = "CHAP,None"},
};

static const struct attempt discovery_guarded[] = {
    {C("discovery with credentials", "7", 0), .user = "finder",
     .secret = "discovery-secret"},
    {C("discovery both ways", "5", 0), .user = "finder", .secret = "discovery-secret",
     .mutual = true},
    {C("discovery with a host's credentials", "7", 0x201)},
    {.claim = "discovery without the credentials",
     .initiator = BOTH_WAYS,
     .method = "None",
     .status = 0x201},
    {.claim = "discovery of a host without credentials",
     .initiator = NO_AUTH,
     .method = "None",
     .status = 0x201},
};

/* A value as long as a key's may be and one that is longer. */
static int try_long_values(const char *const *where)
{
    static char longest[2 + 2 * 1024 + 1], longer[sizeof(longest) + 2], much[6000];
    memset(longest, '0', sizeof(longest) - 1);
    memset(longer, '0', sizeof(longer) - 1);
    memset(much, '0', VALUE_MAX - 100);
    longest[1] = longer[1] = much[1] = 'x';
    const struct attempt attempts[] = {
        {C("CHAP_R of 1024 bytes", "7", 0x201), .response = longest},
        {C("CHAP_R of 1025 bytes", "7", 0x200), .response = longer},
        {C("CHAP_C of 1025 bytes", "7", 0x200), .mutual = true, .challenge = longer},
        {C("CHAP_C of many bytes", "7", 0x200), .mutual = true, .challenge = much},
        {C("CHAP_N of many bytes", "7", 0x200), .user = much},
    };
    int rc = 0;
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
        rc |= try(where, &attempts[i], false);
    return rc;
}

#define SET(attempts_)                                                                   \
    .attempts = (attempts_), .count = sizeof(attempts_) / sizeof((attempts_)[0])

static const struct set {
    const char *name;
    const struct attempt *attempts;
    size_t count;
    bool discovery;
} sets[] = {
    {.name = "normal", SET(normal)},
    {.name = "without-md5", SET(without_md5)},
    {.name = "from-elsewhere", SET(from_elsewhere)},
    {.name = "discovery-open", SET(discovery_open), .discovery = true},
    {.name = "discovery-guarded", SET(discovery_guarded), .discovery = true},
};

static int run_set(const char *const *where, const struct set *set)
{
    int rc = 0;
    for (size_t i = 0; i < set->count; i++)
        rc |= try(where, &set->attempts[i], set->discovery);
    return rc;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "ashlar-chap HOST PORT TARGET SET\n");
        return 64;
    }
    const char *where[] = {argv[1], argv[2], argv[3]};
    if (strcmp(argv[4], "long") == 0)
        return try_long_values(where);
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        if (strcmp(sets[i].name, argv[4]) == 0)
            return run_set(where, &sets[i]);
    }
    fprintf(stderr, "ashlar-chap: there is no set %s\n", argv[4]);
    return 64;
}
