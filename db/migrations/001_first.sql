-- SPDX-License-Identifier: Apache-2.0
-- The first schema. What the columns mean is in docs/FORMAT.md; the names of the constraints are the
-- fields that an admin is told.

CREATE TABLE box (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    id         TEXT    NOT NULL,
    naa_serial INTEGER NOT NULL CONSTRAINT naa_serial CHECK (naa_serial >= 0),
    generation INTEGER NOT NULL CONSTRAINT generation CHECK (generation >= 0),
    clean      INTEGER NOT NULL CONSTRAINT clean CHECK (clean IN (0, 1))
) STRICT;
INSERT INTO box VALUES (1, '', 0, 0, 1);

CREATE TABLE pool (
    id        TEXT    NOT NULL PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE,
    created_s INTEGER NOT NULL
) STRICT;

CREATE TABLE device (
    no         INTEGER PRIMARY KEY AUTOINCREMENT CONSTRAINT no CHECK (no BETWEEN 1 AND 4294967295),
    id         TEXT    NOT NULL UNIQUE,
    pool_id    TEXT    NOT NULL REFERENCES pool (id) ON DELETE CASCADE,
    slot       INTEGER NOT NULL CONSTRAINT slot CHECK (slot BETWEEN 1 AND 1023),
    path       TEXT    NOT NULL UNIQUE,
    extents    INTEGER NOT NULL CONSTRAINT extents CHECK (extents BETWEEN 1 AND 34359738368),
    generation INTEGER NOT NULL CONSTRAINT generation CHECK (generation >= 0),
    UNIQUE (pool_id, slot)
) STRICT;

-- key: device number << 21 | GiB of the device
CREATE TABLE bitmap (
    key          INTEGER PRIMARY KEY,
    free_extents INTEGER NOT NULL CONSTRAINT free_extents CHECK (free_extents BETWEEN 0 AND 16384),
    bits         BLOB    NOT NULL CONSTRAINT bits CHECK (length(bits) = 2048)
) STRICT;
CREATE TRIGGER device_takes_its_bitmaps AFTER DELETE ON device
BEGIN
    DELETE FROM bitmap WHERE key BETWEEN old.no << 21 AND ((old.no + 1) << 21) - 1;
END;

CREATE TABLE layer (
    id           INTEGER PRIMARY KEY AUTOINCREMENT CONSTRAINT id CHECK (id BETWEEN 1 AND 4294967295),
    pool_id      TEXT    NOT NULL REFERENCES pool (id),
    parent       INTEGER REFERENCES layer (id),
    state        INTEGER NOT NULL CONSTRAINT state CHECK (state IN (0, 1)),
    size_extents INTEGER NOT NULL CONSTRAINT size_extents CHECK (size_extents BETWEEN 0 AND 2147483648),
    used_extents INTEGER NOT NULL CONSTRAINT used_extents CHECK (used_extents BETWEEN 0 AND 2147483648)
) STRICT;
CREATE INDEX layer_pool ON layer (pool_id);
CREATE INDEX layer_parent ON layer (parent);

-- key: layer << 23 | extent of the volume / 256
CREATE TABLE leaf (
    key   INTEGER PRIMARY KEY,
    words BLOB    NOT NULL
) STRICT;

CREATE TABLE volume (
    id          TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE,
    pool_id     TEXT    NOT NULL REFERENCES pool (id),
    top_layer   INTEGER NOT NULL UNIQUE REFERENCES layer (id),
    size_bytes  INTEGER NOT NULL CONSTRAINT size CHECK (size_bytes BETWEEN 1 AND 140737488355328),
    block_bytes INTEGER NOT NULL CONSTRAINT block_bytes CHECK (block_bytes IN (512, 4096)),
    naa_serial  INTEGER NOT NULL UNIQUE CONSTRAINT naa_serial CHECK (naa_serial >= 0),
    created_s   INTEGER NOT NULL
) STRICT;
CREATE INDEX volume_pool ON volume (pool_id);

CREATE TABLE host (
    id        TEXT    NOT NULL PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE,
    created_s INTEGER NOT NULL
) STRICT;

CREATE TABLE initiator (
    host_id TEXT    NOT NULL REFERENCES host (id) ON DELETE CASCADE,
    entry   INTEGER NOT NULL,
    name    TEXT    NOT NULL UNIQUE,
    PRIMARY KEY (host_id, entry)
) STRICT;

CREATE TABLE mapping (
    id        TEXT    NOT NULL PRIMARY KEY,
    volume_id TEXT    NOT NULL REFERENCES volume (id),
    host_id   TEXT    NOT NULL REFERENCES host (id),
    lun       INTEGER NOT NULL CONSTRAINT lun CHECK (lun BETWEEN 0 AND 16383),
    read_only INTEGER NOT NULL CONSTRAINT read_only CHECK (read_only IN (0, 1)),
    created_s INTEGER NOT NULL,
    UNIQUE (host_id, lun),
    UNIQUE (host_id, volume_id)
) STRICT;
CREATE INDEX mapping_volume ON mapping (volume_id);

CREATE TABLE token (
    id        TEXT    NOT NULL PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE,
    hash      BLOB    NOT NULL UNIQUE CONSTRAINT hash CHECK (length(hash) = 32),
    created_s INTEGER NOT NULL
) STRICT;
