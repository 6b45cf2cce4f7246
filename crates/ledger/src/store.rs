//! What a store of ledgers must do. SQLite and PostgreSQL implement it; one conformance suite tests both.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::broadcast;

use crate::base::{ArchivedValue, Archiving, Base, BaseState, Unarchiving};
use crate::entry::{CommandId, Disclosed, Disclosure, Draft, Entry, Hash, LedgerId, Micros, Revision};
use crate::source::Source;

/// Where a ledger ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The ledger's present id.
    pub ledger_id: LedgerId,
    /// Revision of the last entry; 0 when there is none.
    pub revision: Revision,
    /// Hash of the last entry; all zero when there is none.
    pub hash: Hash,
    /// Time of the last entry; 0 when there is none.
    pub time: Micros,
}

impl Head {
    /// The head of a ledger without entries.
    #[must_use]
    pub fn empty(ledger_id: LedgerId) -> Self {
        Self { ledger_id, revision: 0, hash: Hash::default(), time: 0 }
    }

    /// The head after that entry.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        Self { ledger_id: entry.ledger_id, revision: entry.revision, hash: entry.hash, time: entry.time }
    }
}

/// A write to the ephemeral rows: sessions, codes, idempotency results, delivery queues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowWrite {
    /// Makes or replaces a row.
    Put {
        /// Which family of rows, for example `idempotency`.
        kind: &'static str,
        /// Key within the family.
        key: Vec<u8>,
        /// The value.
        value: Vec<u8>,
        /// From when on it is gone, even if not yet deleted.
        expires: Micros,
    },
    /// Replaces a row that is there, expired or not; nothing is written when it is absent.
    Renew {
        /// Which family.
        kind: &'static str,
        /// Key within the family.
        key: Vec<u8>,
        /// The new value.
        value: Vec<u8>,
        /// From when on it is gone, even if not yet deleted.
        expires: Micros,
    },
    /// Puts another row in the place of one that is there, expired or not; nothing is written when it is absent.
    Move {
        /// Which family.
        kind: &'static str,
        /// Key within the family.
        key: Vec<u8>,
        /// Key of the new row; there must be none yet.
        to: Vec<u8>,
        /// Its value.
        value: Vec<u8>,
        /// From when on it is gone, even if not yet deleted.
        expires: Micros,
    },
    /// Removes a row; no error when it is absent.
    Delete {
        /// Which family.
        kind: &'static str,
        /// Key within the family.
        key: Vec<u8>,
    },
    /// Removes a row that must be there with this value, expired or not. If it is not, the append writes nothing:
    /// [`Appended::Untaken`]. So of all who take a row one does.
    Take {
        /// Which family.
        kind: &'static str,
        /// Key within the family.
        key: Vec<u8>,
        /// The value that it must have.
        value: Vec<u8>,
    },
}

/// A row of a family: its key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// An ephemeral row with all that the store keeps of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRow {
    /// Which family.
    pub kind: String,
    /// Key within the family.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
    /// From when on it is gone, even if not yet deleted.
    pub expires: Micros,
}

/// The first key behind all those that begin with a prefix; `None` if there is none.
pub(crate) fn behind(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut behind = prefix.get(..=last)?.to_vec();
    *behind.last_mut()? += 1;
    Some(behind)
}

/// A secret that must be readable again, already encrypted under the master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    /// Its name within the realm, for example `password/<uuid>`.
    pub name: String,
    /// Counts up with each replacement.
    pub version: u32,
    /// Which master key it is sealed under.
    pub key_id: [u8; 8],
    /// Nonce and ciphertext.
    pub sealed: Vec<u8>,
}

/// A write to the sealed secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretWrite {
    /// Makes or replaces the secret of that name.
    Put(SealedSecret),
    /// Removes it; no error when it is absent.
    Delete(String),
}

/// One append: all of it becomes durable, or none.
#[derive(Clone, Debug)]
pub struct Append {
    /// Which realm's ledger.
    pub realm: String,
    /// The head that the drafts were decided on. Compared and set: the append happens only on exactly this head.
    pub expected: Head,
    /// Entries of another store, placed before the drafts as they are there: a copy. Each must follow from the one before it,
    /// the first from `expected`. Empty in every ordinary append.
    pub adopted: Vec<Disclosed>,
    /// The entries, in order. May be empty when only rows, secrets or erasures are written.
    pub drafts: Vec<Draft>,
    /// Ephemeral rows written in the same transaction.
    pub rows: Vec<RowWrite>,
    /// Sealed secrets written in the same transaction.
    pub secrets: Vec<SecretWrite>,
    /// Disclosures to erase in the same transaction (value and salt are removed for good, also from the
    /// store's free pages and log as far as the store can). State snapshots of the realm go with them.
    pub erase: Vec<(Revision, u32)>,
    /// Goes on under this new ledger id, after a restore or a copy: the first draft gets the
    /// [`crate::entry::CONTINUED`] change put in front of its own. `None` in every ordinary append.
    pub continue_as: Option<LedgerId>,
}

