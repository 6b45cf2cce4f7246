//! Relationships that a question supposes to be there besides those that are.

use grantd_engine::{Graph, Relationship, Written};

use crate::caller::Authority;
use crate::managed::conferred;
use crate::refusal::Refusal;
use crate::relationship::admit;
use crate::{Micros, State};

/// The most relationships that one call may suppose.
pub const MAX_CONTEXTUAL: usize = 100;

/// The field that a caller names them in.
const FIELD: &str = "contextual";

impl State {
    /// The relationships with these written over them: a fork, of which nothing stays.
    ///
    /// Each must fit the schema as if it were to be stored. One that would give somebody an authority on grantd itself is
    /// refused, so that no answer ever says that somebody holds what they do not.
    pub fn supposing(&self, relationships: Vec<Relationship>, now: Micros) -> Result<Graph, Refusal> {
        if relationships.len() > MAX_CONTEXTUAL {
            let problem = format!("at most {MAX_CONTEXTUAL} contextual relationships in one call");
            return Err(Refusal::invalid(FIELD, problem));
        }
        let mut fork = self.graph().clone();
        for relationship in relationships {
            admit(self, &relationship).map_err(|refusal| match refusal {
                Refusal::Invalid { problem, .. } => Refusal::invalid(FIELD, problem),
                other => other,
            })?;
            let given = conferred(self, &relationship.key, now);
            if let Some(authority) = Authority::ALL.into_iter().find(|authority| given.contains(*authority)) {
                let problem = format!(
                    "`{}` would give `{}` on `grantd`, which cannot be supposed",
                    relationship.key,
                    authority.name()
                );
                return Err(Refusal::invalid(FIELD, problem));
            }
            if fork.write(relationship) == Written::Full {
                return Err(Refusal::invalid(FIELD, "the realm can hold no more names"));
            }
        }
        Ok(fork)
    }
}
