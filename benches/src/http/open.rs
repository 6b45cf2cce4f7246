//! An open-loop load: requests go out on a schedule that is fixed beforehand, whatever the server does, and each latency counts
//! from the moment at which its request should have gone out. A server that stalls is not asked less because of it,
//! and the wait of those who came meanwhile is not left out ("coordinated omission").
//!
//! Threads with blocking sockets rather than tasks: a runtime's timers round to milliseconds.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};

use super::connection::whole_answer;
use super::requests::Request;

/// How the requests of a schedule fared.
pub(crate) struct Fared {
    /// In seconds, in no order.
    latencies: Vec<f64>,
    /// From the first scheduled moment to the last answer.
    took: Duration,
}

impl Fared {
    /// The latency that one in a hundred requests exceeds, in seconds.
    pub(crate) fn p99(&mut self) -> f64 {
        self.latencies.sort_unstable_by(f64::total_cmp);
        let at = (self.latencies.len() * 99).div_ceil(100).saturating_sub(1);
        self.latencies.get(at).copied().unwrap_or(f64::NAN)
    }

    /// Answers a second.
    pub(crate) fn served(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }
}

/// Sends `rate` requests a second, evenly spaced, for so long, over so many connections. A wrong answer ends the measurement.
pub(crate) fn run(
    addr: SocketAddr,
    connections: usize,
    rate: f64,
    lasting: Duration,
    next: impl Fn(u64) -> Request + Sync,
) -> anyhow::Result<Fared> {
    let streams = (0..connections)
        .map(|_| {
            let stream = TcpStream::connect(addr)?;
            stream.set_nodelay(true)?;
            Ok(stream)
        })
        .collect::<std::io::Result<Vec<_>>>()?;
    let count = (rate * lasting.as_secs_f64()) as u64;
    let sent = AtomicU64::new(0);
    // A moment for the threads to be there before the first request is due.
    let start = Instant::now() + Duration::from_millis(5);
    let latencies = std::thread::scope(|scope| {
        let threads: Vec<_> = streams
            .into_iter()
            .map(|stream| scope.spawn(|| connection(stream, start, rate, count, &sent, &next)))
            .collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().map_err(|_| anyhow!("a thread of the load stopped"))??);
        }
        anyhow::Ok(all)
    })?;
    Ok(Fared { latencies, took: start.elapsed() })
}

fn connection(
    mut stream: TcpStream,
    start: Instant,
    rate: f64,
    count: u64,
    sent: &AtomicU64,
    next: &impl Fn(u64) -> Request,
) -> anyhow::Result<Vec<f64>> {
    let mut latencies = Vec::new();
    let mut buffer = Vec::new();
    let mut piece = vec![0; 16_384];
    loop {
        let n = sent.fetch_add(1, Ordering::Relaxed);
        if n >= count {
            return Ok(latencies);
        }
        let request = next(n);
        let due = start + Duration::from_secs_f64(n as f64 / rate);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        stream.write_all(&request.bytes)?;
        buffer.clear();
        let body = loop {
            let read = stream.read(&mut piece)?;
            if read == 0 {
                bail!("the server closed the connection");
            }
            buffer.extend_from_slice(piece.get(..read).unwrap_or_default());
            if let Some(body) = whole_answer(&buffer)? {
                break body;
            }
        };
        latencies.push(due.elapsed().as_secs_f64());
        if !request.says.holds_for(body) {
            bail!("a wrong answer: {}", String::from_utf8_lossy(body));
        }
    }
}
