-- SPDX-License-Identifier: Apache-2.0
-- What the jobs of kind volume-copy copy. What the columns mean is in docs/FORMAT.md.

CREATE TABLE volume_copy (
    job_id       TEXT    NOT NULL PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
    source_id    TEXT    NOT NULL,
    snapshot_id  TEXT    NOT NULL,
    to_id        TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    pool_id      TEXT    NOT NULL,
    from_bytes   INTEGER NOT NULL CONSTRAINT from_bytes CHECK (from_bytes >= 0),
    to_bytes     INTEGER NOT NULL CONSTRAINT to_bytes CHECK (to_bytes >= 0),
    length_bytes INTEGER NOT NULL CONSTRAINT length_bytes CHECK (length_bytes >= 0)
) STRICT;
