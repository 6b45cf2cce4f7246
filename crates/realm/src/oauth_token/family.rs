//! Families: what one code gave.

use super::{Bound, ShownRefresh, read_form};
use crate::Micros;
use crate::codec::{CodecError, Reader, Writer};
use crate::command::RowWrite;

/// The family of rows that families of tokens are.
pub const FAMILY_ROWS: &str = "oauth_family";

/// A refresh token with what it was rotated from, and the access tokens that it gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// The key of its row.
    pub key: Vec<u8>,
    /// Of what.
    pub bound: Bound,
    /// When its code was redeemed.
    pub issued_at: Micros,
    pub(super) refresh: [u8; 32],
}

impl Family {
    /// Reads a row.
    pub fn read(key: &[u8], value: &[u8]) -> Result<Self, CodecError> {
        let mut r = Reader::new(value);
        read_form(&mut r)?;
        let (bound, issued_at, refresh) = (Bound::read(&mut r)?, r.i64()?, r.array()?);
        r.finish()?;
        Ok(Self { key: key.to_vec(), bound, issued_at, refresh })
    }

    fn value(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(super::FORM);
        self.bound.write(&mut w);
        w.i64(self.issued_at);
        w.fixed(&self.refresh);
        w.finish().0
    }

    /// Whether this is its present refresh token. One of before has the same handle.
    pub fn is_renewed_by(&self, shown: &ShownRefresh) -> bool {
        // In constant time, as BLAKE3 compares its hashes.
        blake3::Hash::from(self.refresh) == blake3::Hash::from(shown.hash())
    }

    /// Refresh tokens have no end.
    pub(super) fn put(&self) -> RowWrite {
        let (kind, expires) = (FAMILY_ROWS, Micros::MAX);
        RowWrite::Put { kind, key: self.key.clone(), value: self.value(), expires }
    }

    /// As it is now, once, whoever else tries.
    pub(super) fn take(&self) -> RowWrite {
        RowWrite::Take { kind: FAMILY_ROWS, key: self.key.clone(), value: self.value() }
    }

    /// Ends all of it.
    pub(super) fn end(&self) -> RowWrite {
        RowWrite::Delete { kind: FAMILY_ROWS, key: self.key.clone() }
    }
}
