//! The real server, in a process of its own, with data made for the measurement.

use std::io::BufRead as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};
use serde_json::json;

pub(crate) const KEY: &str = "gdk_bench_0123456789abcdefghij";

pub(crate) struct Server {
    child: Child,
    pub(crate) addr: SocketAddr,
}

fn binary() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let binary = own.with_file_name("grantd");
    if !binary.exists() {
        bail!("`{}` is not there; run `cargo build --release` first", binary.display());
    }
    Ok(binary)
}

impl Server {
    /// Starts it on a free port; `preload` is a library that its process loads first.
    pub(crate) fn start(data: &Path, preload: Option<&Path>) -> anyhow::Result<Self> {
        let mut command = Command::new(binary()?);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--bench-route", "--data"])
            .arg(data)
            .env("GRANTD_BOOTSTRAP_API_KEY", KEY)
            .stdout(Stdio::piped());
        if let Some(library) = preload {
            command.env("LD_PRELOAD", library);
        }
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().context("no output")?;
        for line in std::io::BufReader::new(stdout).lines() {
            if let Some((_, addr)) = line?.split_once("is ready at http://") {
                return Ok(Self { child, addr: addr.parse()? });
            }
        }
        bail!("the server did not start")
    }

    /// Seconds of processor time so far, of all its threads.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let after_name = stat.rsplit_once(") ").context("stat")?.1;
        let mut fields = after_name.split(' ').skip(11);
        let mut ticks = || -> anyhow::Result<f64> { Ok(fields.next().context("stat")?.parse()?) };
        // 100 ticks a second on every Linux that runs this.
        Ok((ticks()? + ticks()?) / 100.0)
    }

    /// Bytes of memory that are resident.
    pub(crate) fn resident(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("status")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse::<f64>()? * 1_024.0)
    }

    /// Writes so many relationships: machine `i` may log in on VM `i % 1000` as user `i`.
    pub(crate) fn fill(&self, relationships: usize) -> anyhow::Result<()> {
        let url = format!("http://{}/api/v1/relationships", self.addr);
        let numbers: Vec<usize> = (0..relationships).collect();
        for chunk in numbers.chunks(10_000) {
            let write: Vec<_> = chunk
                .iter()
                .map(|i| {
                    json!({
                        "resource": resource(*i), "relation": "member", "subject": subject(*i),
                    })
                })
                .collect();
            ureq::post(&url)
                .header("authorization", format!("Bearer {KEY}"))
                .send_json(json!({ "write": write }))
                .context("the relationships cannot be written")?;
        }
        Ok(())
    }
}

/// A role that the `i`-th relationship is on; a hundred members each.
pub(crate) fn resource(i: usize) -> String {
    format!("role:role-{:06}", i / 100)
}

/// The member of the `i`-th relationship.
pub(crate) fn subject(i: usize) -> String {
    format!("user:user-{i:08}")
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that is gone already is no error here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
