//! What changes about VMs, SSH keys and their authority do to a state.

use super::State;
use crate::change::{SshChange, Stamp};

impl State {
    pub(super) fn fold_ssh(&mut self, change: &SshChange, stamp: Stamp) -> Result<(), String> {
        match change {
            SshChange::VmRegistered { vm, key } => self.vms.register(vm, key, stamp),
            SshChange::VmChanged { vm } => self.vms.update(vm),
            SshChange::VmKeyRotated { id, key, until } => self.vms.rotate(id, key, *until),
            SshChange::VmRemoved { id } => self.vms.remove(id),
            SshChange::KeyAdded { key } => {
                if self.identities.get(key.identity).is_none() {
                    return Err(format!("there is no identity {}", key.identity));
                }
                self.ssh_keys.add(key, stamp)
            }
            SshChange::KeyRemoved { id } => self.ssh_keys.remove(*id),
            SshChange::CaMade { ca } => {
                self.ssh_ca = Some(ca.clone());
                Ok(())
            }
        }
    }
}
