//! A whole store carried over into another one: from SQLite to PostgreSQL, back, or between two of a kind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use grantd_ledger::entry::Revision;
use grantd_ledger::postgres::{PostgresStore, PostgresView};
use grantd_ledger::source::Source;
use grantd_ledger::store::{Head, Store, StoreError};
use grantd_realm::engine::Schema;

use super::fill::{FillError, Filled, Filling, Told, continue_all, continues, fill, fill_entries};
use super::key::{self, KeyError};
use crate::open::{
    Location, OpenError, check_whole, open_existing, open_postgres, open_read_only, open_target,
};

/// The command, as an unfinished target names it.
const COMMAND: &str = "copy";

/// What to carry over, and how.
pub struct Copying<'a> {
    /// From where.
    pub from: &'a Location,
    /// To where; there need not be anything yet.
    pub to: &'a Location,
    /// Only these realms; empty: all.
    pub realms: &'a [String],
    /// Only the entries that are there by now, while servers go on. Another run finishes.
    pub live: bool,
    /// The key that opens the source's secrets, if it does not lie beside one of the two stores.
    pub key: Option<&'a Path>,
    /// The permission models.
    pub schema: Arc<Schema>,
    /// Told how far it is.
    pub told: &'a Told<'a>,
}

/// What was carried over.
#[derive(Debug)]
pub struct Copied {
    /// The realms, by name.
    pub realms: Vec<Filled>,
    /// Where their ledgers end now; none as long as the copy is not finished.
    pub heads: Vec<Head>,
    /// The key that opens the copy's secrets.
    pub key: Option<PathBuf>,
    /// Whether it had been finished before.
    pub already: bool,
}

/// Why a store was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Both are the same.
    #[error("the source and the target are the same store")]
    Same,
    /// The source cannot be opened.
    #[error("the source: {0}")]
    Source(OpenError),
    /// A server runs on it.
    #[error(
        "the source: {0}; stop that server to finish the copy, or copy what is there by now with --live and finish later"
    )]
    Held(OpenError),
    /// Servers run on it.
    #[error(
        "servers have {0} sessions on the source; stop them to finish the copy, or copy what is there by now with --live \
         and finish later"
    )]
    InUse(i64),
    /// The target cannot be opened.
    #[error("the target: {0}")]
    Target(OpenError),
    /// There is nothing.
    #[error("the source holds no realm; was another one meant?")]
    Nothing,
    /// Something is wrong with the key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It was not carried over.
    #[error(transparent)]
    Fill(#[from] FillError),
    /// Servers still write to the source.
    #[error(
        "the source went on while it was copied (realm `{0}`); stop every server on it, then run the same command again: \
         it goes on where it is"
    )]
    Moved(String),
}

impl From<StoreError> for CopyError {
    fn from(error: StoreError) -> Self {
        Self::Fill(error.into())
    }
}

/// Carries a store over. Broken off at any point, the same call goes on; until its end no server starts on the target.
pub async fn copy(copying: &Copying<'_>) -> Result<Copied, CopyError> {
    if copying.from.data == copying.to.data && copying.from.url == copying.to.url {
        return Err(CopyError::Same);
    }
    let original = Original::open(copying).await?;
    let target = open_target(copying.to).await.map_err(CopyError::Target)?;
    let copied = match &original {
        Original::Sqlite(store) => carry(&**store, &original, &*target, copying).await,
        Original::Postgres(shared) => carry(&shared.view, &original, &*target, copying).await,
    };
    let closed = target.close().await;
    original.close().await?;
    let copied = copied?;
    closed?;
    Ok(copied)
}

