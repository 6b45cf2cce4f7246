//! How far a file is imported, in a file beside it.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::export::beside;

/// What is known to be durable.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Marked {
    /// The first so many lines of the file are dealt with.
    pub(super) lines: u64,
    pub(super) written: u64,
    pub(super) unchanged: u64,
    pub(super) refused: u64,
}

/// The mark of one file for one server and realm.
pub(super) struct Mark {
    path: PathBuf,
    of: Of,
}

/// What a mark is about: another file, or another server, has another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Of {
    server: String,
    size: u64,
    /// Of the file, in milliseconds.
    modified: u64,
}

#[derive(Serialize, Deserialize)]
struct Content {
    of: Of,
    done: Marked,
}

impl Mark {
    pub(super) fn new(file: &Path, metadata: &Metadata, server: &str) -> Self {
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = modified.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or_default());
        let of = Of { server: server.to_owned(), size: metadata.len(), modified };
        Self { path: beside(file, "grantd-import"), of }
    }

    pub(super) fn size(&self) -> u64 {
        self.of.size
    }

    /// What was written down, if anything was.
    pub(super) fn read(&self) -> anyhow::Result<Option<Marked>> {
        let about = || format!("`{}`", self.path.display());
        let text = match std::fs::read_to_string(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.with_context(about)?,
        };
        let content: Content = serde_json::from_str(&text).with_context(about)?;
        if content.of.server != self.of.server {
            bail!(
                "{}: that import was into {}; import the file from its beginning, without --resume",
                about(),
                content.of.server
            );
        }
        if content.of != self.of {
            bail!("{}: the file was changed since; import it from its beginning, without --resume", about());
        }
        Ok(Some(content.done))
    }

    /// Writes it down; a crash leaves the one before or this one.
    pub(super) fn write(&self, done: &Marked) -> anyhow::Result<()> {
        let about = || format!("`{}`", self.path.display());
        let next = beside(&self.path, "next");
        let content = serde_json::to_vec(&Content { of: self.of.clone(), done: *done })?;
        let written = File::create(&next).and_then(|mut file| file.write_all(&content));
        written.and_then(|()| std::fs::rename(&next, &self.path)).with_context(about)
    }

    /// The import is at its end.
    pub(super) fn remove(&self) -> anyhow::Result<()> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("`{}`", self.path.display()))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
