//! What a ledger begins with when its first entries are in an archive: the base, and the values that are left of them.

use std::collections::BTreeSet;

use grantd_ledger::base::ArchivedValue;
use grantd_ledger::entry::Revision;
use grantd_ledger::source::Source;
use grantd_ledger::store::{Head, Store};
use grantd_realm::State;

use super::{FillError, Filling};
use crate::load::read_base;

/// How many revisions' values are carried at a time.
const VALUES: Revision = 1_000;

/// What the entries follow on.
pub(super) struct Begun {
    pub(super) head: Head,
    pub(super) state: State,
    /// Where the target's ledger ends.
    pub(super) there: Head,
    /// Values that the target holds and the source does not any more.
    pub(super) erased: Vec<(Revision, u32)>,
}

/// Carries the base over, or compares it with the one that is there. `None`: the source has all of its entries.
pub(super) async fn carry<S: Source + ?Sized>(
    source: &S,
    target: &dyn Store,
    realm: &str,
    (there, last): (Head, Revision),
    filling: &Filling<'_>,
) -> Result<Option<Begun>, FillError> {
    let found = target.base(realm).await?;
    let Some(begin) = source.base_state(realm).await? else {
        return match found {
            None => Ok(None),
            Some(_) => Err(other(realm, "the source holds entries that are in an archive here")),
        };
    };
    let head = begin.base.head;
    if last < head.revision {
        return Err(FillError::Archived { realm: realm.to_owned(), base: head.revision, until: last });
    }
    let there = match found {
        Some(base) if base == begin.base => there,
        None if there.revision == 0 => target.adopt_base(realm, begin.clone()).await?,
        Some(_) | None => return Err(other(realm, "entries of the source were archived since it was begun")),
    };
    let owners = source.archived_values(realm, None).await?;
    let erased = carry_values(source, target, realm, head.revision, &owners).await?;
    let state = read_base(source, realm, begin, &filling.schema).await;
    let state = state.map_err(|error| FillError::Base { realm: realm.to_owned(), error })?;
    Ok(Some(Begun { head, state, there, erased }))
}

async fn carry_values<S: Source + ?Sized>(
    source: &S,
    target: &dyn Store,
    realm: &str,
    last: Revision,
    owners: &[ArchivedValue],
) -> Result<Vec<(Revision, u32)>, FillError> {
    let mut erased = Vec::new();
    let (mut after, mut owners) = (0, owners);
    while after < last {
        let until = after.saturating_add(VALUES).min(last);
        let values = source.disclosures(realm, after, until).await?;
        let kept: BTreeSet<(Revision, u32)> = values.iter().map(|(at, value)| (*at, value.slot)).collect();
        let there = target.disclosures(realm, after, until).await?;
        let there = there.into_iter().map(|(at, value)| (at, value.slot));
        erased.extend(there.filter(|value| !kept.contains(value)));
        let (of_these, rest) = owners.split_at(owners.partition_point(|owner| owner.revision <= until));
        target.adopt_values(realm, values, of_these.to_vec()).await?;
        (after, owners) = (until, rest);
    }
    Ok(erased)
}

fn other(realm: &str, what: &str) -> FillError {
    FillError::Other { realm: realm.to_owned(), what: what.to_owned() }
}
