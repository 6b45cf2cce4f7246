//! Authorizations: what an organization lets an app do. One for each pair of them.
//!
//! Which scopes it has is in relationships, `mollie_scope:/<organization>/<scope>/ # granted @ app:<client id>`, and nowhere else; this
//! is the record. What was issued under it is bound to its id and generation, so that its end is the end of that too.

mod commands;
mod consent;
mod ending;
mod scopes;

pub use commands::{Authorize, Authorized, ConsentGiven};
pub use consent::{Consent, may_consent, may_end, missing};
pub use ending::{EndAuthorization, WithdrawScope};
pub use scopes::{GRANTED, SCOPE_TYPE, is_granted, scopes_of};
pub(crate) use scopes::{end_of, scope_key, scope_path};

use std::sync::Arc;

use imbl::{HashMap, OrdMap};
use uuid::Uuid;

use crate::refusal::{Noun, Refusal};
use crate::{Micros, State};

/// An authorization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Its id; stays while it is added to, and is never used again.
    pub id: Uuid,
    /// Which app, by client id.
    pub app: Arc<str>,
    /// Which organization.
    pub organization: Arc<str>,
    /// What was issued under another generation counts no more.
    pub generation: u32,
    /// When the first scope was agreed on.
    pub created_at: Micros,
    /// When something was last agreed on.
    pub changed_at: Micros,
    /// From when on none of it counts.
    pub expires: Option<Micros>,
    /// Who agreed, and to what text; `None`: an operator, beforehand.
    pub consent: Option<Consent>,
    pub(crate) place: Place,
}

/// The numbers of an app and an organization, by which a pair is never taken for a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The app's.
    pub app: u64,
    /// The organization's.
    pub organization: u64,
}

impl Authorization {
    /// The authorization, or the refusal that says there is none.
    pub fn find(state: &State, id: Uuid) -> Result<&Arc<Self>, Refusal> {
        state.authorizations().get(id).ok_or_else(|| Refusal::not_found(Noun::Authorization, id))
    }

    /// Whether it counts at a time.
    pub fn is_live(&self, now: Micros) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    /// Where it stands among all.
    pub fn place(&self) -> Place {
        self.place
    }
}

/// The authorizations of a realm.
#[derive(Clone, Default)]
pub struct Authorizations {
    /// By the app's number and the organization's.
    by_app: OrdMap<u64, OrdMap<u64, Arc<Authorization>>>,
    /// By the organization's number and the app's. May name what has gone with its app.
    by_organization: OrdMap<u64, OrdMap<u64, Uuid>>,
    /// May name what has gone with its app.
    places: HashMap<Uuid, Place>,
}

impl Authorizations {
    /// One of them.
    pub fn get(&self, id: Uuid) -> Option<&Arc<Authorization>> {
        self.at(*self.places.get(&id)?).filter(|found| found.id == id)
    }

    /// The one of an app and an organization, by their numbers.
    pub fn at(&self, place: Place) -> Option<&Arc<Authorization>> {
        self.by_app.get(&place.app)?.get(&place.organization)
    }

    /// All, in order of their places, from the one behind on.
    pub fn iter_after(&self, after: Option<Place>) -> impl Iterator<Item = &Arc<Authorization>> {
        let (app, behind) = after.map_or((0, None), |place| (place.app, Some(place.organization)));
        self.by_app.range(app..).flat_map(move |(number, of_app)| {
            let from = if *number == app { behind.map_or(0, |behind| behind.saturating_add(1)) } else { 0 };
            of_app.range(from..).map(|(_, authorization)| authorization)
        })
    }

    /// Those of an app, in the order of the organizations' making, from the one behind this organization's number on.
    pub fn of_app(&self, app: u64, after: u64) -> impl Iterator<Item = &Arc<Authorization>> {
        let of_app = self.by_app.get(&app).into_iter();
        of_app.flat_map(move |of_app| of_app.range(after.saturating_add(1)..).map(|(_, found)| found))
    }

