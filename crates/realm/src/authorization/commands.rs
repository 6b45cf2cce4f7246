//! An app is given scopes at an organization.

use std::collections::BTreeSet;
use std::sync::Arc;

use grantd_engine::Relationship;
use uuid::Uuid;

use super::{Authorization, Consent, Place, end_of, may_consent, scope_key, scopes_of};
use crate::app::App;
use crate::caller::{Actor, Authority, Caller};
use crate::change::{AppChange, Change, shared};
use crate::codec::{CodecError, Reader, Writer};
use crate::command::{Answer, Command, Context, Decision, Secret};
use crate::oauth_token::{Give, Tokens, issue_code, issue_tokens};
use crate::organization::Organization;
use crate::refusal::{ConsentProblem, Refusal};
use crate::scope::check_list;
use crate::{Micros, State};

/// Gives an app scopes at an organization, beside those that it has there.
pub struct Authorize {
    /// Which app, by client id.
    pub app: String,
    /// Which organization.
    pub organization: String,
    /// Which scopes.
    pub scopes: Vec<String>,
    /// In place of what it has there: other scopes end, and so does everything that was issued.
    pub force: bool,
    /// A member of the organization agreed, who is the caller. `None`: an operator approves beforehand.
    pub consent: Option<ConsentGiven>,
    /// From when on it counts no more; the organization's terms may end it earlier.
    pub expires: Option<Micros>,
    /// What is issued to the app with it.
    pub give: Give,
}

/// How a member agreed.
#[derive(Debug, Clone)]
pub struct ConsentGiven {
    /// The version of the texts that they were shown.
    pub text_version: u32,
    /// In which language, as a locale.
    pub locale: String,
    /// From which address.
    pub address: String,
}

/// What an app has now.
#[derive(Debug, Clone)]
pub struct Authorized {
    /// By which authorization.
    pub authorization: Uuid,
    /// All its scopes, in order.
    pub scopes: Vec<String>,
    /// Those that it did not have before, in order.
    pub added: Vec<String>,
    /// The code, this one time, if one was to be given.
    pub code: Option<Secret>,
    /// The tokens, if they were to be given; their secrets this one time.
    pub tokens: Option<Tokens>,
}

impl Answer for Authorized {
    fn encode(&self, w: &mut Writer) {
        w.uuid(self.authorization);
        w.texts(&self.scopes);
        w.texts(&self.added);
        w.option(self.tokens.as_ref(), |w, tokens| tokens.encode(w));
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            authorization: r.uuid()?,
            scopes: r.texts()?,
            added: r.texts()?,
            code: None,
            tokens: r.option(Tokens::decode)?,
        })
    }
}

impl Command for Authorize {
    type Answer = Authorized;
    const REQUIRES: Authority = Authority::Operator;

    fn authorize(&self, state: &State, cx: &Context<'_>) -> Result<(), Refusal> {
        match (&self.consent, cx.caller) {
            (None, _) => cx.require(state, Self::REQUIRES),
            (Some(_), Caller { actor: Actor::User(login), conferred: None }) => {
                may_consent(state, login, &self.organization, &self.app, &self.scopes, cx.now)
            }
            (Some(_), _) => Err(Refusal::Consent(ConsentProblem::NotMember)),
        }
    }

    fn decide(&self, state: &State, cx: &mut Context<'_>) -> Result<Decision<Authorized>, Refusal> {
        let app = App::find(state, &self.app)?;
        let organization = Organization::find(state, &self.organization)?;
        if self.scopes.is_empty() {
            return Err(Refusal::invalid("scopes", "must name at least one"));
        }
        if self.expires.is_some_and(|expires| expires <= cx.now) {
            return Err(Refusal::invalid("expires", "must be in the future"));
        }
        let asked = check_list(state, "scopes", &self.scopes)?;
        let until = self.until(organization, cx.now);
        let before = Before::of(state, app, organization, cx.now);
        let over = before.over.iter().map(|id| Change::of(AppChange::AuthorizationEnded { id: *id }));
        let mut changes: Vec<Change> = over.collect();
        let (record, added) = self.changes(state, app, &before, &asked, until, &mut changes, cx)?;
        let mut scopes: BTreeSet<Arc<str>> = asked.iter().cloned().collect();
        if !self.force {
            scopes.extend(before.scopes.iter().cloned());
        }
        let mut rows = Vec::new();
        let (code, tokens) = match &self.give {
            Give::Nothing => (None, None),
            Give::Code(request) => (
                Some(issue_code(app, &record, request, |scope| scopes.contains(scope), cx, &mut rows)?),
                None,
            ),
            Give::Tokens => (None, Some(issue_tokens(&record, &asked, cx, &mut rows))),
        };
        let answer = Authorized {
            authorization: record.id,
            scopes: scopes.iter().map(ToString::to_string).collect(),
            added: added.iter().map(ToString::to_string).collect(),
            code,
            tokens,
        };
        Ok(Decision { rows, ..Decision::all(changes, answer) })
    }
}

