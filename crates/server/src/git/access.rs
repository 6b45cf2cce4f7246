//! Who may do what to a repository: judged for each request on the newest state, and again for as long as a transfer goes on.

use std::sync::Arc;
use std::time::Duration;

use grantd_node::question::Said;
use grantd_node::realm::Caller;
use grantd_node::realm::caller::Actor;
use grantd_node::realm::command::Secret;
use grantd_node::realm::engine::{ObjectRef, Question, SubjectRef};
use grantd_node::realm::entropy::secret_hash;
use grantd_node::realm::realms::DEFAULT;
use grantd_node::realm::repository::{REPOSITORY_TYPE, Repository};
use grantd_node::{Published, Realm};
use tokio::time::{MissedTickBehavior, interval, timeout};
use uuid::Uuid;

use super::credential::Shown;
use super::errors::Error;
use super::place::{Place, Service};
use crate::app::{App, SharedApp};
use crate::caller;
use crate::edge::Source;
use crate::face::{CallError, Credential};

/// How often a transfer is looked at where no entry says that something has changed: grants and keys end by time, and what another
/// node wrote must be asked for.
const LOOK: Duration = Duration::from_millis(400);

/// How long such a look may wait for the store. Without it, what was known last goes on.
const PATIENCE: Duration = Duration::from_millis(300);

/// Who grantd is when it asks.
const ASKER: &str = "git";

/// A request that may be served, and what that rests on.
pub(super) struct Access {
    pub(super) realm: Arc<Realm>,
    pub(super) repository: Uuid,
    /// The branch that a clone checks out.
    pub(super) default_branch: Arc<str>,
    /// Which life of the ledger it is a repository of.
    pub(super) ledger_id: Uuid,
    /// Who it is, for git; nobody where anybody may.
    pub(super) user: Option<String>,
    service: Service,
    /// The hash of what was shown.
    secret: Option<[u8; 32]>,
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
        realm.catch_up().await.map_err(CallError::from)?;
        let secret = match shown {
            Shown::Nothing => None,
            Shown::Malformed => return Err(Error::sign_in_failed(app, source)),
            Shown::Secret(secret) => Some(secret),
        };
        let caller = match &secret {
            None => None,
            Some(secret) => Some(known(app, &realm, secret, source).await?),
        };
        let published = realm.published();
        let asked = Asked { app, published: &published, repository: place.repository };
        let Some(repository) = asked.allows(caller.as_ref(), place.service, Tone::Aloud) else {
            let may_read = || asked.allows(caller.as_ref(), Service::UploadPack, Tone::Aloud).is_some();
            return Err(match &caller {
                None => Error::sign_in(),
                Some(_) if place.service == Service::ReceivePack && may_read() => Error::read_only(),
                Some(_) => Error::no_repository(),
            });
        };
        Ok(Self {
            repository: repository.id,
            default_branch: repository.default_branch.clone(),
            ledger_id: published.head.ledger_id.0,
            user: caller.map(|caller| caller.actor.to_string()),
            service: place.service,
            secret: secret.map(|secret| secret_hash(&secret.0)),
            realm,
        })
    }

    /// Whether nobody had to show anything for it.
    pub(super) fn is_anonymous(&self) -> bool {
        self.secret.is_none()
    }

    /// Returns once the request would no longer be let in.
    pub(super) async fn ended(&self, app: &App) {
        let (mut here, mut system) = (self.realm.revisions(), app.system.revisions());
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first look is at once: it may have waited for its turn.
        while self.lasts(app) {
            tokio::select! {
                changed = here.changed() => if changed.is_err() { return },
                changed = system.changed() => if changed.is_err() { return },
                _ = look.tick() => {
                    // A store that is away has nothing new to say.
                    let _as_far_as_it_goes = timeout(PATIENCE, self.realm.catch_up()).await;
                }
            }
        }
    }

    fn lasts(&self, app: &App) -> bool {
        let served = app.node.loaded_realm(self.realm.name());
        if !served.is_some_and(|served| Arc::ptr_eq(&served, &self.realm)) {
            return false;
        }
        let published = self.realm.published();
        let caller = match &self.secret {
            None => None,
            Some(hash) => match caller::bearer::known(app, &published, hash) {
                Some(caller) => Some(caller),
                None => return false,
            },
        };
        let asked = Asked { app, published: &published, repository: self.repository };
        asked.allows(caller.as_ref(), self.service, Tone::Quiet).is_some()
    }
}

