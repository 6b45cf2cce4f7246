//! Stored properties of subjects and resources, which need no other record.

use std::sync::Arc;

use grantd_engine::{Object, ObjectRef, Properties, TypeName};
use imbl::OrdMap;

use crate::State;
use crate::caller::Authority;
use crate::change::{Change, shared};
use crate::command::{Command, Context, Decision};
use crate::refusal::{Noun, Refusal};

/// The longest properties that an entity may have, in bytes of JSON.
pub const MAX_PROPERTIES: usize = 64 * 1024;

/// The stored properties by entity.
#[derive(Clone, Default)]
pub struct Entities {
    by_type: OrdMap<TypeName, OrdMap<Arc<str>, Stored>>,
}

/// What is stored of one entity.
#[derive(Clone)]
struct Stored {
    /// As in the ledger: the state's hash is over this, and a number read from it may print otherwise.
    text: Arc<str>,
    /// As questions see it.
    properties: Properties,
}

impl Entities {
    /// The properties of one, as JSON text.
    pub fn text(&self, object: ObjectRef<'_>) -> Option<&str> {
        self.stored(object).map(|stored| &*stored.text)
    }

    fn stored(&self, object: ObjectRef<'_>) -> Option<&Stored> {
        self.by_type.get(object.kind)?.get(object.id)
    }

    /// Each entity with its properties as JSON text, in order of the objects.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ObjectRef<'_>, &str)> {
        self.by_type.iter().flat_map(|(kind, stored)| {
            stored.iter().map(|(id, one)| (ObjectRef { kind: kind.as_str(), id }, &*one.text))
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.by_type.values().map(OrdMap::len).sum()
    }

    pub(crate) fn put(&mut self, object: &Object, text: &str) {
        // No command makes a text that is no object; one that is gives nobody a property.
        let properties = text.parse().unwrap_or_default();
        let stored = Stored { text: shared(text), properties };
        self.by_type.entry(object.type_name().clone()).or_default().insert(shared(object.id()), stored);
    }

    pub(crate) fn forget(&mut self, object: ObjectRef<'_>) -> bool {
        let Some(stored) = self.by_type.get_mut(object.kind) else { return false };
        let was_there = stored.remove(object.id).is_some();
        if stored.is_empty() {
            self.by_type.remove(object.kind);
        }
        was_there
    }

    pub(crate) fn delete(&mut self, object: &Object) -> Result<(), String> {
        if self.forget(object.as_ref()) { Ok(()) } else { Err(format!("there is no entity `{object}`")) }
    }
}

impl grantd_engine::Entities for Entities {
    fn properties(&self, object: ObjectRef<'_>) -> Option<&Properties> {
        self.stored(object).map(|stored| &stored.properties)
    }

    fn ids<'a>(&'a self, kind: &str) -> Box<dyn Iterator<Item = &'a str> + 'a> {
        Box::new(self.by_type.get(kind).into_iter().flat_map(|stored| stored.keys().map(|id| &**id)))
    }
}

/// Stores an entity's properties, replacing what was there.
pub struct PutEntity {
    /// Which.
    pub object: Object,
    /// What is to be stored.
    pub properties: Properties,
}

impl Command for PutEntity {
    type Answer = ();
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        let properties = self.properties.to_string();
        if properties.len() > MAX_PROPERTIES {
            return Err(Refusal::invalid("properties", "must be at most 64 KiB of JSON"));
        }
        if state.entities().text(self.object.as_ref()) == Some(&properties) {
            return Ok(Decision::unchanged(()));
        }
        let change = Change::EntityPut { object: self.object.clone(), properties };
        Ok(Decision::one(change, ()))
    }
}

/// Forgets an entity's properties.
pub struct DeleteEntity {
    /// Which.
    pub object: Object,
}

impl Command for DeleteEntity {
    type Answer = ();
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        if state.entities().text(self.object.as_ref()).is_none() {
            return Err(Refusal::not_found(Noun::Entity, &self.object));
        }
        Ok(Decision::one(Change::EntityDeleted { object: self.object.clone() }, ()))
    }
}
