//! A library that makes each sync of a process take longer, as on a disk that is not a machine's cache.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

/// Compiles the library into a directory.
pub(crate) fn build(directory: &Path) -> anyhow::Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("slow_sync.c");
    let library = directory.join("slow_sync.so");
    let done =
        Command::new("cc").args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(source).status()?;
    ensure!(done.success(), "slow_sync.c cannot be compiled");
    Ok(library)
}
