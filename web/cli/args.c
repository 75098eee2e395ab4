/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the command line in one pass (see args.h). Whatever is wrong is said in one line
 * that names it and what is accepted there. Single thread. */
#include "web/cli/args.h"

#include "web/cli/endpoint.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const struct resource *const resources[] = {
    &resource_pool,    &resource_device,  &resource_volume,    &resource_snapshot,
    &resource_trash,   &resource_host,    &resource_initiator, &resource_auth,
    &resource_mapping, &resource_session, &resource_drain,     &resource_portal_group,
    &resource_job,     &resource_event,   &resource_token,     &resource_catalog,
    &resource_audit,   &resource_apply,   &resource_status,    NULL,
};

const struct flag global_flags[] = {
    {.name = "json", .kind = FLAG_YES, .help = "print the API's JSON as it is"},
    {.name = "socket",
     .value = "PATH",
     .help = "the daemon's Unix socket (default " ENDPOINT_SOCKET ")"},
    {.name = "url",
     .value = "URL",
     .help = "the daemon over TCP, such as https://san:8480 (or ASHLAR_URL)"},
    {.name = "cacert",
     .value = "FILE",
     .help = "the certificate to be trusted at an https:// URL (or ASHLAR_CACERT)"},
    {.name = "token-file",
     .value = "FILE",
     .help = "holds the token for --url (or ASHLAR_TOKEN)"},
    {.name = "dry-run",
     .kind = FLAG_YES,
     .help = "change nothing: say what would be done, or refused"},
    {.name = "timeout",
     .value = "SECONDS",
     .help = "for each answer of the daemon (default 300)"},
    {.name = "help", .kind = FLAG_YES, .help = "say what is accepted here"},
    {.name = "version", .kind = FLAG_YES, .help = "print the version"},
    {.name = NULL},
};

/* ---- What is accepted, for the lines that say so ----------------------------------- */

/* "volume create: ", as far as it is known. */
static void put_command(FILE *out, const struct args *args)
{
    if (args->resource == NULL)
        return;
    fputs(args->resource->name, out);
    if (args->verb != NULL && args->verb->name[0] != '\0')
        fprintf(out, " %s", args->verb->name);
    fputs(": ", out);
}

static void put_flags(FILE *out, const struct flag *flags)
{
    for (; flags->name != NULL; flags++)
        fprintf(out, "--%s, ", flags->name);
}

/* Without the comma after the last. */
static enum outcome say_accepted(char *text)
{
    text[strlen(text) - 2] = '\0';
    return say(OUTCOME_USAGE, "%s", text);
}

static enum outcome unknown_flag(const struct args *args, const char *flag)
{
    AUTO_FREE char *text = NULL;
    size_t bytes;
    FILE *out = must(open_memstream(&text, &bytes));
    put_command(out, args);
    fprintf(out, "there is no flag %s; accepted: ", flag);
    if (args->verb != NULL)
        put_flags(out, args->verb->flags);
    put_flags(out, global_flags);
    fclose(out);
    return say_accepted(text);
}

/* word: NULL if it is missing. */
static enum outcome wrong_word(const struct args *args, const char *what,
                               const char *word)
{
    AUTO_FREE char *text = NULL;
    size_t bytes;
    FILE *out = must(open_memstream(&text, &bytes));
    put_command(out, args);
    if (word == NULL)
        fprintf(out, "a %s is missing; accepted: ", what);
    else
        fprintf(out, "there is no %s %s; accepted: ", what, word);
    if (args->resource == NULL) {
        for (size_t i = 0; resources[i] != NULL; i++)
            fprintf(out, "%s, ", resources[i]->name);
    } else {
        for (const struct verb *v = args->resource->verbs; v->name != NULL; v++)
            fprintf(out, "%s, ", v->name);
    }
    fclose(out);
    return say_accepted(text);
}

static enum outcome wrong_usage(const struct args *args, const char *fault)
{
    const struct verb *v = args->verb;
    AUTO_FREE char *text = NULL;
    size_t bytes;
    FILE *out = must(open_memstream(&text, &bytes));
    put_command(out, args);
    fprintf(out, "%s; usage: ashlarctl %s", fault, args->resource->name);
    if (v->name[0] != '\0')
        fprintf(out, " %s", v->name);
    if (v->names_usage != NULL)
        fprintf(out, " %s", v->names_usage);
    for (const struct flag *f = v->flags; f->name != NULL; f++) {
        if (f->required)
            fprintf(out, " --%s %s", f->name, f->value);
    }
    fclose(out);
    return say(OUTCOME_USAGE, "%s", text);
}

PRINTF_LIKE(3, 4)
static enum outcome wrong_flag(const struct args *args, const struct flag *flag,
                               const char *fmt, ...)
{
    va_list list;
    AUTO_FREE char *text = NULL;
    size_t bytes;
    FILE *out = must(open_memstream(&text, &bytes));
    put_command(out, args);
    fprintf(out, "--%s ", flag->name);
    va_start(list, fmt);
    vfprintf(out, fmt, list);
    va_end(list);
    fclose(out);
    return say(OUTCOME_USAGE, "%s", text);
}

/* ---- Flags ------------------------------------------------------------------------- */

/* Members are spelled with _, flags with -; both are understood. */
static bool same_flag(const char *flag, const char *typed, size_t length)
{
    if (strlen(flag) != length)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = typed[i] == '_' ? '-' : typed[i];
        if (c != flag[i])
            return false;
    }
    return true;
}

static const struct flag *find_in(const struct flag *flags, const char *typed,
                                  size_t length)
{
    for (; flags->name != NULL; flags++) {
        if (same_flag(flags->name, typed, length))
            return flags;
    }
    return NULL;
}

