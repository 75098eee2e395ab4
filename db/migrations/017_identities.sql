-- SPDX-License-Identifier: Apache-2.0
-- What hosts know a volume or a snapshot by, where it is not what this box makes of its serial: of pools that came from
-- another box. Without a row it is.

CREATE TABLE identity (
    volume_id TEXT NOT NULL PRIMARY KEY REFERENCES volume (id) ON DELETE CASCADE,
    naa       BLOB NOT NULL UNIQUE CONSTRAINT naa CHECK (length(naa) = 16)
) STRICT;
