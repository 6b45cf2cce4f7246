//! A proxy before PostgreSQL that loses a connection exactly at an append's COMMIT.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{Notify, oneshot};

/// What to do with the next append.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cut {
    /// The server hears all but COMMIT, and then that the connection is gone.
    BeforeCommit,
    /// The server hears COMMIT, and at once that the connection is gone.
    AfterCommit,
    /// The server has answered COMMIT; the client does not hear it.
    BeforeAnswer,
    /// The client loses the connection; the server hears nothing, until [`Proxy::deliver`].
    Late,
    /// The server hears all but COMMIT and then nothing more; neither side hears that the other is gone.
    Freeze,
}

#[derive(Clone)]
pub(crate) struct Proxy {
    next: Arc<Mutex<Option<Cut>>>,
    late: Arc<Notify>,
    delivered: Arc<Notify>,
    port: u16,
}

impl Proxy {
    /// Listens before the server of this address, of which the host may be a socket's directory.
    pub(crate) async fn before(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Self { next: Arc::default(), late: Arc::default(), delivered: Arc::default(), port };
        let (served, url) = (proxy.clone(), url.to_owned());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (served, url) = (served.clone(), url.clone());
                tokio::spawn(async move { served.serve(client, connect(&url).await).await });
            }
        });
        proxy
    }

    pub(crate) fn arm(&self, cut: Cut) {
        *self.next.lock().unwrap() = Some(cut);
    }

    /// Gives the server what was held back, and waits until it has answered all of it.
    pub(crate) async fn deliver(&self) {
        self.late.notify_one();
        self.delivered.notified().await;
    }

    /// The same address, by way of here.
    pub(crate) fn url(&self, url: &str) -> String {
        let config: tokio_postgres::Config = url.parse().unwrap();
        let (user, name) = (config.get_user().unwrap(), config.get_dbname().unwrap());
        let password = config.get_password().map(|p| format!(":{}", String::from_utf8_lossy(p)));
        let options = config.get_options().unwrap_or_default().replace(' ', "%20").replace('=', "%3D");
        let port = self.port;
        format!(
            "postgres://{user}{}@127.0.0.1:{port}/{name}?sslmode=disable&options={options}",
            password.unwrap_or_default()
        )
    }

    async fn serve(&self, client: TcpStream, server: Box<dyn Stream>) {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = tokio::io::split(server);
        let (stop, stopped) = oneshot::channel::<()>();
        let back = tokio::spawn(async move {
            tokio::select! {
                _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
                _ = stopped => {}
            }
            (from_server, to_client)
        });
        let mut startup = true;
        // What is to become of this transaction, and its messages so far.
        let (mut cut, mut held) = (None, Vec::new());
        while let Some(message) = next_message(&mut from_client, &mut startup).await {
            let says =
                |text: &str| message.first() == Some(&b'Q') && message[5..].starts_with(text.as_bytes());
            if says("BEGIN") {
                cut = self.next.lock().unwrap().take();
            }
            if let Some(cut) = cut {
                held.extend_from_slice(&message);
                if !says("COMMIT") {
                    continue;
                }
                let without = held.len() - message.len();
                drop(stop);
                let (mut from_server, to_client) = back.await.unwrap();
                if cut == Cut::BeforeAnswer {
                    to_server.write_all(&held).await.unwrap();
                    let mut answers = Vec::new();
                    while !answers.windows(7).any(|tag| tag == b"COMMIT\0") {
                        assert_ne!(from_server.read_buf(&mut answers).await.unwrap(), 0, "no answer");
                    }
                    return;
                }
                if cut == Cut::Freeze {
                    to_server.write_all(&held[..without]).await.unwrap();
                    return std::future::pending().await;
                }
                drop((from_client, to_client));
                match cut {
                    Cut::BeforeCommit => to_server.write_all(&held[..without]).await.unwrap(),
                    Cut::AfterCommit => to_server.write_all(&held).await.unwrap(),
                    Cut::Late | Cut::Freeze | Cut::BeforeAnswer => {
                        self.late.notified().await;
                        held.extend_from_slice(b"X\0\0\0\x04");
                        to_server.write_all(&held).await.unwrap();
                        let _ = from_server.read_to_end(&mut Vec::new()).await;
                        self.delivered.notify_one();
                    }
                }
                return;
            }
            if to_server.write_all(&message).await.is_err() {
                return;
            }
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn connect(url: &str) -> Box<dyn Stream> {
    use tokio_postgres::config::Host;
    let config: tokio_postgres::Config = url.parse().unwrap();
    let port = config.get_ports().first().copied().unwrap_or(5432);
    match &config.get_hosts()[0] {
        Host::Tcp(host) => Box::new(TcpStream::connect((host.as_str(), port)).await.unwrap()),
        Host::Unix(dir) => Box::new(UnixStream::connect(dir.join(format!(".s.PGSQL.{port}"))).await.unwrap()),
    }
}

/// One message of a client as it is on the wire. The first has no letter before its length.
async fn next_message(from: &mut (impl AsyncRead + Unpin), startup: &mut bool) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    if !std::mem::take(startup) {
        message.push(from.read_u8().await.ok()?);
    }
    let length = from.read_u32().await.ok()?;
    message.extend_from_slice(&length.to_be_bytes());
    let begun = message.len();
    message.resize(begun + length as usize - 4, 0);
    from.read_exact(&mut message[begun..]).await.ok()?;
    Some(message)
}
