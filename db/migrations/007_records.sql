-- SPDX-License-Identifier: Apache-2.0
-- What a change leaves behind beside itself: an entry of the audit log, chained to the one before
-- (base/audit_chain.h), and the record by which a repeated request is known. Tokens get a scope and a time to
-- end; credentials a number that rises with each change of them.

CREATE TABLE audit (
    seq          INTEGER PRIMARY KEY CONSTRAINT seq CHECK (seq >= 1),
    time_ms      INTEGER NOT NULL,
    who          TEXT    NOT NULL,
    from_address TEXT    NOT NULL,
    operation    TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    subject_id   TEXT    NOT NULL,
    request      TEXT    NOT NULL,
    hash         BLOB    NOT NULL CONSTRAINT hash CHECK (length(hash) = 32)
) STRICT;

-- no: rises with each row that is added, so that the difference of the last and the first bounds their count
CREATE TABLE replay (
    no          INTEGER PRIMARY KEY,
    principal   TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL CONSTRAINT fingerprint CHECK (length(fingerprint) = 32),
    created_s   INTEGER NOT NULL,
    operation   TEXT    NOT NULL,
    subject_id  TEXT    NOT NULL,
    status      INTEGER NOT NULL CONSTRAINT status CHECK (status BETWEEN 0 AND 999),
    body        TEXT,
    UNIQUE (principal, key)
) STRICT;
CREATE INDEX replay_created ON replay (created_s);

ALTER TABLE token ADD COLUMN scope TEXT NOT NULL DEFAULT 'admin'
    CONSTRAINT scope CHECK (scope IN ('read', 'provision', 'admin', 'attach'));
ALTER TABLE token ADD COLUMN host_id TEXT NOT NULL DEFAULT ''
    CONSTRAINT host CHECK ((host_id <> '') = (scope = 'attach'));
ALTER TABLE token ADD COLUMN expires_s INTEGER NOT NULL DEFAULT 0
    CONSTRAINT expires CHECK (expires_s >= 0);
CREATE TRIGGER host_takes_its_tokens AFTER DELETE ON host
BEGIN
    DELETE FROM token WHERE host_id = old.id;
END;

ALTER TABLE auth ADD COLUMN revision INTEGER NOT NULL DEFAULT 0
    CONSTRAINT revision CHECK (revision >= 0);
