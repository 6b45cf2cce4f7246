//! Random commands about scopes, organizations, apps and authorizations.

use grantd_realm::State;
use grantd_realm::app::{AppSettings, CreateApp, DeleteApp, RotateAppSecret, UpdateApp};
use grantd_realm::authorization::{Authorize, ConsentGiven, EndAuthorization, WithdrawScope};
use grantd_realm::caller::Caller;
use grantd_realm::oauth_token::Give;
use grantd_realm::organization::{
    ApproveApp, CreateOrganization, DeleteOrganization, IssueOrganizationToken, Policy, RenameOrganization,
    RevokeOrganizationToken, Seat, SeatMember, SetAuthorizationPolicy, UnseatMember, WithdrawApproval,
};
use grantd_realm::role::Member;
use grantd_realm::scope::{DefineScope, DeleteScope, Scope, ScopeText};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use uuid::Uuid;

use super::World;
use super::step::{Outcome, decided};

/// What can be tried.
#[derive(Clone, Debug)]
pub(crate) enum AppStep {
    Define(&'static str, bool),
    DeleteScope(&'static str),
    CreateOrganization(&'static str),
    Rename(Index, &'static str),
    DeleteOrganization(Index),
    Seat(Index, &'static str, Seat),
    Unseat(Index, &'static str),
    Policy(Index, Option<i64>, bool),
    Approve(Index, Index, Vec<&'static str>),
    WithdrawApproval(Index, Index),
    IssueToken(Index, Vec<&'static str>),
    RevokeToken(Index, Index),
    CreateApp(bool, Vec<&'static str>),
    UpdateApp(Index, Option<&'static str>, Option<bool>),
    Rotate(Index),
    DeleteApp(Index),
    Authorize(Index, Index, Vec<&'static str>, bool, bool, Option<i64>),
    Withdraw(Index, &'static str),
    End(Index),
}

const SCOPES: [&str; 5] = ["payments.read", "payments.write", "reports.read", "apikeys.read", "no scope"];
const NAMES: [&str; 3] = ["Acme", "Ünion", ""];
const LOGINS: [&str; 3] = ["ann", "bob", "cyd"];

/// Anything of it.
pub(crate) fn app_steps() -> impl Strategy<Value = AppStep> {
    let any = any::<Index>;
    let scope = || prop_oneof![20 => select(&SCOPES[..4]), 1 => Just(SCOPES[4])];
    let scopes = || prop::collection::vec(scope(), 1..4);
    let name = || prop_oneof![8 => select(&NAMES[..2]), 1 => Just(NAMES[2])];
    let login = || select(&LOGINS[..]);
    let flag = prop::bool::ANY;
    let after = || option::weighted(0.3, 0..40_i64);
    prop_oneof![
        3 => (select(&SCOPES[1..3]), flag).prop_map(|(s, v)| AppStep::Define(s, v)),
        6 => select(&SCOPES[..3]).prop_map(AppStep::DeleteScope),
        12 => name().prop_map(AppStep::CreateOrganization),
        4 => (any(), name()).prop_map(|(o, n)| AppStep::Rename(o, n)),
        1 => any().prop_map(AppStep::DeleteOrganization),
        5 => (any(), login(), select(&Seat::ALL[..])).prop_map(|(o, l, s)| AppStep::Seat(o, l, s)),
        1 => (any(), login()).prop_map(|(o, l)| AppStep::Unseat(o, l)),
        2 => (any(), after(), flag).prop_map(|(o, l, a)| AppStep::Policy(o, l, a)),
        12 => (any(), any(), scopes()).prop_map(|(o, a, s)| AppStep::Approve(o, a, s)),
        20 => (any(), any()).prop_map(|(o, a)| AppStep::WithdrawApproval(o, a)),
        10 => (any(), scopes()).prop_map(|(o, s)| AppStep::IssueToken(o, s)),
        16 => (any(), any()).prop_map(|(o, t)| AppStep::RevokeToken(o, t)),
        12 => (flag, scopes()).prop_map(|(p, s)| AppStep::CreateApp(p, s)),
        5 => (any(), option::of(name()), option::of(flag)).prop_map(|(a, n, p)| AppStep::UpdateApp(a, n, p)),
        2 => any().prop_map(AppStep::Rotate),
        1 => any().prop_map(AppStep::DeleteApp),
        40 => (any(), any(), scopes(), prop::bool::weighted(0.2), prop::bool::weighted(0.2), after())
            .prop_map(|(a, o, s, f, c, e)| AppStep::Authorize(a, o, s, f, c, e)),
        3 => (any(), scope()).prop_map(|(a, s)| AppStep::Withdraw(a, s)),
        8 => any().prop_map(AppStep::End),
    ]
}

fn picked(mut ids: Vec<String>, index: Index, other: &str) -> String {
    ids.truncate(3);
    if ids.is_empty() || index.index(16) == 0 { other.into() } else { index.get(&ids).clone() }
}

fn organization(state: &State, index: Index) -> String {
    picked(state.organizations().iter_after(0).map(|one| one.id.to_string()).collect(), index, "org_1")
}

fn app(state: &State, index: Index) -> String {
    picked(state.apps().iter_after(0).map(|one| one.client_id.to_string()).collect(), index, "app_x")
}

fn authorization(state: &State, index: Index) -> Uuid {
    let ids = state.authorizations().iter_after(None).map(|one| one.id.to_string()).collect();
    picked(ids, index, "").parse().unwrap_or_default()
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|one| (*one).to_owned()).collect()
}

impl AppStep {
    pub(super) fn outcome(&self, world: &mut World, by: &Caller) -> Outcome {
        let (state, now) = (world.state.clone(), world.now);
        let (o, a) = (|index: &Index| organization(&state, *index), |index: &Index| app(&state, *index));
        match self {
            Self::Define(id, warned) => {
                let warning = warned.then(|| "Think".into());
                let texts = vec![ScopeText { language: "en".into(), description: "See".into(), warning }];
                let scope = Scope { id: (*id).into(), texts, in_v1: false, in_v2: true, deprecated: false };
                decided(world, by, DefineScope { scope })
            }
            Self::DeleteScope(id) => decided(world, by, DeleteScope { id: (*id).into() }),
            Self::CreateOrganization(name) => decided(world, by, CreateOrganization { name: (*name).into() }),
            Self::Rename(index, name) => {
                decided(world, by, RenameOrganization { id: o(index), name: (*name).into() })
            }
            Self::DeleteOrganization(index) => decided(world, by, DeleteOrganization { id: o(index) }),
            Self::Seat(index, login, seat) => {
                let member = Member::User((*login).into());
                decided(world, by, SeatMember { organization: o(index), member, seat: *seat })
            }
            Self::Unseat(index, login) => {
                let member = Member::User((*login).into());
                decided(world, by, UnseatMember { organization: o(index), member })
            }
            Self::Policy(index, life, approval) => {
                let longest_life = life.map(|life| 60_000_000 + life);
                let policy = Policy { longest_life, approval: *approval };
                decided(world, by, SetAuthorizationPolicy { organization: o(index), policy })
            }
            Self::Approve(index, which, scopes) => {
                let (organization, app, scopes) = (o(index), a(which), texts(scopes));
                decided(world, by, ApproveApp { organization, app, scopes })
            }
            Self::WithdrawApproval(index, which) => {
                decided(world, by, WithdrawApproval { organization: o(index), app: a(which) })
            }
            Self::IssueToken(index, scopes) => {
                let (organization, name, scopes) = (o(index), "ci".into(), texts(scopes));
                decided(world, by, IssueOrganizationToken { organization, name, scopes })
            }
            Self::RevokeToken(index, which) => {
                let organization = o(index);
                let found = state.organizations().get(&organization);
                let ids = found.map(|one| one.tokens().map(|token| token.id.to_string()).collect());
                let id = picked(ids.unwrap_or_default(), *which, "").parse().unwrap_or_default();
                decided(world, by, RevokeOrganizationToken { organization, id })
            }
            Self::CreateApp(public, optional) => {
                let settings = settings(*public, optional);
                decided(world, by, CreateApp { name: "Shop".into(), settings })
            }
            Self::UpdateApp(index, name, pkce) => {
                let client_id = a(index);
                let before = state.apps().get(&client_id).map(|app| app.settings.clone()).unwrap_or_default();
                let settings = pkce.map(|pkce_required| AppSettings { pkce_required, ..before });
                let name = name.map(Into::into);
                decided(world, by, UpdateApp { client_id, name, settings })
            }
            Self::Rotate(index) => decided(world, by, RotateAppSecret { client_id: a(index) }),
            Self::DeleteApp(index) => decided(world, by, DeleteApp { client_id: a(index) }),
            Self::Authorize(which, index, scopes, force, consents, after) => {
                let address = "192.0.2.1".into();
                let given = ConsentGiven { text_version: 1, locale: "nl_NL".into(), address };
                let command = Authorize {
                    app: a(which),
                    organization: o(index),
                    scopes: texts(scopes),
                    force: *force,
                    consent: consents.then_some(given),
                    expires: after.map(|after| now + after),
                    give: Give::Nothing,
                };
                decided(world, by, command)
            }
            Self::Withdraw(which, scope) => {
                let authorization = authorization(&state, *which);
                decided(world, by, WithdrawScope { authorization, scope: (*scope).into() })
            }
            Self::End(which) => {
                decided(world, by, EndAuthorization { authorization: authorization(&state, *which) })
            }
        }
    }
}

fn settings(public: bool, optional: &[&str]) -> AppSettings {
    AppSettings {
        redirect_uris: vec!["https://example.com/cb".into()],
        public,
        optional_scopes: texts(optional),
        pkce_required: false,
        website: None,
    }
}
