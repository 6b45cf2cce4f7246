//! API keys: bearer secrets of programs that administer the realm or ask it.

use grantd_engine::{Key, ObjectRef, SubjectRef};
use imbl::OrdMap;
use uuid::Uuid;

use crate::caller::{Authorities, Authority};
use crate::change::{Change, Stamp};
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision, Secret};
use crate::entropy::secret_hash;
use crate::managed::{implied, require_held};
use crate::personal::Personal;
use crate::refusal::{Noun, Refusal};
use crate::relationship::key;
use crate::{Micros, State};

/// Prefix of an API key, by which secret scanners know it.
pub const KEY_PREFIX: &str = "gdk_";

/// What a key may do when its maker names nothing.
pub const DEFAULT_GRANTS: [Authority; 2] = [Authority::Checker, Authority::Requester];

/// An API key.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Its id, by which it is revoked and named as a subject (`api_key:<id>`).
    pub id: Uuid,
    /// What people call it.
    pub name: Option<Personal>,
    pub(crate) hash: [u8; 32],
    /// From when on it is refused.
    pub expires: Option<Micros>,
    /// When it was made.
    pub created_at: Micros,
}

/// The API keys of a realm.
#[derive(Clone, Default)]
pub struct ApiKeys {
    pub(crate) by_id: OrdMap<Uuid, ApiKey>,
}

impl ApiKeys {
    /// One of them.
    pub fn get(&self, id: Uuid) -> Option<&ApiKey> {
        self.by_id.get(&id)
    }

    /// All, in order of their ids, from the one behind `after` on.
    pub fn iter_after(&self, after: Option<Uuid>) -> impl Iterator<Item = &ApiKey> {
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        self.by_id.range((from, std::ops::Bound::Unbounded)).map(|(_, key)| key)
    }

    pub(crate) fn create(
        &mut self,
        id: Uuid,
        name: Option<&Personal>,
        hash: &[u8; 32],
        expires: Option<Micros>,
        stamp: Stamp,
    ) -> Result<(), String> {
        let name = name.map(Personal::stored);
        let key = ApiKey { id, name, hash: *hash, expires, created_at: stamp.time };
        match self.by_id.insert(id, key) {
            None => Ok(()),
            Some(_) => Err(format!("API key {id} exists already")),
        }
    }

    pub(crate) fn revoke(&mut self, id: Uuid) -> Result<[u8; 32], String> {
        self.by_id.remove(&id).map(|key| key.hash).ok_or_else(|| format!("there is no API key {id}"))
    }

    pub(crate) fn erase_name(&mut self, id: Uuid) {
        if let Some(key) = self.by_id.get_mut(&id) {
            key.name = key.name.as_ref().map(Personal::erased);
        }
    }
}

/// Makes an API key.
pub struct CreateApiKey {
    /// What people call it.
    pub name: String,
    /// From when on it is refused.
    pub expires: Option<Micros>,
    /// What it may do to grantd; empty: [`DEFAULT_GRANTS`].
    pub grants: Vec<Authority>,
    /// The secret to use instead of a random one; only for the first start.
    pub secret: Option<Secret>,
}

/// A key at the moment of its making.
#[derive(Debug, Clone)]
pub struct ApiKeyCreated {
    /// Its id.
    pub id: Uuid,
    /// The secret, shown this one time; `None` when the answer is a repeated one.
    pub secret: Option<Secret>,
}

impl Answer for ApiKeyCreated {
    fn encode(&self, w: &mut Writer) {
        w.uuid(self.id);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { id: r.uuid()?, secret: None })
    }
}

impl Command for CreateApiKey {
    type Answer = ApiKeyCreated;
    const REQUIRES: Authority = Authority::Operator;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<ApiKeyCreated>, Refusal> {
        if self.name.is_empty() || self.name.len() > 255 || self.name.chars().any(char::is_control) {
            return Err(Refusal::invalid("name", "must be 1 to 255 bytes without control characters"));
        }
        if self.expires.is_some_and(|expires| expires <= cx.now) {
            return Err(Refusal::invalid("expires", "must be in the future"));
        }
        let mut grants = if self.grants.is_empty() { DEFAULT_GRANTS.to_vec() } else { self.grants.clone() };
        grants.sort_unstable();
        grants.dedup();
        let given: Authorities = grants
            .iter()
            .flat_map(|grant| Authority::ALL.into_iter().filter(|a| implied(*grant).contains(*a)))
            .collect();
        require_held(cx.caller, given, state, cx.now)?;
        let id = cx.entropy.uuid();
        let secret = match &self.secret {
            Some(secret) => secret.clone(),
            None => Secret(cx.entropy.secret(KEY_PREFIX)),
        };
        let hash = secret_hash(&secret.0);
        if state.bearer(&hash).is_some() {
            return Err(Refusal::invalid("key", "is in use already"));
        }
        let name = Some(cx.personal(&self.name));
        let mut changes = vec![Change::ApiKeyCreated { id, name, hash, expires: self.expires }];
        for grant in grants {
            changes.push(Change::grant(held_by(state, id, grant)?));
        }
        Ok(Decision::all(changes, ApiKeyCreated { id, secret: Some(secret) }))
    }
}

/// `grantd:<realm> # <authority> @ api_key:<id>`.
fn held_by(state: &State, id: Uuid, authority: Authority) -> Result<Key, Refusal> {
    let realm = ObjectRef { kind: "grantd", id: state.name() };
    let id = id.to_string();
    key("grants", realm, authority.name(), SubjectRef::Object(ObjectRef { kind: "api_key", id: &id }))
}

/// What a key was granted, by the relationships that name it.
pub fn grants(state: &State, id: Uuid) -> Vec<Authority> {
    Authority::ALL
        .into_iter()
        .filter(|a| held_by(state, id, *a).is_ok_and(|key| state.graph().get(&key).is_some()))
        .collect()
}

/// Revokes an API key.
pub struct RevokeApiKey {
    /// Which.
    pub id: Uuid,
}

impl Command for RevokeApiKey {
    type Answer = ();
    const REQUIRES: Authority = Authority::Operator;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        if state.api_keys().get(self.id).is_none() {
            return Err(Refusal::not_found(Noun::ApiKey, self.id));
        }
        let held = grants(state, self.id).into_iter().collect();
        require_held(cx.caller, held, state, cx.now)?;
        Ok(Decision::one(Change::ApiKeyRevoked { id: self.id }, ()))
    }
}
