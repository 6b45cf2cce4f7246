//! Who may do what to a repository: judged for each request on the newest state, and again for as long as a transfer goes on.

use std::sync::Arc;

use grantd_node::Realm;
use grantd_node::question::AskingOfOneself;
use grantd_node::realm::caller::Actor;
use grantd_node::realm::engine::ObjectRef;
use grantd_node::realm::realms::DEFAULT;
use grantd_node::realm::repository::{REPOSITORY_TYPE, Repository};
use uuid::Uuid;

use super::credential::Shown;
use super::errors::Error;
use super::place::{Place, Service};
use crate::admission::Admission;
use crate::app::{App, SharedApp};
use crate::edge::Source;
use crate::face::CallError;

/// A request that may be served, and what that rests on.
pub(super) struct Access {
    admission: Admission,
    pub(super) repository: Uuid,
    service: Service,
    /// The branch that a clone checks out.
    pub(super) default_branch: Arc<str>,
    /// Which life of the ledger it is a repository of.
    pub(super) ledger_id: Uuid,
    /// Who it is, for git; nobody where anybody may.
    pub(super) user: Option<String>,
}

impl Access {
    /// Lets a request in, or says what its caller is told. An unknown repository and one that the caller may not read are alike, to
    /// those with a credential and to those without.
    pub(super) async fn find(
        app: &SharedApp,
        realm: Option<&str>,
        place: Place,
        shown: Shown,
        source: Source,
    ) -> Result<Self, Error> {
        let realm = match crate::call::realm(app, realm.unwrap_or(DEFAULT)).await {
            Ok(realm) => realm,
            Err(CallError::UnknownRealm) => return Err(unknown_realm(app, &shown, source)),
            Err(error) => return Err(error.into()),
        };
        let secret = match shown {
            Shown::Nothing => None,
            Shown::Malformed => return Err(Error::sign_in_failed(app, source)),
            Shown::Secret(secret) => Some(secret),
        };
        let (admission, caller) = Admission::find(app, realm, secret.as_ref(), source).await?;
        let asking = app.node.asking_of_oneself(admission.realm().published(), &caller);
        let Place { repository, service, .. } = place;
        let Some(found) = open(&asking, repository, service) else {
            let may_read = || open(&asking, repository, Service::UploadPack).is_some();
            return Err(match service {
                _ if admission.is_visitor() => Error::sign_in(),
                Service::ReceivePack if may_read() => Error::read_only(),
                _ => Error::no_repository(),
            });
        };
        Ok(Self {
            repository,
            service,
            default_branch: found.default_branch.clone(),
            ledger_id: asking.published().head.ledger_id.0,
            user: (!admission.is_visitor()).then(|| caller.actor.to_string()),
            admission,
        })
    }

    pub(super) fn realm(&self) -> &Arc<Realm> {
        self.admission.realm()
    }

    /// Whether nobody had to show anything for it.
    pub(super) fn is_anonymous(&self) -> bool {
        self.admission.is_visitor()
    }

    /// Returns once the request would no longer be let in.
    pub(super) async fn ended(&self, app: &App) {
        self.admission.ended(app, |asking| open(asking, self.repository, self.service).is_some()).await;
    }
}

/// A realm that is not there has nobody who could be known in it.
fn unknown_realm(app: &App, shown: &Shown, source: Source) -> Error {
    match shown {
        Shown::Nothing => Error::sign_in(),
        Shown::Secret(_) | Shown::Malformed => Error::sign_in_failed(app, source),
    }
}

/// The repository, if who asks may have this service on it, or everybody may.
fn open<'a>(asking: &'a AskingOfOneself<'_>, id: Uuid, service: Service) -> Option<&'a Repository> {
    let repository = asking.published().state.repositories().get(id);
    // It is asked even if there is none: the log shows who looked for it, and the answer takes as long.
    let id = id.to_string();
    let (action, on_it) = (service.relation(), ObjectRef { kind: REPOSITORY_TYPE, id: &id });
    let everybody_may = || {
        // Of an identity that is asked already.
        !matches!(asking.caller().actor, Actor::Identity(_))
            && asking.everybody_may("identity", action, on_it).is_allowed()
    };
    let allowed = asking.may_enter(action, on_it).is_allowed() || everybody_may();
    repository.filter(|_| allowed)
}
