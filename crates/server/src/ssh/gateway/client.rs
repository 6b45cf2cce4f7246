//! A client of the gateway: how it signs in, and what it may ask for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use grantd_node::realm::command::Secret;
use russh::keys::Certificate;
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Response, Session};
use russh::{Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet, Pty, Sig};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::CHANNELS;
use super::access::{Access, Refused};
use super::channel::{Said, Shared, ToClient, Wish, carry};
use super::inflow::{Flood, Inflow, Waits};
use super::line::Cut;
use super::user_name::{UserName, Wanted};
use crate::app::SharedApp;
use crate::edge::Source;
use crate::movement::Movement;
use crate::telemetry::{SignIn, SshMetrics};

/// How long a no takes, whatever it was for.
const NO: Duration = Duration::from_millis(500);

/// How long a machine may take to answer what is asked of it.
const ANSWER: Duration = Duration::from_secs(15);

/// The environment variables of one channel at most, and the bytes of one.
const VARIABLES: usize = 32;
const VARIABLE: usize = 256;

/// Why a connection is ended from this side.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error(transparent)]
    Ssh(#[from] russh::Error),
    /// Too many wrong credentials came from there.
    #[error("too many wrong credentials")]
    TooOften,
    /// It sends what it was not allowed to.
    #[error("more was sent than the windows allow")]
    Flood,
}

impl From<Flood> for Broken {
    fn from(_: Flood) -> Self {
        Self::Flood
    }
}

/// See the module.
pub(super) struct Client {
    pub(super) app: SharedApp,
    pub(super) source: Source,
    pub(super) metrics: SshMetrics,
    /// Hears once who was let in.
    pub(super) admitted: Option<oneshot::Sender<Arc<Access>>>,
    pub(super) access: Option<Arc<Access>>,
    pub(super) inflow: Arc<Inflow>,
    pub(super) movement: Arc<Movement>,
    pub(super) over: Cut,
    pub(super) channels: HashMap<ChannelId, Open>,
}

/// A channel that is open.
pub(super) struct Open {
    says: mpsc::UnboundedSender<(Said, Waits)>,
    variables: usize,
}

impl Client {
    /// Somebody who shows a secret.
    async fn sign_in(
        &mut self,
        wanted: Option<Wanted>,
        secret: Secret,
        else_by: MethodSet,
    ) -> Result<Auth, Broken> {
        let no = Instant::now() + NO;
        let refused = match Access::find(&self.app, wanted, &secret, self.source).await {
            Ok(access) => {
                self.metrics.signed_in(SignIn::LetIn);
                let access = Arc::new(access);
                self.access = Some(access.clone());
                if let Some(admitted) = self.admitted.take() {
                    let _heard = admitted.send(access).is_ok();
                }
                return Ok(Auth::Accept);
            }
            Err(refused) => refused,
        };
        tracing::debug!(source = ?self.source, ?refused, "ssh: not let in");
        self.metrics.signed_in(match refused {
            Refused::Unknown => SignIn::Refused,
            Refused::TooOften => SignIn::Limited,
            Refused::Away => SignIn::Away,
        });
        sleep_until(no).await;
        match refused {
            Refused::TooOften => Err(Broken::TooOften),
            Refused::Unknown | Refused::Away => Ok(reject(else_by)),
        }
    }

    /// Says something on a channel, if it is there.
    fn say(&self, channel: ChannelId, said: Said) -> Result<(), Flood> {
        if let Some(open) = self.channels.get(&channel) {
            let waits = self.inflow.came(said.weight())?;
            let _heard = open.says.send((said, waits)).is_ok();
        }
        Ok(())
    }

    /// Asks for something on a channel, and answers as the machine does.
    async fn ask(&self, channel: ChannelId, wish: Wish, session: &mut Session) -> Result<(), Broken> {
        let (answer, answered) = oneshot::channel();
        self.say(channel, Said::Asks(wish, answer))?;
        let yes = timeout(ANSWER, answered).await.is_ok_and(|answered| answered.unwrap_or(false));
        if yes {
            session.channel_success(channel)?;
        } else {
            session.channel_failure(channel)?;
        }
        Ok(())
    }
}

/// What is offered to somebody whose user name holds no token: just these, or clients try what is of no use.
fn by_token() -> MethodSet {
    MethodSet::from([MethodKind::Password, MethodKind::KeyboardInteractive].as_slice())
}

fn reject(else_by: MethodSet) -> Auth {
    Auth::Reject { proceed_with_methods: Some(else_by), partial_success: false }
}

impl Handler for Client {
    type Error = Broken;

