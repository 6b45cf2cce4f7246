//! Passwords: argon2id, in a bounded pool. Memory per hash times hashes at once is the real limit.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use grantd_node::realm::Refusal;
use grantd_node::realm::command::Secret;
use tokio::sync::Semaphore;

use crate::edge::{EdgeError, Source};
use crate::face::CallError;

/// How many hashes are computed at once; each takes 19 MiB.
static SLOTS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)));

/// How many passwords of one source are verified or wait for it at once: who sends thousands waits alone.
const PER_SOURCE: usize = 32;

/// How many of all sources.
const WAITING: usize = 512;

/// What is verified for an account that does not exist: the hash of no known password, with the parameters of every other.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Z3JhbnRkIG5vYm9keXM$Zx0qcuh7bHk6xk3yTnqVJm1mT8fS0z0oQdQ2yE5rV3s";

/// The shortest and the longest password of a person, in bytes.
pub const LENGTH: std::ops::RangeInclusive<usize> = 8..=1024;

/// The argon2id hash of a new password, in its standard text form (PHC).
pub async fn hash(password: String) -> Result<Secret, CallError> {
    if !LENGTH.contains(&password.len()) {
        let problem = format!("must be {} to {} bytes", LENGTH.start(), LENGTH.end());
        return Err(CallError::Refused(Refusal::invalid("password", problem)));
    }
    hash_as_it_is(password).await
}

/// The same for a dialect that has its own rule of what a password is.
pub async fn hash_as_it_is(password: String) -> Result<Secret, CallError> {
    in_pool(move || hash_now(&password)).await?.ok_or(CallError::Edge(EdgeError::Internal))
}

/// The same, on this thread.
pub fn hash_now(password: &str) -> Option<Secret> {
    let hash = Argon2::default().hash_password(password.as_bytes()).ok()?;
    Some(Secret(hash.to_string()))
}

/// Whether a password is the one of that hash. Without a hash it is nobody's, which takes as long to find out.
pub(crate) async fn verify(
    password: Secret,
    hash: Option<Secret>,
    source: Source,
) -> Result<bool, CallError> {
    let _place = Place::take(source)?;
    in_pool(move || {
        let known = hash.as_ref().and_then(|hash| PasswordHash::new(&hash.0).ok());
        let is_known = known.is_some();
        let Some(expected) = known.or_else(|| PasswordHash::new(NOBODYS).ok()) else { return false };
        let verified = Argon2::default().verify_password(password.0.as_bytes(), &expected).is_ok();
        is_known && verified
    })
    .await
}

async fn in_pool<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, CallError> {
    let internal = || CallError::Edge(EdgeError::Internal);
    let slot = SLOTS.acquire().await.map_err(|_| internal())?;
    // The slot goes with the work, which goes on when nobody waits for it any more.
    tokio::task::spawn_blocking(move || {
        let _slot = slot;
        work()
    })
    .await
    .map_err(|_| internal())
}

/// Who waits, by source.
static PLACES: LazyLock<Mutex<HashMap<Source, usize>>> = LazyLock::new(Mutex::default);

/// A place among those who wait for the pool.
struct Place(Source);

impl Place {
    fn take(source: Source) -> Result<Self, CallError> {
        let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = places.values().sum();
        let own = places.entry(source).or_default();
        if *own >= PER_SOURCE || all >= WAITING {
            if *own == 0 {
                places.remove(&source);
            }
            return Err(CallError::Edge(EdgeError::Unavailable { retry_after_secs: 1 }));
        }
        *own += 1;
        Ok(Self(source))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = places.get_mut(&self.0) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                places.remove(&self.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    /// What stands in front of salt and hash: the algorithm and what it costs.
    fn cost(hash: &str) -> String {
        hash.rsplitn(3, '$').last().unwrap().to_owned()
    }

    #[test]
    fn nobodys_password_costs_what_everybodys_does() {
        let hash = hash_now("a password").unwrap();
        assert_eq!(cost(&hash.0), cost(NOBODYS));
        let (ours, theirs) = (PasswordHash::new(NOBODYS).unwrap(), PasswordHash::new(&hash.0).unwrap());
        assert_eq!(ours.hash.unwrap().as_ref().len(), theirs.hash.unwrap().as_ref().len());
    }

    #[tokio::test]
    async fn only_the_right_password_is_right() {
        let source = Source::of([192, 0, 2, 1].into());
        let hash = hash("correct horse".into()).await.unwrap();
        let verify = |password: &str, hash| verify(Secret(password.into()), hash, source);
        assert!(verify("correct horse", Some(hash.clone())).await.unwrap());
        assert!(!verify("correct horse ", Some(hash)).await.unwrap());
        assert!(!verify("", None).await.unwrap());
        assert!(!verify("x", Some(Secret("$hash$".into()))).await.unwrap());
    }

    #[test]
    fn one_source_cannot_take_every_place() {
        let source = Source::of([192, 0, 2, 77].into());
        let taken: Vec<_> = (0..PER_SOURCE).map(|_| Place::take(source).unwrap()).collect();
        assert!(Place::take(source).is_err());
        assert!(Place::take(Source::of([192, 0, 2, 78].into())).is_ok());
        drop(taken);
        assert!(Place::take(source).is_ok());
    }
}
