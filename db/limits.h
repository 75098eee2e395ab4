/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog's limits, each with its unit and its reason. */
#ifndef DB_LIMITS_H
#define DB_LIMITS_H

#define READERS_MAX 8

/* Jobs that share one commit: bounds how long the first of them waits for the last. */
#define GROUP_JOBS_MAX 256

/* A group is committed, and the rest of it begins another, after a job that makes it last
 * longer or hold more of the map: so rows of management go between two large rounds. */
#define GROUP_MS_MAX    5
#define GROUP_MAP_BYTES 262144
/* How long a group waits for more jobs to come: half of what a commit takes, up to this.
 */
#define GATHER_US_MAX 5000

/* The map's words that are not yet folded into leaf rows, in memory and in rows: a start
 * reads them, each leaf load looks them up. A fold begins at the first bound. Past the
 * second a round stores what it can in leaf rows at once, which is as slow as to make the
 * fold catch up; past twice that (the fold fails) it is refused. */
#define FOLD_BYTES        (12 << 20)
#define OVERLAY_BYTES_MAX (24 << 20)
/* One step of a fold is a transaction of its own that jobs may wait for. */
#define FOLD_STEP_LEAVES 128
#define FOLD_STEP_MS     2
#define DELTA_ROWS_STEP  32
/* With nothing to do for so long, the writer folds whatever there is. */
#define FOLD_IDLE_MS 2000

/* Records of idempotency keys that are out of bounds go, at most so many for each of the
 * two bounds, with the change that adds one: more than one, so that they get fewer. */
#define REPLAY_STEP 8

/* Prepared statements of one connection. All of the row files have about 75. */
#define STMT_SLOTS 96

/* Pages in the log since the last checkpoint that make the writer take the next one: when
 * no job has come for so long, and in any case. A checkpoint costs two syncs and little
 * for each page, so a smaller first bound makes no shorter waits (docs/BENCHMARKS.md);
 * and who sends one change after the other leaves pauses, but none as long. */
#define CHECKPOINT_PAGES     250
#define CHECKPOINT_PAUSE_MS  5
#define CHECKPOINT_PAGES_MAX 1000
/* From this length (64 MiB) a checkpoint also tries to cut the log file to nothing. */
#define CHECKPOINT_TRUNCATE_PAGES 16384
/* With nothing to do for so long, the writer checkpoints whatever there is. */
#define CHECKPOINT_IDLE_MS 500

/* What is copied into a mirror that is made anew between two jobs, in pieces (SQLite's
 * file system writes less than 128 KiB at once); and how long one that has failed is left
 * alone. */
#define MIRROR_PIECE_BYTES 65536
#define MIRROR_STEP_PIECES 16
#define MIRROR_RETRY_MS    30000
/* A commit that the mirror lacks is answered when the mirror is shut out: how often that
 * is tried where it fails. */
#define RAISE_RETRY_MS 100

/* How long a reader waits for the moments in which the log is locked as a whole. */
#define READER_BUSY_MS 5000

/* Page cache of a connection. */
#define WRITER_CACHE_KIB 4096
#define READER_CACHE_KIB 1024

#endif
