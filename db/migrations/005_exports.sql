-- SPDX-License-Identifier: Apache-2.0
-- A mapping may be a target of its own; the LUNs of such do not clash. SQLite takes no UNIQUE out of a table, so it is
-- made anew; nothing refers to it.

CREATE TABLE mapping_new (
    id         TEXT    NOT NULL PRIMARY KEY,
    volume_id  TEXT    NOT NULL REFERENCES volume (id),
    host_id    TEXT    NOT NULL REFERENCES host (id),
    lun        INTEGER NOT NULL CONSTRAINT lun CHECK (lun BETWEEN 0 AND 16383),
    read_only  INTEGER NOT NULL CONSTRAINT read_only CHECK (read_only IN (0, 1)),
    created_s  INTEGER NOT NULL,
    own_target INTEGER NOT NULL CONSTRAINT export CHECK (own_target IN (0, 1)),
    UNIQUE (host_id, volume_id)
) STRICT;
INSERT INTO mapping_new (id, volume_id, host_id, lun, read_only, created_s, own_target)
    SELECT id, volume_id, host_id, lun, read_only, created_s, 0 FROM mapping;
DROP TABLE mapping;
ALTER TABLE mapping_new RENAME TO mapping;
CREATE UNIQUE INDEX mapping_lun ON mapping (host_id, lun) WHERE own_target = 0;
CREATE INDEX mapping_volume ON mapping (volume_id);
