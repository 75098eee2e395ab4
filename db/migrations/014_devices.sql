-- SPDX-License-Identifier: Apache-2.0
-- Devices that are emptied while their pool serves. What the column means is in docs/FORMAT.md.

ALTER TABLE device ADD COLUMN evacuation INTEGER NOT NULL DEFAULT 0
    CONSTRAINT evacuation CHECK (evacuation IN (0, 1, 2));
