-- SPDX-License-Identifier: Apache-2.0
-- What a volume says its physical block is. All that were made before said 4096.

ALTER TABLE volume ADD COLUMN physical_bytes INTEGER NOT NULL DEFAULT 4096
    CONSTRAINT physical_bytes CHECK (physical_bytes IN (512, 4096) AND physical_bytes >= block_bytes);
