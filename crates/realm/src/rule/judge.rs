//! What the rules say of a request.

use uuid::Uuid;

use super::pattern::Likely;
use super::{Effect, Rule, Rules, Scope};
use crate::caller::Actor;
use crate::request::{Act, Script, Simple};
use crate::{Micros, State};

/// What the rules say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// Yes, by this rule. Where several are needed for one shell command: by the one that covers its first part.
    Allow(Uuid),
    /// A person has to say: because a rule wants it so, or because none speaks of it.
    Ask(Option<Uuid>),
    /// No, by this rule.
    Deny(Uuid),
}

impl Ruling {
    /// Whether a person has to say.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Ask(_))
    }

    /// Its effect.
    pub fn effect(self) -> Effect {
        match self {
            Self::Allow(_) => Effect::Allow,
            Self::Ask(_) => Effect::Ask,
            Self::Deny(_) => Effect::Deny,
        }
    }

    /// The rule that it rests on.
    pub fn rule(self) -> Option<Uuid> {
        match self {
            Self::Allow(rule) | Self::Deny(rule) => Some(rule),
            Self::Ask(rule) => rule,
        }
    }
}

impl Rules {
    /// What the rules say of what somebody wants to do in a session.
    pub fn judge(&self, state: &State, act: &Act, session: &str, requester: &Actor, now: Micros) -> Ruling {
        let lineage: Vec<&str> = state.approval_sessions().lineage(session).map(|above| &*above.id).collect();
        let counts = |rule: &Rule| {
            rule.is_live(now)
                && match &rule.scope {
                    Scope::Realm => true,
                    Scope::Session(id) => **id == *session || lineage.contains(&&**id),
                }
        };
        let rules = || self.by_number.values().map(|rule| &**rule).filter(|rule| counts(rule));
        let mut asked = None;
        for rule in rules().filter(|rule| rule.effect != Effect::Allow) {
            match (rule.touches(act), rule.effect) {
                (Likely::Yes, Effect::Deny) => return Ruling::Deny(rule.id),
                (Likely::No, _) => {}
                _ => asked = asked.or(Some(rule.id)),
            }
        }
        if asked.is_some() {
            return Ruling::Ask(asked);
        }
        // Nobody decides their own request, and not by a rule either.
        let allows: Vec<&Rule> = rules()
            .filter(|rule| {
                rule.effect == Effect::Allow && rule.created_by != *requester && rule.covers_place(act)
            })
            .collect();
        if let Some(rule) = allows.iter().find(|rule| rule.command.is_none()) {
            return Ruling::Allow(rule.id);
        }
        match act.script().and_then(|script| covered(&allows, script)) {
            Some(rule) => Ruling::Allow(rule),
            None => Ruling::Ask(None),
        }
    }
}

/// The rule that covers the first command, if each is covered by some rule.
fn covered(allows: &[&Rule], script: &Script) -> Option<Uuid> {
    if !script.is_plain {
        return None;
    }
    let covers = |rule: &&&Rule, command: &Simple| {
        rule.command.as_ref().is_some_and(|pattern| pattern.covers(command))
    };
    let own = script.commands.iter().filter(|command| !command.is_quoted);
    let mut by = own.map(|command| allows.iter().find(|rule| covers(rule, command)).map(|rule| rule.id));
    let first = by.next().flatten()?;
    by.all(|rule| rule.is_some()).then_some(first)
}

impl Rule {
    /// Whether it surely speaks of the tool and the path.
    fn covers_place(&self, act: &Act) -> bool {
        let at = |path: &super::PathPattern| act.path().is_some_and(|found| path.covers(found));
        self.tool.fits(act.tool(), false) && self.path.as_ref().is_none_or(at)
    }

    /// Whether it speaks, or may speak, of any part of what is to be done.
    fn touches(&self, act: &Act) -> Likely {
        if !self.tool.fits(act.tool(), true) {
            return Likely::No;
        }
        let place = match (&self.path, act.path()) {
            (None, _) => Likely::Yes,
            (Some(pattern), Some(path)) => Likely::from(pattern.touches(path)),
            (Some(_), None) => Likely::Maybe,
        };
        let what = match (&self.command, act.script()) {
            (None, _) => Likely::Yes,
            (Some(_), None) => Likely::No,
            (Some(pattern), Some(script)) => {
                let most = script.commands.iter().map(|command| pattern.touches(command)).max();
                let unread = if script.is_read { Likely::No } else { Likely::Maybe };
                most.unwrap_or(Likely::No).max(unread)
            }
        };
        place.min(what)
    }
}
