//! Many relationships from a file: each is judged by itself, so that one bad line does not hold up the others.

use std::collections::HashMap;

use grantd_engine::{Key, Relationship};
use uuid::Uuid;

use crate::caller::Authority;
use crate::change::Change;
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision};
use crate::managed::{at_stake, refuse_managed, require_held};
use crate::refusal::Refusal;
use crate::relationship::admit;
use crate::reserved::require_for_relationship;
use crate::{Micros, State};

/// Writes relationships as [`crate::relationship::WriteRelationships`] does, but leaves out those that it would refuse, and
/// says which these are.
pub struct ImportRelationships {
    /// In the order of the file. Of several with one key the last one counts.
    pub relationships: Vec<Relationship>,
    /// The [`State::account`] of the realm that the import began with: a realm made again meanwhile is another one.
    pub account: Uuid,
    /// Only says what would happen.
    pub dry_run: bool,
}

/// What one part of an import came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// How many were made or replaced.
    pub written: u64,
    /// How many were there already, just so.
    pub unchanged: u64,
    /// The places in the list of those that were refused, and why. Left out of a remembered answer.
    pub refused: Vec<(usize, Refusal)>,
}

impl Answer for Imported {
    fn encode(&self, w: &mut Writer) {
        w.u64(self.written);
        w.u64(self.unchanged);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self { written: r.u64()?, unchanged: r.u64()?, refused: Vec::new() })
    }
}

impl Command for ImportRelationships {
    type Answer = Imported;
    const REQUIRES: Authority = Authority::Writer;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<Imported>, Refusal> {
        if state.account() != self.account {
            return Err(Refusal::NoRealm);
        }
        let mut imported = Imported { written: 0, unchanged: 0, refused: Vec::new() };
        let mut changes = Vec::with_capacity(if self.dry_run { 0 } else { self.relationships.len() });
        // What this very list has written already, by key.
        let mut written: HashMap<&Key, &Relationship> = HashMap::new();
        for (place, relationship) in self.relationships.iter().enumerate() {
            let before = written.get(&relationship.key).copied();
            let is_there = match before {
                Some(before) => before == relationship,
                None => state.graph().get(&relationship.key).as_ref() == Some(relationship),
            };
            match judge(state, cx, relationship) {
                // An export holds managed relationships as well; to write them back where they are is no change.
                _ if is_there && !has_ended(relationship, cx.now) => imported.unchanged += 1,
                Err(refusal) => imported.refused.push((place, refusal)),
                Ok(()) => {
                    imported.written += 1;
                    written.insert(&relationship.key, relationship);
                    if !self.dry_run {
                        changes.push(Change::RelationshipWritten { relationship: relationship.clone() });
                    }
                }
            }
        }
        Ok(Decision::all(changes, imported))
    }
}

fn judge(state: &State, cx: &Context<'_>, relationship: &Relationship) -> Result<(), Refusal> {
    admit(state, relationship)?;
    refuse_managed(&relationship.key)?;
    require_for_relationship(state, &relationship.key, cx)?;
    require_held(cx.caller, at_stake(state, &relationship.key, cx.now), state, cx.now)?;
    if has_ended(relationship, cx.now) {
        return Err(Refusal::invalid("until", "must be in the future"));
    }
    Ok(())
}

fn has_ended(relationship: &Relationship, now: Micros) -> bool {
    relationship.until.is_some_and(|until| until <= now)
}
