-- SPDX-License-Identifier: Apache-2.0
-- Shared extents that lie together and are named by as many words each are one row.

ALTER TABLE share ADD COLUMN extents INTEGER NOT NULL DEFAULT 1
    CONSTRAINT extents CHECK (extents >= 1);
