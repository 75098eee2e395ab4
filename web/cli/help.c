/* SPDX-License-Identifier: Apache-2.0 */
/* What --help prints: of the program, a resource, a verb. Single thread. */
#include "web/cli/help.h"

#include "web/cli/table.h"

#define LINE_COLUMNS 98

static void put_flag(struct table *table, const struct flag *flag)
{
    AUTO_FREE char *text = NULL;
    if (asprintf(&text, "  --%s%s%s", flag->name, flag->value == NULL ? "" : " ",
                 flag->value == NULL ? "" : flag->value) < 0)
        text = must(NULL);
    table_add(table, text);
    table_add(table, flag->help);
}

static void put_flags(const struct flag *flags)
{
    struct table table;
    table_init(&table, 2);
    for (; flags->name != NULL; flags++)
        put_flag(&table, flags);
    table_print(&table, stdout);
    table_fini(&table);
}

/* " [--flag VALUE]...", on a line of its own if it does not fit on that of column. */
static size_t put_usage(const struct flag *f, size_t column)
{
    AUTO_FREE char *text = NULL;
    int bytes = asprintf(&text, "%s--%s%s%s%s%s", f->required ? "" : "[", f->name,
                         f->value == NULL ? "" : " ", f->value == NULL ? "" : f->value,
                         f->required ? "" : "]", flag_is_repeatable(f) ? "..." : "");
    if (bytes < 0)
        text = must(NULL);
    bool fits = column + 1 + (size_t)bytes <= LINE_COLUMNS;
    printf("%s%s", fits ? " " : "\n           ", text);
    return (fits ? column + 1 : 11) + (size_t)bytes;
}

static void help_verb(const struct resource *resource, const struct verb *verb)
{
    int column =
        printf("usage: ashlarctl %s%s%s%s%s", resource->name, verb->name[0] ? " " : "",
               verb->name, verb->names_usage == NULL ? "" : " ",
               verb->names_usage == NULL ? "" : verb->names_usage);
    size_t at = column < 0 ? 0 : (size_t)column;
    for (const struct flag *f = verb->flags; f->name != NULL; f++)
        at = put_usage(f, at);
    printf("\n%s.\n", verb->summary);
    if (verb->flags[0].name != NULL) {
        printf("\nflags:\n");
        put_flags(verb->flags);
    }
    printf("\nof every command:\n");
    put_flags(global_flags);
}

static void help_resource(const struct resource *resource)
{
    struct table table;
    printf("usage: ashlarctl %s VERB [NAME...] [--flag value...]\n%s.\n\nverbs:\n",
           resource->name, resource->summary);
    table_init(&table, 2);
    for (const struct verb *v = resource->verbs; v->name != NULL; v++) {
        AUTO_FREE char *text = NULL;
        if (asprintf(&text, "  %s", v->name) < 0)
            text = must(NULL);
        table_add(&table, text);
        table_add(&table, v->summary);
    }
    table_print(&table, stdout);
    table_fini(&table);
    printf("\nashlarctl %s VERB --help says which flags a verb takes.\n", resource->name);
}

static void help_program(void)
{
    struct table table;
    printf("usage: ashlarctl RESOURCE VERB [NAME...] [--flag value...]\n"
           "Provisions thin virtual disks of an Ashlar box.\n\nresources and verbs:\n");
    table_init(&table, 2);
    for (size_t i = 0; resources[i] != NULL; i++) {
        AUTO_FREE char *name = NULL;
        AUTO_FREE char *verbs = NULL;
        size_t bytes;
        if (asprintf(&name, "  %s", resources[i]->name) < 0)
            name = must(NULL);
        FILE *out = must(open_memstream(&verbs, &bytes));
        for (const struct verb *v = resources[i]->verbs; v->name != NULL; v++)
            fprintf(out, "%s%s", v == resources[i]->verbs ? "" : ", ",
                    v->name[0] == '\0' ? v->summary : v->name);
        fclose(out);
        table_add(&table, name);
        table_add(&table, verbs);
    }
    table_print(&table, stdout);
    table_fini(&table);
    printf("\nflags:\n");
    put_flags(global_flags);
    printf("\nashlarctl RESOURCE [VERB] --help says more; see also ashlarctl(1).\n");
}

void help_print(const struct args *args)
{
    if (args->verb != NULL)
        help_verb(args->resource, args->verb);
    else if (args->resource != NULL)
        help_resource(args->resource);
    else
        help_program();
}
