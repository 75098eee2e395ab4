-- SPDX-License-Identifier: Apache-2.0
-- How units are accessed through a target port group, by the tag of its portal group. Without a row it is
-- active/optimized and not preferred. state: as SPC-4, 6.37 numbers them.

CREATE TABLE port_group (
    tag       INTEGER PRIMARY KEY CONSTRAINT tag CHECK (tag BETWEEN 1 AND 65535),
    state     INTEGER NOT NULL CONSTRAINT state CHECK (state BETWEEN 0 AND 3),
    preferred INTEGER NOT NULL CONSTRAINT preferred CHECK (preferred IN (0, 1))
) STRICT;
