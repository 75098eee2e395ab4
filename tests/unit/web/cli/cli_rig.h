/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of ashlarctl share: a command line as words, and stderr as text.
 * Single thread. */
#ifndef TESTS_UNIT_WEB_CLI_RIG_H
#define TESTS_UNIT_WEB_CLI_RIG_H

#include "tests/unit/web/cm.h"
#include "web/cli/args.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 32

/* argv[0] is added. */
static inline enum outcome rig_read(struct args *args, char *const *words)
{
    char *argv[WORDS_MAX + 1] = {"ashlarctl"};
    int argc = 1;
    for (; words[argc - 1] != NULL; argc++) {
        assert_in_range(argc, 1, WORDS_MAX - 1);
        argv[argc] = words[argc - 1];
    }
    return args_read(args, argc, argv);
}

#define WORDS(...) ((char *const[]){__VA_ARGS__, NULL})

static FILE *rig_stderr;
static char *rig_text;
static size_t rig_bytes;

static inline void rig_catch(void)
{
    rig_stderr = stderr;
    stderr = must(open_memstream(&rig_text, &rig_bytes));
}

/* What was written to stderr since rig_catch(); freed by the caller. */
static inline char *rig_caught(void)
{
    fclose(stderr);
    stderr = rig_stderr;
    return rig_text;
}

/* The words are refused in one line that has all of parts in it. */
static inline void rig_expect_usage(char *const *words, const char *const *parts)
{
    struct args args;
    rig_catch();
    enum outcome outcome = rig_read(&args, words);
    AUTO_FREE char *text = rig_caught();
    args_fini(&args);
    assert_int_equal(outcome, OUTCOME_USAGE);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    for (; *parts != NULL; parts++) {
        if (strstr(text, *parts) == NULL)
            fail_msg("no '%s' in: %s", *parts, text);
    }
}

#define PARTS(...) ((const char *const[]){__VA_ARGS__, NULL})

#endif
