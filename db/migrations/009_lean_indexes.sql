-- SPDX-License-Identifier: Apache-2.0
-- Each index is a page more in the commit of every volume that is made. Gone are those that only the
-- deletion of a pool asks; those that say what few rows have leave the others out.

DROP INDEX layer_pool;
DROP INDEX volume_pool;
DROP INDEX layer_parent;
CREATE INDEX layer_parent ON layer (parent) WHERE parent IS NOT NULL;
DROP INDEX volume_snapshot_of;
CREATE INDEX volume_snapshot_of ON volume (snapshot_of) WHERE snapshot_of IS NOT NULL;
