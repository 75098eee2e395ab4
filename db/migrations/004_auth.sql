-- SPDX-License-Identifier: Apache-2.0
-- What a login must be: its CHAP credentials, where it comes from. `owner` is a host's id, or empty: the box's own, for discovery. Secrets are as they are
-- proven, since CHAP needs them so; the database's mode keeps them.

CREATE TABLE auth (
    owner         TEXT    NOT NULL PRIMARY KEY,
    addresses     TEXT    NOT NULL,
    chap          INTEGER NOT NULL CONSTRAINT chap CHECK (chap IN (0, 1)),
    forbid_md5    INTEGER NOT NULL CONSTRAINT forbid_md5 CHECK (forbid_md5 IN (0, 1)),
    user          TEXT    NOT NULL,
    secret        BLOB    NOT NULL CONSTRAINT secret CHECK (length(secret) <= 255),
    mutual_user   TEXT    NOT NULL,
    mutual_secret BLOB    NOT NULL CONSTRAINT mutual_secret CHECK (length(mutual_secret) <= 255)
) STRICT;
CREATE TRIGGER host_takes_its_auth AFTER DELETE ON host
BEGIN
    DELETE FROM auth WHERE owner = old.id;
END;
