//! The real server, in a process of its own.

use std::io::BufRead as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail, ensure};

pub(crate) const KEY: &str = "gdk_bench_0123456789abcdefghij";

pub(crate) struct Server {
    child: Child,
    pub(crate) addr: SocketAddr,
}

/// The `grantd` that was built beside this program, or the one that `GRANTD_BIN` names.
pub(crate) fn binary() -> anyhow::Result<PathBuf> {
    let binary = match std::env::var_os("GRANTD_BIN") {
        Some(named) => named.into(),
        None => std::env::current_exe()?.with_file_name("grantd"),
    };
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
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
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
        let _ = child.wait();
        bail!("the server did not start")
    }

    /// Lets it stop by itself: it keeps what makes the next start quick.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        ensure!(asked.success(), "the server cannot be told to stop");
        ensure!(self.child.wait()?.success(), "the server did not stop well");
        Ok(())
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
        crate::memory::of_process(&self.child.id().to_string(), "VmRSS")
    }

    /// The most bytes of memory that ever were resident.
    pub(crate) fn peak(&self) -> anyhow::Result<f64> {
        crate::memory::of_process(&self.child.id().to_string(), "VmHWM")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that is gone already is no error here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
