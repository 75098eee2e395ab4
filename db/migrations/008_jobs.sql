-- SPDX-License-Identifier: Apache-2.0
-- Long work that was asked for: what it is, how far it is, how it ended. A row of state 0 is begun
-- again by the next start. What the columns mean is in docs/FORMAT.md.

CREATE TABLE job (
    no          INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT    NOT NULL UNIQUE,
    kind        TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    subject_id  TEXT    NOT NULL,
    created_s   INTEGER NOT NULL,
    ended_s     INTEGER NOT NULL,
    state       INTEGER NOT NULL CONSTRAINT state CHECK (state BETWEEN 0 AND 3),
    cancel      INTEGER NOT NULL CONSTRAINT cancel CHECK (cancel IN (0, 1)),
    units_done  INTEGER NOT NULL CONSTRAINT units_done CHECK (units_done >= 0),
    units_total INTEGER NOT NULL CONSTRAINT units_total CHECK (units_total >= 0),
    outcome     TEXT    NOT NULL,
    error       TEXT    NOT NULL
) STRICT;
