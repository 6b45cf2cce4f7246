//! What a push has changed, as git itself tells it once the branches are moved: by a hook of ours, which writes it to a file. So it is
//! exact where several push at once, and what a crash leaves is found again.

use std::fs;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

/// Where the hook is, and where it writes, below the directory of the repositories. No realm has such a name.
const HOOKS: &str = ".hooks";
const PUSHED: &str = ".pushed";

/// The hook. It ends before the push is answered.
const HOOK: &str = "#!/bin/sh\ncat >\"$GRANTD_PUSHED.new\" && mv \"$GRANTD_PUSHED.new\" \"$GRANTD_PUSHED\"\n";

/// Tells the hook where to write.
pub(super) const VARIABLE: &str = "GRANTD_PUSHED";

/// The most that is read of what it wrote, and the most branches that one push is told of.
const LONGEST: u64 = 1 << 20;
const MOST: usize = 100;

/// From then on nobody is at it any more: its server has ended before it could read it.
const LEFT: Duration = Duration::from_secs(60);

/// A push whose changes are to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pushed {
    /// The directory of the hook, for git's `core.hooksPath`.
    pub(super) hooks: PathBuf,
    /// The file that it writes.
    pub(super) file: PathBuf,
}

/// A branch that was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) branch: String,
    /// Where from; `None`: it is a new one.
    pub(super) from: Option<String>,
    pub(super) to: String,
}

impl Pushed {
    /// Prepares a push to a repository. The directory is an absolute path.
    pub(super) fn prepare(directory: &Path, realm: &str, repository: Uuid) -> io::Result<Self> {
        let (hooks, place) = (directory.join(HOOKS), directory.join(PUSHED).join(realm));
        let mut private = fs::DirBuilder::new();
        private.mode(0o700).recursive(true);
        private.create(&place)?;
        let hook = hooks.join("post-receive");
        if fs::read(&hook).ok().as_deref() != Some(HOOK.as_bytes()) {
            private.create(&hooks)?;
            let new = hooks.join(format!(".{}", Uuid::new_v4()));
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o700).open(&new)?;
            file.write_all(HOOK.as_bytes())?;
            drop(file);
            fs::rename(new, hook)?;
        }
        Ok(Self { hooks, file: place.join(format!("{repository}.{}", Uuid::new_v4())) })
    }

    /// The files that nobody has read, each with its repository.
    pub(super) fn left(directory: &Path, realm: &str) -> io::Result<Vec<(Uuid, PathBuf)>> {
        let entries = match fs::read_dir(directory.join(PUSHED).join(realm)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut left = Vec::new();
        for entry in entries {
            let entry = entry?;
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            let name = entry.file_name();
            let mut parts = name.to_str().unwrap_or_default().split('.');
            let repository = parts.next().and_then(|id| Uuid::try_parse(id).ok());
            match (repository, parts.nth(1)) {
                _ if age < LEFT => {}
                (Some(repository), None) => left.push((repository, entry.path())),
                // A hook that did not come to its end: the branches that it would have named are not known.
                _ => fs::remove_file(entry.path())?,
            }
        }
        Ok(left)
    }

    /// The realms in which files may have been left.
    pub(super) fn realms(directory: &Path) -> Vec<String> {
        let Ok(entries) = fs::read_dir(directory.join(PUSHED)) else { return Vec::new() };
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
    }
}

/// What the hook wrote; nothing if it did not.
pub(super) fn read(file: &Path) -> io::Result<Vec<Moved>> {
    let mut text = String::new();
    match fs::File::open(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?.take(LONGEST).read_to_string(&mut text)?,
    };
    Ok(text.lines().filter_map(moved).take(MOST).collect())
}

/// `<old> <new> <ref>`. Only branches are told of, and none that is gone.
fn moved(line: &str) -> Option<Moved> {
    let mut parts = line.splitn(3, ' ');
    let (from, to, name) = (parts.next()?, parts.next()?, parts.next()?);
    let branch = name.strip_prefix("refs/heads/")?;
    let is_nothing = |id: &str| id.bytes().all(|b| b == b'0');
    let is_id = |id: &str| [40, 64].contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_id(from) || !is_id(to) || is_nothing(to) {
        return None;
    }
    let from = Some(from).filter(|from| !is_nothing(from)).map(str::to_owned);
    Some(Moved { branch: branch.into(), from, to: to.into() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn branches_are_told_of_and_nothing_else() {
        let (zero, one, two) = ("0".repeat(40), "1".repeat(40), "2".repeat(40));
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("x");
        let lines = [
            format!("{one} {two} refs/heads/main"),
            format!("{zero} {two} refs/heads/a/b"),
            format!("{one} {zero} refs/heads/gone"),
            format!("{zero} {two} refs/tags/v1"),
            format!("{one} refs/heads/short"),
            "../x y refs/heads/odd".to_owned(),
        ];
        fs::write(&file, lines.join("\n")).unwrap();
        let moved = |branch: &str, from| Moved { branch: branch.into(), from, to: two.clone() };
        assert_eq!(read(&file).unwrap(), [moved("main", Some(one)), moved("a/b", None)]);
        assert_eq!(read(&directory.path().join("none")).unwrap(), []);
    }

    #[test]
    fn what_is_left_is_found_once_it_is_old() {
        let directory = tempfile::tempdir().unwrap();
        let id = Uuid::new_v4();
        let pushed = Pushed::prepare(directory.path(), "default", id).unwrap();
        assert_eq!(fs::read_to_string(pushed.hooks.join("post-receive")).unwrap(), HOOK);
        fs::write(&pushed.file, "").unwrap();
        let half = pushed.file.with_extension("x.new");
        fs::write(&half, "").unwrap();
        assert_eq!(Pushed::left(directory.path(), "default").unwrap(), []);
        let old = std::time::SystemTime::now() - 2 * LEFT;
        for file in [&pushed.file, &half] {
            fs::File::options().write(true).open(file).unwrap().set_modified(old).unwrap();
        }
        assert_eq!(Pushed::left(directory.path(), "default").unwrap(), [(id, pushed.file)]);
        assert!(!half.exists());
        assert_eq!(Pushed::realms(directory.path()), ["default"]);
    }
}
