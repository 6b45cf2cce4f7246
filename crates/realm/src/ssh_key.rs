//! SSH keys of identities: by which of them somebody is known to a VM's own sshd.

use std::sync::Arc;

use imbl::{HashMap, OrdMap, OrdSet};
use uuid::Uuid;

use crate::caller::Authority;
use crate::change::{Change, SshChange, Stamp};
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Command, Context, Decision};
use crate::identity::Identity;
use crate::personal::Personal;
use crate::refusal::{Noun, Refusal};
use crate::ssh_public_key::PublicKey;
use crate::{Micros, State};

/// The type by which their personal fields are erased.
pub const SSH_KEY_TYPE: &str = "ssh_key";

/// How many keys an identity can have.
pub const MAX_KEYS: usize = 100;

/// The most bytes of a key's name.
pub const MAX_NAME: usize = 255;

/// A key as it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshKeyForm {
    /// Its id.
    pub id: Uuid,
    /// Counts up in the order of their making.
    pub number: u64,
    /// Whose.
    pub identity: Uuid,
    /// The key.
    pub key: PublicKey,
    /// What people call it.
    pub name: Option<Personal>,
}

impl SshKeyForm {
    pub(crate) fn write(&self, w: &mut Writer, personal: impl Fn(&mut Writer, &Personal)) {
        w.uuid(self.id);
        w.u64(self.number);
        w.uuid(self.identity);
        w.bytes(self.key.blob());
        w.option(self.name.as_ref(), personal);
    }

    pub(crate) fn read<'a>(
        r: &mut Reader<'a>,
        personal: impl Fn(&mut Reader<'a>) -> Result<Personal, CodecError>,
    ) -> Result<Self, CodecError> {
        Ok(Self {
            id: r.uuid()?,
            number: r.u64()?,
            identity: r.uuid()?,
            key: PublicKey::stored(r.bytes()?),
            name: r.option(personal)?,
        })
    }
}

/// A key.
#[derive(Debug, Clone)]
pub struct SshKey {
    /// What it is.
    pub form: SshKeyForm,
    /// When it was added.
    pub created_at: Micros,
}

/// The SSH keys of a realm's identities.
#[derive(Clone, Default)]
pub struct SshKeys {
    by_number: OrdMap<u64, Arc<SshKey>>,
    by_id: OrdMap<Uuid, u64>,
    /// By the hash of the key itself: each belongs to one identity.
    by_hash: HashMap<[u8; 32], u64>,
    of_identity: OrdSet<(Uuid, u64)>,
    pub(crate) next_number: u64,
}

impl SshKeys {
    /// One of them.
    pub fn get(&self, id: Uuid) -> Option<&Arc<SshKey>> {
        self.by_number.get(self.by_id.get(&id)?)
    }

    /// Whose key this is.
    pub fn find(&self, key: &PublicKey) -> Option<&Arc<SshKey>> {
        self.by_number.get(self.by_hash.get(&key.hash())?)
    }

    /// Those behind a number, in the order of their making.
    pub fn iter_after(&self, number: Option<u64>) -> impl Iterator<Item = &Arc<SshKey>> {
        let from = number.map_or(0, |number| number.saturating_add(1));
        self.by_number.range(from..).map(|(_, key)| key)
    }

    /// Those of an identity behind a number, in the order of their making.
    pub fn of(&self, identity: Uuid, after: Option<u64>) -> impl Iterator<Item = &Arc<SshKey>> {
        let from = after.map_or(0, |number| number.saturating_add(1));
        let places = self.of_identity.range((identity, from)..=(identity, u64::MAX));
        places.filter_map(|(_, number)| self.by_number.get(number))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_number.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    pub(crate) fn add(&mut self, form: &SshKeyForm, stamp: Stamp) -> Result<(), String> {
        let form = SshKeyForm { name: form.name.as_ref().map(Personal::stored), ..form.clone() };
        self.insert(SshKey { form, created_at: stamp.time })
    }

    pub(crate) fn insert(&mut self, key: SshKey) -> Result<(), String> {
        let SshKeyForm { id, number, identity, .. } = key.form;
        self.next_number = self.next_number.max(number.saturating_add(1));
        let taken = self.by_hash.insert(key.form.key.hash(), number).is_some()
            || self.by_id.insert(id, number).is_some()
            || self.of_identity.insert((identity, number)).is_some()
            || self.by_number.insert(number, Arc::new(key)).is_some();
        if taken { Err(format!("SSH key {id} or its number exists already")) } else { Ok(()) }
    }

    pub(crate) fn remove(&mut self, id: Uuid) -> Result<(), String> {
        let number = self.by_id.remove(&id).ok_or_else(|| format!("there is no SSH key {id}"))?;
        if let Some(key) = self.by_number.remove(&number) {
            self.by_hash.remove(&key.form.key.hash());
            self.of_identity.remove(&(key.form.identity, number));
        }
        Ok(())
    }

    /// With their identity they go as well.
    pub(crate) fn forget(&mut self, identity: Uuid) -> Result<(), String> {
        let ids: Vec<Uuid> = self.of(identity, None).map(|key| key.form.id).collect();
        ids.into_iter().try_for_each(|id| self.remove(id))
    }

    pub(crate) fn erase_name(&mut self, id: Uuid) {
        let number = self.by_id.get(&id).copied();
        if let Some(key) = number.and_then(|number| self.by_number.get_mut(&number)) {
            let key = Arc::make_mut(key);
            key.form.name = key.form.name.as_ref().map(Personal::erased);
        }
    }
}

/// Gives an identity a key.
#[derive(Debug, Clone)]
pub struct AddSshKey {
    /// Whose.
    pub identity: Uuid,
    /// As in a `.pub` file; the comment is not kept.
    pub public_key: String,
    /// What people call it.
    pub name: Option<String>,
}

impl Command for AddSshKey {
    /// Its id.
    type Answer = Uuid;
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<Uuid>, Refusal> {
        let identity = Identity::changeable(state, self.identity)?.id;
        let key = PublicKey::parse("public_key", &self.public_key)?;
        let name = self.name.as_deref().filter(|name| !name.is_empty());
        if name.is_some_and(|name| name.len() > MAX_NAME || name.chars().any(char::is_control)) {
            let problem = format!("must be at most {MAX_NAME} bytes without control characters");
            return Err(Refusal::invalid("name", problem));
        }
        let keys = state.ssh_keys();
        if keys.find(&key).is_some() {
            return Err(Refusal::exists(Noun::SshKey, key.fingerprint()));
        }
        if keys.of(identity, None).count() >= MAX_KEYS {
            return Err(Refusal::TooMany { what: "SSH keys of this identity", most: MAX_KEYS as u64 });
        }
        let id = cx.entropy.uuid();
        let name = name.map(|name| cx.personal(name));
        let key = SshKeyForm { id, number: keys.next_number, identity, key, name };
        let change = Change::ssh(SshChange::KeyAdded { key: Box::new(key) });
        Ok(Decision::one(change, id))
    }
}

/// Takes a key away from its identity.
#[derive(Debug, Clone)]
pub struct RemoveSshKey {
    /// Which.
    pub id: Uuid,
}

impl Command for RemoveSshKey {
    type Answer = ();
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let key = state.ssh_keys().get(self.id).ok_or_else(|| Refusal::not_found(Noun::SshKey, self.id))?;
        Identity::changeable(state, key.form.identity)?;
        Ok(Decision::one(Change::ssh(SshChange::KeyRemoved { id: self.id }), ()))
    }
}
