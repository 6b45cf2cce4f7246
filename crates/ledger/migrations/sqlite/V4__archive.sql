-- Where the ledger of a realm begins, if its first entries were taken out into an archive: the head after the last of
-- them, signed as a checkpoint. `chunks` is the number of pieces of the state there, `length` that of its bytes.
CREATE TABLE base (
    realm TEXT NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    ledger_id BLOB NOT NULL,
    hash BLOB NOT NULL,
    time INTEGER NOT NULL,
    state_hash BLOB NOT NULL,
    signed INTEGER NOT NULL,
    public_key BLOB NOT NULL,
    signature BLOB NOT NULL,
    format INTEGER NOT NULL,
    length INTEGER NOT NULL,
    chunks INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The state at the base, without personal values: an erasure need not touch it, so that nothing but a new base replaces it.
CREATE TABLE base_chunk (
    realm TEXT NOT NULL REFERENCES base (realm) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    checksum BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (realm, number)
) STRICT;

-- Whose the disclosures of archived entries are, since their entries no longer tell.
CREATE TABLE archived_value (
    realm TEXT NOT NULL,
    revision INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    owner TEXT NOT NULL,
    is_reason INTEGER NOT NULL,
    PRIMARY KEY (realm, revision, slot, owner, is_reason),
    FOREIGN KEY (realm, revision, slot) REFERENCES disclosure (realm, revision, slot) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX archived_value_owner ON archived_value (realm, owner);