    async fn auth_none(&mut self, user: &str) -> Result<Auth, Broken> {
        match UserName::read(user) {
            // Nobody is asked for another one.
            UserName { wanted, token: Some(token) } => self.sign_in(wanted, token, MethodSet::empty()).await,
            UserName { token: None, .. } => Ok(reject(by_token())),
        }
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Broken> {
        let name = UserName::read(user);
        let secret = name.token.unwrap_or_else(|| Secret(password.to_owned()));
        self.sign_in(name.wanted, secret, by_token()).await
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Broken> {
        let Some(mut response) = response else {
            let prompts = vec![("Token: ".into(), false)].into();
            return Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts });
        };
        let name = UserName::read(user);
        let shown = response.next().map(|shown| String::from_utf8_lossy(&shown).into_owned());
        let secret = name.token.unwrap_or_else(|| Secret(shown.unwrap_or_default()));
        self.sign_in(name.wanted, secret, by_token()).await
    }

    async fn auth_publickey_offered(&mut self, _: &str, _: PublicKeyOffer<'_>) -> Result<Auth, Broken> {
        Ok(reject(by_token()))
    }

    async fn auth_openssh_certificate(&mut self, _: &str, _: &Certificate) -> Result<Auth, Broken> {
        Ok(reject(by_token()))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        open: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), Broken> {
        self.channels.retain(|_, open| !open.says.is_closed());
        let Some(access) = self.access.clone().filter(|_| self.channels.len() < CHANNELS) else {
            open.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        };
        let id = channel.id();
        // What comes is told to us directly: a receiver that is not emptied in time would stop the whole connection.
        let (_, writes) = channel.split();
        let (says, said) = mpsc::unbounded_channel();
        self.channels.insert(id, Open { says, variables: 0 });
        let shared = Shared {
            app: self.app.clone(),
            access,
            movement: self.movement.clone(),
            over: self.over.clone(),
        };
        tokio::spawn(carry(shared, ToClient { handle: session.handle(), writes }, open, said));
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _: &mut Session) -> Result<(), Broken> {
        self.channels.remove(&channel);
        Ok(())
    }

    async fn channel_eof(&mut self, channel: ChannelId, _: &mut Session) -> Result<(), Broken> {
        self.say(channel, Said::Eof)?;
        Ok(())
    }

    async fn data(&mut self, channel: ChannelId, data: &[u8], _: &mut Session) -> Result<(), Broken> {
        self.say(channel, Said::Data(Bytes::copy_from_slice(data)))?;
        self.movement.note();
        if let Some(pause) = self.inflow.pause(data.len()) {
            sleep(pause).await;
        }
        Ok(())
    }

    fn adjust_window(&mut self, _: ChannelId, _: u32) -> u32 {
        self.inflow.window()
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        term: &str,
        columns: u32,
        rows: u32,
        width: u32,
        height: u32,
        modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Broken> {
        let (kind, modes) = (term.to_owned(), modes.to_vec());
        self.ask(channel, Wish::Terminal { kind, columns, rows, width, height, modes }, session).await
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Broken> {
        self.ask(channel, Wish::Shell, session).await
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Broken> {
        self.ask(channel, Wish::Command(command.to_vec()), session).await
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Broken> {
        self.ask(channel, Wish::Subsystem(name.to_owned()), session).await
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        value: &str,
        session: &mut Session,
    ) -> Result<(), Broken> {
        let passes = is_of_language(name) && name.len() + value.len() <= VARIABLE;
        match self.channels.get_mut(&channel) {
            Some(open) if passes && open.variables < VARIABLES => {
                open.variables += 1;
                self.say(channel, Said::Variable(name.to_owned(), value.to_owned()))?;
                session.channel_success(channel)?;
            }
            _ => session.channel_failure(channel)?,
        }
        Ok(())
    }

    async fn window_change_request(
        &mut self,
        channel: ChannelId,
        columns: u32,
        rows: u32,
        width: u32,
        height: u32,
        _: &mut Session,
    ) -> Result<(), Broken> {
        self.say(channel, Said::Window { columns, rows, width, height })?;
        Ok(())
    }

    async fn signal(&mut self, channel: ChannelId, signal: Sig, _: &mut Session) -> Result<(), Broken> {
        self.say(channel, Said::Signal(signal))?;
        Ok(())
    }

    async fn x11_request(
        &mut self,
        channel: ChannelId,
        _: bool,
        _: &str,
        _: &str,
        _: u32,
        session: &mut Session,
    ) -> Result<(), Broken> {
        session.channel_failure(channel)?;
        Ok(())
    }
}

/// `LANG`, and `LC_*` (what Debian's sshd takes, too).
fn is_of_language(name: &str) -> bool {
    let is_plain = |rest: &str| rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    name == "LANG" || name.strip_prefix("LC_").is_some_and(is_plain)
}

#[cfg(test)]
mod tests {
    use super::is_of_language;

    #[test]
    fn which_variables_pass() {
        for name in ["LANG", "LC_ALL", "LC_CTYPE", "LC_"] {
            assert!(is_of_language(name), "{name}");
        }
        for name in ["", "LANGUAGE", "LD_PRELOAD", "PATH", "lc_all", "LC_A=B", "LC ALL", "XLC_ALL"] {
            assert!(!is_of_language(name), "{name}");
        }
    }
}
