//! `sqlite://DIR` or `postgres://...`: a store, where a command has to do with two of them.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::bail;
use grantd_node::open::Location;

/// Where a store is.
#[derive(Clone)]
pub(super) enum Address {
    /// A data directory.
    Sqlite(PathBuf),
    /// A connection string, which may hold a password.
    Postgres(String),
    /// Something else. It is said only when it is used, because clap would show it, password and all.
    Unknown,
}

impl Address {
    /// The same for the node.
    pub(super) fn location(&self) -> anyhow::Result<Location> {
        let (data, url) = match self {
            Self::Sqlite(dir) => (dir.clone(), None),
            Self::Postgres(url) => (PathBuf::new(), Some(url.clone())),
            Self::Unknown => {
                bail!("the address of a store must be sqlite://DIR, with a data directory, or postgres://...")
            }
        };
        Ok(Location { data, url, master_key_file: None, unsafe_no_sync: false })
    }

    /// The settings by which a server finds it.
    pub(super) fn as_settings(&self) -> String {
        match self {
            Self::Sqlite(dir) => format!("--data {}", dir.display()),
            Self::Postgres(_) | Self::Unknown => "--store postgres://...".to_owned(),
        }
    }
}

impl FromStr for Address {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        if ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Ok(Self::Postgres(text.to_owned()));
        }
        Ok(match text.strip_prefix("sqlite://") {
            Some(dir) if !dir.is_empty() => Self::Sqlite(dir.into()),
            _ => Self::Unknown,
        })
    }
}

/// Without what may be a password.
impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(dir) => write!(f, "sqlite://{}", dir.display()),
            Self::Postgres(_) => f.write_str("postgres://***"),
            Self::Unknown => f.write_str("***"),
        }
    }
}
