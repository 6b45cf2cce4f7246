//! What became of an append that failed in the middle.

use std::time::{Duration, Instant};

use grantd_ledger::entry::{CommandId, Revision};
use grantd_ledger::store::{Head, Store, StoreError};

/// The fate of an append.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// All of it is on stable storage.
    Durable,
    /// None of it is there, and none will appear.
    Absent,
    /// The store still cannot tell.
    Unknown,
}

/// Pauses before each new attempt to ask the store.
const PAUSES: [u64; 6] = [0, 20, 100, 300, 1_000, 2_000];

/// How long whoever waits for the command is kept waiting by that, and a last attempt. The writer goes on asking afterwards.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether these commands are there, behind this revision. What stands before it is older: an idempotency key that is
/// used again after its day names the same command.
fn holds_all(found: &[(CommandId, Revision)], ids: &[CommandId], after: Revision) -> bool {
    ids.iter().all(|id| found.iter().any(|(there, revision)| there == id && *revision > after))
}

/// Whether these commands are in the ledger behind this revision. [`StoreError::Archived`] when entries behind it are in an
/// archive, so that nobody can tell.
pub(crate) async fn landed(
    store: &dyn Store,
    realm: &str,
    ids: &[CommandId],
    after: Revision,
) -> Result<bool, StoreError> {
    let found = store.find_commands(realm, ids).await?;
    if holds_all(&found, ids, after) {
        return Ok(true);
    }
    match store.base(realm).await? {
        Some(base) if base.head.revision > after => {
            Err(StoreError::Archived { first: base.head.revision.saturating_add(1) })
        }
        Some(_) | None => Ok(false),
    }
}

/// Opens the store anew, then reads the head and looks for the commands.
pub(crate) async fn fate(store: &dyn Store, realm: &str, expected: Head, ids: &[CommandId]) -> Fate {
    let begin = Instant::now();
    for pause in PAUSES {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        if begin.elapsed() > PATIENCE {
            break;
        }
        if let Err(error) = store.reopen().await {
            tracing::debug!(realm, %error, "the store cannot be opened again yet");
            continue;
        }
        let landed = landed(store, realm, ids, expected.revision).await;
        let (head, is_there) = match (store.head(realm).await, landed) {
            (Ok(head), Ok(is_there)) => (head, is_there),
            (_, Err(error @ StoreError::Archived { .. })) => {
                tracing::warn!(realm, %error, "what became of an append cannot be seen");
                return Fate::Unknown;
            }
            (Err(error), _) | (_, Err(error)) => {
                tracing::debug!(realm, %error, "the store cannot be read yet");
                continue;
            }
        };
        if is_there {
            return Fate::Durable;
        }
        // Ours was compared with the expected head: had it been taken, its commands would be there.
        tracing::info!(realm, expected = expected.revision, head = head.revision, "the append is not there");
        return Fate::Absent;
    }
    Fate::Unknown
}
