//! VMs, SSH keys and their authority as bytes.

use crate::State;
use crate::change::{
    read_gateway_key, read_ssh_ca, read_vm, unknown, write_gateway_key, write_ssh_ca, write_vm,
};
use crate::codec::{CodecError, Reader, Writer};
use crate::ssh_key::{SshKey, SshKeyForm};
use crate::vm::{PreviousKey, Vm};

use super::write_list;

impl State {
    /// Whether there is anything of it, or ever were keys.
    pub(super) fn has_ssh(&self) -> bool {
        !self.vms.is_empty() || self.ssh_keys.next_number > 0 || self.ssh_ca.is_some()
    }

    pub(super) fn write_ssh(&self, w: &mut Writer) {
        write_list(w, self.vms.len(), self.vms.iter(), |w, vm| {
            write_vm(w, &vm.form);
            write_gateway_key(w, &vm.gateway_key);
            w.option(vm.previous.as_ref(), |w, previous| {
                write_gateway_key(w, &previous.key);
                w.i64(previous.until);
            });
            w.i64(vm.created_at);
        });
        w.u64(self.ssh_keys.next_number);
        write_list(w, self.ssh_keys.len(), self.ssh_keys.iter_after(None), |w, key| {
            key.form.write(w, Writer::personal);
            w.i64(key.created_at);
        });
        w.option(self.ssh_ca.as_ref(), write_ssh_ca);
    }

    pub(super) fn read_ssh(&mut self, r: &mut Reader<'_>) -> Result<(), CodecError> {
        for _ in 0..r.u64()? {
            let vm = Vm {
                form: read_vm(r)?,
                gateway_key: read_gateway_key(r)?,
                previous: r.option(|r| Ok(PreviousKey { key: read_gateway_key(r)?, until: r.i64()? }))?,
                created_at: r.i64()?,
            };
            self.vms.insert(vm).map_err(unknown("a VM"))?;
        }
        let next_number = r.u64()?;
        for _ in 0..r.u64()? {
            let form = SshKeyForm::read(r, Reader::personal)?;
            self.ssh_keys.insert(SshKey { form, created_at: r.i64()? }).map_err(unknown("an SSH key"))?;
        }
        self.ssh_keys.next_number = next_number;
        self.ssh_ca = r.option(read_ssh_ca)?;
        Ok(())
    }
}
