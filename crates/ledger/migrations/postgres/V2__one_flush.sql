-- An append is sent whole, before any of it is answered. `stamp` is the mark of the append that wrote the row last: the
-- rest of it asks for that mark, and does nothing when the head did not become its own. `epoch` is counted up by whoever
-- gives up waiting for an append whose connection was lost: should it arrive after all, it finds another epoch.
ALTER TABLE ledger ADD COLUMN stamp BIGINT NOT NULL DEFAULT 0;
ALTER TABLE ledger ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
