-- SPDX-License-Identifier: Apache-2.0
-- Mode parameters that an initiator has saved (SPC-5, 6.12: SP), of a volume or a snapshot; without a row they are
-- the defaults. What the columns mean is in docs/FORMAT.md.

CREATE TABLE mode (
    volume_id        TEXT    NOT NULL PRIMARY KEY REFERENCES volume (id) ON DELETE CASCADE,
    descriptor_sense INTEGER NOT NULL CONSTRAINT descriptor_sense CHECK (descriptor_sense IN (0, 1)),
    write_protect    INTEGER NOT NULL CONSTRAINT write_protect CHECK (write_protect IN (0, 1)),
    write_cache      INTEGER NOT NULL CONSTRAINT write_cache CHECK (write_cache IN (0, 1)),
    tells_thresholds INTEGER NOT NULL CONSTRAINT tells_thresholds CHECK (tells_thresholds IN (0, 1)),
    tells_one        INTEGER NOT NULL CONSTRAINT tells_one CHECK (tells_one IN (0, 1))
) STRICT;

CREATE TABLE threshold (
    volume_id  TEXT    NOT NULL REFERENCES mode (volume_id) ON DELETE CASCADE,
    no         INTEGER NOT NULL CONSTRAINT no CHECK (no BETWEEN 0 AND 3),
    enabled    INTEGER NOT NULL CONSTRAINT enabled CHECK (enabled IN (0, 1)),
    increasing INTEGER NOT NULL CONSTRAINT increasing CHECK (increasing IN (0, 1)),
    resource   INTEGER NOT NULL CONSTRAINT resource CHECK (resource BETWEEN 0 AND 2),
    extents    INTEGER NOT NULL CONSTRAINT extents CHECK (extents BETWEEN 0 AND 4294967295),
    PRIMARY KEY (volume_id, no)
) STRICT;
