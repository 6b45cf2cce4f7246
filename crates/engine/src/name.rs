//! The names of types and relations.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use crate::path::PathError;

/// The most bytes a type or relation name may have.
pub const MAX_NAME: usize = 64;

/// The most bytes an object's id may have.
pub const MAX_ID: usize = 1024;

/// Why a text is not a name, an object, a subject or a key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// Not 1 to 64 bytes of letters, digits, `_` and `-`.
    #[error("`{0}` is not a {1} name: use 1 to 64 of the characters A-Z a-z 0-9 _ -")]
    Name(String, &'static str),
    /// The id has no byte.
    #[error("the id of a `{0}` is empty")]
    EmptyId(String),
    /// The id is longer than [`MAX_ID`] bytes.
    #[error("the id of a `{kind}` has {bytes} bytes: at most 1024 are allowed")]
    LongId {
        /// The object's type.
        kind: String,
        /// How long the id is, after any normalisation.
        bytes: usize,
    },
    /// The id holds a control character.
    #[error("the id of a `{0}` holds a control character")]
    Control(String),
    /// The id of a path type is no path.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A text form without the punctuation it needs.
    #[error("`{text}` is not {wanted}")]
    Form {
        /// What was given.
        text: String,
        /// What would have been right, with an example.
        wanted: &'static str,
    },
    /// A text form whose id holds a character that must be percent-encoded, or a broken `%`.
    #[error("`{0}` is not an id in text form: percent-encode `%`, `#`, `*` and white space, as in `%23`")]
    Escape(String),
}

fn valid(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Whether this is the name of a type, which need not exist.
pub(crate) fn check_type(text: &str) -> Result<(), NameError> {
    if valid(text) { Ok(()) } else { Err(NameError::Name(text.to_owned(), "type")) }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name, if it is 1 to 64 bytes of `[A-Za-z0-9_-]`.
            pub fn try_new(text: &str) -> Result<Self, NameError> {
                if valid(text) {
                    Ok(Self(Arc::from(text)))
                } else {
                    Err(NameError::Name(text.to_owned(), $what))
                }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::try_new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        // Sound for `Hash` and `Ord`: an `Arc<str>` compares and hashes as its `str`.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// The name of a type, such as `user`. A clone is cheap.
    TypeName,
    "type"
);
name!(
    /// The name of a relation, such as `member`. A clone is cheap.
    RelationName,
    "relation"
);
