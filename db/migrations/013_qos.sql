-- SPDX-License-Identifier: Apache-2.0
-- Limits of I/O, of a volume or of a host; without a row there are none. 0: of this kind there is none. What goes
-- together is the program's to check (base/qos.c).

CREATE TABLE volume_qos (
    volume_id         TEXT    NOT NULL PRIMARY KEY REFERENCES volume (id) ON DELETE CASCADE,
    iops              INTEGER NOT NULL CONSTRAINT iops CHECK (iops >= 0),
    bytes_per_s       INTEGER NOT NULL CONSTRAINT bytes_per_s CHECK (bytes_per_s >= 0),
    burst_iops        INTEGER NOT NULL CONSTRAINT burst_iops CHECK (burst_iops >= 0),
    burst_bytes_per_s INTEGER NOT NULL CONSTRAINT burst_bytes_per_s CHECK (burst_bytes_per_s >= 0),
    burst_s           INTEGER NOT NULL CONSTRAINT burst_s CHECK (burst_s >= 0)
) STRICT;

CREATE TABLE host_qos (
    host_id           TEXT    NOT NULL PRIMARY KEY REFERENCES host (id) ON DELETE CASCADE,
    iops              INTEGER NOT NULL CONSTRAINT iops CHECK (iops >= 0),
    bytes_per_s       INTEGER NOT NULL CONSTRAINT bytes_per_s CHECK (bytes_per_s >= 0),
    burst_iops        INTEGER NOT NULL CONSTRAINT burst_iops CHECK (burst_iops >= 0),
    burst_bytes_per_s INTEGER NOT NULL CONSTRAINT burst_bytes_per_s CHECK (burst_bytes_per_s >= 0),
    burst_s           INTEGER NOT NULL CONSTRAINT burst_s CHECK (burst_s >= 0)
) STRICT;