/// What there was.
struct Before {
    live: Option<Arc<Authorization>>,
    /// One whose time is over, and that is still on record.
    over: Option<Uuid>,
    scopes: Vec<Arc<str>>,
    place: Place,
}

impl Before {
    fn of(state: &State, app: &App, organization: &Organization, now: Micros) -> Self {
        let place = Place { app: app.number, organization: organization.number };
        let found = state.authorizations().at(place).cloned();
        let (live, over) = match found {
            Some(found) if found.is_live(now) => (Some(found), None),
            Some(found) => (None, Some(found.id)),
            None => (None, None),
        };
        let scopes = live.iter().flat_map(|found| scopes_of(state, found, now)).map(|one| one.id.clone());
        Self { scopes: scopes.collect(), live, over, place }
    }
}

impl Authorize {
    fn until(&self, organization: &Organization, now: Micros) -> Option<Micros> {
        let longest = organization.policy.longest_life.map(|life| now.saturating_add(life));
        self.expires.into_iter().chain(longest).min()
    }

    /// The record as it is afterwards, and the scopes that are new; what changes goes to `changes`.
    #[expect(clippy::too_many_arguments, reason = "one step of one decision, split off for its length")]
    fn changes(
        &self,
        state: &State,
        app: &App,
        before: &Before,
        asked: &[Arc<str>],
        until: Option<Micros>,
        changes: &mut Vec<Change>,
        cx: &mut Context<'_>,
    ) -> Result<(Authorization, Vec<Arc<str>>), Refusal> {
        let key = |scope: &str| scope_key(&self.organization, scope, &app.client_id);
        let is_new = |scope: &&Arc<str>| !before.scopes.contains(scope);
        let added: Vec<Arc<str>> = asked.iter().filter(is_new).cloned().collect();
        // What was agreed on before keeps its end, unless all is agreed on anew, or an operator or nobody's terms say otherwise.
        let renewed = |scope: &&Arc<str>| {
            let end = before.live.as_ref().and_then(|live| end_of(state, live, scope));
            !is_new(scope) && end != until && (self.force || later(end, until))
        };
        let written: Vec<Arc<str>> =
            asked.iter().filter(|scope| is_new(scope) || renewed(scope)).cloned().collect();
        let (id, generation) = match &before.live {
            None => (cx.entropy.uuid(), 1),
            Some(live) if self.force => (live.id, live.generation.saturating_add(1)),
            Some(live) => (live.id, live.generation),
        };
        let consent = match (&self.consent, &before.live) {
            (Some(given), _) => Some(evidence(given, cx)),
            (None, Some(live)) if !self.force => live.consent.clone(),
            _ => None,
        };
        let expires = match &before.live {
            Some(live) if !self.force && later(until, live.expires) => live.expires,
            _ => until,
        };
        let record = Authorization {
            id,
            app: app.client_id.clone(),
            organization: shared(&self.organization),
            generation,
            created_at: before.live.as_ref().map_or(cx.now, |live| live.created_at),
            changed_at: cx.now,
            expires,
            consent,
            place: before.place,
        };
        if before.live.is_none() || self.force || !written.is_empty() {
            changes.push(Change::of(AppChange::authorized(&record)));
        }
        if self.force {
            for gone in before.scopes.iter().filter(|scope| !asked.contains(scope)) {
                changes.push(Change::RelationshipDeleted { key: key(gone)? });
            }
        }
        for scope in &written {
            let relationship = Relationship { until, ..Relationship::lasting(key(scope)?) };
            changes.push(Change::RelationshipWritten { relationship });
        }
        Ok((record, added))
    }
}

/// Whether the second end comes after the first; no end is the last.
fn later(first: Option<Micros>, second: Option<Micros>) -> bool {
    first.is_some_and(|first| second.is_none_or(|second| first < second))
}

fn evidence(given: &ConsentGiven, cx: &mut Context<'_>) -> Consent {
    let user = match &cx.caller.actor {
        Actor::User(login) => shared(login),
        other => shared(&other.to_string()),
    };
    let cut =
        |text: &str, most: usize| text.get(..text.floor_char_boundary(most)).unwrap_or_default().to_owned();
    Consent {
        user,
        text_version: given.text_version,
        locale: shared(&cut(&given.locale, 35)),
        address: cx.personal(&cut(&given.address, 200)),
        at: cx.now,
    }
}
