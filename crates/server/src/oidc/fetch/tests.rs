#![allow(clippy::unwrap_used, reason = "a failed test panics")]
use std::sync::Arc;

use grantd_node::realm::linked_account::Policy;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

fn fetcher(issuer: &str, authorities: Vec<CertificateDer<'static>>) -> Fetcher {
    Fetcher::new(&OidcSettings {
        issuer: issuer.into(),
        client_id: "grantd".into(),
        client_secret: None,
        name: "Example".into(),
        acr_values: None,
        policy: Policy::default(),
        realms: Vec::new(),
        authorities,
    })
}

async fn get(fetcher: &Fetcher, url: &str) -> Result<HttpResponse, FetchError> {
    fetcher.fetch(Request::get(url).body(Vec::new()).unwrap()).await
}

/// Answers each connection with this text, and keeps what it was asked.
async fn serve(
    answer: impl Into<String>,
    tls: Option<TlsAcceptor>,
) -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let answer: String = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, heard) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let mut stream: Box<dyn Stream> = match &tls {
                None => Box::new(tcp),
                Some(tls) => match tls.accept(tcp).await {
                    Ok(stream) => Box::new(stream),
                    Err(_) => continue,
                },
            };
            let mut buffer = vec![0; 4_096];
            let read = stream.read(&mut buffer).await.unwrap_or_default();
            let _received =
                asked.send(String::from_utf8_lossy(buffer.get(..read).unwrap_or_default()).into());
            let _written = stream.write_all(answer.as_bytes()).await;
            let _closed = stream.shutdown().await;
        }
    });
    (port, heard)
}

const FINE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";

/// A certificate for `localhost` that signs itself, and a server's half of it.
fn certificate() -> (CertificateDer<'static>, TlsAcceptor) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
    (cert.der().clone(), TlsAcceptor::from(Arc::new(config)))
}

#[tokio::test]
async fn tls_with_an_authority_of_ones_own() {
    let (certificate, acceptor) = certificate();
    let (port, mut heard) = serve(FINE, Some(acceptor)).await;
    let issuer = format!("https://localhost:{port}/realms/a");
    let url = format!("{issuer}/.well-known/openid-configuration?x=y");
    let answer = get(&fetcher(&issuer, vec![certificate.clone()]), &url).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.body().as_slice()), (200, b"{}".as_slice()));
    let asked = heard.recv().await.unwrap();
    assert!(asked.starts_with("GET /realms/a/.well-known/openid-configuration?x=y HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("host: localhost:{port}\r\n")), "{asked}");
    let unknown = get(&fetcher(&issuer, Vec::new()), &url).await;
    assert!(matches!(unknown, Err(FetchError::Connection(_))), "{unknown:?}");
    // The certificate is not for this name.
    let issuer = format!("https://127.0.0.1:{port}");
    let other = get(&fetcher(&issuer, vec![certificate]), &issuer).await;
    assert!(matches!(other, Err(FetchError::Connection(_))), "{other:?}");
}

#[tokio::test]
async fn nothing_inside_is_asked_but_the_issuer() {
    let (port, mut heard) = serve(FINE, None).await;
    let home = format!("http://127.0.0.1:{port}");
    assert!(get(&fetcher(&home, Vec::new()), &home).await.is_ok());
    heard.recv().await.unwrap();
    let elsewhere = fetcher("https://id.example", Vec::new());
    for url in [
        "https://127.0.0.1",
        "https://localhost",
        "https://[::1]",
        "https://169.254.169.254",
        "https://10.0.0.1",
    ] {
        let refused = get(&elsewhere, &format!("{url}:{port}/")).await;
        assert!(matches!(refused, Err(FetchError::Inside(_))), "{url}: {refused:?}");
    }
    for url in
        [format!("http://127.0.0.1:{port}/"), "http://1.1.1.1/".into(), "ftp://1.1.1.1/".into(), "/x".into()]
    {
        let refused = get(&elsewhere, &url).await;
        assert!(matches!(refused, Err(FetchError::Url(_))), "{url}: {refused:?}");
    }
    // Another port of the issuer's own host is somewhere else.
    let neighbour = get(&fetcher("http://127.0.0.1:1", Vec::new()), &home).await;
    assert!(matches!(neighbour, Err(FetchError::Url(_))), "{neighbour:?}");
    assert!(heard.try_recv().is_err(), "nobody was asked");
}

#[tokio::test]
async fn redirects_are_answers_and_long_answers_are_none() {
    let (port, mut heard) =
        serve("HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", None).await;
    let home = format!("http://127.0.0.1:{port}");
    let answer = get(&fetcher(&home, Vec::new()), &home).await.unwrap();
    assert_eq!(answer.status(), 302);
    heard.recv().await.unwrap();
    assert!(heard.try_recv().is_err(), "nobody was asked again");
    let (port, _) =
        serve(format!("HTTP/1.1 200 OK\r\nContent-Length: 600000\r\n\r\n{}", "x".repeat(600_000)), None)
            .await;
    let home = format!("http://127.0.0.1:{port}");
    let long = get(&fetcher(&home, Vec::new()), &home).await;
    assert!(matches!(long, Err(FetchError::TooLong)), "{long:?}");
}
