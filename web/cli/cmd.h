/* SPDX-License-Identifier: Apache-2.0 */
/* The command line's vocabulary as tables: a resource, its verbs, their names and flags,
 * and the columns of its list. Parser, help, request bodies and error lines all read the
 * same tables. Single thread. */
#ifndef WEB_CLI_CMD_H
#define WEB_CLI_CMD_H

#include "web/cli/say.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct args;
struct client;
struct reply;

#define VERB_FLAGS_MAX       16
#define VERB_NAMES_MAX       2
#define RESOURCE_VERBS_MAX   10
#define RESOURCE_COLUMNS_MAX 11
#define NAMES_MANY           ((size_t)-1)

enum flag_kind {
    FLAG_TEXT,
    FLAG_SIZE, /* bytes, or a number with a unit */
    FLAG_INT,
    FLAG_YES,     /* takes no value */
    FLAG_NUMBERS, /* repeatable: an array of numbers. Or "none" alone */
    FLAG_LIST,    /* repeatable: the member is an array of strings */
    FLAG_DEVICE,  /* repeatable: PATH[,size=SIZE]; the member is an array of objects */
    FLAG_SECRET,  /* the one line of a file, or of "-", standard input */
    FLAG_LABEL,   /* repeatable: KEY=VALUE; the member is an object. Or "none" alone */
};

/* Also a flag with member NULL: one that is not of the request (--json, --socket). */
struct flag {
    const char *name;   /* without its dashes; NULL after the last */
    const char *member; /* of the request body; "a/b": b of its object a */
    const char *value;  /* what help writes for the value; NULL: it takes none */
    const char *help;
    enum flag_kind kind;
    bool required;
};

/* A name on the command line, and the member of the request body that it fills. */
struct name {
    const char *placeholder; /* NULL after the last */
    const char *member;      /* NULL: it goes into the path */
    const char
        *with_slash; /* the member that it fills if a slash is in it; NULL: the same */
};

struct cmd {
    const struct args *args;
    struct client *client;
};

struct verb {
    const char *name; /* NULL after the last; "": the resource stands alone */
    const char *summary;
    const char *names_usage; /* the names in the usage line; NULL: it takes none */
    size_t names_min, names_max;
    struct name names[VERB_NAMES_MAX];
    struct flag flags[VERB_FLAGS_MAX + 1];
    enum outcome (*run)(const struct cmd *cmd);
};

enum column_kind {
    COLUMN_TEXT,
    COLUMN_COUNT,
    COLUMN_BYTES,
    COLUMN_LIST,  /* all of an array, with commas */
    COLUMN_FIRST, /* the first of an array */
};

struct column {
    const char *heading; /* NULL after the last */
    const char *member;  /* "a/b": b of its object a */
    enum column_kind kind;
};

struct resource {
    const char *name; /* singular */
    const char *summary;
    const char *path; /* of the collection */
    const char *key;  /* the form of a name that is several segments of the path, such as
                         VOLUME/HOST; NULL: a name is one */
    unsigned slashes_max; /* in it */
    const struct verb verbs[RESOURCE_VERBS_MAX + 1];
    const struct column columns[RESOURCE_COLUMNS_MAX + 1];
};

extern const struct resource resource_pool, resource_device, resource_volume,
    resource_host, resource_initiator, resource_auth, resource_snapshot, resource_trash,
    resource_mapping, resource_session, resource_drain, resource_portal_group,
    resource_job, resource_token, resource_catalog, resource_status, resource_event,
    resource_audit, resource_apply;

/* Every resource, in the order of help; NULL after the last. */
extern const struct resource *const resources[];
/* What every command takes. */
extern const struct flag global_flags[];

/* ---- What the verbs of most resources do ------------------------------------------- */

/* POST of names and flags to the collection; prints what was made. */
enum outcome cmd_create(const struct cmd *cmd);
/* The same with names that are not those of the command line. */
enum outcome cmd_create_named(const struct cmd *cmd, const char *const *names);
/* PATCH of flags to what the first name names; prints what it is now. */
enum outcome cmd_change(const struct cmd *cmd);
/* Names and flags by method to path; prints what is answered. */
enum outcome cmd_send(const struct cmd *cmd, const char *method, const char *path,
                      const char *const *names);
/* All pages of the collection, as FLAGS_OF_LIST say (cmd_list.c). */
enum outcome cmd_list(const struct cmd *cmd);
/* The same of what query ("" or "&name=...") chooses. */
enum outcome cmd_list_of(const struct cmd *cmd, const char *query);
enum outcome cmd_show(const struct cmd *cmd);
/* Each name; goes on after one that the daemon refuses. */
enum outcome cmd_delete(const struct cmd *cmd);
/* The same with a query ("" or "?name=..."), said as done is. */
enum outcome cmd_delete_with(const struct cmd *cmd, const char *query, const char *done);

/* A request whose members or path names fill (NULL: nothing does); body may be NULL. The
 * object, or NULL and *outcome says why; with --json it has been printed as it came. */
json_t *cmd_call(const struct cmd *cmd, const char *method, const char *path,
                 const json_t *body, const char *const *names, enum outcome *outcome);
/* GET or POST of path, which names name (NULL: nothing), without a body. */
json_t *cmd_fetch(const struct cmd *cmd, const char *method, const char *path,
                  const char *name, enum outcome *outcome);
/* The same with a body or NULL, and prints nothing in any case. */
json_t *cmd_ask(const struct cmd *cmd, const char *method, const char *path,
                const json_t *body, const char *name, enum outcome *outcome);
/* Asks for the job that a POST to path begins, about the first name; body may be NULL.
 * waits: until it has
 * ended, and nothing is printed before. What it is then, or NULL and *outcome says why.
 */
json_t *job_begin(const struct cmd *cmd, const char *path, const json_t *body, bool waits,
                  enum outcome *outcome);
/* Of a job that was waited for and is not done: says so, as "WHAT NAME has ..."; else
 * outcome. */
enum outcome job_judge(const json_t *job, bool waits, const char *what, const char *name,
                       enum outcome outcome);
/* An object as lines of member and value, unless --json; its warnings on stderr. */
void cmd_print(const struct cmd *cmd, const json_t *object);
/* The path of what name names, percent-encoded, with suffix after it. NULL: it cannot be
 * a name, which has been said. Freed by the caller. */
char *cmd_path(const struct cmd *cmd, const char *name, const char *suffix);
/* Text as a part of a path or a query, percent-encoded. Freed by the caller. */
char *cmd_escape(const char *text);
/* What was answered as it came, if --json. */
void cmd_print_raw(const struct cmd *cmd, const struct reply *reply);
bool cmd_is_good(const struct reply *reply);
void cmd_print_table(const struct column *columns, size_t count, const json_t *items);
/* Objects as a table with the resource's columns, for people. */
void cmd_print_rows(const struct cmd *cmd, const json_t *items);
/* Cuts "A/B" into a, which the caller frees, and what follows. False: it has no slash
 * with something on both sides. */
bool cmd_cut(const char *name, char **a, const char **b);

#endif
