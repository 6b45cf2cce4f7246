//! Machine identities.

use std::sync::Arc;

use imbl::OrdMap;
use uuid::Uuid;

use crate::State;
use crate::caller::Authority;
use crate::change::{Change, Stamp, shared};
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision};
use crate::refusal::{Noun, Refusal};
use crate::token::Tokens;
use crate::vm_grant::VmGrant;

/// A machine, with its tokens and the records of its VM grants.
#[derive(Clone)]
pub struct Identity {
    /// Its id.
    pub id: Uuid,
    /// Its place in the order of creation.
    pub number: u64,
    /// Made by the platform itself; it can be neither changed nor deleted through the API.
    pub managed: bool,
    /// Its bearer tokens.
    pub tokens: Tokens,
    pub(crate) vm_grants: OrdMap<Arc<str>, VmGrant>,
    pub(crate) next_grant: u64,
}

impl Identity {
    /// The identity, or the refusal that says there is none.
    pub fn find(state: &State, id: Uuid) -> Result<&Self, Refusal> {
        state.identities().get(id).ok_or_else(|| Refusal::not_found(Noun::Identity, id))
    }

    /// The identity, if the API may change it.
    pub(crate) fn changeable(state: &State, id: Uuid) -> Result<&Self, Refusal> {
        let identity = Self::find(state, id)?;
        if identity.managed { Err(Refusal::ManagedIdentity(id)) } else { Ok(identity) }
    }

    /// The record of the grant on a VM.
    pub fn vm_grant(&self, vm: &str) -> Option<&VmGrant> {
        self.vm_grants.get(vm)
    }

    /// The records of all VM grants with the VM's id, in order of creation.
    pub fn vm_grants(&self) -> Vec<(&str, &VmGrant)> {
        let mut grants: Vec<_> = self.vm_grants.iter().map(|(vm, grant)| (vm.as_ref(), grant)).collect();
        grants.sort_unstable_by_key(|(_, grant)| grant.number);
        grants
    }
}

/// The identities of a realm.
#[derive(Clone, Default)]
pub struct Identities {
    pub(crate) by_id: OrdMap<Uuid, Identity>,
    pub(crate) by_number: OrdMap<u64, Uuid>,
    pub(crate) next_number: u64,
}

impl Identities {
    /// One of them.
    pub fn get(&self, id: Uuid) -> Option<&Identity> {
        self.by_id.get(&id)
    }

    /// All, in order of creation.
    pub fn iter(&self) -> impl Iterator<Item = &Identity> {
        self.by_number.values().filter_map(|id| self.by_id.get(id))
    }

    /// Who has a grant on a VM, in the order of their ids.
    pub(crate) fn holding(&self, vm: &str) -> impl Iterator<Item = Uuid> {
        self.by_id
            .values()
            .filter(move |identity| identity.vm_grants.contains_key(vm))
            .map(|identity| identity.id)
    }

    fn get_mut(&mut self, id: Uuid) -> Result<&mut Identity, String> {
        self.by_id.get_mut(&id).ok_or_else(|| format!("there is no identity {id}"))
    }

    pub(crate) fn create(&mut self, id: Uuid, number: u64, managed: bool) -> Result<(), String> {
        let identity = Identity {
            id,
            number,
            managed,
            tokens: Tokens::default(),
            vm_grants: OrdMap::new(),
            next_grant: 0,
        };
        if self.by_id.insert(id, identity).is_some() || self.by_number.insert(number, id).is_some() {
            return Err(format!("identity {id} or its number exists already"));
        }
        self.next_number = self.next_number.max(number + 1);
        Ok(())
    }

    /// Removes it; gives the hashes of its tokens.
    pub(crate) fn delete(&mut self, id: Uuid) -> Result<Vec<[u8; 32]>, String> {
        let identity = self.by_id.remove(&id).ok_or_else(|| format!("there is no identity {id}"))?;
        self.by_number.remove(&identity.number);
        Ok(identity.tokens.hashes())
    }

    pub(crate) fn create_token(&mut self, identity: Uuid, id: Uuid, hash: &[u8; 32]) -> Result<(), String> {
        self.get_mut(identity)?.tokens.create(id, hash)
    }

    pub(crate) fn revoke_token(&mut self, identity: Uuid, id: Uuid) -> Result<[u8; 32], String> {
        self.get_mut(identity)?.tokens.revoke(id)
    }

    pub(crate) fn grant_vm(
        &mut self,
        identity: Uuid,
        vm: &str,
        id: Uuid,
        restricted: bool,
        stamp: Stamp,
    ) -> Result<(), String> {
        let identity = self.get_mut(identity)?;
        let grant = VmGrant { id, number: identity.next_grant, restricted, granted_at: stamp.time };
        identity.next_grant += 1;
        match identity.vm_grants.insert(shared(vm), grant) {
            None => Ok(()),
            Some(_) => Err("the VM grant exists already".into()),
        }
    }

    pub(crate) fn change_vm_grant(
        &mut self,
        identity: Uuid,
        vm: &str,
        restricted: bool,
    ) -> Result<(), String> {
        let grant = self.get_mut(identity)?.vm_grants.get_mut(vm).ok_or("there is no such VM grant")?;
        grant.restricted = restricted;
        Ok(())
    }

    pub(crate) fn revoke_vm_grant(&mut self, identity: Uuid, vm: &str) -> Result<(), String> {
        self.get_mut(identity)?.vm_grants.remove(vm).map(|_| ()).ok_or("there is no such VM grant".into())
    }
}

/// Makes an identity.
pub struct CreateIdentity {
    /// Whether it belongs to the platform itself.
    pub managed: bool,
}

/// An identity as it was made.
#[derive(Debug, Clone)]
pub struct IdentityCreated {
    /// Its id.
    pub id: Uuid,
    /// As asked for.
    pub managed: bool,
}

impl Answer for IdentityCreated {
    fn encode(&self, w: &mut Writer) {
        w.uuid(self.id);
        w.bool(self.managed);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { id: r.uuid()?, managed: r.bool()? })
    }
}

impl Command for CreateIdentity {
    type Answer = IdentityCreated;
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<IdentityCreated>, Refusal> {
        let id = cx.entropy.uuid();
        let number = state.identities().next_number;
        let change = Change::IdentityCreated { id, number, managed: self.managed };
        Ok(Decision::one(change, IdentityCreated { id, managed: self.managed }))
    }
}

/// Deletes an identity with its tokens and grants: one change, whatever it held.
pub struct DeleteIdentity {
    /// Which.
    pub id: Uuid,
}

impl Command for DeleteIdentity {
    type Answer = ();
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let identity = Identity::changeable(state, self.id)?;
        Ok(Decision::one(Change::IdentityDeleted { id: identity.id }, ()))
    }
}
