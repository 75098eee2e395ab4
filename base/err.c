/* SPDX-License-Identifier: Apache-2.0 */
/* struct err: filled once at the place of detection. Pure; any thread. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

void err_fill(struct err *e, int code, const char *field, const char *fmt, ...)
{
    if (e == NULL)
        return;
    e->code = code;
    snprintf(e->field, sizeof(e->field), "%s", field == NULL ? "" : field);
    va_list args;
    va_start(args, fmt);
    vsnprintf(e->text, sizeof(e->text), fmt, args);
    va_end(args);
}
