//! The kinds of change about VMs, SSH keys and who signs SSH certificates: 162 to 168.

use std::sync::Arc;

use uuid::Uuid;

use super::shared;
use crate::Micros;
use crate::codec::{CodecError, Reader, Writer};
use crate::ssh_ca::SshCa;
use crate::ssh_key::SshKeyForm;
use crate::ssh_public_key::PublicKey;
use crate::vm::{GatewayKey, VmForm};

/// One change. The doc of each kind gives its number.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields carry the names of the records that they make")]
pub enum SshChange {
    /// 162: the private half of the key is sealed. Who may log in is in grants.
    VmRegistered { vm: VmForm, key: GatewayKey },
    /// 163: all of it, as it is from now on; the gateway's key stays.
    VmChanged { vm: VmForm },
    /// 164: the key so far is still used until then.
    VmKeyRotated { id: Arc<str>, key: GatewayKey, until: Micros },
    /// 165: the grants on it are revoked beside it.
    VmRemoved { id: Arc<str> },
    /// 166
    KeyAdded { key: Box<SshKeyForm> },
    /// 167
    KeyRemoved { id: Uuid },
    /// 168: signs SSH certificates from now on, in place of the one before; the private half is sealed.
    CaMade { ca: SshCa },
}

impl SshChange {
    pub(super) fn kind(&self) -> u16 {
        match self {
            Self::VmRegistered { .. } => 162,
            Self::VmChanged { .. } => 163,
            Self::VmKeyRotated { .. } => 164,
            Self::VmRemoved { .. } => 165,
            Self::KeyAdded { .. } => 166,
            Self::KeyRemoved { .. } => 167,
            Self::CaMade { .. } => 168,
        }
    }

    pub(super) fn write(&self, w: &mut Writer) {
        match self {
            Self::VmRegistered { vm, key } => {
                write_vm(w, vm);
                write_gateway_key(w, key);
            }
            Self::VmChanged { vm } => write_vm(w, vm),
            Self::VmKeyRotated { id, key, until } => {
                w.text(id);
                write_gateway_key(w, key);
                w.i64(*until);
            }
            Self::VmRemoved { id } => w.text(id),
            Self::KeyAdded { key } => key.write(w, Writer::slot),
            Self::KeyRemoved { id } => w.uuid(*id),
            Self::CaMade { ca } => write_ssh_ca(w, ca),
        }
    }

    /// `None`: no kind of these.
    pub(super) fn decode(kind: u16, r: &mut Reader<'_>) -> Option<Result<Self, CodecError>> {
        (162..=168).contains(&kind).then(|| Self::read(kind, r))
    }

    fn read(kind: u16, r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(match kind {
            162 => Self::VmRegistered { vm: read_vm(r)?, key: read_gateway_key(r)? },
            163 => Self::VmChanged { vm: read_vm(r)? },
            164 => Self::VmKeyRotated { id: shared(r.text()?), key: read_gateway_key(r)?, until: r.i64()? },
            165 => Self::VmRemoved { id: shared(r.text()?) },
            166 => Self::KeyAdded { key: Box::new(SshKeyForm::read(r, Reader::slot)?) },
            167 => Self::KeyRemoved { id: r.uuid()? },
            _ => Self::CaMade { ca: read_ssh_ca(r)? },
        })
    }
}

pub(crate) fn write_vm(w: &mut Writer, vm: &VmForm) {
    w.text(&vm.id);
    w.text(&vm.address);
    w.bytes(vm.host_key.blob());
}

pub(crate) fn read_vm(r: &mut Reader<'_>) -> Result<VmForm, CodecError> {
    let (id, address) = (shared(r.text()?), shared(r.text()?));
    Ok(VmForm { id, address, host_key: PublicKey::stored(r.bytes()?) })
}

pub(crate) fn write_gateway_key(w: &mut Writer, key: &GatewayKey) {
    w.uuid(key.id);
    w.bytes(key.public.blob());
}

pub(crate) fn read_gateway_key(r: &mut Reader<'_>) -> Result<GatewayKey, CodecError> {
    Ok(GatewayKey { id: r.uuid()?, public: PublicKey::stored(r.bytes()?) })
}

pub(crate) fn write_ssh_ca(w: &mut Writer, ca: &SshCa) {
    w.uuid(ca.id);
    w.bytes(ca.public.blob());
}

pub(crate) fn read_ssh_ca(r: &mut Reader<'_>) -> Result<SshCa, CodecError> {
    Ok(SshCa { id: r.uuid()?, public: PublicKey::stored(r.bytes()?) })
}
