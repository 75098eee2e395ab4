-- SPDX-License-Identifier: Apache-2.0
-- Whether a pool's devices are read and written through the page cache. What the column means is in docs/FORMAT.md.

ALTER TABLE pool ADD COLUMN page_cache INTEGER NOT NULL DEFAULT 0
    CONSTRAINT page_cache CHECK (page_cache IN (0, 1));
