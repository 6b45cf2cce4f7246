//! Bearer secrets: whose is it? And the tokens of identities.

use imbl::{HashMap, OrdMap};
use uuid::Uuid;

use crate::State;
use crate::caller::Authority;
use crate::change::Change;
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision, Secret};
use crate::entropy::secret_hash;
use crate::identity::Identity;
use crate::refusal::{Noun, Refusal};

/// Prefix of an identity's token, by which secret scanners know it.
pub const TOKEN_PREFIX: &str = "gdi_";

/// Whose bearer secret it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bearer {
    /// An API key's.
    ApiKey(Uuid),
    /// An identity's token.
    Token {
        /// Whose.
        identity: Uuid,
        /// Which of its tokens.
        token: Uuid,
    },
    /// A token of an organization's own.
    Organization {
        /// The organization's number.
        organization: u64,
        /// Which of its tokens.
        token: Uuid,
    },
}

/// Every valid bearer secret of the realm, by hash.
#[derive(Clone, Default)]
pub struct Bearers {
    by_hash: HashMap<[u8; 32], Bearer>,
}

impl Bearers {
    pub(crate) fn find(&self, hash: &[u8; 32]) -> Option<Bearer> {
        self.by_hash.get(hash).copied()
    }

    pub(crate) fn add(&mut self, hash: [u8; 32], bearer: Bearer) {
        self.by_hash.insert(hash, bearer);
    }

    pub(crate) fn remove(&mut self, hash: &[u8; 32]) {
        self.by_hash.remove(hash);
    }
}

/// The tokens of one identity, by id, each with its hash and its place in the order of creation.
#[derive(Clone, Default)]
pub struct Tokens {
    pub(crate) by_id: OrdMap<Uuid, (u64, [u8; 32])>,
    pub(crate) next_number: u64,
}

impl Tokens {
    /// The ids, in order of creation.
    pub fn ids(&self) -> Vec<Uuid> {
        let mut ids: Vec<_> = self.by_id.iter().map(|(id, (number, _))| (*number, *id)).collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, id)| id).collect()
    }

    /// Whether there is one of this id.
    pub fn has(&self, id: Uuid) -> bool {
        self.by_id.contains_key(&id)
    }

    pub(crate) fn hashes(&self) -> Vec<[u8; 32]> {
        self.by_id.values().map(|(_, hash)| *hash).collect()
    }

    pub(crate) fn create(&mut self, id: Uuid, hash: &[u8; 32]) -> Result<(), String> {
        if self.by_id.insert(id, (self.next_number, *hash)).is_some() {
            return Err(format!("token {id} exists already"));
        }
        self.next_number += 1;
        Ok(())
    }

    pub(crate) fn revoke(&mut self, id: Uuid) -> Result<[u8; 32], String> {
        self.by_id.remove(&id).map(|(_, hash)| hash).ok_or_else(|| format!("there is no token {id}"))
    }
}

/// Makes a token for an identity.
pub struct CreateToken {
    /// Whose.
    pub identity: Uuid,
}

/// A token at the moment of its making.
#[derive(Debug, Clone)]
pub struct TokenCreated {
    /// Its id, by which it is revoked.
    pub id: Uuid,
    /// The secret, shown this one time; `None` when the answer is a repeated one.
    pub secret: Option<Secret>,
}

impl Answer for TokenCreated {
    fn encode(&self, w: &mut Writer) {
        w.uuid(self.id);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { id: r.uuid()?, secret: None })
    }
}

impl Command for CreateToken {
    type Answer = TokenCreated;
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<TokenCreated>, Refusal> {
        let identity = Identity::changeable(state, self.identity)?;
        let id = cx.entropy.uuid();
        let secret = cx.entropy.secret(TOKEN_PREFIX);
        let change = Change::TokenCreated { identity: identity.id, id, hash: secret_hash(&secret) };
        Ok(Decision::one(change, TokenCreated { id, secret: Some(Secret(secret)) }))
    }
}

/// Revokes a token.
pub struct RevokeToken {
    /// Whose.
    pub identity: Uuid,
    /// Which, by id.
    pub token: Uuid,
}

impl Command for RevokeToken {
    type Answer = ();
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let identity = Identity::changeable(state, self.identity)?;
        if !identity.tokens.has(self.token) {
            return Err(Refusal::not_found(Noun::Token, self.token));
        }
        Ok(Decision::one(Change::TokenRevoked { identity: self.identity, id: self.token }, ()))
    }
}
