//! The cedar-policy crate: a handful of policies over entities that say who is in what, which is how its makers advise to
//! write role-based and relationship-based rules. Entities and policies are made once; a question makes its request from texts.

mod gdrive;
mod rbac;

use std::collections::HashSet;

use anyhow::ensure;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression,
};

use crate::data::Ask;

pub(crate) use gdrive::build as gdrive;
pub(crate) use rbac::build as rbac;

/// Everything that a question needs.
pub(crate) struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    subject: EntityTypeName,
    action: EntityTypeName,
    resource: EntityTypeName,
}

impl Cedar {
    fn new(policies: &str, entities: Vec<cedar_policy::Entity>, resource: &str) -> anyhow::Result<Self> {
        Ok(Self {
            authorizer: Authorizer::new(),
            policies: policies.parse()?,
            // This also finds everything that each entity is in, directly or not.
            entities: Entities::from_entities(entities, None)?,
            subject: "User".parse()?,
            action: "Action".parse()?,
            resource: resource.parse()?,
        })
    }

    pub(crate) fn check(&self, ask: &Ask) -> anyhow::Result<bool> {
        let request = Request::new(
            uid_of(&self.subject, &ask.subject),
            uid_of(&self.action, ask.action),
            uid_of(&self.resource, &ask.resource),
            Context::empty(),
            None,
        )?;
        let answer = self.authorizer.is_authorized(&request, &self.policies, &self.entities);
        ensure!(answer.diagnostics().errors().next().is_none(), "a policy could not be evaluated");
        Ok(answer.decision() == Decision::Allow)
    }
}

fn uid_of(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn uid(kind: &str, id: &str) -> anyhow::Result<EntityUid> {
    Ok(uid_of(&kind.parse()?, id))
}

/// A set of entities, as an attribute.
fn set(of: impl IntoIterator<Item = EntityUid>) -> RestrictedExpression {
    RestrictedExpression::new_set(of.into_iter().map(RestrictedExpression::new_entity_uid))
}

fn none() -> HashSet<EntityUid> {
    HashSet::new()
}
