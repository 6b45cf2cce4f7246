//! What became of an append that failed in the middle.

use std::time::{Duration, Instant};

use grantd_ledger::entry::CommandId;
use grantd_ledger::store::{Head, Store};

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
pub(crate) fn holds_all(found: &[(CommandId, u64)], ids: &[CommandId], after: u64) -> bool {
    ids.iter().all(|id| found.iter().any(|(there, revision)| there == id && *revision > after))
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
        let (head, found) = match tokio::try_join!(store.head(realm), store.find_commands(realm, ids)) {
            Ok(both) => both,
            Err(error) => {
                tracing::debug!(realm, %error, "the store cannot be read yet");
                continue;
            }
        };
        if holds_all(&found, ids, expected.revision) {
            return Fate::Durable;
        }
        // Ours was compared with the expected head: had it been taken, its commands would be there.
        tracing::info!(realm, expected = expected.revision, head = head.revision, "the append is not there");
        return Fate::Absent;
    }
    Fate::Unknown
}
