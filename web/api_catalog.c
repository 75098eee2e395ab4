/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog as a whole: its backup, into a file on the box. Control thread. */
#include "lunmgr/backup.h"
#include "web/api.h"
#include "web/json_in.h"

const struct schema schema_catalog_backup = {"CatalogBackup", {"path"}};

static void catalog_on_backed_up(void *arg, const struct err *e)
{
    struct exchange *x = arg;
    if (exchange_resume(x, e))
        reply_empty(x);
}

void api_catalog_backup(struct exchange *x)
{
    struct input in;
    input_begin(&in, x->body, "", &schema_catalog_backup, &x->problem);
    const char *path = input_string(&in, "path", INPUT_REQUIRED, CATALOG_BACKUP_PATH_MAX);
    if (input_good(&in))
        lunmgr_backup(x->web->lunmgr, path, catalog_on_backed_up, x);
    else
        reply_problem(x);
}
