//! Who may be whom on which machine: judged at sign-in on the newest state, and again for as long as a session goes on.

use std::sync::Arc;

use grantd_node::Realm;
use grantd_node::question::AskingOfOneself;
use grantd_node::realm::command::Secret;
use grantd_node::realm::engine::ObjectRef;
use grantd_node::realm::vm::Vm;
use grantd_node::realm::vm_grant::{LOGIN, VM_TYPE, login_place};

use super::user_name::Wanted;
use crate::admission::Admission;
use crate::app::{App, SharedApp};
use crate::edge::{EdgeError, Source};
use crate::face::CallError;

/// Somebody who was let in, and what that rests on.
pub(super) struct Access {
    admission: Admission,
    pub(super) wanted: Wanted,
    /// The object that stands for being this user of that machine.
    place: String,
    /// The machine, as it was registered then.
    pub(super) vm: Arc<Vm>,
    /// Who it is, for the log.
    pub(super) caller: String,
}

/// Why nobody was let in. A client is told nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// No such realm, machine or credential, or no grant.
    Unknown,
    /// The same, too often from one source.
    TooOften,
    /// The store cannot be asked.
    Away,
}

impl Access {
    /// Lets somebody in. All who are not let in are counted against their source alike: who has a token, too, shall not try out
    /// which machines there are.
    pub(super) async fn find(
        app: &SharedApp,
        wanted: Option<Wanted>,
        secret: &Secret,
        source: Source,
    ) -> Result<Self, Refused> {
        match Self::judge(app, wanted, secret, source).await {
            Ok(access) => Ok(access),
            Err(Judged::Stranger) => {
                Err(app.failures.failed(source).map_or(Refused::TooOften, |()| Refused::Unknown))
            }
            Err(Judged::Counted(refused)) => Err(refused),
        }
    }

    async fn judge(
        app: &SharedApp,
        wanted: Option<Wanted>,
        secret: &Secret,
        source: Source,
    ) -> Result<Self, Judged> {
        let wanted = wanted.ok_or(Judged::Stranger)?;
        let place = login_place(&wanted.vm, &wanted.user).ok_or(Judged::Stranger)?;
        let realm = crate::call::realm(app, &wanted.realm).await?;
        let (admission, caller) = Admission::find(app, realm, Some(secret), source).await?;
        let asking = app.node.asking_of_oneself(admission.realm().published(), &caller);
        let vm = open(&asking, &wanted.vm, &place).cloned().ok_or(Judged::Stranger)?;
        let caller = caller.actor.to_string();
        Ok(Self { admission, wanted, place, vm, caller })
    }

    pub(super) fn realm(&self) -> &Arc<Realm> {
        self.admission.realm()
    }

    /// Returns once this one would no longer be let in, or the machine is another one.
    pub(super) async fn ended(&self, app: &App) {
        let is_the_same = |vm: &Arc<Vm>| Arc::ptr_eq(vm, &self.vm) || vm.form == self.vm.form;
        let still = |asking: &AskingOfOneself<'_>| {
            open(asking, &self.wanted.vm, &self.place).is_some_and(is_the_same)
        };
        self.admission.ended(app, still).await;
    }
}

/// The machine, if who asks may be this user there.
fn open<'a>(asking: &'a AskingOfOneself<'_>, vm: &str, place: &str) -> Option<&'a Arc<Vm>> {
    // It is asked even if there is none: the log shows who looked for it, and the answer takes as long.
    let allowed = asking.may_enter(LOGIN, ObjectRef { kind: VM_TYPE, id: place }).is_allowed();
    asking.published().state.vms().get(vm).filter(|_| allowed)
}

enum Judged {
    /// Still to be counted as somebody who has nothing here.
    Stranger,
    /// Counted by who found out.
    Counted(Refused),
}

impl From<CallError> for Judged {
    fn from(error: CallError) -> Self {
        match error {
            // A realm that is not there has nobody who could be known in it.
            CallError::UnknownRealm => Self::Stranger,
            CallError::Unauthorized(_) => Self::Counted(Refused::Unknown),
            CallError::Edge(EdgeError::TooManyRequests { .. }) => Self::Counted(Refused::TooOften),
            _ => Self::Counted(Refused::Away),
        }
    }
}
