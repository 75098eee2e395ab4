-- SPDX-License-Identifier: Apache-2.0
-- Rounds' words as rows of their own, not yet folded into leaves. The rows apply in order of id, over the
-- leaves; ids rise, and the lowest go first.

CREATE TABLE delta (
    id    INTEGER PRIMARY KEY CONSTRAINT id CHECK (id >= 1),
    words BLOB    NOT NULL
) STRICT;
