/* SPDX-License-Identifier: Apache-2.0 */
/* A pool by itself: the file that an export writes and an import reads. It is a catalog
 * of the same schema that has the rows of one pool and nothing else, without a log beside
 * it; each of its volumes has a row of its identity. The pool's devices carry exactly the
 * generation that the file's rows say, or the file is too old. docs/FORMAT.md, "A pool's
 * file". */
#ifndef DB_POOL_FILE_H
#define DB_POOL_FILE_H

#include "db/catalog.h"

/* How a box makes the identity of a volume of its own from its serial. */
struct identity_rule {
    const void *arg;
    void (*make)(const void *arg, uint64_t naa_serial, uint8_t naa[CATALOG_NAA_BYTES]);
    /* False: no serial makes it. */
    bool (*serial_of)(const void *arg, const uint8_t naa[CATALOG_NAA_BYTES],
                      uint64_t *naa_serial);
};

/* ---- Leaving ----------------------------------------------------------------------- */

/* On a reader, inside work(): what it sees of the pool goes into a new file at path,
 * mode 0600, synced. clean: no extent is marked used that no word names. -EEXIST, field
 * path: it is there. What fails leaves no file. */
int pool_file_write(struct catalog_txn *txn, const char *pool_id, bool clean,
                    const struct identity_rule *rule, const char *path,
                    struct err *e) MUST_CHECK;
/* On the writer, inside work(): all rows of the pool go. -EBUSY: volumes are mapped. */
int pool_rows_remove(struct catalog_txn *txn, const char *pool_id,
                     struct err *e) MUST_CHECK;

/* ---- Arriving ---------------------------------------------------------------------- */

/* An open one: a private copy, brought to this program's schema. One thread at a time. */
struct pool_file;

struct pool_file_info {
    char box_id[CATALOG_ID_MAX]; /* the exporter's */
    bool clean;
    struct pool_row pool;
    uint32_t layer_count;
    uint32_t volume_count, snapshot_count; /* not in the trash */
    uint32_t trash_count;                  /* volumes in it */
    size_t device_count;
    const struct device_row *devices; /* in order of number; the file's */
};

/* Blocking, any thread. The file itself is only read. All with field path. -EUCLEAN: it
 * is damaged, or is no exported pool. -EPROTO: of a newer schema. */
int pool_file_open(const char *path, struct pool_file **out, struct err *e) MUST_CHECK;
/* NULL is allowed. */
void pool_file_close(struct pool_file *file);
void pool_file_describe(const struct pool_file *file, struct pool_file_info *out);

struct pool_arrival {
    const char *name;     /* the pool's to be */
    uint32_t first_layer; /* of layer_count numbers that no layer ever had */
    /* As pool_file_info has them and in that order, with the path and the generation that
     * they are to have. */
    const struct device_row *devices;
    const struct identity_rule *rule; /* of the box that it comes to */
};
/* On the writer, inside work(): all that the file has becomes the catalog's. -EEXIST:
 * field pool, name, volumes, devices or path says what is here already. */
int pool_file_store(struct pool_file *file, struct catalog_txn *txn,
                    const struct pool_arrival *arrival, struct err *e) MUST_CHECK;

#endif
