-- SPDX-License-Identifier: Apache-2.0
-- The persistent reservation and the registrations that a volume or a snapshot keeps over a loss of power (SPC-4,
-- 5.13.5: APTPL); without a row it keeps none. What the columns mean is in docs/FORMAT.md.

CREATE TABLE reservation (
    volume_id TEXT    NOT NULL PRIMARY KEY REFERENCES volume (id) ON DELETE CASCADE,
    type      INTEGER NOT NULL CONSTRAINT type CHECK (type IN (0, 1, 3, 5, 6, 7, 8)),
    holder    INTEGER NOT NULL CONSTRAINT holder CHECK (holder BETWEEN 0 AND 1023)
) STRICT;

CREATE TABLE registration (
    volume_id        TEXT    NOT NULL REFERENCES reservation (volume_id) ON DELETE CASCADE,
    no               INTEGER NOT NULL CONSTRAINT no CHECK (no BETWEEN 0 AND 1023),
    initiator        TEXT    NOT NULL CONSTRAINT initiator CHECK (length(initiator) > 0),
    isid             BLOB    NOT NULL CONSTRAINT isid CHECK (length(isid) = 6),
    target           TEXT    NOT NULL CONSTRAINT target CHECK (length(target) > 0),
    portal_group_tag INTEGER NOT NULL CONSTRAINT portal_group_tag CHECK (portal_group_tag BETWEEN 0 AND 65535),
    key              BLOB    NOT NULL CONSTRAINT key CHECK (length(key) = 8 AND key <> zeroblob(8)),
    PRIMARY KEY (volume_id, no)
) STRICT;
