//! What happens to authorizations, as events: for the organizations' programs, and for the app that they concern.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grantd_engine::{Key, SubjectRef};
use uuid::Uuid;

use super::event::{Event, EventKind, Subject};
use crate::authorization::{
    Authorization, GRANTED, SCOPE_TYPE, authorization_of, authorizations_of_app,
    authorizations_of_organization, scopes_of,
};
use crate::change::{AppChange, Change, shared};
use crate::codec::{CodecError, Reader, Writer};
use crate::{Micros, State};

/// Of an app or an organization that goes at most so many authorizations are told.
const MOST: usize = 1_000;

/// An authorization as it was at the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationEvent {
    /// Its id.
    pub id: Uuid,
    /// The app, by client id.
    pub app: Arc<str>,
    /// The organization.
    pub organization: Arc<str>,
    /// What the app has now, in order.
    pub scopes: Vec<Arc<str>>,
    /// What it did not have before, in order.
    pub added: Vec<Arc<str>>,
    /// What it has no more, in order.
    pub removed: Vec<Arc<str>>,
}

impl AuthorizationEvent {
    pub(super) fn write(&self, w: &mut Writer) {
        w.uuid(self.id);
        w.text(&self.app);
        w.text(&self.organization);
        w.texts(&self.scopes);
        w.texts(&self.added);
        w.texts(&self.removed);
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            id: r.uuid()?,
            app: r.text()?.into(),
            organization: r.text()?.into(),
            scopes: r.texts()?,
            added: r.texts()?,
            removed: r.texts()?,
        })
    }
}

/// Whether a change may be told of here.
pub(super) fn is_event(change: &Change) -> bool {
    match change {
        Change::RelationshipDeleted { key } => scope_of(key).is_some(),
        Change::RelationshipWritten { relationship } => scope_of(&relationship.key).is_some(),
        Change::Apps(change) => matches!(
            &**change,
            AppChange::Authorized { .. }
                | AppChange::AuthorizationEnded { .. }
                | AppChange::AppDeleted { .. }
                | AppChange::OrganizationDeleted { .. }
        ),
        _ => false,
    }
}

/// The organization, the scope and the app of `mollie_scope:/<organization>/<scope>/ # granted @ app:<client id>`.
fn scope_of(key: &Key) -> Option<(&str, &str, &str)> {
    if key.resource.kind() != SCOPE_TYPE || key.relation.as_str() != GRANTED {
        return None;
    }
    let (organization, scope) = key.resource.id().strip_prefix('/')?.strip_suffix('/')?.split_once('/')?;
    match key.subject.as_ref() {
        SubjectRef::Object(app) => Some((organization, scope, app.id)),
        _ => None,
    }
}

/// What happens to one authorization in an entry.
#[derive(Default)]
struct Told {
    id: Option<Uuid>,
    ended: bool,
    written: BTreeSet<Arc<str>>,
    deleted: BTreeSet<Arc<str>>,
}

/// What the changes of one entry say of authorizations, one event for each. `state` is the one that they were decided on.
pub(super) fn events(state: &State, changes: &[Change], now: Micros) -> Vec<Event> {
    if !changes.iter().any(is_event) {
        return Vec::new();
    }
    // By app and organization.
    let mut told: BTreeMap<(Arc<str>, Arc<str>), Told> = BTreeMap::new();
    for change in changes {
        match change {
            Change::RelationshipWritten { relationship } => {
                if let Some((organization, scope, app)) = scope_of(&relationship.key) {
                    let pair = (shared(app), shared(organization));
                    told.entry(pair).or_default().written.insert(shared(scope));
                }
            }
            Change::RelationshipDeleted { key } => {
                if let Some((organization, scope, app)) = scope_of(key) {
                    let pair = (shared(app), shared(organization));
                    told.entry(pair).or_default().deleted.insert(shared(scope));
                }
            }
            Change::Apps(change) => collect(state, change, &mut told),
            _ => {}
        }
    }
    told.into_iter().filter_map(|(pair, told)| event(state, &pair, &told, now)).collect()
}

fn collect(state: &State, change: &AppChange, told: &mut BTreeMap<(Arc<str>, Arc<str>), Told>) {
    let mut ends = |found: &Arc<Authorization>| {
        let one = told.entry((found.app.clone(), found.organization.clone())).or_default();
        one.ended = true;
    };
    match change {
        AppChange::AuthorizationEnded { id } => {
            if let Some(found) = state.authorizations().get(*id) {
                ends(found);
            }
        }
        AppChange::AppDeleted { client_id } => {
            authorizations_of_app(state, client_id).take(MOST).for_each(ends);
        }
        AppChange::OrganizationDeleted { id } => {
            authorizations_of_organization(state, id).take(MOST).for_each(ends);
        }
        AppChange::Authorized { id, app, organization, .. } => {
            let one = told.entry((shared(app), shared(organization))).or_default();
            // In one entry an authorization whose time was over ends, and another one begins.
            (one.id, one.ended) = (Some(*id), false);
        }
        _ => {}
    }
}

fn event(
    state: &State,
    (app, organization): &(Arc<str>, Arc<str>),
    told: &Told,
    now: Micros,
) -> Option<Event> {
    let before = authorization_of(state, app, organization, now);
    let had: BTreeSet<Arc<str>> =
        before.iter().flat_map(|found| scopes_of(state, found, now)).map(|scope| scope.id.clone()).collect();
    // What has ended by the clock is found by the upkeep: the record is there, and over.
    let over = || {
        let app = state.apps().get(app)?.number;
        let organization = state.organizations().get(organization)?.number;
        state.authorizations().at(crate::authorization::Place { app, organization }).map(|found| found.id)
    };
    let id = told.id.or_else(|| before.map(|found| found.id)).or_else(over)?;
    let ends = told.ended || told.id.is_none() && before.is_none();
    let mut has: BTreeSet<Arc<str>> = had.iter().chain(&told.written).cloned().collect();
    has.retain(|scope| !ends && !told.deleted.contains(scope));
    let added: Vec<Arc<str>> = has.difference(&had).cloned().collect();
    let gone = had.difference(&has).chain(told.deleted.iter().filter(|scope| !has.contains(*scope)));
    let removed: BTreeSet<Arc<str>> = gone.cloned().collect();
    let kind = match (ends, before) {
        (true, _) => EventKind::AuthorizationRevoked,
        (false, None) => EventKind::AuthorizationGranted,
        (false, Some(_)) => EventKind::AuthorizationChanged,
    };
    let authorization = AuthorizationEvent {
        id,
        app: app.clone(),
        organization: organization.clone(),
        scopes: has.into_iter().collect(),
        added,
        removed: removed.into_iter().collect(),
    };
    let subject = Subject::Authorization(Box::new(authorization));
    Some(Event { kind, at: now, app: Some(app.clone()), subject })
}
