//! The bare repositories on the disk: `<directory>/<realm>/<uuid>.git`.
//!
//! The ledger says which there are; what lies here is made when it is first needed and never served without its record. One is
//! made beside its place and moved there when it is whole, and taken away by moving it out of its place first, so that whatever
//! interrupts either, there is a whole repository or none.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// In each repository: the life of the ledger in which it was made.
const LEDGER_FILE: &str = "grantd-ledger";

/// Begins the names of what is being made, and of what is being taken away.
const MAKING: &str = ".making-";
const REMOVING: &str = ".removing-";

/// What the file `config` of each says. The rest is git's default, or given with each call.
const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";

/// All of them. Its functions wait for the disk.
#[derive(Debug, Clone)]
pub(super) struct Repositories {
    directory: PathBuf,
}

/// What is to be told of one that was looked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stray {
    /// It has no record in the ledger's life in which it was made: it was deleted.
    Removed,
    /// It has no record in another life: the ledger was restored or copied. It is left to the operator.
    Left,
}

impl Repositories {
    /// Below this directory, which is made when it is needed.
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Their directory, as an absolute path.
    pub(super) fn absolute(&self) -> io::Result<PathBuf> {
        fs::canonicalize(&self.directory)
    }

    /// The directory of a realm's.
    pub(super) fn of_realm(&self, realm: &str) -> PathBuf {
        self.directory.join(realm)
    }

    /// Where a repository is, or would be.
    pub(super) fn place(&self, realm: &str, id: Uuid) -> PathBuf {
        self.of_realm(realm).join(format!("{id}.git"))
    }

    /// Makes a repository unless it is there, and sees to it that its `HEAD` names this branch. Gives the realm's directory.
    pub(super) fn prepare(
        &self,
        realm: &str,
        id: Uuid,
        ledger_id: Uuid,
        branch: &str,
    ) -> io::Result<PathBuf> {
        let (directory, place) = (self.of_realm(realm), self.place(realm, id));
        if !place.is_dir() {
            private().recursive(true).create(&directory)?;
            let made = directory.join(format!("{MAKING}{}", Uuid::new_v4()));
            let done = make(&made, ledger_id, branch).and_then(|()| fs::rename(&made, &place));
            if let Err(error) = done {
                let _left_to_the_sweep = fs::remove_dir_all(&made);
                // Two that made it at once are no error: one of them has.
                if !place.is_dir() {
                    return Err(error);
                }
            }
            sync(&directory)?;
        }
        let head = head(branch);
        if read_short(&place.join("HEAD"))? != head {
            let next = place.join(format!("{MAKING}{}", Uuid::new_v4()));
            write(&next, &head)?;
            fs::rename(&next, place.join("HEAD"))?;
            sync(&place)?;
        }
        fs::canonicalize(directory)
    }

