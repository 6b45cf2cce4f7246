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
use super::{ALIVE, NAME, PACKET};
use crate::app::App;
use crate::ssh::pair;

/// How long it may take until the machine has let the gateway in.
const CONNECT: Duration = Duration::from_secs(10);

/// How often a machine is asked whether it is there before it counts as gone.
const ALIVE_MAX: usize = 3;

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

/// Where a machine is, how it is known, and as whom and by what one signs in there.
struct Way<'a> {
    address: &'a str,
    host_key: PublicKey,
    user: &'a str,
    keys: Vec<PrivateKey>,
}

/// A connection to a machine, signed in. When it is dropped the connection is cut.
pub(super) struct Machine {
    handle: Handle<Host>,
    _cut: CutOnDrop,
}

impl Machine {
    /// Connects and signs in, for somebody who was let in.
    pub(super) async fn reach(app: &App, access: &Access) -> Result<(Self, Channel<Msg>), Unreachable> {
        let reached = async {
            let form = &access.vm.form;
            let host_key = PublicKey::from_bytes(form.host_key.blob());
            Self::connect(Way {
                address: &form.address,
                host_key: host_key.map_err(|_| Unreachable::UnknownHostKey)?,
                user: &access.wanted.user,
                keys: keys(app, access).await?,
            })
            .await
        };
        timeout(CONNECT, reached).await.unwrap_or(Err(Unreachable::Away))
    }

    async fn connect(way: Way<'_>) -> Result<(Self, Channel<Msg>), Unreachable> {
        let stream = TcpStream::connect(way.address).await.map_err(|_| Unreachable::Away)?;
        // A key that is pressed is a packet of its own.
        let _kept = stream.set_nodelay(true);
        let cut = Cut::new();
        let line = Line::new(stream, cut.clone());
        let cut = CutOnDrop(cut);
        let other = Arc::new(AtomicBool::new(false));
        let config = Arc::new(config(&way.host_key));
        let host = Host { expected: way.host_key, other: other.clone() };
        let connected = client::connect_stream(config, line, host).await;
        let handle = connected.map_err(|error| match error {
            _ if other.load(Ordering::Relaxed) => Unreachable::OtherHostKey,
            // It has keys, but none of the registered one's kind.
            russh::Error::NoCommonAlgo { kind: russh::AlgorithmKind::Key, .. } => Unreachable::OtherHostKey,
            _ => Unreachable::Away,
        })?;
        let mut machine = Self { handle, _cut: cut };
        machine.sign_in(way.user, way.keys).await?;
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
    let seeds = pair::of_gateway(access.realm(), &access.vm, app.node.now()).await;
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use std::net::SocketAddr;

    use russh::server::{self, Auth, Server as _, VerifiedPublicKey};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    use super::*;

    /// A machine that lets anybody in, and opens towards them whatever there is to open.
    #[derive(Clone)]
    struct Intrusive {
        refused: mpsc::UnboundedSender<bool>,
    }

    impl server::Server for Intrusive {
        type Handler = Self;

        fn new_client(&mut self, _: Option<SocketAddr>) -> Self {
            self.clone()
        }
    }

    impl server::Handler for Intrusive {
        type Error = russh::Error;

        async fn auth_publickey(&mut self, _: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
            Ok(Auth::Accept)
        }

        async fn channel_open_session(
            &mut self,
            _: Channel<server::Msg>,
            reply: server::ChannelOpenHandle,
            session: &mut server::Session,
        ) -> Result<(), Self::Error> {
            reply.accept().await;
            let (refused, gateway) = (self.refused.clone(), session.handle());
            tokio::spawn(async move {
                let tries = [
                    gateway.channel_open_session().await,
                    gateway.channel_open_agent().await,
                    gateway.channel_open_x11("127.0.0.1", 6000).await,
                    gateway.channel_open_direct_tcpip("127.0.0.1", 22, "127.0.0.1", 1).await,
                    gateway.channel_open_forwarded_tcpip("127.0.0.1", 22, "127.0.0.1", 1).await,
                    gateway.channel_open_direct_streamlocal("/run/x").await,
                    gateway.channel_open_forwarded_streamlocal("/run/x").await,
                ];
                for tried in tries {
                    let _sent = refused.send(matches!(tried, Err(russh::Error::ChannelOpenFailure(_))));
                }
            });
            Ok(())
        }
    }

    /// Its address, its key, and what became of its tries.
    async fn intrusive(seed: u8) -> (String, PublicKey, mpsc::UnboundedReceiver<bool>) {
        let key = of_seed(&[seed; 32]);
        let public = key.public_key().clone();
        let (refused, tries) = mpsc::unbounded_channel();
        let config = server::Config { keys: vec![key], ..server::Config::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let _ended = Intrusive { refused }.run_on_socket(Arc::new(config), &listener).await;
        });
        (address, public, tries)
    }

    fn way(address: &str, host_key: PublicKey) -> Way<'_> {
        Way { address, host_key, user: "dev", keys: vec![of_seed(&[9; 32])] }
    }

    #[tokio::test]
    async fn a_machine_opens_nothing_towards_the_gateway() {
        let (address, key, mut tries) = intrusive(1).await;
        let (_machine, _channel) = Machine::connect(way(&address, key)).await.ok().unwrap();
        for number in 0..7 {
            assert!(tries.recv().await.unwrap(), "{number} was not refused");
        }
    }

    #[tokio::test]
    async fn another_key_is_another_machine() {
        let (address, _, _tries) = intrusive(1).await;
        let other = of_seed(&[2; 32]).public_key().clone();
        assert_eq!(Machine::connect(way(&address, other)).await.err(), Some(Unreachable::OtherHostKey));
        let ecdsa = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBKRDffBCUCycQPYWAL2GyS0YLODjeHH58QaexW38g/An7bb3ff++wf99NxGrOEj3J0aWTIWZzeC0OFy53KACKuU=";
        let ecdsa: PublicKey = ecdsa.parse().unwrap();
        assert_eq!(Machine::connect(way(&address, ecdsa)).await.err(), Some(Unreachable::OtherHostKey));
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
        let key = of_seed(&[1; 32]).public_key().clone();
        assert_eq!(Machine::connect(way(&nobody, key)).await.err(), Some(Unreachable::Away));
    }
}
