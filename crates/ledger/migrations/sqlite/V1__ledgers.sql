-- One row for each realm: where its ledger ends. `fence` is the lowest revision at which a state snapshot may
-- stand, so that a snapshot folded before an erasure cannot bring the erased value back.
CREATE TABLE ledger (
    realm TEXT NOT NULL PRIMARY KEY,
    ledger_id BLOB NOT NULL CHECK (length(ledger_id) = 16),
    revision INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    time INTEGER NOT NULL,
    fence INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE entry (
    realm TEXT NOT NULL,
    revision INTEGER NOT NULL,
    command_id BLOB NOT NULL,
    hash BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (realm, revision)
) STRICT, WITHOUT ROWID;

CREATE INDEX entry_command ON entry (realm, command_id);

CREATE TABLE disclosure (
    realm TEXT NOT NULL,
    revision INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    salt BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (realm, revision, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE ephemeral_row (
    realm TEXT NOT NULL,
    kind TEXT NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (realm, kind, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX ephemeral_row_expires ON ephemeral_row (expires);

CREATE TABLE secret (
    realm TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    key_id BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (realm, name)
) STRICT, WITHOUT ROWID;

-- `whole` is 0 while the chunks are still being written.
CREATE TABLE snapshot (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    realm TEXT NOT NULL,
    format INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    head_hash BLOB NOT NULL,
    state_hash BLOB NOT NULL,
    length INTEGER NOT NULL,
    chunks INTEGER NOT NULL,
    whole INTEGER NOT NULL
) STRICT;

CREATE INDEX snapshot_realm ON snapshot (realm, revision);

CREATE TABLE snapshot_chunk (
    snapshot INTEGER NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    checksum BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (snapshot, number)
) STRICT;

CREATE TABLE checkpoint (
    realm TEXT NOT NULL,
    revision INTEGER NOT NULL,
    time INTEGER NOT NULL,
    ledger_id BLOB NOT NULL,
    head_hash BLOB NOT NULL,
    state_hash BLOB NOT NULL,
    public_key BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (realm, revision, time, public_key)
) STRICT, WITHOUT ROWID;
