-- SPDX-License-Identifier: Apache-2.0
-- What a pool may promise, what a volume is promised, and how many words of a layer are shared. What the columns
-- mean is in docs/FORMAT.md. Words that are shared were not counted before: where a pool has any, all words of its
-- layers count as shared, which holds back too much space and never too little.

ALTER TABLE pool ADD COLUMN overcommit_cap_percent INTEGER NOT NULL DEFAULT 0
    CONSTRAINT overcommit_cap_percent CHECK (overcommit_cap_percent BETWEEN 0 AND 1000000);
ALTER TABLE volume ADD COLUMN guaranteed_bytes INTEGER NOT NULL DEFAULT 0
    CONSTRAINT guaranteed CHECK (guaranteed_bytes BETWEEN 0 AND 140737488355328);
ALTER TABLE layer ADD COLUMN shared_extents INTEGER NOT NULL DEFAULT 0
    CONSTRAINT shared_extents CHECK (shared_extents BETWEEN 0 AND 2147483648);
UPDATE layer SET shared_extents = used_extents
    WHERE pool_id IN (SELECT pool_id FROM device JOIN share ON share.device_no = device.no);
