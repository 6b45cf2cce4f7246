//! Rows that an append takes, and whose they are.
//!
//! Rows leave no trace in the ledger. After an append of unknown fate, what a command puts beside what it takes tells whether it was
//! written.

use grantd_ledger::store::{RowWrite, Store, StoreError};
use grantd_realm::Micros;

/// The rows of an append, as far as any are taken.
#[derive(Default)]
pub(crate) struct Taking {
    /// For each row, whose it is.
    owners: Vec<usize>,
    /// The rows that are put, each with whose it is, its kind and its key.
    put: Vec<(usize, &'static str, Vec<u8>)>,
    takes: bool,
}

impl Taking {
    pub(crate) fn of(rows: &[RowWrite], owners: Vec<usize>) -> Self {
        if !rows.iter().any(|row| matches!(row, RowWrite::Take { .. })) {
            return Self::default();
        }
        let put = rows.iter().zip(&owners).filter_map(|(row, owner)| match row {
            RowWrite::Put { kind, key, .. } => Some((*owner, *kind, key.clone())),
            _ => None,
        });
        Self { put: put.collect(), owners, takes: true }
    }

    /// Whether any row is taken.
    pub(crate) fn takes(&self) -> bool {
        self.takes
    }

    /// Whose these rows are.
    pub(crate) fn owners_of<'a>(&'a self, rows: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
        rows.iter().filter_map(|row| self.owners.get(*row).copied())
    }

    /// Whether a command that one of these rows belongs to has put its rows already. At least one of their keys is drawn
    /// for the command, so that nobody else has put them all.
    pub(crate) async fn have_landed(
        &self,
        store: &dyn Store,
        realm: &str,
        rows: &[usize],
        now: Micros,
    ) -> Result<bool, StoreError> {
        for owner in self.owners_of(rows) {
            let mut all = true;
            for (_, kind, key) in self.put.iter().filter(|(whose, ..)| *whose == owner) {
                all &= store.row(realm, kind, key, now).await?.is_some();
            }
            // One command suffices: an append is written as a whole.
            if all {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
