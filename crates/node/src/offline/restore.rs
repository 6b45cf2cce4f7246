//! A copy put into a new data directory, to go on as a ledger of its own.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use grantd_ledger::entry::{CommandId, Draft, Hash, LedgerId, Revision};
use grantd_ledger::seal::{MasterKey, SealError};
use grantd_ledger::sqlite::{SqliteOptions, SqliteStore};
use grantd_ledger::store::{Append, Appended, Store, StoreError};
use grantd_realm::engine::Schema;
use uuid::Uuid;

use super::verify::{VerifyError, verify};

/// Here the copy is made ready. It gets its place when it is: no server can start on a copy that still has the
/// original's ledger ids.
const STAGING: &str = ".restoring";

const MASTER_KEY: &str = "master.key";
const LOCK: &str = "grantd.lock";

/// A realm that goes on under a new ledger id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continued {
    /// Its name.
    pub realm: String,
    /// The new id.
    pub ledger_id: LedgerId,
    /// Revision of the entry that says so.
    pub revision: Revision,
    /// Hash of the state, the same as in the original.
    pub state_hash: Hash,
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// There may be a store in it.
    #[error("`{0}` is not empty; restore into a new directory")]
    NotEmpty(PathBuf),
    /// A file cannot be read or written.
    #[error("`{path}`: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The backup, or the copy of it, fails.
    #[error("the backup cannot be restored: {0}")]
    Store(#[from] StoreError),
    /// The backup cannot be verified.
    #[error("the backup cannot be restored: {0}")]
    Verify(#[from] VerifyError),
    /// The backup is not what was written.
    #[error("the backup cannot be restored: realm `{realm}`: {what}")]
    Broken {
        /// Which realm.
        realm: String,
        /// What is wrong.
        what: String,
    },
    /// The master key is not the backup's.
    #[error("master key `{path}`: {error}")]
    MasterKey {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        error: SealError,
    },
    /// Another key is there already.
    #[error("`{0}` is there already and is another key than the one given with --master-key-file")]
    OtherKeyThere(PathBuf),
}

/// Puts a backup into an empty data directory and gives each realm a new ledger id, because the original may have gone
/// on since. `key` is copied into the directory, unless it is there already, after a look whether it opens the secrets.
pub async fn restore(
    from: &Path,
    data: &Path,
    key: Option<&Path>,
    schema: Arc<Schema>,
) -> Result<Vec<Continued>, RestoreError> {
    check_empty(data)?;
    let staging = data.join(STAGING);
    remove(&staging)?;
    SqliteStore::restore(from, &staging).await?;
    let store = SqliteStore::open(&staging, SqliteOptions::default()).await?;
    let prepared = prepare(&store, data, key, schema).await;
    let closed = store.close().await;
    if prepared.is_err() {
        remove(&staging)?;
    }
    let (continued, key) = prepared?;
    closed?;
    if let Some(bytes) = key {
        put_key(&data.join(MASTER_KEY), &bytes)?;
    }
    let (file, place) = (staging.join(SqliteStore::FILE), data.join(SqliteStore::FILE));
    fs::rename(&file, &place).and_then(|()| sync(data)).map_err(|error| about(&place, error))?;
    remove(&staging)?;
    Ok(continued)
}

/// What there is to be told, and the key's bytes if it has to be copied.
type Prepared = (Vec<Continued>, Option<Vec<u8>>);

async fn prepare(
    store: &SqliteStore,
    data: &Path,
    key: Option<&Path>,
    schema: Arc<Schema>,
) -> Result<Prepared, RestoreError> {
    let there = Some(data.join(MASTER_KEY)).filter(|path| path.exists());
    for path in key.into_iter().chain(there.as_deref()) {
        check_key(store, path).await?;
    }
    let mut continued = Vec::new();
    for realm in store.realms().await? {
        continued.push(go_on(store, realm, schema.clone()).await?);
    }
    let copied = match (key, there) {
        (Some(key), None) => Some(read(key)?),
        (Some(key), Some(there)) if read(key)? != read(&there)? => {
            return Err(RestoreError::OtherKeyThere(there));
        }
        _ => None,
    };
    Ok((continued, copied))
}

async fn go_on(store: &SqliteStore, realm: String, schema: Arc<Schema>) -> Result<Continued, RestoreError> {
    let verified = verify(store, &realm, schema, &[]).await?;
    if let Some(problem) = verified.problem {
        return Err(RestoreError::Broken { realm, what: problem.what });
    }
    let ledger_id = LedgerId(Uuid::new_v4());
    let mut append = Append::on(&realm, store.head(&realm).await?);
    append.continue_as = Some(ledger_id);
    append.drafts.push(Draft {
        time: store.now().await?,
        actor: "system:cli".into(),
        via: "cli".into(),
        command_id: CommandId(*Uuid::new_v4().as_bytes()),
        reason: None,
        changes: Vec::new(),
        disclosures: Vec::new(),
    });
    match store.append(append).await {
        Appended::Durable(head) => {
            Ok(Continued { realm, ledger_id, revision: head.revision, state_hash: verified.state_hash })
        }
        Appended::Conflict(_) | Appended::Untaken(_) => {
            Err(StoreError::Damaged("the head moved by itself".into()).into())
        }
        Appended::Rejected(error) | Appended::Unknown(error) => Err(error.into()),
    }
}

/// Whether the key opens every secret of the store.
async fn check_key(store: &SqliteStore, path: &Path) -> Result<(), RestoreError> {
    let wrong = |error| RestoreError::MasterKey { path: path.to_owned(), error };
    let key = MasterKey::load(path).map_err(wrong)?;
    for (realm, secret) in store.secrets().await? {
        key.open(&realm, &secret).map_err(wrong)?;
    }
    Ok(())
}

/// The key may be there already, and what an interrupted attempt left.
fn check_empty(data: &Path) -> Result<(), RestoreError> {
    let files = match fs::read_dir(data) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        files => files.map_err(|error| about(data, error))?,
    };
    for file in files {
        let name = file.map_err(|error| about(data, error))?.file_name();
        if ![MASTER_KEY, LOCK, STAGING].iter().any(|known| name == *known) {
            return Err(RestoreError::NotEmpty(data.to_owned()));
        }
    }
    Ok(())
}

fn put_key(path: &Path, bytes: &[u8]) -> Result<(), RestoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written =
        options.open(path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|error| about(path, error))
}

fn read(path: &Path) -> Result<Vec<u8>, RestoreError> {
    fs::read(path).map_err(|error| about(path, error))
}

fn remove(staging: &Path) -> Result<(), RestoreError> {
    match fs::remove_dir_all(staging) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(about(staging, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn sync(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}

fn about(path: &Path, error: std::io::Error) -> RestoreError {
    RestoreError::File { path: path.to_owned(), error }
}
