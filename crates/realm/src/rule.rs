//! Rules: standing answers to requests. Deny beats ask, ask beats allow, and what no rule speaks of is asked.

mod commands;
mod judge;
mod pattern;
mod replay;
mod wild;

pub(crate) use commands::create_rule;
pub use commands::{CreateRule, DeleteRule, RuleDraft};
pub use judge::Ruling;
pub(crate) use pattern::runs_shell;
pub use pattern::{CommandPattern, PathPattern, ToolPattern, quoted};
pub use replay::{Replayed, replay};

use std::sync::Arc;

use imbl::OrdMap;
use uuid::Uuid;

use crate::Micros;
use crate::caller::Actor;
use crate::change::{Stamp, shared};

/// How many rules a realm can have.
pub const MAX_RULES: usize = 1_000;

/// What a rule answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// 1: yes.
    Allow,
    /// 2: a person has to say, whatever another rule allows.
    Ask,
    /// 3: no.
    Deny,
}

impl Effect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Allow, Self::Ask, Self::Deny];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }

    /// The effect of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effect| effect.name() == name)
    }
}

/// Where a rule counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everywhere in the realm.
    Realm,
    /// In a session and those below it. It ends with the session.
    Session(Arc<str>),
}

/// A rule as it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleForm {
    /// Its id.
    pub id: Uuid,
    /// Counts up in the order of their making.
    pub number: u64,
    /// What it answers.
    pub effect: Effect,
    /// Which tools.
    pub tool: Arc<str>,
    /// Which shell commands.
    pub command: Option<Arc<str>>,
    /// Which paths.
    pub path: Option<Arc<str>>,
    /// Where it counts.
    pub scope: Scope,
    /// From then on it counts no more.
    pub expires: Option<Micros>,
    /// Who made it.
    pub by: Actor,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its id.
    pub id: Uuid,
    /// Counts up in the order of their making; never used again.
    pub number: u64,
    /// What it answers.
    pub effect: Effect,
    /// Which tools.
    pub tool: ToolPattern,
    /// Which shell commands; `None`: whatever the parameters are.
    pub command: Option<CommandPattern>,
    /// Which paths; `None`: any, and none.
    pub path: Option<PathPattern>,
    /// Where it counts.
    pub scope: Scope,
    /// From then on it counts no more.
    pub expires: Option<Micros>,
    /// Who made it. It allows nothing to them: nobody decides their own request.
    pub created_by: Actor,
    /// When.
    pub created_at: Micros,
}

impl Rule {
    /// Whether it counts at a time.
    pub fn is_live(&self, now: Micros) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    pub(crate) fn of(form: &RuleForm, created_at: Micros) -> Self {
        Self {
            id: form.id,
            number: form.number,
            effect: form.effect,
            tool: ToolPattern::new(&form.tool),
            command: form.command.as_deref().map(CommandPattern::new),
            path: form.path.as_deref().map(PathPattern::new),
            scope: form.scope.clone(),
            expires: form.expires,
            created_by: form.by.clone(),
            created_at,
        }
    }

    /// As it stood in the ledger.
    pub(crate) fn form(&self) -> RuleForm {
        RuleForm {
            id: self.id,
            number: self.number,
            effect: self.effect,
            tool: shared(self.tool.text()),
            command: self.command.as_ref().map(|command| shared(command.text())),
            path: self.path.as_ref().map(|path| shared(path.text())),
            scope: self.scope.clone(),
            expires: self.expires,
            by: self.created_by.clone(),
        }
    }
}

/// The rules of a realm.
#[derive(Clone, Default)]
pub struct Rules {
    pub(crate) by_number: OrdMap<u64, Arc<Rule>>,
    by_id: OrdMap<Uuid, u64>,
    pub(crate) next_number: u64,
}

impl Rules {
    /// One of them.
    pub fn get(&self, id: Uuid) -> Option<&Arc<Rule>> {
        self.by_number.get(self.by_id.get(&id)?)
    }

    /// All, in the order of their making, from the one behind this number on; those that have ended included.
    pub fn iter_after(&self, number: u64) -> impl DoubleEndedIterator<Item = &Arc<Rule>> {
        self.by_number.range(number.saturating_add(1)..).map(|(_, rule)| rule)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_number.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    pub(crate) fn create(&mut self, form: &RuleForm, stamp: Stamp) -> Result<(), String> {
        self.insert(Rule::of(form, stamp.time))
    }

    pub(crate) fn insert(&mut self, rule: Rule) -> Result<(), String> {
        let (id, number) = (rule.id, rule.number);
        self.next_number = self.next_number.max(number + 1);
        self.by_number.insert(number, Arc::new(rule));
        match self.by_id.insert(id, number) {
            None => Ok(()),
            Some(_) => Err(format!("rule {id} exists already")),
        }
    }

    pub(crate) fn delete(&mut self, id: Uuid) -> Result<(), String> {
        let number = self.by_id.remove(&id).ok_or_else(|| format!("there is no rule {id}"))?;
        self.by_number.remove(&number);
        Ok(())
    }

    /// Those of a session end with it.
    pub(crate) fn close_session(&mut self, session: &str) {
        let of_it = |rule: &&Arc<Rule>| matches!(&rule.scope, Scope::Session(id) if **id == *session);
        let ids: Vec<Uuid> = self.by_number.values().filter(of_it).map(|rule| rule.id).collect();
        for id in ids {
            if let Some(number) = self.by_id.remove(&id) {
                self.by_number.remove(&number);
            }
        }
    }
}
