//! Real sockets, short patience.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a failed test panics")]

use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::Extension;
use axum::routing::{get, post};
use http::Request;
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::ServerName;
use rustls_pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::edge::layers::{LayerSettings, stack, stack_part};
use crate::edge::tls::{Tls, self_signed_paths};
use crate::edge::{EdgeError, Peer, read_bytes};

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(20);

/// Nothing is cut unless the test says so.
fn patient() -> EdgeSettings {
    EdgeSettings {
        first_byte: LONG,
        tls_handshake: LONG,
        header_read: LONG,
        keep_alive: LONG,
        write_stall: LONG,
        drain_deadline: LONG,
        drain_idle_grace: Duration::from_millis(50),
        over_limit_wait: Duration::from_millis(50),
        ..EdgeSettings::default()
    }
}

struct Running {
    addr: SocketAddr,
    metrics: Arc<Metrics>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<usize>,
}

impl Running {
    async fn start(settings: EdgeSettings, tls: Option<Tls>) -> Self {
        let metrics = Metrics::new();
        let listen = Listen { addr: ([127, 0, 0, 1], 0).into(), tag: "main".into(), tls };
        let server = Server::bind(vec![listen], settings).await.unwrap().metrics(Arc::clone(&metrics));
        let addr = server.local_addrs()[0];
        let (stop, stopped) = oneshot::channel();
        let app = app(&metrics, server.drain());
        let served = tokio::spawn(server.serve(app, async move {
            let _dropped = stopped.await.is_err();
        }));
        Self { addr, metrics, stop, served }
    }

    async fn connect(&self) -> Wire {
        Wire(TcpStream::connect(self.addr).await.unwrap())
    }

    async fn stop(self) -> usize {
        self.stop.send(()).unwrap();
        timeout(LONG, self.served).await.unwrap().unwrap()
    }
}

fn app(metrics: &Arc<Metrics>, drain: Drain) -> Router {
    let hear = move || async move {
        drain.wait().await;
        "drained"
    };
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        "slow"
    };
    let big = || async { vec![b'x'; 64 << 20] };
    let count = |body: Body| async { Ok::<_, EdgeError>(read_bytes(body).await?.len().to_string()) };
    let peer = |Extension(peer): Extension<Peer>| async move {
        format!("{} {} {}", peer.addr.ip(), peer.listener, peer.tls)
    };
    let router = Router::new()
        .route("/fine", get(|| async { "fine" }))
        .route("/slow", get(slow))
        .route("/hear", get(hear))
        .route("/big", get(big))
        .route("/never", get(std::future::pending::<()>))
        .route("/peer", get(peer))
        .route("/count", post(count));
    let mut settings = LayerSettings::new("test").body_limit(1_000);
    settings.timeout = Some(Duration::from_secs(1));
    let unlimited = Router::new().route("/forever", get(std::future::pending::<()>));
    let unlimited = stack_part(unlimited, settings.clone().streaming(), Arc::clone(metrics));
    stack(router, settings, Arc::clone(metrics)).merge(unlimited)
}

/// A client that writes what it is told.
struct Wire(TcpStream);

