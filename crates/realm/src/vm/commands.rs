//! VMs registered, changed, given another gateway key, removed.

use uuid::Uuid;

use super::{GatewayKey, OVERLAP, Vm, VmForm, gateway_secret, read_address};
use crate::caller::Authority;
use crate::change::{Change, SshChange, shared};
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision, SealedWrite, Secret};
use crate::refusal::{Noun, Refusal};
use crate::ssh_public_key::PublicKey;
use crate::vm_grant::{check_vm, revoked};
use crate::{Micros, State};

/// A pair of keys that was just made: an Ed25519 key, and the 32 bytes in Base64 that it follows from.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// The half that everybody may know.
    pub public: PublicKey,
    /// The other one.
    pub private: Secret,
}

impl KeyPair {
    /// Under a name that was never used, with its private half to be sealed.
    fn keep(&self, cx: &mut Context<'_>) -> (GatewayKey, SealedWrite) {
        let key = GatewayKey { id: cx.entropy.uuid(), public: self.public.clone() };
        let (name, value) = (gateway_secret(key.id), self.private.clone());
        (key, SealedWrite::Put { name, version: 1, value })
    }
}

fn forgotten(key: &GatewayKey) -> SealedWrite {
    SealedWrite::Delete { name: gateway_secret(key.id) }
}

fn find<'s>(state: &'s State, id: &str) -> Result<&'s Vm, Refusal> {
    state.vms().get(id).map(|vm| &**vm).ok_or_else(|| Refusal::not_found(Noun::Vm, id))
}

/// Registers a VM, or says of one how it is reached and known from now on; its gateway key stays.
#[derive(Debug, Clone)]
pub struct PutVm {
    /// Its id.
    pub id: String,
    /// Host and port.
    pub address: String,
    /// What it must show, as in a `.pub` file.
    pub host_key: String,
    /// The gateway's key there, if the VM is new.
    pub gateway_key: KeyPair,
}

impl Command for PutVm {
    /// Whether it is new.
    type Answer = bool;
    const REQUIRES: Authority = Authority::Operator;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<bool>, Refusal> {
        check_vm("id", &self.id)?;
        let address = shared(&read_address(&self.address)?);
        let host_key = PublicKey::parse("host_key", &self.host_key)?;
        if !host_key.is_for_hosts() {
            let problem =
                "must be an Ed25519 or ECDSA key, such as that of `/etc/ssh/ssh_host_ed25519_key.pub`";
            return Err(Refusal::invalid("host_key", problem));
        }
        let vm = VmForm { id: shared(&self.id), address, host_key };
        match state.vms().get(&self.id) {
            Some(before) if before.form == vm => Ok(Decision::unchanged(false)),
            Some(_) => Ok(Decision::one(Change::ssh(SshChange::VmChanged { vm }), false)),
            None => {
                let (key, sealed) = self.gateway_key.keep(cx);
                let change = Change::ssh(SshChange::VmRegistered { vm, key });
                Ok(Decision { sealed: vec![sealed], ..Decision::one(change, true) })
            }
        }
    }
}

/// Gives the gateway another key to a VM. The one so far signs in beside it for [`OVERLAP`], so that the VM can be told; one from
/// before that does no more.
#[derive(Debug, Clone)]
pub struct RotateVmKey {
    /// Which VM.
    pub id: String,
    /// The new key.
    pub gateway_key: KeyPair,
}

/// What became of the key before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRotated {
    /// Until when it signs in too.
    pub previous_until: Micros,
}

impl Answer for KeyRotated {
    fn encode(&self, w: &mut Writer) {
        w.i64(self.previous_until);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { previous_until: r.i64()? })
    }
}

impl Command for RotateVmKey {
    type Answer = KeyRotated;
    const REQUIRES: Authority = Authority::Operator;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<KeyRotated>, Refusal> {
        let vm = find(state, &self.id)?;
        let (key, put) = self.gateway_key.keep(cx);
        let until = cx.now.saturating_add(OVERLAP);
        let mut sealed = vec![put];
        sealed.extend(vm.previous.as_ref().map(|previous| forgotten(&previous.key)));
        let change = Change::ssh(SshChange::VmKeyRotated { id: vm.form.id.clone(), key, until });
        Ok(Decision { sealed, ..Decision::one(change, KeyRotated { previous_until: until }) })
    }
}

/// Removes a VM, its keys, and every grant on it: a machine that is registered under the same id later starts with nothing.
#[derive(Debug, Clone)]
pub struct RemoveVm {
    /// Which.
    pub id: String,
}

impl Command for RemoveVm {
    /// How many grants went with it.
    type Answer = u64;
    const REQUIRES: Authority = Authority::Operator;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<u64>, Refusal> {
        let vm = find(state, &self.id)?;
        let mut changes = vec![Change::ssh(SshChange::VmRemoved { id: vm.form.id.clone() })];
        // All identities are looked at: VMs are removed seldom, and an index would have to be kept for every grant.
        let holders: Vec<Uuid> = state.identities().holding(&self.id).collect();
        for identity in &holders {
            changes.extend(revoked(state, *identity, &self.id)?);
        }
        let sealed =
            std::iter::once(&vm.gateway_key).chain(vm.previous.as_ref().map(|previous| &previous.key));
        let sealed = sealed.map(forgotten).collect();
        Ok(Decision { sealed, ..Decision::all(changes, holders.len() as u64) })
    }
}
