//! When, and knowing what, a question is asked.

use crate::Micros;
use crate::object::ObjectRef;
use crate::value::Properties;

/// When, and knowing what, a question is asked: its time, what the request says, and what the realm has stored.
///
/// A condition sees the properties of the question's subject, action and resource and the request's context as the maps
/// `subject`, `action`, `resource` and `context`. For each name the relationship's own parameters win over the request,
/// and the request over what is stored.
#[derive(Clone, Copy)]
pub struct Circumstances<'a> {
    /// The time of the question.
    pub now: Micros,
    /// What the request says about the subject.
    pub subject: &'a Properties,
    /// What the request says about the action.
    pub action: &'a Properties,
    /// What the request says about the resource.
    pub resource: &'a Properties,
    /// Everything else that the request says.
    pub context: &'a Properties,
    /// What is stored about subjects and resources.
    pub entities: &'a dyn Entities,
}

impl Circumstances<'static> {
    /// A time, and nothing else.
    #[must_use]
    pub fn at(now: Micros) -> Self {
        let none = Properties::EMPTY;
        Self { now, subject: none, action: none, resource: none, context: none, entities: &NoEntities }
    }
}

impl<'a> Circumstances<'a> {
    /// The same with what is stored.
    #[must_use]
    pub fn with_entities(self, entities: &'a dyn Entities) -> Self {
        Self { entities, ..self }
    }
}

/// Stored properties of objects. An object with some is named by them: searches range over it.
pub trait Entities: Sync {
    /// The properties of an object, if it has any stored.
    fn properties(&self, object: ObjectRef<'_>) -> Option<&Properties>;

    /// The ids of a type's objects that have an entry, in order.
    fn ids<'a>(&'a self, kind: &str) -> Box<dyn Iterator<Item = &'a str> + 'a>;
}

/// Nothing is stored.
#[derive(Clone, Copy, Debug)]
pub struct NoEntities;

impl Entities for NoEntities {
    fn properties(&self, _: ObjectRef<'_>) -> Option<&Properties> {
        None
    }

    fn ids<'a>(&'a self, _: &str) -> Box<dyn Iterator<Item = &'a str> + 'a> {
        Box::new(std::iter::empty())
    }
}
