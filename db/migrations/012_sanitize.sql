-- SPDX-License-Identifier: Apache-2.0
-- A volume that a SANITIZE was begun on and that is not sanitized yet: what was asked for, until it is done or
-- its failure is forgiven. A row of state 0 is gone on with by the next start, before the volume serves
-- anything. What the columns mean is in docs/FORMAT.md.

CREATE TABLE sanitize (
    volume_id    TEXT    PRIMARY KEY REFERENCES volume (id) ON DELETE CASCADE,
    state        INTEGER NOT NULL CONSTRAINT state CHECK (state IN (0, 1)),
    erases       INTEGER NOT NULL CONSTRAINT erases CHECK (erases IN (0, 1)),
    unrestricted INTEGER NOT NULL CONSTRAINT unrestricted CHECK (unrestricted IN (0, 1)),
    inverts      INTEGER NOT NULL CONSTRAINT inverts CHECK (inverts IN (0, 1)),
    passes       INTEGER NOT NULL CONSTRAINT passes CHECK (passes BETWEEN 1 AND 31),
    pattern      BLOB    NOT NULL CONSTRAINT pattern CHECK (length(pattern) BETWEEN 1 AND 4096)
) STRICT;