    /// Those of an organization, in the order of the apps' making, from the one behind this app's number on.
    pub fn of_organization(
        &self,
        organization: u64,
        after: u64,
    ) -> impl Iterator<Item = &Arc<Authorization>> {
        let apps = self.by_organization.get(&organization).into_iter();
        let apps = apps.flat_map(move |apps| apps.range(after.saturating_add(1)..));
        apps.filter_map(move |(app, id)| {
            self.at(Place { app: *app, organization }).filter(|found| found.id == *id)
        })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_app.is_empty()
    }

    /// How many there are. Counts them.
    pub fn count(&self) -> usize {
        self.by_app.values().map(OrdMap::len).sum()
    }

    /// Makes it, or puts it in place of itself.
    pub(crate) fn put(&mut self, authorization: Authorization) -> Result<(), String> {
        let (id, place) = (authorization.id, authorization.place);
        if let Some(other) = self.at(place).filter(|known| known.id != id) {
            return Err(format!("authorization {} is of the same app and organization", other.id));
        }
        self.places.insert(id, place);
        self.by_organization.entry(place.organization).or_default().insert(place.app, id);
        self.by_app.entry(place.app).or_default().insert(place.organization, Arc::new(authorization));
        Ok(())
    }

    pub(crate) fn end(&mut self, id: Uuid) -> Result<(), String> {
        let place = self.get(id).ok_or_else(|| format!("there is no authorization {id}"))?.place;
        self.remove(place);
        Ok(())
    }

    fn remove(&mut self, place: Place) {
        if let Some(of_app) = self.by_app.get_mut(&place.app) {
            if let Some(gone) = of_app.remove(&place.organization) {
                self.places.remove(&gone.id);
            }
            if of_app.is_empty() {
                self.by_app.remove(&place.app);
            }
        }
        if let Some(apps) = self.by_organization.get_mut(&place.organization) {
            apps.remove(&place.app);
            if apps.is_empty() {
                self.by_organization.remove(&place.organization);
            }
        }
    }

    /// In O(1), however many there were: the other two maps are only believed if this one agrees.
    pub(crate) fn forget_app(&mut self, app: u64) {
        self.by_app.remove(&app);
    }

    pub(crate) fn forget_organization(&mut self, organization: u64) {
        let apps = self.by_organization.remove(&organization).unwrap_or_default();
        for app in apps.keys() {
            self.remove(Place { app: *app, organization });
        }
    }

    /// The addresses from which a user agreed to anything.
    pub(crate) fn erase_addresses(&mut self, login: &str) {
        let is_theirs = |found: &&Arc<Authorization>| {
            found.consent.as_ref().is_some_and(|consent| *consent.user == *login)
        };
        let theirs: Vec<Place> = self.iter_after(None).filter(is_theirs).map(|found| found.place).collect();
        for place in theirs {
            let found =
                self.by_app.get_mut(&place.app).and_then(|of_app| of_app.get_mut(&place.organization));
            if let Some(consent) = found.map(Arc::make_mut).and_then(|found| found.consent.as_mut()) {
                consent.address = consent.address.erased();
            }
        }
    }
}

/// The authorization of an app and an organization, if there is one that counts.
pub fn authorization_of<'a>(
    state: &'a State,
    app: &str,
    organization: &str,
    now: Micros,
) -> Option<&'a Arc<Authorization>> {
    let (app, organization) = (state.apps().get(app)?, state.organizations().get(organization)?);
    let place = Place { app: app.number, organization: organization.number };
    state.authorizations().at(place).filter(|found| found.is_live(now))
}

/// What organizations let an app do, in the order of their making.
pub fn authorizations_of_app<'a>(
    state: &'a State,
    client_id: &str,
) -> impl Iterator<Item = &'a Arc<Authorization>> + use<'a> {
    let app = state.apps().get(client_id).map(|app| app.number);
    app.into_iter().flat_map(|app| state.authorizations().of_app(app, 0))
}

/// What an organization lets apps do, in the order of their making.
pub fn authorizations_of_organization<'a>(
    state: &'a State,
    organization: &str,
) -> impl Iterator<Item = &'a Arc<Authorization>> + use<'a> {
    let number = state.organizations().get(organization).map(|organization| organization.number);
    number.into_iter().flat_map(|number| state.authorizations().of_organization(number, 0))
}