static const struct flag *find_flag(const struct args *args, const char *typed,
                                    size_t length)
{
    const struct flag *flag = NULL;
    if (args->verb != NULL)
        flag = find_in(args->verb->flags, typed, length);
    return flag != NULL ? flag : find_in(global_flags, typed, length);
}

bool flag_is_repeatable(const struct flag *flag)
{
    return flag->kind == FLAG_LIST || flag->kind == FLAG_NUMBERS ||
           flag->kind == FLAG_DEVICE || flag->kind == FLAG_LABEL;
}

static enum outcome note_flag(struct args *args, const struct flag *flag,
                              const char *value)
{
    if (!flag_is_repeatable(flag) && args_value(args, flag->name) != NULL)
        return wrong_flag(args, flag, "is given twice; accepted: once");
    if (flag->kind == FLAG_YES && strcmp(value, "true") != 0 &&
        strcmp(value, "false") != 0)
        return wrong_flag(args, flag, "is a yes or no; accepted: --%s, --%s=false",
                          flag->name, flag->name);
    args->given[args->given_count++] = (struct given){flag, value};
    return OUTCOME_DONE;
}

/* argv[*at] begins with a dash. */
static enum outcome read_flag(struct args *args, int argc, char *const *argv, int *at)
{
    const char *typed = argv[*at];
    if (strcmp(typed, "-h") == 0)
        typed = "--help";
    size_t length = strcspn(typed, "=");
    const char *value = typed[length] == '=' ? typed + length + 1 : NULL;
    const struct flag *flag = NULL;
    if (strncmp(typed, "--", 2) == 0)
        flag = find_flag(args, typed + 2, length - 2);
    if (flag == NULL) {
        AUTO_FREE char *name = must(strndup(typed, length));
        return unknown_flag(args, name);
    }
    if (value == NULL && flag->kind == FLAG_YES)
        value = "true";
    else if (value == NULL && *at + 1 < argc && strncmp(argv[*at + 1], "--", 2) != 0)
        value = argv[++*at];
    if (value == NULL)
        return wrong_flag(args, flag, "needs a value; accepted: %s", flag->value);
    return note_flag(args, flag, value);
}

/* ---- Words ------------------------------------------------------------------------- */

static const struct verb *find_verb(const struct resource *resource, const char *name)
{
    for (const struct verb *v = resource->verbs; v->name != NULL; v++) {
        if (strcmp(v->name, name) == 0)
            return v;
    }
    return NULL;
}

static enum outcome read_word(struct args *args, const char *word)
{
    if (args->resource == NULL) {
        for (size_t i = 0; resources[i] != NULL; i++) {
            if (strcmp(resources[i]->name, word) == 0)
                args->resource = resources[i];
        }
        if (args->resource == NULL)
            return wrong_word(args, "resource", word);
        args->verb = find_verb(args->resource, "");
    } else if (args->verb == NULL) {
        args->verb = find_verb(args->resource, word);
        if (args->verb == NULL)
            return wrong_word(args, "verb", word);
    } else {
        args->names[args->name_count++] = word;
    }
    return OUTCOME_DONE;
}

/* Whether all that the verb needs is there. */
static enum outcome check_whole(const struct args *args)
{
    if (args_has(args, "help") || args_has(args, "version"))
        return OUTCOME_DONE;
    if (args->resource == NULL)
        return wrong_word(args, "resource", NULL);
    if (args->verb == NULL)
        return wrong_word(args, "verb", NULL);
    if (args->name_count < args->verb->names_min)
        return wrong_usage(args, "a name is missing");
    if (args->name_count > args->verb->names_max)
        return wrong_usage(args, "too many names");
    for (size_t i = 0; i < args->name_count; i++) {
        if (args->names[i][0] == '\0')
            return wrong_usage(args, "a name is empty");
    }
    for (const struct flag *f = args->verb->flags; f->name != NULL; f++) {
        if (f->required && args_nth(args, f->member, 0) == NULL) {
            AUTO_FREE char *fault = NULL;
            if (asprintf(&fault, "--%s is missing", f->name) < 0)
                fault = must(NULL);
            return wrong_usage(args, fault);
        }
    }
    return OUTCOME_DONE;
}

enum outcome args_read(struct args *args, int argc, char *const *argv)
{
    bool flags_end = false;
    *args = (struct args){
        .names = must(calloc((size_t)argc + 1, sizeof(*args->names))),
        .given = must(calloc((size_t)argc + 1, sizeof(*args->given))),
    };
    for (int at = 1; at < argc; at++) {
        enum outcome outcome = OUTCOME_DONE;
        if (!flags_end && strcmp(argv[at], "--") == 0)
            flags_end = true;
        else if (!flags_end && argv[at][0] == '-' && argv[at][1] != '\0')
            outcome = read_flag(args, argc, argv, &at);
        else
            outcome = read_word(args, argv[at]);
        if (outcome != OUTCOME_DONE)
            return outcome;
    }
    return check_whole(args);
}

void args_fini(struct args *args)
{
    free(args->names);
    free(args->given);
}

/* ---- Looking up -------------------------------------------------------------------- */

const char *args_value(const struct args *args, const char *flag)
{
    for (size_t i = 0; i < args->given_count; i++) {
        if (strcmp(args->given[i].flag->name, flag) == 0)
            return args->given[i].value;
    }
    return NULL;
}

bool args_has(const struct args *args, const char *flag)
{
    const char *value = args_value(args, flag);
    return value != NULL && strcmp(value, "true") == 0;
}

const struct given *args_nth(const struct args *args, const char *member, size_t n)
{
    for (size_t i = 0; i < args->given_count; i++) {
        const struct given *given = &args->given[i];
        if (given->flag->member != NULL && strcmp(given->flag->member, member) == 0 &&
            n-- == 0)
            return given;
    }
    return NULL;
}
