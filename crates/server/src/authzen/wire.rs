//! The requests as they stand on the wire. Texts are borrowed from the body; members that nobody knows are ignored.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use grantd_node::realm::engine::{ObjectRef, Properties};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::errors::Error;
use crate::properties::JsonProperties;

/// A subject or a resource.
#[derive(Debug, Deserialize)]
pub(super) struct Entity<'b> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Cow<'b, str>,
    #[serde(borrow)]
    pub(super) id: Cow<'b, str>,
    #[serde(default)]
    pub(super) properties: JsonProperties,
}

/// An action.
#[derive(Debug, Deserialize)]
pub(super) struct Action<'b> {
    #[serde(borrow)]
    pub(super) name: Cow<'b, str>,
    #[serde(default)]
    pub(super) properties: JsonProperties,
}

/// The subject or resource that is looked for: an id there is not read.
#[derive(Debug, Deserialize)]
pub(super) struct Sought<'b> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Cow<'b, str>,
    #[serde(default)]
    pub(super) properties: JsonProperties,
}

/// One evaluation, or what an evaluation of a batch says itself.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Evaluation<'b> {
    #[serde(borrow, default, deserialize_with = "object")]
    pub(super) subject: Option<Entity<'b>>,
    #[serde(borrow, default, deserialize_with = "object")]
    pub(super) action: Option<Action<'b>>,
    #[serde(borrow, default, deserialize_with = "object")]
    pub(super) resource: Option<Entity<'b>>,
    pub(super) context: Option<JsonProperties>,
}

/// Many evaluations, with what counts for those that say nothing else.
#[derive(Debug, Deserialize)]
pub(super) struct Evaluations<'b> {
    #[serde(borrow, default, deserialize_with = "object")]
    pub(super) subject: Option<Entity<'b>>,
    #[serde(borrow, default, deserialize_with = "object")]
    pub(super) action: Option<Action<'b>>,
    #[serde(borrow, default, deserialize_with = "object")]
    pub(super) resource: Option<Entity<'b>>,
    pub(super) context: Option<JsonProperties>,
    /// Each is read by itself, so that a broken one does not break the others.
    #[serde(borrow, default)]
    pub(super) evaluations: Option<Vec<&'b RawValue>>,
    #[serde(default, deserialize_with = "object")]
    pub(super) options: Option<Options>,
}

/// How a batch is evaluated.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Options {
    #[serde(default)]
    pub(super) evaluations_semantic: Semantic,
}

/// When a batch stops; the answer then ends with the one that stopped it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Semantic {
    /// At its end.
    #[default]
    ExecuteAll,
    /// At the first no.
    DenyOnFirstDeny,
    /// At the first yes.
    PermitOnFirstPermit,
}

/// Which page of a search.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PageRequest {
    pub(super) limit: Option<usize>,
    pub(super) token: Option<String>,
}

/// Who may do this to that resource?
#[derive(Debug, Deserialize)]
pub(super) struct SubjectSearch<'b> {
    #[serde(borrow, default, deserialize_with = "object")]
    pub(super) subject: Option<Sought<'b>>,
    #[serde(borrow, default, deserialize_with = "object")]
    pub(super) action: Option<Action<'b>>,
    #[serde(borrow, default, deserialize_with = "object")]
    pub(super) resource: Option<Entity<'b>>,
    pub(super) context: Option<JsonProperties>,
    #[serde(default, deserialize_with = "object")]
    pub(super) page: Option<PageRequest>,
}

/// What may this subject do this to?
#[derive(Debug, Deserialize)]
pub(super) struct ResourceSearch<'b> {
    #[serde(borrow, default, deserialize_with = "object")]
    pub(super) subject: Option<Entity<'b>>,
    #[serde(borrow, default, deserialize_with = "object")]
    pub(super) action: Option<Action<'b>>,
    #[serde(borrow, default, deserialize_with = "object")]
    pub(super) resource: Option<Sought<'b>>,
    pub(super) context: Option<JsonProperties>,
    #[serde(default, deserialize_with = "object")]
    pub(super) page: Option<PageRequest>,
}

/// What may this subject do to that resource?
#[derive(Debug, Deserialize)]
pub(super) struct ActionSearch<'b> {
    #[serde(borrow, default, deserialize_with = "object")]
    pub(super) subject: Option<Entity<'b>>,
    #[serde(borrow, default, deserialize_with = "object")]
    pub(super) resource: Option<Entity<'b>>,
    pub(super) context: Option<JsonProperties>,
    #[serde(default, deserialize_with = "object")]
    pub(super) page: Option<PageRequest>,
}

impl Entity<'_> {
    /// As the engine asks about it.
    pub(super) fn object(&self) -> ObjectRef<'_> {
        ObjectRef { kind: &self.kind, id: &self.id }
    }
}

/// A member that must be there.
pub(super) fn required<'r, T>(member: Option<&'r T>, name: &'static str) -> Result<&'r T, Error> {
    member.ok_or_else(|| Error::missing(name))
}

/// A context that may be left out.
pub(super) fn context(said: Option<&JsonProperties>) -> &Properties {
    said.map_or(Properties::EMPTY, |said| &said.0)
}

/// Reads an object or `null`. What serde derives would take an array as well, by position.
fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    struct Object<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = Option<T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
            Ok(None)
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }
    deserializer.deserialize_any(Object(PhantomData))
}
