/* SPDX-License-Identifier: Apache-2.0 */
/* Labels: key=value, noted by admins. */
#include "lunmgr/label.h"

#include "lunmgr/op.h"
#include "lunmgr/pool_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert(LABEL_KEY_MAX == CATALOG_NAME_MAX && LABEL_VALUE_MAX == CATALOG_LABEL_MAX,
              "what can be set can be stored");
static int label_order(const void *a, const void *b)
{
    return strcmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

int labels_check(struct label_list list, struct err *e)
{
    if (list.count > LABEL_COUNT_MAX)
        return err_set(e, -EINVAL, "labels", "at most %d labels", LABEL_COUNT_MAX);
    for (size_t i = 0; i < list.count; i++) {
        struct err why;
        if (name_check(list.labels[i].key, "labels", &why) != 0)
            return err_set(e, -EINVAL, "labels", "the key of a label: %.200s", why.text);
        for (size_t j = 0; j < i; j++)
            if (strcmp(list.labels[i].key, list.labels[j].key) == 0)
                return err_set(e, -EINVAL, "labels", "the label %s is there twice",
                               list.labels[i].key);
    }
    return 0;
}

int labels_set(struct volume *volume, struct label_list list)
{
    struct label *own = NULL;
    if (list.count > 0) {
        own = malloc(list.count * sizeof(*own));
        if (own == NULL)
            return -ENOMEM;
        memcpy(own, list.labels, list.count * sizeof(*own));
        qsort(own, list.count, sizeof(*own), label_order);
    }
    free(volume->labels);
    volume->labels = own;
    volume->label_count = list.count;
    return 0;
}

int labels_add(struct volume *volume, const char *key, const char *value)
{
    struct label *grown =
        realloc(volume->labels, (volume->label_count + 1) * sizeof(*grown));
    if (grown == NULL)
        return -ENOMEM;
    volume->labels = grown;
    struct label *label = &grown[volume->label_count++];
    snprintf(label->key, sizeof(label->key), "%s", key);
    snprintf(label->value, sizeof(label->value), "%s", value);
    return 0;
}

struct label_list labels_of(const struct volume *volume)
{
    return (struct label_list){.labels = volume->labels, .count = volume->label_count};
}

int labels_store(struct catalog_txn *txn, const char *volume_id, struct label_list list,
                 struct err *e)
{
    struct label_row rows[LABEL_COUNT_MAX];
    assert(list.count <= LABEL_COUNT_MAX);
    for (size_t i = 0; i < list.count; i++) {
        memcpy(rows[i].key, list.labels[i].key, sizeof(rows[i].key));
        memcpy(rows[i].value, list.labels[i].value, sizeof(rows[i].value));
    }
    return label_rows_set(txn, volume_id, rows, list.count, e);
}
