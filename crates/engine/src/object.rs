//! Things with a type and an id.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::name::{self, MAX_ID, NameError, TypeName};
use crate::text;

/// An object that is only being asked about: two borrowed texts, not validated.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ObjectRef<'a> {
    /// The type's name.
    pub kind: &'a str,
    /// The id, raw: not percent-encoded.
    pub id: &'a str,
}

/// A thing that relationships can name: a type and an id. A clone is cheap.
///
/// The id is kept raw. The text form is `type:id`, in which `%`, `#`, `*`, `:` and white space of the id are
/// percent-encoded; [`FromStr`] decodes it, and the type ends at the first `:`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    kind: TypeName,
    id: Arc<str>,
}

impl Object {
    /// The object, if `kind` is a type name and `id` is 1 to 1,024 bytes without control characters.
    ///
    /// This knows nothing of path types: [`Schema::object`](crate::Schema::object) also normalises their ids.
    pub fn new(kind: &str, id: &str) -> Result<Self, NameError> {
        Self::of(TypeName::try_new(kind)?, id)
    }

    pub(crate) fn of(kind: TypeName, id: &str) -> Result<Self, NameError> {
        check_id(kind.as_str(), id)?;
        Ok(Self { kind, id: Arc::from(id) })
    }

    /// Parts that were validated when they were stored.
    pub(crate) fn stored(kind: TypeName, id: Arc<str>) -> Self {
        Self { kind, id }
    }

    /// The type's name.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.kind.as_str()
    }

    /// The type's name, as a name.
    #[must_use]
    pub fn type_name(&self) -> &TypeName {
        &self.kind
    }

    /// The id, raw.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn shared_id(&self) -> &Arc<str> {
        &self.id
    }

    /// The object as two borrowed texts.
    #[must_use]
    pub fn as_ref(&self) -> ObjectRef<'_> {
        ObjectRef { kind: self.kind(), id: self.id() }
    }
}

/// Whether there can be an object with these parts.
pub(crate) fn check(kind: &str, id: &str) -> Result<(), NameError> {
    name::check_type(kind)?;
    check_id(kind, id)
}

fn check_id(kind: &str, id: &str) -> Result<(), NameError> {
    if id.is_empty() {
        return Err(NameError::EmptyId(kind.to_owned()));
    }
    if id.len() > MAX_ID {
        return Err(NameError::LongId { kind: kind.to_owned(), bytes: id.len() });
    }
    if id.chars().any(char::is_control) {
        return Err(NameError::Control(kind.to_owned()));
    }
    Ok(())
}

impl<'a> From<&'a Object> for ObjectRef<'a> {
    fn from(object: &'a Object) -> Self {
        object.as_ref()
    }
}

impl fmt::Display for ObjectRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, text::Escaped(self.id))
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl FromStr for Object {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (kind, id) = text.split_once(':').ok_or_else(|| NameError::Form {
            text: text.to_owned(),
            wanted: "an object: write `type:id`, as in `user:alice`",
        })?;
        Self::of(TypeName::try_new(kind)?, &text::unescape(id)?)
    }
}
