//! SQLite's errors in the words of [`StoreError`]. SQLite's texts name tables, never values.

use rusqlite::ErrorCode;

use crate::store::StoreError;

pub(super) fn store_error(error: &rusqlite::Error) -> StoreError {
    let text = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            StoreError::Full(format!("{text}; free some space where the data directory is"))
        }
        Some(ErrorCode::TooBig) => StoreError::Invalid(text),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged(text),
        Some(_) | None => StoreError::Unavailable(text),
    }
}

pub(super) fn io_error(what: &str, error: &std::io::Error) -> StoreError {
    let text = format!("{what}: {error}");
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full(text),
        _ => StoreError::Unavailable(text),
    }
}

/// The answer to every write to a store that was opened for reading only.
pub(super) fn read_only() -> StoreError {
    StoreError::Invalid("the store was opened for reading only".to_owned())
}

/// The answer to every call after `close`.
pub(super) fn closed() -> StoreError {
    StoreError::Unavailable("the store was closed".to_owned())
}
