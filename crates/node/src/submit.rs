//! What is handed to a realm's writer, and what comes back.

use grantd_ledger::entry::CommandId;
use grantd_realm::{Caller, Micros, Refusal};

/// A request's idempotency key, bound to who used it for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Hash over caller, route and key: names the command for ever.
    pub(crate) command: [u8; 32],
    /// Hash over the body, to notice a key that is used again for something else.
    pub(crate) body: [u8; 32],
}

impl Idempotency {
    /// For a key that the caller sent with a request.
    pub fn new(caller: &Caller, route: &str, key: &str, body: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("grantd idempotency key 1");
        for part in [caller.actor.to_string().as_str(), route, key] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        Self { command: *hasher.finalize().as_bytes(), body: *blake3::hash(body).as_bytes() }
    }

    pub(crate) fn command_id(&self) -> CommandId {
        let mut id = [0; 16];
        id.iter_mut().zip(self.command).for_each(|(to, from)| *to = from);
        CommandId(id)
    }
}

/// A command with what must be known to carry it out and put it on record.
#[derive(Debug, Clone)]
pub struct Request<C> {
    /// What to do.
    pub command: C,
    /// Who asks.
    pub caller: Caller,
    /// Through which face, for example `freestyle`.
    pub via: &'static str,
    /// Why, in the caller's words.
    pub reason: Option<String>,
    /// So that a repeated request is carried out once.
    pub idempotency: Option<Idempotency>,
}

/// A command that is durable, or needed no change.
#[derive(Debug, Clone)]
pub struct Done<A> {
    /// What the caller is told.
    pub answer: A,
    /// The revision at which it holds.
    pub revision: u64,
    /// When it was decided.
    pub time: Micros,
    /// This answers a request that was carried out before, under the same idempotency key.
    pub replayed: bool,
}

/// Why a command has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SubmitError {
    /// It was refused; nothing changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It was not carried out and will not be: the store does not take writes now.
    #[error("the change was not made: the store does not take writes now; try again later")]
    Unavailable,
    /// It may or may not have been carried out: the store failed in the middle and cannot tell yet. Repeating the
    /// request with the same idempotency key gives its true outcome.
    #[error(
        "whether the change was made is not known yet; repeat the request with the same `Idempotency-Key` to learn it"
    )]
    OutcomeUnknown,
    /// Too many commands are waiting.
    #[error("too many changes are waiting; nothing was changed; try again later")]
    Overloaded,
    /// The node is stopping.
    #[error("the server is stopping; nothing was changed; try again")]
    Stopping,
    /// The store contradicts what this node has seen of the realm.
    #[error(
        "the store no longer holds what this node has seen of the realm, so that this node does not serve it; nothing was changed; ask \
         another node, or try again when this one was restarted"
    )]
    Contradicted,
    /// The realm meets something that this program cannot fold.
    #[error("the realm cannot be served: {0}")]
    Broken(String),
}
