//! A realm's entries, read from the first on, compared where they are there already and written where not.

use std::collections::BTreeSet;

use grantd_ledger::chain::ChainVerifier;
use grantd_ledger::entry::{Disclosed, Hash, LedgerId, Revision};
use grantd_ledger::source::Source;
use grantd_ledger::store::{Append, Head, Store, StoreError};
use grantd_realm::State;

use super::base::{self, Begun};
use super::{FillError, Filled, Filling, Step, append, continues};
use crate::entry::fold;

/// How many entries are carried at a time: an import's are large.
const PAGE: u64 = 200;

/// What carrying the entries gives.
pub(super) struct Carried {
    pub(super) filled: Filled,
    /// Whether somebody said where it shall end.
    pub(super) cut: bool,
    /// The state at the end.
    pub(super) state: State,
}

pub(super) async fn carry<S: Source + ?Sized>(
    source: &S,
    target: &dyn Store,
    realm: &str,
    filling: &Filling<'_>,
) -> Result<Carried, FillError> {
    let head = source.head(realm).await?;
    let last = filling.until.get(realm).copied().unwrap_or(head.revision);
    if last > head.revision {
        return Err(FillError::Beyond { realm: realm.to_owned(), end: head.revision, until: last });
    }
    let there = match target.head(realm).await {
        Err(StoreError::NoLedger(_)) => target.create(realm, head.ledger_id).await?,
        head => head?,
    };
    (filling.told)(Step::Entries { realm, last });
    let mut carrying = Carrying {
        source,
        target,
        realm,
        last,
        there,
        chain: ChainVerifier::new(),
        state: State::empty(filling.schema.clone()),
        erased: Vec::new(),
    };
    if let Some(Begun { head, state, there, erased }) =
        base::carry(source, target, realm, (there, last), filling).await?
    {
        let chain = ChainVerifier::after(head);
        carrying = Carrying { there, chain, state, erased, ..carrying };
    }
    while carrying.after() < last {
        carrying.page().await?;
        (filling.told)(Step::At(carrying.after()));
    }
    let Carrying { chain, state, there, erased, .. } = carrying;
    let end = chain.head().unwrap_or(Head::empty(head.ledger_id));
    if !erased.is_empty() {
        // Erased at the source since they were copied.
        append(target, &Append { erase: erased, ..Append::on(realm, there) }, |_| false).await?;
    }
    let continued = continued(target, realm, &end, &there).await?;
    let filled = Filled {
        realm: realm.to_owned(),
        end,
        state_hash: Hash(state.hash()),
        continued,
        rows: 0,
        secrets: 0,
        left_behind: 0,
    };
    Ok(Carried { filled, cut: filling.until.contains_key(realm), state })
}

struct Carrying<'a, S: ?Sized> {
    source: &'a S,
    target: &'a dyn Store,
    realm: &'a str,
    last: Revision,
    /// Where the target's ledger ends.
    there: Head,
    chain: ChainVerifier,
    state: State,
    /// Values that the target holds and the source does not any more.
    erased: Vec<(Revision, u32)>,
}

impl<S: Source + ?Sized> Carrying<'_, S> {
    fn after(&self) -> Revision {
        self.chain.head().map_or(0, |head| head.revision)
    }

    async fn page(&mut self) -> Result<(), FillError> {
        let after = self.after();
        let is_there = self.there.revision > after;
        let until = if is_there { self.last.min(self.there.revision) } else { self.last };
        let limit = usize::try_from((until - after).min(PAGE)).unwrap_or(1);
        let page = self.source.entries(self.realm, after, limit).await?;
        if page.is_empty() {
            return Err(StoreError::Damaged(format!("entry {} is missing", after + 1)).into());
        }
        for disclosed in &page {
            let realm = || self.realm.to_owned();
            self.chain.push(disclosed).map_err(|broken| FillError::Broken { realm: realm(), broken })?;
            fold(&mut self.state, disclosed).map_err(|error| FillError::Fold { realm: realm(), error })?;
        }
        self.state.tidy();
        if is_there {
            return self.compare(after, &page).await;
        }
        let head = self.chain.head();
        let adopting = Append { adopted: page, ..Append::on(self.realm, self.there) };
        self.there = append(self.target, &adopting, |there| Some(*there) == head).await?;
        Ok(())
    }

    async fn compare(&mut self, after: Revision, page: &[Disclosed]) -> Result<(), FillError> {
        let copied = self.target.entries(self.realm, after, page.len()).await?;
        for (original, copy) in page.iter().zip(&copied) {
            let revision = original.entry.revision;
            if original.entry != copy.entry {
                return Err(self.other(format!("revision {revision} is another one")));
            }
            let kept: BTreeSet<u32> = original.disclosures.iter().map(|disclosure| disclosure.slot).collect();
            let copied: BTreeSet<u32> = copy.disclosures.iter().map(|disclosure| disclosure.slot).collect();
            if !kept.is_subset(&copied) {
                return Err(self.other(format!("values of revision {revision} were erased in it")));
            }
            self.erased.extend(copied.difference(&kept).map(|slot| (revision, *slot)));
        }
        if copied.len() < page.len() {
            return Err(self.other("entries are missing in it".to_owned()));
        }
        Ok(())
    }

    fn other(&self, what: String) -> FillError {
        FillError::Other { realm: self.realm.to_owned(), what }
    }
}

/// The id under which the target goes on already. Anything else beyond the end is no copy.
async fn continued(
    target: &dyn Store,
    realm: &str,
    end: &Head,
    there: &Head,
) -> Result<Option<LedgerId>, FillError> {
    if there.revision <= end.revision {
        return Ok(None);
    }
    let beyond = target.entries(realm, end.revision, 2).await?;
    match beyond.as_slice() {
        [only] if continues(&only.entry, end) => Ok(Some(only.entry.ledger_id)),
        _ => {
            let what = format!("it goes on after revision {}, where the source ends", end.revision);
            Err(FillError::Other { realm: realm.to_owned(), what })
        }
    }
}
