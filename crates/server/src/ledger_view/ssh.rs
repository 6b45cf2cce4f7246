//! Changes about VMs, SSH keys and who signs SSH certificates.

use grantd_node::realm::change::SshChange;
use grantd_node::realm::vm::VmForm;
use serde_json::{Value, json};

use super::text;
use crate::time::rfc3339;

pub(super) fn as_json(change: &SshChange) -> Value {
    match change {
        SshChange::VmRegistered { vm, key } => {
            vm_as_json("vm_registered", vm, Some(&key.public.fingerprint()))
        }
        SshChange::VmChanged { vm } => vm_as_json("vm_changed", vm, None),
        SshChange::VmKeyRotated { id, key, until } => json!({
            "kind": "vm_key_rotated", "id": &**id, "gateway_key": key.public.fingerprint(),
            "previous_until": rfc3339(*until),
        }),
        SshChange::VmRemoved { id } => json!({ "kind": "vm_removed", "id": &**id }),
        SshChange::KeyAdded { key } => json!({
            "kind": "ssh_key_added", "id": key.id, "number": key.number, "identity": key.identity,
            "fingerprint": key.key.fingerprint(), "name": text(key.name.as_ref()),
        }),
        SshChange::KeyRemoved { id } => json!({ "kind": "ssh_key_removed", "id": id }),
        SshChange::CaMade { ca } => {
            json!({ "kind": "ssh_ca_made", "id": ca.id, "fingerprint": ca.public.fingerprint() })
        }
    }
}

fn vm_as_json(kind: &str, vm: &VmForm, gateway_key: Option<&str>) -> Value {
    let mut said = json!({
        "kind": kind, "id": &*vm.id, "address": &*vm.address, "host_key": vm.host_key.fingerprint(),
    });
    if let (Some(said), Some(key)) = (said.as_object_mut(), gateway_key) {
        said.insert("gateway_key".into(), json!(key));
    }
    said
}
