-- Where the ledger of a realm begins, if its first entries were taken out into an archive: the head after the last of
-- them, signed as a checkpoint. `chunks` is the number of pieces of the state there, `length` that of its bytes.
CREATE TABLE base (
    realm TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    ledger_id BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    time BIGINT NOT NULL,
    state_hash BYTEA NOT NULL,
    signed BIGINT NOT NULL,
    public_key BYTEA NOT NULL,
    signature BYTEA NOT NULL,
    format BIGINT NOT NULL,
    length BIGINT NOT NULL,
    chunks BIGINT NOT NULL
);

-- The state at the base, without personal values: an erasure need not touch it, so that nothing but a new base replaces it.
CREATE TABLE base_chunk (
    realm TEXT COLLATE "C" NOT NULL REFERENCES base (realm) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    checksum BYTEA NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (realm, number)
);

-- Whose the disclosures of archived entries are, since their entries no longer tell.
CREATE TABLE archived_value (
    realm TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    slot BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    is_reason BOOLEAN NOT NULL,
    PRIMARY KEY (realm, revision, slot, owner, is_reason),
    FOREIGN KEY (realm, revision, slot) REFERENCES disclosure (realm, revision, slot) ON DELETE CASCADE
);

CREATE INDEX archived_value_owner ON archived_value (realm, owner);
