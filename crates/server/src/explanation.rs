//! Why an answer is what it is, as JSON: the same in every face that explains.

use grantd_node::realm::engine::schema::Expression;
use grantd_node::realm::engine::{
    self, Explanation, Miss, PropertySource, PropertyUse, Reason, Relationship,
};
use serde::Serialize;

use crate::properties::JsonProperties;
use crate::time::rfc3339;

/// What an allow rests on: the yes follows from these alone, and from no part of them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Because {
    /// The relationships used.
    relationships: Vec<UsedRelationship>,
    /// What must not hold, where a `but not` asked for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    absences: Vec<Absence>,
    /// Where each property that a condition read came from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<UsedProperty>,
}

/// A relationship that an answer rests on, or that was tried.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct UsedRelationship {
    resource: String,
    relation: String,
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<UsedCondition>,
}

/// The condition of such a relationship.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct UsedCondition {
    name: String,
    #[schema(value_type = Object)]
    parameters: JsonProperties,
}

/// A claim: the subject is not among those that a `but not` takes away.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Absence {
    resource: String,
    /// The relation whose definition has the `but not`.
    relation: String,
    /// What stands behind the `but not`, in the modelling language.
    taken: String,
    subject: String,
}

/// Where a value that a condition read came from.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct UsedProperty {
    /// As in the condition: `resource.status`, or a parameter's name.
    name: String,
    /// `relationship`, `request` or `stored`.
    from: &'static str,
}

/// Something that was tried and did not lead to a yes; the nearest come first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct NearMiss {
    resource: String,
    relation: String,
    /// `no_relationship`, `ended`, `condition_failed`, `condition_missing`, `condition_broken`, `excluded` or `part_missing`.
    reason: &'static str,
    /// The relationship that ended or whose condition does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    relationship: Option<UsedRelationship>,
    /// What the condition would have to know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
    /// What went wrong in the condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// What a `but not` takes the subject away by, in the modelling language.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// The witness of an explanation, and its misses.
pub(crate) fn view(explanation: Explanation) -> (Option<Because>, Vec<NearMiss>) {
    let because = explanation.witness.map(|witness| Because {
        relationships: witness.relationships.into_iter().map(Into::into).collect(),
        absences: witness.absences.into_iter().map(Into::into).collect(),
        properties: witness.properties.into_iter().map(Into::into).collect(),
    });
    (because, explanation.misses.into_iter().map(Into::into).collect())
}

impl From<Relationship> for UsedRelationship {
    fn from(relationship: Relationship) -> Self {
        Self {
            resource: relationship.key.resource.to_string(),
            relation: relationship.key.relation.to_string(),
            subject: relationship.key.subject.to_string(),
            until: relationship.until.map(rfc3339),
            condition: relationship.condition.map(|condition| UsedCondition {
                name: condition.name,
                parameters: JsonProperties(condition.parameters),
            }),
        }
    }
}

impl From<engine::Absence> for Absence {
    fn from(absence: engine::Absence) -> Self {
        Self {
            resource: absence.resource.to_string(),
            relation: absence.relation.to_string(),
            taken: in_words(&absence.taken),
            subject: absence.subject.to_string(),
        }
    }
}

impl From<PropertyUse> for UsedProperty {
    fn from(used: PropertyUse) -> Self {
        let from = match used.source {
            PropertySource::Relationship => "relationship",
            PropertySource::Request => "request",
            PropertySource::Stored => "stored",
        };
        Self { name: used.name, from }
    }
}

impl From<Miss> for NearMiss {
    fn from(miss: Miss) -> Self {
        let mut near = Self {
            resource: miss.resource.to_string(),
            relation: miss.relation.to_string(),
            reason: "no_relationship",
            relationship: None,
            missing: Vec::new(),
            problem: None,
            by: None,
        };
        match miss.reason {
            Reason::NoRelationship => {}
            Reason::Ended(relationship) => near.tried("ended", relationship),
            Reason::ConditionFailed(relationship) => near.tried("condition_failed", relationship),
            Reason::ConditionMissing(relationship, missing) => {
                near.tried("condition_missing", relationship);
                near.missing = missing;
            }
            Reason::ConditionBroken(relationship, problem) => {
                near.tried("condition_broken", relationship);
                near.problem = Some(problem);
            }
            Reason::Excluded(taken) => {
                near.reason = "excluded";
                near.by = Some(in_words(&taken));
            }
            Reason::PartMissing => near.reason = "part_missing",
            // The engine may learn to say more; until this does, it is at least no claim.
            _ => near.reason = "other",
        }
        near
    }
}

impl NearMiss {
    fn tried(&mut self, reason: &'static str, relationship: Relationship) {
        self.reason = reason;
        self.relationship = Some(relationship.into());
    }
}

/// An expression in the modelling language.
fn in_words(expression: &Expression) -> String {
    let joined = |parts: &[Expression], operator: &str| {
        let parts: Vec<_> = parts.iter().map(in_brackets).collect();
        parts.join(operator)
    };
    match expression {
        Expression::Direct(types) => {
            let types: Vec<_> = types.iter().map(ToString::to_string).collect();
            format!("[{}]", types.join(", "))
        }
        Expression::Computed(relation) => relation.to_string(),
        Expression::From { relation, through } => format!("{relation} from {through}"),
        Expression::Union(parts) => joined(parts, " or "),
        Expression::Intersection(parts) => joined(parts, " and "),
        Expression::Exclusion(base, taken) => {
            format!("{} but not {}", in_brackets(base), in_brackets(taken))
        }
    }
}

fn in_brackets(expression: &Expression) -> String {
    match expression {
        Expression::Direct(_) | Expression::Computed(_) | Expression::From { .. } => in_words(expression),
        _ => format!("({})", in_words(expression)),
    }
}
