//! PostgreSQL's errors in the words of [`StoreError`]: its code and message, never its detail, which quotes rows.

use deadpool::managed::PoolError;
use tokio_postgres::Error;

use crate::store::StoreError;

pub(super) fn store_error(error: &Error) -> StoreError {
    let text = text_of(error);
    let Some(code) = error.code().map(tokio_postgres::error::SqlState::code) else {
        return StoreError::Unavailable(text);
    };
    match code {
        "53100" => StoreError::Full(format!("{text}; free some space on the database server")),
        "XX001" | "XX002" => StoreError::Damaged(text),
        _ if code.starts_with("54") || code.starts_with("22") => StoreError::Invalid(text),
        _ => StoreError::Unavailable(text),
    }
}

/// What an error says, without details that quote rows.
pub(super) fn text_of(error: &Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("PostgreSQL says {}: {}", db.code().code(), db.message()),
        None => describe(error),
    }
}

/// The error and what stands behind it: the outer text alone says only `error connecting to server`.
fn describe(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}

pub(super) fn pool_error(error: PoolError<StoreError>) -> StoreError {
    match error {
        PoolError::Backend(error) => error,
        PoolError::Timeout(_) => {
            StoreError::Unavailable("no connection to PostgreSQL became free in time".to_owned())
        }
        PoolError::Closed => StoreError::Unavailable("the store was closed".to_owned()),
        other => StoreError::Unavailable(other.to_string()),
    }
}

pub(super) fn too_slow() -> StoreError {
    StoreError::Unavailable("PostgreSQL did not answer in time".to_owned())
}

/// The wait for a replica was broken off: what was committed is perhaps not there.
pub(super) fn warned() -> StoreError {
    StoreError::Unavailable(
        "PostgreSQL committed with a warning, so perhaps not on its replica; look at its log".to_owned(),
    )
}
