//! Running the binary.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The system API key of every server here.
pub(crate) const KEY: &str = "gdk_the_key_of_all_these_tests";

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Its stdout, of a run that ended well.
    #[track_caller]
    pub(crate) fn good(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// Its stderr, of a run that ended with an error.
    #[track_caller]
    pub(crate) fn error(self) -> String {
        assert_eq!(self.code, 2, "{self:?}");
        self.err
    }
}

/// A directory to work in, with a store in `grantd-data` once a server has run.
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// With a store: user alice with a name, made for a reason, and 5 entries in all in the realm `default`.
    pub(crate) fn with_store() -> Self {
        let place = Self::new();
        let server = place.serve(&[]);
        let alice = ["user", "create", "alice", "--name", "Alice Liddell", "--reason", "fell down a hole"];
        server.run(&alice).good();
        server.run(&["user", "create", "bob", "--name", "Bob"]).good();
        server.run(&["user", "set", "alice", "--name", "Alice P. Liddell"]).good();
        server.stop();
        place
    }

    /// The same, with so many entries more that the server left a state snapshot; bob is Cheshire in all of them.
    pub(crate) fn with_snapshot() -> Self {
        let place = Self::with_store();
        let server = place.serve(&[]);
        let mut http = Http::connect(&server.url);
        for round in 0..1_000 {
            let body = format!("{{\"name\":\"Cheshire {round}\"}}");
            assert_eq!(http.send("PATCH", "/api/v1/users/bob", &body), 200);
        }
        server.stop();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The command, in this directory and with nothing of ours from the environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_grantd"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("GRANTD_")) {
            command.env_remove(name);
        }
        command.env_remove("COLUMNS").args(args).current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        ran(self.command(args))
    }

    /// A server on a port of its own, once it is ready.
    pub(crate) fn serve(&self, args: &[&str]) -> Server<'_> {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.args(args).env("GRANTD_BOOTSTRAP_API_KEY", KEY).env("GRANTD_LOG", "warn");
        Server::start(self, command)
    }

    /// Changes the database behind grantd's back.
    pub(crate) fn tamper(&self, sql: &str) {
        let file = self.path("grantd-data/grantd.db");
        let conn = rusqlite::Connection::open(file).unwrap();
        conn.execute_batch(sql).unwrap();
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    }

    /// What `ledger verify --json` says of the realm `default`.
    pub(crate) fn verified(&self, args: &[&str]) -> (i32, Value) {
        let ran = self.run(&[&["ledger", "verify", "--json"], args].concat());
        let lines = ran.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut of_default = lines.filter(|line| line["realm"] == "default");
        (ran.code, of_default.next().unwrap_or_else(|| panic!("{ran:?}")))
    }
}

pub(crate) fn ran(mut command: Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// The same, with something to read on stdin.
pub(crate) fn ran_with(mut command: Command, stdin: &str) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// A running server; killed when dropped.
pub(crate) struct Server<'a> {
    place: &'a Place,
    child: Child,
    pub(crate) url: String,
    /// What it printed before it was ready.
    pub(crate) greeting: String,
}

impl<'a> Server<'a> {
    pub(crate) fn start(place: &'a Place, mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut greeting = String::new();
        let url = loop {
            let line = lines.next().expect("the server ended before it was ready").unwrap();
            if let Some((_, url)) = line.split_once(" is ready at ") {
                break url.to_owned();
            }
            greeting.push_str(&line);
            greeting.push('\n');
        };
        // Read to the end, so that it never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        Self { place, child, url, greeting }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A client command that asks this server.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.place.command(args);
        command.env("GRANTD_URL", &self.url).env("GRANTD_API_KEY", KEY);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        ran(self.command(args))
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(asked.success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        // It may have been stopped already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether any file of the directory holds these bytes.
pub(crate) fn holds(dir: &Path, what: &str) -> bool {
    std::fs::read_dir(dir).unwrap().any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        bytes.windows(what.len()).any(|window| window == what.as_bytes())
    })
}

/// The least of HTTP, over one connection: for the many writes that would be as many processes.
pub(crate) struct Http {
    stream: BufReader<TcpStream>,
}

impl Http {
    pub(crate) fn connect(url: &str) -> Self {
        let stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// Sends JSON; gives the status.
    pub(crate) fn send(&mut self, method: &str, path: &str, body: &str) -> u16 {
        self.send_as(&format!("Bearer {KEY}"), method, path, body)
    }

    /// The same as somebody else.
    pub(crate) fn send_as(&mut self, authorization: &str, method: &str, path: &str, body: &str) -> u16 {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: {authorization}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let status = self.line().split(' ').nth(1).unwrap().parse().unwrap();
        let mut length = 0;
        loop {
            let line = self.line().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        self.stream.read_exact(&mut vec![0; length]).unwrap();
        status
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}
