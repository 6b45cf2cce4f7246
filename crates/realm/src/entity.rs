//! Stored properties of subjects and resources, which need no other record.

use std::sync::Arc;

use grantd_engine::{Object, ObjectRef};
use imbl::OrdMap;

use crate::State;
use crate::caller::Authority;
use crate::change::{Change, shared};
use crate::command::{Command, Context, Decision};
use crate::refusal::{Noun, Refusal};

/// The longest properties that an entity may have, in bytes of JSON.
pub const MAX_PROPERTIES: usize = 64 * 1024;

/// The stored properties, as JSON text, by entity.
#[derive(Clone, Default)]
pub struct Entities {
    pub(crate) by_object: OrdMap<Object, Arc<str>>,
}

impl Entities {
    /// The properties of one, as JSON text.
    pub fn get(&self, object: &Object) -> Option<&str> {
        self.by_object.get(object).map(AsRef::as_ref)
    }

    pub(crate) fn put(&mut self, object: &Object, properties: &str) {
        self.by_object.insert(object.clone(), shared(properties));
    }

    pub(crate) fn forget(&mut self, object: ObjectRef<'_>) {
        if let Ok(object) = Object::new(object.kind, object.id) {
            self.by_object.remove(&object);
        }
    }

    pub(crate) fn delete(&mut self, object: &Object) -> Result<(), String> {
        self.by_object.remove(object).map(|_| ()).ok_or_else(|| format!("there is no entity `{object}`"))
    }
}

/// Stores an entity's properties, replacing what was there.
pub struct PutEntity {
    /// Which.
    pub object: Object,
    /// A JSON object as text, in one canonical form.
    pub properties: String,
}

impl Command for PutEntity {
    type Answer = ();
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, _: &mut Context<'_>) -> Result<Decision<()>, Refusal> {
        if self.properties.len() > MAX_PROPERTIES {
            return Err(Refusal::invalid("properties", "must be at most 64 KiB of JSON"));
        }
        if state.entities().get(&self.object) == Some(&self.properties) {
            return Ok(Decision::unchanged(()));
        }
        let change = Change::EntityPut { object: self.object.clone(), properties: self.properties.clone() };
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
        if state.entities().get(&self.object).is_none() {
            return Err(Refusal::not_found(Noun::Entity, &self.object));
        }
        Ok(Decision::one(Change::EntityDeleted { object: self.object.clone() }, ()))
    }
}