async fn carry<S: Source + ?Sized>(
    source: &S,
    original: &Original,
    target: &dyn Store,
    copying: &Copying<'_>,
) -> Result<Copied, CopyError> {
    let nothing_cut = BTreeMap::<String, Revision>::new();
    let filling = Filling {
        command: COMMAND,
        realms: copying.realms,
        until: &nothing_cut,
        schema: copying.schema.clone(),
        told: copying.told,
    };
    if source.realms().await?.is_empty() {
        return Err(CopyError::Nothing);
    }
    if is_finished(source, target, copying).await? {
        let key = key_path(copying);
        return Ok(Copied { realms: Vec::new(), heads: Vec::new(), key, already: true });
    }
    if copying.live {
        let realms = fill_entries(source, target, &filling).await?;
        return Ok(Copied { realms, heads: Vec::new(), key: None, already: false });
    }
    let secrets = source.secrets().await?;
    let key = open_with(&secrets, copying)?;
    let mut realms = fill(source, target, &filling).await?;
    original.check_still(&realms).await?;
    if let (Some(key), None) = (&key, &copying.to.url) {
        let there = copying.to.master_key_path();
        if let Some(bytes) = key::to_be_put(key, &there, &secrets)? {
            key::put(&there, &bytes)?;
        }
    }
    let heads = continue_all(target, &mut realms).await?;
    Ok(Copied { realms, heads, key, already: false })
}

/// Whether an earlier run came to its end, and died before it could say so.
async fn is_finished<S: Source + ?Sized>(
    source: &S,
    target: &dyn Store,
    copying: &Copying<'_>,
) -> Result<bool, StoreError> {
    let there = target.realms().await?;
    if there.is_empty() || target.unfinished().await?.is_some() {
        return Ok(false);
    }
    for realm in source.realms().await? {
        if !copying.realms.is_empty() && !copying.realms.contains(&realm) {
            continue;
        }
        if !there.contains(&realm) {
            return Ok(false);
        }
        let end = source.head(&realm).await?;
        let next = target.entries(&realm, end.revision, 1).await?;
        if !next.first().is_some_and(|next| continues(&next.entry, &end)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The key that opens all of the secrets; none if there are none and nobody named one.
fn open_with(
    secrets: &[(String, grantd_ledger::store::SealedSecret)],
    copying: &Copying<'_>,
) -> Result<Option<PathBuf>, KeyError> {
    match key_path(copying) {
        Some(path) => key::check(&path, secrets).map(|()| Some(path)),
        None if secrets.is_empty() => Ok(None),
        None => Err(KeyError::NotGiven { secrets: secrets.len() }),
    }
}

/// The key that was named, or the one that lies beside the source or the target.
fn key_path(copying: &Copying<'_>) -> Option<PathBuf> {
    let beside = [copying.from, copying.to].into_iter().filter(|location| location.url.is_none());
    let mut beside = beside.map(Location::master_key_path).filter(|path| path.exists());
    copying.key.map(Path::to_owned).or_else(|| beside.next())
}

/// What is copied.
enum Original {
    Sqlite(Arc<dyn Store>),
    Postgres(Box<Shared>),
}

/// A database, and what it held when it was looked at first.
struct Shared {
    store: PostgresStore,
    view: PostgresView,
}

impl Original {
    async fn open(copying: &Copying<'_>) -> Result<Self, CopyError> {
        let from = copying.from;
        if let Some(url) = &from.url {
            let store = open_postgres(from, url).await.map_err(CopyError::Source)?;
            check_whole(&store, from).await.map_err(CopyError::Source)?;
            let sessions = store.sessions_of_servers().await;
            if sessions > 0 && !copying.live {
                return Err(CopyError::InUse(sessions));
            }
            let view = store.view().await?;
            return Ok(Self::Postgres(Box::new(Shared { store, view })));
        }
        let opened = if copying.live {
            let opened = open_read_only(from).await.map_err(CopyError::Source)?;
            check_whole(&*opened, from).await.map(|()| opened)
        } else {
            open_existing(from).await
        };
        match opened {
            Ok(store) => Ok(Self::Sqlite(store)),
            Err(error) if Location::is_held(&error) => Err(CopyError::Held(error)),
            Err(error) => Err(CopyError::Source(error)),
        }
    }

    /// Whether it is as it was copied. SQLite was locked; PostgreSQL has no lock that keeps servers away.
    async fn check_still(&self, copied: &[Filled]) -> Result<(), CopyError> {
        let Self::Postgres(shared) = self else { return Ok(()) };
        for one in copied {
            if shared.store.head(&one.realm).await? != one.end {
                return Err(CopyError::Moved(one.realm.clone()));
            }
        }
        Ok(())
    }

    async fn close(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(shared) => {
                let Shared { store, view } = *shared;
                drop(view);
                store.close().await
            }
        }
    }
}
