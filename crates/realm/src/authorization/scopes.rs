//! Which scopes an app has at an organization: relationships.

use std::sync::Arc;

use grantd_engine::{Circumstances, Decision, Key, ObjectRef, Question, SubjectRef};

use super::Authorization;
use crate::app::APP_TYPE;
use crate::refusal::Refusal;
use crate::relationship::key;
use crate::scope::Scope;
use crate::{Micros, State};

/// The path type whose ids are `/<organization>/<scope>/`.
pub const SCOPE_TYPE: &str = "mollie_scope";

/// Its relation to the apps that have it.
pub const GRANTED: &str = "granted";

pub(crate) fn scope_path(organization: &str, scope: &str) -> String {
    format!("/{organization}/{scope}/")
}

/// `mollie_scope:/<organization>/<scope>/ # granted @ app:<client id>`.
pub(crate) fn scope_key(organization: &str, scope: &str, app: &str) -> Result<Key, Refusal> {
    let path = scope_path(organization, scope);
    let app = SubjectRef::Object(ObjectRef { kind: APP_TYPE, id: app });
    key("scopes", ObjectRef { kind: SCOPE_TYPE, id: &path }, GRANTED, app)
}

/// Whether an authorization has a scope, now: a question to the engine. A scope that is no longer in the catalogue nobody has.
pub fn is_granted(state: &State, authorization: &Authorization, scope: &str, now: Micros) -> bool {
    if !authorization.is_live(now) || state.scopes().get(scope).is_none() {
        return false;
    }
    let path = scope_path(&authorization.organization, scope);
    let question = Question {
        subject: SubjectRef::Object(ObjectRef { kind: APP_TYPE, id: &authorization.app }),
        action: GRANTED,
        resource: ObjectRef { kind: SCOPE_TYPE, id: &path },
    };
    matches!(state.graph().check(&question, &Circumstances::at(now)), Ok(Decision::Allowed))
}

/// The scopes that an authorization has, in order of their ids. Asks for each of the catalogue: an app may be at a million
/// organizations, so that what it has there is not looked through.
pub fn scopes_of<'a>(state: &'a State, authorization: &Authorization, now: Micros) -> Vec<&'a Arc<Scope>> {
    state.scopes().iter().filter(|scope| is_granted(state, authorization, &scope.id, now)).collect()
}

/// Until when it has a scope that it has.
pub(crate) fn end_of(state: &State, authorization: &Authorization, scope: &str) -> Option<Micros> {
    let key = scope_key(&authorization.organization, scope, &authorization.app).ok()?;
    state.graph().get(&key)?.until
}
