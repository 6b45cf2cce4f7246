//! A store that contradicts what this node has seen: entries that were durable are not there any more.
//!
//! It happens where a database is restored, or fails over to a replica that did not have every commit, while nodes run. Such a node
//! holds a state that the ledger does not make. Answers from it would be wrong, and to go on from it would write what nobody
//! can follow; only a new start is sure to begin with what the store holds.

use grantd_ledger::store::Head;

/// How the store's ledger of a realm contradicts what this node has seen of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// There is no ledger any more.
    #[error("the store has no ledger of it any more, and had revision {here}")]
    Gone {
        /// What this node has seen.
        here: u64,
    },
    /// It ends earlier.
    #[error("the store's ledger ends at revision {there}, and had revision {here}")]
    Shorter {
        /// What this node has seen.
        here: u64,
        /// Where it ends.
        there: u64,
    },
    /// It holds other entries.
    #[error("the store's ledger holds another entry at revision {revision} than it had")]
    Other {
        /// One that is another.
        revision: u64,
    },
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compared {
    /// It has all that the store had when it was asked.
    Level,
    /// The store has newer entries.
    Newer,
}

/// Compares what the store said with the head that was published before it was asked, and with the one that is now: what
/// came in between is our own doing.
pub(crate) fn compare(before: Head, now: Head, told: Option<Head>) -> Result<Compared, Contradiction> {
    let Some(told) = told else { return Err(Contradiction::Gone { here: before.revision }) };
    let is = |head: Head| (told.ledger_id, told.hash) == (head.ledger_id, head.hash);
    let same = |head: Head| {
        if is(head) { Ok(Compared::Level) } else { Err(Contradiction::Other { revision: told.revision }) }
    };
    if told.revision < before.revision {
        return Err(Contradiction::Shorter { here: before.revision, there: told.revision });
    }
    if told.revision == before.revision {
        return same(before);
    }
    match told.revision.cmp(&now.revision) {
        std::cmp::Ordering::Less => Ok(Compared::Level),
        std::cmp::Ordering::Equal => same(now),
        std::cmp::Ordering::Greater => Ok(Compared::Newer),
    }
}

#[cfg(test)]
mod tests {
    use grantd_ledger::entry::{Hash, LedgerId};
    use uuid::Uuid;

    use super::*;

    fn head(revision: u64, hash: u8) -> Head {
        Head { revision, hash: Hash([hash; 32]), ..Head::empty(LedgerId(Uuid::from_u128(1))) }
    }

    #[test]
    fn a_head_is_level_newer_or_a_contradiction() {
        let seen = head(5, 5);
        let compared = |told| compare(seen, seen, told);
        assert_eq!(compared(Some(seen)), Ok(Compared::Level));
        assert_eq!(compared(Some(head(6, 6))), Ok(Compared::Newer));
        assert_eq!(compared(Some(head(4, 4))), Err(Contradiction::Shorter { here: 5, there: 4 }));
        assert_eq!(compared(Some(head(5, 9))), Err(Contradiction::Other { revision: 5 }));
        assert_eq!(compared(None), Err(Contradiction::Gone { here: 5 }));
        let elsewhere = Head { ledger_id: LedgerId(Uuid::from_u128(2)), ..seen };
        assert_eq!(compared(Some(elsewhere)), Err(Contradiction::Other { revision: 5 }));
    }

    #[test]
    fn what_we_append_while_the_store_is_asked_is_no_contradiction() {
        let (before, now) = (head(5, 5), head(8, 8));
        // It was asked before our entries were there, in between, or after.
        for told in [before, head(6, 6), now] {
            assert_eq!(compare(before, now, Some(told)), Ok(Compared::Level), "{told:?}");
        }
        assert_eq!(compare(before, now, Some(head(9, 9))), Ok(Compared::Newer));
        assert_eq!(compare(before, now, Some(head(8, 1))), Err(Contradiction::Other { revision: 8 }));
    }
}
