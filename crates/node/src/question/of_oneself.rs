//! What somebody may do, asked by themselves. It needs no authority: who asks learns of nobody else.

use std::sync::Arc;

use grantd_realm::Caller;
use grantd_realm::engine::{ObjectRef, Question, SubjectRef};

use super::{Answer, Asking, Denial, Said};
use crate::node::Node;
use crate::running::Published;

/// Somebody who asks of themselves, one state, and one time. The point that these questions pass.
pub struct AskingOfOneself<'n> {
    asking: Asking<'n>,
}

impl Node {
    /// Lets a caller ask what they may do in a published state.
    pub fn asking_of_oneself<'n>(
        &'n self,
        published: Arc<Published>,
        caller: &'n Caller,
    ) -> AskingOfOneself<'n> {
        AskingOfOneself { asking: Asking { node: self, caller, published, fork: None, now: self.now() } }
    }
}

impl AskingOfOneself<'_> {
    /// May I do this? Who has no place in the realm's relationships may nothing.
    pub fn may(&self, action: &str, resource: ObjectRef<'_>) -> Answer {
        match self.asking.caller.object() {
            Some((kind, id)) => self.ask(SubjectRef::Object(ObjectRef { kind, id: &id }), action, resource),
            None => Answer::no(Denial::NotGranted),
        }
    }

    /// May everybody of this type do this, whoever they are?
    pub fn everybody_may(&self, kind: &str, action: &str, resource: ObjectRef<'_>) -> Answer {
        self.ask(SubjectRef::Wildcard(kind), action, resource)
    }

    fn ask(&self, subject: SubjectRef<'_>, action: &str, resource: ObjectRef<'_>) -> Answer {
        self.asking.check(&Question { subject, action, resource }, Said::NOTHING)
    }
}