    /// Takes a repository away, if it is there.
    pub(super) fn remove(&self, realm: &str, id: Uuid) -> io::Result<()> {
        let directory = self.of_realm(realm);
        let removing = directory.join(format!("{REMOVING}{}", Uuid::new_v4()));
        match fs::rename(self.place(realm, id), &removing) {
            Ok(()) => {
                sync(&directory)?;
                fs::remove_dir_all(removing)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The ids of what lies in a realm's directory, each with the life of the ledger in which it was made. What an interrupted removal
    /// left is taken away, and what an interrupted making did, once it is old.
    pub(super) fn there(&self, realm: &str) -> io::Result<Vec<(Uuid, Option<Uuid>)>> {
        let entries = match fs::read_dir(self.of_realm(realm)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if name.starts_with(REMOVING) || name.starts_with(MAKING) && is_old(&entry)? {
                let _next_time = fs::remove_dir_all(entry.path());
            } else if let Some(id) = name.strip_suffix(".git").and_then(|id| Uuid::try_parse(id).ok()) {
                let life = read_short(&entry.path().join(LEDGER_FILE)).ok();
                found.push((id, life.and_then(|life| Uuid::try_parse(life.trim()).ok())));
            }
        }
        Ok(found)
    }

    /// Takes away a repository without a record, if it is sure that it had one which was deleted: it was made in this life of the
    /// ledger, which only grows.
    pub(super) fn stray(
        &self,
        realm: &str,
        id: Uuid,
        made_in: Option<Uuid>,
        ledger_id: Uuid,
    ) -> io::Result<Stray> {
        if made_in != Some(ledger_id) {
            return Ok(Stray::Left);
        }
        self.remove(realm, id).map(|()| Stray::Removed)
    }

    /// The realms that have a directory here.
    pub(super) fn realms(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.to_owned()));
        Ok(names.filter(|name| grantd_node::realm::realms::check_name(name).is_ok()).collect())
    }
}

/// What `git init --bare` makes, without its templates.
fn make(at: &Path, ledger_id: Uuid, branch: &str) -> io::Result<()> {
    for directory in ["", "objects", "objects/info", "objects/pack", "refs", "refs/heads", "refs/tags"] {
        private().create(at.join(directory))?;
    }
    write(&at.join("config"), CONFIG)?;
    write(&at.join(LEDGER_FILE), &format!("{ledger_id}\n"))?;
    write(&at.join("HEAD"), &head(branch))?;
    for directory in ["objects", "refs", ""] {
        sync(&at.join(directory))?;
    }
    Ok(())
}

fn head(branch: &str) -> String {
    format!("ref: refs/heads/{branch}\n")
}

fn private() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

fn write(at: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(at)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A file of which no more than a line is expected.
fn read_short(at: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(at)?.take(4 << 10).read_to_string(&mut text)?;
    Ok(text)
}

/// Makes the names in a directory durable.
fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Nobody works on it any more: making one takes milliseconds.
fn is_old(entry: &fs::DirEntry) -> io::Result<bool> {
    let changed = entry.metadata()?.modified()?;
    Ok(changed.elapsed().is_ok_and(|age| age.as_secs() > 3_600))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    const REALM: &str = "default";

    fn all() -> (tempfile::TempDir, Repositories) {
        let directory = tempfile::tempdir().unwrap();
        let repositories = Repositories::new(directory.path().join("git"));
        (directory, repositories)
    }

    fn ids() -> (Uuid, Uuid) {
        (Uuid::new_v4(), Uuid::new_v4())
    }

    #[test]
    fn one_is_made_at_its_first_use_and_then_kept() {
        let (_kept, all) = all();
        let (id, life) = ids();
        let directory = all.prepare(REALM, id, life, "main").unwrap();
        let place = directory.join(format!("{id}.git"));
        assert_eq!(fs::read_to_string(place.join("HEAD")).unwrap(), "ref: refs/heads/main\n");
        fs::write(place.join("refs/heads/main"), "kept").unwrap();
        all.prepare(REALM, id, Uuid::new_v4(), "trunk").unwrap();
        assert_eq!(fs::read_to_string(place.join("HEAD")).unwrap(), "ref: refs/heads/trunk\n");
        assert_eq!(fs::read_to_string(place.join("refs/heads/main")).unwrap(), "kept");
        assert_eq!(all.there(REALM).unwrap(), [(id, Some(life))]);
        let left = fs::read_dir(&directory).unwrap().count() + fs::read_dir(&place).unwrap().count();
        assert_eq!(left, 1 + 5, "nothing but the repository, and in it two directories and three files");
    }

    #[test]
    fn what_was_interrupted_is_none() {
        let (_kept, all) = all();
        let (id, life) = ids();
        let half = all.of_realm(REALM).join(format!("{MAKING}x"));
        fs::create_dir_all(half.join("objects")).unwrap();
        let going = all.of_realm(REALM).join(format!("{REMOVING}x"));
        fs::create_dir_all(going.join("objects")).unwrap();
        assert_eq!(all.there(REALM).unwrap(), []);
        assert!(half.exists(), "somebody may be at it");
        assert!(!going.exists());
        all.prepare(REALM, id, life, "main").unwrap();
        assert_eq!(all.there(REALM).unwrap().len(), 1);
    }

    #[test]
    fn one_is_taken_away_whole() {
        let (_kept, all) = all();
        let (id, life) = ids();
        all.remove(REALM, id).unwrap();
        all.prepare(REALM, id, life, "main").unwrap();
        all.remove(REALM, id).unwrap();
        assert_eq!(fs::read_dir(all.of_realm(REALM)).unwrap().count(), 0);
    }

    #[test]
    fn a_stray_is_taken_away_only_where_its_record_was_deleted() {
        let (_kept, all) = all();
        let (id, life) = ids();
        all.prepare(REALM, id, life, "main").unwrap();
        let other = Uuid::new_v4();
        assert_eq!(all.stray(REALM, id, Some(life), other).unwrap(), Stray::Left);
        assert_eq!(all.stray(REALM, id, None, life).unwrap(), Stray::Left);
        assert!(all.place(REALM, id).exists());
        assert_eq!(all.stray(REALM, id, Some(life), life).unwrap(), Stray::Removed);
        assert!(!all.place(REALM, id).exists());
        assert_eq!(all.realms().unwrap(), [REALM]);
    }
}
