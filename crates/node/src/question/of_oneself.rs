//! What somebody may do, asked by themselves. It needs no authority: who asks learns of nobody else.

use std::sync::Arc;

use grantd_realm::Caller;
use grantd_realm::engine::{Decision, ObjectRef, Question, SubjectRef};

use super::{Answer, Asking, Denial, Said};
use crate::decision_log::Asked;
use crate::node::Node;
use crate::observer::CheckEnd;
use crate::running::Published;

/// Somebody who asks of themselves, one state, and one time. The point that these questions pass.
pub struct AskingOfOneself<'n> {
    asking: Asking<'n>,
    again: bool,
}

impl Node {
    /// Lets a caller ask what they may do in a published state.
    pub fn asking_of_oneself<'n>(
        &'n self,
        published: Arc<Published>,
        caller: &'n Caller,
    ) -> AskingOfOneself<'n> {
        let asking = Asking { node: self, caller, published, fork: None, now: self.now() };
        AskingOfOneself { asking, again: false }
    }
}

impl AskingOfOneself<'_> {
    /// The same about what was allowed and goes on. The yes was counted and written down when it was given, so only a no is.
    #[must_use]
    pub fn again(self) -> Self {
        Self { again: true, ..self }
    }

    /// Who asks.
    pub fn caller(&self) -> &Caller {
        self.asking.caller
    }

    /// The state that is asked.
    pub fn published(&self) -> &Arc<Published> {
        self.asking.published()
    }

    /// May I do this? Who has no place in the realm's relationships may nothing.
    pub fn may(&self, action: &str, resource: ObjectRef<'_>) -> Answer {
        match self.asking.caller.object() {
            Some((kind, id)) => self.ask(SubjectRef::Object(ObjectRef { kind, id: &id }), action, resource),
            None => Answer::no(Denial::NotGranted),
        }
    }

    /// May I do this to what is granted to identities, a repository or a machine? By a grant, or because I need none
    /// ([`Caller::needs_no_grant`]).
    pub fn may_enter(&self, action: &str, resource: ObjectRef<'_>) -> Answer {
        let Asking { caller, published, now, .. } = &self.asking;
        if !caller.needs_no_grant(&published.state, *now) {
            return self.may(action, resource);
        }
        if !self.again {
            self.asking.count(CheckEnd::Allowed);
            self.asking.record(Asked::Check, &caller.actor, action, &resource, true, None);
        }
        Answer { decision: Decision::Allowed, denial: None }
    }

    /// May everybody of this type do this, whoever they are?
    pub fn everybody_may(&self, kind: &str, action: &str, resource: ObjectRef<'_>) -> Answer {
        self.ask(SubjectRef::Wildcard(kind), action, resource)
    }

    fn ask(&self, subject: SubjectRef<'_>, action: &str, resource: ObjectRef<'_>) -> Answer {
        let question = Question { subject, action, resource };
        if self.again {
            self.asking.check_again(&question)
        } else {
            self.asking.check(&question, Said::NOTHING)
        }
    }
}
