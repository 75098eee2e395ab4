-- SPDX-License-Identifier: Apache-2.0
-- Snapshots, clones, the trash, labels, shared extents. A snapshot is a row of the volume table with
-- snapshot_of. `name` stays unique over all rows: from now on a snapshot's is VOLUME-ID/NAME, and that of a
-- volume in the trash is ID/NAME.

ALTER TABLE volume ADD COLUMN snapshot_of TEXT REFERENCES volume (id);
ALTER TABLE volume ADD COLUMN snapshot_group TEXT;
ALTER TABLE volume ADD COLUMN clone_of TEXT;
ALTER TABLE volume ADD COLUMN trashed_s INTEGER NOT NULL DEFAULT 0;
ALTER TABLE volume ADD COLUMN is_protected INTEGER NOT NULL DEFAULT 0
    CONSTRAINT is_protected CHECK (is_protected IN (0, 1));
ALTER TABLE volume ADD COLUMN zero_detect INTEGER NOT NULL DEFAULT 0
    CONSTRAINT zero_detect CHECK (zero_detect IN (0, 1));
ALTER TABLE volume ADD COLUMN wipe_bytes INTEGER NOT NULL DEFAULT 0
    CONSTRAINT wipe_bytes CHECK (wipe_bytes BETWEEN 0 AND 140737488355328);
CREATE INDEX volume_snapshot_of ON volume (snapshot_of);

CREATE TABLE label (
    volume_id TEXT NOT NULL REFERENCES volume (id) ON DELETE CASCADE,
    key       TEXT NOT NULL,
    value     TEXT NOT NULL,
    PRIMARY KEY (volume_id, key)
) STRICT;

CREATE TABLE share (
    device_no INTEGER NOT NULL REFERENCES device (no) ON DELETE CASCADE,
    extent    INTEGER NOT NULL CONSTRAINT extent CHECK (extent BETWEEN 1 AND 34359738367),
    count     INTEGER NOT NULL CONSTRAINT count CHECK (count >= 2),
    PRIMARY KEY (device_no, extent)
) STRICT;
