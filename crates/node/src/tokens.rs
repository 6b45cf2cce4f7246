//! Access tokens that were seen lately, so that a call need not ask the store again.
//!
//! What is kept says only what was issued; whether it still counts is asked of the newest state each time. That a single token, or
//! what one code gave, was revoked stands in rows alone: the writer says so here. Where other nodes write to the store nobody would, and a
//! token's rows are read each time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use grantd_ledger::store::RowWrite;
use grantd_realm::Micros;
use grantd_realm::oauth_token::{ACCESS_ROWS, AccessToken, FAMILY_ROWS, Holder};
use quick_cache::sync::Cache;
use uuid::Uuid;

/// How many are kept; about 30 MB.
const KEPT: usize = 100_000;

/// How many authorizations' uses wait to be noted.
const NOTABLE: usize = 100_000;

/// A use is noted if the last one that was is so long ago.
const NOTED_EVERY: Micros = 60 * 1_000_000;

/// A token that was found.
struct Seen {
    token: Arc<AccessToken>,
    noted_at: std::sync::atomic::AtomicI64,
}

/// The tokens of a realm that were seen lately.
pub(crate) struct Tokens {
    seen: Cache<[u8; 32], Arc<Seen>>,
    /// Counts what was forgotten: what was read from the store before that must not be kept.
    forgotten: AtomicU64,
    uses: Mutex<HashMap<Uuid, Micros>>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { seen: Cache::new(KEPT), forgotten: AtomicU64::new(0), uses: Mutex::default() }
    }
}

/// What a look at the store begins with.
pub(crate) struct Look(u64);

impl Tokens {
    /// One that was read lately. It may be none any more where other nodes write to the store.
    pub(crate) fn get(&self, key: &[u8; 32], now: Micros) -> Option<Arc<AccessToken>> {
        let seen = self.seen.get(key)?;
        self.note(&seen, now);
        Some(seen.token.clone())
    }

    /// To be called before the store is asked.
    pub(crate) fn look(&self) -> Look {
        Look(self.forgotten.load(Ordering::Acquire))
    }

    /// Keeps what the store said, unless something was revoked meanwhile.
    pub(crate) fn keep(&self, look: &Look, key: [u8; 32], token: Arc<AccessToken>, now: Micros) {
        let noted_at = Micros::MIN.into();
        let seen = Arc::new(Seen { token, noted_at });
        self.note(&seen, now);
        self.seen.insert(key, seen);
        // What was forgotten between the look and here may be this one.
        if self.forgotten.load(Ordering::Acquire) != look.0 {
            self.seen.remove(&key);
        }
    }

    /// The store does not have it.
    pub(crate) fn miss(&self, key: &[u8; 32]) {
        self.seen.remove(key);
    }

    /// Forgets what these rows, which were deleted, were good for.
    pub(crate) fn forget(&self, ended: &[(&'static str, Vec<u8>)]) {
        if ended.is_empty() {
            return;
        }
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        for (kind, key) in ended {
            match (*kind, <[u8; 32]>::try_from(key.as_slice())) {
                (ACCESS_ROWS, Ok(key)) => {
                    self.seen.remove(&key);
                }
                _ => self.seen.retain(|_, seen| family_of(&seen.token) != Some(key)),
            }
        }
    }

    fn note(&self, seen: &Seen, now: Micros) {
        let Holder::App { bound, .. } = &seen.token.holder else { return };
        if now.saturating_sub(NOTED_EVERY) < seen.noted_at.load(Ordering::Relaxed) {
            return;
        }
        seen.noted_at.store(now, Ordering::Relaxed);
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.len() < NOTABLE || uses.contains_key(&bound.authorization) {
            uses.insert(bound.authorization, now);
        }
    }

    /// When an authorization was used, if that was lately.
    pub(crate) fn last_use(&self, authorization: Uuid) -> Option<Micros> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner).get(&authorization).copied()
    }

    /// Up to so many uses that are to be noted; they are not kept here any more.
    pub(crate) fn take_uses(&self, most: usize) -> Vec<(Uuid, Micros)> {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let taken: Vec<(Uuid, Micros)> = uses.iter().take(most).map(|(id, at)| (*id, *at)).collect();
        for (id, _) in &taken {
            uses.remove(id);
        }
        taken
    }
}

fn family_of(token: &AccessToken) -> Option<&Vec<u8>> {
    match &token.holder {
        Holder::App { family, .. } => Some(family),
        Holder::Organization { .. } => None,
    }
}

/// The rows of an append by whose end tokens end.
pub(crate) fn ending(rows: &[RowWrite]) -> Vec<(&'static str, Vec<u8>)> {
    let ended = rows.iter().filter_map(|row| match row {
        RowWrite::Delete { kind, key } if *kind == ACCESS_ROWS || *kind == FAMILY_ROWS => {
            Some((*kind, key.clone()))
        }
        _ => None,
    });
    ended.collect()
}
