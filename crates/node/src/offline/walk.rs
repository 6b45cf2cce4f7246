//! All entries of a realm, page by page.

use std::collections::VecDeque;

use grantd_ledger::entry::{Disclosed, Revision};
use grantd_ledger::store::{Store, StoreError};

/// How many entries are read at a time.
const PAGE: usize = 1_000;

/// Walks the entries of a realm in order, up to a revision.
pub(crate) struct Walk<'a> {
    store: &'a dyn Store,
    realm: &'a str,
    read: VecDeque<Disclosed>,
    after: Revision,
    last: Revision,
}

impl<'a> Walk<'a> {
    /// From the entry behind revision `after` up to that of revision `last`.
    pub(crate) fn between(after: Revision, last: Revision, store: &'a dyn Store, realm: &'a str) -> Self {
        Self { store, realm, read: VecDeque::new(), after, last }
    }

    /// The next entry, if there is one. After an error every entry before the bad one has been given.
    pub(crate) async fn next(&mut self) -> Result<Option<Disclosed>, StoreError> {
        if self.read.is_empty() && self.after < self.last {
            let left = usize::try_from(self.last - self.after).unwrap_or(PAGE);
            let page = match self.store.entries(self.realm, self.after, left.min(PAGE)).await {
                // A page is refused as a whole. One by one, the good ones before the bad one come out.
                Err(StoreError::Damaged(_)) => self.store.entries(self.realm, self.after, 1).await?,
                page => page?,
            };
            self.read.extend(page);
        }
        let next = self.read.pop_front();
        if let Some(disclosed) = &next {
            self.after = disclosed.entry.revision;
        }
        Ok(next)
    }
}
