//! SSH: what a VM's own sshd calls, and what people need to get in.

mod authorized_keys;
mod ca;
mod certificate;
mod connection;
mod door;
mod key;
mod principals;

pub(crate) use authorized_keys::{AuthorizedKeysArgs, authorized_keys};
pub(crate) use ca::{CaArgs, ca};
pub(crate) use certificate::{CertificateArgs, certificate};
pub(crate) use key::{SshKeyCommand, run as key};
pub(crate) use principals::{PrincipalsArgs, principals};
