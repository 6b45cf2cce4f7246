//! The files of archives: written so that one with its name is whole, and gone over from beginning to end.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use grantd_ledger::archive::{ArchiveError, ArchiveReader, ArchiveWriter};
use grantd_ledger::base::BaseState;
use grantd_ledger::chain::ChainVerifier;
use grantd_ledger::entry::{Disclosed, Entry};
use grantd_ledger::store::{Head, StoreError};

/// An archive whose file is wrong, or cannot be used here.
#[derive(Debug, thiserror::Error)]
#[error("archive `{path}`: {error}")]
pub struct ArchiveFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub error: ArchiveError,
}

pub(super) type Reader = ArchiveReader<BufReader<File>>;
pub(super) type Writer = ArchiveWriter<BufWriter<File>>;

/// What says that an error is about this file.
pub(super) fn about(path: &Path) -> impl Fn(ArchiveError) -> ArchiveFileError {
    let path = path.to_owned();
    move |error| ArchiveFileError { path: path.clone(), error }
}

/// Begins to read an archive.
pub(super) fn open(path: &Path) -> Result<Reader, ArchiveFileError> {
    let opened = File::open(path).map_err(ArchiveError::from);
    opened.and_then(|file| ArchiveReader::new(BufReader::new(file))).map_err(about(path))
}

/// The realm whose ledger an archive is of.
pub fn realm_of_archive(path: &Path) -> Result<String, ArchiveFileError> {
    Ok(open(path)?.realm().to_owned())
}

/// A file that gets its name when it is whole and on stable storage; until then it is called `<name>.part`, which the next
/// attempt writes anew.
pub(super) struct NewFile {
    part: PathBuf,
    path: PathBuf,
}

impl NewFile {
    pub(super) fn begin(
        path: &Path,
        realm: &str,
        begin: Option<&BaseState>,
    ) -> Result<(Self, Writer), ArchiveFileError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let new = Self { part: path.with_file_name(name), path: path.to_owned() };
        let make = || {
            match fs::remove_file(&new.part) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            options.open(&new.part)
        };
        let file = make().map_err(ArchiveError::from).map_err(about(&new.part))?;
        let writer = ArchiveWriter::new(BufWriter::new(file), realm, begin).map_err(about(path))?;
        Ok((new, writer))
    }

    /// Makes it durable, reads it from beginning to end, and gives it its name.
    pub(super) fn finish(self, writer: Writer, end: &BaseState) -> Result<(), ArchiveFileError> {
        let finish = || {
            let mut out = writer.finish(end)?;
            out.flush()?;
            out.get_ref().sync_all()?;
            let read = Whole::read(&self.part).map_err(|error| error.error)?;
            if read.end != *end {
                return Err(ArchiveError::Damaged("it is not what was written".to_owned()));
            }
            fs::rename(&self.part, &self.path)?;
            let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
            Ok(())
        };
        finish().map_err(about(&self.path))
    }
}

/// An archive that was gone over: its entries are chained from its beginning to its end.
pub(super) struct Whole {
    pub(super) realm: String,
    pub(super) begin: Option<BaseState>,
    pub(super) end: BaseState,
}

impl Whole {
    /// Goes over a file.
    pub(super) fn read(path: &Path) -> Result<Self, ArchiveFileError> {
        let read = || {
            let mut entries = Chained::of(open(path).map_err(|error| error.error)?);
            for entry in entries.by_ref() {
                entry?;
            }
            let (reached, reader) = (entries.chain.head(), entries.reader);
            let (realm, begin) = (reader.realm().to_owned(), reader.begin().cloned());
            let end = reader.finish()?;
            if reached != Some(end.base.head) {
                return Err(damaged("its entries do not lead to its end"));
            }
            if end.base.checkpoint().verify().is_err() {
                return Err(damaged("its end does not have the signature of its checkpoint"));
            }
            Ok(Self { realm, begin, end })
        };
        read().map_err(about(path))
    }

    pub(super) fn begin_head(&self) -> Option<Head> {
        self.begin.as_ref().map(|begin| begin.base.head)
    }
}

fn damaged(what: &str) -> ArchiveError {
    ArchiveError::Damaged(what.to_owned())
}

/// The entries of an archive, each chained to the one before. It ends with the first that is wrong.
pub(super) struct Chained {
    reader: Reader,
    chain: ChainVerifier,
    broken: bool,
}

impl Chained {
    pub(super) fn of(reader: Reader) -> Self {
        let begin = reader.begin().map(|begin| begin.base.head);
        let chain = begin.map_or_else(ChainVerifier::new, ChainVerifier::after);
        Self { reader, chain, broken: false }
    }

    fn read(&mut self) -> Result<Option<Entry>, ArchiveError> {
        let Some(entry) = self.reader.next_entry()? else { return Ok(None) };
        let disclosed = Disclosed { entry, disclosures: Vec::new() };
        self.chain.push(&disclosed).map_err(|broken| damaged(&broken.to_string()))?;
        Ok(Some(disclosed.entry))
    }
}

impl Iterator for Chained {
    type Item = Result<Entry, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.broken {
            return None;
        }
        let next = self.read().transpose();
        self.broken = matches!(next, Some(Err(_)));
        next
    }
}

/// As a store's error, for entries that go into one.
pub(super) fn as_store_error(error: &ArchiveError) -> StoreError {
    StoreError::Invalid(error.to_string())
}
