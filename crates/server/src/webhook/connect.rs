//! Connections to receivers: the address that was judged is the address that is connected to.
//!
//! There is a connection for each attempt. One that is kept would have been judged long ago.

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

use super::failure::Failure;
use super::target::Targets;

/// To one address; a name may lead to several.
const CONNECT: Duration = Duration::from_secs(5);

/// How many addresses of a name are tried.
const ADDRESSES: usize = 4;

/// A connection, with TLS or without.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Makes connections.
pub(super) struct Connector {
    targets: Targets,
    tls: TlsConnector,
}

impl Connector {
    /// Believes the authorities that browsers believe, which are part of this program, and these.
    pub(super) fn new(
        targets: Targets,
        authorities: &[CertificateDer<'static>],
    ) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for authority in authorities {
            roots.add(authority.clone())?;
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { targets, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// Where it may lead.
    pub(super) fn targets(&self) -> Targets {
        self.targets
    }

    /// Resolves, judges and connects.
    pub(super) async fn connect(&self, url: &Url) -> Result<Box<dyn Wire>, Failure> {
        let tcp = self.dial(&self.addresses(url).await?).await?;
        // A request is one short write; nothing comes behind it to be collected with.
        let _kept_as_it_is = tcp.set_nodelay(true);
        if url.scheme() != "https" {
            return Ok(Box::new(tcp));
        }
        let name = match url.host().ok_or(Failure::Target)? {
            Host::Domain(name) => ServerName::try_from(name.to_owned()).map_err(|_| Failure::Target)?,
            Host::Ipv4(ip) => ServerName::from(IpAddr::V4(ip)),
            Host::Ipv6(ip) => ServerName::from(IpAddr::V6(ip)),
        };
        let tls = self.tls.connect(name, tcp).await.map_err(|_| Failure::Tls)?;
        Ok(Box::new(tls))
    }

    /// The addresses that may be connected to.
    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, Failure> {
        let port = url.port_or_known_default().ok_or(Failure::Target)?;
        let found: Vec<SocketAddr> = match url.host().ok_or(Failure::Target)? {
            Host::Domain(name) => {
                lookup_host((name, port)).await.map_err(|_| Failure::Resolve)?.take(64).collect()
            }
            Host::Ipv4(ip) => vec![SocketAddr::new(ip.into(), port)],
            Host::Ipv6(ip) => vec![SocketAddr::new(ip.into(), port)],
        };
        if found.is_empty() {
            return Err(Failure::Resolve);
        }
        let admitted: Vec<_> =
            found.into_iter().filter(|address| self.targets.admits(address.ip())).take(ADDRESSES).collect();
        if admitted.is_empty() { Err(Failure::NotPublic) } else { Ok(admitted) }
    }

    async fn dial(&self, addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
        let mut failure = Failure::Resolve;
        for address in addresses {
            match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failure = Failure::Connect(error.kind()),
                Err(_) => failure = Failure::Timeout,
            }
        }
        Err(failure)
    }
}
