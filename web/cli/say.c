/* SPDX-License-Identifier: Apache-2.0 */
/* One line on stderr, whatever is in it (see say.h). Single thread. */
#include "web/cli/say.h"

#include "base/log.h"

#include <stdarg.h>

void *must(void *p)
{
    if (p == NULL)
        log_fatal("out of memory");
    return p;
}

void say_plain(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)text[0], next = (unsigned char)text[1];
        if (c < 0x20 || c == 0x7f) {
            fputc('?', out);
        } else if (c == 0xc2 && next >= 0x80 && next <= 0x9f) { /* C1, in UTF-8 */
            fputc('?', out);
            text++;
        } else {
            fputc(c, out);
        }
    }
}

static void say_line(const char *prefix, const char *fmt, va_list args)
{
    AUTO_FREE char *text = NULL;
    if (vasprintf(&text, fmt, args) < 0) {
        text = NULL;
        must(NULL);
        return;
    }
    fflush(stdout);
    fputs(prefix, stderr);
    say_plain(stderr, text);
    fputc('\n', stderr);
}

enum outcome say(enum outcome outcome, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say_line("ashlarctl: ", fmt, args);
    va_end(args);
    return outcome;
}

void say_warning(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say_line("ashlarctl: warning: ", fmt, args);
    va_end(args);
}