impl Append {
    /// An append that writes nothing yet.
    #[must_use]
    pub fn on(realm: impl Into<String>, expected: Head) -> Self {
        Self {
            realm: realm.into(),
            expected,
            adopted: Vec::new(),
            drafts: Vec::new(),
            rows: Vec::new(),
            secrets: Vec::new(),
            erase: Vec::new(),
            continue_as: None,
        }
    }
}

/// How an append ended.
#[derive(Debug)]
#[must_use]
pub enum Appended {
    /// On stable storage; the new head.
    Durable(Head),
    /// Nothing was written: the head is another one, this one.
    Conflict(Head),
    /// Nothing was written: rows that should have been taken are not there, or not as expected. Which ones, as indices into
    /// [`Append::rows`], ascending.
    Untaken(Vec<usize>),
    /// Nothing was written and trying again as it is would not help (for example: too large, disk full
    /// noticed before the commit).
    Rejected(StoreError),
    /// The store failed in a way that leaves open whether it was written: a failed sync, a connection lost
    /// in COMMIT. [`Store::reopen`], then ask for the head and the command ids.
    Unknown(StoreError),
}

/// What went wrong in a store. The text is for the log; it never holds a value or a secret.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached or does not answer; trying again later may help.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// No room left.
    #[error("the store is full: {0}")]
    Full(String),
    /// What was asked for can never be stored, whatever the head; a mistake in the caller.
    #[error("the store refuses this: {0}")]
    Invalid(String),
    /// What was read is not what was written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The realm has no ledger here.
    #[error("no ledger for realm `{0}`")]
    NoLedger(String),
    /// A ledger of that realm exists already.
    #[error("realm `{0}` has a ledger already")]
    LedgerExists(String),
    /// The store was written by a newer grantd.
    #[error("the store has format {found}, this program knows up to {known}; use a newer grantd")]
    TooNew {
        /// What the store says.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// Entries that were taken out into an archive were asked for.
    #[error(
        "the entries before revision {first} are in an archive; ask for later ones, or put them back with \
         `grantd ledger unarchive`"
    )]
    Archived {
        /// The first revision that is here.
        first: Revision,
    },
    /// Somebody else holds the data directory.
    #[error("the data directory is in use by {0}")]
    Locked(String),
}

/// A state snapshot: the fold of a ledger up to a revision, so that start-up need not fold everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotMeta {
    /// Form of the bytes, chosen by the realm crate.
    pub format: u32,
    /// The revision it stands for.
    pub revision: Revision,
    /// Hash of the entry at that revision. A snapshot whose hash is not the ledger's is thrown away.
    pub head_hash: Hash,
    /// Hash of the state, as in a checkpoint.
    pub state_hash: Hash,
    /// Length of the uncompressed bytes.
    pub length: u64,
}

/// A checkpoint as stored: what was signed, and the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The ledger's id at that revision.
    pub ledger_id: LedgerId,
    /// The revision it speaks of.
    pub revision: Revision,
    /// Hash of the entry there.
    pub head_hash: Hash,
    /// Hash of the state after it.
    pub state_hash: Hash,
    /// When it was made.
    pub time: Micros,
    /// Ed25519 public key.
    pub public_key: [u8; 32],
    /// Ed25519 signature over [`Checkpoint::message`].
    pub signature: [u8; 64],
}

