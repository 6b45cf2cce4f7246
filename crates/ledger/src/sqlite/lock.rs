//! The lock on a data directory: one process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::error::io_error;
use crate::entry::Micros;
use crate::store::StoreError;

pub(super) const FILE: &str = "grantd.lock";

/// Held as long as the store is open. The operating system releases it when the process ends, however it ends.
pub(super) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    pub(super) fn take(dir: &Path, now: Micros) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| io_error("cannot open the lock file of the data directory", &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked(holder(&mut file))),
            Err(TryLockError::Error(error)) => {
                return Err(io_error("cannot lock the data directory", &error));
            }
        }
        write_holder(&mut file, now).map_err(|error| io_error("cannot write the lock file", &error))?;
        Ok(Self { _file: file })
    }
}

fn write_holder(file: &mut File, now: Micros) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "process {} on {} since {}", std::process::id(), host(), rfc3339(now))
}

/// What the holder wrote about itself; it may be just about to write it.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.take(1_024).read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        Ok(_) | Err(_) => "another process".to_owned(),
    }
}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "this host".to_owned())
}

fn rfc3339(time: Micros) -> String {
    jiff::Timestamp::from_microsecond(time)
        .map_or_else(|_| format!("{time} us after 1970"), |time| format!("{time:.0}"))
}
