/* SPDX-License-Identifier: Apache-2.0 */
/* The one line of a file (see secret.h). What is too long or too short, the daemon
 * says. */
#include "web/cli/secret.h"

#include "web/cli/say.h"

#include <errno.h>
#include <string.h>

#define SECRET_TEXT_MAX 4096

/* NULL: not one line of text. */
static json_t *line_json(const char *text, size_t length)
{
    if (length > 0 && text[length - 1] == '\n')
        length--;
    if (length > 0 && text[length - 1] == '\r')
        length--;
    if (length == 0 || memchr(text, '\n', length) != NULL)
        return NULL;
    return json_stringn(text, length);
}

static json_t *file_json(const char *what, const char *path, FILE *file)
{
    char text[SECRET_TEXT_MAX];
    size_t length = fread(text, 1, sizeof(text), file);
    int fault = ferror(file) ? errno : 0;
    json_t *out = fault != 0 || length == sizeof(text) ? NULL : line_json(text, length);
    explicit_bzero(text, sizeof(text));
    if (fault != 0)
        say(OUTCOME_USAGE, "%s %s: %s", what, path, strerror(fault));
    else if (out == NULL)
        say(OUTCOME_USAGE, "%s %s holds no secret; accepted: one line, the secret", what,
            path);
    return out;
}

json_t *secret_json(const char *what, const char *path)
{
    if (strcmp(path, "-") == 0)
        return file_json(what, path, stdin);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        say(OUTCOME_USAGE, "%s %s: %s", what, path, strerror(errno));
        return NULL;
    }
    json_t *out = file_json(what, path, file);
    fclose(file);
    return out;
}
