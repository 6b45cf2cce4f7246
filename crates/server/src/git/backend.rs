//! `git http-backend`, called as a web server calls it, with nothing of our own environment.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use http::{HeaderMap, HeaderName, header};
use tokio::process::Command;

use super::GitSettings;
use super::place::Place;
use super::process::Process;
use super::pushed::{self, Pushed};

/// Which version of the protocol the client speaks (git's `gitprotocol-v2`).
const GIT_PROTOCOL: HeaderName = HeaderName::from_static("git-protocol");

/// The longest header that is passed on: what clients send is short.
const LONGEST: usize = 256;

/// One call of it.
pub(super) struct Backend<'a> {
    pub(super) settings: &'a GitSettings,
    /// The directory of the realm's repositories, as an absolute path.
    pub(super) directory: &'a Path,
    pub(super) place: Place,
    /// Who pushes: set only where that is allowed. Without it git itself refuses a push.
    pub(super) user: Option<&'a str>,
    pub(super) headers: &'a HeaderMap,
    /// Where it is written down what a push changes, if that is to be told.
    pub(super) pushed: Option<&'a Pushed>,
}

impl Backend<'_> {
    /// Starts it, as the first of a process group of its own.
    pub(super) fn start(&self) -> io::Result<Process> {
        let mut command = Command::new(&self.settings.program);
        command
            .arg("http-backend")
            .env_clear()
            .envs(self.environment())
            .current_dir(self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        Process::new(command.spawn()?)
    }

    fn environment(&self) -> Vec<(String, OsString)> {
        let mut variables = ours(self.directory);
        variables.extend::<[(&str, OsString); 4]>([
            ("GIT_HTTP_EXPORT_ALL", "1".into()),
            ("GIT_PROJECT_ROOT", self.directory.into()),
            ("PATH_INFO", self.place.path_info().into()),
            ("REQUEST_METHOD", if self.place.advertises { "GET" } else { "POST" }.into()),
        ]);
        if let Some(pushed) = self.pushed {
            variables.push((pushed::VARIABLE, pushed.file.as_os_str().into()));
        }
        if self.place.advertises {
            variables.push(("QUERY_STRING", format!("service={}", self.place.service.name()).into()));
        }
        if let Some(user) = self.user {
            variables.push(("REMOTE_USER", user.into()));
        }
        let passed = [
            (header::CONTENT_TYPE, "CONTENT_TYPE"),
            (header::CONTENT_LENGTH, "CONTENT_LENGTH"),
            (header::CONTENT_ENCODING, "HTTP_CONTENT_ENCODING"),
            (GIT_PROTOCOL, "GIT_PROTOCOL"),
        ];
        for (name, variable) in passed {
            if let Some(value) = plain(self.headers, &name) {
                variables.push((variable, value.into()));
            }
        }
        let hooks = self.pushed.map_or(Path::new("/dev/null"), |pushed| pushed.hooks.as_path());
        let settings = configuration(self.settings, hooks);
        variables.push(("GIT_CONFIG_COUNT", settings.len().to_string().into()));
        let mut variables: Vec<_> =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        for (n, (name, value)) in settings.into_iter().enumerate() {
            variables.push((format!("GIT_CONFIG_KEY_{n}"), name.into()));
            variables.push((format!("GIT_CONFIG_VALUE_{n}"), value));
        }
        variables
    }
}

/// What each of git's programs gets: only what is said with the call counts, and what we wrote into each repository.
fn ours(directory: &Path) -> Vec<(&'static str, OsString)> {
    vec![
        ("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into())),
        ("HOME", directory.into()),
        ("LC_ALL", "C".into()),
        ("GIT_CONFIG_NOSYSTEM", "1".into()),
        ("GIT_CONFIG_GLOBAL", "/dev/null".into()),
        ("GIT_TERMINAL_PROMPT", "0".into()),
    ]
}

/// Another of git's programs, on a repository that lies there.
pub(super) fn clean(settings: &GitSettings, repository: &Path) -> Command {
    let mut command = Command::new(&settings.program);
    command.env_clear().envs(ours(repository)).env("GIT_DIR", repository).current_dir(repository);
    command.args(["-c", "safe.directory=*"]);
    command
}

/// A header that holds nothing but what such headers hold.
fn plain<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let value = headers.get(name)?.to_str().ok()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:;=/+, ".contains(&byte);
    Some(value).filter(|value| value.len() <= LONGEST && value.bytes().all(fits))
}

/// More than git's files say, and than anything in a repository can.
fn configuration(settings: &GitSettings, hooks: &Path) -> Vec<(&'static str, OsString)> {
    vec![
        // The directory may be of another user where it is a mounted one; whose it is, the operator has decided.
        ("safe.directory", "*".into()),
        ("http.getanyfile", "false".into()),
        ("core.hooksPath", hooks.into()),
        // A push that was answered outlasts a power cut.
        ("core.fsync", "committed".into()),
        // Larger blobs are streamed by git's processes, not held in their memory.
        ("core.bigFileThreshold", "16m".into()),
        ("pack.threads", "1".into()),
        ("pack.windowMemory", "64m".into()),
        ("uploadpack.allowFilter", "true".into()),
        ("receive.maxInputSize", settings.max_push.unwrap_or_default().to_string().into()),
        // What a client could trip over later is refused now, but for what old repositories are full of.
        ("receive.fsckObjects", "true".into()),
        ("receive.fsck.zeroPaddedFilemode", "ignore".into()),
        ("receive.fsck.missingSpaceBeforeDate", "ignore".into()),
        ("receive.fsck.badTimezone", "ignore".into()),
        // It tidies up in its own process group, so that it counts as part of the push.
        ("gc.autoDetach", "false".into()),
    ]
}

