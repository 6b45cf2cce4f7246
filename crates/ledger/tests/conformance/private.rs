//! A PostgreSQL of a test's own, for settings that no shared server can have.

use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub(crate) struct Private {
    /// Removed with it.
    _dir: TempDir,
    process: Child,
    pub(crate) port: u16,
}

impl Private {
    /// Makes and starts one, with these settings, after `prepare` was shown its data directory.
    pub(crate) async fn start(settings: &[&str], prepare: impl FnOnce(&Path)) -> Self {
        let dir = tempfile::Builder::new().prefix("grantd-private-").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let data = dir.path().join("data");
        std::fs::create_dir(&data).unwrap();
        give(&data);
        let init = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "-D", data.to_str().unwrap()];
        let made =
            as_owner("initdb").args(init).stdout(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        prepare(&data);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = as_owner("postgres");
        command.args(["-D", data.to_str().unwrap(), "-p", &port.to_string(), "-c", "fsync=off"]);
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        for setting in settings {
            command.args(["-c", setting]);
        }
        let process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut private = Self { _dir: dir, process, port };
        let deadline = Instant::now() + Duration::from_secs(60);
        while !private.is_ready() {
            assert!(Instant::now() < deadline, "PostgreSQL does not start");
            assert!(private.process.try_wait().unwrap().is_none(), "{}", private.complaint());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        private
    }

    fn is_ready(&self) -> bool {
        let ready = ["-q", "-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "postgres"];
        tool("pg_isready").args(ready).status().unwrap().success()
    }

    fn complaint(&mut self) -> String {
        let mut text = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let pid = self.process.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let _ = self.process.wait();
    }
}

/// Where the newest server binaries are, as Debian keeps them or else in the path.
fn tool(name: &str) -> Command {
    let mut versions: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
            path.join("bin/initdb").exists().then_some((version, path.join("bin").join(name)))
        })
        .collect();
    versions.sort();
    Command::new(versions.pop().map_or_else(|| PathBuf::from(name), |(_, path)| path))
}

/// PostgreSQL refuses to run as root.
fn as_owner(name: &str) -> Command {
    let mut command = tool(name);
    if is_root() {
        command.uid(id(&["-u", "postgres"])).gid(id(&["-g", "postgres"]));
    }
    command.current_dir("/tmp").stdin(Stdio::null());
    command
}

fn is_root() -> bool {
    id(&["-u"]) == 0
}

fn id(asked: &[&str]) -> u32 {
    let answer = Command::new("id").args(asked).output().unwrap();
    String::from_utf8_lossy(&answer.stdout).trim().parse().expect("a user of the name postgres")
}

/// Makes a file or directory the server's own.
pub(crate) fn give(path: &Path) {
    if is_root() {
        assert!(Command::new("chown").arg("postgres").arg(path).status().unwrap().success());
    }
}
