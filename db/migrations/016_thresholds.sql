-- SPDX-License-Identifier: Apache-2.0
-- At which use of a pool an admin is told, in percent of its size. What the column means is in docs/FORMAT.md.

ALTER TABLE pool ADD COLUMN usage_thresholds TEXT NOT NULL DEFAULT '75 90'
    CONSTRAINT usage_thresholds CHECK (length(usage_thresholds) < 20);
