//! A closed-loop load over keep-alive connections, on one thread: each connection sends its next request when it has its
//! answer, so that what is offered is what is served.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::bail;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::connection::whole_answer;
use super::requests::Request;

/// What was served.
pub(crate) struct Served {
    pub(crate) per_second: f64,
    pub(crate) requests: u64,
}

/// Sends requests over so many connections for so long. `next` gives the n-th request; a wrong answer ends the measurement.
pub(crate) fn run(
    addr: SocketAddr,
    connections: usize,
    lasting: Duration,
    next: impl Fn(u64) -> Request + 'static,
) -> anyhow::Result<Served> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async move {
        let next = Rc::new(next);
        let count = Rc::new(Cell::new(0));
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
    next: Rc<impl Fn(u64) -> Request>,
    count: Rc<Cell<u64>>,
) -> anyhow::Result<u64> {
    let mut served = 0;
    let mut buffer = Vec::with_capacity(4_096);
    while Instant::now() < end {
        let request = next(count.replace(count.get() + 1));
        stream.write_all(&request.bytes).await?;
        buffer.clear();
        let body = loop {
            if stream.read_buf(&mut buffer).await? == 0 {
                bail!("the server closed the connection");
            }
            if let Some(body) = whole_answer(&buffer)? {
                break body;
            }
        };
        if !request.says.holds_for(body) {
            bail!("a wrong answer: {}", String::from_utf8_lossy(body));
        }
        served += 1;
    }
    Ok(served)
}
