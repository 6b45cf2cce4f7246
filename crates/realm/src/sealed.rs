//! Which sealed secrets a state speaks of.

use std::collections::BTreeSet;

use crate::State;
use crate::client_ca::key_secret;
use crate::ssh_ca::ca_secret;
use crate::user::password_secret;
use crate::vm::gateway_secret;
use crate::webhook::signing_secret;

/// Name and version of every sealed secret that belongs to this state. One of another version was made later, or before.
pub fn sealed_secrets(state: &State) -> BTreeSet<(String, u32)> {
    let passwords =
        state.users().iter_after(None).filter_map(|user| Some((password_secret(user.uuid), user.password?)));
    let authority = state.client_ca().map(|ca| (key_secret(ca.version), 1));
    let signing = state.webhooks().iter_after(0).flat_map(|webhook| {
        let versions = [Some(webhook.secret), webhook.previous.map(|previous| previous.version)];
        versions.into_iter().flatten().map(|version| (signing_secret(webhook.id, version), version))
    });
    let gateway = state.vms().iter().flat_map(|vm| {
        let previous = vm.previous.as_ref().map(|previous| &previous.key);
        std::iter::once(&vm.gateway_key).chain(previous).map(|key| (gateway_secret(key.id), 1))
    });
    let ssh_ca = state.ssh_ca().map(|ca| (ca_secret(ca.id), 1));
    passwords.chain(authority).chain(signing).chain(gateway).chain(ssh_ca).collect()
}
