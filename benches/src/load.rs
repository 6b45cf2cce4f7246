//! A closed-loop load of HTTP/1.1 over keep-alive connections, on one thread.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What was served.
pub(crate) struct Served {
    /// Requests a second; closed loop, so that offered is served.
    pub(crate) per_second: f64,
    pub(crate) requests: u64,
}

/// A whole POST of JSON.
pub(crate) fn post(path: &str, key: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Sends requests over so many connections for so long. `next` makes the n-th request; an answer other than 200 ends the
/// measurement with an error.
pub(crate) fn run(
    addr: SocketAddr,
    connections: usize,
    lasting: Duration,
    next: impl Fn(u64) -> Vec<u8> + 'static,
) -> anyhow::Result<Served> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async move {
        let next = std::rc::Rc::new(next);
        let count = Arc::new(AtomicU64::new(0));
        let mut streams = Vec::new();
        for _ in 0..connections {
            let stream = TcpStream::connect(addr).await?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let start = Instant::now();
        let end = start + lasting;
        let tasks: Vec<_> = streams
            .into_iter()
            .map(|stream| tokio::task::spawn_local(connection(stream, end, next.clone(), count.clone())))
            .collect();
        let mut requests = 0;
        for task in tasks {
            requests += task.await??;
        }
        Ok(Served { per_second: requests as f64 / start.elapsed().as_secs_f64(), requests })
    })
}

async fn connection(
    mut stream: TcpStream,
    end: Instant,
    next: std::rc::Rc<impl Fn(u64) -> Vec<u8>>,
    count: Arc<AtomicU64>,
) -> anyhow::Result<u64> {
    let mut served = 0;
    let mut buffer = Vec::with_capacity(4_096);
    while Instant::now() < end {
        let request = next(count.fetch_add(1, Ordering::Relaxed));
        stream.write_all(&request).await?;
        buffer.clear();
        answer(&mut stream, &mut buffer).await?;
        served += 1;
    }
    Ok(served)
}

async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    loop {
        if stream.read_buf(buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(buffer.get(..head).unwrap_or_default())?;
        if !text.starts_with("HTTP/1.1 200") {
            bail!("unexpected answer: {}", String::from_utf8_lossy(buffer));
        }
        let length = text
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .context("an answer without a length")?
            .1;
        let total = head + 4 + length.parse::<usize>()?;
        while buffer.len() < total {
            if stream.read_buf(buffer).await? == 0 {
                bail!("the server closed the connection");
            }
        }
        return Ok(());
    }
}
