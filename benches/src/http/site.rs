//! A server with the relationships of [`Scale`] in its realm.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::server::{KEY, Server, binary};
use crate::data::scale::{ROLES, Scale};

/// The route that takes any number of relationships.
const IMPORT: &str = "/api/v1/relationships/import";

/// A running server, its data, and how they got there.
pub(crate) struct Site {
    pub(crate) scale: Scale,
    pub(crate) server: Server,
    pub(crate) directory: TempDir,
    pub(crate) filled: Filled,
}

/// How a realm was filled.
#[derive(Clone)]
pub(crate) struct Filled {
    /// By which way.
    pub(crate) by: &'static str,
    pub(crate) seconds: f64,
    /// The most resident bytes up to the end of it, and what was resident then.
    pub(crate) peak: f64,
    pub(crate) resident: f64,
}

impl Site {
    /// Starts a server on a new data directory and fills it; `preload` as in [`Server::start`].
    pub(crate) fn make(relationships: usize, preload: Option<&Path>) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let server = Server::start(&directory.path().join("data"), preload)?;
        let scale = Scale { relationships };
        let (by, seconds) = if server.has(IMPORT)? {
            let file = directory.path().join("relationships.jsonl");
            lines(scale, File::create(&file)?)?;
            if has_import_command()? {
                import_by_command(&server, &file)?
            } else {
                import(&server, scale, &file)?
            }
        } else {
            write(&server, scale)?
        };
        let (peak, resident) = (server.peak()?, server.resident()?);
        Ok(Self { scale, server, directory, filled: Filled { by, seconds, peak, resident } })
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Starts the server again on the same data. Gives the seconds from the start to the first right answer.
    pub(crate) fn restart(self, check_path: &str) -> anyhow::Result<(Self, f64)> {
        let Self { scale, server, directory, filled } = self;
        let ask = scale.hits(ROLES, 1).pop().context("a question")?;
        server.stop()?;
        let start = Instant::now();
        let server = Server::start(&directory.path().join("data"), None)?;
        let answer = server.call(check_path, &ask.json())?;
        let took = start.elapsed().as_secs_f64();
        let allowed = answer.get("decision").or_else(|| answer.get("allowed"));
        ensure!(allowed == Some(&Value::Bool(true)), "a wrong answer after a restart: {answer}");
        Ok((Self { scale, server, directory, filled }, took))
    }
}

/// Writes the relationships as JSON lines, the same ones in the same order every time.
pub(crate) fn lines(scale: Scale, to: impl std::io::Write) -> anyhow::Result<()> {
    let mut to = BufWriter::with_capacity(1 << 20, to);
    for fact in scale.facts(ROLES) {
        serde_json::to_writer(&mut to, &fact.json())?;
        to.write_all(b"\n")?;
    }
    Ok(to.flush()?)
}

/// Whether `grantd import` is there: it came after the route.
fn has_import_command() -> anyhow::Result<bool> {
    Ok(Command::new(binary()?).args(["import", "--help"]).output()?.status.success())
}

fn import_by_command(server: &Server, file: &Path) -> anyhow::Result<(&'static str, f64)> {
    let start = Instant::now();
    let done = Command::new(binary()?)
        .arg("import")
        .arg(file)
        .env("GRANTD_URL", format!("http://{}", server.addr))
        .env("GRANTD_API_KEY", KEY)
        .output()?;
    let seconds = start.elapsed().as_secs_f64();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(done.status.success(), "the import failed: {}{}", said(&done.stdout), said(&done.stderr));
    Ok(("`grantd import`", seconds))
}

fn import(server: &Server, scale: Scale, file: &Path) -> anyhow::Result<(&'static str, f64)> {
    let start = Instant::now();
    let mut answer = ureq::post(&format!("http://{}{IMPORT}", server.addr))
        .header("authorization", format!("Bearer {KEY}"))
        .content_type("application/x-ndjson")
        .config()
        .http_status_as_error(false)
        .build()
        .send(File::open(file)?)?;
    let seconds = start.elapsed().as_secs_f64();
    let text = answer.body_mut().read_to_string()?;
    ensure!(answer.status().is_success(), "the import answers {}: {text}", answer.status());
    let report: Value = serde_json::from_str(&text)?;
    let count = |name: &str| report.get(name).and_then(Value::as_u64).unwrap_or_default() as usize;
    ensure!(count("written") + count("unchanged") == scale.relationships, "the import is not whole: {text}");
    Ok(("POST /api/v1/relationships/import", seconds))
}

fn write(server: &Server, scale: Scale) -> anyhow::Result<(&'static str, f64)> {
    // Small realms get as many entries as large ones: a server that stops keeps no snapshot of a short ledger.
    let at_once = (scale.relationships / 1_100).clamp(1, 10_000);
    let start = Instant::now();
    let mut facts = scale.facts(ROLES);
    loop {
        let write: Vec<_> = facts.by_ref().take(at_once).map(|fact| fact.json()).collect();
        if write.is_empty() {
            return Ok(("POST /api/v1/relationships", start.elapsed().as_secs_f64()));
        }
        server.call("/api/v1/relationships", &json!({ "write": write }))?;
    }
}
