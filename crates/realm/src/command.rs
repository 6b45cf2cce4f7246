//! What every command shares: who asks, what it may draw on, what it answers.

use uuid::Uuid;

use crate::caller::{Authority, Caller};
use crate::change::Change;
use crate::codec::{CodecError, Reader, Writer};
use crate::entropy::Entropy;
use crate::personal::{Commit, Personal};
use crate::refusal::Refusal;
use crate::webhook;
use crate::{Micros, State};

/// What a decision may draw on besides the state.
pub struct Context<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// The time of the entry that would come of it.
    pub now: Micros,
    /// Ids and secrets.
    pub entropy: Entropy,
    /// Makes the commitments of personal fields.
    pub commit: Commit,
}

impl Context<'_> {
    /// A personal or free-text field, with a fresh salt.
    pub fn personal(&mut self, value: &str) -> Personal {
        Personal::new(value, self.entropy.bytes(), self.commit)
    }

    /// Refuses a caller who lacks an authority.
    pub fn require(&self, state: &State, authority: Authority) -> Result<(), Refusal> {
        if self.caller.holds(authority, state, self.now) {
            Ok(())
        } else {
            Err(Refusal::NotAllowed(authority))
        }
    }
}

/// A secret to be stored sealed, outside the ledger, in the same transaction as the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealedWrite {
    /// Makes or replaces it.
    Put {
        /// Its name, for example `password/<uuid>`.
        name: String,
        /// Counts up with each replacement.
        version: u32,
        /// What to seal.
        value: Secret,
    },
    /// Removes it.
    Delete {
        /// Its name.
        name: String,
    },
}

/// A write to the ephemeral rows, in the same transaction as the entry, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowWrite {
    /// Makes or replaces a row.
    Put {
        /// Which family of rows, for example `session`.
        kind: &'static str,
        /// Key within the family.
        key: Vec<u8>,
        /// The value.
        value: Vec<u8>,
        /// From when on it is gone.
        expires: Micros,
    },
    /// Replaces a row that is there; one that was deleted does not come back.
    Renew {
        /// Which family.
        kind: &'static str,
        /// Key within the family.
        key: Vec<u8>,
        /// The new value.
        value: Vec<u8>,
        /// From when on it is gone.
        expires: Micros,
    },
    /// Puts another row in the place of one that is there; nothing is written when it is absent. Of several that are after
    /// the same row one succeeds: the row at the new key tells which.
    Move {
        /// Which family.
        kind: &'static str,
        /// Key within the family.
        key: Vec<u8>,
        /// Key of the new row; there is none yet.
        to: Vec<u8>,
        /// Its value.
        value: Vec<u8>,
        /// From when on it is gone.
        expires: Micros,
    },
    /// Removes a row; no error when it is absent.
    Delete {
        /// Which family.
        kind: &'static str,
        /// Key within the family.
        key: Vec<u8>,
    },
    /// Removes a row that must be there with this very value. If it is not, nothing of the command is written and it is refused
    /// as [`Refusal::Taken`]: so of all who take a row, on whatever node, one does. A command that takes a row also puts one
    /// whose key is its own, by which it knows that it did.
    Take {
        /// Which family.
        kind: &'static str,
        /// Key within the family.
        key: Vec<u8>,
        /// The value, as it was found.
        value: Vec<u8>,
    },
}

/// A secret text; prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// What a command comes to.
#[derive(Debug)]
pub struct Decision<A> {
    /// The changes, in order. None: no entry is made, and the answer goes out all the same.
    pub changes: Vec<Change>,
    /// Secrets written with them.
    pub sealed: Vec<SealedWrite>,
    /// Ephemeral rows written with them, or without any change. To write them twice must be the same as once.
    pub rows: Vec<RowWrite>,
    /// What the caller is told once all of it is durable.
    pub answer: A,
}

impl<A> Decision<A> {
    /// One change.
    pub fn one(change: Change, answer: A) -> Self {
        Self::all(vec![change], answer)
    }

    /// Several changes, as one entry.
    pub fn all(changes: Vec<Change>, answer: A) -> Self {
        Self { changes, sealed: Vec::new(), rows: Vec::new(), answer }
    }

    /// Nothing to change.
    pub fn unchanged(answer: A) -> Self {
        Self::all(Vec::new(), answer)
    }
}

/// An answer that can be remembered for a repeated request. What is shown once is left out of it.
pub trait Answer: Clone + Send + Sync + 'static {
    /// Writes all but the secrets.
    fn encode(&self, w: &mut Writer);
    /// Reads it again, without secrets.
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError>;
}

impl Answer for () {
    fn encode(&self, _: &mut Writer) {}
    fn decode(_: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(())
    }
}

impl Answer for bool {
    fn encode(&self, w: &mut Writer) {
        w.bool(*self);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        r.bool()
    }
}

impl Answer for u64 {
    fn encode(&self, w: &mut Writer) {
        w.u64(*self);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        r.u64()
    }
}

impl Answer for Uuid {
    fn encode(&self, w: &mut Writer) {
        w.uuid(*self);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        r.uuid()
    }
}

impl Answer for String {
    fn encode(&self, w: &mut Writer) {
        w.text(self);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        r.text().map(Into::into)
    }
}

/// A wish to change a realm.
pub trait Command: Send + Sync + 'static {
    /// What the caller is told.
    type Answer: Answer;

    /// What the caller must hold on the type `grantd`; see [`Self::authorize`].
    const REQUIRES: Authority;

    /// Whether it makes the realm. All others are refused where there is none: before it is made, and after it was deleted.
    const FOUNDS_REALM: bool = false;

    /// Refuses a caller without the right to it; asked by [`decide`] before anything else, on the same state. A command that
    /// faces authorize in different terms has a [`crate::Basis`], and asks that.
    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        cx.require(state, Self::REQUIRES)
    }

    /// Decides it. Pure: the same state, command and context give the same decision.
    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<Self::Answer>, Refusal>;
}

/// A command that may have to be handed in again, and is too long to be copied.
impl<C: Command> Command for std::sync::Arc<C> {
    type Answer = C::Answer;
    const REQUIRES: Authority = C::REQUIRES;
    const FOUNDS_REALM: bool = C::FOUNDS_REALM;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        C::authorize(self, state, cx)
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<Self::Answer>, Refusal> {
        C::decide(self, state, cx)
    }
}

/// The one way from a command to its decision. What webhooks are to be told of it goes with it.
pub fn decide<C: Command>(
    command: &C,
    state: &State,
    cx: &mut Context<'_>,
) -> Result<Decision<C::Answer>, Refusal> {
    if !C::FOUNDS_REALM && state.name().is_empty() {
        return Err(Refusal::NoRealm);
    }
    command.authorize(state, cx)?;
    let mut decision = command.decide(state, cx)?;
    decision.rows.extend(webhook::queued(state, &decision.changes, cx));
    Ok(decision)
}
