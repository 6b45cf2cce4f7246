//! The way to a machine: a connection of the gateway's own, with its key, to the host key that is registered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use russh::client::{self, AuthResult, ChannelOpenHandle, Handle, Msg, Session};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{Channel, Disconnect, SshId};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::access::Access;
use super::algorithms::preferred;
use super::host_key::of_seed;
use super::line::{Cut, CutOnDrop, Line};
use super::{ALIVE, ALIVE_MAX, NAME, PACKET};
use crate::app::App;
use crate::ssh_pair;

/// How long it may take until the machine has let the gateway in.
const CONNECT: Duration = Duration::from_secs(10);

/// How much a machine may send in advance, and in how many pieces at most it waits here for the client.
const WINDOW: u32 = 1 << 20;
const PIECES: usize = 16;

/// Why the way is closed. Told to somebody who was let in, and to nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreachable {
    #[error("it does not answer at its address")]
    Away,
    #[error("what answers at its address shows another host key than the registered one")]
    OtherHostKey,
    #[error(
        "it does not let the gateway in as this user; does its `authorized_keys` have the gateway's key?"
    )]
    NotLetIn,
    #[error("it opens no session")]
    NoSession,
    #[error("the gateway has lost its key to it; an operator makes another one with `grantd vm rotate`")]
    NoKey,
    #[error("its registered host key is of a kind that the gateway does not know: ed25519 and ecdsa are")]
    UnknownHostKey,
}

/// A connection to a machine, signed in. When it is dropped the connection is cut.
pub(super) struct Machine {
    handle: Handle<Host>,
    _cut: CutOnDrop,
}

impl Machine {
    /// Connects and signs in.
    pub(super) async fn reach(app: &App, access: &Access) -> Result<(Self, Channel<Msg>), Unreachable> {
        timeout(CONNECT, Self::connect(app, access)).await.unwrap_or(Err(Unreachable::Away))
    }

    async fn connect(app: &App, access: &Access) -> Result<(Self, Channel<Msg>), Unreachable> {
        let form = &access.vm.form;
        let expected =
            PublicKey::from_bytes(form.host_key.blob()).map_err(|_| Unreachable::UnknownHostKey)?;
        let keys = keys(app, access).await?;
        let stream = TcpStream::connect(&*form.address).await.map_err(|_| Unreachable::Away)?;
        // A key that is pressed is a packet of its own.
        let _kept = stream.set_nodelay(true);
        let cut = Cut::new();
        let line = Line::new(stream, cut.clone());
        let cut = CutOnDrop(cut);
        let other = Arc::new(AtomicBool::new(false));
        let host = Host { expected: expected.clone(), other: other.clone() };
        let connected = client::connect_stream(Arc::new(config(&expected)), line, host).await;
        let handle = connected.map_err(|error| match error {
            _ if other.load(Ordering::Relaxed) => Unreachable::OtherHostKey,
            // It has keys, but none of the registered one's kind.
            russh::Error::NoCommonAlgo { kind: russh::AlgorithmKind::Key, .. } => Unreachable::OtherHostKey,
            _ => Unreachable::Away,
        })?;
        let mut machine = Self { handle, _cut: cut };
        machine.sign_in(&access.wanted.user, keys).await?;
        let channel = machine.handle.channel_open_session().await.map_err(|_| Unreachable::NoSession)?;
        Ok((machine, channel))
    }

    async fn sign_in(&mut self, user: &str, keys: Vec<PrivateKey>) -> Result<(), Unreachable> {
        for key in keys {
            let key = PrivateKeyWithHashAlg::new(Arc::new(key), None);
            match self.handle.authenticate_publickey(user, key).await {
                Ok(AuthResult::Success) => return Ok(()),
                Ok(AuthResult::Failure { .. }) => {}
                Err(_) => return Err(Unreachable::NotLetIn),
            }
        }
        Err(Unreachable::NotLetIn)
    }

    /// Says that nothing more comes. The machine need not agree.
    pub(super) async fn leave(self) {
        let _sent = self.handle.disconnect(Disconnect::ByApplication, "", "").await;
        let _left = timeout(Duration::from_secs(1), self.handle).await;
    }
}

/// The gateway's keys for the machine: after it was given another one the one before goes for a while, too.
async fn keys(app: &App, access: &Access) -> Result<Vec<PrivateKey>, Unreachable> {
    let seeds = ssh_pair::of_gateway(access.realm(), &access.vm, app.node.now()).await;
    let keys: Vec<_> = seeds.unwrap_or_default().iter().map(|seed| of_seed(seed.bytes())).collect();
    if keys.is_empty() { Err(Unreachable::NoKey) } else { Ok(keys) }
}

fn config(host_key: &PublicKey) -> client::Config {
    client::Config {
        client_id: SshId::Standard(NAME.into()),
        window_size: WINDOW,
        maximum_packet_size: PACKET,
        channel_buffer_size: PIECES,
        preferred: preferred(host_key.algorithm()),
        keepalive_interval: Some(ALIVE),
        keepalive_max: ALIVE_MAX,
        ..client::Config::default()
    }
}

/// The other side. It must be the one that is expected, and opens nothing by itself.
pub(super) struct Host {
    expected: PublicKey,
    /// It showed another key.
    other: Arc<AtomicBool>,
}

/// What a machine could open towards its client. All of it is refused, by dropping the reply.
macro_rules! refuse {
    ($($name:ident($($argument:ident: $kind:ty),*);)*) => {$(
        async fn $name(
            &mut self,
            _channel: Channel<Msg>,
            $($argument: $kind,)*
            _refused: ChannelOpenHandle,
            _session: &mut Session,
        ) -> Result<(), Self::Error> {
            Ok(())
        }
    )*};
}

impl client::Handler for Host {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let same = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.key_data() == self.expected.key_data(),
            PublicKeyOrCertificate::Certificate(_) => false,
        };
        self.other.store(!same, Ordering::Relaxed);
        Ok(same)
    }

    refuse! {
        server_channel_open_session();
        server_channel_open_agent_forward();
        server_channel_open_forwarded_tcpip(_host: &str, _port: u32, _from: &str, _from_port: u32);
        server_channel_open_forwarded_streamlocal(_path: &str);
        server_channel_open_direct_tcpip(_host: &str, _port: u32, _from: &str, _from_port: u32);
        server_channel_open_direct_streamlocal(_path: &str);
        server_channel_open_x11(_from: &str, _from_port: u32);
    }
}
