//! One session of a client: a shell, a command or a subsystem, on a connection to the machine that is for it alone.
//!
//! So sessions do not make each other wait, and what a client does not take is not asked of the machine: each piece waits for the
//! window that the client gives.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use russh::server::{ChannelOpenHandle, Handle, Msg};
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Pty, Sig, client};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::access::Access;
use super::inflow::Waits;
use super::line::Cut;
use super::machine::{Machine, Unreachable};
use crate::app::SharedApp;
use crate::movement::Movement;

/// A command that was not found ends with 127, one that could not be reached with what OpenSSH itself says then.
const NOT_REACHED: u32 = 255;

/// The number of standard error among the kinds of extended data (RFC 4254 section 5.2).
const STDERR: u32 = 1;

/// How long who is told that a machine cannot be reached may take to ask for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a client says on a channel, in its order, and that it waits.
pub(super) type Says = mpsc::UnboundedReceiver<(Said, Waits)>;

/// See [`Says`].
pub(super) enum Said {
    Data(Bytes),
    Eof,
    Asks(Wish, oneshot::Sender<bool>),
    /// An environment variable; which ones, was looked at before.
    Variable(String, String),
    Window {
        columns: u32,
        rows: u32,
        width: u32,
        height: u32,
    },
    Signal(Sig),
}

impl Said {
    /// What it takes while it waits, about.
    pub(super) fn weight(&self) -> usize {
        const LEAST: usize = 64;
        LEAST
            + match self {
                Self::Data(data) => data.len(),
                Self::Asks(Wish::Command(command), _) => command.len(),
                Self::Asks(Wish::Terminal { kind, modes, .. }, _) => kind.len() + 8 * modes.len(),
                Self::Asks(Wish::Subsystem(name), _) => name.len(),
                Self::Variable(name, value) => name.len() + value.len(),
                Self::Asks(Wish::Shell, _) | Self::Eof | Self::Window { .. } | Self::Signal(_) => 0,
            }
    }
}

/// What is answered with yes or no.
pub(super) enum Wish {
    Terminal { kind: String, columns: u32, rows: u32, width: u32, height: u32, modes: Vec<(Pty, u32)> },
    Shell,
    Command(Vec<u8>),
    Subsystem(String),
}

/// A channel's side of the client.
pub(super) struct ToClient {
    pub(super) handle: Handle,
    pub(super) writes: ChannelWriteHalf<Msg>,
}

/// What all channels of a connection have in common.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) app: SharedApp,
    pub(super) access: Arc<Access>,
    pub(super) movement: Arc<Movement>,
    /// The connection is over, or cut.
    pub(super) over: Cut,
}

/// Carries a session from its opening to its end.
pub(super) async fn carry(shared: Shared, client: ToClient, open: ChannelOpenHandle, mut said: Says) {
    let over = shared.over.wait();
    let session = async {
        let reached = Machine::reach(&shared.app, &shared.access).await;
        open.accept().await;
        let machine = match reached {
            Ok((machine, there)) => {
                through(&shared, &client, there, &mut said).await;
                Some(machine)
            }
            Err(why) => {
                let _told = timeout(PATIENCE, tell(&shared, &client, &mut said, why)).await;
                None
            }
        };
        // From now on it is none of those that may be open.
        said.close();
        let _gone = client.handle.close(client.writes.id()).await;
        if let Some(machine) = machine {
            machine.leave().await;
        }
    };
    tokio::select! {
        biased;
        // What is dropped then cuts the way to the machine.
        () = over => {}
        () = session => {}
    }
}

/// Both directions, until the machine closes the session or the client does.
async fn through(shared: &Shared, client: &ToClient, there: Channel<client::Msg>, said: &mut Says) {
    let (reads, writes) = there.split();
    let (asked, answers) = mpsc::unbounded_channel();
    let end = tokio::select! {
        () = forth(shared, &writes, said, asked) => End::Closed,
        end = back(shared, client, reads, answers) => end,
    };
    match end {
        End::Closed => {
            let _sent = writes.close().await;
        }
        End::Lost => {
            let text = format!("grantd: the connection to `{}` was lost\r\n", shared.access.wanted.vm);
            let _told = timeout(PATIENCE, complain(client, text)).await;
        }
    }
}

/// How a session ended.
enum End {
    /// As sessions do.
    Closed,
    /// The machine went away in the middle.
    Lost,
}

