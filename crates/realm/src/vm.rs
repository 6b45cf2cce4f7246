//! VMs: machines behind the SSH gateway.
//!
//! Who may log in is in grants, which need no VM of that id to be registered: see [`crate::vm_grant`]. The record says how the gateway
//! reaches the machine, by which host key it knows it, and by which key of its own it signs in there.

mod commands;

pub use commands::{KeyPair, KeyRotated, PutVm, RemoveVm, RotateVmKey};

use std::net::Ipv6Addr;
use std::sync::Arc;

use imbl::OrdMap;
use uuid::Uuid;

use crate::Micros;
use crate::change::Stamp;
use crate::refusal::Refusal;
use crate::ssh_public_key::PublicKey;

/// How long the gateway still signs in with the key before, after another one took its place: 24 hours.
pub const OVERLAP: Micros = 24 * 3_600 * 1_000_000;

/// The port of a VM whose address names none.
const PORT: u16 = 22;

/// The name of the sealed secret that holds the private half of a gateway key: 32 bytes in Base64, from which an Ed25519 pair follows.
pub fn gateway_secret(key: Uuid) -> String {
    format!("vm-gateway/{key}")
}

/// A key by which the gateway signs in to one VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayKey {
    /// Names its private half: see [`gateway_secret`]. Never used again, whatever happens to the VM.
    pub id: Uuid,
    /// What the VM is to trust.
    pub public: PublicKey,
}

/// A key that signs in beside the one in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousKey {
    /// Which.
    pub key: GatewayKey,
    /// From then on it is not used any more.
    pub until: Micros,
}

/// How a machine is reached, and known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmForm {
    /// Its id, the same text that grants use.
    pub id: Arc<str>,
    /// `host:port`; an IPv6 address stands in brackets.
    pub address: Arc<str>,
    /// What it must show to the gateway.
    pub host_key: PublicKey,
}

/// A VM.
#[derive(Debug, Clone)]
pub struct Vm {
    /// How it is reached, and known.
    pub form: VmForm,
    /// By which key the gateway signs in there.
    pub gateway_key: GatewayKey,
    /// The one before, for a while.
    pub previous: Option<PreviousKey>,
    /// When it was registered.
    pub created_at: Micros,
}

impl Vm {
    /// The keys to sign in with at a time, newest first.
    pub fn gateway_keys(&self, now: Micros) -> impl Iterator<Item = &GatewayKey> {
        let previous = self.previous.as_ref().filter(move |previous| now < previous.until);
        std::iter::once(&self.gateway_key).chain(previous.map(|previous| &previous.key))
    }
}

/// The VMs of a realm, by id.
#[derive(Clone, Default)]
pub struct Vms {
    by_id: OrdMap<Arc<str>, Arc<Vm>>,
}

impl Vms {
    /// One of them.
    pub fn get(&self, id: &str) -> Option<&Arc<Vm>> {
        self.by_id.get(id)
    }

    /// All, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Vm>> {
        self.by_id.values()
    }

    /// Those behind this one, in the order of their ids.
    pub fn iter_after<'a>(&'a self, id: Option<&str>) -> impl Iterator<Item = &'a Arc<Vm>> + use<'a> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from: (_, std::ops::Bound<Arc<str>>) =
            (id.map_or(Unbounded, |id| Excluded(Arc::from(id))), Unbounded);
        self.by_id.range(from).map(|(_, vm)| vm)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(crate) fn register(&mut self, form: &VmForm, key: &GatewayKey, stamp: Stamp) -> Result<(), String> {
        let (form, gateway_key) = (form.clone(), key.clone());
        self.insert(Vm { form, gateway_key, previous: None, created_at: stamp.time })
    }

    pub(crate) fn insert(&mut self, vm: Vm) -> Result<(), String> {
        let id = vm.form.id.clone();
        match self.by_id.insert(id.clone(), Arc::new(vm)) {
            None => Ok(()),
            Some(_) => Err(format!("VM `{id}` exists already")),
        }
    }

    fn change(&mut self, id: &str, change: impl FnOnce(&mut Vm)) -> Result<(), String> {
        let vm = self.by_id.get_mut(id).ok_or_else(|| format!("there is no VM `{id}`"))?;
        change(Arc::make_mut(vm));
        Ok(())
    }

    pub(crate) fn update(&mut self, form: &VmForm) -> Result<(), String> {
        self.change(&form.id, |vm| vm.form = form.clone())
    }

    pub(crate) fn rotate(&mut self, id: &str, key: &GatewayKey, until: Micros) -> Result<(), String> {
        self.change(id, |vm| {
            let key = std::mem::replace(&mut vm.gateway_key, key.clone());
            vm.previous = Some(PreviousKey { key, until });
        })
    }

    pub(crate) fn remove(&mut self, id: &str) -> Result<(), String> {
        self.by_id.remove(id).map(drop).ok_or_else(|| format!("there is no VM `{id}`"))
    }
}

/// An address in its one form: `host:port`, in lower case, with the port 22 if none is named.
fn read_address(text: &str) -> Result<String, Refusal> {
    let parsed = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').and_then(|(address, rest)| {
            let address: Ipv6Addr = address.parse().ok()?;
            Some(format!("[{address}]:{}", port(rest)?))
        }),
        None => {
            let (host, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
            is_host(host).then(|| port(rest)).flatten().map(|port| format!("{host}:{port}"))
        }
    };
    let problem =
        "must be a host and a port, such as `10.0.0.7:22`, `build-1.example:22` or `[2001:db8::7]:22`";
    parsed.map(|address| address.to_ascii_lowercase()).ok_or_else(|| Refusal::invalid("address", problem))
}

/// Of what follows the host: nothing, or `:` and a number.
fn port(rest: &str) -> Option<u16> {
    if rest.is_empty() {
        return Some(PORT);
    }
    let digits = rest.strip_prefix(':').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    digits.parse().ok().filter(|port| *port > 0)
}

/// A name or an IPv4 address.
fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    host.len() <= 253 && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::read_address;

    #[test]
    fn an_address_has_one_form() {
        for (given, read) in [
            ("10.0.0.7", "10.0.0.7:22"),
            ("10.0.0.7:2222", "10.0.0.7:2222"),
            ("Build-1.Example:22", "build-1.example:22"),
            ("[2001:DB8::7]", "[2001:db8::7]:22"),
            ("[2001:db8:0:0::7]:65535", "[2001:db8::7]:65535"),
            ("vm_1", "vm_1:22"),
        ] {
            assert_eq!(read_address(given).unwrap(), read);
        }
    }

    #[test]
    fn what_nobody_can_dial_is_refused() {
        for given in [
            "",
            ":22",
            "host:",
            "host:0",
            "host:65536",
            "host:+22",
            "host:22:22",
            "2001:db8::7",
            "[2001:db8::7",
            "[2001:db8::7]22",
            "[host]:22",
            "a..b",
            "-a",
            "a b",
            "user@host",
            "host/x",
            "host:22\n",
        ] {
            assert!(read_address(given).is_err(), "{given}");
        }
        assert!(read_address(&"a.".repeat(127)).is_err());
    }
}
