//! Relationships written and deleted as such.

use std::collections::HashSet;

use grantd_engine::{
    Filter, Inadmissible, Key, NameError, Object, ObjectRef, RelationName, Relationship, Subject, SubjectRef,
    TypeName,
};

use crate::caller::Authority;
use crate::catalogue::PERMISSION_TYPE;
use crate::change::Change;
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision};
use crate::managed::{at_stake, refuse_managed, require_held};
use crate::refusal::Refusal;
use crate::reserved::require_for_relationship;
use crate::{Micros, State};

/// The key of a relationship that a record stands behind. `field` is what the caller named wrongly if it does not fit.
pub(crate) fn key(
    field: &'static str,
    resource: ObjectRef<'_>,
    relation: &str,
    subject: SubjectRef<'_>,
) -> Result<Key, Refusal> {
    let unfit = |problem: NameError| Refusal::invalid(field, problem.to_string());
    let object = |named: ObjectRef<'_>| Object::new(named.kind, named.id).map_err(unfit);
    let relation_named = |name: &str| RelationName::try_new(name).map_err(unfit);
    let subject = match subject {
        SubjectRef::Object(named) => Subject::Object(object(named)?),
        SubjectRef::Userset(named, relation) => Subject::Userset(object(named)?, relation_named(relation)?),
        SubjectRef::Wildcard(kind) => Subject::Wildcard(TypeName::try_new(kind).map_err(unfit)?),
    };
    Ok(Key { resource: object(resource)?, relation: relation_named(relation)?, subject })
}

/// What must hold for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Which relationship.
    pub key: Key,
    /// Whether it must be there, or must not.
    pub must_exist: bool,
}

/// Writes and deletes relationships, all or none, if everything required holds.
pub struct WriteRelationships {
    /// Made, or replaced if only `until` or the condition differ.
    pub write: Vec<Relationship>,
    /// Removed; one that is absent is no error.
    pub delete: Vec<Key>,
    /// Preconditions, on the state before.
    pub require: Vec<Requirement>,
}

/// What a write came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationshipsWritten {
    /// How many were made or replaced.
    pub written: u64,
    /// How many were removed.
    pub deleted: u64,
}

impl Answer for RelationshipsWritten {
    fn encode(&self, w: &mut Writer) {
        w.u64(self.written);
        w.u64(self.deleted);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { written: r.u64()?, deleted: r.u64()? })
    }
}

impl Command for WriteRelationships {
    type Answer = RelationshipsWritten;
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<RelationshipsWritten>, Refusal> {
        for required in &self.require {
            if exists(state, &required.key, cx.now) != required.must_exist {
                let relationship = required.key.to_string();
                return Err(Refusal::Precondition { relationship, must_exist: required.must_exist });
            }
        }
        let mut named: Vec<&Key> = self.write.iter().map(|r| &r.key).chain(&self.delete).collect();
        named.sort_unstable();
        if let Some(pair) = named.windows(2).find(|pair| pair.first() == pair.last()) {
            let key = pair.first().map(ToString::to_string).unwrap_or_default();
            return Err(Refusal::invalid("write", format!("`{key}` is named twice in one call")));
        }
        let mut changes = Vec::new();
        for relationship in &self.write {
            admit(state, relationship)?;
            refuse_managed(&relationship.key)?;
            require_for_relationship(state, &relationship.key, cx)?;
            require_held(cx.caller, at_stake(state, &relationship.key, cx.now), state, cx.now)?;
            if relationship.until.is_some_and(|until| until <= cx.now) {
                return Err(Refusal::invalid("until", "must be in the future"));
            }
            if state.graph().get(&relationship.key).as_ref() != Some(relationship) {
                changes.push(Change::RelationshipWritten { relationship: relationship.clone() });
            }
        }
        let written = changes.len() as u64;
        for key in &self.delete {
            refuse_managed(key)?;
            require_for_relationship(state, key, cx)?;
            require_held(cx.caller, at_stake(state, key, cx.now), state, cx.now)?;
            // What has ended is absent already; upkeep takes it away.
            if exists(state, key, cx.now) {
                changes.push(Change::RelationshipDeleted { key: key.clone() });
            }
        }
        let deleted = changes.len() as u64 - written;
        Ok(Decision::all(changes, RelationshipsWritten { written, deleted }))
    }
}

