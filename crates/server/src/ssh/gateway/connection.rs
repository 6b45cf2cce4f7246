//! One connection of a client, from its first byte to its end.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use russh::Disconnect;
use russh::server::{Handle, run_stream};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::client::Client;
use super::inflow::Inflow;
use super::line::{Cut, CutOnDrop, Line};
use super::{Gateway, Running};
use crate::edge::Source;
use crate::movement::Movement;
use crate::telemetry::SessionEnd;

/// After the word that a connection ends, how long until it is cut: so long does its client have to show it.
const FAREWELL: Duration = Duration::from_millis(250);

/// At the server's stop, how long sessions may still come to their own end.
const GRACE: Duration = Duration::from_secs(10);

/// Serves it to its end.
pub(super) async fn serve(gateway: Gateway, running: Running, stream: TcpStream, addr: SocketAddr) {
    let source = Source::of(addr.ip());
    let metrics = &running.metrics;
    let Some(_place) = gateway.0.places.take(source) else {
        metrics.over_limit();
        return;
    };
    let _open = metrics.open();
    // A key that is pressed, and its echo, are a packet each.
    let _kept = stream.set_nodelay(true);
    let (line, over) = (Cut::new(), Cut::new());
    // Whatever ends this function ends both: the client's line, and the ways to its machine.
    let _ends = (CutOnDrop(line.clone()), CutOnDrop(over.clone()));
    let (admitted, mut admission) = oneshot::channel();
    let movement = Arc::new(Movement::new());
    let client = Client {
        app: running.app.clone(),
        source,
        metrics: metrics.clone(),
        admitted: Some(admitted),
        access: None,
        inflow: Arc::new(Inflow::default()),
        movement: movement.clone(),
        over: over.clone(),
        channels: HashMap::new(),
    };
    let signing_in = async {
        let session =
            run_stream(gateway.0.config.clone(), Line::new(stream, line.clone()), client).await.ok()?;
        let handle = session.handle();
        let mut session = Box::pin(session);
        tokio::select! {
            biased;
            access = &mut admission => Some((access.ok()?, handle, session)),
            _ = &mut session => None,
        }
    };
    let settings = &gateway.0.settings;
    let signed_in = tokio::select! {
        // Who is not in yet need not come in.
        () = running.drain.wait() => return,
        signed_in = timeout(settings.sign_in, signing_in) => signed_in,
    };
    let Ok(Some((access, handle, session))) = signed_in else { return };
    let (vm, user, caller) = (&access.wanted.vm, &access.wanted.user, &access.caller);
    tracing::info!(realm = access.wanted.realm, vm, user, caller, client = %addr.ip(), "ssh: signed in");
    let end = tokio::select! {
        biased;
        () = access.ended(&running.app) => SessionEnd::Cut,
        () = idle(&movement, settings.idle) => SessionEnd::Idle,
        () = stopped(&running) => SessionEnd::Stopped,
        _ = session => SessionEnd::Done,
    };
    // Nothing more passes.
    over.cut();
    if end != SessionEnd::Done {
        say_farewell(&handle, end).await;
    }
    metrics.ended(end);
    tracing::info!(realm = access.wanted.realm, vm, user, caller, client = %addr.ip(), ?end, "ssh: ended");
}

async fn idle(movement: &Movement, idle: Option<Duration>) {
    match idle {
        Some(idle) => movement.stops_for(idle).await,
        None => std::future::pending().await,
    }
}

async fn stopped(running: &Running) {
    running.drain.wait().await;
    sleep(GRACE).await;
}

/// Tells the client why; who does not read has it cut all the same.
async fn say_farewell(handle: &Handle, end: SessionEnd) {
    let text = match end {
        SessionEnd::Done => return,
        SessionEnd::Cut => "grantd: your access to this machine has ended",
        SessionEnd::Idle => "grantd: nothing has moved for long",
        SessionEnd::Stopped => "grantd: the gateway is stopping",
    };
    let _said = timeout(FAREWELL, async {
        let sent = handle.disconnect(Disconnect::ByApplication, text.to_owned(), String::new()).await;
        if sent.is_ok() {
            sleep(FAREWELL).await;
        }
    })
    .await;
}
