//! The branches and tags of a repository, read as git stores them: one file each below `refs/`, and the rest in `packed-refs`
//! (git's `gitrepository-layout`). A program started for each line of a list would be slow.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

/// The most of each kind that are told.
const MOST: usize = 10_000;

/// How many directories deep a name is followed.
const DEEPEST: usize = 16;

/// What a repository has, by short name, each with the id of the object that it names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Refs {
    /// The branches.
    pub(crate) branches: BTreeMap<String, String>,
    /// The tags.
    pub(crate) tags: BTreeMap<String, String>,
}

impl Refs {
    /// Of a bare repository; nothing of one that is not there.
    pub(super) fn read(repository: &Path) -> Self {
        let mut refs = Self::default();
        // A file of its own is newer than a line of the pack.
        refs.read_packed(&repository.join("packed-refs"));
        for (kind, found) in [("refs/heads", &mut refs.branches), ("refs/tags", &mut refs.tags)] {
            read_loose(&repository.join(kind), "", found, 0);
        }
        refs
    }

    fn read_packed(&mut self, file: &Path) {
        let Ok(file) = File::open(file) else { return };
        for line in BufReader::new(file).lines() {
            let Ok(line) = line else { return };
            let Some((id, name)) = line.split_once(' ').filter(|(id, _)| is_id(id)) else { continue };
            if let Some(branch) = name.strip_prefix("refs/heads/") {
                keep(&mut self.branches, branch, id);
            } else if let Some(tag) = name.strip_prefix("refs/tags/") {
                keep(&mut self.tags, tag, id);
            }
        }
    }
}

fn read_loose(directory: &Path, prefix: &str, found: &mut BTreeMap<String, String>, depth: usize) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let Ok(name) = entry.file_name().into_string() else { continue };
        let name = format!("{prefix}{name}");
        if kind.is_dir() && depth < DEEPEST {
            read_loose(&entry.path(), &format!("{name}/"), found, depth + 1);
        } else if kind.is_file() && !name.ends_with(".lock") {
            let mut text = String::new();
            let read = File::open(entry.path()).and_then(|file| file.take(256).read_to_string(&mut text));
            let id = text.trim();
            if read.is_ok() && is_id(id) {
                keep(found, &name, id);
            }
        }
    }
}

fn keep(found: &mut BTreeMap<String, String>, name: &str, id: &str) {
    if found.len() < MOST || found.contains_key(name) {
        found.insert(name.to_owned(), id.to_owned());
    }
}

/// An object's id: SHA-1 or SHA-256 in hex.
fn is_id(text: &str) -> bool {
    [40, 64].contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn a_file_of_its_own_is_newer_than_the_pack() {
        let repository = tempfile::tempdir().unwrap();
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        let put = |name: &str, text: &str| {
            let path = repository.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let peeled = format!("^{two}");
        let packed = [
            "# pack-refs with: peeled fully-peeled sorted ",
            &format!("{one} refs/heads/a/b"),
            &format!("{one} refs/heads/main"),
            &format!("{one} refs/tags/v1"),
            &peeled,
            &format!("{one} refs/notes/x"),
        ];
        put("packed-refs", &packed.join("\n"));
        put("refs/heads/main", &format!("{two}\n"));
        put("refs/heads/main.lock", &one);
        put("refs/heads/c/d", &format!("{two}\n"));
        put("refs/heads/odd", "ref: refs/heads/main\n");
        let refs = Refs::read(repository.path());
        let named = |found: &BTreeMap<String, String>| -> Vec<(String, String)> {
            found.iter().map(|(name, id)| (name.clone(), id.clone())).collect()
        };
        let expected = [("a/b", &one), ("c/d", &two), ("main", &two)];
        assert_eq!(named(&refs.branches), expected.map(|(name, id)| (name.to_owned(), id.clone())));
        assert_eq!(named(&refs.tags), [("v1".to_owned(), one)]);
    }

    #[test]
    fn what_is_not_there_has_none() {
        assert_eq!(Refs::read(Path::new("/nowhere")), Refs::default());
    }
}