impl State {
    /// Up to `limit` relationships that match and exist at `now`, in key order, from the first one after `after`.
    pub fn relationships(
        &self,
        filter: &Filter,
        after: Option<&Key>,
        limit: usize,
        now: Micros,
    ) -> Vec<Relationship> {
        let mut found: Vec<Relationship> = Vec::new();
        let mut after = after.cloned();
        loop {
            let wanted = limit.saturating_sub(found.len());
            let page = self.graph().read(filter, after.as_ref(), wanted);
            let is_last = page.len() < wanted;
            after = page.last().map(|last| last.key.clone()).or(after);
            found.extend(page.into_iter().filter(|one| one.until.is_none_or(|until| now < until)));
            if is_last || found.len() >= limit {
                return found;
            }
        }
    }

    /// How many relationships match and exist at `now`. Sorts nothing.
    pub fn count_relationships(&self, filter: &Filter, now: Micros) -> u64 {
        let ended = self.graph().ended(now, usize::MAX);
        let gone = ended.iter().filter(|key| matches(filter, key)).count() as u64;
        self.graph().count(filter).saturating_sub(gone)
    }

    /// Up to `limit` relationships that match and exist at `now`, in no particular order. Sorts nothing.
    pub fn matching_relationships(&self, filter: &Filter, limit: usize, now: Micros) -> Vec<Key> {
        let gone: HashSet<Key> = self.graph().ended(now, usize::MAX).into_iter().collect();
        let found = self.graph().matching(filter, limit.saturating_add(gone.len()));
        found.into_iter().filter(|key| !gone.contains(key)).take(limit).collect()
    }
}

fn matches(filter: &Filter, key: &Key) -> bool {
    let Filter { resource, relation, subject, resource_type, subject_type } = filter;
    let kind = match &key.subject {
        Subject::Object(object) | Subject::Userset(object, _) => object.type_name(),
        Subject::Wildcard(kind) => kind,
    };
    resource.as_ref().is_none_or(|resource| *resource == key.resource)
        && relation.as_ref().is_none_or(|relation| *relation == key.relation)
        && subject.as_ref().is_none_or(|subject| *subject == key.subject)
        && resource_type.as_ref().is_none_or(|wanted| wanted == key.resource.type_name())
        && subject_type.as_ref().is_none_or(|wanted| wanted == kind)
}

/// A relationship exists while `now < until`.
pub(crate) fn exists(state: &State, key: &Key, now: Micros) -> bool {
    state.graph().get(key).is_some_and(|found| found.until.is_none_or(|until| now < until))
}

/// Refuses a holder of a permission that is not in the catalogue: else one made later would have holders from the start.
fn refuse_unknown_permission(state: &State, key: &Key) -> Result<(), Refusal> {
    let (kind, id) = (key.resource.kind(), key.resource.id());
    let is_number =
        |number: &u64| number.to_string() == id && state.catalogue().permission(*number).is_some();
    if kind != PERMISSION_TYPE || id.parse().ok().as_ref().is_some_and(is_number) {
        return Ok(());
    }
    let problem =
        format!("there is no permission `{id}`: name one by its number, as `GET /api/v1/catalogue` gives it");
    Err(Refusal::invalid("write", problem))
}

/// Refuses what the schema does not admit.
pub(crate) fn admit(state: &State, relationship: &Relationship) -> Result<(), Refusal> {
    refuse_unknown_permission(state, &relationship.key)?;
    state.graph().schema().admits(&relationship.key, relationship.condition.as_ref()).map_err(|problem| {
        let about_condition =
            matches!(problem, Inadmissible::Condition { .. } | Inadmissible::Parameters { .. });
        Refusal::invalid(if about_condition { "condition" } else { "write" }, problem.to_string())
    })
}
