//! Objects, subjects and actions in bodies: as text (`user:alice`, `role:qa#member`, `user:*`) or as an object
//! (`{"type": "user", "id": "alice"}`, as AuthZEN writes them, with the id raw). As an object they may have `properties`.

use std::fmt;

use grantd_node::realm::engine::{NameError, Object, Properties, Schema, Subject};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::errors::{Error, invalid};
use crate::properties::JsonProperties;

/// An object or subject as it was written.
#[derive(Debug, Clone)]
pub(super) enum Named {
    /// `type:id`, `type:id#relation` or `type:*`, percent-encoded.
    Text(String),
    /// Type and raw id.
    Parts(Parts),
}

/// Type and raw id; a subject may have a relation. What a question says about it besides are its properties.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Parts {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    relation: Option<String>,
    #[serde(default)]
    properties: JsonProperties,
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Named;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text `type:id` or an object with `type` and `id`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Named, E> {
                Ok(Named::Text(text.into()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Named, A::Error> {
                Parts::deserialize(de::value::MapAccessDeserializer::new(map)).map(Named::Parts)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Named {
    /// What the request says about it.
    pub(super) fn properties(&self) -> &Properties {
        match self {
            Self::Text(_) => Properties::EMPTY,
            Self::Parts(parts) => &parts.properties.0,
        }
    }

    /// The object, with the path of a path type in its one spelling.
    pub(super) fn object(&self, field: &'static str, schema: &Schema) -> Result<Object, Error> {
        match self.subject(field, schema)? {
            Subject::Object(object) => Ok(object),
            _ => Err(invalid(field, "must be one object, `type:id`")),
        }
    }

    /// The subject, in its one spelling.
    pub(super) fn subject(&self, field: &'static str, schema: &Schema) -> Result<Subject, Error> {
        let unfit = |problem: NameError| invalid(field, problem.to_string());
        let subject = match self {
            Self::Text(text) => text.parse::<Subject>().map_err(unfit)?,
            Self::Parts(Parts { kind, id, relation, properties: _ }) => {
                let object = Object::new(kind, id).map_err(unfit)?;
                match relation {
                    None => Subject::Object(object),
                    Some(relation) => Subject::Userset(object, relation.parse().map_err(unfit)?),
                }
            }
        };
        let normal = |object: Object| schema.object(object.kind(), object.id()).map_err(unfit);
        Ok(match subject {
            Subject::Object(object) => Subject::Object(normal(object)?),
            Subject::Userset(object, relation) => Subject::Userset(normal(object)?, relation),
            wildcard @ Subject::Wildcard(_) => wildcard,
        })
    }
}

/// An action: its name, or `{"name": ..., "properties": ...}` as AuthZEN writes it.
#[derive(Debug, Clone)]
pub(super) struct Action {
    pub(super) name: String,
    pub(super) properties: Properties,
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Object {
            name: String,
            #[serde(default)]
            properties: JsonProperties,
        }
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Action;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a relation, or an object with `name`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Action, E> {
                Ok(Action { name: text.into(), properties: Properties::default() })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Action, A::Error> {
                Object::deserialize(de::value::MapAccessDeserializer::new(map))
                    .map(|Object { name, properties }| Action { name, properties: properties.0 })
            }
        }
        deserializer.deserialize_any(Either)
    }
}
