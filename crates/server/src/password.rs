//! Passwords: argon2id, in a bounded pool. Memory per hash times hashes at once is the real limit.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use grantd_node::realm::Refusal;
use grantd_node::realm::command::Secret;
use tokio::sync::Semaphore;

use crate::edge::EdgeError;
use crate::face::CallError;

/// How many hashes are computed at once; each takes 19 MiB.
static SLOTS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)));

/// The argon2id hash of a new password, in its standard text form (PHC).
pub async fn hash(password: String) -> Result<Secret, CallError> {
    if !(8..=1024).contains(&password.len()) {
        return Err(CallError::Refused(Refusal::invalid("password", "must be 8 to 1024 bytes")));
    }
    let internal = || CallError::Edge(EdgeError::Internal);
    let slot = SLOTS.acquire().await.map_err(|_| internal())?;
    let hashed = tokio::task::spawn_blocking(move || hash_now(&password)).await;
    drop(slot);
    hashed.ok().flatten().ok_or_else(internal)
}

/// The same, on this thread.
pub fn hash_now(password: &str) -> Option<Secret> {
    let hash = Argon2::default().hash_password(password.as_bytes()).ok()?;
    Some(Secret(hash.to_string()))
}
