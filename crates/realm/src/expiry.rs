//! The clean-up of relationships that have ended. No answer depends on it: what has ended does not exist.

use grantd_engine::Key;

use crate::State;
use crate::caller::Authority;
use crate::change::Change;
use crate::command::{Command, Context, Decision};
use crate::refusal::Refusal;

/// Takes away relationships that have ended, as far as they are still there.
pub struct RemoveEnded {
    /// Which; see [`grantd_engine::Graph::ended`].
    pub keys: Vec<Key>,
}

impl Command for RemoveEnded {
    /// How many were taken away.
    type Answer = u64;
    const REQUIRES: Authority = Authority::Admin;

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<u64>, Refusal> {
        // Between the look and the decision somebody may have given one of them a new end.
        let has_ended = |key: &&Key| {
            let found = state.graph().get(key);
            found.and_then(|found| found.until).is_some_and(|until| until <= cx.now)
        };
        let gone = self.keys.iter().filter(has_ended);
        let changes: Vec<_> = gone.map(|key| Change::RelationshipDeleted { key: key.clone() }).collect();
        let count = changes.len() as u64;
        Ok(Decision::all(changes, count))
    }
}