/// Where git's programs are, if it has all that is needed; an error says what is missing.
pub(super) async fn find(settings: &GitSettings) -> Result<PathBuf, String> {
    let mut command = Command::new(&settings.program);
    let asked = command.arg("--exec-path").stdin(Stdio::null()).output().await;
    let answer = asked.map_err(|error| format!("`{}`: {error}", settings.program.display()))?;
    let path = PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim());
    let backend = path.join("git-http-backend");
    if answer.status.success() && backend.exists() {
        Ok(backend)
    } else {
        Err(format!("`{}` has no `git http-backend`", settings.program.display()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed test panics")]
    use std::collections::BTreeMap;

    use http::Method;

    use super::*;

    const ID: &str = "0b5d8ff5-1a3c-4a87-8f6e-2c6a8f1d9e40";

    fn environment(
        method: &Method,
        rest: &str,
        user: Option<&str>,
        headers: &HeaderMap,
    ) -> BTreeMap<String, String> {
        let query = rest.split_once('?').map(|(_, query)| query);
        let path = format!("/{ID}/{}", rest.split('?').next().unwrap());
        let (settings, place) = (GitSettings::default(), Place::of(method, &path, query).unwrap());
        let (directory, pushed) = (Path::new("/data/git/default"), None);
        let backend = Backend { settings: &settings, directory, place, user, headers, pushed };
        let variables = backend.environment();
        let count = variables.len();
        let variables: BTreeMap<_, _> =
            variables.into_iter().map(|(name, value)| (name, value.into_string().unwrap())).collect();
        assert_eq!(variables.len(), count, "each is set once");
        variables
    }

    #[test]
    fn a_request_as_git_hears_of_it() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", "application/x-git-upload-pack-request"),
            ("content-length", "12"),
            ("content-encoding", "gzip"),
            ("git-protocol", "version=2"),
            ("authorization", "Basic eDpnZGlfMQ=="),
            ("cookie", "a=b"),
            ("proxy", "http://evil"),
        ] {
            headers.insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        let set = environment(&Method::POST, "git-upload-pack", None, &headers);
        assert_eq!(set["PATH_INFO"], format!("/{ID}.git/git-upload-pack"));
        assert_eq!(set["GIT_PROJECT_ROOT"], "/data/git/default");
        assert_eq!(set["REQUEST_METHOD"], "POST");
        assert_eq!(set["CONTENT_TYPE"], "application/x-git-upload-pack-request");
        assert_eq!(set["CONTENT_LENGTH"], "12");
        assert_eq!(set["HTTP_CONTENT_ENCODING"], "gzip");
        assert_eq!(set["GIT_PROTOCOL"], "version=2");
        for absent in ["REMOTE_USER", "QUERY_STRING", "HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_PROXY"] {
            assert!(!set.contains_key(absent), "{absent}");
        }
        assert!(!set.values().any(|value| value.contains("eDpnZGlfMQ")), "no credential reaches git");
    }

    #[test]
    fn who_may_write_has_a_name() {
        let rest = "info/refs?service=git-receive-pack";
        let set = environment(&Method::GET, rest, Some("identity:1"), &HeaderMap::new());
        assert_eq!(set["REMOTE_USER"], "identity:1");
        assert_eq!(set["QUERY_STRING"], "service=git-receive-pack");
        assert_eq!(set["PATH_INFO"], format!("/{ID}.git/info/refs"));
        assert!(!set.contains_key("CONTENT_LENGTH"));
    }

    #[test]
    fn what_is_no_such_header_is_left_out() {
        for value in ["version=2\"; rm", "$(x)", &"v".repeat(LONGEST + 1)] {
            let mut headers = HeaderMap::new();
            headers.insert(GIT_PROTOCOL, value.parse().unwrap());
            let set = environment(&Method::POST, "git-upload-pack", None, &headers);
            assert!(!set.contains_key("GIT_PROTOCOL"), "{value}");
        }
    }

    #[test]
    fn settings_are_handed_over_one_by_one() {
        let set = environment(&Method::POST, "git-upload-pack", None, &HeaderMap::new());
        let count: usize = set["GIT_CONFIG_COUNT"].parse().unwrap();
        let pairs: BTreeMap<_, _> = (0..count)
            .map(|n| (&*set[&*format!("GIT_CONFIG_KEY_{n}")], &*set[&*format!("GIT_CONFIG_VALUE_{n}")]))
            .collect();
        assert_eq!(pairs.len(), count);
        assert_eq!(pairs["http.getanyfile"], "false");
        assert_eq!(pairs["core.hooksPath"], "/dev/null");
        assert!(!pairs.contains_key("http.receivepack"), "a push needs a name");
    }
}
