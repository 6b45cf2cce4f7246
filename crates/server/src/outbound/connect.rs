//! From a URL to a connection.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

/// To one address; a name may lead to several.
const CONNECT: Duration = Duration::from_secs(5);

/// How many addresses of a name are looked at, and how many of those that are admitted are tried.
const LOOKED_AT: usize = 64;
const TRIED: usize = 4;

/// Why there is no connection, in words that say nothing of what the other side said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the URL names no host that can be connected to")]
    Host,
    #[error("the name cannot be resolved")]
    Resolve,
    #[error("the name leads to no address that is admitted")]
    NotAdmitted,
    #[error("no connection: {0}")]
    Connect(io::ErrorKind),
    #[error("no connection in time")]
    Timeout,
    #[error("the certificate is not valid for this name, or the other side speaks no TLS 1.2 or 1.3")]
    Tls,
}

/// A connection, with TLS or without.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Makes connections.
pub(crate) struct Connector {
    tls: TlsConnector,
}

impl Connector {
    /// Believes the authorities that browsers believe, which are part of this program, and these.
    pub(crate) fn new(authorities: &[CertificateDer<'static>]) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for authority in authorities {
            roots.add(authority.clone())?;
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { tls: TlsConnector::from(Arc::new(config)) })
    }

    /// Resolves, judges and connects; with TLS unless the URL begins with `http:`.
    pub(crate) async fn connect(
        &self,
        url: &Url,
        admits: impl Fn(IpAddr) -> bool,
    ) -> Result<Box<dyn Wire>, ConnectError> {
        let admitted: Vec<_> =
            addresses(url).await?.into_iter().filter(|address| admits(address.ip())).take(TRIED).collect();
        let tcp = dial(&admitted).await?;
        // A request is one short write; nothing comes behind it to be collected with.
        let _kept_as_it_is = tcp.set_nodelay(true);
        if url.scheme() == "http" {
            return Ok(Box::new(tcp));
        }
        let name = match url.host().ok_or(ConnectError::Host)? {
            Host::Domain(name) => ServerName::try_from(name.to_owned()).map_err(|_| ConnectError::Host)?,
            Host::Ipv4(ip) => ServerName::from(IpAddr::V4(ip)),
            Host::Ipv6(ip) => ServerName::from(IpAddr::V6(ip)),
        };
        Ok(Box::new(self.tls.connect(name, tcp).await.map_err(|_| ConnectError::Tls)?))
    }
}

/// What the host of a URL leads to.
async fn addresses(url: &Url) -> Result<Vec<SocketAddr>, ConnectError> {
    let port = url.port_or_known_default().ok_or(ConnectError::Host)?;
    let found: Vec<SocketAddr> = match url.host().ok_or(ConnectError::Host)? {
        Host::Domain(name) => {
            lookup_host((name, port)).await.map_err(|_| ConnectError::Resolve)?.take(LOOKED_AT).collect()
        }
        Host::Ipv4(ip) => vec![SocketAddr::new(ip.into(), port)],
        Host::Ipv6(ip) => vec![SocketAddr::new(ip.into(), port)],
    };
    if found.is_empty() { Err(ConnectError::Resolve) } else { Ok(found) }
}

async fn dial(addresses: &[SocketAddr]) -> Result<TcpStream, ConnectError> {
    let mut failure = ConnectError::NotAdmitted;
    for address in addresses {
        match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failure = ConnectError::Connect(error.kind()),
            Err(_) => failure = ConnectError::Timeout,
        }
    }
    Err(failure)
}
