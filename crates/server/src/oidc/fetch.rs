//! Asks something of the provider: one request, bounded in time and size, without redirects, proxies or a second look at names.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use url::{Origin, Url};

use super::settings::OidcSettings;
use crate::outbound::{ConnectError, Connector, is_public};

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
    #[error("{0}")]
    Connection(ConnectError),
    #[error("HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("the body: {0}")]
    Body(Box<dyn std::error::Error + Send + Sync>),
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// What asks.
pub(super) struct Fetcher {
    /// Scheme, host and port of the issuer, whom the operator vouches for: only there may be inside, and without TLS.
    home: Option<Origin>,
    connector: Result<Connector, rustls::Error>,
}

impl Fetcher {
    pub(super) fn new(settings: &OidcSettings) -> Self {
        let home = Url::parse(&settings.issuer).ok().map(|issuer| issuer.origin());
        Self { home, connector: Connector::new(&settings.authorities) }
    }

    async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        match tokio::time::timeout(PATIENCE, self.ask(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(FetchError::Time),
        }
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        let unfit = || FetchError::Url(request.uri().to_string());
        let url = Url::parse(&request.uri().to_string()).map_err(|_| unfit())?;
        let is_home = self.home.as_ref() == Some(&url.origin());
        if !(url.scheme() == "https" || url.scheme() == "http" && is_home) {
            return Err(unfit());
        }
        let connector = self.connector.as_ref().map_err(|error| FetchError::Tls(error.clone()))?;
        let connected = connector.connect(&url, |address| is_home || is_public(address)).await;
        let stream = connected.map_err(|error| match error {
            ConnectError::NotAdmitted => FetchError::Inside(url.host_str().unwrap_or_default().to_owned()),
            other => FetchError::Connection(other),
        })?;
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

impl<'c> AsyncHttpClient<'c> for Fetcher {
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.fetch(request))
    }
}

#[cfg(test)]
mod tests;
