/* SPDX-License-Identifier: Apache-2.0 */
/* From a problem (RFC 9457) to "--size 5: size is not a multiple of 4096; accepted: ...":
 * the pointer into the body is turned back into the flag or name that filled it. Single
 * thread. */
#include "web/cli/refusal.h"

#include <stdlib.h>
#include <string.h>

static const char *problem_text(const json_t *problem, const char *member)
{
    const char *text = json_string_value(json_object_get(problem, member));
    return text == NULL ? "" : text;
}

static const struct flag *flag_of_member(const struct verb *verb, const char *member)
{
    for (const struct flag *f = verb->flags; f->name != NULL; f++) {
        if (f->member != NULL && strcmp(f->member, member) == 0)
            return f;
    }
    return NULL;
}

static bool put_name(FILE *out, const struct verb *verb, const char *member,
                     const char *const *names)
{
    for (size_t i = 0; i < VERB_NAMES_MAX && verb->names[i].placeholder != NULL; i++) {
        const struct name *name = &verb->names[i];
        if ((name->member != NULL && strcmp(name->member, member) == 0) ||
            (name->with_slash != NULL && strcmp(name->with_slash, member) == 0)) {
            fprintf(out, "%s %s: ", name->placeholder, names == NULL ? "" : names[i]);
            return true;
        }
    }
    return false;
}

/* What filled the element of member that rest leads to: "", "/INDEX..." or "/KEY". */
static const struct given *given_of(const struct args *args, const struct flag *flag,
                                    const char *rest)
{
    if (flag->kind != FLAG_LABEL || rest[0] == '\0')
        return args_nth(args, flag->member,
                        rest[0] == '/' ? strtoul(rest + 1, NULL, 10) : 0);
    const struct given *given;
    for (size_t i = 0; (given = args_nth(args, flag->member, i)) != NULL; i++) {
        AUTO_FREE char *key = must(strndup(given->value, strcspn(given->value, "=")));
        if (strcmp(key, rest + 1) == 0)
            break;
    }
    return given;
}

/* pointer: /member, /member/INDEX or /member/INDEX/member. Puts "--flag value: ". */
static void put_culprit(FILE *out, const struct args *args, const char *const *names,
                        const char *pointer)
{
    if (pointer[0] != '/')
        return;
    bool is_flag = flag_of_member(args->verb, pointer + 1) != NULL; /* "a/b" is one too */
    size_t length = is_flag ? strlen(pointer + 1) : strcspn(pointer + 1, "/");
    AUTO_FREE char *member = must(strndup(pointer + 1, length));
    const char *rest = pointer + 1 + length;
    if (put_name(out, args->verb, member, names))
        return;
    const struct flag *flag = flag_of_member(args->verb, member);
    if (flag == NULL) {
        fprintf(out, "%s: ", member);
        return;
    }
    /* The member as a whole is a value only if it was given once. */
    bool whole = rest[0] == '\0' && args_nth(args, member, 1) != NULL;
    const struct given *given = given_of(args, flag, rest);
    fprintf(out, "--%s", flag->name);
    if (given != NULL && flag->kind != FLAG_YES && !whole)
        fprintf(out, " %s", given->value);
    fputs(": ", out);
}

/* Of a query that flags have filled beside a name in the path. False: it is none of them.
 */
static bool put_parameter(FILE *out, const struct args *args, const char *parameter)
{
    const char *value = args_value(args, parameter);
    if (value != NULL)
        fprintf(out, "--%s %s: ", parameter, value);
    return value != NULL;
}

static enum outcome say_problem(const struct args *args, const char *const *names,
                                const json_t *problem, long status)
{
    AUTO_FREE char *line = NULL;
    size_t bytes;
    const char *detail = problem_text(problem, "detail");
    const char *accepted = problem_text(problem, "accepted");
    const char *parameter = problem_text(problem, "parameter");
    FILE *out = must(open_memstream(&line, &bytes));
    put_culprit(out, args, names, problem_text(problem, "pointer"));
    if (parameter[0] != '\0' && names != NULL && !put_parameter(out, args, parameter)) {
        detail = "cannot be a name or an id";
        accepted = "printable ASCII without /, as long as a name or an id may be";
        fprintf(out, "%s %s: ", args->resource->name, names[0]);
    }
    fputs(detail[0] != '\0' ? detail : problem_text(problem, "title"), out);
    if (status == 401) /* the header that it speaks of is ours to send */
        accepted = "--token-file FILE, or ASHLAR_TOKEN";
    if (accepted[0] != '\0')
        fprintf(out, "; accepted: %s", accepted);
    fclose(out);
    return say(OUTCOME_REFUSED, "%s", line);
}

enum outcome refusal_say(const struct args *args, const char *const *names,
                         const struct reply *reply)
{
    if (problem_text(reply->json, "title")[0] != '\0')
        return say_problem(args, names, reply->json, reply->status);
    return say(OUTCOME_REFUSED, "the daemon refused the request with status %ld",
               reply->status);
}