/// Whose secret it is. Whoever is known holds something; which tokens these are, is no secret of theirs.
async fn known(app: &App, realm: &Arc<Realm>, secret: &Secret, source: Source) -> Result<Caller, Error> {
    Ok(caller::find(app, realm, Credential::Bearer(&secret.0), source).await?)
}

/// A realm that is not there has nobody who could be known in it.
fn unknown_realm(app: &App, shown: &Shown, source: Source) -> Error {
    match shown {
        Shown::Nothing => Error::sign_in(),
        Shown::Secret(_) | Shown::Malformed => Error::sign_in_failed(app, source),
    }
}

/// Whether an answer is written to the decision log whatever it is, or only if it is a no.
#[derive(Clone, Copy)]
enum Tone {
    Aloud,
    Quiet,
}

/// A repository as a state knows it.
struct Asked<'a> {
    app: &'a App,
    published: &'a Arc<Published>,
    repository: Uuid,
}

impl<'a> Asked<'a> {
    /// The repository, if the caller may have this service on it.
    fn allows(&self, caller: Option<&Caller>, service: Service, tone: Tone) -> Option<&'a Repository> {
        let repository = self.published.state.repositories().get(self.repository);
        // It is asked even if there is none: the log shows who looked for it, and the answer takes as long.
        let (id, name) = (self.repository.to_string(), self.published.state.name());
        let on_it = ObjectRef { kind: REPOSITORY_TYPE, id: &id };
        let on_realm = |realm| ObjectRef { kind: "grantd", id: realm };
        let here = self.published;
        let allowed = match caller.map(|caller| &caller.actor) {
            Some(Actor::Identity(identity)) => {
                let identity = identity.to_string();
                let subject = SubjectRef::Object(ObjectRef { kind: "identity", id: &identity });
                self.ask(here, subject, service.relation(), on_it, tone)
            }
            // Who may write the realm's records may give themselves any grant; so they need none.
            Some(Actor::ApiKey(key)) => {
                let key = key.to_string();
                let subject = SubjectRef::Object(ObjectRef { kind: "api_key", id: &key });
                self.ask(here, subject, "writer", on_realm(name), tone) || self.anybody(service, on_it, tone)
            }
            Some(Actor::SystemKey(key)) => {
                let (key, system) = (key.to_string(), self.app.system.published());
                let subject = SubjectRef::Object(ObjectRef { kind: "api_key", id: &key });
                let on_system = on_realm(self.app.system.name());
                self.ask(&system, subject, "writer", on_system, tone) || self.anybody(service, on_it, tone)
            }
            _ => self.anybody(service, on_it, tone),
        };
        repository.filter(|_| allowed)
    }

    /// Whether every identity may, and so everybody.
    fn anybody(&self, service: Service, on_it: ObjectRef<'_>, tone: Tone) -> bool {
        self.ask(self.published, SubjectRef::Wildcard("identity"), service.relation(), on_it, tone)
    }

    fn ask(
        &self,
        of: &Arc<Published>,
        subject: SubjectRef<'_>,
        action: &str,
        resource: ObjectRef<'_>,
        tone: Tone,
    ) -> bool {
        let asker = Caller::system(ASKER);
        let Ok(asking) = self.app.node.asking(of.clone(), &asker) else { return false };
        let question = Question { subject, action, resource };
        match tone {
            Tone::Aloud => asking.check(&question, Said::NOTHING).is_allowed(),
            Tone::Quiet => asking.still_allows(&question),
        }
    }
}
