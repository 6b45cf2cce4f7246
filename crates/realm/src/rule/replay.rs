//! A rule tried on what was asked before.

use std::sync::Arc;

use uuid::Uuid;

use super::{Rule, RuleDraft, Ruling};
use crate::request::{Act, Request, Sight};
use crate::{Micros, State};

/// What the rules say of an earlier request, and what they would with one more.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// Which.
    pub request: Arc<Request>,
    /// As they are. `None`: its parameters were erased.
    pub now: Option<Ruling>,
    /// With the rule that is tried.
    pub would: Option<Ruling>,
}

/// Tries a rule on the last requests that somebody sees, newest first. Each command is read again: this may take a while.
pub fn replay(
    state: &State,
    draft: &RuleDraft,
    sight: &mut Sight<'_>,
    limit: usize,
    now: Micros,
) -> Vec<Replayed> {
    let rules = state.rules();
    let mut with = rules.clone();
    let tried: Rule = draft.tried(Uuid::nil());
    // An id and a number that no rule has.
    let _: Result<(), String> = with.insert(tried);
    let seen = state.requests().since(0).rev().filter(|request| sight.sees(request));
    let replayed = seen.take(limit).map(|request| {
        let read = |params| Act::read(&request.tool, request.path.as_deref(), params).ok();
        let act = request.params.text().and_then(read);
        let judge = |rules: &super::Rules| {
            act.as_ref().map(|act| rules.judge(state, act, &request.session, &request.requester, now))
        };
        Replayed { request: request.clone(), now: judge(rules), would: judge(&with) }
    });
    replayed.collect()
}
