//! The last step: each ledger goes on under an id of its own, because the original may go on as well.

use grantd_ledger::entry::{CONTINUED, CommandId, Draft, Entry, LedgerId};
use grantd_ledger::store::{Append, Head, Store};
use uuid::Uuid;

use super::{FillError, Filled};

/// Gives every ledger that has none yet a new id, and takes the mark from the store. Tells where the ledgers end then.
pub(in crate::offline) async fn continue_all(
    target: &dyn Store,
    filled: &mut [Filled],
) -> Result<Vec<Head>, FillError> {
    let mut heads = Vec::new();
    for one in filled {
        let head = match one.continued {
            Some(_) => target.head(&one.realm).await?,
            None => continue_one(target, &one.realm, one.end).await?,
        };
        one.continued = Some(head.ledger_id);
        heads.push(head);
    }
    target.set_unfinished(None).await?;
    Ok(heads)
}

/// Whether an entry is the first one of another life, directly behind this head.
pub(in crate::offline) fn continues(entry: &Entry, end: &Head) -> bool {
    let first = entry.changes.first().is_some_and(|change| change.kind == CONTINUED);
    first && entry.revision == end.revision + 1 && entry.prev == end.hash
}

/// Appends the entry that gives a ledger a new id.
pub(in crate::offline) async fn continue_one(
    target: &dyn Store,
    realm: &str,
    end: Head,
) -> Result<Head, FillError> {
    let ledger_id = LedgerId(Uuid::new_v4());
    let mut append = Append::on(realm, end);
    append.continue_as = Some(ledger_id);
    append.drafts.push(Draft {
        time: target.now().await?.max(end.time),
        actor: "system:cli".into(),
        via: "cli".into(),
        command_id: CommandId(*Uuid::new_v4().as_bytes()),
        reason: None,
        changes: Vec::new(),
        disclosures: Vec::new(),
    });
    super::append(target, &append, |head| head.ledger_id == ledger_id).await
}