/// From the client to the machine, until the client closes the channel.
async fn forth(
    shared: &Shared,
    there: &ChannelWriteHalf<client::Msg>,
    said: &mut Says,
    asked: mpsc::UnboundedSender<oneshot::Sender<bool>>,
) {
    while let Some((said, _waits)) = said.recv().await {
        let sent = match said {
            Said::Data(data) => {
                let sent = there.data_bytes(data).await;
                shared.movement.note();
                sent
            }
            Said::Eof => there.eof().await,
            Said::Asks(wish, answer) => {
                // The answer is awaited before it can come.
                let _awaited = asked.send(answer).is_ok();
                wish_for(there, wish).await
            }
            Said::Variable(name, value) => there.set_env(false, name, value).await,
            Said::Window { columns, rows, width, height } => {
                there.window_change(columns, rows, width, height).await
            }
            Said::Signal(signal) => there.signal(signal).await,
        };
        if sent.is_err() {
            // The machine is gone; who reads from it will see it.
            return std::future::pending().await;
        }
    }
}

async fn wish_for(there: &ChannelWriteHalf<client::Msg>, wish: Wish) -> Result<(), russh::Error> {
    match wish {
        Wish::Terminal { kind, columns, rows, width, height, modes } => {
            there.request_pty(true, &kind, columns, rows, width, height, &modes).await
        }
        Wish::Shell => there.request_shell(true).await,
        Wish::Command(command) => there.exec(true, command).await,
        Wish::Subsystem(name) => there.request_subsystem(true, name).await,
    }
}

/// From the machine to the client.
async fn back(
    shared: &Shared,
    client: &ToClient,
    mut there: ChannelReadHalf,
    mut answers: mpsc::UnboundedReceiver<oneshot::Sender<bool>>,
) -> End {
    let (handle, id) = (&client.handle, client.writes.id());
    let mut has_ended = false;
    while let Some(message) = there.wait().await {
        match message {
            ChannelMsg::Data { data } => {
                if client.writes.data_bytes(data).await.is_err() {
                    return End::Closed;
                }
                shared.movement.note();
            }
            ChannelMsg::ExtendedData { data, ext } => {
                if client.writes.extended_data_bytes(ext, data).await.is_err() {
                    return End::Closed;
                }
                shared.movement.note();
            }
            ChannelMsg::Success => answer(&mut answers, true),
            ChannelMsg::Failure => answer(&mut answers, false),
            ChannelMsg::Eof => {
                let _sent = handle.eof(id).await;
            }
            ChannelMsg::ExitStatus { exit_status } => {
                has_ended = true;
                let _sent = handle.exit_status_request(id, exit_status).await;
            }
            ChannelMsg::ExitSignal { signal_name, core_dumped, error_message, lang_tag } => {
                has_ended = true;
                let text = error_message;
                let _sent = handle.exit_signal_request(id, signal_name, core_dumped, text, lang_tag).await;
            }
            ChannelMsg::XonXoff { client_can_do } => {
                let _sent = handle.xon_xoff_request(id, client_can_do).await;
            }
            ChannelMsg::Close => return End::Closed,
            _ => {}
        }
    }
    if has_ended { End::Closed } else { End::Lost }
}

fn answer(answers: &mut mpsc::UnboundedReceiver<oneshot::Sender<bool>>, yes: bool) {
    if let Ok(waits) = answers.try_recv() {
        let _heard = waits.send(yes).is_ok();
    }
}

/// Tells somebody who was let in why it goes no further: on standard error of whatever they ask for.
async fn tell(shared: &Shared, client: &ToClient, said: &mut Says, why: Unreachable) {
    let access = &shared.access;
    tracing::warn!(vm = access.wanted.vm, realm = access.wanted.realm, %why, "a machine cannot be reached");
    while let Some((said, _waits)) = said.recv().await {
        let Said::Asks(wish, answer) = said else { continue };
        let _heard = answer.send(true).is_ok();
        if !matches!(wish, Wish::Terminal { .. }) {
            let text = format!("grantd: `{}` cannot be reached: {why}\r\n", access.wanted.vm);
            return complain(client, text).await;
        }
    }
}

async fn complain(client: &ToClient, text: String) {
    let id = client.writes.id();
    let _sent = client.writes.extended_data_bytes(STDERR, text).await;
    let _sent = client.handle.exit_status_request(id, NOT_REACHED).await;
    let _sent = client.handle.eof(id).await;
}