/// A store of ledgers, one for each realm. What is read of a whole ledger is in [`Source`].
#[async_trait]
pub trait Store: Source + 'static {
    /// Whether other nodes append to the same ledgers.
    fn is_shared(&self) -> bool {
        false
    }

    /// The store's clock. Never a node's own clock where many nodes share the store.
    async fn now(&self) -> Result<Micros, StoreError>;

    /// Makes an empty ledger. [`StoreError::LedgerExists`] if there is one.
    async fn create(&self, realm: &str, ledger_id: LedgerId) -> Result<Head, StoreError>;

    /// Where the ledgers of these realms end, and the store's clock, as one question. Realms without a ledger are left out.
    async fn heads(&self, realms: &[String]) -> Result<(Micros, Vec<(String, Head)>), StoreError>;

    /// Realms to which somebody else says to have appended. Only a hint: it may be lost, repeated, or of ourselves. `None`
    /// where nobody says so; then heads have to be asked for now and then.
    fn announcements(&self) -> Option<broadcast::Receiver<Arc<str>>> {
        None
    }

    /// Compare-and-set append; see [`Append`] and [`Appended`].
    async fn append(&self, append: Append) -> Appended;

    /// Which of these commands are in the ledger, and at which revision. Those of archived entries are not found: whoever
    /// needs to know looks at [`Store::base`] afterwards.
    async fn find_commands(
        &self,
        realm: &str,
        ids: &[CommandId],
    ) -> Result<Vec<(CommandId, Revision)>, StoreError>;

    /// Closes what is open and opens it again, forgetting every cached page and connection. Afterwards reads
    /// tell what is truly stored.
    async fn reopen(&self) -> Result<(), StoreError>;

    /// An ephemeral row that has not expired at `now`.
    async fn row(
        &self,
        realm: &str,
        kind: &str,
        key: &[u8],
        now: Micros,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// The ephemeral rows of a family that have these keys and have not expired at `now`, as one question: for each key its
    /// value.
    async fn row_values(
        &self,
        realm: &str,
        kind: &str,
        keys: &[Vec<u8>],
        now: Micros,
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError>;

    /// The ephemeral rows of a family whose keys begin with a prefix and that have not expired at `now`, by key, at most
    /// `limit`.
    async fn rows(
        &self,
        realm: &str,
        kind: &str,
        prefix: &[u8],
        now: Micros,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError>;

    /// Deletes rows that expired before `now`, at most `limit`; tells how many.
    async fn purge_rows(&self, now: Micros, limit: usize) -> Result<usize, StoreError>;

    /// A sealed secret by name.
    async fn secret(&self, realm: &str, name: &str) -> Result<Option<SealedSecret>, StoreError>;

    /// Puts rows as they were in another store, without an append: for a store that nobody serves yet.
    async fn adopt_rows(&self, realm: &str, rows: Vec<StoredRow>) -> Result<(), StoreError>;

    /// Begins a ledger without entries behind the base of another store's: for a store that nobody serves yet.
    async fn adopt_base(&self, realm: &str, base: BaseState) -> Result<Head, StoreError>;

    /// Puts values of archived entries, and whose they are, as they were in another store; those that are there stay.
    async fn adopt_values(
        &self,
        realm: &str,
        values: Vec<(Revision, Disclosure)>,
        owners: Vec<ArchivedValue>,
    ) -> Result<(), StoreError>;

    /// Removes every ephemeral row and every sealed secret of a realm, for a copy that begins with them again.
    async fn clear_side_data(&self, realm: &str) -> Result<(), StoreError>;

    /// The command that fills this store and is not finished, if any. No server may start on it.
    async fn unfinished(&self) -> Result<Option<String>, StoreError>;

    /// Sets what [`Store::unfinished`] says.
    async fn set_unfinished(&self, command: Option<&str>) -> Result<(), StoreError>;

    /// Stores a state snapshot in checksummed, compressed chunks, replacing older ones once it is whole.
    async fn put_snapshot(&self, realm: &str, meta: &SnapshotMeta, state: &[u8]) -> Result<(), StoreError>;

    /// The newest state snapshot that is whole and whose checksums are right; a broken one counts as none.
    async fn snapshot(&self, realm: &str) -> Result<Option<(SnapshotMeta, Vec<u8>)>, StoreError>;

    /// Keeps a checkpoint.
    async fn put_checkpoint(&self, realm: &str, checkpoint: &Checkpoint) -> Result<(), StoreError>;

    /// Where the ledger begins, if entries were archived.
    async fn base(&self, realm: &str) -> Result<Option<Base>, StoreError>;

    /// Takes entries out of the ledger and begins it with a base instead, all or nothing. Appends go on meanwhile.
    async fn archive(&self, archiving: Archiving) -> Result<(), StoreError>;

    /// The reverse of [`Store::archive`].
    async fn unarchive(&self, unarchiving: Unarchiving) -> Result<(), StoreError>;

    /// Waits until what was committed is in its final place and closes. Further calls fail.
    async fn close(&self) -> Result<(), StoreError>;
}
