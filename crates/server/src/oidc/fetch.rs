//! Asks something of the provider: one request, bounded in time and size, without redirects, proxies or a second look at names.
//!
//! A discovery document names further addresses. Only those of the host that the operator named as the issuer may be inside.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Uri, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::settings::OidcSettings;
use crate::public_address::is_public;

/// The longest answer. A discovery document has some kilobytes, a key set up to some tens.
const MAX_ANSWER: usize = 512 << 10;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(4);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("`{0}` is no https URL")]
    Url(String),
    #[error("`{0}` has no address of the public Internet, and is not the issuer's host")]
    Inside(String),
    #[error("it took too long")]
    Time,
    #[error("the answer is longer than {MAX_ANSWER} bytes")]
    TooLong,
    #[error("the connection: {0}")]
    Connection(#[from] io::Error),
    #[error("HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("the body: {0}")]
    Body(Box<dyn std::error::Error + Send + Sync>),
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// What asks.
pub(super) struct Fetcher {
    /// Host and port of the issuer, whom the operator vouches for.
    home: Option<Place>,
    tls: Result<TlsConnector, rustls::Error>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    plain: bool,
    host: String,
    port: u16,
}

impl Place {
    fn of(uri: &Uri) -> Option<Self> {
        let (plain, default) = match uri.scheme_str()? {
            "https" => (false, 443),
            "http" => (true, 80),
            _ => return None,
        };
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        Some(Self { plain, host, port: uri.port_u16().unwrap_or(default) })
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Fetcher {
    pub(super) fn new(settings: &OidcSettings) -> Self {
        let home = settings.issuer.parse().ok().as_ref().and_then(Place::of);
        Self { home, tls: connector(&settings.authorities) }
    }

    async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        match tokio::time::timeout(PATIENCE, self.ask(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(FetchError::Time),
        }
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        let unfit = || FetchError::Url(request.uri().to_string());
        let place = Place::of(request.uri()).ok_or_else(unfit)?;
        if place.plain && self.home.as_ref() != Some(&place) {
            return Err(unfit());
        }
        let stream = self.connect(&place).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let _driver = Driver(tokio::spawn(async move {
            // Whatever ends it, the exchange sees it as well.
            let _ended = connection.await;
        }));
        let response = sender.send_request(relative(request)).await?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { FetchError::TooLong } else { FetchError::Body(error) }
        })?;
        Ok(HttpResponse::from_parts(parts, body.to_bytes().to_vec()))
    }

    /// Connects to one of the very addresses that were judged.
    async fn connect(&self, place: &Place) -> Result<Box<dyn Stream>, FetchError> {
        let found: Vec<SocketAddr> =
            tokio::net::lookup_host((place.host.as_str(), place.port)).await?.collect();
        let is_home = self.home.as_ref() == Some(place);
        let fit: Vec<SocketAddr> =
            found.into_iter().filter(|address| is_home || is_public(address.ip())).collect();
        if fit.is_empty() {
            return Err(FetchError::Inside(place.host.clone()));
        }
        let tcp = TcpStream::connect(fit.as_slice()).await?;
        tcp.set_nodelay(true)?;
        if place.plain {
            return Ok(Box::new(tcp));
        }
        let tls = self.tls.as_ref().map_err(|error| FetchError::Tls(error.clone()))?;
        let name =
            ServerName::try_from(place.host.clone()).map_err(|_| FetchError::Url(place.host.clone()))?;
        Ok(Box::new(tls.connect(name, tcp).await?))
    }
}

/// Ends with the exchange that it drives.
struct Driver(tokio::task::JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The request as it goes over a connection to its host (RFC 9112, section 3.2.1).
fn relative(request: HttpRequest) -> Request<Full<Bytes>> {
    let (mut parts, body) = request.into_parts();
    let host = parts.uri.authority().and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(host) = host {
        parts.headers.insert(header::HOST, host);
    }
    parts.headers.insert(header::USER_AGENT, HeaderValue::from_static("grantd"));
    let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    parts.uri = path.parse().unwrap_or_default();
    Request::from_parts(parts, Full::new(Bytes::from(body)))
}

fn connector(authorities: &[Vec<u8>]) -> Result<TlsConnector, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for authority in authorities {
        roots.add(CertificateDer::from(authority.as_slice()))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

impl<'c> AsyncHttpClient<'c> for Fetcher {
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.fetch(request))
    }
}

#[cfg(test)]
mod tests;
