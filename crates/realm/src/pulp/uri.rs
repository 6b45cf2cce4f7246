//! The one spelling of a URI that operations are granted on.

use std::fmt;
use std::sync::Arc;

use grantd_engine::path::{self, PathError};
use grantd_engine::segment;

/// The longest URI, in bytes.
pub const MAX_URI: usize = 1_024;

/// Where the dialect is mounted: dropped from the front, as often as it stands there, so that a URI means the same with and
/// without it and its one spelling stays as it is.
const MOUNT: &str = "pulp/api";

/// Why a text is no URI that operations can be granted on. None of these ever becomes `/`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadUri {
    /// There is nothing.
    #[error("the URI is empty: the root is `/`")]
    Empty,
    /// Two slashes follow each other.
    #[error("the URI has an empty segment: write one `/` between segments")]
    EmptySegment,
    /// A segment leads elsewhere.
    #[error("the URI has the segment `.` or `..`: write the path that is meant")]
    Dots,
    /// A slash that is none.
    #[error("the URI has a `/` in percent-encoded form: two readers could take it for two paths")]
    EncodedSeparator,
    /// A control character, percent-encoded or not.
    #[error("the URI holds a control character")]
    Control,
    /// More than [`MAX_URI`] bytes.
    #[error("the URI is longer than 1024 bytes")]
    TooLong,
    /// More segments than a path may have.
    #[error("the URI has more than 64 segments")]
    TooDeep,
}

/// A URI in its one spelling: `/` or `/v2/users/`. There is no way to one but [`Self::normalise`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PulpUri(Arc<str>);

impl PulpUri {
    /// The one spelling of a URI's path. `/pulp/api` in front is dropped, `/` is added in front and at the end, and every byte is
    /// percent-encoded if it must be and not if it need not (`cases/paths.txt`). The same for what is granted, asked about
    /// and called.
    pub fn normalise(text: &str) -> Result<Self, BadUri> {
        if text.is_empty() {
            return Err(BadUri::Empty);
        }
        if text.len() > MAX_URI + MOUNT.len() + 1 {
            return Err(BadUri::TooLong);
        }
        if text.contains("//") {
            return Err(BadUri::EmptySegment);
        }
        let mut path = text.strip_prefix('/').unwrap_or(text);
        while let Some(below) = below_mount(path) {
            path = below;
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() {
            return Ok(Self(Arc::from("/")));
        }
        path.split('/').try_for_each(check_segment)?;
        let path = format!("/{path}/");
        let normal = path::normalise(&path).map_err(|problem| match problem {
            PathError::Empty => BadUri::Empty,
            PathError::EmptySegment(_) => BadUri::EmptySegment,
            PathError::TooDeep(_) => BadUri::TooDeep,
        })?;
        if path.len() > MAX_URI || normal.len() > MAX_URI {
            return Err(BadUri::TooLong);
        }
        Ok(Self(Arc::from(&*normal)))
    }

    /// The URI of a user.
    pub fn of_user(login: &str) -> Self {
        Self(format!("/v2/users/{}/", segment::encode(login)).into())
    }

    /// The URI of a role.
    pub fn of_role(key: &str) -> Self {
        Self(format!("/v2/roles/{}/", segment::encode(key)).into())
    }

    /// The URI of a role's members.
    pub fn of_members(key: &str) -> Self {
        Self(format!("/v2/roles/{}/users/", segment::encode(key)).into())
    }

    /// The root, which is above everything.
    pub fn root() -> Self {
        Self(Arc::from("/"))
    }

    /// Where every user signs in, and out.
    pub(crate) fn of_signing_in() -> [Self; 2] {
        ["/v2/actions/login/", "/v2/actions/logout/"].map(|uri| Self(Arc::from(uri)))
    }

    /// The id of an object that is stored: it was normal when it was written.
    pub(crate) fn stored(id: &str) -> Self {
        Self(Arc::from(id))
    }

    /// The URI as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PulpUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What follows the mount, if the path begins with it by whole segments.
fn below_mount(path: &str) -> Option<&str> {
    match path.strip_prefix(MOUNT)? {
        "" => Some(""),
        below => below.strip_prefix('/'),
    }
}

fn check_segment(raw: &str) -> Result<(), BadUri> {
    let plain = segment::decode(raw);
    if plain == "." || plain == ".." {
        return Err(BadUri::Dots);
    }
    if plain.contains('/') {
        return Err(BadUri::EncodedSeparator);
    }
    if plain.chars().any(char::is_control) {
        return Err(BadUri::Control);
    }
    Ok(())
}

/// Whether an operation on this path reaches grantd's own users, roles and permissions: it is one of theirs, or above them.
pub(crate) fn administers(path: &str) -> bool {
    const OWN: [&str; 4] = ["/v2/users/", "/v2/roles/", "/v2/permissions/", "/v2/actions/"];
    path == "/" || path == "/v2/" || OWN.iter().any(|own| path.starts_with(own))
}