impl Wire {
    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Whatever comes until the server closes; a reset counts as a close.
    async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = timeout(LONG / 2, self.0.read_to_end(&mut bytes)).await;
        assert!(read.is_ok(), "the server holds the connection after {:?}", String::from_utf8_lossy(&bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// One answer that ends with this text.
    async fn until(&mut self, end: &str) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(end.as_bytes()) {
            let byte = timeout(LONG / 2, self.0.read_u8()).await.unwrap();
            bytes.push(
                byte.unwrap_or_else(|error| panic!("{error} after {}", String::from_utf8_lossy(&bytes))),
            );
        }
        String::from_utf8(bytes).unwrap()
    }
}

const FINE: &str = "GET /fine HTTP/1.1\r\nhost: x\r\n\r\n";

/// Asserts that a connection is closed, and only after about this long.
async fn closes_after(wire: &mut Wire, limit: Duration) {
    let begun = Instant::now();
    assert_eq!(wire.rest().await, "");
    let took = begun.elapsed();
    assert!(took > limit / 2 && took < limit + LONG / 4, "{took:?}");
}

#[tokio::test]
async fn a_client_that_sends_nothing_is_cut() {
    let server = Running::start(EdgeSettings { first_byte: SHORT, ..patient() }, None).await;
    closes_after(&mut server.connect().await, SHORT).await;
    assert!(server.metrics.render().contains(r#"connections_refused_total{reason="Slow"} 1"#));
}

#[tokio::test]
async fn a_slow_head_is_cut_however_it_trickles() {
    let server = Running::start(EdgeSettings { header_read: SHORT, ..patient() }, None).await;
    for before in ["", FINE] {
        let mut wire = server.connect().await;
        if !before.is_empty() {
            wire.send(before).await;
            wire.until("\r\n\r\nfine").await;
        }
        let begun = Instant::now();
        let mut sent = 0;
        for byte in "GET /fine HTTP/1.1\r\nx-slow: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy".bytes() {
            tokio::time::sleep(SHORT / 10).await;
            if wire.0.write_all(&[byte]).await.is_err() {
                break;
            }
            sent += 1;
        }
        assert!(sent < 40, "sent {sent} bytes in {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_used_one_is_not() {
    let server = Running::start(EdgeSettings { keep_alive: SHORT, ..patient() }, None).await;
    let mut wire = server.connect().await;
    for _ in 0..4 {
        wire.send(FINE).await;
        wire.until("\r\n\r\nfine").await;
        tokio::time::sleep(SHORT / 2).await;
    }
    wire.send("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    wire.until("\r\n\r\nslow").await;
    closes_after(&mut wire, SHORT).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut() {
    let server = Running::start(EdgeSettings { write_stall: SHORT, ..patient() }, None).await;
    let mut wire = server.connect().await;
    wire.send("GET /big HTTP/1.1\r\nhost: x\r\n\r\n").await;
    tokio::time::sleep(SHORT * 4).await;
    assert_eq!(server.metrics.http.connections_of("main").get(), 0);
}

#[tokio::test]
async fn the_connection_limit_holds() {
    let server = Running::start(EdgeSettings { max_connections: 2, ..patient() }, None).await;
    let (mut one, mut two) = (server.connect().await, server.connect().await);
    for wire in [&mut one, &mut two] {
        wire.send(FINE).await;
        wire.until("\r\n\r\nfine").await;
    }
    closes_after(&mut server.connect().await, Duration::from_millis(50)).await;
    let mut waits = server.connect().await;
    drop(one);
    waits.send(FINE).await;
    waits.until("\r\n\r\nfine").await;
    assert!(server.metrics.render().contains(r#"connections_refused_total{reason="Limit"} 1"#));
}

#[tokio::test]
async fn malformed_http_gets_an_end() {
    let server = Running::start(EdgeSettings { header_read: SHORT, ..patient() }, None).await;
    for bad in [
        "\0\0\0\0\0\0",
        "HELO example.org\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET /fine HTTP/1.1\r\nhost : x\r\n\r\n",
        "POST /count HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        "POST /count HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnot frames at all, not at all",
        "PRI * HT",
        "\u{16}\u{3}\u{1} a TLS client",
    ] {
        let mut wire = server.connect().await;
        wire.send(bad).await;
        let answer = wire.rest().await;
        assert!(!answer.contains(" 200 ") && !answer.contains(" 500 "), "{bad:?}: {answer}");
    }
    let mut wire = server.connect().await;
    let long = format!("GET /fine HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(70_000));
    let _cut = wire.0.write_all(long.as_bytes()).await.is_err();
    assert!(!wire.rest().await.contains(" 200 "));
    let mut wire = server.connect().await;
    wire.send(&format!("GET /fine HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(101))).await;
    assert!(wire.rest().await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn a_long_upload_reads_its_413() {
    let server = Running::start(patient(), None).await;
    for head in ["content-length: 8000000", "transfer-encoding: chunked"] {
        let mut wire = server.connect().await;
        wire.send(&format!("POST /count HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n")).await;
        if head.starts_with('t') {
            wire.send("7a1200\r\n").await;
        }
        let sent = wire.0.write_all(&vec![b'x'; 8_000_000]).await;
        assert!(sent.is_ok(), "{head}: {sent:?}");
        let answer = timeout(LONG / 2, wire.until("}")).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("payload_too_large"), "{answer}");
    }
}

#[tokio::test]
async fn a_trickling_body_reads_its_408() {
    let server = Running::start(patient(), None).await;
    let mut wire = server.connect().await;
    wire.send("POST /count HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc").await;
    let answer = wire.rest().await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("request_timeout"), "{answer}");
}

#[tokio::test]
async fn a_drain_loses_no_request() {
    // Who is busy hears of the drain at once (`connection: close`), not after the moment that the idle get.
    let server = Running::start(EdgeSettings { drain_idle_grace: LONG, ..patient() }, None).await;
    let url = format!("http://{}/slow", server.addr);
    let client = reqwest::Client::new();
    let asked: Vec<_> = (0..50).map(|_| tokio::spawn(client.get(&url).send())).collect();
    while server.metrics.http.in_flight.get() < 50 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (addr, metrics) = (server.addr, Arc::clone(&server.metrics));
    assert_eq!(server.stop().await, 0);
    assert_eq!(metrics.http.in_flight.get(), 0, "`serve` returns after the last answer");
    for answer in asked {
        let answer = answer.await.unwrap().unwrap();
        assert_eq!(answer.headers().get("connection").unwrap(), "close");
        assert_eq!(answer.text().await.unwrap(), "slow");
    }
    assert!(TcpStream::connect(addr).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_drain_closes_what_is_idle_and_takes_what_is_on_its_way() {
    let settings = EdgeSettings { drain_idle_grace: SHORT, ..patient() };
    let server = Running::start(settings, None).await;
    let (mut idle, mut late, mut silent) =
        (server.connect().await, server.connect().await, server.connect().await);
    for wire in [&mut idle, &mut late] {
        wire.send(FINE).await;
        wire.until("\r\n\r\nfine").await;
    }
    let begun = Instant::now();
    let stopping = tokio::spawn(server.stop());
    tokio::time::sleep(SHORT / 4).await;
    late.send(FINE).await;
    assert!(late.until("\r\n\r\nfine").await.contains("200 OK"));
    assert_eq!((idle.rest().await, silent.rest().await), (String::new(), String::new()));
    assert_eq!(stopping.await.unwrap(), 0);
    assert!(begun.elapsed() < LONG / 4);
}

#[tokio::test]
async fn a_stream_hears_of_the_drain_and_what_does_not_is_cut_at_the_deadline() {
    let settings = EdgeSettings { drain_deadline: SHORT * 2, ..patient() };
    let server = Running::start(settings, None).await;
    let (mut hears, mut deaf) = (server.connect().await, server.connect().await);
    hears.send("GET /hear HTTP/1.1\r\nhost: x\r\n\r\n").await;
    deaf.send("GET /forever HTTP/1.1\r\nhost: x\r\n\r\n").await;
    while server.metrics.http.in_flight.get() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(server.stop().await, 1);
    assert!(hears.rest().await.ends_with("drained"));
    assert_eq!(deaf.rest().await, "");
}

#[tokio::test]
async fn several_listeners_and_their_tags() {
    let listen = |tag: &str| Listen { addr: ([127, 0, 0, 1], 0).into(), tag: tag.into(), tls: None };
    let server = Server::bind(vec![listen("main"), listen("mix")], patient()).await.unwrap();
    let addrs = server.local_addrs();
    let app = app(&Metrics::new(), server.drain());
    let served = tokio::spawn(server.serve(app, std::future::pending()));
    for (addr, tag) in addrs.iter().zip(["main", "mix"]) {
        let text = reqwest::get(format!("http://{addr}/peer")).await.unwrap().text().await.unwrap();
        assert_eq!(text, format!("127.0.0.1 {tag} false"));
    }
    let taken = Listen { addr: addrs[0], tag: "x".into(), tls: None };
    let error = Server::bind(vec![taken], patient()).await.err().unwrap().to_string();
    assert!(error.contains(&addrs[0].to_string()), "{error}");
    served.abort();
}

async fn tls_client(
    addr: SocketAddr,
    cert: &std::path::Path,
    alpn: &str,
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls_pki_types::CertificateDer::from_pem_file(cert).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let socket = TcpStream::connect(addr).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(alpn.as_bytes()));
    stream
}

#[tokio::test]
async fn tls_speaks_both_protocols_and_drains() {
    let dir = tempfile::tempdir().unwrap();
    let tls = Tls::self_signed(dir.path(), &["localhost".to_owned()], &[]).unwrap();
    let (cert, _) = self_signed_paths(dir.path());
    let server = Running::start(patient(), Some(tls)).await;

    let stream = tls_client(server.addr, &cert, "http/1.1").await;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let first = tokio::spawn(connection);
    let request = Request::get("/peer").header("host", "x").body(Body::empty()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.collect().await.unwrap().to_bytes(), "127.0.0.1 main true");

    let stream = tls_client(server.addr, &cert, "h2").await;
    let executor = TokioExecutor::new();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(executor, TokioIo::new(stream)).await.unwrap();
    let second = tokio::spawn(connection);
    let request = Request::get("https://localhost/slow").body(Body::empty()).unwrap();
    let answer = tokio::spawn(sender.send_request(request));
    while server.metrics.http.in_flight.get() < 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(server.stop().await, 0);
    assert_eq!(answer.await.unwrap().unwrap().collect().await.unwrap().to_bytes(), "slow");
    assert!(
        first.await.unwrap().is_ok() && second.await.unwrap().is_ok(),
        "closed in the order of the protocol"
    );
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let tls = Tls::self_signed(dir.path(), &["localhost".to_owned()], &[]).unwrap();
    let server = Running::start(EdgeSettings { tls_handshake: SHORT, ..patient() }, Some(tls)).await;
    closes_after(&mut server.connect().await, SHORT).await;
    let mut wire = server.connect().await;
    wire.send(FINE).await;
    assert!(!wire.rest().await.contains("200"), "plain text where TLS is spoken");
}
